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
    await admin.query(`DROP DATABASE IF EXISTS ${template}`);
    await admin.close();
  };
}

async function install(url: string): Promise<void> {
  await using store = await openStore({ url });
  // The queue brings its own schema; made here it is copied with the rest.
  await (await openJobs(store, { log: () => undefined })).close();
}

/** The process's id is in the name, so that what a killed run left can be told and dropped. */
export function databaseName(): string {
  return `tradepost_test_${process.pid}_${randomBytes(4).toString("hex")}`;
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
  const found = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname ~ '^tradepost_test_[0-9]+_'",
  );
  for (const { datname } of found) {
    if (isAlive(Number(datname.split("_")[2]))) continue;
    // Another run may be sweeping the same one.
    await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
