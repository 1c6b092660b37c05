/** The papers of an order: despatch notes from the ERP, invoices and credit notes from sales. */
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { ERP_LINES } from "./fulfilment.ts";

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
    readonly net: string;
    /** How it is known to be of this order. */
    readonly evidence: string;
  })[];
}

/** Oldest first. */
export async function despatchesOf(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<OrderDespatch[]> {
  return on.query<OrderDespatch>(
    `with erp_lines as (${ERP_LINES})
     select d.despatch, d.despatched_on as "despatchedOn", d.carrier, d.tracking,
            jsonb_agg(jsonb_build_object('line', known.line, 'product', l.product,
                      'quantity', trim_scale(l.quantity)::text) order by l.line) as lines
       from despatch_line l
       join despatch d on d.company = l.company and d.despatch = l.despatch
       left join lateral (
         select min(x.line) as line from erp_lines x
          where x.erp_order = l.erp_order
            and (x.erp_order_line = l.erp_order_line
                 or l.erp_order_line is null and x.product = l.product)
         having count(*) = 1) known on true
      where l.company = $1 and l.erp_order in (select erp_order from erp_lines)
      group by d.despatch, d.despatched_on, d.carrier, d.tracking
      order by d.despatched_on, d.despatch`,
    [company, id],
  );
}
