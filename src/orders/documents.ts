/** The papers of an order: despatch notes from the ERP, invoices and credit notes from sales. */
import type { Queryable } from "../store/index.ts";
import { byOrder } from "./book.ts";
import { erpLines, notedLines } from "./erp-lines.ts";

export interface DocumentLine {
  /** Line of the order; null: of the order, and of none of its lines (a substitute, a charge). */
  readonly line: number | null;
  readonly product: string | null;
  /** Selling units. */
  readonly quantity: string;
}

export interface OrderDespatch {
  readonly despatch: string;
  /** ISO date. */
  readonly despatchedOn: string;
  readonly carrier: string | null;
  readonly tracking: string | null;
  readonly lines: readonly DocumentLine[];
}

export interface OrderInvoice {
  readonly kind: "invoice" | "credit";
  readonly document: string;
  /** ISO date. */
  readonly documentOn: string;
  /** Of the whole document, which may be of other orders, too; positive on both kinds. */
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
  readonly currency: string;
  readonly lines: readonly (DocumentLine & {
    /** What the document says of it, else what it is (carriage); null: neither. */
    readonly about: string | null;
    readonly net: string;
    readonly vat: string;
    /** How it is known to be of this order. */
    readonly evidence: string;
  })[];
}

/** By order, oldest first. */
export async function despatchesOf(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly OrderDespatch[]>> {
  const rows = await on.query<OrderDespatch & { readonly order: string }>(
    `with orders as (
       select * from web_order where company = $1 and id = any($2::uuid[]) and not test),
     erp_lines as (${erpLines("orders")}),
     erp_orders as (select distinct order_id, erp_order from erp_lines),
     noted as (${notedLines("orders")}),
     by_line as (
       select order_id, erp_order, erp_order_line, min(line) as line from erp_lines
        group by 1, 2, 3 having count(*) = 1),
     by_product as (
       select order_id, erp_order, product, min(line) as line from erp_lines
        group by 1, 2, 3 having count(*) = 1),
     of_notes as (
       select o.order_id, l.despatch, l.line as despatch_line, l.product, l.quantity,
              coalesce(n.line, p.line) as line
         from erp_orders o
         join despatch_line l on l.company = $1 and l.erp_order = o.erp_order
         left join by_line n on n.order_id = o.order_id and n.erp_order = l.erp_order
          and n.erp_order_line = l.erp_order_line
         left join by_product p on p.order_id = o.order_id and p.erp_order = l.erp_order
          and p.product = l.product and l.erp_order_line is null
       union all
       select order_id, despatch, despatch_line, product, quantity, line from noted)
     select o.order_id as "order", d.despatch, d.despatched_on as "despatchedOn", d.carrier,
            d.tracking,
            jsonb_agg(jsonb_build_object('line', o.line, 'product', o.product,
                      'quantity', trim_scale(o.quantity)::text) order by o.despatch_line) as lines
       from of_notes o
       join despatch d on d.company = $1 and d.despatch = o.despatch
      group by o.order_id, d.despatch, d.despatched_on, d.carrier, d.tracking
      order by o.order_id, d.despatched_on, d.despatch`,
    [company, orders],
  );
  return byOrder(rows);
}
