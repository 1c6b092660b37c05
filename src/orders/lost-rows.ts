/** Rows of an ERP that was restored from its backup since. */

/** Learned before the order `o` was lost by that, and is sent again: it is believed no more. */
export const lostRow = (row: string): string => `exists (select 1 from web_order_lost g
  where g.company = o.company and g.order_id = o.id and g.decision = 'send-again'
    and ${row}.learned_at <= g.lost_at)`;
