/**
 * What a merge would do, as a temporary table: the staged rows against their table by digest.
 * Nothing of the company's own rows is written here.
 */
import { columnOf } from "../model/index.ts";
import type { Transaction } from "./connection.ts";
import type { MergeOptions } from "./merge.ts";
import { holdTable } from "./remove-rows.ts";
import { settleRepeats } from "./repeats.ts";
import type { Settled } from "./repeats.ts";
import { GONE } from "./staging.ts";
import { keyText, keysEqual, quoted } from "./table-sql.ts";

/** With it goes `pg_temp.difference`, unless the company has no row in the table yet. */
export interface Comparison extends Settled {
  /** Rows of this feed. */
  readonly before: number;
  /** The company has no row in the table: everything staged is new. */
  readonly isFirst: boolean;
}

/** What a transaction has compared so far. */
interface Memory {
  /** By staging table: repeats are taken away once, so they can be counted only once. */
  readonly settled: Map<string, Settled>;
  /** The comparison that `pg_temp.difference` is of: the drop brake asks first, then the merge. */
  last?: { readonly of: string; readonly comparison: Comparison };
}

const memories = new WeakMap<Transaction, Memory>();

export async function compare(tx: Transaction, options: MergeOptions): Promise<Comparison> {
  const { company, feed, snapshot, staging, removes } = options;
  const of = [staging.table, company, feed, snapshot, removes].join("\n");
  const memory: Memory = memories.get(tx) ?? { settled: new Map() };
  memories.set(tx, memory);
  if (memory.last?.of === of) return memory.last.comparison;
  await forgetComparison(tx);
  await prepare(tx, options);
  const settled = memory.settled.get(staging.table) ?? (await settleRepeats(tx, options));
  memory.settled.set(staging.table, settled);
  const before = options.before ?? (await countFeed(tx, options));
  const isPlain = staging.gone === 0;
  const isFirst = before === 0 && isPlain && (await companyIsEmpty(tx, options));
  if (!isFirst) await makeDifference(tx, options);
  const comparison = { ...settled, before, isFirst };
  memory.last = { of, comparison };
  return comparison;
}

/** After a merge its table holds what was compared: nothing of the comparison is true any more. */
export async function forgetComparison(tx: Transaction): Promise<void> {
  delete memories.get(tx)?.last;
  await tx.query("DROP TABLE IF EXISTS pg_temp.difference");
}

/** Memory for one hash table or sort of the merge. */
export function withRoom<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  return withSetting(tx, "work_mem", "128MB", work);
}

export async function countFeed(
  tx: Transaction,
  { record, company, feed }: MergeOptions,
): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    `SELECT count(*) AS n FROM ${quoted(record.table)} WHERE company = $1 AND feed = $2`,
    [company, feed],
  );
  return row?.n ?? 0;
}

/**
 * Sees to it that merges into one table of a company follow one another, and that the planner
 * knows the staged rows: guessing, it compares two large sets row by row and takes minutes instead
 * of a second.
 */
export async function prepare(
  tx: Transaction,
  { company, record, staging }: MergeOptions,
): Promise<void> {
  await holdTable(tx, company, record);
  await tx.query(`ANALYZE ${staging.table} (${record.key.map(columnOf).map(quoted).join(", ")})`);
}

async function companyIsEmpty(tx: Transaction, options: MergeOptions): Promise<boolean> {
  const found = await tx.query(
    `SELECT FROM ${quoted(options.record.table)} WHERE company = $1 LIMIT 1`,
    [options.company],
  );
  return found.length === 0;
}

/**
 * `difference` holds a row per row to write: where it is staged, where it is kept, and what it is.
 * It is made first and whole, since a statement that reads the table it fills reads its own rows
 * again. Posted documents are never gone: a snapshot of them is only what is still open.
 */
async function makeDifference(tx: Transaction, options: MergeOptions): Promise<void> {
  const { record, staging, snapshot, removes = snapshot } = options;
  const [company, feed] = [literal(options.company), literal(options.feed)];
  const sql = `CREATE TEMP TABLE difference ON COMMIT DROP AS
    SELECT s.ctid AS staged, t.ctid AS kept,
      CASE WHEN t.feed IS NULL THEN 'new' WHEN t.feed <> ${feed} THEN 'foreign'
           WHEN s.row_hash IS NULL OR s.row_hash = '${GONE}' THEN 'gone' ELSE 'changed' END AS what
    FROM ${staging.table} s ${removes && !record.posted ? "FULL" : "LEFT"} JOIN
      (SELECT *, ctid FROM ${quoted(record.table)} WHERE company = ${company}) t
      ON ${keysEqual(record, "s", "t")}
    WHERE ${written(options, feed)}`;
  // A snapshot and its table are of like size: compared by hashing, never row by row.
  if (removes) await withSetting(tx, "enable_nestloop", "off", () => tx.query(sql));
  else await fewByKey(tx, options, () => tx.query(sql));
  await spare(tx, options);
  await tx.query("ANALYZE pg_temp.difference");
}

/** What of the comparison is a row to write, or to remove. */
function written({ keysOnly, staging }: MergeOptions, feed: string): string {
  const lacking = `(s.row_hash IS NULL AND t.feed = ${feed})`;
  if (keysOnly === true) return lacking;
  const differs = `(s.row_hash IS NOT NULL AND (t.row_hash IS DISTINCT FROM s.row_hash OR t.feed <> ${feed}))`;
  const either = `(${lacking} OR ${differs})`;
  // What is gone and was never here, or is another's, is none of our business.
  return staging.gone === 0
    ? either
    : `${either} AND (s.row_hash IS DISTINCT FROM '${GONE}' OR t.feed = ${feed})`;
}

/** A row that came and could not be used is no sign that its record was removed. */
async function spare(tx: Transaction, { record, spared }: MergeOptions): Promise<void> {
  const { keys, words } = spared ?? { keys: [], words: [] };
  if (keys.length + words.length === 0) return;
  // A number may be written in many ways, so it tells nothing.
  const telling = record.key.filter((name) => record.fields[name]?.kind !== "decimal");
  const isAmong = telling.map((name) => `rejected.words ? t.${quoted(columnOf(name))}::text`);
  await tx.affect(
    `DELETE FROM pg_temp.difference d USING ${quoted(record.table)} t
     WHERE d.what = 'gone' AND t.ctid = d.kept
       AND (${keyText(record, "t")} = ANY($1)
            OR EXISTS (SELECT 1 FROM jsonb_array_elements($2::jsonb) AS rejected(words)
                        WHERE ${isAmong.join(" AND ")}))`,
    [keys, JSON.stringify(words)],
  );
}

/** Where a feed has at least so many rows for each staged one, these are looked up by key. */
const FEW = 20;

/**
 * A few staged rows are looked up one by one: left alone the planner reads the whole table for
 * them. Only where the caller knows how many rows are held.
 */
export async function fewByKey<T>(
  tx: Transaction,
  { before, staging }: MergeOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (before === undefined || staging.held * FEW > before) return work();
  return withSetting(tx, "enable_hashjoin", "off", () =>
    withSetting(tx, "enable_mergejoin", "off", work),
  );
}

async function withSetting<T>(
  tx: Transaction,
  name: string,
  value: string,
  work: () => Promise<T>,
): Promise<T> {
  const [before] = await tx.query<{ value: string }>("SELECT current_setting($1) AS value", [name]);
  await tx.query("SELECT set_config($1, $2, true)", [name, value]);
  const result = await work();
  await tx.query("SELECT set_config($1, $2, true)", [name, before?.value]);
  return result;
}

/** CREATE TABLE AS takes no parameters. */
function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
