/**
 * What this database knows of an order that was dropped as files. The journal beside the files may
 * know more, where a backup was restored, or know another one under its number.
 */
import type { DropCall, OrderCall, RenderedTable } from "../../connector/index.ts";
import type { Queryable } from "../../store/index.ts";
import { addEvent, type OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";

/** The page of an order's book that says what was taken back, in the journal's own words. */
const TAKEN_BACK = "taken-back";

/** The call, with what a file drop is told beside the number. */
export async function dropCall(
  { store }: Pick<OrdersContext, "store">,
  order: OrderRow,
  call: OrderCall,
  toBeSent: () => readonly RenderedTable[],
): Promise<DropCall> {
  const known = await store.query<{ about: string }>(
    `select about from web_order_event
      where company = $1 and order_id = $2 and about like '%was taken back%'`,
    [order.company, order.id],
  );
  return {
    ...call,
    known: known.map(({ about }) => about),
    // What is known to have been dropped is ours, however its files would look now.
    ...(order.handedOverAt === null && { order: { key: order.number, tables: toBeSent() } }),
  };
}

/** As it was sent, or is to be; of several placements the last one. */
export async function sentTables(
  { store, outbound }: Pick<OrdersContext, "store" | "outbound">,
  order: OrderRow,
): Promise<readonly RenderedTable[]> {
  const [last] = await store.query<{ payload: readonly RenderedTable[] | null }>(
    `select payload from web_order_intent
      where company = $1 and order_id = $2 and kind = 'place' order by intent desc limit 1`,
    [order.company, order.id],
  );
  return last?.payload ?? outbound.render(order.body);
}

export async function writeTakenBack(
  tx: Queryable,
  order: OrderRow,
  said: string,
  at: Temporal.Instant,
): Promise<void> {
  const { state } = order;
  await addEvent(tx, order, {
    event: TAKEN_BACK,
    fromState: state,
    toState: state,
    who: "tradepost",
    about: said,
    at,
  });
}
