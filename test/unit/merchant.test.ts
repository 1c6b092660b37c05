import iconv from "iconv-lite";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { calendar, createMerchant, type Merchant } from "../../deploy/demo/merchant/index.ts";

const SMALL = {
  customers: 80,
  products: 400,
  priceRules: 2500,
  invoiceLines: 3000,
  today: "2026-06-30",
};
const small = createMerchant(SMALL);

function everySale(merchant: Merchant) {
  const days = calendar.dayOf(merchant.today) - calendar.dayOf(merchant.opensOn) + 1;
  return Array.from({ length: days }, (_, i) => {
    const date = calendar.isoOf(calendar.dayOf(merchant.opensOn) + i);
    return merchant.salesOn(date).map((sale) => ({ date, sale }));
  }).flat();
}

describe("a merchant made from a seed", () => {
  test("is the same each time, to the byte", () => {
    expect(JSON.stringify(createMerchant(SMALL))).toBe(JSON.stringify(small));
    expect(everySale(createMerchant(SMALL))).toEqual(everySale(small));
  });

  test("is another one with another seed", () => {
    const other = createMerchant({ ...SMALL, seed: 2 });
    expect(other.customers.map(({ name }) => name)).not.toEqual(
      small.customers.map(({ name }) => name),
    );
    expect(everySale(other)).not.toEqual(everySale(small));
  });

  test("has the size that was asked for", () => {
    expect(small.customers).toHaveLength(80);
    expect(small.products).toHaveLength(400);
    expect(small.priceRules.length).toBeGreaterThanOrEqual(2500);
    expect(everySale(small).flatMap(({ sale }) => sale.lines)).toHaveLength(3000);
    expect(small.opensOn).toBe("2023-07-01");
  });

  test("can be tiny", () => {
    const tiny = createMerchant({ customers: 20, products: 60, invoiceLines: 200, years: 1 });
    expect(everySale(tiny).flatMap(({ sale }) => sale.lines)).toHaveLength(200);
  });

  test("refuses sizes that cannot be", () => {
    expect(() => createMerchant({ customers: 3 })).toThrow(
      "making a merchant: customers is 3; give a whole number of at least 20",
    );
    expect(() => createMerchant({ customers: 20, products: 60, priceRules: 60_000 })).toThrow(
      "60000 rows do not fit 20 customers and 60 products",
    );
  });
});

describe("what it sells", () => {
  test.each([
    ["inch marks", /\d"/],
    ["commas", /,/],
    ["quotes around words", /"[A-Z][^"]*"/],
    ["pounds", /£/],
    ["accents", /[éèãøöüñ]/i],
    ["dashes that only Windows-1252 has", /–/],
  ])("has names with %s", (_, pattern) => {
    const names = [...small.products, ...small.customers].map(({ name }) => name);
    expect(names.some((name) => pattern.test(name))).toBe(true);
  });

  test("can be written in Windows-1252 without loss", () => {
    const texts = JSON.stringify([small.products, small.customers, small.sites, small.promotions]);
    expect(iconv.decode(iconv.encode(texts, "windows-1252"), "windows-1252")).toBe(texts);
  });

  test("holds bricks priced per thousand and sold singly", () => {
    const bricks = small.products.filter(({ productGroup }) => productGroup === "HVY-BRK");
    expect(bricks.length).toBeGreaterThan(0);
    for (const brick of bricks) {
      expect(brick).toMatchObject({
        sellingUnit: "EACH",
        pricingUnit: "THOUSAND",
        sellingUnitsPerPricingUnit: "1000",
      });
    }
  });

  test("is standard, reduced and zero rated", () => {
    expect(new Set(small.products.map(({ vatCode }) => vatCode))).toEqual(
      new Set(["STANDARD", "REDUCED", "ZERO"]),
    );
  });
});

describe("its records", () => {
  test.each([
    ["customers", small.customers.map(({ account }) => account)],
    ["products", small.products.map(({ product }) => product)],
    ["product names", small.products.map(({ name }) => name)],
    ["trading entities", small.tradingEntities.map(({ tradingEntity }) => tradingEntity)],
    ["sites", small.sites.map(({ account, site }) => `${account}/${site}`)],
    ["price rules", small.priceRules.map(({ rule, fromQuantity }) => `${rule}/${fromQuantity}`)],
    ["promotions", small.promotions.map(({ promotion }) => promotion)],
    ["assignments", small.assignments.map((one) => `${one.account}/${one.rep}/${one.validFrom}`)],
    ["quotation lines", small.quotationLines.map(({ quotation, line }) => `${quotation}/${line}`)],
  ])("do not repeat a key: %s", (_, keys) => {
    expect(keys.length).toBeGreaterThan(0);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("name only what exists", () => {
    const accounts = new Set(small.customers.map(({ account }) => account));
    const products = new Set(small.products.map(({ product }) => product));
    const groups = new Set(small.productGroups.map(({ productGroup }) => productGroup));
    const named = small.priceRules.map((rule) => [
      rule.customerScope !== "account" || accounts.has(rule.customerCode ?? ""),
      rule.productScope === "product"
        ? products.has(rule.productCode)
        : groups.has(rule.productCode),
    ]);
    expect(named.flat()).not.toContain(false);
    const headOffices = small.customers.flatMap(({ headOffice }) => headOffice ?? []);
    expect(headOffices.length).toBeGreaterThan(0);
    expect(headOffices.filter((account) => !accounts.has(account))).toEqual([]);
    const replaced = small.products.flatMap(({ replacedBy }) => replacedBy ?? []);
    expect(replaced.filter((product) => !products.has(product))).toEqual([]);
  });

  test("hold prices of all sorts: breaks, net prices, percents, amounts, expired and to come", () => {
    const has = (test: (rule: (typeof small.priceRules)[number]) => boolean) =>
      small.priceRules.some(test);
    expect({
      breaks: has(({ fromQuantity }) => fromQuantity !== "0"),
      net: has(({ net }) => net),
      percent: has(({ kind }) => kind === "percent"),
      amount: has(({ kind }) => kind === "amount"),
      expired: has(({ validTo }) => validTo !== null && validTo < small.today),
      toCome: has(({ validFrom }) => validFrom !== null && validFrom > small.today),
      promotionToday: small.promotions.some(
        ({ validFrom, validTo }) => validFrom <= small.today && validTo >= small.today,
      ),
    }).toEqual({
      breaks: true,
      net: true,
      percent: true,
      amount: true,
      expired: true,
      toCome: true,
      promotionToday: true,
    });
  });

  test("give every product a standard price on every day of its history", () => {
    const standard = small.priceRules.filter(({ customerScope }) => customerScope === "everyone");
    const pricedOn = (day: string) =>
      standard
        .filter(({ validFrom, validTo }) => (validFrom ?? day) <= day && (validTo ?? day) >= day)
        .map(({ productCode }) => productCode)
        .sort();
    const all = small.products.map(({ product }) => product).sort();
    for (const day of [small.opensOn, "2025-12-31", "2026-01-01", small.today, "2026-09-01"])
      expect(pricedOn(day)).toEqual(all);
  });
});

describe("its reps", () => {
  test("share every account's days in parts that add up to 100", () => {
    const byAccount = Map.groupBy(small.assignments, ({ account }) => account);
    const wrong = [...byAccount].flatMap(([account, rows]) =>
      rows
        .map(({ validFrom }) => validFrom)
        .filter((day) => {
          const held = rows.filter(
            ({ validFrom, validTo }) => validFrom <= day && (validTo === null || validTo >= day),
          );
          return held.reduce((sum, { sharePercent }) => sum + Number(sharePercent), 0) !== 100;
        })
        .map((day) => `${account} on ${day}`),
    );
    expect(wrong).toEqual([]);
  });

  test("split some accounts, take others over, and leave some to the house", () => {
    const { assignments } = createMerchant({ ...SMALL, customers: 300 });
    expect(assignments.some(({ sharePercent }) => sharePercent === "40")).toBe(true);
    expect(assignments.some(({ validTo }) => validTo !== null)).toBe(true);
    expect(assignments.some(({ rep }) => rep === "HOUSE")).toBe(true);
  });

  test("have nothing after they left", () => {
    const merchant = createMerchant({ ...SMALL, reps: 3 });
    const [leaver] = merchant.reps.filter(({ leftOn }) => leftOn !== null);
    const last = leaver?.leftOn ?? "";
    const theirs = merchant.assignments.filter(({ rep }) => rep === leaver?.rep);
    expect(theirs.length).toBeGreaterThan(0);
    for (const { validTo } of theirs) expect(validTo !== null && validTo <= last).toBe(true);
  });
});

describe("its sales", () => {
  const sales = everySale(small);

  test("come through four channels until today, and not through the web shop after it", () => {
    expect(new Set(sales.map(({ sale }) => sale.channel))).toEqual(
      new Set(["web", "telephone", "counter", "field"]),
    );
    const next = Array.from({ length: 30 }, (_, i) =>
      small.salesOn(calendar.isoOf(calendar.dayOf(small.today) + 1 + i)),
    ).flat();
    expect(next.length).toBeGreaterThan(20);
    expect(next.filter(({ channel }) => channel === "web")).toEqual([]);
  });

  test("show their channel exactly as the column, the order taker and the branch do", () => {
    const defaults = new Map(small.branches.map((one) => [one.branch, one.defaultChannel]));
    const byTaker = (takenBy: string | null) =>
      small.takenByChannels.find(({ takenBy: rule }) =>
        rule.endsWith("*") ? takenBy?.startsWith(rule.slice(0, -1)) : takenBy === rule,
      )?.channel;
    for (const { sale } of sales) {
      const { channel, takenBy, branch, shows } = sale.evidence;
      const derived = channel ?? byTaker(takenBy) ?? defaults.get(branch ?? "") ?? "unknown";
      expect(derived).toBe(shows);
      expect([sale.channel, "unknown"]).toContain(shows);
    }
    expect(sales.some(({ sale }) => sale.evidence.shows === "unknown")).toBe(true);
  });

  test("go only to accounts that were open and not yet stopped", () => {
    const stopped = small.customers.filter(({ onStop, state }) => onStop || state === "closed");
    expect(stopped.length).toBeGreaterThan(0);
    const wrong = sales.filter(({ date, sale }) => {
      const habit = small.habits.get(sale.account);
      const day = calendar.dayOf(date);
      return habit === undefined || day < habit.openedDay || day > (habit.lastDay ?? day);
    });
    expect(wrong).toEqual([]);
  });

  test("are in quantities that the product is sold in", () => {
    const least = new Map(small.products.map((one) => [one.product, one.multipleQuantity]));
    for (const { quantity, product } of sales.flatMap(({ sale }) => sale.lines)) {
      const multiple = least.get(product);
      expect(Number(quantity)).toBeGreaterThan(0);
      if (multiple) expect((Number(quantity) * 1000) % (Number(multiple) * 1000)).toBe(0);
    }
  });
});

test("neither the merchant nor the simulated ERP imports anything of the product", () => {
  const folders = ["deploy/demo/merchant", "connectors/csv/simulator"];
  const imports = folders.flatMap((folder) => {
    const root = new URL(`../../${folder}/`, import.meta.url);
    return readdirSync(root)
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...readFileSync(new URL(file, root), "utf8").matchAll(/ from "(.+)";/g)])
      .map(([, from]) => from ?? "");
  });
  const foreign = new Set(
    imports.filter((from) => !from.startsWith("./") && !from.startsWith("node:")),
  );
  expect([...foreign].sort()).toEqual([
    "../../../deploy/demo/merchant/index.ts",
    "csv-parse/sync",
    "csv-stringify/sync",
    "iconv-lite",
    "yaml",
  ]);
});
