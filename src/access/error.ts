export type AccessErrorCode = "scope-unknown" | "scopes-missing" | "name-missing" | "key-unknown";

/** A key cannot be made or taken back as asked; the message says what to do. */
export class AccessError extends Error {
  override readonly name = "AccessError";
  readonly code: AccessErrorCode;

  constructor(code: AccessErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
