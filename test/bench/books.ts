/**
 * P2 and P5: memory of a book, filling it, one rule in a hundred changed, publishing, its file, and
 * the start from that file.
 */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { BookFigures } from "./book-change.ts";
import type { Bench } from "./main.ts";
import { median, ratioOf } from "./measure.ts";
import type { CompiledFigures, DatabaseFigures, Question } from "./price-process.ts";
import type { Held, ServiceFigures } from "./price-service.ts";
import { answer, startChild } from "./process.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import { preparedFolder } from "./service.ts";
import { measureStart } from "./start-up.ts";

export async function measureBooks(bench: Bench): Promise<Figure[]> {
  const { rules } = bench;
  bench.say(`books: ${rules} rules compiled, changed and written to a file in one process`);
  const { memory, book } = await inChild<CompiledFigures>(bench, "book", "");
  const { fills, database } = await preparedFolder(bench);
  bench.say("books: the same in a service, from its database");
  const service = await inChild<ServiceFigures>(bench, "service", database);
  return [
    {
      row: "P2",
      work: `memory of the book (compiled in ${(memory.compileMs / 1000).toFixed(1)} s)`,
      ours: `${memory.bytesPerRule.toFixed(1)} bytes a rule`,
      limit: `${(memory.bookBytes / memory.rules).toFixed(1)} in its arrays`,
      ratio: null,
      goal: { of: memory.bytesPerRule, atMost: 24, words: "≤ 24 bytes a price" },
    },
    fillFigure(fills, rules),
    ...bookFigures(book, rules),
    ...serviceFigures(service, rules),
    ...(await measureStart(bench)),
  ];
}

async function inChild<Figures>(
  bench: Bench,
  what: Question["what"],
  database: string,
): Promise<Figures> {
  const { rules, rounds, seed } = bench;
  const folder = await mkdtemp(join(bench.folder, "books-"));
  await using child = startChild("test/bench/price-process.ts", { node: ["--expose-gc"] });
  child.ask({ what, folder, database, rules, rounds, seed } satisfies Question);
  return await answer<Figures>(child);
}

function figure(work: string, times: readonly number[], most: number | null): Figure {
  return {
    row: "P5",
    work,
    ours: `${median(times).toFixed(median(times) < 20 ? 1 : 0)} ms`,
    limit: "–",
    ratio: null,
    goal: most === null ? null : { of: median(times), atMost: most, words: `≤ ${most} ms` },
  };
}

function bookFigures({ rows, reads, changes, saves, loads }: BookFigures, rules: number): Figure[] {
  return [
    figure(`${rows} changed rows of ${rules} into the next book`, changes, 100),
    figure("taking these rows in before, as objects", reads, null),
    figure("write the book to its file", saves, null),
    figure("load the book from its file", loads, 1000),
  ];
}

function serviceFigures(
  { fromFile, changed, changedRows, whole, idle }: ServiceFigures,
  rules: number,
): Figure[] {
  const pauses = (held: readonly Held[]) => held.map(({ pause }) => pause);
  const times = (held: readonly Held[]) => held.map(({ ms }) => ms);
  const pause = (work: string, held: readonly Held[]): Figure => ({
    ...figure(`longest pause of the event loop: ${work}`, pauses(held), 10),
    limit: `${idle.pause.toFixed(1)} ms with nothing to do`,
  });
  return [
    figure("service: the book from its file, followed and answering", [fromFile.ms], null),
    figure(`service: ${changedRows} changed rows read, published, answering`, times(changed), null),
    figure(`service: all ${rules} rows read anew, published, answering`, times(whole), null),
    pause("the book from its file", [fromFile]),
    pause(`${changedRows} changed rows are published`, changed),
    pause(`all ${rules} rules are published`, whole),
  ];
}

function fillFigure(fills: DatabaseFigures["fills"], rules: number): Figure {
  const ratio = ratioOf(
    fills,
    ({ bare }) => bare,
    ({ ours }) => ours,
  );
  const ours = median(fills.map((fill) => fill.ours));
  const bare = median(fills.map((fill) => fill.bare));
  return {
    row: "P5",
    work: `publish from the database (${(ours / 1000).toFixed(1)} s)`,
    ours: rate((rules * 1000) / ours, "rules"),
    limit: `${rate((rules * 1000) / bare, "rows")} COPY into arrays`,
    ratio,
    goal: ratioGoal(ratio, { atLeast: 0.6 }),
  };
}
