/** Rows of an answer as rows of a stream. What is no row costs only itself. */
import { readStamp, stampOf } from "#connector";
import type { DeltaPromise, Host, Position, ReadEvent, SourceRow } from "#connector";
import type { Delta } from "./settings.ts";

type Values = Readonly<Record<string, unknown>>;
type Reject = ReadEvent & { readonly kind: "reject" };

/** `id`: equal for equal rows of a list, as they come again when a page comes again. */
export type Item = { readonly row: SourceRow; readonly id: string } | Reject;

/** Of what a list gives at this line. */
export type ItemOf = (given: unknown, line: number) => Item;

/** As a row of a snapshot, or of a list of keys. */
export function keyed(key: readonly string[], flatten: boolean): ItemOf {
  return (given, line) => {
    const values = valuesOf(given, flatten);
    const id = keyOf(values, key);
    if (id === null) return rejected(given, line, noKey(key));
    return { id, row: { line, raw: JSON.stringify(given), values } };
  };
}

export interface DeltaColumns extends Pick<Delta, "key" | "stamp"> {
  readonly flatten: boolean;
  /** The column that says that a row is gone; null: none does. */
  readonly removed: string | null;
}

/** As a row of a delta, at its place. */
export function stamped(columns: DeltaColumns, promise: DeltaPromise, host: Host): ItemOf {
  const { key, stamp, flatten, removed } = columns;
  return (given, line) => {
    const values = valuesOf(given, flatten);
    const id = keyOf(values, key);
    if (id === null) return rejected(given, line, noKey(key));
    const value = momentOf(values[stamp], promise, host);
    if (value === null) return rejected(given, line, `Its ${stamp} is no moment.`);
    // As a cursor it would pass over every row up to then.
    if (value > latest(promise, host))
      return rejected(given, line, `Its ${stamp} lies in the future.`);
    const at: Position = { value, key: id };
    const raw = JSON.stringify(given);
    const isGone = removed !== null && values[removed] === true;
    const row = { line, raw, values, at, ...(isGone ? { removed: true as const } : {}) };
    return { id: `${value} ${id}`, row };
  };
}

function momentOf(text: unknown, promise: DeltaPromise, host: Host): string | null {
  const value = typeof text === "string" ? readStamp(text, promise, host.timeZone) : null;
  // Years of other lengths do not compare as text.
  return value !== null && /^\d{4}-/.test(value) ? value : null;
}

/** Clocks differ; a stamp of more than a day ahead is a wrong one. */
export function latest(promise: DeltaPromise, host: Host): string {
  return stampOf(host.now().add({ hours: 24 }), promise, host.timeZone);
}

function rejected(given: unknown, line: number, reason: string): Reject {
  const instruction = "Correct the row in the system that it comes from.";
  return { kind: "reject", line, raw: JSON.stringify(given), reason, instruction };
}

function noKey(key: readonly string[]): string {
  return `It is no object, or has no text or number as ${key.join(", ")}.`;
}

function valuesOf(given: unknown, flatten: boolean): Values {
  if (!isObject(given)) return {};
  return flatten ? Object.fromEntries(flattened(given, "")) : given;
}

function* flattened(values: Values, within: string): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(values))
    if (isObject(value)) yield* flattened(value, `${within}${name}.`);
    else yield [`${within}${name}`, value];
}

export function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Stands before whatever a key can hold, so that AB follows A. */
const BETWEEN = "\u001F";
const DIGITS = 16;

/** The key as one text, which stands in order as its parts do: 10 behind 9. Null: it has none. */
function keyOf(values: Values, key: readonly string[]): string | null {
  const parts = key.map((name) => partOf(values[name]));
  return parts.includes(null) ? null : parts.join(BETWEEN);
}

function partOf(value: unknown): string | null {
  if (typeof value === "number")
    return value >= 0 && Number.isSafeInteger(value)
      ? String(value).padStart(DIGITS, "0")
      : String(value);
  // A cursor is kept as JSON, which not every text can be part of.
  const isKey = typeof value === "string" && value !== "" && value.isWellFormed();
  return isKey && !value.includes("\0") && !value.includes(BETWEEN) ? value : null;
}

const BATCH = 1_000;

/** Rows in batches, with what was rejected at its place between them. */
export function* inBatches(items: readonly Item[]): Generator<ReadEvent> {
  let rows: SourceRow[] = [];
  for (const item of items) {
    if ("row" in item) rows.push(item.row);
    if (rows.length > 0 && (rows.length === BATCH || !("row" in item))) {
      yield { kind: "rows", rows };
      rows = [];
    }
    if (!("row" in item)) yield item;
  }
  if (rows.length > 0) yield { kind: "rows", rows };
}
