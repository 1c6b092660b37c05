/**
 * Moments of rules and enquiries: milliseconds since 1970, so that when a rule holds is two
 * numbers. A business date stands for its day in the company's time zone.
 */

/** Of a rule without a first or last moment. */
export const ALWAYS = -Infinity;
export const NEVER = Infinity;

const STARTS = new Map<string, Map<string, number>>();
const ENDS = new Map<string, Map<string, number>>();
const DATES = new Map<string, Map<number, string>>();

/** The first moment of a date: ("2026-03-31", "Europe/London") → 1774911600000. */
export function startOfDay(date: string, timeZone: string): number {
  const known = remembered(STARTS, timeZone);
  const found = known.get(date);
  if (found !== undefined) return found;
  return keep(
    known,
    date,
    Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds,
  );
}

/** The moment after the last one of a date. */
export function endOfDay(date: string, timeZone: string): number {
  const known = remembered(ENDS, timeZone);
  const found = known.get(date);
  if (found !== undefined) return found;
  const next = Temporal.PlainDate.from(date).add({ days: 1 });
  return keep(known, date, next.toZonedDateTime(timeZone).epochMilliseconds);
}

/** The moment that a text with its offset states: "2026-03-31T09:15:00Z". */
export function momentOf(text: string): number {
  return Temporal.Instant.from(text).epochMilliseconds;
}

/** The date on which a moment falls. */
export function dateOf(moment: number, timeZone: string): string {
  const known = remembered(DATES, timeZone);
  const found = known.get(moment);
  return found ?? keep(known, moment, zoned(moment, timeZone).toPlainDate().toString());
}

/** "31/03/2026", and "31/03/2026 09:15" for a moment that starts no day. */
export function wordsOf(moment: number, timeZone: string): string {
  const date = dateOf(moment, timeZone);
  const day = shownDate(date);
  if (startOfDay(date, timeZone) === moment) return day;
  const time = zoned(moment, timeZone).toPlainTime();
  const precision = time.second === 0 && time.millisecond === 0 ? "minute" : "second";
  return `${day} ${time.toString({ smallestUnit: precision })}`;
}

/** "31/03/2026" for the last day before a moment that starts one; else the moment itself. */
export function lastWordsOf(moment: number, timeZone: string): string {
  const date = dateOf(moment, timeZone);
  return startOfDay(date, timeZone) === moment
    ? shownDate(dateOf(moment - 1, timeZone))
    : wordsOf(moment, timeZone);
}

/** "2026-03-31" → "31/03/2026", as the trade writes it. */
export function shownDate(date: string): string {
  return `${date.slice(8, 10)}/${date.slice(5, 7)}/${date.slice(0, 4)}`;
}

/** The moment as text with its offset from UTC, as answers carry it. */
export function textOf(moment: number): string {
  return Temporal.Instant.fromEpochMilliseconds(moment).toString();
}

function zoned(moment: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone);
}

function remembered<Key, Value>(maps: Map<string, Map<Key, Value>>, zone: string): Map<Key, Value> {
  const known = maps.get(zone) ?? new Map<Key, Value>();
  maps.set(zone, known);
  return known;
}

/** Rules name few days, often. */
function keep<Key, Value>(known: Map<Key, Value>, key: Key, value: Value): Value {
  if (known.size > 10_000) known.clear();
  known.set(key, value);
  return value;
}
