/** A run's rows, written in one transaction: run, totals, lines and evidence. */
import { decimal } from "../model/index.ts";
import { copyTable } from "../store/index.ts";
import type { Cell, Transaction } from "../store/index.ts";
import { textOf } from "./digest.ts";
import { percentText, shareAt } from "./engine/index.ts";
import type { ComponentPay, PayCell, PayResult, Share } from "./engine/index.ts";
import { poundsText } from "./money.ts";

interface Target {
  readonly company: string;
  readonly run: number;
}

export async function writeRows(
  tx: Transaction,
  target: Target,
  result: PayResult,
  pence: readonly Float64Array[],
): Promise<void> {
  await copyTable(tx, "pay_total", TOTAL_COLUMNS, totalRows(target, result));
  await copyTable(
    tx,
    "pay_evidence",
    ["company", "run", "evidence", "facts"],
    evidenceRows(target, result),
  );
  await copyTable(tx, "pay_line", LINE_COLUMNS, lineRows(target, result, pence));
}

const TOTAL_COLUMNS = [
  "company",
  "run",
  "total",
  "component",
  "title",
  "holder",
  "rep",
  "period",
  "class",
  "channel",
  "rate",
  "lines",
  "base",
  "pay",
] as const;

function* totalRows({ company, run }: Target, { components }: PayResult): Generator<Row> {
  let total = 0;
  for (const { component, title, cells } of components)
    for (const cell of cells) {
      total += 1;
      const { holder, period, channel, rate, lines, basePence, payPence } = cell;
      const rep = holder.kind === "rep" ? holder.rep : null;
      const who = [component, title, holder.kind, rep];
      const what = [period, cell.class, channel, JSON.stringify(rate), lines];
      yield [company, run, total, ...who, ...what, poundsText(basePence), poundsText(payPence)];
    }
}

/** Only evidence that decided a line of the run. */
function* evidenceRows({ company, run }: Target, { attribution }: PayResult): Generator<Row> {
  const used = new Set<number>();
  for (const line of attribution.shares.line) used.add(attribution.evidence[line] ?? 0);
  for (const evidence of used)
    yield [company, run, evidence, JSON.stringify(attribution.classes.all[evidence])];
}

const LINE_COLUMNS = [
  "company",
  "run",
  "number",
  "total",
  "posting",
  "document_type",
  "document",
  "line",
  "reversal",
  "account",
  "document_on",
  "net",
  "share_percent",
  "assigned_from",
  "assigned_to",
  "link",
  "credited_document",
  "credited_line",
  "credited_on",
  "evidence",
  "base",
  "exact",
  "pay",
] as const;

function* lineRows(
  { company, run }: Target,
  { attribution, components }: PayResult,
  pence: readonly Float64Array[],
): Generator<Row> {
  let number = 0;
  for (let index = 0; index < attribution.shares.line.length; index += 1) {
    const share = shareAt(attribution, index);
    const evidence = attribution.evidence[attribution.shares.line[index] ?? 0] ?? 0;
    let totals = 0;
    for (const [position, component] of components.entries()) {
      number += 1;
      const cell = component.cellOfShare[index] ?? 0;
      const pay = poundsText(BigInt(pence[position]?.[index] ?? 0));
      const where = [company, run, number, totals + cell + 1];
      yield [
        ...where,
        ...sharedColumns(share),
        evidence,
        ...exactColumns(share, component, cell),
        pay,
      ];
      totals += component.cells.length;
    }
  }
}

function sharedColumns({ line, part, link }: Share): Row {
  const document = [line.postingId, line.documentType, line.document, line.line, line.reversal];
  const sale = [line.account, line.documentOn, poundsText(BigInt(line.netPence))];
  const credited =
    link.kind === "own"
      ? [null, null, null]
      : [
          link.document,
          link.kind === "line" ? link.line : null,
          link.kind === "unlinked" ? null : link.documentOn,
        ];
  return [
    ...document,
    ...sale,
    percentText(part.units),
    part.from,
    part.to,
    link.kind,
    ...credited,
  ];
}

/** Exact base and exact pay; nobody is paid for the house's sales and for unassigned ones. */
function exactColumns({ line, part }: Share, { cells }: ComponentPay, cell: number): Row {
  const base = BigInt(line.netPence) * BigInt(part.units);
  const units = part.holder.kind === "rep" ? rateUnits(cells[cell]) : 0;
  return [
    decimal.format({ digits: base, scale: 8 }),
    decimal.format({ digits: base * BigInt(units), scale: 14 }),
  ];
}

function rateUnits(cell: PayCell | undefined): number {
  return cell?.rate.units ?? 0;
}

type Row = readonly Cell[];

/** The row of the run itself. */
export async function writeRun(
  tx: Transaction,
  { company, run }: Target,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = ["company", "run", ...Object.keys(row)];
  const values = [company, run, ...Object.values(row)].map((value) =>
    typeof value === "object" && value !== null && !(value instanceof Temporal.Instant)
      ? textOf(value)
      : value,
  );
  await tx.affect(
    `insert into pay_run (${names.join(", ")}) values (${names.map((_, at) => `$${at + 1}`).join(", ")})`,
    values,
  );
}
