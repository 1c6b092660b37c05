/** A shadowed order that staff keyed: sent now, the customer would get it twice. */
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { OrderError } from "./error.ts";
import type { KnownBy } from "./shadow-compare.ts";

const KNOWN: Readonly<Record<KnownBy, string>> = {
  "web-order": "its number is there",
  reference: "its reference is there",
  likeness: "it has the same account and goods, near its day",
};

/** @param another ERP orders that a person has looked at, and that are other orders. */
export async function refuseKeyed(
  on: Queryable,
  { company, id, number, state }: Pick<OrderRow, "company" | "id" | "number" | "state">,
  another: readonly string[],
): Promise<void> {
  if (state !== "shadowed") return;
  const [kept] = await on.query<{ erpOrders: readonly string[]; knownBy: KnownBy | null }>(
    `select erp_orders as "erpOrders", known_by as "knownBy" from web_order_shadow
      where company = $1 and order_id = $2`,
    [company, id],
  );
  const keyed = (kept?.erpOrders ?? []).filter((erpOrder) => !another.includes(erpOrder));
  if (kept === undefined || keyed.length === 0) return;
  const how = kept.knownBy === null ? "" : ` (${KNOWN[kept.knownBy]})`;
  const named = keyed.join(", ");
  throw new OrderError(
    "move-impossible",
    `Releasing web order ${number}: staff have keyed it as ERP order ${named}${how}, and the ` +
      "customer would get it twice. Cancel it here; or, where you have seen that it is another " +
      `order, say so: --another ${keyed.join(",")} (in the API: another).`,
  );
}
