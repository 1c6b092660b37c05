/** Which promotions can only be judged over a basket, and are no part of a line's price. */
import type { PromotionRow } from "../stage.ts";

/**
 * True for what counts over several lines, gives goods, needs a code or is limited: the line engine
 * leaves these to the basket. A percent, an amount or a price with none of it is a line's price.
 */
export function needsBasket(row: PromotionRow): boolean {
  return KINDS.has(row.kind) || isLimited(row) || countsElsewhere(row);
}

const KINDS: ReadonlySet<PromotionRow["kind"]> = new Set([
  "multi-buy",
  "buy-get",
  "bundle",
  "free-goods",
  "threshold",
]);

function isLimited(row: PromotionRow): boolean {
  return [
    row.code,
    row.thresholdValue,
    row.exclusiveGroup,
    row.mostPerOrder,
    row.mostUses,
    row.mostUsesPerAccount,
    row.budget,
  ].some((value) => value !== null && value !== undefined);
}

function countsElsewhere({ stacks, countsOver, lowers }: PromotionRow): boolean {
  return stacks === true || (countsOver ?? "line") !== "line" || lowers === "document";
}
