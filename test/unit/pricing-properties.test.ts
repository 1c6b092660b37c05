import fc from "fast-check";
import { expect, test } from "vitest";
import { decimal } from "../../src/model/index.ts";
import type { RoundingMode } from "../../src/model/index.ts";
import {
  calendar,
  compileBook,
  digestOf,
  isRefusal,
  priceLine,
  reviseBook,
  scaled,
  startBook,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import type { PriceBook, PromotionRow, RuleRow } from "../../src/pricing/engine/index.ts";
import { MERCHANT, generic } from "../support/price-table.ts";

const RUNS = { numRuns: 300 };
const ACCOUNTS = ["BUILD01", "OLDIE01", "PLAIN01"];
const PRODUCTS = ["NAIL", "PLY", "BEAM", "BRK"];

// Prices and dates from few values, so that rules meet and ties happen.
const price = fc
  .oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 9_000_000 }))
  .map((units) => scaled.textOf(units, 4));
const percent = fc.constantFrom(
  "0.0001",
  "2.5",
  "7.5",
  "12.5",
  "33.3333",
  "50",
  "100",
  "120",
  "-5",
);
const day = fc.constantFrom(null, "2026-05-31", "2026-06-01", "2026-06-02", "2026-12-31");
const customer = fc.constantFrom<Pick<RuleRow, "customerScope" | "customerCode">>(
  { customerScope: "account", customerCode: "BUILD01" },
  { customerScope: "account", customerCode: "PLAIN01" },
  { customerScope: "customer-group", customerCode: "TRADE" },
  { customerScope: "price-list", customerCode: "L1" },
  { customerScope: "everyone", customerCode: null },
);
const product = fc.constantFrom<Pick<RuleRow, "productScope" | "productCode">>(
  { productScope: "product", productCode: "PLY" },
  { productScope: "product", productCode: "NAIL" },
  { productScope: "product", productCode: "BRK" },
  { productScope: "product-group", productCode: "SHEET" },
  { productScope: "product-group", productCode: "TIMBER" },
  { productScope: "everything", productCode: null },
);

interface Drawn {
  readonly place: Pick<RuleRow, "customerScope" | "customerCode" | "productScope" | "productCode">;
  readonly offer: Pick<RuleRow, "kind" | "value">;
  readonly breaks: readonly string[];
  readonly terms: Pick<RuleRow, "validFrom" | "validTo" | "net" | "contract">;
}

const offer = fc.oneof(
  price.map((value) => ({ kind: "fixed" as const, value })),
  percent.map((value) => ({ kind: "percent" as const, value })),
  price.map((value) => ({ kind: "amount" as const, value })),
);
const drawn: fc.Arbitrary<Drawn> = fc.record({
  place: fc.tuple(customer, product).map(([whom, what]) => ({ ...whom, ...what })),
  offer,
  breaks: fc.uniqueArray(fc.constantFrom("0", "1", "10", "10.5", "100"), {
    minLength: 1,
    maxLength: 3,
  }),
  terms: fc.record({
    validFrom: day,
    validTo: day,
    net: fc.boolean().map((net) => net),
    contract: fc.constantFrom(null, "C-1", "C-2"),
  }),
});
/** Rules with breaks as the rows that they are pulled as; every break with an offer of its own. */
const rules: fc.Arbitrary<RuleRow[]> = fc
  .array(fc.tuple(drawn, fc.array(offer, { minLength: 3, maxLength: 3 })), { maxLength: 14 })
  .map((all) =>
    all.flatMap(([{ place, terms, breaks, offer }, others], at) =>
      breaks.map((fromQuantity, index) => ({
        ...place,
        ...terms,
        ...(index === 0 ? offer : (others[index] ?? offer)),
        rule: `R${at}`,
        currency: "GBP",
        unit: null,
        contractQuantity: null,
        fromQuantity,
      })),
    ),
  );
const promotions: fc.Arbitrary<PromotionRow[]> = fc
  .array(fc.tuple(customer, product, percent, fc.constantFrom("2026-06-01", "2026-07-01")), {
    maxLength: 3,
  })
  .map((all) =>
    all.map(([whom, what, value, validFrom], at) => ({
      promotion: `P${at}`,
      ...whom,
      ...what,
      customerCode: whom.customerCode ?? "*",
      productCode: what.productCode ?? "*",
      kind: "percent",
      value,
      buyQuantity: null,
      thresholdValue: null,
      code: null,
      validFrom,
      validTo: "2026-12-31",
    })),
  );
const asked = fc.record({
  account: fc.constantFrom(...ACCOUNTS),
  product: fc.constantFrom(...PRODUCTS),
  quantity: fc.constantFrom("0.5", "1", "9.99999", "10", "11", "100", "2500"),
  on: fc.constantFrom("2026-05-31", "2026-06-01", "2026-06-02", "2027-01-01"),
});
type Asked = Readonly<Record<"account" | "product" | "quantity" | "on", string>>;

function compiled(rules: readonly RuleRow[], promotions: readonly PromotionRow[]): PriceBook {
  return compileBook(generic, { ...MERCHANT, rules, promotions, quotations: [] });
}

function enquiryOf(book: PriceBook, { account, on }: Pick<Asked, "account" | "on">) {
  return startEnquiry(book, {
    account: book.accounts.numbers.get(account) ?? -1,
    site: -1,
    branch: -1,
    moment: calendar.startOfDay(on, MERCHANT.timeZone),
    quotation: -1,
    currency: -1,
    conditions: null,
  });
}

/** Unit price and net as texts; "unknown" for both when the price is not known. */
function pricedBy(book: PriceBook, question: Asked): string {
  const product = book.products.numbers.get(question.product) ?? -1;
  const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
  const found = priceLine(enquiryOf(book, question), product, quantity);
  if (found.doubt !== null) return "unknown";
  const { price, net, vat } = found;
  return [scaled.textOf(price, 4), scaled.textOf(net, 2), scaled.textOf(vat, 2)].join(" ");
}

test("the order and the batches in which rules come leave no trace in the book", () => {
  fc.assert(
    fc.property(rules, promotions, fc.integer(), fc.nat(5), (all, offers, seed, size) => {
      const shuffled = [...all].sort((a, b) => shuffleKey(a, seed) - shuffleKey(b, seed));
      const builder = startBook(generic, {
        ...MERCHANT,
        customers: MERCHANT.customers.toReversed(),
        products: MERCHANT.products.toReversed(),
      });
      builder.addPromotions(offers.toReversed());
      for (let at = 0; at < shuffled.length; at += size + 1)
        builder.addRules(shuffled.slice(at, at + size + 1));
      const [arrived, whole] = [builder.finish(), compiled(all, offers)];
      expect(digestOf(arrived)).toBe(digestOf(whole));
      expect(everyAnswer(arrived)).toEqual(everyAnswer(whole));
    }),
    RUNS,
  );
});

/** What a book answers to each account on each product, at each side of every break and date. */
function everyAnswer(book: PriceBook): string[] {
  return ACCOUNTS.flatMap((account) =>
    PRODUCTS.flatMap((product) =>
      ["1", "10", "11", "100"].flatMap((quantity) =>
        ["2026-05-31", "2026-06-02"].map((on) =>
          pricedBy(book, { account, product, quantity, on }),
        ),
      ),
    ),
  );
}

test("a book changed is the book compiled anew, whatever came, went or became other", () => {
  fc.assert(
    fc.property(
      rules,
      promotions,
      fc.array(fc.tuple(rules, promotions), { minLength: 1, maxLength: 4 }),
      (first, offers, changes) => {
        const all = { rules: first, promotions: offers };
        let book = compiled(all.rules, all.promotions);
        for (const [rules, promotions] of changes) {
          const next = { rules: changedRules(all.rules, rules), promotions };
          const answered = everyAnswer(book);
          const revised = reviseBook(book, {
            before: { ...all, rules: touched(all.rules, next.rules), quotations: [] },
            after: { ...next, rules: touched(next.rules, all.rules), quotations: [] },
          });
          if (isRefusal(revised)) throw new Error(revised.refused);
          const whole = compiled(next.rules, next.promotions);
          expect(digestOf(revised)).toBe(digestOf(whole));
          expect(revised.unreached).toEqual(whole.unreached);
          expect(everyAnswer(revised)).toEqual(everyAnswer(whole));
          // The book before still answers as it did.
          expect(everyAnswer(book)).toEqual(answered);
          book = revised;
          Object.assign(all, next);
        }
      },
    ),
    RUNS,
  );
});

/** Half of the rules stay; of those that change some keep their name. */
function changedRules(old: readonly RuleRow[], fresh: readonly RuleRow[]): RuleRow[] {
  const stays = (row: RuleRow) => shuffleKey({ ...row, fromQuantity: "" }, 3) % 2 === 0;
  const kept = old.filter(stays);
  return [...kept, ...fresh.filter((row) => !kept.some(({ rule }) => rule === row.rule))];
}

/** All rows of rules that are not the same there. */
function touched(rows: readonly RuleRow[], there: readonly RuleRow[]): RuleRow[] {
  const says = (of: readonly RuleRow[], rule: string) =>
    JSON.stringify(of.filter((row) => row.rule === rule));
  return rows.filter(({ rule }) => says(rows, rule) !== says(there, rule));
}

test("a change to what is not in the book as told is refused, not guessed", () => {
  const book = compiled([], []);
  const gone = { rules: fc.sample(rules, 20).flat().slice(0, 1), promotions: [], quotations: [] };
  const nothing = { rules: [], promotions: [], quotations: [] };
  expect(reviseBook(book, { before: gone, after: nothing })).toEqual({
    refused: "a row that changed is not in the book as it was",
  });
});

function shuffleKey(row: RuleRow, seed: number): number {
  const text = `${seed}${row.rule}${row.fromQuantity}`;
  let key = 7;
  for (const letter of text) key = Math.imul(key ^ letter.charCodeAt(0), 0x01000193);
  return key;
}

test("lines of one enquiry are priced as if each were asked alone", () => {
  fc.assert(
    fc.property(rules, promotions, fc.array(asked, { maxLength: 20 }), (all, offers, questions) => {
      const book = compiled(all, offers);
      const [first] = questions;
      if (first === undefined) return;
      const enquiry = enquiryOf(book, first);
      for (const question of questions) {
        const product = book.products.numbers.get(question.product) ?? -1;
        const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
        const together = { ...priceLine(enquiry, product, quantity) };
        const alone = { ...priceLine(enquiryOf(book, first), product, quantity) };
        expect(essence(together)).toEqual(essence(alone));
      }
    }),
    RUNS,
  );
});

function essence(found: ReturnType<typeof priceLine>): readonly unknown[] {
  return [found.price, found.table, found.word, found.net, found.vat, found.until, found.doubt];
}

test("a rule that is dearer than the price found never changes the price", () => {
  fc.assert(
    fc.property(rules, asked, fc.integer({ min: 0, max: 100_000 }), (all, question, more) => {
      const before = pricedBy(compiled(all, []), question);
      fc.pre(before !== "unknown");
      const [unitPrice = ""] = before.split(" ");
      const dearer: RuleRow = {
        rule: "DEARER",
        customerScope: "account",
        customerCode: question.account,
        productScope: "product",
        productCode: question.product,
        kind: "fixed",
        value: scaled.textOf((scaled.scaledOf(unitPrice, 4) ?? 0) + more, 4),
        currency: "GBP",
        unit: null,
        fromQuantity: "0",
        validFrom: null,
        validTo: null,
        net: false,
        contract: null,
        contractQuantity: null,
      };
      expect(pricedBy(compiled([...all, dearer], []), question)).toBe(before);
    }),
    RUNS,
  );
});

test("the book prices as the policy reads when it is followed rule by rule in plain decimals", () => {
  fc.assert(
    fc.property(rules, promotions, asked, (all, offers, question) => {
      expect(pricedBy(compiled(all, offers), question)).toBe(byHand(all, offers, question));
    }),
    { numRuns: 1500 },
  );
});

test("an answer stays the same until the day that it names", () => {
  fc.assert(
    fc.property(rules, promotions, asked, (all, offers, question) => {
      const book = compiled(all, offers);
      const product = book.products.numbers.get(question.product) ?? -1;
      const quantity = scaled.scaledOf(question.quantity, 5) ?? 0;
      const { until } = priceLine(enquiryOf(book, question), product, quantity);
      const now = pricedBy(book, question);
      const first = Temporal.PlainDate.from(question.on);
      for (let days = 1; days < 400; days += 1) {
        const on = first.add({ days }).toString();
        if (calendar.startOfDay(on, MERCHANT.timeZone) >= until) break;
        expect(pricedBy(book, { ...question, on })).toBe(now);
      }
    }),
    { numRuns: 60 },
  );
});

/** The generic policy again, with nothing of the engine: lists of rules and exact decimals. */
function byHand(
  rules: readonly RuleRow[],
  promotions: readonly PromotionRow[],
  { account, product, quantity, on }: Asked,
): string {
  const customer = MERCHANT.customers.find((row) => row.account === account);
  const item = MERCHANT.products.find((row) => row.product === product);
  if (customer === undefined || item === undefined) throw new Error("not in the merchant");
  const groups = item.productGroup === "SHEET" ? ["SHEET", "TIMBER"] : [item.productGroup];
  const codes: Readonly<Record<string, string | null>> = {
    account,
    "customer-group": customer.customerGroup,
    "price-list": customer.priceList ?? "RETAIL",
  };
  const touches = (row: Drawn["place"]) =>
    (row.customerScope === "everyone" || row.customerCode === codes[row.customerScope]) &&
    (row.productScope === "everything" ||
      (row.productScope === "product"
        ? row.productCode === product
        : groups.includes(row.productCode)));
  const current = (row: { readonly validFrom: string | null; readonly validTo: string | null }) =>
    (row.validFrom ?? "") <= on && on <= (row.validTo ?? "9999");
  const held = [...Map.groupBy(rules, (row) => row.rule).values()].flatMap((rows) => {
    const reached = rows
      .filter((row) => current(row) && compare(row.fromQuantity, quantity) <= 0)
      .sort((a, b) => compare(b.fromQuantity, a.fromQuantity));
    return reached[0] !== undefined && touches(reached[0]) ? [reached[0]] : [];
  });
  const offered = promotions
    .map((row) => ({
      ...row,
      customerCode: row.customerCode === "*" ? null : row.customerCode,
      productCode: row.productCode === "*" ? null : row.productCode,
    }))
    .filter((row) => touches(row) && current(row));
  const isBase = (row: RuleRow) =>
    row.kind === "fixed" &&
    row.productScope === "product" &&
    (row.customerScope === "price-list" || row.customerScope === "everyone");
  const lowest = (rows: readonly RuleRow[]) =>
    [...rows].sort((a, b) => compare(a.value, b.value))[0];
  const bases = held.filter(isBase);
  const base =
    lowest(bases.filter((row) => row.customerScope === "price-list")) ??
    lowest(bases.filter((row) => row.customerScope === "everyone"));
  // Of base prices that cost the same, any may be the one that is flagged as net.
  const baseNet = bases.some(
    (row) => row.customerScope === base?.customerScope && row.value === base.value && row.net,
  );
  if (bases.some((row) => row.value === base?.value && row.net !== base.net)) fc.pre(false);
  const charge = (row: Pick<RuleRow, "kind" | "value">): bigint | null => {
    if (row.kind === "fixed") return units(row.value);
    if (base === undefined) return null;
    const of = decimal.parse(base.value);
    const left =
      row.kind === "amount"
        ? decimal.subtract(of, decimal.parse(row.value))
        : decimal.subtract(of, decimal.percentOf(of, decimal.parse<"percent">(row.value)));
    const { digits } = decimal.round(left, { scale: 4, mode: "half-away" });
    return digits;
  };
  const own = held.filter((row) => !isBase(row));
  const net = [
    ...own.filter((row) => row.net).map(charge),
    baseNet && base !== undefined ? units(base.value) : null,
  ].filter((found) => found !== null);
  const discount = customer.discountPercent;
  const rest = [
    ...own.filter((row) => !row.net).map(charge),
    ...offered.map((row) => charge({ kind: "percent", value: row.value ?? "0" })),
    discount === null ? null : charge({ kind: "percent", value: discount }),
    base === undefined ? null : units(base.value),
  ].filter((found) => found !== null);
  const candidates = net.length > 0 ? net : rest;
  const [first] = candidates;
  if (first === undefined) return "unknown";
  if (candidates.some((found) => found < 0n)) return "unknown";
  const price = candidates.reduce((least, found) => (found < least ? found : least), first);
  return amounts(price, quantity, item.sellingUnitsPerPricingUnit, item.vatCode);
}

/** The codes of these masters have one rate each. */
function percentOf(vatCode: string): string {
  const rate = MERCHANT.vat[vatCode];
  return typeof rate === "string" ? rate : "0";
}

function amounts(price: bigint, quantity: string, each: string, vatCode: string): string {
  const divisor = decimal.parse(each);
  const product = decimal.multiply({ digits: price, scale: 4 }, decimal.parse(quantity));
  const pence = decimal.divideRounded(
    product.digits * 100n,
    divisor.digits * 10n ** BigInt(product.scale - divisor.scale),
    "half-away",
  );
  const net = { digits: pence, scale: 2 };
  const rate = decimal.parse<"percent">(percentOf(vatCode));
  const vat = decimal.round(decimal.percentOf(net, rate), { scale: 2, mode: "half-away" });
  return [{ digits: price, scale: 4 }, net, vat].map((of) => decimal.format(of)).join(" ");
}

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), 4);
}

function compare(left: string, right: string): number {
  return decimal.compare(decimal.parse(left), decimal.parse(right));
}

test("scaled arithmetic agrees with exact decimals, ties and huge products included", () => {
  const whole = fc.oneof(
    fc.integer({ min: -50, max: 50 }),
    fc.integer(),
    fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }),
  );
  const modes = fc.constantFrom<RoundingMode>("half-away", "half-even", "half-up", "down", "up");
  const divisors = fc.oneof(fc.constantFrom(1, 2, 10, 1000, 10_000_000), fc.integer({ min: 1 }));
  fc.assert(
    fc.property(whole, whole, divisors, modes, (left, right, divisor, mode) => {
      const exact = decimal.divideRounded(BigInt(left) * BigInt(right), BigInt(divisor), mode);
      fc.pre(exact < 2n ** 53n && exact > -(2n ** 53n));
      expect(scaled.multiplyDivide(left, right, divisor, mode) + 0).toBe(Number(exact));
    }),
    { numRuns: 5000 },
  );
});

test("scaled integers are written and read as decimal texts are", () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.nat(6), (value, scale) => {
      const text = scaled.textOf(value, scale);
      expect(text).toBe(decimal.format({ digits: BigInt(value), scale }));
      expect(scaled.shortTextOf(value, scale)).toBe(decimal.canonical(decimal.parse(text)));
      expect(scaled.scaledOf(text, scale)).toBe(value);
    }),
    { numRuns: 2000 },
  );
  for (const text of [
    "",
    "-",
    ".",
    "1,5",
    "1e3",
    " 1",
    "1.5.5",
    "0x1",
    "1234567890123456",
    "1.0000001",
  ])
    expect(scaled.scaledOf(text, 6)).toBeUndefined();
});
