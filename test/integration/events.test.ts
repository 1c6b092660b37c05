import { describe, expect, test } from "vitest";
import { noteEvents } from "../../src/notify/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();

const at = Temporal.Instant.from("2026-03-31T10:00:00Z");

describe("what happened is noted", () => {
  test("exactly when the transaction in which it happened commits", async () => {
    const { store } = database;
    const one = (type: string) => ({
      type,
      subject: "order/W-1",
      at,
      data: { id: "x", test: false },
    });
    await store.transaction((tx) => noteEvents(tx, "M1", [one("order.a"), one("order.b")]));
    const lost = store.transaction(async (tx) => {
      await noteEvents(tx, "M1", [one("order.c")]);
      throw new Error("no");
    });
    await expect(lost).rejects.toThrow("no");
    expect(await store.query("select type, data from event order by noted_at, place")).toEqual([
      { type: "order.a", data: { id: "x", test: false } },
      { type: "order.b", data: { id: "x", test: false } },
    ]);
  });
});
