/** The request that an order's content was made from: what it was sent as, or last changed to. */
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import { keptRequest, type OrderRequest } from "../request.ts";
import { changesOf, type ChangeRow } from "./rows.ts";

/** As it stands now, or is to be with a change that is pending. Null: it is kept no more. */
export async function madeFrom(
  on: Queryable,
  order: Pick<OrderRow, "company" | "id">,
  pending: Pick<ChangeRow, "request"> | null = null,
): Promise<OrderRequest | null> {
  const changes = await changesOf(on, order);
  const made = changes.findLast(({ state, request }) => state === "done" && request !== null);
  const kept = pending?.request ?? made?.request;
  return kept === undefined ? firstOf(on, order) : keptRequest(kept);
}

/** As it was handed in. Null: it is kept no more. */
export async function firstOf(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<OrderRequest | null> {
  const [first] = await on.query<{ body: unknown }>(
    `select body from web_order_request
      where company = $1 and order_id = $2 order by received_at limit 1`,
    [company, id],
  );
  return keptRequest(first?.body ?? null);
}
