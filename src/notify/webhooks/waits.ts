/** When a message that was not taken is sent again. Pure but for the given chance. */

const MINUTE = 60;
const HOUR = 3_600;

/** After the first try, the second …: with the first ten tries over three days in all. */
export const WAITS_SECONDS: readonly number[] = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** A receiver may ask for a longer wait, and for no longer than this: an event ages, too. */
const LONGEST_SECONDS = 24 * HOUR;
/** Everything else waits with it for so long at most. */
const QUIET_SECONDS = HOUR;

/** What a fifth more, by chance, keeps apart that failed together. */
const SPREAD = 0.2;

/**
 * Seconds to wait after so many tries; null: that was the last. `chance` from 0 to 1.
 */
export function waitAfter(
  tries: number,
  {
    waits,
    retryAfterSeconds,
    chance,
  }: {
    readonly waits: readonly number[];
    readonly retryAfterSeconds: number | null;
    readonly chance: number;
  },
): number | null {
  const wait = waits[tries - 1];
  if (wait === undefined) return null;
  const spread = wait * (1 + SPREAD * chance);
  return Math.max(spread, Math.min(retryAfterSeconds ?? 0, LONGEST_SECONDS));
}

/** How long a receiver that asked for it gets nothing at all. */
export function quietAfter(status: number | null, retryAfterSeconds: number | null): number | null {
  if (retryAfterSeconds === null || (status !== 429 && status !== 503)) return null;
  return Math.min(retryAfterSeconds, QUIET_SECONDS);
}
