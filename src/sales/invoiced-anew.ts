/**
 * Goods of web orders that were credited and invoiced once more, as an invoice that was wrong is:
 * a credit note of just what an invoice until then had of a product, and as much of that on other
 * invoices of its day or later. Goods that came back and were followed by as many look the same.
 */
import type { InvoicedAnew } from "../orders/index.ts";
import type { Queryable } from "../store/index.ts";

/** One that takes off less than half of the price takes nothing back; one invoice proves no two. */
const ANEW = `
  with papers as materialized (
    select k.web_order, l.product, k.document_type, k.document, d.document_on,
           sum(k.quantity) as quantity, sum(k.net) as net
      from order_invoice_link k
      join sales_line l on l.company = k.company and l.document_type = k.document_type
       and l.document = k.document and l.line = k.line
      join sales_document d on d.company = k.company and d.document_type = k.document_type
       and d.document = k.document
     where k.company = $1 and k.web_order = any($2) and l.product is not null
     group by 1, 2, 3, 4, 5)
  select c.web_order as "webOrder", c.product,
         least(sum(c.quantity), max(anew.quantity))::text as quantity
    from papers c
    cross join lateral (
      select max(later.quantity) as quantity from papers i
        cross join lateral (
          select sum(r.quantity) as quantity from papers r
           where r.web_order = c.web_order and r.product = c.product
             and r.document_type = 'invoice' and r.document_on >= c.document_on
             and r.document <> i.document) later
       where i.web_order = c.web_order and i.product = c.product
         and i.document_type = 'invoice' and i.document_on <= c.document_on
         and i.quantity = c.quantity and 2 * c.net >= i.net) anew
   where c.document_type = 'credit' and anew.quantity >= c.quantity
   group by 1, 2`;

export async function invoicedAnew(
  on: Queryable,
  company: string,
  webOrders: readonly string[],
): Promise<InvoicedAnew[]> {
  return on.query<InvoicedAnew>(ANEW, [company, webOrders]);
}
