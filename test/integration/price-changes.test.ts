/** The feed of price changes, and a shop that keeps prices by it. */
import { randomUUIDv7 } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { records } from "../../src/model/index.ts";
import type { Canonical, RecordDefinition, RecordName } from "../../src/model/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import type { PriceScope } from "../../src/pricing/index.ts";
import { mergeStaging, openStaging } from "../../src/store/index.ts";
import { record } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const ORIGIN = randomUUIDv7();
const START = Temporal.Instant.from("2026-06-01T09:00:00Z");

/** A merchant whose pulls are merged as sync merges them, and whose clock the test moves. */
async function merchant(company: string) {
  let at = START;
  const pricing = await openPricing({
    store: database.store,
    company,
    settings: { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20", REDUCED: "5" } },
    policy: "generic",
    now: () => at,
    log: () => undefined,
  });
  const held = new Map<RecordName, readonly object[]>();
  return {
    pricing,
    held,
    wait: (days: number) => (at = at.add({ hours: 24 * days })),
    now: () => at,
    pull: async <N extends RecordName>(name: N, rows: readonly Partial<Canonical<N>>[]) => {
      held.set(name, rows);
      const definition = records[name] as unknown as RecordDefinition;
      const runId = randomUUIDv7();
      const staging = await openStaging(database.store, { record: definition, runId });
      rows.forEach((row, index) => staging.add(record(name, row), ORIGIN, index + 1));
      await staging.flush();
      const feed = `erp/${name}`;
      await database.store.transaction((tx) =>
        mergeStaging(tx, { company, feed, record: definition, staging, snapshot: true, runId, at }),
      );
      await staging.drop();
    },
  };
}

type Merchant = Awaited<ReturnType<typeof merchant>>;
type Customer = Partial<Canonical<"customer">>;
type Product = Partial<Canonical<"product">>;

const customers: readonly Customer[] = [
  { account: "A1", name: "One", customerGroup: "TRADE", priceList: "L1" },
  { account: "A2", name: "Two", customerGroup: "TRADE", headOffice: "A1" },
  { account: "A3", name: "Three", customerGroup: "RETAIL", priceList: "L2" },
];
const products: readonly Product[] = [
  { product: "P1", name: "Ply", productGroup: "SHEET", standardCost: "2" },
  { product: "P2", name: "Board", productGroup: "WOOD", standardCost: "3" },
  { product: "P3", name: "Nail", standardCost: "0.5" },
];
const groups: readonly Partial<Canonical<"product-group">>[] = [
  { productGroup: "WOOD", name: "Wood" },
  { productGroup: "SHEET", name: "Sheet", parent: "WOOD" },
];
const lists: readonly Partial<Canonical<"price-list">>[] = [
  { priceList: "L1", name: "One" },
  { priceList: "L2", name: "Two" },
];

async function opened(company: string): Promise<Merchant> {
  const made = await merchant(company);
  await made.pull("customer", customers);
  await made.pull("product-group", groups);
  await made.pull("product", products);
  await made.pull("price-list", lists);
  return made;
}

type Rule = Partial<Canonical<"price-rule">>;

const fixed = (name: string, productCode: string, value: string, more: Rule = {}): Rule => ({
  rule: name,
  customerScope: "everyone",
  productScope: "product",
  productCode,
  kind: "fixed",
  value,
  ...more,
});

/** A shop that keeps every answer until the feed names it or its `validUntil` has come. */
function shopOf({ pricing, held, now }: Merchant) {
  const kept = new Map<string, { readonly price: string; readonly until: string | null }>();
  let cursor: string | null = null;
  let asked = 0;
  const ask = (account: string, product: string, quantity: string) => {
    const [line] = pricing.price({ account, lines: [{ product, quantity }] });
    if (line === undefined || line.state === "problem") return { price: "none", until: null };
    return { price: `${line.unitPrice ?? line.state} ${line.vat ?? ""}`, until: line.validUntil };
  };
  return {
    get asked() {
      return asked;
    },
    async follow() {
      const begins = cursor === null;
      for (let more = true; more;) {
        const changes = await pricing.changes(cursor);
        for (const key of kept.keys())
          if (changes.entries.some((scope) => reaches(scope, key, held))) kept.delete(key);
        cursor = changes.next;
        more = changes.more;
      }
      if (begins) kept.clear();
      for (const [key, { until }] of kept)
        if (until !== null && Temporal.Instant.compare(Temporal.Instant.from(until), now()) <= 0)
          kept.delete(key);
    },
    /** What it shows beside what is right. */
    shelves() {
      const shown: Record<string, string> = {};
      const right: Record<string, string> = {};
      for (const { account = "" } of customers)
        for (const { product = "" } of products)
          for (const quantity of ["1", "10"]) {
            const key = `${account} ${product} ${quantity}`;
            const found = ask(account, product, quantity);
            if (!kept.has(key)) {
              kept.set(key, found);
              asked += 1;
            }
            shown[key] = kept.get(key)?.price ?? "";
            right[key] = found.price;
          }
      return { shown, right };
    },
  };
}

/** As the document of the feed says a scope is to be read. */
function reaches(scope: PriceScope, key: string, held: Merchant["held"]): boolean {
  const [account, product] = key.split(" ");
  const customer = (held.get("customer") as Customer[]).find((each) => each.account === account);
  const item = (held.get("product") as Product[]).find((each) => each.product === product);
  const { customerScope, customerCode, productScope, productCode } = scope;
  const whom = {
    everyone: true,
    account: customerCode === account,
    "head-office": customerCode === account || customerCode === customer?.headOffice,
    "customer-group": customerCode === customer?.customerGroup,
    "price-list": customerCode === customer?.priceList,
  }[customerScope];
  const groupsOf = (code: string | null | undefined): string[] => {
    const rows = held.get("product-group") as Partial<Canonical<"product-group">>[];
    const row = rows.find((each) => each.productGroup === code);
    return row === undefined ? [] : [code ?? "", ...groupsOf(row.parent)];
  };
  const what = {
    everything: true,
    product: productCode === product,
    "product-group": groupsOf(item?.productGroup).includes(productCode ?? ""),
  }[productScope];
  return whom === true && what === true;
}

describe("price changes", () => {
  test("name whom and what a pull's rules are for, not every price", async () => {
    const { pricing, pull } = await opened("M1");
    await pull("price-rule", [fixed("S1", "P1", "5"), fixed("S2", "P2", "6")]);
    await pricing.publish();
    const begin = await pricing.changes(null);
    expect(begin.entries).toEqual([]);
    await pull("price-rule", [
      fixed("S1", "P1", "5"),
      fixed("S2", "P2", "6.50"),
      fixed("G1", "P1", "4", { customerScope: "customer-group", customerCode: "TRADE" }),
    ]);
    const { version } = await pricing.publish();
    const { entries, next, more } = await pricing.changes(begin.next);
    const since = { from: START.toString(), bookVersion: version };
    expect(entries).toEqual([
      { ...scope("customer-group", "TRADE", "product", "P1"), ...since },
      { ...scope("everyone", null, "product", "P2"), ...since },
    ]);
    expect(more).toBe(false);
    expect(await pricing.changes(next)).toEqual({ entries: [], next, more: false });
  });

  test("say where a rule came from and where it went", async () => {
    const { pricing, pull } = await opened("M2");
    await pull("price-rule", [fixed("S1", "P1", "5"), fixed("S2", "P2", "6")]);
    await pricing.publish();
    const { next } = await pricing.changes(null);
    const moved = { customerScope: "account", customerCode: "A3" } as const;
    await pull("price-rule", [fixed("S1", "P3", "5", moved)]);
    await pricing.publish();
    expect((await pricing.changes(next)).entries.map(scopeOf)).toEqual([
      scope("account", "A3", "product", "P3"),
      scope("everyone", null, "product", "P1"),
      scope("everyone", null, "product", "P2"),
    ]);
  });

  test("name a customer whose terms changed, and none whose balance did", async () => {
    const { pricing, pull } = await opened("M3");
    await pull("price-rule", [
      fixed("S1", "P1", "5", { customerScope: "price-list", customerCode: "L2" }),
    ]);
    await pricing.publish();
    const { next } = await pricing.changes(null);
    const changed = customers.map((customer) => ({
      ...customer,
      balance: "120.00",
      ...(customer.account === "A1" ? { priceList: "L2" } : {}),
    }));
    await pull("customer", changed);
    await pricing.publish();
    expect((await pricing.changes(next)).entries.map(scopeOf)).toEqual([
      scope("account", "A1", "everything", null),
    ]);
  });

  test("say everything for a customer when there are too many to name", async () => {
    const { pricing, pull } = await opened("M4");
    const rules = (value: string, count: number) =>
      Array.from({ length: count }, (_, at) =>
        fixed(`R${at}`, `P${1 + (at % 3)}`, value, {
          customerScope: "account",
          customerCode: "A1",
          fromQuantity: String(at),
        }),
      );
    const spread = (value: string) => [
      ...rules(value, 3),
      ...Array.from({ length: 300 }, (_, at) =>
        fixed(`X${at}`, `GONE${at}`, value, { customerScope: "account", customerCode: "A2" }),
      ),
    ];
    await pull("price-rule", spread("5"));
    await pricing.publish();
    const { next } = await pricing.changes(null);
    await pull("price-rule", spread("6"));
    await pricing.publish();
    expect((await pricing.changes(next)).entries.map(scopeOf)).toEqual([
      scope("account", "A1", "everything", null),
      scope("account", "A2", "everything", null),
    ]);
  });

  test("are everything when the policy's arithmetic, the VAT rates or unknown rows changed", async () => {
    const { pricing, pull } = await opened("M5");
    await pull("price-rule", [fixed("S1", "P1", "5")]);
    await pricing.publish();
    const { next } = await pricing.changes(null);
    await database.store.affect("update price_rule set value = 7 where company = 'M5'", []);
    await database.store.affect("delete from record_change where company = 'M5'", []);
    await pricing.publish();
    expect((await pricing.changes(next)).entries.map(scopeOf)).toEqual([
      scope("everyone", null, "everything", null),
    ]);
  });

  test("refuse a cursor that is none, of another history, or too old, and say what to do", async () => {
    const { pricing, pull, wait } = await opened("M6");
    await pull("price-rule", [fixed("S1", "P1", "5")]);
    await pricing.publish();
    const { next: old } = await pricing.changes(null);
    const refusal = (cursor: string) =>
      pricing.changes(cursor).then(
        () => "taken",
        (error: unknown) => error as Error,
      );
    expect(await refusal("none")).toMatchObject({ code: "cursor-unknown" });
    const foreign = Buffer.from("1.00000000").toString("base64url");
    expect(await refusal(foreign)).toMatchObject({ code: "cursor-unknown" });
    await pull("price-rule", [fixed("S1", "P1", "6")]);
    await pricing.publish();
    wait(20);
    await pull("price-rule", [fixed("S1", "P1", "7")]);
    await pricing.publish();
    wait(11);
    expect(await pricing.tidy()).toBe(2);
    expect(await refusal(old)).toMatchInlineSnapshot(
      `[CursorRefused: Reading price changes: the cursor is older than the 30 days for which changes are kept. Ask without a cursor for a new one, drop every price that is kept, and go on from there.]`,
    );
    expect(await refusal((await pricing.changes(null)).next)).toBe("taken");
  });
});

function scope(
  customerScope: string,
  customerCode: string | null,
  productScope: string,
  productCode: string | null,
): PriceScope {
  return { customerScope, customerCode, productScope, productCode };
}

function scopeOf({ customerScope, customerCode, productScope, productCode }: PriceScope) {
  return scope(customerScope, customerCode, productScope, productCode);
}

const whom = fc.constantFrom<Rule>(
  { customerScope: "everyone" },
  { customerScope: "account", customerCode: "A1" },
  { customerScope: "account", customerCode: "A3" },
  { customerScope: "head-office", customerCode: "A1" },
  { customerScope: "customer-group", customerCode: "TRADE" },
  { customerScope: "price-list", customerCode: "L1" },
  { customerScope: "price-list", customerCode: "L2" },
);
const what = fc.constantFrom<Rule>(
  { productScope: "everything" },
  { productScope: "product", productCode: "P1" },
  { productScope: "product", productCode: "P2" },
  { productScope: "product", productCode: "P3" },
  { productScope: "product-group", productCode: "WOOD" },
  { productScope: "product-group", productCode: "SHEET" },
);
const dates = fc.constantFrom(
  {},
  { validFrom: "2026-06-03" },
  { validTo: "2026-06-02" },
  { validFrom: "2026-06-02", validTo: "2026-06-04" },
);
const rules = fc
  .array(fc.tuple(whom, what, dates, fc.integer({ min: 1, max: 40 }), fc.constantFrom("0", "10")), {
    maxLength: 6,
  })
  .map((rows) =>
    rows.map(([whose, which, when, value, fromQuantity], at): Rule => ({
      ...when,
      ...whose,
      ...which,
      rule: `R${at}`,
      kind: which.productScope === "product" ? "fixed" : "percent",
      value: String(value),
      fromQuantity,
    })),
  );
type Step =
  | { readonly pull: "price-rule"; readonly rows: readonly Rule[] }
  | { readonly pull: "customer"; readonly rows: readonly Customer[] }
  | { readonly pull: "product"; readonly rows: readonly Product[] }
  | { readonly pull: "product-group"; readonly parent: string | null }
  | { readonly wait: number };
const pick = <T>(...of: readonly T[]) => fc.constantFrom(...of);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: rules.map((rows) => ({ pull: "price-rule" as const, rows })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(pick("L1", "L2", null), pick("TRADE", "RETAIL"), pick("10", null))
      .map(([priceList, customerGroup, discountPercent]) => ({
        pull: "customer" as const,
        rows: customers.map((each) =>
          each.account === "A2" ? { ...each, priceList, customerGroup, discountPercent } : each,
        ),
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(pick("SHEET", "WOOD", null), pick("STANDARD", "REDUCED"))
      .map(([productGroup, vatCode]) => ({
        pull: "product" as const,
        rows: products.map((each) =>
          each.product === "P3" ? { ...each, productGroup, vatCode } : each,
        ),
      })),
  },
  {
    weight: 1,
    arbitrary: pick("WOOD", null).map((parent) => ({ pull: "product-group" as const, parent })),
  },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 2 }).map((wait) => ({ wait })) },
);

test("a shop that follows the feed and validUntil always holds the right prices", async () => {
  let run = 0;
  let kept = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(step, fc.boolean()), { minLength: 2, maxLength: 9 }),
      async (steps) => {
        run += 1;
        const world = await opened(`F${run}`);
        const list = [fixed("S1", "P1", "50"), fixed("S2", "P2", "60"), fixed("S3", "P3", "70")];
        await world.pull("price-rule", list);
        await world.pricing.publish();
        const shop = shopOf(world);
        await shop.follow();
        for (const [each, publishes] of steps) {
          if ("wait" in each) world.wait(each.wait);
          else if (each.pull === "price-rule") await world.pull(each.pull, [...list, ...each.rows]);
          else if (each.pull === "product-group")
            await world.pull(
              each.pull,
              groups.map((one) =>
                one.productGroup === "SHEET" ? { ...one, parent: each.parent } : one,
              ),
            );
          else if (each.pull === "customer") await world.pull(each.pull, each.rows);
          else await world.pull(each.pull, each.rows);
          // Several pulls may come into one book.
          if (publishes) await world.pricing.publish();
          await shop.follow();
          const { shown, right } = shop.shelves();
          expect(shown).toEqual(right);
          kept += Object.keys(right).length;
        }
        kept -= shop.asked;
      },
    ),
    { numRuns: 20, seed: 42 },
  );
  // Otherwise the shop would have asked for everything every time.
  expect(kept).toBeGreaterThan(300);
}, 60_000);
