import { describe, expect, test } from "vitest";
import { noteEvents, openEvents, type EventsPage } from "../../src/notify/index.ts";
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

describe("the feed", () => {
  const note = (company: string, type: string, when = at) =>
    database.store.transaction((tx) =>
      noteEvents(tx, company, [{ type, subject: "order/W-1", at: when, data: {} }]),
    );
  const feedOf = (company: string, now = at, keepDays = 90) =>
    openEvents({ store: database.store, company, keepDays, now: () => now });
  const typesOf = (page: EventsPage | string) =>
    typeof page === "string" ? page : page.events.map(({ number, type }) => `${number} ${type}`);

  test("whoever has read up to a number has missed nothing below it, however late a commit is", async () => {
    const { store } = database;
    const feed = feedOf("SLOW");
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const slow = store.transaction(async (tx) => {
      await noteEvents(tx, "SLOW", [{ type: "order.early", subject: "order/W-1", at, data: {} }]);
      begun.resolve();
      await end.promise;
    });
    await begun.promise;
    await note("SLOW", "order.late");
    const first = await feed.after({ after: 0, limit: 10 });
    expect(typesOf(first)).toEqual(["1 order.late"]);
    end.resolve();
    await slow;
    expect(typesOf(await feed.after({ after: 1, limit: 10 }))).toEqual(["2 order.early"]);
  });

  test("readers at once give each event one number, without gaps", async () => {
    const noted = Array.from({ length: 40 }, (_, index) => note("MANY", `order.${index}`));
    const read = Array.from({ length: 10 }, () => feedOf("MANY").after({ after: 0, limit: 100 }));
    await Promise.all([...noted, ...read]);
    const page = await feedOf("MANY").after({ after: 0, limit: 100 });
    if (typeof page === "string") throw new Error(page);
    expect(page.events.map(({ number }) => number)).toEqual(
      page.events.map((_, index) => index + 1),
    );
    expect(page.events).toHaveLength(40);
  });

  test("is deleted from its beginning, and a cursor from before that is told so, never a gap", async () => {
    for (const [days, type] of [
      [100, "order.a"],
      [95, "order.b"],
      [10, "order.c"],
    ] as const)
      await note("OLD", type, at.subtract({ hours: 24 * days }));
    expect(await feedOf("OLD").tidy()).toBe(2);
    expect(await feedOf("OLD").tidy()).toBe(0);
    expect(typesOf(await feedOf("OLD").after({ after: 2, limit: 10 }))).toEqual(["3 order.c"]);
    expect(typesOf(await feedOf("OLD").after({ after: 0, limit: 10 }))).toEqual(["3 order.c"]);
    expect(await feedOf("OLD").after({ after: 1, limit: 10 })).toBe("no-longer-kept");
    expect(await feedOf("OLD").after({ after: 4, limit: 10 })).toBe("another-feed");
    await note("OLD", "order.d");
    expect(typesOf(await feedOf("OLD").after({ after: 3, limit: 10 }))).toEqual(["4 order.d"]);
  });
});
