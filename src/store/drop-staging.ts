/** Staging tables of a run that was killed: nobody else will drop them. */
import type { Queryable } from "./connection.ts";
import { quoted } from "./table-sql.ts";

export async function dropStagingOf(store: Queryable, runId: string): Promise<void> {
  const rows = await store.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'staging' AND tablename LIKE $1",
    [`%\\_${runId.replaceAll("-", "")}`],
  );
  for (const { name } of rows) await store.query(`DROP TABLE IF EXISTS staging.${quoted(name)}`);
}
