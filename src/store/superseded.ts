/**
 * What was known before. A row of a record that prices rest on is kept as it was when a merge
 * changes or removes it, so that it can be told later what was known at a moment; and each change
 * says which rows it touched, so that nobody has to read all of them to follow. A first load
 * supersedes nothing and writes one row.
 */
import { columnOf } from "../model/index.ts";
import type { RecordDefinition } from "../model/index.ts";
import type { Queryable, Transaction } from "./connection.ts";
import type { MergeOptions } from "./merge.ts";
import { keyColumns, quoted } from "./table-sql.ts";

/** Records that prices rest on. */
const KEPT: ReadonlySet<string> = new Set([
  "branch",
  "customer",
  "customer-price-list",
  "price-formula",
  "price-list",
  "price-rule",
  "product",
  "product-group",
  "product-unit",
  "promotion",
  "quotation",
  "quotation-line",
  "site",
]);

/** When a fifth of the rows is new they are not listed: who follows reads all anyway. */
const MUCH = 5;

/** The company had no row of the record before. */
export async function noteFirstLoad(tx: Transaction, options: MergeOptions): Promise<void> {
  if (KEPT.has(options.record.name)) await noteChange(tx, options, true);
}

/** Keeps the rows that `pg_temp.difference` says will change, before they do. */
export async function keepSuperseded(tx: Transaction, options: MergeOptions): Promise<void> {
  const { record, company, staging, at } = options;
  if (!KEPT.has(record.name)) return;
  const counts = await tx.query<{ what: string; rows: number }>(
    `SELECT what, count(*) AS rows FROM pg_temp.difference WHERE what <> 'foreign' GROUP BY 1`,
  );
  if (counts.length === 0) return;
  const rowsNew = counts.find(({ what }) => what === "new")?.rows ?? 0;
  const whole = rowsNew * MUCH > staging.staged && rowsNew > FEW;
  const change = await noteChange(tx, options, whole);
  const table = quoted(record.table);
  await tx.affect(
    `INSERT INTO superseded_row
       (company, record, change, key, place, was, known_from, known_to)
     SELECT $1, $2, $3::int, ${keyOf(record, "t")}, ${placeOf(record, "t")},
            jsonb_strip_nulls(to_jsonb(t)), t.learned_at, $4::timestamptz
       FROM pg_temp.difference d JOIN ${table} t ON t.ctid = d.kept
      WHERE d.what IN ('changed', 'gone')`,
    [company, record.name, change, at],
  );
  if (whole) return;
  await tx.affect(
    `INSERT INTO superseded_row (company, record, change, key, place, known_to)
     SELECT $1, $2, $3::int, ${keyOf(record, "s")}, ${placeOf(record, "s")}, $4::timestamptz
       FROM pg_temp.difference d JOIN ${staging.table} s ON s.ctid = d.staged
      WHERE d.what = 'new'`,
    [company, record.name, change, at],
  );
  // Whoever asks for what was known of a place finds there that the row came later.
  if (hasPlace(record))
    await tx.affect(
      `INSERT INTO superseded_row (company, record, change, key, place, known_to)
       SELECT $1, $2, $3::int, ${keyOf(record, "s")}, ${placeOf(record, "s")}, $4::timestamptz
         FROM pg_temp.difference d JOIN ${staging.table} s ON s.ctid = d.staged
         JOIN ${table} t ON t.ctid = d.kept
        WHERE d.what = 'changed' AND ${placeOf(record, "s")} <> ${placeOf(record, "t")}`,
      [company, record.name, change, at],
    );
}

function hasPlace({ fields }: RecordDefinition): boolean {
  return "customerScope" in fields || "account" in fields;
}

const FEW = 1_000;

/** Merges into one table of a company follow one another, so their numbers have no gap. */
async function noteChange(
  tx: Transaction,
  { record, company, runId, at }: MergeOptions,
  whole: boolean,
): Promise<number> {
  const [row] = await tx.query<{ number: number }>(
    `INSERT INTO record_change (company, record, number, run_id, at, whole)
     SELECT $1, $2, coalesce(max(number), 0) + 1, $3::uuid, $4::timestamptz, $5
       FROM record_change WHERE company = $1 AND record = $2
     RETURNING number`,
    [company, record.name, runId, at, whole],
  );
  if (row === undefined) throw new Error("a change of a record was not given a number");
  return row.number;
}

function keyOf(record: RecordDefinition, alias: string): string {
  return `concat_ws(E'\\x1f', ${keyColumns(record)
    .map((column) => `${alias}.${column}::text`)
    .join(", ")})`;
}

/** Whom a row is for, as far as the record says. */
function placeOf({ fields }: RecordDefinition, alias: string): string {
  const column = (name: string) => `${alias}.${quoted(columnOf(name))}`;
  if ("customerScope" in fields)
    return `${column("customerScope")} || ' ' || coalesce(${column("customerCode")}, '')`;
  return "account" in fields ? `'account ' || ${column("account")}` : "''";
}

/**
 * Deletes what was superseded before a moment, at most `most` rows; says how many. The moment of
 * the rows that are left is how far back can be told what was known.
 */
export async function tidySuperseded(
  on: Queryable,
  company: string,
  before: Temporal.Instant,
  most = 50_000,
): Promise<number> {
  // Whoever follows from before then must read all rows.
  await on.affect(
    "UPDATE record_change SET whole = true WHERE company = $1 AND at < $2 AND NOT whole",
    [company, before],
  );
  return on.affect(
    `DELETE FROM superseded_row WHERE ctid IN (
       SELECT ctid FROM superseded_row WHERE company = $1 AND known_to < $2 LIMIT $3)`,
    [company, before, most],
  );
}
