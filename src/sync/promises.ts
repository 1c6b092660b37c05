/**
 * Holds a connector to what its stream promises, on every read: what it breaks is told by kind, and
 * nothing is published.
 */
import type {
  DeltaPromise,
  Json,
  Position,
  Session,
  SourceRow,
  StreamDefinition,
} from "../connector/index.ts";
import { brokenPromise, RunStopped } from "./brake.ts";
import { checkStored, compareAt, isAhead, isEmpty, positionIn, type Clock } from "./cursor.ts";
import type { StreamKey } from "./lease.ts";
import type { Problem } from "./quarantine.ts";

export interface Promises {
  /** Looks at the order in which rows come. */
  rows(rows: readonly SourceRow[]): void;
  /** Looks at a cursor that the connector gives; `last`: no other one may follow it. */
  cursor(cursor: Json, kind: "mark" | "checkpoint"): void;
  /**
   * The row at which the stream stands was to come again, as rows of the overlap do, and the
   * furthest that came is behind it: in a sentence; null: it is not so, or cannot be told.
   */
  fell(): string | null;
}

export interface Reading {
  readonly key: StreamKey;
  readonly stream: StreamDefinition;
  /** Where the stream stands; null: nowhere yet, or not what is new is read. */
  readonly stored: Json | null;
  /** Where this read begins: `stored`, or the mark of a run that was cut short. */
  readonly from: Json | null;
  readonly clock: Clock;
}

/** A definition that cannot be kept, whatever the connector reads. */
export function checkDefinition(stream: StreamDefinition, session: Session): void {
  const wrong = (what: string) => brokenPromise(`Stream ${stream.name}: ${what}.`);
  const { reading, delta, deletions, key, range } = stream;
  if (reading === "delta" && deletions === "absence")
    throw wrong("a delta holds only what is new, and declares that what it lacks was removed");
  if (reading === "snapshot" && delta !== undefined)
    throw wrong("it is a snapshot, and declares how a delta goes on");
  if (reading === "snapshot" && range === true)
    throw wrong("it is a snapshot, and declares that it can be read by days");
  if (reading === "snapshot" && deletions !== undefined && deletions !== "absence")
    throw wrong(`it is a snapshot, and declares that removed rows show otherwise (${deletions})`);
  if (deletions === "keys" && (key === undefined || session.keys === undefined))
    throw wrong("removed rows show by its keys, and it has no key, or its session no keys()");
}

/** Only where `Session.keys` alone tells what is gone are keys compared. */
export function checkComparable(key: StreamKey, { deletions }: StreamDefinition): void {
  if (deletions === "keys") return;
  throw new RunStopped(
    `Comparing keys of ${key.connection}/${key.stream}: its removed rows show otherwise ` +
      `(${deletions ?? "as always"}). Nothing was read.`,
    `Leave ${key.stream} out of the schedule that compares keys, and pull it instead.`,
    "config",
  );
}

export function watchPromises(reading: Reading): Promises {
  const { key, stream, stored, from, clock } = reading;
  const place = `Reading ${key.connection}/${key.stream}`;
  checkStored(key, stream, stored, clock);
  const { delta } = stream;
  const standing = (cursor: Json | null) =>
    delta === undefined || cursor === null ? null : positionIn(cursor, delta);
  // Rows begin behind the cursor by the overlap; only where the stream then stands must not.
  const floors = [standing(stored), standing(from)];
  let reached: Position | null = null;
  let last: Position | null = null;
  let ended = false;
  return {
    rows: (rows) => {
      if (delta === undefined) return;
      for (const row of rows) {
        last = takeRow(place, delta, row, last);
        if (reached === null || compareAt(place, last, reached) > 0) reached = last;
        if (!delta.ordered) last = null;
      }
    },
    cursor: (cursor, kind) => {
      checkNotEmpty(place, stored, cursor);
      if (delta === undefined) return;
      if (!delta.ordered && (kind === "mark" || ended))
        throw brokenPromise(
          `${place}: ${kind === "mark" ? "a mark" : "a second checkpoint"} came, and rows that ` +
            "are in no order are whole only at their end.",
        );
      ended = true;
      const passed = kind === "mark" ? [reached] : [...floors, reached];
      checkGiven(place, { delta, passed, clock }, cursor);
    },
    fell: () => {
      const [stands] = floors;
      if (stands === undefined || stands === null || reached === null || stored !== from)
        return null;
      if ((delta?.overlap ?? 0) === 0 || compareAt(place, reached, stands) >= 0) return null;
      return (
        `${stream.name} stood at ${JSON.stringify(stands)}, and its furthest row is now ` +
        JSON.stringify(reached)
      );
    },
  };
}

function takeRow(
  place: string,
  delta: DeltaPromise,
  { at, line }: SourceRow,
  last: Position | null,
): Position {
  const position = at === undefined ? null : positionIn({ ...at }, delta);
  if (position === null)
    throw brokenPromise(
      `${place}: row ${line} ${at === undefined ? "does not say where it stands" : `stands at ${JSON.stringify(at)}`} ` +
        "(`at`), which rows of a delta must.",
    );
  if (last !== null && delta.ordered && compareAt(place, position, last) <= 0)
    throw brokenPromise(
      `${place}: row ${line} at ${JSON.stringify(position)} came behind ${JSON.stringify(last)}: ` +
        "rows stepped back or came twice, where the stream promises that they ascend.",
    );
  return position;
}

/** An empty cursor would read everything again, or nothing ever. */
function checkNotEmpty(place: string, stored: Json | null, cursor: Json): void {
  if (!isEmpty(cursor) || stored === null || isEmpty(stored)) return;
  throw brokenPromise(
    `${place}: the cursor that came is empty (${JSON.stringify(cursor)}), and the stream stands at ` +
      `${JSON.stringify(stored)}.`,
  );
}

function checkGiven(
  place: string,
  given: { delta: DeltaPromise; passed: readonly (Position | null)[]; clock: Clock },
  cursor: Json,
): void {
  const { delta, passed, clock } = given;
  const position = positionIn(cursor, delta);
  if (position === null) {
    if (isEmpty(cursor) && passed.every((each) => each === null)) return;
    throw brokenPromise(`${place}: the cursor that came is none: ${JSON.stringify(cursor)}.`);
  }
  for (const each of passed)
    if (each !== null && compareAt(place, position, each) < 0)
      throw brokenPromise(
        `${place}: the cursor that came, ${JSON.stringify(position)}, is behind ` +
          `${JSON.stringify(each)}, which was read already.`,
      );
  if (isAhead(position, delta, clock))
    throw new RunStopped(
      `${place}: the cursor that came, ${JSON.stringify(position)}, is of the future: every row up ` +
        "to then would be passed over. Nothing of it was published.",
      "Correct the stamp of that row in the source, or look at the clocks of the source and of this machine.",
    );
}

/** What keeps a row from being one of the stream; null: it is one. */
export function misfits(
  origin: string,
  { row: shape, key }: StreamDefinition,
  row: SourceRow,
  keysOnly: boolean,
): readonly Problem[] | null {
  if (shape === undefined && key === undefined) return null;
  const problems: Problem[] = [];
  for (const column of key ?? []) {
    const value = row.values[column];
    // By a list of keys that is not whole, what is there would be removed.
    if (value === undefined && keysOnly)
      throw brokenPromise(
        `Reading ${origin}: row ${row.line} lacks ${column}, a column of its key.`,
      );
    if (value === undefined || value === null || value === "")
      problems.push(problemOf(column, value, "a value, as part of the row's key"));
  }
  // What is gone need not have more than its key.
  if (shape !== undefined && !keysOnly && row.removed !== true) {
    const told = new Set<unknown>(problems.map(({ field }) => field));
    const issues = shape.safeParse(row.values).error?.issues ?? [];
    for (const { path, message } of issues.filter(({ path }) => !told.has(path[0])))
      problems.push(problemOf(path.map(String).join("."), valueAt(row.values, path), message));
  }
  return problems.length === 0 ? null : problems;
}

const SHOWN = 100;

function problemOf(field: string, found: unknown, expected: string): Problem {
  const text = JSON.stringify(found) ?? "nothing";
  return {
    field,
    found: text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`,
    expected,
    instruction: `Correct ${field || "the row"} in the source; if it is right there, the connector reads another shape than it says.`,
  };
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const part of path)
    value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  return value;
}
