/** One stream, pulled: its lease, what a kill left, and run after run while content waits. */
import { randomUUIDv7 } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Json, StreamDefinition } from "../connector/index.ts";
import { emptyRowCounts } from "./accounting.ts";
import { afterRun } from "./completeness.ts";
import { mappingVersions } from "./context.ts";
import type { RunOptions, RunResult, Source, SyncContext } from "./context.ts";
import { backfillLoad, historyDue, readHistory } from "./history.ts";
import { lastRun, readCursor, readSince, runEndedSince, storeLook } from "./journal.ts";
import { LeaseLost, takeLease, type Lease, type StreamKey } from "./lease.ts";
import { oneRun } from "./one-run.ts";
import { supersedePlans } from "./plan-store.ts";
import type { Outlook } from "./progress.ts";
import type { Turn } from "./record.ts";
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
  return withLease(context, source, stream, options, readStream);
}

async function withLease(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  options: RunOptions,
  work: (turn: Turn) => Promise<RunResult[]>,
): Promise<RunResult[]> {
  const { company } = context;
  const key = { company, connection: source.connection.name, stream: stream.name };
  const asked = context.now();
  try {
    await using lease = await waitForLease(context, key);
    const results = await work({ context, source, stream, key, lease, options });
    return await whoReadMeanwhile(context, key, asked, results);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    return [notRead(stream, error.message)];
  }
}

/** Where nothing was left because another run read it while we waited, that is no empty source. */
async function whoReadMeanwhile(
  { store }: SyncContext,
  key: StreamKey,
  since: Temporal.Instant,
  results: RunResult[],
): Promise<RunResult[]> {
  if (results.some(({ state }) => state !== "nothing")) return results;
  const run = await runEndedSince(store, key, since);
  if (run === null) return results;
  const note = `${key.stream} was read meanwhile by run ${run.id.slice(-8)} (${run.state}); nothing was left to read.`;
  return results.map((result) => ({ ...result, notes: [...result.notes, note] }));
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

async function readStream(turn: Turn): Promise<RunResult[]> {
  const { context, key, options } = turn;
  await tidyAfterKill(context, key);
  if (options.compareKeys === true)
    return [(await oneRun({ ...turn, what: { kind: "keys" }, outlook: {} }, null)).result];
  const load = await historyDue(turn);
  if (load === null) return readNew(turn);
  // Nothing is new where nobody knows yet from where on.
  const { cursor } = await readCursor(context.store, key);
  const live = cursor === null || options.fromStart === true ? [] : await readNew(turn);
  const going = live.every(({ state }) => state !== "failed" && state !== "stopped");
  return going ? [...live, ...(await readHistory(turn, load, readNew))] : live;
}

/** What came since the stream was read last. */
async function readNew(turn: Turn): Promise<RunResult[]> {
  const { context, source, stream, key } = turn;
  const results: RunResult[] = [];
  const began = context.now();
  for (let count = 0; count < MOST_SNAPSHOTS; count += 1) {
    const fromStart = turn.options.fromStart === true && count === 0;
    const cursor = fromStart ? null : await cursorOf(context, source, stream, key);
    const options = { ...turn.options, fromStart };
    const outlook = await outlookOf(context, stream, key);
    const parts = { ...turn, options, what: { kind: "pull" as const }, outlook };
    const { result: read, more } = await oneRun(parts, cursor);
    const result = await afterRun(context, key, read);
    if (result.state !== "nothing" || results.length === 0) results.push(result);
    if (result.state === "published" || result.state === "unchanged")
      await supersedePlans(context.store, key);
    if (!more) break;
  }
  if (results.every(({ state }) => LOOKED.has(state))) await storeLook(context.store, key, began);
  return results;
}

/** States of runs after which nothing that lay there is unread. */
const LOOKED: ReadonlySet<string> = new Set(["published", "unchanged", "nothing"]);

/** Days of the stream are read again; where it stands does not move. */
export async function backfillStream(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  days: { readonly from: Temporal.PlainDate; readonly to: Temporal.PlainDate },
  options: RunOptions,
): Promise<RunResult[]> {
  return withLease(context, source, stream, options, async (turn) => {
    await tidyAfterKill(context, turn.key);
    return readHistory(turn, await backfillLoad(turn, days), readNew);
  });
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

/**
 * Where the stream stands; null: it is read from the start. So is a snapshot that was mapped by
 * another mapping, since the same content makes other records now, or that was read last before an
 * ERP went backwards: it says anew what it says. And so is a delta by numbers of that ERP, which
 * goes on counting where its backup ended, behind where the stream stands.
 */
export async function cursorOf(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  key: StreamKey,
): Promise<Json | null> {
  const { cursor, mappings, wentBackwards } = await readCursor(context.store, key);
  if (stream.reading === "delta")
    return stream.delta?.grain === "number" && wentBackwards === "own" ? null : cursor;
  const sameMappings = isDeepStrictEqual(mappings, mappingVersions(source, stream));
  return sameMappings && wentBackwards === null ? cursor : null;
}

/** One that is told of no sooner: most runs that meet pass by each other. */
const SILENT_SECONDS = 1;

/** Waits while another instance reads the stream, at most two leases long; says so. */
export async function waitForLease(context: SyncContext, key: StreamKey): Promise<Lease> {
  const holder = randomUUIDv7();
  const asked = context.now();
  const patience = asked.add({ seconds: context.leaseSeconds * 2 });
  let told = false;
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
    if (!told && context.now().since(asked).total("seconds") >= SILENT_SECONDS) {
      told = true;
      await tellOfWait(context, key);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function tellOfWait(
  { store, log, leaseSeconds, timeZone }: SyncContext,
  key: StreamKey,
): Promise<void> {
  const since = await readSince(store, key);
  const time = since?.toZonedDateTimeISO(timeZone).toPlainTime();
  const began = time === undefined ? "" : ` (since ${time.toString({ smallestUnit: "minute" })})`;
  log(
    "warn",
    `${key.stream} of ${key.connection} is being read by another run${began}; waiting for it to ` +
      `end, at most ${leaseSeconds * 2} s. One that was killed is given up after ${leaseSeconds} s.`,
    { ...key },
  );
}
