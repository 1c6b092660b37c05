/** When cron expressions are due, above all on the nights on which clocks change. */
import { expect, test } from "vitest";
import { cronProblem } from "../../src/jobs/index.ts";
import { readCron } from "../../src/jobs/cron.ts";

const LONDON = "Europe/London";

/** Its times of some hours, as the wall clock shows them, with the offset. */
function times(cron: string, from: string, hours: number, zone = LONDON): string[] {
  const rule = readCron(cron, zone, "erp/nightly");
  const begin = Temporal.Instant.from(from);
  const end = begin.add({ hours });
  const found: string[] = [];
  for (let at = rule.next(begin); at !== null; at = rule.next(at)) {
    if (Temporal.Instant.compare(at, end) > 0) break;
    found.push(at.toZonedDateTimeISO(zone).toString({ timeZoneName: "never" }).slice(8, 22));
  }
  return found;
}

const SPRING = "2026-03-28T22:00:00Z";
const AUTUMN = "2026-10-24T22:00:00Z";

test("a daily 01:30 job runs once on the night on which 01:30 does not exist, an hour later", () => {
  expect(times("30 1 * * *", SPRING, 48)).toEqual(["29T02:30:00+01", "30T01:30:00+01"]);
});

test("a daily 01:30 job runs once on the night on which 01:30 comes twice, the first time", () => {
  expect(times("30 1 * * *", AUTUMN, 48)).toEqual(["25T01:30:00+01", "26T01:30:00+00"]);
});

test("an every-half-hour job runs through both nights, by elapsed time", () => {
  expect(times("*/30 * * * *", SPRING, 6).map((each) => each.slice(3, 8))).toEqual(
    "22:30 23:00 23:30 00:00 00:30 02:00 02:30 03:00 03:30 04:00 04:30 05:00".split(" "),
  );
  expect(times("*/30 * * * *", AUTUMN, 6).map((each) => each.slice(3, 8))).toEqual(
    "23:30 00:00 00:30 01:00 01:30 01:00 01:30 02:00 02:30 03:00 03:30 04:00".split(" "),
  );
});

test("times that the clock's jump puts upon each other are one", () => {
  expect(times("30 1,2 * * *", SPRING, 12)).toEqual(["29T02:30:00+01"]);
  expect(times("*/30 1,2 * * *", SPRING, 12)).toEqual(["29T02:00:00+01", "29T02:30:00+01"]);
});

test("each wall-clock time of a part of the day comes once on the long night", () => {
  expect(times("*/30 1-2 * * *", AUTUMN, 12)).toEqual([
    "25T01:00:00+01",
    "25T01:30:00+01",
    "25T02:00:00+00",
    "25T02:30:00+00",
  ]);
});

test("a zone whose clock never changes, and one that changes by half an hour", () => {
  expect(times("30 1 * * *", SPRING, 24, "UTC")).toEqual(["29T01:30:00+00"]);
  // 4 October 2026: 02:00 becomes 02:30. 5 April: 02:00 becomes 01:30.
  expect(times("15 2 * * *", "2026-10-03T12:00:00Z", 24, "Australia/Lord_Howe")).toEqual([
    "04T02:45:00+11",
  ]);
  expect(times("45 1 * * *", "2026-04-04T12:00:00Z", 24, "Australia/Lord_Howe")).toEqual([
    "05T01:45:00+11",
  ]);
});

test("two years of a daily and of an every-ten-minutes job hold each time exactly once", () => {
  const [from, to] = ["2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"].map((text) =>
    Temporal.Instant.from(text),
  ) as [Temporal.Instant, Temporal.Instant];
  const daily: string[] = [];
  const rule = readCron("30 1 * * *", LONDON, "");
  for (let at = rule.next(from); at !== null && Temporal.Instant.compare(at, to) <= 0;) {
    daily.push(at.toString());
    at = rule.next(at);
  }
  // Told by Temporal alone: a time that is left out is as much later, one that repeats the first.
  const wanted: string[] = [];
  for (let day = Temporal.PlainDate.from("2026-01-01"); day.year < 2028; day = day.add({ days: 1 }))
    wanted.push(
      day.toZonedDateTime({ timeZone: LONDON, plainTime: "01:30" }).toInstant().toString(),
    );
  expect(daily).toEqual(wanted);
  const often = readCron("*/10 * * * *", LONDON, "");
  let counted = 0;
  for (let at = from; at.epochMilliseconds < to.epochMilliseconds; at = at.add({ hours: 730 })) {
    const until = at.add({ hours: 730 });
    counted += often.between(at, until).count;
  }
  expect(counted).toBe(24 * 730 * 6);
});

test("what was missed for years is counted to ten thousand, and its last is known", () => {
  const rule = readCron("*/10 * * * *", LONDON, "");
  const passed = rule.between(
    Temporal.Instant.from("2020-01-01T00:05:00Z"),
    Temporal.Instant.from("2026-03-31T09:05:00Z"),
  );
  expect([passed.count, passed.last?.toString()]).toEqual([10_000, "2026-03-31T09:00:00Z"]);
});

test.for([
  ["30 1 * *", '"30 1 * *", which has 4 fields'],
  ["75 * * * *", 'the minute "75"'],
  ["0 24 * * *", 'the hour "24"'],
  ["0 6 32 * *", 'the day of month "32"'],
  ["0 6 * 13 *", 'the month "13"'],
  ["0 6 * * mno", 'the day of week "mno"'],
  ["0 0 30 2 *", '"0 0 30 2 *", a day that never comes'],
  ["@dayly", '"@dayly"'],
  ["", '"", which has 1 field'],
])("%s is told for what it is", ([cron, found]) => {
  expect(cronProblem(cron ?? "")?.found).toBe(found);
});

test("a misspelt word is told with those that are known", () => {
  expect(cronProblem("0 6 * * mno")?.word).toMatchObject({ said: "mno" });
  expect(cronProblem("15 6 * * 1-5")).toBeNull();
});
