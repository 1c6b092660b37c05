import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { useDatabase } from "../support/database.ts";
import { mergeRows } from "../support/merge-rows.ts";

const database = useDatabase();

/** As a service opens it: books are made in a thread of their own. */
async function open(
  company: string,
  log: string[] = [],
  apart = true,
  snapshot?: string,
): Promise<Pricing> {
  return openPricing({
    store: database.store,
    company,
    settings: { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20" } },
    policy: "generic",
    apart,
    ...(snapshot === undefined ? {} : { snapshot }),
    now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
    log: (_, message) => log.push(message),
  });
}

type Rule = Partial<Canonical<"price-rule">>;

const COUNT = 300;
const PRODUCTS = Array.from({ length: COUNT }, (_, at) => `P${at}`);

function rules(add: number): Rule[] {
  return PRODUCTS.map((productCode, at) => ({
    rule: `S${at}`,
    customerScope: "everyone",
    productScope: "product",
    productCode,
    kind: "fixed",
    value: `${at + 1 + (at % 7 === 0 ? add : 0)}`,
  }));
}

async function merchant(company: string): Promise<void> {
  await mergeRows(database.store, company, "customer", [{ account: "A", name: "A" }]);
  const products = PRODUCTS.map((product) => ({ product, name: product }));
  await mergeRows(database.store, company, "product", products);
  await mergeRows(database.store, company, "price-rule", rules(0));
}

function prices(pricing: Pricing): unknown {
  const quantity = PRODUCTS.map(() => "1");
  return pricing.priceColumns({ account: "A", product: PRODUCTS, quantity }).unitPrice;
}

const ENDED =
  "the thread that makes the price books of ENDED ended: it was ended. The book of before " +
  "answers, if there is one; the next publish starts another thread.";

describe("a book that is made in a thread of its own", () => {
  test("is the book that would be made here, at first and after every change", async () => {
    const company = "APART";
    await merchant(company);
    const log: string[] = [];
    const apart = await open(company, log);
    const here = await open(company, [], false);
    for (const add of [0, 10, 20]) {
      await mergeRows(database.store, company, "price-rule", rules(add));
      const published = await apart.publish();
      await here.refresh();
      expect(here.book()?.version).toBe(published.version);
      expect(prices(apart)).toEqual(prices(here));
    }
    expect(log.filter((line) => !line.includes("answers"))).toEqual([]);
    await apart.close();
  });

  test("is told when the thread ends, while the book of before answers and the next one comes", async () => {
    const company = "ENDED";
    await merchant(company);
    const pricing = await open(company);
    await pricing.publish();
    const before = prices(pricing);
    await mergeRows(database.store, company, "price-rule", rules(10));
    await database.store.transaction(async (tx) => {
      await tx.query("LOCK TABLE price_rule IN ACCESS EXCLUSIVE MODE");
      const publishing = pricing.publish();
      publishing.catch(() => undefined);
      await vi.waitFor(async () => {
        expect(await tx.query("SELECT FROM pg_locks WHERE NOT granted")).toHaveLength(1);
      });
      await pricing.close();
      await expect(publishing).rejects.toThrow(ENDED);
    });
    expect(prices(pricing)).toEqual(before);
    await pricing.publish();
    expect(prices(pricing)).not.toEqual(before);
    await pricing.close();
  });

  test("says what the database said when it cannot be read", async () => {
    const company = "UNREADABLE";
    await merchant(company);
    const pricing = await open(company);
    await pricing.publish();
    const before = prices(pricing);
    await mergeRows(database.store, company, "price-rule", rules(10));
    await database.store.query("ALTER TABLE price_overlay RENAME COLUMN hides TO hidden");
    await expect(pricing.publish()).rejects.toThrow(/column .*hides.* does not exist/);
    await database.store.query("ALTER TABLE price_overlay RENAME COLUMN hidden TO hides");
    expect(prices(pricing)).toEqual(before);
    await pricing.publish();
    expect(prices(pricing)).not.toEqual(before);
    await pricing.close();
  });

  test("is right after kill -9 in the middle of a publish, from the file of the book before", async () => {
    const company = "SLAIN";
    await merchant(company);
    const folder = mkdtempSync(join(tmpdir(), "tradepost-slain-"));
    const file = join(folder, "SLAIN.book");
    const child = spawn(
      process.execPath,
      ["src/launch.js", "test/support/publish-prices.ts", database.store.url, company, file],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    onTestFinished(() => {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });
    await once(child.stdout, "data");
    await vi.waitFor(() => {
      expect(existsSync(file)).toBe(true);
    }, 5_000);
    await mergeRows(database.store, company, "price-rule", rules(10));
    await database.store.transaction(async (tx) => {
      await tx.query("LOCK TABLE price_rule IN ACCESS EXCLUSIVE MODE");
      child.stdin.write("again\n");
      await vi.waitFor(async () => {
        expect(await tx.query("SELECT FROM pg_locks WHERE NOT granted")).toHaveLength(1);
      }, 5_000);
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    const log: string[] = [];
    const next = await open(company, log, true, file);
    const published = await next.publish();
    const here = await open(company, [], false);
    await here.refresh();
    expect(here.book()?.version).toBe(published.version);
    expect(prices(next)).toEqual(prices(here));
    // From the file and what changed since, not from all rules.
    expect(log.filter((line) => !line.includes("answers"))).toEqual([]);
    await next.close();
  });
});
