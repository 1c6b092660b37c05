/** One stream, pulled: its lease, what a kill left, and run after run while content waits. */
import { randomUUIDv7 } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ConnectorFault, type Json, type StreamDefinition } from "../connector/index.ts";
import { emptyRowCounts } from "./accounting.ts";
import { RunStopped } from "./brake.ts";
import { mappingVersions } from "./context.ts";
import type { RunOptions, RunResult, Source, SyncContext } from "./context.ts";
import { readCursor } from "./journal.ts";
import { LeaseLost, takeLease, type Lease, type StreamKey } from "./lease.ts";
import { Run } from "./run.ts";
import { tidyAfterKill } from "./tidy.ts";

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
    rows,
    records: {},
    origins: [],
    notes,
    seconds: 0,
  };
}

interface Turn {
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
  const results: RunResult[] = [];
  for (let count = 0; count < MOST_SNAPSHOTS; count += 1) {
    const run = new Run(context, source, stream, turn.lease, turn.options);
    const cursor = await cursorOf(context, source, stream, turn.key);
    const { result, more } = await oneRun(context, run, turn, cursor);
    if (result.state !== "nothing" || results.length === 0) results.push(result);
    if (!more) break;
  }
  return results;
}

async function oneRun(
  context: SyncContext,
  run: Run,
  { key, lease }: Turn,
  cursor: Json | null,
): Promise<{ result: RunResult; more: boolean }> {
  try {
    const { state, more } = await run.read(cursor);
    return { result: await run.end(state, null), more };
  } catch (error) {
    const stopped = error instanceof RunStopped;
    const message = stopped ? messageOf(error) : await reasonOf(error, lease);
    if (!stopped) context.log("error", message, { ...key, runId: run.id });
    return { result: await run.end(stopped ? "stopped" : "failed", message), more: false };
  }
}

/** Whoever takes a stream over clears what is in its way: that is the reason, not its traces. */
async function reasonOf(error: unknown, lease: Lease): Promise<string> {
  try {
    await lease.check();
  } catch (lost) {
    if (lost instanceof LeaseLost) return lost.message;
  }
  return messageOf(error);
}

function messageOf(error: unknown): string {
  if (error instanceof ConnectorFault) return `${error.message} ${error.instruction}`;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Where the stream stands. A snapshot that was mapped by another mapping is read from the start,
 * since the same content makes other records now.
 */
async function cursorOf(
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
async function waitForLease(context: SyncContext, key: StreamKey): Promise<Lease> {
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
