/** A call to the far side that is given up when it takes too long. */
import type { OrderCall } from "../../connector/index.ts";

export class GaveUp extends Error {
  override readonly name = "GaveUp";
}

/**
 * What the call gives, if it does so in time. Else its signal is aborted, and whatever it still
 * says is not listened to: the order may have arrived.
 */
export async function calling<T>(
  doing: string,
  seconds: number,
  stop: AbortSignal,
  call: (options: OrderCall) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController();
  const gone = Promise.withResolvers<never>();
  const abandon = (why: string): void => {
    const reason = new GaveUp(`${doing}: ${why}`);
    giveUp.abort(reason);
    gone.reject(reason);
  };
  const stopped = (): void => abandon("another sender has taken the order over.");
  const timer = setTimeout(
    () => abandon(`no answer within ${Math.round(seconds * 10) / 10} s, so it was given up.`),
    Math.max(0, seconds * 1000),
  );
  stop.addEventListener("abort", stopped);
  try {
    stop.throwIfAborted();
    return await Promise.race([call({ signal: giveUp.signal }), gone.promise]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", stopped);
  }
}
