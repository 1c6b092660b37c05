/** What a cursor may be, of streams that promise how a delta goes on. */
import { comparePositions, positionOf } from "../connector/index.ts";
import type { DeltaPromise, Json, Position, StreamDefinition } from "../connector/index.ts";
import { brokenPromise, RunStopped } from "./brake.ts";
import type { StreamKey } from "./lease.ts";

export interface Clock {
  readonly now: () => Temporal.Instant;
  /** IANA name; of stamps that are local. */
  readonly timeZone: string;
}

/** Where reading would begin anew; as an answer to a good cursor it would read all again. */
export function isEmpty(cursor: Json): boolean {
  return (
    cursor === null ||
    cursor === "" ||
    (typeof cursor === "object" && Object.keys(cursor).length === 0)
  );
}

/** A stored cursor that cannot be gone on from is told before anything is read. */
export function checkStored(
  key: StreamKey,
  { delta }: StreamDefinition,
  cursor: Json | null,
  clock: Clock,
): void {
  if (delta === undefined || cursor === null) return;
  const anew = `To read the stream from its start, run: sync ${key.stream} --from-start.`;
  const place = `Reading ${key.connection}/${key.stream}: its stored cursor ${JSON.stringify(cursor)}`;
  const position = positionIn(cursor, delta);
  if (position === null)
    throw new RunStopped(
      `${place} is corrupt: expected { value, key } with ${wanted(delta)}. Nothing was read.`,
      anew,
      "config",
    );
  if (isAhead(position, delta, clock))
    throw new RunStopped(
      `${place} is of the future, where every row up to then would be passed over; it is ` +
        `${clock.now().toString({ smallestUnit: "second" })} now. Nothing was read.`,
      `Look at the clocks of the source and of this machine. ${anew}`,
      "config",
    );
}

function wanted({ grain }: DeltaPromise): string {
  return grain === "number" ? "a number" : `a stamp to the ${grain}`;
}

/** Null: it is none that the promise allows. */
export function positionIn(cursor: Json, { grain }: DeltaPromise): Position | null {
  const position = positionOf(cursor);
  if (position === null) return null;
  const { value } = position;
  if (grain === "number") return position;
  return typeof value === "string" && stampIn(value) !== null ? position : null;
}

function stampIn(value: string): Temporal.PlainDateTime | null {
  try {
    return Temporal.PlainDateTime.from(value.replace(/Z$/, ""), { overflow: "reject" });
  } catch {
    return null;
  }
}

/** Clocks differ, and local days begin early; more than a day is no such thing. */
const AHEAD_HOURS = 24;

export function isAhead({ value }: Position, promise: DeltaPromise, clock: Clock): boolean {
  if (promise.grain === "number") return false;
  const stamp = stampIn(String(value));
  if (stamp === null) return false;
  const at = stamp.toZonedDateTime(promise.zone === "local" ? clock.timeZone : "UTC").toInstant();
  return Temporal.Instant.compare(at, clock.now().add({ hours: AHEAD_HOURS })) > 0;
}

/** Of two positions whose values are of two kinds, which a connector never may give. */
export function compareAt(place: string, left: Position, right: Position): number {
  const alike =
    typeof left.value === typeof right.value &&
    (typeof left.value === "number" || left.value.length === String(right.value).length);
  if (alike && typeof left.key === typeof right.key) return comparePositions(left, right);
  throw brokenPromise(
    `${place}: positions ${JSON.stringify(left)} and ${JSON.stringify(right)} are not of one form.`,
  );
}
