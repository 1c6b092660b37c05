/** What a person who decides on an order in doubt, or late, must know beside its own reasons. */
import { readingOf, unreadNow } from "./answers-read.ts";
import type { OrderRow } from "./book.ts";
import { nameOf } from "./changes/over.ts";
import type { ChangeKind } from "./changes/rows.ts";
import type { OrdersContext } from "./context.ts";
import { namedIn } from "./named.ts";
import type { Queryable } from "../store/index.ts";

export interface Asked extends Pick<OrderRow, "number" | "handedOverAt" | "reasons"> {
  readonly id: string;
  readonly isDoubt: boolean;
}

/** Sentences, by the order's id: answers that are unread, or not taken for it, and changes. */
export async function besides(
  context: OrdersContext,
  on: Queryable,
  orders: readonly Asked[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const doubts = orders.filter(({ isDoubt }) => isDoubt);
  const dropped = doubts.filter(({ handedOverAt }) => handedOverAt !== null);
  const numbers = dropped.map(({ number }) => number);
  const reading = numbers.length === 0 ? null : await readingOf(context, numbers);
  const ids = doubts.map(({ id }) => id);
  const named = await namedIn(on, context.company, ids);
  const changes = await askedFor(on, context.company, orders);
  return new Map(
    orders.map((order) => {
      const isUnread = reading !== null && dropped.includes(order);
      const because = isUnread ? unreadNow(context, reading, order) : null;
      const said = [
        named.get(order.id),
        because === null
          ? undefined
          : `Whether the ERP has answered since, nobody knows: ${because}.`,
        ...(changes.get(order.id) ?? []),
      ];
      const fresh = said.filter((one) => one !== undefined);
      return [order.id, fresh.filter((sentence) => !order.reasons.includes(sentence))];
    }),
  );
}

/** What was asked of the ERP and nobody has carried out yet. */
async function askedFor(
  on: Queryable,
  company: string,
  orders: readonly Asked[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (orders.length === 0) return new Map();
  const rows = await on.query<{
    order: string;
    change: number;
    kind: ChangeKind;
    why: string | null;
  }>(
    `select order_id as "order", change, kind, why from web_order_change
      where company = $1 and order_id = any($2::uuid[]) and state = 'asked'
      order by order_id, change`,
    [company, orders.map(({ id }) => id)],
  );
  const words = rows.map(({ order, kind, change, why }) => ({
    order,
    said: `${nameOf(kind, change)} was asked for${why === null ? "" : ` (${why})`} and is not made yet.`,
  }));
  const found = Map.groupBy(words, ({ order }) => order);
  return new Map([...found].map(([order, each]) => [order, each.map(({ said }) => said)]));
}
