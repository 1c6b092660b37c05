/** How the ERP's own orders end: what did not come of them then will not come. */
import { bearing } from "./same-number.ts";

/** What an ERP writes of one moment goes into several files, and they are pulled one by one. */
const FILES_WITHIN = "interval '1 hour'";

/** Between the first and the last of them in one pull, which may be that of the lines. */
const PULLED_WITHIN = "interval '1 minute'";

/** Invoices are made in runs of their own, and over a long weekend there may be none. */
const INVOICES_WITHIN = "interval '4 days'";

const SINCE = `$3::timestamptz - ${INVOICES_WITHIN}`;

/** Of the order there: what came of it, or was charged. */
const LATE_THERE = [
  ["sales_document", "e.document_type = 'invoice'"],
  ["sales_line", "e.document_type = 'invoice'"],
  ["despatch_line", "true"],
]
  .map(
    ([table, isOne]) => `
      select x.id, x.erp_order from headers x
        join ${table} e on e.company = $1 and e.erp_order = x.erp_order
       where ${isOne} and e.learned_at > ${SINCE}`,
  )
  .join(" union ");

const LATE_HERE = bearing("orders", "sales_document", {
  columns: "o.id",
  where: `e.document_type = 'invoice' and e.learned_at > ${SINCE}`,
});

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
         lines.erp_order is not null as is_read,
         h.state = 'cancelled' or h.state = 'complete' and case
           when lines.tell
           then lines.learned_at >= h.learned_at - ${PULLED_WITHIN}
                or h.learned_at <= $3::timestamptz - ${FILES_WITHIN}
           else h.learned_at <= ${SINCE} and came.order_id is not null
                and there.id is null and here.id is null end as is_over
    from headers h
    join orders own on own.id = h.id
    left join (
      select erp_order, max(learned_at) as learned_at,
             bool_or(greatest(despatched_quantity, invoiced_quantity) > 0) as tell
        from erp_order_line where company = $1 and erp_order in (select erp_order from headers)
       group by 1) lines on lines.erp_order = h.erp_order
    left join (
      select order_id from web_order_line
       where company = $1 and order_id in (select id from headers)
         and greatest(invoiced_quantity, despatched_quantity) > 0
       group by 1) came on came.order_id = h.id
    left join (${LATE_THERE}) there on there.id = h.id and there.erp_order = h.erp_order
    left join (${LATE_HERE}) here on here.id = h.id`;
