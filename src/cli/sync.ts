/** `sync`, `runs`, `status` and `quarantine`. */
import type { Command } from "commander";
import { SingleBar } from "cli-progress";
import type { Progress, RunResult } from "../sync/index.ts";
import { answer, EXIT, UsageError, wholeNumber, type Answer, type Opened } from "./command.ts";
import { count, moment, pounds, table } from "./print.ts";

export function addSyncCommands(program: Command): void {
  program
    .command("sync")
    .description("Read what waits at a connection, and bring prices, orders and sales up to date.")
    .argument("[streams...]", "streams to read; all of them when none is named")
    .option("--connection <name>", "connection to read", "erp")
    .option("--accept-removals", "let a snapshot remove more than the drop brake allows")
    .action(async (streams: string[], options: SyncOptions, command: Command) => {
      await answer(command, (opened) => sync(opened, streams, options));
    });
  program
    .command("status")
    .description("How fresh each stream is and what waits in quarantine.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, status);
    });
  program
    .command("runs")
    .description("What the last runs read, made and left in quarantine.")
    .option("--stream <name>", "only this stream")
    .option("--limit <number>", "how many", wholeNumber(1, 1000), 30)
    .action(async (options: { stream?: string; limit: number }, command: Command) => {
      await answer(command, (opened) => runs(opened, options));
    });
  addQuarantineCommands(program);
}

interface SyncOptions {
  readonly connection: string;
  readonly acceptRemovals?: boolean;
}

async function sync(opened: Opened, streams: string[], options: SyncOptions): Promise<Answer> {
  const show = progressBar();
  const results = await opened.company
    .sync(options.connection, {
      streams,
      acceptRemovals: options.acceptRemovals === true,
      progress: show.update,
    })
    .finally(show.stop);
  await opened.tradepost.drain();
  return syncAnswer(results);
}

/** A bar on a terminal; elsewhere nothing, since the table at the end says it all. */
function progressBar(): { update: (progress: Progress) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: "{stream} {origin}  {value} rows, {quarantined} in quarantine  {duration_formatted}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(0, 0, { stream: "", origin: "", quarantined: 0 });
  return {
    update: (progress) => {
      bar.update(progress.rows, progress);
    },
    stop: () => {
      bar.stop();
    },
  };
}

export function syncAnswer(results: readonly RunResult[]): Answer {
  const shown = results.filter((result) => result.state !== "nothing");
  const notes = shown.flatMap((result) => result.notes);
  const failed = shown.some((result) => result.state === "failed" || result.state === "stopped");
  const quarantined = shown.some(
    (result) =>
      result.rows.quarantined > 0 || result.state === "refused" || result.notes.length > 0,
  );
  const text =
    shown.length === 0
      ? "Nothing waited: no stream had new content. If files were expected, look at the export at its source."
      : [runTable(shown), ...notes.map((note) => `\n${note}`)].join("\n");
  const exit = failed ? EXIT.failed : quarantined ? EXIT.quarantine : EXIT.fine;
  return { text, data: results, exit };
}

function runTable(results: readonly RunResult[]): string {
  const total = (result: RunResult, key: "inserted" | "updated" | "unchanged" | "removed") =>
    count(Object.values(result.records).reduce((sum, counts) => sum + counts[key], 0));
  return table(results, [
    { head: "stream", of: (result) => result.stream },
    { head: "ended", of: (result) => result.state },
    { head: "rows read", right: true, of: (result) => count(result.rows.read) },
    { head: "mapped", right: true, of: (result) => count(result.rows.mapped) },
    { head: "ignored", right: true, of: (result) => count(result.rows.ignored) },
    { head: "repeated", right: true, of: (result) => count(result.rows.repeated) },
    { head: "quarantine", right: true, of: (result) => count(result.rows.quarantined) },
    { head: "new", right: true, of: (result) => total(result, "inserted") },
    { head: "changed", right: true, of: (result) => total(result, "updated") },
    { head: "same", right: true, of: (result) => total(result, "unchanged") },
    { head: "removed", right: true, of: (result) => total(result, "removed") },
    { head: "seconds", right: true, of: (result) => result.seconds.toFixed(1) },
  ]);
}

async function status({ company }: Opened): Promise<Answer> {
  const states = await company.streamStates();
  const totals = await company.desk.totals();
  const lines = table(states, [
    { head: "connection", of: (state) => state.connection },
    { head: "stream", of: (state) => state.stream },
    { head: "last applied", of: (state) => moment(state.lastAppliedAt, company.settings.timeZone) },
    { head: "in quarantine", right: true, of: (state) => count(state.open) },
  ]);
  return {
    text: `${lines}\n\n${count(totals.open)} in quarantine, ${pounds(totals.worth)} at risk.`,
    data: { streams: states, quarantine: totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

async function runs(
  { company }: Opened,
  options: { stream?: string; limit: number },
): Promise<Answer> {
  const rows = await company.runs(options);
  const text = table(rows, [
    { head: "run", of: (run) => run.id.slice(0, 8) },
    { head: "stream", of: (run) => run.stream },
    { head: "began", of: (run) => moment(run.startedAt, company.settings.timeZone) },
    { head: "ended", of: (run) => run.state },
    { head: "rows read", right: true, of: (run) => count(run.read) },
    { head: "mapped", right: true, of: (run) => count(run.mapped) },
    { head: "quarantine", right: true, of: (run) => count(run.quarantined) },
    { head: "what happened", of: (run) => run.error ?? run.note?.split("\n")[0] ?? "" },
  ]);
  return { text, data: rows };
}

function addQuarantineCommands(program: Command): void {
  const desk = program
    .command("quarantine")
    .description("What could not be used: by money at risk, with reason and what to do.")
    .option("--stream <name>", "only this stream")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .action(async (options: { stream?: string; limit: number }, command: Command) => {
      await answer(command, (opened) => list(opened, options));
    });
  desk
    .command("show <item>")
    .description("One item whole: its raw row, every problem, what to do.")
    .action(async (id: string, _options: unknown, command: Command) => {
      await answer(command, (opened) => show(opened, id));
    });
  desk
    .command("replay [item]")
    .description(
      "Map an item again (all open ones when none is named), after the mapping was mended.",
    )
    .option("--set <column=value...>", "correct columns of the row first")
    .action(async (id: string | undefined, options: { set?: string[] }, command: Command) => {
      await answer(command, (opened) => replay(opened, id, options.set ?? []));
    });
  desk
    .command("dismiss <item>")
    .description("Close an item that nobody needs.")
    .requiredOption("--by <name>", "who decides")
    .action(async (id: string, options: { by: string }, command: Command) => {
      await answer(command, async ({ company }) => {
        const item = await company.desk.find(id);
        await company.desk.dismiss(item, options.by);
        return {
          text: `${item.id.slice(0, 8)} dismissed by ${options.by}.`,
          data: { id: item.id },
        };
      });
    });
}

async function list(
  { company }: Opened,
  options: { stream?: string; limit: number },
): Promise<Answer> {
  const items = await company.desk.list(options);
  const totals = await company.desk.totals();
  const text = table(items, [
    { head: "item", of: (item) => item.id.slice(0, 8) },
    { head: "at risk", right: true, of: (item) => pounds(item.worth) },
    { head: "stream", of: (item) => item.stream },
    {
      head: "from",
      of: (item) => (item.line === 0 ? item.originName : `${item.originName}:${item.line}`),
    },
    { head: "field", of: (item) => item.problems[0]?.field ?? "" },
    { head: "found", of: (item) => shorten(item.problems[0]?.found ?? "", 60) },
    { head: "expected", of: (item) => shorten(item.problems[0]?.expected ?? "", 60) },
  ]);
  const tail = `${count(totals.open)} open, ${pounds(totals.worth)} at risk. \`quarantine show ITEM\` tells all of one.`;
  return {
    text: items.length === 0 ? "Nothing is in quarantine." : `${text}\n\n${tail}`,
    data: { items, totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

function shorten(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

async function show({ company }: Opened, id: string): Promise<Answer> {
  const item = await company.desk.find(id);
  const raw = item.raw === "" ? await company.originalOf(item.originId, item.line) : item.raw;
  const text = [
    `item      ${item.id} (${item.state})`,
    `from      ${item.originName}${item.line === 0 ? "" : `, line ${item.line}`} (${item.connection}/${item.stream})`,
    `opened    ${moment(item.openedAt, company.settings.timeZone)}`,
    `at risk   ${pounds(item.worth)}`,
    `raw       ${raw ?? "(the original is no longer where it was kept)"}`,
    ...item.problems.flatMap((problem) => [
      "",
      `problem   ${problem.field === "" ? "the whole row" : problem.field}: found ${problem.found}`,
      `expected  ${problem.expected}`,
      `do        ${problem.instruction}`,
    ]),
  ].join("\n");
  return { text, data: { ...item, raw } };
}

async function replay(
  { company, tradepost }: Opened,
  id: string | undefined,
  set: readonly string[],
): Promise<Answer> {
  if (id === undefined && set.length > 0)
    throw new UsageError("--set corrects one row: name the item, as `quarantine` lists it.");
  const items =
    id === undefined ? await company.desk.list({ limit: 10_000 }) : [await company.desk.find(id)];
  const done = [];
  for (const item of items) done.push(await company.desk.replay(item, corrections(set)));
  await tradepost.drain();
  const resolved = done.filter((each) => each.outcome === "resolved").length;
  const text = [
    ...done.map((each) =>
      each.outcome === "resolved"
        ? `${each.id.slice(0, 8)}  resolved, ${each.records} record(s)`
        : `${each.id.slice(0, 8)}  ${each.outcome}: ${each.why}`,
    ),
    `${resolved} of ${done.length} resolved.`,
  ].join("\n");
  return { text, data: done, exit: resolved === done.length ? EXIT.fine : EXIT.quarantine };
}

function corrections(set: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    set.map((each) => {
      const at = each.indexOf("=");
      if (at < 1) throw new UsageError(`--set takes COLUMN=VALUE, and was given "${each}".`);
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}
