/**
 * When a cron expression is due, in a time zone. cron-parser counts wall-clock times, where no
 * clock ever changes; what a night of a clock change makes of them is decided here:
 * an expression of every hour runs through, by elapsed time; any other comes once for each
 * wall-clock time, at its first hour where the hour comes twice, and as much later as the clock
 * jumps where the hour is left out.
 */
import { CronExpressionParser, type CronExpression } from "cron-parser";

export interface Cron {
  /** The first one later than this; null: there is none. */
  next(after: Temporal.Instant): Temporal.Instant | null;
  /** Those later than `after`, up to and with `until`. */
  between(after: Temporal.Instant, until: Temporal.Instant): Passed;
}

export interface Passed {
  /** Null: none. */
  readonly last: Temporal.Instant | null;
  /** How many; counted to 10,000 only. */
  readonly count: number;
}

export interface CronProblem {
  readonly found: string;
  readonly expected: string;
  /** The word that was meant, perhaps. */
  readonly word?: { readonly said: string; readonly known: readonly string[] };
}

const MOST_COUNTED = 10_000;

/** Throws where `cronProblem` would say why. `seed`: what an `H` of the expression stands for. */
export function readCron(text: string, timeZone: string, seed: string): Cron {
  const everyHour = parse(text, seed).fields.hour.values.length === 24;
  const rule: Rule = { text, seed, timeZone, everyHour };
  const next: Cron["next"] = (after) => slotsAfter(rule, after).next().value ?? null;
  return { next, between: (after, until) => between(rule, after, until) };
}

interface Rule {
  readonly text: string;
  readonly seed: string;
  readonly timeZone: string;
  readonly everyHour: boolean;
}

function between(rule: Rule, after: Temporal.Instant, until: Temporal.Instant): Passed {
  let last: Temporal.Instant | null = null;
  let count = 0;
  for (const slot of slotsAfter(rule, after)) {
    if (Temporal.Instant.compare(slot, until) > 0) return { last, count };
    last = slot;
    count += 1;
    if (count === MOST_COUNTED) return { last: lastBefore(rule, slot, until), count };
  }
  return { last, count };
}

/** Of more than can be counted in reasonable time. */
function lastBefore(rule: Rule, found: Temporal.Instant, until: Temporal.Instant) {
  for (let minutes = 1; ; minutes *= 4) {
    const from = until.subtract({ minutes });
    if (Temporal.Instant.compare(from, found) <= 0) return found;
    let last: Temporal.Instant | null = null;
    for (const slot of slotsAfter(rule, from)) {
      if (Temporal.Instant.compare(slot, until) > 0) break;
      last = slot;
    }
    if (last !== null) return last;
  }
}

/** Time between two clock changes; `null`: since ever, for ever. Milliseconds of the epoch. */
interface Stretch {
  readonly from: number | null;
  readonly to: number | null;
  readonly offset: number;
  /** Of the stretch before. */
  readonly offsetBefore: number;
}

/** In order, each moment once. */
function* slotsAfter(rule: Rule, after: Temporal.Instant): Generator<Temporal.Instant, void> {
  const afterMs = after.epochMilliseconds;
  for (const stretch of stretches(after, rule.timeZone)) {
    let latest = afterMs;
    for (const ms of merged(leftOut(rule, stretch), inStretch(rule, stretch, afterMs))) {
      if (ms <= latest) continue;
      latest = ms;
      yield Temporal.Instant.fromEpochMilliseconds(ms);
    }
  }
}

/** The clock changes some hundred years ahead, where an expression that never comes gives up. */
const MOST_STRETCHES = 200;

function* stretches(after: Temporal.Instant, timeZone: string): Generator<Stretch, void> {
  const at = after.toZonedDateTimeISO(timeZone);
  let start = at.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
  let inside = start ?? at;
  for (let count = 0; count < MOST_STRETCHES; count += 1) {
    const end = inside.getTimeZoneTransition("next");
    const before = start?.toInstant().subtract({ milliseconds: 1 }).toZonedDateTimeISO(timeZone);
    yield {
      from: start?.epochMilliseconds ?? null,
      to: end?.epochMilliseconds ?? null,
      offset: offsetOf(inside),
      offsetBefore: offsetOf(before ?? inside),
    };
    if (end === null) return;
    start = end;
    inside = end;
  }
}

function offsetOf(moment: Temporal.ZonedDateTime): number {
  return moment.offsetNanoseconds / 1_000_000;
}

function* inStretch(rule: Rule, stretch: Stretch, afterMs: number): Generator<number, void> {
  const { from, to, offset, offsetBefore } = stretch;
  const begin = Math.max(afterMs, (from ?? afterMs) - 1);
  // The hour that comes twice: its wall-clock times were due in the stretch before.
  const seenTo = from === null || rule.everyHour ? null : from + offsetBefore;
  for (const wall of wallTimes(rule, begin + offset)) {
    if (to !== null && wall - offset >= to) return;
    if (seenTo === null || wall >= seenTo) yield wall - offset;
  }
}

/** Wall-clock times that the change at the stretch's beginning left out, moved on by as much. */
function leftOut(rule: Rule, { from, offset, offsetBefore }: Stretch): number[] {
  const found: number[] = [];
  if (from === null || rule.everyHour || offset <= offsetBefore) return found;
  for (const wall of wallTimes(rule, from + offsetBefore - 1)) {
    if (wall >= from + offset) break;
    found.push(wall - offsetBefore);
  }
  return found;
}

function* merged(few: number[], many: Generator<number, void>): Generator<number, void> {
  for (const each of many) {
    while ((few[0] ?? Infinity) <= each) yield few.shift() ?? each;
    yield each;
  }
  yield* few;
}

/** Wall-clock times later than this, as if they were UTC. */
function* wallTimes({ text, seed }: Rule, after: number): Generator<number, void> {
  const times = parse(text, seed, new Date(after));
  for (;;) {
    let next: number;
    try {
      next = times.next().getTime();
    } catch {
      // It has looked through more years than any calendar needs.
      return;
    }
    yield next;
  }
}

function parse(text: string, seed: string, after: Date = new Date(0)): CronExpression {
  return CronExpressionParser.parse(text, { tz: "UTC", currentDate: after, hashSeed: seed });
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

interface FieldRule {
  readonly name: string;
  readonly expected: string;
  readonly words: readonly string[];
}

const FIELDS: readonly FieldRule[] = [
  { name: "second", expected: "0 to 59", words: [] },
  { name: "minute", expected: "0 to 59", words: [] },
  { name: "hour", expected: "0 to 23", words: [] },
  { name: "day of month", expected: "1 to 31, or L for the last", words: [] },
  { name: "month", expected: "1 to 12 or jan to dec", words: MONTHS },
  { name: "day of week", expected: "0 (Sunday) to 7 or sun to sat", words: DAYS },
];
const ANY = ["0", "*", "*", "*", "*", "*"];

/** What is wrong with an expression, for whoever wrote it; null: nothing. */
export function cronProblem(text: string): CronProblem | null {
  const said = text.trim();
  const parts = said.split(/\s+/);
  if (!said.startsWith("@") && parts.length !== 5 && parts.length !== 6)
    return {
      found: `"${text}", which has ${parts.length} ${parts.length === 1 ? "field" : "fields"}`,
      expected:
        "five: minute hour day-of-month month day-of-week, such as 15 6 * * 1-5 (a sixth before them: second)",
    };
  if (said.startsWith("@")) return aliasProblem(said);
  const fields = parts.length === 5 ? ["0", ...parts] : parts;
  for (const [index, rule] of FIELDS.entries()) {
    const alone = ANY.with(index, fields[index] ?? "*").join(" ");
    if (!isReadable(alone)) return fieldProblem(rule, fields[index] ?? "");
  }
  const comes = isReadable(said) && readCron(said, "UTC", "").next(SOME_DAY) !== null;
  return comes ? null : { found: `"${text}", a day that never comes`, expected: "a day that does" };
}

const SOME_DAY = Temporal.Instant.from("2026-01-01T00:00:00Z");
const ALIASES = "@hourly @daily @weekly @monthly @yearly @weekdays @weekends".split(" ");

function aliasProblem(said: string): CronProblem | null {
  if (ALIASES.includes(said)) return null;
  return {
    found: `"${said}"`,
    expected: `one of ${ALIASES.join(", ")}, or five fields such as 15 6 * * 1-5`,
    word: { said, known: ALIASES },
  };
}

function fieldProblem({ name, expected, words }: FieldRule, said: string): CronProblem {
  const odd = /[a-z]{2,}/gi.exec(said)?.[0];
  const meant =
    odd === undefined || words.length === 0 ? {} : { word: { said: odd, known: words } };
  return {
    found: `the ${name} "${said}"`,
    expected: `${expected}, * for any, a-b for a range, */n for every n-th, commas between`,
    ...meant,
  };
}

function isReadable(text: string): boolean {
  try {
    parse(text, "");
    return true;
  } catch {
    return false;
  }
}
