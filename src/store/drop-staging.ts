/** Staging tables of runs that were killed: nobody else will drop them. */
import type { Queryable } from "./connection.ts";
import { quoted } from "./table-sql.ts";

/** Ids of the runs that have staging tables. */
export async function stagedRuns(store: Queryable): Promise<string[]> {
  const rows = await store.query<{ id: string }>(
    `SELECT DISTINCT right(tablename, 32)::uuid::text AS id FROM pg_tables
      WHERE schemaname = 'staging' AND tablename ~ '_[0-9a-f]{32}$'`,
  );
  return rows.map(({ id }) => id);
}

export async function dropStagingOf(store: Queryable, runId: string): Promise<void> {
  const rows = await store.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'staging' AND tablename LIKE $1",
    [`%\\_${runId.replaceAll("-", "")}`],
  );
  for (const { name } of rows) await store.query(`DROP TABLE IF EXISTS staging.${quoted(name)}`);
}
