/** The breaks of a product as an account sees them: from which quantity, which price. */
import { decimal } from "../../model/index.ts";
import { sizeOfUnit } from "./candidate.ts";
import type { Doubt, Enquiry } from "./enquiry.ts";
import { priceLine } from "./resolve.ts";
import { becauseOf } from "./words.ts";

export interface Rung {
  /** From this many of the line's unit, with 5 places. */
  readonly quantity: number;
  /** Number of the unit that the price is per. */
  readonly unit: number;
  /** At the policy's places; -1: none. */
  readonly price: number;
  readonly doubt: Doubt | null;
  /** Moment from which it may be another; Infinity: none is known. */
  readonly until: number;
  readonly because: string;
}

/** More than any price list has; rules that never end must not either. */
const MOST = 500;

/**
 * Lowest quantity first; neighbours with the same price are one. `unit`: number of the unit that
 * lines are in; -1: the selling unit. The enquiry's answer is overwritten.
 */
export function ladderOf(enquiry: Enquiry, product: number, unit = -1): Rung[] {
  const rungs: Rung[] = [];
  let quantity = 0;
  for (let looked = 0; looked < MOST; looked += 1) {
    const found = priceLine(enquiry, product, quantity, unit);
    const { price, doubt, until, unit: per } = found;
    const last = rungs.at(-1);
    if (last === undefined || last.price !== price || last.doubt !== doubt)
      rungs.push({ quantity, unit: per, price, doubt, until, because: becauseOf(enquiry) });
    else if (until < last.until) rungs[rungs.length - 1] = { ...last, until };
    if (found.stepUp === Infinity || doubt === "unit-unknown") return rungs;
    quantity = inLineUnits(enquiry, found.stepUp);
  }
  return rungs;
}

/** The least quantity in the line's unit that is at least so many selling units. */
function inLineUnits({ line, book }: Enquiry, sellingUnits: number): number {
  if (line.unit === book.products.sellingUnit[line.product]) return sellingUnits;
  const size = BigInt(sizeOfUnit(book, line.product, line.unit));
  return Number(decimal.divideRounded(BigInt(sellingUnits) * 100_000n, size, "up"));
}
