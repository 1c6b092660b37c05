/**
 * Staged rows into their canonical table, as sets: one comparison by digest finds what is new,
 * changed, gone or somebody else's, and only those rows are written. Every staged row is counted
 * exactly once.
 */
import { columnOf } from "../model/index.ts";
import type { RecordDefinition } from "../model/index.ts";
import type { Queryable, Transaction } from "./connection.ts";
import { loadEmpty } from "./load-empty.ts";
import { settleRepeats } from "./repeats.ts";
import type { Staging } from "./staging.ts";
import { insertSql, keyText, keysEqual, quoted } from "./table-sql.ts";

export interface MergeOptions {
  readonly company: string;
  /** Who owns the rows: "connection/mapping". A row of another feed is never touched. */
  readonly feed: string;
  readonly record: RecordDefinition;
  readonly staging: Staging;
  /** True: what is not staged was removed. Posted records are never removed. */
  readonly snapshot: boolean;
  readonly runId: string;
  /** When we learned of what is written now. */
  readonly at: Temporal.Instant;
}

/**
 * before + inserted − removed = after; inserted + updated + unchanged + repeated + conflicts =
 * staged.
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
}

export interface MergeConflict {
  readonly originId: string;
  readonly line: number;
  /** Values of the key, " / " between. */
  readonly key: string;
  readonly reason: string;
}

/** Merges all that was staged and flushed. Also settles repeats in the staging table itself. */
export async function mergeStaging(tx: Transaction, options: MergeOptions): Promise<MergeResult> {
  return planned(tx, options, async () => {
    const { staged, repeated, conflicts } = await settleRepeats(tx, options);
    const before = await countFeed(tx, options);
    const counts = (await companyIsEmpty(tx, options))
      ? { ...NOTHING, inserted: await loadEmpty(tx, options) }
      : await applyDifference(tx, options);
    const { inserted, updated, removed } = counts;
    const foreign = counts.foreign;
    return {
      before,
      inserted,
      updated,
      unchanged: staged - repeated - conflicts.length - inserted - updated - foreign.length,
      repeated,
      removed,
      after: await countFeed(tx, options),
      conflicts: [...conflicts, ...foreign],
    };
  });
}

/** How many of the feed's rows a snapshot merge would remove, without writing anything. */
export async function countRemovals(
  tx: Transaction,
  options: MergeOptions,
): Promise<{ readonly before: number; readonly removals: number }> {
  return planned(tx, options, async () => {
    const before = await countFeed(tx, options);
    if (!removes(options)) return { before, removals: 0 };
    const { record, staging, company, feed } = options;
    const sql = `SELECT count(*) AS n FROM ${quoted(record.table)} t WHERE company = $1 AND feed = $2
       AND NOT EXISTS (SELECT FROM ${staging.table} s WHERE ${keysEqual(record, "s", "t")})`;
    const removals = await bySets(tx, options, () => count(tx, sql, [company, feed]));
    return { before, removals };
  });
}

interface Counts {
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
  readonly foreign: readonly MergeConflict[];
}

const NOTHING: Counts = { inserted: 0, updated: 0, removed: 0, foreign: [] };

function removes(options: MergeOptions): boolean {
  return options.snapshot && !options.record.posted;
}

/**
 * Sees to it that merges into one table of a company follow one another, and that the planner
 * knows the staged rows: guessing, it compares two large sets row by row and takes minutes instead
 * of a second.
 */
async function planned<T>(
  tx: Transaction,
  { company, record, staging }: MergeOptions,
  work: () => Promise<T>,
): Promise<T> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))", [
    `merge ${company}`,
    record.table,
  ]);
  await tx.query(`ANALYZE ${staging.table} (${record.key.map(columnOf).map(quoted).join(", ")})`);
  return withSetting(tx, "work_mem", "128MB", work);
}

/** Two sets of like size are compared by hashing, never row by row. */
function bySets<T>(tx: Transaction, options: MergeOptions, work: () => Promise<T>): Promise<T> {
  return options.snapshot ? withSetting(tx, "enable_nestloop", "off", work) : work();
}

async function withSetting<T>(
  tx: Transaction,
  name: string,
  value: string,
  work: () => Promise<T>,
): Promise<T> {
  const [before] = await tx.query<{ value: string }>(
    "SELECT current_setting($1) AS value, set_config($1, $2, true)",
    [name, value],
  );
  const result = await work();
  await tx.query("SELECT set_config($1, $2, true)", [name, before?.value]);
  return result;
}

function countFeed(tx: Transaction, { record, company, feed }: MergeOptions): Promise<number> {
  const sql = `SELECT count(*) AS n FROM ${quoted(record.table)} WHERE company = $1 AND feed = $2`;
  return count(tx, sql, [company, feed]);
}

async function companyIsEmpty(tx: Transaction, options: MergeOptions): Promise<boolean> {
  const found = await tx.query(
    `SELECT FROM ${quoted(options.record.table)} WHERE company = $1 LIMIT 1`,
    [options.company],
  );
  return found.length === 0;
}

async function applyDifference(tx: Transaction, options: MergeOptions): Promise<Counts> {
  await bySets(tx, options, () => makeDifference(tx, options));
  const foreign = await foreignRows(tx, options);
  const removed = await tx.affect(
    `DELETE FROM ${quoted(options.record.table)} t USING pg_temp.difference d
     WHERE d.what = 'gone' AND t.ctid = d.kept`,
  );
  const updated = await updateChanged(tx, options);
  const inserted = await tx.affect(
    ...insertSql(options, "JOIN pg_temp.difference d ON d.staged = s.ctid AND d.what = 'new'"),
  );
  await tx.query("DROP TABLE pg_temp.difference");
  return { inserted, updated, removed, foreign };
}

/**
 * `difference` holds a row per row to write: where it is staged, where it is kept, and what it is.
 * It is made first and whole, since a statement that reads the table it fills reads its own rows
 * again.
 */
async function makeDifference(tx: Transaction, options: MergeOptions): Promise<void> {
  const { record, staging } = options;
  const [company, feed] = [literal(options.company), literal(options.feed)];
  await tx.query(
    `CREATE TEMP TABLE difference ON COMMIT DROP AS
     SELECT s.ctid AS staged, t.ctid AS kept,
       CASE WHEN t.feed IS NULL THEN 'new' WHEN t.feed <> ${feed} THEN 'foreign'
            WHEN s.row_hash IS NULL THEN 'gone' ELSE 'changed' END AS what
     FROM ${staging.table} s ${removes(options) ? "FULL" : "LEFT"} JOIN
       (SELECT *, ctid FROM ${quoted(record.table)} WHERE company = ${company}) t
       ON ${keysEqual(record, "s", "t")}
     WHERE (t.row_hash IS DISTINCT FROM s.row_hash OR t.feed <> ${feed})
       AND (s.row_hash IS NOT NULL OR t.feed = ${feed})`,
  );
  await tx.query("ANALYZE pg_temp.difference");
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

async function count(on: Queryable, sql: string, values: readonly unknown[]): Promise<number> {
  const [row] = await on.query<{ n: number }>(sql, values);
  return row?.n ?? 0;
}

/** CREATE TABLE AS takes no parameters. */
function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
