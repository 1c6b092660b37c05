/** P: prices in one process, beside a bare lookup of the same entries; filling the book. */
import { median, ratioOf } from "./measure.ts";
import { answer, startChild } from "./process.ts";
import type { BookFigures } from "./book-change.ts";
import type { DatabaseFigures, EngineFigures, Question } from "./price-process.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import type { Bench } from "./main.ts";
import { preparedFolder } from "./service.ts";

export async function measurePrices(bench: Bench): Promise<Figure[]> {
  bench.say(`prices: a book of ${bench.rules} rules in memory, and the bare lookup`);
  await using child = startChild("test/bench/price-process.ts", { node: ["--expose-gc"] });
  const { rules, rounds, seed } = bench;
  child.ask({ what: "engine", folder: "", database: "", rules, rounds, seed } satisfies Question);
  const { memory, speed, explaining, lists, book } = await answer<EngineFigures>(child);
  const { door, fills } = await preparedFolder(bench);
  return [
    ...speed.map(({ lines, engine, bare, ratio }) => ({
      row: "P1",
      work: `prices, ${lines} a call, one process`,
      ours: rate(engine, "prices"),
      limit: rate(bare, "bare lookups"),
      ratio,
      goal: ratioGoal(ratio, { atLeast: 0.5 }),
    })),
    {
      row: "P1",
      work: "a line with 1,000 price lists in the book",
      ours: `${lists.toFixed(2)} times`,
      limit: "one with 50",
      ratio: lists,
      goal: { of: lists, atMost: 1.2, words: "≤ 1.2 times" },
    },
    {
      row: "P6",
      work: "explain 10,000 lines",
      ours: `${explaining.toFixed(1)} times`,
      limit: "the time of their prices",
      ratio: explaining,
      goal: { of: explaining, atMost: 2, words: "≤ 2 times" },
    },
    ...doorFigures(door, speed),
    {
      row: "P2",
      work: `memory of the book (compiled in ${(memory.compileMs / 1000).toFixed(1)} s)`,
      ours: `${memory.bytesPerRule.toFixed(1)} bytes a rule`,
      limit: `${(memory.bookBytes / memory.rules).toFixed(1)} in its arrays`,
      ratio: null,
      goal: { of: memory.bytesPerRule, atMost: 24, words: "≤ 24 bytes a price" },
    },
    fillFigure(fills, bench.rules),
    ...bookFigures(book, bench.rules),
  ];
}

function bookFigures({ rows, changes, saves, loads }: BookFigures, rules: number): Figure[] {
  const figure = (work: string, times: readonly number[], most: number | null): Figure => ({
    row: "P5",
    work,
    ours: `${median(times).toFixed(0)} ms`,
    limit: "–",
    ratio: null,
    goal: most === null ? null : { of: median(times), atMost: most, words: `≤ ${most} ms` },
  });
  return [
    figure(`${rows} changed rows of ${rules} into the next book`, changes, 100),
    figure("write the book to its file", saves, null),
    figure("load the book from its file", loads, 1000),
  ];
}

/** Codes asked and answered, as a caller inside the process does it. */
function doorFigures(
  door: DatabaseFigures["door"],
  speed: EngineFigures["speed"],
): readonly Figure[] {
  return door.flatMap(({ lines, rows, columns }) => {
    const bare = speed.find((one) => one.lines === lines)?.bare ?? NaN;
    const figure = (kind: string, ours: number): Figure => ({
      row: "P1",
      work: `the same by codes, ${kind}, ${lines} a call`,
      ours: rate(ours, "prices"),
      limit: rate(bare, "bare lookups"),
      ratio: ours / bare,
      goal: null,
    });
    return [figure("answered in texts", rows), figure("by columns", columns)];
  });
}

function fillFigure(fills: DatabaseFigures["fills"], rules: number): Figure {
  const ratio = ratioOf(
    fills,
    ({ bare }) => bare,
    ({ ours }) => ours,
  );
  const ours = median(fills.map((fill) => fill.ours));
  return {
    row: "P5",
    work: `publish from the database (${(ours / 1000).toFixed(1)} s)`,
    ours: rate((rules * 1000) / ours, "rules"),
    limit: `${rate((rules * 1000) / median(fills.map(({ bare }) => bare)), "rows")} COPY into arrays`,
    ratio,
    goal: ratioGoal(ratio, { atLeast: 0.6 }),
  };
}
