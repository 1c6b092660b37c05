/** What earlier orders teach: how long one takes to show, and which ones must show. */
import type { Queryable } from "../../store/index.ts";
import type { DoubtFound } from "./attempts.ts";
import { LAGS_LOOKED_AT, quietWindow, type Lag } from "./window.ts";

export async function windowSeconds(
  on: Queryable,
  company: string,
  floorSeconds: number,
): Promise<number> {
  const lags = await on.query<Lag>(
    `select absent_seconds as "absentSeconds", seen_seconds as "seenSeconds" from web_order_lag
      where company = $1 order by at desc limit ${LAGS_LOOKED_AT}`,
    [company],
  );
  return quietWindow(floorSeconds, lags);
}

/** An order in doubt was found. Where no search had missed it before, nothing is learned. */
export async function learnLag(
  tx: Queryable,
  { company, id }: { readonly company: string; readonly id: string },
  { attempt, absentSeconds, sinceSentSeconds }: DoubtFound,
): Promise<void> {
  if (absentSeconds === null) return;
  await tx.affect(
    `insert into web_order_lag (company, order_id, attempt, absent_seconds, seen_seconds, at)
     values ($1, $2, $3, $4, $5, clock_timestamp()) on conflict do nothing`,
    [company, id, attempt, absentSeconds, sinceSentSeconds],
  );
}

/**
 * It shows though searches had missed it: in doubt until now, or sent once more since. Where it is
 * there once, its last call that may have made it teaches how long it was absent: taken for the
 * work of an earlier one, each order sent again would lengthen the window by the window itself.
 * Where it is there several times, the earlier ones made it too, and each teaches.
 */
export async function learnLate(
  tx: Queryable,
  { company, id }: { readonly company: string; readonly id: string },
  { several }: { readonly several: boolean },
): Promise<void> {
  await tx.affect(
    `insert into web_order_lag (company, order_id, attempt, absent_seconds, seen_seconds, at)
     select p.company, p.order_id, p.attempt, extract(epoch from absent.at - p.placed_at),
            extract(epoch from clock_timestamp() - p.placed_at), clock_timestamp()
       from web_order_attempt p
       cross join lateral (select max(f.started_at) as at from web_order_attempt f
              where f.company = p.company and f.order_id = p.order_id and f.attempt > p.attempt
                and f.intent = p.intent and f.placed_at is null and f.outcome = 'absent') absent
      where p.company = $1 and p.order_id = $2 and p.what = 'place' and p.placed_at is not null
        and p.outcome in ('inDoubt', 'fault', 'lost', 'draft', 'settled') and absent.at is not null
        and ($3 or not exists (select 1 from web_order_attempt l
              where l.company = p.company and l.order_id = p.order_id and l.attempt > p.attempt
                and l.what = 'place' and l.placed_at is not null
                and coalesce(l.outcome, '') not in ('notSent', 'notNow', 'refused')))
     on conflict do nothing`,
    [company, id, several],
  );
}

const CANARIES = 3;

/**
 * Numbers of orders of ours that are known to be there, the best first. One that the ERP took after
 * the doubtful call fell silent shows that the search has caught up with that moment, and the
 * oldest of those has had the longest time to show; else the newest one before, where a search that
 * works at all shows every order at once.
 */
export async function canariesFor(
  on: Queryable,
  company: string,
  order: string,
  { quietFrom, onlyLater }: { readonly quietFrom: Temporal.Instant; readonly onlyLater: boolean },
): Promise<readonly string[]> {
  const rows = await on.query<{ number: string }>(
    `with known as (
       (select order_id, ended_at, true as later from web_order_attempt
         where company = $1 and outcome in ('accepted', 'handedOver') and order_id <> $2
           and ended_at > $3 and placed_at > $3 order by ended_at limit 20)
       union all
       (select order_id, ended_at, false from web_order_attempt
         where company = $1 and outcome in ('accepted', 'handedOver') and order_id <> $2
           and not $4
         order by ended_at desc limit 20))
     select o.number
       from known k join web_order o on o.company = $1 and o.id = k.order_id
      where not o.test and o.state in ('accepted', 'confirmed', 'handedOver')
        and (o.erp_order is not null or o.handed_over_at is not null)
      group by o.number
      order by bool_or(k.later) desc, min(k.ended_at) filter (where k.later),
               max(k.ended_at) desc
      limit ${CANARIES}`,
    [company, order, quietFrom, onlyLater],
  );
  return rows.map(({ number }) => number);
}

/** Dropped before the order was first sent, the newest first: the journal that has it has them. */
export async function droppedBefore(
  on: Queryable,
  company: string,
  order: string,
): Promise<readonly string[]> {
  const rows = await on.query<{ number: string }>(
    `select o.number
       from (select order_id, max(ended_at) as at from web_order_attempt
              where company = $1 and outcome = 'handedOver' and order_id <> $2
                and ended_at < (select min(placed_at) from web_order_attempt
                                 where company = $1 and order_id = $2)
              group by order_id order by at desc limit ${CANARIES}) dropped
       join web_order o on o.company = $1 and o.id = dropped.order_id
      order by dropped.at desc`,
    [company, order],
  );
  return rows.map(({ number }) => number);
}
