/** Two books against each other: quick, and no other than pricing everything in both. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBooks } from "../../src/pricing/index.ts";
import {
  calendar,
  compileBook,
  priceLine,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import type { Policy, PriceBook, RuleRow } from "../../src/pricing/engine/index.ts";
import { MERCHANT, generic } from "../support/price-table.ts";

const ON = "2026-06-01";
const customer = fc.constantFrom<Pick<RuleRow, "customerScope" | "customerCode">>(
  { customerScope: "account", customerCode: "BUILD01" },
  { customerScope: "account", customerCode: "PLAIN01" },
  { customerScope: "customer-group", customerCode: "TRADE" },
  { customerScope: "price-list", customerCode: "L1" },
  { customerScope: "everyone", customerCode: null },
);
const product = fc.constantFrom<Pick<RuleRow, "productScope" | "productCode">>(
  { productScope: "product", productCode: "PLY" },
  { productScope: "product", productCode: "NAIL" },
  { productScope: "product-group", productCode: "SHEET" },
  { productScope: "product-group", productCode: "TIMBER" },
  { productScope: "everything", productCode: null },
);
const gives = fc.oneof(
  fc
    .constantFrom("4.00", "5.00", "6.00", "7.50")
    .map((value) => ({ kind: "fixed" as const, value })),
  fc.constantFrom("5", "10", "50").map((value) => ({ kind: "percent" as const, value })),
);
const breakAt = fc.record({
  fromQuantity: fc.constantFrom("0", "1", "0.5", "10", "12.25", "100"),
  toQuantity: fc.constantFrom(null, null, "9", "20"),
});
const rule = fc
  .tuple(customer, product, gives, breakAt, fc.boolean(), fc.constantFrom(null, null, "2026-06-02"))
  .map(([whom, what, offer, at, net, validFrom]) => ({
    ...whom,
    ...what,
    ...offer,
    ...at,
    net,
    validFrom,
    validTo: null,
    contract: null,
    currency: "GBP",
    unit: null,
    contractQuantity: null,
  }));

type Drawn = Omit<RuleRow, "rule">;
/** Rules as they are and as they are to be; null: not there. */
const change = fc.record({
  before: fc.option(rule, { freq: 3 }),
  after: fc.option(rule, { freq: 3 }),
});
const changes = fc.record({
  stays: fc.array(rule, { maxLength: 6 }),
  moves: fc.array(change, { minLength: 1, maxLength: 4 }),
});

function bookOf(policy: Policy, rules: readonly (Drawn | null)[]): PriceBook {
  const rows = rules.flatMap((row, at) => (row === null ? [] : [{ ...row, rule: `R${at}` }]));
  return compileBook(policy, { ...MERCHANT, rules: rows, promotions: [], quotations: [] });
}

/** Around every break that there is, and far above. */
const QUANTITIES = [
  "0.00001", "0.49999", "0.5", "0.99999", "1", "9", "9.00001", "9.99999", "10", "11", "12.24999",
  "12.25", "20", "20.00001", "99.99999", "100", "110", "120", "112.25", "500",
]; // prettier-ignore

function priceOf(book: PriceBook, account: string, code: string, quantity: number): number | null {
  const enquiry = startEnquiry(book, {
    account: book.accounts.numbers.get(account) ?? -1,
    site: -1,
    branch: -1,
    moment: calendar.startOfDay(ON, MERCHANT.timeZone),
    quotation: -1,
    currency: -1,
    conditions: null,
  });
  const found = priceLine(enquiry, book.products.numbers.get(code) ?? -1, quantity);
  return found.doubt !== null || found.price < 0 ? null : found.price;
}

/** Every customer, product and quantity in both. */
function byForce(before: PriceBook, after: PriceBook): string[] {
  const changed: string[] = [];
  for (const account of before.accounts.codes)
    for (const code of before.products.codes) {
      const moves = QUANTITIES.map((text) => scaled.scaledOf(text, 5) ?? 0).some(
        (quantity) =>
          priceOf(before, account, code, quantity) !== priceOf(after, account, code, quantity),
      );
      if (moves) changed.push(`${account} ${code}`);
    }
  return changed;
}

test.each([
  { name: "all units", policy: generic },
  { name: "band by band", policy: { ...generic, breaks: "incremental" as const } },
])(
  "customers, products and pairs are those that pricing everything in both books finds, where breaks count for $name",
  ({ policy }) => {
    fc.assert(
      fc.property(changes, ({ stays, moves }) => {
        const before = bookOf(policy, [...stays, ...moves.map((move) => move.before)]);
        const after = bookOf(policy, [...stays, ...moves.map((move) => move.after)]);
        const places = moves.flatMap((move) =>
          [move.before, move.after].filter((side) => side !== null),
        );
        const found = compareBooks(before, after, {
          onBefore: ON,
          onAfter: ON,
          places,
          most: 1_000,
        });
        const forced = byForce(before, after);
        const parts = (at: 0 | 1) => new Set(forced.map((pair) => pair.split(" ")[at])).size;
        expect({
          pairs: found.pairs,
          customers: found.customers,
          products: found.products,
          sum: found.up + found.down + found.otherwise,
        }).toEqual({
          pairs: forced.length,
          customers: parts(0),
          products: parts(1),
          sum: forced.length,
        });
        expect(found.whole).toBe(true);
        for (const { account, product: code, quantity, before: was, after: is } of found.changes) {
          const units = scaled.scaledOf(quantity, 5) ?? 0;
          const text = (price: number | null) =>
            price === null ? null : scaled.textOf(price, policy.arithmetic.unitPrice.scale);
          expect(text(priceOf(before, account, code, units))).toBe(was);
          expect(text(priceOf(after, account, code, units))).toBe(is);
        }
      }),
      { numRuns: 200 },
    );
  },
);

test("where more is touched than is to be looked at the comparison says that it is not whole", () => {
  const rise = (value: string): Drawn => ({
    customerScope: "everyone",
    customerCode: null,
    productScope: "everything",
    productCode: null,
    kind: "fixed",
    value,
    fromQuantity: "0",
    validFrom: null,
    validTo: null,
    net: false,
    contract: null,
    currency: "GBP",
    unit: null,
    contractQuantity: null,
  });
  const [before, after] = [bookOf(generic, [rise("4.00")]), bookOf(generic, [rise("5.00")])];
  const options = { onBefore: ON, onAfter: ON, places: [rise("5.00")], most: 1 };
  expect(compareBooks(before, after, options)).toMatchObject({
    whole: true,
    changes: [{ before: "4.0000", after: "5.0000", percent: "25.00" }],
  });
  expect(compareBooks(before, after, { ...options, mostPriced: 1 })).toMatchObject({
    whole: false,
    products: 1,
  });
});
