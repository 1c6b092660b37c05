/**
 * In SQL: all lines of the invoices and credit notes of an order that anything was credited of, as
 * `PaperLine`s. A document is the order's by its head, or each line by its own; a credit note that
 * names neither is where what it takes back is.
 */

/** The line "x" of a document "d" names no other order than its document does. */
const IS_AS_HEAD = "coalesce(x.erp_order, d.erp_order) is not distinct from d.erp_order";

/** Some ERPs write the sums of credit notes "d" below zero. */
const POSITIVE = `case when d.document_type = 'credit' and (d.net < 0 or d.net = 0 and d.vat < 0)
       then -1 else 1 end`;

/** And some their lines "s", together, the other way round than their sums. */
const AS_HEAD = `case when d.document_type = 'credit' and d.net <> 0 and s.net = -d.net
       then -1 else 1 end`;

/** Null: nothing of the order "o" is credited. `named`: its number stands on the document "d". */
export const creditedPapers = (named: string): string => `
  case when o.credited_net <> 0 or o.credited_vat <> 0 then (
    with named as (
      select d.document_type, d.document from sales_document d
       where d.company = o.company and ${named}),
    own as (
      select x.document_type, x.document, x.line from named n
        join sales_document d on d.company = o.company and d.document_type = n.document_type
         and d.document = n.document
        join sales_line x on x.company = o.company and x.document_type = n.document_type
         and x.document = n.document and ${IS_AS_HEAD}
      union
      select document_type, document, line from sales_line
       where company = o.company and erp_order = o.erp_order),
    every as (
      select * from own
      union
      select x.document_type, x.document, x.line from own i
        join sales_line x on x.company = o.company and x.document_type = 'credit'
         and x.credits_document = i.document and coalesce(x.credits_line, i.line) = i.line
        join sales_document d on d.company = o.company and d.document_type = 'credit'
         and d.document = x.document
       where i.document_type = 'invoice' and coalesce(d.web_order, '') = ''
         and coalesce(x.erp_order, d.erp_order) is null),
    sums as (
      select x.document_type, x.document, sum(x.net) as net, sum(x.vat) as vat,
             bool_and((x.document_type, x.document, x.line)
                      in (select document_type, document, line from every)) as is_alone,
             case when count(x.credits_document) = count(*)
                   and count(distinct x.credits_document) = 1
                  then min(x.credits_document) end as credits
        from sales_line x
       where x.company = o.company
         and (x.document_type, x.document) in (select document_type, document from every)
       group by 1, 2),
    documents as (
      select d.document_type, d.document, d.net, d.vat, ${POSITIVE} as positive,
             ${AS_HEAD} as as_head, s.net as lines_net, s.vat as lines_vat, s.is_alone, s.credits
        from sums s join sales_document d on d.company = o.company
         and d.document_type = s.document_type and d.document = s.document),
    lines as (
      select e.*, x.credits_document as credits, x.product, d.positive * d.as_head as positive,
             x.quantity, x.net, x.vat
        from every e join documents d using (document_type, document)
        join sales_line x on x.company = o.company
         and x.document_type = e.document_type and x.document = e.document and x.line = e.line
      union all
      -- What stands on the head alone, as carriage and VAT may.
      select document_type, document, 0, credits, null, positive, 0,
             net - as_head * lines_net, vat - as_head * lines_vat
        from documents
       where is_alone and (net, vat) <> (as_head * lines_net, as_head * lines_vat))
    select jsonb_agg(jsonb_build_object('kind', document_type, 'document', document,
             'credits', credits, 'product', product, 'quantity', (positive * quantity)::text,
             'net', (positive * net)::text, 'vat', (positive * vat)::text)
             order by document_type, document, line)
      from lines) end`;
