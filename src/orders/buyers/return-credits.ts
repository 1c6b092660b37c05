/** Returns whose credit notes are there: they end. A credit ends one return and no second one. */
import { decimal } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import type { OrdersContext } from "../context.ts";
import { billedAnew } from "./billed-anew.ts";
import { invoiceLines, type InvoiceLine } from "./invoice.ts";
import { listReturns, setReturn, type ReturnRow } from "./return-store.ts";
import { endReturnTask } from "./return-tasks.ts";

/** After a pull. Without an invoice: of all invoices. */
export async function endCredited(
  tx: Transaction,
  context: OrdersContext,
  invoice: string | null = null,
): Promise<void> {
  const { company } = context;
  const open = await listReturns(tx, company, { state: "open", limit: 10_000 });
  const concerned = open
    .filter((row) => !row.test && (invoice === null || row.invoice === invoice))
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const named = new Map<string, readonly string[]>();
  for (const row of concerned) named.set(row.id, await creditNotesNaming(tx, row));
  const isNamed = ({ id }: ReturnRow) => (named.get(id) ?? []).length > 0;
  const credited = new Map<string, OfInvoice>();
  const isAgreed = (row: ReturnRow) => !isNamed(row) && row.state === "agreed";
  // What a credit note says of its return counts before what its lines alone make likely.
  const turns = [
    ...concerned.filter(isNamed),
    ...concerned.filter(isAgreed),
    ...concerned.filter((row) => !isNamed(row) && !isAgreed(row)),
  ];
  const waiting = new Set(open.filter(({ test }) => !test));
  for (const row of turns) {
    const of = credited.get(row.invoice) ?? (await creditedOf(tx, row));
    credited.set(row.invoice, of);
    const before = await creditedBefore(tx, row);
    if (!isNamed(row) && !isCredited(row, of, before)) continue;
    if (row.state === "asked" && !isNamed(row))
      if (isBeside(row, waiting, of) || creditsMore(row, of, before)) continue;
    waiting.delete(row);
    for (const { line, quantity } of row.lines)
      of.left.set(line, (of.left.get(line) ?? 0n) - units(quantity));
    const creditNotes = isNamed(row) ? (named.get(row.id) ?? []) : creditNotesOf(of, before);
    const about = `Credited by ${creditNotes.join(", ")}.`;
    const page = { event: "credit", who: "erp", about, at: context.now() };
    await setReturn(tx, row, { state: "credited", creditNotes }, page);
    await endReturnTask(tx, context, row, { state: "done", who: "erp", reason: about });
  }
}

/** What is credited of an invoice, by its lines. */
interface OfInvoice {
  readonly lines: ReadonlyMap<number, InvoiceLine>;
  /** Since its first return was asked for, less what ended a return already. */
  readonly left: Map<number, bigint>;
}

async function creditedOf(tx: Queryable, row: ReturnRow): Promise<OfInvoice> {
  const lines = await linesComeBack(tx, row);
  const ended = await tx.query<{ line: number; ended: string; before: string }>(
    `select l.line, min(l.credited_before)::text as before,
            coalesce(sum(l.quantity) filter (where r.state = 'credited'), 0)::text as ended
       from return_request r
       join return_request_line l on l.company = r.company and l.return_id = r.id
      where r.company = $1 and r.document = $2 and not r.test and r.state <> 'refused'
      group by l.line`,
    [row.company, row.invoice],
  );
  const byLine = new Map(ended.map((one) => [one.line, one]));
  const left = lines.map(({ line, credited }) => {
    const { ended = "0", before = "0" } = byLine.get(line) ?? {};
    return [line, units(credited) - units(before) - units(ended)] as const;
  });
  return { lines: new Map(lines.map((line) => [line.line, line])), left: new Map(left) };
}

/** The invoice's lines with the credits that may be for goods that came back. */
async function linesComeBack(tx: Queryable, row: ReturnRow): Promise<InvoiceLine[]> {
  const lines = await invoiceLines(tx, row.company, row.account, row.invoice);
  const anew = await billedAnew(tx, row, lines);
  return lines.map((line) => {
    const credits = line.credits.filter(({ document }) => !anew.has(document));
    const credited = decimal.format(decimal.sum(credits.map(({ quantity }) => quantity)));
    return { ...line, credits, credited };
  });
}

/** By line, what was credited already when it was asked for. */
async function creditedBefore(
  tx: Queryable,
  { company, id }: ReturnRow,
): Promise<ReadonlyMap<number, bigint>> {
  const lines = await tx.query<{ line: number; before: string }>(
    `select line, credited_before::text as before from return_request_line
      where company = $1 and return_id = $2`,
    [company, id],
  );
  return new Map(lines.map(({ line, before }) => [line, units(before)]));
}

/**
 * Agreed to: at least its goods, all of them credited since it was asked for. Where nobody has
 * agreed to it only a credit of just its goods is likely to be for it.
 */
function isCredited(
  { state, lines }: ReturnRow,
  of: OfInvoice,
  before: ReadonlyMap<number, bigint>,
): boolean {
  return lines.every(({ line, quantity }) => {
    const [wanted, left] = [units(quantity), of.left.get(line) ?? 0n];
    const since = units(of.lines.get(line)?.credited ?? "0") - (before.get(line) ?? 0n);
    return since >= wanted && (state === "agreed" ? left >= wanted : left === wanted);
  });
}

/** Its credit notes credit other lines of the invoice, too. */
function creditsMore(row: ReturnRow, of: OfInvoice, before: ReadonlyMap<number, bigint>): boolean {
  const own = new Set(row.lines.map(({ line }) => line));
  const notes = new Set(creditNotesOf(of, before));
  return [...of.lines.values()].some(
    ({ line, credits }) => !own.has(line) && credits.some(({ document }) => notes.has(document)),
  );
}

/**
 * Another return of the same goods waits for its credit note, too: of the same line, or, where the
 * credit note does not say of which, of the same product on any invoice.
 */
function isBeside(row: ReturnRow, waiting: ReadonlySet<ReturnRow>, of: OfInvoice): boolean {
  const lines = new Set(row.lines.map(({ line }) => line));
  const isVague = ({ line }: ReturnRow["lines"][number]): boolean =>
    of.lines.get(line)?.credits.some(({ certain }) => !certain) === true;
  const products = new Set(row.lines.filter(isVague).map(({ product }) => product));
  return [...waiting].some(
    (other) =>
      other !== row &&
      other.account === row.account &&
      other.lines.some(
        ({ line, product }) =>
          (other.invoice === row.invoice && lines.has(line)) || products.has(product),
      ),
  );
}

async function creditNotesNaming(tx: Queryable, row: ReturnRow): Promise<string[]> {
  const notes = await tx.query<{ document: string }>(
    `select document from sales_document
      where company = $1 and document_type = 'credit' and account = $2 and customer_reference = $3
      order by document`,
    [row.company, row.account, row.number],
  );
  return notes.map(({ document }) => document);
}

/** Those of its goods that came after what was credited before it was asked for. */
function creditNotesOf({ lines }: OfInvoice, before: ReadonlyMap<number, bigint>): string[] {
  const notes = [...before].flatMap(([line, already]) => {
    let sum = 0n;
    return (lines.get(line)?.credits ?? []).flatMap(({ document, quantity }) => {
      sum += decimal.digitsAt(quantity, PLACES);
      return sum > already ? [document] : [];
    });
  });
  return [...new Set(notes)].toSorted();
}

const PLACES = 5;

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), PLACES);
}
