import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { useDatabase } from "../support/database.ts";
import { mergeRows } from "../support/merge-rows.ts";
import { pricesFrom } from "../support/root-prices.ts";

const database = useDatabase();

interface Opening {
  readonly log?: string[];
  readonly snapshot?: string;
  readonly keepPastDays?: number;
}

function open(company: string, { log = [], ...rest }: Opening = {}): Promise<Pricing> {
  return openPricing({
    store: database.store,
    company,
    settings: { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20" } },
    policy: "generic",
    now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
    log: (_, message) => log.push(message),
    ...rest,
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

describe("the book in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tradepost-book-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const fileOf = (company: string) => join(folder, `${company}.book`);

  /** The file is written beside the answers: waits until it is there and whole. */
  async function kept(company: string, atLeast = 1): Promise<string> {
    const file = fileOf(company);
    await vi.waitFor(() => {
      expect(statSync(file).size).toBeGreaterThan(atLeast);
    });
    return file;
  }

  test("is where the next start begins: rules that did not change are not read again", async () => {
    const company = "START";
    await merchant(company, manyRules());
    const first = await open(company, { snapshot: fileOf(company) });
    const { version } = await first.publish();
    await kept(company);
    // Whatever reads the rules as a whole now meets a table without them.
    await database.store.query("DELETE FROM price_rule WHERE company = $1", [company]);
    const log: string[] = [];
    const next = await open(company, { snapshot: fileOf(company), log });
    expect(await next.refresh()).toBe(true);
    expect(next.book()?.version).toBe(version);
    expect(allPrices(next)).toEqual(allPrices(first));
    expect(log.filter((line) => READ_WHOLE.test(line) || /not used/.test(line))).toEqual([]);
  });

  test("is followed by what changed after it was written, as after a service that was killed", async () => {
    const company = "KILLED";
    await merchant(company, manyRules());
    const first = await open(company, { snapshot: fileOf(company) });
    await first.publish();
    await kept(company);
    const rules = manyRules().map((row) => (row.rule === "CB4" ? { ...row, value: "0.5" } : row));
    await mergeRows(database.store, company, "price-rule", rules);
    const log: string[] = [];
    const next = await open(company, { snapshot: fileOf(company), log });
    const { version } = await next.publish();
    expect(log.filter((line) => READ_WHOLE.test(line) || /not used/.test(line))).toEqual([]);
    expect(await anew(company)).toEqual({ version, prices: allPrices(next) });
    // And it goes on from there.
    await mergeRows(database.store, company, "price-rule", manyRules());
    await next.publish();
    expect(allPrices(next)).toEqual(allPrices(first));
  });

  test.each([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, -8), /bytes, and should have/],
    ["damaged", (bytes: Buffer) => flipped(bytes, bytes.length - 40), /\(digest\)/],
    ["damaged at its head", (bytes: Buffer) => flipped(bytes, 70), /not used: it/],
    ["no book", () => Buffer.from("x".repeat(500)), /it is no price book/],
    ["empty", () => Buffer.alloc(0), /it is no price book/],
  ])("that is %s is not used, and the log says why", async (how, spoiled, reason) => {
    const company = how.replaceAll(" ", "-");
    await merchant(company, manyRules());
    const first = await open(company, { snapshot: fileOf(company) });
    const { version } = await first.publish();
    const file = await kept(company, 1000);
    writeFileSync(file, spoiled(readFileSync(file)));
    const log: string[] = [];
    const next = await open(company, { snapshot: file, log });
    expect((await next.publish()).version).toBe(version);
    expect(allPrices(next)).toEqual(allPrices(first));
    expect(log.join("\n")).toMatch(reason);
  });

  test("of another company, other settings or another database is not used", async () => {
    await merchant("MINE", manyRules());
    await merchant("YOURS", [rule("S1", "1")]);
    await (await open("MINE", { snapshot: fileOf("MINE") })).publish();
    const file = await kept("MINE");
    const log: string[] = [];
    const yours = await open("YOURS", { snapshot: file, log });
    await yours.publish();
    expect(log.join("\n")).toContain("not used: it is of the company MINE");
    await kept("MINE");
    const mine = await open("MINE", { snapshot: fileOf("THERE"), log });
    await mine.publish();
    const there = await kept("THERE");
    // The same numbers of changes, made by other runs: a database that was put back in time.
    await database.store.query("UPDATE record_change SET run_id = $2 WHERE company = $1", [
      "MINE",
      "01960000-0000-7000-8000-00000000beef",
    ]);
    const back = await open("MINE", { snapshot: there, log });
    await back.publish();
    expect(log.join("\n")).toContain("made from another database, or from one put back in time");
    expect(allPrices(back)).toEqual(allPrices(mine));
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const spoiled = Buffer.from(bytes);
  spoiled.writeUInt8((spoiled.readUInt8(at) + 1) % 256, at);
  return spoiled;
}

describe("what was known at a moment", () => {
  const company = "KNOWN";
  const MORNING = "2026-04-01T08:00:00Z";
  const NOON = "2026-04-01T12:00:00Z";
  const known = async (pricing: Pricing, account: string, knownAt: string) => {
    const root = await pricing.rootAt({ account, knownAt: Temporal.Instant.from(knownAt) });
    return pricesFrom(root, account, PRODUCTS, Temporal.Instant.from("2026-06-01T09:00:00Z"));
  };
  const now = (pricing: Pricing, account: string) =>
    pricing
      .price({ account, lines: PRODUCTS.map((product) => ({ product, quantity: "1" })) })
      .map((line) => (line.state === "problem" ? line.code : line.unitPrice));

  test("is answered before a change and after it, for rules, promotions, customers and products", async () => {
    await merchant(company, manyRules());
    const pricing = await open(company);
    await pricing.publish();
    const first = { A: now(pricing, "A"), B: now(pricing, "B") };
    const rules = manyRules().flatMap((row) => {
      if (row.rule === "CA1") return [{ ...row, value: "1.5" }];
      if (row.rule === "CA2") return [];
      return row.rule === "CB3" ? [{ ...row, customerCode: "A" }] : [row];
    });
    rules.push(rule("FRESH", "2.5", { productCode: "P8" }));
    await mergeRows(database.store, company, "price-rule", rules, { at: MORNING });
    await pricing.publish();
    const second = { A: now(pricing, "A"), B: now(pricing, "B") };
    await mergeRows(
      database.store,
      company,
      "customer",
      [
        { account: "A", name: "A", discountPercent: "99" },
        { account: "B", name: "B" },
      ],
      { at: NOON },
    );
    const products = PRODUCTS.slice(1).map((product) => ({ product, name: product }));
    await mergeRows(database.store, company, "product", products, { at: NOON });
    await pricing.publish();
    const third = { A: now(pricing, "A"), B: now(pricing, "B") };
    for (const account of ["A", "B"] as const) {
      expect(second[account]).not.toEqual(first[account]);
      expect(third[account]).not.toEqual(second[account]);
      expect(await known(pricing, account, "2026-04-01T07:59:59Z")).toEqual(first[account]);
      expect(await known(pricing, account, MORNING)).toEqual(second[account]);
      expect(await known(pricing, account, "2026-04-01T11:59:59Z")).toEqual(second[account]);
      expect(await known(pricing, account, NOON)).toEqual(third[account]);
    }
  });

  test("is kept as long as the settings say, and refused before that instead of guessed", async () => {
    const pricing = await open(company, { keepPastDays: 61 });
    // 61 days before 09:00 on 1 June is 09:00 on 1 April.
    const ask = (knownAt: string) =>
      pricing.rootAt({ account: "A", knownAt: Temporal.Instant.from(knownAt) });
    await expect(ask("2026-04-01T08:59:00Z")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PastNotKept: Telling what was known of the prices of KNOWN at 2026-04-01T08:59:00Z: what changed more than 61 days ago is not kept. Ask for a later moment; pricing.keepPastDays of the settings says how long it is kept from now on.]`,
    );
    await expect(ask("2026-04-01T09:00:00Z")).resolves.toBeDefined();
    const kept = () =>
      database.store.query(
        'SELECT DISTINCT known_to AS "to" FROM superseded_row WHERE company = $1 ORDER BY 1',
        [company],
      );
    expect(await kept()).toEqual([MORNING, NOON].map((to) => ({ to: Temporal.Instant.from(to) })));
    await pricing.tidy();
    expect(await kept()).toEqual([{ to: Temporal.Instant.from(NOON) }]);
  });

  test("before anything was known there was nobody to ask for", async () => {
    const pricing = await open(company);
    expect(new Set(await known(pricing, "A", "2020-01-01T00:00:00Z"))).toEqual(
      new Set(["unknown-account"]),
    );
  });
});
