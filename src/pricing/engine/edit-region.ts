/**
 * One region of a book and what changed in it → the region of the next book, at the end of the
 * arrays that both share. Where only prices change the cells are copied as they stand.
 */
import { take } from "./arena.ts";
import type { Arena } from "./arena.ts";
import { LAST, RULE, SEVERAL, TERMS, homeOf } from "./book.ts";
import type { Said } from "./content.ts";
import {
  COLUMN,
  HASHED,
  KEY,
  ROW,
  ROW_TERMS,
  VALUE,
  addCell,
  addToGroup,
  compareGroups,
  sameRule,
  sortByKey,
  sortCell,
  writeRegion,
} from "./layout.ts";
import type { ByRegion, CellList, GroupHash, Laying } from "./layout.ts";

export interface Editing {
  readonly regions: Int32Array;
  readonly said: Said;
  readonly cells: Arena;
  readonly several: Arena;
  readonly before: Laying;
  readonly after: Laying;
  readonly removed: ByRegion;
  readonly added: ByRegion;
  /** Cells of the region that change, by key; those without terms go. */
  readonly changed: CellList;
  /** Cells of a region that is written anew. */
  readonly list: CellList;
  readonly garbage: Garbage;
}

/** Numbers of the arenas that the book no longer reads. */
export interface Garbage {
  cells: number;
  several: number;
}

/** Rows of one cell, as a stretch of the order that rows stand in. */
interface Stretch {
  readonly order: Int32Array;
  from: number;
  to: number;
}

/** Entries of one rule in a cell: where they are, in `several` or among the rows. */
interface Group extends GroupHash {
  readonly from: number;
  readonly to: number;
  readonly rows: Laying | null;
}

/** False when what was to be taken out is not there. */
export function editRegion(editing: Editing, region: number, place: number, keys: number): boolean {
  const { regions, changed, cells, garbage } = editing;
  const start = regions[place * 2]!;
  const size = regions[place * 2 + 1]!;
  const out = stretchOf(editing.before, editing.removed, region);
  const into = stretchOf(editing.after, editing.added, region);
  changed.count = 0;
  let moves = false;
  while (out.from < out.to || into.from < into.to) {
    const key = Math.min(keyAt(editing.before, out), keyAt(editing.after, into));
    const cell = cellOf(cells.array, start, size, key);
    const had = cell < 0 ? 0 : cells.array[cell + 1]!;
    if (!editCell(editing, key, cell, out, into)) return false;
    const has = changed.words[changed.count - 1]!;
    moves ||= (size > 0 || cell < 0) && (had === 0) !== (has === 0);
  }
  const length = size < 0 ? -size * COLUMN : size * HASHED;
  garbage.cells += length;
  if (moves || size === 0) writeAnew(editing, start, size, place, keys);
  else patch(editing, start, size, place, length);
  return true;
}

function stretchOf({ rows }: Laying, { starts, order }: ByRegion, region: number): Stretch {
  const stretch = { order, from: starts[region]!, to: starts[region + 1]! };
  sortByKey(rows, order, stretch.from, stretch.to);
  return stretch;
}

function keyAt({ rows }: Laying, { order, from, to }: Stretch): number {
  return from < to ? rows[order[from]! * ROW + KEY]! : Infinity;
}

/** Position of a cell's value; -1: there is none. */
function cellOf(cells: Int32Array, start: number, size: number, key: number): number {
  if (size < 0) return key < -size ? start + key * COLUMN : -1;
  if (size === 0) return -1;
  let slot = homeOf(key, size);
  for (;;) {
    const at = start + slot * HASHED;
    if (cells[at + 2] === 0) return -1;
    if (cells[at] === key) return at + 1;
    slot = slot + 1 === size ? 0 : slot + 1;
  }
}

/** Lists what becomes of one cell, and takes its rows off both stretches. */
function editCell(
  editing: Editing,
  key: number,
  cell: number,
  out: Stretch,
  into: Stretch,
): boolean {
  const { cells, garbage } = editing;
  const value = cell < 0 ? 0 : cells.array[cell]!;
  const word = cell < 0 ? 0 : cells.array[cell + 1]!;
  const groups = word === 0 ? [] : groupsIn(editing, value, word);
  if ((word & SEVERAL) !== 0) for (const { from, to } of groups) garbage.several += (to - from) * 2;
  for (const gone of groupsOf(editing.before, out, key)) {
    const at = groups.findIndex((group) => compareGroups(group, gone) === 0);
    if (at < 0) return false;
    groups.splice(at, 1);
  }
  groups.push(...groupsOf(editing.after, into, key));
  const count = groups.reduce((sum, { from, to }) => sum + to - from, 0);
  if (count === 0) addCell(editing.changed, key, 0, 0);
  else if (count === 1) addSingle(editing, key, groups[0]!, value, word);
  else addCell(editing.changed, key, writeGroups(editing, groups, count, value, word), SEVERAL);
  return true;
}

/** What a cell of the book holds, rule by rule. Positions are of entries, two numbers each. */
function groupsIn({ several, said }: Editing, value: number, word: number): Group[] {
  if ((word & SEVERAL) === 0) {
    const group = { from: 0, to: 1, rows: null, high: 0, low: 0 };
    addToGroup(said, group, value, word & TERMS);
    return [group];
  }
  const groups: Group[] = [];
  for (let from = value; ;) {
    const hash = { high: 0, low: 0 };
    let at = from;
    do {
      addToGroup(said, hash, several.array[at]!, several.array[at + 1]! & TERMS);
      at += 2;
    } while ((several.array[at - 1]! & LAST) === 0 && (several.array[at + 1]! & RULE) === 0);
    groups.push({ from: from / 2, to: at / 2, rows: null, ...hash });
    if ((several.array[at - 1]! & LAST) !== 0) return groups;
    from = at;
  }
}

/** Staged rows of a key, rule by rule. */
function groupsOf(laying: Laying, stretch: Stretch, key: number): Group[] {
  const { rows, said } = laying;
  const { order, from } = stretch;
  while (keyAt(laying, stretch) === key) stretch.from += 1;
  const end = stretch.from;
  if (end === from) return [];
  if (end - from > 1) sortCell(laying, order, from, end);
  const groups: Group[] = [];
  for (let start = from; start < end;) {
    const hash = { high: 0, low: 0 };
    let at = start;
    do {
      const row = order[at]! * ROW;
      addToGroup(said, hash, rows[row + VALUE]!, rows[row + ROW_TERMS]!);
      at += 1;
    } while (at < end && sameRule(rows, order[start]! * ROW, order[at]! * ROW));
    groups.push({ from: start, to: at, rows: laying, ...hash });
    start = at;
  }
  return groups;
}

function addSingle(editing: Editing, key: number, group: Group, value: number, word: number): void {
  const { changed, several, added } = editing;
  if (group.rows !== null) {
    const row = added.order[group.from]! * ROW;
    const { rows } = group.rows;
    addCell(changed, key, rows[row + VALUE]!, rows[row + ROW_TERMS]! | RULE | LAST);
  } else if ((word & SEVERAL) === 0) addCell(changed, key, value, word);
  else {
    const at = group.from * 2;
    addCell(changed, key, several.array[at]!, several.array[at + 1]! | RULE | LAST);
  }
}

/** Writes the entries of a cell with several; gives where they start. */
function writeGroups(
  { several, added }: Editing,
  groups: Group[],
  count: number,
  value: number,
  word: number,
): number {
  const start = take(several, count * 2);
  const { array } = several;
  let to = start;
  for (const { from, to: end, rows } of groups.sort(compareGroups))
    for (let entry = from; entry < end; entry += 1) {
      const row = rows === null ? 0 : added.order[entry]! * ROW;
      const single = rows === null && (word & SEVERAL) === 0;
      array[to] = single ? value : (rows?.rows[row + VALUE] ?? array[entry * 2]!);
      const number = single ? word : (rows?.rows[row + ROW_TERMS] ?? array[entry * 2 + 1]!);
      array[to + 1] = (number & TERMS) | (entry === from ? RULE : 0);
      to += 2;
    }
  array[to - 1]! |= LAST;
  return start;
}

/** The region as it was, with other values in some cells. */
function patch(
  { regions, cells, changed }: Editing,
  old: number,
  size: number,
  place: number,
  length: number,
): void {
  const start = take(cells, length);
  const { array } = cells;
  array.copyWithin(start, old, old + length);
  regions[place * 2] = start;
  for (let at = 0; at < changed.count; at += 1) {
    const cell = cellOf(array, start, size, changed.keys[at]!);
    // Nothing was there, and nothing is.
    if (cell < 0) continue;
    array[cell] = changed.values[at]!;
    array[cell + 1] = changed.words[at]!;
  }
}

function writeAnew(
  { regions, cells, changed, list }: Editing,
  start: number,
  size: number,
  place: number,
  keys: number,
): void {
  list.count = 0;
  const width = size < 0 ? COLUMN : HASHED;
  for (let slot = 0; slot < Math.abs(size); slot += 1) {
    const at = start + slot * width + width - 2;
    const { array } = cells;
    if (array[at + 1] === 0) continue;
    const key = size < 0 ? slot : array[at - 1]!;
    if (!isListed(changed, key)) addCell(list, key, array[at]!, array[at + 1]!);
  }
  for (let at = 0; at < changed.count; at += 1)
    if (changed.words[at] !== 0)
      addCell(list, changed.keys[at]!, changed.values[at]!, changed.words[at]!);
  if (list.count > 0) writeRegion(cells, list, keys, regions, place);
  else regions.fill(0, place * 2, place * 2 + 2);
}

/** Keys of changed cells are in order. */
function isListed({ keys, count }: CellList, key: number): boolean {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low < count && keys[low] === key;
}
