/**
 * What explanations need, as numbers: every candidate of a line with what became of it and its
 * price. Written beside the pricing, which it never touches; put into words when it is read.
 */
import * as layout from "./book.ts";
import type { Enquiry, Found } from "./enquiry.ts";
import * as facts from "./facts.ts";
import * as holds from "./holding.ts";
import { cellOf, isOpen } from "./lists.ts";
import * as marks from "./marks.ts";
import * as plan from "./plan.ts";
import { priceLine } from "./resolve.ts";
import { divide } from "./scaled.ts";

// Constants of this file cost nothing where those of another are loaded each time.
const P_APART = plan.APART;
const P_BIT = plan.BIT;
const P_DISCOUNT = plan.DISCOUNT;
const P_HEAD = plan.HEAD;
const P_KEYED_BY = plan.KEYED_BY;
const P_LEAVES_FIXED = plan.LEAVES_FIXED;
const P_LIST = plan.LIST;
const P_OFFERS = plan.OFFERS;
const P_OFFERS_ANY = plan.OFFERS_ANY;
const P_OFFERS_NET = plan.OFFERS_NET;
const P_OFFERS_NONE = plan.OFFERS_NONE;
const P_SHELF = plan.SHELF;
const P_SHELVES = plan.SHELVES;
const P_SIZE = plan.SIZE;
const P_START = plan.START;
const P_STEP = plan.STEP;
const LAST = layout.LAST;
const RULE = layout.RULE;
const SEVERAL = layout.SEVERAL;
const TERMS = layout.TERMS;
const FACTS = facts.FACTS;
const GROUP = facts.GROUP;
const LEAST = holds.LEAST;
const MOST = holds.MOST;
const SPAN = holds.SPAN;
const OTHER = marks.OTHER;
const PLAIN = marks.PLAIN;
const QUICK_NET = marks.QUICK_NET;
const QUICK_NOT = marks.QUICK_NOT;
/** Numbers of a candidate. */
export const CANDIDATE = 5;
/** Where its shelf stands in the plan; below 0: the base price or the discount, see `apartAt`. */
export const SHELF = 0;
export const KEY = 1;
export const VALUE = 2;
export const WORD = 3;
/** One of `OUTCOMES`, and above it how many groups the key is from the product's own. */
export const OUTCOME = 4;
export const DEPTH = 8;

/** `ABSENT`: why is what its terms, the line and the moment say. */
export const PRICED = 0;
export const LOWER_BREAK = 1;
export const ABSENT = 2;
export const NO_BASE = 3;
export const BASE_REPLACED = 4;

/** Numbers of a line: its first candidate, the end of its candidates, product and unit. */
export const LINE = 4;
/** Quantity, pooled quantity, price, net and VAT of it. */
export const ANSWER = 5;

export interface Recording {
  readonly enquiry: Enquiry;
  lines: number;
  /** Candidates so far. */
  count: number;
  numbers: Int32Array;
  /** Unit price of each candidate at the policy's places; -1: none. */
  prices: Float64Array;
  ofLines: Int32Array;
  answers: Float64Array;
}

/** `lines`: how many are expected; more are taken all the same. */
export function startRecording(enquiry: Enquiry, lines = 8): Recording {
  const room = Math.max(1, lines);
  return {
    enquiry,
    lines: 0,
    count: 0,
    numbers: new Int32Array(room * USUAL * CANDIDATE),
    prices: new Float64Array(room * USUAL),
    ofLines: new Int32Array(room * LINE),
    answers: new Float64Array(room * ANSWER),
  };
}

/** Candidates of a line. */
const USUAL = 8;

/** Prices a line as `priceLine` does, and writes its candidates down under its place. */
export function recordLine(
  recording: Recording,
  product: number,
  quantity: number,
  unit = -1,
  pooled = -1,
): Found {
  const { enquiry } = recording;
  const found = priceLine(enquiry, product, quantity, unit, pooled);
  if ((recording.lines + 1) * LINE > recording.ofLines.length) lengthen(recording);
  const start = recording.count;
  const at = recording.lines * LINE;
  // What a plan cannot tell is traced step by step when it is read.
  const isTold = enquiry.line.quick && recordSteps(recording, product);
  if (!isTold) recording.count = start;
  recording.ofLines[at] = start;
  recording.ofLines[at + 1] = isTold ? recording.count : -1;
  recording.ofLines[at + 2] = product;
  recording.ofLines[at + 3] = unit;
  const answer = recording.lines * ANSWER;
  recording.answers[answer] = quantity;
  recording.answers[answer + 1] = pooled;
  recording.answers[answer + 2] = found.price;
  recording.answers[answer + 3] = found.net;
  recording.answers[answer + 4] = found.vat;
  recording.lines += 1;
  return found;
}

function lengthen(recording: Recording): void {
  const ofLines = new Int32Array(recording.ofLines.length * 2);
  ofLines.set(recording.ofLines);
  recording.ofLines = ofLines;
  const answers = new Float64Array(recording.answers.length * 2);
  answers.set(recording.answers);
  recording.answers = answers;
}

/** The base price of the line in hand: none, or as a cell holds it; -2: not asked for yet. */
const base = { value: -2, shelf: -1, key: -1, word: 0 };
const NOT_ASKED = -2;
const NONE = -1;

function recordSteps(recording: Recording, product: number): boolean {
  const steps = recording.enquiry.plan;
  if (steps === null) return false;
  base.value = NOT_ASKED;
  for (let at = steps[0]!; at < steps.length;) {
    const bit = steps[at + P_BIT]!;
    let shelf = at + P_STEP;
    for (let left = steps[at + P_SHELVES]!; left > 0; left -= 1) {
      if (!recordShelf(recording, steps, shelf, product, bit)) return false;
      shelf += P_SHELF;
    }
    const offers = steps[at + P_OFFERS]!;
    const discount = steps[at + P_DISCOUNT]!;
    if (offers !== P_OFFERS_NONE && !recordBase(recording, steps, at, product)) return false;
    if (offers === P_OFFERS_NONE && discount !== 0)
      if (!recordDiscount(recording, steps, at, product)) return false;
    at = shelf;
  }
  return true;
}

/** Of a candidate of a step itself, not of a shelf. */
export function apartAt(step: number): number {
  return -1 - step;
}

function recordBase(recording: Recording, steps: Int32Array, at: number, product: number): boolean {
  if (!findBase(recording, steps, product)) return false;
  if (base.value < 0) return true;
  const offers = steps[at + P_OFFERS]!;
  if (offers !== P_OFFERS_ANY) {
    const bits = recording.enquiry.holding.quick?.[base.word & TERMS] ?? 0;
    if (((bits & QUICK_NET) !== 0) !== (offers === P_OFFERS_NET)) return true;
  }
  const price = base.value * recording.enquiry.plainFactor;
  write(recording, apartAt(at), base.key, base.value, base.word, PRICED, price);
  return true;
}

function recordDiscount(
  recording: Recording,
  steps: Int32Array,
  at: number,
  product: number,
): boolean {
  const discount = steps[at + P_DISCOUNT]!;
  if (!findBase(recording, steps, product)) return false;
  const price = base.value < 0 ? -1 : lessPercent(recording.enquiry, discount);
  if (base.value >= 0 && price < 0) return false;
  write(recording, apartAt(at), -1, discount, 0, price < 0 ? NO_BASE : PRICED, price);
  return true;
}

/** All places of the base, though the first that has a price is what counts. */
function findBase(recording: Recording, steps: Int32Array, product: number): boolean {
  if (base.value !== NOT_ASKED) return true;
  base.value = NONE;
  let shelf = P_HEAD;
  for (let left = steps[1]!; left > 0; left -= 1) {
    const list = steps[shelf + P_LIST]!;
    if (list <= 0 || isOpen(recording.enquiry, list))
      if (!recordShelf(recording, steps, shelf, product, 0)) return false;
    shelf += P_SHELF;
  }
  return true;
}

function recordShelf(
  recording: Recording,
  steps: Int32Array,
  shelf: number,
  product: number,
  bit: number,
): boolean {
  const keyedBy = steps[shelf + P_KEYED_BY]!;
  if (keyedBy === 0) return recordCell(recording, steps, shelf, product, product, bit, 0);
  if (keyedBy === 2) return recordCell(recording, steps, shelf, 0, product, bit, 0);
  const { book, holding } = recording.enquiry;
  let group = holding.facts[product * FACTS + GROUP]!;
  for (let depth = 0; group >= 0; depth += 1) {
    if (!recordCell(recording, steps, shelf, group, product, bit, depth)) return false;
    if (book.policy.productGroups === "own") return true;
    group = book.groups.parent[group]!;
  }
  return true;
}

function recordCell(
  recording: Recording,
  steps: Int32Array,
  shelf: number,
  key: number,
  product: number,
  bit: number,
  depth: number,
): boolean {
  const { cells, several } = recording.enquiry.book;
  const at = cellOf(cells, steps[shelf + P_START]!, steps[shelf + P_SIZE]!, key);
  if (at < 0) return true;
  if (steps[shelf + P_APART] === 1) return false;
  const word = cells[at + 1]!;
  if ((word & SEVERAL) === 0) {
    const outcome = outcomeOf(recording.enquiry, steps, shelf, bit, word);
    return tell(recording, steps, shelf, key, product, bit, cells[at]!, word, outcome, depth);
  }
  let taken = false;
  for (let entry = cells[at]!; ; entry += 2) {
    const each = several[entry + 1]!;
    const value = several[entry]!;
    if ((each & RULE) !== 0) taken = false;
    const now = outcomeOf(recording.enquiry, steps, shelf, bit, each);
    const outcome = taken && (now & ~UNDRAWN) !== CANNOT ? (now & UNDRAWN) | LOWER_BREAK : now;
    if (!taken && (now & ~UNDRAWN) === PRICED) taken = true;
    if (!tell(recording, steps, shelf, key, product, bit, value, each, outcome, depth))
      return false;
    if ((each & LAST) !== 0) return true;
  }
}

/** Of an entry that the step does not draw: it takes the place of lower breaks all the same. */
const UNDRAWN = 16;
const CANNOT = 15;

function outcomeOf(
  enquiry: Enquiry,
  steps: Int32Array,
  shelf: number,
  bit: number,
  word: number,
): number {
  const { holding, line } = enquiry;
  const row = word & TERMS;
  const isFixed = holding.modes[row] !== OTHER;
  const isDrawn =
    bit === 0
      ? isFixed
      : (holding.bits[row]! & bit) !== 0 && !(isFixed && steps[shelf + P_LEAVES_FIXED] === 1);
  const drawn = isDrawn ? 0 : UNDRAWN;
  const span = row * SPAN;
  const isIn =
    line.counted >= holding.spans[span + LEAST]! && line.counted <= holding.spans[span + MOST]!;
  const bits = holding.quick?.[row] ?? 0;
  if (!isIn || bits >= 0) return drawn | ABSENT;
  return (bits & QUICK_NOT) === 0 ? drawn | PRICED : CANNOT;
}

function tell(
  recording: Recording,
  steps: Int32Array,
  shelf: number,
  key: number,
  product: number,
  bit: number,
  value: number,
  word: number,
  outcome: number,
  depth: number,
): boolean {
  if (outcome === CANNOT) return false;
  if ((outcome & UNDRAWN) !== 0) return true;
  const { enquiry } = recording;
  const told = outcome | (depth << DEPTH);
  if (outcome !== PRICED) {
    write(recording, shelf, key, value, word, told, -1);
    return true;
  }
  const isPlain = enquiry.holding.modes[word & TERMS] === PLAIN;
  if (isPlain && value < 0) return false;
  if (bit === 0) return tellBase(recording, shelf, key, value, word, depth);
  if (isPlain) {
    write(recording, shelf, key, value, word, told, value * enquiry.plainFactor);
    return true;
  }
  if (!findBase(recording, steps, product)) return false;
  const price = base.value < 0 ? -1 : lessPercent(enquiry, value);
  if (base.value >= 0 && price < 0) return false;
  const what = price < 0 ? NO_BASE : PRICED;
  write(recording, shelf, key, value, word, what | (depth << DEPTH), price);
  return true;
}

function tellBase(
  recording: Recording,
  shelf: number,
  key: number,
  value: number,
  word: number,
  depth: number,
): boolean {
  const replaced = base.value >= 0 && base.shelf !== shelf;
  const outcome = (replaced ? BASE_REPLACED : PRICED) | (depth << DEPTH);
  write(recording, shelf, key, value, word, outcome, value * recording.enquiry.plainFactor);
  if (base.value >= 0 && (replaced || base.value <= value)) return true;
  base.value = value;
  base.shelf = shelf;
  base.key = key;
  base.word = word;
  return true;
}

function lessPercent({ plainFactor, book }: Enquiry, percent: number): number {
  const product = base.value * (WHOLE - percent);
  if (!(product >= 0 && product <= EXACT)) return -1;
  return divide(product, WHOLE / plainFactor, book.policy.arithmetic.unitPrice.mode);
}

const WHOLE = 1_000_000;
const EXACT = 2 ** 52;

function write(
  recording: Recording,
  shelf: number,
  key: number,
  value: number,
  word: number,
  outcome: number,
  price: number,
): void {
  if (recording.count === recording.prices.length) widen(recording);
  const { numbers } = recording;
  const at = recording.count * CANDIDATE;
  numbers[at + SHELF] = shelf;
  numbers[at + KEY] = key;
  numbers[at + VALUE] = value;
  numbers[at + WORD] = word;
  numbers[at + OUTCOME] = outcome;
  recording.prices[recording.count] = price;
  recording.count += 1;
}

function widen(recording: Recording): void {
  const numbers = new Int32Array(recording.numbers.length * 2);
  numbers.set(recording.numbers);
  recording.numbers = numbers;
  const prices = new Float64Array(recording.prices.length * 2);
  prices.set(recording.prices);
  recording.prices = prices;
}
