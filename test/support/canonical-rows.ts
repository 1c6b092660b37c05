/** Canonical rows as a pull would leave them, for tests of what follows a pull. */
import { createHash, randomUUID } from "node:crypto";
import { columnOf, records } from "../../src/model/index.ts";
import type { Canonical, Field, RecordName, RecordValue } from "../../src/model/index.ts";
import type { Queryable } from "../../src/store/index.ts";

export const LEARNED_AT = "2026-03-31T08:00:00Z";
/** What the ERP says of orders is learned when they were taken, and sent, at the earliest. */
const LEARNED_LATER_AT = "2026-03-31T09:00:00Z";
const OF_ORDERS: ReadonlySet<RecordName> = new Set<RecordName>([
  "order-acknowledgement",
  "erp-order",
  "erp-order-line",
  "despatch",
  "despatch-line",
  "sales-document",
  "sales-line",
]);
/** Every row of these tests says that it came from this origin. */
export const ORIGIN_ID = "01960000-0000-7000-8000-000000000001";

/**
 * A whole record from the fields that matter to a test: flags and choices as a mapping would fill
 * them, the rest null.
 */
export function record<N extends RecordName>(name: N, values: Partial<Canonical<N>>): Canonical<N> {
  const fields: Record<string, RecordValue> = {};
  for (const [field, kind] of Object.entries(records[name].fields))
    fields[field] = (kind as Field).otherwise ?? null;
  return { ...fields, ...values } as Canonical<N>;
}

/** Writes rows by key, learned at that moment; a row whose content is as before is not touched. */
export async function pull<N extends RecordName>(
  on: Queryable,
  company: string,
  name: N,
  rows: readonly Partial<Canonical<N>>[],
  learnedAt: string = OF_ORDERS.has(name) ? LEARNED_LATER_AT : LEARNED_AT,
): Promise<void> {
  const { table, fields, key } = records[name];
  const columns = Object.keys(fields).map(columnOf);
  for (const [index, values] of rows.entries()) {
    const whole: Readonly<Record<string, unknown>> = record(name, values);
    const given = Object.keys(fields).map((field) => whole[field]);
    const hash = createHash("md5").update(JSON.stringify(given)).digest("hex");
    const all = [
      ...columns,
      "feed",
      "row_hash",
      "origin_id",
      "origin_line",
      "run_id",
      "learned_at",
    ];
    await on.affect(
      `insert into ${table} (company, ${all.join(", ")})
       values ($1, ${all.map((_, at) => `$${at + 2}`).join(", ")})
       on conflict (company, ${key.map(columnOf).join(", ")}) do update
          set ${all.map((column) => `${column} = excluded.${column}`).join(", ")}
        where ${table}.row_hash <> excluded.row_hash`,
      [company, ...given, "erp/test", hash, ORIGIN_ID, index + 1, randomUUID(), learnedAt],
    );
  }
}
