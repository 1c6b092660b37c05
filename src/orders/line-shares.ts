/**
 * Which of our lines a line of an ERP order is, where its product stands on several of ours and the
 * ERP does not say which: the one of that number and quantity, else one of that quantity, else,
 * where staff changed how many there are, the one of that number. What was joined or split there
 * is spread over ours in their order, so that nothing of it is lost.
 */

/**
 * In SQL, common table expressions that end in `shares` (order_id, erp_order, erp_order_line, line,
 * starts, takes, is_last, weight): of so much of the ERP's line, from `starts` on, ours takes
 * `takes`; the last one also what is beyond. `weight` is what that comes to at the price of ours.
 * `rows` is a relation of (order_id, erp_order, erp_order_line, web_order_line, product, quantity),
 * `ours` one of (order_id, line, product, quantity, net, many), `many` being how many lines of the
 * order have the product. Products on one line of ours alone are left out.
 */
export const lineShares = (rows: string, ours: string): string => `
  unnamed as materialized (
    select r.order_id, r.erp_order, r.erp_order_line, r.product, r.quantity from ${rows} r
     where r.web_order_line is null
       and exists (select 1 from ${ours} l
                    where l.order_id = r.order_id and l.product = r.product and l.many > 1)),
  free as materialized (
    select g.erp_order, l.order_id, l.line, l.product, l.quantity, l.net
      from (select distinct order_id, erp_order, product from unnamed) g
      join ${ours} l on l.order_id = g.order_id and l.product = g.product
     where not exists (select 1 from ${rows} n
                        where n.order_id = g.order_id and n.erp_order = g.erp_order
                          and n.web_order_line = l.line)),
  same_place as materialized (
    select ${PAIR} from unnamed r
      join free l on ${SAME_PRODUCT} and l.line = r.erp_order_line and l.quantity = r.quantity),
  same_quantity as materialized (
    select ${PAIR} from (${numbered("unnamed", "erp_order_line", ["same_place"])}) r
      join (${numbered("free", "line", ["same_place"])}) l
        on ${SAME_PRODUCT} and l.quantity = r.quantity and l.nth = r.nth),
  same_number as materialized (
    select ${PAIR} from (${left("unnamed", "erp_order_line", EXACT)}) r
      join (${left("free", "line", EXACT)}) l
        on ${SAME_PRODUCT} and l.line = r.erp_order_line and l.all_left <> r.all_left),
  pairs as materialized (
    select * from same_place union all select * from same_quantity
    union all select * from same_number),
  theirs_left as (
    select r.*, sum(quantity) over (${IN_ORDER("erp_order_line")}) - quantity as starts,
           sum(quantity) over (${IN_ORDER("erp_order_line")}) as ends
      from unnamed r where not exists (${isPaired("erp_order_line", "pairs")})),
  room as (
    select r.*, greatest(0, r.quantity - coalesce(p.takes, 0)) as room
      from free r
      left join pairs p on p.order_id = r.order_id and p.erp_order = r.erp_order
       and p.line = r.line),
  ours_left as (
    select r.*, sum(room) over (${IN_ORDER("line")}) - room as starts,
           case when lead(line) over (${IN_ORDER("line")}) is null then 'Infinity'::numeric
                else sum(room) over (${IN_ORDER("line")}) end as ends
      from room r),
  shares as (
    select order_id, erp_order, erp_order_line, line, 0::numeric as starts, takes,
           true as is_last, takes as weight
      from pairs
    union all
    select r.order_id, r.erp_order, r.erp_order_line, l.line,
           greatest(r.starts, l.starts) - r.starts,
           least(r.ends, l.ends) - greatest(r.starts, l.starts), r.ends <= l.ends,
           (least(r.ends, l.ends) - greatest(r.starts, l.starts)) * l.net / l.quantity
      from theirs_left r
      join ours_left l on ${SAME_PRODUCT} and greatest(r.starts, l.starts) < least(r.ends, l.ends))`;

/** In SQL: of an amount of a whole line of the ERP, what is of the share `x` of it. */
export const ofShare = (amount: string): string =>
  `greatest(0, case when x.is_last then ${amount} - x.starts
                    else least(${amount} - x.starts, x.takes) end)`;

/**
 * In SQL: of an amount, what comes upon a row that has so much room for it, in their order; the
 * last one takes what is beyond.
 */
export function spreadOver(
  amount: string,
  room: string,
  { among, order }: { readonly among: string; readonly order: string },
): string {
  const own = `greatest(0, ${room})`;
  const inOrder = `partition by ${among} order by ${order}`;
  const rest = `greatest(0, coalesce(${amount}, 0) - (sum(${own}) over (${inOrder}) - ${own}))`;
  return `case when lead(${order}) over (${inOrder}) is null then ${rest}
               else least(${rest}, ${own}) end`;
}

const PAIR = "r.order_id, r.erp_order, r.erp_order_line, l.line, r.quantity as takes";

const SAME_PRODUCT = `l.order_id = r.order_id and l.erp_order = r.erp_order
   and l.product = r.product`;

const EXACT = ["same_place", "same_quantity"];

const isPaired = (key: string, pairs: string): string =>
  `select 1 from ${pairs} p where p.order_id = r.order_id and p.erp_order = r.erp_order
      and p.${key} = r.${key}`;

const unpaired = (relation: string, key: string, pairs: readonly string[]): string =>
  `from ${relation} r where ${pairs.map((each) => `not exists (${isPaired(key, each)})`).join(" and ")}`;

/** Those that are in no pair yet, numbered among those of their product and quantity. */
const numbered = (relation: string, key: string, pairs: readonly string[]): string =>
  `select r.*, row_number() over (partition by order_id, erp_order, product, quantity
                                   order by ${key}) as nth ${unpaired(relation, key, pairs)}`;

/** Those that are in no pair yet, and what all of their product come to. */
const left = (relation: string, key: string, pairs: readonly string[]): string =>
  `select r.*, sum(quantity) over (partition by order_id, erp_order, product) as all_left
     ${unpaired(relation, key, pairs)}`;

const IN_ORDER = (key: string): string =>
  `partition by order_id, erp_order, product order by ${key}`;
