/** Whether a record's key tells which row of the source it is of. */
import type { RecordDefinition } from "../model/index.ts";
import type { FieldRule, MappingFile } from "./schema.ts";

/** Kinds whose value is the column's own text; another form of a date would be the same date. */
const AS_IT_STANDS: readonly string[] = ["text", "code", "choice", "integer"];

/**
 * True: each of these columns stands in the key as it is, so that rows which differ in one of them
 * never make the same record.
 */
export function rowTeller(
  { each }: MappingFile,
  record: RecordDefinition,
  rules: ReadonlyMap<string, { readonly rule: FieldRule }>,
): (columns: readonly string[]) => boolean {
  const numbered = each === undefined || "list" in each ? {} : each.columns;
  const plain = record.key.flatMap((name) => {
    const rule = rules.get(name)?.rule;
    const from = rule !== undefined && Object.keys(rule).length === 1 ? rule.from : undefined;
    const isPlain = AS_IT_STANDS.includes(record.fields[name]?.kind ?? "");
    return from !== undefined && isPlain && !Object.hasOwn(numbered, from) ? [from] : [];
  });
  return (columns) => columns.length > 0 && columns.every((column) => plain.includes(column));
}
