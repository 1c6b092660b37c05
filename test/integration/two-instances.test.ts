/** Two real services on one database, each a process of its own, one of them killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { useDatabase } from "../support/database.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-two-"));
const started: ChildProcess[] = [];
afterAll(() => {
  for (const service of started) service.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Rows enough that a pull of them can be killed in the middle. */
const MANY = 30_000;
const EVERY_SECONDS = 2;

function writeSettings(): string {
  mkdirSync(join(folder, "erp", "out"), { recursive: true });
  const schedules = {
    "every-2-seconds": { cron: `*/${EVERY_SECONDS} * * * * *`, streams: ["customers"] },
  };
  const erp = {
    connector: "csv",
    mappings: "tradepost-csv",
    settings: { folder: join(folder, "erp"), stableForMs: 0 },
    schedules,
  };
  const settings = {
    http: { port: 0 },
    leaseSeconds: 2,
    companies: { TWO: { name: "Two", connections: { erp } } },
  };
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settings));
  return file;
}

async function startService(settings: string): Promise<ChildProcess> {
  const service = spawn(process.execPath, ["src/launch.js", "src/main.ts", settings], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: database.store.url },
    stdio: ["ignore", "pipe", "ignore"],
  });
  started.push(service);
  if (service.stdout !== null) await once(service.stdout, "data");
  return service;
}

function customers(name: string, count: number): void {
  const rows = Array.from({ length: count }, (_, at) => `A${at},Customer ${at}`);
  writeFileSync(join(folder, "half"), ["account,name", ...rows, ""].join("\r\n"));
  renameSync(join(folder, "half"), join(folder, "erp", "out", name));
}

interface Slot {
  readonly slotAt: Temporal.Instant;
  readonly state: string;
  readonly standsFor: number;
  readonly tries: number;
  readonly holder: string | null;
}

const slots = () =>
  database.store.query<Slot>(
    `select slot_at as "slotAt", state, stands_for as "standsFor", tries, holder
       from schedule_slot order by slot_at`,
  );

const runs = (state: string) =>
  database.store.query<{ id: string }>("select id from run where state = $1", [state]);

async function customerCount(): Promise<number> {
  const [row] = await database.store.query<{ n: number }>(
    "select count(*)::int as n from customer",
  );
  return row?.n ?? 0;
}

test("two service instances on one database run each slot once, with one of them killed", async () => {
  const settings = writeSettings();
  const services = await Promise.all([startService(settings), startService(settings)]);
  const pids = services.map(({ pid }) => pid);
  customers("customers-1.csv", MANY);
  // Killed while it reads: the run's row is there, and nothing of it is published.
  await vi.waitFor(async () => expect((await runs("running")).length).toBe(1), WAIT);
  const running = (await slots()).find(({ state }) => state === "running");
  const holder = Number(running?.holder?.split("/")[0]);
  expect(pids).toContain(holder);
  process.kill(holder, "SIGKILL");
  expect(await customerCount()).toBe(0);
  await vi.waitFor(async () => expect(await customerCount()).toBe(MANY), WAIT);
  customers("customers-2.csv", MANY - 5);
  await vi.waitFor(async () => expect(await customerCount()).toBe(MANY - 5), WAIT);
  const left = services.find(({ pid }) => pid !== holder);
  left?.kill("SIGTERM");
  if (left !== undefined) await once(left, "close");

  const all = await slots();
  const ended = all.filter(({ state }) => state === "done");
  // The killed one's slot ran again, by itself or as a part of the one that was due by then.
  const killed = all.find(({ slotAt }) => running?.slotAt.equals(slotAt));
  expect(["done", "folded"]).toContain(killed?.state);
  const began = ended.map(({ tries }) => tries).sort((a, b) => a - b);
  expect(began).toEqual([...began.slice(1).fill(1), 2]);
  // What was due last waits for whoever comes next; nothing else is left.
  const open = all.slice(all.findLastIndex(({ state }) => state === "done") + 1);
  expect(open.filter(({ state }) => state !== "waiting" && state !== "folded")).toEqual([]);
  expect(all.filter(({ state }) => state === "waiting").every((slot) => open.includes(slot))).toBe(
    true,
  );
  // From the first to the last, each slot is one that ran, or is counted by the one that followed.
  const [first, last] = [ended[0]?.slotAt, ended.at(-1)?.slotAt];
  const due =
    first === undefined || last === undefined
      ? 0
      : last.since(first).total("seconds") / EVERY_SECONDS + (ended[0]?.standsFor ?? 0);
  expect(ended.reduce((sum, { standsFor }) => sum + standsFor, 0)).toBe(due);
  // Each file was applied once, whichever process read it.
  const applied = await database.store.query(
    "select name, count(*)::int as times from origin where applied_at is not null group by 1 order by 1",
  );
  expect(applied).toEqual([
    { name: "customers-1.csv", times: 1 },
    { name: "customers-2.csv", times: 1 },
  ]);
  expect((await runs("published")).length).toBe(2);
});

const WAIT = { timeout: 30_000, interval: 20 };
