/**
 * Goods that a customer wants to give back: never more of an invoice line than was invoiced, less
 * what was credited, less what is asked for already. A person agrees; the ERP's credit note ends
 * it.
 */
import { createHash, randomUUIDv7 } from "node:crypto";
import { z } from "zod";
import { decimal, type Quantity } from "../../model/index.ts";
import type { Transaction } from "../../store/index.ts";
import type { OrdersContext } from "../context.ts";
import { once, type KeyedResult } from "../keyed.ts";
import type { Decision } from "./account-desk.ts";
import { BuyerError, type Excess } from "./error.ts";
import { invoiceLines, type InvoiceLine } from "./invoice.ts";
import { numberFor } from "./numbers.ts";
import { endCredited } from "./return-credits.ts";
import { agree, entered, refuse, replaced, type Replacement } from "./return-desk.ts";
import { placeReturn } from "./return-place.ts";
import {
  insertReturn,
  listReturns,
  RETURN_STATES,
  returnEvents,
  returnOf,
  type ReturnEvent,
  type ReturnFilter,
  type ReturnRow,
} from "./return-store.ts";
import { decideIt, openReturnTask } from "./return-tasks.ts";

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
  replaced(idOrNumber: string, decision: Decision & Replacement): Promise<ReturnRow>;
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
  await endCredited(tx, context, invoice);
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
