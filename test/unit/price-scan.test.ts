import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quickPriceRequest } from "../../src/http/price-request.ts";
import { scanColumns } from "../../src/http/price-scan.ts";
import { scaled } from "../../src/pricing/engine/index.ts";
import { ProductIndex } from "../../src/pricing/product-index.ts";

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

function scanned(text: string) {
  const found = scanColumns(bytesOf(text));
  if (found === null) return null;
  const { asker, bytes, lines, starts, ends, quantities } = found;
  return {
    ...asker,
    product: Array.from({ length: lines }, (_, line) =>
      Buffer.from(bytes.subarray(starts[line], ends[line])).toString("latin1"),
    ),
    quantity: [...quantities.subarray(0, lines)],
  };
}

/** The same as the schema's own quick check reads it, quantities with 5 places. */
function read(text: string) {
  try {
    const value = quickPriceRequest(JSON.parse(text));
    if (value === null || !("product" in value)) return null;
    const { account, site, branch, quotation, asOf, currency, conditions, product } = value;
    const asker = { account, site, branch, quotation, asOf, currency, conditions };
    const quantity = value.quantity.map((each) => scaled.scaledOf(String(each), 5));
    return value.unit === null ? { ...asker, product, quantity } : null;
  } catch {
    return null;
  }
}

/** Right ones for the most part, so that whole requests are right often enough. */
const mostly = (right: readonly unknown[], odd: readonly unknown[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...right) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const code = fc.oneof(
  { weight: 19, arbitrary: fc.stringMatching(/^[ -~]{1,12}$/) },
  fc.constantFrom("", "x".repeat(60), "x".repeat(61), "½", 'a"b', "a\\b", "]", "},"),
);
const amount = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 9_999_999_999 }) },
  { weight: 9, arbitrary: fc.stringMatching(/^\d{1,10}(\.\d{1,5})?$/) },
  fc.constantFrom<unknown>(0, -1, 0.5, 1e10, 1e21, "0", "1.", ".5", "1e3", "1.123456", null, true),
);
const request = fc.record(
  {
    site: mostly(["S1", null], ["", 'S"2', 5]),
    asOf: mostly(["2026-03-31", null], ["31/03/2026"]),
    conditions: mostly([{ delivery: "collect" }, {}, { "a,b": "}]" }], [[1, { a: 2 }]]),
    unit: mostly([null], [["BOX"]]),
    account: mostly(["A001", "a \u007d"], ["Ä1", "A\u0001", 7]),
    more: mostly([undefined], [1, []]),
    product: fc.array(code, { maxLength: 4 }),
    quantity: fc.array(amount, { maxLength: 4 }),
  },
  { requiredKeys: ["product", "quantity", "account"] },
);

describe("a request that is read from its bytes", () => {
  it("is what the schema reads of it, or is left to the schema", () => {
    let plain = 0;
    fc.assert(
      fc.property(request, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const same = Math.min(value.product.length, value.quantity.length);
        const [product, quantity] = [value.product, value.quantity].map((each) =>
          each.slice(0, same),
        );
        const text = JSON.stringify({ ...value, product, quantity }, null, indent);
        const found = scanned(text);
        if (found === null) return;
        plain += 1;
        expect(found).toEqual(read(text));
      }),
      { numRuns: 2_000, seed: 7 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  it("is never more than the schema takes, whatever is broken in it", () => {
    const whole = '{"account":"A001","site":null,"product":["P1","P2"],"quantity":[10,"2.5"]}';
    expect(scanned(whole)).toEqual(read(whole));
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.nat(3),
        fc.constantFrom(
          "",
          ",",
          '"',
          "]",
          "}",
          "[",
          "{",
          ":",
          "0",
          "\\",
          " ",
          "\v",
          "é",
          "1.5",
          "null",
        ),
        (at, cut, put) => {
          const text = whole.slice(0, at) + put + whole.slice(at + cut);
          const found = scanned(text);
          if (found !== null) expect(found).toEqual(read(text));
        },
      ),
      { numRuns: 5_000, seed: 7 },
    );
  });

  it("is left to the schema where a column is named twice", () => {
    const text = '{"account":"A","product":["P"],"quantity":[1],"product":["Q"]}';
    expect(scanned(text)).toBeNull();
  });
});

describe("products by the bytes of their codes", () => {
  it("are those of the texts", () => {
    const codes = fc.uniqueArray(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(codes, fc.string({ maxLength: 5 }), (known, other) => {
        const index = new ProductIndex(known);
        const numberOf = (text: string) => {
          const bytes = bytesOf(`<${text}>`);
          return index.numberOf(bytes, 1, bytes.length - 1);
        };
        known.forEach((each, number) => expect(numberOf(each)).toBe(number));
        expect(numberOf(other)).toBe(known.indexOf(other));
      }),
    );
  });
});
