/** The whole of a list, and its keys alone. */
import { ConnectorFault } from "#connector";
import type { Json, ReadEvent } from "#connector";
import {
  checkWhole,
  pagesOf,
  standShape,
  START,
  totalsOf,
  type Source,
  type Stand,
} from "./pages.ts";
import { inBatches, keyed } from "./rows.ts";
import type { Delta, Snapshot } from "./settings.ts";

export async function* readSnapshot(
  source: Source,
  stream: string,
  { path, paging, key }: Snapshot,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  const from = standOf(stream, cursor);
  const itemOf = keyed(key, source.settings.flatten);
  yield { kind: "origin", origin: { name: stream } };
  for await (const page of pagesOf(source, { stream, path, paging, itemOf }, from)) {
    yield* inBatches(page.items);
    if (!page.isLast) yield { kind: "mark", cursor: { ...page.stand } };
    // Rows before a mark are of another reading's origin.
    else if (from.next === null) yield* totalsOf(page);
    else checkWhole(stream, page);
  }
  yield { kind: "checkpoint", cursor: { ...START }, more: false };
}

/** Keys that the system has now; rows of a delta that are none of them are gone. */
export async function* readKeys(
  source: Source,
  stream: string,
  { path, key }: Delta,
): AsyncGenerator<ReadEvent> {
  const itemOf = keyed(key, source.settings.flatten);
  const list = { stream, path: `${path}/keys`, paging: "token", itemOf } as const;
  yield { kind: "origin", origin: { name: `${stream} keys` } };
  for await (const page of pagesOf(source, list, START)) {
    yield* inBatches(page.items);
    if (page.isLast) checkWhole(stream, page);
  }
  yield { kind: "checkpoint", cursor: { ...START }, more: false };
}

function standOf(stream: string, cursor: Json | null): Stand {
  if (cursor === null) return START;
  const parsed = standShape.safeParse(cursor);
  if (parsed.success) return parsed.data;
  throw foreignCursor(stream, cursor);
}

export function foreignCursor(stream: string, cursor: Json): ConnectorFault {
  return new ConnectorFault(
    "config",
    `Reading ${stream}: the stored cursor is none of its own: ${JSON.stringify(cursor)}.`,
    "The stream was read in another way before. Read it from its start, or give the connection a new name.",
  );
}
