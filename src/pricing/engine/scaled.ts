/**
 * Exact arithmetic on scaled integers held in doubles, for the loop that prices lines. A value is
 * an
 * integer and a number of places known from where it is kept; integers stay below 2^53, and a
 * product
 * that would not is worked out with BigInt. Agrees with `decimal` of the model (a property test).
 */
import { decimal } from "../../model/index.ts";
import type { Rounding } from "../../model/index.ts";

type RoundingMode = Rounding["mode"];

const POWERS: readonly number[] = Array.from({ length: 16 }, (_, power) => 10 ** power);

/** 10^places for 0 to 15 places. */
export function power(places: number): number {
  const found = POWERS[places];
  if (found === undefined) throw new RangeError(`10 to the power ${places} is not exact here`);
  return found;
}

/**
 * The integer that a decimal text is at `scale` places: ("4.25", 4) → 42500. Undefined for text
 * that
 * is no plain decimal, has further places that are not 0, or does not fit 15 digits.
 */
export function scaledOf(text: string, scale: number): number | undefined {
  let value = 0;
  let digits = 0;
  let places = -1;
  const negative = text.charCodeAt(0) === 45;
  for (let at = negative ? 1 : 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit === -2 && places < 0) places = 0;
    else if (digit < 0 || digit > 9) return undefined;
    else if (places >= scale) {
      if (digit !== 0) return undefined;
    } else {
      value = value * 10 + digit;
      digits += 1;
      if (places >= 0) places += 1;
    }
  }
  if (digits === 0) return undefined;
  const scaled = value * power(scale - Math.max(places, 0));
  if (scaled > 999_999_999_999_999) return undefined;
  return negative && scaled !== 0 ? -scaled : scaled;
}

/** The decimal text of a scaled integer with exactly `scale` places: (42500, 4) → "4.2500". */
export function textOf(value: number, scale: number): string {
  if (scale === 0) return String(value);
  const unsigned = Math.abs(value);
  const one = power(scale);
  const whole = Math.floor(unsigned / one);
  const fraction = String(unsigned - whole * one);
  return `${value < 0 ? "-" : ""}${whole}.${"0".repeat(scale - fraction.length)}${fraction}`;
}

/** The shortest text of the same value: (42500, 4) → "4.25". */
export function shortTextOf(value: number, scale: number): string {
  let digits = value;
  let places = scale;
  while (places > 0 && digits % 10 === 0) {
    digits /= 10;
    places -= 1;
  }
  return textOf(digits, places);
}

/**
 * `left × right ÷ divisor` (divisor positive) to an integer under a rounding mode, never through an
 * inexact product.
 */
export function multiplyDivide(
  left: number,
  right: number,
  divisor: number,
  mode: RoundingMode,
): number {
  const product = left * right;
  if (product > Number.MAX_SAFE_INTEGER || product < -Number.MAX_SAFE_INTEGER)
    return Number(decimal.divideRounded(BigInt(left) * BigInt(right), BigInt(divisor), mode));
  return divide(product, divisor, mode);
}

/**
 * `numerator ÷ divisor` (both exact integers, divisor positive) to an integer under a rounding
 * mode.
 */
export function divide(numerator: number, divisor: number, mode: RoundingMode): number {
  const unsigned = Math.abs(numerator);
  let quotient = Math.floor(unsigned / divisor);
  let rest = unsigned - quotient * divisor;
  // The division above may have rounded up to the next whole number.
  if (rest < 0) {
    quotient -= 1;
    rest += divisor;
  }
  if (rest !== 0 && roundsAway(mode, numerator < 0, rest * 2 - divisor, quotient)) quotient += 1;
  return numerator < 0 && quotient !== 0 ? -quotient : quotient;
}

/** `overHalf` is twice the rest less the divisor: 0 on a tie. */
function roundsAway(
  mode: RoundingMode,
  negative: boolean,
  overHalf: number,
  quotient: number,
): boolean {
  switch (mode) {
    case "half-away":
      return overHalf >= 0;
    case "half-even":
      return overHalf === 0 ? quotient % 2 === 1 : overHalf > 0;
    case "half-up":
      return overHalf === 0 ? !negative : overHalf > 0;
    case "down":
      return false;
    case "up":
      return true;
    default:
      return mode satisfies never;
  }
}
