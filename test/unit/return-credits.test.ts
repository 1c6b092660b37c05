/** Laws of what credit notes credit, over invoices and credit notes that chance makes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decimal } from "../../src/model/index.ts";
import {
  creditsOfLines,
  type Awaited,
  type CreditPaper,
  type InvoicedPaper,
} from "../../src/orders/buyers/credits.ts";

const AT = Temporal.Instant.from("2026-03-31T09:00:00Z");
const of = { product: "BRICK", erpOrder: "SO1", erpOrderLine: null, webOrder: null };
const money = (pence: number) => (pence / 100).toFixed(2);

/** Of each line what was invoiced, and what of that a return waits for; 4.20 each. */
const goods = fc
  .array(
    fc.integer({ min: 1, max: 9 }).chain((quantity) =>
      fc.record({
        quantity: fc.constant(quantity),
        waits: fc.integer({ min: 0, max: quantity }),
      }),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((lines) => ({
    invoiced: lines.map(({ quantity }, index): InvoicedPaper => {
      const paper = { document: `INV${index % 2}`, line: index, net: money(420 * quantity) };
      return { ...of, ...paper, quantity: String(quantity) };
    }),
    awaited: lines.flatMap(({ waits }, index): Awaited[] => {
      const line = { document: `INV${index % 2}`, line: index, number: `RT${index}` };
      const asked = { creditedBefore: "0", askedAt: AT, agreed: true };
      return waits === 0 ? [] : [{ ...line, ...asked, quantity: String(waits) }];
    }),
  }));

/** Each a few bricks of which so much of the price is credited. */
const credits = (percent: number, maxLength = 5, names: Partial<CreditPaper> = {}) =>
  fc.array(fc.integer({ min: 1, max: 9 }), { maxLength }).map((quantities) =>
    quantities.map((quantity, index): CreditPaper => {
      const net = money(Math.round((420 * quantity * percent) / 100));
      const paper = { document: `CR${index}`, line: 1, quantity: String(quantity), net };
      const stated = { creditsDocument: null, creditsLine: null, reference: null, learnedAt: AT };
      return { ...of, ...paper, ...stated, ...names };
    }),
  );

const numberOf = (quantity: decimal.Decimal) => Number(decimal.format(quantity));
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);
const quantityOf = (papers: readonly { readonly quantity: string }[]) =>
  sumOf(papers.map(({ quantity }) => Number(quantity)));

test("What names the order alone counts once, up to what there is, and first for what returns wait for", () => {
  const given = fc.record({ goods, notes: credits(100) });
  fc.assert(
    fc.property(given, ({ goods: { invoiced, awaited }, notes }) => {
      const found = creditsOfLines(invoiced, notes, awaited);
      const credited = invoiced.map((line) =>
        sumOf((found.get(line) ?? []).map(({ quantity }) => numberOf(quantity))),
      );
      expect(sumOf(credited)).toBe(Math.min(quantityOf(notes), quantityOf(invoiced)));
      const met = awaited.map(({ line, quantity }) =>
        Math.min(credited[line] ?? 0, Number(quantity)),
      );
      expect(sumOf(met)).toBe(Math.min(quantityOf(notes), quantityOf(awaited)));
    }),
  );
});

test("A part of the price brings nothing back, whatever it names; most of it what a return waits for", () => {
  const names = fc.constantFrom(
    {},
    { creditsDocument: "INV0" },
    { creditsDocument: "INV0", creditsLine: 0 },
  );
  const given = names.chain((name) =>
    fc.record({ goods, little: credits(40, 1, name), most: credits(80) }),
  );
  fc.assert(
    fc.property(given, ({ goods: { invoiced, awaited }, little, most }) => {
      const backOf = (notes: readonly CreditPaper[]) =>
        [...creditsOfLines(invoiced, notes, awaited).values()]
          .flat()
          .map(({ quantity }) => numberOf(quantity));
      expect(backOf(little)).toEqual([]);
      expect(sumOf(backOf(most))).toBe(Math.min(quantityOf(most), quantityOf(awaited)));
    }),
  );
});
