/** Which ERP orders together are one of ours. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { partsAsOne } from "../../src/orders/parts.ts";

const PRICES = [420, 1000, 99] as const;
const text = (pence: number): string => (pence / 100).toFixed(2);

/** Of so many of each product, with its net and its lines where they are told. */
function contentOf(counts: readonly number[]) {
  const lines = counts.flatMap((many, at) => {
    const net = text(many * (PRICES[at] ?? 0));
    return many === 0 ? [] : [{ product: `P${at}`, quantity: String(many), net }];
  });
  const net = text(counts.reduce((sum, many, at) => sum + many * (PRICES[at] ?? 0), 0));
  return { net, vat: "0.00", lines, charges: [] };
}

function rowOf(erpOrder: string, counts: readonly number[], isTold: boolean) {
  const { net, lines } = contentOf(counts);
  return {
    erpOrder,
    account: "A1",
    state: "open",
    vat: "0.00",
    learnedAt: "2026-03-31T09:00:00Z",
    net: isTold ? net : null,
    lines: isTold ? null : lines,
  };
}

const sumOf = (parts: readonly (readonly number[])[]): number[] =>
  PRICES.map((_, at) => parts.reduce((sum, part) => sum + (part[at] ?? 0), 0));

const part = fc
  .tuple(fc.nat(5), fc.nat(5), fc.nat(5))
  .filter((counts) => counts.some((many) => many > 0));
const parts = fc.array(part, { minLength: 2, maxLength: 4 });

test("all parts of an order are one, and with one of them once more they are not", () => {
  fc.assert(
    fc.property(parts, fc.boolean(), fc.nat(3), (split, isTold, again) => {
      const agreed = contentOf(sumOf(split));
      const rows = split.map((counts, at) => rowOf(`SO${at}`, counts, isTold));
      const whole = partsAsOne([agreed], "SO1", rows);
      expect(whole).toHaveLength(1);
      expect(whole[0]).toMatchObject({ erpOrder: "SO1", parts: rows.map((row) => row.erpOrder) });
      if (isTold) expect(whole[0]?.net).toBe(agreed.net);
      const twice = [...rows, rowOf("SO9", split[again % split.length] ?? [], isTold)];
      expect(partsAsOne([agreed], "SO1", twice)).toEqual(twice);
    }),
  );
});

test("two that each hold all of it are two", () => {
  fc.assert(
    fc.property(part, fc.boolean(), fc.boolean(), (counts, one, other) => {
      const rows = [rowOf("SO1", counts, one), rowOf("SO2", counts, other)];
      expect(partsAsOne([contentOf(counts)], null, rows)).toEqual(rows);
    }),
  );
});
