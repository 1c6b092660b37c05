/**
 * What an order comes to, added up by the document arithmetic of pricing: the same that basket
 * answers, invoices on trial and other systems' totals come from. Pure.
 */
import { decimal, type Money, type Rounding } from "../model/index.ts";
import { addUp, type DocumentArithmetic, type StandingLine } from "../pricing/index.ts";

export interface OrderFigures {
  readonly lines: readonly LineFigures[];
  readonly charges: readonly { readonly net: string; readonly vatPercent: string }[];
}

/** A line as pricing has it in the document, or a price and a quantity as agreed. */
export type LineFigures = Parameters<typeof addUp>[0]["lines"][number];

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
  return addUp({ arithmetic, lines, charges });
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

/** What a line says of itself where its price is spoken of. */
interface Measured {
  /** Selling units. */
  readonly quantity: string;
  readonly perPricingUnit: string;
}

/** Places of a price that every ERP takes. */
const USUAL_PLACES = 4;

/**
 * The price and the amount off the line that the ERP is told, so that it comes to `amount`: the
 * price agreed, else one per pricing unit with the usual places, else the price agreed and an
 * amount off, else a price with 6 places. Null: nothing of that can be said, which takes quantities
 * above 10,000 and a far side that has no place for an amount off.
 */
export function toldPrice(
  line: Measured & { readonly unitPrice: string; readonly amount: string },
  { lineNet, unitPrice: { scale } }: Pick<DocumentArithmetic, "lineNet" | "unitPrice">,
  carriesDiscount: boolean,
): { readonly unitPrice: string; readonly discount: string } | null {
  const { unitPrice, amount } = line;
  const places = Math.max(USUAL_PLACES, scale);
  const off = (price: string): Money | null => {
    const full = comesTo(price, line, lineNet);
    return full === null ? null : decimal.subtract(full, decimal.parse<"money">(amount));
  };
  const isUsual = placesOf(unitPrice) <= places;
  const isWhole = off(unitPrice)?.digits === 0n;
  if (isUsual && isWhole) return { unitPrice, discount: NOTHING };
  const short = effectivePrice(amount, line, lineNet, places);
  if (short !== null) return { unitPrice: short, discount: NOTHING };
  const less = (price: string | null) => {
    const rest = carriesDiscount && price !== null ? off(price) : null;
    if (price === null || rest === null || rest.digits <= 0n) return null;
    return { unitPrice: price, discount: twoPlaces(rest) };
  };
  const agreed = isUsual ? less(unitPrice) : null;
  if (agreed !== null) return agreed;
  const above = less(quotient(amount, line, "up", places));
  if (above !== null) return above;
  const fine = isWhole ? unitPrice : effectivePrice(amount, line, lineNet);
  return fine === null ? null : { unitPrice: fine, discount: NOTHING };
}

function placesOf(price: string): number {
  return decimal.canonical(decimal.parse(price)).split(".")[1]?.length ?? 0;
}

const NOTHING = "0.00";

/**
 * The price per pricing unit that comes to `amount` at this quantity, with so many places; null
 * when none does.
 */
export function effectivePrice(
  amount: string,
  line: Measured,
  rounding: Rounding,
  places = 6,
): string | null {
  const price = quotient(amount, line, "half-away", places);
  if (price === null) return null;
  const back = comesTo(price, line, rounding);
  return back !== null && decimal.compare(back, decimal.parse(amount)) === 0 ? price : null;
}

/**
 * The price of a line that was ordered in another unit → the same per pricing unit of its product,
 * with 6 places.
 */
export function pricePerPricingUnit(
  { document, quantity }: StandingLine,
  { unitPrice, perPricingUnit }: Pick<Measured, "perPricingUnit"> & { readonly unitPrice: string },
): string {
  const [price, selling, per] = moneys([unitPrice, quantity, perPricingUnit]);
  if (price === undefined || selling === undefined || per === undefined) return unitPrice;
  const priced = decimal.integer<"money">(document.quantity);
  const each = decimal.integer<"money">(document.perPricingUnit);
  const worth = decimal.multiply(decimal.multiply(price, priced), per);
  const units = decimal.multiply(selling, each);
  return decimal.format(ratio(worth, units, { scale: 6, mode: "half-away" }));
}

/** `amount × per ÷ quantity`. */
function quotient(
  amount: string,
  { quantity, perPricingUnit }: Measured,
  mode: Rounding["mode"],
  places = 6,
): string | null {
  const [money, units, per] = moneys([amount, quantity, perPricingUnit]);
  if (money === undefined || units === undefined || per === undefined) return null;
  if (units.digits === 0n) return null;
  const price = ratio(decimal.multiply(money, per), units, { scale: places, mode });
  return decimal.format({ digits: decimal.digitsAt(price, 6), scale: 6 });
}

function comesTo(
  price: string,
  { quantity, perPricingUnit }: Measured,
  rounding: Rounding,
): Money | null {
  const [each, units, per] = moneys([price, quantity, perPricingUnit]);
  if (each === undefined || units === undefined || per === undefined) return null;
  return per.digits === 0n ? null : ratio(decimal.multiply(each, units), per, rounding);
}

/** A price above zero at which the line is rounded to 0.00; promotions are no part of it. */
export function comesToNothing(unitPrice: string, line: Measured, rounding: Rounding): boolean {
  return /[1-9]/.test(unitPrice) && comesTo(unitPrice, line, rounding)?.digits === 0n;
}

function moneys(texts: readonly string[]): Money[] {
  return texts.map((text) => decimal.parse<"money">(text));
}

function twoPlaces(value: Money): string {
  return decimal.format(decimal.add(value, TWO_PLACES));
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
