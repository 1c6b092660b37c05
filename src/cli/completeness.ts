/** `completeness`: what looks incomplete, what is usual, and what a person says of it. */
import type { Command } from "commander";
import type { CompletenessDesk } from "../sync/index.ts";
import {
  answer,
  chosen,
  example,
  NotFound,
  notBlank,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, pounds, table } from "./print.ts";

type Filter = Parameters<CompletenessDesk["list"]>[0];
type Finding = Awaited<ReturnType<CompletenessDesk["find"]>>;
type Volume = Awaited<ReturnType<CompletenessDesk["volumes"]>>[number];

const KINDS = ["gap", "late", "nothing", "empty", "shrinking", "volume"] as const;
const STATES = ["open", "explained", "closed", "any"] as const;

export function addCompletenessCommands(program: Command): void {
  const group = program
    .command("completeness")
    .description("What looks incomplete: numbers left out, late documents, odd files and amounts.")
    .option("--stream <name>", "only this stream")
    .option("--kind <kind>", `one of ${KINDS.join(", ")}`, chosen("--kind", KINDS))
    .option("--state <state>", `one of ${STATES.join(", ")}`, chosen("--state", STATES), "open")
    .option("--limit <number>", "how many", wholeNumber(1, 1_000), 50)
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
      .requiredOption("--who <name>", "who decides", notBlank("--who"))
      .requiredOption("--why <reason>", "why; it is kept with the finding", notBlank("--why"))
      .addHelpText("after", example(`completeness ${name} 9f3a1c20 --who "J Ross" --why "void"`))
      .action(async (id: string, decision: { who: string; why: string }, command: Command) => {
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

async function list({ company }: Opened, filter: Filter): Promise<Answer> {
  if (filter.stream !== undefined) chosen("The stream", company.streams.toSorted())(filter.stream);
  const findings = await company.completeness.list(filter);
  const { timeZone } = company.settings;
  const text = findings.flatMap((finding) => [
    `${short(finding)}  ${finding.connection}/${finding.stream}: ${finding.title}` +
      (finding.worth === null ? "" : `, ${pounds(finding.worth)}`),
    `          ${finding.detail}`,
    `          since ${moment(finding.openedAt, timeZone)}, found by ${count(finding.times)} run(s)` +
      (finding.closedBy === null ? "" : `; ${finding.state}: ${closing(finding)}`),
    ...(finding.state === "open" ? [`          ${finding.instruction}`] : []),
    "",
  ]);
  return {
    text: findings.length === 0 ? "Nothing looks incomplete." : text.slice(0, -1).join("\n"),
    data: { findings },
  };
}

function closing({ closedBy, explanation }: Finding): string {
  return explanation === null ? `${closedBy}` : `${explanation} (${closedBy})`;
}

/** So many runs are drawn. */
const DRAWN = 30;

async function volume({ company }: Opened, stream: string | undefined): Promise<Answer> {
  if (stream !== undefined) chosen("The stream", company.streams.toSorted())(stream);
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
    { head: "money", right: true, of: ({ runs }) => pounds(last(runs)?.money) },
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
