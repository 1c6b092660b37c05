/** What a person who decides on an order must know beside its own reasons. */
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
  const changes = await askedFor(context, on, orders);
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
  { company, connection }: OrdersContext,
  on: Queryable,
  orders: readonly Asked[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (orders.length === 0) return new Map();
  const rows = await on.query<{
    order: string;
    change: number;
    kind: ChangeKind;
    why: string | null;
    evidence: string | null;
  }>(
    `select c.order_id as "order", c.change, c.kind, c.why, last.evidence
       from web_order_change c
       left join lateral (
         select a.evidence from web_order_intent i
           join web_order_attempt a on a.company = i.company and a.order_id = i.order_id
            and a.intent = i.intent and a.ended_at is not null
          where i.company = c.company and i.order_id = c.order_id and i.change = c.change
          order by a.attempt desc limit 1) last on true
      where c.company = $1 and c.order_id = any($2::uuid[]) and c.state = 'asked'
      order by c.order_id, c.change`,
    [company, orders.map(({ id }) => id)],
  );
  if (rows.length === 0) return new Map();
  const { mode, paused } = await connection.standing();
  const stopped = paused ?? (mode === "live" ? null : `its connection is ${mode}`);
  const words = rows.map(({ order, kind, change, why, evidence }) => {
    const because = (stopped ?? evidence)?.replace(/\.$/, "") ?? null;
    const asked = `${nameOf(kind, change)} was asked for${why === null ? "" : ` (${why})`}`;
    return {
      order,
      said: `${asked} and is not made yet${because === null ? "" : `: ${because}`}.`,
    };
  });
  const found = Map.groupBy(words, ({ order }) => order);
  return new Map([...found].map(([order, each]) => [order, each.map(({ said }) => said)]));
}
