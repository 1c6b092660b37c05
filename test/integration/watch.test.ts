/** What is late, stopped or failing is told by how things stand: freshness, alarms and status. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { readSettings } from "../../src/config.ts";
import { openTradepost, outcomeOf, type CompanyServices } from "../../src/main.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
let companies = 0;

interface Merchant {
  readonly code: string;
  readonly services: CompanyServices;
  pass(hours: number): void;
  write(name: string, count: number): void;
  /** Keys of alarms that hold after a look. */
  look(): Promise<readonly string[]>;
  /** Another process opens the same company. */
  restart(): Promise<Merchant>;
}

async function open(of?: { code: string; folder: string; now: Temporal.Instant }) {
  companies += 1;
  const code = of?.code ?? `WATCH${companies}`;
  const folder = of?.folder ?? mkdtempSync(join(tmpdir(), "tradepost-watch-"));
  if (of === undefined) {
    mkdirSync(join(folder, "out"));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
  }
  const erp = {
    connector: "csv",
    mappings: "tradepost-csv",
    settings: { folder, stableForMs: 0 },
    schedules: { nightly: { cron: "30 1 * * *" } },
    streams: { customers: { freshWithin: "26h" } },
  };
  const company = { name: "Watched", connections: { erp } };
  const text = stringify({ companies: { [code]: company } });
  const settings = readSettings({ file: "tradepost.yaml", text });
  let now = of?.now ?? Temporal.Instant.from("2026-03-30T05:15:00Z");
  const tradepost = await openTradepost(
    { ...settings, databaseUrl: database.store.url },
    { now: () => now, log: () => undefined },
  );
  onTestFinished(() => tradepost[Symbol.asyncDispose]());
  const services = await tradepost.company(code);
  const merchant: Merchant = {
    code,
    services,
    pass: (hours) => {
      now = now.add({ hours });
    },
    write: (name, count) => {
      const rows = Array.from({ length: count }, (_, at) => `A${at},Customer ${at}`);
      writeFileSync(join(folder, "out", name), ["account,name", ...rows, ""].join("\r\n"));
    },
    look: async () => {
      await services.watch();
      const alarms = await services.alarms.list({ open: true });
      // Completeness raises its own.
      return alarms
        .map(({ key }) => key)
        .filter((key) => /^(?:late|stopped|failed|clock)\//.test(key));
    },
    restart: () => open({ code, folder, now }),
  };
  return merchant;
}

const pull = ({ services }: Merchant, more = {}) =>
  services.sync("erp", { streams: ["customers"], ...more });

test("a dead-man's alarm tells when a stream is later than its promise, and ends when it is fresh again", async () => {
  const merchant = await open();
  expect(await merchant.look()).toEqual([]);
  merchant.pass(27);
  expect(await merchant.look()).toEqual(["late/erp/customers"]);
  expect(await merchant.services.alarms.list()).toMatchObject([
    {
      title: "customers of erp is late",
      detail: expect.stringContaining("It has never been read with success") as string,
      since: Temporal.Instant.from("2026-03-31T07:15:00Z"),
    },
  ]);
  merchant.write("customers-1.csv", 3);
  await pull(merchant);
  expect(await merchant.look()).toEqual([]);
  merchant.pass(27);
  expect(await merchant.look()).toEqual(["late/erp/customers"]);
});

test("a snapshot that is the same again renews freshness; looking in vain does not", async () => {
  const merchant = await open();
  merchant.write("customers-1.csv", 3);
  await pull(merchant);
  merchant.pass(20);
  merchant.write("customers-2.csv", 3);
  expect((await pull(merchant)).map(({ state }) => state)).toEqual(["unchanged"]);
  merchant.pass(20);
  expect(await merchant.look()).toEqual([]);
  expect((await pull(merchant)).map(({ state }) => state)).toEqual(["nothing"]);
  merchant.pass(7);
  expect(await merchant.look()).toEqual(["late/erp/customers"]);
});

test("lateness is told after the service was down, and is one alarm over restarts", async () => {
  const before = await open();
  before.write("customers-1.csv", 3);
  await pull(before);
  expect(await before.look()).toEqual([]);
  before.pass(24 * 3);
  const after = await before.restart();
  expect(await after.look()).toEqual(["late/erp/customers"]);
  const again = await after.restart();
  expect(await again.look()).toEqual(["late/erp/customers"]);
  expect((await again.services.alarms.list()).length).toBe(1);
});

test("a late stream that is paused says so, and how to resume it", async () => {
  const merchant = await open();
  await merchant.look();
  await merchant.services.schedules.pause({ connection: "erp" }, "J Ross");
  merchant.pass(27);
  await merchant.look();
  expect(await merchant.services.alarms.list()).toMatchObject([
    {
      detail: expect.stringContaining("paused since 30/03/2026 06:15 by J Ross") as string,
      instruction: "Resume it: `tradepost schedule resume --who NAME`.",
    },
  ]);
});

test("a run that stopped at the drop brake is an alarm until somebody has decided", async () => {
  const merchant = await open();
  merchant.write("customers-1.csv", 30);
  await pull(merchant);
  merchant.write("customers-2.csv", 3);
  expect((await pull(merchant)).map(({ state }) => state)).toEqual(["stopped"]);
  expect(await merchant.look()).toEqual(["stopped/erp/customers"]);
  const status = await merchant.services.status();
  expect(status.alarms.map(({ title }) => title)).toContain("customers of erp stopped and asks");
  await pull(merchant, { acceptRemovals: true });
  // Whoever pulled by hand has it over at once, where no service looks.
  expect((await merchant.services.status()).alarms.map(({ key }) => key)).not.toContain(
    "stopped/erp/customers",
  );
  expect(await merchant.look()).toEqual([]);
});

test("a slot whose stream hit the drop brake is done, and says once that the stream asks", async () => {
  const merchant = await open();
  merchant.write("customers-1.csv", 30);
  await pull(merchant);
  merchant.write("customers-2.csv", 3);
  merchant.write("customers-3.csv", 4);
  expect(await outcomeOf({ streams: ["customers"] }, () => pull(merchant))).toEqual({
    failed: [],
    problem: null,
    asks: "customers stopped and asks",
    about: "",
  });
});

test("a slot that failed on its last retry is an alarm until one is done", async () => {
  const merchant = await open();
  const slot = (state: string, at: string) =>
    database.store.affect(
      `insert into schedule_slot (company, id, connection, schedule, slot_at, due_at, state,
                                  stands_for, tries, beat, ended_at, problem)
       values ($1, $2, 'erp', 'nightly', $3, $3, $4, 1, 6, 0, $3, 'The ERP does not answer.')`,
      [merchant.code, crypto.randomUUID(), at, state],
    );
  await slot("failed", "2026-03-30T00:30:00Z");
  expect(await merchant.look()).toEqual(["failed/erp/nightly"]);
  expect((await merchant.services.alarms.list())[0]?.detail).toBe(
    "Its slot of 30/03/2026 01:30 failed to the last of 6 tries: The ERP does not answer.",
  );
  await slot("done", "2026-03-31T00:30:00Z");
  expect(await merchant.look()).toEqual([]);
});

test("a clock that was set back is told, since no slot runs twice for a time that comes again", async () => {
  const merchant = await open();
  await merchant.services.schedules.align();
  merchant.pass(24 * 3);
  await merchant.services.schedules.tick();
  expect((await merchant.look()).filter((key) => key.startsWith("clock"))).toEqual([]);
  merchant.pass(-24 * 2);
  expect(await merchant.look()).toContain("clock/back");
  merchant.pass(24 * 2);
  expect(await merchant.look()).not.toContain("clock/back");
});

test("status shows each stream's promise, last run, next slot and pause", async () => {
  const merchant = await open();
  merchant.write("customers-1.csv", 3);
  await pull(merchant);
  const [customers] = (await merchant.services.status()).streams.filter(
    ({ stream }) => stream === "customers",
  );
  expect(customers).toMatchObject({
    fresh: { within: "26h", late: false, until: Temporal.Instant.from("2026-03-31T07:15:00Z") },
    lastRun: { state: "published", rows: 3 },
    runningRows: null,
    next: { schedule: "nightly", at: Temporal.Instant.from("2026-03-31T00:30:00Z") },
    paused: [],
  });
  await merchant.services.schedules.pause({}, "J Ross");
  const paused = (await merchant.services.status()).streams.find(
    ({ stream }) => stream === "customers",
  );
  expect(paused?.paused).toMatchObject([{ scope: "", by: "J Ross" }]);
});
