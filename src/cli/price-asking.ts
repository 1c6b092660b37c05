/** What `price of`, `price explain` and `price list` can be asked with. */
import type { Command } from "commander";
import { dateOption, UsageError } from "./command.ts";

export interface AskingOptions {
  readonly on?: string;
  readonly asOf?: string;
  readonly knownAt?: string;
  readonly branch?: string;
  readonly site?: string;
  readonly currency?: string;
  readonly when?: Readonly<Record<string, string>>;
}

/** The options that say who asks, when, and what is so besides. */
export function addAskingOptions(command: Command): Command {
  return command
    .option("--on <date>", "business date; today when absent", dateOption)
    .option("--as-of <moment>", "the same to the moment: 2026-03-31T08:00:00Z, or a date", asOf)
    .option("--branch <branch>", "selling branch; the account's when absent")
    .option("--site <site>", "delivery site; the usual one when absent")
    .option("--currency <code>", "currency; the account's when absent")
    .option(
      "--when <attribute=value>",
      "what is so besides: delivery=collect; repeatable",
      condition,
    );
}

export function askerOf(account: string, options: AskingOptions) {
  const { on = null, asOf = on, branch = null, site = null, currency = null, when = {} } = options;
  return { account, asOf, branch, site, currency, conditions: when };
}

export function asOf(text: string): string {
  if (!text.includes("T")) return dateOption(text);
  try {
    return Temporal.Instant.from(text).toString();
  } catch {
    throw new UsageError(`"${text}" is not a moment. Write 2026-03-31T08:00:00Z, or a date.`);
  }
}

function condition(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, attribute, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (attribute === undefined || value === undefined)
    throw new UsageError(`"${text}" is no condition. Write delivery=collect.`);
  return { ...before, [attribute]: value };
}
