/**
 * What must be known of a company's pulls, by how things stand and not by what happened: so it
 * holds after a restart, after the service was down, and whoever ran a pull.
 */
import type { Context } from "../company.ts";
import { durationSeconds, type CompanySettings } from "../config.ts";
import type { Standings } from "../connections/index.ts";
import { promisedSince, type ScheduleState, type Schedules } from "../jobs/index.ts";
import { momentText } from "../model/index.ts";
import type { Alarms, NewAlarm } from "../notify/index.ts";
import { streamStates, type StreamState } from "../sync/index.ts";
import type { Maintenance } from "./maintenance.ts";

/** A promise of the settings, and how it is kept. */
export interface Freshness {
  readonly connection: string;
  readonly stream: string;
  /** As the settings say it: 26h. */
  readonly within: string;
  /** Until when the stream is fresh, or since when it is late. */
  readonly until: Temporal.Instant;
  readonly late: boolean;
  readonly lastAppliedAt: Temporal.Instant | null;
}

export interface Watched {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly schedules: Schedules;
  readonly alarms: Alarms;
  readonly standings: Standings;
  readonly maintenance: Maintenance;
}

/** Alarms that this raises, and ends when their cause is gone. */
const OURS = /^(?:late|stopped|failed|clock)\//;

export async function watch(context: Context, watched: Watched): Promise<void> {
  const { code, settings, alarms, schedules } = watched;
  const states = await streamStates(context.store, code);
  const listed = await schedules.list();
  const wanted = [
    ...(await freshness(context, code, settings, states))
      .filter(({ late }) => late)
      .map((each) => lateAlarm(each, listed, settings.timeZone)),
    ...states.flatMap((state) => stoppedAlarm(state)),
    ...listed.flatMap((schedule) => failedAlarm(schedule, settings.timeZone)),
    ...clockAlarm(listed, context.now(), settings.timeZone),
  ];
  for (const alarm of wanted) await alarms.raise(alarm);
  const keys = new Set(wanted.map(({ key }) => key));
  for (const { key } of await alarms.list({ open: true, limit: 1_000 }))
    if (OURS.test(key) && !keys.has(key)) await alarms.clear(key);
}

/**
 * A stream is fresh when content was applied or confirmed to be unchanged, not when somebody
 * looked: files that come no more are looked for in vain, and that must be told.
 */
export async function freshness(
  { store, now }: Context,
  code: string,
  { connections }: CompanySettings,
  states: readonly StreamState[],
): Promise<readonly Freshness[]> {
  const promises = Object.entries(connections).flatMap(([connection, { streams }]) =>
    Object.entries(streams).flatMap(([stream, { freshWithin }]) =>
      freshWithin === undefined ? [] : [{ connection, stream, within: freshWithin }],
    ),
  );
  const since = await promisedSince(store, code, promises, now());
  return promises.map((promise) => {
    const isIt = (each: { readonly connection: string; readonly stream: string }) =>
      each.connection === promise.connection && each.stream === promise.stream;
    const lastAppliedAt = states.find(isIt)?.lastAppliedAt ?? null;
    const from = lastAppliedAt ?? since.find(isIt)?.since ?? now();
    const until = from.add({ seconds: durationSeconds(promise.within) });
    return { ...promise, until, lastAppliedAt, late: Temporal.Instant.compare(now(), until) > 0 };
  });
}

function lateAlarm(
  { connection, stream, within, until, lastAppliedAt }: Freshness,
  schedules: readonly ScheduleState[],
  timeZone: string,
): NewAlarm {
  const reads = schedules.filter(
    (each) =>
      each.connection === connection && (each.streams === null || each.streams.includes(stream)),
  );
  const paused = reads.flatMap((each) => each.paused)[0];
  const last =
    lastAppliedAt === null
      ? "It has never been read with success"
      : `It was last read with success at ${momentText(lastAppliedAt, timeZone)}`;
  const why =
    paused === undefined
      ? ""
      : ` It is paused since ${momentText(paused.at, timeZone)} by ${paused.by}.`;
  const look =
    "Look at the export at its source, and at `tradepost status` and `tradepost runs` for what went wrong.";
  return {
    key: `late/${connection}/${stream}`,
    level: "error",
    title: `${stream} of ${connection} is late`,
    detail:
      `${last}, and the settings promise content within ${within}.${why} ` +
      "What rests on it is as old as that.",
    instruction:
      paused !== undefined
        ? `Resume it: \`${paused.endsWith ?? "tradepost schedule resume --who NAME"}\`.`
        : reads.length === 0
          ? `No schedule reads it: name one in the settings. ${look}`
          : look,
    since: until,
  };
}

/** Of a run that a person stopped there is nothing to ask: the next one goes on by itself. */
function stoppedAlarm({ connection, stream, newest, asks }: StreamState): NewAlarm[] {
  if (newest === null || !asks) return [];
  return [
    {
      key: `stopped/${connection}/${stream}`,
      level: "error",
      title: `${stream} of ${connection} stopped and asks`,
      detail: newest.error ?? "The run does not say why.",
      instruction:
        "Nothing of that run is visible, and the stream stands still until somebody decides. Do " +
        "what is said above, then read it again: `tradepost sync`.",
      since: newest.endedAt ?? newest.startedAt,
    },
  ];
}

function failedAlarm(
  { connection, name, last, current }: ScheduleState,
  timeZone: string,
): NewAlarm[] {
  // A later slot that still tries has not succeeded either: only one that is done ends the alarm.
  if (last?.state !== "failed") return [];
  const again = current === null ? "" : " The schedule goes on trying at its next times.";
  return [
    {
      key: `failed/${connection}/${name}`,
      level: "error",
      title: `the schedule ${name} of ${connection} fails`,
      detail: `Its slot of ${momentText(last.slotAt, timeZone)} failed to the last of ${last.tries} tries: ${last.problem ?? "it does not say why"}`,
      instruction: `Mend what it names; its next slot tries again, or do it now: \`tradepost schedule run-now ${connection}/${name} --who NAME\`.${again}`,
      since: last.endedAt ?? last.slotAt,
    },
  ];
}

/** A clock that is put right by less than this is nobody's concern. */
const AHEAD_MINUTES = 5;

/**
 * After a clock that ran ahead was set back, slots have run for times that come again; they are not
 * run twice, so the schedules stand still until then, and somebody must know.
 */
function clockAlarm(
  schedules: readonly ScheduleState[],
  now: Temporal.Instant,
  timeZone: string,
): NewAlarm[] {
  const least = now.add({ minutes: AHEAD_MINUTES });
  const ahead = schedules.flatMap(({ accountedTo, connection, name }) =>
    accountedTo !== null && Temporal.Instant.compare(accountedTo, least) > 0
      ? [{ until: accountedTo, name: `${connection}/${name}` }]
      : [],
  );
  if (ahead.length === 0) return [];
  const said = ahead.map(({ until, name }) => `${name} until ${momentText(until, timeZone)}`);
  return [
    {
      key: "clock/back",
      level: "error",
      title: "the clock was set back, and schedules wait for it",
      detail: `Slots have run already for times that are yet to come: ${said.join(", ")}. They are not run twice.`,
      instruction:
        "Look at the clock of every machine that runs Tradepost. Where it is right now, read by " +
        "hand meanwhile: `tradepost schedule run-now CONNECTION/SCHEDULE --who NAME`.",
    },
  ];
}
