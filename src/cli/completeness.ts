/** `completeness`: what looks incomplete, what is usual, and what a person says of it. */
import type { Command } from "commander";
import { FINDING_KINDS, type CompletenessDesk } from "../sync/index.ts";
import {
  answer,
  checkStream,
  chosen,
  example,
  NotFound,
  wholeNumber,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, pounds, table } from "./print.ts";

type Filter = Parameters<CompletenessDesk["list"]>[0];
type Finding = Awaited<ReturnType<CompletenessDesk["find"]>>;
type Unjudged = Awaited<ReturnType<CompletenessDesk["notJudged"]>>[number];
type Volume = Awaited<ReturnType<CompletenessDesk["volumes"]>>[number];

const STATES = ["open", "explained", "closed", "any"] as const;

/** What is found and what is not, for help. */
const JUDGED = `
What is found:
  gap        Document numbers left out between the first and the last one seen, by kind and by what
             stands before the digits. A series is judged from 4 numbers on, while at most one in four
             is left out (of more than ten left out: one for each ten held). A number that another
             kind has is not left out, unless kinds have numbers of their own. More than 500 numbers
             at once: the numbering was moved on. More than 50 prefixes in a run are no series.
             "not judged" names the series of which nothing is said.
  late       A document that is new and dated more than completeness.lateAfterDays (7) days before the
             newest one held, or in a month that had control totals already. Dates later than tomorrow
             are no newest. History is not late: a stream's first load, days that are read again
             (backfill, historyMonths), and 20 or more documents older than all that is held, where
             they are most of a run.
  ahead      A document dated later than tomorrow in the company's time zone.
  orphan     An account or product that prices, documents or orders name and that is not held. The
             rows are taken all the same, and their money counts.
  nothing    Content in which every row was applied before or left aside.
  empty      A file without rows.
  shrinking  A snapshot with over 10% and over 5 fewer rows than the one before it.
  volume     Rows, changes, removals or money (net of credit notes) far from the middle of the runs of
             the same weekday (5 spreads), once there are 6 of them.`;

export function addCompletenessCommands(program: Command): void {
  const group = program
    .command("completeness")
    .description(
      "What looks incomplete: numbers left out, documents late or dated ahead, codes unmapped, odd files.",
    )
    .option("--stream <name>", "only this stream")
    .option("--kind <kind>", `one of ${FINDING_KINDS.join(", ")}`, chosen("--kind", FINDING_KINDS))
    .option("--state <state>", `one of ${STATES.join(", ")}`, chosen("--state", STATES), "open")
    .option("--limit <number>", "how many", wholeNumber(1, 1_000), 50)
    .addHelpText("after", JUDGED)
    .action(async (options: Filter, command: Command) => {
      await answer(command, (opened) => list(opened, options));
    });
  group
    .command("volume [stream]")
    .description("What each stream's last runs read and changed, drawn and as figures.")
    .action(async (stream: string | undefined, _options: unknown, command: Command) => {
      await answer(command, (opened) => volume(opened, stream));
    });
  const decide = (name: "explain" | "reopen", about: string, done: string) =>
    group
      .command(`${name} <finding>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("finding"))
      .addHelpText("after", example(`completeness ${name} 9f3a1c20 --who "J Ross" --why "void"`))
      .action(async (id: string, decision: Act, command: Command) => {
        await answer(command, async ({ company: { completeness } }) => {
          const finding = await completeness.find(id);
          const { who, why } = decision;
          const refusal = await completeness[name](finding, { who, why });
          if (refusal !== null) throw new NotFound(refusal);
          return { text: `${short(finding)} ${done} by ${who}.`, data: { id: finding.id } };
        });
      });
  decide("explain", "Say why a finding is in order as it is.", "explained");
  decide("reopen", "Take an explanation back.", "opened again");
}

/** The beginnings of ids are moments, which many share. */
function short({ id }: Finding): string {
  return id.slice(-8);
}

async function list(opened: Opened, filter: Filter): Promise<Answer> {
  const { company } = opened;
  checkStream(opened, filter.stream);
  const findings = await company.completeness.list(filter);
  const asksGaps = (filter.kind ?? "gap") === "gap" && (filter.state ?? "open") === "open";
  const notJudged = asksGaps ? await company.completeness.notJudged() : [];
  const { timeZone } = company.settings;
  const text = findings.flatMap((finding) => [
    `${short(finding)}  ${finding.connection}/${finding.stream}: ${finding.title}` +
      (finding.worth === null ? "" : `, ${pounds(finding.worth)}`),
    `          ${finding.detail}`,
    `          since ${moment(finding.openedAt, timeZone)}, found by ${count(finding.times)} ${finding.times === 1 ? "run" : "runs"}` +
      (finding.closedBy === null ? "" : `; ${finding.state}: ${closing(finding)}`),
    ...(finding.state === "open" ? [`          ${finding.instruction}`] : []),
    "",
  ]);
  return {
    text: [
      ...(findings.length === 0 ? ["Nothing looks incomplete."] : text.slice(0, -1)),
      ...(notJudged.length === 0
        ? []
        : [...(findings.length === 0 ? [] : [""]), unjudged(notJudged)]),
    ].join("\n"),
    data: { findings, notJudged },
  };
}

/** So many series are named. */
const NAMED = 10;

function unjudged(all: readonly Unjudged[]): string {
  const named = all.slice(0, NAMED).map(({ kind, record, prefix, first, held, missing }) => {
    const left = missing === 0 ? "" : `, ${count(missing)} left out`;
    return `series ${prefix === "" ? first : prefix} (${count(held)} numbers${left}, ${kind || record})`;
  });
  const more = all.length > NAMED ? ` and ${count(all.length - NAMED)} more` : "";
  return `not judged: ${named.join(", ")}${more}. \`completeness --help\` says which are.`;
}

function closing({ closedBy, explanation }: Finding): string {
  return explanation === null ? `${closedBy}` : `${explanation} (${closedBy})`;
}

/** So many runs are drawn. */
const DRAWN = 30;

async function volume(opened: Opened, stream: string | undefined): Promise<Answer> {
  const { company } = opened;
  checkStream(opened, stream);
  const all = await company.completeness.volumes({ stream, limit: 2_000 });
  const streams = [...Map.groupBy(all, (each) => `${each.connection}/${each.stream}`)];
  const rows = streams
    .map(([name, runs]) => ({ name, runs: runs.slice(0, DRAWN).toReversed() }))
    .sort((left, right) => left.name.localeCompare(right.name));
  const last = (runs: readonly Volume[]) => runs.at(-1);
  const text = table(rows, [
    { head: "stream", of: ({ name }) => name },
    {
      head: "last run",
      of: ({ runs }) => moment(last(runs)?.at ?? null, company.settings.timeZone),
    },
    { head: "read", right: true, of: ({ runs }) => count(last(runs)?.read ?? 0) },
    { head: "changed", right: true, of: ({ runs }) => count(last(runs)?.changed ?? 0) },
    { head: "removed", right: true, of: ({ runs }) => count(last(runs)?.removed ?? 0) },
    { head: "net of credit notes", right: true, of: ({ runs }) => pounds(last(runs)?.money) },
    { head: "rows read, oldest first", of: ({ runs }) => drawn(runs.map(({ read }) => read)) },
  ]);
  return { text: rows.length === 0 ? "No run has read anything yet." : text, data: { runs: all } };
}

const BARS = "▁▂▃▄▅▆▇█";

function drawn(values: readonly number[]): string {
  const most = Math.max(...values, 1);
  return values
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))] ?? "")
    .join("");
}
