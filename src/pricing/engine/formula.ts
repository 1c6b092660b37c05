/** Price formulas: a percent or amount off a basis, to the nearest 5 pence, less a penny, … */
import { decimal } from "../../model/index.ts";
import type { Decimal, RoundingMode } from "../../model/index.ts";
import * as candidate from "./candidate.ts";
import type { Enquiry } from "./enquiry.ts";
import type { PriceFormula } from "./masters.ts";
import * as terms from "./terms.ts";

const PLACES = 12;
const MODES: Readonly<Record<PriceFormula["rounding"], RoundingMode>> = {
  nearest: "half-away",
  up: "up",
  down: "down",
};

/** How a formula came to its price; each is the one before where there is nothing to do. */
export interface FormulaSteps {
  /** The basis less the percent or amount, the cost with its markup, or the price itself. */
  readonly start: Decimal;
  readonly rounded: Decimal;
  readonly adjusted: Decimal;
  /** Within the margins: the price. */
  readonly kept: Decimal;
}

/**
 * What an entry charges by its formula: exact, or a failure below 0. The formula's own figures are
 * per the unit that the entry is per.
 */
export function byFormula(
  enquiry: Enquiry,
  formula: PriceFormula,
  basis: Decimal | null,
  value: number,
  row: number,
): Decimal | number {
  const steps = formulaSteps(enquiry, formula, basis, value, row);
  return typeof steps === "number" ? steps : steps.kept;
}

/** The same, step by step. */
export function formulaSteps(
  enquiry: Enquiry,
  formula: PriceFormula,
  basis: Decimal | null,
  value: number,
  row: number,
): FormulaSteps | number {
  const start = startOf(enquiry, basis, value, row);
  if (typeof start === "number") return start;
  const { book, line } = enquiry;
  const size = candidate.unitSize(enquiry, book.terms[row + terms.UNIT]!);
  if (Number.isNaN(size)) return candidate.UNIT_UNKNOWN;
  const read: Read = (text) => rescaled(text, line.perUnit, size);
  const multiple = read(formula.roundTo);
  const rounded = multiple === null ? start : toMultiple(start, multiple, MODES[formula.rounding]);
  const adjusted = decimal.add(rounded, read(formula.adjustment) ?? decimal.zero());
  const kept = basis === null ? adjusted : within(adjusted, basis, formula, read);
  return { start, rounded, adjusted, kept };
}

/** A figure of the formula per the line's unit; null: it has none. */
type Read = (text: string | null) => Decimal | null;

/** Before the formula shapes it: the basis less the percent or amount, or the price itself. */
function startOf(
  enquiry: Enquiry,
  basis: Decimal | null,
  value: number,
  row: number,
): Decimal | number {
  const { book } = enquiry;
  switch (book.terms[row + terms.KIND]!) {
    case terms.FIXED: {
      const price = candidate.fixedOf(enquiry, value, row);
      return price < 0 ? price : { digits: BigInt(price), scale: candidate.FINE_PLACES };
    }
    case terms.PERCENT:
      return basis === null
        ? candidate.NO_BASE
        : decimal.subtract(basis, percentOf(book, basis, value, row));
    case terms.AMOUNT: {
      if (basis === null) return candidate.NO_BASE;
      const amount = candidate.amountOf(enquiry, value, row);
      return typeof amount === "number" ? amount : decimal.subtract(basis, amount);
    }
    default: {
      const cost = candidate.costOf(enquiry);
      if (cost < 0) return cost;
      const exact = { digits: BigInt(cost), scale: candidate.FINE_PLACES };
      return decimal.add(exact, percentOf(book, exact, value, row));
    }
  }
}

/** An entry's percent of a price, exact. */
export function percentOf(book: Enquiry["book"], of: Decimal, value: number, row: number): Decimal {
  const digits = BigInt(candidate.valueOf(book, value, row));
  return trimmed(decimal.percentOf(of, { digits, scale: candidate.FINE_PLACES }));
}

/** Far more places than any price has; a chain of percents would have ever more. */
export function trimmed(value: Decimal): Decimal {
  return value.scale > 24 ? decimal.round(value, { scale: 24, mode: "half-away" }) : value;
}

/** `size` 0: it is per the line's unit already. */
function rescaled(text: string | null, to: number, size: number): Decimal | null {
  if (text === null) return null;
  const figure = decimal.parse(text);
  if (size === 0 || figure.digits === 0n) return figure;
  const digits = decimal.digitsAt(figure, PLACES) * BigInt(to);
  return { digits: decimal.divideRounded(digits, BigInt(size), "half-away"), scale: PLACES };
}

function toMultiple(price: Decimal, multiple: Decimal, mode: RoundingMode): Decimal {
  if (multiple.digits <= 0n) return price;
  const scale = Math.max(price.scale, multiple.scale);
  const digits = decimal.digitsAt(multiple, scale);
  const times = decimal.divideRounded(decimal.digitsAt(price, scale), digits, mode);
  return { digits: times * digits, scale };
}

function within(price: Decimal, basis: Decimal, formula: PriceFormula, read: Read): Decimal {
  const least = read(formula.leastMargin);
  const most = read(formula.mostMargin);
  const floor = least === null ? price : decimal.add(basis, least);
  const raised = decimal.compare(price, floor) < 0 ? floor : price;
  const ceiling = most === null ? raised : decimal.add(basis, most);
  return decimal.compare(raised, ceiling) > 0 ? ceiling : raised;
}
