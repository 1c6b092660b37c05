/** What must hold of every basket and document, whatever is in it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { document } from "../../src/pricing/engine/index.ts";
import type { PromotionRow } from "../../src/pricing/engine/index.ts";

const { applyPromotions, compilePromotions, computeDocument } = document;
const RUNS = { numRuns: 400 };

const rounding = fc.record({
  scale: fc.constantFrom(2, 2, 2, 3, 0),
  mode: fc.constantFrom("half-away", "half-even", "half-up", "down", "up"),
} as const);
const arithmetic: fc.Arbitrary<document.DocumentArithmetic> = fc.record({
  unitPrice: fc.record({
    scale: fc.integer({ min: 2, max: 6 }),
    mode: fc.constantFrom("half-away", "half-even"),
  } as const),
  discount: fc.constantFrom("unit", "line", "difference"),
  lineNet: rounding,
  vat: fc
    .tuple(rounding, fc.constantFrom("line", "rate"))
    .map(([round, per]) => ({ ...round, per }) as const),
  prices: fc.constantFrom("exclusive", "inclusive"),
  documentDiscount: fc.constantFrom("largest-remainder", "proportional"),
  gross: fc.constant("sum"),
} as const);

const documentLine = fc.record({
  price: fc.oneof(
    fc.integer({ min: 0, max: 30 }).map((pence) => pence * 10_000),
    fc.integer({ min: 0, max: 9_999_999_000_000 }),
  ),
  quantity: fc.oneof(
    fc.integer({ min: 1, max: 20 }).map((units) => units * 100_000),
    fc.integer({ min: 1, max: 900_000_000 }),
  ),
  perPricingUnit: fc.constantFrom(100_000, 1_000_000, 100_000_000),
  discountPercent: fc.constantFrom(0, 0, 25_000, 150_000, 333_333, 1_000_000, -50_000),
  vatRate: fc.constantFrom(0, 50_000, 55_000, 200_000),
});
const discount: fc.Arbitrary<document.DocumentDiscount> = fc.oneof(
  fc.record({
    kind: fc.constant("percent"),
    percent: fc.integer({ min: -990_000, max: 1_000_000 }),
  } as const),
  fc.record({ kind: fc.constant("amount"), amount: fc.integer({ min: 0, max: 100_000 }) } as const),
  fc.record({
    kind: fc.constant("total"),
    amount: fc.integer({ min: 0, max: 100_000 }),
    from: fc.integer({ min: 0, max: 10_000 }),
  } as const),
);
const charge = fc.record({
  amount: fc.integer({ min: -5000, max: 5000 }),
  vatRate: fc.constantFrom(0, 200_000),
});
/** Amounts are integers whatever the places of the document. */
const input: fc.Arbitrary<document.DocumentInput> = fc.record({
  arithmetic,
  lines: fc.array(documentLine, { maxLength: 8 }),
  discounts: fc.array(discount, { maxLength: 2 }),
  charges: fc.array(charge, { maxLength: 2 }),
});

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
/** Amounts at the line's places, so that nothing given is finer than what can be spread. */
const coarse = (given: document.DocumentInput): document.DocumentInput => {
  const { lineNet, vat } = given.arithmetic;
  const unit = 10 ** Math.max(0, vat.scale - lineNet.scale);
  return {
    ...given,
    discounts: (given.discounts ?? []).map((each) =>
      each.kind === "percent" ? each : { ...each, amount: each.amount * unit },
    ),
    charges: (given.charges ?? []).map((each) => ({ ...each, amount: each.amount * unit })),
  };
};

test("nothing is lost: what comes off the document is what comes off its lines, to the last unit", () => {
  fc.assert(
    fc.property(input, (given) => {
      const totals = computeDocument(coarse(given));
      expect(sum(totals.lines.map((line) => line.documentDiscount))).toBe(sum(totals.discounts));
      for (const line of totals.lines)
        expect(line.full - line.discount - line.lowered - line.documentDiscount).toBe(
          given.arithmetic.prices === "inclusive" ? line.gross : line.net,
        );
      expect(totals.gross).toBe(totals.net + totals.vat);
      expect(sum(totals.rates.map((rate) => rate.net))).toBe(totals.net);
    }),
    RUNS,
  );
});

test("the order of lines makes no difference to the document, nor to what a line comes to", () => {
  fc.assert(
    fc.property(input, fc.infiniteStream(fc.nat()), (given, picks) => {
      const plain = coarse(given);
      const order = [...plain.lines.keys()]
        .map((line) => [picks.next().value as number, line] as const)
        .sort((a, b) => a[0] - b[0])
        .map(([, line]) => line);
      const straight = computeDocument(plain);
      const shuffled = computeDocument({
        ...plain,
        lines: order.flatMap((line) => plain.lines[line] ?? []),
      });
      expect({ ...shuffled, lines: [] }).toEqual({ ...straight, lines: [] });
      const told = (lines: document.DocumentTotals["lines"]) =>
        lines.map((line) => JSON.stringify(line)).sort();
      expect(told(shuffled.lines)).toEqual(told(straight.lines));
    }),
    RUNS,
  );
});

test("a credit note mirrors its invoice", () => {
  fc.assert(
    fc.property(input, (given) => {
      const invoice = computeDocument(coarse(given));
      const credit = computeDocument({ ...coarse(given), credit: true });
      for (const name of ["goods", "net", "vat", "gross"] as const)
        expect(credit[name] + invoice[name]).toBe(0);
      credit.lines.forEach((line, index) => {
        expect(line.net + (invoice.lines[index]?.net ?? Number.NaN)).toBe(0);
        expect(line.price).toBe(invoice.lines[index]?.price);
      });
    }),
    RUNS,
  );
});

test("prices with VAT and the same prices without it come to the same document where nothing is rounded", () => {
  const whole = fc.record({
    pounds: fc.integer({ min: 0, max: 100_000 }),
    units: fc.integer({ min: 1, max: 100 }),
    vatRate: fc.constantFrom(0, 50_000, 200_000),
  });
  fc.assert(
    fc.property(arithmetic, fc.array(whole, { maxLength: 6 }), (how, lines) => {
      const documentOf = (prices: "exclusive" | "inclusive") =>
        computeDocument({
          arithmetic: {
            ...how,
            prices,
            lineNet: { ...how.lineNet, scale: 2 },
            vat: { ...how.vat, scale: 2 },
          },
          lines: lines.map(({ pounds, units, vatRate }) => ({
            price:
              prices === "exclusive"
                ? pounds * 1_000_000
                : (pounds * 1_000_000 * (1_000_000 + vatRate)) / 1_000_000,
            quantity: units * 100_000,
            perPricingUnit: 100_000,
            vatRate,
          })),
        });
      const { net, vat, gross, rates } = documentOf("exclusive");
      expect(documentOf("inclusive")).toMatchObject({ net, vat, gross, rates });
    }),
    RUNS,
  );
});

const basketLine = fc.record({
  product: fc.constantFrom("A", "B", "C", "D"),
  groups: fc.constantFrom<readonly string[]>([], ["X"], ["X", "Y"]),
  quantity: fc.oneof(
    fc.integer({ min: 1, max: 12 }).map((units) => units * 100_000),
    fc.integer({ min: 1, max: 5_000_000 }),
  ),
  perPricingUnit: fc.constant(100_000),
  amount: fc.integer({ min: 0, max: 20_000 }),
  closed: fc.constantFrom(null, null, null, "a net price"),
  promotion: fc.constantFrom(null, null, null, "OLD"),
});
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const promotionRow: fc.Arbitrary<PromotionRow> = fc
  .record({
    promotion: fc.constantFrom("P1", "P2", "P3", "P4", "P5"),
    place: fc.constantFrom<Pick<PromotionRow, "productScope" | "productCode">>(
      { productScope: "everything", productCode: "*" },
      { productScope: "product", productCode: "A" },
      { productScope: "product", productCode: "B" },
      { productScope: "product-group", productCode: "X" },
    ),
    kind: fc.constantFrom(
      "percent",
      "amount",
      "fixed",
      "multi-buy",
      "buy-get",
      "bundle",
      "free-goods",
      "threshold",
    ),
    value: fc.constantFrom("0.5", "3", "10", "50"),
    buyQuantity: fc.constantFrom(null, "1", "2", "3"),
    freeQuantity: fc.constantFrom("1", "2"),
    freeProduct: maybe(fc.constantFrom("A", "B", "Z")),
    thresholdValue: maybe(fc.constantFrom("5", "100")),
    countsOver: fc.constantFrom("line", "product", "group", "document"),
    lowers: fc.constantFrom("line", "document"),
    stacks: fc.boolean(),
    exclusiveGroup: maybe(fc.constantFrom("E", "F")),
    priority: maybe(fc.integer({ min: 0, max: 2 })),
    mostPerOrder: maybe(fc.integer({ min: 1, max: 3 })),
    budget: maybe(fc.constantFrom("1", "25")),
  } as const)
  .map(({ place, ...fields }) => ({
    customerScope: "everyone",
    customerCode: "*",
    code: null,
    validFrom: "2026-01-01",
    validTo: "2026-12-31",
    ...place,
    ...fields,
    buyQuantity: fields.buyQuantity ?? (SETS.has(fields.kind) ? "1" : null),
  }));
const SETS: ReadonlySet<string> = new Set(["multi-buy", "buy-get"]);
/** One row a key, as the table holds them. */
const rows = fc.uniqueArray(promotionRow, {
  maxLength: 8,
  selector: ({ promotion, productScope, productCode }) =>
    [promotion, productScope, productCode].join(),
});

function put(promotions: readonly PromotionRow[], lines: readonly document.BasketLine[]) {
  const set = compilePromotions(promotions, {
    arithmetic: {
      unitPrice: { scale: 4, mode: "half-away" },
      discount: "unit",
      lineNet: { scale: 2, mode: "half-away" },
      vat: { scale: 2, mode: "half-away", per: "line" },
      prices: "exclusive",
      documentDiscount: "largest-remainder",
      gross: "sum",
    },
    timeZone: "Europe/London",
  });
  return applyPromotions(set, {
    lines,
    customer: {},
    moment: Date.parse("2026-06-01T12:00:00Z"),
    codes: [],
    uses: new Map([["P1", { orders: 1, ofAccount: 1, given: 50 }]]),
    worth: new Map([["Z", 1_500_000]]),
  });
}

test("promotions take off lines what they say, never more than a line costs, and no closed line", () => {
  fc.assert(
    fc.property(rows, fc.array(basketLine, { maxLength: 6 }), (promotions, lines) => {
      const { applied, lowered } = put(promotions, lines);
      const falls = lines.map(() => 0);
      for (const { falls: each, saving, free, promotion, times } of applied) {
        for (const { line, amount } of each) falls[line] = (falls[line] ?? 0) + amount;
        const given = sum(free.map(({ worth }) => worth ?? 0));
        expect(sum(each.map(({ amount }) => amount)) + given).toBe(saving);
        expect(saving).toBeLessThanOrEqual(promotion.budget);
        expect(times).toBeLessThanOrEqual(promotion.mostPerOrder);
      }
      expect(falls).toEqual(lowered);
      lines.forEach((line, index) => {
        expect(lowered[index]).toBeGreaterThanOrEqual(0);
        expect(lowered[index]).toBeLessThanOrEqual(line.amount);
        if (line.closed !== null) expect(lowered[index]).toBe(0);
      });
    }),
    RUNS,
  );
});

test("neither the order of lines nor that of promotions makes a difference", () => {
  fc.assert(
    fc.property(
      rows,
      fc.array(basketLine, { maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      (promotions, lines, picks) => {
        const shuffled = <T>(of: readonly T[]): T[] =>
          of
            .map((each) => [picks.next().value as number, each] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, each]) => each);
        const straight = put(promotions, lines);
        const order = shuffled([...lines.keys()]);
        const turned = put(
          shuffled(promotions),
          order.flatMap((line) => lines[line] ?? []),
        );
        const told = (
          { applied, notApplied, lowered }: document.BasketPromotions,
          at: number[],
        ) => ({
          applied: applied.map(({ promotion, saving, free, times }) => [
            promotion.promotion,
            saving,
            times,
            free.map((each) => JSON.stringify(each)).sort(),
          ]),
          notApplied: notApplied.map(({ promotion, why }) => [promotion.promotion, why.reason]),
          lines: at.map((line, index) => JSON.stringify([lines[line], lowered[index]])).sort(),
        });
        expect(told(turned, order)).toEqual(told(straight, [...lines.keys()]));
      },
    ),
    RUNS,
  );
});

test("an exclusive group never makes the basket dearer than any of its members that holds makes it alone", () => {
  const saved = ({ applied }: document.BasketPromotions) =>
    sum(applied.map(({ saving }) => saving));
  const grouped = fc
    .uniqueArray(promotionRow, { maxLength: 5, selector: ({ promotion }) => promotion })
    .map((some) => some.map((each) => ({ ...each, budget: null })));
  fc.assert(
    fc.property(grouped, fc.array(basketLine, { maxLength: 5 }), (promotions, lines) => {
      const whole = put(promotions, lines);
      for (const group of ["E", "F"]) {
        const members = promotions.filter(({ exclusiveGroup }) => exclusiveGroup === group);
        const names = new Set(members.map(({ promotion }) => promotion));
        const held = whole.applied.filter(({ promotion }) => names.has(promotion.promotion));
        expect(held.length).toBeLessThanOrEqual(1);
        const others = promotions.filter((each) => !members.includes(each));
        for (const member of members)
          if (put([member], lines).applied.length > 0)
            expect(saved(whole)).toBeGreaterThanOrEqual(saved(put([...others, member], lines)));
        const [only] = members;
        if (only !== undefined && members.length === 1)
          expect(told(put([...others, { ...only, exclusiveGroup: null }], lines))).toEqual(
            told(whole),
          );
      }
    }),
    { numRuns: 600 },
  );
});

function told({ applied, lowered }: document.BasketPromotions) {
  return [applied.map(({ promotion, saving }) => [promotion.promotion, saving]), lowered];
}
