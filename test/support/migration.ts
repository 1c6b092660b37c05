/**
 * `npm run migration -- NAME` writes a migration with what the schema has and the migrations lack.
 * `npm run migration -- --rewrite` writes the one initial migration anew: only while nothing is
 * released.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readMigrations } from "../../src/store/index.ts";
import { difference, readSchema } from "./schema-engine.ts";

const MIGRATIONS_FOLDER = join(import.meta.dirname, "../../src/store/prisma/migrations");
const START = "0001_start";

async function main(argument: string | undefined): Promise<void> {
  if (argument === undefined || (argument.startsWith("-") && argument !== "--rewrite"))
    throw new Error("usage: npm run migration -- NAME | --rewrite");
  const known = await readMigrations();
  const schema = await readSchema();
  if (argument === "--rewrite") {
    const sql = await difference([], schema);
    for (const { name } of known) await rm(join(MIGRATIONS_FOLDER, name), { recursive: true });
    return write(START, sql);
  }
  const sql = await difference(known, schema);
  if (sql === "") return console.log("The migrations make what the schema says; nothing written.");
  const number = String(known.length + 1).padStart(4, "0");
  return write(`${number}_${argument.replaceAll(/[^a-z0-9]+/gi, "_").toLowerCase()}`, sql);
}

async function write(name: string, sql: string): Promise<void> {
  const folder = join(MIGRATIONS_FOLDER, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "migration.sql"), sql);
  const lock = '# Read by the Prisma CLI.\nprovider = "postgresql"\n';
  await writeFile(join(MIGRATIONS_FOLDER, "migration_lock.toml"), lock);
  console.log(`wrote ${join(folder, "migration.sql")}`);
}

await main(process.argv[2]);
