/** Staged rows → regions, cells and entries, in an order that depends on their content alone. */
import { openArena, roomy, take, trimmed } from "./arena.ts";
import type { Arena } from "./arena.ts";
import { LAST, RULE, SEVERAL, homeOf } from "./book.ts";
import { highOf, lowOf, mix } from "./content.ts";
import type { Said } from "./content.ts";

/** Columns of a staged row; `RULE_HIGH` and `RULE_LOW` are a hash of the rule's identity. */
export const ROW = 6;
export const REGION = 0;
export const KEY = 1;
export const VALUE = 2;
export const ROW_TERMS = 3;
export const RULE_HIGH = 4;
export const RULE_LOW = 5;

/**
 * Hashed regions are filled to two thirds: short searches, 18 bytes for a price that stands alone.
 */
const SPARE = 1.5;
export const HASHED = 3;
export const COLUMN = 2;

/** Rows that are laid out, and where. */
export interface Laying {
  readonly rows: Int32Array;
  readonly said: Said;
  /** Least quantity of a row of terms: within a rule the highest break comes first. */
  readonly fromOf: (number: number) => number;
  readonly cells: Arena;
  readonly several: Arena;
}

/** Cells of one region while they are put together; used again for each region. */
export interface CellList {
  count: number;
  keys: Int32Array;
  values: Int32Array;
  words: Int32Array;
}

export function emptyCells(): CellList {
  const numbers = () => new Int32Array(1024);
  return { count: 0, keys: numbers(), values: numbers(), words: numbers() };
}

export function addCell(list: CellList, key: number, value: number, word: number): void {
  const at = list.count;
  if (at === list.keys.length)
    for (const name of ["keys", "values", "words"] as const) {
      const wider = new Int32Array(at * 2);
      wider.set(list[name]);
      list[name] = wider;
    }
  list.keys[at] = key;
  list.values[at] = value;
  list.words[at] = word;
  list.count = at + 1;
}

/** The rows put together by region: row numbers, and where each region's start. */
export interface ByRegion {
  readonly starts: Int32Array;
  readonly order: Int32Array;
}

export function byRegion(rows: Int32Array, count: number, regions: number): ByRegion {
  const starts = new Int32Array(regions + 1);
  for (let at = REGION; at < count * ROW; at += ROW) starts[rows[at]! + 1]! += 1;
  for (let region = 0; region < regions; region += 1) starts[region + 1]! += starts[region]!;
  const next = starts.slice();
  const order = new Int32Array(count);
  for (let row = 0, at = REGION; row < count; row += 1, at += ROW) order[next[rows[at]!]!++] = row;
  return { starts, order };
}

/** Lays out every region that has rows. `placeOf` tells where in the book a staged one stands. */
export function layOut(
  laying: Omit<Laying, "cells" | "several">,
  grouped: ByRegion,
  regions: Int32Array,
  placeOf: (region: number) => { readonly at: number; readonly keys: number },
): { readonly cells: Int32Array; readonly several: Arena } {
  const rows = grouped.order.length;
  const whole = { ...laying, cells: openArena(rows * 3), several: openArena(rows * 2) };
  const list = emptyCells();
  for (let region = 0; region + 1 < grouped.starts.length; region += 1) {
    const from = grouped.starts[region]!;
    const to = grouped.starts[region + 1]!;
    if (from === to) continue;
    const { at, keys } = placeOf(region);
    list.count = 0;
    listCells(whole, grouped.order, from, to, list);
    writeRegion(whole.cells, list, keys, regions, at);
  }
  const { several } = whole;
  return { cells: trimmed(whole.cells), several: { array: roomy(several), used: several.used } };
}

/** The cells of one region's rows; `order` from `from` to `to` is put in the order of content. */
export function listCells(
  laying: Laying,
  order: Int32Array,
  from: number,
  to: number,
  list: CellList,
): void {
  sortByKey(laying.rows, order, from, to);
  for (let start = from; start < to;) {
    const key = laying.rows[order[start]! * ROW + KEY]!;
    let end = start + 1;
    while (end < to && laying.rows[order[end]! * ROW + KEY] === key) end += 1;
    if (end - start === 1) {
      const row = order[start]! * ROW;
      addCell(list, key, laying.rows[row + VALUE]!, laying.rows[row + ROW_TERMS]! | RULE | LAST);
    } else addCell(list, key, severalOf(laying, order, start, end), SEVERAL);
    start = end;
  }
}

/** Key and place in one number, so that they sort as numbers do. */
const PLACES = 2 ** 26;
let sorting = new Float64Array(1024);
let unsorted = new Int32Array(1024);

/** Rows that are in order already stay as they are. */
export function sortByKey(rows: Int32Array, order: Int32Array, from: number, to: number): void {
  const count = to - from;
  if (sorting.length < count) sorting = new Float64Array(count * 2);
  if (unsorted.length < count) unsorted = new Int32Array(count * 2);
  let sorted = true;
  let before = -1;
  for (let at = 0; at < count; at += 1) {
    const row = order[from + at]!;
    const key = rows[row * ROW + KEY]!;
    if (key < before) sorted = false;
    before = key;
    unsorted[at] = row;
    sorting[at] = key * PLACES + at;
  }
  if (sorted) return;
  const numbers = sorting.subarray(0, count).sort();
  for (let at = 0; at < count; at += 1) order[from + at] = unsorted[numbers[at]! % PLACES]!;
}

/** Writes the entries of a cell with several; gives where they start. */
function severalOf(laying: Laying, order: Int32Array, from: number, to: number): number {
  sortCell(laying, order, from, to);
  const { rows, several } = laying;
  const start = take(several, (to - from) * 2);
  let at = start;
  for (let position = from; position < to; position += 1) {
    const row = order[position]! * ROW;
    const starts = position === from || !sameRule(rows, order[position - 1]! * ROW, row);
    several.array[at] = rows[row + VALUE]!;
    several.array[at + 1] =
      rows[row + ROW_TERMS]! | (starts ? RULE : 0) | (position === to - 1 ? LAST : 0);
    at += 2;
  }
  return start;
}

/** By rule, its highest break first; then the rules by what they say, not by their names. */
export function sortCell(laying: Laying, order: Int32Array, from: number, to: number): void {
  sortStretch(order, from, to, (left, right) => compare(laying, left, right));
  const { rows } = laying;
  const groups: Group[] = [];
  for (let start = from; start < to;) {
    let end = start + 1;
    while (end < to && sameRule(rows, order[start]! * ROW, order[end]! * ROW)) end += 1;
    const group = { start, end, high: 0, low: 0 };
    for (let position = start; position < end; position += 1) {
      const row = order[position]! * ROW;
      addToGroup(laying.said, group, rows[row + VALUE]!, rows[row + ROW_TERMS]!);
    }
    groups.push(group);
    start = end;
  }
  if (inOrder(groups)) return;
  const before = order.slice(from, to);
  let at = from;
  for (const { start, end } of groups.sort(compareGroups)) {
    order.set(before.subarray(start - from, end - from), at);
    at += end - start;
  }
}

interface Group extends GroupHash {
  readonly start: number;
  readonly end: number;
}

/** What the entries of one rule in one cell say, in their order. */
export interface GroupHash {
  high: number;
  low: number;
}

export function addToGroup(said: Said, group: GroupHash, value: number, number: number): void {
  group.high = mix(group.high, highOf(said, value, number));
  group.low = mix(group.low, lowOf(said, value, number));
}

export function compareGroups(left: GroupHash, right: GroupHash): number {
  return left.high - right.high || left.low - right.low;
}

function inOrder(groups: readonly Group[]): boolean {
  for (let at = 1; at < groups.length; at += 1)
    if (compareGroups(groups[at - 1]!, groups[at]!) > 0) return false;
  return true;
}

/** Most cells hold one to five rows: sorted where they stand. */
function sortStretch(
  order: Int32Array,
  from: number,
  to: number,
  compared: (left: number, right: number) => number,
): void {
  if (to - from > 24) {
    order.subarray(from, to).sort(compared);
    return;
  }
  for (let next = from + 1; next < to; next += 1) {
    const row = order[next]!;
    let at = next;
    while (at > from && compared(order[at - 1]!, row) > 0) {
      order[at] = order[at - 1]!;
      at -= 1;
    }
    order[at] = row;
  }
}

/** Rows of one cell: by rule, then the highest break, then what they say. */
export function compare({ rows, said, fromOf }: Laying, left: number, right: number): number {
  const a = left * ROW;
  const b = right * ROW;
  const one = rows[a + ROW_TERMS]!;
  const other = rows[b + ROW_TERMS]!;
  return (
    rows[a + RULE_HIGH]! - rows[b + RULE_HIGH]! ||
    rows[a + RULE_LOW]! - rows[b + RULE_LOW]! ||
    fromOf(other) - fromOf(one) ||
    highOf(said, rows[a + VALUE]!, one) - highOf(said, rows[b + VALUE]!, other) ||
    lowOf(said, rows[a + VALUE]!, one) - lowOf(said, rows[b + VALUE]!, other)
  );
}

export function sameRule(rows: Int32Array, left: number, right: number): boolean {
  return (
    rows[left + RULE_HIGH] === rows[right + RULE_HIGH] &&
    rows[left + RULE_LOW] === rows[right + RULE_LOW]
  );
}

/** Writes the cells of a region at the arena's end, and into `regions` where and how. */
export function writeRegion(
  cells: Arena,
  list: CellList,
  keys: number,
  regions: Int32Array,
  region: number,
): void {
  const hashed = Math.floor(list.count * SPARE) + 1;
  const column = keys * COLUMN <= hashed * HASHED;
  const start = take(cells, column ? keys * COLUMN : hashed * HASHED);
  regions[region * 2] = start;
  regions[region * 2 + 1] = column ? -keys : hashed;
  for (let at = 0; at < list.count; at += 1) {
    const cell = freeCell(cells.array, start, regions[region * 2 + 1]!, list.keys[at]!);
    cells.array[cell] = list.values[at]!;
    cells.array[cell + 1] = list.words[at]!;
  }
}

/** Position of the value of a new cell; in a hashed region its key is written before it. */
function freeCell(cells: Int32Array, start: number, size: number, key: number): number {
  if (size < 0) return start + key * COLUMN;
  let slot = homeOf(key, size);
  while (cells[start + slot * HASHED + 2] !== 0) slot = slot + 1 === size ? 0 : slot + 1;
  cells[start + slot * HASHED] = key;
  return start + slot * HASHED + 1;
}
