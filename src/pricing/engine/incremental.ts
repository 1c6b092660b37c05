/** Incremental breaks: each unit of a line costs what its own break says. */
import { decimal } from "../../model/index.ts";
import { LAST, RULE, TERMS } from "./book.ts";
import * as candidate from "./candidate.ts";
import type { Enquiry } from "./enquiry.ts";
import { HOLDS, OTHER } from "./marks.ts";
import * as terms from "./terms.ts";

const UNIT = 100_000;

export interface Tier {
  /** Selling units with 5 places that cost this price. */
  readonly units: number;
  /** Per the line's unit, with 6 places. */
  readonly price: number;
}

/**
 * The tiers of a line whose highest break stands at `entry` of `several`, highest first, or a
 * failure below 0. Unit number 10 is the first that a break from 10 covers; units below the lowest
 * break cost what that says.
 */
export function tiersOf(enquiry: Enquiry, entry: number): readonly Tier[] | number {
  const { book, holding, line } = enquiry;
  const tiers: Tier[] = [];
  let left = line.counted;
  for (let at = entry; ; at += 2) {
    const word = book.several[at + 1]!;
    if (at !== entry && (word & RULE) !== 0) break;
    const row = word & TERMS;
    if (at === entry || ((holding.bits[row]! & HOLDS) !== 0 && holding.modes[row] !== OTHER)) {
      const price = candidate.fixedOf(enquiry, book.several[at]!, row * terms.STRIDE);
      if (price < 0) return price;
      const from = book.terms[row * terms.STRIDE + terms.FROM]!;
      const below = Math.max(0, Math.ceil(from / UNIT) - 1) * UNIT;
      tiers.push({ units: Math.max(0, left - below), price });
      left = Math.min(left, below);
    }
    if ((word & LAST) !== 0) break;
  }
  const lowest = tiers.at(-1);
  if (lowest !== undefined && left > 0)
    tiers[tiers.length - 1] = { ...lowest, units: lowest.units + left };
  return tiers.filter(({ units }) => units > 0);
}

/** Price of each unit on average with 6 places, or a failure below 0. */
export function averageOf(enquiry: Enquiry, entry: number): number {
  const tiers = tiersOf(enquiry, entry);
  if (typeof tiers === "number") return tiers;
  const { counted } = enquiry.line;
  if (counted === 0) return tiers[0]?.price ?? 0;
  return Number(decimal.divideRounded(totalOf(tiers), BigInt(counted), "half-away"));
}

/** Units × prices: 11 places, before it is divided by the selling units that a price is per. */
export function totalOf(tiers: readonly Tier[]): bigint {
  let total = 0n;
  for (const { units, price } of tiers) total += BigInt(units) * BigInt(price);
  return total;
}
