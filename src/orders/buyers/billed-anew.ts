/**
 * Credit notes that say nothing of goods that came back: a wrong invoice is taken back as a whole,
 * and charged anew.
 */
import { decimal } from "../../model/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { InvoiceLine } from "./invoice.ts";
import type { ReturnRow } from "./return-store.ts";

type Invoice = Pick<ReturnRow, "company" | "account" | "invoice">;

/**
 * Numbers of those that take back all of an invoice: where returns ask for less than that, and
 * where a later invoice, or one of that day that was not here before, charges the same goods again.
 */
export async function billedAnew(
  on: Queryable,
  { company, account, invoice }: Invoice,
  lines: readonly InvoiceLine[],
): Promise<ReadonlySet<string>> {
  const whole = wholeNotes(lines);
  if (whole.length === 0 || !areAllAsked(lines)) return new Set(whole);
  const again = await on.query<{ document: string }>(CHARGED_AGAIN, [
    company,
    account,
    invoice,
    whole,
  ]);
  return new Set(again.map(({ document }) => document));
}

/** By number, the credit notes that leave nothing of any line. */
function wholeNotes(lines: readonly InvoiceLine[]): string[] {
  const notes = new Set(lines.flatMap(({ credits }) => credits.map(({ document }) => document)));
  return [...notes].filter((note) =>
    lines.every(({ quantity, credits }) => {
      const own = credits.filter(({ document }) => document === note);
      return isAtLeast(decimal.sum(own.map((one) => one.quantity)), quantity);
    }),
  );
}

/** By returns that are not refused. */
function areAllAsked(lines: readonly InvoiceLine[]): boolean {
  return lines.every(({ quantity, asked, returned }) =>
    isAtLeast(decimal.add(decimal.parse(asked), decimal.parse(returned)), quantity),
  );
}

function isAtLeast(all: decimal.Decimal, quantity: string): boolean {
  return decimal.compare(all, decimal.parse(quantity)) >= 0;
}

const goodsOf = (paper: string): string => `(
  select jsonb_object_agg(product, quantity order by product)
    from (select coalesce(product, '') as product, trim_scale(sum(quantity)) as quantity
            from sales_line
           where company = ${paper}.company and document_type = ${paper}.document_type
             and document = ${paper}.document and line_class = 'goods'
           group by 1) goods)`;

/** Of the credit notes $4 of the invoice $3: an invoice of its order, or of none, is the same. */
const CHARGED_AGAIN = `
  select distinct c.document
    from sales_document c
    join sales_document own on own.company = c.company and own.document_type = 'invoice'
     and own.document = $3
    join sales_document i on i.company = c.company and i.document_type = 'invoice'
     and i.account = c.account and i.document <> own.document
     and (i.document_on > c.document_on
          or i.document_on = c.document_on and i.learned_at >= c.learned_at)
     and (i.web_order = own.web_order
          or coalesce(i.web_order, '') = ''
             and coalesce(i.erp_order, '') in ('', coalesce(own.erp_order, '')))
   where c.company = $1 and c.document_type = 'credit' and c.account = $2
     and c.document = any($4) and ${goodsOf("c")} = ${goodsOf("i")}`;
