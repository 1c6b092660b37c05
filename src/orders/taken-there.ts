/** Orders that the ERP took, as they stand here: what is looked for there. */
import type { Queryable } from "../store/index.ts";
import type { OrdersContext } from "./context.ts";
import { bears } from "./same-number.ts";

/** An order that the ERP had accepted. */
export interface KnownOrder {
  readonly id: string;
  readonly order: string;
  readonly erpOrder: string;
  readonly account: string;
  readonly net: string;
  readonly acceptedAt: Temporal.Instant;
}

export interface GoneOrder extends KnownOrder {
  /** "BRICK: 1 despatched of 2", as was known before; null: nothing of it had moved. */
  readonly cameOfIt: string | null;
}

const SAME_NUMBER = bears("e.web_order");

/**
 * In SQL: the order number of "o" was given anew: the ERP's order of that number bears another one
 * of ours than "o", or none and is another account's.
 */
export const isGivenAnew = (row: string): string =>
  `(case when coalesce(${row}.web_order, '') = '' then ${row}.account <> o.account
    else not ${bears(`${row}.web_order`)} end)`;

/** Or "n", which came after "o", has it. */
export const HAS_IT = `(n.id > o.id and n.state in ('accepted', 'confirmed', 'conflict'))`;

/** It stands there; or it is a conflict, and may be one because its number was given anew. */
const STOOD = `(o.state in ('accepted', 'confirmed') or o.state = 'conflict'
    and (exists (select 1 from erp_order e
           where e.company = o.company and e.erp_order = o.erp_order and ${isGivenAnew("e")})
      or exists (select 1 from web_order n
           where n.company = o.company and n.erp_order = o.erp_order and ${HAS_IT})))`;

/** It is lost, as is known; sent again since, it can be lost once more. */
export const IS_KNOWN_LOST = `exists (select 1 from web_order_lost g where g.company = o.company
    and g.order_id = o.id and g.erp_order = o.erp_order
    and g.decision is distinct from 'send-again')`;

/** In SQL: the ERP says that "o" is cancelled or done. */
const SAID_OVER = `exists (select 1 from erp_order e where e.company = o.company
    and e.erp_order = o.erp_order and ${SAME_NUMBER} and e.state in ('cancelled', 'complete'))`;

const anyLine = (which: string) => `exists (select 1 from web_order_line l
    where l.company = o.company and l.order_id = o.id and ${which})`;

/** Of the line "l". */
const MOVED = "(l.despatched_quantity > 0 or l.invoiced_quantity > 0 or l.cancelled_quantity > 0)";

/** In SQL, newest first: orders that it had; "t" is when it took them last. $1 the company. */
const orders = ({
  among,
  where,
  more = "",
}: Record<"among" | "where", string> & { more?: string }) => `
  with standing as materialized (
    select o.* from web_order o
     where o.company = $1 and not o.test and ${STOOD} and o.erp_order is not null and ${among}
       and not ${IS_KNOWN_LOST})
  select o.id, o.number as "order", o.erp_order as "erpOrder", o.account, o.net,
         t.at as "acceptedAt"${more}
    from standing o
    cross join lateral (select max(e.at) as at from web_order_event e
           where e.company = o.company and e.order_id = o.id
             and e.to_state in ('accepted', 'confirmed')
             and coalesce(e.from_state, '') not in ('accepted', 'confirmed')) t
   where ${where}
   order by t.at desc, o.id desc`;

/**
 * What was cancelled or finished there may vanish rightly, and what was decided on after it was
 * lost is known to. Of an order of which nothing moved all is open, so that history is not looked
 * through.
 */
const KNOWN = orders({
  among: `o.open_account is not null and not ${SAID_OVER} and not ${anyLine(MOVED)}`,
  where: "t.at <= $2",
});

/** A search may lag: what was accepted less long ago is not looked for. */
const SETTLED_MINUTES = 5;

export async function knownOrders({
  store,
  company,
  now,
}: OrdersContext): Promise<readonly KnownOrder[]> {
  return store.query<KnownOrder>(KNOWN, [company, now().subtract({ minutes: SETTLED_MINUTES })]);
}

const toldOf = (column: string, word: string) =>
  `case when l.${column} > 0 then trim_scale(l.${column}) || ' ${word}' end`;

/** In SQL, of the order "o": see `cameOfIt`. */
export const CAME_OF_IT = `(
  select string_agg(l.product || ': ' || concat_ws(', ',
           ${toldOf("despatched_quantity", "despatched")}, ${toldOf("invoiced_quantity", "invoiced")},
           ${toldOf("cancelled_quantity", "cancelled")}) || ' of ' || trim_scale(l.quantity),
         '; ' order by l.line)
    from web_order_line l
   where l.company = o.company and l.order_id = o.id and ${MOVED})`;

/** "BRICK: 1 despatched of 2"; null: nothing of the order has moved. */
export async function cameOfIt(
  on: Queryable,
  company: string,
  order: string,
): Promise<string | null> {
  const [row] = await on.query<{ says: string | null }>(
    `select ${CAME_OF_IT} as says from web_order o where o.company = $1 and o.id = $2`,
    [company, order],
  );
  return row?.says ?? null;
}

/**
 * All that it took after the order that stands, moved or not. Nothing of what was cancelled is
 * missed; what is done is archived in time, and counts from the oldest that is known to be gone.
 */
const SINCE = orders({
  among: `${anyLine("l.quantity > l.cancelled_quantity")}
    and not exists (select 1 from erp_order e where e.company = o.company
          and e.erp_order = o.erp_order and ${SAME_NUMBER} and e.state = 'cancelled')`,
  where: `(t.at, o.id) > ($2::timestamptz, $3::uuid)
    and ((t.at, o.id) >= ($4::timestamptz, $5::uuid)
      or not ${SAID_OVER} and ${anyLine(
        "l.quantity > l.cancelled_quantity + greatest(l.despatched_quantity, l.invoiced_quantity)",
      )})`,
  more: `, ${CAME_OF_IT} as "cameOfIt"`,
});

/** Newest first. `standing`: the order that stands; `oldest`: that is known to be gone. */
export function takenSince(
  on: Queryable,
  company: string,
  { standing, oldest }: Record<"standing" | "oldest", KnownOrder>,
): Promise<readonly GoneOrder[]> {
  return on.query<GoneOrder>(SINCE, [
    company,
    standing.acceptedAt,
    standing.id,
    oldest.acceptedAt,
    oldest.id,
  ]);
}
