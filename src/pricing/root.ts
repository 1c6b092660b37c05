/** A published book with what its answers carry; readers take it once per request. */
import { calendar } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import type { Stand, Standing } from "./standing.ts";

export interface Root {
  readonly book: PriceBook;
  /** "17-3fa9c2d1": number of the published version, start of the content's digest. */
  readonly version: string;
  readonly number: number;
  readonly digest: string;
  readonly publishedAt: Temporal.Instant;
  readonly freshness: string | null;
  /** By VAT code number: its rate as text; null: the settings give none. */
  readonly vatPercents: readonly (string | null)[];
  /** Start of a day in the company's time zone, as the text of a moment. */
  readonly startOf: (day: number) => string;
  /** How the price that was found last stands now; absent: as modelled. */
  readonly stand?: (enquiry: Enquiry, product: number) => Stand;
  readonly standing?: Standing;
}

/** Starts of days, remembered: the days on which rules change are few. */
export function dayStarts(timeZone: string): (day: number) => string {
  const known = new Map<number, string>();
  return (day) => {
    const found = known.get(day);
    if (found !== undefined) return found;
    const date = Temporal.PlainDate.from(calendar.dateOf(day));
    const text = date.toZonedDateTime({ timeZone }).toInstant().toString();
    if (known.size > 10_000) known.clear();
    known.set(day, text);
    return text;
  };
}

/** Today's number in the company's time zone; worked out anew only when the day has changed. */
export function todayIn(timeZone: string, now: () => Temporal.Instant): () => number {
  let day = 0;
  let from = Infinity;
  let until = -Infinity;
  return () => {
    const at = now();
    const moment = at.epochMilliseconds;
    if (moment >= from && moment < until) return day;
    const local = at.toZonedDateTimeISO(timeZone).startOfDay();
    day = calendar.dayOf(local.toPlainDate().toString());
    from = local.epochMilliseconds;
    until = local.add({ days: 1 }).startOfDay().epochMilliseconds;
    return day;
  };
}
