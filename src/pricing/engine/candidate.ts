/** What one entry would charge: its unit price at the policy's places, or why there is none. */
import { decimal } from "../../model/index.ts";
import type { PriceBook } from "./book.ts";
import type { Doubt, Enquiry } from "./enquiry.ts";
import { divide, multiplyDivide, power } from "./scaled.ts";
import * as terms from "./terms.ts";
import type { Outcome } from "./trace.ts";

/** Prices on their way are integers with this many places. */
export const FINE_PLACES = 6;
/** Percent have 4 places; 100 percent. */
const WHOLE = 1_000_000;

/** Returned instead of a price: below 0, since no price is. */
export const OTHER_CURRENCY = -1;
export const NO_BASE = -2;
export const UNIT_UNKNOWN = -3;
export const COST_UNKNOWN = -4;
export const UNREADABLE_VALUE = -5;
/** Nobody means to pay the buyer: the rule is wrong, and what was meant is not known. */
export const BELOW_ZERO = -6;

/** Why an entry has no price; what is no doubt leaves it to the others. */
export function outcomeOf(failure: number): (Doubt & Outcome) | "other-currency" | "no-base" {
  switch (failure) {
    case OTHER_CURRENCY:
      return "other-currency";
    case NO_BASE:
      return "no-base";
    case UNIT_UNKNOWN:
      return "unit-unknown";
    case COST_UNKNOWN:
      return "cost-unknown";
    case BELOW_ZERO:
      return "below-zero";
    default:
      return "unreadable";
  }
}

export function needsBase(kind: number): boolean {
  return kind === terms.PERCENT || kind === terms.AMOUNT;
}

/**
 * Unit price of an entry at the policy's places, or a failure below 0. The base price is already
 * found.
 */
export function priceOf(enquiry: Enquiry, product: number, value: number, row: number): number {
  const all = enquiry.book.terms;
  if ((all[row + terms.FLAGS]! & terms.UNREADABLE) !== 0) return UNREADABLE_VALUE;
  switch (all[row + terms.KIND]!) {
    case terms.FIXED: {
      const price = fixedOf(enquiry, product, value, row);
      return price < 0 ? price : rounded(enquiry.book, price);
    }
    case terms.PERCENT:
      return entryPercentOff(enquiry, value, row);
    case terms.AMOUNT:
      return amountOff(enquiry, product, value, row);
    default:
      return onCost(enquiry, product, value, row);
  }
}

/** A fixed price per pricing unit with 6 places, or a failure below 0. */
export function fixedOf(enquiry: Enquiry, product: number, value: number, row: number): number {
  const { book } = enquiry;
  if ((book.terms[row + terms.FLAGS]! & terms.UNREADABLE) !== 0) return UNREADABLE_VALUE;
  const failure = moneyFailure(enquiry, product, row);
  if (failure < 0) return failure;
  const price = valueOf(book, value, row);
  if (price < 0) return BELOW_ZERO;
  if (!isPerSellingUnit(book, product, row)) return price;
  const perPricingUnit = book.products.perPricingUnit[product]!;
  return multiplyDivide(price, perPricingUnit, power(5), book.policy.arithmetic.unitPrice.mode);
}

/** `base × (100 − percent) ÷ 100`. The percent has 4 places. */
export function percentOff({ found, book }: Enquiry, percent: number): number {
  if (found.base < 0) return NO_BASE;
  const { scale, mode } = book.policy.arithmetic.unitPrice;
  return orBelow(multiplyDivide(found.base, WHOLE - percent, power(12 - scale), mode));
}

/** The same for an entry, whose percent may have 6 places. */
function entryPercentOff(enquiry: Enquiry, value: number, row: number): number {
  const { found, book } = enquiry;
  if ((book.terms[row + terms.FLAGS]! & (terms.FINE | terms.WIDE)) === 0)
    return percentOff(enquiry, value);
  if (found.base < 0) return NO_BASE;
  const { scale, mode } = book.policy.arithmetic.unitPrice;
  const kept = 100 * power(FINE_PLACES) - valueOf(book, value, row);
  return orBelow(multiplyDivide(found.base, kept, power(14 - scale), mode));
}

function amountOff(enquiry: Enquiry, product: number, value: number, row: number): number {
  const { found, book } = enquiry;
  if (found.base < 0) return NO_BASE;
  const failure = moneyFailure(enquiry, product, row);
  if (failure < 0) return failure;
  const amount = valueOf(book, value, row);
  if (!isPerSellingUnit(book, product, row)) return orBelow(rounded(book, found.base - amount));
  const perPricingUnit = BigInt(book.products.perPricingUnit[product]!);
  const { scale, mode } = book.policy.arithmetic.unitPrice;
  const left = BigInt(found.base) * 100_000n - BigInt(amount) * perPricingUnit;
  return orBelow(Number(decimal.divideRounded(left, 10n ** BigInt(11 - scale), mode)));
}

/** `cost × (100 + percent) ÷ 100`. Costs are in the company's own currency. */
function onCost(enquiry: Enquiry, product: number, value: number, row: number): number {
  const { book } = enquiry;
  if (enquiry.currency !== book.ownCurrency) return OTHER_CURRENCY;
  const cost = book.products.cost[product]!;
  if (Number.isNaN(cost)) return COST_UNKNOWN;
  const { scale, mode } = book.policy.arithmetic.unitPrice;
  const share = 100 * power(FINE_PLACES) + valueOf(book, value, row);
  return orBelow(multiplyDivide(cost, share, power(14 - scale), mode));
}

function orBelow(price: number): number {
  return price < 0 ? BELOW_ZERO : price;
}

/** Whether a price or amount in this currency and unit can be used for the account and product. */
function moneyFailure(enquiry: Enquiry, product: number, row: number): number {
  const { terms: all, products } = enquiry.book;
  const currency = all[row + terms.CURRENCY]!;
  if (currency >= 0 && currency !== enquiry.currency) return OTHER_CURRENCY;
  const unit = all[row + terms.UNIT]!;
  if (unit < 0 || unit === products.pricingUnit[product]) return 0;
  const known = unit === products.sellingUnit[product];
  return known && !Number.isNaN(products.perPricingUnit[product]!) ? 0 : UNIT_UNKNOWN;
}

function isPerSellingUnit(
  { terms: all, products }: PriceBook,
  product: number,
  row: number,
): boolean {
  const unit = all[row + terms.UNIT]!;
  return unit >= 0 && unit !== products.pricingUnit[product];
}

/** The entry's value with 6 places. */
export function valueOf(book: PriceBook, value: number, row: number): number {
  const flags = book.terms[row + terms.FLAGS]!;
  if ((flags & (terms.FINE | terms.WIDE)) === 0) return value * 100;
  return (flags & terms.FINE) === 0 ? book.wideValues[value]! : value;
}

/** A price with 6 places at the policy's places. */
export function rounded(book: PriceBook, price: number): number {
  const { scale, mode } = book.policy.arithmetic.unitPrice;
  return divide(price, power(FINE_PLACES - scale), mode);
}
