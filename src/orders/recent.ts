/**
 * What a look every minute need not read again: orders that are over, of which nothing was pulled
 * and to which nothing happened for long.
 */
import type { OrdersContext } from "./context.ts";

/** Rows become visible long after the moment that they bear, and clocks differ. */
const SINCE_HOURS = 24;
/** So often everything is looked at all the same. */
const ALL_EVERY_MINUTES = 60;

/** Null: everything is looked at. `done`: it was. */
export interface Span {
  readonly since: Temporal.Instant | null;
  done(): void;
}

/** Of one process: the first look is at everything. */
export function spans({ now }: Pick<OrdersContext, "now">): () => Span {
  let lookedAtAll: Temporal.Instant | null = null;
  return () => {
    const at = now();
    const fresh =
      lookedAtAll !== null && lookedAtAll.until(at).total("minutes") < ALL_EVERY_MINUTES;
    return {
      since: fresh ? at.subtract({ hours: SINCE_HOURS }) : null,
      done: () => {
        if (!fresh) lookedAtAll = at;
      },
    };
  };
}

/**
 * In SQL: true of the order whose id stands in the column when `since`, a parameter, is null, or
 * the order was moved since, or a row of it was learned since.
 */
export const recent = (order: string, since: string): string => `
  (${since}::timestamptz is null or ${order} in (
     select w.id from web_order w where w.company = $1 and w.changed_at >= ${since}
     union all
     select w.id from web_order w
       join (select web_order from erp_order where company = $1 and learned_at >= ${since}
             union select web_order from order_acknowledgement
              where company = $1 and learned_at >= ${since}
             union select web_order from sales_document
              where company = $1 and learned_at >= ${since}) told
         on w.number_folded = lower(told.web_order)
      where w.company = $1
     union all
     select w.id from web_order w
       join (select erp_order from erp_order where company = $1 and learned_at >= ${since}
             union select erp_order from erp_order_line
              where company = $1 and learned_at >= ${since}
             union select erp_order from despatch_line
              where company = $1 and learned_at >= ${since}
             union select erp_order from sales_document
              where company = $1 and learned_at >= ${since}) told
         on w.erp_order = told.erp_order
      where w.company = $1))`;
