/** A company's schedules: what the settings say, checked, and wired to the streams they read. */
import { createHash } from "node:crypto";
import type { Context } from "../company.ts";
import type { CompanySettings, SettingProblem, Settings } from "../config.ts";
import type { Standings } from "../connections/index.ts";
import { nearest } from "../definition/index.ts";
import {
  cronOf,
  cronProblem,
  openSchedules,
  type ScheduleDefinition,
  type Schedules,
} from "../jobs/index.ts";
import { momentText } from "../model/index.ts";
import { streamStates } from "../sync/index.ts";
import type { Checked } from "./check.ts";
import { heldBack } from "./maintenance.ts";

/** The streams of a connection that a mapping reads. */
export type StreamsOf = (connection: string) => readonly string[];

/** By which it is told whether a service that runs has read the settings as they are now. */
function digestOf(settings: CompanySettings | undefined): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex");
}

/** What `check` says of the service that runs; nothing while it has the settings as they are. */
export async function checkService(schedules: Pick<Schedules, "service">): Promise<Checked[]> {
  if (!(await schedules.service()).otherSettings) return [];
  return [
    {
      part: "service",
      state: "warning",
      about: "the service that runs was started with other settings than the file has now",
      instruction: "Start it anew; until then it goes on as it was, also with another `mode`.",
    },
  ];
}

/** Throws DefinitionError where a schedule can never run as it stands. */
export function schedulesOf(
  context: Context,
  code: string,
  streamsOf: StreamsOf,
  standings: Standings,
): Schedules {
  const { store, jobs, now, log } = context;
  const definitions = definitionsOf(context.settings, code, streamsOf);
  return openSchedules({
    store,
    jobs,
    company: code,
    schedules: definitions,
    now,
    leaseSeconds: context.settings.leaseSeconds,
    settings: digestOf(context.settings.companies[code]),
    elapsedMs: () => performance.now(),
    heldBack: () => heldBack(standings),
    busy: async (connection, streams) => {
      const states = await streamStates(store, code);
      return states.some(
        (state) =>
          state.connection === connection &&
          state.heldUntil !== null &&
          Temporal.Instant.compare(state.heldUntil, now()) > 0 &&
          (streams === null || streams.includes(state.stream)),
      );
    },
    log,
  });
}

function definitionsOf(
  settings: Settings,
  code: string,
  streamsOf: StreamsOf,
): readonly ScheduleDefinition[] {
  const company = settings.companies[code];
  if (company === undefined) return [];
  const problems = problemsOf(company, code, streamsOf);
  if (problems.length > 0) throw settings.wrong(...problems);
  return Object.entries(company.connections).flatMap(([connection, { schedules }]) =>
    Object.entries(schedules).map(([name, schedule]) => ({
      connection,
      name,
      cron: schedule.cron.trim(),
      timeZone: schedule.timeZone ?? company.timeZone,
      streams: schedule.streams ?? null,
      does: schedule.does,
      jitterSeconds: schedule.jitterSeconds,
    })),
  );
}

function problemsOf(
  { connections }: CompanySettings,
  code: string,
  streamsOf: StreamsOf,
): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  for (const [connection, { schedules, streams }] of Object.entries(connections)) {
    const at = ["companies", code, "connections", connection];
    const known = streamsOf(connection);
    for (const [name, schedule] of Object.entries(schedules)) {
      const path = [...at, "schedules", name];
      problems.push(...timeProblems(path, schedule));
      for (const [index, stream] of (schedule.streams ?? []).entries())
        if (!known.includes(stream))
          problems.push(unknownStream([...path, "streams", index], stream, known));
    }
    for (const stream of Object.keys(streams))
      if (!known.includes(stream))
        problems.push(unknownStream([...at, "streams", stream], stream, known));
  }
  return problems;
}

function timeProblems(
  path: SettingProblem["path"],
  { cron, timeZone }: { readonly cron: string; readonly timeZone?: string | undefined },
): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const wrong = cronProblem(cron);
  if (wrong !== null) {
    const { found, expected, word } = wrong;
    const close = word === undefined ? undefined : nearest(word.said, word.known);
    problems.push({ path: [...path, "cron"], found, expected, nearest: close });
  }
  const zones = Intl.supportedValuesOf("timeZone");
  if (timeZone !== undefined && timeZone !== "UTC" && !zones.includes(timeZone))
    problems.push({
      path: [...path, "timeZone"],
      found: `the text "${timeZone}"`,
      expected: "an IANA time zone such as Europe/London",
      nearest: nearest(timeZone, zones),
    });
  return problems;
}

function unknownStream(
  path: SettingProblem["path"],
  stream: string,
  known: readonly string[],
): SettingProblem {
  return {
    path,
    found: `the stream "${stream}"`,
    expected: `one that a mapping of the connection reads: ${known.join(", ")}`,
    nearest: nearest(stream, known),
  };
}

/** Each with its next three times, as `tradepost check` shows it. */
export function checkSchedules(
  settings: Settings,
  code: string,
  streamsOf: StreamsOf,
  now: Temporal.Instant,
): Checked[] {
  return definitionsOf(settings, code, streamsOf).map((schedule) => {
    const { connection, name, cron, timeZone } = schedule;
    return {
      part: `schedule ${connection}/${name}`,
      state: "fine",
      about: `${cron} (${timeZone}): next ${nextTimes(schedule, now).join(", ")}`,
      instruction: null,
    };
  });
}

function nextTimes(schedule: ScheduleDefinition, now: Temporal.Instant): string[] {
  const cron = cronOf(schedule);
  const times: string[] = [];
  let at: Temporal.Instant | null = now;
  while (times.length < 3) {
    at = cron.next(at);
    if (at === null) break;
    times.push(momentText(at, schedule.timeZone));
  }
  return times;
}
