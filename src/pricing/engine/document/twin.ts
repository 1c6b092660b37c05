/**
 * What other systems would make of the same document: their lines, VAT and gross beside the shop's,
 * and the line that makes up the difference.
 */
import type { DocumentArithmetic, DocumentInput, DocumentTotals } from "./input.ts";
import { power } from "../scaled.ts";
import { computeDocument } from "./totals.ts";

export interface Twin {
  readonly system: string;
  readonly totals: DocumentTotals;
  /** The shop's amounts less the system's, at `places`: what a reconciling line would have to be. */
  readonly places: number;
  readonly net: number;
  readonly vat: number;
  readonly gross: number;
}

/**
 * Only the arithmetic is the other system's: prices, what promotions took off and whether prices
 * are with VAT are the document's.
 */
export function twinOf(
  input: DocumentInput,
  ours: DocumentTotals,
  system: string,
  arithmetic: DocumentArithmetic,
): Twin {
  const { prices } = input.arithmetic;
  const totals = computeDocument({ ...input, arithmetic: { ...arithmetic, prices } });
  const places = Math.max(ours.places, totals.places);
  const less = (name: "net" | "vat" | "gross"): number =>
    ours[name] * power(places - ours.places) - totals[name] * power(places - totals.places);
  return { system, totals, places, net: less("net"), vat: less("vat"), gross: less("gross") };
}
