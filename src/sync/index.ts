/**
 * A pull, from a connection's rows to the canonical tables. Promises that every row read is
 * accounted for, that a run is published whole or not at all, and that a kill at any moment loses
 * nothing and repeats nothing. Never prices, never posts sales: it queues the jobs that do.
 *
 *     const results = await syncConnection(context, source, { streams: ["customers"] });
 */
import { ConnectorFault, type Json, type StreamDefinition } from "../connector/index.ts";
import { dropStagingOf } from "../store/index.ts";
import { DropBrake } from "./brake.ts";
import { LeaseLost, takeLease, type StreamKey } from "./lease.ts";
import { Run, RunStopped } from "./run.ts";
import type { RunOptions, RunResult, Source, SyncContext } from "./context.ts";

export { quarantineDesk, type QuarantineDesk } from "./desk.ts";
export { streamStates, listRuns, type StreamState } from "./status.ts";
export { trustSources, type OriginFact, type TrustSources } from "./trust.ts";
export type { Consumer, Progress, RunResult, Source, SyncContext } from "./context.ts";

/** Snapshots that may wait behind one another in one call; beyond it the next call goes on. */
const MOST_SNAPSHOTS = 1_000;

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
    results.push(...(await syncStream(context, source, stream, options)));
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

async function syncStream(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  options: RunOptions,
): Promise<RunResult[]> {
  const key: StreamKey = {
    company: context.company,
    connection: source.connection.name,
    stream: stream.name,
  };
  await using lease = await waitForLease(context, key);
  await tidyAfterKill(context, key);
  const results: RunResult[] = [];
  for (let count = 0; count < MOST_SNAPSHOTS; count += 1) {
    const run = new Run(context, source, stream, lease, options);
    const { result, more } = await oneRun(context, key, run);
    if (result.state !== "nothing" || results.length === 0) results.push(result);
    if (!more) break;
  }
  return results;
}

async function oneRun(
  context: SyncContext,
  key: StreamKey,
  run: Run,
): Promise<{ result: RunResult; more: boolean }> {
  try {
    const { state, more } = await run.read(await cursorOf(context, key));
    return { result: await run.end(state, null), more };
  } catch (error) {
    const stopped = error instanceof DropBrake || error instanceof RunStopped;
    if (!stopped) context.log("error", messageOf(error), { ...key, runId: run.id });
    return { result: await run.end(stopped ? "stopped" : "failed", messageOf(error)), more: false };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ConnectorFault) return `${error.message} ${error.instruction}`;
  return error instanceof Error ? error.message : String(error);
}

async function cursorOf(context: SyncContext, key: StreamKey): Promise<Json | null> {
  const [row] = await context.store.query<{ cursor: Json | null }>(
    `select cursor from stream_state where company = $1 and connection = $2 and stream = $3`,
    [key.company, key.connection, key.stream],
  );
  return row?.cursor ?? null;
}

/** Waits while another instance reads the stream, at most two leases long. */
async function waitForLease(context: SyncContext, key: StreamKey) {
  const holder = crypto.randomUUID();
  const patience = context.now().add({ seconds: context.leaseSeconds * 2 });
  for (;;) {
    const taken = await takeLease(context.store, key, {
      holder,
      now: context.now,
      seconds: context.leaseSeconds,
    });
    if (!("heldUntil" in taken)) return taken;
    if (Temporal.Instant.compare(context.now(), patience) > 0)
      throw new LeaseLost(
        `Reading ${key.connection}/${key.stream}: another run has been reading it until ` +
          `${taken.heldUntil.toString()}. Wait for it to end, or see \`tradepost runs\`.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * A run that was killed leaves a row that says "running" and staging tables: we hold its lease now.
 */
async function tidyAfterKill(context: SyncContext, key: StreamKey): Promise<void> {
  const cut = await context.store.query<{ id: string }>(
    `update run set state = 'failed', ended_at = $4,
            error = 'The run was cut short. Nothing of it beyond its last checkpoint was published; the next run read on from there.'
      where company = $1 and connection = $2 and stream = $3 and state = 'running' returning id`,
    [key.company, key.connection, key.stream, context.now().toString()],
  );
  for (const run of cut) await dropStagingOf(context.store, run.id);
}
