import { describe, expect, test } from "vitest";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Json, ReadEvent, SourceRow } from "../../src/connector/index.ts";
import type { Connection } from "../../src/connections/index.ts";
import type { Store } from "../../src/store/index.ts";
import { listRuns, requestStop, streamStates, syncConnection } from "../../src/sync/index.ts";
import type { RunResult } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { connectionOf, openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const origin = (name: string): ReadEvent => ({ kind: "origin", origin: { name } });
const checkpoint = (cursor: Json): ReadEvent => ({ kind: "checkpoint", cursor, more: false });
const mark = (cursor: Json): ReadEvent => ({ kind: "mark", cursor });

function customer(account: string, over: Partial<SourceRow> = {}): SourceRow {
  const values = { account, name: `${account} Ltd` };
  return { line: Number(account.slice(1)), raw: JSON.stringify(values), values, ...over };
}
const rows = (...accounts: readonly string[]): ReadEvent => ({
  kind: "rows",
  rows: accounts.map((account) => customer(account)),
});

const only = ([first]: readonly RunResult[]): RunResult => {
  if (first === undefined) throw new Error("there is no run");
  return first;
};

async function staging(): Promise<number> {
  const found = await database.store.query("select from pg_tables where schemaname = 'staging'");
  return found.length;
}

/** A snapshot of customers in pages of two; cursors are the number of pages read. */
function paged(pages: readonly (readonly string[])[], when?: (page: number) => void): Connection {
  return connectionOf(
    { name: "customers", reading: "snapshot" },
    {
      async *read(_stream, cursor) {
        const done = typeof cursor === "object" && cursor !== null && "pages" in cursor;
        const from = done && typeof cursor["pages"] === "number" ? cursor["pages"] : 0;
        for (const [index, page] of pages.entries()) {
          if (index < from) continue;
          when?.(index);
          yield origin(`page ${index + 1}`);
          yield rows(...page);
          yield mark({ pages: index + 1 });
        }
        when?.(pages.length);
        yield checkpoint("whole");
      },
    },
  );
}

const PAGES = [
  ["A001", "A002"],
  ["A003", "A004"],
  ["A005", "A006"],
];

const broken = () =>
  new ConnectorFault("transient", "The line broke.", "The next run tries again.");

/** A store that a process has no more that was killed: whatever it would write is not written. */
function mortal(store: Store): { readonly store: Store; readonly kill: () => void } {
  let dead = false;
  const killed = () => Promise.reject(new Error("killed"));
  const alive =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      dead ? killed() : work(...args);
  return {
    store: Object.assign(Object.create(store) as Store, {
      query: alive(store.query.bind(store)),
      affect: alive(store.affect.bind(store)),
      copyIn: alive(store.copyIn.bind(store)),
      transaction: alive(store.transaction.bind(store)),
    }),
    kill: () => {
      dead = true;
    },
  };
}

/** Reads until the page is asked for, and dies there as by `kill -9`. */
async function killedAt(
  pulling: Pulling,
  connection: (kill: (page: number) => void) => Connection,
  page: number,
) {
  const { store, kill } = mortal(database.store);
  const source = {
    ...pulling.source,
    connection: connection((asked) => {
      if (asked !== page) return;
      kill();
      throw new Error("killed");
    }),
  };
  await expect(syncConnection({ ...pulling.context, store }, source)).rejects.toThrow(Error);
  pulling.pass(60);
}

describe("a run cut short", () => {
  test.each([1, 2, 3])(
    "by a kill after %i marks loses nothing and repeats nothing: the next one goes on from the mark",
    async (page) => {
      const pulling = await openPulling(database.store, ["customer"]);
      await killedAt(pulling, (when) => paged(PAGES, when), page);
      expect(await pulling.rows("customer", "account")).toEqual([]);
      const asked: number[] = [];
      const connection = paged(PAGES, (each) => asked.push(each));
      const result = only(await pulling.sync({}, { connection }));
      expect(asked[0]).toBe(page);
      expect(result).toMatchObject({
        state: "published",
        rows: { read: 6, mapped: 6, repeated: 0 },
        records: { "tradepost-csv/customer": { mapped: 6, inserted: 6, repeated: 0, after: 6 } },
        origins: ["page 1", "page 2", "page 3"],
        notes: [`It goes on from a run that was cut short: ${page * 2} rows were read before.`],
      });
      expect(await pulling.rows("customer", "account")).toEqual(PAGES.flat());
      expect(await staging()).toBe(0);
    },
  );

  test("keeps what it had read up to its last mark, and says so", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await killedAt(pulling, (when) => paged(PAGES, when), 2);
    await pulling.sync({}, { connection: paged(PAGES) });
    const runs = await listRuns(database.store, pulling.company, { limit: 2 });
    expect(runs.map(({ state, error }) => `${state}: ${error ?? ""}`)).toEqual([
      "published: ",
      "failed: The run was cut short. What it had read up to its last mark is kept; the next run " +
        "goes on from there.",
    ]);
  });

  test("by a fault is gone on with, and a snapshot's removals and bad rows are right", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync({ acceptRemovals: true }, { connection: paged([["A001", "A007", "A008"]]) });
    const bad: ReadEvent = {
      kind: "reject",
      line: 9,
      raw: "?",
      reason: "No row.",
      instruction: "",
    };
    const read = async function* (from: number): AsyncGenerator<ReadEvent> {
      if (from === 0) {
        yield origin("one");
        yield rows("A001", "A002");
        yield bad;
        yield mark({ at: 1 });
        yield rows("A003");
        throw broken();
      }
      yield rows("A004");
      yield { kind: "totals", rows: 4 };
      yield checkpoint("2");
    };
    const connection = connectionOf(
      { name: "customers", reading: "snapshot", totals: true },
      { read: (_stream, cursor) => read(cursor === null || typeof cursor === "string" ? 0 : 1) },
    );
    const cut = only(await pulling.sync({ acceptRemovals: true }, { connection }));
    expect(cut).toMatchObject({
      state: "failed",
      rows: { read: 0 },
      fault: { kind: "transient" },
      notes: [
        "The line broke. The next run tries again.",
        "What was read up to its last mark is kept: the next run goes on from there.",
      ],
    });
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A007", "A008"]);
    expect(await pulling.waiting()).toEqual([]);
    const whole = only(await pulling.sync({ acceptRemovals: true }, { connection }));
    expect(whole).toMatchObject({
      state: "published",
      rows: { read: 4, mapped: 3, quarantined: 1 },
      records: { "tradepost-csv/customer": { before: 3, inserted: 2, removed: 2, after: 3 } },
    });
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A002", "A004"]);
    expect(await pulling.waiting()).toEqual(["one:9 : No row."]);
  });

  test("starts over with a note when the mapping is another one, or when it began a week ago", async () => {
    for (const [change, why] of [
      ["version", "its rows were mapped by another version of the mappings"],
      ["time", "it began more than 7 days ago"],
    ] as const) {
      const pulling = await openPulling(database.store, ["customer"]);
      await killedAt(pulling, (when) => paged(PAGES, when), 2);
      if (change === "time") pulling.pass(8 * 24 * 3600);
      const mappings = pulling.source.mappings.map((mapping) =>
        change === "version" ? { ...mapping, version: "another" } : mapping,
      );
      const result = only(await pulling.sync({}, { connection: paged(PAGES), mappings }));
      expect(result).toMatchObject({
        state: "published",
        rows: { read: 6 },
        notes: [
          `A run that was cut short is not gone on with, since ${why}: all is read from the start.`,
        ],
      });
      expect(await staging()).toBe(0);
    }
  });

  test("starts over when the database crashed: tables of staging are empty then", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await killedAt(pulling, (when) => paged(PAGES, when), 2);
    const [table] = await database.store.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'staging'",
    );
    await database.store.query(`truncate staging."${table?.name}"`);
    const result = only(await pulling.sync({}, { connection: paged(PAGES) }));
    expect(result).toMatchObject({ state: "published", rows: { read: 6 } });
    expect(result.notes[0]).toContain("since the database lost what was staged");
    expect(await pulling.rows("customer", "account")).toEqual(PAGES.flat());
    expect(await staging()).toBe(0);
  });

  test("is not gone on with for ever from a point that cannot be passed", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = paged(PAGES, (page) => {
      if (page === 2) throw broken();
    });
    const results: RunResult[] = [];
    for (let run = 0; run < 5; run += 1) results.push(only(await pulling.sync({}, { connection })));
    expect(results.map(({ notes }) => notes.some((note) => note.includes("in vain")))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});

test("a run tells every few seconds how many rows it has read", async () => {
  const pulling = await openPulling(database.store, ["customer"]);
  const newest = async () => (await streamStates(database.store, pulling.company))[0]?.newest;
  const told: unknown[] = [];
  const connection = connectionOf(
    { name: "customers", reading: "snapshot" },
    {
      async *read() {
        yield origin("page 1");
        yield rows("A001", "A002");
        pulling.pass(4);
        yield mark({ pages: 1 });
        told.push(await newest());
        yield rows("A003");
        yield checkpoint("whole");
      },
    },
  );
  await pulling.sync({}, { connection });
  told.push(await newest());
  expect(told).toMatchObject([
    { state: "running", rows: 2 },
    { state: "published", rows: 3 },
  ]);
});

describe("a run that a person stops", () => {
  test("stops at the next event, and the next one goes on from its mark", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const stop = async () => {
      const [run] = await listRuns(database.store, pulling.company, { limit: 1 });
      const at = pulling.context.now();
      const ask = { company: pulling.company, runId: run?.id ?? "", by: "J Ross", at };
      expect(await requestStop(database.store, ask)).toMatchObject({ stream: "customers" });
      pulling.pass(1);
    };
    const asking = connectionOf(
      { name: "customers", reading: "snapshot" },
      {
        async *read() {
          yield origin("page 1");
          yield rows("A001", "A002");
          yield mark({ pages: 1 });
          await stop();
          yield origin("page 2");
          yield checkpoint("whole");
        },
      },
    );
    const stopped = only(await pulling.sync({}, { connection: asking }));
    expect(stopped).toMatchObject({
      state: "stopped",
      fault: null,
      notes: [
        "It was stopped by J Ross.",
        "What was read up to its last mark is kept: the next run goes on from there.",
      ],
    });
    const [state] = await streamStates(database.store, pulling.company);
    expect([state?.asks, state?.stoppedBy]).toEqual([false, "J Ross"]);
    const result = only(await pulling.sync({}, { connection: paged(PAGES) }));
    expect(result).toMatchObject({ state: "published", rows: { read: 6 } });
    const over = { company: pulling.company, by: "J Ross", at: pulling.context.now() };
    expect(await requestStop(database.store, { ...over, runId: result.runId ?? "" })).toBeNull();
  });
});

/** Stamped rows of a source that is asked for what is behind a cursor. */
interface Stamped {
  readonly at: string;
  readonly account: string;
  readonly name?: string;
}

const DELTA = { grain: "second", zone: "utc", ordered: true, overlap: 60 } as const;
const noon = (minute: number, second = 0): string =>
  `2026-03-31T12:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}Z`;

function stampedRow({ at, account, name }: Stamped, over: Partial<SourceRow> = {}): SourceRow {
  const values = { account, name: name ?? `${account} Ltd` };
  return { ...customer(account), values, at: { value: at, key: account }, ...over };
}

/** A delta that gives these events, whatever the cursor. */
function delta(events: readonly ReadEvent[], over: object = {}): Connection {
  return connectionOf(
    { name: "customers", reading: "delta", delta: DELTA, ...over },
    {
      async *read() {
        yield* events;
      },
    },
  );
}
const stamped = (...all: readonly SourceRow[]): ReadEvent => ({ kind: "rows", rows: all });
interface Place {
  readonly value: string;
  readonly key: string;
}
const at = (value: string, key: string): { value: string; key: string } => ({ value, key });

describe("a delta", () => {
  /** Goes on by (value, key) and reads a minute again; a mark behind each row. */
  function source(held: readonly Stamped[], when?: (row: Stamped) => void): Connection {
    return connectionOf(
      { name: "customers", reading: "delta", delta: DELTA },
      {
        async *read(_stream, cursor) {
          const from = cursor as (Place & { readonly whole?: false }) | null;
          const overlap = from === null ? "" : back(from.value);
          yield origin("customers");
          let last: Place | null = from;
          for (const row of held) {
            // Within one reading (value, key) tells; between two, the overlap.
            const behind =
              from?.whole === false
                ? row.at > from.value || (row.at === from.value && row.account > from.key)
                : row.at >= overlap;
            if (!behind) continue;
            when?.(row);
            yield stamped(stampedRow(row));
            last = at(row.at, row.account);
            yield mark({ ...last, whole: false });
          }
          if (last !== null) yield checkpoint(at(last.value, last.key));
        },
      },
    );
  }
  const back = (value: string) => Temporal.Instant.from(value).subtract({ seconds: 60 }).toString();

  const HELD: readonly Stamped[] = [
    { at: noon(0), account: "A001" },
    { at: noon(5), account: "A002" },
    { at: noon(5), account: "A003" },
    { at: noon(5), account: "A004" },
    { at: noon(6), account: "A005" },
  ];

  test("loses no row that shares a stamp with the last one before a kill", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const { store, kill } = mortal(database.store);
    const connection = source(HELD, ({ account }) => {
      if (account !== "A003") return;
      kill();
      throw new Error("killed");
    });
    await expect(
      syncConnection({ ...pulling.context, store }, { ...pulling.source, connection }),
    ).rejects.toThrow(Error);
    pulling.pass(60);
    const result = only(await pulling.sync({}, { connection: source(HELD) }));
    expect(result).toMatchObject({ state: "published", rows: { read: 5, mapped: 5 } });
    expect(await pulling.rows("customer", "account")).toEqual(HELD.map(({ account }) => account));
  });

  test("reads its overlap again, and an unchanged row costs no write", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync({}, { connection: source(HELD) });
    const written = () => pulling.rows("customer", "account", "run_id");
    const before = await written();
    // One appeared late, with a stamp that the cursor had passed.
    const late = [...HELD, { at: noon(5, 30), account: "A009" }].toSorted((a, b) =>
      a.at < b.at ? -1 : a.at > b.at ? 1 : 0,
    );
    const result = only(await pulling.sync({}, { connection: source(late) }));
    expect(result.rows.read).toBe(5);
    expect(result.records["tradepost-csv/customer"]).toMatchObject({
      inserted: 1,
      updated: 0,
      unchanged: 4,
    });
    expect((await written()).filter((row) => !row.startsWith("A009"))).toEqual(before);
  });

  test("removes what a row marks as removed, whatever came of it before", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const stream = { deletions: "marked" };
    await pulling.sync(
      {},
      {
        connection: delta(
          [
            origin("one"),
            stamped(
              ...["A001", "A002", "A003"].map((account, second) =>
                stampedRow({ at: noon(1, second), account }),
              ),
            ),
            checkpoint(at(noon(1, 2), "A003")),
          ],
          stream,
        ),
      },
    );
    const gone = { removed: true } as const;
    const key = (account: string) => ({ values: { account }, ...gone });
    const result = only(
      await pulling.sync(
        {},
        {
          connection: delta(
            [
              origin("two"),
              stamped(
                stampedRow({ at: noon(2, 0), account: "A001" }, key("A001")),
                // Changed and then removed; removed and made again; never heard of; no key.
                stampedRow({ at: noon(2, 1), account: "A002", name: "Changed" }),
                stampedRow({ at: noon(2, 2), account: "A002" }, key("A002")),
                stampedRow({ at: noon(2, 3), account: "A003" }, key("A003")),
                stampedRow({ at: noon(2, 4), account: "A003", name: "Again" }),
                stampedRow({ at: noon(2, 5), account: "A008" }, key("A008")),
                stampedRow({ at: noon(2, 6), account: "A009" }, { values: {}, ...gone }),
              ),
              checkpoint(at(noon(2, 6), "A009")),
            ],
            stream,
          ),
        },
      ),
    );
    expect(await pulling.rows("customer", "account", "name")).toEqual(["A003 Again"]);
    expect(result).toMatchObject({
      state: "published",
      rows: { read: 7, mapped: 6, quarantined: 1 },
      records: {
        "tradepost-csv/customer": {
          before: 3,
          updated: 1,
          repeated: 1,
          removed: 2,
          after: 1,
          mapped: 2,
        },
      },
    });
    expect(await pulling.waiting()).toEqual(["two:9 account: no column account"]);
  });
});

describe("a comparison of full key sets", () => {
  const keyed = (keys: readonly string[]): Connection =>
    connectionOf(
      { name: "customers", reading: "delta", key: ["account"], deletions: "keys" },
      {
        async *read() {
          yield origin("all");
          yield rows("A001", "A002", "A003", "A004", "A005", "A006", "A007", "A008");
          yield checkpoint({ at: 1 });
        },
        async *keys() {
          yield origin("keys");
          yield {
            kind: "rows",
            rows: keys.map((account) => customer(account, { values: { account } })),
          };
          yield checkpoint(null);
        },
      },
    );

  test("removes what the source no longer has, and moves no cursor", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = keyed(["A001", "A002", "A003", "A005", "A006", "A007", "A008", "A099"]);
    await pulling.sync({}, { connection });
    const state = async () => {
      const [{ cursor, lastRunId, lastAppliedAt } = { cursor: null }] = await streamStates(
        database.store,
        pulling.company,
      );
      return { cursor, lastRunId, lastAppliedAt };
    };
    const before = await state();
    const result = only(await pulling.sync({ compareKeys: true }, { connection }));
    expect(result).toMatchObject({
      state: "published",
      rows: { read: 8, mapped: 8 },
      records: {
        "tradepost-csv/customer": {
          before: 8,
          inserted: 0,
          updated: 0,
          removed: 1,
          after: 7,
          unchanged: 8,
        },
      },
    });
    expect(await pulling.rows("customer", "account")).not.toContain("A004");
    expect(await state()).toEqual(before);
    expect(await pulling.queued()).toContain("follow.customers");
  });

  test("that would remove more than its share stops and asks", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = keyed(["A001"]);
    await pulling.sync({}, { connection });
    const result = only(await pulling.sync({ compareKeys: true }, { connection }));
    expect(result.state).toBe("stopped");
    expect(result.notes[0]).toContain("it would remove 7");
    expect(await pulling.rows("customer", "account")).toHaveLength(8);
    const accepted = { compareKeys: true, acceptRemovals: true };
    expect(only(await pulling.sync(accepted, { connection })).state).toBe("published");
    expect(await pulling.rows("customer", "account")).toEqual(["A001"]);
  });

  test("is refused where removed rows do not show by their keys", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const result = only(
      await pulling.sync(
        { compareKeys: true, streams: ["customers"] },
        { connection: paged(PAGES) },
      ),
    );
    expect(result).toMatchObject({ state: "stopped", fault: { kind: "config" } });
  });
});
