/** The drop brake: a cut-off export looks just like a clearance, so a person decides. */
import { countRemovals, type MergeOptions, type Transaction } from "../store/index.ts";
import type { StreamKey } from "./lease.ts";

/** A snapshot would remove more than the settings allow. Nothing was removed. */
export class DropBrake extends Error {
  override readonly name = "DropBrake";
}

/** Below this many records a share says nothing: one record of five is not a cut-off file. */
const FEWEST = 20;

export async function checkRemovals(
  tx: Transaction,
  merge: MergeOptions,
  limitPercent: number,
  key: StreamKey,
): Promise<void> {
  const { before, removals } = await countRemovals(tx, merge);
  if (before < FEWEST || removals * 100 <= before * limitPercent) return;
  const share = ((removals * 100) / before).toFixed(1);
  const what =
    removals === before ? "the snapshot holds none of them" : `it would remove ${removals}`;
  throw new DropBrake(
    `Publishing ${key.connection}/${key.stream}: ${before} ${merge.record.name} records are held and ` +
      `${what} (${share}%, where at most ${limitPercent}% may go at once). Nothing was removed. ` +
      `If the source really cleared them, run: sync ${key.stream} --accept-removals. ` +
      "If the file was cut off, ask for it again: a newer snapshot is read instead.",
  );
}
