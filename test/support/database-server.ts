/**
 * Once per test run: a PostgreSQL server and a template database with the whole schema. The server
 * is DATABASE_URL's, or an own one that runs of this machine's user share while they overlap.
 */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openJobs } from "../../src/jobs/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of a database from which others can be created, and the name of the template. */
    readonly database: { readonly adminUrl: string; readonly template: string };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const admin = await openAdmin();
  await sweep(admin);
  const template = databaseName();
  await admin.query(`CREATE DATABASE ${template}`);
  await install(onDatabase(admin.url, template));
  // A template that nobody can connect to can always be copied, by several files at once too.
  await admin.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  project.provide("database", { adminUrl: admin.url, template });
  return async () => {
    for (const name of await databases(admin))
      if (name.startsWith(template)) await drop(admin, name);
    await admin.close();
  };
}

async function install(url: string): Promise<void> {
  await using store = await openStore({ url });
  // The queue brings its own schema; made here it is copied with the rest.
  await (await openJobs(store, { log: () => undefined })).close();
}

/** The run's process is in the name, so that what a killed run left can be told and dropped. */
export function databaseName(): string {
  return `tradepost_test_${process.pid}_${randomBytes(4).toString("hex")}`;
}

/** Of a test file; it goes with the template's run at the latest. */
export function databaseOf(template: string): string {
  return `${template}_${randomBytes(4).toString("hex")}`;
}

export function onDatabase(url: string, name: string): string {
  const moved = new URL(url);
  moved.pathname = `/${name}`;
  return moved.toString();
}

export function openAdmin(): Promise<Store> {
  const url = process.env["DATABASE_URL"];
  if (url !== undefined) return openStore({ url, migrate: false });
  const folder = `tradepost-test-${process.getuid?.() ?? "user"}`;
  return openStore({ dataFolder: join(tmpdir(), folder), migrate: false, log: console.log });
}

async function sweep(admin: Store): Promise<void> {
  for (const name of await databases(admin))
    if (!isAlive(Number(name.split("_")[2]))) await drop(admin, name);
}

async function databases(admin: Store): Promise<readonly string[]> {
  const found = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname ~ '^tradepost_test_[0-9]+_'",
  );
  return found.map(({ datname }) => datname);
}

/** Another may be dropping the same one. */
async function drop(admin: Store, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
