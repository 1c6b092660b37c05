/**
 * Exact decimals. Money, quantity and percent are never floats: in memory they are a scaled
 * integer, in SQL `numeric`, in JSON and in canonical records a decimal text such as "12.50".
 */

/**
 * An exact decimal: `digits / 10^scale`. `Kind` is a compile-time unit and has no run-time form.
 */
export interface Decimal<Kind extends string = string> {
  readonly digits: bigint;
  /** Decimal places, 0 to 30. */
  readonly scale: number;
  readonly kind?: Kind;
}

/** An amount of one currency, in major units (pounds). */
export type Money = Decimal<"money">;
/** An amount of goods in some unit; may be negative on a credit note. */
export type Quantity = Decimal<"quantity">;
/** 12.5 means 12.5 %. */
export type Percent = Decimal<"percent">;

/**
 * How a system drops digits. `half-away`: 0.125 → 0.13 and −0.125 → −0.13 (what UK ledgers do);
 * `half-even`: 0.125 → 0.12; `half-up`: towards plus infinity on a tie; `down`: towards zero; `up`:
 * away from zero.
 */
export type RoundingMode = "half-away" | "half-even" | "half-up" | "down" | "up";

/** Rounding is data that belongs to the source system, never a default of the code. */
export interface Rounding {
  /** Decimal places kept. */
  readonly scale: number;
  readonly mode: RoundingMode;
}

const POWERS: readonly bigint[] = Array.from({ length: 61 }, (_, power) => 10n ** BigInt(power));
const PATTERN = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$/;

function power(exponent: number): bigint {
  const found = POWERS[exponent];
  if (found === undefined) throw new RangeError(`decimal scale ${exponent} is outside 0 to 60`);
  return found;
}

/**
 * Reads "1234.50", "-3", ".5"; undefined for anything else (thousands separators, exponents,
 * blanks).
 */
export function tryParse<K extends string>(text: string): Decimal<K> | undefined {
  if (text.length > 40 || !PATTERN.test(text)) return undefined;
  const point = text.indexOf(".");
  if (point < 0) return { digits: BigInt(text), scale: 0 };
  const fraction = text.slice(point + 1);
  const whole = text.slice(0, point);
  const digits = BigInt(
    `${whole === "" || whole === "-" || whole === "+" ? `${whole}0` : whole}${fraction}`,
  );
  return { digits, scale: fraction.length };
}

/**
 * Like `tryParse`, for text that is known to be a decimal; anything else is a defect of the caller.
 */
export function parse<K extends string>(text: string): Decimal<K> {
  const found = tryParse<K>(text);
  if (found === undefined) throw new RangeError(`"${text}" is not a decimal such as 12.50`);
  return found;
}

/** Plain text with exactly `scale` places: 12.50. Never an exponent, never "-0". */
export function format(value: Decimal): string {
  if (value.scale === 0) return value.digits.toString();
  const negative = value.digits < 0n;
  const text = (negative ? -value.digits : value.digits).toString().padStart(value.scale + 1, "0");
  const point = text.length - value.scale;
  return `${negative ? "-" : ""}${text.slice(0, point)}.${text.slice(point)}`;
}

/**
 * The shortest text of the same value: 12.50 → "12.5", 3.000 → "3". Equal values give equal texts.
 */
export function canonical(value: Decimal): string {
  let { digits, scale } = value;
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return format({ digits, scale });
}

export function integer<K extends string>(value: bigint | number, scale = 0): Decimal<K> {
  return { digits: BigInt(value), scale };
}

export function zero<K extends string>(): Decimal<K> {
  return { digits: 0n, scale: 0 };
}

/** The same value with more places. Throws when digits would be lost: rounding is never silent. */
export function digitsAt(value: Decimal, scale: number): bigint {
  if (scale >= value.scale) return value.digits * power(scale - value.scale);
  const divisor = power(value.scale - scale);
  if (value.digits % divisor !== 0n)
    throw new RangeError(`${format(value)} does not fit ${scale} decimal places without rounding`);
  return value.digits / divisor;
}

export function add<K extends string>(left: Decimal<K>, right: Decimal<K>): Decimal<K> {
  const scale = Math.max(left.scale, right.scale);
  return { digits: digitsAt(left, scale) + digitsAt(right, scale), scale };
}

export function subtract<K extends string>(left: Decimal<K>, right: Decimal<K>): Decimal<K> {
  return add(left, negate(right));
}

export function negate<K extends string>(value: Decimal<K>): Decimal<K> {
  return { digits: -value.digits, scale: value.scale };
}

/**
 * Exact product; the unit of the result is the left one's (price × quantity is money, money ×
 * percent is not yet ÷ 100).
 */
export function multiply<K extends string>(left: Decimal<K>, right: Decimal): Decimal<K> {
  return { digits: left.digits * right.digits, scale: left.scale + right.scale };
}

/** `value × percent ÷ 100`, exact. */
export function percentOf<K extends string>(value: Decimal<K>, percent: Percent): Decimal<K> {
  return { digits: value.digits * percent.digits, scale: value.scale + percent.scale + 2 };
}

export function sum<K extends string>(values: Iterable<Decimal<K>>): Decimal<K> {
  let total: Decimal<K> = zero();
  for (const value of values) total = add(total, value);
  return total;
}

export function compare(left: Decimal, right: Decimal): -1 | 0 | 1 {
  const scale = Math.max(left.scale, right.scale);
  const difference = digitsAt(left, scale) - digitsAt(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function larger<K extends string>(one: Decimal<K>, other: Decimal<K>): Decimal<K> {
  return compare(one, other) < 0 ? other : one;
}

export function smaller<K extends string>(one: Decimal<K>, other: Decimal<K>): Decimal<K> {
  return compare(one, other) < 0 ? one : other;
}

/**
 * `numerator / denominator` to an integer under a rounding mode; the denominator must be positive.
 */
export function divideRounded(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n) return quotient;
  const away = numerator < 0n ? quotient - 1n : quotient + 1n;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  switch (mode) {
    case "down":
      return quotient;
    case "up":
      return away;
    case "half-away":
      return twice >= denominator ? away : quotient;
    case "half-even":
      if (twice === denominator) return quotient % 2n === 0n ? quotient : away;
      return twice > denominator ? away : quotient;
    case "half-up":
      if (twice === denominator) return numerator < 0n ? quotient : away;
      return twice > denominator ? away : quotient;
    default:
      return mode satisfies never;
  }
}

/** Rounds to `rounding.scale` places; also pads, so that the result always has that scale. */
export function round<K extends string>(value: Decimal<K>, rounding: Rounding): Decimal<K> {
  if (value.scale <= rounding.scale)
    return { digits: digitsAt(value, rounding.scale), scale: rounding.scale };
  const divisor = power(value.scale - rounding.scale);
  return { digits: divideRounded(value.digits, divisor, rounding.mode), scale: rounding.scale };
}

/**
 * Pounds and pence for people: "£1,234.50", "−£3.00"; other currencies by their code: "EUR 12.00".
 */
export function readable(value: Money, currency = "GBP"): string {
  const rounded = round(value, { scale: 2, mode: "half-away" });
  const text = format(rounded.digits < 0n ? negate(rounded) : rounded);
  const [whole = "0", pence = "00"] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = rounded.digits < 0n ? "-" : "";
  return `${sign}${currency === "GBP" ? "£" : `${currency} `}${grouped}.${pence}`;
}
