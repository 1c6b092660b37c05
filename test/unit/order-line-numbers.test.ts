/** Which line of an order is which once the order is another one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decimal } from "../../src/model/index.ts";
import type { WebOrderLine } from "../../src/model/index.ts";
import { keepingNumbers } from "../../src/orders/line-numbers.ts";

const lineOf = (product: string, quantity: number, line = 0): WebOrderLine => ({
  line,
  product,
  quantity: quantity.toFixed(5),
  unitPrice: "1",
  discount: "0.00",
  net: "1.00",
  vatCode: "ZERO",
  vat: "0.00",
  orderedUnit: null,
  orderedQuantity: null,
});

const product = fc.constantFrom("BRICK", "SAND", "GRIT");
const quantity = fc.integer({ min: 1, max: 4 });
/** Of each line of the order how many came, at most as many as it has. */
const there = fc.array(fc.record({ product, quantity, part: fc.integer({ min: 0, max: 4 }) }));
const wanted = fc.array(fc.record({ product, quantity }));

function numberingOf(lines: readonly { product: string; quantity: number; part: number }[]) {
  const before = lines.map((one, at) => lineOf(one.product, one.quantity, at + 1));
  const came = new Map(
    lines.map(({ quantity: all, part }, at) => [
      at + 1,
      decimal.parse<"quantity">(String(Math.min(all, part))),
    ]),
  );
  return { before, came, used: lines.length };
}

const cameOf = (came: ReadonlyMap<number, decimal.Decimal>, line: number): number =>
  Number(decimal.canonical(came.get(line) ?? decimal.zero()));

test("every number is one line's, stays its product's, and is new where the goods are", () => {
  fc.assert(
    fc.property(there, wanted, (lines, now) => {
      const numbering = numberingOf(lines);
      const given = keepingNumbers(
        now.map((one) => lineOf(one.product, one.quantity)),
        numbering,
      );
      const numbers = given.map(({ line }) => line);
      expect(new Set(numbers).size).toBe(numbers.length);
      for (const { line, product: code } of given)
        if (line <= lines.length) expect(lines[line - 1]?.product).toBe(code);
      const anew = numbers.filter((line) => line > lines.length);
      expect(anew).toEqual(anew.map((_one, index) => lines.length + 1 + index));
    }),
  );
});

test("a line of which something came goes only after all of its product of which nothing did", () => {
  fc.assert(
    fc.property(there, wanted, (lines, now) => {
      const { came, ...numbering } = numberingOf(lines);
      const given = keepingNumbers(
        now.map((one) => lineOf(one.product, one.quantity)),
        { ...numbering, came },
      );
      const kept = new Set(given.map(({ line }) => line));
      for (const gone of numbering.before.filter(({ line }) => !kept.has(line))) {
        if (cameOf(came, gone.line) === 0) continue;
        const stays = given.filter((one) => one.product === gone.product);
        expect(stays.map(({ line }) => cameOf(came, line)).filter((all) => all === 0)).toEqual([]);
      }
    }),
  );
});

test("lines that stay as they are keep their numbers in whatever order they are sent, less some", () => {
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 8 });
  fc.assert(
    fc.property(some, fc.func(fc.boolean()), fc.boolean(), (quantities, stays, turned) => {
      const before = quantities.map((each, at) => lineOf("BRICK", each, at + 1));
      const left = before.filter(({ line }) => stays(line));
      const now = (turned ? left.toReversed() : left).map((one) => ({ ...one, line: 0 }));
      const given = keepingNumbers(now, { before, used: before.length });
      expect(given.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual(
        left.map(({ line }) => line),
      );
    }),
  );
});

test("of two lines that are alike the one keeps its number that is said to be left", () => {
  const before = [lineOf("BRICK", 2, 1), lineOf("BRICK", 2, 2)];
  const given = keepingNumbers([lineOf("BRICK", 1)], { before, used: 2, known: [2] });
  expect(given.map(({ line }) => line)).toEqual([2]);
});
