import { describe, expect, test } from "vitest";
import {
  compileBook,
  ladderOf,
  priceLine,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import type { Enquiry } from "../../src/pricing/engine/index.ts";
import { MERCHANT, bookOf, generic, rulesOf } from "../support/price-table.ts";

const RULES = `
  rule | whom          | what           | gives   | from | dates         | notes
  S1   | everyone      | product NAIL   | £0.05
  L1   | list L1       | product NAIL   | £0.045  | 100
  L1   | list L1       | product NAIL   | £0.04   | 1000
  G1   | group TRADE   | product NAIL   | 10% off | 500
  C1   | account HQ    | product NAIL   | £0.05   | 50
  D1   | account HQ    | product NAIL   | £0.02   | 10   | 2026-07-01 ..
`;

function enquiryFor(account: string, book = bookOf({ rules: RULES })): Enquiry {
  return startEnquiry(book, {
    account: book.accounts.numbers.get(account) ?? -1,
    site: -1,
    branch: -1,
    moment: Temporal.Instant.from("2026-06-01T00:00:00Z").epochMilliseconds,
    quotation: -1,
    currency: -1,
    conditions: null,
  });
}

/** "from 100: 0.0450", in the words of a price table. */
function shown(enquiry: Enquiry, product: string, unit = ""): string[] {
  const { book } = enquiry;
  return ladderOf(enquiry, book.products.numbers.get(product) ?? -1, book.units.indexOf(unit)).map(
    ({ quantity, price, unit }) =>
      `from ${scaled.shortTextOf(quantity, 5)}: ${price < 0 ? "none" : scaled.textOf(price, 4)} per ${book.units[unit]}`,
  );
}

describe("the breaks that a customer sees", () => {
  test("come from every rule that holds for the customer, lowest quantity first", () => {
    expect(shown(enquiryFor("BUILD01"), "NAIL")).toMatchInlineSnapshot(`
      [
        "from 0: 0.0500 per EACH",
        "from 100: 0.0450 per EACH",
        "from 500: 0.0405 per EACH",
        "from 1000: 0.0360 per EACH",
      ]
    `);
  });

  test("are one where two neighbours cost the same", () => {
    expect(shown(enquiryFor("HQ"), "NAIL")).toEqual(["from 0: 0.0500 per EACH"]);
  });

  test("say from when they may be others", () => {
    const enquiry = enquiryFor("HQ");
    const [only] = ladderOf(enquiry, enquiry.book.products.numbers.get("NAIL") ?? -1);
    expect(new Date(only?.until ?? 0).toISOString()).toBe("2026-06-30T23:00:00.000Z");
  });

  test("are none where the product has no price", () => {
    expect(shown(enquiryFor("PLAIN01"), "PLY")).toEqual(["from 0: none per EACH"]);
  });

  test("in boxes of 30 begin where the boxes hold enough", () => {
    const book = compileBook(generic, {
      ...MERCHANT,
      productUnits: [{ product: "NAIL", unit: "BOX", sellingUnits: "30" }],
      rules: rulesOf(RULES),
      promotions: [],
      quotations: [],
    });
    expect(shown(enquiryFor("BUILD01", book), "NAIL", "BOX")).toMatchInlineSnapshot(`
      [
        "from 0: 1.5000 per BOX",
        "from 3.33334: 1.3500 per BOX",
        "from 16.66667: 1.2150 per BOX",
        "from 33.33334: 1.0800 per BOX",
      ]
    `);
  });

  test("cost at their quantity what a line of it costs, and just below it something else", () => {
    const enquiry = enquiryFor("BUILD01");
    const product = enquiry.book.products.numbers.get("NAIL") ?? -1;
    const rungs = ladderOf(enquiry, product);
    expect(rungs.length).toBeGreaterThan(2);
    for (const [at, rung] of rungs.entries()) {
      expect(priceLine(enquiry, product, rung.quantity).price).toBe(rung.price);
      if (at === 0) continue;
      expect(priceLine(enquiry, product, rung.quantity - 1).price).toBe(rungs[at - 1]?.price);
    }
  });
});
