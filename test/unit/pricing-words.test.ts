/** Each word that a price policy can say, tried on a table that a finance person can read. */
import { describe, expect, test } from "vitest";
import { readPolicy } from "../../src/pricing/index.ts";
import type { Policy } from "../../src/pricing/engine/index.ts";
import { bookOf, differences, explained } from "../support/price-table.ts";
import type { Tables } from "../support/price-table.ts";

const PLACES =
  "customers: [account, head-office, buying-group, customer-group, price-list, everyone], products: [product, product-group, everything]";

interface Words {
  readonly steps: string;
  readonly above?: string;
  readonly arithmetic?: string;
}

/** A policy of these steps; `PLACES` stands for all places. */
function policyOf({ steps, above = "", arithmetic = "" }: Words): Policy {
  const text = `policy: words
about: Tried here.
productGroups: with-parents
${above}
base:
  - { customer: price-list, product: product }
  - { customer: everyone, product: product }
steps:
${steps.replaceAll("PLACES", PLACES)}
arithmetic:
  unitPrice: { places: 4, rounding: half-away }
  lineNet: { places: 2, rounding: half-away }
  vat: { per: line, places: 2, rounding: half-away }
${arithmetic}`;
  return readPolicy({ file: "words.yaml", text });
}

/** One step in which all rules compete by these words. */
function competing(compete: string, more = ""): Policy {
  return policyOf({
    steps: `  - { step: Rules, draw: rules, compete: ${compete}, hit: stop, withBase: true, ${more}
    PLACES }`,
  });
}

/** What the table expects and the policy answers otherwise. */
function wrongIn(tables: Tables, policy: Policy, expectation: string): string[] {
  return differences(bookOf(tables, policy), expectation);
}

describe("compete", () => {
  const three: Tables = {
    rules: `
      rule | whom            | what        | gives  | from | dates         | priority | where
      A    | account PLAIN01 | product PLY | £30.00 | 1    | 2026-01-01 .. | 1        |
      B    | everyone        | group SHEET | £20.00 | 10   | 2026-05-01 .. | 3        |
      C    | everyone        | group TIMBER| £40.00 | 5    | 2025-05-01 .. | 2        | channel=web
      D    | everyone        | product PLY | £50.00 |      |               |          |`,
  };
  test.each([
    ["lowest", "20.0000"],
    ["highest", "50.0000"],
    ["particular", "30.0000"],
    ["newest", "20.0000"],
    ["oldest", "40.0000"],
    ["priority", "20.0000"],
    ["most-conditions", "40.0000"],
    ["highest-break", "20.0000"],
  ])("%s", (word, price) => {
    const policy = competing(word === "oldest" ? "[oldest]" : `[${word}]`);
    const withoutBase = competing(`[${word}]`).steps.map((step) => ({ ...step, withBase: false }));
    const of = word === "oldest" ? { ...policy, steps: withoutBase } : policy;
    expect(
      wrongIn(
        three,
        of,
        `
      product | quantity | stated      | unit price
      PLY     | 10       | channel=web | ${price}
      `,
      ),
    ).toEqual([]);
  });

  test("in order: what one comparator cannot tell the next one does", () => {
    const tables = {
      rules: `
        rule | whom     | what        | gives  | priority | dates
        A    | everyone | group SHEET | £30.00 | 2        |
        B    | everyone | group SHEET | £20.00 | 1        |
        C    | everyone | group SHEET | £25.00 | 2        |`,
    };
    const table = (price: string) => `product | unit price\nPLY | ${price}`;
    expect(wrongIn(tables, competing("[priority, lowest]"), table("25.0000"))).toEqual([]);
    expect(wrongIn(tables, competing("[priority, highest]"), table("30.0000"))).toEqual([]);
  });

  test("particular: the nearest of a product's groups comes first", () => {
    const tables = {
      rules: `
        rule | whom     | what         | gives
        A    | everyone | group TIMBER | £20.00
        B    | everyone | group SHEET  | £30.00`,
    };
    expect(wrongIn(tables, competing("particular"), "product | unit price\nPLY | 30.0000")).toEqual(
      [],
    );
  });

  test("list-order: the list that comes first among the account's", () => {
    const tables = {
      masters: {
        customerPriceLists: [
          { account: "BUILD01", priceList: "RETAIL", position: 1, closes: false },
        ],
      },
      rules: `
        rule | whom        | what        | gives
        A    | list L1     | group SHEET | £20.00
        B    | list RETAIL | group SHEET | £30.00`,
    };
    const table = (price: string) => `account | product | unit price\nBUILD01 | PLY | ${price}`;
    expect(wrongIn(tables, competing("list-order"), table("30.0000"))).toEqual([]);
    expect(wrongIn(tables, competing("lowest"), table("20.0000"))).toEqual([]);
  });

  test("sold-in: a rule for the line's own unit comes before one for any", () => {
    const tables = {
      masters: { productUnits: [{ product: "PLY", unit: "PACK", sellingUnits: "10" }] },
      rules: `
        rule | whom     | what        | gives   | notes
        A    | everyone | group SHEET | £20.00  |
        B    | everyone | group SHEET | £250.00 | per PACK sold in PACK`,
    };
    expect(
      wrongIn(
        tables,
        competing("sold-in"),
        `
      product | quantity | unit | unit price | net
      PLY     | 2        | PACK | 250.0000   | 500.00
      PLY     | 2        |      | 20.0000    | 40.00
      `,
      ),
    ).toEqual([]);
  });
});

test("a list that closes is used only where none before has a price, and closes those behind it", () => {
  const tables = {
    masters: {
      customerPriceLists: [
        { account: "BUILD01", priceList: "L1", position: 1, closes: false },
        { account: "BUILD01", priceList: "L2", position: 2, closes: true },
        { account: "BUILD01", priceList: "L3", position: 3, closes: false },
      ],
    },
    rules: `
      rule | whom    | what         | gives
      A    | list L1 | product PLY  | £10.00
      B    | list L2 | product PLY  | £9.00
      C    | list L2 | product NAIL | £8.00
      D    | list L3 | product NAIL | £7.00
      E    | list L3 | product BEAM | £6.00
      F    | everyone| product BRK  | £5.00`,
  };
  const policy = policyOf({ steps: "  - { step: Base, draw: base, compete: lowest, hit: stop }" });
  expect(
    wrongIn(
      tables,
      policy,
      `
    account | product | unit price
    BUILD01 | PLY     | 10.0000
    BUILD01 | NAIL    | 8.0000
    BUILD01 | BEAM    | 6.0000
    BUILD01 | BRK     | 5.0000
    `,
    ),
  ).toEqual([]);
});

describe("tie", () => {
  const twins: Tables = {
    rules: `
      rule | whom     | what        | gives  | priority
      A    | everyone | group SHEET | £20.00 | 1
      B    | everyone | group SHEET | £30.00 | 1`,
  };
  test("first: the lower price stands", () => {
    expect(
      wrongIn(twins, competing("priority", "tie: first,"), "product | unit price\nPLY | 20.0000"),
    ).toEqual([]);
  });
  test("ambiguous: there is no price, and the answer says why", () => {
    const policy = competing("priority", "tie: ambiguous,");
    expect(wrongIn(twins, policy, "product | unit price\nPLY | unknown")).toEqual([]);
    const { because, candidates } = explained(bookOf(twins, policy), { product: "PLY" });
    expect(because).toMatch(/ambiguous rules/);
    expect(candidates.map(({ why }) => why)).toContain(
      "nothing tells it apart from another rule that holds",
    );
  });
});

describe("takes: stacked", () => {
  const tables: Tables = {
    rules: `
      rule | whom            | what        | gives   | priority | notes
      S    | everyone        | product PLY | £100.00 |          |
      A    | account PLAIN01 | product PLY | 10% off | 1        | stacks add
      B    | everyone        | group SHEET | 20% off | 2        | stacks SECOND`,
  };
  const policy = competing("[priority]", "takes: stacked,");
  const second = (how: string): Tables => ({
    rules: (tables.rules ?? "").replace("stacks SECOND", how),
  });
  test("add: percents are off the original and add up", () => {
    expect(wrongIn(second("stacks add"), policy, "product | unit price\nPLY | 70.0000")).toEqual(
      [],
    );
  });
  test("compound: each is off what the others leave, low priority first", () => {
    expect(
      wrongIn(second("stacks compound"), policy, "product | unit price\nPLY | 72.0000"),
    ).toEqual([]);
    const told = explained(bookOf(second("stacks compound"), policy), { product: "PLY" });
    expect(told.arithmetic).toEqual([
      "Standard price: £100.00 per EACH",
      "Customer discount: 10% off: £100.00 − £10.00 = £90.00",
      "Product group discount: 20% off: £90.00 − £18.00 = £72.00",
      "1 EACH at £72.00 per EACH: £72.00",
      "VAT STANDARD at 20% of £72.00: £14.40",
      "Rounding: unit price to 4 places, line to 2 places, VAT to 2 places; halves up, away from zero",
    ]);
  });
  test("one that stands alone wins, and those that may stack come on top", () => {
    expect(wrongIn(second("alone"), policy, "product | unit price\nPLY | 70.0000")).toEqual([]);
  });
  test("stacked-only: nothing when the winner is none that may stack", () => {
    const only = competing("[priority]", "takes: stacked-only,");
    expect(wrongIn(second("alone"), only, "product | unit price\nPLY | unknown")).toEqual([]);
    expect(wrongIn(second("stacks add"), only, "product | unit price\nPLY | 70.0000")).toEqual([]);
  });
});

describe("hit, from, unless and sign", () => {
  const tables: Tables = {
    rules: `
      rule | whom            | what        | gives   | notes
      S    | everyone        | product PLY | £100.00 |
      A    | account PLAIN01 | product PLY | 10% off |
      B    | everyone        | group SHEET | 20% off |
      N    | account CHURCH  | product PLY | £50.00  | net
      C    | everyone        | everything  | -5% off |`,
  };
  const base = "  - { step: Base, draw: base, compete: lowest, hit: continue }\n";
  const own = (from: string) =>
    `  - { step: Own, draw: rules, customers: [account], products: [product], only: not-net, from: ${from}, compete: lowest, hit: continue }\n`;
  const group = (from: string) =>
    `  - { step: Group, draw: rules, customers: [everyone], products: [product-group], from: ${from}, compete: lowest, hit: continue }\n`;
  const price = (of: string) => `product | unit price\nPLY | ${of}`;

  test("continue with from: running compounds", () => {
    expect(
      wrongIn(
        tables,
        policyOf({ steps: base + own("running") + group("running") }),
        price("72.0000"),
      ),
    ).toEqual([]);
  });
  test("continue with from: base adds percents up", () => {
    expect(
      wrongIn(tables, policyOf({ steps: base + own("base") + group("base") }), price("70.0000")),
    ).toEqual([]);
  });
  test("compete: the lowest of neighbouring steps wins", () => {
    const steps = (own("base") + group("base")).replaceAll("hit: continue", "hit: compete");
    expect(wrongIn(tables, policyOf({ steps }), price("80.0000"))).toEqual([]);
  });
  test("stop: later steps are not looked at", () => {
    const steps = own("base").replace("hit: continue", "hit: stop") + group("base");
    expect(wrongIn(tables, policyOf({ steps }), price("90.0000"))).toEqual([]);
  });
  test("unless: a step is not looked at when one of these gave something", () => {
    const blocked = group("running").replace("draw: rules", "draw: rules, unless: [Own]");
    const policy = policyOf({ steps: base + own("running") + blocked });
    expect(
      wrongIn(
        tables,
        policy,
        `account | product | unit price\nPLAIN01 | PLY | 90.0000\nHQ | PLY | 80.0000`,
      ),
    ).toEqual([]);
    const told = explained(bookOf(tables, policy), { product: "PLY" });
    expect(told.candidates.find(({ step }) => step === "Group")?.why).toBe(
      'does not count where "Own" applies',
    );
  });
  test("sign: a step for surcharges leaves discounts to another", () => {
    const surcharge = `  - { step: Surcharge, draw: rules, customers: [everyone], products: [product-group, everything], sign: surcharge, from: running, compete: highest, hit: continue }\n`;
    expect(wrongIn(tables, policyOf({ steps: base + surcharge }), price("105.0000"))).toEqual([]);
    const discount = surcharge.replace("sign: surcharge", "sign: discount");
    expect(wrongIn(tables, policyOf({ steps: base + discount }), price("80.0000"))).toEqual([]);
  });
  test("only and kinds: a net price by itself, and percents by themselves", () => {
    const net = `  - { step: Net, draw: rules, only: net, kinds: [fixed], compete: lowest, hit: stop,
    PLACES }\n`;
    const percents = `  - { step: Percents, draw: rules, kinds: [percent], compete: lowest, hit: compete,
    PLACES }\n`;
    expect(
      wrongIn(
        tables,
        policyOf({ steps: net + percents }),
        "account | product | unit price\nCHURCH | PLY | 50.0000\nHQ | PLY | 80.0000",
      ),
    ).toEqual([]);
  });
});

describe("what a rule can say", () => {
  test("on-request: no price is shown, and a more particular price stands", () => {
    const tables = {
      rules: `
        rule | whom           | what        | gives
        A    | everyone       | product PLY | on request
        B    | account CHURCH | product PLY | £40.00`,
    };
    expect(
      wrongIn(
        tables,
        competing("particular"),
        `
      account | product | unit price | because
      HQ      | PLY     | unknown    | Price on request
      CHURCH  | PLY     | 40.0000    | Customer price
      `,
      ),
    ).toEqual([]);
  });

  test("up to a quantity, and from one moment to another", () => {
    const tables = {
      rules: `
        rule | whom     | what        | gives  | from | to | dates
        A    | everyone | group SHEET | £40.00 |      | 9  |
        B    | everyone | group SHEET | £35.00 | 10   | 19 |
        C    | everyone | group SHEET | £30.00 | 1    |    | 2026-06-01 09:00 .. 2026-06-01 17:30`,
    };
    expect(
      wrongIn(
        tables,
        competing("lowest"),
        `
      product | quantity | on               | unit price | until
      PLY     | 9        | 2026-06-01 08:59 | 40.0000    | 01/06/2026 09:00
      PLY     | 10       | 2026-06-01 08:59 | 35.0000    | 01/06/2026 09:00
      PLY     | 20       | 2026-06-01 08:59 | unknown    | 01/06/2026 09:00
      PLY     | 20       | 2026-06-01 09:00 | 30.0000    | 01/06/2026 17:30
      PLY     | 20       | 2026-06-01 17:30 | unknown    |
      `,
      ),
    ).toEqual([]);
  });

  test("conditions: all must be so, each with one of its values", () => {
    const tables = {
      rules: `
        rule | whom     | what        | gives  | where
        A    | everyone | group SHEET | £40.00 |
        B    | everyone | group SHEET | £35.00 | delivery=collect; channel=web or phone`,
    };
    expect(
      wrongIn(
        tables,
        competing("lowest"),
        `
      product | stated                          | unit price
      PLY     |                                 | 40.0000
      PLY     | delivery=collect                | 40.0000
      PLY     | delivery=collect; channel=phone | 35.0000
      PLY     | delivery=collect; channel=shop  | 40.0000
      `,
      ),
    ).toEqual([]);
  });

  test("a contract covers what is left of it", () => {
    const tables = {
      rules: `
        rule | whom            | what        | gives  | notes
        A    | everyone        | group SHEET | £40.00 |
        B    | account PLAIN01 | product PLY | £35.00 | contract C-1 limit 100 used 70`,
    };
    expect(
      wrongIn(
        tables,
        competing("lowest"),
        `
      product | quantity | unit price
      PLY     | 30       | 35.0000
      PLY     | 31       | 40.0000`,
      ),
    ).toEqual([]);
    const told = explained(bookOf(tables, competing("lowest")), { product: "PLY", quantity: "31" });
    expect(told.candidates[0]?.why).toBe("covers 30 EACH more; 70 are used");
  });

  test("a formula: cost and a margin to the next 5 pence, less a penny, never under the least margin", () => {
    const formula = {
      formula: "F",
      basis: "cost",
      priceList: null,
      roundTo: "0.05",
      rounding: "up",
      adjustment: "-0.01",
      leastMargin: "2",
      mostMargin: null,
    } as const;
    const tables = {
      masters: { priceFormulas: [formula] },
      rules: `
        rule | whom     | what         | gives     | notes
        A    | everyone | product PLY  | -12.3% off| formula F
        B    | everyone | product NAIL | -10% off  | formula F`,
    };
    expect(
      wrongIn(
        tables,
        competing("lowest"),
        `
      product | unit price
      PLY     | 22.4900
      NAIL    | 2.0300`,
      ),
    ).toEqual([]);
    const told = explained(bookOf(tables, competing("lowest")), { product: "PLY", quantity: "1" });
    expect(told.arithmetic.slice(0, 6)).toEqual([
      "Cost: £20.00 per EACH",
      "Standard discount: 12.3% on top, by formula F: £22.46",
      "Formula F: rounded up to a multiple of 0.05: £22.50",
      "then 0.01 less: £22.49",
      "at least 2 above the cost: £22.49",
      "Unit price: £22.49 per EACH",
    ]);
  });

  test("a formula on another list: that list's price, and the base price where it says nothing", () => {
    const formula = {
      formula: "OFF-L1",
      basis: "price-list",
      priceList: "L1",
      roundTo: null,
      rounding: "nearest",
      adjustment: null,
      leastMargin: null,
      mostMargin: null,
    } as const;
    const tables = {
      masters: { priceFormulas: [formula] },
      rules: `
        rule | whom        | what         | gives   | notes
        A    | list L1     | group SHEET  | £50.00  |
        B    | list RETAIL | everything   | 10% off | formula OFF-L1
        C    | everyone    | product NAIL | £2.00   |`,
    };
    expect(
      wrongIn(
        tables,
        competing("particular"),
        `
      product | unit price
      PLY     | 45.0000
      NAIL    | 1.8000`,
      ),
    ).toEqual([]);
  });
});

describe("what a policy says of all prices", () => {
  const breaks: Tables = {
    rules: `
      rule | whom            | what        | gives  | from
      A    | account PLAIN01 | product PLY | £10.00 |
      A    | account PLAIN01 | product PLY | £8.00  | 11
      A    | account PLAIN01 | product PLY | £5.00  | 21`,
  };
  const one = "  - { step: Rules, draw: rules, compete: lowest, hit: stop,\n    PLACES }";

  test("breaks: incremental: each unit costs what its own break says", () => {
    const policy = policyOf({ above: "breaks: incremental", steps: one });
    expect(
      wrongIn(
        breaks,
        policy,
        `
      product | quantity | unit price | net
      PLY     | 10       | 10.0000    | 100.00
      PLY     | 11       | 9.8182     | 108.00
      PLY     | 30       | 7.6667     | 230.00`,
      ),
    ).toEqual([]);
    const told = explained(bookOf(breaks, policy), { product: "PLY", quantity: "30" });
    expect(told.arithmetic.slice(1, 5)).toEqual([
      "10 of them at £10.00 per EACH",
      "10 of them at £8.00 per EACH",
      "10 of them at £5.00 per EACH",
      "30 EACH in all: £230.00",
    ]);
  });

  test("breaks count over what the caller adds up", () => {
    const policy = policyOf({ steps: one });
    expect(
      wrongIn(
        breaks,
        policy,
        `
      product | quantity | in all | unit price | net
      PLY     | 5        |        | 10.0000    | 50.00
      PLY     | 5        | 25     | 5.0000     | 25.00`,
      ),
    ).toEqual([]);
  });

  test("zero: not-set leaves a price of 0 to the next place", () => {
    const tables = {
      rules: `
        rule | whom            | what        | gives
        A    | account PLAIN01 | product PLY | £0.00
        B    | everyone        | group SHEET | £40.00`,
    };
    const price = (of: string) => `product | unit price\nPLY | ${of}`;
    expect(wrongIn(tables, policyOf({ steps: one }), price("0.0000"))).toEqual([]);
    expect(
      wrongIn(tables, policyOf({ above: "zero: not-set", steps: one }), price("40.0000")),
    ).toEqual([]);
  });

  test("otherCurrency: convert works a price out at the settings' rate", () => {
    const tables = {
      masters: { rates: { EUR: "1.25" } },
      rules: "rule|whom|what|gives\nA|everyone|group SHEET|£40.00",
    };
    const ask = (price: string) => `account | product | unit price\nEURO01 | PLY | ${price}`;
    expect(wrongIn(tables, policyOf({ steps: one }), ask("unknown"))).toEqual([]);
    expect(
      wrongIn(tables, policyOf({ above: "otherCurrency: convert", steps: one }), ask("50.0000")),
    ).toEqual([]);
  });

  test("discount: of the unit, of the line, or the difference of the two", () => {
    const tables = {
      rules: `
        rule | whom     | what        | gives
        S    | everyone | product PLY | £9.99
        A    | everyone | group SHEET | 20% off`,
    };
    const net = (discount: string, quantity: string, expected: string) => {
      const arithmetic = `  discount: ${discount}`;
      const text = policyOf({ steps: one, arithmetic });
      const places = { ...text.arithmetic, unitPrice: { scale: 2, mode: "half-away" as const } };
      const table = `product | quantity | net\nPLY | ${quantity} | ${expected}`;
      expect(wrongIn(tables, { ...text, arithmetic: places }, table)).toEqual([]);
    };
    net("unit", "20", "159.80");
    net("line", "20", "159.84");
    net("difference", "20", "159.84");
    net("line", "3", "23.98");
    net("difference", "3", "23.98");
  });

  test("prices: inclusive has VAT in the value of the line", () => {
    const tables = { rules: "rule|whom|what|gives\nA|everyone|group SHEET|£12.00" };
    expect(
      wrongIn(
        tables,
        policyOf({ steps: one, arithmetic: "  prices: inclusive" }),
        `
      product | quantity | unit price | net   | VAT
      PLY     | 1        | 12.0000    | 10.00 | 2.00
      PLY     | 7        | 12.0000    | 70.00 | 14.00`,
      ),
    ).toEqual([]);
  });
});
