import fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLane, type LaneOptions } from "../../src/orders/taking/lane.ts";

interface Done {
  readonly batches: number[][];
  readonly alone: number[];
  mostBatches: number;
  mostAlone: number;
}

/** A lane whose batches take a moment; what `turned` says of an item is said of it once. */
function laneOf(
  limits: Pick<LaneOptions<number, string>, "most" | "few" | "batches" | "alone">,
  turned: (item: number) => "alone" | "again" | "throws" | null = () => null,
) {
  const done: Done = { batches: [], alone: [], mostBatches: 0, mostAlone: 0 };
  const again = new Set<number>();
  let [batches, alone] = [0, 0];
  const lane = openLane<number, string>({
    ...limits,
    together: async (items) => {
      done.batches.push([...items]);
      batches += 1;
      done.mostBatches = Math.max(done.mostBatches, batches);
      await sleep(1);
      batches -= 1;
      if (items.some((item) => turned(item) === "throws")) throw new Error("none of them");
      return items.map((item) => {
        const turn = turned(item);
        if (turn === "alone") return turn;
        if (turn !== "again" || again.has(item)) return `together ${item}`;
        again.add(item);
        return turn;
      });
    },
    byItself: async (item) => {
      done.alone.push(item);
      alone += 1;
      done.mostAlone = Math.max(done.mostAlone, alone);
      await sleep(1);
      alone -= 1;
      if (turned(item) === "throws") throw new Error(`not ${item}`);
      return `alone ${item}`;
    },
  });
  return { lane, done };
}

test("one that comes alone goes at once, and what comes meanwhile is the next batch", async () => {
  const { lane, done } = laneOf({ most: 10, few: 1, batches: 1, alone: 1 });
  const first = lane(1);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(done.batches).toEqual([[1]]);
  const rest = [2, 3, 4].map(lane);
  expect(await Promise.all([first, ...rest])).toEqual([1, 2, 3, 4].map((at) => `together ${at}`));
  expect(done.batches).toEqual([[1], [2, 3, 4]]);
});

test("what waits is shared out among the batches that may run, but for a few", async () => {
  const { lane, done } = laneOf({ most: 10, few: 3, batches: 2, alone: 1 });
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(lane));
  await Promise.all([9, 10, 11].map(lane));
  expect(done.batches).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11],
  ]);
});

test("a few that come while a batch is under way wait for its end, and then go together", async () => {
  const { lane, done } = laneOf({ most: 10, few: 3, batches: 2, alone: 1 });
  const first = lane(1);
  await new Promise(setImmediate);
  await Promise.all([first, lane(2), lane(3)]);
  expect(done.batches).toEqual([[1], [2, 3]]);
});

test("one that has to come again is the first of the next batch", async () => {
  const { lane, done } = laneOf({ most: 2, few: 1, batches: 1, alone: 1 }, (item) =>
    item === 2 ? "again" : null,
  );
  await Promise.all([1, 2, 3, 4].map(lane));
  expect(done.batches).toEqual([[1, 2], [2, 3], [4]]);
});

test("where a batch fails each goes alone, and only the one that fails there fails", async () => {
  const { lane, done } = laneOf({ most: 10, few: 1, batches: 1, alone: 2 }, (item) =>
    item === 2 ? "throws" : null,
  );
  const results = await Promise.allSettled([1, 2, 3].map(lane));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(done.alone).toEqual([1, 2, 3]);
});

test("whatever comes when and is turned away how, each is done once and no limit is passed", async () => {
  const item = fc.record({
    turn: fc.constantFrom("alone" as const, "again" as const, "throws" as const, null, null, null),
    pause: fc.boolean(),
  });
  const limits = fc.record({
    most: fc.integer({ min: 1, max: 4 }),
    few: fc.integer({ min: 1, max: 3 }),
    batches: fc.integer({ min: 1, max: 3 }),
    alone: fc.integer({ min: 1, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(limits, fc.array(item, { maxLength: 25 }), async (within, items) => {
      const { lane, done } = laneOf(within, (at) => items[at]?.turn ?? null);
      const results: Promise<string>[] = [];
      for (const [at, { pause }] of items.entries()) {
        results.push(lane(at));
        if (pause) await new Promise(setImmediate);
      }
      const ended = await Promise.allSettled(results);
      for (const [at, result] of ended.entries())
        if (items[at]?.turn === "throws") expect(result.status).toBe("rejected");
        else expect(result).toMatchObject({ value: expect.stringMatching(new RegExp(` ${at}$`)) });
      expect(new Set(done.alone).size).toBe(done.alone.length);
      expect(done.mostBatches).toBeLessThanOrEqual(within.batches);
      expect(done.mostAlone).toBeLessThanOrEqual(within.alone);
      for (const batch of done.batches) expect(batch.length).toBeLessThanOrEqual(within.most);
    }),
    { numRuns: 30 },
  );
});
