/** Explanations of prices that take more than one rule, or that nobody can know. */
import { describe, expect, test } from "vitest";
import { loadPolicy } from "../../src/pricing/index.ts";
import { bookOf, explained } from "../support/price-table.ts";

const PRICES = `
  rule | whom            | what        | gives    | from | dates | notes
  S1   | list RETAIL     | product PLY | £10.00   |      |       |
  D5   | account OLDIE01 | product PLY | 5% off   |      |       |
  D10  | account OLDIE01 | product PLY | 10% off  | 20   |       |
  UP   | account HQ      | product PLY | -3% off  |      |       |`;

async function sage200(account: string, quantity: string, discounts: string) {
  const policy = await loadPolicy("sage-200", { hiddenDiscounts: discounts });
  return explained(bookOf({ rules: PRICES }, policy), { account, product: "PLY", quantity });
}

function whyOf({ candidates }: Awaited<ReturnType<typeof sage200>>): string[] {
  return candidates.map(
    ({ step, rule, taken, why }) => `${taken ? "→ " : ""}${step}: ${rule} | ${why}`,
  );
}

describe("under Sage 200", () => {
  test("a price that hidden discounts may touch has no winner and no sums", async () => {
    const told = await sage200("PLAIN01", "1", "possible");
    expect(told.because).toContain("Not known: the ERP has discounts");
    expect(told.arithmetic).toEqual([]);
    expect(whyOf(told)).toEqual([
      "Band price: List price (RETAIL): £10.00 per EACH | would count, but there may be discounts that the ERP does not show",
    ]);
  });

  test("each step of a chain has its part, and a loser lost to its own step", async () => {
    const told = await sage200("OLDIE01", "20", "none");
    expect(whyOf(told)).toEqual([
      "→ Band price: List price (RETAIL): £10.00 per EACH | gives the price to begin with",
      "→ Discount: Customer discount: 10% off from 20 | is taken off what came before",
      "Discount: Customer discount: 5% off | dearer by £0.50 per EACH",
      "→ Customer line discount: Account discount: 7.5% off | is taken off what came before",
    ]);
    expect(told.arithmetic).toEqual([
      "List price (RETAIL): £10.00 per EACH",
      "Customer discount: 10% off from 20: £10.00 − £1.00 = £9.00",
      "Account discount: 7.5% off: £9.00 − £0.675 = £8.325",
      "20 EACH at £10.00 per EACH in full: £200.00",
      "Less the discounts, £1.675 on each £10.00: £166.50",
      "VAT STANDARD at 20% of £166.50: £33.30; on a document it is worked out of all its lines at 20% together",
      "Rounding: unit price to 5 places, line to 2 places, VAT to 2 places; halves up, away from zero",
    ]);
  });

  test("what does not hold is told by the step that would draw it, and by no other", async () => {
    expect(whyOf(await sage200("OLDIE01", "1", "none"))).toContain(
      "Discount: Customer discount: 10% off from 20 | counts only from 20 EACH",
    );
    const steps = (await sage200("OLDIE01", "1", "none")).candidates.map(({ step }) => step);
    expect(steps).not.toContain("Surcharge");
  });

  test("a surcharge is added, not taken off", async () => {
    const told = await sage200("HQ", "1", "none");
    expect(whyOf(told)).toContain(
      "→ Surcharge: Customer discount: 3% on top | is added to what came before",
    );
    expect(told.arithmetic[1]).toBe("Customer discount: 3% on top: £10.00 + £0.30 = £10.30");
  });
});

test("what loses to a price on request says so", () => {
  const book = bookOf({
    rules: `
      rule | whom     | what        | gives
      S    | everyone | product PLY | £40.00
      A    | account PLAIN01 | product PLY | on request`,
  });
  const told = explained(book, { product: "PLY", account: "PLAIN01" });
  expect(told.because).toBe("Price on request");
  expect(told.arithmetic).toEqual([]);
  for (const { why } of told.candidates) expect(why).not.toMatch(/dearer|undefined/);
});

test("a price per another unit says what it comes to, and a markup what it is on", () => {
  const tables = `
    rule | whom            | what         | gives      | notes
    N    | account PLAIN01 | product NAIL | cost + 20% |
    P    | account PLAIN01 | product BRK  | £0.65      | per EACH`;
  const markup = explained(bookOf({ rules: tables }), { product: "NAIL", quantity: "7" });
  expect(markup.arithmetic.slice(0, 3)).toEqual([
    "Cost: £0.03 per EACH",
    "Customer price: cost plus 20%: £0.03 × 120% = £0.036 per EACH",
    "7 EACH at £0.036 per EACH: £0.252, rounded £0.25",
  ]);
  const bricks = explained(bookOf({ rules: tables }), { product: "BRK", quantity: "250" });
  expect(bricks.arithmetic.slice(0, 2)).toEqual([
    "Customer price: £0.65 per EACH: that is £650.00 per 1000",
    "250 EACH at £650.00 per 1000 (1,000 EACH): £162.50",
  ]);
});

test("a rounded discount says what was rounded before it is taken off", async () => {
  const policy = await loadPolicy("sage-50");
  const book = bookOf(
    { rules: "rule | whom | what | gives\nS | everyone | product PLY | £2.69" },
    {
      ...policy,
      arithmetic: { ...policy.arithmetic, discount: "difference" },
    },
  );
  const told = explained(book, { account: "OLDIE01", product: "PLY", quantity: "11" });
  expect(told.arithmetic.slice(2, 4)).toEqual([
    "11 EACH at £2.69 per EACH in full: £29.59",
    "Less the discounts, £0.20175 on each £2.69: £2.21925, rounded £2.22; that leaves £27.37",
  ]);
});
