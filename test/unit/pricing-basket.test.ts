/** Promotions over a basket, in tables that a finance person can check. */
import { describe, expect, it } from "vitest";
import { document } from "../../src/pricing/engine/index.ts";
import type { PromotionRow } from "../../src/pricing/engine/index.ts";
import type {
  BasketInput,
  BasketPromotions,
  DocumentArithmetic,
} from "../../src/pricing/engine/document/index.ts";

const { applyPromotions, compilePromotions, reasonText } = document;

const PENNY = { scale: 2, mode: "half-away" } as const;
const ARITHMETIC: DocumentArithmetic = {
  unitPrice: { scale: 4, mode: "half-away" },
  discount: "unit",
  lineNet: PENNY,
  vat: { ...PENNY, per: "line" },
  prices: "exclusive",
  documentDiscount: "largest-remainder",
  gross: "sum",
};

function row(promotion: string, fields: Partial<PromotionRow>): PromotionRow {
  const on = fields.productCode;
  return {
    promotion,
    customerScope: "everyone",
    customerCode: "*",
    productScope:
      on === undefined ? "everything" : on.startsWith("G-") ? "product-group" : "product",
    productCode: on ?? "*",
    kind: "percent",
    value: null,
    buyQuantity: null,
    thresholdValue: null,
    code: null,
    validFrom: "2026-01-01",
    validTo: "2026-12-31",
    ...fields,
  };
}

/** "BRICK 10 × 0.85 of G-BRICKS (net price)" */
function line(text: string): BasketInput["lines"][number] {
  const [, product = "", quantity = "", price = "", , group, , closed] =
    /^(\S+) ([\d.]+) × ([\d.]+)( of (\S+))?( \((.*)\))?$/.exec(text) ?? [];
  return {
    product,
    groups: group === undefined ? [] : [group],
    quantity: Math.round(Number(quantity) * 1e5),
    perPricingUnit: 100_000,
    amount: Math.round(Number(quantity) * Number(price) * 100),
    closed: closed ?? null,
    promotion: null,
  };
}

const NOON = Date.parse("2026-03-31T12:00:00Z");

function basketOf(lines: string[], more: Partial<BasketInput> = {}): BasketInput {
  return {
    lines: lines.map(line),
    customer: { account: ["BUILD01"], "customer-group": ["TRADE"] },
    moment: NOON,
    codes: [],
    uses: new Map(),
    worth: new Map([["GLOVES", 2_500_000]]),
    ...more,
  };
}

function put(rows: PromotionRow[], lines: string[], more: Partial<BasketInput> = {}) {
  const set = compilePromotions(rows, { arithmetic: ARITHMETIC, timeZone: "Europe/London" });
  return applyPromotions(set, basketOf(lines, more));
}

/** "SPRING 3.00 on 1.00+2.00; not TWO: needs 3 more" */
function told({ applied, notApplied, lowered }: BasketPromotions): string {
  const money = (amount: number) => (amount / 100).toFixed(2);
  const off = lowered.map(money).join("+");
  return [
    ...applied.map(
      ({ promotion, saving, free }) =>
        `${promotion.promotion} ${money(saving)}` +
        free.map(({ product, quantity }) => ` gives ${quantity / 1e5} ${product}`).join(""),
    ),
    ...notApplied.map(
      ({ promotion, why }) => `not ${promotion.promotion}: ${reasonText(why, 2, "GBP")}`,
    ),
    `= ${off}`,
  ].join("; ");
}

const THREE_FOR_TEN = { kind: "multi-buy", buyQuantity: "3", value: "10" } as const;

describe("what each kind takes off a basket", () => {
  it.each<[string, PromotionRow[], string[], string]>([
    [
      "3 for £10 on a line",
      [row("M", { ...THREE_FOR_TEN, productCode: "A" })],
      ["A 7 × 4.00"],
      "M 4.00; = 4.00",
    ],
    [
      "3 for £10, two short",
      [row("M", { ...THREE_FOR_TEN, productCode: "A" })],
      ["A 1 × 4.00"],
      "not M: needs 2 more; = 0.00",
    ],
    [
      "3 for £10 over all lines of the product",
      [row("M", { ...THREE_FOR_TEN, productCode: "A", countsOver: "product" })],
      ["A 2 × 4.00", "A 1 × 4.00"],
      "M 2.00; = 1.33+0.67",
    ],
    [
      "3 for £10 mixed within a group: the dearest are in the set",
      [row("M", { ...THREE_FOR_TEN, productCode: "G-X", countsOver: "group" })],
      ["A 2 × 4.00 of G-X", "B 2 × 5.00 of G-X"],
      "M 4.00; = 1.14+2.86",
    ],
    [
      "mixed over products named one by one",
      [
        row("M", { ...THREE_FOR_TEN, productCode: "A", countsOver: "group" }),
        row("M", { ...THREE_FOR_TEN, productCode: "B", countsOver: "group" }),
      ],
      ["A 2 × 4.00", "B 1 × 4.00"],
      "M 2.00; = 1.33+0.67",
    ],
    [
      "a set that would cost more is not made",
      [row("M", { ...THREE_FOR_TEN, productCode: "A" })],
      ["A 3 × 3.00"],
      "not M: it would save nothing here; = 0.00",
    ],
    [
      "buy 2 get 1 free",
      [row("B", { kind: "buy-get", buyQuantity: "2", freeQuantity: "1", productCode: "A" })],
      ["A 7 × 4.00"],
      "B 8.00; = 8.00",
    ],
    [
      "buy 2 get 1 free of a group: the cheapest is",
      [
        row("B", {
          kind: "buy-get",
          buyQuantity: "2",
          freeQuantity: "1",
          productCode: "G-X",
          countsOver: "group",
        }),
      ],
      ["A 2 × 4.00 of G-X", "B 1 × 3.00 of G-X"],
      "B 3.00; = 0.00+3.00",
    ],
    [
      "buy 1 get 1 half price",
      [
        row("B", {
          kind: "buy-get",
          buyQuantity: "1",
          freeQuantity: "1",
          value: "50",
          productCode: "A",
        }),
      ],
      ["A 2 × 4.00"],
      "B 2.00; = 2.00",
    ],
    [
      "buy 10 A get 2 B at 25% off",
      [
        row("B", {
          kind: "buy-get",
          buyQuantity: "10",
          freeQuantity: "2",
          freeProduct: "B",
          value: "25",
          productCode: "A",
        }),
      ],
      ["A 10 × 1.00", "B 5 × 8.00"],
      "B 4.00; = 0.00+4.00",
    ],
    [
      "two lines of A share what they get",
      [
        row("B", {
          kind: "buy-get",
          buyQuantity: "10",
          freeQuantity: "1",
          freeProduct: "B",
          productCode: "A",
        }),
      ],
      ["A 10 × 1.00", "A 10 × 1.00", "B 1 × 8.00"],
      "B 8.00; = 0.00+0.00+8.00",
    ],
    [
      "the other product is not in the basket",
      [
        row("B", {
          kind: "buy-get",
          buyQuantity: "10",
          freeQuantity: "2",
          freeProduct: "B",
          value: "25",
          productCode: "A",
        }),
      ],
      ["A 10 × 1.00"],
      "not B: needs 2 more of B; = 0.00",
    ],
    [
      "a bundle of A and 2 B for £9",
      [
        row("K", { kind: "bundle", value: "9", productCode: "A" }),
        row("K", { kind: "bundle", value: "9", buyQuantity: "2", productCode: "B" }),
      ],
      ["A 1 × 5.00", "B 3 × 3.00"],
      "K 2.00; = 0.91+1.09",
    ],
    [
      "a part of the bundle is missing",
      [
        row("K", { kind: "bundle", value: "9", productCode: "A" }),
        row("K", { kind: "bundle", value: "9", buyQuantity: "2", productCode: "B" }),
      ],
      ["A 1 × 5.00", "B 1 × 3.00"],
      "not K: needs 1 more of B; = 0.00+0.00",
    ],
    [
      "buy 10 get a pair of gloves",
      [
        row("F", {
          kind: "free-goods",
          buyQuantity: "10",
          freeQuantity: "1",
          freeProduct: "GLOVES",
          productCode: "A",
        }),
      ],
      ["A 25 × 1.00"],
      "F 5.00 gives 2 GLOVES; = 0.00",
    ],
    [
      "12 for 10 of the same",
      [row("F", { kind: "free-goods", buyQuantity: "10", freeQuantity: "2", productCode: "A" })],
      ["A 10 × 1.00"],
      "F 2.00 gives 2 A; = 0.00",
    ],
    [
      "goods once, from five units in the order",
      [
        row("F", {
          kind: "free-goods",
          buyQuantity: "5",
          freeQuantity: "1",
          freeProduct: "GLOVES",
          value: "1",
          countsOver: "document",
          mostPerOrder: 1,
        }),
      ],
      ["A 2 × 1.00", "B 9 × 1.00"],
      "F 1.50 gives 1 GLOVES; = 0.00+0.00",
    ],
    [
      "five units, two ordered",
      [
        row("F", {
          kind: "free-goods",
          buyQuantity: "5",
          freeQuantity: "1",
          freeProduct: "GLOVES",
          countsOver: "document",
        }),
      ],
      ["A 2 × 1.00"],
      "not F: needs 3 more; = 0.00",
    ],
    [
      "5% from £100 of a group",
      [
        row("T", {
          kind: "threshold",
          value: "5",
          thresholdValue: "100",
          productCode: "G-X",
          countsOver: "group",
        }),
      ],
      ["A 10 × 6.00 of G-X", "B 10 × 4.00 of G-X", "C 1 × 50.00"],
      "T 5.00; = 3.00+2.00+0.00",
    ],
    [
      "£12.50 short of it",
      [
        row("T", {
          kind: "threshold",
          value: "5",
          thresholdValue: "100",
          productCode: "G-X",
          countsOver: "group",
        }),
      ],
      ["A 1 × 87.50 of G-X", "C 1 × 50.00"],
      "not T: needs £12.50 more; = 0.00+0.00",
    ],
    [
      "£10 off the order from £50",
      [
        row("T", {
          kind: "amount",
          value: "10",
          thresholdValue: "50",
          countsOver: "document",
          lowers: "document",
        }),
      ],
      ["A 1 × 20.00", "B 1 × 10.00", "C 1 × 30.00"],
      "T 10.00; = 3.33+1.67+5.00",
    ],
    [
      "a fixed total of the order",
      [
        row("T", {
          kind: "fixed",
          value: "4.20",
          thresholdValue: "10",
          countsOver: "document",
          lowers: "document",
        }),
      ],
      ["A 2 × 5.00"],
      "T 5.80; = 5.80",
    ],
    [
      "10% off a line from its quantity, with a code",
      [row("C", { value: "10", buyQuantity: "5", code: "TEN", productCode: "A" })],
      ["A 4 × 1.00"],
      "not C: its code was not given; = 0.00",
    ],
    [
      "a price from a code",
      [row("C", { kind: "fixed", value: "0.75", stacks: true, productCode: "A" })],
      ["A 4 × 1.00"],
      "C 1.00; = 1.00",
    ],
    [
      "an amount off each unit",
      [row("C", { kind: "amount", value: "0.25", stacks: true, productCode: "A" })],
      ["A 4 × 1.00"],
      "C 1.00; = 1.00",
    ],
    [
      "a line with a net price stays",
      [row("C", { value: "10", stacks: true, productCode: "A" })],
      ["A 4 × 1.00 (a net price)"],
      "not C: its goods have a net price; = 0.00",
    ],
    [
      "a promotion for another group",
      [
        row("C", {
          value: "10",
          stacks: true,
          customerScope: "customer-group",
          customerCode: "RETAIL",
        }),
      ],
      ["A 4 × 1.00"],
      "= 0.00",
    ],
    [
      "a promotion for the customer's group",
      [
        row("C", {
          value: "10",
          stacks: true,
          customerScope: "customer-group",
          customerCode: "TRADE",
        }),
      ],
      ["A 4 × 1.00"],
      "C 0.40; = 0.40",
    ],
    [
      "the more particular row of a promotion",
      [
        row("C", { value: "10", stacks: true, productCode: "G-X" }),
        row("C", { value: "25", stacks: true, productCode: "A" }),
      ],
      ["A 4 × 1.00 of G-X", "B 4 × 1.00 of G-X"],
      "C 1.40; = 1.00+0.40",
    ],
  ])("%s", (_, rows, lines, expected) => {
    expect(told(put(rows, lines))).toBe(expected);
  });
});

const ten = (promotion: string, fields: Partial<PromotionRow> = {}) =>
  row(promotion, { value: "10", countsOver: "product", productCode: "A", ...fields });

describe("promotions that meet on the same goods", () => {
  it.each<[string, PromotionRow[], string]>([
    [
      "the better one holds",
      [ten("X"), ten("Y", { value: "20" })],
      "Y 20.00; not X: its goods are in Y, and it does not stack; = 20.00",
    ],
    [
      "the higher priority comes first",
      [ten("X", { priority: 5 }), ten("Y", { value: "20" })],
      "X 10.00; not Y: its goods are in X, and it does not stack; = 10.00",
    ],
    [
      "one that stacks comes on top, of what is left",
      [ten("X"), ten("Y", { value: "20", stacks: true })],
      "X 10.00; Y 18.00; = 28.00",
    ],
    [
      "of an exclusive group the best holds",
      [
        ten("X", { exclusiveGroup: "E" }),
        ten("Y", { value: "20", exclusiveGroup: "E", stacks: true }),
      ],
      "Y 20.00; not X: Y of the same group (E) is better; = 20.00",
    ],
    [
      "an exclusive group beside one that stacks",
      [
        ten("X", { exclusiveGroup: "E" }),
        ten("Y", { value: "20", exclusiveGroup: "E" }),
        ten("Z", { stacks: true }),
      ],
      "Y 20.00; Z 8.00; not X: Y of the same group (E) is better; = 28.00",
    ],
    [
      "an exclusive group of which one stacks does not come before a better one outside it",
      [
        ten("EX1", { exclusiveGroup: "E" }),
        ten("EX2", { kind: "amount", value: "2", stacks: true, exclusiveGroup: "E" }),
        ten("ONCE", { value: "50" }),
      ],
      "ONCE 50.00; EX2 20.00; not EX1: EX2 of the same group (E) is better; = 70.00",
    ],
    [
      "one of a group that holds on nothing leaves the other in its place",
      [
        ten("X", { exclusiveGroup: "E" }),
        ten("Y", { value: "90", buyQuantity: "11", exclusiveGroup: "E" }),
      ],
      "X 10.00; not Y: needs 1 more; = 10.00",
    ],
    [
      "a document discount comes after the lines",
      [ten("X", { lowers: "document", stacks: true, priority: 9 }), ten("Y", { value: "20" })],
      "Y 20.00; X 8.00; = 28.00",
    ],
  ])("%s", (_, rows, expected) => {
    expect(told(put(rows, ["A 10 × 10.00"]))).toBe(expected);
    expect(told(put(rows.toReversed(), ["A 10 × 10.00"]))).toBe(expected);
  });

  it("leaves alone a line whose price is a promotion already, unless it stacks", () => {
    const lines = [{ ...line("A 10 × 10.00"), promotion: "SPRING" }];
    expect(told(put([ten("X")], [], { lines }))).toBe(
      "not X: its goods are in SPRING, and it does not stack; = 0.00",
    );
    expect(told(put([ten("X", { stacks: true })], [], { lines }))).toBe("X 10.00; = 10.00");
  });
});

describe("what is left of a line's price", () => {
  const priced = (arithmetic: DocumentArithmetic, discountPercent: number) => {
    const inDocument = {
      price: 15_000_000,
      quantity: 100_000,
      perPricingUnit: 100_000,
      discountPercent,
      vatRate: 200_000,
    };
    const [own] = document.computeDocument({ arithmetic, lines: [inDocument] }).lines;
    const { full = 0, discount = 0 } = own ?? {};
    const exact = document.exactOf(inDocument, arithmetic);
    return { ...line("A 1 × 15.00"), amount: full - discount, exact };
  };
  const modes: DocumentArithmetic["discount"][] = ["unit", "line", "difference"];

  it.each(modes)("is rounded once, from the exact price, with discount: %s", (discount) => {
    const arithmetic = { ...ARITHMETIC, discount };
    const half = row("HALF", { value: "50", stacks: true });
    const set = compilePromotions([half], { arithmetic, timeZone: "Europe/London" });
    const lines = [priced(arithmetic, 125_000)];
    const { lowered } = applyPromotions(set, basketOf([], { lines }));
    // £15 less 12.5% is 13.125, half of it 6.5625; the discount 8.4375.
    expect((lines[0]?.amount ?? 0) - (lowered[0] ?? 0)).toBe(656);
  });

  it("stays exact through percents and amounts off a unit", () => {
    const lines = [priced(ARITHMETIC, 125_000)];
    const rows = [
      row("HALF", { value: "50", stacks: true, priority: 2 }),
      row("PENCE", { kind: "amount", value: "0.0625", stacks: true, priority: 1 }),
    ];
    expect(told(put(rows, [], { lines }))).toBe("HALF 6.57; PENCE 0.06; = 6.63");
  });
});

describe("goods that are not free for a promotion", () => {
  it("are not counted, and what they are in is said", () => {
    const give = row("T5B", {
      kind: "buy-get",
      buyQuantity: "4",
      freeQuantity: "2",
      freeProduct: "B",
      productCode: "A",
    });
    const holds = row("T4A", { value: "50", productCode: "B", countsOver: "product" });
    expect(told(put([holds, give], ["A 4 × 1.00", "B 5 × 8.00"]))).toBe(
      "T4A 20.00; not T5B: needs 2 more of B; 5 in the basket are in T4A; = 0.00+20.00",
    );
    const three = row("M", { ...THREE_FOR_TEN, productCode: "G-X", countsOver: "group" });
    const lines = ["A 1 × 4.00 of G-X", "B 1 × 8.00 of G-X (a net price)"];
    expect(told(put([three], lines))).toBe(
      "not M: needs 2 more; 1 in the basket is at a net price; = 0.00+0.00",
    );
  });
});

describe("limits", () => {
  const used = (orders: number, ofAccount: number, given: number) => ({
    uses: new Map([["X", { orders, ofAccount, given }]]),
  });
  it.each<[string, Partial<PromotionRow>, Partial<BasketInput>, string]>([
    ["its last use", { mostUses: 3 }, used(2, 0, 0), "X 10.00; = 10.00"],
    [
      "used up",
      { mostUses: 3 },
      used(3, 0, 0),
      "not X: it may be used in 3 orders, and has been; = 0.00",
    ],
    [
      "used up by the account",
      { mostUsesPerAccount: 1 },
      used(3, 1, 0),
      "not X: the account may use it in 1 order, and has; = 0.00",
    ],
    ["the budget leaves a part", { budget: "100" }, used(9, 1, 9_600), "X 4.00; = 4.00"],
    [
      "the budget is used up",
      { budget: "100" },
      used(9, 1, 10_000),
      "not X: its budget is used up; = 0.00",
    ],
    ["the code given", { code: "TEN" }, { codes: [" ten "] }, "X 10.00; = 10.00"],
    ["before it starts", { startsAt: "2026-03-31T12:00:01Z" }, {}, "= 0.00"],
    [
      "at the moment at which it starts",
      { startsAt: "2026-03-31T12:00:00Z" },
      {},
      "X 10.00; = 10.00",
    ],
    ["at the moment at which it ends", { endsAt: "2026-03-31T12:00:00Z" }, {}, "= 0.00"],
    ["on its last day", { validTo: "2026-03-31" }, {}, "X 10.00; = 10.00"],
    ["on the day after", { validTo: "2026-03-30" }, {}, "= 0.00"],
  ])("%s", (_, fields, more, expected) => {
    expect(told(put([ten("X", fields)], ["A 10 × 10.00"], more))).toBe(expected);
  });

  it("holds at most so many times in one order, where it saves most", () => {
    const rows = [row("M", { ...THREE_FOR_TEN, mostPerOrder: 2 })];
    expect(told(put(rows, ["A 6 × 4.00", "B 3 × 9.00"]))).toBe("M 19.00; = 2.00+17.00");
  });

  it("says what the budget did not leave to give", () => {
    const uses = new Map([["X", { orders: 9, ofAccount: 1, given: 9_600 }]]);
    const { applied } = put([ten("X", { budget: "100" })], ["A 10 × 10.00"], { uses });
    expect(applied).toMatchObject([{ saving: 400, cut: 600 }]);
    expect(put([ten("X", { budget: "100" })], ["A 10 × 10.00"]).applied[0]?.cut).toBe(0);
  });

  it("gives goods whole or not at all when the budget is short", () => {
    const rows = [
      row("F", {
        kind: "free-goods",
        buyQuantity: "5",
        freeQuantity: "1",
        freeProduct: "GLOVES",
        budget: "2",
      }),
    ];
    expect(told(put(rows, ["A 5 × 1.00"]))).toBe("not F: its budget is used up; = 0.00");
  });

  it("names codes that no promotion has", () => {
    expect(
      put([ten("X", { code: "TEN" })], ["A 1 × 1.00"], { codes: ["TEN", "ELEVEN"] }).unknownCodes,
    ).toEqual(["ELEVEN"]);
  });

  it("says when the next promotion starts or stops", () => {
    const { until } = put([ten("X", { endsAt: "2026-04-01T09:00:00Z" })], ["A 1 × 1.00"]);
    expect(new Date(until).toISOString()).toBe("2026-04-01T09:00:00.000Z");
  });
});
