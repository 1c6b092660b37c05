/** Numbers of web orders that an ERP names and that nobody here took. */
import type { Queryable } from "../store/index.ts";

export interface NamedOrder {
  readonly number: string;
  /** Day of the row that names it; null: it counts whatever its day. */
  readonly on: string | null;
}

/**
 * Those that are unknown; none where no order was taken here yet. What is dated before the first
 * one was another installation's, or another shop's, and is not missed.
 */
export async function unknownWebOrders(
  on: Queryable,
  company: string,
  named: readonly NamedOrder[],
): Promise<readonly string[]> {
  if (named.length === 0) return [];
  const rows = await on.query<{ number: string }>(
    `select n.number from unnest($2::text[], $3::date[]) as n (number, day)
       join (select received_at from web_order where company = $1 order by id limit 1) first
         on n.day is null or n.day >= (first.received_at - interval '1 day')::date
      where not exists (select 1 from web_order o
                         where o.company = $1 and o.number_folded = lower(btrim(n.number)))
        and not exists (select 1 from web_order_trial t
                         where t.company = $1 and lower(t.number) = lower(btrim(n.number)))
      order by n.number`,
    [company, named.map(({ number }) => number), named.map((one) => one.on)],
  );
  return rows.map(({ number }) => number);
}
