/** P: prices in one process, beside a bare lookup of the same entries. */
import { answer, startChild } from "./process.ts";
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
  const { speed, explaining, lists } = await answer<EngineFigures>(child);
  const { door, lateral } = await preparedFolder(bench);
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
    ...lateralFigures(lateral, speed),
    ...doorFigures(door, speed),
  ];
}

/** The same lines asked of PostgreSQL, which looks among the accounts' own prices alone. */
function lateralFigures(
  lateral: DatabaseFigures["lateral"],
  speed: EngineFigures["speed"],
): readonly Figure[] {
  return lateral.map(({ lines, speed: limit }) => {
    const ours = speed.find((one) => one.lines === lines)?.engine ?? NaN;
    const atLeast = { 1: 100, 10_000: 15 }[lines] ?? null;
    return {
      row: "P1",
      work: `prices, ${lines} a call, beside SQL`,
      ours: rate(ours, "prices"),
      limit: rate(limit, "by LATERAL"),
      ratio: ours / limit,
      goal: atLeast === null ? null : ratioGoal(ours / limit, { atLeast }, "times it"),
    };
  });
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
