/**
 * Terms: what many rules have in common (break, dates, kind, unit, contract …), kept once and
 * referred to by number, so that a price costs its value and one number.
 */
import { sharedFloats } from "./arena.ts";
import { ALWAYS, NEVER } from "./calendar.ts";

/** Columns of a row of terms. All are numbers; a row is `STRIDE` of them in one array. */
export const STRIDE = 16;
/** Least and most quantity, inclusive, in 1/100,000 selling units; Infinity: any. */
export const FROM = 0;
export const TO = 1;
/** Quantity that a contract or quotation has left, in the same unit; Infinity: no limit. */
export const LIMIT = 2;
/** Quantity of it that is used up; -1: not told. */
export const USED = 3;
/** First moment, and the first one after the last. */
export const START = 4;
export const END = 5;
export const KIND = 6;
export const FLAGS = 7;
/** Number of the currency that a price or amount is in; -1: the account's. */
export const CURRENCY = 8;
/** Number of the unit that a price or amount is per; -1: the product's pricing unit. */
export const UNIT = 9;
/** Number of the contract, promotion or quotation; -1: none. */
export const LABEL = 10;
/** Number of the unit that a line must be sold in; -1: any. */
export const SOLD_IN = 11;
/** Number of the conditions that must be so besides; -1: none. */
export const CONDITIONS = 12;
/** Number of the price formula; -1: none. */
export const FORMULA = 13;
/** How it stacks. */
export const STACK = 14;
/** Higher wins where the policy looks at it; -Infinity: none. */
export const PRIORITY = 15;

export const STANDS_ALONE = 0;
export const STACKS_ADD = 1;
export const STACKS_COMPOUND = 2;

export const KINDS = [
  "fixed",
  "percent",
  "amount",
  "markup",
  "multi-buy",
  "free-goods",
  "threshold",
  "on-request",
  "buy-get",
  "bundle",
] as const;
export type Kind = (typeof KINDS)[number];
export const FIXED = 0;
export const PERCENT = 1;
export const AMOUNT = 2;
export const MARKUP = 3;
export const MULTI_BUY = 4;
export const FREE_GOODS = 5;
export const THRESHOLD_OFFER = 6;
export const ON_REQUEST = 7;

/** Flags. */
export const NET = 1;
/** The value has 6 places instead of 4. */
export const FINE = 2;
/** A promotion that only a basket can tell: its price is no line's. */
export const BASKET = 4;
/** The value is outside what the engine can hold: what it would charge is not known. */
export const UNREADABLE = 8;
/**
 * The value does not fit 32 bits: it is a position in the book's `wideValues`, which have 6 places.
 */
export const WIDE = 16;

/**
 * Columns whose numbers are those of names; what rows say is compared by the names, since a name's
 * number says only when it came.
 */
export const NAMED = [
  [CURRENCY, "currencies"],
  [UNIT, "units"],
  [LABEL, "labels"],
  [SOLD_IN, "units"],
  [CONDITIONS, "conditions"],
  [FORMULA, "formulas"],
] as const;
export type NameKind = (typeof NAMED)[number][1];

/** Names given numbers in order of arrival; none ever gets another. */
export interface Names {
  readonly numbers: Map<string, number>;
}

export function numberOf(names: Names, name: string | null): number {
  if (name === null) return -1;
  const known = names.numbers.get(name);
  if (known !== undefined) return known;
  names.numbers.set(name, names.numbers.size);
  return names.numbers.size - 1;
}

/**
 * Rows of terms in order of arrival, found again by content. Row 0 is unused: in a cell, terms 0
 * means "nothing here".
 */
export interface TermsTable {
  /** Its end is room for more; in shared memory, so that readers elsewhere need no copy. */
  rows: Float64Array;
  /** With row 0. */
  count: number;
  /** Open addressing over row numbers; 0: free. Its length is a power of two. */
  slots: Int32Array;
}

export function emptyTerms(): TermsTable {
  return { rows: sharedFloats(64 * STRIDE), count: 1, slots: new Int32Array(256) };
}

/** The table whose first `count` rows are those of a book. */
export function termsAgain(rows: Float64Array, count: number): TermsTable {
  const table = { rows, count, slots: new Int32Array(128) };
  while (table.slots.length <= count * 2) table.slots = new Int32Array(table.slots.length * 2);
  fillSlots(table);
  return table;
}

/** Terms that hold for any quantity at any time, at the product's pricing unit. */
export function openTerms(): Float64Array {
  const row = new Float64Array(STRIDE).fill(-1);
  row[FROM] = 0;
  row[TO] = Infinity;
  row[LIMIT] = Infinity;
  row[START] = ALWAYS;
  row[END] = NEVER;
  row[FLAGS] = 0;
  row[STACK] = STANDS_ALONE;
  row[PRIORITY] = -Infinity;
  return row;
}

/** Number of the row of terms with this content, added when it is new. */
export function internTerms(table: TermsTable, row: Float64Array): number {
  if (table.count * 2 >= table.slots.length) {
    table.slots = new Int32Array(table.slots.length * 2);
    fillSlots(table);
  }
  const mask = table.slots.length - 1;
  let slot = hashOf(row, 0) & mask;
  for (;;) {
    const found = table.slots[slot]!;
    if (found === 0) break;
    if (sameRow(table.rows, found * STRIDE, row)) return found;
    slot = (slot + 1) & mask;
  }
  if ((table.count + 1) * STRIDE > table.rows.length) {
    const wider = sharedFloats(table.rows.length * 2);
    wider.set(table.rows);
    table.rows = wider;
  }
  table.rows.set(row, table.count * STRIDE);
  table.slots[slot] = table.count;
  table.count += 1;
  return table.count - 1;
}

function fillSlots({ rows, slots, count }: TermsTable): void {
  for (let row = 1; row < count; row += 1) {
    let slot = hashOf(rows, row * STRIDE) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = row;
  }
}

function hashOf(rows: Float64Array, offset: number): number {
  let hash = 0;
  for (let column = 0; column < STRIDE; column += 1) {
    const value = rows[offset + column]!;
    hash = Math.imul(hash ^ value ^ (value / 4_294_967_296), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameRow(rows: Float64Array, offset: number, row: Float64Array): boolean {
  for (let column = 0; column < STRIDE; column += 1)
    if (rows[offset + column] !== row[column]) return false;
  return true;
}
