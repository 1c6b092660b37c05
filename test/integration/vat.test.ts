import { expect, test } from "vitest";
import { orderPricing } from "../../src/company.ts";
import { openOrders, orderRequest } from "../../src/orders/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import type { PriceAnswer, PricingOptions } from "../../src/pricing/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

const database = useDatabase();

function open(company: string, vatRules: PricingOptions["settings"]["vatRules"] & object) {
  return openPricing({
    store: database.store,
    company,
    settings: {
      currency: "GBP",
      timeZone: "Europe/London",
      vat: { STANDARD: "20", EXPORT: "0" },
      vatRules,
    },
    policy: "generic",
    now: () => Temporal.Instant.from("2026-06-01T09:00:00Z"),
    log: () => undefined,
  });
}

test("VAT follows the customer's evidence and the day, from the ERP's records to the answer", async () => {
  const { store } = database;
  const company = "VAT";
  await pull(store, company, "customer", [
    { account: "OSLO", name: "Oslo", country: "NO" },
    { account: "BERGEN", name: "Bergen", country: "NO", vatEvidence: "MRN-1" },
  ]);
  await pull(store, company, "product", [
    {
      product: "PLY",
      name: "Plywood",
      sellingUnit: "EACH",
      pricingUnit: "EACH",
      vatCode: "STANDARD",
    },
  ]);
  await pull(store, company, "price-rule", [
    {
      rule: "R",
      customerScope: "everyone",
      productScope: "product",
      productCode: "PLY",
      kind: "fixed",
      value: "10",
    },
  ]);
  const rates = [
    { from: null, percent: "20" },
    { from: "2026-07-01", percent: "21" },
  ];
  const export_ = {
    rates: [{ from: null, percent: "0" }],
    needs: ["certificate"],
    instead: null,
  } as const;
  const pricing = await open(company, {
    codes: { STANDARD: { rates, needs: [], instead: null }, EXPORT: export_ },
    country: "GB",
    countries: { "*": "EXPORT" },
  });
  await pricing.publish();
  const ask = (account: string, on: string) => {
    const [line] = pricing.price({ account, on, lines: [{ product: "PLY", quantity: "1" }] });
    const { vatCode, vatPercent, vat, validUntil } = line as PriceAnswer;
    return { vatCode, vatPercent, vat, validUntil };
  };
  expect(ask("BERGEN", "2026-06-01")).toEqual({
    vatCode: "EXPORT",
    vatPercent: "0",
    vat: "0.00",
    validUntil: null,
  });
  // Without its evidence the ordinary code; the answer ends when the rate changes.
  expect(ask("OSLO", "2026-06-30")).toEqual({
    vatCode: "STANDARD",
    vatPercent: "20",
    vat: "2.00",
    validUntil: "2026-06-30T23:00:00Z",
  });
  expect(ask("OSLO", "2026-07-01")).toMatchObject({ vatPercent: "21", vat: "2.10" });
  const [explained] = await pricing.explain({
    account: "OSLO",
    on: "2026-06-30",
    lines: [{ product: "PLY", quantity: "1" }],
  });
  expect(JSON.stringify(explained)).toContain(
    "VAT code EXPORT does not count: the account lacks a certificate or other evidence",
  );
});

test("a web order bears the VAT code and the rate of its price: by account, place, evidence and day", async () => {
  const { store } = database;
  const company = "VATORDER";
  await pull(store, company, "customer", [
    { account: "OSLO", name: "Oslo", country: "NO" },
    { account: "BERGEN", name: "Bergen", country: "NO", vatEvidence: "MRN-1" },
    { account: "LEEDS", name: "Leeds" },
  ]);
  await pull(store, company, "site", [
    { account: "LEEDS", site: "HOME", name: "Home, insulation", vatCode: "REDUCED" },
  ]);
  const goods = { sellingUnit: "EACH", pricingUnit: "EACH" };
  await pull(store, company, "product", [{ product: "PLY", name: "Plywood", ...goods }]);
  await pull(store, company, "price-rule", [
    {
      rule: "R",
      customerScope: "everyone",
      productScope: "product",
      productCode: "PLY",
      kind: "fixed",
      value: "10",
    },
  ]);
  const settings: PricingOptions["settings"] = {
    currency: "GBP",
    timeZone: "Europe/London",
    // The newest rates, as the settings show them; on the day of the order the old one holds.
    vat: { STANDARD: "21", REDUCED: "5", EXPORT: "0" },
    vatRules: {
      codes: {
        STANDARD: {
          rates: [
            { from: null, percent: "20" },
            { from: "2026-07-01", percent: "21" },
          ],
          needs: [],
          instead: null,
        },
        REDUCED: "5",
        EXPORT: { rates: [{ from: null, percent: "0" }], needs: ["certificate"], instead: null },
      },
      country: "GB",
      countries: { "*": "EXPORT" },
    },
  };
  let now = "2026-06-30T09:00:00Z";
  const clock = () => Temporal.Instant.from(now);
  const log = () => undefined;
  const pricing = await openPricing({
    store,
    company,
    settings,
    policy: "generic",
    now: clock,
    log,
  });
  await pricing.publish();
  const nothing = (): never => {
    throw new Error("nothing is sent");
  };
  const orders = openOrders({
    store,
    company,
    settings: ORDER_SETTINGS,
    pricing: orderPricing(pricing, settings),
    jobs: { queue: nothing } as never,
    connection: { standing: nothing, openSession: nothing },
    outbound: { carriesDiscount: true } as never,
    now: clock,
    log,
  });
  const lines = [{ product: "PLY", quantity: "1", unitPrice: "10.00" }];
  const check = async (account: string, more: object = {}) => {
    const charges = [{ charge: "CARR", net: "5.00", vatCode: "STANDARD" }];
    const { order } = await orders.check(orderRequest.parse({ account, lines, charges, ...more }));
    const [line] = order.lines;
    return [line?.vatCode, line?.vat, order.charges[0]?.vat];
  };
  expect(await check("BERGEN")).toEqual(["EXPORT", "0.00", "1.00"]);
  expect(await check("OSLO")).toEqual(["STANDARD", "2.00", "1.00"]);
  expect(await check("LEEDS", { site: "HOME" })).toEqual(["REDUCED", "0.50", "1.00"]);
  now = "2026-07-01T09:00:00Z";
  expect(await check("OSLO")).toEqual(["STANDARD", "2.10", "1.05"]);
  const { answer } = (await pricing.basket({
    account: "OSLO",
    lines,
    charges: [{ charge: "CARR", amount: "5.00", vatCode: "STANDARD" }],
  })) as { answer: unknown };
  expect(answer).toMatchObject({ totals: { net: "15.00", vat: "3.15" } });
});
