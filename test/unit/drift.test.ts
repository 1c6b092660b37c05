/** What kind of value stands in a cell, as the shape of a stream tells it. */
import { expect, test } from "vitest";
import { kindOf } from "../../src/sync/drift.ts";

test.each([
  ["12", "number"],
  ["-1,234.50", "number"],
  ["£12.50", "number"],
  ["1.234,56", "number"],
  ["(12.00)", "number"],
  ["20%", "number"],
  [".5", "number"],
  ["2026-03-31", "date"],
  ["2026-03-31T08:15:00Z", "date"],
  ["31/03/2026", "date"],
  ["31.03.26", "date"],
  ["31-Mar-2026", "date"],
  ["Y", "yes/no"],
  ["FALSE", "yes/no"],
  [true, "yes/no"],
  [7, "number"],
  ["LS1 4AP", "text"],
  ["12 Mill Lane", "text"],
  [{ nested: 1 }, "text"],
  ["  ", "blank"],
  [null, "blank"],
])("%j is of the kind %s", (value, kind) => {
  expect(kindOf(value)).toBe(kind);
});
