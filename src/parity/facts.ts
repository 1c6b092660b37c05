/**
 * Lines that the ERP charged, with what decides their price: dates of the order, of despatch and of
 * the invoice, the quantity that was ordered, and for a credit the line that it corrects.
 */
import { STANDING_LINES } from "../sales/index.ts";

/** Quantity and money are positive on both document types. */
export interface ChargedLine {
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  readonly source: string;
  readonly account: string;
  readonly documentOn: string;
  readonly channel: string;
  readonly lineClass: string;
  readonly product: string | null;
  readonly productGroup: string | null;
  readonly branch: string | null;
  readonly quantity: string;
  /** Per pricing unit, before the line's discount. */
  readonly unitPrice: string;
  readonly discountPercent: string;
  /** Null: only its price is known, as the ERP named it when it was asked. */
  readonly net: string | null;
  readonly vat: string;
  readonly vatCode: string | null;
  readonly currency: string;
  /** Null: not known. Of a credit, those of the line that it corrects. */
  readonly orderedOn: string | null;
  readonly despatchedOn: string | null;
  /** Of the document; of a credit, of the invoice that it corrects where that is known. */
  readonly invoicedOn: string;
  /** Selling units of the order's line; null: not known. */
  readonly orderedQuantity: string | null;
  /** Of all invoice lines of the order's line: how many, their quantity and net. */
  readonly parts: number;
  readonly partsQuantity: string | null;
  readonly partsNet: string | null;
  /** Invoice that a credit corrects, named by it or found by its price; null: none. */
  readonly credited: string | null;
  /** Selling units of the line that it corrects; null: not known. */
  readonly creditedQuantity: string | null;
}

/** Of these documents every line that stands; $1 company, $2 document types, $3 documents. */
export const CHARGED = `
  with due as materialized (
     select * from unnest($2::text[], $3::text[]) as given (document_type, document)),
   standing as materialized (
     select s.* from due d join ${STANDING_LINES} s on s.company = $1
        and s.document_type = d.document_type and s.document = d.document),
   lines as materialized (
     select s.*, l.discount_percent, l.vat_code, l.erp_order as line_erp_order, l.erp_order_line,
            -- What a credit corrects: named, or the last invoice line of that price before it.
            coalesce(s.credits_document, found.document) as corrects_document,
            coalesce(s.credits_line, found.line) as corrects_line
       from standing s
       left join sales_line l on l.company = $1 and l.document_type = s.document_type
        and l.document = s.document and l.line = s.line
       left join lateral (
         select x.document, x.line from sales_document h
           join sales_line x on x.company = $1 and x.document_type = 'invoice'
            and x.document = h.document
          where s.document_type = 'credit' and s.credits_document is null
            and s.product is not null
            and h.company = $1 and h.account = s.account and h.document_type = 'invoice'
            and h.document_on between s.document_on - 120 and s.document_on
            and x.product = s.product and x.unit_price = s.unit_price
            and x.discount_percent = l.discount_percent
          order by h.document_on desc, x.document desc, x.line limit 1) found on true),
   based as materialized (
     select l.*, i.document_on as corrects_on, i.document as credited,
            il.quantity as credited_quantity,
            case when i.document is null then coalesce(l.line_erp_order, l.erp_order)
                 else coalesce(il.erp_order, i.erp_order) end as of_order,
            case when i.document is null then l.erp_order_line else il.erp_order_line end
              as of_order_line
       from lines l
       left join sales_document i on l.document_type = 'credit' and i.company = $1
        and i.document_type = 'invoice' and i.document = l.corrects_document
       left join sales_line il on i.document is not null and il.company = $1
        and il.document_type = 'invoice' and il.document = i.document and il.line = l.corrects_line)
   select b.document_type as "documentType", b.document, b.line, b.source, b.account,
          b.document_on as "documentOn", b.channel, b.line_class as "lineClass", b.product,
          b.product_group as "productGroup", b.branch, b.quantity, b.unit_price as "unitPrice",
          coalesce(b.discount_percent, 0) as "discountPercent", b.net, b.vat, b.vat_code as "vatCode", b.currency,
          e.ordered_on as "orderedOn", sent.despatched_on as "despatchedOn",
          coalesce(b.corrects_on, b.document_on) as "invoicedOn", el.quantity as "orderedQuantity",
          coalesce(parts.parts, 0)::int as parts, parts.quantity as "partsQuantity",
          parts.net as "partsNet", b.credited, b.credited_quantity as "creditedQuantity"
     from based b
     left join erp_order e on e.company = $1 and e.erp_order = b.of_order
     left join erp_order_line el on el.company = $1 and el.erp_order = b.of_order
      and el.line = b.of_order_line
     left join lateral (
       select count(*) as parts, sum(x.quantity) as quantity, sum(x.net) as net
         from sales_line x
        where x.company = $1 and x.document_type = 'invoice' and x.erp_order = b.of_order
          and x.erp_order_line = b.of_order_line) parts on b.of_order_line is not null
     left join lateral (
       select max(h.despatched_on) as despatched_on from despatch_line x
         join despatch h on h.company = $1 and h.despatch = x.despatch
        where x.company = $1 and x.erp_order = b.of_order and x.erp_order_line = b.of_order_line
          and h.despatched_on <= coalesce(b.corrects_on, b.document_on)) sent
       on b.of_order_line is not null
    -- Days of prices together: what holds on a day is worked out once for all of its lines.
    order by coalesce(e.ordered_on, b.corrects_on, b.document_on), b.account, b.document_type,
             b.document, b.line`;
