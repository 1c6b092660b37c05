/** Canonical rows merged as a run merges them: what changed is told, and what was is kept. */
import { randomUUIDv7 } from "node:crypto";
import { records } from "../../src/model/index.ts";
import type { Canonical, RecordDefinition, RecordName } from "../../src/model/index.ts";
import { mergeStaging, openStaging } from "../../src/store/index.ts";
import type { MergeResult, Store } from "../../src/store/index.ts";
import { ORIGIN_ID, record } from "./canonical-rows.ts";

export interface Merging {
  /** When we learned of it; default: a moment in 2026. */
  readonly at?: string;
  /** False: rows that are not named stay. */
  readonly snapshot?: boolean;
}

/** The rows are all that the source has of the record, unless it says otherwise. */
export async function mergeRows<N extends RecordName>(
  store: Store,
  company: string,
  name: N,
  rows: readonly Partial<Canonical<N>>[],
  { at = "2026-03-31T08:00:00Z", snapshot = true }: Merging = {},
): Promise<MergeResult> {
  const definition = records[name] as unknown as RecordDefinition;
  const runId = randomUUIDv7();
  const staging = await openStaging(store, { record: definition, runId });
  try {
    rows.forEach((row, index) => staging.add(record(name, row), ORIGIN_ID, index + 1));
    await staging.flush();
    const merge = { company, feed: `erp/${name}`, record: definition, staging, snapshot, runId };
    return await store.transaction((tx) =>
      mergeStaging(tx, { ...merge, at: Temporal.Instant.from(at) }),
    );
  } finally {
    await staging.drop();
  }
}
