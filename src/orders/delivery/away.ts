/**
 * A far side that cannot be asked. That is no order's fault: its orders wait for as long as it
 * lasts, ever longer, and go on as soon as one of them gets through; one alarm tells of it.
 */
import { ConnectorFault, type FaultKind } from "../../connector/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { GaveUp } from "./calling.ts";

/** What time or whoever looks after the connection mends, for all orders alike. */
const OF_THE_CONNECTION: ReadonlySet<FaultKind> = new Set([
  "transient",
  "throttled",
  "auth",
  "config",
]);

/** Before a byte of the order has left. */
export function isAway(error: unknown): boolean {
  if (error instanceof ConnectorFault) return OF_THE_CONNECTION.has(error.kind);
  return error instanceof GaveUp || (error instanceof Error && "syscall" in error);
}

/** What a try ends with that could ask the far side nothing. */
const AWAY = "('away', 'cannotTell')";

/** Tries of the order "o" that could ask nothing, the last one and those right before it. */
const RUN = `
  select count(*)::int as tries, min(a.started_at) as since, max(a.ended_at) as "endedAt",
         (array_agg(a.evidence order by a.attempt desc))[1] as evidence
    from web_order_attempt a
   where a.company = o.company and a.order_id = o.id and a.outcome in ${AWAY}
     and not exists (select 1 from web_order_attempt b
                      where b.company = a.company and b.order_id = a.order_id
                        and b.attempt > a.attempt and b.outcome not in ${AWAY})`;

/** How often in a row it could not be asked about the order. */
export async function triesAway(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<number> {
  const [row] = await on.query<{ tries: number }>(
    `select run.tries from web_order o cross join lateral (${RUN}) run
      where o.company = $1 and o.id = $2`,
    [company, id],
  );
  return row?.tries ?? 0;
}

/** Orders that are to be handed over, or of which a change is to be told. */
const WAITING = `
  select o.id, o.number, run.*,
         case when o.state = 'queued' then o.reasons ->> 0 else run.evidence end as reason
    from web_order o cross join lateral (${RUN}) run
   where o.company = $1 and not o.test and run.tries > 0
     and o.id in (select id from web_order where company = $1 and state = 'queued'
                  union select order_id from web_order_change
                         where company = $1 and state = 'asked')`;

/** An answer has come to another order since: those that wait for the far side need it no more. */
export async function backAgain({ company }: OrdersContext, tx: Queryable): Promise<string[]> {
  const back = await tx.query<{ id: string }>(
    `select w.id from (${WAITING}) w
      where exists (select 1 from web_order_attempt a
                     where a.company = $1 and a.order_id <> w.id and a.started_at > w."endedAt"
                       and a.outcome in ('absent', 'accepted', 'handedOver', 'refused', 'notNow'))
      order by w.id`,
    [company],
  );
  const ids = back.map(({ id }) => id);
  await tx.affect(
    `update web_order_intent set due_at = null
      where company = $1 and order_id = any($2::uuid[]) and state in ('waiting', 'sending')`,
    [company, ids],
  );
  return ids;
}

/** A moment's fault is no news. */
const TELL_AFTER_TRIES = 3;
const SHOWN = 5;
const KEY = "orders/connection";

interface Waiting {
  readonly number: string;
  readonly reason: string | null;
  readonly since: Temporal.Instant;
  readonly tell: boolean;
}

export async function tellAway({ alarms, store, company }: OrdersContext): Promise<void> {
  if (alarms === undefined) return;
  const waiting = await store.query<Waiting>(
    `select number, reason, since,
            max(tries) over () >= $2 as tell
       from (${WAITING}) w order by "endedAt" desc, number`,
    [company, TELL_AFTER_TRIES],
  );
  const [newest] = waiting;
  if (newest?.tell !== true) {
    if (newest === undefined) await alarms.clear(KEY);
    return;
  }
  const since = waiting
    .map((order) => order.since)
    .reduce((a, b) => (Temporal.Instant.compare(a, b) < 0 ? a : b));
  const named = waiting.slice(0, SHOWN).map(({ number }) => number);
  const more = waiting.length > SHOWN ? ` and ${waiting.length - SHOWN} more` : "";
  await alarms.raise({
    key: KEY,
    level: "error",
    title: `The ERP cannot be asked; web orders wait for it: ${waiting.length}`,
    detail: `${named.join(", ")}${more}. ${newest.reason ?? ""}`.trim(),
    instruction:
      "See what stands in its way: `tradepost check`. The orders, and changes of them, go on by " +
      "themselves when it is back.",
    since,
  });
}
