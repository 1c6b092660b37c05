/** The goods of two orders, by product: however an ERP joins, splits and orders its lines. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { differencesOf } from "../../src/orders/compare.ts";
import { besidesOurs, type LineThere, type Ours } from "../../src/orders/goods.ts";

const PRODUCTS = ["BRICK", "SAND", "GRIT"];
const line = fc.record({
  product: fc.constantFrom(...PRODUCTS),
  /** Of each part that it is split into there. */
  parts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
});
const there = (product: string | null, quantity: number): LineThere => ({
  product,
  quantity: `${quantity}.00000`,
  net: `${quantity}.00`,
});
const kept = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 5 }), fc.constantFrom([], ["CARR"]))
  .chain(([lines, charges]) =>
    fc
      .shuffledSubarray(
        [
          ...lines.flatMap(({ product, parts }) => parts.map((part) => there(product, part))),
          ...charges.map((charge) => there(charge, 1)),
          there(null, 7),
        ],
        { minLength: lines.flatMap(({ parts }) => parts).length + charges.length + 1 },
      )
      .map((held) => ({ held, ours: oursOf(lines, charges) })),
  );

function oursOf(
  lines: readonly { product: string; parts: readonly number[] }[],
  charges: readonly string[],
): Ours {
  return {
    lines: lines.map(({ product, parts }) => {
      const quantity = String(parts.reduce((sum, part) => sum + part));
      return { product, quantity, net: `${quantity}.00` };
    }),
    charges: charges.map((charge) => ({ charge })),
  };
}

test("split, shuffled and with its own charges on lines, an order has the same goods", () => {
  fc.assert(
    fc.property(kept, fc.nat(), ({ held, ours }, at) => {
      const agreed = { ...ours, net: "1.00", vat: "0.20" };
      const holds = (lines: readonly LineThere[]) =>
        differencesOf(
          { ...agreed, lines: agreed.lines.map((each) => ({ ...each, net: each.net ?? "0" })) },
          { net: null, vat: null, lines },
        );
      expect(besidesOurs(ours, held)).toEqual([]);
      expect(holds(held)).toEqual([]);
      // What staff add is beside them; one more or less of a product is another order.
      const more = [...held, there("PALLET", 1)];
      expect(besidesOurs(ours, more)).toEqual(["PALLET"]);
      expect(holds(more)).toEqual(["Agreed are 0 of PALLET, the ERP holds 1."]);
      const { product = "" } = ours.lines[at % ours.lines.length] ?? {};
      expect(besidesOurs(ours, [...held, there(product, 1)])).toBeNull();
      expect(
        besidesOurs(
          ours,
          held.filter((each) => each.product !== product),
        ),
      ).toBeNull();
    }),
  );
});

test("a charge whose code is ordered as goods is goods, and an order without any is like none", () => {
  const brick = { product: "BRICK", quantity: "2", net: "8.40" };
  const ours = { lines: [brick], charges: [{ charge: "BRICK" }] };
  expect(besidesOurs(ours, [brick])).toEqual([]);
  expect(besidesOurs(ours, [])).toBeNull();
  expect(besidesOurs({ lines: [], charges: [] }, [brick])).toBeNull();
});
