import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Connection } from "../../src/connections/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Json, ReadEvent, SourceRow, StreamDefinition } from "../../src/connector/index.ts";
import { compileMapping } from "../../src/mapping/index.ts";
import { listRuns } from "../../src/sync/index.ts";
import type { RunResult } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { connectionOf, openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const origin = (name: string): ReadEvent => ({ kind: "origin", origin: { name } });
const checkpoint = (cursor: Json): ReadEvent => ({ kind: "checkpoint", cursor, more: false });
const at = (value: string | number, key = "K") => ({ value, key });
const noon = (minute: number) => `2026-03-31T12:${String(minute).padStart(2, "0")}:00Z`;

type Given = Omit<Partial<SourceRow>, "at"> & { readonly at?: SourceRow["at"] | null };

const rows = (...given: readonly Given[]): ReadEvent => ({
  kind: "rows",
  rows: given.map(({ at: place, ...row }, index) => {
    const account = `A00${index + 1}`;
    const values = { account, name: account };
    const stands = place === null ? {} : { at: place ?? at(noon(index), account) };
    return {
      line: index + 1,
      raw: JSON.stringify(row.values ?? values),
      values,
      ...stands,
      ...row,
    };
  }),
});

const DELTA = { grain: "second", zone: "utc", ordered: true, overlap: 0 } as const;
type Definition = Partial<StreamDefinition>;

function giving(events: readonly ReadEvent[], definition: Definition = {}): Connection {
  return connectionOf(
    { name: "customers", reading: "delta", delta: DELTA, ...definition },
    {
      async *read() {
        yield* events;
      },
    },
  );
}

/** The stream's one run, and that nothing of it is to be seen. */
async function stopped(pulling: Pulling, connection: Connection): Promise<RunResult> {
  const before = await pulling.rows("customer", "account", "name");
  const [result] = await pulling.sync({}, { connection });
  if (result === undefined) throw new Error("there is no run");
  expect(result.state).toBe("stopped");
  expect(await pulling.rows("customer", "account", "name")).toEqual(before);
  const [run] = await listRuns(database.store, pulling.company, { limit: 1 });
  expect(run).toMatchObject({ id: result.runId, state: "stopped", faultKind: result.fault?.kind });
  return result;
}

/** What is told of a read of these events, and of what kind it is. */
async function told(events: readonly ReadEvent[], definition: Definition = {}): Promise<string> {
  const pulling = await openPulling(database.store, ["customer"]);
  const { fault, notes } = await stopped(pulling, giving(events, definition));
  return `${fault?.kind ?? "none"}: ${notes.join(" ")}`;
}

/** A stream that stands somewhere already. */
async function standing(cursor: Json): Promise<Pulling> {
  const pulling = await openPulling(database.store, ["customer"]);
  await pulling.sync(
    {},
    { connection: giving([origin("one"), rows({}), checkpoint(at(noon(0), "A001"))]) },
  );
  await database.store.affect("update stream_state set cursor = $2 where company = $1", [
    pulling.company,
    JSON.stringify(cursor),
  ]);
  return pulling;
}

const DEFECT =
  " Nothing of it was published. This is a defect of the connector: report it with this message.";

describe("a delta that breaks its promise publishes nothing and says what it broke", () => {
  test.each<[string, readonly ReadEvent[], Definition, string]>([
    [
      "rows that do not say where they stand",
      [origin("one"), rows({ at: null }), checkpoint(at(noon(9)))],
      {},
      "row 1 does not say where it stands (`at`), which rows of a delta must.",
    ],
    [
      "ordered rows that step back",
      [origin("one"), rows({ at: at(noon(2)) }, { at: at(noon(1)) }), checkpoint(at(noon(9)))],
      {},
      `row 2 at {"value":"${noon(1)}","key":"K"} came behind {"value":"${noon(2)}","key":"K"}: rows ` +
        "stepped back or came twice, where the stream promises that they ascend.",
    ],
    [
      "a page that comes twice",
      [origin("one"), rows({}, {}), origin("two"), rows({}, {}), checkpoint(at(noon(9)))],
      {},
      `row 1 at {"value":"${noon(0)}","key":"A001"} came behind {"value":"${noon(1)}","key":"A002"}: ` +
        "rows stepped back or came twice, where the stream promises that they ascend.",
    ],
    [
      "a mark in rows that have no order",
      [origin("one"), rows({}), { kind: "mark", cursor: at(noon(0)) }, checkpoint(at(noon(9)))],
      { delta: { ...DELTA, ordered: false } },
      "a mark came, and rows that are in no order are whole only at their end.",
    ],
    [
      "a second checkpoint of rows that have no order",
      [origin("one"), rows({}), checkpoint(at(noon(8))), origin("two"), checkpoint(at(noon(9)))],
      { delta: { ...DELTA, ordered: false } },
      "a second checkpoint came, and rows that are in no order are whole only at their end.",
    ],
    [
      "a cursor behind the last row",
      [origin("one"), rows({}, {}), checkpoint(at(noon(0), "A001"))],
      {},
      `the cursor that came, {"value":"${noon(0)}","key":"A001"}, is behind ` +
        `{"value":"${noon(1)}","key":"A002"}, which was read already.`,
    ],
    [
      "a cursor that is none",
      [origin("one"), rows({}), checkpoint({ page: 2 })],
      {},
      'the cursor that came is none: {"page":2}.',
    ],
    [
      "stamps of two lengths",
      [origin("one"), rows({}, { at: at("2026-03-31T12:01Z") }), checkpoint(at(noon(9)))],
      {},
      `positions {"value":"2026-03-31T12:01Z","key":"K"} and {"value":"${noon(0)}","key":"A001"} ` +
        "are not of one form.",
    ],
  ])("%s", async (name, events, definition, what) => {
    // The first of the two checkpoints of unordered rows may publish: only it is whole.
    if (name.startsWith("a second checkpoint")) {
      const pulling = await openPulling(database.store, ["customer"]);
      const [result] = await pulling.sync({}, { connection: giving(events, definition) });
      expect(result).toMatchObject({
        state: "stopped",
        fault: { kind: "defect" },
        rows: { read: 1 },
      });
      expect(result?.notes[0]).toContain(what);
      return;
    }
    expect(await told(events, definition)).toBe(`defect: Reading erp/customers: ${what}${DEFECT}`);
  });

  test("rows that say they were removed, where the stream does not declare that", async () => {
    expect(await told([origin("one"), rows({ removed: true }), checkpoint(at(noon(9)))])).toContain(
      "defect: Reading one: row 1 says that it was removed, and the stream does not declare",
    );
  });

  test("a delta whose absent rows would count as removed", async () => {
    const events = [origin("one"), rows({}), checkpoint(at(noon(9)))];
    expect(await told(events, { deletions: "absence" })).toContain(
      "defect: Stream customers: a delta holds only what is new",
    );
  });

  test("rows that all lack a column of their key, which then is none", async () => {
    const nameless = { values: { name: "A" } };
    const five = [1, 2, 3, 4, 5].map(() => nameless);
    const events = [origin("one"), rows(...five), checkpoint(at(noon(9)))];
    expect(await told(events, { key: ["account"] })).toContain(
      "defect: Reading one: each of its 5 rows lacks account, which the stream declares as a column of their key.",
    );
  });
});

describe("a cursor", () => {
  test.each<[string, Json, string]>([
    [
      "corrupt",
      { value: "yesterday", key: "A001" },
      "is corrupt: expected { value, key } with a stamp to the second.",
    ],
    [
      "of another kind",
      { page: 7 },
      "is corrupt: expected { value, key } with a stamp to the second.",
    ],
    [
      "from the future",
      at("2026-04-02T21:00:00Z"),
      "is of the future, where every row up to then would be passed over",
    ],
  ])("that is %s is a loud fault of the settings, with what to do", async (_name, cursor, what) => {
    const pulling = await standing(cursor);
    const connection = giving([origin("two"), rows({ at: at(noon(5)) }), checkpoint(at(noon(5)))]);
    const result = await stopped(pulling, connection);
    expect(result.fault).toEqual({ kind: "config", retryAt: null });
    expect(result.notes[0]).toContain(what);
    expect(result.notes[0]).toContain("run: sync customers --from-start.");
    const [again] = await pulling.sync({ fromStart: true }, { connection });
    expect(again).toMatchObject({ state: "published", rows: { read: 1 } });
    const [next] = await pulling.sync({}, { connection });
    expect(next?.state).toBe("published");
  });

  test.each<[string, Json]>([
    ["null", null],
    ["{}", {}],
    ['""', ""],
  ])("that is empty (%s) never replaces a good one", async (text, cursor) => {
    const pulling = await standing(at(noon(0), "A001"));
    const result = await stopped(pulling, giving([origin("two"), checkpoint(cursor)]));
    expect(result.notes[0]).toContain(
      `the cursor that came is empty (${text}), and the stream stands at`,
    );
    expect(result.fault?.kind).toBe("defect");
  });

  test("that steps back behind where the stream stands is refused", async () => {
    const pulling = await standing(at(noon(7), "A001"));
    const result = await stopped(pulling, giving([origin("two"), checkpoint(at(noon(6), "A001"))]));
    expect(result.notes[0]).toContain("which was read already");
  });

  test("is not moved into the future by one row that is stamped so", async () => {
    const pulling = await standing(at(noon(0), "A001"));
    const late = at("2062-03-31T12:00:00Z", "A001");
    const result = await stopped(
      pulling,
      giving([origin("two"), rows({ at: late }), checkpoint(late)]),
    );
    expect(result.notes[0]).toContain("Correct the stamp of that row in the source");
    expect(result.fault?.kind).toBe("refused");
  });

  test("of a counter may be any number", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const delta = { grain: "number", zone: "none", ordered: true, overlap: 0 } as const;
    const events = [origin("one"), rows({ at: at(9) }, { at: at(10) }), checkpoint(at(10))];
    const [result] = await pulling.sync({}, { connection: giving(events, { delta }) });
    expect(result).toMatchObject({ state: "published", rows: { read: 2 } });
  });
});

describe("a row", () => {
  test("that is not of the stream's shape waits with field, found and expected; the run goes on", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const row = z.object({
      account: z.string(),
      name: z.string(),
      address: z.object({ town: z.string() }).optional(),
    });
    const connection = giving(
      [
        origin("one"),
        rows(
          {},
          { values: { account: "A002", name: 7 } },
          { values: { account: "", name: "C" } },
          {
            values: { account: "A004", name: "D", address: { town: null } },
          },
        ),
        checkpoint(at(noon(9))),
      ],
      { row, key: ["account"] },
    );
    const [result] = await pulling.sync({}, { connection });
    expect(result).toMatchObject({
      state: "published",
      rows: { read: 4, mapped: 1, quarantined: 3 },
    });
    const items = await pulling.desk.list({});
    expect(
      items
        .map(({ line, recordKey, problems }) => {
          const [problem] = problems;
          return `${line} ${recordKey ?? "?"} ${problem?.field}: ${problem?.found}, ${problem?.expected}`;
        })
        .toSorted(),
    ).toEqual([
      "2 A002 name: 7, Invalid input: expected string, received number",
      '3 ? account: "", a value, as part of the row\'s key',
      "4 A004 address.town: null, Invalid input: expected string, received null",
    ]);
  });
});

describe("a row that lacks a column of its stream's key", () => {
  const KEYED = { key: ["account"], row: z.object({ account: z.string(), name: z.string() }) };
  const nameless = { values: { name: "A" } };

  test("waits with the column, what was found and expected, and what to do; the run goes on", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const events = [
      origin("one"),
      rows({}, nameless, {}, nameless, nameless, nameless, nameless),
      checkpoint(at(noon(9))),
    ];
    const [result] = await pulling.sync({}, { connection: giving(events, KEYED) });
    expect(result).toMatchObject({
      state: "published",
      rows: { read: 7, mapped: 2, quarantined: 5 },
    });
    const [item] = await pulling.desk.list({});
    expect(item?.problems).toEqual([
      {
        field: "account",
        found: "nothing",
        expected: "a value, as part of the row's key",
        instruction:
          "Correct account in the source; if it is right there, the connector reads another shape than it says.",
      },
    ]);
  });

  test("is no reason to stop where there are only four", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const four = rows(nameless, nameless, nameless, nameless);
    const connection = giving([origin("one"), four, checkpoint(at(noon(9)))], KEYED);
    const [result] = await pulling.sync({}, { connection });
    expect(result).toMatchObject({ state: "published", rows: { read: 4, quarantined: 4 } });
  });

  test("stops a comparison of keys, by which it would be removed", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = connectionOf(
      { name: "customers", reading: "delta", key: ["account"], deletions: "keys" },
      {
        async *read() {
          yield* [origin("all"), rows({ at: null }, { at: null }), checkpoint({ at: 1 })];
        },
        async *keys() {
          yield* [origin("keys"), rows({ at: null }, nameless), checkpoint(null)];
        },
      },
    );
    await pulling.sync({}, { connection });
    const [result] = await pulling.sync({ compareKeys: true }, { connection });
    expect(result).toMatchObject({ state: "stopped", fault: { kind: "defect" } });
    expect(result?.notes[0]).toContain("row 2 lacks account, a column of its key");
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A002"]);
  });
});

test("a bad row that stands for several records removes none of them", async () => {
  const text = [
    "record: branch",
    "reads: customers",
    "about: Two branches in a row.",
    'each: { n: 1 to 2, columns: { CODE: "CODE_{n}" } }',
    "fields: { branch: CODE, name: NAME }",
    "",
  ].join("\n");
  const pulling = await openPulling(database.store, ["customer"]);
  const mappings = [compileMapping({ file: "mappings/x/branch.yaml", text })];
  const read = async (cursor: string, name: string | null) => {
    const values = (a: string, b: string) => ({ CODE_1: a, CODE_2: b, NAME: name ?? "" });
    const events = [
      origin(cursor),
      rows({ values: values("A", "B") }, { values: { ...values("C", "D"), NAME: "Sound" } }),
      checkpoint(cursor),
    ];
    const connection = connectionOf(
      { name: "customers", reading: "snapshot" },
      {
        async *read() {
          yield* events;
        },
      },
    );
    return (await pulling.sync({}, { connection, mappings }))[0];
  };
  await read("1", "Leeds");
  expect(await pulling.rows("branch", "branch")).toEqual(["A", "B", "C", "D"]);
  expect(await read("2", null)).toMatchObject({
    state: "published",
    rows: { mapped: 1, quarantined: 1 },
    records: { "x/branch": { removed: 0, after: 4 } },
  });
});

describe("the source's totals", () => {
  const money = (...amounts: readonly unknown[]): ReadEvent =>
    rows(
      ...amounts.map((amount, index) => ({ values: { account: `A${index}`, name: "A", amount } })),
    );
  const totals = (count: number, amount: string): ReadEvent => ({
    kind: "totals",
    rows: count,
    sums: { amount },
  });
  const snapshot = { name: "customers", reading: "snapshot", about: "" } as const;
  const read = async (events: readonly ReadEvent[], promised: boolean) => {
    const pulling = await openPulling(database.store, ["customer"]);
    const definition = { ...snapshot, ...(promised ? { totals: true as const } : {}) };
    const connection = connectionOf(definition, {
      async *read() {
        yield* events;
      },
    });
    const [result] = await pulling.sync({}, { connection });
    return `${result?.state} ${result?.fault?.kind ?? ""} ${result?.notes.join(" ")}`;
  };

  test("are compared column by column, exactly", async () => {
    const cents = money("0.10", "0.20", 1_000_000.07, "", null);
    expect(await read([origin("one"), cents, totals(5, "1000000.37"), checkpoint("1")], true)).toBe(
      "published  ",
    );
    expect(await read([origin("one"), cents, totals(5, "1000000.36"), checkpoint("1")], true)).toBe(
      "stopped refused Reading one: the source says that amount adds up to 1000000.36, and the rows " +
        "that were read add up to 1000000.37. Nothing of it was published. The next run reads it from " +
        "its start. If this stays, tell who runs the source.",
    );
  });

  test("of a file that disagree say to ask for it again", async () => {
    const file: ReadEvent = { kind: "origin", origin: { name: "one.csv", bytes: 12 } };
    expect(await read([file, money("1"), totals(2, "1"), checkpoint("1")], true)).toContain(
      "says it holds 2 rows, and 1 were read. Nothing of it was published. Ask for the file again.",
    );
  });

  test("may come before the rows", async () => {
    const stated = [origin("one"), totals(2, "3.00"), money("1", "1.99"), checkpoint("1")];
    expect(await read(stated, false)).toContain("the rows that were read add up to 2.99");
  });

  test("name the line that holds no number", async () => {
    const events = [origin("one"), money("1", "1 000,00"), totals(2, "1001"), checkpoint("1")];
    expect(await read(events, true)).toContain("line 2 holds no number there");
  });

  test("that are promised and do not come are refused, origin by origin", async () => {
    const events = [
      origin("one"),
      money("1"),
      origin("two"),
      money("1"),
      totals(1, "1"),
      checkpoint("1"),
    ];
    expect(await read(events, true)).toContain(
      "stopped defect Reading one: it came without the totals that the stream promises with each.",
    );
  });
});

describe("a fault that passes by itself", () => {
  const failing = (retryAt?: Temporal.Instant): Connection =>
    connectionOf(
      { name: "customers", reading: "snapshot" },
      {
        // oxlint-disable-next-line require-yield -- it fails before it gives anything
        async *read() {
          const options = retryAt === undefined ? {} : { retryAt };
          throw new ConnectorFault("throttled", "Too many requests.", "It waits.", options);
        },
      },
    );

  test("says when to try again, later with each run that fails, and the run keeps it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const minutes: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const [result] = await pulling.sync({}, { connection: failing() });
      const retryAt = result?.fault?.retryAt ?? null;
      minutes.push(
        Math.round(retryAt === null ? 0 : pulling.context.now().until(retryAt).total("minutes")),
      );
      const [kept] = await listRuns(database.store, pulling.company, { limit: 1 });
      expect(kept).toMatchObject({ state: "failed", faultKind: "throttled", retryAt });
    }
    expect(minutes).toEqual([1, 2, 4]);
  });

  test("says what the source said of it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const retryAt = pulling.context.now().add({ minutes: 17 });
    const [result] = await pulling.sync({}, { connection: failing(retryAt) });
    expect(result?.fault).toEqual({ kind: "throttled", retryAt });
  });
});
