/** Invoices and credit notes of web orders, each with the lines that belong to it. */
import type { OrderInvoice } from "../orders/index.ts";
import type { Queryable } from "../store/index.ts";

/**
 * By number of the order, oldest first; amounts are positive on both kinds, as the documents show
 * them.
 */
export async function orderDocuments(
  on: Queryable,
  company: string,
  webOrders: readonly string[],
): Promise<ReadonlyMap<string, readonly OrderInvoice[]>> {
  const rows = await on.query<OrderInvoice & { readonly webOrder: string }>(
    `select k.web_order as "webOrder", d.document_type as kind, d.document, d.document_on as "documentOn",
            d.net::text as net, d.vat::text as vat, d.gross::text as gross, d.currency,
            jsonb_agg(jsonb_build_object('line', nullif(k.web_order_line, 0),
                      'product', l.product,
                      'about', coalesce(l.description, nullif(l.line_class, 'goods')), 'quantity', trim_scale(k.quantity)::text,
                      'net', k.net::text,
                      'vat', coalesce(round(l.vat * k.quantity / nullif(l.quantity, 0), 2),
                                      l.vat, 0)::numeric(18, 2)::text,
                      'evidence', k.evidence)
                      order by k.line, k.web_order_line) as lines
       from order_invoice_link k
       join sales_document d on d.company = k.company and d.document_type = k.document_type
        and d.document = k.document
       left join sales_line l on l.company = k.company and l.document_type = k.document_type
        and l.document = k.document and l.line = k.line
      where k.company = $1 and k.web_order = any($2::text[])
      group by k.web_order, d.document_type, d.document, d.document_on, d.net, d.vat, d.gross, d.currency
      order by k.web_order, d.document_on, d.document`,
    [company, webOrders],
  );
  const found = new Map<string, OrderInvoice[]>();
  for (const { webOrder, ...document } of rows)
    found.set(webOrder, [...(found.get(webOrder) ?? []), document]);
  return found;
}
