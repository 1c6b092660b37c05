/**
 * Cursors of (value, key), and how far back of one a read must begin. A bare `value > cursor` loses
 * rows: those that share a stamp with the last one, those that appear late, and in the autumn night
 * when clocks go back, every row of the hour that local stamps go through twice.
 */
import type { DeltaPromise, Json, Position } from "./contract.ts";

/** Less than 0: `a` stands before `b` in reading order. */
export function comparePositions(a: Position, b: Position): number {
  return compare(a.value, b.value) || compare(a.key, b.key);
}

function compare(a: string | number, b: string | number): number {
  if (typeof a !== typeof b)
    throw new TypeError(`Positions ${String(a)} and ${String(b)} are of two kinds.`);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** True when `row` stands behind the cursor; everything stands behind none. */
export function isAfter(cursor: Position | null, row: Position): boolean {
  return cursor === null || comparePositions(row, cursor) > 0;
}

/** The one that stands further on. */
export function furthest(cursor: Position | null, row: Position): Position {
  return cursor === null || isAfter(cursor, row) ? row : cursor;
}

/** The position in a cursor, whatever stands beside it; null when there is none to go on from. */
export function positionOf(cursor: Json | null): Position | null {
  if (cursor === null || typeof cursor !== "object" || !("value" in cursor && "key" in cursor))
    return null;
  const { value, key } = cursor;
  const fits = (one: Json): one is string | number =>
    typeof one === "number" || (typeof one === "string" && one !== "");
  return fits(value) && fits(key) ? { value, key } : null;
}

/** What decides about stamps; `overlap` only about where a read begins. */
type Stamped = Pick<DeltaPromise, "grain" | "zone">;

/**
 * The least value that a read must give again: rows of it included. Asked of the source as `>=`.
 * Null: from the beginning. Right on the nights of both clock changes.
 */
export function readFrom(
  cursor: Position | null,
  promise: DeltaPromise,
  timeZone: string,
): string | number | null {
  if (cursor === null) return null;
  if (promise.grain === "number") return numberOf(cursor.value) - promise.overlap;
  const from = instantOf(String(cursor.value), promise, timeZone).subtract({
    milliseconds: Math.ceil(promise.overlap * 1000),
  });
  const stamp = stampOf(from, promise, timeZone);
  if (promise.zone !== "local" || promise.grain === "day") return stamp;
  const again = backwards(from, String(cursor.value), promise, timeZone);
  return again !== null && again < stamp ? again : stamp;
}

/** As `readFrom`, for a source that knows only `>`: one step of the grain less. */
export function readBehind(
  cursor: Position | null,
  promise: DeltaPromise,
  timeZone: string,
): string | number | null {
  const from = readFrom(cursor, promise, timeZone);
  if (from === null) return null;
  if (typeof from === "number") return from - 1;
  return oneLess(from, promise);
}

/**
 * The first wall-clock time that comes a second time while the read's span goes on: a cursor within
 * the repeated hour does not say which of the two it is of, and rows of the second one still come.
 */
function backwards(
  from: Temporal.Instant,
  value: string,
  promise: Stamped,
  timeZone: string,
): string | null {
  const until = instantOf(value, promise, timeZone);
  const change = from.toZonedDateTimeISO(timeZone).getTimeZoneTransition("next");
  if (change === null) return null;
  const before = change.subtract({ nanoseconds: 1 });
  if (before.offsetNanoseconds <= change.offsetNanoseconds) return null;
  // Not reached yet: a cursor before the repeated hour goes on through it without going back.
  const firstTime = change.toInstant().add({
    nanoseconds: change.offsetNanoseconds - before.offsetNanoseconds,
  });
  if (Temporal.Instant.compare(until, firstTime) < 0) return null;
  return stampOf(change.toInstant(), promise, timeZone);
}

const DIGITS = { microsecond: 6, millisecond: 3, second: 0 } as const;

/** A moment as the value of a position: ISO 8601 of one length, so that text compares as time. */
export function stampOf(at: Temporal.Instant, promise: Stamped, timeZone: string): string {
  const local = at.toZonedDateTimeISO(promise.zone === "utc" ? "UTC" : timeZone).toPlainDateTime();
  return written(local, promise);
}

function written(at: Temporal.PlainDateTime, { grain, zone }: Stamped): string {
  if (grain === "number") throw new TypeError("A counter has no stamps.");
  if (grain === "day") return at.toPlainDate().toString();
  const text =
    grain === "minute"
      ? at.toString({ smallestUnit: "minute", roundingMode: "floor" })
      : at.toString({ fractionalSecondDigits: DIGITS[grain], roundingMode: "floor" });
  return zone === "utc" ? `${text}Z` : text;
}

/**
 * A source's stamp as the value of a position. Takes `2026-03-31T08:15:00.1Z`, `2026-03-31
 * 08:15:00`, one with an offset, or a day; finer steps than the grain are cut. One without an
 * offset is of the promise's zone: UTC, or the company's wall clock. Null when it is no moment.
 */
export function readStamp(text: string, promise: Stamped, timeZone: string): string | null {
  const trimmed = text.trim().replace(/^(\d{4}-\d{2}-\d{2}) /, "$1T");
  try {
    if (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(trimmed) && trimmed.includes("T"))
      return stampOf(Temporal.Instant.from(trimmed), promise, timeZone);
    return written(Temporal.PlainDateTime.from(trimmed, { overflow: "reject" }), promise);
  } catch {
    return null;
  }
}

/** The earliest moment that a value can mean: local times of the repeated hour mean two. */
function instantOf(value: string, { zone }: Stamped, timeZone: string): Temporal.Instant {
  const plain = Temporal.PlainDateTime.from(value.replace(/Z$/, ""));
  return plain
    .toZonedDateTime(zone === "utc" ? "UTC" : timeZone, { disambiguation: "earlier" })
    .toInstant();
}

/** On the wall clock: an hour that is not there has no rows either. */
function oneLess(value: string, promise: Stamped): string {
  const at = Temporal.PlainDateTime.from(value.replace(/Z$/, ""));
  switch (promise.grain) {
    case "day":
      return written(at.subtract({ days: 1 }), promise);
    case "minute":
      return written(at.subtract({ minutes: 1 }), promise);
    case "second":
      return written(at.subtract({ seconds: 1 }), promise);
    case "millisecond":
      return written(at.subtract({ milliseconds: 1 }), promise);
    case "microsecond":
      return written(at.subtract({ microseconds: 1 }), promise);
    case "number":
      throw new TypeError("A counter has no stamps.");
    default:
      return promise.grain satisfies never;
  }
}

function numberOf(value: string | number): number {
  const number = typeof value === "number" ? value : Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new TypeError(`"${value}" is no counter that is kept exactly.`);
}
