/**
 * What other systems would make of the same document: their lines, VAT and gross beside the shop's,
 * and the line that makes up the difference.
 */
import type { DocumentArithmetic, DocumentInput, DocumentTotals } from "./input.ts";
import { divide, power } from "../scaled.ts";
import { computeDocument, placesOf } from "./totals.ts";

export interface Twin {
  readonly system: string;
  readonly totals: DocumentTotals;
  /** The shop's amounts less the system's, at `places`: what a reconciling line must be. */
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
  const other = { ...arithmetic, prices };
  const totals = computeDocument(asOther(input, other));
  const places = Math.max(ours.places, totals.places);
  const less = (name: "net" | "vat" | "gross"): number =>
    ours[name] * power(places - ours.places) - totals[name] * power(places - totals.places);
  return { system, totals, places, net: less("net"), vat: less("vat"), gross: less("gross") };
}

/**
 * Lines from their price and discount again, where these give what the line was found to cost; a
 * price made of tiers stays the amount that it is.
 */
function asOther(input: DocumentInput, arithmetic: DocumentArithmetic): DocumentInput {
  const bare = input.lines.map(({ amount: _amount, ...line }) => line);
  const again = computeDocument({ ...input, lines: bare, credit: false });
  const from = placesOf(input.arithmetic);
  const to = placesOf(arithmetic);
  const at = (amount: number): number =>
    to >= from ? amount * power(to - from) : divide(amount, power(from - to), "half-away");
  return {
    ...input,
    arithmetic,
    lines: input.lines.map(({ amount, lowered = 0, ...line }, index) => {
      const { full = 0, discount = 0 } = again.lines[index] ?? {};
      const isPrice = amount === undefined || amount === full - discount;
      return { ...line, lowered: at(lowered), ...(isPrice ? {} : { amount: at(amount) }) };
    }),
    charges: (input.charges ?? []).map((charge) => ({ ...charge, amount: at(charge.amount) })),
  };
}
