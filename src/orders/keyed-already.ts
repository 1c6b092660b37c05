/** An order that was not sent, and that staff keyed: sent now, the customer would get it twice. */
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { OrderError } from "./error.ts";
import { mayBeKeyed } from "./held-since.ts";
import { keyedMeanwhile } from "./shadow.ts";
import type { KnownBy } from "./shadow-compare.ts";

const KNOWN: Readonly<Record<KnownBy, string>> = {
  "web-order": "its number is there",
  reference: "its reference is there",
  likeness: "it has the same account and all of its goods, near its day",
};

/** @param another ERP orders that a person has looked at, and that are other orders. */
export async function refuseKeyed(
  on: Queryable,
  order: OrderRow,
  another: readonly string[],
): Promise<void> {
  const found = await keyed(on, order);
  const left = (found?.erpOrders ?? []).filter((erpOrder) => !another.includes(erpOrder));
  if (found === null || left.length === 0) return;
  const how = found.knownBy === null ? "" : ` (${KNOWN[found.knownBy]})`;
  throw new OrderError(
    "move-impossible",
    `Releasing web order ${order.number}: staff have keyed it as ERP order ${left.join(", ")}${how}, and the ` +
      "customer would get it twice. Cancel it here; or, where you have seen that it is another " +
      `order, say so: --another ${left.join(",")} (in the API: another).`,
  );
}

const keyed = async (on: Queryable, order: OrderRow) =>
  order.state === "shadowed" || (order.state === "held" && mayBeKeyed(order.reasons))
    ? keyedMeanwhile(on, order)
    : null;
