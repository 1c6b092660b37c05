/**
 * A database of its own for a test file, with the whole schema and no rows.
 *
 *     const database = useDatabase();
 *     test("…", async () => { await database.store.query("…"); });
 */
import { afterAll, beforeAll, inject } from "vitest";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { databaseOf, onDatabase } from "./database-server.ts";

export interface TestDatabase {
  /** Open from before the file's first test until after its last. */
  readonly store: Store;
}

export function useDatabase(): TestDatabase {
  let store: Store | undefined;
  const { adminUrl, template } = inject("database");
  const name = databaseOf(template);
  beforeAll(async () => {
    await asAdmin(
      adminUrl,
      `CREATE DATABASE ${name} TEMPLATE ${template}`,
      // These rows need not outlive the machine: waiting for its disk took longer than committing.
      `ALTER DATABASE ${name} SET synchronous_commit = off`,
    );
    store = await openStore({ url: onDatabase(adminUrl, name), migrate: false });
  });
  afterAll(async () => {
    await store?.close();
    // Dropping writes what all others have in memory to the disk, and the next file does not wait
    // for that; what is left at the end goes then.
    void asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
  });
  return {
    get store() {
      if (store === undefined) throw new Error("The test database is open only while tests run.");
      return store;
    },
  };
}

async function asAdmin(url: string, ...statements: readonly string[]): Promise<void> {
  await using admin = await openStore({ url, migrate: false, connections: 1 });
  for (const sql of statements) await admin.query(sql);
}
