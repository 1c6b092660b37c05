/**
 * A delta's row that the mapping now leaves aside (`ignore:`): the record that the row made before
 * goes. Promises to touch no record that another row may have made: only where the stream's key
 * stands in the record's key as it is. Posted documents stand for ever.
 */
import type { StreamDefinition } from "../connector/index.ts";
import type { MappedRow, Mapping } from "../mapping/index.ts";
import type { AnyRecord } from "../model/index.ts";
import type { RecordCounts } from "./accounting.ts";

/** Whether what the mapping leaves aside is taken back. */
export function takesBack(
  { reading, key }: StreamDefinition,
  { record, tellsApart }: Mapping,
): boolean {
  return reading === "delta" && key !== undefined && !record.posted && tellsApart(key);
}

/** Keys of records that the row may have made before, and makes no more. */
export function keysLeftOut(
  { record, keysOf }: Mapping,
  values: Readonly<Record<string, unknown>>,
  out: MappedRow,
): readonly AnyRecord[] {
  if (out.kind === "rejected") return [];
  const found = keysOf(values);
  const records = out.kind === "records" ? out.records : [];
  if (found.kind === "unknown" || found.keys.length === records.length) return [];
  const textOf = (one: AnyRecord) => JSON.stringify(record.key.map((name) => one[name]));
  const made = new Set(records.map(textOf));
  return found.keys.filter((key) => !made.has(textOf(key)));
}

type ByMapping = ReadonlyMap<string, RecordCounts>;

/** What a person is told of it. */
export function leftOutNotes(
  { deletions }: StreamDefinition,
  before: ByMapping,
  after: ByMapping,
): readonly string[] {
  const removed = removedIn(after) - removedIn(before);
  if (removed === 0) return [];
  const why =
    deletions === "marked"
      ? "the source says so, or the mappings now leave their rows aside"
      : "the mappings now leave their rows aside";
  return [`${removed} ${removed === 1 ? "record was" : "records were"} removed: ${why}.`];
}

function removedIn(records: ByMapping): number {
  return [...records.values()].reduce((sum, { removed }) => sum + removed, 0);
}
