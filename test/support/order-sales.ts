/** The sales of a company whose orders a test follows to their invoices: every row is trusted. */
import { openSales, type Sales } from "../../src/sales/index.ts";
import type { Store } from "../../src/store/index.ts";
import { NOW } from "./order-settings.ts";

export function salesOf(
  store: Store,
  company: string,
  now: () => Temporal.Instant = () => Temporal.Instant.from(NOW),
): Sales {
  return openSales({
    store,
    company,
    settings: { channels: [] },
    sources: {
      freshness: async () => [],
      quarantined: async () => [],
      setAside: async () => new Map(),
      origin: async () => null,
    },
    now,
  });
}
