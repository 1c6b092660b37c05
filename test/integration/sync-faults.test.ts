import { describe, expect, test } from "vitest";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { ReadEvent } from "../../src/connector/index.ts";
import { openStaging } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { listRuns, streamStates, syncConnection } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, scripted, shippedMapping, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const HEADER = "account,name";
const origin = (name: string): ReadEvent => ({ kind: "origin", origin: { name } });
const checkpoint = (cursor: string): ReadEvent => ({ kind: "checkpoint", cursor, more: false });

/** Rows of customers with these accounts, from line 2 on. */
function rows(...accounts: readonly string[]): ReadEvent {
  return {
    kind: "rows",
    rows: accounts.map((account, index) => ({
      line: index + 2,
      raw: account,
      values: { account, name: `${account} Ltd` },
    })),
  };
}

async function staging(): Promise<string[]> {
  const found = await database.store.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'staging'",
  );
  return found.map(({ name }) => name);
}

/** Another instance takes the stream. */
async function takeOver({ company }: Pulling, stream: string, until: Temporal.Instant) {
  await database.store.affect(
    `update stream_state set holder = 'another', lease_until = $3
      where company = $1 and stream = $2`,
    [company, stream, until],
  );
}

describe("one run per stream at a time", () => {
  test("two pulls at once are one run, and the second finds nothing left", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A001,A", "A002,B");
    const results = (await Promise.all([pulling.sync(), pulling.sync()])).flat();
    expect(results.map(({ state }) => state).sort()).toEqual(["nothing", "published"]);
    const [first, second] = results.toSorted((a, b) => (a.state < b.state ? 1 : -1));
    expect(second?.notes).toEqual([
      `customers was read meanwhile by run ${first?.runId?.slice(-8)} (published); nothing was left to read.`,
    ]);
    expect(await listRuns(database.store, pulling.company, { limit: 10 })).toHaveLength(1);
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A002"]);
  });

  test("a stream that another instance keeps reading is told of, and the others are read", async () => {
    const pulling = await openPulling(database.store, ["customer", "branch"], { leaseSeconds: 1 });
    await pulling.write("customers.csv", HEADER, "A001,A");
    await pulling.write("branches.csv", "branch,name", "B1,Leeds");
    await database.store.affect(
      `insert into stream_state (company, connection, stream, holder, lease_until)
       values ($1, 'erp', 'customers', 'another', '2026-03-31T23:00:00Z')`,
      [pulling.company],
    );
    const results = await pulling.sync();
    expect(results.map(({ stream, state }) => `${stream} ${state}`)).toEqual([
      "branches published",
      "customers failed",
    ]);
    expect(pulling.logged).toEqual([
      "warn: customers of erp is being read by another run; waiting for it to end, at most 2 s. One that was killed is given up after 1 s.",
    ]);
    expect(results[1]?.notes).toMatchInlineSnapshot(`
      [
        "Reading erp/customers: another run has been reading it until 2026-03-31T23:00:00Z. Wait for it to end, or see \`tradepost runs\`.",
      ]
    `);
    expect(await listRuns(database.store, pulling.company, { limit: 10 })).toHaveLength(1);
  });

  test("a lease that ran out is taken over", async () => {
    const pulling = await openPulling(database.store, ["customer"], { leaseSeconds: 1 });
    await pulling.write("customers.csv", HEADER, "A001,A");
    await database.store.affect(
      `insert into stream_state (company, connection, stream, holder, lease_until)
       values ($1, 'erp', 'customers', 'killed', $2)`,
      [pulling.company, pulling.context.now().add({ milliseconds: 800 })],
    );
    expect((await pulling.run("customers")).state).toBe("published");
    const [state] = await database.store.query(
      "select holder, lease_until from stream_state where company = $1",
      [pulling.company],
    );
    expect(state).toEqual({ holder: null, lease_until: null });
  });

  test("a run that lost its lease publishes nothing", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const later = pulling.context.now().add({ hours: 1 });
    const connection = scripted(
      "snapshot",
      "customers",
      [origin("one"), rows("A001"), checkpoint("1")],
      {
        when: async ({ kind }) =>
          kind === "checkpoint" ? takeOver(pulling, "customers", later) : undefined,
      },
    );
    const [result] = await pulling.sync({}, { connection });
    expect(result?.state).toBe("failed");
    expect(result?.notes).toMatchInlineSnapshot(`
      [
        "Publishing erp/customers: another run has taken the stream over. Nothing of this run was published; the other run does the work.",
      ]
    `);
    expect(await pulling.rows("customer", "account")).toEqual([]);
    expect(await pulling.queued()).toEqual([]);
    const [state] = await streamStates(database.store, pulling.company);
    expect(state).toMatchObject({ cursor: null, lastAppliedAt: null });
  });

  test("a run whose staging was cleared by the one that took over says so", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const later = pulling.context.now().add({ hours: 1 });
    const connection = scripted(
      "snapshot",
      "customers",
      [origin("one"), rows("A001"), checkpoint("1")],
      {
        when: async ({ kind }) => {
          if (kind !== "checkpoint") return;
          await takeOver(pulling, "customers", later);
          for (const table of await staging())
            await database.store.query(`drop table staging."${table}"`);
        },
      },
    );
    const [result] = await pulling.sync({}, { connection });
    expect(result?.notes[0]).toContain("another run has taken the stream over");
  });
});

describe("after a kill", () => {
  test("a run that was cut short is ended, its staging is dropped, and its rows are read again", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const killed = await killedRun(pulling, "running");
    await pulling.write("customers.csv", HEADER, "A001,A");
    expect((await pulling.run("customers")).state).toBe("published");
    expect(await staging()).toEqual([]);
    const [run] = await database.store.query("select state, error from run where id = $1", [
      killed,
    ]);
    expect(run).toMatchInlineSnapshot(`
      {
        "error": "The run was cut short. Nothing of it was published; the next run read it again.",
        "state": "failed",
      }
    `);
  });

  test("staging of a run that had published is dropped too", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const killed = await killedRun(pulling, "published");
    await pulling.run("customers");
    expect(await staging()).toEqual([]);
    const [run] = await database.store.query("select state from run where id = $1", [killed]);
    expect(run).toEqual({ state: "published" });
  });

  test("staging of another stream's run is left alone", async () => {
    const pulling = await openPulling(database.store, ["customer", "branch"]);
    await killedRun(pulling, "running");
    await pulling.run("branches");
    expect(await staging()).toHaveLength(1);
    await pulling.run("customers");
    expect(await staging()).toEqual([]);
  });

  test("a commit whose answer was lost counts as what it was", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A001,A");
    const results = await syncConnection(
      { ...pulling.context, store: losingAnswers(database.store) },
      pulling.source,
      { streams: ["customers"] },
    );
    expect(results).toMatchObject([{ state: "published", rows: { mapped: 1 }, notes: [] }]);
    const [run] = await listRuns(database.store, pulling.company, { limit: 1 });
    expect(run).toMatchObject({ state: "published", mapped: 1 });
    expect(await pulling.files()).toEqual(["archive/customers/customers.csv"]);
  });
});

/** What a process leaves that dies while it stages. */
async function killedRun({ company }: Pulling, state: string): Promise<string> {
  const id = crypto.randomUUID();
  await database.store.affect(
    `insert into run (company, id, connection, stream, state, started_at, rows_read, mapped, ignored,
       repeated, quarantined, counts, origins)
     values ($1, $2, 'erp', 'customers', $3, '2026-03-31T19:00:00Z', 0, 0, 0, 0, 0, '{}', 0)`,
    [company, id, state],
  );
  const { record } = await shippedMapping("customer");
  await openStaging(database.store, { record, runId: id });
  return id;
}

/** A store whose connection breaks after each commit that moves a cursor. */
function losingAnswers(store: Store): Store {
  return Object.assign(Object.create(store) as Store, {
    transaction: async <T>(work: Parameters<typeof store.transaction<T>>[0]): Promise<T> => {
      await store.transaction(work);
      throw new Error("Connection terminated unexpectedly");
    },
  });
}

describe("a source that breaks off", () => {
  test("by a fault publishes nothing, and says what happened and what to do", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = scripted(
      "snapshot",
      "customers",
      [origin("one"), rows("A001"), checkpoint("1")],
      {
        when: async ({ kind }) => {
          if (kind === "checkpoint")
            throw new ConnectorFault("transient", "The line broke.", "The next run tries again.");
        },
      },
    );
    const [result] = await pulling.sync({}, { connection });
    expect(result).toMatchObject({
      state: "failed",
      rows: { read: 0 },
      notes: ["The line broke. The next run tries again."],
    });
    expect(await pulling.rows("customer", "account")).toEqual([]);
    expect(await staging()).toEqual([]);
    expect(pulling.logged).toEqual(["error: The line broke. The next run tries again."]);
  });

  test("without a checkpoint publishes nothing", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = scripted("delta", "customers", [origin("one"), rows("A001")]);
    const [result] = await pulling.sync({}, { connection });
    expect(result?.state).toBe("stopped");
    expect(result?.notes).toMatchInlineSnapshot(`
      [
        "Reading erp/customers ended without a checkpoint after 1 rows. Nothing of them was published. The next run reads them again.",
      ]
    `);
    expect(await pulling.rows("customer", "account")).toEqual([]);
  });

  test("before it has put away what was applied leaves it applied, and puts it away next time", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A001,A");
    const { session } = pulling.source.connection;
    const connection = {
      ...pulling.source.connection,
      session: {
        ...session,
        applied: () =>
          Promise.reject(new ConnectorFault("transient", "The disk is full.", "Make room.")),
      },
    };
    const [result] = await pulling.sync({}, { connection });
    expect(result).toMatchObject({ state: "failed", rows: { mapped: 1 } });
    expect(await pulling.rows("customer", "account")).toEqual(["A001"]);
    expect(await pulling.files()).toEqual(["out/customers.csv"]);
    expect((await pulling.run("customers")).state).toBe("unchanged");
    expect(await pulling.files()).toEqual(["archive/customers/customers.csv"]);
  });

  test("and counts other rows than it gave is stopped", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = scripted("snapshot", "customers", [
      origin("one"),
      rows("A001", "A002"),
      { kind: "totals", rows: 3 },
      checkpoint("1"),
    ]);
    const [result] = await pulling.sync({}, { connection });
    expect(result?.state).toBe("stopped");
    expect(result?.notes).toMatchInlineSnapshot(`
      [
        "Reading one: the source says it holds 3 rows, and 2 were read. Nothing of it was published. The next run reads it from its start. If this stays, tell who runs the source.",
      ]
    `);
    expect(await pulling.rows("customer", "account")).toEqual([]);
  });

  test("and gives rows of nowhere is stopped", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = scripted("delta", "customers", [rows("A001"), checkpoint("1")]);
    const [result] = await pulling.sync({}, { connection });
    expect(result?.notes).toMatchInlineSnapshot(`
      [
        "The connector gave rows before saying where they are from. Nothing of them was published. This is a defect of the connector: report it with this message.",
      ]
    `);
  });
});

describe("a refused origin", () => {
  const refused = (name: string): ReadEvent => ({
    kind: "refused",
    origin: { name },
    reason: "It was cut off.",
    instruction: "Send it again.",
  });

  test("takes nothing from the origins beside it in the same checkpoint", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const connection = scripted("delta", "customers", [
      origin("one"),
      rows("A001", "A002"),
      refused("two"),
      origin("three"),
      rows("A003"),
      checkpoint("3"),
    ]);
    const [result] = await pulling.sync({}, { connection });
    expect(result).toMatchObject({ state: "published", rows: { read: 3, mapped: 3 } });
    expect(await pulling.rows("customer", "account")).toEqual(["A001", "A002", "A003"]);
    expect(await pulling.waiting()).toEqual(["two:0 : It was cut off."]);
  });

  test("takes back the rows that it gave before it was refused", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const bad: ReadEvent = {
      kind: "reject",
      line: 9,
      raw: "?",
      reason: "No row.",
      instruction: "",
    };
    const connection = scripted("delta", "customers", [
      origin("one"),
      rows("A001"),
      origin("two"),
      rows("A002"),
      bad,
      refused("two"),
      checkpoint("2"),
    ]);
    const [result] = await pulling.sync({}, { connection });
    expect(result?.rows).toMatchObject({ read: 1, mapped: 1, quarantined: 0 });
    expect(result?.records["tradepost-csv/customer"]).toMatchObject({ mapped: 1, inserted: 1 });
    expect(await pulling.rows("customer", "account")).toEqual(["A001"]);
    expect(await pulling.waiting()).toEqual(["two:0 : It was cut off."]);
  });
});

test("a row that two mappings cannot use waits twice and counts once", async () => {
  const pulling = await openPulling(database.store, ["customer"]);
  const customer = await shippedMapping("customer");
  const asBranch = { ...(await shippedMapping("branch")), reads: "customers" };
  const values = {
    account: "A001",
    name: "A",
    branch: "B1",
    creditLimit: "x",
    defaultChannel: "shop",
  };
  const good = {
    account: "A002",
    name: "B",
    branch: "B2",
    creditLimit: "1",
    defaultChannel: "web",
  };
  const connection = scripted("snapshot", "customers", [
    origin("one"),
    {
      kind: "rows",
      rows: [values, good, { ...good, name: "C" }].map((one, line) => ({
        line: line + 2,
        raw: "",
        values: one,
      })),
    },
    checkpoint("1"),
  ]);
  const [result] = await pulling.sync({}, { connection, mappings: [customer, asBranch] });
  expect(result?.rows).toEqual({ read: 3, mapped: 1, ignored: 0, repeated: 0, quarantined: 2 });
  expect(await pulling.waiting()).toHaveLength(4);
});

test("a snapshot of two kinds of record brakes for either, and then writes neither", async () => {
  const pulling = await openPulling(database.store, ["customer"]);
  const customer = await shippedMapping("customer");
  const asBranch = { ...(await shippedMapping("branch")), reads: "customers" };
  const mappings = [customer, asBranch];
  const many = (branches: number): ReadEvent => ({
    kind: "rows",
    rows: Array.from({ length: 30 }, (_, line) => ({
      line: line + 2,
      raw: "",
      values: { account: `A${line}`, name: `${branches}`, branch: `B${line % branches}` },
    })),
  });
  const read = async (branches: number, cursor: string) => {
    const events = [origin(cursor), many(branches), checkpoint(cursor)];
    const connection = scripted("snapshot", "customers", events);
    return (await pulling.sync({}, { connection, mappings }))[0];
  };
  expect(await read(30, "1")).toMatchObject({ state: "published" });
  expect(await read(10, "2")).toMatchObject({ state: "stopped" });
  // Every customer was renamed by the second one, which lacked too many branches.
  expect(new Set(await pulling.rows("customer", "name"))).toEqual(new Set(["30"]));
  expect(await pulling.waiting()).toEqual([]);
});
