import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { PRICE_STATES, stateTable } from "../../src/pricing/index.ts";

test("the README's table of states is the one in code", async () => {
  expect(await readFile("README.md", "utf8")).toContain(stateTable());
});

test("every state says what it means, when it arises, what a shop shows and what becomes of an order", () => {
  for (const { means, arises, shows, does } of Object.values(PRICE_STATES))
    expect([means, ...arises, shows, does].filter((words) => words.trim() === "")).toEqual([]);
  expect(Object.entries(PRICE_STATES).map(([state, { orders }]) => `${state} ${orders}`)).toEqual([
    "confirmed taken",
    "modelled taken",
    "stale held",
    "unknown refused",
    "onRequest refused",
    "problem refused",
  ]);
});
