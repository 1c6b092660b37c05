/** What an order was, and may yet be: what staff keyed for it may be any of that. In SQL. */
import { PENDING } from "./rows.ts";

/** An order "o" as it was before each of its changes, and as those that wait would make it. */
export const OTHERS = `(
    select coalesce(jsonb_agg(was.body), '[]')
      from (select before -> 'body' as body from web_order_change
             where company = o.company and order_id = o.id and before is not null
            union all
            select body from web_order_change
             where company = o.company and order_id = o.id and body is not null
               and state in (${PENDING.map((state) => `'${state}'`).join(", ")})) was)`;
