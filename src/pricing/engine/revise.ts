/**
 * A book and what changed → the next book. Only the regions that a change touches are written, at
 * the end of the arrays that both books share; the book before stays as it was.
 */
import { openArena, sharedInts, take } from "./arena.ts";
import type { Arena } from "./arena.ts";
import { LAST, SEVERAL } from "./book.ts";
import type { PriceBook } from "./book.ts";
import { saidBy } from "./content.ts";
import { editRegion } from "./edit-region.ts";
import type { Editing } from "./edit-region.ts";
import { bookOf, fromOf, holdsAny, sumRows, tableFinder } from "./finish.ts";
import type { BookParts } from "./finish.ts";
import { keptOf, mastersOf } from "./memory.ts";
import type { Kept } from "./memory.ts";
import { COLUMN, HASHED, byRegion, emptyCells } from "./layout.ts";
import { numberMasters } from "./masters.ts";
import type { Masters, NumberedMasters } from "./masters.ts";
import { sinkInto } from "./builder.ts";
import type { RowSink } from "./builder.ts";
import { emptyStaged, keyCount, subjectCount, tableStartsOf } from "./stage.ts";
import type { PromotionRow, QuotationRow, RuleRow, Staged, Work } from "./stage.ts";
import { TABLES } from "./tables.ts";

/**
 * What changed. Of a rule of which anything changed all rows are given: as they were in the book,
 * and as they are. Of promotions and quotations either none or all.
 */
export interface Revision {
  readonly before: RowSink;
  readonly after: RowSink;
  /**
   * The book with the change in it; the same as if it had been compiled from all rows anew. The
   * revision is spent afterwards.
   */
  finish(): PriceBook | Refusal;
}

/** Why a book cannot be changed and must be compiled anew. */
export interface Refusal {
  readonly refused: string;
}

export function isRefusal(of: PriceBook | Revision | Refusal): of is Refusal {
  return "refused" in of;
}

/** `masters`: as they are; absent: as they were. */
export function startRevision(book: PriceBook, masters?: Masters): Revision | Refusal {
  const kept = keptOf(book);
  if (kept === undefined) return { refused: "the book does not remember how it was made" };
  const { work } = kept;
  const numbered = mastersFor(work, book, masters);
  if ("refused" in numbered) return numbered;
  work.masters = numbered;
  work.tableStarts = tableStartsOf(numbered);
  const [before, after] = [emptyStaged(), emptyStaged()];
  return {
    before: sinkInto(work, before),
    after: sinkInto(work, after),
    finish: () => {
      work.masters = numbered;
      work.tableStarts = tableStartsOf(numbered);
      return revised(book, kept, before, after);
    },
  };
}

/** Rows of records, as many as fit in memory as they are. */
export interface BookRows {
  readonly rules: readonly RuleRow[];
  readonly promotions: readonly PromotionRow[];
  readonly quotations: readonly QuotationRow[];
}

/** A revision of rows that are at hand. */
export function reviseBook(
  book: PriceBook,
  rows: { readonly masters?: Masters; readonly before: BookRows; readonly after: BookRows },
): PriceBook | Refusal {
  const revision = startRevision(book, rows.masters);
  if (isRefusal(revision)) return revision;
  for (const side of ["before", "after"] as const) {
    revision[side].addRules(rows[side].rules);
    revision[side].addPromotions(rows[side].promotions);
    revision[side].addQuotations(rows[side].quotations);
  }
  return revision.finish();
}

function mastersFor(
  work: Work,
  book: PriceBook,
  masters: Masters | undefined,
): NumberedMasters | Refusal {
  if (masters === undefined) return mastersOf(book);
  if (masters.currency !== book.currencies[book.ownCurrency])
    return { refused: "the company's own currency is another" };
  const numbered = numberMasters(masters, work.units, work.currencies);
  const moved = NUMBERING.find((name) => !sameTexts(numbered[name].codes, book[name].codes));
  return moved === undefined ? numbered : { refused: `there are other ${WORDS[moved]}` };
}

/** Codes whose numbers stand in cells and regions. */
const NUMBERING = [
  "accounts",
  "products",
  "sites",
  "branches",
  "groups",
  "buyingGroups",
  "customerGroups",
  "priceLists",
  "headOffices",
] as const;

const WORDS: Readonly<Record<(typeof NUMBERING)[number], string>> = {
  accounts: "customers",
  products: "products",
  sites: "sites",
  branches: "branches",
  groups: "product groups",
  buyingGroups: "buying groups",
  customerGroups: "customer groups",
  priceLists: "price lists",
  headOffices: "head offices",
};

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, at) => text === right[at]);
}

function revised(book: PriceBook, kept: Kept, before: Staged, after: Staged): PriceBook | Refusal {
  const { work } = kept;
  const all = work.tableStarts[TABLES]!;
  const removed = byRegion(before.rows, before.count, all);
  const added = byRegion(after.rows, after.count, all);
  const said = saidBy(work);
  const held = kept.held.map((count, at) => count - before.held[at]! + after.held[at]!);
  const directory = directoryFor(book, work.masters, held);
  const sum = Int32Array.from(book.content);
  sumRows(sum, work, said, before, removed, -1);
  sumRows(sum, work, said, after, added, 1);
  const editing: Editing = {
    regions: directory.regions,
    said,
    cells: kept.cells,
    several: kept.several,
    before: { rows: before.rows, said, fromOf: fromOf(work), ...kept },
    after: { rows: after.rows, said, fromOf: fromOf(work), ...kept },
    removed,
    added,
    changed: emptyCells(),
    list: emptyCells(),
    garbage: { ...kept.garbage },
  };
  const tables = tableFinder(work.tableStarts);
  for (let region = 0; region < all; region += 1) {
    const touched =
      removed.starts[region] !== removed.starts[region + 1] ||
      added.starts[region] !== added.starts[region + 1];
    if (!touched) continue;
    const table = tables(region);
    const first = directory.tableRegions[table]!;
    const place = first + region - work.tableStarts[table]!;
    if (first < 0 || !editRegion(editing, region, place, keyCount(work.masters, table)))
      return { refused: "a row that changed is not in the book as it was" };
  }
  return bookOf(book.policy, work, {
    entries: book.entries - before.count + after.count,
    held,
    unreached: countsAfter(kept.unreached, before.unreached, after.unreached),
    runs: countsAfter(kept.runs, before.runs, after.runs),
    basket: before.basket.length + after.basket.length > 0 ? after.basket : book.basketPromotions,
    tableRegions: directory.tableRegions,
    sum,
    ...tidied(editing),
  });
}

/** The book's directory, with room for tables that held nothing before. */
function directoryFor(
  book: PriceBook,
  masters: NumberedMasters,
  held: Int32Array,
): Pick<BookParts, "tableRegions" | "regions"> {
  const tableRegions = sharedInts(TABLES);
  tableRegions.set(book.tableRegions);
  let count = book.regions.length / 2;
  for (let table = 0; table < TABLES; table += 1) {
    if (tableRegions[table]! >= 0 || !holdsAny(held, table)) continue;
    tableRegions[table] = count;
    count += subjectCount(masters, table);
  }
  const regions = sharedInts(count * 2);
  regions.set(book.regions);
  return { tableRegions, regions };
}

function countsAfter(
  known: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  if (before.size + after.size === 0) return known;
  const counts = new Map(known);
  const count = (words: string, more: number) => {
    const left = (counts.get(words) ?? 0) + more;
    if (left === 0) counts.delete(words);
    else counts.set(words, left);
  };
  for (const [words, rows] of before) count(words, -rows);
  for (const [words, rows] of after) count(words, rows);
  return counts;
}

type Tidied = Pick<BookParts, "regions" | "cells" | "several" | "garbage">;

/** From these parts of the arrays on that no book reads, they are written anew without them. */
const MOST_CELLS = 1 / 2;
const MOST_SEVERAL = 1 / 4;

function tidied({ regions, cells, several, garbage }: Editing): Tidied {
  const all = garbage.several > several.used * MOST_SEVERAL;
  if (!all && garbage.cells <= cells.used * MOST_CELLS) return { regions, cells, several, garbage };
  const fresh = {
    cells: openArena(cells.used - garbage.cells),
    several: all ? openArena(several.used - garbage.several) : several,
  };
  const moved = sharedInts(regions.length);
  for (let place = 0; place * 2 < regions.length; place += 1) {
    const size = regions[place * 2 + 1]!;
    if (size === 0) continue;
    const length = Math.abs(size) * (size < 0 ? COLUMN : HASHED);
    const start = take(fresh.cells, length);
    const old = regions[place * 2]!;
    fresh.cells.array.set(cells.array.subarray(old, old + length), start);
    moved[place * 2] = start;
    moved[place * 2 + 1] = size;
    if (all) moveSeveral(fresh, several, start, size);
  }
  return {
    regions: moved,
    ...fresh,
    garbage: { cells: 0, several: all ? 0 : garbage.several },
  };
}

/** Copies the entries of a region's cells that have several, and points the cells to them. */
function moveSeveral(
  { cells, several }: { readonly cells: Arena; readonly several: Arena },
  from: Arena,
  start: number,
  size: number,
): void {
  const width = size < 0 ? COLUMN : HASHED;
  for (let slot = 0; slot < Math.abs(size); slot += 1) {
    const at = start + slot * width + width - 2;
    if ((cells.array[at + 1]! & SEVERAL) === 0) continue;
    const old = cells.array[at]!;
    let end = old;
    while ((from.array[end + 1]! & LAST) === 0) end += 2;
    const to = take(several, end + 2 - old);
    several.array.set(from.array.subarray(old, end + 2), to);
    cells.array[at] = to;
  }
}
