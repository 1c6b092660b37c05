/** Whether staged changes of a snapshot tell as much as the whole snapshot would. */
import { fewByKey, prepare } from "./compare.ts";
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
  const key = keyColumns(record).join(", ");
  const [found] = await fewByKey(tx, options, () =>
    tx.query<{ fresh: number; gone: number; most: number; held: number; doubled: number }>(
      `WITH staged AS MATERIALIZED (
         SELECT ${key}, count(*) FILTER (WHERE row_hash <> '${GONE}') AS fresh,
                count(*) FILTER (WHERE row_hash = '${GONE}') AS gone
           FROM ${staging.table} GROUP BY ${key}
       ), held AS (
         SELECT s.gone FROM staged s JOIN ${quoted(record.table)} t
             ON t.company = $1 AND t.feed = $2 AND ${keysEqual(record, "s", "t")}
       )
       SELECT (SELECT coalesce(max(greatest(fresh, gone)), 0) FROM staged) AS most,
              (SELECT coalesce(sum(gone), 0)::bigint FROM staged) AS gone,
              (SELECT count(*) FROM held WHERE gone > 0) AS held,
              (SELECT count(*) FROM held WHERE gone = 0) AS doubled`,
      [company, feed],
    ),
  );
  if (found === undefined) return false;
  return found.most <= 1 && found.held === found.gone && found.doubled === 0;
}
