/**
 * Staged rows → the book, numbered and laid out by content, so that the order of arrival leaves no
 * trace.
 */
import type { PriceBook } from "./book.ts";
import { REGION, ROW, ROW_TERMS, VALUE, layOut } from "./layout.ts";
import type { Policy } from "./policy.ts";
import {
  HOLDS_BASE,
  HOLDS_NET,
  HOLDS_NET_BASE,
  HOLDS_REST,
  baseTables,
  programOf,
} from "./program.ts";
import { OWN_CURRENCY, firstExamples, keyCount, subjectCount } from "./stage.ts";
import type { Work } from "./stage.ts";
import { TABLES } from "./tables.ts";
import * as terms from "./terms.ts";

export function finishBook(policy: Policy, work: Work): PriceBook {
  const units = terms.sortedNames(work.units);
  const currencies = terms.sortedNames(work.currencies);
  const labels = terms.sortedNames(work.labels);
  const sorted = terms.sortedTerms(work.terms, {
    currency: currencies.place,
    unit: units.place,
    label: labels.place,
  });
  const wideValues = Float64Array.from(new Set(work.wide)).sort();
  renumberRows(work, sorted, wideValues);
  const holdings = holdingsOf(policy, work, sorted.rows);
  const tables = compactTables(work, holdings);
  const laid = layOut({
    rows: work.rows,
    count: work.count,
    terms: sorted.rows,
    regionCount: tables.regionCount,
    keysOf: tables.keysOf,
  });
  const entries = work.count;
  emptyRows(work);
  const { accounts, products } = work.masters;
  const arrays = { ...laid, tableRegions: tables.tableRegions, terms: sorted.rows, wideValues };
  const numbered = {
    accounts: { ...accounts, currency: accounts.currency.map((n) => currencies.place[n]!) },
    products: {
      ...products,
      sellingUnit: products.sellingUnit.map((n) => units.place[n]!),
      pricingUnit: products.pricingUnit.map((n) => units.place[n]!),
    },
  };
  return {
    policy,
    program: programOf(policy, tables.tableRegions, holdings),
    entries,
    bytes: bytesOf([arrays, numbered.accounts, numbered.products]),
    unreached: { count: work.unreachedCount, examples: firstExamples(work) },
    ...work.masters,
    ...numbered,
    currencies: currencies.sorted,
    ownCurrency: currencies.place[OWN_CURRENCY]!,
    units: units.sorted,
    labels: labels.sorted,
    ...arrays,
  };
}

/** Replaces numbers of arrival by those in order of content. */
function renumberRows(work: Work, sorted: terms.SortedTerms, wideValues: Float64Array): void {
  const widePlace = new Map([...wideValues].map((value, index) => [value, index]));
  for (let row = 0; row < work.count; row += 1) {
    const at = row * ROW;
    const number = sorted.place[work.rows[at + ROW_TERMS]!]!;
    work.rows[at + ROW_TERMS] = number;
    if (sorted.rows[number * terms.STRIDE + terms.FLAGS]! & terms.WIDE)
      work.rows[at + VALUE] = widePlace.get(work.wide[work.rows[at + VALUE]!]!)!;
  }
}

/** What each table holds, so that a step looks only where it can find something. */
function holdingsOf(policy: Policy, work: Work, rows: Float64Array): Uint8Array {
  const tableOfRegion = tableFinder(work.tableStarts);
  const base = baseTables(policy);
  const holdings = new Uint8Array(TABLES);
  for (let row = 0; row < work.count; row += 1) {
    const table = tableOfRegion(work.rows[row * ROW + REGION]!);
    const at = work.rows[row * ROW + ROW_TERMS]! * terms.STRIDE;
    const net = (rows[at + terms.FLAGS]! & terms.NET) !== 0;
    const isBase = rows[at + terms.KIND] === terms.FIXED && base.includes(table);
    if (isBase) holdings[table]! |= net ? HOLDS_NET_BASE : HOLDS_BASE;
    else holdings[table]! |= net ? HOLDS_NET : HOLDS_REST;
  }
  return holdings;
}

/** Only tables that hold something keep regions; the rows are moved to the regions that remain. */
function compactTables(
  work: Work,
  holdings: Uint8Array,
): {
  readonly tableRegions: Int32Array;
  readonly regionCount: number;
  readonly keysOf: (region: number) => number;
} {
  const tableOfRegion = tableFinder(work.tableStarts);
  const tableRegions = new Int32Array(TABLES).fill(-1);
  let regionCount = 0;
  for (let table = 0; table < TABLES; table += 1) {
    if (holdings[table] === 0) continue;
    tableRegions[table] = regionCount;
    regionCount += subjectCount(work.masters, table);
  }
  const keys = new Int32Array(regionCount);
  for (let table = 0; table < TABLES; table += 1) {
    const first = tableRegions[table]!;
    if (first >= 0)
      keys.fill(keyCount(work.masters, table), first, first + subjectCount(work.masters, table));
  }
  for (let row = 0; row < work.count; row += 1) {
    const at = row * ROW + REGION;
    const table = tableOfRegion(work.rows[at]!);
    work.rows[at]! += tableRegions[table]! - work.tableStarts[table]!;
  }
  return { tableRegions, regionCount, keysOf: (region) => keys[region]! };
}

/** Table of a region number before compaction. */
function tableFinder(starts: Int32Array): (region: number) => number {
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

function bytesOf(holders: readonly object[]): number {
  let bytes = 0;
  for (const holder of holders)
    for (const array of Object.values<unknown>({ ...holder }))
      if (ArrayBuffer.isView(array)) bytes += array.byteLength;
  return bytes;
}

/** The staged rows are no longer needed; whoever still holds the builder does not hold them. */
function emptyRows(work: Work): void {
  work.rows = new Int32Array(0);
  work.count = 0;
}
