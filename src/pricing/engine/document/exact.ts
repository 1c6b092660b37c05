/**
 * What a line costs before it was rounded, so that what promotions leave of it is rounded once, in
 * the places where the policy rounds.
 */
import { multiplyDivide, power } from "../scaled.ts";
import type { DocumentArithmetic, DocumentLine } from "./input.ts";
import { WHOLE } from "./spread.ts";
import { computeDocument, placesOf } from "./totals.ts";

/** A price per pricing unit, or a full amount and what is kept of it, as the policy discounts. */
export interface Exact {
  /** With 6 places in `unit` mode, else the amount at the document's places. */
  readonly from: number;
  /** Percent with 4 places; the whole in `unit` mode. */
  readonly keeps: number;
  readonly quantity: number;
  readonly perPricingUnit: number;
}

/** Null where the line's amount is not its price times its quantity, less its discount. */
export function exactOf(line: DocumentLine, arithmetic: DocumentArithmetic): Exact | null {
  const { amount, lowered: _lowered, ...bare } = line;
  const [own] = computeDocument({ arithmetic, lines: [bare] }).lines;
  if (own === undefined || (amount ?? own.full - own.discount) !== own.full - own.discount)
    return null;
  const { quantity, perPricingUnit, discountPercent = 0 } = line;
  return arithmetic.discount === "unit"
    ? { from: own.price, keeps: WHOLE, quantity, perPricingUnit }
    : { from: own.full, keeps: WHOLE - discountPercent, quantity, perPricingUnit };
}

/** What a percent, with 4 places, leaves; null: not to be held exactly. */
export function lessPercent(
  exact: Exact,
  percent: number,
  { discount, unitPrice }: DocumentArithmetic,
): Exact | null {
  const left = WHOLE - percent;
  if (discount === "unit") {
    const divisor = power(6 - unitPrice.scale);
    const from = multiplyDivide(exact.from, left, WHOLE * divisor, unitPrice.mode) * divisor;
    return { ...exact, from };
  }
  const kept = exact.keeps * left;
  return kept % WHOLE === 0 ? { ...exact, keeps: kept / WHOLE } : null;
}

/** What an amount off each pricing unit, with 6 places, leaves of a price. */
export function lessAmount(
  exact: Exact,
  amount: number,
  { discount }: DocumentArithmetic,
): Exact | null {
  return discount === "unit" ? { ...exact, from: Math.max(0, exact.from - amount) } : null;
}

/** Rounded as the policy rounds a line, at the document's places. */
export function amountOf(exact: Exact, arithmetic: DocumentArithmetic): number {
  const { discount, lineNet } = arithmetic;
  const unit = power(placesOf(arithmetic) - lineNet.scale);
  const { from, keeps, quantity, perPricingUnit } = exact;
  const part = (share: number) => multiplyDivide(from, share, WHOLE * unit, lineNet.mode) * unit;
  switch (discount) {
    case "unit":
      return (
        multiplyDivide(from, quantity, perPricingUnit * power(6 - lineNet.scale), lineNet.mode) *
        unit
      );
    case "line":
      return part(keeps);
    case "difference":
      return from - part(WHOLE - keeps);
    default:
      return discount satisfies never;
  }
}
