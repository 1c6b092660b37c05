/** What the lane of the webhooks and its senders have in common. */
import { readKeys } from "../../src/connections/index.ts";
import { openWebhooks, type Webhooks } from "../../src/notify/index.ts";
import type { Store } from "../../src/store/index.ts";

export const COMPANY = "HOOKS";
export const TYPES = ["order.received", "order.queued", "order.sending", "order.accepted"];
export const TIMEOUT_MS = 400;

/** The first waits hold up an order's later events; so many that chance alone exhausts none. */
const WAITS_SECONDS = [...Array<number>(10).fill(0.03), ...Array<number>(30).fill(0.3)];

export function openSending(store: Store, log: (line: string) => void): Webhooks {
  const keys = readKeys("the key of a lane and of nothing else", null);
  return openWebhooks({
    store,
    company: COMPANY,
    now: () => Temporal.Now.instant(),
    log: (_level, message) => {
      log(message);
    },
    alarms: { raise: async () => undefined, clear: async () => undefined },
    seal: () => keys,
    audit: async () => undefined,
    types: TYPES,
    allow: ["127.0.0.1"],
    disableAfterDays: 5,
    atOnce: 8,
    timeoutMs: TIMEOUT_MS,
    leaseSeconds: 1,
    waitsSeconds: WAITS_SECONDS,
  });
}
