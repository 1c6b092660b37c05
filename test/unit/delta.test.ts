import { describe, expect, test } from "vitest";
import type { DeltaPromise, Position } from "../../src/connector/contract.ts";
import {
  comparePositions,
  furthest,
  isAfter,
  positionOf,
  readBehind,
  readFrom,
  readStamp,
  stampOf,
} from "../../src/connector/contract.ts";

const LONDON = "Europe/London";
const at = (value: string | number, key: string | number = "") => ({ value, key }) as Position;
const promise = (
  zone: DeltaPromise["zone"],
  grain: DeltaPromise["grain"],
  overlap: number,
): DeltaPromise => ({ zone, grain, overlap, ordered: true });

describe("positions", () => {
  test("rows that share a stamp are told apart by their key", () => {
    const cursor = at("2026-03-31T08:15:00Z", 17);
    expect(isAfter(cursor, at("2026-03-31T08:15:00Z", 18))).toBe(true);
    expect(isAfter(cursor, at("2026-03-31T08:15:00Z", 17))).toBe(false);
    expect(isAfter(cursor, at("2026-03-31T08:14:59Z", 99))).toBe(false);
    expect(isAfter(null, at(0))).toBe(true);
    expect([at(10, 1), at(9, 5), at(10, 0)].sort(comparePositions)).toEqual([
      at(9, 5),
      at(10, 0),
      at(10, 1),
    ]);
  });

  test("the furthest of them never goes back", () => {
    expect(furthest(null, at(3))).toEqual(at(3));
    expect(furthest(at(5), at(3))).toEqual(at(5));
    expect(furthest(at(5, "a"), at(5, "b"))).toEqual(at(5, "b"));
  });

  test("text and number cannot be compared, and say so", () => {
    expect(() => comparePositions(at("10"), at(9))).toThrow("Positions 10 and 9 are of two kinds.");
  });

  test.each([
    [
      { value: 7, key: "a", page: 3 },
      { value: 7, key: "a" },
    ],
    [{ value: "", key: "a" }, null],
    [{ value: 7 }, null],
    ["2026-03-31", null],
    [null, null],
  ])("the position of the cursor %j is %j", (cursor, position) => {
    expect(positionOf(cursor)).toEqual(position);
  });
});

describe("where a read begins", () => {
  test.each<[string, DeltaPromise, string | number, string | number]>([
    [
      "at the stamp itself, whose rows may not all have been there",
      promise("utc", "second", 0),
      "2026-03-31T08:15:00Z",
      "2026-03-31T08:15:00Z",
    ],
    [
      "the overlap behind it",
      promise("utc", "millisecond", 300),
      "2026-03-31T08:15:00.125Z",
      "2026-03-31T08:10:00.125Z",
    ],
    [
      "in the grain of the stream",
      promise("utc", "minute", 90),
      "2026-03-31T08:15Z",
      "2026-03-31T08:13Z",
    ],
    [
      "over midnight",
      promise("local", "second", 3600),
      "2026-04-01T00:30:00",
      "2026-03-31T23:30:00",
    ],
    ["of days at the day itself", promise("local", "day", 0), "2026-03-31", "2026-03-31"],
    ["of days a day back for any overlap", promise("local", "day", 60), "2026-03-31", "2026-03-30"],
    ["of a counter by counts", promise("none", "number", 50), 1200, 1150],
    [
      "to the microsecond",
      promise("utc", "microsecond", 1),
      "2026-03-31T08:15:00.000001Z",
      "2026-03-31T08:14:59.000001Z",
    ],
  ])("%s", (_, how, cursor, from) => {
    expect(readFrom(at(cursor), how, LONDON)).toBe(from);
  });

  test("is the beginning when there is no cursor", () => {
    expect(readFrom(null, promise("utc", "second", 60), LONDON)).toBeNull();
    expect(readBehind(null, promise("utc", "second", 60), LONDON)).toBeNull();
  });

  test.each<[DeltaPromise, string | number, string | number]>([
    [promise("utc", "second", 0), "2026-03-31T08:15:00Z", "2026-03-31T08:14:59Z"],
    [promise("utc", "millisecond", 0), "2026-03-31T08:15:00.000Z", "2026-03-31T08:14:59.999Z"],
    [promise("local", "day", 0), "2026-03-01", "2026-02-28"],
    [promise("none", "number", 0), 7, 6],
  ])("for a source that knows only > is one step less: %j %j", (how, cursor, from) => {
    expect(readBehind(at(cursor), how, LONDON)).toBe(from);
  });
});

describe("the night of 25/10/2026, when 01:00 to 02:00 comes twice", () => {
  const quarter = promise("local", "second", 900);
  test.each([
    ["before it: no row can come behind", "2026-10-25T00:40:00", "2026-10-25T00:25:00"],
    [
      "at its beginning, the overlap reaches behind it",
      "2026-10-25T01:05:00",
      "2026-10-25T00:50:00",
    ],
    [
      "in it: goes back to its beginning, since it may still come a second time",
      "2026-10-25T01:50:00",
      "2026-10-25T01:00:00",
    ],
    ["at its end, whichever of the two", "2026-10-25T01:59:59", "2026-10-25T01:00:00"],
    [
      "behind it, the overlap lies in the second one alone",
      "2026-10-25T02:10:00",
      "2026-10-25T01:55:00",
    ],
    ["well behind it", "2026-10-25T09:00:00", "2026-10-25T08:45:00"],
  ])("%s", (_, cursor, from) => {
    expect(readFrom(at(cursor), quarter, LONDON)).toBe(from);
  });

  test("an overlap that reaches over the change begins where the hour first began", () => {
    expect(readFrom(at("2026-10-25T02:10:00"), promise("local", "second", 7_200), LONDON)).toBe(
      "2026-10-25T01:00:00",
    );
  });

  test("stamps of UTC know nothing of it", () => {
    const utc = promise("utc", "second", 900);
    expect(readFrom(at("2026-10-25T01:10:00Z"), utc, LONDON)).toBe("2026-10-25T00:55:00Z");
  });

  test("no row written in that night is lost, whenever the reads come", () => {
    // A row every 4 minutes of true time; the source stamps it with its wall clock.
    const start = Temporal.Instant.from("2026-10-24T23:00:00Z");
    const moments = Array.from({ length: 90 }, (_, index) => start.add({ minutes: 4 * index }));
    const rows = moments.map((moment, id) => ({
      moment,
      at: at(stampOf(moment, quarter, LONDON), String(id).padStart(4, "0")),
    }));
    for (const every of [7, 25, 61, 130]) {
      const got = new Set<string | number>();
      let cursor: Position | null = null;
      for (let minutes = 0; minutes <= 400; minutes += every) {
        const now = start.add({ minutes });
        const from = readFrom(cursor, quarter, LONDON);
        const there = rows
          .filter(({ moment }) => Temporal.Instant.compare(moment, now) <= 0)
          .filter((row) => from === null || row.at.value >= from);
        for (const row of there) {
          got.add(row.at.key);
          cursor = furthest(cursor, row.at);
        }
      }
      const due = rows.filter(({ moment }) => moment.since(start).total("minutes") <= 400 - every);
      expect(due.filter((row) => !got.has(row.at.key))).toEqual([]);
    }
  });
});

describe("the night of 29/03/2026, when 01:00 to 02:00 does not come", () => {
  const quarter = promise("local", "second", 900);
  test.each([
    [
      "behind it, the overlap jumps the hour that was not",
      "2026-03-29T02:10:00",
      "2026-03-29T00:55:00",
    ],
    ["before it", "2026-03-29T00:50:00", "2026-03-29T00:35:00"],
    ["inside, from a clock that was not put forward", "2026-03-29T01:30:00", "2026-03-29T00:15:00"],
  ])("%s", (_, cursor, from) => {
    expect(readFrom(at(cursor), quarter, LONDON)).toBe(from);
  });
});

describe("a source's stamp", () => {
  test.each<[string, DeltaPromise, string | null]>([
    ["2024-05-24T08:15:00.61Z", promise("utc", "millisecond", 0), "2024-05-24T08:15:00.610Z"],
    ["2024-05-24T08:15:00Z", promise("utc", "millisecond", 0), "2024-05-24T08:15:00.000Z"],
    [
      "2024-05-24T09:15:00.6139+01:00",
      promise("utc", "millisecond", 0),
      "2024-05-24T08:15:00.613Z",
    ],
    ["2024-05-24 08:15:00", promise("local", "second", 0), "2024-05-24T08:15:00"],
    ["2024-05-24T08:15:00Z", promise("local", "second", 0), "2024-05-24T09:15:00"],
    ["2024-05-24 08:15:59", promise("local", "minute", 0), "2024-05-24T08:15"],
    ["2024-05-24", promise("local", "day", 0), "2024-05-24"],
    ["2024-05-24T23:15:00", promise("local", "day", 0), "2024-05-24"],
    ["24/05/2024", promise("local", "day", 0), null],
    ["2024-02-30", promise("local", "day", 0), null],
    ["", promise("utc", "second", 0), null],
  ])("%j becomes a value of one length", (text, how, value) => {
    expect(readStamp(text, how, LONDON)).toBe(value);
  });
});
