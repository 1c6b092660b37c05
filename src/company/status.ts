/** How a company's pulls stand: what `tradepost status` and `GET /v1/status` show. */
import type { Context } from "../company.ts";
import type { Standing } from "../connections/index.ts";
import type { Pause, ScheduleState, ServiceState } from "../jobs/index.ts";
import type { Alarm } from "../notify/index.ts";
import type { DeskCounts } from "../orders/index.ts";
import { streamStates, type StreamState } from "../sync/index.ts";
import type { LeftBehind } from "./left-behind.ts";
import type { Maintenance } from "./maintenance.ts";
import type { StreamsOf } from "./schedules.ts";
import { contradictionOf } from "./standing-words.ts";
import { freshness, type Freshness, type Watched } from "./watch.ts";

export interface StreamStatus {
  readonly connection: string;
  readonly stream: string;
  /** Null: its freshness is not promised. */
  readonly fresh: Freshness | null;
  readonly lastAppliedAt: Temporal.Instant | null;
  readonly lastRun: StreamState["newest"];
  /** The last run stopped, and only a person can say how the stream goes on. */
  readonly asks: boolean;
  /** Who stopped the last run; null: nobody. The next one goes on from its last mark. */
  readonly stoppedBy: string | null;
  /** Rows read by the run that reads it now; null: nothing does. */
  readonly runningRows: number | null;
  readonly next: { readonly at: Temporal.Instant; readonly schedule: string } | null;
  /** Why its next slot will not start. */
  readonly paused: readonly Pause[];
  readonly quarantined: number;
  /** Money at risk of those rows that can tell; decimal text. */
  readonly worth: string | null;
}

/** How the connection that takes the orders stands, and what stands still. */
export interface OrdersStanding extends Omit<Standing, "live" | "resumedAt"> {
  readonly connection: string;
  /** What must be known of it; null: it is as the settings wish. */
  readonly about: string | null;
  /** What waits for a person at the order desk. */
  readonly waiting: DeskCounts;
}

export interface StatusReport {
  readonly at: Temporal.Instant;
  readonly orders: OrdersStanding;
  readonly stops: Awaited<ReturnType<Maintenance["stops"]>>;
  /** Where none runs, nothing is read by itself, and no alarm is told. */
  readonly service: ServiceState;
  /** Those that hold, newest first. */
  readonly alarms: readonly Alarm[];
  readonly streams: readonly StreamStatus[];
  readonly schedules: readonly ScheduleState[];
}

export async function statusOf(
  context: Context,
  watched: Watched,
  streamsOf: StreamsOf,
  {
    desk,
    left,
  }: { readonly desk: { readonly counts: DeskCounts }; readonly left: readonly LeftBehind[] },
): Promise<StatusReport> {
  const { code, settings, schedules, alarms } = watched;
  const { connection } = settings.orders;
  const wished = settings.connections[connection]?.mode ?? "read-only";
  const { mode, paused } = await watched.standings.of(connection, wished);
  const asked = { name: connection, wished, timeZone: settings.timeZone };
  const contradiction = await contradictionOf(watched.standings, asked);
  const about = [...(contradiction === null ? [] : [contradiction]), ...left].map(
    (each) => `${each.about} ${each.instruction}`,
  );
  const [states, listed, open, service] = await Promise.all([
    streamStates(context.store, code),
    schedules.list(),
    alarms.list({ open: true }),
    schedules.service(),
  ]);
  const promises = await freshness(context, code, settings, states);
  const streams = Object.keys(settings.connections).flatMap((connection) =>
    streamsIn(connection, streamsOf, states).map((stream) =>
      streamStatus({ connection, stream }, { states, listed, promises, now: context.now() }),
    ),
  );
  return {
    at: context.now(),
    orders: {
      connection,
      about: about.length === 0 ? null : about.join("\n"),
      mode,
      wished,
      paused,
      waiting: desk.counts,
    },
    stops: await watched.maintenance.stops(),
    service,
    alarms: open,
    streams,
    schedules: listed,
  };
}

/** Those that a mapping reads, and those that were read once. */
function streamsIn(
  connection: string,
  streamsOf: StreamsOf,
  states: readonly StreamState[],
): readonly string[] {
  const read = states.filter((state) => state.connection === connection);
  return [...new Set([...streamsOf(connection), ...read.map(({ stream }) => stream)])];
}

interface Known {
  readonly states: readonly StreamState[];
  readonly listed: readonly ScheduleState[];
  readonly promises: readonly Freshness[];
  readonly now: Temporal.Instant;
}

function streamStatus(
  of: { readonly connection: string; readonly stream: string },
  { states, listed, promises, now }: Known,
): StreamStatus {
  const isIt = (each: typeof of) => each.connection === of.connection && each.stream === of.stream;
  const state = states.find(isIt);
  const reads = listed.filter(
    ({ connection, streams }) =>
      connection === of.connection && (streams === null || streams.includes(of.stream)),
  );
  const [next] = reads
    .flatMap(({ nextAt, name }) => (nextAt === null ? [] : [{ at: nextAt, schedule: name }]))
    .sort((a, b) => Temporal.Instant.compare(a.at, b.at));
  const held = state?.heldUntil ?? null;
  const isRead = held !== null && Temporal.Instant.compare(held, now) > 0;
  const progress = reads
    .map(({ current }) => current)
    .find((slot) => slot?.state === "running" && slot.progress?.stream === of.stream)?.progress;
  return {
    ...of,
    fresh: promises.find(isIt) ?? null,
    lastAppliedAt: state?.lastAppliedAt ?? null,
    lastRun: state?.newest ?? null,
    asks: state?.asks ?? false,
    stoppedBy: state?.stoppedBy ?? null,
    runningRows: isRead ? Math.max(progress?.rows ?? 0, state?.newest?.rows ?? 0) : null,
    next: next ?? null,
    paused:
      reads.length > 0 && reads.every(({ paused }) => paused.length > 0)
        ? (reads[0]?.paused ?? [])
        : [],
    quarantined: state?.open ?? 0,
    worth: state?.worth ?? null,
  };
}
