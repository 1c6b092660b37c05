/** A database of a lane's own with the whole schema, on the server that the tests share. */
import { openStore, type Store } from "../../src/store/index.ts";
import { databaseName, onDatabase, openAdmin } from "../support/database-server.ts";

export interface LaneStore extends AsyncDisposable {
  readonly store: Store;
}

export async function openLaneStore(): Promise<LaneStore> {
  const admin = await openAdmin();
  const name = databaseName();
  await admin.query(`CREATE DATABASE ${name}`);
  const store = await openStore({ url: onDatabase(admin.url, name) });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.close();
    },
  };
}
