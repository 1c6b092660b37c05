/** New and changed rows of a list, by (stamp, key). */
import { z } from "zod";
import { ConnectorFault, furthest, isAfter, readFrom, readStamp } from "#connector";
import type { DeltaPromise, Host, Json, Position, ReadEvent } from "#connector";
import { notFollowing, pagesOf, START, totalsOf, type Source } from "./pages.ts";
import { inBatches, latest, stamped, type Item } from "./rows.ts";
import type { Delta } from "./settings.ts";
import { foreignCursor } from "./snapshot.ts";

export function promiseOf({ ordered, overlapSeconds }: Delta): DeltaPromise {
  return { grain: "millisecond", zone: "utc", ordered, overlap: overlapSeconds };
}

export async function* readDelta(
  source: Source,
  stream: string,
  delta: Delta,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  const { host, settings } = source;
  const { flatten, members, parameters } = settings;
  const { path, ordered, removals } = delta;
  const promise = promiseOf(delta);
  let reached = positionIn(stream, promise, host, cursor);
  let last: Position | null = null;
  const from = readFrom(reached, promise, host.timeZone);
  const removed = removals === "marked" ? members.removed : null;
  const itemOf = stamped({ ...delta, flatten, removed }, promise, host);
  const query = from === null ? {} : { [parameters.changedFrom]: from };
  yield { kind: "origin", origin: { name: stream } };
  for await (const page of pagesOf(
    source,
    { stream, path, paging: "token", query, itemOf },
    START,
  )) {
    for (const at of positionsOf(page.items)) {
      if (ordered && !isAfter(last, at)) throw notFollowing(stream, "its rows step back");
      last = at;
      reached = furthest(reached, at);
    }
    yield* inBatches(page.items);
    if (ordered && !page.isLast && reached !== null) yield { kind: "mark", cursor: { ...reached } };
    // Only of the whole list is it clear what is counted.
    if (page.isLast && cursor === null) yield* totalsOf(page);
  }
  if (reached !== null) yield { kind: "checkpoint", cursor: { ...reached }, more: false };
}

function positionsOf(items: readonly Item[]): readonly Position[] {
  return items.flatMap((item) => ("row" in item && item.row.at !== undefined ? [item.row.at] : []));
}

const positionShape = z.strictObject({ value: z.string(), key: z.string().min(1) });

function positionIn(
  stream: string,
  promise: DeltaPromise,
  host: Host,
  cursor: Json | null,
): Position | null {
  if (cursor === null) return null;
  const { data } = positionShape.safeParse(cursor);
  if (data === undefined || readStamp(data.value, promise, host.timeZone) !== data.value)
    throw foreignCursor(stream, cursor);
  if (data.value <= latest(promise, host)) return data;
  throw new ConnectorFault(
    "config",
    `Reading ${stream}: the stored cursor ${data.value} lies in the future.`,
    "The system's clock was wrong, or an older backup was restored. Read the stream from its start.",
  );
}
