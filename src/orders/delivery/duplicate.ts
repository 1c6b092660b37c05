/** An order that the ERP has twice: an alarm that holds until somebody has settled it. */
import type { Transaction } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";

const KEY = "orders/duplicate/";

/** What a reason begins with when the ERP shows several documents of one order. */
export const DUPLICATE = "Duplicate in the ERP";

export function isDuplicate({ state, reasons }: Pick<OrderRow, "state" | "reasons">): boolean {
  return state === "conflict" && reasons.some((reason) => reason.startsWith(DUPLICATE));
}

export async function raiseDuplicate(
  { alarms }: Pick<OrdersContext, "alarms">,
  tx: Transaction,
  order: Pick<OrderRow, "number" | "reasons">,
): Promise<void> {
  await alarms?.raise(
    {
      key: `${KEY}${order.number}`,
      level: "error",
      title: `Web order ${order.number} is in the ERP twice`,
      detail: order.reasons[0] ?? `${DUPLICATE}: ${order.number}.`,
      instruction:
        "Cancel all but one in the ERP before goods leave twice, then: " +
        `tradepost orders resolve ${order.number} --erp-order NUMBER --reason TEXT`,
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
    "select number from web_order where company = $1 and number = any($2) and state = 'conflict'",
    [company, numbers],
  );
  for (const number of numbers)
    if (!still.some((row) => row.number === number)) await alarms.clear(`${KEY}${number}`);
}
