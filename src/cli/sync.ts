/** `sync` and `runs`. */
import type { Command } from "commander";
import { SingleBar } from "cli-progress";
import type { Progress, RunResult } from "../sync/index.ts";
import { answer, chosen, example, EXIT, wholeNumber, type Answer, type Opened } from "./command.ts";
import { count, csv, moment, table } from "./print.ts";

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
    .command("runs")
    .description("What the last runs read, made and left in quarantine.")
    .option("--stream <name>", "only this stream")
    .option("--limit <number>", "how many", wholeNumber(1, 1000), 30)
    .option("--csv", "as CSV, for a spreadsheet")
    .action(async (options: RunsOptions, command: Command) => {
      await answer(command, (opened) => runs(opened, options));
    });
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

interface RunsOptions {
  readonly stream?: string;
  readonly limit: number;
  readonly csv?: boolean;
}

async function runs(opened: Opened, options: RunsOptions): Promise<Answer> {
  const { company } = opened;
  streamOf(opened, options.stream);
  const rows = await company.runs(options);
  if (options.csv === true) return { text: await csv(runRows(rows)), data: rows };
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

type RunRow = Awaited<ReturnType<Opened["company"]["runs"]>>[number];

const RUN_COLUMNS = [
  "id",
  "connection",
  "stream",
  "state",
  "startedAt",
  "endedAt",
  "read",
  "mapped",
  "ignored",
  "repeated",
  "quarantined",
  "error",
  "note",
] as const;

function runRows(rows: readonly RunRow[]): string[][] {
  return [
    [...RUN_COLUMNS],
    ...rows.map((row) => RUN_COLUMNS.map((column) => String(row[column] ?? ""))),
  ];
}
