/**
 * The same key more than once among the staged rows. A snapshot says one thing about a key: the
 * first line stands, the same again is a repeat, another content is a conflict. A delta tells what
 * happened one after another: the last line stands.
 */
import type { Transaction } from "./connection.ts";
import type { MergeConflict, MergeOptions } from "./merge.ts";
import { GONE } from "./staging.ts";
import { keyColumns, keyText, keysEqual } from "./table-sql.ts";

export interface Settled {
  /** Rows staged, before any was taken away; without those that say that a record is gone. */
  readonly staged: number;
  /** Of them, those that were taken away and are no conflict. */
  readonly repeated: number;
  readonly conflicts: readonly MergeConflict[];
  /** Of a delta; absent when there are none. */
  readonly overruled?: readonly Overruled[];
}

/** Rows of one origin that a later row of the same origin says otherwise than. */
export interface Overruled {
  readonly originId: string;
  readonly rows: number;
  /** The first of them. */
  readonly key: string;
  readonly line: number;
  /** Line of the row that stands. */
  readonly by: number;
}

/** Leaves each key once in the staging table. */
export async function settleRepeats(tx: Transaction, options: MergeOptions): Promise<Settled> {
  const { record, staging, snapshot } = options;
  const key = keyColumns(record).join(", ");
  const [found] = await tx.query<{ staged: number; keys: number }>(
    `SELECT coalesce(sum(n), 0)::bigint AS staged, count(*) AS keys
     FROM (SELECT count(*) AS n FROM ${staging.table} GROUP BY ${key}) AS by_key`,
  );
  const { staged, keys } = found ?? { staged: 0, keys: 0 };
  if (!snapshot && staging.gone > 0) return settleWithGone(tx, options, staged, keys);
  if (staged === keys) return { staged, repeated: 0, conflicts: [] };
  const conflicts = snapshot ? await contradictions(tx, options) : [];
  const overruled = snapshot ? {} : await overruledRows(tx, options);
  const taken = await keepOne(tx, options);
  return { staged, repeated: taken - conflicts.length, conflicts, ...overruled };
}

/** How many rows were taken away. */
function keepOne(tx: Transaction, { record, staging, snapshot }: MergeOptions): Promise<number> {
  const key = keyColumns(record).join(", ");
  return tx.affect(
    `DELETE FROM ${staging.table} s USING (
       SELECT ${key}, ${snapshot ? "min" : "max"}(row_seq) AS kept_seq FROM ${staging.table}
       GROUP BY ${key} HAVING count(*) > 1
     ) AS repeated
     WHERE ${keysEqual(record, "s", "repeated")} AND s.row_seq <> repeated.kept_seq`,
  );
}

/** Whatever a delta says of a record last stands: that it is so, or that it is gone. */
async function settleWithGone(
  tx: Transaction,
  options: MergeOptions,
  all: number,
  keys: number,
): Promise<Settled> {
  const goneNow = async () => {
    const [row] = await tx.query<{ gone: number }>(
      `SELECT count(*) AS gone FROM ${options.staging.table} WHERE row_hash = '${GONE}'`,
    );
    return row?.gone ?? 0;
  };
  const staged = all - (await goneNow());
  const overruled = all === keys ? {} : await overruledRows(tx, options);
  if (all !== keys) await keepOne(tx, options);
  return { staged, repeated: staged - (keys - (await goneNow())), conflicts: [], ...overruled };
}

/** That a record changed and is gone later, or came back, contradicts nothing. */
async function overruledRows(
  tx: Transaction,
  { record, staging }: MergeOptions,
): Promise<Pick<Settled, "overruled">> {
  const columns = keyColumns(record);
  const rows = await tx.query<Overruled>(
    `SELECT DISTINCT ON (origin_id) origin_id AS "originId", key, line, by,
       count(*) OVER (PARTITION BY origin_id)::int AS rows
     FROM (
       SELECT s.origin_id, s.row_seq, s.row_hash, s.origin_line AS line,
         ${keyText(record, "s")} AS key,
         last_value(s.row_hash) OVER same AS last_hash, last_value(s.origin_line) OVER same AS by
       FROM ${staging.table} s JOIN (
         SELECT ${columns.join(", ")} FROM ${staging.table}
         GROUP BY ${columns.join(", ")} HAVING count(*) > 1
       ) AS repeated ON ${keysEqual(record, "s", "repeated")}
       WHERE s.row_hash <> '${GONE}'
       WINDOW same AS (
         PARTITION BY s.origin_id, ${columns.map((column) => `s.${column}`).join(", ")}
         ORDER BY s.row_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ) AS told WHERE row_hash <> last_hash ORDER BY origin_id, row_seq`,
  );
  return rows.length === 0 ? {} : { overruled: rows };
}

async function contradictions(tx: Transaction, options: MergeOptions): Promise<MergeConflict[]> {
  const { record, staging } = options;
  const key = keyColumns(record).map((column) => `s.${column}`);
  const rows = await tx.query<{ originId: string; line: number; key: string; first: number }>(
    `SELECT origin_id AS "originId", origin_line AS line, key, first FROM (
       SELECT s.*, ${keyText(record, "s")} AS key,
         first_value(row_hash) OVER same AS first_hash, first_value(origin_line) OVER same AS first
       FROM ${staging.table} s JOIN (
         SELECT ${keyColumns(record).join(", ")} FROM ${staging.table}
         GROUP BY ${keyColumns(record).join(", ")} HAVING count(*) > 1
       ) AS repeated ON ${keysEqual(record, "s", "repeated")}
       WINDOW same AS (PARTITION BY ${key.join(", ")} ORDER BY row_seq)
     ) AS ranked WHERE row_hash <> first_hash ORDER BY row_seq`,
  );
  return rows.map(({ originId, line, key, first }) => ({
    originId,
    line,
    key,
    reason: `the ${record.name} stands on line ${first} already, with other content; the first one counts`,
  }));
}
