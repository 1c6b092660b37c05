/** How an error that nobody could handle is told to a person: one message, one exit code. */
import { DefinitionError, type Settings } from "../config.ts";

/** The database cannot be opened, for a reason that lies outside Tradepost. */
export class DatabaseAway extends Error {
  override readonly name = "DatabaseAway";

  constructor({ databaseUrl, database, file }: Settings, cause: unknown) {
    const reason = reasonIn(cause);
    super(
      databaseUrl === null
        ? `Opening the database in ${database.folder}: ${reason}. Run as the user that made the ` +
            `folder, or name another under database.folder in ${file}.`
        : `Opening the database at ${withoutPassword(databaseUrl)} (DATABASE_URL): ${reason}. ` +
            "Correct DATABASE_URL or start that server; unset it to use Tradepost's own PostgreSQL.",
      // What the driver throws is told already, and may hold the address with its password.
      {},
    );
  }
}

/** postgresql://user@server:5432/name */
export function withoutPassword(address: string): string {
  const url = new URL(address);
  url.password = "";
  url.search = "";
  return url.href;
}

export interface Told {
  readonly message: string;
  /** Stable, for programs; null where an error has none. */
  readonly code: string | null;
  /** 1 failed, 2 usage or settings. */
  readonly exit: 1 | 2;
}

/** Never a stack trace, never a secret. */
export function tell(error: unknown): Told {
  const kind = textIn(error, "kind");
  const usage = error instanceof DefinitionError || kind === "config" || kind === "usage";
  const instruction = textIn(error, "instruction");
  const said = instruction === null ? messageOf(error) : `${messageOf(error)} ${instruction}`;
  const because = causes(error).filter((cause) => !said.includes(cause));
  return {
    message: hidePasswords([said, ...because.map((cause) => `  because: ${cause}`)].join("\n")),
    code: textIn(error, "code"),
    exit: usage ? 2 : 1,
  };
}

/** JavaScript's own errors are thrown by mistakes in the code alone. */
const DEFECTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError];

function messageOf(error: unknown): string {
  const reason = reasonIn(error);
  if (DEFECTS.some((kind) => error instanceof kind))
    return `This is a defect of Tradepost: ${String(error)}. Report it with the command that was given.`;
  if (textIn(error, "severity") !== null)
    return `The database refused a statement: ${reason} (${textIn(error, "code") ?? "no code"}).`;
  return reason;
}

function reasonIn(error: unknown): string {
  // Several addresses of one server were tried.
  if (error instanceof AggregateError && error.message === "")
    return error.errors.map(reasonIn).join("; ");
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? error.name : error.message;
}

function causes(error: unknown): string[] {
  const found: string[] = [];
  for (
    let cause = error instanceof Error ? error.cause : undefined;
    cause instanceof Error && found.length < 5;
    cause = cause.cause
  )
    found.push(reasonIn(cause));
  return found;
}

function hidePasswords(text: string): string {
  return text.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]+@/gi, "$1@");
}

function textIn(error: unknown, name: string): string | null {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === "string" ? value : null;
}
