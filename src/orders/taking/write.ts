/**
 * Orders, their lines and books, and the keys and answers of their requests: written by one
 * statement, however many there are. Its values travel as a list a column, documents as one JSON
 * text: of rows as JSON the server would spend more on reading them than on writing them.
 */
import type { Transaction } from "../../store/index.ts";
import { likenessOf } from "../likeness.ts";
import { foldedNumber, keptKey } from "./asked.ts";
import { heldBecause, type Entry, type Placed } from "./entry.ts";

/** Another transaction has used a key meanwhile that nobody had used when it was looked for. */
export class KeyTaken extends Error {
  override readonly name = "KeyTaken";

  constructor() {
    super("Writing web orders: the key of one was used meanwhile; nothing was written.");
  }
}

/** All of them; it fails where the number or the key of one was used before. */
export async function writeAll(
  tx: Transaction,
  company: string,
  entries: readonly Entry[],
): Promise<void> {
  if (entries.length > 0) await tx.prepared(WRITE_ALL, valuesOf(company, entries));
}

/** Ids of the orders that are there now; those missing have a number that was used before. */
export async function writeEntries(
  tx: Transaction,
  company: string,
  entries: readonly Entry[],
): Promise<ReadonlySet<string>> {
  if (entries.length === 0) return new Set();
  const [written] = await tx.prepared<{ orders: string[]; requests: number }>(
    WRITE_NEW,
    valuesOf(company, entries),
  );
  const { orders = [], requests = 0 } = written ?? {};
  const refused = entries.filter(({ kind }) => kind === "refused").length;
  if (requests < orders.length + refused) throw new KeyTaken();
  return new Set(orders);
}

/** Always in one order, so that nobody waits in a ring for others' numbers and keys. */
function inOrder<Item>(items: readonly Item[], by: (item: Item) => string): readonly Item[] {
  return items.toSorted((one, other) => (by(one) < by(other) ? -1 : 1));
}

function valuesOf(company: string, entries: readonly Entry[]): unknown[] {
  const placed = inOrder(
    entries.filter((entry) => entry.kind === "placed"),
    ({ number, request }) => foldedNumber(number, request.test),
  );
  const requests = inOrder(entries, ({ request }) => keptKey(request));
  return [
    company,
    ...columns(placed, ORDER),
    ...columns(placed.flatMap(linesOf), LINE),
    ...columns(placed.flatMap(pagesOf), PAGE),
    ...columns(requests, REQUEST),
  ];
}

/** Column → its type, and its value of an item. */
type Columns<Item> = Readonly<Record<string, readonly [type: string, (item: Item) => unknown]>>;

/** A list for each column; of documents one JSON text of all. */
function columns<Item>(items: readonly Item[], of: Columns<Item>): unknown[] {
  return Object.values(of).map(([type, valueOf]) => {
    const values = items.map(valueOf);
    return type.startsWith("json") ? JSON.stringify(values) : values;
  });
}

const ORDER: Columns<Placed> = {
  id: ["uuid", ({ id }) => id],
  number: ["text", ({ number }) => number],
  number_folded: ["text", ({ number, request }) => foldedNumber(number, request.test)],
  account: ["text", ({ priced: { order } }) => order.account],
  likeness: [
    "text",
    ({ request, priced: { order } }) => likenessOf({ ...request.body, account: order.account }),
  ],
  ordered_on: ["date", ({ priced: { order } }) => order.orderedOn],
  placed_by: ["text", ({ priced: { order } }) => order.placedBy],
  customer_reference: ["text", ({ priced: { order } }) => order.customerReference],
  currency: ["text", ({ priced: { order } }) => order.currency],
  net: ["numeric", ({ priced: { order } }) => order.net],
  vat: ["numeric", ({ priced: { order } }) => order.vat],
  gross: ["numeric", ({ priced: { order } }) => order.gross],
  paid: ["numeric", ({ priced: { order } }) => order.payment?.amount ?? "0"],
  plain: [
    "boolean",
    ({ request, priced: { order } }) =>
      !request.test && order.lines.some(({ net }) => Number(net) > 0),
  ],
  test: ["boolean", ({ request }) => request.test],
  state: ["text", ({ answer }) => answer.state],
  received_at: ["timestamptz", ({ at }) => at],
  body: ["jsonb", ({ number, priced: { order } }) => ({ webOrder: number, ...order })],
  reasons: ["jsonb", ({ priced }) => heldBecause(priced)],
};

type Line = Placed["priced"]["order"]["lines"][number] & {
  readonly order: string;
  readonly price: unknown;
};

function linesOf({ id, priced: { order, evidence } }: Placed): Line[] {
  return order.lines.map((line, at) => ({ ...line, order: id, price: evidence[at] ?? null }));
}

const LINE: Columns<Line> = {
  order_id: ["uuid", ({ order }) => order],
  line: ["int", ({ line }) => line],
  product: ["text", ({ product }) => product],
  quantity: ["numeric", ({ quantity }) => quantity],
  unit_price: ["numeric", ({ unitPrice }) => unitPrice],
  net: ["numeric", ({ net }) => net],
  vat_code: ["text", ({ vatCode }) => vatCode],
  vat: ["numeric", ({ vat }) => vat],
  price: ["jsonb", ({ price }) => price],
};

type BookPage = Placed["book"][number] & {
  readonly order: string;
  readonly sequence: number;
  readonly at: Temporal.Instant;
};

function pagesOf({ id, at, book }: Placed): BookPage[] {
  return book.map((page, index) => ({ ...page, order: id, sequence: index + 1, at }));
}

const PAGE: Columns<BookPage> = {
  order_id: ["uuid", ({ order }) => order],
  sequence: ["int", ({ sequence }) => sequence],
  at: ["timestamptz", ({ at }) => at],
  event: ["text", ({ event }) => event],
  from_state: ["text", ({ fromState }) => fromState],
  to_state: ["text", ({ toState }) => toState],
  who: ["text", ({ who }) => who],
  about: ["text", ({ about }) => about],
};

const REQUEST: Columns<Entry> = {
  idempotency_key: ["text", ({ request }) => keptKey(request)],
  api_key: ["text", ({ request }) => request.apiKey],
  body_hash: ["text", ({ request }) => request.hash],
  status: ["int", ({ status }) => status],
  order_id: ["uuid", (entry) => (entry.kind === "placed" ? entry.id : null)],
  received_at: ["timestamptz", ({ at }) => at],
  body: ["jsonb", ({ request }) => request.body],
  // As text: a second answer is the first one's, byte for byte.
  answer: ["json", ({ answer }) => answer],
};

/** Where the values of each begin; the company is the first. */
const ORDER_AT = 2;
const LINE_AT = ORDER_AT + Object.keys(ORDER).length;
const PAGE_AT = LINE_AT + Object.keys(LINE).length;
const REQUEST_AT = PAGE_AT + Object.keys(PAGE).length;

/** The items as rows, their columns by name; values are numbered from `first` on. */
function rowsOf<Item>(of: Columns<Item>, first: number): string {
  const lists = Object.values(of).map(([type], at) =>
    type.startsWith("json")
      ? `${type}_array_elements($${first + at}::${type})`
      : `unnest($${first + at}::${type}[])`,
  );
  return `rows from (${lists.join(", ")}) as row (${Object.keys(of).join(", ")})`;
}

const ORDERS = `
  insert into web_order (company, id, number, number_folded, account, open_account, open_gross,
      ordered_on, placed_by, likeness, customer_reference, currency, net, vat, gross, paid, body,
      test, state, version, reasons, attempts, settled, received_at, changed_at)
  select $1, id, number, number_folded, account, case when not test then account end,
         case when plain then greatest(0, gross - paid) end, ordered_on, placed_by, likeness,
         customer_reference, currency, net, vat, gross, paid, body, test, state, 1, reasons, 0,
         '[]', received_at, received_at
    from ${rowsOf(ORDER, ORDER_AT)}`;
const LINES = `
  insert into web_order_line (company, order_id, line, product, open_product, quantity, unit_price,
      net, vat_code, vat, price, despatched_quantity, invoiced_quantity, credited_quantity,
      cancelled_quantity)
  select $1, order_id, line, product, product, quantity, unit_price, net, vat_code, vat, price,
         0, 0, 0, 0
    from ${rowsOf(LINE, LINE_AT)}`;
const BOOK = `
  insert into web_order_event (company, order_id, sequence, at, event, from_state, to_state, who,
      about)
  select $1, order_id, sequence, at, event, from_state, to_state, who, about
    from ${rowsOf(PAGE, PAGE_AT)}`;
const REQUESTS = `
  insert into web_order_request (company, idempotency_key, api_key, body_hash, body, status,
      answer, order_id, received_at)
  select $1, idempotency_key, api_key, body_hash, body, status, answer, order_id, received_at
    from ${rowsOf(REQUEST, REQUEST_AT)}`;

const WRITE_ALL = `
  with orders as (${ORDERS}), lines as (${LINES}), book as (${BOOK}) ${REQUESTS}`;

const IS_NEW = "order_id in (select id from orders)";
const WRITE_NEW = `
  with orders as (${ORDERS} on conflict (company, number_folded) do nothing returning id),
  lines as (${LINES} where ${IS_NEW}),
  book as (${BOOK} where ${IS_NEW}),
  requests as (
    ${REQUESTS} where order_id is null or ${IS_NEW}
    on conflict do nothing returning idempotency_key)
  select (select coalesce(array_agg(id::text), '{}') from orders) as orders,
         (select count(*)::int from requests) as requests`;
