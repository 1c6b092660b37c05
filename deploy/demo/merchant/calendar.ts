/**
 * Days as whole numbers since 1970-01-01, so that a simulation can count and compare them cheaply.
 * Temporal does the calendar; ISO texts are kept because the same few thousand days recur.
 */

const EPOCH = Temporal.PlainDate.from("1970-01-01");
const texts = new Map<number, string>();

export function dayOf(iso: string): number {
  return EPOCH.until(iso, { largestUnit: "days" }).days;
}

export function isoOf(day: number): string {
  const known = texts.get(day);
  if (known !== undefined) return known;
  const text = EPOCH.add({ days: day }).toString();
  texts.set(day, text);
  return text;
}

/** 0 is Monday, 6 Sunday. */
export function weekdayOf(day: number): number {
  return (day + 3) % 7;
}

/** Monday to Friday, but not at Christmas and New Year: vans drive and the office is open. */
export function isWorkingDay(day: number): boolean {
  return weekdayOf(day) < 5 && !isHoliday(day);
}

export function isHoliday(day: number): boolean {
  return ["12-25", "12-26", "01-01"].includes(isoOf(day).slice(5));
}

/** The working day that is `count` working days after a day. */
export function workingDaysAfter(day: number, count: number): number {
  let reached = day;
  for (let left = count; left > 0;) {
    reached += 1;
    if (isWorkingDay(reached)) left -= 1;
  }
  return reached;
}

export function endOfMonth(day: number): number {
  const date = EPOCH.add({ days: day });
  return day + date.daysInMonth - date.day;
}

export function yearsBefore(day: number, years: number): number {
  return dayOf(EPOCH.add({ days: day }).subtract({ years }).toString());
}

/** The first day of the month that is `months` after the day's own. */
export function firstOfMonthAfter(day: number, months: number): number {
  return dayOf(EPOCH.add({ days: day }).with({ day: 1 }).add({ months }).toString());
}
