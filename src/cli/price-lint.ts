/** `price lint`: what is wrong in the price rules, for a person, a spreadsheet or a build. */
import { once } from "node:events";
import type { Command } from "commander";
import {
  LINT_KINDS,
  LINT_SEVERITIES,
  summarise,
  type LintFinding,
  type LintKind,
  type LintSeverity,
  type LintSummary,
} from "../pricing/index.ts";
import { answer, chosen, example, EXIT, wholeNumber, type Answer, type Opened } from "./command.ts";
import { count, csv, table, words } from "./print.ts";

const FAIL_ON = [...LINT_SEVERITIES, "never"] as const;

const LOOKED_FOR = `
What is looked for:
  orphan               An account, group, site, branch, list, product, unit or currency that is not there.
  unreachable          A place that no step of the policy looks at, a list that no customer is on,
                       quantities or a contract under which the rule never holds.
  conditions           Conditions that cannot be read.
  formula              A price formula, or the list that it starts from, that is not there.
  non-monotonic-break  A break that is dearer than the one before it.
  dominated-break      A break that gives what the one before it gives already.
  overlap              Two rules for the same on the same days.
  zero-price           Nothing to pay.
  below-cost           A price, or a discount off the standard price, below the product's cost.
  promotion            A promotion that never holds.
  ended                A rule that is over.

Ends with 1 when something of the severity of --fail-on, or worse, was found: error, warning, note.`;

interface LintOptions {
  readonly kind?: LintKind;
  readonly examples: number;
  readonly csv?: true;
  readonly ndjson?: true;
  readonly failOn: (typeof FAIL_ON)[number];
}

export function addLintCommand(price: Command): void {
  price
    .command("lint")
    .description("What is wrong, useless or not meant in the price rules, with the ERP's rows.")
    .option("--kind <kind>", "only this kind", chosen("--kind", LINT_KINDS))
    .option("--examples <number>", "so many of each kind", wholeNumber(0, 1_000), 3)
    .option("--csv", "every finding as CSV, written as it is found")
    .option("--ndjson", "every finding as a line of JSON, written as it is found")
    .option("--fail-on <severity>", FAIL_ON.join(", "), chosen("--fail-on", FAIL_ON), "error")
    .addHelpText("after", LOOKED_FOR + example("price lint --csv > findings.csv"))
    .action(async (options: LintOptions, command: Command) => {
      const isExport = options.csv === true || options.ndjson === true;
      if (isExport) await exported(command, options);
      else await answer(command, (opened) => summary(opened, options));
    });
}

async function summary({ company }: Opened, options: LintOptions): Promise<Answer> {
  const found = await summarise(findings(company, options), options.examples);
  return {
    text: found.kinds.length === 0 ? "Nothing was found." : summaryText(found),
    data: found,
    exit: exitOf(found, options.failOn),
  };
}

function findings(
  { pricing }: Opened["company"],
  { kind }: LintOptions,
): AsyncGenerator<LintFinding> {
  return kind === undefined ? pricing.lint() : pricing.lint([kind]);
}

type Counts = Pick<LintSummary, "errors" | "warnings" | "notes">;

function exitOf({ errors, warnings, notes }: Counts, failOn: LintOptions["failOn"]) {
  const counted = {
    never: 0,
    error: errors,
    warning: errors + warnings,
    note: errors + warnings + notes,
  };
  return counted[failOn] > 0 ? EXIT.failed : EXIT.fine;
}

function summaryText({ kinds, errors, warnings, notes }: LintSummary): string {
  const counts = table(kinds, [
    { head: "kind", of: ({ kind }) => words(kind) },
    { head: "found", right: true, of: (each) => count(each.count) },
    { head: "errors", right: true, of: ({ severities }) => count(severities.error) },
    { head: "warnings", right: true, of: ({ severities }) => count(severities.warning) },
    { head: "notes", right: true, of: ({ severities }) => count(severities.note) },
  ]);
  const examples = kinds.flatMap(({ kind, examples: shown }) =>
    shown.length === 0 ? [] : ["", words(kind), ...shown.flatMap(exampleLines)],
  );
  const total = `${count(errors)} errors, ${count(warnings)} warnings, ${count(notes)} notes`;
  return [counts, ...examples, "", total].join("\n");
}

function exampleLines(finding: LintFinding): string[] {
  return [
    `  ${finding.severity}: ${finding.row} ${finding.what}`,
    `    ${placeOf(finding)}  ${finding.instruction}`,
  ];
}

function placeOf({ origin, originId, line }: LintFinding): string {
  return `${origin ?? originId}:${line}`;
}

const COLUMNS = [
  "kind",
  "severity",
  "record",
  "row",
  "what",
  "instruction",
  "origin",
  "originId",
  "line",
] as const;
/** Rows of the export that are made at a time. */
const BATCH = 500;

/** Written as they are found: a million findings are never held. */
async function exported(command: Command, options: LintOptions): Promise<void> {
  const counts: Record<LintSeverity, number> = { error: 0, warning: 0, note: 0 };
  const isTable = options.ndjson !== true;
  const write = isTable ? csvText : ndjsonText;
  await answer(command, async ({ company }) => {
    if (isTable) await say(`${COLUMNS.join(",")}\n`);
    let batch: LintFinding[] = [];
    for await (const finding of findings(company, options)) {
      counts[finding.severity] += 1;
      batch.push(finding);
      if (batch.length < BATCH) continue;
      await say(await write(batch));
      batch = [];
    }
    if (batch.length > 0) await say(await write(batch));
    const { error: errors, warning: warnings, note: notes } = counts;
    return { text: null, data: null, exit: exitOf({ errors, warnings, notes }, options.failOn) };
  });
}

async function say(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

async function csvText(batch: readonly LintFinding[]): Promise<string> {
  const rows = batch.map((finding) => COLUMNS.map((column) => String(finding[column] ?? "")));
  return `${await csv(rows)}\n`;
}

async function ndjsonText(batch: readonly LintFinding[]): Promise<string> {
  return batch.map((finding) => `${JSON.stringify(finding)}\n`).join("");
}
