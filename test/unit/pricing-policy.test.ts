import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  checkPolicyExamples,
  knownPolicies,
  loadPolicy,
  readPolicy,
} from "../../src/pricing/index.ts";
import type { Policy } from "../../src/pricing/engine/index.ts";
import { bookOf, differences } from "../support/price-table.ts";
import type { Tables } from "../support/price-table.ts";

const file = "mappings/generic/pricing.yaml";
const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

/** The generic policy with one piece of its text replaced. */
function changed(from: string | RegExp, to: string): Policy {
  const next = text.replace(from, to);
  if (next === text) throw new Error(`the policy has no ${from}`);
  return readPolicy({ file, text: next });
}

function problemsOf(from: string | RegExp, to: string): string {
  try {
    changed(from, to);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

describe("a policy file", () => {
  test("that asks for something unknown is refused, with the line and the nearest match", () => {
    expect(
      [
        problemsOf("draw: promotions", "draw: promotion"),
        problemsOf("compete: lowest", "compete: lowst"),
        problemsOf("compete: lowest", "compete: [particular, newset]"),
        problemsOf(/\n    hit: stop/, "\n    unless: [Quotation]\n    hit: stop"),
        problemsOf("productGroups:", "productGroup:"),
        problemsOf("rounding: half-away", "rounding: half-aways"),
        problemsOf("places: 4", "places: 9"),
        problemsOf("customer: price-list", "customer: pricelist"),
        problemsOf(/(Base price\n[^]*?)hit: compete/, "$1hit: stop"),
        problemsOf(/steps:[^]*arithmetic/, "steps: []\narithmetic"),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:58: steps[3].draw: found the text "promotion", expected one of quotations, rules, promotions, account-discount, base, hidden (nearest match "promotions")
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:35: steps[0].compete: found the text "lowst", expected one of lowest, highest, particular, newest, oldest, priority, most-conditions, highest-break, list-order, sold-in or a list
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:35: steps[0].compete[1]: found the text "newset", expected one of lowest, highest, particular, newest, oldest, priority, most-conditions, highest-break, list-order, sold-in (nearest match "newest")
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:36: steps[0].unless[0]: found "Quotation", expected no name, since this is the first step
      mappings/generic/pricing.yaml cannot be used: 2 problems
        mappings/generic/pricing.yaml:1: productGroups: found nothing, expected one of own, with-parents
        mappings/generic/pricing.yaml:14: productGroup: found the key "productGroup", expected one of policy, about, decides, productGroups, vatFrom, breaks, zero, otherCurrency, base, steps, arithmetic, switches (nearest match "productGroups")
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:77: arithmetic.unitPrice.rounding: found the text "half-aways", expected one of half-away, half-even, half-up, down, up (nearest match "half-away")
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:77: arithmetic.unitPrice.places: found the number 9, expected at most 6
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:25: base[0].customer: found the text "pricelist", expected one of account, head-office, buying-group, customer-group, site, branch, price-list, everyone (nearest match "price-list")
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:73: steps[5].hit: found stop after "Price or discount", which goes on, expected steps with hit: stop first, or an \`unless\` that names what it stands in for, or from: running
      mappings/generic/pricing.yaml cannot be used: 1 problem
        mappings/generic/pricing.yaml:30: steps: found a list of 0, expected at least 1 list item"
    `);
  });

  test("that is not there is refused with those that are", async () => {
    await expect(loadPolicy("genric")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: the price policy "genric" of the settings does not exist (looked for genric/pricing.yaml in mappings); there are: generic, opera-3, sage-200, sage-50, sage-accounting. Did you mean generic?]`,
    );
  });

  test("of the company's own folder is taken before a shipped one, with its examples", async () => {
    const own = mkdtempSync(join(tmpdir(), "tradepost-policies-"));
    onTestFinished(() => rmSync(own, { recursive: true }));
    mkdirSync(join(own, "harrow"));
    writeFileSync(
      join(own, "harrow", "pricing.yaml"),
      text.replace("policy: generic", "policy: harrow"),
    );
    expect((await loadPolicy("harrow", {}, [own])).policy).toBe("harrow");
    expect(await knownPolicies([own])).toContain("harrow");
    expect(await checkPolicyExamples("harrow", [own])).toBeNull();
    mkdirSync(join(own, "generic"));
    writeFileSync(join(own, "generic", "pricing.yaml"), text.replace("places: 4", "places: 3"));
    expect((await loadPolicy("generic", {}, [own])).arithmetic.unitPrice.scale).toBe(3);
    expect((await loadPolicy("generic")).arithmetic.unitPrice.scale).toBe(4);
  });

  test("is known by its text: any change gives another version", () => {
    expect(changed("Net price", "Net prices").version).not.toBe(readPolicy({ file, text }).version);
  });
});

const TABLES: Tables = {
  rules: `
    rule | whom            | what         | gives  | from | dates | notes
    S    | everyone        | product PLY  | £40.00 |      |       |
    B    | everyone        | product BRK  | £100.00|      |       |
    G    | group TRADE     | group SHEET  | £30.00 |      |       |
    P    | account BUILD01 | product PLY  | £35.00 |      |       |
    T    | everyone        | group TIMBER | 50% off|      |       |
    N    | account OLDIE01 | product PLY  | £44.00 |      |       | net
    M    | everyone        | group SHEET  | £43.00 |      |       | net`,
  quotations: `
    quotation | account | product | quantity | gives
    Q-9       | PLAIN01 | PLY     | 50       | £41.00`,
};

describe("a step", () => {
  test("where the particular competes takes the first place that has a price", () => {
    const policy = changed(/(Net price\n[^]*?compete: )lowest/, "$1particular");
    expect(
      differences(
        bookOf(TABLES, policy),
        `
        account | product | unit price
        OLDIE01 | PLY     | 44.0000
        PLAIN01 | PLY     | 43.0000
        `,
      ),
    ).toEqual([]);
    expect(
      differences(
        bookOf(TABLES),
        `
        account | product | unit price
        OLDIE01 | PLY     | 43.0000
        `,
      ),
    ).toEqual([]);
  });

  const withoutNet: Tables = { ...TABLES, rules: (TABLES.rules ?? "").replaceAll("| net", "|") };

  test("that stops ends the search, also where a later step would be cheaper", () => {
    const policy = changed(
      /(Price or discount\n[^]*?)compete: lowest\n(\s+)hit: compete/,
      "$1compete: particular\n$2hit: stop",
    );
    expect(
      differences(
        bookOf(
          {
            ...withoutNet,
            promotions: "promotion|whom|what|gives\nHALF|everyone|everything|90% off",
          },
          policy,
        ),
        `
        account | product | unit price | because
        BUILD01 | PLY     | 35.0000    | Customer price
        `,
      ),
    ).toEqual([]);
  });

  test("where the particular competes is compared with the other steps that compete", () => {
    const policy = changed(/(Account discount\n[^]*?compete: )lowest/, "$1particular");
    expect(
      differences(
        bookOf(withoutNet, policy),
        `
        account | product | unit price
        OLDIE01 | PLY     | 20.0000
        OLDIE01 | BRK     | 92.5000
        `,
      ),
    ).toEqual([]);
  });

  test("for quotations may take them by themselves", () => {
    const policy = changed("applies: when-named", "applies: by-itself");
    expect(
      differences(
        bookOf(TABLES, policy),
        `
        account | product | quantity | unit price | because
        PLAIN01 | PLY     | 50       | 41.0000    | Quotation Q-9
        PLAIN01 | PLY     | 51       | 43.0000    | Product group price, everyone on product group SHEET, net price
        `,
      ),
    ).toEqual([]);
  });
});

test("product groups may stand for themselves alone", () => {
  const tables = {
    rules: `
      rule | whom     | what         | gives
      S    | everyone | product PLY  | £40.00
      B    | everyone | product BEAM | £10.00
      T    | everyone | group TIMBER | 50% off`,
  };
  const table = `
    product | unit price
    PLY     | 40.0000
    BEAM    | 5.0000
  `;
  const policy = changed("productGroups: with-parents", "productGroups: own");
  expect(differences(bookOf(tables, policy), table)).toEqual([]);
});

test("unit prices, line values and VAT have the places and the rounding of the policy", () => {
  const tables = { rules: "rule|whom|what|gives\nS|everyone|product PLY|£1.234567" };
  const policy = readPolicy({
    file,
    text: text.replace(
      /unitPrice: .*\n.*\n.*lineNet: .*\n.*vat: .*/,
      "unitPrice: { places: 2, rounding: down }\n  lineNet: { places: 3, rounding: up }\n  vat: { per: line, places: 0, rounding: half-even }",
    ),
  });
  const table = `
    product | quantity | unit price | net   | VAT
    PLY     | 1        | 1.23       | 1.230 | 0
    PLY     | 2.50001  | 1.23       | 3.076 | 1
  `;
  expect(differences(bookOf(tables, policy), table)).toEqual([]);
});
