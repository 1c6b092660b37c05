/** `pay statement`, `pay line`, `pay summary` and `pay compare`. */
import type { Command } from "commander";
import {
  comparisonLines,
  comparisonRows,
  statementLines,
  statementRows,
  summaryLines,
  type Periods,
} from "../incentives/index.ts";
import {
  answer,
  chosen,
  example,
  inOrder,
  monthOption,
  nextLines,
  quoted,
  UsageError,
  type Answer,
  type Opened,
} from "./command.ts";
import { csv, day, pounds } from "./print.ts";
import { postingName } from "./sales.ts";

interface PeriodOptions {
  readonly csv?: boolean;
  readonly month?: string;
  readonly from?: string;
  readonly to?: string;
}

export function addPayCommands(program: Command): void {
  const pay = program.command("pay").description("What reps earn, and why.");
  withPeriods(
    pay
      .command("statement <rep>")
      .description("A rep's statement; every line has its because.")
      .option("--plan <plan>", "plan; the settings' only one when absent")
      .option("--csv", "its lines as CSV, with exact figures beside the pence")
      .addHelpText("after", example("pay statement REP01 --plan flat --month 2026-07")),
  ).action(async (rep: string, options: PeriodOptions & { plan?: string }, command: Command) => {
    await answer(command, (opened) => statement(opened, rep, options));
  });
  withPeriods(
    pay
      .command("summary")
      .description("Every rep, house and unassigned, and the bridge to the sales they come from.")
      .option("--plan <plan>", "plan; the settings' only one when absent"),
  ).action(async (options: PeriodOptions & { plan?: string }, command: Command) => {
    await answer(command, async (opened) => {
      const run = await runOf(opened, options);
      const data = await opened.company.incentives.summary({ run: run.run });
      return { text: summaryLines(data, opened.company.settings.timeZone).join("\n"), data };
    });
  });
  withPeriods(
    pay
      .command("compare <before> <after>")
      .description("Two plans over the same sales: per rep and for the business.")
      .option("--csv", "its figures as CSV")
      .addHelpText("after", example("pay compare new-and-repeat flat --from 2026-01 --to 2026-06")),
  ).action(async (before: string, after: string, options: PeriodOptions, command: Command) => {
    await answer(command, async ({ company }) => {
      const plan = chosen("The plan", planCodes(company));
      const compared = { before: plan(before), after: plan(after) };
      const data = await company.incentives.compare({ ...periodsOf(options), ...compared });
      const asCsv = options.csv === true;
      const text = asCsv ? await csv(comparisonRows(data)) : comparisonLines(data).join("\n");
      return { text, data };
    });
  });
  pay
    .command("line <ref>")
    .description("One line of a statement, back to the row of the file it came from.")
    .addHelpText("after", example("pay line 1/902"))
    .action(async (ref: string, _options: unknown, command: Command) => {
      await answer(command, (opened) => line(opened, ref));
    });
}

function withPeriods(command: Command): Command {
  return command
    .option("--month <month>", "one accounting period, such as 2026-03", monthOption)
    .option("--from <month>", "first accounting period", monthOption)
    .option("--to <month>", "last accounting period", monthOption);
}

function periodsOf({ month, from, to }: PeriodOptions): Periods {
  if (month !== undefined && from === undefined && to === undefined)
    return { from: month, to: month };
  if (month === undefined && from !== undefined && to !== undefined) {
    inOrder({ from, to });
    return { from, to };
  }
  throw new UsageError("Which periods? Give --month 2026-03, or --from 2026-01 --to 2026-03.");
}

function planCodes(company: Opened["company"]): string[] {
  return company.incentives.plans.map((each) => each.plan);
}

function planOf({ company }: Opened, plan: string | undefined): string {
  const codes = planCodes(company);
  const [only, second] = codes;
  if (plan !== undefined && only !== undefined) return chosen("--plan", codes)(plan);
  if (only !== undefined && second === undefined) return only;
  throw new UsageError(
    only === undefined
      ? "The settings name no plan. Add its file under pay: plans:."
      : `Which plan? Give --plan with one of ${codes.join(", ")}.`,
  );
}

/** Calculates anew; a run that would say exactly the same is taken as it is. */
function runOf(opened: Opened, options: PeriodOptions & { plan?: string }) {
  const plan = planOf(opened, options.plan);
  return opened.company.incentives.run({ plan, ...periodsOf(options) });
}

async function statement(
  opened: Opened,
  rep: string,
  options: PeriodOptions & { plan?: string },
): Promise<Answer> {
  const run = await runOf(opened, options);
  const data = await opened.company.incentives.statement({ rep, of: { run: run.run } });
  const { timeZone } = opened.company.settings;
  const asCsv = options.csv === true;
  const text = asCsv ? await csv(statementRows(data)) : statementLines(data, timeZone).join("\n");
  return { text, data };
}

async function line(opened: Opened, ref: string): Promise<Answer> {
  const data = await opened.company.incentives.trace(ref);
  const { line: paid, sale, holder, run } = data;
  const origin = sale?.origin ?? null;
  const order = sale?.posting.webOrder ?? null;
  const type = paid.documentType === "credit" ? "credit note" : "invoice";
  const row = origin === null ? "(its origin is not kept any more)" : `${origin.name} line`;
  const text = [
    `pay line   ${paid.id}, ${run.planTitle}, paid to ${holder}`,
    `pays       ${pounds(paid.pay, run.currency)} (exactly ${paid.exact})`,
    `because    ${paid.sentence}`,
    `sale       ${type} ${paid.document} line ${paid.line}, ${day(paid.documentOn)}, ${paid.customer ?? ""} (${paid.account})`,
    `net        ${pounds(paid.net, run.currency)}, share ${paid.sharePercent}%, rate ${paid.ratePercent}%`,
    `channel    ${paid.channel}${sale === null ? "" : `: ${sale.posting.channelEvidence}`}`,
    `posting    ${paid.posting}`,
    `row        ${row} ${origin === null ? "" : (sale?.posting.originLine ?? "")}`.trimEnd(),
    ...nextLines(opened.global, [
      `sales line ${sale === null ? paid.posting : await postingName(opened, sale.posting)} --original`,
      ...(order === null ? [] : [`orders show ${quoted(order)}`]),
    ]),
  ].join("\n");
  return { text, data };
}
