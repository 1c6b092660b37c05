/** Requests in codes and texts ↔ enquiries of the engine in numbers. */
import type { AskedQuantity, PriceAsker, PriceProblemCode } from "./answer.ts";
import { calendar, scaled, startEnquiry } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";

export interface Problem {
  readonly code: PriceProblemCode;
  readonly detail: string;
}

/** Places of a quantity: 1 selling unit is 100,000. */
export const QUANTITY_PLACES = 5;

/** The enquiry, or why no line of it can be priced. `now` in milliseconds since 1970. */
export function enquire(book: PriceBook, asker: PriceAsker, now: number): Enquiry | Problem {
  const { account: code, site, branch, on, asOf = on, quotation, currency, conditions } = asker;
  const account = book.accounts.numbers.get(code);
  if (account === undefined)
    return problem("unknown-account", `there is no account "${code}"; accounts come from the ERP`);
  const siteNumber = numberIn(book.sites.numbers, site && `${code}/${site}`);
  if (siteNumber === undefined)
    return problem("unknown-site", `account ${code} has no delivery site "${site ?? ""}"`);
  const branchNumber = numberIn(book.branches.numbers, branch);
  if (branchNumber === undefined)
    return problem("unknown-branch", `there is no branch "${branch ?? ""}"`);
  const label = quotation ? book.labels.indexOf(quotation) : -1;
  if (quotation && label < 0)
    return problem("unknown-quotation", `there is no open quotation "${quotation}"`);
  const moment = asOf ? momentIn(book, asOf, now) : now;
  if (moment === undefined)
    return problem(
      "bad-date",
      `"${asOf ?? ""}" is no date or moment; expected one such as 2026-03-31 or 2026-03-31T08:00:00Z`,
    );
  const currencyNumber = currency ? book.currencies.indexOf(currency) : -1;
  if (currency && currencyNumber < 0)
    return problem("unknown-currency", `there are no prices in the currency "${currency}"`);
  return startEnquiry(book, {
    account,
    site: siteNumber,
    branch: branchNumber,
    moment,
    quotation: label,
    currency: currencyNumber,
    conditions: conditions === undefined ? null : new Map(Object.entries(conditions)),
  });
}

export function isProblem(found: Enquiry | Problem): found is Problem {
  return "detail" in found;
}

function problem(code: PriceProblemCode, detail: string): Problem {
  return { code, detail };
}

/** -1: none asked for; undefined: asked for and not there. */
function numberIn(
  numbers: ReadonlyMap<string, number>,
  code: string | null | undefined,
): number | undefined {
  return code ? numbers.get(code) : -1;
}

/** Of today it is now, of any other date its first moment; undefined: it is neither. */
function momentIn({ timeZone }: PriceBook, date: string, now: number): number | undefined {
  try {
    if (date.includes("T")) return calendar.momentOf(date);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
    return date === calendar.dateOf(now, timeZone) ? now : calendar.startOfDay(date, timeZone);
  } catch {
    return undefined;
  }
}

export function unknownProduct(product: string): Problem {
  return problem(
    "unknown-product",
    `there is no product "${product}"; products come from the ERP, and their codes are compared exactly`,
  );
}

/** The quantity with 5 places; undefined when it is none that can be sold. */
export function quantityOf(quantity: AskedQuantity): number | undefined {
  if (typeof quantity === "number" && Number.isInteger(quantity) && quantity < WHOLE_MOST)
    return quantity > 0 ? quantity * 100_000 : undefined;
  const text = typeof quantity === "number" ? String(quantity) : quantity;
  const units = scaled.scaledOf(text, QUANTITY_PLACES);
  return units !== undefined && units > 0 ? units : undefined;
}

/** Whole numbers below it have 15 digits at most with their 5 places. */
const WHOLE_MOST = 10_000_000_000;

/** Number of a unit of the book; -1: none asked for, which is the selling unit. */
export function unitOf({ units }: PriceBook, unit: string | null | undefined): number | Problem {
  if (!unit) return -1;
  const number = units.indexOf(unit);
  if (number >= 0) return number;
  return problem("unknown-unit", `no product is sold or priced in the unit "${unit}"`);
}

export function badQuantity(quantity: AskedQuantity): Problem {
  return problem(
    "bad-quantity",
    `the quantity is "${quantity}"; expected selling units above 0 with at most 5 places, such as 10 or 2.5`,
  );
}
