/**
 * For which quantities a signed price holds: those of the break that it was asked in, as the
 * customer's ladder has it.
 */
import type { PriceAnswer, PriceRequest } from "./answer.ts";
import { enquire, isProblem } from "./ask.ts";
import { calendar, ladderOf, scaled } from "./engine/index.ts";
import type { Rung } from "./engine/index.ts";
import { lineOf, untilText } from "./price.ts";
import type { Root } from "./root.ts";

export interface TokenRange {
  readonly fromQuantity: string;
  /** Null: for any more. */
  readonly belowQuantity: string | null;
  /** When the first price of the break ceases to hold. */
  readonly validUntil: string | null;
}

type Line = PriceRequest["lines"][number];

/** Ranges of a request's lines; null: the price is for the very quantity and for no other. */
export function rangesOf(
  root: Root,
  request: PriceRequest,
  now: number,
): (line: Line, answer: PriceAnswer) => TokenRange | null {
  // Each unit costs what its own break says: then every quantity has a price of its own.
  if (root.book.policy.breaks === "incremental") return () => null;
  const enquiry = enquire(root.book, request, now);
  if (isProblem(enquiry)) return () => null;
  const places = root.book.policy.arithmetic.unitPrice.scale;
  return (line, answer) => {
    const asked = lineOf(root, line);
    if ("detail" in asked) return null;
    const rungs = ladderOf(enquiry, asked.product, asked.unit);
    const above = rungs.findIndex(({ quantity }) => quantity > asked.quantity);
    const at = above < 0 ? rungs.length - 1 : above - 1;
    const rung = rungs[at];
    if (rung === undefined || !isPriced(rung, places, answer)) return null;
    const next = rungs[at + 1];
    const until = rung.until === Infinity ? calendar.NEVER : rung.until;
    return {
      fromQuantity: scaled.shortTextOf(rung.quantity, 5),
      belowQuantity: next === undefined ? null : scaled.shortTextOf(next.quantity, 5),
      validUntil: untilText(root, until),
    };
  };
}

/** The same price as the answer's, from the first quantity of the break on. */
function isPriced(rung: Rung, places: number, { unitPrice }: PriceAnswer): boolean {
  return rung.doubt === null && scaled.textOf(rung.price, places) === unitPrice;
}
