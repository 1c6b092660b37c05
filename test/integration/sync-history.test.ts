import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/connections/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Json } from "../../src/connector/index.ts";
import { backfill, histories, streamStates } from "../../src/sync/index.ts";
import type { Progress, RunResult, Source } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { connectionOf, openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

/** A customer that was opened on a day and changed at a moment; days are what ranges ask for. */
interface Held {
  readonly account: string;
  readonly on: string;
  readonly stamp: string;
  readonly name?: string;
}

/** Reads are noted as "days" or "from a cursor on"; `when` is called before each. */
function ledger(held: readonly Held[], reads: string[], when?: (read: string) => void): Connection {
  return connectionOf(
    {
      name: "customers",
      reading: "delta",
      range: true,
      delta: { grain: "second", zone: "utc", ordered: true, overlap: 0 },
    },
    {
      async *read(_stream, cursor, options = {}) {
        const { range } = options;
        const from = cursor as { value: string; key: string } | null;
        const read =
          range === undefined
            ? `after ${from?.value ?? "nothing"}`
            : `${range.from.toString()} to ${range.to.toString()}`;
        reads.push(read);
        when?.(read);
        const found = held
          .filter(({ on, stamp }) =>
            range === undefined
              ? from === null || stamp > from.value
              : on >= range.from.toString() && on <= range.to.toString(),
          )
          .toSorted((a, b) => (a.stamp < b.stamp ? -1 : 1));
        const last = found.at(-1);
        if (last === undefined && range === undefined) return;
        yield { kind: "origin", origin: { name: read } };
        yield {
          kind: "rows",
          rows: found.map(({ account, stamp, name }, index) => ({
            line: index + 1,
            raw: account,
            values: { account, name: name ?? account },
            at: { value: stamp, key: account },
          })),
        };
        const cursorNow: Json =
          last === undefined ? null : { value: last.stamp, key: last.account };
        yield { kind: "checkpoint", cursor: cursorNow, more: false };
      },
    },
  );
}

// The clock of these tests stands at 31/03/2026, 21:00 in London.
const HELD: readonly Held[] = [
  { account: "A001", on: "2026-01-05", stamp: "2026-01-05T10:00:00Z" },
  { account: "A002", on: "2026-02-10", stamp: "2026-02-10T10:00:00Z" },
  { account: "A003", on: "2026-03-15", stamp: "2026-03-15T10:00:00Z" },
  { account: "A004", on: "2026-05-01", stamp: "2026-03-20T10:00:00Z" },
];
const MONTHS = { streams: { customers: { historyMonths: 2 } } };

const over = (connection: Connection): Partial<Source> => ({ connection, ...MONTHS });
const statesOf = (results: readonly RunResult[]) => results.map(({ state }) => state);
const historyOf = async ({ company }: Pulling) => (await histories(database.store, company))[0];
const cursorOf = async ({ company }: Pulling) =>
  (await streamStates(database.store, company))[0]?.cursor;

describe("a long first load", () => {
  test("is sliced by month, the newest first, and live reading goes on from the day it began", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const reads: string[] = [];
    const told: Progress[] = [];
    const progress = (each: Progress) => void told.push(each);
    const results = await pulling.sync({ progress }, over(ledger(HELD, reads)));
    expect(reads).toEqual([
      // Orders may be dated ahead, so the newest month is open at its end.
      "2026-03-01 to 2036-03-31",
      "2026-02-01 to 2026-02-28",
      "2026-01-01 to 2026-01-31",
    ]);
    expect(statesOf(results)).toEqual(["published", "published", "published"]);
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A002", "A003", "A004"]);
    expect(await cursorOf(pulling)).toEqual({ value: "2026-03-20T10:00:00Z", key: "A004" });
    expect(
      told.map(({ slices, secondsLeft }) => [slices?.done, slices?.of, secondsLeft !== null]),
    ).toEqual([
      [0, 3, false],
      [1, 3, true],
      [2, 3, true],
    ]);
    expect(await historyOf(pulling)).toEqual({
      connection: "erp",
      stream: "customers",
      completeFrom: "2026-01-01",
      load: null,
    });
    // An old customer that was changed since is new, whatever its day.
    const changed = {
      account: "A001",
      on: "2026-01-05",
      stamp: "2026-04-01T09:00:00Z",
      name: "Changed",
    };
    reads.length = 0;
    await pulling.sync({}, over(ledger([...HELD, changed], reads)));
    expect(reads).toEqual(["after 2026-03-20T10:00:00Z"]);
    expect(await pulling.rows("customer", "account", "name")).toContain("A001 Changed");
  });

  test("is resumable: months that were read stand, and what is new is read before the rest", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const broken = ledger(HELD, [], (read) => {
      if (read.startsWith("2026-02"))
        throw new ConnectorFault("transient", "The line broke.", "The next run tries again.");
    });
    const first = await pulling.sync({}, over(broken));
    expect(statesOf(first)).toEqual(["published", "failed"]);
    expect(await pulling.rows("customer", "account")).toEqual(["A003", "A004"]);
    expect(await historyOf(pulling)).toMatchObject({
      completeFrom: "2026-03-01",
      load: { kind: "first", fromOn: "2026-01-01", months: { done: 1, of: 3 } },
    });
    expect((await historyOf(pulling))?.load?.secondsLeft).not.toBeNull();
    const reads: string[] = [];
    await pulling.sync({}, over(ledger(HELD, reads)));
    expect(reads).toEqual([
      "after 2026-03-20T10:00:00Z",
      "2026-02-01 to 2026-02-28",
      "2026-01-01 to 2026-01-31",
    ]);
    expect(await historyOf(pulling)).toMatchObject({ completeFrom: "2026-01-01", load: null });
  });

  test("reaches up to now from each month until one has rows to go on from", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const reads: string[] = [];
    await pulling.sync({}, over(ledger(HELD.slice(0, 2), reads)));
    expect(reads).toEqual([
      "2026-03-01 to 2036-03-31",
      "2026-02-01 to 2036-03-31",
      "2026-01-01 to 2026-01-31",
    ]);
    expect(await cursorOf(pulling)).toEqual({ value: "2026-02-10T10:00:00Z", key: "A002" });
  });

  test("lets what is new through between two months when it takes long", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const reads: string[] = [];
    await pulling.sync(
      {},
      over(
        ledger(HELD, reads, () => {
          pulling.pass(400);
        }),
      ),
    );
    expect(reads).toEqual([
      "2026-03-01 to 2036-03-31",
      "2026-02-01 to 2026-02-28",
      "after 2026-03-20T10:00:00Z",
      "2026-01-01 to 2026-01-31",
    ]);
  });
});

describe("days read again", () => {
  const days = {
    from: Temporal.PlainDate.from("2026-01-10"),
    to: Temporal.PlainDate.from("2026-02-28"),
  };

  test("mend what is held of them and do not move the live cursor", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync({}, over(ledger(HELD, [])));
    const before = await cursorOf(pulling);
    const reads: string[] = [];
    const mended = HELD.map((each) => ({ ...each, name: "Mended" }));
    const source = { ...pulling.source, ...over(ledger(mended, reads)) };
    const results = await backfill(pulling.context, source, "customers", days);
    expect(reads).toEqual(["2026-02-01 to 2026-02-28", "2026-01-10 to 2026-01-31"]);
    expect(results.map(({ rows }) => rows.read)).toEqual([1, 0]);
    expect(await pulling.rows("customer", "account", "name")).toEqual([
      "A001 A001",
      "A002 Mended",
      "A003 A003",
      "A004 A004",
    ]);
    expect(await cursorOf(pulling)).toEqual(before);
  });

  test("that were cut short are gone on with by the same command", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync({}, over(ledger(HELD, [])));
    const broken = ledger(HELD, [], (read) => {
      if (read.startsWith("2026-01")) throw new ConnectorFault("auth", "Signed out.", "Sign in.");
    });
    const read = (connection: Connection) =>
      backfill(pulling.context, { ...pulling.source, connection }, "customers", days);
    expect(statesOf(await read(broken))).toEqual(["published", "failed"]);
    const reads: string[] = [];
    await read(ledger(HELD, reads));
    expect(reads).toEqual(["2026-01-10 to 2026-01-31"]);
  });

  test("are refused where the connector cannot read by days", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const read = backfill(pulling.context, pulling.source, "customers", days);
    await expect(read).rejects.toThrow("the connector cannot read it so");
  });
});
