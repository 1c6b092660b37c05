/** Arithmetic of positions: what comes behind what, and how far an overlap reaches. */
import type { DeltaPromise, Json, Position } from "../contract.ts";

export function compareValues(a: Position, b: Position): number {
  return compare(a.value, b.value) || compare(a.key, b.key);
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The value so far behind as the overlap goes, and an hour more where an hour repeats. */
export function behind(delta: DeltaPromise, value: string | number): string | number | null {
  if (typeof value === "number") return value - delta.overlap;
  const seconds = delta.overlap + (delta.zone === "local" ? REPEATED_HOUR : 0);
  return moved(value, -seconds);
}

const REPEATED_HOUR = 3_600;

/** An ISO stamp moved by seconds, as text of its own length; null: it is no stamp. */
export function moved(stamp: string, seconds: number): string | null {
  const isUtc = stamp.endsWith("Z");
  try {
    const at = Temporal.PlainDateTime.from(isUtc ? stamp.slice(0, -1) : stamp);
    const text = at.add({ seconds }).toString({ fractionalSecondDigits: 9 });
    return `${text.slice(0, isUtc ? stamp.length - 1 : stamp.length)}${isUtc ? "Z" : ""}`;
  } catch {
    return null;
  }
}

/** The same cursor long after everything; null: it has no value that can be moved. */
export function futureOf(cursor: Json): Json | null {
  if (cursor === null || typeof cursor !== "object" || Array.isArray(cursor)) return null;
  const { value, ...others } = cursor as { readonly [name: string]: Json };
  if (typeof value === "number") return { ...others, value: value + 1_000_000_000 };
  if (typeof value !== "string" || !/^\d{4}-/.test(value)) return null;
  return { ...others, value: `2999${value.slice(4)}` };
}

/** A wall-clock or UTC stamp as the stream's promise has them: shortened to its grain. */
export function stampFor(delta: DeltaPromise | undefined, iso: string): string | null {
  if (delta === undefined || delta.grain === "number") return null;
  const [date = "", time = ""] = iso.replace(/Z$/, "").split("T");
  if (delta.grain === "day") return date;
  const digits = { minute: 5, second: 8, millisecond: 12, microsecond: 15 }[delta.grain];
  const whole = `${time.length === 5 ? `${time}:00` : time}.000000`.slice(0, digits);
  return `${date}T${whole}${delta.zone === "utc" ? "Z" : ""}`;
}
