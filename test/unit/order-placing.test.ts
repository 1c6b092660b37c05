/** Laws of where papers count that name none of several lines of a product. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { placedOn } from "../../src/orders/placing.ts";

const few = fc.integer({ min: 0, max: 9 });
const lineNumber = fc.integer({ min: 1, max: 4 });
const product = fc.constantFrom("BRICK", "SAND");

const given = fc.record({
  ours: fc.uniqueArray(
    fc.record({
      line: lineNumber,
      product,
      quantity: few.map(String),
      despatched: few.map(String),
    }),
    { selector: ({ line }) => line },
  ),
  theirs: fc.array(
    fc.record({
      erpOrder: fc.constant("SO1"),
      erpOrderLine: lineNumber,
      line: lineNumber,
      came: few,
    }),
    { maxLength: 4 },
  ),
  papers: fc.array(
    fc.record({
      product,
      erpOrder: fc.constantFrom("SO1", "SO2", null),
      erpOrderLine: fc.option(lineNumber),
      invoicedQuantity: few.map(String),
      creditedQuantity: few.map(String),
    }),
    { maxLength: 5 },
  ),
  known: fc.uniqueArray(
    fc.record({
      line: lineNumber,
      invoicedQuantity: few.map(String),
      creditedQuantity: few.map(String),
    }),
    { selector: ({ line }) => line },
  ),
});

test("What papers say of a product is on its lines, all of it and no more, beside what was known", () => {
  fc.assert(
    fc.property(given, ({ ours, theirs, papers, known }) => {
      const order = { id: "W1", papers, known };
      const lines = ours.map((line) => ({ id: "W1", ...line }));
      const there = theirs.map(({ came, ...one }) => ({ id: "W1", ...one, came: String(came) }));
      const found = placedOn(order, lines, there);
      for (const what of ["invoicedQuantity", "creditedQuantity"] as const)
        for (const each of ["BRICK", "SAND"]) {
          const own = new Set(ours.filter((one) => one.product === each).map(({ line }) => line));
          const sum = (rows: readonly (typeof known)[number][]) =>
            rows.filter(({ line }) => own.has(line)).reduce((of, row) => of + Number(row[what]), 0);
          const told = papers
            .filter((one) => one.product === each)
            .reduce((of, one) => of + Number(one[what]), 0);
          expect(sum(found)).toBe(sum(known) + (own.size > 0 ? told : 0));
        }
    }),
  );
});

test("What the ERP says came is where it is invoiced, whatever the order of the papers", () => {
  const came = fc.array(few, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(came, fc.integer({ min: 1, max: 3 }), (each, parts) => {
      const ours = each.map((_, index) => ({
        id: "W1",
        line: index + 1,
        product: "BRICK",
        quantity: "9",
        despatched: "0",
      }));
      const theirs = each.map((units, index) => ({
        id: "W1",
        erpOrder: "SO1",
        erpOrderLine: 10 * (index + 1),
        line: index + 1,
        came: String(units),
      }));
      const all = each.reduce((sum, units) => sum + units, 0);
      const first = Math.floor(all / parts);
      const papers = [first, all - first].map((units) => ({
        product: "BRICK",
        erpOrder: null,
        erpOrderLine: null,
        invoicedQuantity: String(units),
        creditedQuantity: "0",
      }));
      const found = placedOn({ id: "W1", papers, known: [] }, ours, theirs);
      expect(found.map(({ invoicedQuantity }) => Number(invoicedQuantity))).toEqual(each);
    }),
  );
});
