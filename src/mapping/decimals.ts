/**
 * Decimal texts in one stable form: the shortest. Equal values give equal texts, so that an
 * unchanged row hashes as before however the source pads it. This runs once per number of every
 * row, hence the loops over character codes; a property test holds them against `decimal` of the
 * model.
 */
import { decimal } from "../model/index.ts";
import type { Locale } from "./schema.ts";

const [MINUS, PLUS, POINT, ZERO, NINE] = [45, 43, 46, 48, 57];

/** Longer texts are no amounts; they would only cost time. */
const MOST_CHARACTERS = 40;

/** The shortest text of a plain decimal ("0012.50" → "12.5"); undefined when it is none. */
export function shortest(text: string): string | undefined {
  const length = text.length;
  let start = 0;
  let first = text.charCodeAt(0);
  const negative = first === MINUS;
  if (negative || first === PLUS) {
    start = 1;
    first = text.charCodeAt(1);
  }
  let point = -1;
  // Just after the last digit of the fraction that counts.
  let end = -1;
  for (let at = start; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT && point < 0) point = at;
    else if (code < ZERO || code > NINE) return undefined;
    else if (point >= 0 && code !== ZERO) end = at + 1;
  }
  if (length === start || length > MOST_CHARACTERS || (point >= 0 && length === start + 1))
    return undefined;
  const stop = point < 0 ? length : end < 0 ? point : end;
  // Nearly every number of a row is in its shortest form already.
  if (first !== ZERO && first !== POINT && start === (negative ? 1 : 0) && stop > start)
    return stop === length ? text : text.slice(0, stop);
  return rebuilt(text, start, stop, point < 0 ? length : point, negative);
}

/** Leading zeros, a plus, a bare point: put right the slow way. */
function rebuilt(
  text: string,
  start: number,
  stop: number,
  point: number,
  negative: boolean,
): string {
  let whole = start;
  while (whole < point && text.charCodeAt(whole) === ZERO) whole += 1;
  const digits = text.slice(whole, stop);
  if (digits === "") return "0";
  return `${negative ? "-" : ""}${digits.startsWith(".") ? "0" : ""}${digits}`;
}

/** How many digits a shortest text has before and after its point. */
export function digitsOf(text: string): { readonly whole: number; readonly places: number } {
  const point = text.indexOf(".");
  const sign = text.charCodeAt(0) === MINUS ? 1 : 0;
  const whole = (point < 0 ? text.length : point) - sign;
  const leading = text.charCodeAt(sign) === ZERO ? 1 : 0;
  return { whole: whole - leading, places: point < 0 ? 0 : text.length - point - 1 };
}

/**
 * Turns a number of the locale into plain text: "1.234,50" → "1234.50"; undefined when it is
 * ill-formed.
 */
export function plainNumber(text: string, locale: Locale): string | undefined {
  const { decimal: point, thousands } = locale;
  let plain = text;
  if (thousands !== undefined && text.includes(thousands)) {
    const at = text.indexOf(point);
    const whole = at < 0 ? text : text.slice(0, at);
    const groups = whole.split(thousands);
    // Groups of exactly three: "1,23" is a decimal comma gone astray, not one hundred and
    // twenty-three.
    const sound = groups.every((group, index) =>
      index === 0 ? /^[-+]?\d{1,3}$/.test(group) : /^\d{3}$/.test(group),
    );
    if (!sound) return undefined;
    plain = groups.join("") + (at < 0 ? "" : text.slice(at));
  }
  if (point === ".") return plain;
  return plain.includes(".") ? undefined : plain.replace(point, ".");
}

export interface DecimalShape {
  readonly precision: number;
  readonly scale: number;
}

export interface DecimalRule {
  readonly round?: number | undefined;
  readonly dividedBy?: number | undefined;
  readonly negate?: boolean | undefined;
}

/** Text of the source → canonical text; undefined when it is no number or does not fit. */
export function decimalReader(
  shape: DecimalShape,
  locale: Locale,
  rule: DecimalRule,
): (text: string) => string | undefined {
  const isPlain = locale.decimal === "." && locale.thousands === undefined;
  const read = isPlain ? shortest : (text: string) => shortestOf(plainNumber(text, locale));
  const changes =
    rule.round !== undefined || rule.dividedBy !== undefined || rule.negate !== undefined;
  if (!changes) return (text) => fitting(read(text), shape);
  return (text) => {
    const found = read(text);
    return found === undefined ? undefined : fitting(changed(found, rule), shape);
  };
}

function shortestOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shortest(text);
}

function fitting(text: string | undefined, shape: DecimalShape): string | undefined {
  if (text === undefined) return undefined;
  // Too short to break either limit: the case of nearly every number.
  const room = shape.precision - shape.scale;
  if (text.length <= room && text.length <= shape.scale) return text;
  const { whole, places } = digitsOf(text);
  return whole <= room && places <= shape.scale ? text : undefined;
}

/** Divides, rounds and negates, in this order, exactly. */
export function changed(text: string, rule: DecimalRule): string {
  let value = decimal.parse(text);
  if (rule.dividedBy !== undefined)
    value = { digits: value.digits, scale: value.scale + String(rule.dividedBy).length - 1 };
  if (rule.round !== undefined)
    value = decimal.round(value, { scale: rule.round, mode: "half-away" });
  if (rule.negate === true) value = decimal.negate(value);
  return decimal.canonical(value);
}
