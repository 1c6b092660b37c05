import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  priceColumns,
  priceRequest,
  priceRows,
  quickPriceRequest,
} from "../../src/http/price-request.ts";

// Values that are right, nearly right, and wrong, so that both checks have something to disagree
// on.
const product = fc.oneof(
  { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 60 }) },
  fc.constantFrom<unknown>("", "x".repeat(61), null, 7),
);
const quantity = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 999_999_999 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 1, max: 99_999 }))
      .map(([whole, rest]) => `${whole}.${rest}`),
  },
  fc.constantFrom<unknown>(0, -1, 0.5, 1e9, 1e21, NaN, "0", "0.00000", "1.123456", "-1", "1e3"),
  fc.constantFrom<unknown>(
    "1,5",
    " 1",
    "1.",
    ".5",
    "",
    null,
    true,
    [1],
    "1234567890",
    "007",
    "1.50",
  ),
);
const head = fc.record(
  {
    account: fc.oneof(
      { weight: 9, arbitrary: fc.constant("A001") },
      fc.constantFrom<unknown>("", 1),
    ),
    site: fc.constantFrom<unknown>("S1", null, "", 5),
    branch: fc.constantFrom<unknown>("B1", null, "x".repeat(41)),
    asOf: fc.constantFrom<unknown>(
      "2026-03-31",
      "2026-03-31T08:00:00Z",
      null,
      "2026-02-30",
      "31/03/2026",
      20260331,
    ),
    knownAt: fc.constantFrom<unknown>("2026-03-31T08:00:00Z", null, "2026-03-31"),
    tokens: fc.constantFrom<unknown>(true, false, 1),
    currency: fc.constantFrom<unknown>("EUR", null, "eur", 5),
    conditions: fc.constantFrom<unknown>({ delivery: "collect" }, {}, { delivery: 1 }, null, []),
    explain: fc.constantFrom<unknown>(true, false, "yes"),
    extra: fc.constant<unknown>(1),
  },
  { requiredKeys: ["account"] },
);
const line = fc.oneof(
  { weight: 9, arbitrary: fc.record({ product, quantity }) },
  fc.record({ product, quantity, qty: fc.constant(1) }),
  fc.record({ product, quantity, unit: fc.constantFrom<unknown>("BOX", "", null, 7) }),
  fc.constantFrom<unknown>(null, [], "x", {}),
);
const lists = fc.oneof(
  fc.record({ lines: fc.oneof(fc.array(line, { maxLength: 3 }), fc.constant<unknown>("x")) }),
  fc
    .array(fc.tuple(product, quantity), { maxLength: 3 })
    .map((rows) => ({ product: rows.map(([name]) => name), quantity: rows.map(([, q]) => q) })),
  fc.record({
    product: fc.array(product, { maxLength: 3 }),
    quantity: fc.array(quantity, { maxLength: 3 }),
  }),
  fc.constantFrom<object>(
    { product: ["P"], quantity: [1], unit: ["BOX"] },
    { product: ["P"], quantity: [1], unit: [null] },
    { product: ["P"], quantity: [1], unit: null },
    { product: ["P"], quantity: [1], unit: ["BOX", null] },
    { product: ["P"], quantity: [1], unit: [] },
  ),
);
// A third of the requests is wholly right: both must accept, and give the same value.
const right = fc
  .array(
    fc.record({
      product: fc.string({ minLength: 1, maxLength: 60 }),
      quantity: fc.integer({ min: 1, max: 999 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((lines) => ({ account: "A001", lines }));
const request = fc.oneof(
  right,
  fc.tuple(head, lists).map(([first, second]) => ({ ...first, ...second })),
  fc.constantFrom<unknown>(null, [], "x", 7, {}),
);

describe("the quick check of a price request", () => {
  it("accepts exactly what the documented schema accepts, and gives the same value", () => {
    let accepted = 0;
    fc.assert(
      fc.property(request, (value) => {
        const slow = priceRequest.safeParse(value);
        const quick = quickPriceRequest(value);
        if (quick !== null) accepted += 1;
        expect(quick).toEqual(slow.success ? slow.data : null);
      }),
      { numRuns: 3000 },
    );
    // Otherwise the property would say nothing about requests that are right.
    expect(accepted).toBeGreaterThan(600);
  });

  it("accepts 10,000 lines and no more", () => {
    const rows = (count: number) => ({
      account: "A001",
      lines: Array.from({ length: count }, () => ({ product: "P", quantity: 1 })),
    });
    const columns = (count: number) => ({
      account: "A001",
      product: Array.from({ length: count }, () => "P"),
      quantity: Array.from({ length: count }, () => "1"),
    });
    expect(quickPriceRequest(rows(10_000))).not.toBeNull();
    expect(quickPriceRequest(columns(10_000))).not.toBeNull();
    for (const value of [rows(10_001), rows(0)]) {
      expect(quickPriceRequest(value)).toBeNull();
      expect(priceRows.safeParse(value).success).toBe(false);
    }
    for (const value of [columns(10_001), columns(0)]) {
      expect(quickPriceRequest(value)).toBeNull();
      expect(priceColumns.safeParse(value).success).toBe(false);
    }
  });
});
