/**
 * Terms: what many rules have in common (break, dates, kind, unit, contract …), kept once and
 * referred to by number, so that a price costs its value and one number.
 */
import { FIRST_DAY, LAST_DAY } from "./calendar.ts";

/** Columns of a row of terms. All are numbers; a row is `STRIDE` of them in one array. */
export const STRIDE = 10;
/** Least quantity, in 1/100,000 selling units. */
export const FROM = 0;
/** Most quantity that a contract or quotation covers, in the same unit; Infinity: no limit. */
export const LIMIT = 1;
/** First and last day, inclusive. */
export const START = 2;
export const END = 3;
export const KIND = 4;
export const FLAGS = 5;
/** Number of the currency that a price or amount is in; -1: the account's. */
export const CURRENCY = 6;
/** Number of the unit that a price or amount is per; -1: the product's pricing unit. */
export const UNIT = 7;
/** Order value from which a promotion holds, in 1/100; -1: none. */
export const THRESHOLD = 8;
/** Number of the contract, promotion or quotation; -1: none. */
export const LABEL = 9;

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

/** Flags. */
export const NET = 1;
/** The value has 6 places instead of 4. */
export const FINE = 2;
/** The buyer must give a code. */
export const CODE = 4;
/** The value is outside what the engine can hold: what it would charge is not known. */
export const UNREADABLE = 8;
/**
 * The value does not fit 32 bits: it is a position in the book's `wideValues`, which have 6 places.
 */
export const WIDE = 16;

/** Names given numbers in order of arrival, and in order of name when the book is finished. */
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

/** The names in order and, for each number of arrival, its place in that order. */
export function sortedNames(names: Names): {
  readonly sorted: string[];
  readonly place: Int32Array;
} {
  const sorted = [...names.numbers.keys()].sort();
  const place = new Int32Array(sorted.length);
  sorted.forEach((name, index) => {
    place[names.numbers.get(name)!] = index;
  });
  return { sorted, place };
}

/** Terms while a book is being built: rows in order of arrival, found again by content. */
export interface TermsTable {
  rows: Float64Array;
  count: number;
  /** Open addressing over row number + 1; its length is a power of two. */
  slots: Int32Array;
}

export function emptyTerms(): TermsTable {
  return { rows: new Float64Array(64 * STRIDE), count: 0, slots: new Int32Array(256) };
}

/** Terms that hold for any quantity on any day, at the product's pricing unit. */
export function openTerms(): Float64Array {
  const row = new Float64Array(STRIDE).fill(-1);
  row[FROM] = 0;
  row[LIMIT] = Infinity;
  row[START] = FIRST_DAY;
  row[END] = LAST_DAY;
  row[FLAGS] = 0;
  return row;
}

/** Number of the row of terms with this content, added when it is new. */
export function internTerms(table: TermsTable, row: Float64Array): number {
  if (table.count * 2 >= table.slots.length) growSlots(table);
  const mask = table.slots.length - 1;
  let slot = hashOf(row, 0) & mask;
  for (;;) {
    const found = table.slots[slot]!;
    if (found === 0) break;
    if (sameRow(table.rows, (found - 1) * STRIDE, row)) return found - 1;
    slot = (slot + 1) & mask;
  }
  if ((table.count + 1) * STRIDE > table.rows.length) {
    const wider = new Float64Array(table.rows.length * 2);
    wider.set(table.rows);
    table.rows = wider;
  }
  table.rows.set(row, table.count * STRIDE);
  table.count += 1;
  table.slots[slot] = table.count;
  return table.count - 1;
}

function growSlots(table: TermsTable): void {
  const slots = new Int32Array(table.slots.length * 2);
  for (let row = 0; row < table.count; row += 1) {
    let slot = hashOf(table.rows, row * STRIDE) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = row + 1;
  }
  table.slots = slots;
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

export interface SortedTerms {
  /** Row 0 is unused: in a cell, terms 0 means "nothing here". */
  readonly rows: Float64Array;
  /** For each number of arrival, the row's number in the book. */
  readonly place: Int32Array;
}

/**
 * The terms in order of content, their names renumbered: the same whatever the order of arrival.
 */
export function sortedTerms(
  table: TermsTable,
  places: { readonly currency: Int32Array; readonly unit: Int32Array; readonly label: Int32Array },
): SortedTerms {
  const rows = table.rows.slice(0, table.count * STRIDE);
  for (let offset = 0; offset < rows.length; offset += STRIDE) {
    rename(rows, offset + CURRENCY, places.currency);
    rename(rows, offset + UNIT, places.unit);
    rename(rows, offset + LABEL, places.label);
  }
  const order = Array.from({ length: table.count }, (_, index) => index);
  order.sort((left, right) => compareRows(rows, left, right));
  const sorted = new Float64Array((table.count + 1) * STRIDE);
  const place = new Int32Array(table.count);
  order.forEach((arrival, index) => {
    place[arrival] = index + 1;
    const offset = arrival * STRIDE;
    sorted.set(rows.subarray(offset, offset + STRIDE), (index + 1) * STRIDE);
  });
  return { rows: sorted, place };
}

function rename(rows: Float64Array, at: number, place: Int32Array): void {
  const number = rows[at]!;
  if (number >= 0) rows[at] = place[number]!;
}

function compareRows(rows: Float64Array, left: number, right: number): number {
  for (let column = 0; column < STRIDE; column += 1) {
    const a = rows[left * STRIDE + column]!;
    const b = rows[right * STRIDE + column]!;
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}
