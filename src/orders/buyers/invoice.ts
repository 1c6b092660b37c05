/** What of an invoice can still come back, from the documents as they were last pulled. */
import { decimal } from "../../model/index.ts";
import type { Queryable } from "../../store/index.ts";
import {
  creditsOfLines,
  type Awaited,
  type Credited,
  type CreditPaper,
  type InvoicedPaper,
} from "./credits.ts";

/** A line with goods; quantities in selling units. */
export interface InvoiceLine {
  readonly line: number;
  readonly product: string | null;
  readonly quantity: string;
  readonly net: string;
  readonly vat: string;
  /** By credit notes that name the line, its invoice or its order. */
  readonly credited: string;
  /** What makes that, oldest first. */
  readonly credits: readonly Credited[];
  /** By returns that are neither credited nor refused. */
  readonly asked: string;
  /** By returns that are credited. */
  readonly returned: string;
}

/** None: the account has no such invoice. */
export async function invoiceLines(
  on: Queryable,
  company: string,
  account: string,
  invoice: string,
): Promise<InvoiceLine[]> {
  const lines = await on.query<Omit<InvoiceLine, "credited" | "credits">>(
    `select l.line, l.product, l.quantity::text as quantity, l.net::text as net, l.vat::text as vat,
            coalesce(r.asked, 0)::text as asked, coalesce(r.returned, 0)::text as returned
       from sales_document d
       join sales_line l on l.company = d.company and l.document_type = d.document_type
        and l.document = d.document
      cross join lateral (
        select sum(a.quantity) filter (where r.state in ('asked', 'agreed')) as asked,
               sum(a.quantity) filter (where r.state = 'credited') as returned
          from return_request r
          join return_request_line a on a.company = r.company and a.return_id = r.id
         where r.company = l.company and r.document = l.document and not r.test
           and a.line = l.line) r
      where d.company = $1 and d.document_type = 'invoice' and d.account = $2 and d.document = $3
        and l.line_class = 'goods'
      order by l.line`,
    [company, account, invoice],
  );
  const credits = lines.length === 0 ? new Map() : await creditsByLine(on, company, invoice);
  return lines.map((line) => {
    const own: readonly Credited[] = credits.get(line.line) ?? [];
    const credited = decimal.format(decimal.sum(own.map(({ quantity }) => quantity)));
    return { ...line, credits: own, credited };
  });
}

/**
 * The lines of an invoice, and of the other papers of its orders; an order is known by the number
 * that the line or its document names. Oldest first.
 */
const PAPERS = `
  with own as materialized (
    select coalesce(l.erp_order, d.erp_order) as erp_order, d.web_order
      from sales_document d
      join sales_line l on l.company = d.company and l.document_type = d.document_type
       and l.document = d.document
     where d.company = $1 and d.document_type = 'invoice' and d.document = $2),
  papers as materialized (
    select 'invoice' as document_type, $2 as document
    union
    select document_type, document from sales_line
     where company = $1 and erp_order in (select erp_order from own)
    union
    select document_type, document from sales_document
     where company = $1 and erp_order in (select erp_order from own)
    union
    select document_type, document from sales_document
     where company = $1 and web_order in (select web_order from own)),
  every as (
    select document_type, document from papers
    union
    select document_type, document from sales_line
     where company = $1 and document_type = 'credit'
       and credits_document in (select document from papers where document_type = 'invoice'))
  select l.document_type as "documentType", l.document, l.line, l.product,
         l.quantity::text as quantity, l.net::text as net,
         coalesce(l.erp_order, d.erp_order) as "erpOrder",
         l.erp_order_line as "erpOrderLine", d.web_order as "webOrder",
         l.credits_document as "creditsDocument", l.credits_line as "creditsLine",
         d.customer_reference as reference, l.learned_at as "learnedAt"
    from every
    join sales_document d on d.company = $1 and d.document_type = every.document_type
     and d.document = every.document
    join sales_line l on l.company = $1 and l.document_type = every.document_type
     and l.document = every.document and (l.line_class = 'goods' or l.document_type = 'credit')
   order by case when l.document_type = 'credit' then l.learned_at end, d.document_on, l.document,
            l.line`;

async function creditsByLine(
  on: Queryable,
  company: string,
  invoice: string,
): Promise<ReadonlyMap<number, readonly Credited[]>> {
  const papers = await on.query<CreditPaper & { readonly documentType: "invoice" | "credit" }>(
    PAPERS,
    [company, invoice],
  );
  const invoiced: InvoicedPaper[] = papers.filter((one) => one.documentType === "invoice");
  const credits = papers.filter((one) => one.documentType === "credit");
  const awaited = await on.query<Awaited>(AWAITED, [
    company,
    [...new Set(invoiced.map(({ document }) => document))],
    [...new Set(credits.map(({ document }) => document))],
  ]);
  const found = [...creditsOfLines(invoiced, credits, awaited)];
  return new Map(
    found.flatMap(([{ document, line }, own]) => (document === invoice ? [[line, own]] : [])),
  );
}

/**
 * What returns wait for of the invoices $2, in the order in which they were asked for. Those that
 * are credited keep theirs, unless none of the credit notes $3 is what credited them.
 */
const AWAITED = `
  select r.document, l.line, r.number, l.quantity::text as quantity,
         l.credited_before::text as "creditedBefore", r.received_at as "askedAt",
         r.state <> 'asked' as agreed
    from return_request r
    join return_request_line l on l.company = r.company and l.return_id = r.id
   where r.company = $1 and r.document = any($2) and not r.test
     and (r.state in ('asked', 'agreed') or r.state = 'credited' and r.credit_notes ?| $3::text[])
   order by r.id, l.line`;
