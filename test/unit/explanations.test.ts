/** What the demo holds every explanation of a price to, tried on true and on forged ones. */
import { describe, expect, test } from "vitest";
import { faultsOf } from "../../deploy/demo/steps/explain.ts";
import type { Explained } from "../../deploy/demo/steps/explain.ts";

const row: Explained["explanation"]["candidates"][number]["rows"][number] = {
  record: "price-rule",
  row: "G1",
  runId: "r",
  originId: "o",
  origin: "f.csv",
  line: 2,
};

const ENTRY = {
  step: "Price or discount",
  rule: "Product group discount: 4.5% off",
  whom: "customer group PLUMB",
  what: "product group SCREWS",
  unitPrice: "23.7318",
  taken: true,
  why: "gives the price",
  entry: null,
  rows: [row],
} as const;

const TRUE: Explained = {
  state: "modelled",
  stateReason: null,
  product: "0450024",
  quantity: "1200",
  unitPrice: "23.7318",
  pricingUnit: "HUNDRED",
  net: "284.78",
  vatCode: "STANDARD",
  vatPercent: "20",
  vat: "56.96",
  currency: "GBP",
  validUntil: null,
  bookVersion: "1",
  freshness: null,
  because: "Product group discount: 4.5% off the standard price",
  explanation: {
    asked: "1,200 EACH of 0450024 for ZKOW0001 on 30/06/2026",
    because: "Product group discount: 4.5% off the standard price",
    arithmetic: [
      "Standard price: £24.85 per HUNDRED",
      "Product group discount: 4.5% off: £24.85 − £1.11825 = £23.73175, rounded £23.7318 per HUNDRED",
      "1,200 EACH at £23.7318 per HUNDRED (100 EACH): £284.7816, rounded £284.78",
      "VAT STANDARD at 20% of £284.78: £56.956, rounded £56.96",
      "Rounding: unit price to 4 places, line to 2 places, VAT to 2 places; halves up, away from zero",
    ],
    candidates: [ENTRY],
  },
};

/** The true one with its arithmetic, or its candidate, forged. */
function forged(from: string, to: string): Explained {
  const arithmetic = TRUE.explanation.arithmetic.map((line) => line.replace(from, to));
  return { ...TRUE, explanation: { ...TRUE.explanation, arithmetic } };
}

function candidate(change: Partial<Explained["explanation"]["candidates"][number]>): Explained {
  return {
    ...TRUE,
    explanation: { ...TRUE.explanation, candidates: [{ ...ENTRY, ...change }] },
  };
}

test("a true explanation has no fault", () => {
  expect(faultsOf(TRUE)).toEqual([]);
});

describe("a fault is found", () => {
  test.each([
    ["a discount that is not what it says", forged("£1.11825", "£1.12825")],
    ["a unit price rounded wrongly", forged("rounded £23.7318", "rounded £23.7317")],
    ["another price than the answer's", forged("at £23.7318", "at £23.7317")],
    ["another quantity", forged("1,200 EACH", "1,300 EACH")],
    ["another number of units in the price's unit", forged("(100 EACH)", "(10 EACH)")],
    ["a net that is a penny out", { ...TRUE, net: "284.79" }],
    ["a VAT that is a penny out", { ...TRUE, vat: "56.97" }],
    ["no line for the quantity", forged("1,200 EACH at", "about")],
    ["a price that nothing gives", candidate({ taken: false })],
    ["a loser without a reason", candidate({ why: "" })],
    ["a rule without a row", candidate({ rows: [] })],
    ["a row without a file", candidate({ rows: [{ ...row, origin: null }] })],
    ["a moment as programs write it", candidate({ why: "starts on 2026-07-01T00:00:00Z" })],
  ])("%s", (_, explained) => {
    expect(faultsOf(explained)).not.toEqual([]);
  });
});
