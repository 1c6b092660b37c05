/** Staged rows → regions, cells and entries, in an order that depends on their content alone. */
import { LAST, RULE, SEVERAL, homeOf } from "./book.ts";
import type { PriceBook } from "./book.ts";
import { FROM, STRIDE } from "./terms.ts";

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
const HASHED = 3;
const COLUMN = 2;

export interface Staged {
  readonly rows: Int32Array;
  readonly count: number;
  readonly terms: Float64Array;
  readonly regionCount: number;
  /** Keys that a region of this number can have. */
  readonly keysOf: (region: number) => number;
}

type Laid = Pick<PriceBook, "regions" | "cells" | "several">;

export function layOut(staged: Staged): Laid {
  const order = sortedRows(staged);
  const regions = new Int32Array(staged.regionCount * 2);
  const sizes = measure(staged, order, regions);
  const laid = {
    regions,
    cells: new Int32Array(sizes.cells),
    several: new Int32Array(sizes.several),
  };
  fill(staged, order, laid);
  return laid;
}

/** Row numbers by region, then key, then rule, its highest break first. */
function sortedRows(staged: Staged): Int32Array {
  let keys = 0;
  for (let row = 0; row < staged.count; row += 1)
    keys = Math.max(keys, staged.rows[row * ROW + KEY]! + 1);
  const arrival = Int32Array.from({ length: staged.count }, (_, row) => row);
  const byKey = bucketed(staged.rows, arrival, KEY, keys);
  const order = bucketed(staged.rows, byKey, REGION, staged.regionCount);
  eachCell(staged, order, (from, to) => sortCell(staged, order, from, to));
  return order;
}

/** Most cells hold one to five rows: sorted where they stand. */
function sortCell(staged: Staged, order: Int32Array, from: number, to: number): void {
  if (to - from > 24) {
    order.subarray(from, to).sort((left, right) => compare(staged, left, right));
    return;
  }
  for (let next = from + 1; next < to; next += 1) {
    const row = order[next]!;
    let at = next;
    while (at > from && compare(staged, order[at - 1]!, row) > 0) {
      order[at] = order[at - 1]!;
      at -= 1;
    }
    order[at] = row;
  }
}

/** Stable counting sort of row numbers by one column. */
function bucketed(
  rows: Int32Array,
  order: Int32Array,
  column: number,
  buckets: number,
): Int32Array {
  const starts = new Int32Array(buckets + 1);
  for (const row of order) starts[rows[row * ROW + column]! + 1]! += 1;
  for (let bucket = 0; bucket < buckets; bucket += 1) starts[bucket + 1]! += starts[bucket]!;
  const sorted = new Int32Array(order.length);
  for (const row of order) sorted[starts[rows[row * ROW + column]!]!++] = row;
  return sorted;
}

function compare({ rows, terms }: Staged, left: number, right: number): number {
  const a = left * ROW;
  const b = right * ROW;
  return (
    rows[a + RULE_HIGH]! - rows[b + RULE_HIGH]! ||
    rows[a + RULE_LOW]! - rows[b + RULE_LOW]! ||
    terms[rows[b + ROW_TERMS]! * STRIDE + FROM]! - terms[rows[a + ROW_TERMS]! * STRIDE + FROM]! ||
    rows[a + ROW_TERMS]! - rows[b + ROW_TERMS]! ||
    rows[a + VALUE]! - rows[b + VALUE]!
  );
}

/** Calls back with each run of rows that share region and key. */
function eachCell(
  { rows, count }: Staged,
  order: Int32Array,
  cell: (from: number, to: number, region: number, key: number) => void,
): void {
  let from = 0;
  while (from < count) {
    const region = rows[order[from]! * ROW + REGION]!;
    const key = rows[order[from]! * ROW + KEY]!;
    let to = from + 1;
    while (to < count && isIn(rows, order[to]!, region, key)) to += 1;
    cell(from, to, region, key);
    from = to;
  }
}

function isIn(rows: Int32Array, row: number, region: number, key: number): boolean {
  return rows[row * ROW + REGION] === region && rows[row * ROW + KEY] === key;
}

/** Decides how each region is kept and where it starts; returns the room that all need. */
function measure(
  staged: Staged,
  order: Int32Array,
  regions: Int32Array,
): { readonly cells: number; readonly several: number } {
  let several = 0;
  eachCell(staged, order, (from, to, region) => {
    regions[region * 2 + 1]! += 1;
    if (to - from > 1) several += (to - from) * 2;
  });
  let cells = 0;
  for (let region = 0; region < staged.regionCount; region += 1) {
    const used = regions[region * 2 + 1]!;
    if (used === 0) continue;
    const hashed = Math.floor(used * SPARE) + 1;
    const keys = staged.keysOf(region);
    const column = keys * COLUMN <= hashed * HASHED;
    regions[region * 2] = cells;
    regions[region * 2 + 1] = column ? -keys : hashed;
    cells += column ? keys * COLUMN : hashed * HASHED;
  }
  return { cells, several };
}

function fill(staged: Staged, order: Int32Array, { regions, cells, several }: Laid): void {
  let next = 0;
  eachCell(staged, order, (from, to, region, key) => {
    const at = cellFor(regions, cells, region, key);
    const first = order[from]! * ROW;
    if (to - from === 1) {
      cells[at] = staged.rows[first + VALUE]!;
      cells[at + 1] = staged.rows[first + ROW_TERMS]! | RULE | LAST;
      return;
    }
    cells[at] = next;
    cells[at + 1] = SEVERAL;
    for (let position = from; position < to; position += 1) {
      const row = order[position]! * ROW;
      const starts = position === from || !sameRule(staged.rows, order[position - 1]! * ROW, row);
      several[next] = staged.rows[row + VALUE]!;
      several[next + 1] =
        staged.rows[row + ROW_TERMS]! | (starts ? RULE : 0) | (position === to - 1 ? LAST : 0);
      next += 2;
    }
  });
}

function sameRule(rows: Int32Array, left: number, right: number): boolean {
  return (
    rows[left + RULE_HIGH] === rows[right + RULE_HIGH] &&
    rows[left + RULE_LOW] === rows[right + RULE_LOW]
  );
}

/** Position of the value of a new cell; in a hashed region its key is written before it. */
function cellFor(regions: Int32Array, cells: Int32Array, region: number, key: number): number {
  const start = regions[region * 2]!;
  const size = regions[region * 2 + 1]!;
  if (size < 0) return start + key * COLUMN;
  let slot = homeOf(key, size);
  while (cells[start + slot * HASHED + 2] !== 0) slot = slot + 1 === size ? 0 : slot + 1;
  cells[start + slot * HASHED] = key;
  return start + slot * HASHED + 1;
}
