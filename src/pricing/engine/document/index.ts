/**
 * Everything about prices that needs more than one line: document arithmetic, promotions over a
 * basket, and what other systems' arithmetic would make of the same document.
 * Promises integers to the last unit, nothing lost in spreading, and the same result whatever the
 * order of the lines. Never looks a price up.
 *
 *     computeDocument({ arithmetic, lines, discounts, charges }).gross; // 1351 at 2 places
 */
export { computeDocument, discountOff, placesOf, savedPercent } from "./totals.ts";
export type {
  ChargeAmounts,
  DocumentArithmetic,
  DocumentCharge,
  DocumentDiscount,
  DocumentInput,
  DocumentLine,
  DocumentTotals,
  LineAmounts,
  RateAmounts,
} from "./input.ts";
export { exactOf } from "./exact.ts";
export type { Exact } from "./exact.ts";
export { needsBasket } from "./needs.ts";
export { applyPromotions } from "./basket.ts";
export type {
  Applied,
  BasketInput,
  BasketLine,
  BasketPromotions,
  FreeLine,
  NotApplied,
  PromotionUse,
  Reason,
} from "./basket-input.ts";
export { compilePromotions } from "./offers.ts";
export type { Promotion, PromotionSet } from "./offers.ts";
export { reasonText } from "./words.ts";
export { twinOf } from "./twin.ts";
export type { Twin } from "./twin.ts";
export { customerCodes, groupsOf, promotionsOf } from "./may-apply.ts";
export { openTo } from "./standing-line.ts";
