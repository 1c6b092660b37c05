/** A fault of the database's surroundings: what was being done, what was found, what to do next. */
export class StoreError extends Error {
  /** Stable, for programs: `folder-in-use`, `server-start`, `migration-changed` … */
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }
}

export type StoreErrorCode =
  | "binaries-missing"
  | "client-missing"
  | "closed"
  | "commit-lost"
  | "folder-in-use"
  | "folder-owner"
  | "folder-version"
  | "migration-changed"
  | "migration-failed"
  | "migration-unknown"
  | "server-start"
  | "server-version"
  | "staging-row"
  | "value-unsafe";

/** The text of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code that `pg`, Node and SQLite put on their errors; "" when there is none. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** Somebody else held what was asked for longer than the statement was to wait. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === "55P03";
}

/** Two waited for each other, and this one was ended so that the other could go on. */
export function isDeadlock(error: unknown): boolean {
  return codeOf(error) === "40P01";
}
