/** What a formula's percent or amount is off, and what an entry comes to by its formula. */
import type { Decimal } from "../../model/index.ts";
import { TERMS } from "./book.ts";
import * as candidate from "./candidate.ts";
import { fine } from "./chain.ts";
import type { Enquiry } from "./enquiry.ts";
import { byFormula } from "./formula.ts";
import { OTHER } from "./marks.ts";
import type { PriceFormula } from "./masters.ts";
import { shelvesOfList } from "./standpoint.ts";
import type { Shelf } from "./shelf.ts";
import * as terms from "./terms.ts";

/** How the book is searched; given by the search, which is what asks for a basis. */
export interface Search {
  readonly shelf: (enquiry: Enquiry, shelf: Shelf) => void;
  readonly base: (enquiry: Enquiry) => void;
}

/** Lists that are worked out of lists; more than this many are a loop. */
const DEEPEST = 8;

/** The exact price of an entry by the formula that it names, or a failure below 0. */
export function byBasis(
  enquiry: Enquiry,
  value: number,
  row: number,
  search: Search,
): Decimal | number {
  const { book } = enquiry;
  const formula = book.formulaOf.get(book.formulas[book.terms[row + terms.FORMULA]!] ?? "");
  if (formula === undefined) return candidate.FORMULA_UNKNOWN;
  const basis = basisOf(enquiry, formula, search);
  if (typeof basis === "number") return basis;
  return byFormula(enquiry, formula, basis, value, row);
}

/** Null: there is none; below 0: it cannot be worked out. */
function basisOf(enquiry: Enquiry, formula: PriceFormula, search: Search): Decimal | number | null {
  const { line } = enquiry;
  switch (formula.basis) {
    case "cost": {
      const cost = candidate.costOf(enquiry);
      return cost < 0 ? cost : fine(cost);
    }
    case "running":
      return line.running?.exact ?? baseOf(enquiry, search);
    case "base":
      return baseOf(enquiry, search);
    case "standard":
      return apart(enquiry, () => standardOf(enquiry, search));
    case "price-list":
      return priceOnList(enquiry, formula.priceList ?? "", search);
    default:
      return formula.basis satisfies never;
  }
}

function baseOf(enquiry: Enquiry, search: Search): Decimal | null {
  search.base(enquiry);
  return enquiry.found.base < 0 ? null : fine(enquiry.found.base);
}

/** The lowest standard price that holds. */
function standardOf(enquiry: Enquiry, search: Search): Decimal | null {
  const { book, line, found } = enquiry;
  found.base = -1;
  line.forBase = true;
  for (const of of book.program.standard) {
    const region = of.region * 2;
    const size = book.regions[region + 1]!;
    if (size !== 0)
      search.shelf(enquiry, { start: book.regions[region]!, size, of, subject: 0, list: -1 });
  }
  return found.base < 0 ? null : fine(found.base);
}

/**
 * The price that the step which is running gives on another list; where that list says nothing, the
 * base price.
 */
function priceOnList(enquiry: Enquiry, code: string, search: Search): Decimal | number | null {
  const { book, line } = enquiry;
  const list = book.priceLists.numbers.get(code);
  if (list === undefined || line.depth >= DEEPEST) return null;
  const { tables } = book.program.steps[line.at]!;
  const price = apart(enquiry, () => {
    line.depth += 1;
    return bestOn(enquiry, shelvesOfList(book, tables, list), search);
  });
  return price ?? baseOf(enquiry, search);
}

function bestOn(
  enquiry: Enquiry,
  shelves: readonly Shelf[],
  search: Search,
): Decimal | number | null {
  const { book, found, line, holding } = enquiry;
  found.price = -1;
  line.running = null;
  for (const shelf of shelves) search.shelf(enquiry, shelf);
  if (found.price < 0) return found.doubt === null ? null : candidate.NO_BASE;
  const row = (found.word & TERMS) * terms.STRIDE;
  line.table = found.table;
  line.subject = found.subject;
  line.key = found.key;
  if (book.terms[row + terms.FORMULA]! >= 0) return byBasis(enquiry, found.value, row, search);
  if (holding.modes[found.word & TERMS] !== OTHER) {
    const price = candidate.fixedOf(enquiry, found.value, row);
    return price < 0 ? price : fine(price);
  }
  const { scale } = book.policy.arithmetic.unitPrice;
  return { digits: BigInt(found.price), scale };
}

/** Searches beside the line that is being priced, and leaves that as it was. */
function apart<Result>(enquiry: Enquiry, look: () => Result): Result {
  const { found, line, trace } = enquiry;
  const kept = { ...found };
  const place = { ...line };
  const stacked = line.stack.length;
  enquiry.trace = null;
  try {
    return look();
  } finally {
    const { until, stepUp } = found;
    Object.assign(found, kept, { until, stepUp });
    Object.assign(line, place);
    line.stack.length = stacked;
    enquiry.trace = trace;
  }
}
