/** The ledger's lines as they stand, for what is worked out from them set by set. */

/**
 * One row a document line that stands: (company, document_type, document, line, posting, batch,
 * source, account, document_on, channel, line_class, product, product_group, quantity, unit_price,
 * net, vat, currency, branch, web_order, erp_order, credits_document, credits_line). Quantity, net
 * and VAT are positive on both types, as documents show them. What lines leave unanalysed is not
 * among them.
 */
export const STANDING_LINES = `
  (select p.company, p.document_type, p.document, p.line, p.id as posting, p.batch, p.source,
          p.account, p.document_on, p.channel, p.line_class, p.product, p.product_group,
          turned.sign * p.quantity as quantity, p.unit_price, turned.sign * p.net as net,
          turned.sign * p.vat as vat, p.currency, p.branch, p.web_order, p.erp_order,
          p.credits_document, p.credits_line
     from sales_line_state s
     -- The posting's id says it all; the rest lets the planner start from either side.
     join sales_posting p on p.company = s.company and p.id = s.posting
      and p.document_type = s.document_type and p.document = s.document and p.line = s.line
     cross join lateral (
       select case p.document_type when 'credit' then -1 else 1 end as sign) turned
    where s.line > 0)`;

/** Documents of which something was posted: (company, document_type, document, batch). */
export const POSTED_DOCUMENTS = `
  (select company, document_type, document, batch from sales_posting where line > 0)`;
