/**
 * ERP orders that are another web order's than the one that is looked at: they bear its number, or
 * it is known there by theirs. An ERP order is that of one web order at most.
 */
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import type { DeliveryState } from "./machine.ts";
import { openAgain } from "./open.ts";
import { bears } from "./same-number.ts";

export interface Owner {
  readonly erpOrder: string;
  /** Of the other web order. */
  readonly number: string;
  readonly state: DeliveryState;
  /** True: the ERP order bears its number; false: an answer or a person gave it that one. */
  readonly isBorne: boolean;
}

/** Whoever has a number in such a state has it for good; in another one nobody has settled it. */
const STANDS: readonly DeliveryState[] = ["accepted", "confirmed"];

export function isSettled({ isBorne, state }: Owner): boolean {
  return isBorne || STANDS.includes(state);
}

/** Of the ERP order numbers those that are others'; one that bears the order's own is its own. */
export async function ownersOf(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
  erpOrders: readonly string[],
): Promise<readonly Owner[]> {
  if (erpOrders.length === 0) return [];
  return on.query<Owner>(
    `with o as (select company, id, number from web_order where company = $1 and id = $2),
     named as (
       select o.id, n.erp_order, e.web_order, coalesce(${bears("e.web_order")}, false) as is_own
         from o cross join unnest($3::text[]) as n (erp_order)
         left join erp_order e on e.company = o.company and e.erp_order = n.erp_order)
     select n.erp_order as "erpOrder", x.number, x.state, true as "isBorne"
       from named n
       join web_order x on x.company = $1 and x.number_folded = lower(n.web_order)
      where not n.is_own and x.id <> n.id and not x.test
     union all
     select n.erp_order, x.number, x.state, false
       from named n
       join web_order x on x.company = $1 and x.erp_order = n.erp_order
      where not n.is_own and x.id <> n.id and not x.test
        and x.number_folded is distinct from lower(n.web_order)
        and x.state not in ('refused', 'cancelled')
      order by 1, 4 desc, 2`,
    [company, id, [...new Set(erpOrders)]],
  );
}

/**
 * In SQL: the ERP order `row` is another web order's than `o`, or nobody has settled which of them
 * it is: then it counts for neither.
 */
export const isAnothers = (row: string): string => `(
  exists (select 1 from web_order x
           where x.company = o.company and x.number_folded = lower(${row}.web_order)
             and x.id <> o.id and not x.test)
  or not o.settled ? ${row}.erp_order and exists (
       select 1 from web_order x
        where x.company = o.company and x.erp_order = ${row}.erp_order
          and x.id <> o.id and not x.test and x.state not in ('refused', 'cancelled')))`;

/** In SQL: the row is of the account of `o`, or of its head office. */
export const isOwnAccount = (row: string): string => `(${row}.account = o.account or exists (
    select 1 from customer c where c.company = o.company and c.account = o.account
       and c.head_office = ${row}.account))`;

/**
 * True: its number in the ERP is that of another web order, or of an order of another customer's
 * that bears no number of ours, as staff key them.
 */
export async function isOthers(on: Queryable, order: OrderRow): Promise<boolean> {
  if (order.erpOrder === null) return false;
  if ((await ownersOf(on, order, [order.erpOrder])).length > 0) return true;
  const foreign = await on.query(
    `select 1 from web_order o join erp_order e on e.company = o.company and e.erp_order = $3
      where o.company = $1 and o.id = $2 and coalesce(e.web_order, '') = ''
        and not ${isOwnAccount("e")}`,
    [order.company, order.id, order.erpOrder],
  );
  return foreign.length > 0;
}

/** What was despatched or cancelled of an ERP order that is another's by now was never its own. */
export async function forgetDespatched(
  tx: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<void> {
  await tx.affect(
    `update web_order_line l
        set despatched_quantity = 0, cancelled_quantity = 0
      where l.company = $1 and l.order_id = $2`,
    [company, id],
  );
  await openAgain(tx, company, [id]);
}

/** A conflict over an ERP order that somebody else has as well, or has alone. */
export interface Rival {
  /** The other web order; null: it is one of `account`'s, and bears no number. */
  readonly number: string | null;
  readonly account: string | null;
  /** True: it is the other one's, as far as is known; false: nobody has settled whose it is. */
  readonly stands: boolean;
}

/** What bore our order's number is another's, as far as is known. */
export function isGivenAway(rival: Rival | null): rival is Rival {
  return rival !== null && (rival.stands || rival.account !== null);
}

/** In SQL: the `Rival` of the order `o`; null: it has none. */
export const RIVAL = `(
  select jsonb_build_object('number', x.number, 'account', x.account, 'stands', x.stands)
    from (values (o.erp_order)) there (erp_order)
    left join erp_order e on e.company = o.company and e.erp_order = there.erp_order
    cross join lateral (
      select number, null as account, true as stands from web_order
       where company = o.company and number_folded = lower(e.web_order) and id <> o.id and not test
      union all
      select number, null, state in (${STANDS.map((state) => `'${state}'`).join(", ")})
        from web_order
       where company = o.company and erp_order = there.erp_order and id <> o.id and not test
         and state not in ('refused', 'cancelled')
      union all
      select nullif(e.web_order, ''), e.account, false
       where coalesce(e.web_order, '') <> '' or e.account <> o.account) x
   where not coalesce(${bears("e.web_order")}, false)
   order by x.stands desc, x.account nulls first, x.number limit 1)`;
