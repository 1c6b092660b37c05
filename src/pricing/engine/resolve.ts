/**
 * Prices one line of an enquiry by the policy's steps. Allocates nothing: the answer is left in
 * `enquiry.found`. What an explanation tells is written down by these same functions.
 */
import { workOutAmounts } from "./amounts.ts";
import { LAST, RULE, SEVERAL, TERMS, homeOf } from "./book.ts";
import { LAST_DAY } from "./calendar.ts";
import * as candidate from "./candidate.ts";
import { doubt } from "./enquiry.ts";
import type { Enquiry, Found, Shelf } from "./enquiry.ts";
import type { PolicyStep } from "./policy.ts";
import { unpricedOutcome } from "./promotion.ts";
import * as terms from "./terms.ts";
import type { Outcome } from "./trace.ts";

/** What is being looked for at the moment: a line, and the step or the base price. */
interface Search {
  readonly enquiry: Enquiry;
  readonly product: number;
  /** With 5 places. */
  readonly quantity: number;
  /** Position of the step that is running. */
  at: number;
  step: PolicyStep;
  /** True while the base price is looked up. */
  forBase: boolean;
  /** Where the entry in hand stands: its table (-1: the account's discount), and its key there. */
  table: number;
  key: number;
}

/**
 * Prices a quantity (1/100,000 selling units, above 0) of a product; the answer is `enquiry.found`.
 */
export function priceLine(enquiry: Enquiry, product: number, quantity: number): Found {
  const { found } = enquiry;
  const { steps } = enquiry.book.program;
  clear(found);
  const search: Search = {
    enquiry,
    product,
    quantity,
    at: 0,
    step: steps[0]!.step,
    forBase: false,
    table: -1,
    key: -1,
  };
  for (; search.at < steps.length; search.at += 1) {
    search.step = steps[search.at]!.step;
    runStep(search);
    if (found.price >= 0 && search.step.hit === "stop") break;
  }
  if (enquiry.trace !== null) traceTheRest(search);
  workOutAmounts(enquiry, product, quantity);
  return found;
}

function clear(found: Found): void {
  found.price = -1;
  found.step = -1;
  found.table = -1;
  found.key = -1;
  found.value = 0;
  found.word = 0;
  found.until = LAST_DAY + 1;
  found.doubt = null;
  found.doubtLabel = -1;
  found.codeLabel = -1;
  found.freeLabel = -1;
  found.thresholdLabel = -1;
  found.threshold = Infinity;
  found.base = NOT_LOOKED_UP;
}

const NOT_LOOKED_UP = -2;
const NO_BASE = -1;

/** For an explanation: what the steps after the end would have found. The answer stays as it is. */
function traceTheRest(search: Search): void {
  const { found, book } = search.enquiry;
  const { steps } = book.program;
  const answer = { ...found };
  for (search.at += 1; search.at < steps.length; search.at += 1) {
    search.step = steps[search.at]!.step;
    runStep(search);
  }
  const { base, baseTable, baseKey, baseValue, baseWord } = found;
  Object.assign(found, answer, { base, baseTable, baseKey, baseValue, baseWord });
}

function runStep(search: Search): void {
  const { step, enquiry } = search;
  if (step.compete[0] === "particular" && enquiry.found.price >= 0) {
    compareLater(search);
    return;
  }
  const particular = step.compete[0] === "particular";
  for (const shelf of enquiry.shelves[search.at]!) {
    searchShelf(search, shelf);
    if (particular && enquiry.found.price >= 0) return;
  }
  if (step.draw === "account-discount") offerAccountDiscount(search);
  if (enquiry.book.program.steps[search.at]!.offersBase) offerBase(search);
}

/**
 * A step where the first place wins, after others found a price: the two are compared at its end.
 */
function compareLater(search: Search): void {
  const { found } = search.enquiry;
  const { price, step, table, key, value, word } = found;
  found.price = -1;
  runStep(search);
  if (found.price < 0 || price <= found.price)
    Object.assign(found, { price, step, table, key, value, word });
}

function searchShelf(search: Search, shelf: Shelf): void {
  const { products, groups, policy } = search.enquiry.book;
  if (shelf.of.keyedBy === 0) searchCell(search, shelf, search.product);
  else if (shelf.of.keyedBy === 2) searchCell(search, shelf, 0);
  else {
    let group = products.group[search.product]!;
    while (group >= 0) {
      searchCell(search, shelf, group);
      group = policy.productGroups === "own" ? -1 : groups.parent[group]!;
    }
  }
}

function searchCell(search: Search, shelf: Shelf, key: number): void {
  const { cells, several } = search.enquiry.book;
  const at = cellOf(cells, shelf, key);
  if (at < 0) return;
  search.table = shelf.of.table;
  search.key = key;
  const value = cells[at]!;
  const word = cells[at + 1]!;
  if ((word & SEVERAL) === 0) {
    weigh(search, shelf, value, word);
    return;
  }
  // A rule's breaks stand together, highest first: the first that holds is the rule's price.
  let taken = false;
  for (let entry = value; ; entry += 2) {
    const word = several[entry + 1]!;
    if ((word & RULE) !== 0) taken = false;
    if (!taken) taken = weigh(search, shelf, several[entry]!, word);
    else if (search.enquiry.trace !== null && isDrawn(search, shelf, word))
      note(search, several[entry]!, word, "lower-break");
    if ((word & LAST) !== 0) return;
  }
}

/** Position of a key's value in the cells; -1: the region has nothing under it. */
function cellOf(cells: Int32Array, { start, size }: Shelf, key: number): number {
  if (size < 0) {
    const at = start + key * 2;
    return cells[at + 1] === 0 ? -1 : at;
  }
  let slot = homeOf(key, size);
  for (;;) {
    const at = start + slot * 3;
    if (cells[at + 2] === 0) return -1;
    if (cells[at] === key) return at + 1;
    slot = slot + 1 === size ? 0 : slot + 1;
  }
}

/**
 * Lets one entry compete. True when it holds for the quantity and day, so that its rule's lower
 * breaks do not.
 */
function weigh(search: Search, shelf: Shelf, value: number, word: number): boolean {
  const row = (word & TERMS) * terms.STRIDE;
  if (!isNamed(search, row)) {
    note(search, value, word, "not-named");
    return true;
  }
  const standing = standingOf(search, row);
  if (standing !== null) {
    if (search.enquiry.trace !== null && isDrawn(search, shelf, word))
      note(search, value, word, standing);
    return false;
  }
  if (!isDrawn(search, shelf, word)) return true;
  if (search.forBase) offerAsBase(search, value, word);
  else offer(search, value, word);
  return true;
}

/** False for a quotation that the buyer would have to name and did not. */
function isNamed({ enquiry, step }: Search, row: number): boolean {
  if (step.draw !== "quotations" || step.applies === "by-itself") return true;
  return enquiry.book.terms[row + terms.LABEL] === enquiry.asking.quotation;
}

/**
 * Why an entry does not hold for the quantity and day; null: it does. Keeps when that will change.
 */
function standingOf({ enquiry, quantity }: Search, row: number): Outcome | null {
  const { found } = enquiry;
  const { day } = enquiry.asking;
  const all = enquiry.book.terms;
  if (quantity < all[row + terms.FROM]!) return "not-reached";
  if (quantity > all[row + terms.LIMIT]!) return "over-limit";
  const start = all[row + terms.START]!;
  const end = all[row + terms.END]!;
  if (day > end) return "ended";
  if (day < start) {
    if (start < found.until && end >= start) found.until = start;
    return "not-yet";
  }
  if (end + 1 < found.until) found.until = end + 1;
  return null;
}

/** Whether what is being looked for is drawn from this entry at all. */
function isDrawn({ enquiry, step, forBase }: Search, shelf: Shelf, word: number): boolean {
  const all = enquiry.book.terms;
  const row = (word & TERMS) * terms.STRIDE;
  const fixed = all[row + terms.KIND] === terms.FIXED;
  if (forBase) return fixed;
  if (step.draw !== "rules") return true;
  if (fixed && shelf.of.holdsBase) return false;
  if (step.only === "any") return true;
  return (step.only === "net") === ((all[row + terms.FLAGS]! & terms.NET) !== 0);
}

function offer(search: Search, value: number, word: number): void {
  const { enquiry } = search;
  const row = (word & TERMS) * terms.STRIDE;
  if (search.step.draw === "promotions") {
    const unpriced = unpricedOutcome(enquiry, row);
    if (unpriced !== null) {
      note(search, value, word, unpriced);
      return;
    }
  }
  if (candidate.needsBase(enquiry.book.terms[row + terms.KIND]!)) findBase(search);
  const price = candidate.priceOf(enquiry, search.product, value, row);
  if (price >= 0) take(search, value, word, price);
  else fail(search, value, word, price);
}

/** Keeps a candidate's price when it is the lowest so far. */
function take(search: Search, value: number, word: number, price: number): void {
  const { found, trace } = search.enquiry;
  if (trace !== null) note(search, value, word, "priced", price);
  if (found.price >= 0 && found.price <= price) return;
  found.price = price;
  found.step = search.at;
  found.table = search.table;
  found.key = search.key;
  found.value = value;
  found.word = word;
}

/** A rule that holds but whose price cannot be worked out leaves the line's price unknown. */
function fail(search: Search, value: number, word: number, failure: number): void {
  const { enquiry } = search;
  const outcome = candidate.outcomeOf(failure);
  note(search, value, word, outcome);
  if (outcome === "other-currency" || outcome === "no-base") return;
  doubt(enquiry.found, outcome, enquiry.book.terms[(word & TERMS) * terms.STRIDE + terms.LABEL]!);
}

function note(search: Search, value: number, word: number, outcome: Outcome, price = -1): void {
  const { trace } = search.enquiry;
  if (trace === null) return;
  const { table, key, forBase, at } = search;
  trace.push({ step: forBase ? -1 : at, table, key, value, word, outcome, price });
}

/** Looks the base price up once a line: the lowest fixed price in the first place that has one. */
function findBase(search: Search): void {
  const { found, trace, base } = search.enquiry;
  if (found.base !== NOT_LOOKED_UP) return;
  const { table, key } = search;
  found.base = NO_BASE;
  search.forBase = true;
  for (const shelf of base) {
    if (found.base >= 0 && trace === null) break;
    searchShelf(search, shelf);
  }
  search.forBase = false;
  search.table = table;
  search.key = key;
}

function offerAsBase(search: Search, value: number, word: number): void {
  const { found, book } = search.enquiry;
  const row = (word & TERMS) * terms.STRIDE;
  const price = candidate.fixedOf(search.enquiry, search.product, value, row);
  const replaced = found.base >= 0 && found.baseTable !== search.table;
  if (price < 0) {
    if (!replaced) fail(search, value, word, price);
    return;
  }
  const outcome = replaced ? "base-replaced" : "priced";
  note(search, value, word, outcome, candidate.rounded(book, price));
  if (found.base >= 0 && (replaced || found.base <= price)) return;
  found.base = price;
  found.baseTable = search.table;
  found.baseKey = search.key;
  found.baseValue = value;
  found.baseWord = word;
}

/** The base price competes itself; in a step for net prices, only when it is one. */
function offerBase(search: Search): void {
  const { found, book } = search.enquiry;
  const { step } = search;
  findBase(search);
  if (found.base < 0) return;
  const net =
    (book.terms[(found.baseWord & TERMS) * terms.STRIDE + terms.FLAGS]! & terms.NET) !== 0;
  if (step.draw === "rules" && step.only !== "any" && (step.only === "net") !== net) return;
  search.table = found.baseTable;
  search.key = found.baseKey;
  take(search, found.baseValue, found.baseWord, candidate.rounded(book, found.base));
}

function offerAccountDiscount(search: Search): void {
  const { enquiry } = search;
  if (enquiry.discount === 0) return;
  findBase(search);
  search.table = -1;
  search.key = -1;
  const price = candidate.percentOff(enquiry, enquiry.discount);
  if (price >= 0) take(search, enquiry.discount, 0, price);
  else fail(search, enquiry.discount, 0, price);
}
