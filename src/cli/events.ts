/** `events` and `orders changes`: the feed of what happened to orders, as shops read it. */
import type { Command } from "commander";
import { CURSOR, type EventsPage, type ShopEvent } from "../notify/index.ts";
import { EVENT_TYPES, unknownEventTypes } from "../orders/index.ts";
import {
  answer,
  chosen,
  example,
  NotFound,
  UsageError,
  notBlank,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { writeNamed } from "./files.ts";
import { count, csv, moment, table, words } from "./print.ts";

interface Options {
  readonly after: string;
  readonly limit: number;
  readonly types?: readonly string[];
  readonly order?: string;
  readonly out?: string;
}

/** Read at a time for a file. */
const PAGE = 5_000;

export function addEventCommands(program: Command): void {
  const events = program
    .command("events")
    .description("What happened to orders, in the order of the feed that shops follow.");
  reading(events, "events", ["types"]);
}

/** The same beside the orders themselves. */
export function addChangesCommand(orders: Command): void {
  const changes = orders
    .command("changes")
    .description("What happened to orders, oldest first: the feed that shops follow.");
  reading(changes, "orders changes", []);
}

function reading(command: Command, name: string, more: readonly "types"[]): void {
  if (more.includes("types"))
    command.option(
      "--types <types>",
      "only these: order.accepted,order.refused or order.*",
      listed,
    );
  command
    .option("--order <number>", "only this web order's", notBlank("--order"))
    .option("--after <number>", "only what follows this number or cursor", cursorOption, "0")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .option("--out <file>", "write all of it there: .csv, or JSON lines", notBlank("--out"))
    .addHelpText("after", example(`${name} --after 1200 --json`))
    .action(async (options: Options, itself: Command) => {
      await answer(itself, async (opened) => {
        // Throws for one that there is none of, which has no events either.
        if (options.order !== undefined) await opened.company.orders.show(options.order);
        return options.out === undefined
          ? shown(opened, options)
          : written(opened, options, options.out);
      });
    });
}

function cursorOption(text: string): string {
  if (CURSOR.test(text)) return text;
  throw new UsageError(
    `--after was given "${text}"; expected a number, or a cursor as it was told.`,
  );
}

/** Of an option, with commas between. */
export function listed(text: string): string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

async function shown(opened: Opened, options: Options): Promise<Answer> {
  const { timeZone } = opened.company.settings;
  const page = await pageOf(opened, options);
  const text = table<ShopEvent>(page.events, [
    { head: "number", right: true, of: ({ number }) => String(number) },
    { head: "when", of: ({ at }) => moment(at, timeZone) },
    { head: "type", of: ({ type }) => type },
    { head: "about", of: ({ subject }) => subject },
    { head: "says", of: ({ data }) => saysOf(data) },
  ]);
  const more = page.more ? `; there is more after ${page.cursor}: --after ${page.cursor}` : "";
  return {
    text:
      page.events.length === 0
        ? `Nothing happened after ${options.after}.`
        : `${text}\n\n${count(page.events.length)} shown${more}.`,
    data: page,
  };
}

function saysOf({ state, erpOrder, fulfilment }: ShopEvent["data"]): string {
  return [fulfilment, state, erpOrder]
    .filter((each) => typeof each === "string")
    .map((each) => words(each))
    .join(", ");
}

async function written(opened: Opened, options: Options, file: string): Promise<Answer> {
  const events: ShopEvent[] = [];
  for (let { after } = options; ;) {
    const page = await pageOf(opened, { ...options, after, limit: PAGE });
    events.push(...page.events);
    after = page.cursor;
    if (!page.more) break;
  }
  const rows = events.map(({ number, id, type, subject, at, data }) => [
    String(number),
    at.toString(),
    type,
    subject,
    id,
    JSON.stringify(data),
  ]);
  const lines = file.endsWith(".csv")
    ? await csv([["number", "at", "type", "subject", "id", "data"], ...rows])
    : events.map((event) => JSON.stringify(event)).join("\n");
  await writeNamed(file, `${lines}\n`);
  const data = { file, events: events.length };
  return {
    text: `Wrote ${count(events.length)} ${events.length === 1 ? "event" : "events"} to ${file}.`,
    data,
  };
}

async function pageOf({ company }: Opened, options: Options): Promise<EventsPage> {
  const { after, limit, types = [], order } = options;
  for (const type of unknownEventTypes(types)) chosen("--types", EVENT_TYPES)(type);
  const subject = order === undefined ? undefined : `order/${order}`;
  const page = await company.events.after({ after, limit, types, subject });
  if (page === "another-feed")
    throw new NotFound(
      `The feed does not know ${after}: it ends before that, or another event stands there, since ` +
        "the database was restored or begun anew. Read the feed from --after 0.",
    );
  if (page === "no-longer-kept")
    throw new NotFound(
      `Events after ${after} are kept no longer in full (events.keepDays of the settings). ` +
        "Read the orders themselves, and the feed from --after 0.",
    );
  return page;
}
