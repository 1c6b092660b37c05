/** Moments at which anything in a book starts or stops: between two of them no price changes. */
import type { PriceBook } from "./book.ts";
import { ALWAYS, NEVER } from "./calendar.ts";
import { END, START, STRIDE } from "./terms.ts";

export interface Bounds {
  /** The last such moment up to the one asked for; -Infinity: none. */
  readonly last: number;
  /** The first one after it; Infinity: none. */
  readonly next: number;
}

export function boundsAround({ terms }: PriceBook, moment: number): Bounds {
  let last = ALWAYS;
  let next = NEVER;
  for (let row = STRIDE; row + STRIDE <= terms.length; row += STRIDE)
    for (const column of [START, END]) {
      const at = terms[row + column]!;
      // Room that the next book may use.
      if (at === 0) continue;
      if (at <= moment) last = Math.max(last, at);
      else next = Math.min(next, at);
    }
  return { last, next };
}
