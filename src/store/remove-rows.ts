/** Rows of a source that is known to have them no more, though no reading of it said so. */
import type { RecordDefinition } from "../model/index.ts";
import type { Transaction } from "./connection.ts";
import { quoted } from "./table-sql.ts";

/** Merges into one table of a company, and removals from it, follow one another. */
export async function holdTable(
  tx: Transaction,
  company: string,
  { table }: Pick<RecordDefinition, "table">,
): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))", [
    `merge ${company}`,
    table,
  ]);
}

/**
 * Removes rows of the company, `which` being a condition on the row "t" with `values` from $2 on.
 * What a later reading holds of them is new again, also where it is the very same.
 */
export async function removeRows(
  tx: Transaction,
  company: string,
  record: RecordDefinition,
  which: string,
  values: readonly unknown[],
): Promise<number> {
  await holdTable(tx, company, record);
  return tx.affect(`DELETE FROM ${quoted(record.table)} t WHERE t.company = $1 AND ${which}`, [
    company,
    ...values,
  ]);
}
