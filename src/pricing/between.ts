/**
 * What changes between two moments without anybody doing anything: rules, promotions and
 * quotations that start or stop, and every customer's prices on both sides.
 */
import type { Queryable } from "../store/index.ts";
import { compareGently } from "./compare.ts";
import type { BookComparison, ChangedPlace } from "./compare.ts";
import type { PriceBook } from "./engine/index.ts";
import { countedRules } from "./overlay.ts";

export interface Span {
  /** Dates or moments, ISO. */
  readonly from: string;
  readonly to: string;
  /** How many changes are listed. */
  readonly most: number;
}

/** So many pairs of customers (who pay by the same rules) and products are priced at most. */
const MOST_PRICED = 1_000_000;

export async function effectBetween(
  on: Queryable,
  company: string,
  book: PriceBook,
  { from, to, most }: Span,
): Promise<BookComparison> {
  const places = await on.query<ChangedPlace>(PLACES, [company, from, to, book.timeZone]);
  const options = { onBefore: from, onAfter: to, places, most, mostPriced: MOST_PRICED };
  return compareGently(book, book, options);
}

/** A text without an offset is the start of a day of the company's. */
const MOMENT = (text: string) =>
  `case when ${text} like '%T%' then ${text}::timestamptz
        else ${text}::date::timestamp at time zone $4 end`;

/** Starts are moments that hold, ends those that do not any more. */
function crossed(start: string, end: string): string {
  return `(${start} > span.a and ${start} <= span.b or ${end} > span.a and ${end} <= span.b)`;
}

const DATED = crossed(
  "coalesce(starts_at, valid_from::timestamp at time zone $4)",
  "coalesce(ends_at, (valid_to + 1)::timestamp at time zone $4)",
);

const PLACES = `
  with span as (select ${MOMENT("$2::text")} as a, ${MOMENT("$3::text")} as b)
  select customer_scope as "customerScope", customer_code as "customerCode",
         product_scope as "productScope", product_code as "productCode"
    from ${countedRules("$1")} r, span where ${DATED}
  union
  select customer_scope, customer_code, product_scope, product_code
    from promotion, span where company = $1 and ${DATED}
  union
  select 'account', q.account, 'product', l.product
    from quotation q
    join quotation_line l on l.company = q.company and l.quotation = q.quotation, span
   where q.company = $1 and ${crossed(
     "q.quoted_on::timestamp at time zone $4",
     "(q.expires_on + 1)::timestamp at time zone $4",
   )}`;
