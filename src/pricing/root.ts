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
  /** A moment (milliseconds since 1970) as text. */
  readonly momentText: (moment: number) => string;
  /** How the price that was found last stands now; absent: as modelled. */
  readonly stand?: (enquiry: Enquiry, product: number) => Stand;
  readonly standing?: Standing;
}

/** Moments as texts, remembered: those at which rules change are few. */
export function momentTexts(): (moment: number) => string {
  const known = new Map<number, string>();
  return (moment) => {
    const found = known.get(moment);
    if (found !== undefined) return found;
    const text = calendar.textOf(moment);
    if (known.size > 10_000) known.clear();
    known.set(moment, text);
    return text;
  };
}
