/**
 * What an order comes to, added up by the document arithmetic of pricing: the same that basket
 * answers, invoices on trial and other systems' totals come from. Pure.
 */
import { decimal, type Money, type Rounding } from "../model/index.ts";
import { addUp, type DocumentArithmetic } from "../pricing/index.ts";

export interface OrderFigures {
  readonly lines: readonly LineFigures[];
  readonly charges: readonly { readonly net: string; readonly vatPercent: string }[];
}

export interface LineFigures {
  /** Per pricing unit, as agreed. */
  readonly unitPrice: string;
  readonly quantity: string;
  readonly perPricingUnit: string;
  readonly vatPercent: string;
  /** What promotions over the order take off. */
  readonly lowered: string;
}

export interface Totals {
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
}

export interface OrderAmounts extends Totals {
  readonly lines: readonly { readonly net: string; readonly vat: string }[];
  readonly charges: readonly { readonly net: string; readonly vat: string }[];
}

/** Null: a figure is larger than any ledger holds. */
export function amountsOf(
  { lines, charges }: OrderFigures,
  arithmetic: DocumentArithmetic,
): OrderAmounts | null {
  return addUp({
    // The price is the one agreed, with all the places that it was agreed in.
    arithmetic: { ...arithmetic, unitPrice: { scale: 6, mode: arithmetic.unitPrice.mode } },
    lines,
    charges,
  });
}

/** Where no policy says more: each line rounded once, VAT per line from the rounded net. */
export function plainArithmetic(rounding: Rounding): DocumentArithmetic {
  return {
    unitPrice: { scale: 6, mode: rounding.mode },
    discount: "unit",
    lineNet: rounding,
    vat: { ...rounding, per: "line" },
    prices: "exclusive",
    documentDiscount: "largest-remainder",
    gross: "sum",
  };
}

/**
 * The price per pricing unit that comes to `net` at this quantity, with 6 places; null when none
 * does, which takes quantities above 10,000.
 */
export function effectivePrice(
  net: string,
  { quantity, perPricingUnit }: Pick<LineFigures, "quantity" | "perPricingUnit">,
  rounding: Rounding,
): string | null {
  const [amount, units, per] = [net, quantity, perPricingUnit].map((text) =>
    decimal.parse<"money">(text),
  );
  if (amount === undefined || units === undefined || per === undefined) return null;
  const price = ratio(decimal.multiply(amount, per), units, { scale: 6, mode: "half-away" });
  const back = ratio(decimal.multiply(price, units), per, rounding);
  return decimal.compare(back, amount) === 0 ? decimal.format(price) : null;
}

function ratio(over: Money, under: Money, { scale, mode }: Rounding): Money {
  const up = 10n ** BigInt(scale + under.scale);
  const down = 10n ** BigInt(over.scale);
  const digits = decimal.divideRounded(over.digits * up, under.digits * down, mode);
  return { digits, scale };
}

export function sumOf(texts: readonly string[]): string {
  const sum = decimal.sum(texts.map((text) => decimal.parse<"money">(text)));
  return decimal.format(decimal.add(sum, TWO_PLACES));
}

const TWO_PLACES: Money = decimal.integer(0, 2);

export function sameAmount(left: string, right: string): boolean {
  return decimal.compare(decimal.parse(left), decimal.parse(right)) === 0;
}
