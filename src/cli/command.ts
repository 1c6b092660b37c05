/**
 * What every command shares: the options of all, opening Tradepost, exit codes, and how errors end.
 */
import { CommanderError, Option, type Command } from "commander";
import { calledAs, readSettings, usualConnection, type Settings } from "../config.ts";
import { nearest } from "../definition/index.ts";
import { isOwnName } from "../model/index.ts";
import { openTradepost, tell, type CompanyServices, type Tradepost } from "../main.ts";
import { json, printable } from "./print.ts";

/**
 * 0 fine, 1 failed, 2 usage or settings, 3 done but something is in quarantine (or nothing could be
 * compared), 4 totals differ.
 */
export const EXIT = { fine: 0, failed: 1, usage: 2, quarantine: 3, differ: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The call's words are wrong: exit 2 with a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly kind = "usage";
}

/** The call is right, and what it names is not there: exit 1 with a sentence. */
export class NotFound extends Error {
  override readonly name = "NotFound";
  readonly code = "not-found";
}

export interface GlobalOptions {
  readonly settings: string;
  readonly company?: string;
  readonly json?: boolean;
}

export interface Answer {
  /** What a person reads; lines end without a newline. Null: it was written as it came. */
  readonly text: string | null;
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
  const code = companyOf(settings, global);
  await using tradepost = await openTradepost(settings, { log: quietLog });
  const company = await tradepost.company(code);
  print(await work({ tradepost, company, global }), global);
}

export function print(given: Answer, global: GlobalOptions): void {
  if (given.text !== null) {
    const text = global.json === true ? json(given.data) : printable(given.text);
    process.stdout.write(`${text}\n`);
  }
  process.exitCode = given.exit ?? EXIT.fine;
}

/** Commands say on standard error only what a person must act on. */
export function quietLog(level: "info" | "warn" | "error", message: string): void {
  if (level !== "info") process.stderr.write(`${printable(message)}\n`);
}

function companyOf(settings: Settings, { company }: GlobalOptions): string {
  const codes = Object.keys(settings.companies);
  const [only, second] = codes;
  if (company !== undefined) return chosen("--company", codes)(company);
  if (only !== undefined && second === undefined) return only;
  throw new UsageError(`Which company? Give --company with one of ${codes.join(", ")}.`);
}

/** What `--connection` names; absent: the only one, else erp. */
export function connectionOf({ company }: Opened, given: string | undefined): string {
  if (given !== undefined) return given;
  const all = Object.keys(company.settings.connections);
  const usual = usualConnection(all);
  if (usual !== null) return usual;
  throw new UsageError(`Which connection? Give --connection with one of ${all.join(", ")}.`);
}

/** `--connection`, whose value `connectionOf` completes. */
export function connectionOption(what = "connection to read"): Option {
  return new Option("--connection <name>", `${what}; without it the only one, or erp`);
}

/** A stream's name that some mapping reads; else the nearest one is told. */
export function checkStream({ company }: Opened, name: string | undefined): void {
  if (name !== undefined) chosen("The stream", company.streams.toSorted())(name);
}

/** Prints an error for a person, with `--json` for a program too, and tells the exit code. */
export function explainError(error: unknown, asJson: boolean): ExitCode {
  if (error instanceof CommanderError) {
    const exit = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    // Commander has said it to the person already; help that was asked for is no error.
    if (asJson && exit !== EXIT.fine && !error.code.startsWith("commander.help"))
      printError({ message: error.message, code: error.code, exit });
    return exit;
  }
  const told = tell(error);
  process.stderr.write(`${printable(told.message)}\n`);
  if (asJson) printError(told);
  return told.exit;
}

function printError(error: { message: string; code: string | null; exit: ExitCode }): void {
  process.stdout.write(`${json({ error })}\n`);
}

/** Commands that lead on from an answer, as they are to be typed. */
export function nextLines(global: GlobalOptions, commands: readonly string[]): string[] {
  const before = calledAs(global);
  return commands.map(
    (command, index) => `${index === 0 ? "next" : "    "}       ${before} ${command}`,
  );
}

/** A code as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w./:+-]+$/.test(word) ? word : `"${word}"`;
}

/** Help's last lines. */
export function example(command: string): string {
  return `\nExample:\n  npm run -s tradepost -- ${command}`;
}

/** A whole number of an option, within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new UsageError(`"${text}" is not a whole number from ${least} to ${most}.`);
  };
}

/** One of the words that an option takes. */
export function chosen<Word extends string>(
  option: string,
  words: readonly Word[],
): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const close = nearest(text, words);
    throw new UsageError(
      `${option} was given "${text}"; expected ${words.length === 1 ? "" : "one of "}${words.join(", ")}.` +
        (close === undefined ? "" : ` Did you mean ${close}?`),
    );
  };
}

/** Who and why are kept for good: blanks would say nothing. */
export function notBlank(option: string): (text: string) => string {
  return (text) => {
    if (text.trim() !== "") return text.trim();
    throw new UsageError(`${option} is blank; it is kept with what was done, so say it in words.`);
  };
}

/** A person's name, told from those under which the parts of Tradepost stand in its books. */
export function person(option: string): (text: string) => string {
  const named = notBlank(option);
  return (text) => {
    const name = named(text);
    if (!isOwnName(name)) return name;
    throw new UsageError(
      `${option} "${name}" is no person: what Tradepost, the ERP or a shop does by itself is kept ` +
        `under such names. Give the name of whoever decides: ${option} "Kim, ${name}".`,
    );
  };
}

/** Who did something; must be given. */
export function whoOption(what = "who decides"): Option {
  return new Option("--who <name>", what).argParser(person("--who")).makeOptionMandatory();
}

/** Why it was done, kept with what it was done to; must be given. */
export function whyOption(keptWith: string): Option {
  return new Option("--why <reason>", `why; it is kept with the ${keptWith}`)
    .argParser(notBlank("--why"))
    .makeOptionMandatory();
}

/** What these two say. */
export interface Act {
  readonly who: string;
  readonly why: string;
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

/** Months or days of a call, the first not after the last; `said`: as a person reads them. */
export function inOrder(
  { from, to }: { readonly from?: string; readonly to?: string },
  said: (one: string) => string = (month) => month,
): void {
  if (from !== undefined && to !== undefined && from > to)
    throw new UsageError(`--from ${said(from)} is after --to ${said(to)}. Give the earlier first.`);
}
