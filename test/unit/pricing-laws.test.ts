/** Laws that hold under every policy, tried on policies and rules made up at random. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  COMPARATORS,
  compileBook,
  explainLine,
  explanationAt,
  priceLine,
  recordLine,
  scaled,
  startEnquiry,
  startRecording,
} from "../../src/pricing/engine/index.ts";
import type {
  Enquiry,
  Found,
  Place,
  Policy,
  PolicyStep,
  PriceBook,
  RuleRow,
} from "../../src/pricing/engine/index.ts";
import { MERCHANT, generic } from "../support/price-table.ts";

const RUNS = { numRuns: 300 };

const whom = fc.constantFrom<Pick<RuleRow, "customerScope" | "customerCode">>(
  { customerScope: "account", customerCode: "BUILD01" },
  { customerScope: "customer-group", customerCode: "TRADE" },
  { customerScope: "price-list", customerCode: "L1" },
  { customerScope: "price-list", customerCode: "RETAIL" },
  { customerScope: "everyone", customerCode: null },
);
const what = fc.constantFrom<Pick<RuleRow, "productScope" | "productCode">>(
  { productScope: "product", productCode: "PLY" },
  { productScope: "product-group", productCode: "SHEET" },
  { productScope: "product-group", productCode: "TIMBER" },
  { productScope: "everything", productCode: null },
);
const offer = fc.oneof(
  fc.integer({ min: 0, max: 400 }).map((pence) => ({
    kind: "fixed" as const,
    value: scaled.textOf(pence * 10, 2),
  })),
  fc.constantFrom("5", "12.5", "33.3333", "-7.5").map((value) => ({
    kind: "percent" as const,
    value,
  })),
  fc.constantFrom("0.5", "1.2345", "-2").map((value) => ({ kind: "amount" as const, value })),
  fc.constant({ kind: "on-request" as const, value: "0" }),
);
const rule: fc.Arbitrary<Omit<RuleRow, "rule">> = fc
  .tuple(
    whom,
    what,
    fc.oneof({ weight: 6, arbitrary: offer }, offer),
    fc.record({
      fromQuantity: fc.constantFrom("0", "5", "10"),
      toQuantity: fc.constantFrom(null, null, "9", "20"),
      validFrom: fc.constantFrom(null, "2026-06-01", "2026-07-01"),
      conditions: fc.constantFrom(null, null, "channel=web", "channel=web; delivery=collect"),
      priority: fc.constantFrom(null, 1, 2),
      stack: fc.constantFrom(null, null, "add" as const, "compound" as const),
      net: fc.boolean(),
      contract: fc.constantFrom(null, "C-1"),
    }),
  )
  .map(([customer, product, given, terms]) => ({
    ...customer,
    ...product,
    ...given,
    ...terms,
    currency: "GBP",
    unit: null,
    validTo: null,
    contractQuantity: null,
  }));
const rules: fc.Arbitrary<RuleRow[]> = fc
  .array(rule, { maxLength: 10 })
  .map((all) => all.map((row, at) => ({ ...row, rule: `R${at}` })));

const PLACES: readonly Place[] = (
  ["account", "customer-group", "price-list", "everyone"] as const
).flatMap((customer) =>
  (["product", "product-group", "everything"] as const).map((product) => ({ customer, product })),
);
const step: fc.Arbitrary<Omit<PolicyStep, "step" | "unless">> = fc.record({
  draw: fc.constantFrom(
    "rules" as const,
    "rules" as const,
    "base" as const,
    "account-discount" as const,
  ),
  kinds: fc.constantFrom(null, null, ["fixed"] as const, ["percent", "amount"] as const),
  only: fc.constantFrom("any" as const, "net" as const, "not-net" as const),
  breaks: fc.constant("any" as const),
  sign: fc.constantFrom("any" as const, "any" as const, "surcharge" as const, "discount" as const),
  places: fc.shuffledSubarray([...PLACES], { minLength: 1 }),
  withBase: fc.boolean(),
  applies: fc.constant("by-itself" as const),
  compete: fc.shuffledSubarray([...COMPARATORS], { minLength: 1, maxLength: 3 }),
  tie: fc.constantFrom("first" as const, "first" as const, "ambiguous" as const),
  takes: fc.constantFrom("one" as const, "one" as const, "stacked" as const),
  from: fc.constantFrom("base" as const, "running" as const, "full" as const),
  hit: fc.constantFrom("stop" as const, "compete" as const, "continue" as const),
});
const policy: fc.Arbitrary<Policy> = fc
  .tuple(
    fc.array(fc.tuple(step, fc.nat(7)), { minLength: 1, maxLength: 5 }),
    fc.constantFrom("price" as const, "not-set" as const),
    fc.constantFrom("all-units" as const, "incremental" as const),
    fc.constantFrom("unit" as const, "line" as const, "difference" as const),
  )
  .map(([steps, zero, breaks, discount]) => ({
    ...generic,
    zero,
    breaks,
    arithmetic: { ...generic.arithmetic, discount },
    steps: steps.map(([each, blocks], at) => ({
      ...each,
      step: `S${at}`,
      unless: [...Array(at).keys()]
        .filter((other) => (blocks & (1 << other)) !== 0)
        .map((n) => `S${n}`),
    })),
  }));
const asked = fc.record({
  account: fc.constantFrom("BUILD01", "OLDIE01", "PLAIN01"),
  quantity: fc.constantFrom("1", "5", "10", "21"),
  stated: fc.constantFrom(null, new Map([["channel", "web"]])),
});
type Asked = typeof asked extends fc.Arbitrary<infer Value> ? Value : never;

function bookUnder(under: Policy, all: readonly RuleRow[]): PriceBook {
  return compileBook(under, { ...MERCHANT, rules: all, promotions: [], quotations: [] });
}

function enquiryOf(book: PriceBook, { account, stated }: Asked) {
  return startEnquiry(book, {
    account: book.accounts.numbers.get(account) ?? -1,
    site: -1,
    branch: -1,
    moment: Date.parse("2026-06-15T09:00:00Z"),
    quotation: -1,
    currency: -1,
    conditions: stated,
  });
}

const PLY = (book: PriceBook) => book.products.numbers.get("PLY") ?? -1;

/** What an answer says, without what is only of one book. */
function said({ price, net, vat, until, stepUp, doubt, links }: Found): readonly unknown[] {
  const chain = links?.map(({ does, exact }) => [does, String(exact.digits), exact.scale]);
  return [price, net, vat, until, stepUp, doubt, chain?.length ?? 0, doubt === null ? chain : null];
}

test("the order in which rules come does not matter, whatever the policy", () => {
  fc.assert(
    fc.property(policy, rules, asked, fc.integer(), (under, all, question, seed) => {
      const shuffled = all.toSorted(
        (left, right) =>
          Math.imul(left.rule.charCodeAt(1), seed) - Math.imul(right.rule.charCodeAt(1), seed),
      );
      const one = bookUnder(under, all);
      const other = bookUnder(under, shuffled);
      const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
      expect(said(priceLine(enquiryOf(other, question), PLY(other), quantity))).toEqual(
        said(priceLine(enquiryOf(one, question), PLY(one), quantity)),
      );
    }),
    RUNS,
  );
});

test("an explanation is of the price that is answered, and of lines asked together each alone", () => {
  fc.assert(
    fc.property(
      policy,
      rules,
      fc.array(asked, { minLength: 1, maxLength: 4 }),
      (under, all, questions) => {
        const book = bookUnder(under, all);
        const [first] = questions;
        if (first === undefined) return;
        const enquiry = enquiryOf(book, first);
        for (const { quantity } of questions) {
          const amount = scaled.scaledOf(quantity, 5) ?? 0;
          const together = said(priceLine(enquiry, PLY(book), amount));
          const told = explainLine(enquiry, PLY(book), amount);
          expect(said(enquiry.found)).toEqual(together);
          expect(said(priceLine(enquiryOf(book, first), PLY(book), amount))).toEqual(together);
          const taken = told.candidates.filter((candidate) => candidate.taken);
          if (enquiry.found.doubt === null) expect(taken.length).toBeGreaterThan(0);
          expect(told.candidates.every(({ why }) => why.length > 0)).toBe(true);
        }
      },
    ),
    { numRuns: 600 },
  );
});

/** Policies that plans can tell: steps that stop, then steps that compete, the lowest wins. */
const plannedPolicy: fc.Arbitrary<Policy> = fc
  .tuple(
    fc.array(step, { minLength: 1, maxLength: 5 }),
    fc.nat(5),
    fc.constantFrom("own" as const, "with-parents" as const),
    fc.constantFrom("half-away" as const, "half-even" as const, "down" as const),
  )
  .map(([steps, stops, productGroups, mode]) => ({
    ...generic,
    productGroups,
    arithmetic: { ...generic.arithmetic, unitPrice: { scale: 4, mode } },
    steps: steps.map((each, at) => ({
      ...each,
      step: `S${at}`,
      unless: [],
      compete: ["lowest"],
      tie: "first",
      takes: "one",
      from: "base",
      sign: "any",
      hit: at < stops ? "stop" : "compete",
    })),
  }));

test("a line that is priced by its plan comes to what the steps themselves come to", () => {
  let planned = 0;
  fc.assert(
    fc.property(plannedPolicy, rules, asked, (under, all, question) => {
      const book = bookUnder(under, all);
      const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
      const enquiry = enquiryOf(book, question);
      const found = { ...priceLine(enquiry, PLY(book), quantity) };
      if (enquiry.line.quick) planned += 1;
      const stepwise = { ...enquiryOf(book, question), plan: null };
      priceLine(stepwise, PLY(book), quantity);
      expect(stepwise.line.quick).toBe(false);
      expect(found).toEqual(sameBase(stepwise.found, found));
      expect(lineIn(enquiry)).toEqual(lineIn(stepwise));
    }),
    RUNS,
  );
  expect(planned).toBeGreaterThan(RUNS.numRuns / 10);
});

test("a line that is recorded and worded later is explained as one that is traced", () => {
  let recorded = 0;
  fc.assert(
    fc.property(fc.oneof(plannedPolicy, policy), rules, asked, (under, all, question) => {
      const book = bookUnder(under, all);
      const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
      const enquiry = enquiryOf(book, question);
      const recording = startRecording(enquiry);
      recordLine(recording, PLY(book), 100_000);
      recordLine(recording, PLY(book), quantity);
      if ((recording.ofLines[5] ?? -1) >= 0) recorded += 1;
      const traced = explainLine(enquiryOf(book, question), PLY(book), quantity);
      expect(explanationAt(recording, 1)).toEqual(traced);
    }),
    RUNS,
  );
  expect(recorded).toBeGreaterThan(RUNS.numRuns / 20);
});

/** Where the base price was not looked up, or there is none, its other fields say nothing. */
function sameBase(found: Found, like: Found): Found {
  if (found.base >= 0) return found;
  const { baseTable, baseSubject, baseKey, baseValue, baseWord, baseEntry, basePlain } = like;
  return { ...found, baseTable, baseSubject, baseKey, baseValue, baseWord, baseEntry, basePlain };
}

/** What of a line its words and amounts are worked out of. */
const OF_LINE = [
  ...(["product", "quantity", "counted", "unit", "priceUnit", "perUnit", "netQuantity"] as const),
  ...(["netPer", "plain", "tied", "running"] as const),
];

function lineIn({ line }: Enquiry): readonly unknown[] {
  return OF_LINE.map((field) => line[field]);
}

test("a blocked step changes nothing: without it the price is the same", () => {
  fc.assert(
    fc.property(policy, rules, asked, (under, all, question) => {
      const [first, ...rest] = under.steps;
      if (first === undefined || rest.length === 0) return;
      const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
      const opened = { ...first, hit: "continue" as const, tie: "first" as const };
      const alone = bookUnder({ ...under, steps: [opened] }, all);
      const found = priceLine(enquiryOf(alone, question), PLY(alone), quantity);
      if (found.price < 0) return;
      const blocked = rest.map((each) => ({ ...each, unless: [first.step] }));
      const book = bookUnder({ ...under, steps: [opened, ...blocked] }, all);
      const both = priceLine(enquiryOf(book, question), PLY(book), quantity);
      expect([both.price, both.net, both.doubt]).toEqual([found.price, found.net, found.doubt]);
    }),
    RUNS,
  );
});

test("percents that add come to their sum, and percents that compound to their product, in any order", () => {
  const percents = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(percents, fc.constantFrom("add" as const, "compound" as const), (all, stack) => {
      const [template] = generic.steps.filter(({ draw }) => draw === "rules");
      if (template === undefined) throw new Error("the generic policy has no step of rules");
      const stacked: Policy = {
        ...generic,
        steps: [
          {
            ...template,
            step: "All",
            only: "any",
            kinds: null,
            unless: [],
            withBase: false,
            compete: ["priority"],
            takes: "stacked",
            hit: "stop",
          },
        ],
      };
      const common = {
        customerScope: "everyone",
        customerCode: null,
        currency: "GBP",
        unit: null,
        fromQuantity: "0",
        validFrom: null,
        validTo: null,
        net: false,
        contractQuantity: null,
      } as const;
      const base: RuleRow = {
        ...common,
        rule: "S",
        productScope: "product",
        productCode: "PLY",
        kind: "fixed",
        value: "100",
        contract: null,
      };
      const off = all.map((percent, at): RuleRow => ({
        ...common,
        rule: `P${at}`,
        productScope: "everything",
        productCode: null,
        kind: "percent",
        value: scaled.textOf(percent, 2),
        stack,
        priority: at,
        contract: `C${at}`,
      }));
      const book = bookUnder(stacked, [base, ...off]);
      const question = { account: "PLAIN01", quantity: "1", stated: null } as const;
      const { price } = priceLine(enquiryOf(book, question), PLY(book), 100_000);
      const exact =
        stack === "add"
          ? 1e6 - all.reduce((sum, percent) => sum + percent, 0) * 100
          : all.reduce((left, percent) => (left * (10_000 - percent)) / 10_000, 1e6);
      expect(Math.abs(price - exact)).toBeLessThanOrEqual(0.5 + 1e-6);
    }),
    RUNS,
  );
});
