import { beforeAll, describe, expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { LINT_KINDS, lintPrices, loadPolicy, summarise } from "../../src/pricing/index.ts";
import type { LintFinding, LintKind } from "../../src/pricing/index.ts";
import { ORIGIN_ID, pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();

async function findings(
  company: string,
  kinds?: readonly LintKind[],
  policy = "generic",
): Promise<LintFinding[]> {
  const found: LintFinding[] = [];
  for await (const finding of lintPrices({
    store: database.store,
    company,
    currency: "GBP",
    policy: await loadPolicy(policy),
    today: "2026-06-01",
    kinds,
    origin: async (id) => (id === ORIGIN_ID ? { name: "price-rules-1.csv" } : null),
  }))
    found.push(finding);
  return found;
}

type Rule = Partial<Canonical<"price-rule">>;

/** A standard price of PLY unless it says otherwise; it costs 6 and its standard price is 10. */
function rule(name: string, more: Rule = {}): Rule {
  return {
    rule: name,
    customerScope: "everyone",
    productScope: "product",
    productCode: "PLY",
    kind: "fixed",
    value: "10",
    ...more,
  };
}

async function merchant(company: string, rules: readonly Rule[]): Promise<void> {
  const { store } = database;
  await pull(store, company, "customer", [
    { account: "BUILD01", name: "Build", customerGroup: "TRADE", priceList: "L1" },
  ]);
  await pull(store, company, "product", [
    {
      product: "PLY",
      name: "Plywood",
      sellingUnit: "EACH",
      pricingUnit: "EACH",
      standardCost: "6",
    },
    {
      product: "BRK",
      name: "Bricks",
      sellingUnit: "EACH",
      pricingUnit: "1000",
      sellingUnitsPerPricingUnit: "1000",
      standardCost: "300",
    },
  ]);
  await pull(store, company, "price-list", [
    { priceList: "L1", name: "One" },
    { priceList: "L9", name: "Nobody's" },
  ]);
  await pull(store, company, "price-rule", rules);
}

const account = { customerScope: "account", customerCode: "BUILD01" } as const;

const CASES: readonly {
  readonly sentence: string;
  readonly rules: readonly Rule[];
  readonly kind: LintKind;
  readonly found: readonly string[];
}[] = [
  {
    sentence: "a rule for a customer, group or list that is not there",
    kind: "orphan",
    rules: [
      rule("A", { customerScope: "account", customerCode: "GONE" }),
      rule("B", { customerScope: "customer-group", customerCode: "NONE" }),
      rule("C", { customerScope: "price-list", customerCode: "L7" }),
      rule("D", account),
    ],
    found: [
      "A is for account GONE, which is not there",
      "B is for customer group NONE, which is not there",
      "C is for price list L7, which is not there",
    ],
  },
  {
    sentence: "a rule on a product or group that is not there",
    kind: "orphan",
    rules: [
      rule("A", { productCode: "OLD" }),
      rule("B", { productScope: "product-group", productCode: "X", kind: "percent", value: "5" }),
    ],
    found: [
      "A is on product OLD, which is not there",
      "B is on product group X, which is not there",
    ],
  },
  {
    sentence:
      "a price in a unit that the product does not have, or a currency in which nobody buys",
    kind: "orphan",
    rules: [
      rule("A", { unit: "PALLET" }),
      rule("B", { productCode: "BRK", unit: "EACH", value: "1" }),
      rule("C", { currency: "EUR" }),
    ],
    found: [
      "A is per or sold in PALLET; PLY is priced per EACH and sold in EACH",
      "C is in EUR, in which no customer buys",
    ],
  },
  {
    sentence: "a rule on a list that no customer is on, or whose quantities leave nothing",
    kind: "unreachable",
    rules: [
      rule("A", { customerScope: "price-list", customerCode: "L9" }),
      rule("B", { ...account, fromQuantity: "10", toQuantity: "5" }),
      rule("C", {
        ...account,
        contract: "K",
        contractQuantity: "100",
        contractUsedQuantity: "100",
      }),
      rule("D", { customerScope: "price-list", customerCode: "L1" }),
    ],
    found: [
      "A is on price list L9, which no customer is on",
      "B from 10 holds from 10 up to 5: no quantity is in between",
      "C is of a contract whose 100 are all used",
    ],
  },
  {
    sentence: "conditions that cannot be read",
    kind: "conditions",
    rules: [
      rule("A", { conditions: "delivery=collect; channel=web|phone" }),
      rule("B", { conditions: "delivery=collect=now" }),
      rule("C", { conditions: "channel=" }),
    ],
    found: [
      'B has the conditions "delivery=collect=now": "delivery=collect=now" is not one attribute=value',
      'C has the conditions "channel=": "channel=" lacks a value',
    ],
  },
  {
    sentence: "a formula that is not there",
    kind: "formula",
    rules: [rule("A", { formula: "F9" })],
    found: ["A is worked out by formula F9, which is not there"],
  },
  {
    sentence: "a break that is dearer than the one before it",
    kind: "non-monotonic-break",
    rules: [
      rule("A", account),
      rule("A", { ...account, fromQuantity: "10", value: "9" }),
      rule("A", { ...account, fromQuantity: "50", value: "9.50" }),
      rule("P", {
        customerScope: "customer-group",
        customerCode: "TRADE",
        kind: "percent",
        value: "10",
      }),
      rule("P", {
        customerScope: "customer-group",
        customerCode: "TRADE",
        kind: "percent",
        value: "8",
        fromQuantity: "20",
      }),
    ],
    found: [
      "A from 50 is dearer than the break before it: fixed 9.5 after 9 from 10",
      "P from 20 is dearer than the break before it: percent 8 after 10 from 0",
    ],
  },
  {
    sentence: "a break that gives nothing more",
    kind: "dominated-break",
    rules: [rule("A", account), rule("A", { ...account, fromQuantity: "10" })],
    found: ["A from 10 gives what the break before it gives already: fixed 10 from 0"],
  },
  {
    sentence: "two rules for the same on the same days, and not two that follow each other",
    kind: "overlap",
    rules: [
      rule("A", { ...account, validFrom: "2026-01-01", validTo: "2026-06-30" }),
      rule("B", { ...account, validFrom: "2026-06-30", value: "11" }),
      rule("C", { validFrom: "2026-01-01", validTo: "2026-06-30" }),
      rule("D", { validFrom: "2026-07-01" }),
    ],
    found: ["B says 11 for account BUILD01, product PLY and A says 10 on the same days"],
  },
  {
    sentence: "nothing to pay",
    kind: "zero-price",
    rules: [rule("A", { value: "0" }), rule("B", { ...account, kind: "percent", value: "100" })],
    found: [
      "A has the price 0 for everyone, product PLY: goods are given away",
      "B takes percent 100 for account BUILD01, product PLY: nothing is left to pay",
    ],
  },
  {
    sentence: "a price below cost, in the unit that it is per, and a discount below cost",
    kind: "below-cost",
    rules: [
      rule("A"),
      rule("B", { ...account, value: "5.99" }),
      rule("C", { ...account, productCode: "BRK", unit: "EACH", value: "0.29" }),
      rule("D", { ...account, kind: "percent", value: "41" }),
      rule("E", { ...account, kind: "percent", value: "40" }),
    ],
    found: [
      "B sells PLY at 5.99, below its cost of 6 (account BUILD01, product PLY)",
      "C sells BRK at 290, below its cost of 300 (account BUILD01, product BRK)",
      "D takes PLY from its standard price of 10 to 5.9, below its cost of 6",
    ],
  },
  {
    sentence: "a rule that is over, and nothing else of it",
    kind: "ended",
    rules: [rule("A", { productCode: "OLD", value: "0", validTo: "2026-05-31" })],
    found: ["A ended on 31/05/2026 and never holds again"],
  },
];

describe("price lint finds", () => {
  test.each(CASES)("$sentence", async ({ sentence, rules, kind, found }) => {
    const company = sentence.slice(0, 38);
    await merchant(company, rules);
    const of = await findings(company);
    expect(
      of.filter((each) => each.kind === kind).map(({ row, what }) => `${row} ${what}`),
    ).toEqual(found);
    if (kind === "ended") expect(of.map((each) => each.kind)).toEqual(["ended"]);
  });

  test("a rule at a place that no step of the policy looks at", async () => {
    await merchant("PLACE", [rule("A", { customerScope: "branch", customerCode: "LDS" })]);
    expect(await findings("PLACE", ["unreachable"])).toEqual([]);
    const [finding] = await findings("PLACE", ["unreachable"], "sage-accounting");
    expect(finding?.what).toBe(
      'is for branch LDS, product PLY: no step of the policy "sage-accounting" looks there',
    );
  });

  test("that 0 is no fault where the policy says that it means not set", async () => {
    await merchant("ZERO", [rule("A", { value: "0" })]);
    const severity = async (policy: string) =>
      (await findings("ZERO", ["zero-price"], policy)).map((each) => each.severity);
    expect(await severity("generic")).toEqual(["warning"]);
    expect(await severity("sage-accounting")).toEqual(["note"]);
  });

  test("promotions that never hold, or name what is not there", async () => {
    await merchant("PROMO", []);
    const promotion = {
      name: "Spring",
      customerScope: "everyone",
      productScope: "everything",
      kind: "percent",
      value: "5",
      validFrom: "2026-01-01",
      validTo: "2026-12-31",
    } as const;
    await pull(database.store, "PROMO", "promotion", [
      { ...promotion, promotion: "FINE" },
      { ...promotion, promotion: "OVER", validTo: "2026-05-31" },
      { ...promotion, promotion: "NOUSE", mostUses: 0 },
      { ...promotion, promotion: "BUNDLE", kind: "bundle", value: null },
      {
        ...promotion,
        promotion: "GIVES",
        kind: "free-goods",
        freeQuantity: "1",
        freeProduct: "OLD",
      },
    ]);
    const of = await findings("PROMO");
    expect(of.map(({ kind, severity, row, what }) => `${kind} ${severity} ${row} ${what}`)).toEqual(
      [
        "orphan error GIVES gives product OLD, which is not there",
        "promotion warning BUNDLE is a bundle without a value, so it never holds",
        "promotion warning NOUSE may be used 0 times, so it never holds",
        "promotion note OVER ended on 31/05/2026, so it never holds",
      ],
    );
  });
});

describe("a finding", () => {
  beforeAll(() => merchant("ROWS", [rule("A"), rule("B", { productCode: 'O"L\\D' })]));

  test("names the file and line of the ERP that the rule came from, and what to do", async () => {
    expect(await findings("ROWS")).toEqual([
      {
        kind: "orphan",
        severity: "error",
        record: "price-rule",
        row: "B",
        what: 'is on product O"L\\D, which is not there',
        instruction: "Correct the code in the ERP, or pull the products.",
        origin: "price-rules-1.csv",
        originId: ORIGIN_ID,
        line: 2,
      },
    ]);
  });

  test("is counted by kind and severity, with the first examples of the worst", async () => {
    const many = async function* (): AsyncGenerator<LintFinding> {
      const [finding] = await findings("ROWS");
      if (finding === undefined) return;
      yield { ...finding, severity: "note", row: "1" };
      yield { ...finding, severity: "warning", row: "2" };
      yield { ...finding, severity: "error", row: "3" };
    };
    const { kinds, errors, warnings, notes } = await summarise(many(), 2);
    expect({ errors, warnings, notes }).toEqual({ errors: 1, warnings: 1, notes: 1 });
    expect(kinds[0]?.count).toBe(3);
    expect(kinds[0]?.examples.map(({ row }) => row).sort()).toEqual(["2", "3"]);
  });
});

test("an unknown company has no findings, whatever its name holds", async () => {
  expect(await findings("O'HARA'; drop table price_rule; --")).toEqual([]);
  expect(LINT_KINDS.length).toBe(11);
});
