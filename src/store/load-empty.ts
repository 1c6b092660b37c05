/**
 * The first rows of a company in a table: nothing to compare with, so everything staged is
 * inserted.
 */
import type { Transaction } from "./connection.ts";
import { codeOf } from "./error.ts";
import type { MergeOptions } from "./merge.ts";
import { insertSql, keyColumns, quoted } from "./table-sql.ts";

/** From this many rows on, building the key afterwards is worth locking the table. */
const MANY = 20_000;

export async function loadEmpty(tx: Transaction, options: MergeOptions): Promise<number> {
  if (options.staging.staged < MANY || !(await lockIfEmpty(tx, options)))
    return tx.affect(...insertSql(options, ""));
  const table = quoted(options.record.table);
  const key = quoted(`${options.record.table}_pkey`);
  await tx.query(`ALTER TABLE ${table} DROP CONSTRAINT ${key}`);
  // A file of its own since this transaction: an own server then needs no log of what fills it.
  await tx.query(`TRUNCATE ${table}`);
  const inserted = await tx.affect(...insertSql(options, "", false));
  await tx.query(
    `ALTER TABLE ${table} ADD CONSTRAINT ${key} PRIMARY KEY (company, ${keyColumns(options.record).join(", ")})`,
  );
  return inserted;
}

/** Lock not given at once, or a role that may not alter the table: the ordinary way then. */
const REFUSED = ["55P03", "42501"];

/** The table is nobody's yet and nobody reads it now: it can be locked until the commit. */
async function lockIfEmpty(tx: Transaction, { record }: MergeOptions): Promise<boolean> {
  const table = quoted(record.table);
  const isEmpty = async () => (await tx.query(`SELECT FROM ${table} LIMIT 1`)).length === 0;
  if (!(await isEmpty())) return false;
  await tx.query("SAVEPOINT empty_table");
  try {
    const [role] = await tx.query<{ owner: boolean }>(
      "SELECT pg_has_role(relowner, 'USAGE') AS owner FROM pg_class WHERE oid = $1::regclass",
      [table],
    );
    if (role?.owner !== true) return false;
    await tx.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE NOWAIT`);
    return await isEmpty();
  } catch (error) {
    if (!REFUSED.includes(codeOf(error))) throw error;
    await tx.query("ROLLBACK TO SAVEPOINT empty_table");
    return false;
  }
}
