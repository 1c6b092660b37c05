import { describe, expect, test } from "vitest";
import { PricesNotReady, openPricing } from "../../src/pricing/index.ts";
import type { PriceAnswer, PriceLine, Pricing, PricingOptions } from "../../src/pricing/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { ORIGIN_ID, pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const NOW = "2026-06-01T09:00:00Z";

interface Opening {
  readonly now?: () => string;
  readonly freshness?: () => readonly (string | null)[];
  readonly log?: (message: string) => void;
}

function open(company: string, opening: Opening = {}): Promise<Pricing> {
  const freshness = opening.freshness;
  const options: PricingOptions = {
    store: database.store,
    company,
    settings: {
      currency: "GBP",
      timeZone: "Europe/London",
      vat: { STANDARD: "20", REDUCED: "5", ZERO: "0" },
    },
    policy: "generic",
    now: () => Temporal.Instant.from(opening.now?.() ?? NOW),
    log: (_, message) => opening.log?.(message),
    ...(freshness === undefined
      ? {}
      : {
          sources: {
            freshness: async () =>
              freshness().map((at) => ({
                source: "erp",
                at: at === null ? null : Temporal.Instant.from(at),
              })),
            origin: async (id) => (id === ORIGIN_ID ? { name: "price-rules-1.csv" } : null),
          },
        }),
  };
  return openPricing(options);
}

type Rule = Partial<Canonical<"price-rule">>;

/** A rule for everyone and everything unless it says otherwise. */
function rule(name: string, value: string, more: Rule = {}): Rule {
  return {
    rule: name,
    customerScope: "everyone",
    productScope: "product",
    productCode: "PLY",
    kind: "fixed",
    value,
    ...more,
  };
}

const forBuild = { customerScope: "account", customerCode: "BUILD01" } as const;

async function merchant(company: string, rules: readonly Rule[]): Promise<void> {
  const { store } = database;
  await pull(store, company, "customer", [
    { account: "BUILD01", name: "Build", priceList: "L1", customerGroup: "TRADE" },
    { account: "PLAIN01", name: "Plain" },
  ]);
  await pull(store, company, "site", [{ account: "BUILD01", site: "JOB7", name: "Job 7" }]);
  await pull(store, company, "branch", [{ branch: "LDS", name: "Leeds" }]);
  await pull(store, company, "price-list", [{ priceList: "L1", name: "Trade" }]);
  await pull(store, company, "product-group", [{ productGroup: "SHEET", name: "Sheet" }]);
  await pull(store, company, "product", [
    { product: "PLY", name: "Plywood", productGroup: "SHEET" },
    { product: "NAIL", name: "Nail" },
    { product: "BRK", name: "Brick", pricingUnit: "1000", sellingUnitsPerPricingUnit: "1000" },
  ]);
  await pull(store, company, "price-rule", rules);
}

function answerTo(lines: readonly PriceLine[]): PriceAnswer {
  const [line] = lines;
  if (line === undefined || line.state === "problem")
    throw new Error(`no answer: ${JSON.stringify(line)}`);
  return line;
}

function priceOf(pricing: Pricing, account = "BUILD01", product = "PLY", on?: string): string {
  const request = { account, lines: [{ product, quantity: "1" }], ...(on ? { on } : {}) };
  return answerTo(pricing.price(request)).unitPrice ?? "unknown";
}

describe("an answer", () => {
  test("has price, VAT, validity, version, freshness and reason", async () => {
    await merchant("ANSWER", [
      rule("S1", "40"),
      rule("C1", "35.505", { ...forBuild, contract: "C-17", validTo: "2026-06-30" }),
    ]);
    const pricing = await open("ANSWER", {
      freshness: () => ["2026-06-01T08:00:00Z", "2026-06-01T07:00:00Z"],
    });
    await pricing.publish();
    const request = { account: "BUILD01", lines: [{ product: "PLY", quantity: "12" }] };
    expect(answerTo(pricing.price(request))).toEqual({
      state: "modelled",
      stateReason: null,
      product: "PLY",
      quantity: "12",
      unitPrice: "35.5050",
      pricingUnit: "EACH",
      net: "426.06",
      vatCode: "STANDARD",
      vatPercent: "20",
      vat: "85.21",
      currency: "GBP",
      validUntil: "2026-06-30T23:00:00Z",
      bookVersion: expect.stringMatching(/^1-[0-9a-f]{8}$/),
      freshness: "2026-06-01T07:00:00Z",
      because: "Contract C-17",
    });
  });

  test("names what is wrong with a line, and the other lines are priced", async () => {
    await merchant("PROBLEMS", [rule("S1", "40")]);
    const pricing = await open("PROBLEMS");
    await pricing.publish();
    const lines = [
      { product: "PLY", quantity: 1 },
      { product: "GONE", quantity: "1" },
      { product: "PLY", quantity: "0" },
      { product: "PLY", quantity: -2 },
      { product: "PLY", quantity: "1,5" },
      { product: "PLY", quantity: 1.123456 },
      { product: "PLY", quantity: Number.NaN },
      { product: "BRK", quantity: "1" },
    ];
    const answers = pricing.price({ account: "PLAIN01", lines });
    expect(
      answers.map((line) =>
        line.state === "problem" ? line.code : (line.unitPrice ?? line.state),
      ),
    ).toEqual([
      "40.0000",
      "unknown-product",
      "bad-quantity",
      "bad-quantity",
      "bad-quantity",
      "bad-quantity",
      "bad-quantity",
      "unknown",
    ]);
    const problems = (asker: object) =>
      pricing
        .price({ account: "BUILD01", lines: [{ product: "PLY", quantity: "1" }], ...asker })
        .map((line) => (line.state === "problem" ? `${line.code}: ${line.detail}` : line.state));
    expect([
      problems({ account: "build01" }),
      problems({ site: "JOB8" }),
      problems({ branch: "HUL" }),
      problems({ quotation: "Q-1" }),
      problems({ on: "2026-02-30" }),
      problems({ site: "JOB7", branch: "LDS", on: "2026-02-28" }),
    ]).toMatchInlineSnapshot(`
      [
        [
          "unknown-account: there is no account "build01"; accounts come from the ERP",
        ],
        [
          "unknown-site: account BUILD01 has no delivery site "JOB8"",
        ],
        [
          "unknown-branch: there is no branch "HUL"",
        ],
        [
          "unknown-quotation: there is no open quotation "Q-1"",
        ],
        [
          "bad-date: "2026-02-30" is no date or moment; expected one such as 2026-03-31 or 2026-03-31T08:00:00Z",
        ],
        [
          "modelled",
        ],
      ]
    `);
  });

  test("by columns is the same answer in integers", async () => {
    await merchant("COLUMNS", [
      rule("S1", "40"),
      rule("S2", "650", { productCode: "BRK" }),
      rule("D1", "12.5", {
        ...forBuild,
        kind: "percent",
        productCode: "BRK",
        validFrom: "2026-07-01",
      }),
    ]);
    const pricing = await open("COLUMNS");
    await pricing.publish();
    const product = ["PLY", "BRK", "NAIL", "GONE", "BRK"];
    const quantity = ["2.5", 250, "1", "1", "x"];
    const columns = pricing.priceColumns({ account: "BUILD01", product, quantity });
    expect(columns).toEqual({
      bookVersion: pricing.book()?.version,
      freshness: null,
      currency: "GBP",
      places: { unitPrice: 4, net: 2, vat: 2 },
      unitPrice: [400_000, 6_500_000, null, null, null],
      net: [10_000, 16_250, null, null, null],
      vat: [2000, 3250, null, null, null],
      vatCode: ["STANDARD", "STANDARD", "STANDARD", null, null],
      state: ["modelled", "modelled", "unknown", "problem", "problem"],
      validUntil: [null, "2026-06-30T23:00:00Z", null, null, null],
      problems: [
        { line: 3, code: "unknown-product", detail: expect.stringContaining("GONE") },
        { line: 4, code: "bad-quantity", detail: expect.stringContaining('"x"') },
      ],
    });
    const nobody = pricing.priceColumns({ account: "X", product: ["PLY"], quantity: [1] });
    expect([nobody.currency, nobody.state, nobody.problems[0]?.code]).toEqual([
      null,
      ["problem"],
      "unknown-account",
    ]);
  });
});

describe("dates are the company's", () => {
  test("a price changes at midnight in London, in winter, in summer and on both clock changes", async () => {
    await merchant("CLOCKS", [
      rule("S1", "1", { validTo: "2026-03-28" }),
      rule("S2", "2", { validFrom: "2026-03-29", validTo: "2026-03-29" }),
      rule("S3", "3", { validFrom: "2026-03-30", validTo: "2026-10-24" }),
      rule("S4", "4", { validFrom: "2026-10-25", validTo: "2026-10-25" }),
      rule("S5", "5", { validFrom: "2026-10-26" }),
    ]);
    let now = NOW;
    const pricing = await open("CLOCKS", { now: () => now });
    await pricing.publish();
    const at = (moment: string) => {
      now = moment;
      const [line] = pricing.price({
        account: "PLAIN01",
        lines: [{ product: "PLY", quantity: "1" }],
      });
      return line?.state === "modelled" ? [line.unitPrice, line.validUntil] : line;
    };
    expect(at("2026-03-28T23:59:59Z")).toEqual(["1.0000", "2026-03-29T00:00:00Z"]);
    expect(at("2026-03-29T00:00:00Z")).toEqual(["2.0000", "2026-03-29T23:00:00Z"]);
    expect(at("2026-03-29T22:59:59Z")).toEqual(["2.0000", "2026-03-29T23:00:00Z"]);
    expect(at("2026-03-29T23:00:00Z")).toEqual(["3.0000", "2026-10-24T23:00:00Z"]);
    expect(at("2026-10-24T22:59:59Z")).toEqual(["3.0000", "2026-10-24T23:00:00Z"]);
    expect(at("2026-10-24T23:00:00Z")).toEqual(["4.0000", "2026-10-26T00:00:00Z"]);
    expect(at("2026-10-25T23:59:59Z")).toEqual(["4.0000", "2026-10-26T00:00:00Z"]);
    expect(at("2026-10-26T00:00:00Z")).toEqual(["5.0000", null]);
    expect(at("2026-03-28T12:00:00Z")).toEqual(["1.0000", "2026-03-29T00:00:00Z"]);
  });
});

describe("publishing", () => {
  test("before the first book there are no prices, and the error says what to do", async () => {
    const pricing = await open("EMPTY");
    expect(pricing.book()).toBeNull();
    expect(await pricing.refresh()).toBe(false);
    const ask = () => pricing.price({ account: "BUILD01", lines: [] });
    expect(ask).toThrow(PricesNotReady);
    expect(ask).toThrowErrorMatchingInlineSnapshot(
      `[PricesNotReady: Pricing for EMPTY: no price book has been published yet. Pull its customers, products and prices first; the book is published by itself after the run.]`,
    );
  });

  test("the same content keeps its version, another gets the next, and no version is skipped", async () => {
    await merchant("VERSIONS", [rule("S1", "40")]);
    const pricing = await open("VERSIONS");
    const first = await pricing.publish();
    expect(await pricing.publish()).toMatchObject({ version: first.version, rules: 1 });
    await pull(database.store, "VERSIONS", "price-rule", [rule("S1", "41")]);
    expect(priceOf(pricing)).toBe("40.0000");
    const second = await pricing.publish();
    expect(second.version).toMatch(/^2-/);
    expect(priceOf(pricing)).toBe("41.0000");
    const rows = await database.store.query(
      "select version, rules, runs, policy from price_book where company = 'VERSIONS' order by 1",
    );
    expect(rows).toEqual([
      { version: 1, rules: 1, runs: expect.anything(), policy: "generic" },
      { version: 2, rules: 1, runs: expect.anything(), policy: "generic" },
    ]);
  });

  test("records the runs that the book was compiled from", async () => {
    await merchant("RUNS", [rule("S1", "40"), rule("S2", "3", { productCode: "NAIL" })]);
    await (await open("RUNS")).publish();
    const [row] = await database.store.query<{ runs: Record<string, string[]> }>(
      "select runs from price_book where company = 'RUNS'",
    );
    const stored = await database.store.query<{ id: string }>(
      "select distinct run_id as id from price_rule where company = 'RUNS' order by 1",
    );
    expect(row?.runs["price-rule"]).toEqual(stored.map(({ id }) => id));
    expect(Object.keys(row?.runs ?? {}).sort()).toEqual([
      "branch",
      "customer",
      "customer-price-list",
      "price-formula",
      "price-list",
      "price-rule",
      "product",
      "product-group",
      "product-unit",
      "promotion",
      "quotation",
      "quotation-line",
      "site",
    ]);
  });

  test("another process takes the new version over, and both hold the same", async () => {
    await merchant("TWO", [rule("S1", "40")]);
    const one = await open("TWO");
    const two = await open("TWO");
    await one.publish();
    expect(await two.refresh()).toBe(true);
    expect(await two.refresh()).toBe(false);
    await pull(database.store, "TWO", "price-rule", [rule("S1", "41")]);
    await one.publish();
    expect(priceOf(two)).toBe("40.0000");
    expect(await two.refresh()).toBe(true);
    expect(priceOf(two)).toBe("41.0000");
    expect(two.book()).toEqual(one.book());
  });

  test("processes that publish at once agree on one version", async () => {
    await merchant("RACE", [rule("S1", "40")]);
    const all = await Promise.all(Array.from({ length: 4 }, () => open("RACE")));
    const published = await Promise.all(all.map((pricing) => pricing.publish()));
    expect(new Set(published.map(({ version }) => version)).size).toBe(1);
    expect(published[0]?.version).toMatch(/^1-/);
  });

  test("a version of another policy or release is taken over by number, never fought over", async () => {
    await merchant("MAKERS", [rule("S1", "40")]);
    const pricing = await open("MAKERS");
    const { version } = await pricing.publish();
    await database.store.affect(
      `insert into price_book select company, 2, 'other', 'other maker', policy, rules, bytes, runs, published_at, freshness
         from price_book where company = 'MAKERS'`,
    );
    expect(await pricing.refresh()).toBe(true);
    expect(pricing.book()?.version).toBe(version.replace(/^1/, "2"));
    expect(await pricing.refresh()).toBe(false);
  });

  test("freshness moves without a new version, in every process", async () => {
    await merchant("FRESH", [rule("S1", "40")]);
    let applied: string | null = "2026-06-01T07:00:00Z";
    const one = await open("FRESH", { freshness: () => [applied, "2026-06-01T12:00:00Z"] });
    const two = await open("FRESH");
    const { version } = await one.publish();
    await two.refresh();
    applied = "2026-06-01T08:00:00Z";
    expect(await one.publish()).toMatchObject({ version });
    expect(await two.refresh()).toBe(false);
    expect([one.book()?.freshness, two.book()?.freshness]).toEqual([applied, applied]);
    // A source that never came has nothing that could have gone stale.
    applied = null;
    await one.publish();
    expect(one.book()?.freshness).toBe("2026-06-01T12:00:00Z");
  });

  test("rules for something that is not there are reported once a publication", async () => {
    await merchant("ORPHANS", [rule("S1", "40"), rule("X1", "1", { productCode: "GONE" })]);
    const said: string[] = [];
    const pricing = await open("ORPHANS", { log: (message) => said.push(message) });
    await pricing.publish();
    expect(pricing.book()?.unreached).toEqual({ count: 1, examples: ["product GONE"] });
    expect(said.filter((line) => line.includes("product GONE"))).toHaveLength(1);
  });

  test("codes with tabs, quotes, backslashes, line ends and accents arrive as they are", async () => {
    const company = "O'BRIEN \\";
    const codes = ["TAB\tBED", "BACK\\SLASH", "LINE\nEND", "\\N", 'QUOTE"D', "ÉTÉ ½″ 🧱"];
    await merchant(
      company,
      codes.map((code, at) =>
        rule(code, String(at + 1), { productCode: code, contract: `${code}!`, unit: null }),
      ),
    );
    await pull(
      database.store,
      company,
      "product",
      codes.map((code) => ({ product: code, name: code })),
    );
    const pricing = await open(company);
    await pricing.publish();
    const answers = pricing.price({
      account: "PLAIN01",
      lines: codes.map((product) => ({ product, quantity: "1" })),
    });
    expect(
      answers.map((line) => (line.state === "problem" ? line : [line.unitPrice, line.because])),
    ).toEqual(codes.map((code, at) => [`${at + 1}.0000`, `Contract ${code}!`]));
  });
});

describe("quotations and promotions", () => {
  test("only an open quotation holds, for the order that names it", async () => {
    const { store } = database;
    await merchant("QUOTED", [rule("S1", "40")]);
    const head = { account: "BUILD01", quotedOn: "2026-05-01", expiresOn: "2026-06-30" };
    await pull(store, "QUOTED", "quotation", [
      { ...head, quotation: "Q-1" },
      { ...head, quotation: "Q-2", state: "lost" },
    ]);
    const line = { line: 1, product: "PLY", quantity: "10" };
    await pull(store, "QUOTED", "quotation-line", [
      { ...line, quotation: "Q-1", unitPrice: "33" },
      { ...line, quotation: "Q-2", unitPrice: "1" },
    ]);
    const pricing = await open("QUOTED");
    await pricing.publish();
    const named = (quotation: string | null) => {
      const lines = [{ product: "PLY", quantity: "10" }];
      const [answer] = pricing.price({ account: "BUILD01", quotation, lines });
      return answer?.state === "problem" ? answer.code : answer?.unitPrice;
    };
    expect([named(null), named("Q-1"), named("Q-2")]).toEqual([
      "40.0000",
      "33.0000",
      "unknown-quotation",
    ]);
  });

  test("a dated promotion is in the price and in its validity", async () => {
    await merchant("PROMO", [rule("S1", "40")]);
    await pull(database.store, "PROMO", "promotion", [
      {
        promotion: "JUNE",
        name: "June",
        customerScope: "everyone",
        customerCode: "*",
        productScope: "product-group",
        productCode: "SHEET",
        kind: "percent",
        value: "10",
        validFrom: "2026-06-02",
        validTo: "2026-06-30",
      },
    ]);
    const pricing = await open("PROMO");
    await pricing.publish();
    expect(priceOf(pricing)).toBe("40.0000");
    expect(priceOf(pricing, "PLAIN01", "PLY", "2026-06-02")).toBe("36.0000");
    const { explanation } = await told(pricing, "PLAIN01", "PLY", "2026-06-02");
    expect(explanation.candidates.find(({ taken }) => taken)?.rows).toMatchObject([
      { record: "promotion", row: "JUNE", originId: ORIGIN_ID, line: 1 },
    ]);
  });
});

async function told(pricing: Pricing, account: string, product: string, on: string) {
  const request = { account, on, lines: [{ product, quantity: "120" }] };
  const [line] = await pricing.explain(request);
  if (line === undefined || line.state === "problem") throw new Error(JSON.stringify(line));
  return line;
}

describe("an explanation", () => {
  test("leads from every candidate to the row of the file that it came from", async () => {
    await merchant("EXPLAIN", [
      rule("S1", "40"),
      rule("C1", "35", { ...forBuild, contract: "C-17" }),
      rule("C1", "33", { ...forBuild, contract: "C-17", fromQuantity: "100" }),
      rule("G1", "2.5", {
        kind: "percent",
        customerScope: "customer-group",
        customerCode: "TRADE",
        productScope: "product-group",
        productCode: "SHEET",
      }),
      rule("TWIN", "40"),
    ]);
    const pricing = await open("EXPLAIN", { freshness: () => [NOW] });
    await pricing.publish();
    const line = await told(pricing, "BUILD01", "PLY", "2026-06-01");
    expect(line).toMatchObject({ unitPrice: "33.0000", net: "3960.00", state: "modelled" });
    expect(line.explanation.arithmetic).toMatchInlineSnapshot(`
      [
        "Contract C-17: £33.00 per EACH from 100",
        "120 EACH at £33.00 per EACH: £3,960.00",
        "VAT STANDARD at 20% of £3,960.00: £792.00",
        "Rounding: unit price to 4 places, line to 2 places, VAT to 2 places; halves up, away from zero",
      ]
    `);
    expect(
      line.explanation.candidates.map(({ rule, why, rows }) =>
        [rule, why, ...rows.map((row) => `${row.row} @ ${row.origin}:${row.line}`)].join(" | "),
      ),
    ).toMatchInlineSnapshot(`
      [
        "Contract C-17: £33.00 per EACH from 100 | gives the price | C1 from 100 @ price-rules-1.csv:3",
        "Contract C-17: £35.00 per EACH | a higher break of the rule is reached | C1 @ price-rules-1.csv:2",
        "Standard price: £40.00 per EACH | another base price is as low or lower | S1 @ price-rules-1.csv:1 | TWIN @ price-rules-1.csv:5",
        "Product group discount: 2.5% off | dearer by £6.00 per EACH | G1 @ price-rules-1.csv:4",
        "Standard price: £40.00 per EACH | is the base price; dearer by £7.00 per EACH | S1 @ price-rules-1.csv:1 | TWIN @ price-rules-1.csv:5",
      ]
    `);
    const plain = pricing.price({
      account: "BUILD01",
      on: "2026-06-01",
      lines: [{ product: "PLY", quantity: "120" }],
    });
    const { explanation: _, ...answer } = line;
    expect(plain).toEqual([answer]);
  });

  test("the discount on the account ends at the customer's own row", async () => {
    await merchant("OWNROW", [rule("S1", "40")]);
    await pull(database.store, "OWNROW", "customer", [
      { account: "PLAIN01", name: "Plain", discountPercent: "5" },
    ]);
    const pricing = await open("OWNROW", { freshness: () => [NOW] });
    await pricing.publish();
    const line = await told(pricing, "PLAIN01", "PLY", "2026-06-01");
    expect(line).toMatchObject({ unitPrice: "38.0000" });
    const own = line.explanation.candidates.find(({ entry }) => entry === null);
    expect(own).toMatchObject({
      rule: "Account discount: 5% off",
      taken: true,
      rows: [{ record: "customer", row: "PLAIN01", line: 1 }],
    });
    expect(line.explanation.arithmetic[1]).toBe(
      "Account discount: 5% off: £40.00 − £2.00 = £38.00 per EACH",
    );
    await database.store.query(
      `update customer set discount_percent = 6 where company = 'OWNROW' and account = 'PLAIN01'`,
    );
    const changed = await told(pricing, "PLAIN01", "PLY", "2026-06-01");
    expect(changed.explanation.candidates.find(({ entry }) => entry === null)?.rows).toEqual([]);
  });

  test("a row that has changed since is not taken for the one that the price came from", async () => {
    await merchant("CHANGED", [rule("S1", "40")]);
    const pricing = await open("CHANGED");
    await pricing.publish();
    await pull(database.store, "CHANGED", "price-rule", [rule("S1", "41")]);
    const line = await told(pricing, "PLAIN01", "PLY", "2026-06-01");
    expect(line.unitPrice).toBe("40.0000");
    expect(line.explanation.candidates.map(({ rows }) => rows)).toEqual([[]]);
  });
});
