import { expect, test, vi } from "vitest";
import { openStore } from "../../src/store/index.ts";
import type { Transaction } from "../../src/store/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();

const insert = "INSERT INTO stream_state (company, connection, stream) VALUES ($1, 'erp', 'stock')";

async function companies(): Promise<string[]> {
  const rows = await database.store.query<{ company: string }>(
    "SELECT company FROM stream_state ORDER BY company",
  );
  return rows.map(({ company }) => company);
}

test("values arrive exact: no float, no time zone, no rounded count", async () => {
  const [row] = await database.store.query(
    `SELECT 12.50::numeric AS price, date '2026-03-31' AS day, 9007199254740991::int8 AS count,
       timestamptz '2026-03-31 09:15:00.123456+01' AS moment, '{"a":[1]}'::jsonb AS json,
       ARRAY[1.10, 2]::numeric[] AS prices, ARRAY[date '2026-01-02'] AS days, ARRAY[7]::int8[] AS counts`,
  );
  expect({ ...row, moment: String(row?.["moment"]) }).toEqual({
    price: "12.50",
    day: "2026-03-31",
    count: 9007199254740991,
    moment: "2026-03-31T08:15:00.123456Z",
    json: { a: [1] },
    prices: ["1.10", "2"],
    days: ["2026-01-02"],
    counts: [7],
  });
});

test("a bigint that a number cannot hold is refused, not rounded", async () => {
  await expect(database.store.query("SELECT 9007199254740993::int8 AS n")).rejects.toThrow(
    "9007199254740993 is outside the whole numbers that are exact here",
  );
});

test("Temporal values can be given, alone and in arrays", async () => {
  const moment = Temporal.Instant.from("2026-03-31T08:15:00.123456Z");
  const day = Temporal.PlainDate.from("2026-03-31");
  const [row] = await database.store.query<{ same: boolean; days: string[] }>(
    "SELECT $1::timestamptz = '2026-03-31 08:15:00.123456+00' AS same, $2::date[] AS days",
    [moment, [day, day.add({ days: 1 })]],
  );
  expect(row).toEqual({ same: true, days: ["2026-03-31", "2026-04-01"] });
});

test("a transaction that throws leaves nothing behind", async () => {
  const failing = database.store.transaction(async (tx) => {
    expect(await tx.affect(insert, ["A"])).toBe(1);
    throw new Error("on purpose");
  });
  await expect(failing).rejects.toThrow("on purpose");
  expect(await companies()).toEqual([]);
});

test("a transaction whose failed statement was swallowed says that it was not committed", async () => {
  const swallowing = database.store.transaction(async (tx) => {
    await tx.affect(insert, ["A"]);
    await tx.query("SELECT 1 / 0").catch(() => undefined);
  });
  await expect(swallowing).rejects.toThrow(/PostgreSQL rolled it back/);
  expect(await companies()).toEqual([]);
});

test("a pipelined transaction keeps all that it sent at once, or nothing", async () => {
  const { store } = database;
  const write = (last: string) =>
    store.transaction(
      async (tx) => {
        // With the BEGIN, and run in this order.
        const seen = await tx.atOnce(
          () => tx.query("SELECT set_config('tradepost.told', 'by the first', true)"),
          () => tx.query("SELECT current_setting('tradepost.told') AS told"),
        );
        await tx.atOnce(
          () => tx.affect(insert, ["A"]),
          () => tx.query(last),
          () => tx.affect(insert, ["B"]),
        );
        return seen[1];
      },
      { pipelined: true },
    );
  await expect(write("SELECT 1 / 0")).rejects.toThrow("division by zero");
  expect(await companies()).toEqual([]);
  expect(await write("SELECT 1")).toEqual([{ told: "by the first" }]);
  expect(await companies()).toEqual(["A", "B"]);
  await store.affect("DELETE FROM stream_state");
});

test("a transaction let out of its function cannot be used on", async () => {
  let escaped: Transaction | undefined;
  await database.store.transaction(async (tx) => {
    escaped = tx;
  });
  await expect(escaped?.affect(insert, ["A"])).rejects.toThrow(/after it ended/);
  expect(await companies()).toEqual([]);
});

test("COPY goes in and out of a table, and a bad row keeps all of it out", async () => {
  const { store } = database;
  const copy = "COPY stream_state (company, connection, stream) FROM STDIN";
  expect(await store.copyIn(copy, ["B\terp\tst", "ock\nC\terp\tstock\n"])).toBe(2);
  await expect(store.copyIn(copy, ["D\terp\tstock\n", "E\terp\n"])).rejects.toThrow(
    /missing data for column "stream"/,
  );
  expect(await companies()).toEqual(["B", "C"]);
  const out: Buffer[] = [];
  for await (const chunk of store.copyOut(
    "COPY (SELECT company FROM stream_state ORDER BY 1) TO STDOUT",
  ))
    out.push(chunk);
  expect(Buffer.concat(out).toString()).toBe("B\nC\n");
  await store.affect("DELETE FROM stream_state");
});

test("a source of rows that fails leaves the connection usable and nothing copied", async () => {
  const { store } = database;
  const torn = async function* () {
    yield "B\terp\tstock\n";
    throw new Error("the file ended in the middle");
  };
  const copy = "COPY stream_state (company, connection, stream) FROM STDIN";
  await expect(store.copyIn(copy, torn())).rejects.toThrow("the file ended in the middle");
  expect(await companies()).toEqual([]);
});

test("a stream gives every row once, in batches, and may be left early", async () => {
  const { store } = database;
  const sizes: number[] = [];
  for await (const rows of store.stream("SELECT n FROM generate_series(1, $1) AS n", [12], 5))
    sizes.push(rows.length);
  expect(sizes).toEqual([5, 5, 2]);
  for await (const rows of store.stream("SELECT n FROM generate_series(1, 1000) AS n", [], 10)) {
    expect(rows).toHaveLength(10);
    break;
  }
  expect(await store.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("an open store outlives connections that the server ends", async () => {
  const lines: string[] = [];
  await using store = await openStore({
    url: database.store.url,
    migrate: false,
    connections: 1,
    log: (line) => void lines.push(line),
  });
  const [mine] = await store.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await database.store.query("SELECT pg_terminate_backend($1)", [mine?.pid]);
  // A transaction begun on the dying connection moves to a new one: nothing was done on it yet.
  expect(await store.transaction((tx) => tx.query("SELECT 1 AS one"))).toEqual([{ one: 1 }]);
  const [next] = await store.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await database.store.query("SELECT pg_terminate_backend($1)", [next?.pid]);
  await vi.waitFor(() => expect(lines.join("\n")).toMatch(/dropped a connection/));
  expect(await store.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("a server that has no connection left is waited for", async () => {
  const { store } = database;
  const role = `limited_${process.pid}`;
  await store.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited' CONNECTION LIMIT 1`);
  const url = new URL(store.url);
  [url.username, url.password] = [role, "limited"];
  const open = (log: (line: string) => void = () => undefined) =>
    openStore({ url: url.href, migrate: false, connections: 1, log });
  const lines: string[] = [];
  const first = await open();
  try {
    await first.query("SELECT 1");
    const second = open((line) => void lines.push(line));
    await vi.waitFor(() => expect(lines.join("\n")).toMatch(/too many connections/));
    await first.close();
    await using waited = await second;
    expect(await waited.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  } finally {
    await first.close();
    await store.query(`DROP ROLE ${role}`);
  }
});

test("a connection that the server ends inside a transaction fails it, and nothing else", async () => {
  const { store } = database;
  const work = store.transaction(async (tx) => {
    const [mine] = await tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    await store.query("SELECT pg_terminate_backend($1)", [mine?.pid]);
    // The work is at something else when the connection breaks.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tx.query("SELECT 1");
  });
  await expect(work).rejects.toThrow(/not queryable|terminat/);
  expect(await store.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("Prisma reads and writes the same tables", async () => {
  const { prisma } = database.store;
  await prisma.streamState.create({ data: { company: "P", connection: "erp", stream: "stock" } });
  expect(await companies()).toEqual(["P"]);
  await prisma.streamState.deleteMany();
});
