/** Which of the ERP's invoices an order came on. */
import { bears } from "./same-number.ts";

/** In SQL: no other web order, that stands, is the same order of the ERP as "o". */
export const ITS_ALONE = `not exists (select 1 from web_order y where y.company = o.company
    and y.id <> o.id and y.erp_order = o.erp_order and y.state not in ('refused', 'cancelled'))`;

/** In SQL: an invoice "d" names the web order, or the ERP order that it was taken as. */
export const NAMED = `(${bears("d.web_order")}
    or d.erp_order = o.erp_order and coalesce(d.web_order, '') = '' and ${ITS_ALONE})`;

/**
 * In SQL: on so many invoices the order "o" came. One may name it on its lines alone, as those that
 * are for several orders do.
 */
export const INVOICES = `(select count(*) from (
    select d.document from sales_document d
     where d.company = o.company and d.document_type = 'invoice' and ${NAMED}
    union
    select x.document from sales_line x
     where x.company = o.company and x.document_type = 'invoice' and x.erp_order = o.erp_order
       and ${ITS_ALONE}
  ) paper)`;
