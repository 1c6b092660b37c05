/**
 * A pull, from a connection's rows to the canonical tables. Promises that every row read is
 * accounted for, that a run is published whole or not at all, and that a kill at any moment loses
 * nothing and repeats nothing. Never prices, never posts sales: it queues the jobs that do.
 *
 *     const results = await syncConnection(context, source, { streams: ["customers"] });
 */
import { ConnectorFault, type StreamDefinition } from "../connector/index.ts";
import type { RunOptions, RunResult, Source, SyncContext } from "./context.ts";
import { makePlan, WAITING } from "./plan.ts";
import type { PlanDocument } from "./plan-document.ts";
import { backfillStream, pullStream } from "./pull.ts";
import { KEPT } from "./replay.ts";

export { completenessDesk, type CompletenessDesk } from "./completeness-desk.ts";
export { FINDING_KINDS } from "./completeness-findings.ts";
export { asideOrigin } from "./aside.ts";
export { acceptShape, streamShapes, type StreamShape } from "./drift-store.ts";
export type { PendingShape } from "./drift-watch.ts";
export { changesInWords } from "./drift.ts";
export { applyPlan, PlanRefused } from "./plan-apply.ts";
export type { PlanDocument, RecordPlan, StreamPlan } from "./plan-document.ts";
export { tidyPlans } from "./plan-store.ts";
export { rawRow, tidyRaw } from "./raw.ts";
export { problemText } from "./reason.ts";
export { quarantineDesk, type QuarantineDesk } from "./desk.ts";
export { histories, type History } from "./history-store.ts";
export { durationText } from "./progress.ts";
export { requestStop, runningRuns, type AskedToStop } from "./stop.ts";
export { quarantinedNames } from "./named-rows.ts";
export { looksAt, streamStates, listRuns, type StreamState } from "./status.ts";
export {
  originOf,
  trustSources,
  type OriginFact,
  type Rested,
  type TrustSources,
} from "./trust.ts";
export type { Consumer, Progress, RunResult, Source, SyncContext } from "./context.ts";

/**
 * Reads the named streams (or all that a mapping reads), in the order in which a load reads best.
 * One stream's failure never stops the others: it is in its result.
 */
export async function syncConnection(
  context: SyncContext,
  source: Source,
  options: RunOptions & { readonly streams?: readonly string[] } = {},
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  const names = options.streams ?? [];
  const chosen = chosenStreams(source, names).filter(
    ({ deletions }) => options.compareKeys !== true || names.length > 0 || deletions === "keys",
  );
  for (const stream of chosen)
    results.push(...(await pullStream(context, source, stream, options)));
  return results;
}

/** What `syncConnection` would do. Nothing is published, and nothing at the source is put away. */
export async function planConnection(
  context: SyncContext,
  source: Source,
  streams: readonly string[] | undefined,
): Promise<PlanDocument> {
  return makePlan(context, source, chosenStreams(source, streams), WAITING);
}

/** What content that was applied before makes under the mappings as they are now. */
export async function planReplay(
  context: SyncContext,
  source: Source,
  stream: string,
): Promise<PlanDocument> {
  return makePlan(context, source, chosenStreams(source, [stream]), KEPT);
}

/** Reads days of a stream again; where it stands does not move, and nothing is removed. */
export async function backfill(
  context: SyncContext,
  source: Source,
  stream: string,
  days: { readonly from: Temporal.PlainDate; readonly to: Temporal.PlainDate },
  options: RunOptions = {},
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (const chosen of chosenStreams(source, [stream]))
    results.push(...(await backfillStream(context, source, chosen, days, options)));
  return results;
}

function chosenStreams(
  source: Source,
  names: readonly string[] | undefined,
): readonly StreamDefinition[] {
  const read = new Set(source.mappings.map((mapping) => mapping.reads));
  if (names === undefined || names.length === 0)
    return source.connection.streams.filter((stream) => read.has(stream.name));
  return names.map((name) => {
    const stream = source.connection.streams.find((candidate) => candidate.name === name);
    if (stream !== undefined && read.has(name)) return stream;
    const known = source.connection.streams.filter((each) => read.has(each.name));
    throw new ConnectorFault(
      "config",
      `Connection "${source.connection.name}" has no stream "${name}" that a mapping reads.`,
      `Its streams are: ${known.map((each) => each.name).join(", ")}.`,
    );
  });
}
