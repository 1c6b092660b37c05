import { expect, test } from "vitest";
import { openPricing } from "../../src/pricing/index.ts";
import type { PriceAnswer, PricingOptions } from "../../src/pricing/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

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
