/** `sync` and `runs`. */
import type { Command } from "commander";
import { SingleBar } from "cli-progress";
import { durationText, type Progress, type RunResult } from "../sync/index.ts";
import {
  answer,
  checkStream,
  connectionOf,
  connectionOption,
  dateOption,
  example,
  EXIT,
  NotFound,
  UsageError,
  wholeNumber,
  whoOption,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, csv, moment, table, type Column } from "./print.ts";

export function addSyncCommands(program: Command): void {
  program
    .command("sync")
    .description("Read what waits at a connection, and bring prices, orders and sales up to date.")
    .argument("[streams...]", "streams to read; all of them when none is named")
    .addOption(connectionOption())
    .option("--accept-removals", "let a snapshot remove more than the drop brake allows")
    .option("--from-start", "read as if it had never been read, whatever its cursor says")
    .option("--compare-keys", "read no rows but keys, and remove what the source no longer has")
    .addHelpText("after", example("sync price-rules promotions"))
    .action(async (streams: string[], options: SyncOptions, command: Command) => {
      await answer(command, (opened) => sync(opened, streams, options));
    });
  program
    .command("backfill")
    .description("Read days of a stream again, month by month, where its connector can.")
    .argument("<stream>", "stream to read")
    .requiredOption("--from <date>", "first day", dateOption)
    .requiredOption("--to <date>", "last day", dateOption)
    .addOption(connectionOption())
    .addHelpText("after", example("backfill sales-lines --from 2024-01-01 --to 2024-03-31"))
    .action(async (stream: string, options: BackfillOptions, command: Command) => {
      await answer(command, (opened) => backfill(opened, stream, options));
    });
  const ran = program
    .command("runs")
    .description("What the last runs read, made and left in quarantine.")
    .option("--stream <name>", "only this stream")
    .option("--limit <number>", "how many", wholeNumber(1, 1000), 30)
    .option("--csv", "as CSV, for a spreadsheet")
    .action(async (options: RunsOptions, command: Command) => {
      await answer(command, (opened) => runs(opened, options));
    });
  ran
    .command("stop <stream>")
    .description("Stop what reads a stream now; the next sync goes on from its last mark.")
    .addOption(whoOption())
    .addHelpText("after", example('runs stop sales-lines --who "J Ross"'))
    .action(async (stream: string, options: { who: string }, command: Command) => {
      await answer(command, (opened) => stop(opened, stream, options.who));
    });
}

async function stop(opened: Opened, stream: string, who: string): Promise<Answer> {
  checkStream(opened, stream);
  const asked = await opened.company.stopRuns(stream, who);
  if (asked.length === 0)
    throw new NotFound(
      `Stopping what reads ${stream}: nothing reads it now. \`runs\` shows what did.`,
    );
  const text = asked.map(
    ({ connection, runId }) =>
      `Run ${runId.slice(-8)} of ${connection}/${stream} stops before its next page; the next sync goes on from its last mark.`,
  );
  return { text: text.join("\n"), data: asked };
}

interface BackfillOptions {
  readonly connection?: string;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
}

async function backfill(opened: Opened, stream: string, options: BackfillOptions): Promise<Answer> {
  checkStream(opened, stream);
  if (options.from > options.to)
    throw new UsageError(`--from ${options.from} is after --to ${options.to}.`);
  const from = Temporal.PlainDate.from(options.from);
  const to = Temporal.PlainDate.from(options.to);
  const show = progressBar();
  const results = await opened.company
    .backfill(connectionOf(opened, options.connection), { stream, from, to }, show.options)
    .finally(show.stop);
  await opened.tradepost.drain();
  return syncAnswer(results);
}

interface SyncOptions {
  readonly connection?: string;
  readonly acceptRemovals?: boolean;
  readonly fromStart?: boolean;
  readonly compareKeys?: boolean;
}

async function sync(opened: Opened, streams: string[], options: SyncOptions): Promise<Answer> {
  for (const stream of streams) checkStream(opened, stream);
  const show = progressBar();
  const results = await opened.company
    .sync(connectionOf(opened, options.connection), {
      streams,
      acceptRemovals: options.acceptRemovals === true,
      fromStart: options.fromStart === true,
      compareKeys: options.compareKeys === true,
      ...show.options,
    })
    .finally(show.stop);
  await opened.tradepost.drain();
  return syncAnswer(results);
}

/** How often a long run says where it is when nobody sees a bar. */
const SAY_MS = 5_000;

/** A bar on a terminal; elsewhere a line now and then, on standard error. */
function progressBar(): {
  readonly options: { readonly progress: (progress: Progress) => void };
  readonly stop: () => void;
} {
  if (!process.stderr.isTTY)
    return { options: { progress: saidNowAndThen() }, stop: () => undefined };
  const bar = new SingleBar({
    format: "{stream} {origin}  {value} rows, {quarantined} in quarantine  {pace}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(0, 0, { stream: "", origin: "", quarantined: 0, pace: "" });
  return {
    options: {
      progress: (progress) => {
        bar.update(progress.rows, { ...progress, pace: paceOf(progress) });
      },
    },
    stop: () => {
      bar.stop();
    },
  };
}

function saidNowAndThen(): (progress: Progress) => void {
  let said = performance.now();
  let reading = "";
  return (progress) => {
    if (progress.stream !== reading) said = performance.now();
    reading = progress.stream;
    if (performance.now() - said < SAY_MS) return;
    said = performance.now();
    const { stream, rows, quarantined } = progress;
    process.stderr.write(
      `${stream}: ${count(rows)} rows, ${count(quarantined)} in quarantine, ${paceOf(progress)}\n`,
    );
  };
}

/** "1,200 a second, month 3 of 36, 1 h 5 min left" */
function paceOf({ rowsPerSecond, secondsLeft, slices }: Progress): string {
  return [
    `${count(rowsPerSecond)} a second`,
    ...(slices === undefined ? [] : [`month ${slices.done + 1} of ${slices.of}`]),
    ...(secondsLeft === null ? [] : [`${durationText(secondsLeft)} left`]),
  ].join(", ");
}

const NOTHING_WAITED =
  "Nothing waited: no stream had new content. If files were expected, look at the export at its source.";

export function syncAnswer(results: readonly RunResult[]): Answer & { readonly text: string } {
  const shown = results.filter((result) => result.state !== "nothing");
  const notes = shown.flatMap((result) => result.notes);
  const failed = shown.some((result) => result.state === "failed" || result.state === "stopped");
  const quarantined = shown.some(
    (result) =>
      result.rows.quarantined > (result.dismissed ?? 0) ||
      result.state === "refused" ||
      result.notes.length > 0,
  );
  const meanwhile = results.flatMap(({ state, notes: of }) => (state === "nothing" ? of : []));
  const text =
    shown.length === 0
      ? meanwhile.join("\n") || NOTHING_WAITED
      : [runTable(shown), ...[...notes, ...meanwhile].map((note) => `\n${note}`)].join("\n");
  const exit = failed ? EXIT.failed : quarantined ? EXIT.quarantine : EXIT.fine;
  return { text, data: results, exit };
}

function runTable(results: readonly RunResult[]): string {
  const total = (result: RunResult, key: "inserted" | "updated" | "unchanged" | "removed") =>
    count(Object.values(result.records).reduce((sum, counts) => sum + counts[key], 0));
  const twice = (result: RunResult) =>
    Object.values(result.records).reduce((sum, counts) => sum + counts.repeated, 0);
  const saidTwice: Column<RunResult> = {
    head: "said twice",
    right: true,
    of: (result) => count(twice(result)),
  };
  return table(results, [
    { head: "stream", of: (result) => result.stream },
    { head: "ended", of: endedText },
    { head: "rows read", right: true, of: (result) => count(result.rows.read) },
    { head: "mapped", right: true, of: (result) => count(result.rows.mapped) },
    { head: "ignored", right: true, of: (result) => count(result.rows.ignored) },
    { head: "repeated", right: true, of: (result) => count(result.rows.repeated) },
    { head: "quarantine", right: true, of: (result) => count(result.rows.quarantined) },
    { head: "new", right: true, of: (result) => total(result, "inserted") },
    { head: "changed", right: true, of: (result) => total(result, "updated") },
    { head: "same", right: true, of: (result) => total(result, "unchanged") },
    // Rare: rows that another row of the same run made needless.
    ...(results.some((result) => twice(result) > 0) ? [saidTwice] : []),
    { head: "removed", right: true, of: (result) => total(result, "removed") },
    { head: "seconds", right: true, of: (result) => result.seconds.toFixed(1) },
  ]);
}

/** A run whose later files were published may have refused earlier ones. */
function endedText({ state, refused = [] }: RunResult): string {
  return state === "refused" || refused.length === 0
    ? state
    : `${state}, ${count(refused.length)} refused`;
}

interface RunsOptions {
  readonly stream?: string;
  readonly limit: number;
  readonly csv?: boolean;
}

async function runs(opened: Opened, options: RunsOptions): Promise<Answer> {
  const { company } = opened;
  checkStream(opened, options.stream);
  const rows = await company.runs(options);
  if (options.csv === true) return { text: await csv(runRows(rows)), data: rows };
  return {
    text: rows.length === 0 ? "No runs." : runsText(rows, company.settings.timeZone),
    data: rows,
  };
}

/** One line a run; what does not fit into it stands whole below. */
function runsText(rows: readonly RunRow[], timeZone: string): string {
  const columns: Column<RunRow>[] = [
    // Ids begin with their moment: only their ends tell them apart.
    { head: "run", of: (run) => run.id.slice(-8) },
    { head: "stream", of: (run) => run.stream },
    { head: "began", of: (run) => moment(run.startedAt, timeZone) },
    { head: "ended", of: (run) => run.state },
    { head: "rows read", right: true, of: (run) => count(run.read) },
    { head: "mapped", right: true, of: (run) => count(run.mapped) },
    { head: "quarantine", right: true, of: (run) => count(run.quarantined) },
  ];
  const [rule = ""] = table(rows, columns).split("\n").slice(1);
  const { columns: screen } = process.stdout;
  const room = screen === undefined ? ROOM : Math.max(screen - rule.length - 2, LEAST_ROOM);
  const happened = (run: RunRow) => happenings(run, timeZone);
  const whole = rows.filter((run) => cut(happened(run), room) !== happened(run).join(" "));
  return [
    table(rows, [...columns, { head: "what happened", of: (run) => cut(happened(run), room) }]),
    ...whole.flatMap((run) => [
      "",
      `${run.id.slice(-8)}  ${run.stream}`,
      ...happened(run).map((each) => `  ${each}`),
    ]),
  ].join("\n");
}

/** Characters of a table's last column, where no terminal says how wide it is, and at least. */
const ROOM = 60;
const LEAST_ROOM = 20;

function cut([first = "", ...more]: readonly string[], room: number): string {
  if (more.length === 0 && first.length <= room) return first;
  return `${first.slice(0, room - 1).trimEnd()}…`;
}

/** Why it failed, then every finding. */
function happenings({ error, note, faultKind, retryAt }: RunRow, timeZone: string): string[] {
  const kind = faultKind === null ? "" : `${faultKind}: `;
  const again = retryAt === null ? "" : ` Worth trying again at ${moment(retryAt, timeZone)}.`;
  const findings = (note ?? "").split("\n").filter((line) => line !== "" && line !== error);
  return [...(error === null ? [] : [`${kind}${error}${again}`]), ...findings];
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
  "faultKind",
  "retryAt",
  "note",
] as const;

function runRows(rows: readonly RunRow[]): string[][] {
  return [
    [...RUN_COLUMNS],
    ...rows.map((row) => RUN_COLUMNS.map((column) => String(row[column] ?? ""))),
  ];
}
