/** What a case expects against what came out. */
import { decimal } from "../../src/model/index.ts";

/** As read from a case file: numbers are texts. */
export type Value = unknown;

/** What systems call the reasons for which the engine gives no price. */
const MEANINGS: Readonly<Record<string, RegExp>> = {
  ambiguous: /ambiguous|conflict|more than one/i,
  "no-base": /no (?:base )?price/i,
};

/** A difference in words; null: they agree. */
export function difference(name: string, expected: Value, got: Value): string | null {
  if (agrees(expected, got)) return null;
  if (name === "error" && MEANINGS[String(got)]?.test(String(expected)) === true) return null;
  return `${name}: expected ${shown(expected)}, got ${shown(got)}`;
}

export function agrees(expected: Value, got: Value): boolean {
  if (expected === null || got === null || got === undefined) return expected === (got ?? null);
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return false;
    return expected.every((one, at) => agrees(one, got[at]));
  }
  if (typeof expected === "object")
    return (
      typeof got === "object" &&
      Object.entries(expected).every(([name, value]) =>
        agrees(value, (got as Record<string, unknown>)[name]),
      )
    );
  if (typeof expected === "string" && typeof got === "string")
    return expected === got || sameNumber(expected, got);
  return expected === got;
}

/**
 * Exact; where the case gives pennies or finer it may have rounded what the engine has more places
 * of.
 */
function sameNumber(expected: string, got: string): boolean {
  const left = decimal.tryParse(expected);
  const right = decimal.tryParse(got);
  if (left === undefined || right === undefined) return false;
  if (decimal.compare(left, right) === 0) return true;
  if (left.scale < 2 || right.scale <= left.scale) return false;
  const rounded = decimal.round(right, { scale: left.scale, mode: "half-away" });
  return decimal.compare(left, rounded) === 0;
}

export function shown(value: Value): string {
  if (value === undefined) return "nothing";
  if (value === null) return "no price";
  return typeof value === "string" ? value : JSON.stringify(value);
}
