/** P5 in one process: one rule in a hundred changes, and the book is written to a file and read. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, isRefusal, startRevision } from "../../src/pricing/engine/index.ts";
import type { PriceBook, RuleRow } from "../../src/pricing/engine/index.ts";
import { loadSnapshot, saveSnapshot } from "../support/book-file.ts";
import { rulesOf } from "./price-data.ts";
import type { PricingSizes } from "./price-data.ts";

export interface BookFigures {
  /** Rows that changed. Then milliseconds, one a round: reading them, the next book of them. */
  readonly rows: number;
  readonly reads: readonly number[];
  readonly changes: readonly number[];
  readonly saves: readonly number[];
  readonly loads: readonly number[];
  readonly fileBytes: number;
}

export async function measureBook(sizes: PricingSizes, book: PriceBook): Promise<BookFigures> {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-bench-book-"));
  try {
    const changes: number[] = [];
    const reads: number[] = [];
    const files: { readonly save: number; readonly load: number }[] = [];
    let rows = 0;
    let now = book;
    for (let round = 0; round < sizes.rounds; round += 1) {
      const before = someRules(sizes, round);
      rows = before.length;
      const changed = revised(now, before);
      changes.push(changed.ms);
      reads.push(changed.readMs);
      now = changed.book;
      files.push(await throughFile(join(folder, "book"), now));
    }
    return {
      rows,
      reads,
      changes,
      saves: files.map(({ save }) => save),
      loads: files.map(({ load }) => load),
      fileBytes: now.bytes,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All rows of one rule in a hundred, others in each round. */
function someRules(sizes: PricingSizes, round: number): RuleRow[] {
  const rows: RuleRow[] = [];
  for (const row of rulesOf(sizes)) {
    const number = Number(row.rule.slice(1));
    if (number % 100 === round % 100) rows.push(row);
  }
  return rows;
}

function revised(
  book: PriceBook,
  before: readonly RuleRow[],
): { readonly readMs: number; readonly ms: number; readonly book: PriceBook } {
  const after = before.map((row) => ({ ...row, value: `${Number(row.value) / 2 + 1}` }));
  const started = performance.now();
  const revision = startRevision(book);
  if (isRefusal(revision)) throw new Error(revision.refused);
  revision.before.addRules(before);
  revision.after.addRules(after);
  const read = performance.now();
  const next = revision.finish();
  const ms = performance.now() - read;
  if (isRefusal(next)) throw new Error(next.refused);
  return { readMs: read - started, ms, book: next };
}

async function throughFile(
  file: string,
  book: PriceBook,
): Promise<{ readonly save: number; readonly load: number }> {
  const of = { company: "BENCH", maker: "bench", settings: "" };
  const started = performance.now();
  const rest = { promotions: [], quotations: [], runs: {} };
  const position = { changes: {}, runs: {}, untold: [], overlay: "" };
  await saveSnapshot(file, of, { book, position, ...rest });
  const saved = performance.now();
  const read = await loadSnapshot(file, of);
  const loaded = performance.now();
  if (!("book" in read)) throw new Error(`the file was not used: ${read.ignored ?? "none"}`);
  if (digestOf(read.book) !== digestOf(book)) throw new Error("the file holds another book");
  return { save: saved - started, load: loaded - saved };
}
