/** A basket and the order made of it are one sum, whatever the policy and whatever is in it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderPricing } from "../../src/company/order-prices.ts";
import type { Canonical } from "../../src/model/index.ts";
import { examine } from "../../src/orders/checks.ts";
import type { OrderFacts } from "../../src/orders/checks.ts";
import { onAccount, orderRequest } from "../../src/orders/request.ts";
import { priceBasket } from "../../src/pricing/basket.ts";
import type { PricedBasket } from "../../src/pricing/basket.ts";
import { compileBook } from "../../src/pricing/engine/index.ts";
import type { BookInput, Policy } from "../../src/pricing/engine/index.ts";
import { loadPolicy, policySwitches, shippedPolicies } from "../../src/pricing/index.ts";
import type { BasketRequest } from "../../src/pricing/index.ts";
import { priceRows } from "../../src/pricing/price.ts";
import { signToken, verifyToken } from "../../src/pricing/token.ts";
import { momentTexts } from "../../src/pricing/root.ts";
import type { Root } from "../../src/pricing/root.ts";
import { record } from "../support/canonical-rows.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");
const SETTINGS = {
  currency: "GBP",
  timeZone: "Europe/London",
  vat: { STANDARD: "20", REDUCED: "5", ZERO: "0" },
};
/** Every shipped policy as it comes and with every single switch set another way. */
const policies: Policy[] = [];
for (const name of await shippedPolicies()) {
  policies.push(await loadPolicy(name));
  for (const { name: turned, choices } of await policySwitches(name))
    for (const { choice } of choices) policies.push(await loadPolicy(name, { [turned]: choice }));
}

const CODES = ["BRICK", "NAIL", "PLY", "SAND"] as const;
const products = [
  record("product", {
    product: "BRICK",
    name: "Brick",
    productGroup: "HEAVY",
    sellingUnit: "EACH",
    pricingUnit: "THOUSAND",
    sellingUnitsPerPricingUnit: "1000",
  }),
  record("product", {
    product: "NAIL",
    name: "Nail",
    productGroup: "LIGHT",
    sellingUnit: "EACH",
    pricingUnit: "BOX",
    sellingUnitsPerPricingUnit: "144",
  }),
  record("product", {
    product: "PLY",
    name: "Plywood",
    productGroup: "HEAVY",
    sellingUnit: "SHEET",
    pricingUnit: "SHEET",
    vatCode: "REDUCED",
  }),
  record("product", {
    product: "SAND",
    name: "Sand",
    productGroup: "LIGHT",
    sellingUnit: "BAG",
    pricingUnit: "BAG",
    vatCode: "ZERO",
  }),
];
const productUnits = [
  record("product-unit", { product: "BRICK", unit: "PACK", sellingUnits: "504" }),
  record("product-unit", { product: "PLY", unit: "PALLET", sellingUnits: "48" }),
];
const customer = record("customer", {
  account: "A1",
  name: "Ashby",
  customerGroup: "TRADE",
  priceList: "STD",
  currency: "GBP",
});

const percent = fc.constantFrom("2.5", "10", "12.5", "33.33");
const price = fc.integer({ min: 1, max: 999_999 }).map((units) => (units / 10_000).toFixed(4));
const rule = (code: string, more: Partial<Canonical<"price-rule">>) =>
  record("price-rule", {
    rule: code,
    customerScope: "price-list",
    customerCode: "STD",
    productScope: "product",
    kind: "fixed",
    currency: "GBP",
    ...more,
  });
const rules = fc
  .tuple(fc.array(price, { minLength: 4, maxLength: 4 }), price, percent, percent)
  .map(([lists, broken, off, group]) => [
    ...CODES.map((product, at) =>
      rule(`L-${product}`, { productCode: product, value: lists[at] ?? "1" }),
    ),
    rule("B", { productCode: "PLY", value: broken, fromQuantity: "10" }),
    rule("P", {
      customerScope: "account",
      customerCode: "A1",
      productScope: "product-group",
      productCode: "HEAVY",
      kind: "percent",
      value: off,
    }),
    rule("G", {
      customerScope: "customer-group",
      customerCode: "TRADE",
      productCode: "SAND",
      kind: "percent",
      value: group,
      fromQuantity: "5",
    }),
  ]);
const promotion = (code: string, more: Partial<Canonical<"promotion">>) =>
  record("promotion", {
    promotion: code,
    name: code,
    customerScope: "everyone",
    customerCode: "*",
    productScope: "everything",
    productCode: "*",
    validFrom: "2026-01-01",
    validTo: "2026-12-31",
    kind: "percent",
    ...more,
  });
const promotions = fc
  .tuple(percent, fc.boolean(), fc.boolean(), fc.boolean())
  .map(([off, gives, code, wide]) => [
    ...(gives
      ? [
          promotion("FREE", {
            kind: "free-goods",
            productScope: "product",
            productCode: "NAIL",
            buyQuantity: "10",
            freeQuantity: "1",
            freeProduct: "SAND",
          }),
        ]
      : []),
    ...(code
      ? [
          promotion("CODE", {
            value: off,
            code: "SPRING",
            productScope: "product",
            productCode: "PLY",
          }),
        ]
      : []),
    ...(wide
      ? [promotion("WIDE", { value: off, lowers: "document", countsOver: "document" })]
      : []),
  ]);

const lines = fc.array(
  fc.oneof(
    fc.record({
      product: fc.constantFrom(...CODES),
      quantity: fc.oneof(
        fc.integer({ min: 1, max: 30 }).map(String),
        fc.integer({ min: 1, max: 900_000 }).map((units) => (units / 1000).toFixed(3)),
      ),
    }),
    fc.constantFrom(
      { product: "BRICK", quantity: "3", unit: "PACK" },
      { product: "PLY", quantity: "2", unit: "PALLET" },
      { product: "BRICK", quantity: "2", unit: "THOUSAND" },
      { product: "BRICK", quantity: "250", unit: "EACH" },
    ),
  ),
  { minLength: 1, maxLength: 6 },
);

function rootOf(policy: Policy, rows: Pick<BookInput, "rules" | "promotions">): Root {
  const book = compileBook(policy, {
    ...SETTINGS,
    customers: [customer],
    sites: [],
    branches: [],
    priceLists: [record("price-list", { priceList: "STD", name: "Standard", standard: true })],
    productGroups: [],
    products,
    productUnits,
    quotations: [],
    ...rows,
  });
  const momentText = momentTexts();
  const version = { version: "1-test", number: 1, digest: "", publishedAt: NOW, freshness: null };
  return { book, momentText, ...version };
}

const KEY = { id: "k", secret: "a secret of thirty-two characters" };

/** A promise of a price for so many of a unit; null: the selling unit. */
const promise = (product: string, quantity: string, unit: string | null, unitPrice: string) =>
  signToken([KEY], {
    company: "TEST",
    account: "A1",
    site: null,
    branch: null,
    conditions: {},
    quotation: null,
    product,
    unit,
    fromQuantity: quantity,
    belowQuantity: null,
    unitPrice,
    pricingUnit: unit ?? "",
    currency: "GBP",
    validUntil: "2026-04-01T00:00:00Z",
    issuedAt: "2026-03-31T08:00:00Z",
    bookVersion: "1-test",
    because: "",
  });

type Ask = Pick<BasketRequest, "lines" | "codes" | "charges" | "agreed">;

async function basketOf(root: Root, request: Ask): Promise<PricedBasket> {
  // Promotions here have no limits, so that nothing is looked up.
  const context = { store: null as never, company: "TEST", settings: SETTINGS };
  const at = { root, when: NOW.epochMilliseconds };
  const priced = await priceBasket(context, at, { account: "A1", ...request });
  if ("answer" in priced) return priced;
  throw new Error(JSON.stringify(priced));
}

async function ordered(root: Root, body: object, checks = ORDER_SETTINGS.checks) {
  const pricing = orderPricing(
    {
      basket: (request) => basketOf(root, request),
      price: (request) => priceRows(root, request, NOW.epochMilliseconds),
      verifyToken: (token, presented) =>
        verifyToken([KEY], token, { ...presented, company: "TEST", at: NOW }),
      arithmetic: root.book.policy.arithmetic,
    },
    SETTINGS,
  );
  const request = onAccount(orderRequest.parse({ account: "A1", ...body }));
  const who = { account: "A1", site: null, branch: null, quotation: null };
  const asked = { ...who, conditions: {}, currency: "GBP" };
  const { codes } = request;
  const { lines: wanted } = request;
  const found = await pricing.price(null as never, {
    ...asked,
    on: "2026-03-31",
    codes,
    lines: wanted,
  });
  const facts: OrderFacts = {
    customer,
    site: undefined,
    products: new Map(products.map((product) => [product.product, product])),
    openGross: "0.00",
    prices: found.lines,
    given: found.free,
    unknownCodes: found.unknownCodes,
    vatRates: found.vatRates,
  };
  const { arithmetic } = root.book.policy;
  const writing = { arithmetic, carriesDiscount: true };
  return examine(request, facts, { ...ORDER_SETTINGS, checks }, "2026-03-31", writing);
}

const anyOver = fc.constantFrom("line", "product", "group", "document" as const);

describe("a basket and the order of the same lines", () => {
  test("agree to the penny under every shipped policy, whatever breaks are counted over", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: policies.length - 1 }),
        anyOver,
        rules,
        promotions,
        lines,
        async (number, quantity, ruled, promoted, asked) => {
          const shipped = policies[number];
          if (shipped === undefined) throw new Error("there is no such policy");
          const policy = { ...shipped, decides: { ...shipped.decides, quantity } };
          const root = rootOf(policy, { rules: ruled, promotions: promoted });
          const charge = { charge: "CARR", vatCode: "STANDARD" };
          const codes = ["spring"];
          const { answer } = await basketOf(root, {
            lines: asked,
            codes,
            charges: [{ ...charge, amount: "12.34", includesVat: false }],
          });
          if (answer.totals === null) return;
          compared += 1;
          const { verdict, findings, order } = await ordered(root, {
            lines: asked.map((line, at) => ({ ...line, unitPrice: unitPriceAt(answer, at) })),
            codes,
            charges: [{ ...charge, net: "12.34" }],
          });
          // A basket shows what comes to nothing by itself, and no order takes it.
          const nothing = findings.find(({ code }) => code === "quantity-comes-to-nothing");
          if (nothing !== undefined) {
            const line = answer.lines[(nothing.line ?? 0) - 1];
            expect(
              line === undefined || !("net" in line) ? null : Number(line.net),
            ).toBeLessThanOrEqual(0.01);
            return;
          }
          const wrong = findings.filter(({ code }) => code !== "promotion-code-unknown");
          expect({ verdict, wrong }).toEqual({ verdict: "accept", wrong: [] });
          const { net, vat, gross } = order;
          expect({ net, vat, gross }).toEqual(answer.totals);
          const sums = (line: Sums) => [line.net, line.vat, line.vatCode];
          expect(order.lines.map(sums)).toEqual(
            [...answer.lines, ...answer.free].map((line) => sums(line as Sums)),
          );
          for (const line of order.lines)
            expect(toldAmount(policy, line)).toBe(amountIn(policy, line));
        },
      ),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(200);
  });
});

type Sums = { net?: string | null; vat?: string | null; vatCode?: string | null };

function unitPriceAt(answer: PricedBasket["answer"], at: number): string {
  const line = answer.lines[at];
  return line === undefined || line.state === "problem" ? "" : (line.unitPrice ?? "");
}

type Line = Awaited<ReturnType<typeof ordered>>["order"]["lines"][number];

/** What the ERP makes of quantity, price per pricing unit and the amount off, in pence. */
function toldAmount(policy: Policy, { product, quantity, unitPrice, discount }: Line): number {
  const per = products.find((each) => each.product === product)?.sellingUnitsPerPricingUnit ?? "1";
  const [units, price6, each] = [integer(quantity, 5), integer(unitPrice, 6), integer(per, 5)];
  const { mode } = policy.arithmetic.lineNet;
  expect(mode).toBe("half-away");
  const twice = (2n * units * price6) / (each * 10_000n);
  return Number((twice + 1n) / 2n) - Number(integer(discount, 2));
}

function amountIn({ arithmetic }: Policy, { net, vat }: Line): number {
  const pence = Number(integer(net, 2));
  return arithmetic.prices === "inclusive" ? pence + Number(integer(vat, 2)) : pence;
}

function integer(text: string, places: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(`${whole}${fraction.padEnd(places, "0")}`);
}

describe("an order", () => {
  const list = (product: string, value: string, more: Partial<Canonical<"price-rule">> = {}) =>
    rule(`L-${product}`, { productCode: product, value, ...more });
  const generic = policies.find(({ policy }) => policy === "generic");
  const root = (more: Parameters<typeof rootOf>[1], changed: Partial<Policy> = {}) => {
    if (generic === undefined) throw new Error("there is no generic policy");
    return rootOf({ ...generic, ...changed }, more);
  };

  test("with VAT in its prices has the net and VAT of each line by itself: the net is rounded first", async () => {
    if (generic === undefined) throw new Error("there is no generic policy");
    const arithmetic = { ...generic.arithmetic, prices: "inclusive" } as const;
    await fc.assert(
      fc.asyncProperty(price, fc.integer({ min: 1, max: 999 }), async (value, units) => {
        const inclusive = root({ rules: [list("BRICK", value)], promotions: [] }, { arithmetic });
        const asked = [{ product: "BRICK", quantity: String(units) }];
        const by = { account: "A1", lines: asked };
        const [alone] = priceRows(inclusive, by, NOW.epochMilliseconds);
        const { answer } = await basketOf(inclusive, { lines: asked });
        const { net, vat } = answer.lines[0] as { net: string; vat: string };
        expect(alone).toMatchObject({ net, vat });
      }),
    );
    // 3p with 20%: 2.5p is rounded to 3p, and no VAT is left; VAT first would have been 2p and 1p.
    const three = root({ rules: [list("PLY", "0.03")], promotions: [] }, { arithmetic });
    const by = { account: "A1", lines: [{ product: "PLY", quantity: "1" }] };
    expect(priceRows(three, by, NOW.epochMilliseconds)).toMatchObject([
      { net: "0.03", vat: "0.00" },
    ]);
  });

  test("takes the break that its lines reach together, where the policy counts over the product", async () => {
    const rulesOfPly = [
      list("PLY", "30.00"),
      list("PLY", "25.00", { rule: "BREAK", fromQuantity: "10" }),
    ];
    const pooled = root(
      { rules: rulesOfPly, promotions: [] },
      { decides: { date: "order", quantity: "product" } },
    );
    const six = { product: "PLY", quantity: "6" };
    const of = (unitPrice: string) => [six, six].map((line) => ({ ...line, unitPrice }));
    expect((await ordered(pooled, { lines: of("25.00") })).order.net).toBe("300.00");
    expect(await ordered(pooled, { lines: of("30.00") })).toMatchObject({
      verdict: "refuse",
      findings: [{ code: "price-differs", expected: "25.0000" }, { code: "price-differs" }],
    });
  });

  test("in packs gives the ERP selling units at a price per pricing unit", async () => {
    const bricks = root({ rules: [list("BRICK", "450.00")], promotions: [] });
    const { order, findings } = await ordered(bricks, {
      lines: [{ product: "BRICK", quantity: "3", unit: "PACK", unitPrice: "226.80" }],
    });
    expect(findings).toEqual([]);
    expect(order).toMatchObject({
      net: "680.40",
      lines: [
        {
          quantity: "1512",
          unitPrice: "450.000000",
          discount: "0.00",
          orderedUnit: "PACK",
          orderedQuantity: "3",
        },
      ],
    });
  });

  test("is charged a promised price of the unit that it orders in, and of no other", async () => {
    const bricks = root({ rules: [list("BRICK", "450.00")], promotions: [] });
    const packs = (token: string, more: object = {}) =>
      ordered(bricks, {
        lines: [
          { product: "BRICK", quantity: "3", unitPrice: "200.00", priceToken: token, ...more },
        ],
      });
    const inPacks = promise("BRICK", "3", "PACK", "200.00");
    expect(await packs(inPacks, { unit: "PACK" })).toMatchObject({
      findings: [],
      order: { net: "600.00", lines: [{ quantity: "1512", unitPrice: "396.825400" }] },
    });
    const refused = { verdict: "refuse", findings: [{ code: "token-other-terms" }] };
    expect(await packs(inPacks)).toMatchObject(refused);
    const singly = promise("BRICK", "3", null, "200.00");
    expect(await packs(singly, { unit: "PACK" })).toMatchObject(refused);
  });

  test("in a unit that the product does not have is refused whatever the price policy says", async () => {
    const bricks = root({ rules: [list("BRICK", "450.00")], promotions: [] });
    const line = { product: "BRICK", quantity: "3", unit: "PALLET", unitPrice: "1.00" };
    const { verdict, findings } = await ordered(
      bricks,
      { lines: [line] },
      { ...ORDER_SETTINGS.checks, price: "accept" },
    );
    expect(verdict).toBe("refuse");
    expect(findings).toContainEqual(expect.objectContaining({ code: "unit-unknown", line: 1 }));
  });

  test("of so many that no price comes to the agreed net says what comes off the line", async () => {
    const nails = root({
      rules: [list("SAND", "0.03")],
      promotions: [
        promotion("OFF", { value: "9.9999", lowers: "document", countsOver: "document" }),
      ],
    });
    const lines_ = [{ product: "SAND", quantity: "2500001.5", unitPrice: "0.03" }];
    const { answer } = await basketOf(nails, { lines: lines_ });
    const { order, findings } = await ordered(nails, { lines: lines_ });
    expect(findings).toEqual([]);
    expect(order.net).toBe(answer.totals?.net);
    const [line] = order.lines;
    if (line === undefined || generic === undefined) throw new Error("there is no line");
    expect(toldAmount(generic, line)).toBe(Number(integer(order.net, 2)));
    expect(integer(line.discount, 2)).toBeGreaterThan(0n);
  });
});
