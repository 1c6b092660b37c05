/** `quarantine`: what could not be used, why, and what a person does about it. */
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import type { QuarantineDesk } from "../sync/index.ts";
import {
  answer,
  checkStream,
  chosen,
  example,
  EXIT,
  NotFound,
  UsageError,
  wholeNumber,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, pounds, table } from "./print.ts";
import { exported, type ExportOptions } from "./quarantine-export.ts";
import { shownFields, shownItem } from "./quarantine-item.ts";

type Filter = Parameters<QuarantineDesk["groups"]>[0];
type Item = Awaited<ReturnType<QuarantineDesk["find"]>>;
type Group = Awaited<ReturnType<QuarantineDesk["groups"]>>[number];
type Replayed = Awaited<ReturnType<QuarantineDesk["replay"]>>;

const STATES = ["open", "resolved", "dismissed", "any"] as const;

export function addQuarantineCommands(program: Command): void {
  const desk = filtered(
    program
      .command("quarantine")
      .description("What could not be used: by money at risk, with reason and what to do."),
  )
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .action(async (options: Filter & { limit: number }, command: Command) => {
      await answer(command, (opened) => list(opened, options));
    });
  filtered(
    desk.command("groups").description("Rows with the same reason as one line, by money at risk."),
  ).action(async (_options: unknown, command: Command) => {
    await answer(command, (opened) => groups(opened, command.optsWithGlobals()));
  });
  desk
    .command("show <item>")
    .description("One item whole: its raw row, every problem, what to do, what was done.")
    .action(async (id: string, _options: unknown, command: Command) => {
      await answer(command, async (opened) => shownItem(opened, await itemOf(opened, id)));
    });
  addReplay(desk);
  addDecisions(desk);
  filtered(
    desk
      .command("export")
      .description("Items with their rows as CSV, or as JSON lines, for a spreadsheet or program."),
  )
    .option("--json-lines", "as JSON lines instead, for programs")
    .option("--out <file>", "write them there instead")
    .addHelpText("after", example("quarantine export --stream price-rules --out wrong.csv"))
    .action(async (options: ExportOptions, command: Command) => {
      const filter = command.optsWithGlobals<Filter>();
      await answer(command, (opened) => {
        checkStream(opened, filter.stream);
        return exported(opened, filterOf(filter), options);
      });
    });
}

/** A group's options are read before its commands'; each shows them in its help all the same. */
function filtered(command: Command): Command {
  return command
    .option("--stream <name>", "only this stream")
    .option("--connection <name>", "only of this connection")
    .option("--field <field>", "only where this field of the record is wrong")
    .option("--reason <words>", "only where the reason has these words")
    .option("--account <account>", "only what is about this customer")
    .option("--state <state>", `one of ${STATES.join(", ")}`, chosen("--state", STATES), "open");
}

function addReplay(desk: Command): void {
  filtered(
    desk
      .command("replay [item]")
      .description(
        "Map an item again (all open ones that fit when none is named), after the mapping was mended.",
      ),
  )
    .option("--set <column=value...>", "correct columns of the row first")
    .option("--try", "only say what would come of it")
    .addOption(whoOption("who does it; it is kept with the item").makeOptionMandatory(false))
    .addHelpText("after", example('quarantine replay 36a79aee --set "postcode=LS1 4AP" --try'))
    .action(async (id: string | undefined, options: ReplayOptions, command: Command) => {
      await answer(command, (opened) =>
        id === undefined
          ? replayAll(opened, command.optsWithGlobals(), options)
          : replayOne(opened, id, options),
      );
    });
}

function addDecisions(desk: Command): void {
  const decide = (name: "dismiss" | "reopen", about: string, done: string) =>
    desk
      .command(`${name} <item>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("item"))
      .addHelpText("after", example(`quarantine ${name} 36a79aee --who "J Ross" --why "a test"`))
      .action(async (id: string, { who, why }: Act, command: Command) => {
        await answer(command, async (opened) => {
          const item = await itemToDecide(opened, id);
          const refusal = await opened.company.desk[name](item, { who, why });
          if (refusal !== null) throw new NotFound(refusal);
          return { text: `${short(item)} ${done} by ${who}.`, data: { id: item.id } };
        });
      });
  decide(
    "dismiss",
    "Close an item that nobody needs; the same row that comes again stays dismissed.",
    "dismissed",
  );
  decide("reopen", "Open an item again that was dismissed or replayed by hand.", "opened again");
}

/** The beginnings of ids are moments, which many share. */
function short({ id }: { readonly id: string }): string {
  return id.slice(-8);
}

/** An item by its id, or the beginning or end of it, as `quarantine` prints it. */
async function itemOf({ company }: Opened, id: string): Promise<Item> {
  if (/^[0-9a-f][0-9a-f-]{0,35}$/i.test(id)) return company.desk.find(id);
  throw new UsageError(
    `"${id}" cannot be an item: expected its id or the beginning or end of it, such as 36a79aee. ` +
      "`quarantine` lists them.",
  );
}

/** Fewer characters may be the end of an item that nobody meant. */
const ENOUGH = 6;

/** An item that something is done to. */
async function itemToDecide(opened: Opened, id: string): Promise<Item> {
  if (id.length >= ENOUGH) return itemOf(opened, id);
  throw new UsageError(
    `"${id}" is too short to do something to an item: give ${ENOUGH} characters of its id or more, ` +
      "as `quarantine` lists them.",
  );
}

function filterOf({ stream, connection, field, reason, account, state }: Filter): Filter {
  return { stream, connection, field, reason, account, state };
}

async function list(opened: Opened, options: Filter & { limit: number }): Promise<Answer> {
  const { company } = opened;
  checkStream(opened, options.stream);
  const items = await company.desk.list({ ...filterOf(options), limit: options.limit });
  const totals = await company.desk.totals();
  const text = table(items, [
    { head: "item", of: short },
    { head: "at risk", right: true, of: riskOf },
    { head: "customers", right: true, of: customersOf },
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
        : `${text}\n\n${waiting(totals)} \`quarantine groups\` puts like ones together, ` +
          "`quarantine show ITEM` tells all of one.",
    data: { items, totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

function riskOf({ worth, correctionHolds }: Item): string {
  return correctionHolds ? "corrected" : pounds(worth);
}

function customersOf({ customers }: { readonly customers: number | null }): string {
  return customers === null ? "–" : count(customers);
}

/** Many rows cannot tell their worth: then a sum of nothing would be a wrong comfort. */
export function waiting({
  open,
  worth,
}: {
  readonly open: number;
  readonly worth: string;
}): string {
  if (open === 0) return "Nothing is in quarantine.";
  const known = /[1-9]/.test(worth)
    ? `at least ${pounds(worth)} at risk`
    : "their worth is not known";
  return `${count(open)} in quarantine, ${known}.`;
}

async function groups(opened: Opened, options: Filter): Promise<Answer> {
  const { company } = opened;
  checkStream(opened, options.stream);
  const found = await company.desk.groups({ ...filterOf(options), limit: 1_000 });
  const totals = await company.desk.totals();
  const text = table<Group>(found, [
    { head: "rows", right: true, of: (group) => count(group.items) },
    { head: "at risk", right: true, of: (group) => pounds(group.worth) },
    { head: "customers", right: true, of: customersOf },
    { head: "stream", of: (group) => `${group.connection}/${group.stream}` },
    { head: "reason", of: (group) => shorten(group.reason, 90) },
    { head: "since", of: (group) => moment(group.since, company.settings.timeZone) },
    { head: "one of them", of: ({ example: id }) => short({ id }) },
  ]);
  return {
    text: found.length === 0 ? waiting(totals) : `${text}\n\n${waiting(totals)}`,
    data: { groups: found, totals },
    exit: totals.open > 0 ? EXIT.quarantine : EXIT.fine,
  };
}

function shorten(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

interface ReplayOptions {
  readonly set?: string[];
  readonly try?: boolean;
  readonly who?: string;
}

async function replayOne(opened: Opened, id: string, options: ReplayOptions): Promise<Answer> {
  const { company, tradepost } = opened;
  const corrected = corrections(options.set ?? []);
  const item = await itemToDecide(opened, id);
  if (options.try === true) return tried(await company.desk.try(item, corrected));
  const done = await company.desk.replay(item, corrected, options.who);
  await tradepost.drain();
  const resolved = done.outcome === "resolved";
  const text = [
    resolved
      ? `${short(done)}  resolved, ${done.records} record(s)`
      : `${short(done)}  ${LEFT[done.outcome].is}: ${done.why}`,
    `${resolved ? 1 : 0} of 1 resolved.`,
  ].join("\n");
  return { text, data: [done], exit: resolved ? EXIT.fine : EXIT.quarantine };
}

/** What is said of a row that a replay leaves in quarantine. */
const LEFT = {
  "still-bad": { is: "still bad", would: "would still be bad" },
  cannot: { is: "cannot be mapped again", would: "could not be mapped again" },
} as const;

function tried(outcome: Replayed): Answer {
  const text =
    outcome.outcome === "resolved"
      ? [
          `${short(outcome)}  would make ${outcome.records} record(s); nothing was written.`,
          ...outcome.made.map((record) => `  ${shownFields(record)}`),
        ].join("\n")
      : `${short(outcome)}  ${LEFT[outcome.outcome].would}: ${outcome.why}`;
  const exit = outcome.outcome === "resolved" ? EXIT.fine : EXIT.quarantine;
  return { text, data: outcome, exit };
}

async function replayAll(
  opened: Opened,
  filter: Filter,
  { set, try: trial, who }: ReplayOptions,
): Promise<Answer> {
  const { company, tradepost } = opened;
  checkStream(opened, filter.stream);
  if (set !== undefined)
    throw new UsageError(
      "--set corrects one row: name the item, as `quarantine` lists it, such as 36a79aee.",
    );
  const isTrial = trial === true;
  const bar = progressBar();
  const options = { ...(who === undefined ? {} : { who }), progress: bar.update, trial: isTrial };
  const done = await company.desk
    .replayAll({ ...filterOf(filter), state: "open" }, options)
    .finally(bar.stop);
  await tradepost.drain();
  const { items, resolved, records, left } = done;
  const text = [
    ...left.map((each) => {
      const { is, would } = LEFT[each.outcome];
      const example = short({ id: each.example });
      return `${count(each.items)} ${isTrial ? would : is}, such as ${example}: ${each.why}`;
    }),
    items === 0
      ? "Nothing that fits is in quarantine."
      : `${count(resolved)} of ${count(items)} ${isTrial ? "would be " : ""}resolved, ` +
        `${count(records)} record(s)${isTrial ? "; nothing was written" : ""}.`,
  ].join("\n");
  return { text, data: done, exit: resolved === items ? EXIT.fine : EXIT.quarantine };
}

/** A bar on a terminal; elsewhere nothing, since the end says it all. */
function progressBar() {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: "replaying  {bar}  {value} of {total}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(0, 0);
  return {
    update: ({ done, of }: { readonly done: number; readonly of: number }) => {
      bar.setTotal(of);
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
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
