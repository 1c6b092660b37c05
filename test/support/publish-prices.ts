/**
 * A process that publishes the prices of a company at its start and for each line that it is told,
 * as a service does: for tests that kill it.
 *
 *     node src/launch.js test/support/publish-prices.ts URL COMPANY FILE
 */
import { createInterface } from "node:readline";
import { openPricing } from "../../src/pricing/index.ts";
import { openStore } from "../../src/store/index.ts";

const [url = "", company = "", snapshot = ""] = process.argv.slice(2);
await using store = await openStore({ url, migrate: false });
const pricing = await openPricing({
  store,
  company,
  snapshot,
  settings: { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20" } },
  policy: "generic",
  apart: true,
  now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
  log: () => undefined,
});

async function publish(): Promise<void> {
  const { version } = await pricing.publish();
  process.stdout.write(`${version}\n`);
}

await publish();
for await (const _ of createInterface({ input: process.stdin })) await publish();
await pricing.close();
