/** Staged rows → the book. Nothing in what it answers or says hangs on the order of arrival. */
import { inShared, isColumn, sharedFloats, sharedInts } from "./arena.ts";
import type { PriceBook } from "./book.ts";
import { codeHashes, emptySum, highOf, lowOf, mix, saidBy, sumRow } from "./content.ts";
import type { ContentSum, Said } from "./content.ts";
import { KEY, ROW, ROW_TERMS, RULE_HIGH, RULE_LOW, VALUE, byRegion, layOut } from "./layout.ts";
import type { ByRegion } from "./layout.ts";
import { keep } from "./memory.ts";
import type { Kept } from "./memory.ts";
import type { NumberedMasters } from "./masters.ts";
import type { Policy } from "./policy.ts";
import {
  HOLDS_BASE,
  HOLDS_NET,
  HOLDS_NET_BASE,
  HOLDS_REST,
  baseTables,
  programOf,
} from "./program.ts";
import {
  HELD,
  HELD_FIXED,
  HELD_NET,
  OWN_CURRENCY,
  emptyStaged,
  keyCount,
  keysOf,
  subjectCount,
  subjectsOf,
} from "./stage.ts";
import type { PromotionRow, Staged, Work } from "./stage.ts";
import { TABLES, placeOf } from "./tables.ts";
import { FROM, STRIDE } from "./terms.ts";
import type { Names } from "./terms.ts";

export function finishBook(policy: Policy, work: Work): PriceBook {
  const { staged } = work;
  const said = saidBy(work);
  const { tableRegions, regionCount } = directoryOf(work.masters, staged.held);
  const grouped = byRegion(staged.rows, staged.count, work.tableStarts[TABLES]!);
  const regions = sharedInts(regionCount * 2);
  const tables = tableFinder(work.tableStarts);
  const laying = { rows: staged.rows, said, fromOf: fromOf(work) };
  const laid = layOut(laying, grouped, regions, (region) => {
    const table = tables(region);
    return {
      at: tableRegions[table]! + region - work.tableStarts[table]!,
      keys: keyCount(work.masters, table),
    };
  });
  const sum = emptySum();
  sumRows(sum, work, said, staged, grouped, 1);
  const entries = staged.count;
  // The staged rows are no longer needed; whoever still holds the builder does not hold them.
  staged.rows = new Int32Array(0);
  work.staged = emptyStaged();
  return bookOf(policy, work, {
    entries,
    held: staged.held,
    unreached: staged.unreached,
    runs: staged.runs,
    basket: staged.basket,
    tableRegions,
    regions,
    cells: { array: laid.cells, used: laid.cells.length },
    several: laid.several,
    sum,
    garbage: { cells: 0, several: 0 },
  });
}

export interface BookParts extends Omit<Kept, "work"> {
  readonly entries: number;
  readonly tableRegions: Int32Array;
  readonly regions: Int32Array;
  readonly sum: ContentSum;
  readonly basket: readonly PromotionRow[];
}

export function bookOf(policy: Policy, work: Work, parts: BookParts): PriceBook {
  const { entries, held, unreached, tableRegions, regions, sum } = parts;
  const masters = sharedMasters(work.masters);
  const wideValues = sharedFloats(work.wide.length);
  wideValues.set(work.wide);
  const arrays = {
    tableRegions,
    regions,
    cells: parts.cells.array,
    several: parts.several.array,
    terms: work.terms.rows,
    wideValues,
  };
  const book: PriceBook = {
    policy,
    program: programOf(policy, tableRegions, holdingsOf(policy, held)),
    entries,
    bytes: bytesOf([arrays, masters.accounts, masters.products]),
    unreached: { count: sumOf(unreached.values()), examples: firstExamples(unreached) },
    content: Array.from(sum, (number) => number >>> 0),
    basketPromotions: inOrder(parts.basket),
    ...masters,
    currencies: namesIn(work.currencies),
    ownCurrency: OWN_CURRENCY,
    units: namesIn(work.units),
    labels: namesIn(work.labels),
    conditions: namesIn(work.conditions),
    formulas: namesIn(work.formulas),
    ...arrays,
  };
  const { cells, several, garbage, runs } = parts;
  keep(book, { work, cells, several, held, unreached, runs, garbage });
  return book;
}

const ofNames = new WeakMap<Names, readonly string[]>();

/** The same array as long as no name came in. */
function namesIn(names: Names): readonly string[] {
  const known = ofNames.get(names);
  if (known?.length === names.numbers.size) return known;
  const made = [...names.numbers.keys()];
  ofNames.set(names, made);
  return made;
}

/** By what they say. */
function inOrder(rows: readonly PromotionRow[]): PromotionRow[] {
  const said = rows.map((row) => [JSON.stringify(row), row] as const);
  return said.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
}

/** Adds to the sum what all staged rows say, or takes it away. */
export function sumRows(
  sum: ContentSum,
  work: Work,
  said: Said,
  { rows }: Staged,
  { starts, order }: ByRegion,
  times: 1 | -1,
): void {
  const tables = tableFinder(work.tableStarts);
  for (let region = 0; region + 1 < starts.length; region += 1) {
    if (starts[region] === starts[region + 1]) continue;
    const table = tables(region);
    const { customer, product } = placeOf(table);
    const subjects = subjectsOf(work.masters, customer);
    const codes = keysOf(work.masters, product);
    const subject = region - work.tableStarts[table]!;
    const place = mix(table + 1, subjects === null ? 0 : codeHashes(subjects)[subject]!);
    const keys = codes === null ? null : codeHashes(codes);
    for (let position = starts[region]!; position < starts[region + 1]!; position += 1) {
      const at = order[position]! * ROW;
      const value = rows[at + VALUE]!;
      const number = rows[at + ROW_TERMS]!;
      const high = highOf(said, value, number);
      const low = lowOf(said, value, number);
      const key = keys === null ? 0 : keys[rows[at + KEY]!]!;
      sumRow(sum, place, key, high, low, rows[at + RULE_HIGH]!, rows[at + RULE_LOW]!, times);
    }
  }
}

export function fromOf({ terms }: Work): (number: number) => number {
  return (number) => terms.rows[number * STRIDE + FROM]!;
}

/** What each table holds, so that a step looks only where it can find something. */
function holdingsOf(policy: Policy, held: Int32Array): Uint8Array {
  const base = baseTables(policy);
  const holdings = new Uint8Array(TABLES);
  for (let at = 0; at < held.length; at += 1) {
    if (held[at] === 0) continue;
    const table = Math.floor(at / HELD);
    const net = (at & HELD_NET) !== 0;
    const isBase = (at & HELD_FIXED) !== 0 && base.includes(table);
    if (isBase) holdings[table]! |= net ? HOLDS_NET_BASE : HOLDS_BASE;
    else holdings[table]! |= net ? HOLDS_NET : HOLDS_REST;
  }
  return holdings;
}

/** Only tables that hold something have regions. */
function directoryOf(
  masters: NumberedMasters,
  held: Int32Array,
): { readonly tableRegions: Int32Array; readonly regionCount: number } {
  const tableRegions = sharedInts(TABLES).fill(-1);
  let regionCount = 0;
  for (let table = 0; table < TABLES; table += 1) {
    if (!holdsAny(held, table)) continue;
    tableRegions[table] = regionCount;
    regionCount += subjectCount(masters, table);
  }
  return { tableRegions, regionCount };
}

export function holdsAny(held: Int32Array, table: number): boolean {
  return held.subarray(table * HELD, (table + 1) * HELD).some((count) => count > 0);
}

/** Table of a region of staged rows. */
export function tableFinder(starts: Int32Array): (region: number) => number {
  return (region) => {
    let low = 0;
    let high = TABLES - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= region) low = middle;
      else high = middle - 1;
    }
    return low;
  };
}

/** Columns that a reader in another thread needs without a copy. */
function sharedMasters(masters: NumberedMasters): NumberedMasters {
  const shared = <Part extends object>(part: Part): Part =>
    Object.fromEntries(
      Object.entries(part).map(([name, column]: [string, unknown]) => [
        name,
        isColumn(column) ? inShared(column) : column,
      ]),
    ) as Part;
  const { accounts, products, sites, groups } = masters;
  return {
    ...shared(masters),
    accounts: shared(accounts),
    products: shared(products),
    sites: shared(sites),
    groups: shared(groups),
  };
}

function bytesOf(holders: readonly object[]): number {
  let bytes = 0;
  for (const holder of holders)
    for (const array of Object.values<unknown>({ ...holder }))
      if (ArrayBuffer.isView(array)) bytes += array.byteLength;
  return bytes;
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** The first few by name. */
function firstExamples(unreached: ReadonlyMap<string, number>): string[] {
  return [...unreached.keys()].sort().slice(0, 10);
}
