/**
 * A pull, from a connection's rows to the canonical tables. Promises that every row read is
 * accounted for, that a run is published whole or not at all, and that a kill at any moment loses
 * nothing and repeats nothing. Never prices, never posts sales: it queues the jobs that do.
 *
 *     const results = await syncConnection(context, source, { streams: ["customers"] });
 */
import { ConnectorFault, type StreamDefinition } from "../connector/index.ts";
import type { RunOptions, RunResult, Source, SyncContext } from "./context.ts";
import { pullStream } from "./pull.ts";

export { completenessDesk, type CompletenessDesk } from "./completeness-desk.ts";
export { quarantineDesk, type QuarantineDesk } from "./desk.ts";
export { streamStates, listRuns, type StreamState } from "./status.ts";
export { originOf, trustSources, type OriginFact, type TrustSources } from "./trust.ts";
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
  for (const stream of chosenStreams(source, options.streams))
    results.push(...(await pullStream(context, source, stream, options)));
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
