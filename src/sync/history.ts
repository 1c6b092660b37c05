/**
 * A long history, read by months from the newest on. Each month is published on its own, what was
 * read stands in the database, and live reading goes on from the day on which the first load began.
 */
import { randomUUIDv7 } from "node:crypto";
import { ConnectorFault } from "../connector/index.ts";
import type { RunOptions, RunResult, SyncContext } from "./context.ts";
import {
  endLoad,
  openLoads,
  slicesOf,
  storeLoad,
  storeSlice,
  type Load,
  type ReadSlice,
} from "./history-store.ts";
import { readCursor } from "./journal.ts";
import { oneRun } from "./one-run.ts";
import type { Turn } from "./record.ts";

/** The load that is to be gone on with, or is to begin; null: the stream is read in one piece. */
export async function historyDue(turn: Turn): Promise<Load | null> {
  const { context, key, stream, source, options } = turn;
  const { store } = context;
  const fromStart = options.fromStart === true;
  const [open] = fromStart ? [] : await openLoads(store, key);
  if (open !== undefined) return open;
  const months = source.streams?.[stream.name]?.historyMonths;
  if (stream.range !== true || months === undefined) return null;
  if (!fromStart && (await readCursor(store, key)).cursor !== null) return null;
  const today = todayOf(context);
  const from = today.subtract({ months }).with({ day: 1 });
  return storeLoad(store, key, loadOf(context, "first", from, today));
}

function loadOf(
  context: SyncContext,
  kind: Load["kind"],
  fromOn: Temporal.PlainDate,
  toOn: Temporal.PlainDate,
): Load {
  const beganAt = context.now();
  return { id: randomUUIDv7(), kind, fromOn: fromOn.toString(), toOn: toOn.toString(), beganAt };
}

const todayOf = ({ now, timeZone }: SyncContext) =>
  now().toZonedDateTimeISO(timeZone).toPlainDate();

/** A load of these days: one that was cut short goes on. */
export async function backfillLoad(
  turn: Turn,
  days: { readonly from: Temporal.PlainDate; readonly to: Temporal.PlainDate },
): Promise<Load> {
  const { context, key, stream } = turn;
  if (stream.range !== true)
    throw new ConnectorFault(
      "config",
      `Reading ${key.connection}/${key.stream} again by days: the connector cannot read it so.`,
      `To read all of it again, run: sync ${key.stream} --from-start.`,
    );
  const [from, to] = [days.from.toString(), days.to.toString()];
  const open = await openLoads(context.store, key);
  const same = open.find(
    ({ kind, fromOn, toOn }) => kind === "backfill" && fromOn === from && toOn === to,
  );
  return same ?? storeLoad(context.store, key, loadOf(context, "backfill", days.from, days.to));
}

/** A month, or as much of it as the load covers. */
interface Slice {
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
}

/** The newest first. */
function monthsOf({ fromOn, toOn }: Pick<Load, "fromOn" | "toOn">): readonly Slice[] {
  const first = Temporal.PlainDate.from(fromOn);
  const slices: Slice[] = [];
  let to = Temporal.PlainDate.from(toOn);
  while (Temporal.PlainDate.compare(to, first) >= 0) {
    const month = to.with({ day: 1 });
    slices.push({ from: Temporal.PlainDate.compare(month, first) < 0 ? first : month, to });
    to = month.subtract({ days: 1 });
  }
  return slices;
}

/** New rows are not made to wait for a history that takes hours. */
const LIVE_MINUTES = 10;

/** Reads month after month until all are read or one fails. */
export async function readHistory(
  turn: Turn,
  load: Load,
  readNew: (turn: Turn) => Promise<RunResult[]>,
): Promise<RunResult[]> {
  const { context, key } = turn;
  const results: RunResult[] = [];
  const months = monthsOf(load);
  const read = [...(await slicesOf(context.store, key.company, load.id))];
  let liveAt = context.now();
  for (const slice of months) {
    if (read.some(({ fromOn }) => fromOn === slice.from.toString())) continue;
    if (liveAt.until(context.now()).total("minutes") >= LIVE_MINUTES && load.kind === "first") {
      results.push(
        ...(await readNew(withoutStart(turn))).filter(({ state }) => state !== "nothing"),
      );
      liveAt = context.now();
    }
    const result = await readSlice(turn, load, slice, { done: read, of: months.length });
    results.push(result);
    if (!READ.has(result.state)) return results;
    read.push(await storeSlice(context.store, key, load, sliceRead(slice, result, context)));
  }
  await endLoad(context.store, key, load.id, context.now());
  return results;
}

const READ = new Set(["published", "unchanged", "nothing"]);

/** The newest month reaches beyond today: orders are dated ahead. */
const AHEAD_YEARS = 10;

async function readSlice(
  turn: Turn,
  load: Load,
  slice: Slice,
  progress: { readonly done: readonly ReadSlice[]; readonly of: number },
): Promise<RunResult> {
  const { done, of } = progress;
  const { cursor } = await readCursor(turn.context.store, turn.key);
  // Until a month had rows nobody knows where live reading goes on from: the next one reaches up
  // to the end, so that what came meanwhile is in it.
  const leads = load.kind === "first" && (cursor === null || isAnew(turn, done));
  const end = Temporal.PlainDate.from(load.toOn).add({ years: AHEAD_YEARS });
  const what = { kind: "days", from: slice.from, to: leads ? end : slice.to, leads } as const;
  const seconds = done.reduce((sum, each) => sum + each.seconds, 0);
  const outlook = {
    slices: { done: done.length, of },
    ...(done.length === 0 ? {} : { secondsASlice: seconds / done.length }),
  };
  const { result } = await oneRun({ ...withoutStart(turn), what, outlook }, null);
  return result;
}

/** A cursor that was there before everything is read anew is no sign that a month had rows. */
function isAnew({ options }: Turn, done: readonly ReadSlice[]): boolean {
  return options.fromStart === true && done.every(({ rows }) => rows === 0);
}

function withoutStart(turn: Turn): Turn {
  const options: RunOptions = { ...turn.options, fromStart: false };
  return { ...turn, options };
}

function sliceRead(
  { from, to }: Slice,
  { runId, rows, seconds }: RunResult,
  { now }: SyncContext,
): ReadSlice {
  const [fromOn, toOn] = [from.toString(), to.toString()];
  return { fromOn, toOn, runId: runId ?? randomUUIDv7(), rows: rows.read, seconds, readAt: now() };
}
