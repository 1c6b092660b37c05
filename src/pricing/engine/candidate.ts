/** What one entry would charge: its unit price at the policy's places, or why there is none. */
import { decimal } from "../../model/index.ts";
import type { Decimal } from "../../model/index.ts";
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
export const FORMULA_UNKNOWN = -7;

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
    case FORMULA_UNKNOWN:
      return "formula-unknown";
    default:
      return "unreadable";
  }
}

export function isReduction(kind: number): boolean {
  return kind === terms.PERCENT || kind === terms.AMOUNT;
}

/**
 * Unit price of an entry at the policy's places, or a failure below 0. The base price is already
 * found; what a formula or the price so far has to do with it is worked out elsewhere.
 */
export function priceOf(enquiry: Enquiry, value: number, row: number): number {
  const all = enquiry.book.terms;
  if ((all[row + terms.FLAGS]! & terms.UNREADABLE) !== 0) return UNREADABLE_VALUE;
  switch (all[row + terms.KIND]!) {
    case terms.FIXED: {
      const price = fixedOf(enquiry, value, row);
      return price < 0 ? price : rounded(enquiry.book, price);
    }
    case terms.PERCENT:
      return entryPercentOff(enquiry, value, row);
    case terms.AMOUNT:
      return amountOff(enquiry, value, row);
    case terms.ON_REQUEST:
      return 0;
    default:
      return onCost(enquiry, value, row);
  }
}

/** A fixed price per the line's unit with 6 places, or a failure below 0. */
export function fixedOf(enquiry: Enquiry, value: number, row: number): number {
  const { book } = enquiry;
  if ((book.terms[row + terms.FLAGS]! & terms.UNREADABLE) !== 0) return UNREADABLE_VALUE;
  const price = valueOf(book, value, row);
  if (price < 0) return BELOW_ZERO;
  const own = inCurrency(enquiry, price, row);
  if (own < 0) return own;
  const size = unitSize(enquiry, book.terms[row + terms.UNIT]!);
  if (size === 0) return own;
  if (Number.isNaN(size)) return UNIT_UNKNOWN;
  const { mode } = book.policy.arithmetic.unitPrice;
  return multiplyDivide(own, enquiry.line.perUnit, size, mode);
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

function amountOff(enquiry: Enquiry, value: number, row: number): number {
  const { found, book } = enquiry;
  if (found.base < 0) return NO_BASE;
  const amount = amountOf(enquiry, value, row);
  if (typeof amount === "number") return amount;
  const left = decimal.subtract({ digits: BigInt(found.base), scale: FINE_PLACES }, amount);
  return priceFrom(book, left);
}

/** An amount per the line's unit, exact to 12 places, or a failure below 0. */
export function amountOf(enquiry: Enquiry, value: number, row: number): Decimal | number {
  const { book, line } = enquiry;
  const amount = valueOf(book, value, row);
  const own = inCurrency(enquiry, Math.abs(amount), row);
  if (own < 0) return own;
  const digits = BigInt(amount < 0 ? -own : own);
  const size = unitSize(enquiry, book.terms[row + terms.UNIT]!);
  if (size === 0) return { digits, scale: FINE_PLACES };
  if (Number.isNaN(size)) return UNIT_UNKNOWN;
  const scaled = digits * BigInt(line.perUnit) * 1_000_000n;
  return { digits: decimal.divideRounded(scaled, BigInt(size), "half-away"), scale: 12 };
}

/** `cost × (100 + percent) ÷ 100`. */
function onCost(enquiry: Enquiry, value: number, row: number): number {
  const cost = costOf(enquiry);
  if (cost < 0) return cost;
  const { scale, mode } = enquiry.book.policy.arithmetic.unitPrice;
  const share = 100 * power(FINE_PLACES) + valueOf(enquiry.book, value, row);
  return orBelow(multiplyDivide(cost, share, power(14 - scale), mode));
}

/** Cost per the line's unit with 6 places. Costs are in the company's own currency. */
export function costOf(enquiry: Enquiry): number {
  const { book, line, currency } = enquiry;
  const cost = book.products.cost[line.product]!;
  const converts = book.policy.otherCurrency === "convert";
  if (currency !== book.ownCurrency && !converts) return OTHER_CURRENCY;
  if (Number.isNaN(cost)) return COST_UNKNOWN;
  const own = converted(enquiry, cost, book.ownCurrency);
  const size = own < 0 ? 0 : unitSize(enquiry, -1);
  if (size === 0) return own;
  return Number.isNaN(size)
    ? UNIT_UNKNOWN
    : multiplyDivide(own, line.perUnit, size, book.policy.arithmetic.unitPrice.mode);
}

function orBelow(price: number): number {
  return price < 0 ? BELOW_ZERO : price;
}

/** A price or amount (not below 0) of an entry in the enquiry's currency; below 0: it has none. */
function inCurrency(enquiry: Enquiry, amount: number, row: number): number {
  const currency = enquiry.book.terms[row + terms.CURRENCY]!;
  if (currency < 0 || currency === enquiry.currency) return amount;
  if (enquiry.book.policy.otherCurrency === "leave-out") return OTHER_CURRENCY;
  return converted(enquiry, amount, currency);
}

function converted({ book, currency }: Enquiry, amount: number, from: number): number {
  if (from === currency) return amount;
  const rate = book.rates.get(book.currencies[from]!);
  const own = book.rates.get(book.currencies[currency]!);
  if (rate === undefined || own === undefined) return OTHER_CURRENCY;
  return multiplyDivide(amount, own, rate, "half-away");
}

/**
 * Selling units, with 5 places, in the unit that a price is per (-1: the product's pricing unit);
 * 0: it is what the line's price is per, nothing is to be scaled; NaN: not known.
 */
export function unitSize({ book, line }: Enquiry, unit: number): number {
  const { products } = book;
  const asked = unit < 0 ? products.pricingUnit[line.product]! : unit;
  if (asked === line.priceUnit) return 0;
  const size = sizeOfUnit(book, line.product, asked);
  return Number.isNaN(line.perUnit) ? NaN : size;
}

/** Selling units, with 5 places, in one of a product's units; NaN: not known. */
export function sizeOfUnit({ products }: PriceBook, product: number, unit: number): number {
  if (unit === products.sellingUnit[product]) return 100_000;
  if (unit === products.pricingUnit[product]) return products.perPricingUnit[product]!;
  const end = products.unitStart[product + 1]!;
  for (let at = products.unitStart[product]!; at < end; at += 1)
    if (products.units[at] === unit) return products.unitHolds[at]!;
  return NaN;
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

/** An exact price at the policy's places; below zero it is none. */
export function priceFrom(book: PriceBook, exact: Decimal): number {
  return orBelow(Number(decimal.round(exact, book.policy.arithmetic.unitPrice).digits));
}
