/** Tries again what waiting may mend, and only what may be sent twice. */
import pRetry from "p-retry";
import type { Host } from "../contract.ts";
import { HttpFault } from "./fault.ts";

export interface RetryRules {
  /** Tries after the first. */
  readonly retries: number;
  /** The first wait; each further one is twice as long, up to 30 seconds. */
  readonly firstWaitMs: number;
  /** A far side that asks for more than this is not waited for: the run ends and comes back. */
  readonly longestWaitMs: number;
}

const LONGEST_BACKOFF_MS = 30_000;

/** `again`: the request may be carried out twice without harm. */
export async function withRetries<T>(
  rules: RetryRules & { readonly again: boolean; readonly host: Host },
  attempt: () => Promise<T>,
): Promise<T> {
  const { host } = rules;
  let tries = 0;
  return pRetry(
    () => {
      tries += 1;
      return attempt();
    },
    {
      retries: rules.retries,
      // Waiting is the host's: it knows the session's end, and a test's clock.
      minTimeout: 0,
      maxTimeout: 0,
      shouldRetry: ({ error }) => mayRetry(error, rules),
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (retriesLeft === 0 || !mayRetry(error, rules)) return;
        const ms = waitOf(error, tries, rules);
        host.log("info", `${error.message} It is tried again in ${(ms / 1000).toFixed(1)} s.`);
        await host.wait(ms);
      },
    },
  );
}

function mayRetry(error: Error, { again, longestWaitMs, host }: Parameters<typeof withRetries>[0]) {
  if (!(error instanceof HttpFault)) return false;
  if (error.kind !== "transient" && error.kind !== "throttled") return false;
  if (error.inDoubt && !again) return false;
  return untilRetry(error, host) <= longestWaitMs;
}

/** A wait that differs each time, or all who were turned away together come back together. */
function waitOf(error: Error, tries: number, { firstWaitMs, host }: RetryRules & { host: Host }) {
  const backoff = Math.min(firstWaitMs * 2 ** (tries - 1), LONGEST_BACKOFF_MS);
  const jittered = backoff * (0.5 + Math.random() / 2);
  return error instanceof HttpFault ? Math.max(jittered, untilRetry(error, host)) : jittered;
}

function untilRetry({ retryAt }: HttpFault, host: Host): number {
  return retryAt === null ? 0 : retryAt.since(host.now()).total("milliseconds");
}

/** `Retry-After`: seconds, or a date; null when it is absent or neither. */
export function retryAfter(
  header: string | undefined,
  now: Temporal.Instant,
): Temporal.Instant | null {
  if (header === undefined) return null;
  if (/^\s*\d{1,9}(?:\.\d+)?\s*$/.test(header))
    return now.add({ milliseconds: Math.ceil(Number(header) * 1000) });
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Temporal.Instant.fromEpochMilliseconds(at);
}
