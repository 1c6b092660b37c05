/** What of an invoice can still come back, from the documents as they were last pulled. */
import type { Queryable } from "../../store/index.ts";

/** A line with goods; quantities in selling units. */
export interface InvoiceLine {
  readonly line: number;
  readonly product: string | null;
  readonly quantity: string;
  readonly net: string;
  readonly vat: string;
  /**
   * By credit notes that name the line; one that names only the invoice counts on each line of its
   * product, since nobody knows which.
   */
  readonly credited: string;
  /** By returns that are neither credited nor refused. */
  readonly asked: string;
}

/** None: the account has no such invoice. */
export async function invoiceLines(
  on: Queryable,
  company: string,
  account: string,
  invoice: string,
): Promise<InvoiceLine[]> {
  return on.query<InvoiceLine>(
    `select l.line, l.product, l.quantity::text as quantity, l.net::text as net, l.vat::text as vat,
            (select coalesce(sum(c.quantity), 0)::text from sales_line c
              where c.company = l.company and c.document_type = 'credit'
                and c.credits_document = l.document
                and (c.credits_line = l.line
                     or (c.credits_line is null and c.product = l.product))) as credited,
            (select coalesce(sum(a.quantity), 0)::text from return_request r
               join return_request_line a on a.company = r.company and a.return_id = r.id
              where r.company = l.company and r.document = l.document and not r.test
                and r.state in ('asked', 'agreed') and a.line = l.line) as asked
       from sales_document d
       join sales_line l on l.company = d.company and l.document_type = d.document_type
        and l.document = d.document
      where d.company = $1 and d.document_type = 'invoice' and d.account = $2 and d.document = $3
        and l.line_class = 'goods'
      order by l.line`,
    [company, account, invoice],
  );
}
