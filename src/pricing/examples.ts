/**
 * Examples beside a policy are its tests: records and a question → prices and totals, worked out by
 * the engine and the document arithmetic that every price and order goes through.
 */
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import { records } from "../model/index.ts";
import type { Field, RecordName, RecordValue } from "../model/index.ts";
import { enquire, isProblem, quantityOf } from "./ask.ts";
import { askBasket, promotionsOn } from "./basket-price.ts";
import type { BasketAsked } from "./basket-price.ts";
import { becauseOf, compileBook, document, priceLine, scaled, vatReasons } from "./engine/index.ts";
import type { BookInput, Enquiry, Policy, PriceBook, QuotationRow } from "./engine/index.ts";
import { GIVEN, policyExamplesSchema } from "./examples-schema.ts";
import type { Given, PolicyExample } from "./examples-schema.ts";
import { policyExamples, readPolicy } from "./policy.ts";
import type { Root } from "./root.ts";

export interface ExampleResult {
  readonly example: string;
  /** What does not hold, with its line; empty: the example holds. */
  readonly problems: readonly DefinitionProblem[];
}

/** Every example under its choices of switches. Throws a `DefinitionError` for a broken file. */
export function tryExamples(policy: DefinitionSource, source: DefinitionSource): ExampleResult[] {
  const { value, problem } = openDefinition(source, policyExamplesSchema, { asWritten: true });
  return value.examples.map((example, index) => {
    const at = (path: readonly (string | number)[], found: string, expected: string) =>
      problem(["examples", index, ...path], { found, expected });
    try {
      const chosen = readPolicy(policy, example.switches);
      const book = compileBook(chosen, inputOf(value.given, example.given));
      return { example: example.example, problems: compare(book, example, at) };
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      const [first] = error.problems;
      const switches = Object.keys(example.switches);
      const found = first === undefined ? error.message : first.found;
      const near = nearest(found, switches);
      return {
        example: example.example,
        problems: [
          problem(["examples", index, "switches"], {
            found,
            expected: first?.expected ?? "switches of the policy",
            nearest: first?.nearest ?? near,
          }),
        ],
      };
    }
  });
}

type Problem = (
  path: readonly (string | number)[],
  found: string,
  expected: string,
) => DefinitionProblem;

type Row = Readonly<Record<string, RecordValue>>;

/** A whole record from its texts. */
function rowOf(name: RecordName, texts: Readonly<Record<string, unknown>>, at: number): Row {
  const fields: readonly (readonly [string, Field])[] = Object.entries(records[name].fields);
  return Object.fromEntries(
    fields.map(([field, kind]) => [field, valueOf(kind, texts[field]) ?? keyed(name, field, at)]),
  );
}

/** Rules need a name of their own; an example need not make one up. */
function keyed(name: RecordName, field: string, at: number): string | null {
  return name === "price-rule" && field === "rule" ? `R${at + 1}` : null;
}

function valueOf(field: Field, text: unknown): RecordValue {
  const given = typeof text === "string" && text !== "" ? text : field.otherwise;
  if (given === undefined) return null;
  if (field.kind === "flag") return given === true || given === "true";
  return field.kind === "integer" ? Number(given) : String(given);
}

function inputOf(shared: Given, own: Given): BookInput {
  const of = <Name extends keyof typeof GIVEN>(name: Name) =>
    [...shared[name], ...own[name]].map((texts, at) => rowOf(GIVEN[name], texts, at));
  const lines = of("quotationLines");
  const quotations = of("quotations").flatMap((head) =>
    lines
      .filter((line) => line["quotation"] === head["quotation"])
      .map((line) => ({ ...head, ...line })),
  );
  const input = {
    currency: shared.currency,
    timeZone: TIME_ZONE,
    vat: { ...shared.vat, ...own.vat },
    country: shared.country,
    vatCountries: { ...shared.vatCountries, ...own.vatCountries },
    customers: of("customers"),
    sites: of("sites"),
    branches: of("branches"),
    priceLists: of("priceLists"),
    customerPriceLists: of("customerPriceLists"),
    productGroups: of("productGroups"),
    products: of("products").map(withDefaults),
    productUnits: of("productUnits"),
    priceFormulas: of("formulas"),
    rules: of("rules"),
    promotions: of("promotions"),
    quotations: quotations as unknown as readonly QuotationRow[],
  };
  // Every row was made field by field from the record's own definition.
  return input as unknown as BookInput;
}

const TIME_ZONE = "Europe/London";

/** Sold and priced singly unless the example says otherwise. */
function withDefaults(row: Row): Row {
  return {
    ...row,
    sellingUnit: row["sellingUnit"] ?? "EACH",
    pricingUnit: row["pricingUnit"] ?? row["sellingUnit"] ?? "EACH",
    sellingUnitsPerPricingUnit: row["sellingUnitsPerPricingUnit"] ?? "1",
  };
}

interface PricedLine {
  readonly document: document.DocumentLine | null;
  readonly unitPrice: number;
  readonly vatCode: string | null;
  readonly because: string;
  /** What the line would come to before any discount, at the places of amounts. */
  readonly full: number | null;
}

function compare(book: PriceBook, { asked, gives }: PolicyExample, at: Problem) {
  const { account, on, site = null, branch = null, quotation = null } = asked;
  const asker = { account, on, site, branch, quotation };
  // The day is given, so that today does not matter.
  const enquiry = enquire(book, asker, 0);
  if (isProblem(enquiry)) return [at(["asked"], enquiry.detail, "something that is given")];
  const priced = asked.lines.map((line) => priceOne(enquiry, line));
  const odd = priced.flatMap((each, index) =>
    typeof each === "string" ? [at(["asked", "lines", index], each, "a line that is given")] : [],
  );
  if (odd.length > 0) return odd;
  const lines = withPromotions(
    book,
    asked,
    priced.filter((each) => typeof each !== "string"),
  );
  return [
    ...compareLines(book, lines, { asked, gives }, at),
    ...compareTotals(book.policy, lines, { asked, gives }, at),
  ];
}

type Line = PolicyExample["asked"]["lines"][number];

function priceOne(enquiry: Enquiry, line: Line): PricedLine | string {
  const { book } = enquiry;
  const quantity = quantityOf(line.quantity);
  if (quantity === undefined) return `the quantity "${line.quantity}"`;
  if (line.product === undefined) return freeText(enquiry, line, quantity);
  const product = book.products.numbers.get(line.product);
  if (product === undefined) return `the product "${line.product}"`;
  const { price, vatCode, vatRate, doubt } = priceLine(enquiry, product, quantity);
  const places = scaled.power(PRICE_PLACES - book.policy.arithmetic.unitPrice.scale);
  const perPricingUnit = book.products.perPricingUnit[product] ?? NaN;
  return {
    document:
      doubt === null
        ? { price: price * places, quantity, perPricingUnit, vatRate: Math.max(0, vatRate) }
        : null,
    unitPrice: price,
    vatCode: book.vatCodes[vatCode] ?? null,
    because: [becauseOf(enquiry), ...vatReasons(enquiry)].join("; "),
    full: fullOf(enquiry, quantity, perPricingUnit),
  };
}

const PRICE_PLACES = 6;

/** The line at the price that the first discount was taken off; null: there was none. */
function fullOf({ found, book }: Enquiry, quantity: number, perPricingUnit: number): number | null {
  const links = found.links ?? [];
  const [first] = links;
  if (first === undefined || links.length < 2) return null;
  const { digits, scale } = first.exact;
  const price = Number(digits) * scaled.power(PRICE_PLACES - scale);
  const { lineNet } = book.policy.arithmetic;
  const divisor = perPricingUnit * scaled.power(PRICE_PLACES - lineNet.scale);
  return scaled.multiplyDivide(price, quantity, divisor, lineNet.mode);
}

/** What promotions over the basket take off the lines that are products. */
function withPromotions(
  book: PriceBook,
  asked: PolicyExample["asked"],
  lines: readonly PricedLine[],
): readonly PricedLine[] {
  if (book.basketPromotions.length === 0) return lines;
  const products = asked.lines.flatMap(({ product = "", quantity }, at) =>
    product === "" ? [] : [{ product, quantity, at }],
  );
  const { account, on, site = null, branch = null, quotation = null } = asked;
  const basket = askBasket(
    rootOf(book),
    { account, on, site, branch, quotation, lines: products },
    0,
  );
  if (!("known" in basket)) return lines;
  const lowered = loweredBy(book, basket, on);
  return lines.map((line, index) => {
    const at = basket.known.findIndex((known) => products[known.at]?.at === index);
    if (line.document === null || at < 0) return line;
    return { ...line, document: { ...line.document, lowered: lowered[at] ?? 0 } };
  });
}

function loweredBy(book: PriceBook, basket: BasketAsked, on: string): readonly number[] {
  const { arithmetic } = book.policy;
  const set = document.compilePromotions(book.basketPromotions, {
    arithmetic,
    timeZone: TIME_ZONE,
  });
  const day = Temporal.PlainDate.from(on).toZonedDateTime(TIME_ZONE);
  const moment = day.epochMilliseconds;
  return promotionsOn(basket, { set, moment, codes: [], uses: new Map() }).lowered;
}

/** Of a book that is not published. */
function rootOf(book: PriceBook): Root {
  return {
    book,
    version: "example",
    number: 0,
    digest: "",
    publishedAt: Temporal.Instant.fromEpochMilliseconds(0),
    freshness: null,
    momentText: () => "",
  };
}

function freeText({ book, vat }: Enquiry, line: Line, quantity: number): PricedLine | string {
  const { text = "", price = "", vatCode = "" } = line;
  const vatRate = vat.percents[book.vatCodes.indexOf(vatCode)];
  if (vatRate === undefined || vatRate < 0) return `the VAT code "${vatCode}"`;
  const value = scaled.scaledOf(price, PRICE_PLACES) ?? 0;
  const { scale } = book.policy.arithmetic.unitPrice;
  return {
    document: { price: value, quantity, perPricingUnit: 100_000, vatRate },
    unitPrice: scaled.divide(value, scaled.power(PRICE_PLACES - scale), "half-away"),
    vatCode,
    because: text,
    full: null,
  };
}

function totalsOf(policy: Policy, lines: readonly PricedLine[], asked: PolicyExample["asked"]) {
  const { documentDiscount } = asked;
  const percent = documentDiscount === undefined ? 0 : (scaled.scaledOf(documentDiscount, 4) ?? 0);
  return document.computeDocument({
    arithmetic: policy.arithmetic,
    lines: lines.flatMap((line) => line.document ?? []),
    ...(percent === 0 ? {} : { discounts: [{ kind: "percent", percent }] }),
    credit: asked.credit === "true",
  });
}

function compareLines(
  { policy }: PriceBook,
  lines: readonly PricedLine[],
  { asked, gives }: Pick<PolicyExample, "asked" | "gives">,
  at: Problem,
): DefinitionProblem[] {
  return gives.lines.flatMap((expected, index) => {
    const line = lines[index];
    if (line === undefined) return [at(["gives", "lines", index], "no such line", "a line asked")];
    const path = (name: string) => ["gives", "lines", index, name];
    const said = [
      ...contains(line.because, expected.because, (...told) => at(path("because"), ...told)),
    ];
    if (expected.unknown !== undefined || line.document === null)
      return [
        ...said,
        ...compareUnknown(line, expected.unknown, (...told) => at(path("unknown"), ...told)),
      ];
    const totals = totalsOf(policy, [line], { ...asked, documentDiscount: undefined });
    const { net, vat } = totals.lines[0] ?? { net: 0, vat: 0 };
    const figures = {
      unitPrice: scaled.textOf(line.unitPrice, policy.arithmetic.unitPrice.scale),
      net: scaled.textOf(net, totals.places),
      discount: scaled.textOf(line.full === null ? 0 : line.full - Math.abs(net), totals.places),
      vat: scaled.textOf(vat, totals.places),
      vatCode: line.vatCode ?? "none",
    };
    return [
      ...said,
      ...compareFigures(figures, expected, (name, ...told) => at(path(name), ...told)),
    ];
  });
}

function contains(
  text: string,
  part: string | undefined,
  at: (found: string, expected: string) => DefinitionProblem,
): DefinitionProblem[] {
  return part === undefined || text.includes(part) ? [] : [at(`"${text}"`, `"${part}" in it`)];
}

function compareUnknown(
  line: PricedLine,
  expected: string | undefined,
  at: (found: string, expected: string) => DefinitionProblem,
): DefinitionProblem[] {
  if (line.document !== null) return [at("a price", `none: ${expected ?? ""}`)];
  if (expected === undefined) return [at(`no price (${line.because})`, "a price")];
  return contains(line.because, expected, at);
}

const FIGURES = ["unitPrice", "net", "discount", "vat", "gross", "vatCode"] as const;
type Figures = Readonly<Partial<Record<(typeof FIGURES)[number], string | undefined>>>;

/** 12.5 and 12.50 are the same. */
function compareFigures(
  found: Figures,
  expected: Figures,
  at: (name: string, found: string, expected: string) => DefinitionProblem,
): DefinitionProblem[] {
  return FIGURES.flatMap((name) => {
    const wanted = expected[name];
    const is = found[name] ?? "";
    if (wanted === undefined || wanted === is) return [];
    const same = scaled.scaledOf(wanted, 6);
    return same !== undefined && same === scaled.scaledOf(is, 6) ? [] : [at(name, is, wanted)];
  });
}

function compareTotals(
  policy: Policy,
  lines: readonly PricedLine[],
  { asked, gives }: Pick<PolicyExample, "asked" | "gives">,
  at: Problem,
): DefinitionProblem[] {
  const { net, vat, gross } = gives;
  if (net === undefined && vat === undefined && gross === undefined) return [];
  if (lines.some((line) => line.document === null))
    return [at(["gives"], "a line without a price", "totals of lines that have one")];
  const totals = totalsOf(policy, lines, asked);
  const text = (value: number) => scaled.textOf(value, totals.places);
  const figures = { net: text(totals.net), vat: text(totals.vat), gross: text(totals.gross) };
  return compareFigures(figures, { net, vat, gross }, (name, ...told) =>
    at(["gives", name], ...told),
  );
}

/** The examples beside the policy of that name, tried; null: it has none. */
export async function checkPolicyExamples(
  name: string,
  folders: readonly string[] = [],
): Promise<{ readonly file: string; readonly results: readonly ExampleResult[] } | null> {
  const found = await policyExamples(name, folders);
  if (found === null) return null;
  return { file: found.examples.file, results: tryExamples(found.policy, found.examples) };
}
