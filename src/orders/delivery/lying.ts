/**
 * Orders that stand otherwise by now (keyed by hand, resolved, refused, cancelled) while files of
 * them may lie where the ERP takes orders from.
 */
import type { Queryable } from "../../store/index.ts";
import type { Move, OrderRow } from "../book.ts";
import type { DeliveryEvent } from "../machine.ts";

type Order = Pick<OrderRow, "company" | "id">;

/** With these an order is not what its files ask for any more. */
const STANDS: ReadonlySet<DeliveryEvent> = new Set([
  "accept",
  "confirm",
  "resolve",
  "refuse",
  "conflict",
  "cancel",
]);

/** Its state says so, too: an order that goes on its way again keeps what lies there. */
export const STANDING: ReadonlySet<OrderRow["state"]> = new Set([
  "accepted",
  "confirmed",
  "conflict",
  "refused",
  "cancelled",
]);

/** `order`: as it was before the move. */
export async function noteLying(
  tx: Queryable,
  order: OrderRow,
  { event, who, at }: Pick<Move, "event" | "who" | "at">,
): Promise<void> {
  // What its sender found out in a doubt is what the far side said of the files themselves.
  const mayLie =
    order.state === "handedOver" ||
    (order.state === "inDoubt" && (order.handedOverAt !== null || who !== "tradepost"));
  if (!mayLie || !STANDS.has(event)) return;
  await tx.affect(
    `insert into web_order_lying (company, order_id, since, tries) values ($1, $2, $3, 0)
     on conflict do nothing`,
    [order.company, order.id, at],
  );
}

export async function mayLie(on: Queryable, { company, id }: Order): Promise<boolean> {
  const rows = await on.query(
    "select 1 from web_order_lying where company = $1 and order_id = $2",
    [company, id],
  );
  return rows.length > 0;
}

export async function liesNoMore(tx: Queryable, { company, id }: Order): Promise<void> {
  await tx.affect("delete from web_order_lying where company = $1 and order_id = $2", [
    company,
    id,
  ]);
}

/** In SQL, ids of orders whose files are to be looked for now. $1 is the company. */
export const LYING_DUE = `select order_id as id from web_order_lying
   where company = $1 and coalesce(due_at <= clock_timestamp(), true)`;
