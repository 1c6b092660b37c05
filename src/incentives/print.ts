/** Statements and comparisons for people: text that lines up, and CSV rows. Pure. */
import { decimal, momentText } from "../model/index.ts";
import { day } from "./because.ts";
import type { ComparedFigures, PlanComparison } from "./comparison.ts";
import type { Note } from "./notes.ts";
import type { Run } from "./run.ts";
import type { Statement, StatementComponent, StatementLine } from "./statement.ts";
import type { RunSummary } from "./summary.ts";

/** The whole statement as lines of text. */
export function statementLines(statement: Statement, timeZone: string): string[] {
  const { rep, name, run, components, base, pay, previous, lines } = statement;
  const money = moneyIn(run.currency);
  const change =
    previous === null
      ? []
      : [
          `Before     version ${previous.version} paid ${money(previous.pay)}: ${changeText(previous.pay, pay, money)}`,
        ];
  return [
    `STATEMENT  ${name ?? rep} (${rep})`,
    `Plan       ${run.planTitle} (${run.plan})`,
    `Periods    ${run.from} to ${run.to}`,
    `Run        ${runText(run, timeZone)}`,
    `Base       ${money(base)}`,
    `Pay        ${money(pay)}`,
    ...change,
    ...components.flatMap((component) => ["", ...componentLines(component, money)]),
    "",
    ...(lines.length === 0 ? ["No lines."] : detailLines(lines, money)),
  ];
}

function componentLines(component: StatementComponent, money: Money): string[] {
  const several = new Set(component.rows.map(({ period }) => period)).size > 1;
  const rows = component.rows.map((row) => [
    ...(several ? [row.period] : []),
    row.class,
    row.channel,
    count(row.lines),
    money(row.base),
    row.rate.basis === "row" ? `${row.ratePercent}%` : row.rate.basis,
    money(row.pay),
  ]);
  const lines = component.rows.reduce((sum, row) => sum + row.lines, 0);
  const foot = [
    ...(several ? [""] : []),
    "total",
    "",
    count(lines),
    money(component.base),
    "",
    money(component.pay),
  ];
  const heads = [
    ...(several ? ["period"] : []),
    "class",
    "channel",
    "lines",
    "base",
    "rate",
    "pay",
  ];
  const right = heads.map((head) => ["lines", "base", "rate", "pay"].includes(head));
  return [component.title, ...aligned([heads, ...rows, foot], right).map((line) => `  ${line}`)];
}

function detailLines(lines: readonly StatementLine[], money: Money): string[] {
  const heads = [
    "date",
    "document",
    "customer",
    "net",
    "share",
    "class",
    "rate",
    "pay",
    "ref",
    "because",
  ];
  const right = heads.map((head) => ["net", "share", "rate", "pay"].includes(head));
  const rows = lines.map((line) => [
    day(line.documentOn),
    documentText(line),
    `${line.account} ${line.customer ?? ""}`.trim().slice(0, 28),
    money(line.net),
    `${line.sharePercent}%`,
    line.class,
    `${line.ratePercent}%`,
    money(line.pay),
    line.id,
    line.sentence,
  ]);
  return aligned([heads, ...rows], right);
}

/** "CN12/3 (taken back)": a posting that takes an earlier version back is marked. */
function documentText({ document, line, reversal }: StatementLine): string {
  return `${document}/${line}${reversal ? " (taken back)" : ""}`;
}

function runText({ run, version, calculatedAt, watermark }: Run, timeZone: string): string {
  return (
    `${run}, version ${version}, calculated ${momentText(calculatedAt, timeZone)}, ` +
    `sales ledger up to batch ${watermark}`
  );
}

function changeText(before: string, after: string, money: Money): string {
  const difference = decimal.subtract(decimal.parse(after), decimal.parse(before));
  const text = money(decimal.format(difference));
  return difference.digits === 0n
    ? "no change"
    : `${text} ${difference.digits > 0n ? "more" : "less"}`.replace("-", "");
}

/** Statement lines as CSV rows, exact figures beside the pence; the first row names the columns. */
export function statementRows({ rep, run, lines }: Statement): string[][] {
  const heads = [
    "ref",
    "rep",
    "plan",
    "run",
    "version",
    "component",
    "period",
    "documentOn",
    "documentType",
    "document",
    "line",
    "reversal",
    "account",
    "customer",
    "net",
    "sharePercent",
    "base",
    "class",
    "channel",
    "ratePercent",
    "exact",
    "pay",
    "because",
    "posting",
  ];
  const rows = lines.map((line) => [
    line.id,
    rep,
    run.plan,
    String(run.run),
    String(run.version),
    line.component,
    line.period,
    line.documentOn,
    line.documentType,
    line.document,
    String(line.line),
    String(line.reversal),
    line.account,
    line.customer ?? "",
    line.net,
    line.sharePercent,
    line.base,
    line.class,
    line.channel,
    line.ratePercent,
    line.exact,
    line.pay,
    line.sentence,
    line.posting,
  ]);
  return [heads, ...rows];
}

/** A run for the business: holders, bridge, and what to look at. */
export function summaryLines({ run, holders }: RunSummary, timeZone: string): string[] {
  const money = moneyIn(run.currency);
  const rows = holders.map((it) => [
    it.holder === "rep" ? (it.rep ?? "") : it.holder,
    it.name ?? "",
    count(it.lines),
    money(it.newBase),
    money(it.repeatBase),
    money(it.base),
    money(it.pay),
  ]);
  const heads = ["rep", "name", "lines", "new", "repeat", "base", "pay"];
  const foot = ["total", "", count(run.lines), "", "", money(run.base), money(run.pay)];
  return [
    `PAY RUN    ${runText(run, timeZone)}`,
    `Plan       ${run.planTitle} (${run.plan})`,
    `Periods    ${run.from} to ${run.to}`,
    "",
    ...aligned([heads, ...rows, foot], [false, false, true, true, true, true, true]),
    "",
    ...bridgeLines(run, money),
    ...noteLines(run.notes, money),
  ];
}

function bridgeLines({ bridge }: RunSummary["run"], money: Money): string[] {
  const rows = [
    ["net of all lines", count(bridge.lines), money(bridge.net)],
    ...bridge.excluded.map((row) => [
      `less ${EXCLUDED[row.reason]} ${row.what}`.trim(),
      count(row.lines),
      money(negated(row.net)),
    ]),
    ["commission base", count(bridge.baseLines), money(bridge.base)],
  ];
  return aligned([["from sales to the base", "lines", "net"], ...rows], [false, true, true]);
}

const EXCLUDED = {
  "before-pay-start": "lines before the pay start",
  currency: "lines in",
  "line-class": "lines of class",
} as const;

const NOTES: Readonly<Record<Note["kind"], string>> = {
  "unproven-customer": "Customers that nothing proves new, paid as repeat",
  "unlinked-credit": "Credit notes that name no invoice of the ledger, by their own date",
  "unassigned-account": "Accounts that nobody is assigned to, or not wholly",
  "no-rate": "Accounts with sales that no row of the plan fits",
  "credit-before-pay-start": "Credit notes for lines before the pay start, nothing taken back",
};
/** How many of a kind are printed; `--json` has them all. */
const NOTES_SHOWN = 10;

function noteLines(notes: readonly Note[], money: Money): string[] {
  return [...Map.groupBy(notes, ({ kind }) => kind)].flatMap(([kind, own]) => [
    "",
    `${NOTES[kind]}: ${count(own.length)}`,
    ...aligned(
      own
        .slice(0, NOTES_SHOWN)
        .map((it) => [
          it.about,
          `${count(it.lines)} ${it.lines === 1 ? "line" : "lines"}`,
          money(it.net),
        ]),
      [false, true, true],
    ).map((line) => `  ${line}`),
    ...(own.length > NOTES_SHOWN ? [`  … and ${count(own.length - NOTES_SHOWN)} more`] : []),
  ]);
}

/** Two plans beside each other. */
export function comparisonLines(comparison: PlanComparison): string[] {
  const { before, after, from, to, business, reps, house, unassigned } = comparison;
  const money = moneyIn(comparison.currency);
  const rows = reps.map((it) => [it.rep, it.name ?? "", ...figureCells(it, money)]);
  const foot = ["total", "", ...figureCells(business, money)];
  const heads = [
    "rep",
    "name",
    "base",
    "new",
    before.plan,
    after.plan,
    "difference",
    "change",
    "parity rate",
    "growth for parity",
  ];
  return [
    `COMPARISON ${before.title} (${before.plan}) against ${after.title} (${after.plan})`,
    `Periods    ${from} to ${to}, sales ledger up to batch ${comparison.watermark}`,
    "",
    ...aligned(
      [heads, ...rows, foot],
      heads.map((_, index) => index > 1),
    ),
    "",
    `House ${money(house)} and unassigned ${money(unassigned)} are paid to nobody. ` +
      `Base: ${money(comparison.bridge.base)}.`,
    verdict(comparison, money),
    ...parityText(comparison),
  ];
}

function figureCells(figures: ComparedFigures, money: Money): string[] {
  return [
    money(figures.base),
    money(figures.newBase),
    money(figures.before),
    money(figures.after),
    money(figures.difference),
    percent(figures.changePercent),
    percent(figures.parityRatePercent),
    percent(figures.growthForParityPercent),
  ];
}

function verdict({ after, business, gain, lose }: PlanComparison, money: Money): string {
  const saved = business.difference.startsWith("-");
  const sum = money(business.difference).replace("-", "");
  return (
    `${after.plan} pays the reps ${sum} ${saved ? "less" : "more"} (${percent(business.changePercent)}): ` +
    `${gain} gain, ${lose} lose. A flat ${percent(business.parityRatePercent)} would cost the same.`
  );
}

function parityText({ newSharePercent, parityNewSharePercent }: PlanComparison): string[] {
  if (newSharePercent === null || parityNewSharePercent === null) return [];
  return [
    `New customers are ${newSharePercent}% of the reps' base; both plans would cost the same at ` +
      `${parityNewSharePercent}%.`,
  ];
}

/** Both plans by rep as CSV rows; the first row names the columns, the last is the business. */
export function comparisonRows({ reps, business, before, after }: PlanComparison): string[][] {
  const cells = (it: ComparedFigures): string[] => [
    it.base,
    it.newBase,
    it.before,
    it.after,
    it.difference,
    it.changePercent ?? "",
    it.parityRatePercent ?? "",
    it.growthForParityPercent ?? "",
  ];
  const heads = ["rep", "name", "base", "newBase", before.plan, after.plan, "difference"];
  const parity = ["changePercent", "parityRatePercent", "growthForParityPercent"];
  return [
    [...heads, ...parity],
    ...reps.map((it) => [it.rep, it.name ?? "", ...cells(it)]),
    ["total", "", ...cells(business)],
  ];
}

type Money = (text: string) => string;

function moneyIn(currency: string): Money {
  return (text) => decimal.readable(decimal.parse(text), currency);
}

function negated(text: string): string {
  return decimal.format(decimal.negate(decimal.parse(text)));
}

function percent(text: string | null): string {
  return text === null ? "–" : `${decimal.canonical(decimal.parse(text))}%`;
}

/** 12,345 */
function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** Columns as wide as their widest cell, two spaces between; figures to the right. */
function aligned(rows: readonly (readonly string[])[], right: readonly boolean[]): string[] {
  const widths = right.map((_, column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
