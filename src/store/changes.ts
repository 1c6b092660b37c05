/** Whether staged changes of a snapshot tell as much as the whole snapshot would. */
import { prepare } from "./compare.ts";
import type { Transaction } from "./connection.ts";
import type { MergeOptions } from "./merge.ts";
import { GONE } from "./staging.ts";
import { keyColumns, keysEqual, quoted } from "./table-sql.ts";

/**
 * True: each staged key stands for one row, every record that is gone is held, and every staged
 * record that is held already comes from a row that is gone. False: some row of the snapshot that
 * was not given makes a record that was, so only the whole snapshot can tell which one counts.
 */
export async function changesTell(tx: Transaction, options: MergeOptions): Promise<boolean> {
  await prepare(tx, options);
  const { record, staging, company, feed } = options;
  const [table, key] = [quoted(record.table), keyColumns(record).join(", ")];
  const [found] = await tx.query<{ keys: number; goneKeys: number; gone: number; held: number }>(
    `SELECT count(DISTINCT (${key})) FILTER (WHERE row_hash <> '${GONE}') AS keys,
            count(DISTINCT (${key})) FILTER (WHERE row_hash = '${GONE}') AS "goneKeys",
            count(*) FILTER (WHERE row_hash = '${GONE}') AS gone,
            (SELECT count(*) FROM ${staging.table} s JOIN ${table} t
                ON t.company = $1 AND t.feed = $2 AND ${keysEqual(record, "s", "t")}
              WHERE s.row_hash = '${GONE}') AS held
       FROM ${staging.table}`,
    [company, feed],
  );
  const { keys, goneKeys, gone, held } = found ?? { keys: 0, goneKeys: 0, gone: 0, held: 0 };
  if (keys !== staging.staged - gone || goneKeys !== gone || held !== gone) return false;
  const doubled = await tx.query(
    `SELECT FROM ${staging.table} s JOIN ${table} t
         ON t.company = $1 AND t.feed = $2 AND ${keysEqual(record, "s", "t")}
      WHERE s.row_hash <> '${GONE}' AND NOT EXISTS
        (SELECT FROM ${staging.table} g
          WHERE g.row_hash = '${GONE}' AND ${keysEqual(record, "g", "s")})
      LIMIT 1`,
    [company, feed],
  );
  return doubled.length === 0;
}
