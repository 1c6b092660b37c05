/** A data folder with the bench's price rules, and the real service on it. */
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./main.ts";
import { cpuSeconds } from "./measure.ts";
import type { DatabaseFigures } from "./price-process.ts";
import { answer, startChild } from "./process.ts";
import type { Child } from "./process.ts";
import { benchSettings } from "./pull-process.ts";

export interface PreparedFolder extends DatabaseFigures {
  readonly database: string;
}

const prepared = new Map<string, Promise<PreparedFolder>>();

/** Made once a run, by whichever row asks first. */
export function preparedFolder(bench: Bench): Promise<PreparedFolder> {
  const known = prepared.get(bench.folder) ?? prepare(bench);
  prepared.set(bench.folder, known);
  return known;
}

async function prepare(bench: Bench): Promise<PreparedFolder> {
  bench.say(`filling a database with ${bench.rules} price rules, publishing and asking them`);
  const { rules, rounds, seed } = bench;
  const database = join(bench.folder, "service-server");
  const folder = await mkdtemp(join(bench.folder, "filled-"));
  await using child = startChild("test/bench/price-process.ts");
  child.ask({ what: "database", folder, database, rules, rounds, seed });
  return { ...(await answer<DatabaseFigures>(child)), database };
}

export interface Service extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first `/readyz` that says ready. */
  readonly readyMs: number;
  /** CPU of that process until then; the database's is not in it. */
  readonly readyCpuSeconds: number;
}

/** `npm start` on that folder, until disposed. */
export async function startService(bench: Bench): Promise<Service> {
  const { database } = await preparedFolder(bench);
  return startServiceOn(bench, database);
}

/** The same on any folder with a database. */
export async function startServiceOn(bench: Bench, database: string): Promise<Service> {
  const port = await freePort();
  const folder = await mkdtemp(join(bench.folder, "service-"));
  const settings = await benchSettings(folder, { database, port });
  const since = performance.now();
  const child = startChild("src/main.ts", { arguments: [settings], service: true });
  try {
    await ready(child, port);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    pid: child.pid,
    port,
    readyMs: performance.now() - since,
    readyCpuSeconds: cpuSeconds(child.pid),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

const PATIENCE_MS = 120_000;

async function ready(child: Child, port: number): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (performance.now() < giveUpAt && child.running()) {
    const answered = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answered?.status === 200) return;
    await sleep(10);
  }
  throw new Error(`the service was not ready within ${PATIENCE_MS / 1000} s`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => {
        resolve(port);
      });
    });
  });
}
