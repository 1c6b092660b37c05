/** Orders that are not delivered yet and have certain products: what a price round concerns. */
import type { Queryable } from "../store/index.ts";
import { chargedOnce } from "./delivered.ts";

/** Whose lines of which product; null: everybody's. */
export interface OrderedPlace {
  readonly account: string | null;
  readonly product: string;
}

export interface OrderOnTheWay {
  readonly order: string;
  readonly account: string;
  readonly placedAt: Temporal.Instant;
  readonly state: string;
  /** undelivered: the ERP does not have it yet; back order: the ERP has not invoiced all of it. */
  readonly kind: "undelivered" | "back-order";
  /** Lines of these products with something left to invoice, and what is left at their prices. */
  readonly lines: number;
  readonly net: string;
}

/** Placed before the moment, oldest first; test orders are none. */
export async function ordersOnTheWay(
  on: Queryable,
  company: string,
  places: readonly OrderedPlace[],
  before: Temporal.Instant,
): Promise<readonly OrderOnTheWay[]> {
  return on.query<OrderOnTheWay>(
    `with p as materialized (
       select distinct * from unnest($2::text[], $3::text[]) as t(account, product))
     select o.number as "order", o.account, o.received_at as "placedAt", o.state,
            case when o.state in ('handedOver', 'accepted', 'confirmed', 'conflict')
                 then 'back-order' else 'undelivered' end as kind,
            count(*) as lines,
            round(sum(l.net * (l.quantity - ${chargedOnce()} - l.cancelled_quantity)
                      / l.quantity), 2)::text as net
       from web_order o
       join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = $1 and not o.test and o.received_at < $4
        and o.state not in ('refused', 'cancelled', 'shadowed')
        and l.quantity > ${chargedOnce()} + l.cancelled_quantity
        and (l.product in (select product from p where account is null)
             or (o.account, l.product) in (select account, product from p))
      group by o.number, o.account, o.received_at, o.state
      order by o.received_at, o.number`,
    [company, places.map(({ account }) => account), places.map(({ product }) => product), before],
  );
}
