import { expect, test } from "vitest";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();

const count = async () => {
  const [row] = await database.store.query<{ n: number }>("SELECT count(*) AS n FROM stream_state");
  return row?.n;
};
const insert = "INSERT INTO stream_state (company, connection, stream) VALUES ($1, 'erp', 'stock')";

test("a transaction that throws leaves nothing behind", async () => {
  const failing = database.store.transaction(async (tx) => {
    expect(await tx.affect(insert, ["A"])).toBe(1);
    throw new Error("on purpose");
  });
  await expect(failing).rejects.toThrow("on purpose");
  expect(await count()).toBe(0);
});
