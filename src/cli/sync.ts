/** `sync`, `runs`, `status` and `quarantine`. */
import type { Command } from "commander";
import { SingleBar } from "cli-progress";
import { leftOutInWords } from "../main.ts";
import type { Progress, RunResult } from "../sync/index.ts";
import {
  answer,
  chosen,
  example,
  EXIT,
  NotFound,
  notBlank,
  UsageError,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, pounds, table, words } from "./print.ts";

export function addSyncCommands(program: Command): void {
  program
    .command("sync")
    .description("Read what waits at a connection, and bring prices, orders and sales up to date.")
    .argument("[streams...]", "streams to read; all of them when none is named")
    .option("--connection <name>", "connection to read", "erp")
    .option("--accept-removals", "let a snapshot remove more than the drop brake allows")
    .addHelpText("after", example("sync price-rules promotions"))
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
  for (const stream of streams) streamOf(opened, stream);
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

/** A stream's name that some mapping reads; else the nearest one is told. */
function streamOf({ company }: Opened, name: string | undefined): void {
  if (name !== undefined) chosen("The stream", company.streams.toSorted())(name);
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
  const [states, totals] = await Promise.all([company.streamStates(), company.desk.totals()]);
  const lines = table(states, [
    { head: "connection", of: (state) => state.connection },
    { head: "stream", of: (state) => state.stream },
    { head: "last applied", of: (state) => moment(state.lastAppliedAt, company.settings.timeZone) },
    { head: "in quarantine", right: true, of: (state) => count(state.open) },
  ]);
  const read = states.length === 0 ? "Nothing was read yet: `sync` reads what waits." : lines;
  return {
    text: [read, "", ...company.leftOut.map(leftOutInWords), waiting(totals)].join("\n"),
    data: { streams: states, quarantine: totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

/** Many rows cannot tell their worth: then a sum of nothing would be a wrong comfort. */
function waiting({ open, worth }: { readonly open: number; readonly worth: string }): string {
  if (open === 0) return "Nothing is in quarantine.";
  const known = /[1-9]/.test(worth)
    ? `at least ${pounds(worth)} at risk`
    : "their worth is not known";
  return `${count(open)} in quarantine, ${known}.`;
}

async function runs(opened: Opened, options: { stream?: string; limit: number }): Promise<Answer> {
  const { company } = opened;
  streamOf(opened, options.stream);
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
  return { text: rows.length === 0 ? "No runs." : text, data: rows };
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
    .addHelpText("after", example('quarantine replay 36a79aee --set "postcode=LS1 4AP"'))
    .action(async (id: string | undefined, options: { set?: string[] }, command: Command) => {
      await answer(command, (opened) => replay(opened, id, options.set ?? []));
    });
  desk
    .command("dismiss <item>")
    .description("Close an item that nobody needs.")
    .requiredOption("--who <name>", "who decides", notBlank("--who"))
    .action(async (id: string, options: { who: string }, command: Command) => {
      await answer(command, (opened) => dismiss(opened, id, options.who));
    });
}

/** An item by its id or the beginning of it, as `quarantine` prints it. */
async function itemOf({ company }: Opened, id: string) {
  if (/^[0-9a-f][0-9a-f-]{0,35}$/i.test(id)) return company.desk.find(id);
  throw new UsageError(
    `"${id}" cannot be an item: expected its id or the beginning of it, such as 36a79aee. ` +
      "`quarantine` lists them.",
  );
}

async function dismiss(opened: Opened, id: string, who: string): Promise<Answer> {
  const item = await itemOf(opened, id);
  if (item.state !== "open")
    throw new NotFound(
      `Dismissing quarantine item ${item.id.slice(0, 8)}: it is ${item.state} already, by ${item.closedBy ?? "nobody"}.`,
    );
  await opened.company.desk.dismiss(item, { who, why: who });
  return { text: `${item.id.slice(0, 8)} dismissed by ${who}.`, data: { id: item.id } };
}

async function list(opened: Opened, options: { stream?: string; limit: number }): Promise<Answer> {
  const { company } = opened;
  streamOf(opened, options.stream);
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
  const none = options.stream === undefined ? "" : `No item of ${options.stream}. `;
  return {
    text:
      items.length === 0
        ? `${none}${waiting(totals)}`
        : `${text}\n\n${waiting(totals)} \`quarantine show ITEM\` tells all of one.`,
    data: { items, totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

function shorten(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

async function show(opened: Opened, id: string): Promise<Answer> {
  const { company } = opened;
  const item = await itemOf(opened, id);
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
  opened: Opened,
  id: string | undefined,
  set: readonly string[],
): Promise<Answer> {
  const { company, tradepost } = opened;
  const corrected = corrections(set);
  if (id === undefined && set.length > 0)
    throw new UsageError("--set corrects one row: name the item, as `quarantine` lists it.");
  const items =
    id === undefined ? await company.desk.list({ limit: 10_000 }) : [await itemOf(opened, id)];
  const done = [];
  for (const item of items) done.push(await company.desk.replay(item, corrected));
  await tradepost.drain();
  const resolved = done.filter((each) => each.outcome === "resolved").length;
  const text = [
    ...done.map((each) =>
      each.outcome === "resolved"
        ? `${each.id.slice(0, 8)}  resolved, ${each.records} record(s)`
        : `${each.id.slice(0, 8)}  ${words(each.outcome)}: ${each.why}`,
    ),
    done.length === 0 ? "Nothing is in quarantine." : `${resolved} of ${done.length} resolved.`,
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
