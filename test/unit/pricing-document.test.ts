/** Documents added up as the ledgers of the trade do it, in tables that a finance person reads. */
import { describe, expect, it } from "vitest";
import { document } from "../../src/pricing/engine/index.ts";
import type { DocumentArithmetic, DocumentInput } from "../../src/pricing/engine/document/index.ts";

const { computeDocument, savedPercent, twinOf } = document;
const PENNY = { scale: 2, mode: "half-away" } as const;
const PER_LINE: DocumentArithmetic = {
  unitPrice: { scale: 4, mode: "half-away" },
  discount: "line",
  lineNet: PENNY,
  vat: { ...PENNY, per: "line" },
  prices: "exclusive",
  documentDiscount: "largest-remainder",
  gross: "sum",
};
const PER_RATE: DocumentArithmetic = { ...PER_LINE, vat: { ...PENNY, per: "rate" } };
const WITH_VAT: DocumentArithmetic = { ...PER_LINE, prices: "inclusive" };

/** "20 × 9.99 less 20% at 20%": quantity, price, discount, VAT. */
function line(text: string) {
  const [, quantity = "", price = "", , less = "0", vat = ""] =
    /^([\d.]+) × ([\d.]+)( less (-?[\d.]+)%)? at ([\d.]+)%$/.exec(text) ?? [];
  return {
    quantity: Math.round(Number(quantity) * 1e5),
    price: Math.round(Number(price) * 1e6),
    perPricingUnit: 100_000,
    discountPercent: Math.round(Number(less) * 1e4),
    vatRate: Math.round(Number(vat) * 1e4),
  };
}

function totals(
  arithmetic: DocumentArithmetic,
  lines: string[],
  more: Omit<DocumentInput, "arithmetic" | "lines"> = {},
): string {
  const { net, vat, gross } = computeDocument({ arithmetic, lines: lines.map(line), ...more });
  return [net, vat, gross].map((amount) => (amount / 100).toFixed(2)).join(" / ");
}

describe("a document is added up as its ledger does", () => {
  it.each([
    [
      "Sage 200: VAT per rate on the net",
      PER_RATE,
      ["1 × 10.43 at 20%", "1 × 0.83 at 20%"],
      "11.26 / 2.25 / 13.51",
    ],
    [
      "the same, VAT per line",
      PER_LINE,
      ["1 × 10.43 at 20%", "1 × 0.83 at 20%"],
      "11.26 / 2.26 / 13.52",
    ],
    [
      "Sage 200 Online: 4 × 10.00 and free text",
      PER_RATE,
      ["4 × 10.00 at 20%", "1 × 5.00 at 20%"],
      "45.00 / 9.00 / 54.00",
    ],
    [
      "ten lines of one unit",
      PER_LINE,
      Array<string>(10).fill("1 × 3.6 at 5.5%"),
      "36.00 / 2.00 / 38.00",
    ],
    [
      "fifty lines of two pence, VAT per line",
      PER_LINE,
      Array<string>(50).fill("1 × 0.02 at 20%"),
      "1.00 / 0.00 / 1.00",
    ],
    [
      "fifty lines of two pence, VAT per rate",
      PER_RATE,
      Array<string>(50).fill("1 × 0.02 at 20%"),
      "1.00 / 0.20 / 1.20",
    ],
    [
      "Sage 50, discount on the line",
      PER_LINE,
      ["20 × 9.99 less 20% at 0%"],
      "159.84 / 0.00 / 159.84",
    ],
    [
      "Sage 50, discount by unit price",
      { ...PER_LINE, discount: "unit", unitPrice: PENNY },
      ["20 × 9.99 less 20% at 0%"],
      "159.80 / 0.00 / 159.80",
    ],
    ["Sage 50: 12 × 2.69 less 15%", PER_LINE, ["12 × 2.69 less 15% at 0%"], "27.44 / 0.00 / 27.44"],
    [
      "Sage 50: the net is rounded, not the discount",
      PER_LINE,
      ["10 × 4.05 less 15% at 0%"],
      "34.43 / 0.00 / 34.43",
    ],
    [
      "the discount rounded, the net what it leaves",
      { ...PER_LINE, discount: "difference" },
      ["10 × 4.05 less 15% at 0%"],
      "34.42 / 0.00 / 34.42",
    ],
    ["a surcharge of 5%", PER_LINE, ["10 × 4.05 less -5% at 20%"], "42.53 / 8.51 / 51.04"],
    ["prices with VAT", WITH_VAT, ["1 × 100.00 at 6%"], "94.34 / 5.66 / 100.00"],
    ["a large order", PER_LINE, ["1 × 9999999.00 at 20%"], "9999999.00 / 1999999.80 / 11999998.80"],
    [
      "a large price, a large quantity",
      PER_LINE,
      ["9999999 × 9999.99 at 20%"],
      "99999890000.01 / 19999978000.00 / 119999868000.01",
    ],
    [
      "Opera: 200 × 15.00 less 10%",
      { ...PER_LINE, gross: "own" },
      ["2 × 1500.00 less 10% at 20%"],
      "2700.00 / 540.00 / 3240.00",
    ],
    [
      "Opera rounds the gross by itself",
      { ...PER_LINE, gross: "own" },
      ["1 × 10.0046 at 20%"],
      "10.00 / 2.00 / 12.01",
    ],
  ] as [string, DocumentArithmetic, string[], string][])("%s", (_, arithmetic, lines, expected) => {
    expect(totals(arithmetic, lines)).toBe(expected);
  });

  it.each([
    [
      "5.00 off",
      PER_LINE,
      ["1 × 12.30 at 20%"],
      { kind: "amount", amount: 500 },
      "7.30 / 1.46 / 8.76",
    ],
    [
      "10.5% off",
      PER_LINE,
      ["1 × 50.00 at 20%"],
      { kind: "percent", percent: 105_000 },
      "44.75 / 8.95 / 53.70",
    ],
    [
      "50% off prices with VAT",
      WITH_VAT,
      ["1 × 1.00 at 20%"],
      { kind: "percent", percent: 500_000 },
      "0.42 / 0.08 / 0.50",
    ],
    [
      "5.00 off two rates with VAT",
      WITH_VAT,
      ["1 × 20.00 at 20%", "2 × 10.00 at 10%"],
      { kind: "amount", amount: 500 },
      "30.49 / 4.51 / 35.00",
    ],
    [
      "a fixed total from 10.00, not reached",
      PER_LINE,
      ["1 × 5.00 at 20%"],
      { kind: "total", amount: 420, from: 1000 },
      "5.00 / 1.00 / 6.00",
    ],
    [
      "a fixed total from 10.00, reached",
      PER_LINE,
      ["2 × 5.00 at 20%"],
      { kind: "total", amount: 420, from: 1000 },
      "4.20 / 0.84 / 5.04",
    ],
    [
      "a line without a price bears nothing",
      PER_LINE,
      ["1 × 0 at 20%", "1 × 1.00 at 20%"],
      { kind: "percent", percent: 200_000 },
      "0.80 / 0.16 / 0.96",
    ],
    [
      "never more than the goods",
      PER_LINE,
      ["1 × 1.00 at 20%"],
      { kind: "amount", amount: 500 },
      "0.00 / 0.00 / 0.00",
    ],
    [
      "a surcharge on the document",
      PER_LINE,
      ["1 × 10.00 at 20%"],
      { kind: "percent", percent: -50_000 },
      "10.50 / 2.10 / 12.60",
    ],
  ] as const)("document discount: %s", (_, arithmetic, lines, discount, expected) => {
    expect(totals(arithmetic, [...lines], { discounts: [discount] })).toBe(expected);
  });

  it.each([
    [
      "two deliveries",
      PER_LINE,
      ["1 × 1.00 at 20%"],
      [
        { amount: 500, vatRate: 200_000 },
        { amount: 500, vatRate: 200_000 },
      ],
      "11.00 / 2.20 / 13.20",
    ],
    [
      "a charge without VAT",
      PER_LINE,
      ["2 × 10.00 at 20%", "1 × 34.99 at 10%"],
      [{ amount: 240, vatRate: 0 }],
      "57.39 / 7.50 / 64.89",
    ],
    [
      "the same with VAT in the prices",
      WITH_VAT,
      ["2 × 10.00 at 20%", "1 × 34.99 at 10%"],
      [{ amount: 240, vatRate: 0 }],
      "50.88 / 6.51 / 57.39",
    ],
    [
      "an allowance",
      WITH_VAT,
      ["1 × 10.00 at 20%"],
      [{ amount: -240, vatRate: 200_000 }],
      "6.33 / 1.27 / 7.60",
    ],
    [
      "a charge with VAT on prices without",
      PER_LINE,
      ["1 × 10.00 at 20%"],
      [{ amount: 120, vatRate: 200_000, includesVat: true }],
      "11.00 / 2.20 / 13.20",
    ],
  ] as const)("charges: %s", (_, arithmetic, lines, charges, expected) => {
    expect(totals(arithmetic, [...lines], { charges })).toBe(expected);
  });

  it("turns a price with another basis into the document's", () => {
    const given = line("1 × 121.00 at 15%");
    const without = computeDocument({
      arithmetic: PER_LINE,
      lines: [{ ...given, priceIncludes: 210_000 }],
    });
    expect(without.lines[0]).toMatchObject({ price: 100_000_000, net: 10_000 });
    const withIt = computeDocument({
      arithmetic: WITH_VAT,
      lines: [{ ...line("1 × 100.00 at 20%"), priceIncludes: 0 }],
    });
    expect(withIt.lines[0]).toMatchObject({ price: 120_000_000, gross: 12_000, net: 10_000 });
  });

  it("says what a lower price saves as a shop shows it", () => {
    expect(savedPercent(5000, 3500)).toBe(30);
    expect(savedPercent(3500, 5000)).toBe(0);
  });

  it("never says that more is saved than is", () => {
    expect(savedPercent(600, 500)).toBe(16);
    expect(savedPercent(1000, 925)).toBe(7);
    expect(savedPercent(600, 500, 4)).toBe(166_666);
  });
});

describe("the same document in another system", () => {
  const PER_UNIT: DocumentArithmetic = { ...PER_LINE, discount: "unit", unitPrice: PENNY };
  it.each([
    ["VAT per rate", PER_LINE, PER_RATE, ["1 × 10.43 at 20%", "1 × 0.83 at 20%"], "13.51", "0.01"],
    ["discount by unit price", PER_LINE, PER_UNIT, ["20 × 9.99 less 20% at 0%"], "159.80", "0.04"],
    ["nothing to reconcile", PER_LINE, PER_RATE, ["3 × 2.00 at 20%"], "7.20", "0.00"],
  ] as const)("%s", (_, shop, system, lines, gross, difference) => {
    const input = { arithmetic: shop, lines: lines.map(line) };
    const ours = computeDocument(input);
    const twin = twinOf(input, ours, "other", system);
    expect((twin.totals.gross / 100).toFixed(2)).toBe(gross);
    expect((twin.gross / 100).toFixed(2)).toBe(difference);
    expect(twin.totals.gross + twin.gross).toBe(ours.gross);
  });

  it("keeps an amount that no unit price gives, as of a price made of tiers", () => {
    const tiers = { ...line("15 × 0.90 at 20%"), amount: 1400 };
    const input = { arithmetic: PER_LINE, lines: [tiers] };
    expect(twinOf(input, computeDocument(input), "other", PER_RATE).totals.net).toBe(1400);
  });
});
