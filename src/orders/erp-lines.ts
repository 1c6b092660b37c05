/** The ERP's own orders of ours, their lines and their despatch notes: which of ours each is. */
import { isAnothers, isOwnAccount } from "./anothers.ts";
import { otherAccount } from "./other-account.ts";
import { lineShares } from "./line-shares.ts";
import { lostRow } from "./lost-rows.ts";
import { bearing, bears } from "./same-number.ts";

/** In SQL: of the account of `o`, or of another one that a person has let stand. */
const isLetStand = (row: string): string => `(${isOwnAccount(row)} or o.settled ?| array[
    ${Object.values(otherAccount)
      .map((sentence) => sentence(`' || ${row}.account || '`, "' || o.account || '"))
      .map((text) => `'${text}'`)
      .join(", ")}])`;

/**
 * Which line of which ERP order is which line of ours: as the ERP says, else by its product, and
 * where several of ours have that, as `lineShares` tells. An order that bears another number was
 * given ours anew, and is another's, unless a person said that it is ours and the number is no
 * other order's. Relation of (order_id, erp_order, erp_order_line, line, state, product, quantity,
 * net, despatched, invoiced, starts, takes, is_last) for a relation of orders: a row for each of
 * our lines that a line there is of; `line` is null: of none. `despatched` and `invoiced` are of
 * the whole line there: `ofShare` tells what is ours. $1 is the company; `headers`, those of
 * `erpHeaders`.
 */
export const erpLines = (orders: string, headers = `(${erpHeaders(orders)})`): string => `
  with rows as materialized (
    select o.id as order_id, o.erp_order, o.state, el.line as erp_order_line, el.web_order_line,
           el.product, el.quantity, el.net, el.despatched_quantity as despatched,
           el.invoiced_quantity as invoiced
      from ${headers} o
      join erp_order_line el on el.company = $1 and el.erp_order = o.erp_order),
  ${ourLines(orders)},
  ${lineShares("rows", "ours")}
  select r.order_id, r.erp_order, r.erp_order_line, r.state,
         coalesce(r.web_order_line, s.line, last_one.line) as line, r.product,
         coalesce(s.takes, r.quantity) as quantity,
         case when s.all_weight > 0
              then round(r.net * s.weight_to / s.all_weight, 2)
                   - round(r.net * (s.weight_to - s.weight) / s.all_weight, 2)
              when s.is_last is not false then r.net else 0 end as net,
         r.despatched, r.invoiced, coalesce(s.starts, 0) as starts,
         coalesce(s.takes, r.quantity) as takes, coalesce(s.is_last, true) as is_last
    from rows r
    left join (
      select *, sum(weight) over (partition by order_id, erp_order, erp_order_line) as all_weight,
             sum(weight) over (partition by order_id, erp_order, erp_order_line
                                order by line) as weight_to
        from shares) s
      on s.order_id = r.order_id and s.erp_order = r.erp_order
     and s.erp_order_line = r.erp_order_line
    left join last_one on last_one.order_id = r.order_id and last_one.product = r.product
     and r.web_order_line is null`;

/** `ours`, for `lineShares`, and the last one of each product, which takes what is left over. */
const ourLines = (orders: string): string => `
  ours as materialized (
    select l.order_id, l.line, l.product, l.quantity, l.net,
           count(*) over (partition by l.order_id, l.product) as many
      from ${orders} w join web_order_line l on l.company = $1 and l.order_id = w.id
     where w.id in (select order_id from rows)),
  last_one as (select order_id, product, max(line) as line from ours group by 1, 2)`;

/**
 * The ERP's own orders of ours: (company, id, erp_order, state, learned_at), `id` being ours, for a
 * relation of orders.
 */
export const erpHeaders = (orders: string): string =>
  `select * from (${theirs(orders)}) o where not ${lostRow("o")}`;

function theirs(orders: string): string {
  const columns = "o.company, o.id, e.erp_order, e.state, e.learned_at, e.origin_id";
  return `${bearing(orders, "erp_order", { columns })} union
  select ${columns} from ${orders} o
    join erp_order e on e.company = $1 and e.erp_order = o.erp_order
   where (e.web_order is null and e.account = o.account
          or o.settled ? e.erp_order and ${isLetStand("e")})
     and not ${isAnothers("e")}`;
}

/**
 * What despatch notes say of orders whose ERP order has no lines here: an ERP that exports its
 * answers and notes says enough. A note names the number that the order has there; its line is ours
 * by line and product, else by the product, and where several of ours have that, as `lineShares`
 * tells. Not where the note is another account's,
 * unless a person said that it is ours, nor where the number is another order's, too. Relation of
 * (order_id, despatch, despatch_line, line, product, quantity) for a relation of orders; $1 is the
 * company.
 */
export const notedLines = (orders: string): string => `
  with rows as materialized (
  select o.id as order_id, o.erp_order, d.despatch, d.line as despatch_line, d.product, d.quantity,
         same.line as web_order_line,
         -- No number of a line of ours.
         -row_number() over (partition by o.id order by d.despatch, d.line) as erp_order_line
    from ${orders} o
    join despatch_line d on d.company = $1 and d.erp_order = o.erp_order
    join despatch h on h.company = $1 and h.despatch = d.despatch
     and (h.account = o.account or o.settled ? o.erp_order and ${isLetStand("h")})
    left join web_order_line same on same.company = $1 and same.order_id = o.id
     and same.line = d.erp_order_line and same.product = d.product
   where not ${lostRow("d")}
     and not exists (select 1 from erp_order_line el
                      where el.company = $1 and el.erp_order = o.erp_order)
     and not exists (select 1 from erp_order e
                      where e.company = $1 and e.erp_order = o.erp_order
                        and not o.settled ? o.erp_order
                        and (e.account <> o.account or not coalesce(${bears("e.web_order")}, true)))
     and not exists (select 1 from web_order other
                      where other.company = $1 and other.erp_order = o.erp_order
                        and other.id <> o.id and not other.test
                        and other.state not in ('refused', 'cancelled'))),
  ${ourLines(orders)},
  ${lineShares("rows", "ours")}
  select r.order_id, r.despatch, r.despatch_line, r.product,
         coalesce(s.takes, r.quantity) as quantity,
         coalesce(r.web_order_line, s.line, last_one.line) as line
    from rows r
    left join shares s on s.order_id = r.order_id and s.erp_order_line = r.erp_order_line
    left join last_one on last_one.order_id = r.order_id and last_one.product = r.product`;
