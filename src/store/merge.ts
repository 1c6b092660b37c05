/**
 * Staged rows into their canonical table, as sets: one comparison by digest finds what is new,
 * changed, gone or somebody else's, and only those rows are written. Every staged row is counted
 * exactly once.
 */
import { columnOf } from "../model/index.ts";
import type { RecordDefinition } from "../model/index.ts";
import { compare, countFeed, fewByKey, forgetComparison, withRoom } from "./compare.ts";
import type { Transaction } from "./connection.ts";
import { loadEmpty } from "./load-empty.ts";
import type { Overruled } from "./repeats.ts";
import type { Staging } from "./staging.ts";
import { keepSuperseded, noteFirstLoad } from "./superseded.ts";
import { insertSql, keyText, quoted } from "./table-sql.ts";

export interface MergeOptions {
  readonly company: string;
  /** Who owns the rows: "connection/mapping". A row of another feed is never touched. */
  readonly feed: string;
  readonly record: RecordDefinition;
  readonly staging: Staging;
  /** True: what is not staged was removed. Posted records are never removed. */
  readonly snapshot: boolean;
  /** Whether what is not staged was removed, where that is told apart from `snapshot`. */
  readonly removes?: boolean;
  /** True: a snapshot of keys alone, which removes what it lacks and writes nothing else. */
  readonly keysOnly?: boolean;
  /** Rows of the feed that are held, where the caller knows: they are not counted again. */
  readonly before?: number | undefined;
  /** Rows that were in the snapshot and could not be used: their records are never removed. */
  readonly spared?: Spared;
  readonly runId: string;
  /** When we learned of what is written now. */
  readonly at: Temporal.Instant;
}

/** How a row that could not be used tells which record it is about. */
export interface Spared {
  /** By its key, as `keyText` writes it. */
  readonly keys: readonly string[];
  /** By the words of a row that could not be split: its record is one whose key is among them. */
  readonly words: readonly (readonly string[])[];
}

/**
 * before + inserted − removed = after; inserted + updated + unchanged + repeated + conflicts =
 * staged, where a delta's rows that say a record is gone do not count as staged.
 */
export interface MergeResult {
  /** Rows of this feed before and after. */
  readonly before: number;
  readonly after: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /**
   * Staged rows that another staged row made needless: the same again, or (delta) an earlier
   * state.
   */
  readonly repeated: number;
  readonly removed: number;
  /** Staged rows that were not written and need a person. */
  readonly conflicts: readonly MergeConflict[];
  /** Of a delta's `repeated`, by origin: those that said otherwise. Absent when there are none. */
  readonly overruled?: readonly Overruled[];
}

export interface MergeConflict {
  readonly originId: string;
  readonly line: number;
  /** Values of the key, " / " between. */
  readonly key: string;
  readonly reason: string;
}

/**
 * When a fifth of the rows is new the planner is told at once: what follows a first load (posting,
 * publishing) would otherwise plan for empty tables, eight times slower.
 */
const MUCH = 5;

/** Merges all that was staged and flushed. Also settles repeats in the staging table itself. */
export async function mergeStaging(tx: Transaction, options: MergeOptions): Promise<MergeResult> {
  return withRoom(tx, async () => {
    const { staged, repeated, conflicts, before, isFirst, overruled } = await compare(tx, options);
    const { inserted, updated, removed, foreign } = isFirst
      ? { ...NOTHING, inserted: await loadFirst(tx, options) }
      : await fewByKey(tx, options, () => applyDifference(tx, options));
    await forgetComparison(tx);
    const after = await countFeed(tx, options);
    if ((inserted + updated + removed) * MUCH >= Math.max(after, 1))
      await tx.query(`ANALYZE ${quoted(options.record.table)}`);
    return {
      before,
      inserted,
      updated,
      unchanged: staged - repeated - conflicts.length - inserted - updated - foreign.length,
      repeated,
      removed,
      after,
      conflicts: [...conflicts, ...foreign],
      ...(overruled === undefined ? {} : { overruled }),
    };
  });
}

/**
 * How many of the feed's rows a snapshot merge would remove; no row of theirs is written. What was
 * compared here is not compared again when the same transaction merges the same staging next.
 */
export async function countRemovals(
  tx: Transaction,
  options: MergeOptions,
): Promise<{ readonly before: number; readonly removals: number }> {
  return withRoom(tx, async () => {
    const { before, isFirst } = await compare(tx, options);
    if (isFirst) return { before, removals: 0 };
    const [row] = await tx.query<{ removals: number }>(
      "SELECT count(*) AS removals FROM pg_temp.difference WHERE what = 'gone'",
    );
    return { before, removals: row?.removals ?? 0 };
  });
}

interface Counts {
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
  readonly foreign: readonly MergeConflict[];
}

const NOTHING: Counts = { inserted: 0, updated: 0, removed: 0, foreign: [] };

async function loadFirst(tx: Transaction, options: MergeOptions): Promise<number> {
  const inserted = await loadEmpty(tx, options);
  if (inserted > 0) await noteFirstLoad(tx, options);
  return inserted;
}

async function applyDifference(tx: Transaction, options: MergeOptions): Promise<Counts> {
  const foreign = await foreignRows(tx, options);
  await keepSuperseded(tx, options);
  const removed = await tx.affect(
    `DELETE FROM ${quoted(options.record.table)} t USING pg_temp.difference d
     WHERE d.what = 'gone' AND t.ctid = d.kept`,
  );
  const updated = await updateChanged(tx, options);
  const inserted = await tx.affect(
    ...insertSql(options, "JOIN pg_temp.difference d ON d.staged = s.ctid AND d.what = 'new'"),
  );
  return { inserted, updated, removed, foreign };
}

async function foreignRows(tx: Transaction, options: MergeOptions): Promise<MergeConflict[]> {
  const { record, staging } = options;
  const rows = await tx.query<{ originId: string; line: number; key: string; feed: string }>(
    `SELECT s.origin_id AS "originId", s.origin_line AS line, ${keyText(record, "s")} AS key, t.feed
     FROM pg_temp.difference d JOIN ${staging.table} s ON s.ctid = d.staged
     JOIN ${quoted(record.table)} t ON t.ctid = d.kept
     WHERE d.what = 'foreign' ORDER BY s.row_seq`,
  );
  return rows.map(({ originId, line, key, feed }) => ({
    originId,
    line,
    key,
    reason: `the ${record.name} is kept by ${feed}; a record has one source`,
  }));
}

function updateChanged(tx: Transaction, options: MergeOptions): Promise<number> {
  const { record, staging, runId, at } = options;
  const fields = Object.keys(record.fields)
    .filter((name) => !record.key.includes(name))
    .map(columnOf)
    .map(quoted);
  const taken = [...fields, "row_hash", "origin_id", "origin_line"];
  return tx.affect(
    `UPDATE ${quoted(record.table)} t
     SET ${taken.map((name) => `${name} = s.${name}`).join(", ")}, run_id = $1, learned_at = $2
     FROM pg_temp.difference d JOIN ${staging.table} s ON s.ctid = d.staged
     WHERE d.what = 'changed' AND t.ctid = d.kept`,
    [runId, at],
  );
}
