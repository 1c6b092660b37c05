/** What a person sees of orders and may do to them. */
import { decimal } from "../model/index.ts";
import type { Transaction } from "../store/index.ts";
import { DELIVER_JOB, jobData } from "./accept.ts";
import {
  eventsOf,
  move,
  orderOf,
  ORDER_COLUMNS,
  type Move,
  type OrderEvent,
  type OrderRow,
} from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { refundReasons } from "./deliver.ts";
import { fulfilment, type DeliveryState, type Fulfilment } from "./machine.ts";

/** A person's act: by whom and why, both kept in the order's book. */
export interface Act {
  readonly who: string;
  readonly reason: string;
}

/** Lets a held order go on its way. */
export async function release(context: OrdersContext, idOrNumber: string, act: Act) {
  return byHand(context, idOrNumber, async (tx, order) => {
    const moved = await move(tx, order, {
      ...said(context, act, "Released"),
      event: "release",
      set: { attempts: 0, nextAttemptAt: null },
    });
    await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
    return moved;
  });
}

/** Stops an order that was not handed over, or gives up one that the ERP refused. */
export async function cancel(context: OrdersContext, idOrNumber: string, act: Act) {
  return byHand(context, idOrNumber, (tx, order) =>
    move(tx, order, {
      ...said(context, act, "Cancelled"),
      event: "cancel",
      reasons: refundReasons(order),
      set: { nextAttemptAt: null, settled: settledNow(order) },
    }),
  );
}

/**
 * A person has looked into a conflict or a doubt: the order stands in the ERP, under this number
 * if given.
 */
export async function resolve(
  context: OrdersContext,
  idOrNumber: string,
  act: Act & { readonly erpOrder?: string },
) {
  return byHand(context, idOrNumber, async (tx, order) => {
    const erpOrder = act.erpOrder ?? order.erpOrder;
    const numbers = await erpNumbersOf(tx, order);
    return move(tx, order, {
      ...said(context, act, "Resolved"),
      event: "resolve",
      set: {
        erpOrder,
        nextAttemptAt: null,
        settled: [
          ...new Set([...settledNow(order), ...numbers, ...(erpOrder === null ? [] : [erpOrder])]),
        ],
      },
    });
  });
}

/** A person has looked: an order in doubt is not in the ERP, and is to be sent again. */
export async function sendAgain(context: OrdersContext, idOrNumber: string, act: Act) {
  return byHand(context, idOrNumber, async (tx, order) => {
    const moved = await move(tx, order, {
      ...said(context, act, "To be sent again"),
      event: "notThere",
      set: { attempts: 0, nextAttemptAt: null, handedOverAt: null, answerDueAt: null },
    });
    await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
    return moved;
  });
}

function settledNow(order: OrderRow): string[] {
  return [...order.settled, ...(order.erpOrder === null ? [] : [order.erpOrder])];
}

async function erpNumbersOf(tx: Transaction, order: OrderRow): Promise<string[]> {
  const rows = await tx.query<{ number: string }>(
    `select erp_order as number from erp_order where company = $1 and web_order = $2
     union select erp_order from order_acknowledgement
            where company = $1 and web_order = $2 and erp_order is not null`,
    [order.company, order.number],
  );
  return rows.map((row) => row.number);
}

function said(context: OrdersContext, act: Act, what: string): Pick<Move, "who" | "about" | "at"> {
  return { who: act.who, at: context.now(), about: `${what}: ${act.reason}` };
}

async function byHand(
  context: OrdersContext,
  idOrNumber: string,
  work: (tx: Transaction, order: OrderRow) => Promise<OrderRow>,
): Promise<OrderView> {
  const moved = await context.store.transaction(async (tx) =>
    work(tx, await orderOf(tx, context.company, idOrNumber)),
  );
  return show(context, moved.id);
}

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
  const rows = await context.store.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order
      where company = $1 and ($2::text is null or state = $2) and ($3::text is null or account = $3)
        and ($4::uuid is null or id < $4)
      order by id desc limit $5`,
    [
      context.company,
      filter.state ?? null,
      filter.account ?? null,
      filter.before ?? null,
      filter.limit ?? 100,
    ],
  );
  return rows.map(({ body: _body, settled: _settled, version: _version, ...summary }) => summary);
}

export interface OrderLineView {
  readonly line: number;
  readonly product: string;
  readonly unitPrice: string;
  readonly discount: string;
  readonly net: string;
  readonly vatCode: string;
  readonly vat: string;
  /** Our own price when the order was taken, with its rule. */
  readonly price: unknown;
  readonly quantity: string;
  /** Unit that was ordered in, and how many of it; null: the selling unit. */
  readonly orderedUnit: string | null;
  readonly orderedQuantity: string | null;
  readonly despatchedQuantity: string;
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
  readonly cancelledQuantity: string;
}

export interface OrderView extends Omit<OrderRow, "body" | "settled" | "version"> {
  readonly order: OrderRow["body"];
  readonly fulfilment: Fulfilment;
  readonly lines: readonly OrderLineView[];
  readonly events: readonly OrderEvent[];
}

export async function show(context: OrdersContext, idOrNumber: string): Promise<OrderView> {
  const { store, company } = context;
  const row = await orderOf(store, company, idOrNumber);
  const rows = await store.query<Omit<OrderLineView, keyof ReturnType<typeof orderedAs>>>(
    `select line, product, unit_price as "unitPrice", net, vat_code as "vatCode", vat, price, quantity,
            despatched_quantity as "despatchedQuantity", invoiced_quantity as "invoicedQuantity",
            credited_quantity as "creditedQuantity", cancelled_quantity as "cancelledQuantity"
       from web_order_line where company = $1 and order_id = $2 order by line`,
    [company, row.id],
  );
  const { body, settled: _settled, version: _version, ...summary } = row;
  const lines = rows.map((line) => ({ ...line, ...orderedAs(row, line.line) }));
  return {
    ...summary,
    order: body,
    fulfilment: fulfilment(lines.map(quantitiesOf)),
    lines,
    events: await eventsOf(store, row),
  };
}

/** What of a line only the order itself says. */
function orderedAs({ body }: OrderRow, number: number) {
  const line = body.lines.find((each) => each.line === number);
  const { discount = "0.00", orderedUnit = null, orderedQuantity = null } = line ?? {};
  return { discount, orderedUnit, orderedQuantity };
}

const QUANTITY_PLACES = 5;

function quantitiesOf(line: OrderLineView) {
  const units = (text: string): bigint => decimal.digitsAt(decimal.parse(text), QUANTITY_PLACES);
  return {
    ordered: units(line.quantity),
    despatched: units(line.despatchedQuantity),
    invoiced: units(line.invoicedQuantity),
    credited: units(line.creditedQuantity),
    cancelled: units(line.cancelledQuantity),
  };
}
