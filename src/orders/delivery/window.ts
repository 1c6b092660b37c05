/**
 * How long an order whose call was given up may still turn up at the ERP: its quiet window, learned
 * from how long others took, and never below a floor.
 */

/** One order that was searched for, was not there yet, and then was. */
export interface Lag {
  /** Seconds from when it was sent to the last search that did not find it. */
  readonly absentSeconds: number;
  /** Seconds from when it was sent to the search that found it. */
  readonly seenSeconds: number;
}

/** So many of the newest lags are looked at. */
export const LAGS_LOOKED_AT = 50;

/** The next one may be slower than the slowest that was seen. */
const LONGER_BY = 2;

/**
 * Seconds of quiet before "not there" may be believed. What was searched for rarely seems to have
 * taken long: its lag counts as at most twice the time in which it was known not to be there.
 */
export function quietWindow(floorSeconds: number, lags: readonly Lag[]): number {
  const taken = lags
    .slice(0, LAGS_LOOKED_AT)
    .map(({ absentSeconds, seenSeconds }) =>
      Math.min(seenSeconds, 2 * absentSeconds + floorSeconds),
    );
  return Math.max(floorSeconds, LONGER_BY * Math.max(0, ...taken));
}
