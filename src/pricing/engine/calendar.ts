/** Business dates as day numbers, so that a rule's dates are two integers. */

/** Before and after every day that a rule can name. */
export const FIRST_DAY = -2_000_000;
export const LAST_DAY = 2_000_000;

const EPOCH = Temporal.PlainDate.from("1970-01-01");

/** Days since 1970-01-01: "2026-03-31" → 20543. Throws a RangeError on text that is no date. */
export function dayOf(date: string): number {
  return EPOCH.until(Temporal.PlainDate.from(date), { largestUnit: "days" }).days;
}

/**
 * The date of a day number: 20543 → "2026-03-31". Remembered: explanations name few days, often.
 */
export function dateOf(day: number): string {
  const known = DATES.get(day);
  if (known !== undefined) return known;
  const date = EPOCH.add({ days: day }).toString();
  if (DATES.size < 10_000) DATES.set(day, date);
  return date;
}

const DATES = new Map<number, string>();
