/** Whether the marks of open orders leave out anything that counts. */
import { chargedOnce } from "../../src/orders/delivered.ts";
import { OPEN_ORDERS } from "../../src/orders/index.ts";
import type { Queryable } from "../../src/store/index.ts";

const LEFT = `greatest(0, 1 - (${chargedOnce()} + l.cancelled_quantity) / l.quantity)`;

const CHARGES = `
  (case when o.net = goods.net then 1
        else 1 - least(1, greatest(0, o.invoiced_charges / (o.net - goods.net))) end)`;

/** What each account's orders come to, looked for in all of them, marked or not. */
const EVERY = `
  select o.company, o.account, sum(greatest(0, goods.open - o.paid
           + case when goods.open > 0 then (o.gross - goods.total) * ${CHARGES} else 0 end)
         + asked.more) as open
    from web_order o
   cross join lateral (
     select sum(l.net + l.vat) as total, sum(l.net) as net, sum((l.net + l.vat) * ${LEFT}) as open
       from web_order_line l where l.company = o.company and l.order_id = o.id) goods
   cross join lateral (
     select coalesce(greatest(0, max((c.body ->> 'gross')::numeric) - o.gross), 0) as more
       from web_order_change c where c.company = o.company and c.order_id = o.id
        and c.state in ('held', 'asked', 'task')) asked
   where not o.test and o.state not in ('refused', 'cancelled', 'shadowed')
   group by o.company, o.account`;

/** Accounts whose marked orders come to another sum than all of them, and lines left out. */
export async function leftOutByMarks(on: Queryable): Promise<readonly string[]> {
  const rows = await on.query<{ wrong: string }>(
    `select concat_ws(' ', company, account, every.open, '<>', marked.open) as wrong
       from (${EVERY}) every
       full join (select company, account, sum(open) as open from ${OPEN_ORDERS} o
                   group by company, account) marked using (company, account)
      where round(coalesce(every.open, 0), 2) <> round(coalesce(marked.open, 0), 2)
      union all
     select concat_ws(' ', o.company, o.number, l.line, l.product, '<>', l.open_product)
       from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
      where not o.test and o.state not in ('refused', 'cancelled', 'shadowed')
        and l.quantity > ${chargedOnce()} + l.cancelled_quantity
        and l.open_product is distinct from l.product`,
  );
  return rows.map(({ wrong }) => wrong);
}
