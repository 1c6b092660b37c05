import { describe, expect, test } from "vitest";
import { openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { useDatabase } from "../support/database.ts";
import { mergeRows } from "../support/merge-rows.ts";

const database = useDatabase();

interface Opening {
  readonly log?: string[];
}

function open(company: string, { log = [] }: Opening = {}): Promise<Pricing> {
  return openPricing({
    store: database.store,
    company,
    settings: { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20" } },
    policy: "generic",
    now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
    log: (_, message) => log.push(message),
  });
}

type Rule = Partial<Canonical<"price-rule">>;

function rule(name: string, value: string, more: Rule = {}): Rule {
  return {
    rule: name,
    customerScope: "everyone",
    productScope: "product",
    productCode: "P0",
    kind: "fixed",
    value,
    ...more,
  };
}

const PRODUCTS = Array.from({ length: 20 }, (_, at) => `P${at}`);

/** Prices of twenty products for everyone, and for two accounts with breaks and a contract. */
function manyRules(): Rule[] {
  return PRODUCTS.flatMap((productCode, at) => [
    rule(`S${at}`, `${100 + at}`, { productCode }),
    ...["A", "B"].flatMap((customerCode) =>
      ["0", "10"].map((fromQuantity) =>
        rule(`C${customerCode}${at}`, `${90 + at - Number(fromQuantity) / 10}`, {
          productCode,
          customerScope: "account",
          customerCode,
          fromQuantity,
          contract: "K-1",
          validTo: at % 2 === 0 ? "2026-12-31" : null,
        }),
      ),
    ),
  ]);
}

async function merchant(company: string, rules: readonly Rule[]): Promise<void> {
  const { store } = database;
  await mergeRows(store, company, "customer", [
    { account: "A", name: "A" },
    { account: "B", name: "B" },
  ]);
  const products = PRODUCTS.map((product) => ({ product, name: product }));
  await mergeRows(store, company, "product", products);
  await mergeRows(store, company, "price-rule", rules);
}

/** Every price of every account, at each side of the break. */
function allPrices(pricing: Pricing): unknown[] {
  return ["A", "B"].map((account) => {
    const product = PRODUCTS.flatMap((code) => [code, code]);
    const quantity = PRODUCTS.flatMap(() => ["1", "10"]);
    const { unitPrice, state, validUntil } = pricing.priceColumns({ account, product, quantity });
    return { unitPrice, state, validUntil };
  });
}

/** What a process that knows nothing of the company reads from the tables. */
async function anew(company: string): Promise<{ version: string; prices: unknown[] }> {
  const pricing = await open(company);
  const { version } = await pricing.publish();
  return { version, prices: allPrices(pricing) };
}

const READ_WHOLE = /is read anew as a whole/;

describe("a pull that changes some rules", () => {
  test("is published by what changed alone, and is the book that all rows make", async () => {
    const company = "SOME";
    await merchant(company, manyRules());
    const log: string[] = [];
    const pricing = await open(company, { log });
    await pricing.publish();
    const before = allPrices(pricing);
    const changed = manyRules().flatMap((row) => {
      if (row.rule === "CA3") return row.fromQuantity === "0" ? [{ ...row, value: "1.23" }] : [];
      if (row.rule === "S5") return [];
      if (row.rule === "CB7") return [{ ...row, customerCode: "A" }];
      return [row];
    });
    changed.push(rule("NEW", "7.7777777".slice(0, 8), { productCode: "P9" }));
    await mergeRows(database.store, company, "price-rule", changed, { at: "2026-04-01T08:00:00Z" });
    const published = await pricing.publish();
    expect(published.version).toMatch(/^2-/);
    expect(allPrices(pricing)).not.toEqual(before);
    expect(await anew(company)).toEqual({ version: published.version, prices: allPrices(pricing) });
    expect(log.filter((line) => READ_WHOLE.test(line))).toEqual([]);
  });

  test("may change a rule again and again, put it back, and follow with others between", async () => {
    const company = "AGAIN";
    await merchant(company, manyRules());
    const log: string[] = [];
    const pricing = await open(company, { log });
    const { version } = await pricing.publish();
    const first = allPrices(pricing);
    const value = (price: string) =>
      manyRules().map((row) => (row.rule === "CA1" ? { ...row, value: price } : row));
    // Two runs before the book follows, then a third that puts it all back.
    await mergeRows(database.store, company, "price-rule", value("5"));
    await mergeRows(database.store, company, "price-rule", value("6"));
    expect((await pricing.publish()).version).toMatch(/^2-/);
    await mergeRows(database.store, company, "price-rule", manyRules());
    const back = await pricing.publish();
    expect(back.version.replace(/^\d+/, "")).toBe(version.replace(/^\d+/, ""));
    expect(allPrices(pricing)).toEqual(first);
    expect(log.filter((line) => READ_WHOLE.test(line))).toEqual([]);
  });

  test("that a customer moves to another list is followed without reading the rules", async () => {
    const company = "MOVED";
    await merchant(company, manyRules());
    const log: string[] = [];
    const pricing = await open(company, { log });
    await pricing.publish();
    await mergeRows(database.store, company, "customer", [
      { account: "A", name: "A", discountPercent: "50" },
      { account: "B", name: "B" },
    ]);
    const { version } = await pricing.publish();
    expect(version).toMatch(/^2-/);
    expect(await anew(company)).toEqual({ version, prices: allPrices(pricing) });
    expect(log.filter((line) => READ_WHOLE.test(line))).toEqual([]);
  });

  test("that brings a new product is read as a whole, and the log says why", async () => {
    const company = "GROWN";
    await merchant(company, manyRules());
    const log: string[] = [];
    const pricing = await open(company, { log });
    await pricing.publish();
    const products = [...PRODUCTS, "Q"].map((product) => ({ product, name: product }));
    await mergeRows(database.store, company, "product", products);
    const { version } = await pricing.publish();
    expect(await anew(company)).toEqual({ version, prices: allPrices(pricing) });
    expect(log.filter((line) => READ_WHOLE.test(line))).toEqual([
      "price book of GROWN is read anew as a whole: there are other products",
    ]);
  });

  test("is followed by another process by what changed alone", async () => {
    const company = "OTHER";
    await merchant(company, manyRules());
    const log: string[] = [];
    const one = await open(company);
    const two = await open(company, { log });
    await one.publish();
    await two.refresh();
    const rules = manyRules().map((row) => (row.rule === "S2" ? { ...row, value: "55" } : row));
    await mergeRows(database.store, company, "price-rule", rules);
    await one.publish();
    expect(await two.refresh()).toBe(true);
    expect(two.book()?.version).toBe(one.book()?.version);
    expect(allPrices(two)).toEqual(allPrices(one));
    expect(log.filter((line) => READ_WHOLE.test(line))).toEqual([]);
  });

  test("rules written past the merge are read as a whole each time", async () => {
    const company = "PAST";
    await merchant(company, manyRules());
    await database.store.query("DELETE FROM record_change WHERE company = $1", [company]);
    const pricing = await open(company);
    await pricing.publish();
    await database.store.query(
      "UPDATE price_rule SET value = 3 WHERE company = $1 AND rule = 'S2'",
      [company],
    );
    const { version } = await pricing.publish();
    expect(await anew(company)).toEqual({ version, prices: allPrices(pricing) });
  });
});
