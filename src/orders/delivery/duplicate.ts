/** An order that the ERP has twice: an alarm that holds until somebody has settled it. */
import type { Queryable, Transaction } from "../../store/index.ts";
import { move, type Move, type OrderRow } from "../book.ts";
import { endWithRefusal } from "../changes/over.ts";
import type { OrdersContext } from "../context.ts";
import { DUPLICATE } from "../judgement.ts";
import { learnLate } from "./history.ts";

const KEY = "orders/duplicate/";

function isDuplicate({ state, reasons }: Pick<OrderRow, "state" | "reasons">): boolean {
  return state === "conflict" && reasons.some((reason) => reason.startsWith(DUPLICATE));
}

/** A move that what was pulled asks for; whoever makes it, a duplicate is told. */
export async function moveAsSeen(
  context: OrdersContext,
  tx: Transaction,
  order: OrderRow,
  change: Move,
): Promise<OrderRow> {
  const moved = await endWithRefusal(tx, await move(tx, order, change), change.at);
  if (order.state === "inDoubt" && moved.state !== "inDoubt")
    await learnLate(tx, order, { several: false });
  if (isDuplicate(moved)) await raiseDuplicate(context, tx, moved);
  return moved;
}

/** True: a search was believed, or staff keyed an order once more, and nobody has settled it. */
export async function hasDuplicate(on: Queryable, company: string): Promise<boolean> {
  const rows = await on.query(
    `select 1 from web_order where company = $1 and state = 'conflict' and not test
        and exists (select 1 from jsonb_array_elements_text(reasons) as reason
                     where starts_with(reason, $2)) limit 1`,
    [company, DUPLICATE],
  );
  return rows.length > 0;
}

/** The one case that shows how long a search can lag: the next window is longer for it. */
export async function raiseDuplicate(
  { alarms }: Pick<OrdersContext, "alarms">,
  tx: Transaction,
  order: Pick<OrderRow, "company" | "id" | "number" | "reasons">,
): Promise<void> {
  await learnLate(tx, order, { several: true });
  await alarms?.raise(
    {
      key: `${KEY}${order.number}`,
      level: "error",
      title: `Web order ${order.number} is in the ERP twice`,
      detail: order.reasons[0] ?? `${DUPLICATE}: ${order.number}.`,
      instruction:
        "Cancel all but one in the ERP before goods leave twice, then: " +
        `tradepost orders resolve ${order.number} --erp-order NUMBER --who NAME --why WHY`,
    },
    tx,
  );
}

/** Alarms of orders that are in no conflict any more are over. */
export async function clearDuplicates({
  alarms,
  store,
  company,
}: Pick<OrdersContext, "alarms" | "store" | "company">): Promise<void> {
  if (alarms === undefined) return;
  const held = await alarms.list({ open: true, limit: 1_000 });
  const numbers = held.flatMap(({ key }) => (key.startsWith(KEY) ? [key.slice(KEY.length)] : []));
  if (numbers.length === 0) return;
  const still = await store.query<{ number: string }>(
    `select number from web_order
      where company = $1 and number = any($2) and state = 'conflict' and not test`,
    [company, numbers],
  );
  for (const number of numbers)
    if (!still.some((row) => row.number === number)) await alarms.clear(`${KEY}${number}`);
}
