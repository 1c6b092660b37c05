/** How an ERP is asked to make what it has no key for: with patience, and never twice in doubt. */
import { ConnectorFault, type OrderCall } from "../../connector/index.ts";
import type { OrdersContext } from "../context.ts";

/** How long whoever works on it keeps others away; longer than both of its calls together. */
export const LEASE_SECONDS = 300;

/** So often a search that does not show it is repeated, before a person looks. */
export const MOST_SEARCHES = 5;

/** A call that takes longer is given up; whether it arrived is a doubt. */
export const GIVE_UP_MS = 60_000;
const LONGEST_WAIT_SECONDS = 3600;

/** Seconds, twice as long each time. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_SECONDS, 30 * 2 ** Math.min(attempts, 12));
}

export function momentAfter(
  { now }: Pick<OrdersContext, "now">,
  seconds: number | null,
): Temporal.Instant | null {
  return seconds === null ? null : now().add({ seconds });
}

/** Given up after a while, whatever the connector does with the signal. */
export async function ask<Answer>(call: (given: OrderCall) => Promise<Answer>): Promise<Answer> {
  const signal = AbortSignal.timeout(GIVE_UP_MS);
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => {
    reject(new Error(`The ERP did not answer within ${GIVE_UP_MS / 1000} s.`));
  });
  return Promise.race([call({ signal }), promise]);
}

export function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return error instanceof ConnectorFault ? `${reason} ${error.instruction}` : reason;
}
