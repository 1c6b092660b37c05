/**
 * Applies the files of `prisma/migrations`, oldest first, each in a transaction, one process at a
 * time. Layout, bookkeeping table, checksum and lock are Prisma's, so its CLI reads and writes the
 * same record.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PoolClient } from "pg";
import { StoreError, reasonOf } from "./error.ts";

/** The advisory lock that Prisma's own engine takes. */
const LOCK = 72_707_369;

const BOOKKEEPING = `
CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
);
CREATE SCHEMA IF NOT EXISTS staging;`;

export interface Migration {
  /** Name of its folder; migrations are applied in the order of their names. */
  readonly name: string;
  readonly sql: string;
  /** Of the file's bytes, as Prisma counts it. */
  readonly checksum: string;
}

const MIGRATIONS_FOLDER = join(import.meta.dirname, "prisma/migrations");

/** All that this Tradepost has, oldest first. */
export async function readMigrations(folder = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

export async function migrate(
  connect: () => Promise<PoolClient>,
  log: (line: string) => void,
): Promise<void> {
  const client = await connect();
  try {
    const known = await readMigrations();
    await client.query(`SELECT pg_advisory_lock(${LOCK})`);
    await client.query(BOOKKEEPING);
    for (const migration of missing(known, await applied(client))) {
      log(`Applying the migration ${migration.name} …`);
      await apply(client, migration);
    }
  } finally {
    // Ends the connection too: with it goes the lock, whatever happened.
    client.release(true);
  }
}

interface Applied {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: unknown;
}

async function applied(client: PoolClient): Promise<readonly Applied[]> {
  const { rows } = await client.query<Applied>(
    "SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name",
  );
  return rows;
}

function missing(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const row of applied) {
    const migration = byName.get(row.migration_name);
    if (migration === undefined) throw unknown(row.migration_name);
    if (row.finished_at === null) throw unfinished(row.migration_name);
    if (migration.checksum !== row.checksum) throw changed(row.migration_name);
  }
  const done = new Set(applied.map((row) => row.migration_name));
  return known.filter((migration) => !done.has(migration.name));
}

async function apply(client: PoolClient, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw new StoreError(
      "migration-failed",
      `Applying the migration ${migration.name}: ${reasonOf(error)}. Nothing of it was kept.`,
      { cause: error },
    );
  }
}

function unknown(name: string): StoreError {
  return new StoreError(
    "migration-unknown",
    `Opening the database: it has the migration ${name}, which this Tradepost does not know. The ` +
      "database was used by a newer Tradepost: start that one, or restore a backup from before.",
  );
}

function unfinished(name: string): StoreError {
  return new StoreError(
    "migration-failed",
    `Opening the database: the migration ${name} was begun by the Prisma CLI and did not finish. ` +
      "Settle it with `prisma migrate resolve`, then start again.",
  );
}

function changed(name: string): StoreError {
  return new StoreError(
    "migration-changed",
    `Opening the database: the migration ${name} was applied here from another text than this ` +
      "Tradepost has. Before the first release the initial migration is rewritten: drop the " +
      "database (or remove its data folder) and start again. A released migration must never change.",
  );
}
