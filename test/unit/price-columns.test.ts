import fc from "fast-check";
import { expect, it } from "vitest";
import { columnsJson } from "../../src/pricing/columns-json.ts";
import { plainColumns } from "../../src/pricing/columns.ts";
import type { ColumnSet } from "../../src/pricing/columns.ts";
import type { Root } from "../../src/pricing/root.ts";

const arithmetic = { unitPrice: { scale: 4 }, lineNet: { scale: 2 }, vat: { scale: 2 } };
const root = {
  book: { policy: { arithmetic }, vatCodes: ["STANDARD", "ÉTRANGER", 'T"1'] },
  version: "17-3fa9c2d1",
  freshness: null,
  momentText: (moment: number) => `moment ${moment}`,
} as unknown as Root;

const figure = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 9_999_999 }) },
  fc.constantFrom(NaN, 0, 9, 10, 99, 100, 2_147_483_647, 2_147_483_648, -1, -2_147_483_648),
  fc.maxSafeInteger(),
);
const lines = fc.record({
  unitPrice: figure,
  net: figure,
  vat: figure,
  vatCode: fc.integer({ min: -1, max: 2 }),
  state: fc.integer({ min: 0, max: 5 }),
  until: fc.constantFrom(1_774_911_600_000, 1_774_998_000_000, Infinity),
  reason: fc.constantFrom(null, "waits for Jane Smith’s decision"),
});

function setOf(rows: readonly (typeof lines extends fc.Arbitrary<infer Row> ? Row : never)[]) {
  const reasons = rows.map(({ reason }) => reason);
  const set: ColumnSet = {
    root,
    currency: "GBP",
    lines: rows.length,
    unitPrice: Float64Array.from(rows, (row) => row.unitPrice),
    net: Float64Array.from(rows, (row) => row.net),
    vat: Float64Array.from(rows, (row) => row.vat),
    vatCode: Int32Array.from(rows, (row) => row.vatCode),
    state: Uint8Array.from(rows, (row) => row.state),
    until: Float64Array.from(rows, (row) => row.until),
    stateReason: reasons.some((reason) => reason !== null) ? reasons : null,
    problems: [{ line: 0, code: "unknown-product", detail: 'there is no product "½ BRICK"' }],
  };
  return set;
}

it("writes the bytes of columns as JSON.stringify writes the columns", () => {
  fc.assert(
    fc.property(fc.array(lines, { minLength: 1, maxLength: 40 }), fc.string(), (rows, account) => {
      const set = setOf(rows);
      const { places: scale, ...columns } = plainColumns(set);
      const written = JSON.parse(Buffer.from(columnsJson(set, account)).toString("utf8")) as object;
      expect(written).toEqual(JSON.parse(JSON.stringify({ account, scale, ...columns })));
    }),
    { numRuns: 500 },
  );
});
