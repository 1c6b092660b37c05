/**
 * What every command shares: the options of all, opening Tradepost, exit codes, and how errors end.
 */
import { Command } from "commander";
import { readSettings, DefinitionError, SettingsMissing } from "../config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../main.ts";
import { json } from "./print.ts";

/**
 * 0 fine, 1 failed, 2 usage or settings, 3 done but something is in quarantine, 4 totals differ.
 */
export const EXIT = { fine: 0, failed: 1, usage: 2, quarantine: 3, differ: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The call's words are wrong: exit 2 with a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface GlobalOptions {
  readonly settings: string;
  readonly company?: string;
  readonly json?: boolean;
}

export interface Answer {
  /** What a person reads; lines end without a newline. */
  readonly text: string;
  /** What `--json` prints. */
  readonly data: unknown;
  readonly exit?: ExitCode;
}

export interface Opened {
  readonly tradepost: Tradepost;
  readonly company: CompanyServices;
  readonly global: GlobalOptions;
}

/** Opens Tradepost for one command, prints its answer, closes, and sets the exit code. */
export async function answer(
  command: Command,
  work: (opened: Opened) => Promise<Answer>,
): Promise<void> {
  const global = command.optsWithGlobals<GlobalOptions>();
  const settings = readSettings({ file: global.settings });
  await using tradepost = await openTradepost(settings, { log: quietLog });
  const company = await tradepost.company(
    global.company ?? onlyCompany(Object.keys(settings.companies)),
  );
  const given = await work({ tradepost, company, global });
  process.stdout.write(`${global.json === true ? json(given.data) : given.text}\n`);
  process.exitCode = given.exit ?? EXIT.fine;
}

/** Commands say on standard error only what a person must act on. */
function quietLog(level: "info" | "warn" | "error", message: string): void {
  if (level !== "info") process.stderr.write(`${message}\n`);
}

function onlyCompany(codes: readonly string[]): string {
  const [only, second] = codes;
  if (only !== undefined && second === undefined) return only;
  throw new UsageError(
    only === undefined
      ? "The settings name no company. Add one under companies:."
      : `Which company? Give --company with one of ${codes.join(", ")}.`,
  );
}

/** Prints an error for a person and tells the exit code. */
export function explainError(error: unknown): ExitCode {
  const usage =
    error instanceof UsageError ||
    error instanceof DefinitionError ||
    error instanceof SettingsMissing ||
    (error instanceof Error && "kind" in error && error.kind === "config");
  process.stderr.write(`${messageOf(error)}\n`);
  return usage ? EXIT.usage : EXIT.failed;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const instruction =
    "instruction" in error && typeof error.instruction === "string" ? ` ${error.instruction}` : "";
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : "";
  return `${error.message}${instruction}${cause}`;
}

/** A whole number of an option, within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new UsageError(`"${text}" is not a whole number from ${least} to ${most}.`);
  };
}

/** A date of an option, ISO or as the trade writes it; ISO text. */
export function dateOption(text: string): string {
  const trade = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text);
  const iso = trade === null ? text : `${trade[3]}-${trade[2]}-${trade[1]}`;
  try {
    return Temporal.PlainDate.from(iso, { overflow: "reject" }).toString();
  } catch {
    throw new UsageError(`"${text}" is not a date. Write 2026-03-31 or 31/03/2026.`);
  }
}

/** A month of an option, ISO text YYYY-MM. */
export function monthOption(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new UsageError(`"${text}" is not a month. Write 2026-03.`);
}
