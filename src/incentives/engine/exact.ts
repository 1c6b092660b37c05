/**
 * Exact arithmetic at speed. A product of safe integers is taken as a number while it is exact and
 * as a BigInt as soon as it would not be; a sum moves into a BigInt before it could lose a digit.
 * Floats never hold a fraction here.
 */

/** Sums of this size still take any safe integer without losing a digit. */
const ROOM = 2 ** 52;

/** An exact sum of integers: `high + low`. */
export interface Sum {
  high: bigint;
  low: number;
}

export function emptySum(): Sum {
  return { high: 0n, low: 0 };
}

export function addTo(sum: Sum, value: number): void {
  const low = sum.low + value;
  if (low < ROOM && low > -ROOM) sum.low = low;
  else {
    sum.high += BigInt(sum.low) + BigInt(value);
    sum.low = 0;
  }
}

/** Adds `value × factor`, both safe integers. */
export function addProduct(sum: Sum, value: number, factor: number): void {
  const product = value * factor;
  if (Number.isSafeInteger(product)) addTo(sum, product);
  else sum.high += BigInt(value) * BigInt(factor);
}

export function valueOf(sum: Sum): bigint {
  return sum.high + BigInt(sum.low);
}

/** Greatest common divisor of some units and the whole: what they can all be counted in. */
export function commonUnit(whole: number, units: Iterable<number>): number {
  let found = whole;
  for (const unit of units) {
    let rest = unit;
    while (rest !== 0) [found, rest] = [rest, found % rest];
  }
  return found;
}

/**
 * Shares `total` whole pence over parts whose exact sizes are `numerators / denominator`: each gets
 * its size rounded down, and the pennies left go one each to the largest remainders, earlier parts
 * first where these are equal. `total` must be the exact sum rounded down or up.
 */
export function largestRemainder(
  numerators: readonly bigint[],
  denominator: bigint,
  total: bigint,
): bigint[] {
  const whole = numerators.map((value) => floor(value, denominator));
  const rest = numerators.map((value, index) => value - whole[index]! * denominator);
  let left = total - whole.reduce((sum, value) => sum + value, 0n);
  const byRest = rest.map((_, index) => index);
  byRest.sort((a, b) => (rest[a]! > rest[b]! ? -1 : rest[a]! < rest[b]! ? 1 : a - b));
  for (const index of byRest) {
    if (left <= 0n) break;
    whole[index]! += 1n;
    left -= 1n;
  }
  return whole;
}

function floor(value: bigint, denominator: bigint): bigint {
  const quotient = value / denominator;
  return value < 0n && quotient * denominator !== value ? quotient - 1n : quotient;
}

/**
 * `largestRemainder` for very many parts `values[i] × factors[i] / denominator`, written to `into`
 * at the places `at`. One number for the whole pence and one for the remainder hold a part exactly,
 * since the denominator is at most 10^12. `values` and `factors` may be longer than `at`.
 */
export function shareOutPence(
  parts: { readonly values: Float64Array; readonly factors: Float64Array; readonly at: Int32Array },
  denominator: number,
  total: bigint,
  into: Float64Array,
): void {
  const { values, factors, at } = parts;
  const rests = new Float64Array(at.length);
  const floored = emptySum();
  for (let i = 0; i < at.length; i += 1) {
    const product = values[i]! * factors[i]!;
    let whole: number;
    if (Number.isSafeInteger(product)) {
      // The quotient may be one off; all that follows is exact, and puts it right.
      whole = Math.floor(product / denominator);
      let rest = product - whole * denominator;
      if (rest < 0 || rest >= denominator) {
        const step = rest < 0 ? 1 : -1;
        whole -= step;
        rest += step * denominator;
      }
      rests[i] = rest;
    } else {
      const exact = BigInt(values[i]!) * BigInt(factors[i]!);
      const quotient = floor(exact, BigInt(denominator));
      rests[i] = Number(exact - quotient * BigInt(denominator));
      whole = Number(quotient);
    }
    into[at[i]!] = whole;
    addTo(floored, whole);
  }
  giveRest(rests, Number(total - valueOf(floored)), at, into);
}

/** One penny each to the `count` largest remainders; among equal ones to the earlier. */
function giveRest(rests: Float64Array, count: number, at: Int32Array, into: Float64Array): void {
  if (count <= 0) return;
  const least = rests.toSorted()[rests.length - count]!;
  let ties = count;
  for (const rest of rests) if (rest > least) ties -= 1;
  for (let i = 0; i < rests.length; i += 1) {
    const rest = rests[i]!;
    if (rest < least) continue;
    if (rest > least || ties > 0) into[at[i]!]! += 1;
    if (rest === least) ties -= 1;
  }
}
