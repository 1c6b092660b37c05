/** `status`: how every stream stands, with the alarms that hold on top. */
import type { Command } from "commander";
import { companiesLeftBehind, leftOutInWords, type StreamStatus } from "../main.ts";
import type { ScheduleState, ServiceState } from "../jobs/index.ts";
import type { Alarm } from "../notify/index.ts";
import type { DeskCounts } from "../orders/index.ts";
import { durationText, type History } from "../sync/index.ts";
import { answer, EXIT, type Answer, type Opened } from "./command.ts";
import { stopText } from "./maintenance.ts";
import { count, day, moment, pounds, table } from "./print.ts";
import { waiting } from "./quarantine.ts";

export function addStatusCommand(program: Command): void {
  program
    .command("status")
    .description("Alarms that hold; how fresh each stream is, its last run, its next, what waits.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, status);
    });
}

async function status({ company, tradepost }: Opened): Promise<Answer> {
  const [report, histories, totals, completeness, left] = await Promise.all([
    company.status(),
    company.histories(),
    company.desk.totals(),
    company.completeness.summary(),
    companiesLeftBehind(tradepost.store, tradepost.settings, Temporal.Now.instant()),
  ]);
  const findings = completeness.reduce((sum, { open }) => sum + open, 0);
  const { alarms, streams, schedules, service, orders, stops } = report;
  const { timeZone } = company.settings;
  const shown = streams.filter(
    (stream) => stream.lastRun !== null || stream.fresh !== null || stream.next !== null,
  );
  const read =
    shown.length === 0
      ? "Nothing was read yet: `sync` reads what waits."
      : streamTable(shown, timeZone, service);
  const promised = schedules.length > 0 || streams.some(({ fresh }) => fresh !== null);
  const unread = streams.length - shown.length;
  return {
    text: [
      ...left.flatMap(({ about, instruction }) => [`! ${about} ${instruction}`, ""]),
      ...(orders.about === null ? [] : [`! ${orders.about.replaceAll("\n", "\n! ")}`, ""]),
      ...stops.flatMap((stop) => [stopText(stop), ""]),
      ...(service.otherSettings ? [OTHER_SETTINGS, ""] : []),
      ...(service.runs || !promised ? [] : [noServiceText(service, schedules, timeZone), ""]),
      ...alarms.flatMap((alarm) => [alarmText(alarm, timeZone), ""]),
      read,
      "",
      ...(shown.length === 0 || unread === 0
        ? []
        : [`${count(unread)} more ${unread === 1 ? "was" : "were"} never read.`, ""]),
      ...histories.map(historyInWords),
      ...company.leftOut.map(leftOutInWords),
      ...ordersInWords(orders.waiting),
      waiting(totals),
      ...(findings === 0
        ? []
        : [
            `${count(findings)} ${findings === 1 ? "finding" : "findings"} of what looks incomplete: \`completeness\` lists them.`,
          ]),
    ].join("\n"),
    data: { ...report, histories, quarantine: totals, completeness, companiesLeftBehind: left },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

/** "3 web orders wait for a person: 2 held, 1 task. `orders desk` lists them." */
function ordersInWords({ held, inDoubt, refused, conflict, late, tasks }: DeskCounts): string[] {
  const parts = [
    [held, "held"],
    [inDoubt, "in doubt"],
    [refused, "refused"],
    [conflict, "in conflict"],
    [late, "late"],
    [tasks, tasks === 1 ? "task" : "tasks"],
  ] as const;
  const some = parts.filter(([many]) => many > 0).map(([many, what]) => `${count(many)} ${what}`);
  return some.length === 0
    ? []
    : [`Web orders that wait for a person: ${some.join(", ")}. \`orders desk\` lists them.`];
}

const OTHER_SETTINGS =
  "! The service that runs was started with other settings than the file has now: start it anew.";

/** "No service runs: last seen 22/11/2026 02:10; 11 slots are due. …" */
export function noServiceText(
  { lastSeenAt }: ServiceState,
  schedules: readonly ScheduleState[],
  timeZone: string,
): string {
  const overdue = schedules.reduce((sum, each) => sum + each.overdue, 0);
  const seen =
    lastSeenAt === null ? "none was ever seen" : `last seen ${moment(lastSeenAt, timeZone)}`;
  const due =
    overdue === 0 ? "" : `; ${count(overdue)} ${overdue === 1 ? "slot is" : "slots are"} due`;
  return (
    `✗ No service runs: ${seen}${due}. Nothing is read by itself and no alarm is told ` +
    "until it is started: `tradepost serve`."
  );
}

function streamTable(
  streams: readonly StreamStatus[],
  timeZone: string,
  service: ServiceState,
): string {
  const at = (when: Temporal.Instant | null) => moment(when, timeZone);
  return table(streams, [
    { head: "connection", of: ({ connection }) => connection },
    { head: "stream", of: ({ stream }) => stream },
    { head: "last success", of: ({ lastAppliedAt }) => at(lastAppliedAt) },
    {
      head: "promise",
      of: ({ fresh }) =>
        fresh === null
          ? "–"
          : `${fresh.late ? "LATE" : "fresh"} ${fresh.late ? "since" : "until"} ${at(fresh.until)}`,
    },
    { head: "last run", of: runText },
    {
      head: "next",
      of: ({ next, paused }) => {
        if (next === null) return "–";
        const [pause] = paused;
        if (pause === undefined && !service.runs) return "when a service runs";
        return pause === undefined ? `${at(next.at)} ${next.schedule}` : `paused by ${pause.by}`;
      },
    },
    { head: "in quarantine", right: true, of: ({ quarantined }) => count(quarantined) },
    { head: "at risk", right: true, of: ({ worth }) => pounds(worth) },
  ]);
}

/** "erp/sales-lines: complete from 01/01/2024; first load at month 3 of 36, 1 h 5 min left." */
function historyInWords({ connection, stream, completeFrom, load }: History): string {
  const whole =
    completeFrom === null ? "no month is read yet" : `complete from ${day(completeFrom)}`;
  if (load === null) return `${connection}/${stream}: ${whole}.`;
  const { kind, months, secondsLeft } = load;
  const left = secondsLeft === null ? "" : `, ${durationText(secondsLeft)} left`;
  const what = kind === "first" ? "first load" : "reading again";
  return `${connection}/${stream}: ${whole}; ${what}: ${months.done} of ${months.of} months${left}.`;
}

function runText({ lastRun, runningRows, asks, stoppedBy }: StreamStatus): string {
  if (runningRows !== null) return `reading, ${count(runningRows)} rows`;
  if (asks) return "stopped and asks";
  return stoppedBy === null ? (lastRun?.state ?? "–") : `stopped by ${stoppedBy}`;
}

export function alarmText(alarm: Alarm, timeZone: string): string {
  const { level, title, since, overAt, detail, instruction, key, untold } = alarm;
  const until = overAt === null ? "" : `, over ${moment(overAt, timeZone)}`;
  return [
    `${level === "error" ? "✗" : "!"} ${title}   since ${moment(since, timeZone)}${until}   (${key})`,
    `    ${detail.replaceAll("\n", "\n    ")}`,
    `    ${instruction}`,
    ...untold.map(
      ({ channel, problem }) =>
        `    Not told by ${channel} yet${problem === null ? "." : `: ${problem}.`}`,
    ),
  ].join("\n");
}
