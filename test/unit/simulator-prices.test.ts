import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant, type PriceRule } from "../../deploy/demo/merchant/index.ts";
import { erpFolder } from "../support/simulated-erp.ts";

describe("what the simulated ERP charges", () => {
  const bare = createMerchant({
    customers: 20,
    products: 60,
    priceRules: 0,
    invoiceLines: 0,
    years: 1,
  });
  const [customer] = bare.customers.filter((one) => !one.cashAccount);
  if (!customer) throw new Error("the merchant has no customer for the cases");
  const me = { ...customer, customerGroup: "GENERAL", priceList: "TRADE", vatCode: null };
  const exempt = { ...me, account: "EXEMPT", vatCode: "ZERO" };

  const rule = (some: Partial<PriceRule>): PriceRule => ({
    rule: "R",
    customerScope: "everyone",
    customerCode: null,
    productScope: "product",
    productCode: "",
    kind: "fixed",
    value: "10.00",
    currency: "GBP",
    unit: null,
    fromQuantity: "0",
    validFrom: null,
    validTo: null,
    priority: null,
    net: false,
    contract: null,
    contractQuantity: null,
    ...some,
  });
  const standard = rule({ rule: "STD" });
  const list = (value: string) =>
    rule({ rule: "LIST", customerScope: "price-list", customerCode: "TRADE", value });
  const mine = (some: Partial<PriceRule>) =>
    rule({ rule: "MINE", customerScope: "account", customerCode: me.account, ...some });
  const myGroup = (some: Partial<PriceRule>) =>
    mine({
      productScope: "product-group",
      kind: "percent",
      ...some,
    });
  const trade = (some: Partial<PriceRule>) =>
    myGroup({ rule: "TRADE", customerScope: "customer-group", customerCode: "GENERAL", ...some });
  const promotion = (value: string, validFrom = "2026-06-01", validTo = "2026-06-30") => ({
    promotion: "PROMO",
    name: "June",
    customerScope: "everyone" as const,
    customerCode: "*",
    productScope: "product" as const,
    productCode: "",
    kind: "percent" as const,
    value,
    buyQuantity: null,
    freeQuantity: null,
    freeProduct: null,
    thresholdValue: null,
    code: null,
    validFrom,
    validTo,
    stacks: false,
  });

  interface Case {
    readonly title: string;
    readonly rules: readonly PriceRule[];
    readonly promotions?: ReturnType<typeof promotion>[];
    readonly quantity?: string;
    readonly on?: string;
    readonly price: string | null;
    readonly wins?: string;
  }
  const cases: readonly Case[] = [
    { title: "no price where no rule holds", rules: [], price: null },
    { title: "the standard price", rules: [standard], price: "10.0000", wins: "STD" },
    {
      title: "the list price instead of the standard price, also where it is higher",
      rules: [standard, list("11.00")],
      price: "11.0000",
      wins: "LIST",
    },
    {
      title: "a percent off the list price, not off the standard price",
      rules: [standard, list("8.00"), myGroup({ value: "10" })],
      price: "7.2000",
      wins: "MINE",
    },
    {
      title: "the lowest, whatever is more particular",
      rules: [standard, mine({ value: "9.00" }), trade({ value: "12.5" })],
      price: "8.7500",
      wins: "TRADE",
    },
    {
      title: "a net price, whatever is lower",
      rules: [standard, mine({ value: "9.90", net: true }), trade({ value: "50" })],
      promotions: [promotion("60")],
      price: "9.9000",
      wins: "MINE",
    },
    {
      title: "the more particular of two equal prices",
      rules: [standard, trade({ value: "10" }), mine({ value: "9.00" })],
      promotions: [promotion("10")],
      price: "9.0000",
      wins: "MINE",
    },
    {
      title: "a promotion on its last day",
      rules: [standard],
      promotions: [promotion("15")],
      price: "8.5000",
      wins: "PROMO",
    },
    {
      title: "no promotion on the day after",
      rules: [standard],
      promotions: [promotion("15", "2026-06-01", "2026-06-29")],
      price: "10.0000",
      wins: "STD",
    },
    {
      title: "an amount off the base",
      rules: [standard, mine({ kind: "amount", value: "1.2345" })],
      price: "8.7655",
      wins: "MINE",
    },
    {
      title: "never less than nothing",
      rules: [standard, mine({ kind: "amount", value: "12.00" })],
      price: "0.0000",
      wins: "MINE",
    },
    {
      title: "half a ten-thousandth up",
      rules: [rule({ rule: "STD", value: "0.0333" }), trade({ value: "50" })],
      price: "0.0167",
      wins: "TRADE",
    },
    {
      title: "a surcharge only as a candidate: the base is lower",
      rules: [standard, trade({ value: "-5" })],
      price: "10.0000",
      wins: "STD",
    },
    {
      title: "the break from exactly its quantity",
      rules: [standard, mine({ value: "9.50" }), mine({ value: "9.00", fromQuantity: "10" })],
      quantity: "10",
      price: "9.0000",
      wins: "MINE",
    },
    {
      title: "no break just below its quantity",
      rules: [standard, mine({ value: "9.50" }), mine({ value: "9.00", fromQuantity: "10" })],
      quantity: "9.99999",
      price: "9.5000",
      wins: "MINE",
    },
    {
      title: "a rule on its first day",
      rules: [standard, mine({ value: "9.00", validFrom: "2026-06-30" })],
      price: "9.0000",
      wins: "MINE",
    },
    {
      title: "no rule on the day before its first",
      rules: [standard, mine({ value: "9.00", validFrom: "2026-07-01" })],
      price: "10.0000",
      wins: "STD",
    },
    {
      title: "no rule on the day after its last",
      rules: [standard, mine({ value: "9.00", validTo: "2026-06-29" })],
      price: "10.0000",
      wins: "STD",
    },
  ];
  // Every case has a product and a product group of its own, so that one ERP answers all of them.
  const products = bare.products.map((one, i) => ({
    ...one,
    productGroup: `GROUP-${i}`,
    vatCode: "STANDARD",
    sellingUnitsPerPricingUnit: i === cases.length ? "1000" : "1",
  }));
  const codeOf = (index: number) => products[index]?.product ?? "";
  const ownRule = (one: PriceRule, index: number) => ({
    ...one,
    rule: `${one.rule}-${index}`,
    productCode: one.productScope === "product" ? codeOf(index) : `GROUP-${index}`,
  });
  const bricks = rule({ rule: "STD", value: "612.3456" });
  const priceRules = [...cases.map(({ rules }) => rules), [bricks]].flatMap((rules, index) =>
    rules.map((one) => ownRule(one, index)),
  );
  const promotions = cases.flatMap((one, index) =>
    (one.promotions ?? []).map((offer) => ({
      ...offer,
      promotion: `${offer.promotion}-${index}`,
      productCode: codeOf(index),
    })),
  );
  const folder = erpFolder();
  let erp: Simulator;
  beforeAll(async () => {
    const customers = [me, exempt];
    erp = await start({ ...bare, customers, products, priceRules, promotions }, { folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(cases.map((one, index) => ({ ...one, index })))(
    "is $title",
    ({ index, quantity = "1", on = "2026-06-30", price, wins }) => {
      const answer = erp.books().priceFor(me.account, codeOf(index), quantity, on);
      const rule = wins === undefined ? undefined : `${wins}-${index}`;
      expect([answer?.unitPrice ?? null, answer?.rule]).toEqual([price, rule]);
    },
  );

  test("is, for bricks, per thousand, with the line rounded once", () => {
    const answer = erp.books().priceFor(me.account, codeOf(cases.length), "37", "2026-06-30");
    // 37 × 612.3456 ÷ 1000 = 22.6567872; 20% of 22.66 is 4.532.
    expect(answer).toMatchObject({ unitPrice: "612.3456", net: "22.66", vat: "4.53" });
  });

  test("is without VAT for an account that is zero rated", () => {
    const standardOnly = cases.findIndex(({ title }) => title === "the standard price");
    const answer = erp.books().priceFor("EXEMPT", codeOf(standardOnly), "3", "2026-06-30");
    expect(answer).toMatchObject({ net: "30.00", vatCode: "ZERO", vat: "0.00" });
  });
});
