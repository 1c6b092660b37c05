/**
 * Goods that a customer wants to give back: never more of an invoice line than was invoiced, less
 * what was credited, less what is asked for already. A person agrees; the ERP's credit note ends
 * it.
 */
import { createHash, randomUUIDv7 } from "node:crypto";
import { z } from "zod";
import { decimal, type Quantity } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import type { OrdersContext } from "../context.ts";
import { once, type KeyedResult } from "../keyed.ts";
import type { Decision } from "./account-desk.ts";
import { BuyerError, type Excess } from "./error.ts";
import { invoiceLines, type InvoiceLine } from "./invoice.ts";
import { numberFor } from "./numbers.ts";
import { agree, entered, refuse, replaced } from "./return-desk.ts";
import { placeReturn } from "./return-place.ts";
import {
  insertReturn,
  listReturns,
  RETURN_STATES,
  returnEvents,
  returnOf,
  setReturn,
  type ReturnEvent,
  type ReturnFilter,
  type ReturnRow,
} from "./return-store.ts";
import { decideIt, endReturnTask, openReturnTask } from "./return-tasks.ts";

export { RETURN_STATES };

export const returnBody = z.strictObject({
  account: z.string().min(1).max(40).describe("Account that was invoiced."),
  invoice: z.string().min(1).max(40).describe("Number of the invoice."),
  lines: z
    .array(
      z.strictObject({
        line: z.number().int().min(0).describe("Line of the invoice."),
        quantity: z
          .string()
          .regex(/^\d{1,12}(\.\d{1,5})?$/, 'expected a decimal in quotes, such as "12"')
          .refine((text) => /[1-9]/.test(text), "expected more than 0")
          .describe("Selling units that come back."),
      }),
    )
    .min(1)
    .max(200)
    .refine(
      (lines) => new Set(lines.map(({ line }) => line)).size === lines.length,
      "expected each line of the invoice once",
    ),
  reason: z.string().trim().min(1).max(500).describe("Why, in the customer's words."),
  wanted: z.enum(["credit", "replace"]).describe("The money back, or other goods for them."),
});

export type ReturnBody = z.infer<typeof returnBody>;

export interface AskReturn {
  readonly idempotencyKey: string;
  readonly apiKey: string;
  readonly body: ReturnBody;
  readonly test: boolean;
}

export interface Returns {
  /** Throws `invoice-unknown` and `return-too-much`. */
  ask(request: AskReturn): Promise<KeyedResult<{ readonly number: string }>>;
  list(filter?: ReturnFilter): Promise<ReturnRow[]>;
  show(idOrNumber: string): Promise<ReturnRow>;
  agree(idOrNumber: string, decision: Decision): Promise<ReturnRow>;
  refuse(idOrNumber: string, decision: Decision): Promise<ReturnRow>;
  /** A person has entered it in the ERP, or found it there, under this number. */
  entered(
    idOrNumber: string,
    decision: Decision & { readonly erpReturn: string },
  ): Promise<ReturnRow>;
  /** Other goods went out for it, by this order or despatch. */
  replaced(idOrNumber: string, decision: Decision & { readonly by: string }): Promise<ReturnRow>;
  /** Everything that happened to it, oldest first. */
  events(row: Pick<ReturnRow, "company" | "id">): Promise<ReturnEvent[]>;
  /** Job `orders.return`. */
  place(id: string): Promise<void>;
}

export function openReturns(context: OrdersContext): Returns {
  const { store, company } = context;
  return {
    ask: (request) => ask(context, request),
    list: (filter = {}) => listReturns(store, company, filter),
    show: (idOrNumber) => returnOf(store, company, idOrNumber),
    agree: (idOrNumber, decision) => agree(context, idOrNumber, decision),
    refuse: (idOrNumber, decision) => refuse(context, idOrNumber, decision),
    entered: (idOrNumber, decision) => entered(context, idOrNumber, decision),
    replaced: (idOrNumber, decision) => replaced(context, idOrNumber, decision),
    events: (row) => returnEvents(store, row),
    place: (id) => placeReturn(context, id),
  };
}

async function ask(
  context: OrdersContext,
  { idempotencyKey, apiKey, body, test }: AskReturn,
): Promise<KeyedResult<{ readonly number: string }>> {
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const keyed = { idempotencyKey, apiKey, test, what: "return", body, hash };
  return once(context, keyed, async (tx) => {
    const number = await take(tx, context, body, test);
    return { status: 201, answer: { number }, order: null };
  });
}

async function take(
  tx: Transaction,
  context: OrdersContext,
  body: ReturnBody,
  test: boolean,
): Promise<string> {
  const { company, now } = context;
  const { account, invoice } = body;
  // Two at once must not both take what is left of a line.
  await tx.query("select pg_advisory_xact_lock(hashtext($1), hashtext($2))", [
    company,
    `return ${invoice}`,
  ]);
  await follow(tx, context, invoice);
  const lines = await invoiceLines(tx, company, account, invoice);
  if (lines.length === 0)
    throw new BuyerError(
      "invoice-unknown",
      `Asking for a return: account ${account} has no invoice ${invoice}. Look its number up, or wait until it was pulled.`,
    );
  const byLine = new Map(lines.map((line) => [line.line, line]));
  const excess = body.lines.flatMap((wanted, index) => tooMuch(wanted, byLine, index));
  const [first] = excess;
  if (first !== undefined)
    throw new BuyerError("return-too-much", `Invoice ${invoice}: ${first.about}`, excess);
  const number = numberFor("RT", context);
  const row = { id: randomUUIDv7(), number, ...body, test, at: now() };
  await insertReturn(tx, company, row, byLine);
  if (!test) {
    const asked = await returnOf(tx, company, number);
    await openReturnTask(tx, context, asked, decideIt(asked));
  }
  return number;
}

function tooMuch(
  { line, quantity }: ReturnBody["lines"][number],
  lines: ReadonlyMap<number, InvoiceLine>,
  index: number,
): Excess[] {
  const invoiced = lines.get(line);
  const pointer = `/lines/${index}`;
  if (invoiced === undefined)
    return [
      {
        pointer: `${pointer}/line`,
        found: String(line),
        expected: `a line with goods: ${[...lines.keys()].join(", ")}`,
        about: `It has no line ${line} with goods.`,
      },
    ];
  const left = leftOf(invoiced);
  if (decimal.compare(decimal.parse(quantity), left) <= 0) return [];
  const { quantity: all, asked } = invoiced;
  const credited = decimal.format(backOf(invoiced));
  return [
    {
      pointer: `${pointer}/quantity`,
      found: quantity,
      expected: `at most ${decimal.canonical(left)}`,
      about:
        `Of line ${line} ${plain(all)} were invoiced, ${plain(credited)} are credited and ` +
        `${plain(asked)} are asked for already; ${quantity} cannot come back.`,
    },
  ];
}

function plain(text: string): string {
  return decimal.canonical(decimal.parse(text));
}

function leftOf(line: InvoiceLine): Quantity {
  const asked = decimal.parse<"quantity">(line.asked);
  const left = decimal.subtract(
    decimal.parse<"quantity">(line.quantity),
    decimal.sum([backOf(line), asked]),
  );
  return left.digits < 0n ? decimal.zero<"quantity">() : left;
}

/** What came back for a credit; a credit note may name nothing but its return. */
function backOf(line: InvoiceLine): Quantity {
  const credited = decimal.parse<"quantity">(line.credited);
  const returned = decimal.parse<"quantity">(line.returned);
  return decimal.compare(credited, returned) < 0 ? returned : credited;
}

/** After a pull: returns whose credit notes are there. Without an invoice: of all invoices. */
export async function follow(
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
  const pools = new Map<string, Map<number, bigint>>();
  const isAgreed = (row: ReturnRow) => !isNamed(row) && row.state === "agreed";
  // What a credit note says of its return counts before what its lines alone make likely.
  const turns = [
    ...concerned.filter(isNamed),
    ...concerned.filter(isAgreed),
    ...concerned.filter((row) => !isNamed(row) && !isAgreed(row)),
  ];
  const waiting = new Set(concerned);
  for (const row of turns) {
    const pool = pools.get(row.invoice) ?? (await creditedOf(tx, row));
    pools.set(row.invoice, pool);
    const isCredited = isAgreed(row) ? holds : isAllOf;
    if (!isNamed(row) && !row.lines.every((line) => isCredited(pool, line))) continue;
    if (row.state === "asked" && !isNamed(row) && isBeside(row, waiting)) continue;
    waiting.delete(row);
    for (const { line, quantity } of row.lines)
      pool.set(line, (pool.get(line) ?? 0n) - units(quantity));
    const creditNotes = isNamed(row) ? (named.get(row.id) ?? []) : await creditNotesOf(tx, row);
    const about = `Credited by ${creditNotes.join(", ")}.`;
    const page = { event: "credit", who: "erp", about, at: context.now() };
    await setReturn(tx, row, { state: "credited", creditNotes }, page);
    await endReturnTask(tx, context, row, { state: "done", who: "erp", reason: about });
  }
}

const PLACES = 5;

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), PLACES);
}

function holds(
  pool: ReadonlyMap<number, bigint>,
  { line, quantity }: { readonly line: number; readonly quantity: string },
): boolean {
  return (pool.get(line) ?? 0n) >= units(quantity);
}

/** Nobody has agreed to it: only a credit of just its goods is likely to be for it. */
function isAllOf(
  pool: ReadonlyMap<number, bigint>,
  { line, quantity }: { readonly line: number; readonly quantity: string },
): boolean {
  return (pool.get(line) ?? 0n) === units(quantity);
}

/** Another return of the same goods waits for its credit note, too. */
function isBeside(row: ReturnRow, waiting: ReadonlySet<ReturnRow>): boolean {
  const lines = new Set(row.lines.map(({ line }) => line));
  return [...waiting].some(
    (other) =>
      other !== row &&
      other.invoice === row.invoice &&
      other.account === row.account &&
      other.lines.some(({ line }) => lines.has(line)),
  );
}

/**
 * What is credited of each line of the invoice since its first return was asked for, less what
 * ended a return already: a credit ends one return and no second one.
 */
async function creditedOf(tx: Queryable, row: ReturnRow): Promise<Map<number, bigint>> {
  const lines = await invoiceLines(tx, row.company, row.account, row.invoice);
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
  return new Map(
    lines.map(({ line, credited }) => {
      const { ended = "0", before = "0" } = byLine.get(line) ?? {};
      return [line, units(credited) - units(before) - units(ended)];
    }),
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
async function creditNotesOf(tx: Queryable, row: ReturnRow): Promise<string[]> {
  const lines = await invoiceLines(tx, row.company, row.account, row.invoice);
  const asked = await tx.query<{ line: number; before: string }>(
    `select line, credited_before::text as before from return_request_line
      where company = $1 and return_id = $2`,
    [row.company, row.id],
  );
  const notes = asked.flatMap(({ line, before }) => {
    const credits = lines.find((one) => one.line === line)?.credits ?? [];
    let sum = 0n;
    return credits.flatMap(({ document, quantity }) => {
      sum += decimal.digitsAt(quantity, PLACES);
      return sum > units(before) ? [document] : [];
    });
  });
  return [...new Set(notes)].toSorted();
}
