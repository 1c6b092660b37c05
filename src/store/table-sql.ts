/** Pieces of SQL about a record's table that the steps of staging and merging share. */
import { columnOf } from "../model/index.ts";
import type { Field, RecordDefinition } from "../model/index.ts";
import type { MergeOptions } from "./merge.ts";

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function keyColumns(record: RecordDefinition): string[] {
  return record.key.map(columnOf).map(quoted);
}

export function keysEqual(record: RecordDefinition, left: string, right: string): string {
  return keyColumns(record)
    .map((column) => `${left}.${column} = ${right}.${column}`)
    .join(" AND ");
}

/** The key for people: "R-17 / 100". */
export function keyText(record: RecordDefinition, alias: string): string {
  const parts = record.key.map((name) => {
    const column = `${alias}.${quoted(columnOf(name))}`;
    return record.fields[name]?.kind === "decimal" ? `trim_scale(${column})` : column;
  });
  return `concat_ws(' / ', ${parts.join(", ")})`;
}

export function columnType(field: Field): string {
  switch (field.kind) {
    case "text":
    case "code":
    case "choice":
      return "text";
    case "flag":
      return "boolean";
    case "integer":
      return "integer";
    case "decimal":
      return `numeric(${field.precision}, ${field.scale})`;
    case "date":
      return "date";
    case "instant":
      return "timestamptz";
    default:
      return field satisfies never;
  }
}

/**
 * Staged rows (`s`, narrowed by `joined`) into their table, in the key's order where that helps.
 */
export function insertSql(
  options: MergeOptions,
  joined: string,
  ordered = true,
): [string, unknown[]] {
  const { record, staging, company, feed, runId, at } = options;
  const fields = Object.keys(record.fields).map(columnOf).map(quoted);
  const taken = [...fields, "row_hash", "origin_id", "origin_line"];
  // An index filled in its own order is written page by page instead of all over.
  const order = ordered
    ? `ORDER BY ${keyColumns(record)
        .map((name) => `s.${name}`)
        .join(", ")}`
    : "";
  const sql = `INSERT INTO ${quoted(record.table)}
    (company, feed, run_id, learned_at, ${taken.join(", ")})
    SELECT $1, $2, $3::uuid, $4::timestamptz, ${taken.map((name) => `s.${name}`).join(", ")}
    FROM ${staging.table} s ${joined} ${order}`;
  return [sql, [company, feed, runId, at]];
}
