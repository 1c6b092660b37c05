/** `audit`: the book of who did what. */
import type { Command } from "commander";
import type { BookEntry, BookQuestion } from "../access/index.ts";
import { answer, dateOption, example, notBlank, wholeNumber } from "./command.ts";
import type { Answer, Opened } from "./command.ts";
import { writeNamed } from "./files.ts";
import { count, csv, moment, table } from "./print.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly about?: string;
  readonly limit: number;
  readonly out?: string;
}

/** Read at a time for a file. */
const PAGE = 5_000;

export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("Who did what to what, and why, newest first; kept for ever.")
    .option("--from <date>", "done on or after", dateOption)
    .option("--to <date>", "done on or before", dateOption)
    .option("--by <who>", "only what this person or key did", notBlank("--by"))
    .option("--about <subject>", "only what was done to this order, key …", notBlank("--about"))
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 50)
    .option("--out <file>", "write all of it there: .csv, or JSON lines", notBlank("--out"))
    .addHelpText("after", example('audit --by "J Ross" --from 01/03/2026'))
    .action(async (options: Options, command: Command) => {
      await answer(command, (opened) =>
        options.out === undefined ? shown(opened, options) : written(opened, options, options.out),
      );
    });
}

async function shown(opened: Opened, options: Options): Promise<Answer> {
  const question = questionOf(opened, options);
  const found = await opened.tradepost.access.book({ ...question, limit: options.limit + 1 });
  const entries = found.slice(0, options.limit);
  const { timeZone } = opened.company.settings;
  const text = table<BookEntry>(entries, [
    { head: "when", of: ({ at }) => moment(at, timeZone) },
    { head: "who", of: ({ who }) => who },
    { head: "did", of: ({ action }) => action },
    { head: "to", of: ({ subject }) => subject },
    { head: "why, and what", of: ({ details }) => saysOf(details) },
  ]);
  const more = found.length > options.limit ? "; there is more: --limit, or --out for all" : "";
  return {
    text:
      entries.length === 0
        ? "Nobody did any such thing."
        : `${text}\n\n${count(entries.length)} shown${more}.`,
    data: entries,
  };
}

function saysOf(details: BookEntry["details"]): string {
  const { why, ...more } = details;
  const others = Object.entries(more).flatMap(([name, value]) =>
    value === null || value === "" ? [] : [`${name}: ${String(value)}`],
  );
  return [...(typeof why === "string" ? [why] : []), ...others].join("; ");
}

async function written(opened: Opened, options: Options, file: string): Promise<Answer> {
  const entries: BookEntry[] = [];
  for (let after: BookQuestion["after"] = null; ;) {
    const question = { ...questionOf(opened, options), limit: PAGE, after };
    const page = await opened.tradepost.access.book(question);
    entries.push(...page);
    after = page.at(-1) ?? null;
    if (page.length < PAGE) break;
  }
  const rows = entries.map(({ id, at, who, action, subject, details }) => [
    at.toString(),
    who,
    action,
    subject,
    JSON.stringify(details),
    id,
  ]);
  const lines = file.endsWith(".csv")
    ? await csv([["at", "who", "action", "subject", "details", "id"], ...rows])
    : entries.map((entry) => JSON.stringify(entry)).join("\n");
  await writeNamed(file, `${lines}\n`);
  return {
    text: `Wrote ${count(entries.length)} ${entries.length === 1 ? "entry" : "entries"} to ${file}.`,
    data: { file, entries: entries.length },
  };
}

/** Days are those of the company. */
function questionOf({ company }: Opened, { from, to, by, about, limit }: Options): BookQuestion {
  const { timeZone } = company.settings;
  const start = (day: Temporal.PlainDate) => day.toZonedDateTime(timeZone).toInstant();
  return {
    company: company.code,
    from: from === undefined ? null : start(Temporal.PlainDate.from(from)),
    until: to === undefined ? null : start(Temporal.PlainDate.from(to).add({ days: 1 })),
    who: by ?? null,
    subject: about ?? null,
    limit,
    after: null,
  };
}
