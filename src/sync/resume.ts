/** Whether a run goes on from one that was cut short, and where it begins. */
import { isDeepStrictEqual } from "node:util";
import type { Json } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import type { SyncContext } from "./context.ts";
import type { StreamKey } from "./lease.ts";
import { dropMark, marksOf, whyNot, type Mark } from "./marks.ts";

/** What the run is to read. */
export interface Piece {
  readonly reading: string;
  /** Where the stream stands. */
  readonly cursor: Json | null;
  /** True: whatever was kept is thrown away. */
  readonly anew: boolean;
  readonly mappings: readonly Mapping[];
}

const LOST = "the database lost what was staged";

/** `begin` takes a mark over; false: its staging is not what it should be. */
export async function goOn(
  { store, company, now }: SyncContext,
  key: StreamKey,
  { reading, cursor, anew, mappings }: Piece,
  begin: (mark: Mark) => Promise<boolean>,
): Promise<{ readonly from: Json | null; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  for (const mark of await marksOf(store, key)) {
    if (mark.reading !== reading) continue;
    let why = anew ? "it was asked so" : null;
    if (!isDeepStrictEqual(mark.cursorFrom, cursor)) why ??= "the stream was read since";
    why ??= whyNot(mark, now(), mappings);
    if (why === null && (await begin(mark))) return { from: mark.cursor, notes };
    await dropMark(store, company, mark.runId);
    notes.push(
      `A run that was cut short is not gone on with, since ${why ?? LOST}: all is read from the start.`,
    );
  }
  return { from: cursor, notes };
}
