import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addCounts,
  addRows,
  emptyRowCounts,
  unaccounted,
  unchangedCounts,
  type RecordCounts,
  type RowCounts,
} from "../../src/sync/accounting.ts";

const ROWS: RowCounts = { read: 10, mapped: 6, ignored: 1, repeated: 2, quarantined: 1 };
const COUNTS: RecordCounts = {
  record: "customer",
  mapped: 9,
  before: 20,
  inserted: 2,
  updated: 3,
  unchanged: 2,
  repeated: 1,
  conflicts: 1,
  removed: 4,
  after: 18,
};

const accounted = (rows: RowCounts, counts: RecordCounts) =>
  unaccounted(rows, new Map([["tradepost-csv/customer", counts]]));

test("a run of which both sums hold is accounted for", () => {
  expect(accounted(ROWS, COUNTS)).toEqual([]);
  expect(unaccounted(emptyRowCounts(), new Map())).toEqual([]);
});

test("a row too many or too few on either side is named with all its parts", () => {
  expect(accounted({ ...ROWS, read: 11 }, COUNTS)).toMatchInlineSnapshot(`
    [
      "rows: read 11, but mapped 6 + ignored 1 + repeated 2 + quarantined 1 = 10",
    ]
  `);
  expect(accounted(ROWS, { ...COUNTS, after: 17 })).toMatchInlineSnapshot(`
    [
      "tradepost-csv/customer: before 20 + inserted 2 − removed 4 = 18, but 17 are there",
    ]
  `);
  expect(accounted(ROWS, { ...COUNTS, mapped: 10 })).toMatchInlineSnapshot(`
    [
      "tradepost-csv/customer: inserted 2 + updated 3 + unchanged 2 + repeated 1 + conflicts 1 = 9, but 10 records were mapped",
    ]
  `);
});

test("no single count can be off by one without a sum that breaks", () => {
  for (const part of ["read", "mapped", "ignored", "repeated", "quarantined"] as const)
    expect(accounted({ ...ROWS, [part]: ROWS[part] + 1 }, COUNTS), part).toHaveLength(1);
  const parts = [
    "before",
    "inserted",
    "updated",
    "unchanged",
    "repeated",
    "conflicts",
    "removed",
    "after",
    "mapped",
  ] as const;
  for (const part of parts)
    expect(accounted(ROWS, { ...COUNTS, [part]: COUNTS[part] + 1 }), part).not.toEqual([]);
});

const some = fc.nat(1_000);
/** A merge that adds up, on top of so many records. */
const mergeOn = (before: number) =>
  fc
    .record({ inserted: some, updated: some, unchanged: some, repeated: some, conflicts: some })
    .chain((counts) =>
      fc.nat(before).map((removed): RecordCounts => {
        const { inserted, updated, unchanged, repeated, conflicts } = counts;
        const mapped = inserted + updated + unchanged + repeated + conflicts;
        return {
          record: "customer",
          before,
          ...counts,
          removed,
          mapped,
          after: before + inserted - removed,
        };
      }),
    );

test("merges that add up, one after another, add up together", () => {
  const two = some
    .chain(mergeOn)
    .chain((first) => mergeOn(first.after).map((second) => [first, second] as const));
  fc.assert(
    fc.property(two, ([first, second]) => {
      const both = addCounts(addCounts(undefined, first), second);
      expect(accounted(ROWS, both)).toEqual([]);
      expect(both).toMatchObject({ before: first.before, after: second.after });
    }),
  );
});

test("rows add up in any order, and to nothing when there are none", () => {
  const counts = fc.record({
    read: some,
    mapped: some,
    ignored: some,
    repeated: some,
    quarantined: some,
  });
  fc.assert(
    fc.property(counts, counts, (one, other) => {
      expect(addRows(one, other)).toEqual(addRows(other, one));
      expect(addRows(one, emptyRowCounts())).toEqual(one);
    }),
  );
});

test("a snapshot that is the last one again adds up, and nothing of it is new, changed or gone", () => {
  fc.assert(
    fc.property(some.chain(mergeOn), (last) => {
      const again = unchangedCounts({ "tradepost-csv/customer": last }).get(
        "tradepost-csv/customer",
      );
      expect(again).toMatchObject({
        inserted: 0,
        updated: 0,
        removed: 0,
        before: last.after,
        after: last.after,
      });
      if (again !== undefined) expect(accounted(ROWS, again)).toEqual([]);
    }),
  );
});
