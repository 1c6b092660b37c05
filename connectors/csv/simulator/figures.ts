/**
 * Figures as this ERP keeps them: whole numbers of the smallest part. Pence for money; 4 places for
 * prices and percents; 5 places for quantities. Every rounding is half away from zero.
 */

export const PRICE = 4;
export const QUANTITY = 5;
export const MONEY = 2;

/** "12.5" with 4 places is 125000; undefined when it is no decimal or has more places. */
export function tryScaled(text: string, places: number): number | undefined {
  const found = /^(-?)(\d{1,12})(?:\.(\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [, sign = "", whole = "", fraction = ""] = found;
  if (/[1-9]/.test(fraction.slice(places))) return undefined;
  const size = Number(`${whole}${fraction.slice(0, places).padEnd(places, "0")}`);
  return sign === "-" ? -size : size;
}

export function scaled(text: string, places: number): number {
  const value = tryScaled(text, places);
  if (value === undefined)
    throw new RangeError(`"${text}" is not a decimal with at most ${places} places`);
  return value;
}

/** 1250 with 2 places is "12.50". */
export function fixed(value: number, places: number): string {
  const digits = Math.abs(value)
    .toString()
    .padStart(places + 1, "0");
  const point = digits.length - places;
  return `${value < 0 ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Like `fixed` without zeros at the end: "12.5", "3". */
export function short(value: number, places: number): string {
  return fixed(value, places).replace(/\.?0+$/, "");
}

export const money = (pence: number) => fixed(pence, MONEY);

/**
 * numerator ÷ denominator, half away from zero. Exact: the product of two figures may pass 2^53.
 */
export function divided(numerator: bigint, denominator: bigint): number {
  const size = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * size + denominator) / (2n * denominator);
  return Number(numerator < 0n ? -rounded : rounded);
}

/** Pence of a line: quantity ÷ selling units per pricing unit × price. */
export function lineNet(quantity5: number, perPricingUnit5: number, price4: number): number {
  return divided(BigInt(quantity5) * BigInt(price4), BigInt(perPricingUnit5) * 100n);
}

/** A price less a percent, again with 4 places; a negative percent adds. */
export function lessPercent(price4: number, percent4: number): number {
  return divided(BigInt(price4) * BigInt(1_000_000 - percent4), 1_000_000n);
}

export function percentOf(pence: number, percent: number): number {
  return divided(BigInt(pence) * BigInt(percent), 100n);
}

/** VAT rates of this ERP in whole percents. */
const RATES: Readonly<Record<string, number>> = { STANDARD: 20, REDUCED: 5, ZERO: 0 };

export function knowsVat(vatCode: string): boolean {
  return Object.hasOwn(RATES, vatCode);
}

export function vatOn(pence: number, vatCode: string | null): number {
  return percentOf(pence, RATES[vatCode ?? "ZERO"] ?? 0);
}
