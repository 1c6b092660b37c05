/** What a book needs to be changed later: kept beside it, never in it. */
import type { Arena } from "./arena.ts";
import type { PriceBook } from "./book.ts";
import type { Garbage } from "./edit-region.ts";
import type { NumberedMasters } from "./masters.ts";
import { emptyStaged, tableStartsOf } from "./stage.ts";
import type { Work } from "./stage.ts";
import * as terms from "./terms.ts";
import type { NameKind, Names } from "./terms.ts";

export interface Kept {
  readonly work: Work;
  readonly cells: Arena;
  readonly several: Arena;
  /** Rows by table and kind, as they were staged. */
  readonly held: Int32Array;
  readonly unreached: ReadonlyMap<string, number>;
  /** Runs that wrote its rules, with the number of rules. */
  readonly runs: ReadonlyMap<string, number>;
  readonly garbage: Readonly<Garbage>;
}

const kept = new WeakMap<PriceBook, Kept>();

export function keep(book: PriceBook, of: Kept): void {
  kept.set(book, of);
}

export function keptOf(book: PriceBook): Kept | undefined {
  return kept.get(book);
}

/** Ids of the runs that wrote its rules, as far as it was told. */
export function runsIn(book: PriceBook): string[] {
  return [...(kept.get(book)?.runs.keys() ?? [])];
}

/** The same as plain data: what a file keeps beside a book. */
export interface BookMemory {
  /** Numbers in use at the start of `cells` and `several`, rows in use of `terms`. */
  readonly cells: number;
  readonly several: number;
  readonly terms: number;
  /** Numbers in these rows. */
  readonly termNumbers: number;
  readonly held: readonly number[];
  readonly unreached: readonly (readonly [words: string, rows: number])[];
  readonly runs: readonly (readonly [run: string, rows: number])[];
  readonly garbage: Readonly<Garbage>;
}

/** Null: the book cannot be changed, only read. */
export function memoryOf(book: PriceBook): BookMemory | null {
  const of = kept.get(book);
  if (of === undefined) return null;
  return {
    cells: of.cells.used,
    several: of.several.used,
    terms: of.work.terms.count,
    termNumbers: of.work.terms.count * terms.STRIDE,
    held: [...of.held],
    unreached: [...of.unreached],
    runs: [...of.runs],
    garbage: of.garbage,
  };
}

/** A book that came from a file can be changed again. */
export function remember(book: PriceBook, memory: BookMemory): void {
  const masters = mastersOf(book);
  const wide = [...book.wideValues];
  const work: Work = {
    masters,
    tableStarts: tableStartsOf(masters),
    ...namesIn(book),
    terms: terms.termsAgain(book.terms, memory.terms),
    draft: terms.openTerms(),
    wide,
    widePlaces: new Map(wide.map((value, place) => [value, place])),
    staged: emptyStaged(),
  };
  keep(book, {
    work,
    cells: { array: book.cells, used: memory.cells },
    several: { array: book.several, used: memory.several },
    held: Int32Array.from(memory.held),
    unreached: new Map(memory.unreached),
    runs: new Map(memory.runs),
    garbage: memory.garbage,
  });
}

function namesIn(book: PriceBook): Record<NameKind, Names> {
  const all = terms.NAMED.map(([, kind]) => [kind, namesOf(book[kind])] as const);
  return Object.fromEntries(all) as Record<NameKind, Names>;
}

function namesOf(names: readonly string[]): Names {
  return { numbers: new Map(names.map((name, number) => [name, number])) };
}

/** The book's masters alone. */
export function mastersOf(book: PriceBook): NumberedMasters {
  const parts = Object.entries(book).filter(([name]) => !OF_ROWS.has(name));
  return Object.fromEntries(parts) as unknown as NumberedMasters;
}

/** What of a book comes of its rows. */
const OF_ROWS: ReadonlySet<string> = new Set([
  "policy",
  "program",
  "entries",
  "bytes",
  "unreached",
  "content",
  "basketPromotions",
  "ownCurrency",
  "tableRegions",
  "regions",
  "cells",
  "several",
  "terms",
  "wideValues",
  ...terms.NAMED.map(([, kind]) => kind),
] satisfies readonly (keyof PriceBook)[]);
