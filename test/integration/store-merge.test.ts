import { randomUUIDv7 } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { records } from "../../src/model/index.ts";
import type { AnyRecord, RecordDefinition } from "../../src/model/index.ts";
import { countRemovals, mergeStaging, openStaging } from "../../src/store/index.ts";
import type { MergeOptions, MergeResult } from "../../src/store/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const ORIGIN = randomUUIDv7();
const NOON = Temporal.Instant.from("2026-03-31T12:00:00Z");

const branchRecord = records.branch as unknown as RecordDefinition;
const branch = (code: string, name: string): AnyRecord => ({
  branch: code,
  name,
  defaultChannel: "counter",
});

interface Merge {
  readonly rows: readonly AnyRecord[];
  readonly feed?: string;
  readonly company?: string;
  readonly snapshot?: boolean;
  readonly record?: RecordDefinition;
  readonly at?: Temporal.Instant;
}

/** Stages the rows as lines 1, 2, 3 … and hands them over; the staging table is gone afterwards. */
async function staged<T>(
  { rows, feed = "erp/branch", company = "M1", snapshot = true, ...rest }: Merge,
  work: (options: MergeOptions) => Promise<T>,
): Promise<T> {
  const { record = branchRecord, at = NOON } = rest;
  const runId = randomUUIDv7();
  const staging = await openStaging(database.store, { record, runId });
  rows.forEach((row, index) => staging.add(row, ORIGIN, index + 1));
  await staging.flush();
  expect(staging.pending).toBe(0);
  try {
    return await work({ company, feed, record, staging, snapshot, runId, at });
  } finally {
    await staging.drop();
  }
}

const merge = (options: Merge): Promise<MergeResult> =>
  staged(options, (given) => database.store.transaction((tx) => mergeStaging(tx, given)));

const table = (company = "M1") =>
  database.store.query<{ branch: string; name: string; feed: string; line: number }>(
    'SELECT branch, name, feed, origin_line AS line FROM branch WHERE company = $1 ORDER BY branch COLLATE "C"',
    [company],
  );

beforeEach(async () => {
  await database.store.query("TRUNCATE branch, price_rule, receipt");
});

describe("a snapshot", () => {
  test("inserts what is new, updates what differs, removes what is missing, leaves the rest", async () => {
    const first = [branch("A", "Ashford"), branch("B", "Bath"), branch("C", "Cork")];
    expect(await merge({ rows: first })).toEqual({
      before: 0,
      inserted: 3,
      updated: 0,
      unchanged: 0,
      repeated: 0,
      removed: 0,
      after: 3,
      conflicts: [],
    });
    const second = [branch("A", "Ashford"), branch("B", "Bath Road"), branch("D", "Dover")];
    expect(await merge({ rows: second })).toEqual({
      before: 3,
      inserted: 1,
      updated: 1,
      unchanged: 1,
      repeated: 0,
      removed: 1,
      after: 3,
      conflicts: [],
    });
    expect((await table()).map(({ branch, name }) => `${branch} ${name}`)).toEqual([
      "A Ashford",
      "B Bath Road",
      "D Dover",
    ]);
  });

  test("does not write a row that is unchanged", async () => {
    const rows = [branch("A", "Ashford"), branch("B", "Bath")];
    await merge({ rows });
    const versions = () => database.store.query("SELECT xmin::text, ctid::text FROM branch");
    const before = await versions();
    await merge({ rows, at: NOON.add({ hours: 24 }) });
    expect(await versions()).toEqual(before);
  });

  test("that says two things about a key: the first line stands, the other is a conflict", async () => {
    const rows = [
      branch("A", "Ashford"),
      branch("A", "Ashford"),
      branch("A", "Another"),
      branch("B", "Bath"),
    ];
    const result = await merge({ rows });
    expect(result).toMatchObject({ inserted: 2, repeated: 1, after: 2 });
    expect(result.conflicts).toEqual([
      {
        originId: ORIGIN,
        line: 3,
        key: "A",
        reason: "the branch stands on line 1 already, with other content; the first one counts",
      },
    ]);
    expect((await table())[0]).toMatchObject({ name: "Ashford", line: 1 });
  });

  test("touches neither another company's rows nor another feed's", async () => {
    await merge({ rows: [branch("A", "Ashford")], company: "M2" });
    await merge({ rows: [branch("A", "Ashford")], feed: "manual/branch" });
    const result = await merge({ rows: [branch("A", "Stolen"), branch("B", "Bath")] });
    expect(result).toMatchObject({ before: 0, inserted: 1, removed: 0, after: 1 });
    expect(result.conflicts).toEqual([
      {
        originId: ORIGIN,
        line: 1,
        key: "A",
        reason: "the branch is kept by manual/branch; a record has one source",
      },
    ]);
    expect(await merge({ rows: [] })).toMatchObject({ before: 1, removed: 1, after: 0 });
    expect((await table()).map(({ name }) => name)).toEqual(["Ashford"]);
    expect(await table("M2")).toHaveLength(1);
  });

  test("never removes what was posted", async () => {
    const record = records.receipt as unknown as RecordDefinition;
    const receipt = {
      receipt: "R1",
      account: "A1",
      receivedOn: "2026-03-31",
      kind: "cash",
      amount: "10.00",
      currency: "GBP",
    };
    await merge({ record, rows: [receipt] });
    expect(await merge({ record, rows: [] })).toMatchObject({ before: 1, removed: 0, after: 1 });
    const brake = await staged({ record, rows: [] }, (options) =>
      database.store.transaction((tx) => countRemovals(tx, options)),
    );
    expect(brake).toEqual({ before: 1, removals: 0 });
  });

  test("can be asked first what it would remove", async () => {
    await merge({ rows: ["A", "B", "C"].map((code) => branch(code, code)) });
    const brake = await staged({ rows: [branch("B", "Bath"), branch("X", "X")] }, (options) =>
      database.store.transaction((tx) => countRemovals(tx, options)),
    );
    expect(brake).toEqual({ before: 3, removals: 2 });
    expect(await table()).toHaveLength(3);
  });

  test("merges the same whether it was asked first or not, also when another was asked between", async () => {
    await merge({ rows: ["A", "B", "C"].map((code) => branch(code, code)) });
    await merge({ rows: [branch("Z", "Z")], feed: "manual/branch" });
    const rows = [branch("A", "A"), branch("B", "Bath"), branch("X", "X"), branch("X", "X")];
    await staged({ rows }, (asked) =>
      staged({ rows: [], feed: "manual/branch" }, async (other) => {
        const result = await database.store.transaction(async (tx) => {
          expect(await countRemovals(tx, asked)).toEqual({ before: 3, removals: 1 });
          expect(await countRemovals(tx, other)).toEqual({ before: 1, removals: 1 });
          await mergeStaging(tx, other);
          expect(await countRemovals(tx, asked)).toEqual({ before: 3, removals: 1 });
          return mergeStaging(tx, asked);
        });
        expect(result).toMatchObject({
          inserted: 1,
          updated: 1,
          unchanged: 1,
          repeated: 1,
          removed: 1,
        });
      }),
    );
  });
});

describe("a delta", () => {
  test("adds and changes, removes nothing, and the last line of a key stands", async () => {
    await merge({ rows: [branch("A", "Ashford"), branch("B", "Bath")] });
    const rows = [branch("C", "Cork"), branch("A", "First"), branch("A", "Last")];
    expect(await merge({ rows, snapshot: false })).toEqual({
      before: 2,
      inserted: 1,
      updated: 1,
      unchanged: 0,
      repeated: 1,
      removed: 0,
      after: 3,
      conflicts: [],
      overruled: [{ originId: ORIGIN, rows: 1, key: "A", line: 2, by: 3 }],
    });
    expect((await table())[0]).toMatchObject({ name: "Last", line: 3 });
  });
});

describe("the content of a row", () => {
  test("comes back as it went in, whatever characters it has", async () => {
    const name = 'tab\tnew\nline\rback\\slash \\N \\. "quote" £ 🧱 \u2028 x\u0001';
    await merge({ rows: [branch("A\\N", name)] });
    expect(await table()).toMatchObject([{ branch: "A\\N", name }]);
    expect(await merge({ rows: [branch("A\\N", name)] })).toMatchObject({ unchanged: 1 });
  });

  test("is the same for every way to write a decimal", async () => {
    const record = records["price-rule"] as unknown as RecordDefinition;
    const rule = (value: string, fromQuantity: string): AnyRecord => ({
      rule: "R",
      customerScope: "everyone",
      customerCode: null,
      productScope: "product",
      productCode: "P",
      kind: "fixed",
      value,
      currency: "GBP",
      unit: null,
      fromQuantity,
      validFrom: null,
      validTo: null,
      priority: null,
      net: false,
      contract: null,
      contractQuantity: null,
    });
    await merge({ record, rows: [rule("12.5", "10")] });
    for (const [value, from] of [
      ["12.50", "10.0"],
      ["+12.500000", "010"],
    ] as const)
      expect(await merge({ record, rows: [rule(value, from)] })).toMatchObject({ unchanged: 1 });
    expect(await merge({ record, rows: [rule("12.51", "10")] })).toMatchObject({ updated: 1 });
    const clash = await merge({ record, rows: [rule("1", "10.50"), rule("2", "10.5")] });
    expect(clash.conflicts).toMatchObject([{ line: 2, key: "R / 10.5" }]);
  });

  test("with a NUL character is refused with the record's key", async () => {
    await expect(merge({ rows: [branch("A", "a\0b")] })).rejects.toThrow(
      "Storing the branch A: it holds a NUL character",
    );
  });
});

test("a big first load keeps the key, its order of lines and its counts", async () => {
  const rows = Array.from({ length: 20_500 }, (_, n) => branch(`B${n % 20_400}`, `${n % 20_400}`));
  expect(await merge({ rows })).toMatchObject({ inserted: 20_400, repeated: 100, after: 20_400 });
  await expect(
    database.store.query("INSERT INTO branch SELECT * FROM branch LIMIT 1"),
  ).rejects.toThrow(/duplicate key value violates unique constraint "branch_pkey"/);
  expect(await merge({ rows: rows.slice(0, 20_400) })).toMatchObject({ unchanged: 20_400 });
});

test("a transaction that fails after the merge leaves table and staging as they were", async () => {
  await merge({ rows: [branch("A", "Ashford")] });
  const rows = [branch("A", "New"), branch("A", "Newer"), branch("B", "Bath")];
  await staged({ rows, snapshot: false }, async (options) => {
    const failing = database.store.transaction(async (tx) => {
      await mergeStaging(tx, options);
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await table()).toMatchObject([{ name: "Ashford" }]);
    const again = await database.store.transaction((tx) => mergeStaging(tx, options));
    expect(again).toMatchObject({ inserted: 1, updated: 1, repeated: 1 });
  });
});

describe("for any series of merges", () => {
  const row = fc.record({
    code: fc.constantFrom("A", "B", "C", "D"),
    name: fc.constantFrom("one", "two"),
  });
  const step = fc.record({
    feed: fc.constantFrom("erp/branch", "manual/branch"),
    snapshot: fc.boolean(),
    rows: fc.array(row, { maxLength: 7 }),
  });

  test("table and counts are those of the plainest program that does the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        await database.store.query("TRUNCATE branch");
        const model = new Map<string, { name: string; feed: string }>();
        for (const { feed, snapshot, rows } of steps) {
          const expected = plainMerge(model, feed, snapshot, rows);
          const given = rows.map(({ code, name }) => branch(code, name));
          const { overruled, ...result } = await merge({ feed, snapshot, rows: given });
          expect({ ...result, conflicts: result.conflicts.length }).toEqual(expected);
          const last = new Map(rows.map(({ code, name }) => [code, name]));
          const differ = rows.filter(({ code, name }) => !snapshot && last.get(code) !== name);
          expect(overruled?.[0]?.rows ?? 0).toBe(differ.length);
          const found = (await table()).map(({ branch, name, feed }) => [branch, { name, feed }]);
          expect(found).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
          const again = await merge({ feed, snapshot, rows: given });
          expect(again).toMatchObject({ inserted: 0, updated: 0, removed: 0 });
        }
      }),
      { numRuns: 40 },
    );
  });
});

type Counts = Omit<MergeResult, "conflicts"> & { readonly conflicts: number };

function plainMerge(
  model: Map<string, { name: string; feed: string }>,
  feed: string,
  snapshot: boolean,
  rows: readonly { readonly code: string; readonly name: string }[],
): Counts {
  const mine = () => [...model.values()].filter((kept) => kept.feed === feed).length;
  const counts = { inserted: 0, updated: 0, unchanged: 0, repeated: 0, removed: 0, conflicts: 0 };
  const before = mine();
  const standing = new Map<string, string>();
  for (const { code, name } of rows) {
    const first = standing.get(code);
    if (first === undefined || !snapshot) standing.set(code, name);
    if (first === undefined) continue;
    counts[snapshot && first !== name ? "conflicts" : "repeated"] += 1;
  }
  for (const [code, name] of standing) {
    const kept = model.get(code);
    if (kept !== undefined && kept.feed !== feed) counts.conflicts += 1;
    else {
      counts[kept === undefined ? "inserted" : kept.name === name ? "unchanged" : "updated"] += 1;
      model.set(code, { name, feed });
    }
  }
  for (const [code, kept] of snapshot ? model : [])
    if (kept.feed === feed && !standing.has(code)) {
      model.delete(code);
      counts.removed += 1;
    }
  return { before, ...counts, after: mine() };
}

describe("what prices rest on", () => {
  const LATER = NOON.add({ hours: 1 });
  const kept = (company: string) =>
    database.store.query(
      `SELECT change, key, place, was ->> 'name' AS was, known_from AS "from", known_to AS "to"
         FROM superseded_row WHERE company = $1 ORDER BY change, key`,
      [company],
    );
  const changes = (company: string) =>
    database.store.query(
      "SELECT record, number, whole FROM record_change WHERE company = $1 ORDER BY 1, 2",
      [company],
    );

  test("a superseded row is closed, not deleted: what it was, from when to when it was known", async () => {
    const company = "KEPT";
    await merge({
      company,
      rows: [branch("A", "Ashford"), branch("B", "Bath"), branch("C", "Cork")],
    });
    await merge({
      company,
      at: LATER,
      rows: [branch("A", "Ashby"), branch("C", "Cork"), branch("D", "Dover")],
    });
    expect(await kept(company)).toEqual([
      { change: 2, key: "A", place: "", was: "Ashford", from: NOON, to: LATER },
      { change: 2, key: "B", place: "", was: "Bath", from: NOON, to: LATER },
      { change: 2, key: "D", place: "", was: null, from: null, to: LATER },
    ]);
  });

  test("a first load writes no superseded row, the same again nothing at all", async () => {
    const company = "FIRST";
    const rows = [branch("A", "Ashford"), branch("B", "Bath")];
    await merge({ company, rows });
    await merge({ company, rows });
    expect(await kept(company)).toEqual([]);
    expect(await changes(company)).toEqual([{ record: "branch", number: 1, whole: true }]);
  });

  test("a rule that moves to another customer is found at both", async () => {
    const record = records["price-rule"] as unknown as RecordDefinition;
    const rule = (account: string) => ({
      rule: "R1",
      customerScope: "account",
      customerCode: account,
      productScope: "everything",
      kind: "percent",
      value: "5",
      currency: "GBP",
      fromQuantity: "0",
      net: false,
    });
    const company = "MOVES";
    const blank = Object.fromEntries(Object.keys(record.fields).map((name) => [name, null]));
    await merge({ company, record, rows: [{ ...blank, ...rule("OLD") }] });
    await merge({ company, record, at: LATER, rows: [{ ...blank, ...rule("NEW") }] });
    const rows = await database.store.query(
      "SELECT place, was IS NOT NULL AS held FROM superseded_row WHERE company = $1 ORDER BY 1",
      [company],
    );
    expect(rows).toEqual([
      { place: "account NEW", held: false },
      { place: "account OLD", held: true },
    ]);
  });
});
