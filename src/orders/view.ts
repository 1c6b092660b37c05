/** What can be seen of orders: where each stands, what became of its lines, and its whole book. */
import { decimal, type WebOrderPayment } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import {
  byOrder,
  eventsOfAll,
  orderOf,
  type Seen,
  ORDER_COLUMNS,
  type OrderEvent,
  type OrderRow,
} from "./book.ts";
import { changesOfAll, PENDING, type ChangeRow } from "./changes/rows.ts";
import type { OrdersContext } from "./context.ts";
import { despatchesOf, type OrderDespatch, type OrderInvoice } from "./documents.ts";
import { changedInErp, type ErpDifference } from "./erp-changes.ts";
import { fulfilment, type DeliveryState, type Fulfilment } from "./machine.ts";
import { actsOn, LIMITS, type DeskAct, type Limits } from "./possible.ts";
import { listTasks, type Task } from "./tasks.ts";

export interface OrderListFilter {
  readonly state?: DeliveryState;
  readonly account?: string;
  /** At most so many, newest first; default 100. */
  readonly limit?: number;
  /** Only orders received before this one (its id): the next page. */
  readonly before?: string;
}

export type OrderSummary = Omit<OrderRow, "body" | "settled" | "version">;

export async function list(
  context: OrdersContext,
  filter: OrderListFilter = {},
): Promise<OrderSummary[]> {
  const { state = null, account = null, before = null, limit = 100 } = filter;
  const rows = await context.store.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order
      where company = $1 and ($2::text is null or state = $2) and ($3::text is null or account = $3)
        and ($4::uuid is null or id < $4)
      order by id desc limit $5`,
    [context.company, state, account, before, limit],
  );
  return rows.map(({ body: _body, settled: _settled, version: _version, ...summary }) => summary);
}

export interface OrderLineView {
  readonly line: number;
  readonly product: string;
  readonly unitPrice: string;
  readonly discount: string;
  /** Of the line as it stands: what was cancelled is not in it. */
  readonly net: string;
  readonly vatCode: string;
  readonly vat: string;
  /** Our own price when the order was taken, with its rule. */
  readonly price: unknown;
  /** Ordered, what was cancelled since included. */
  readonly quantity: string;
  /** Unit that was ordered in, and how many of it; null: the selling unit. */
  readonly orderedUnit: string | null;
  readonly orderedQuantity: string | null;
  readonly despatchedQuantity: string;
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
  readonly cancelledQuantity: string;
  /** Still to come. */
  readonly outstandingQuantity: string;
  /** Of what is still to come, left behind by a despatch or an invoice of the order. */
  readonly backOrderQuantity: string;
}

/** A change that was asked for after the order was taken. */
export type OrderChangeView = Pick<
  ChangeRow,
  "change" | "kind" | "state" | "who" | "why" | "cancelled" | "askedAt" | "endedAt" | "outcome"
> & {
  /** What the order comes to with it; null: all of it is cancelled. */
  readonly net: string | null;
  /** What it says of the payment; null: all of the order is cancelled, or it is not paid. */
  readonly payment: WebOrderPayment | null;
  /** The order as it was before; null while the change is not done. */
  readonly before: OrderRow["body"] | null;
};

export interface OrderView extends Omit<OrderRow, "body" | "settled" | "version"> {
  readonly order: OrderRow["body"];
  readonly fulfilment: Fulfilment;
  /** What waits for the ERP or a person; null: nothing does. */
  readonly askedFor: "amendment" | "cancellation" | null;
  readonly lines: readonly OrderLineView[];
  readonly changes: readonly OrderChangeView[];
  /** What staff changed in the ERP since it was confirmed. */
  readonly changedInErp: readonly ErpDifference[];
  readonly despatches: readonly OrderDespatch[];
  readonly invoices: readonly OrderInvoice[];
  readonly tasks: readonly Task[];
  /** What a person can do to it now. */
  readonly acts: readonly DeskAct[];
  readonly events: readonly OrderEvent[];
}

export async function show(
  context: OrdersContext,
  idOrNumber: string,
  seen: Seen = {},
): Promise<OrderView> {
  const { store, company } = context;
  const [view] = await viewsOf(context, [await orderOf(store, company, idOrNumber, seen)]);
  if (view === undefined) throw new Error(`web order ${idOrNumber} is not shown`);
  return view;
}

/** The same for many, in so many statements as for one. */
export async function viewsOf(
  context: OrdersContext,
  rows: readonly OrderRow[],
): Promise<OrderView[]> {
  const { store, company } = context;
  const ids = rows.map(({ id }) => id);
  const kept: Kept = {
    changes: await changesOfAll(store, company, ids),
    lines: await linesOf(store, company, ids),
    changedInErp: await changedInErp(store, company, ids),
    despatches: await despatchesOf(store, company, ids),
    invoices: (await context.invoices?.(rows.map(({ number }) => number))) ?? new Map(),
    tasks: Map.groupBy(
      await listTasks(store, company, { order: ids, state: "all" }),
      ({ order }) => order ?? "",
    ),
    events: await eventsOfAll(store, company, ids),
    limits: await limitsOf(store, company, ids),
  };
  return rows.map((row) => viewOf(row, kept));
}

/** What is kept of orders beside their rows, by the order's id; invoices by its number. */
interface Kept {
  readonly changes: ReadonlyMap<string, readonly ChangeRow[]>;
  readonly lines: ReadonlyMap<string, readonly KeptLine[]>;
  readonly changedInErp: ReadonlyMap<string, readonly ErpDifference[]>;
  readonly despatches: ReadonlyMap<string, readonly OrderDespatch[]>;
  readonly invoices: ReadonlyMap<string, readonly OrderInvoice[]>;
  readonly tasks: ReadonlyMap<string, readonly Task[]>;
  readonly events: ReadonlyMap<string, readonly OrderEvent[]>;
  readonly limits: ReadonlyMap<string, Limits>;
}

async function limitsOf(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, Limits>> {
  const rows = await on.query<Limits & { readonly id: string }>(
    `select o.id, ${LIMITS} from web_order o where o.company = $1 and o.id = any($2::uuid[])`,
    [company, orders],
  );
  return new Map(rows.map(({ id, ...limits }) => [id, limits]));
}

function viewOf(row: OrderRow, kept: Kept): OrderView {
  const limits = kept.limits.get(row.id);
  const { body, settled: _settled, version: _version, ...summary } = row;
  const changes = kept.changes.get(row.id) ?? [];
  const ordered = orderedAs(body);
  const own = (kept.lines.get(row.id) ?? []).map((line) => ({ ...line, ...ordered(line.line) }));
  const lines = withBackOrders(withCancelled(own, changes, row));
  const waiting = changes.findLast(({ state }) => PENDING.includes(state))?.kind;
  return {
    ...summary,
    order: body,
    fulfilment: fulfilment(lines.map(quantitiesOf)),
    askedFor: waiting === undefined ? null : waiting === "amend" ? "amendment" : "cancellation",
    lines,
    changes: changes.map(changeView),
    changedInErp: kept.changedInErp.get(row.id) ?? [],
    despatches: kept.despatches.get(row.id) ?? [],
    // Those of a number are the live order's.
    invoices: row.test ? [] : (kept.invoices.get(row.number) ?? []),
    tasks: kept.tasks.get(row.id) ?? [],
    acts: limits === undefined ? [] : actsOn(row, limits),
    events: kept.events.get(row.id) ?? [],
  };
}

type LineRow = Omit<OrderLineView, "outstandingQuantity" | "backOrderQuantity">;
type KeptLine = Omit<LineRow, "discount" | "orderedUnit" | "orderedQuantity">;

async function linesOf(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly KeptLine[]>> {
  const rows = await on.query<KeptLine & { readonly order: string }>(
    `select order_id as "order", line, product, unit_price as "unitPrice", net,
            vat_code as "vatCode", vat, price, quantity,
            despatched_quantity as "despatchedQuantity", invoiced_quantity as "invoicedQuantity",
            credited_quantity as "creditedQuantity", cancelled_quantity as "cancelledQuantity"
       from web_order_line where company = $1 and order_id = any($2::uuid[])
      order by order_id, line`,
    [company, orders],
  );
  return byOrder(rows);
}

/** What of a line only the order itself says. */
function orderedAs(body: OrderRow["body"]) {
  const byLine = new Map(body.lines.map((line) => [line.line, line]));
  return (number: number) => {
    const line = byLine.get(number);
    const { discount = "0.00", orderedUnit = null, orderedQuantity = null } = line ?? {};
    return { discount, orderedUnit, orderedQuantity };
  };
}

/** Lines as they were ordered: what was cancelled since shows on them, and lines that are gone. */
function withCancelled(
  lines: readonly LineRow[],
  changes: readonly ChangeRow[],
  order: OrderRow,
): LineRow[] {
  const shown = new Map(lines.map((line) => [line.line, line]));
  if (order.state === "cancelled")
    for (const line of lines) shown.set(line.line, { ...line, cancelledQuantity: restOf(line) });
  const done = changes.filter(({ state, kind }) => state === "done" && kind === "cancel");
  for (const { cancelled, before } of done)
    for (const { line, quantity } of cancelled) {
      const there = shown.get(line) ?? goneLine(before?.body, line);
      if (there === null) continue;
      shown.set(line, {
        ...there,
        quantity: plus(there.quantity, quantity),
        cancelledQuantity: plus(there.cancelledQuantity, quantity),
      });
    }
  return [...shown.values()].sort((one, other) => one.line - other.line);
}

/** A line of which nothing is left, as it was before. */
function goneLine(before: OrderRow["body"] | undefined, number: number): LineRow | null {
  const line = before?.lines.find((each) => each.line === number);
  if (before === undefined || line === undefined) return null;
  const { product, unitPrice, discount, vatCode } = line;
  return {
    line: number,
    product,
    unitPrice,
    discount,
    net: "0.00",
    vatCode,
    vat: "0.00",
    price: null,
    quantity: NONE,
    orderedUnit: line.orderedUnit,
    orderedQuantity: line.orderedQuantity,
    despatchedQuantity: NONE,
    invoicedQuantity: NONE,
    creditedQuantity: NONE,
    cancelledQuantity: NONE,
  };
}

const NONE = "0.00000";

function plus(one: string, other: string): string {
  return textOf(units(one) + units(other));
}

/** Of a line, neither despatched nor invoiced. */
function restOf({ quantity, despatchedQuantity, invoicedQuantity }: LineRow): string {
  const rest = units(quantity) - larger(units(despatchedQuantity), units(invoicedQuantity));
  return textOf(larger(rest, 0n));
}

function withBackOrders(lines: readonly LineRow[]): OrderLineView[] {
  const open = lines.map((line) => larger(units(restOf(line)) - units(line.cancelledQuantity), 0n));
  const moved = lines.some(
    (line) => units(line.despatchedQuantity) > 0n || units(line.invoicedQuantity) > 0n,
  );
  return lines.map((line, at) => {
    const outstandingQuantity = textOf(open[at] ?? 0n);
    return {
      ...line,
      outstandingQuantity,
      backOrderQuantity: moved ? outstandingQuantity : NONE,
    };
  });
}

const QUANTITY_PLACES = 5;

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), QUANTITY_PLACES);
}

function textOf(digits: bigint): string {
  return decimal.format({ digits, scale: QUANTITY_PLACES });
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function quantitiesOf(line: OrderLineView) {
  return {
    ordered: units(line.quantity),
    despatched: units(line.despatchedQuantity),
    invoiced: units(line.invoicedQuantity),
    credited: units(line.creditedQuantity),
    cancelled: units(line.cancelledQuantity),
  };
}

function changeView(row: ChangeRow): OrderChangeView {
  const { change, kind, state, who, why, cancelled, askedAt, endedAt, outcome } = row;
  return {
    change,
    kind,
    state,
    who,
    why,
    cancelled,
    askedAt,
    endedAt,
    outcome,
    net: row.body?.net ?? null,
    payment: row.body?.payment ?? null,
    before: row.before?.body ?? null,
  };
}
