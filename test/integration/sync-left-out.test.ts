/** Rows of a delta that the mapping leaves aside after it has made records of them. */
import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/connections/index.ts";
import type { ReadEvent, SourceRow, StreamDefinition } from "../../src/connector/index.ts";
import { compileMapping, type Mapping } from "../../src/mapping/index.ts";
import type { RunResult } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { connectionOf, openPulling } from "../support/pulling.ts";

const database = useDatabase();

const mappingOf = (record: string, ...rest: readonly string[]): Mapping =>
  compileMapping({
    file: `mappings/acme/${record}.yaml`,
    text: [`record: ${record}`, "reads: list", "about: What is used.", ...rest, ""].join("\n"),
  });

const BRANCH = mappingOf(
  "branch",
  "ignore: [{ when: STATE, equals: CLOSED, because: it is closed }]",
  "fields: { branch: CODE, name: NAME }",
);

type Values = Readonly<Record<string, unknown>>;
const branch = (CODE: string, STATE = "OPEN"): Values => ({ CODE, NAME: `${CODE} branch`, STATE });

/** A list whose rows are told apart by CODE; each call is what is new. */
function giving(rows: readonly (Values & { gone?: true })[], over: Partial<StreamDefinition> = {}) {
  const given = rows.map(({ gone, ...values }, index): SourceRow => {
    const row = { line: index + 1, raw: JSON.stringify(values), values };
    return gone === true ? { ...row, removed: true } : row;
  });
  const events: readonly ReadEvent[] = [
    { kind: "origin", origin: { name: "list" } },
    { kind: "rows", rows: given },
    { kind: "checkpoint", cursor: { at: 1 }, more: false },
  ];
  return connectionOf(
    { name: "list", reading: "delta", key: ["CODE"], ...over },
    {
      async *read() {
        yield* events;
      },
    },
  );
}

async function pulls(mapping: Mapping, ...connections: readonly Connection[]) {
  const pulling = await openPulling(database.store, []);
  let last: RunResult | undefined;
  for (const connection of connections)
    [last] = await pulling.sync({}, { connection, mappings: [mapping] });
  if (last === undefined) throw new Error("there is no run");
  return { pulling, last };
}

const SIX = ["A", "B", "C", "D", "E", "F"].map((code) => branch(code));

describe("a row of a delta that is now to be ignored", () => {
  test("takes back the record that it made before: counted as removed, and noted", async () => {
    const { pulling, last } = await pulls(
      BRANCH,
      giving(SIX),
      giving([branch("B", "CLOSED"), branch("X", "CLOSED"), branch("G")]),
    );
    expect(last).toMatchObject({
      state: "published",
      rows: { read: 3, mapped: 1, ignored: 2 },
      records: {
        "acme/branch": { before: 6, inserted: 1, updated: 0, removed: 1, after: 6, mapped: 1 },
      },
      notes: ["1 record was removed: the mappings now leave their rows aside."],
    });
    expect(await pulling.rows("branch", "branch")).toEqual(["A", "C", "D", "E", "F", "G"]);
  });

  test("is the record's again when a later row says so", async () => {
    const { pulling, last } = await pulls(
      BRANCH,
      giving(SIX),
      giving([branch("B", "CLOSED"), branch("B"), branch("C"), branch("C", "CLOSED")]),
    );
    expect(last.records["acme/branch"]).toMatchObject({ removed: 1, unchanged: 1, repeated: 1 });
    expect(await pulling.rows("branch", "branch")).toEqual(["A", "B", "D", "E", "F"]);
  });

  test("takes back one break of a price that is used no more", async () => {
    const breaks = mappingOf(
      "price-rule",
      "ignore: [{ when: PRICE, blank: true, because: the break is not used }]",
      'each: { n: [1, 10, 100], columns: { PRICE: "PRICE_{n}" } }',
      "fields:",
      "  rule: CODE",
      "  productCode: CODE",
      "  fromQuantity: n",
      "  value: PRICE",
      "  customerScope: { value: everyone }",
      "  productScope: { value: product }",
      "  kind: { value: fixed }",
    );
    const price = (CODE: string, one: string, ten: string, hundred: string) => {
      return { CODE, PRICE_1: one, PRICE_10: ten, PRICE_100: hundred };
    };
    const { pulling, last } = await pulls(
      breaks,
      giving([price("P", "5.00", "4.00", "3.00"), price("Q", "9.00", "8.00", "")]),
      giving([price("P", "5.00", "", "3.00")]),
    );
    expect(last).toMatchObject({
      rows: { read: 1, mapped: 1 },
      records: { "acme/price-rule": { before: 5, unchanged: 2, removed: 1, after: 4 } },
    });
    expect(await pulling.rows("price_rule", "rule", "from_quantity::float")).toEqual([
      "P 1",
      "P 100",
      "Q 1",
      "Q 10",
    ]);
  });

  test("that would empty a table stops at the drop brake, until a person lets it through", async () => {
    const closed = SIX.map((row) => ({ ...row, STATE: "CLOSED" }));
    const { pulling, last } = await pulls(BRANCH, giving(SIX), giving(closed));
    expect(last.state).toBe("stopped");
    expect(last.notes[0]).toContain("6 branch records are held");
    expect(await pulling.rows("branch", "branch")).toHaveLength(6);
    await pulling.sync(
      { acceptRemovals: true },
      { connection: giving(closed), mappings: [BRANCH] },
    );
    expect(await pulling.rows("branch", "branch")).toEqual([]);
  });

  test.each<[string, Mapping, Partial<StreamDefinition>]>([
    ["the source's rows have no key", BRANCH, { key: [] }],
    [
      "its key is not the record's, so that another row may have made it",
      BRANCH,
      { key: ["CODE", "NAME"] },
    ],
    [
      "the key goes through a table in which two of them may be one",
      mappingOf(
        "branch",
        "ignore: [{ when: STATE, equals: CLOSED, because: it is closed }]",
        "fields:",
        "  branch: { from: CODE, values: { A: A, B: A, C: C, D: D, E: E, F: F } }",
        "  name: NAME",
      ),
      {},
    ],
  ])("leaves it standing where %s", async (_why, mapping, over) => {
    const { pulling, last } = await pulls(
      mapping,
      giving(SIX, over),
      giving([branch("C", "CLOSED")], over),
    );
    expect(last).toMatchObject({
      rows: { ignored: 1 },
      records: { "acme/branch": { removed: 0 } },
    });
    expect(await pulling.rows("branch", "branch")).toContain("C");
  });

  test("leaves a posted document standing", async () => {
    const receipts = mappingOf(
      "receipt",
      "ignore: [{ when: STATE, equals: CLOSED, because: it is closed }]",
      "fields:",
      "  receipt: CODE",
      "  account: NAME",
      '  receivedOn: { value: "2026-03-01" }',
      "  amount: { value: 5 }",
    );
    const { pulling } = await pulls(receipts, giving(SIX), giving([branch("C", "CLOSED")]));
    expect(await pulling.rows("receipt", "receipt")).toContain("C");
  });

  test("adds to what the source itself marks as removed, which no brake holds up", async () => {
    const gone = SIX.slice(0, 4).map((row) => ({ ...row, gone: true as const }));
    const over = { deletions: "marked" } as const;
    const { pulling, last } = await pulls(
      BRANCH,
      giving(SIX, over),
      giving([...gone, branch("E", "CLOSED")], over),
    );
    expect(last.notes).toEqual([
      "5 records were removed: the source says so, or the mappings now leave their rows aside.",
    ]);
    expect(await pulling.rows("branch", "branch")).toEqual(["F"]);
  });
});
