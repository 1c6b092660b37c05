import { randomUUIDv7 } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openPricing, releasePromotions, reservePromotions } from "../../src/pricing/index.ts";
import type { BasketAnswer, BasketRequest, Pricing } from "../../src/pricing/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const NOW = Temporal.Instant.from("2026-06-01T09:00:00Z");

/** A merchant with boards at £10.00, nails at £2.50 and gloves at £4.00, and these promotions. */
async function shop(
  company: string,
  promotions: readonly Partial<Canonical<"promotion">>[],
): Promise<Pricing> {
  const { store } = database;
  await pull(store, company, "customer", [
    { account: "BUILD01", name: "Build", customerGroup: "TRADE" },
    { account: "PLAIN01", name: "Plain" },
  ]);
  await pull(store, company, "product-group", [{ productGroup: "SHEET", name: "Sheet" }]);
  await pull(store, company, "product", [
    { product: "BOARD", name: "Board", productGroup: "SHEET" },
    { product: "NAIL", name: "Nail" },
    { product: "GLOVES", name: "Gloves", vatCode: "ZERO" },
    { product: "ODD", name: "No price" },
    { product: "PANEL", name: "Panel" },
    { product: "ODDVAT", name: "No rate", vatCode: "BAD" },
  ]);
  const price = (product: string, value: string, more: Partial<Canonical<"price-rule">> = {}) => ({
    rule: `${product}${value}`,
    customerScope: "everyone" as const,
    productScope: "product" as const,
    productCode: product,
    kind: "fixed" as const,
    value,
    ...more,
  });
  await pull(store, company, "price-rule", [
    price("BOARD", "10"),
    price("NAIL", "2.5"),
    price("GLOVES", "4"),
    price("ODDVAT", "10"),
    price("PANEL", "15"),
    price("PANEL", "12.5", {
      customerScope: "account",
      customerCode: "BUILD01",
      kind: "percent",
    }),
    price("NAIL", "2", { customerScope: "account", customerCode: "BUILD01", net: true }),
  ]);
  await pull(
    store,
    company,
    "promotion",
    promotions.map((promotion) => ({
      name: "An offer",
      customerScope: "everyone" as const,
      customerCode: "*",
      productScope: "everything" as const,
      productCode: "*",
      kind: "percent" as const,
      validFrom: "2026-01-01",
      validTo: "2026-12-31",
      ...promotion,
    })),
  );
  const pricing = await openPricing({
    store,
    company,
    settings: {
      currency: "GBP",
      timeZone: "Europe/London",
      vat: { STANDARD: "20", REDUCED: "5", ZERO: "0" },
    },
    policy: "generic",
    now: () => NOW,
    log: () => undefined,
  });
  await pricing.publish();
  return pricing;
}

async function basketOf(
  pricing: Pricing,
  lines: Readonly<Record<string, string>>,
  more: Partial<BasketRequest> = {},
): Promise<BasketAnswer> {
  const priced = await pricing.basket({
    account: "PLAIN01",
    lines: Object.entries(lines).map(([product, quantity]) => ({ product, quantity })),
    ...more,
  });
  if (!("answer" in priced)) throw new Error(JSON.stringify(priced));
  return priced.answer;
}

const tenOff = { promotion: "TEN", value: "10", code: "TEN" } as const;

describe("a basket", () => {
  test("adds lines, promotions, charges and VAT up", async () => {
    const pricing = await shop("SUMS", [
      tenOff,
      {
        promotion: "GLOVES",
        kind: "free-goods",
        productScope: "product-group",
        productCode: "SHEET",
        buyQuantity: "5",
        freeQuantity: "1",
        freeProduct: "GLOVES",
        stacks: true,
      },
      {
        promotion: "BIG",
        kind: "amount",
        value: "20",
        thresholdValue: "100",
        countsOver: "document",
        lowers: "document",
        stacks: true,
      },
    ]);
    const basket = await basketOf(
      pricing,
      { BOARD: "10", NAIL: "4" },
      {
        codes: ["ten", "ELEVEN"],
        charges: [{ charge: "CARR", amount: "12.50", vatCode: "STANDARD" }],
        twin: true,
      },
    );
    expect(basket).toMatchObject({
      lines: [
        { product: "BOARD", full: "100.00", lowered: "10.00", net: "90.00", savedPercent: 10 },
        { product: "NAIL", full: "10.00", lowered: "1.00", net: "9.00" },
      ],
      free: [{ product: "GLOVES", quantity: "2", net: "0.00", vat: "0.00", worth: "8.00" }],
      applied: [
        { promotion: "TEN", saving: "11.00" },
        { promotion: "GLOVES", saving: "8.00", times: 2 },
      ],
      notApplied: [{ promotion: "BIG", reason: "needs-value", about: "needs £1.00 more" }],
      unknownCodes: ["ELEVEN"],
      charges: [{ charge: "CARR", net: "12.50", vat: "2.50" }],
      vat: [
        { vatPercent: "0", net: "0.00" },
        { vatPercent: "20", net: "111.50", vat: "22.30", gross: "133.80" },
      ],
      totals: { net: "111.50", vat: "22.30", gross: "133.80" },
    });
    const more = await basketOf(pricing, { BOARD: "10", NAIL: "4", GLOVES: "1" });
    expect(more.applied.map(({ promotion }) => promotion)).toEqual(["GLOVES", "BIG"]);
    expect(more.documentDiscount).toBe("20.00");
    expect(more.lines.map((line) => "documentDiscount" in line && line.documentDiscount)).toEqual([
      "17.54",
      "1.76",
      "0.70",
    ]);
  });

  test("leaves a net price alone and knows no totals where a price is not known", async () => {
    const pricing = await shop("NETS", [tenOff]);
    const net = await basketOf(pricing, { NAIL: "4" }, { account: "BUILD01", codes: ["TEN"] });
    expect(net.notApplied).toMatchObject([{ about: "its goods have a net price" }]);
    expect(net.totals).toEqual({ net: "8.00", vat: "1.60", gross: "9.60" });
    const odd = await basketOf(pricing, { NAIL: "4", ODD: "1", NONE: "1" });
    expect(odd.totals).toBeNull();
    expect(odd.totalsReason).toContain("Line 2 (ODD) has no price: No price holds");
    expect(odd.totalsReason).toContain("Line 3 (NONE): ");
    expect(net.totalsReason).toBeNull();
    expect(odd.lines.map(({ state }) => state)).toEqual(["modelled", "unknown", "problem"]);
  });

  test("says which VAT code has no rate, and what to do", async () => {
    const pricing = await shop("NORATE", [{ ...tenOff, code: null, budget: "0.60" }]);
    const { lines, totals, totalsReason, applied } = await basketOf(pricing, { ODDVAT: "1" });
    expect([totals, totalsReason]).toEqual([
      null,
      "Line 1 (ODDVAT): the settings give the VAT code BAD no rate on this day; state it in the company's vat.",
    ]);
    expect(lines).toMatchObject([
      {
        vat: null,
        because:
          "Standard price; VAT not known: the settings give the code BAD no rate on this day, state it in the company's vat",
      },
    ]);
    expect(applied).toMatchObject([{ saving: "0.60", cutBy: "0.40" }]);
  });

  test("lowers the exact price, and says what holds rather than what may", async () => {
    const half = { ...tenOff, value: "50" };
    const multi = { promotion: "MB", kind: "multi-buy", value: "20", buyQuantity: "3" } as const;
    const pricing = await shop("EXACT", [half, multi]);
    const asked = { account: "BUILD01", lines: [{ product: "PANEL", quantity: "1" }] };
    const [alone] = pricing.price(asked);
    // £15 less 12.5% is £13.125, half of it £6.5625.
    const { lines, applied, notApplied } = await basketOf(
      pricing,
      { PANEL: "1" },
      { ...asked, codes: ["TEN"] },
    );
    expect(alone).toMatchObject({
      unitPrice: "13.1250",
      because: expect.stringMatching(/; promotion MB may apply in the basket$/),
    });
    expect(lines).toMatchObject([
      { net: "6.56", because: expect.not.stringContaining("may apply"), savedPercent: 50 },
    ]);
    expect(applied).toMatchObject([{ promotion: "TEN", saving: "6.57", cutBy: "0.00" }]);
    expect(notApplied).toMatchObject([
      { promotion: "MB", about: "its goods are in TEN, and it does not stack" },
    ]);
  });

  test("mirrors as a credit note", async () => {
    const pricing = await shop("CREDIT", [tenOff]);
    const asked = { codes: ["TEN"] };
    const invoice = await basketOf(pricing, { BOARD: "3", NAIL: "1" }, asked);
    const credit = await basketOf(pricing, { BOARD: "3", NAIL: "1" }, { ...asked, credit: true });
    expect(invoice.totals).toEqual({ net: "29.25", vat: "5.85", gross: "35.10" });
    expect(credit.totals).toEqual({ net: "-29.25", vat: "-5.85", gross: "-35.10" });
  });

  test("does not change the price of a line by itself", async () => {
    const pricing = await shop("LINES", [{ ...tenOff, code: null, stacks: true }]);
    const [line] = pricing.price({
      account: "PLAIN01",
      lines: [{ product: "BOARD", quantity: "1" }],
    });
    expect(line).toMatchObject({ state: "modelled", unitPrice: "10.0000" });
    expect((await basketOf(pricing, { BOARD: "1" })).totals?.net).toBe("9.00");
  });
});

describe("limits of promotions", () => {
  const once = { ...tenOff, code: null, mostUses: 1, budget: "50" };

  async function order(company: string, pricing: Pricing, id: string): Promise<string> {
    return database.store.transaction(async (tx) => {
      const request = { account: "PLAIN01", lines: [{ product: "BOARD", quantity: "2" }] };
      const priced = await pricing.basket(request, tx);
      if (!("answer" in priced)) throw new Error("no basket");
      await reservePromotions(tx, {
        company,
        order: id,
        account: "PLAIN01",
        held: priced.held,
        at: NOW,
      });
      return priced.answer.totals?.net ?? "";
    });
  }

  test("two orders at once: one gets the last use, and it comes back when that one is cancelled", async () => {
    const pricing = await shop("RACE", [once]);
    const ids = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()] as const;
    const nets = await Promise.all([
      order("RACE", pricing, ids[0]),
      order("RACE", pricing, ids[1]),
    ]);
    expect([...nets].sort()).toEqual(["18.00", "20.00"]);
    const after = await basketOf(pricing, { BOARD: "2" });
    expect(after.notApplied).toMatchObject([{ reason: "uses-used-up" }]);
    const release = (id: string) =>
      database.store.transaction((tx) =>
        releasePromotions(tx, { company: "RACE", order: id, at: NOW }),
      );
    for (const id of ids) await release(id);
    for (const id of ids) await release(id);
    expect((await basketOf(pricing, { BOARD: "2" })).totals?.net).toBe("18.00");
    expect(await order("RACE", pricing, ids[2])).toBe("18.00");
    const rows = await database.store.query(
      "select promotion, orders, given from promotion_tally where company = 'RACE'",
    );
    expect(rows).toEqual([{ promotion: "TEN", orders: 1, given: "2.00" }]);
  });

  test("a budget is given away to the penny and no further", async () => {
    const pricing = await shop("BUDGET", [{ ...tenOff, code: null, budget: "3" }]);
    const nets = await Promise.all([1, 2, 3].map(() => order("BUDGET", pricing, randomUUIDv7())));
    expect([...nets].sort()).toEqual(["18.00", "19.00", "20.00"]);
  });
});
