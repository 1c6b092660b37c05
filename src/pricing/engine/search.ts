/**
 * Looks through shelves of the book for what holds, and lets it compete. Allocates nothing but for
 * formulas, chains of prices and explanations.
 */
import { LAST, RULE, SEVERAL, TERMS } from "./book.ts";
import { NEVER } from "./calendar.ts";
import * as candidate from "./candidate.ts";
import { groundOf, linked } from "./chain.ts";
import { compareBy } from "./compare.ts";
import type { Compared } from "./compare.ts";
import { doubt } from "./enquiry.ts";
import type { Enquiry } from "./enquiry.ts";
import { byBasis } from "./basis.ts";
import { LEAST, MOST, NEXT, SPAN } from "./holding.ts";
import { HOLDS, OTHER, PLAIN, RESTRICTED } from "./marks.ts";
import { averageOf } from "./incremental.ts";
import { cellOf, isNothing, isOpen } from "./lists.ts";
import * as terms from "./terms.ts";
import type { Shelf } from "./shelf.ts";
import type { Outcome } from "./trace.ts";

export const NOT_LOOKED_UP = -2;
const NO_BASE = -1;
/** Of a candidate that has no price and still makes a tie: dearer than every price. */
export const PRICELESS = 1e15;
/** Ranks of one place, for the groups of a product from the nearest up. */
const GROUPS = 64;

export function searchShelf(enquiry: Enquiry, shelf: Shelf): void {
  const { of } = shelf;
  const { line, book } = enquiry;
  line.table = of.table;
  line.subject = shelf.subject;
  line.list = shelf.list;
  line.rank = of.place * GROUPS;
  if (of.keyedBy === 0) searchCell(enquiry, shelf, line.product);
  else if (of.keyedBy === 2) searchCell(enquiry, shelf, 0);
  else {
    let group = book.products.group[line.product]!;
    while (group >= 0) {
      searchCell(enquiry, shelf, group);
      if (book.policy.productGroups === "own") return;
      group = book.groups.parent[group]!;
      line.rank += 1;
    }
  }
}

function searchCell(enquiry: Enquiry, shelf: Shelf, key: number): void {
  const { cells, several } = enquiry.book;
  const at = cellOf(cells, shelf.start, shelf.size, key);
  if (at < 0) return;
  enquiry.line.key = key;
  const value = cells[at]!;
  const word = cells[at + 1]!;
  if ((word & SEVERAL) === 0) {
    weigh(enquiry, shelf, value, word, -1);
    return;
  }
  // A rule's breaks stand together, highest first: the first that holds is the rule's price.
  let taken = false;
  for (let entry = value; ; entry += 2) {
    const word = several[entry + 1]!;
    if ((word & RULE) !== 0) taken = false;
    if (!taken) taken = weigh(enquiry, shelf, several[entry]!, word, entry);
    else if (enquiry.trace !== null && isDrawn(enquiry, shelf, several[entry]!, word))
      note(enquiry, several[entry]!, word, "lower-break", -1);
    if ((word & LAST) !== 0) return;
  }
}

/**
 * Lets one entry compete. True when it holds for the quantity and moment, so that its rule's lower
 * breaks do not. `entry`: where it stands in `several`; -1: alone in its cell.
 */
function weigh(
  enquiry: Enquiry,
  shelf: Shelf,
  value: number,
  word: number,
  entry: number,
): boolean {
  const { line, found, holding } = enquiry;
  const row = word & TERMS;
  const span = row * SPAN;
  const least = holding.spans[span + LEAST]!;
  if (line.counted < least) {
    if (least < found.stepUp) found.stepUp = least;
    if (enquiry.trace !== null) noteAbsent(enquiry, shelf, value, word);
    return false;
  }
  const most = holding.spans[span + MOST]!;
  if (line.counted > most) {
    if (enquiry.trace !== null) noteAbsent(enquiry, shelf, value, word);
    return false;
  }
  if (most < found.stepUp) found.stepUp = most + 1;
  const next = holding.spans[span + NEXT]!;
  if (next < found.until) found.until = next;
  const bits = holding.bits[row]!;
  if ((bits & HOLDS) === 0) {
    if (enquiry.trace !== null) noteAbsent(enquiry, shelf, value, word);
    return false;
  }
  if ((bits & RESTRICTED) !== 0 && isRestricted(enquiry, shelf, value, word)) return false;
  if (line.forBase) {
    if (holding.modes[row] !== OTHER) offerAsBase(enquiry, value, word, entry);
    return true;
  }
  if ((bits & line.bit) === 0) return true;
  const mode = holding.modes[row]!;
  if (mode !== OTHER && shelf.of.leavesFixed) return true;
  if (mode === PLAIN && line.fast && value >= 0) {
    // What most lines come to: the price as the cell holds it, the lowest wins.
    const price = value * enquiry.plainFactor;
    if (found.price >= 0 && found.price <= price) return true;
    found.price = price;
    found.step = line.at;
    found.table = line.table;
    found.subject = line.subject;
    found.key = line.key;
    found.value = value;
    found.word = word;
    found.entry = entry;
    found.links = null;
    line.gave |= line.bit;
    return true;
  }
  line.entry = entry;
  offer(enquiry, value, word, entry);
  return true;
}

/** Only for an explanation: why an entry does not hold. */
function noteAbsent(enquiry: Enquiry, shelf: Shelf, value: number, word: number): void {
  if (isDrawn(enquiry, shelf, value, word)) note(enquiry, value, word, absence(enquiry, word), -1);
}

/** Why an entry does not hold. */
export function absence({ book, line, asking, holding }: Enquiry, word: number): Outcome {
  const all = book.terms;
  const row = (word & TERMS) * terms.STRIDE;
  const condition = all[row + terms.CONDITIONS]!;
  if (line.counted < all[row + terms.FROM]!) return "not-reached";
  if (line.counted > all[row + terms.TO]!) return "beyond";
  if (asking.moment >= all[row + terms.END]!) return "ended";
  if (asking.moment < all[row + terms.START]!) return "not-yet";
  if (condition >= 0 && holding.conditions[condition] !== "1") return "not-so";
  return "not-reached";
}

/** Entries for lines in some unit only, and those of which only so much is left. */
function isRestricted(enquiry: Enquiry, shelf: Shelf, value: number, word: number): boolean {
  const { book, line, found } = enquiry;
  const row = (word & TERMS) * terms.STRIDE;
  const soldIn = book.terms[row + terms.SOLD_IN]!;
  const limit = book.terms[row + terms.LIMIT]!;
  const isOther = soldIn >= 0 && soldIn !== line.unit;
  const taken = limit === Infinity ? 0 : (enquiry.taken?.(word) ?? 0);
  // What is left is counted by this line's own quantity; others of a pool have taken theirs.
  const wanted = enquiry.taken === null ? line.counted : line.quantity + taken;
  if (!isOther && wanted <= limit) {
    if (limit < found.stepUp) found.stepUp = limit + 1;
    return false;
  }
  if (enquiry.trace !== null && isDrawn(enquiry, shelf, value, word))
    note(enquiry, value, word, isOther ? "not-sold-in" : "over-limit", -1);
  return true;
}

/** Whether what is being looked for is drawn from this entry at all. */
function isDrawn(enquiry: Enquiry, shelf: Shelf, value: number, word: number): boolean {
  const { line, holding } = enquiry;
  const row = word & TERMS;
  const isFixed = holding.modes[row] !== OTHER;
  if (line.forBase) return isFixed;
  if ((holding.bits[row]! & line.bit) === 0 || (isFixed && shelf.of.leavesFixed)) return false;
  return hasSign(enquiry, value, row * terms.STRIDE);
}

/** Of percents and amounts a step may draw those that raise a price, or that lower it, alone. */
function hasSign({ book, line }: Enquiry, value: number, row: number): boolean {
  const { sign } = book.program.steps[line.at]!.step;
  if (sign === "any" || !candidate.isReduction(book.terms[row + terms.KIND]!)) return true;
  return (sign === "surcharge") === value < 0;
}

function offer(enquiry: Enquiry, value: number, word: number, entry: number): void {
  const { book, line, asking } = enquiry;
  const row = (word & TERMS) * terms.STRIDE;
  const { step } = book.program.steps[line.at]!;
  if (step.draw === "quotations" && step.applies === "when-named") {
    if (book.terms[row + terms.LABEL] !== asking.quotation) {
      note(enquiry, value, word, "not-named", -1);
      return;
    }
  } else if (step.draw === "promotions" && (book.terms[row + terms.FLAGS]! & terms.BASKET) !== 0) {
    note(enquiry, value, word, "in-basket", -1);
    if (!line.shadow) enquiry.found.basketLabel = book.terms[row + terms.LABEL]!;
    return;
  }
  if (!hasSign(enquiry, value, row)) return;
  if (isUnset(enquiry, value, word)) return;
  const price = priceOf(enquiry, value, word, entry);
  if (price >= 0) take(enquiry, value, word, price);
  else fail(enquiry, value, word, price);
}

function isUnset(enquiry: Enquiry, value: number, word: number): boolean {
  if (!isNothing(enquiry, value, word)) return false;
  note(enquiry, value, word, "zero-not-set", -1);
  return true;
}

export const SEARCH = { shelf: searchShelf, base: findBase };

/** The unit price of an entry by whatever makes it, or a failure below 0. */
function priceOf(enquiry: Enquiry, value: number, word: number, entry: number): number {
  const { book, line } = enquiry;
  const row = (word & TERMS) * terms.STRIDE;
  const kind = book.terms[row + terms.KIND]!;
  if (book.terms[row + terms.FORMULA]! >= 0) {
    const exact = byBasis(enquiry, value, row, SEARCH);
    return typeof exact === "number" ? exact : candidate.priceFrom(book, exact);
  }
  const isReduction = candidate.isReduction(kind);
  if (isReduction) findBase(enquiry);
  if (isReduction && line.running !== null) return offRunning(enquiry, value, word);
  if (entry >= 0 && book.policy.breaks === "incremental" && kind === terms.FIXED) {
    const average = averageOf(enquiry, entry);
    return average < 0 ? average : candidate.rounded(book, average);
  }
  return candidate.priceOf(enquiry, value, row);
}

/** A percent or amount where the steps before came to a price already. */
function offRunning(enquiry: Enquiry, value: number, word: number): number {
  const { book, line } = enquiry;
  const ground = groundOf(enquiry, book.program.steps[line.at]!.step);
  if (ground === null) return candidate.NO_BASE;
  const { table, subject, key } = line;
  const links = linked(enquiry, line.at, { table, subject, key, value, word }, ground);
  const last = links?.at(-1);
  return last === undefined ? candidate.UNREADABLE_VALUE : candidate.priceFrom(book, last.exact);
}

/** Keeps a candidate's price when it beats the best so far. */
export function take(enquiry: Enquiry, value: number, word: number, price: number): void {
  const { found, line, book } = enquiry;
  const { simple, step } = book.program.steps[line.at]!;
  if (enquiry.trace !== null) {
    const isAsked = isOnRequest(enquiry, word);
    note(enquiry, value, word, isAsked ? "on-request" : "priced", isAsked ? -1 : price);
  }
  line.gave |= line.bit;
  if (step.takes !== "one") stackUp(enquiry, value, word);
  if (found.price >= 0) {
    if (simple) {
      if (found.price <= price) return;
    } else if (!beats(enquiry, word, price)) return;
  }
  line.tied = false;
  line.bestRank = line.rank;
  line.bestList = line.list;
  found.price = price;
  found.step = line.at;
  found.table = line.table;
  found.subject = line.subject;
  found.key = line.key;
  found.value = value;
  found.word = word;
  found.entry = line.entry;
  found.links = null;
}

export function isOnRequest({ book }: Enquiry, word: number): boolean {
  return book.terms[(word & TERMS) * terms.STRIDE + terms.KIND] === terms.ON_REQUEST && word !== 0;
}

/** Whether the entry in hand beats the best so far; on a tie the lower, then the first is kept. */
function beats(enquiry: Enquiry, word: number, price: number): boolean {
  const { found, line, book } = enquiry;
  const { compete, tie } = book.program.steps[line.at]!.step;
  const best: Compared = {
    word: found.word,
    rank: line.bestRank,
    list: line.bestList,
    price: found.price,
  };
  const other: Compared = { word, rank: line.rank, list: line.list, price };
  for (const comparator of compete) {
    const order = compareBy(book, comparator, other, best);
    if (order !== 0) return order < 0;
  }
  if (tie === "ambiguous") {
    line.tied = true;
    return false;
  }
  return price < found.price;
}

/** Remembers a rule that may stack, whoever wins. */
function stackUp({ book, line }: Enquiry, value: number, word: number): void {
  const row = (word & TERMS) * terms.STRIDE;
  if (word === 0 || book.terms[row + terms.STACK] === terms.STANDS_ALONE) return;
  const { table, subject, key } = line;
  line.stack.push({ table, subject, key, value, word });
}

/** A rule that holds but whose price cannot be worked out leaves the line's price unknown. */
export function fail(enquiry: Enquiry, value: number, word: number, failure: number): void {
  const { book, line } = enquiry;
  const outcome = candidate.outcomeOf(failure);
  if (outcome === "no-base" && book.program.steps[line.at]!.step.tie === "ambiguous") {
    const { trace } = enquiry;
    enquiry.trace = null;
    take(enquiry, value, word, PRICELESS);
    enquiry.trace = trace;
  }
  note(enquiry, value, word, outcome, -1);
  if (outcome === "other-currency" || outcome === "no-base") return;
  doubt(enquiry, outcome, book.terms[(word & TERMS) * terms.STRIDE + terms.LABEL]!);
}

export function note(
  enquiry: Enquiry,
  value: number,
  word: number,
  outcome: Outcome,
  price: number,
): void {
  const { trace } = enquiry;
  if (trace === null) return;
  const { table, subject, key, forBase, at, rank, list } = enquiry.line;
  const step = forBase ? -1 : at;
  trace.candidates.push({ step, table, subject, key, value, word, outcome, price, rank, list });
}

/** Looks the base price up once a line: the lowest fixed price in the first place that has one. */
export function findBase(enquiry: Enquiry): void {
  const { found, line, trace, base } = enquiry;
  if (found.base !== NOT_LOOKED_UP) {
    if (line.shaded !== null && !line.shadow) comeOut(enquiry);
    return;
  }
  if (line.shadow) {
    findInShadow(enquiry);
    return;
  }
  const { table, subject, key, rank, list } = line;
  found.base = NO_BASE;
  line.forBase = true;
  for (let at = 0; at < base.length; at += 1) {
    const shelf = base[at]!;
    if (found.base >= 0 && trace === null) break;
    if (shelf.list > 0 && !isOpen(enquiry, shelf.list)) continue;
    if (found.base >= 0) inShadow(enquiry, () => searchShelf(enquiry, shelf));
    else searchShelf(enquiry, shelf);
  }
  line.forBase = false;
  line.table = table;
  line.subject = subject;
  line.key = key;
  line.rank = rank;
  line.list = list;
}

/** What a base price says of the answer waits until something that counts asks for it. */
function findInShadow(enquiry: Enquiry): void {
  const { found, line } = enquiry;
  const { until, stepUp, doubt: known, doubtLabel } = found;
  Object.assign(found, { until: NEVER, stepUp: Infinity, doubt: null, doubtLabel: -1 });
  line.shadow = false;
  findBase(enquiry);
  line.shadow = true;
  line.shaded = {
    until: found.until,
    stepUp: found.stepUp,
    doubt: found.doubt,
    doubtLabel: found.doubtLabel,
  };
  Object.assign(found, { until, stepUp, doubt: known, doubtLabel });
}

function comeOut(enquiry: Enquiry): void {
  const { found, line } = enquiry;
  const { shaded } = line;
  line.shaded = null;
  if (shaded === null) return;
  found.until = Math.min(found.until, shaded.until);
  found.stepUp = Math.min(found.stepUp, shaded.stepUp);
  if (shaded.doubt !== null) doubt(enquiry, shaded.doubt, shaded.doubtLabel);
}

/** For an explanation: looks at what changes nothing. */
export function inShadow({ found, line }: Enquiry, look: () => void): void {
  const { until, stepUp } = found;
  const was = line.shadow;
  line.shadow = true;
  look();
  line.shadow = was;
  found.until = until;
  found.stepUp = stepUp;
}

function offerAsBase(enquiry: Enquiry, value: number, word: number, entry: number): void {
  const { found, book, line, holding } = enquiry;
  const replaced =
    found.base >= 0 && (found.baseTable !== line.table || found.baseSubject !== line.subject);
  if (value === 0 && isUnset(enquiry, value, word)) return;
  const row = (word & TERMS) * terms.STRIDE;
  let price = value * 100;
  const isPlain = holding.modes[word & TERMS] === PLAIN && line.plain && value >= 0;
  if (!isPlain || (entry >= 0 && book.policy.breaks === "incremental")) {
    if (entry >= 0 && book.policy.breaks === "incremental") {
      price = averageOf(enquiry, entry);
    } else price = candidate.fixedOf(enquiry, value, row);
    if (price < 0) {
      if (!replaced) fail(enquiry, value, word, price);
      return;
    }
  }
  if (enquiry.trace !== null)
    note(
      enquiry,
      value,
      word,
      replaced ? "base-replaced" : "priced",
      candidate.rounded(book, price),
    );
  if (found.base >= 0 && (replaced || found.base <= price)) return;
  found.base = price;
  found.baseTable = line.table;
  found.baseSubject = line.subject;
  found.baseKey = line.key;
  found.baseValue = value;
  found.baseWord = word;
  found.baseEntry = entry;
  found.basePlain = isPlain && enquiry.plainFactor !== 0;
}
