/** How the ERP's own orders end: what did not come of them then will not come. */
import { bears } from "./same-number.ts";

/** What an ERP writes of one moment goes into several files, and they are pulled one by one. */
const FILES_WITHIN = "interval '1 hour'";

/** Between the first and the last of them in one pull, which may be that of the lines. */
const PULLED_WITHIN = "interval '1 minute'";

/** Invoices are made in runs of their own, and over a long weekend there may be none. */
const INVOICES_WITHIN = "interval '4 days'";

const INVOICE = "p.document_type = 'invoice'";

/**
 * In SQL: (order_id, erp_order, is_its_own, is_over, is_read) of the relation `headers`, `orders`
 * being ours; `is_its_own`: by that number the order is known there. $1 is the company, $3 now. One
 * that is cancelled is over. One that is complete is once it is known what came of it: its lines
 * tell, where they tell of anything and were pulled with its end; where they tell of nothing, its
 * papers do, once there was one and no other came for as long as the next invoices may take.
 * Nothing is known where nothing came: then an end may be told before all that was done.
 */
export const ERP_ENDS = `
  select h.id as order_id, h.erp_order, h.erp_order = own.erp_order as is_its_own,
         lines.are_read as is_read,
         h.state = 'cancelled' or h.state = 'complete' and case
           when lines.tell
           then lines.learned_at >= h.learned_at - ${PULLED_WITHIN}
                or h.learned_at <= $3::timestamptz - ${FILES_WITHIN}
           else h.learned_at <= $3::timestamptz - ${INVOICES_WITHIN}
                and exists (select 1 from web_order_line l
                             where l.company = $1 and l.order_id = h.id
                               and greatest(l.invoiced_quantity, l.despatched_quantity) > 0)
                and not exists (${papersSince(`$3::timestamptz - ${INVOICES_WITHIN}`)}) end as is_over
    from headers h
    join orders own on own.id = h.id
    cross join lateral (
      select count(*) > 0 as are_read, max(el.learned_at) as learned_at,
             coalesce(bool_or(greatest(el.despatched_quantity, el.invoiced_quantity) > 0), false)
               as tell
        from erp_order_line el where el.company = $1 and el.erp_order = h.erp_order) lines`;

/** Of the order `h` there, or of `own`: what came of it, or was charged. */
function papersSince(moment: string): string {
  const names = [
    ["sales_document", `${INVOICE} and p.erp_order = h.erp_order`],
    ["sales_document", `${INVOICE} and ${bears("p.web_order", "own.number")}`],
    ["sales_line", `${INVOICE} and p.erp_order = h.erp_order`],
    ["despatch_line", "p.erp_order = h.erp_order"],
  ] as const;
  return names
    .map(
      ([table, isOfIt]) =>
        `select 1 from ${table} p where p.company = $1 and ${isOfIt} and p.learned_at > ${moment}`,
    )
    .join(" union all ");
}
