/**
 * A database of its own for a test file, with the whole schema and no rows.
 *
 *     const database = useDatabase();
 *     test("…", async () => { await database.store.query("…"); });
 */
import { afterAll, beforeAll, inject } from "vitest";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { databaseName, onDatabase } from "./database-server.ts";

export interface TestDatabase {
  /** Open from before the file's first test until after its last. */
  readonly store: Store;
}

export function useDatabase(): TestDatabase {
  let store: Store | undefined;
  const name = databaseName();
  const { adminUrl, template } = inject("database");
  beforeAll(async () => {
    await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
    store = await openStore({ url: onDatabase(adminUrl, name), migrate: false });
  });
  afterAll(async () => {
    await store?.close();
    await asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  return {
    get store() {
      if (store === undefined) throw new Error("The test database is open only while tests run.");
      return store;
    },
  };
}

async function asAdmin(url: string, sql: string): Promise<void> {
  await using admin = await openStore({ url, migrate: false, connections: 1 });
  await admin.query(sql);
}
