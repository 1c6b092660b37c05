/**
 * Prisma's schema engine, compiled to WebAssembly, over a PostgreSQL in memory: offline and small.
 */
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import type { DiffTarget, SchemaContainer } from "@prisma/schema-engine-wasm";
import * as glue from "@prisma/schema-engine-wasm/schema_engine_bg";
import { PrismaPGlite } from "pglite-prisma-adapter";
import type { Migration } from "../../src/store/index.ts";

export const SCHEMA_FOLDER = join(import.meta.dirname, "../../src/store/prisma/schema");

export type SchemaFile = SchemaContainer;

export async function readSchema(): Promise<SchemaFile[]> {
  const names = (await readdir(SCHEMA_FOLDER)).filter((name) => name.endsWith(".prisma"));
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(SCHEMA_FOLDER, name);
      return { path, content: await readFile(path, "utf8") };
    }),
  );
}

/** The SQL that leads from what the migrations make to what the schema says; "" when they agree. */
export async function difference(
  from: readonly Migration[],
  to: readonly SchemaFile[],
): Promise<string> {
  const files = [...to];
  const { SchemaEngine } = await (loaded ??= load());
  const empty = await (made ??= makeDatabase());
  const opened: PGlite[] = [];
  const connect = () => {
    const memory = new PGlite({ loadDataDir: empty });
    opened.push(memory);
    return new PrismaPGlite(memory).connect();
  };
  const engine = await SchemaEngine.new(
    { datamodels: files.map(({ path, content }): [string, string] => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory({
      provider: "postgres",
      adapterName: "pglite-prisma-adapter",
      connect,
      connectToShadowDb: connect,
    }),
  );
  try {
    const { stdout } = await engine.diff({
      from: from.length === 0 ? { tag: "empty" } : migrationsTarget(from),
      to: { tag: "schemaDatamodel", files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    const sql = stdout ?? "";
    return /^\s*-- This is an empty migration\.\s*$/.test(sql) ? "" : sql;
  } finally {
    engine.free();
    for (const memory of opened) await memory.close();
  }
}

function migrationsTarget(migrations: readonly Migration[]): DiffTarget {
  return {
    tag: "migrations",
    baseDir: "/migrations",
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
    })),
  };
}

/** An empty database as others begin: making one takes seconds, reading it moments. */
async function makeDatabase(): Promise<Blob> {
  const memory = await PGlite.create();
  const files = await memory.dumpDataDir("none");
  await memory.close();
  return files;
}

let made: Promise<Blob> | undefined;
let loaded: Promise<typeof glue> | undefined;

/** What TypeScript's libraries without a browser do not declare. */
const { instantiate } = Reflect.get(globalThis, "WebAssembly") as {
  readonly instantiate: (
    bytes: Uint8Array,
    imports: Readonly<Record<string, unknown>>,
  ) => Promise<{ instance: { exports: Readonly<Record<string, unknown>> } }>;
};

/** The package's own loader imports its `.wasm` as a module, which Node does only under a flag. */
async function load(): Promise<typeof glue> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@prisma/schema-engine-wasm/schema_engine_bg"));
  const bytes = await readFile(join(folder, "schema_engine_bg.wasm"));
  const { instance } = await instantiate(bytes, { "./schema_engine_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  const start = instance.exports["__wbindgen_start"];
  if (typeof start === "function") Reflect.apply(start, undefined, []);
  return glue;
}
