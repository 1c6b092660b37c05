/** `schedule` and `alarms`: when the service reads by itself, and who is told when it does not. */
import type { Command } from "commander";
import { nearest } from "../definition/index.ts";
import type { PauseScope, ScheduleState, SlotRow } from "../jobs/index.ts";
import {
  answer,
  example,
  EXIT,
  UsageError,
  wholeNumber,
  whoOption,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, table, words } from "./print.ts";
import { alarmText, noServiceText } from "./status.ts";

const SCOPE = "erp/nightly; erp for all of a connection; none for all of the company";

export function addScheduleCommands(program: Command): void {
  const schedule = program
    .command("schedule")
    .description("When the service reads by itself: next times, pauses, what came of slots.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, list);
    });
  schedule
    .command("list")
    .description("Every schedule: when it comes next, what came of it last, who paused it.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, list);
    });
  for (const [name, act, about] of [
    ["pause", pause, "Start no more slots; what is due meanwhile is caught up once, when resumed."],
    ["resume", resume, "Go on, and catch up once."],
  ] as const)
    schedule
      .command(name)
      .description(about)
      .argument("[schedule]", SCOPE)
      .addOption(whoOption("who does it; kept"))
      .addHelpText("after", example(`schedule ${name} erp/nightly --who "J Ross"`))
      .action(async (scope: string | undefined, { who }: { who: string }, command: Command) => {
        await answer(command, (opened) => act(opened, scope, who));
      });
  schedule
    .command("run-now <schedule>")
    .description("A slot of its own, now; the service runs it as the others.")
    .addOption(whoOption("who asks; kept"))
    .addHelpText("after", example('schedule run-now erp/nightly --who "J Ross"'))
    .action(async (name: string, { who }: { who: string }, command: Command) => {
      await answer(command, (opened) => runNow(opened, name, who));
    });
  schedule
    .command("history [schedule]")
    .description("What came of the last slots, newest first.")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 30)
    .action(async (name: string | undefined, { limit }: { limit: number }, command: Command) => {
      await answer(command, (opened) => history(opened, name, limit));
    });
  addAlarmCommands(program);
}

async function list({ company }: Opened): Promise<Answer> {
  const [schedules, service] = await Promise.all([
    company.schedules.list(),
    company.schedules.service(),
  ]);
  const { timeZone } = company.settings;
  const text = table(schedules, [
    { head: "schedule", of: ({ connection, name }) => `${connection}/${name}` },
    { head: "cron", of: ({ cron }) => cron },
    { head: "zone", of: (schedule) => schedule.timeZone },
    { head: "does", of: ({ does, streams }) => `${words(does)}: ${streams?.join(", ") ?? "all"}` },
    { head: "next", of: ({ nextAt }) => moment(nextAt, timeZone) },
    { head: "last slot", of: ({ last }) => moment(last?.slotAt ?? null, timeZone) },
    { head: "ended", of: ({ last }) => (last === null ? "–" : cameText(last)) },
    { head: "now", of: (schedule) => nowText(schedule, timeZone) },
  ]);
  const none = "The settings name no schedule: companies.…connections.…schedules.";
  const down = service.runs ? "" : `\n\n${noServiceText(service, schedules, timeZone)}`;
  return { text: schedules.length === 0 ? none : text + down, data: schedules };
}

function nowText({ paused, current, overdue }: ScheduleState, timeZone: string): string {
  const [pause] = paused;
  if (pause !== undefined) return `paused by ${pause.by} since ${moment(pause.at, timeZone)}`;
  if (current === null)
    return overdue === 0 ? "" : `${count(overdue)} ${overdue === 1 ? "slot is" : "slots are"} due`;
  const { state, progress, dueAt, tries } = current;
  if (state === "running")
    return progress?.stream === undefined
      ? "running"
      : `running: ${progress.stream}, ${count(progress.rows ?? 0)} rows`;
  return tries > 0 ? `try ${tries + 1} at ${moment(dueAt, timeZone)}` : "waits for its turn";
}

/** What a person named, as the settings have it. */
function scopeOf({ company }: Opened, text: string | undefined): PauseScope {
  if (text === undefined) return {};
  const { connections } = company.settings;
  const known = Object.entries(connections).flatMap(([connection, { schedules }]) => [
    connection,
    ...Object.keys(schedules).map((name) => `${connection}/${name}`),
  ]);
  if (!known.includes(text)) {
    const close = nearest(text, known);
    throw new UsageError(
      `"${text}" is no schedule and no connection of the settings; they name ${known.join(", ")}.` +
        (close === undefined ? "" : ` Did you mean ${close}?`),
    );
  }
  const [connection = "", schedule] = text.split("/");
  return schedule === undefined ? { connection } : { connection, schedule };
}

function scheduleOf(opened: Opened, text: string): { connection: string; schedule: string } {
  const { connection, schedule } = scopeOf(opened, text);
  if (connection === undefined || schedule === undefined)
    throw new UsageError(`"${text}" is a connection: name one of its schedules, ${text}/….`);
  return { connection, schedule };
}

async function pause(opened: Opened, text: string | undefined, who: string): Promise<Answer> {
  const paused = await opened.company.schedules.pause(scopeOf(opened, text), who);
  const scope = text ?? "every schedule";
  return {
    text: paused
      ? `Paused: ${scope}, by ${who}. What runs ends; what is due meanwhile is caught up once.`
      : `It was paused already: ${scope}.`,
    data: { scope: text ?? "", paused },
  };
}

async function resume(opened: Opened, text: string | undefined, who: string): Promise<Answer> {
  const { schedules } = opened.company;
  const scope = scopeOf(opened, text);
  const resumed = await schedules.resume(scope, who);
  const still = (await schedules.list())
    .filter(
      ({ connection, name }) =>
        (scope.connection ?? connection) === connection && (scope.schedule ?? name) === name,
    )
    .flatMap(({ paused }) => paused);
  const others = [
    ...new Set(still.map((each) => `${each.scope === "" ? "all" : each.scope} by ${each.by}`)),
  ];
  return {
    text: [
      resumed ? `Resumed: ${text ?? "every schedule"}, by ${who}.` : "Nothing was paused there.",
      ...(others.length === 0 ? [] : [`Still paused: ${others.join(", ")}.`]),
    ].join("\n"),
    data: { scope: text ?? "", resumed, still },
  };
}

async function runNow(opened: Opened, text: string, who: string): Promise<Answer> {
  const { connection, schedule } = scheduleOf(opened, text);
  const { schedules } = opened.company;
  const [pause] =
    (await schedules.list()).find(
      (each) => each.connection === connection && each.name === schedule,
    )?.paused ?? [];
  if (pause !== undefined)
    throw new UsageError(
      `${text} is paused by ${pause.by}: \`${pause.endsWith ?? `tradepost schedule resume${pause.scope === "" ? "" : ` ${pause.scope}`} --who NAME`}\` first, ` +
        "or read it by hand with `tradepost sync`.",
    );
  const id = await schedules.runNow(connection, schedule, who);
  const [service, listed] = await Promise.all([schedules.service(), schedules.list()]);
  const shown = `\`schedule history ${text}\` shows it.`;
  return {
    text: service.runs
      ? `Asked for: the service starts ${text} within seconds. ${shown}`
      : `Asked for: ${text} starts when a service runs. ${shown}\n` +
        noServiceText(service, listed, opened.company.settings.timeZone),
    data: { id, service },
  };
}

async function history(opened: Opened, text: string | undefined, limit: number): Promise<Answer> {
  const filter = scopeOf(opened, text);
  const rows = await opened.company.schedules.history({ ...filter, limit });
  const { timeZone } = opened.company.settings;
  const at = (when: Temporal.Instant | null) => moment(when, timeZone);
  const lines = table(rows, [
    { head: "schedule", of: ({ connection, schedule }) => `${connection}/${schedule}` },
    { head: "slot", of: ({ slotAt }) => at(slotAt) },
    { head: "came", of: cameText },
    { head: "began", of: ({ startedAt }) => at(startedAt) },
    { head: "ended", of: ({ endedAt }) => at(endedAt) },
    { head: "tries", right: true, of: ({ tries }) => count(tries) },
    { head: "stands for", right: true, of: ({ standsFor }) => count(standsFor) },
    { head: "what happened", of: happened },
  ]);
  return { text: rows.length === 0 ? "No slot was due yet." : lines, data: rows };
}

/** "done, customers stopped and asks" */
function cameText({ state, progress }: SlotRow): string {
  const asks = state === "done" ? (progress?.asks ?? null) : null;
  return asks === null ? state : `${state}, ${asks}`;
}

function happened({ askedBy, problem, progress, state }: SlotRow): string {
  const about = state === "done" ? progress?.about : problem;
  return [askedBy === null ? "" : `asked by ${askedBy}`, about ?? ""]
    .filter((part) => part !== "")
    .join("; ");
}

function addAlarmCommands(program: Command): void {
  const alarms = program
    .command("alarms")
    .description("What a person must know: late, stopped or failing pulls, and who was told.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, (opened) => alarmList(opened, { open: true, limit: 100 }));
    });
  alarms
    .command("list")
    .description("Alarms that hold.")
    .option("--all", "those that are over too")
    .option("--limit <number>", "how many", wholeNumber(1, 1_000), 100)
    .action(async ({ all, limit }: { all?: boolean; limit: number }, command: Command) => {
      const filter = all === true ? { limit } : { open: true, limit };
      await answer(command, (opened) => alarmList(opened, filter));
    });
  alarms
    .command("test")
    .description("Send a trial alarm through every channel of the settings, now.")
    .addOption(whoOption("who asks; it stands in the letter"))
    .action(async ({ who }: { who: string }, command: Command) => {
      await answer(command, (opened) => alarmTest(opened, who));
    });
}

async function alarmList(
  { company }: Opened,
  filter: { readonly open?: boolean; readonly limit: number },
): Promise<Answer> {
  const alarms = await company.alarms.list(filter);
  const shown = alarms.map((alarm) => alarmText(alarm, company.settings.timeZone));
  return { text: alarms.length === 0 ? "No alarm holds." : shown.join("\n\n"), data: alarms };
}

async function alarmTest({ company }: Opened, who: string): Promise<Answer> {
  const tried = await company.alarms.test(who);
  const text = table(tried, [
    { head: "channel", of: ({ channel }) => channel },
    { head: "to", of: ({ to }) => to },
    { head: "came", of: ({ problem }) => problem ?? "taken" },
  ]);
  const only = tried.length === 1;
  return {
    text: only ? `${text}\n\nThe settings name no webhook and no e-mail: companies.…alarms.` : text,
    data: tried,
    exit: tried.some(({ problem }) => problem !== null) ? EXIT.failed : EXIT.fine,
  };
}
