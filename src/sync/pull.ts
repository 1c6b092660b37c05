/** One stream, pulled: its lease, what a kill left, and run after run while content waits. */
import { randomUUIDv7 } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ConnectorFault, type Json, type StreamDefinition } from "../connector/index.ts";
import { emptyRowCounts } from "./accounting.ts";
import { RunStopped } from "./brake.ts";
import { mappingVersions } from "./context.ts";
import type { RunFault, RunOptions, RunResult, Source, SyncContext, What } from "./context.ts";
import { failuresInARow, lastRun, readCursor } from "./journal.ts";
import { LeaseLost, takeLease, type Lease, type StreamKey } from "./lease.ts";
import { supersedePlans } from "./plan-store.ts";
import type { Outlook } from "./progress.ts";
import { Run, type Ending } from "./run.ts";
import { StopAsked } from "./stop.ts";
import { tidyAfterKill } from "./tidy.ts";
import { afterRun } from "./completeness.ts";

/** Snapshots that may wait behind one another in one call; beyond it the next call goes on. */
const MOST_SNAPSHOTS = 1_000;

/** Reads what waits in one stream; its failure is in its result. */
export async function pullStream(
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
  try {
    await using lease = await waitForLease(context, key);
    return await readStream(context, source, stream, { key, lease, options });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    return [notRead(stream, error.message)];
  }
}

/** Another run has the stream: nothing was read, and nothing is written down. */
function notRead({ name }: StreamDefinition, why: string): RunResult {
  const [rows, notes] = [emptyRowCounts(), [why]];
  return {
    runId: null,
    stream: name,
    state: "failed",
    fault: null,
    rows,
    records: {},
    origins: [],
    notes,
    seconds: 0,
  };
}

export interface Turn {
  readonly key: StreamKey;
  readonly lease: Lease;
  readonly options: RunOptions;
}

async function readStream(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  turn: Turn,
): Promise<RunResult[]> {
  await tidyAfterKill(context, turn.key);
  if (turn.options.compareKeys === true) {
    const keys = { ...turn, what: { kind: "keys" as const }, outlook: {} };
    return [(await oneRun(context, source, stream, keys, null)).result];
  }
  const results: RunResult[] = [];
  for (let count = 0; count < MOST_SNAPSHOTS; count += 1) {
    const anew = turn.options.fromStart === true && count === 0;
    const options = { ...turn.options, fromStart: anew };
    const cursor = anew ? null : await cursorOf(context, source, stream, turn.key);
    const outlook = await outlookOf(context, stream, turn.key);
    const pull = { ...turn, options, what: { kind: "pull" as const }, outlook };
    const { result: read, more } = await oneRun(context, source, stream, pull, cursor);
    const result = await afterRun(context, turn.key, read);
    if (result.state !== "nothing" || results.length === 0) results.push(result);
    if (result.state === "published" || result.state === "unchanged")
      await supersedePlans(context.store, turn.key);
    if (!more) break;
  }
  return results;
}

/** A snapshot is about as long as the last one. */
async function outlookOf(
  { store }: SyncContext,
  { reading }: StreamDefinition,
  key: StreamKey,
): Promise<Outlook> {
  const last = reading === "snapshot" ? await lastRun(store, key) : null;
  return last === null ? {} : { rows: last.rows.read };
}

export async function oneRun(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  turn: Turn & { readonly what: What; readonly outlook: Outlook },
  cursor: Json | null,
): Promise<{ result: RunResult; more: boolean }> {
  const { key, lease, options, what, outlook } = turn;
  const run = new Run(context, source, stream, lease, options, what, outlook);
  try {
    const { state, more } = await run.read(cursor);
    return { result: await run.end({ state, ...WELL }), more };
  } catch (error) {
    const ending = await endingOf(context, key, error, lease);
    if (ending.state === "failed")
      context.log("error", ending.error ?? "", { ...key, runId: run.id });
    return { result: await run.end(ending), more: false };
  }
}

const WELL = { error: null, fault: null, resumable: false } as const;

async function endingOf(
  context: SyncContext,
  key: StreamKey,
  error: unknown,
  lease: Lease,
): Promise<Ending> {
  if (error instanceof RunStopped) {
    const fault = { kind: error.kind, retryAt: null };
    return { state: "stopped", error: error.message, fault, resumable: false };
  }
  if (error instanceof StopAsked)
    return { state: "stopped", error: error.message, fault: null, resumable: true };
  const lost = await lostLease(lease);
  const fault = lost === null ? await faultOf(context, key, error) : null;
  const message = lost?.message ?? messageOf(error);
  return { state: "failed", error: message, fault, resumable: true };
}

/** Whoever takes a stream over clears what is in its way: that is the reason, not its traces. */
async function lostLease(lease: Lease): Promise<LeaseLost | null> {
  try {
    await lease.check();
  } catch (lost) {
    if (lost instanceof LeaseLost) return lost;
  }
  return null;
}

/** First wait after a fault that passes by itself; it doubles with each run that fails again. */
const FIRST_WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 3_600;

async function faultOf(
  context: SyncContext,
  key: StreamKey,
  error: unknown,
): Promise<RunFault | null> {
  if (!(error instanceof ConnectorFault)) return null;
  const { kind, retryAt } = error;
  if (kind !== "transient" && kind !== "throttled") return { kind, retryAt };
  const failed = await failuresInARow(context.store, key);
  const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** failed, LONGEST_WAIT_SECONDS);
  return { kind, retryAt: retryAt ?? context.now().add({ seconds: wait }) };
}

function messageOf(error: unknown): string {
  if (error instanceof ConnectorFault) return `${error.message} ${error.instruction}`;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Where the stream stands. A snapshot that was mapped by another mapping is read from the start,
 * since the same content makes other records now.
 */
export async function cursorOf(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  key: StreamKey,
): Promise<Json | null> {
  const { cursor, mappings } = await readCursor(context.store, key);
  const sameMappings = isDeepStrictEqual(mappings, mappingVersions(source, stream));
  return stream.reading === "delta" || sameMappings ? cursor : null;
}

/** Waits while another instance reads the stream, at most two leases long. */
export async function waitForLease(context: SyncContext, key: StreamKey): Promise<Lease> {
  const holder = randomUUIDv7();
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
