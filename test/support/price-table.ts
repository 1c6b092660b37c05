/**
 * Price rules and prices as aligned tables that a finance person can read and correct.
 *
 *     const book = bookOf({ rules: `
 *       rule | whom            | what        | gives  | from | dates                    | notes
 *       C1   | account BUILD01 | product BRK | £4.25  | 10   | 2026-01-01 .. 2026-12-31 | contract
 * C-17
 *     ` });
 */
import { loadPolicy } from "../../src/pricing/index.ts";
import {
  becauseOf,
  calendar,
  compileBook,
  explainLine,
  priceLine,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import type {
  BookInput,
  Enquiry,
  Explanation,
  Masters,
  PriceBook,
  PromotionRow,
  QuotationRow,
  RuleRow,
} from "../../src/pricing/engine/index.ts";

export const generic = await loadPolicy("generic");

/** Rows of a table by the words of its first line. */
export function table(text: string): Record<string, string>[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [head = [], ...rows] = lines.map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.map((row) => {
    if (row.length > head.length) throw new Error(`more cells than headings: ${row.join(" | ")}`);
    return Object.fromEntries(head.map((name, at) => [name, row[at] ?? ""]));
  });
}

const CUSTOMER_SCOPES: Readonly<Record<string, RuleRow["customerScope"]>> = {
  account: "account",
  "head office": "head-office",
  "buying group": "buying-group",
  group: "customer-group",
  site: "site",
  branch: "branch",
  list: "price-list",
  everyone: "everyone",
};
const PRODUCT_SCOPES: Readonly<Record<string, RuleRow["productScope"]>> = {
  product: "product",
  group: "product-group",
  everything: "everything",
};

/** "head office HQ" → ["head office", "HQ"]; "everyone" → ["everyone", null]. */
function scoped<Scope>(
  text: string,
  scopes: Readonly<Record<string, Scope>>,
): { readonly scope: Scope; readonly code: string | null } {
  const word = Object.keys(scopes).find((name) => text === name || text.startsWith(`${name} `));
  const scope = word === undefined ? undefined : scopes[word];
  if (word === undefined || scope === undefined) throw new Error(`what does "${text}" mean?`);
  return { scope, code: text === word ? null : text.slice(word.length + 1) };
}

/** "£4.25", "EUR 4.25", "12.5% off", "£0.50 off", "cost + 20%", "on request". */
function given(text: string): Pick<RuleRow, "kind" | "value" | "currency"> {
  const [, value = ""] = /(-?[\d.]+)/.exec(text) ?? [];
  const currency = /^[A-Z]{3} /.test(text) ? text.slice(0, 3) : "GBP";
  if (text === "on request") return { kind: "on-request", value: "0", currency };
  if (text.startsWith("cost +")) return { kind: "markup", value, currency };
  if (text.endsWith("% off")) return { kind: "percent", value, currency };
  if (text.endsWith(" off")) return { kind: "amount", value, currency };
  return { kind: "fixed", value, currency };
}

function dates(text: string): { readonly from: string | null; readonly to: string | null } {
  const [from = "", to = ""] = text.split("..").map((date) => date.trim());
  return { from: from || null, to: to || null };
}

/** "2026-06-01 09:00" → the moment in London; a plain date is none. */
function instantIn(text: string | null): string | null {
  if (text === null || !text.includes(" ")) return null;
  const local = Temporal.PlainDateTime.from(text.replace(" ", "T"));
  return local.toZonedDateTime("Europe/London").toInstant().toString();
}

function dayIn(text: string | null): string | null {
  return instantIn(text) === null ? text : null;
}

function noted(notes: string, word: string): string | null {
  return new RegExp(`\\b${word} (\\S+)`).exec(notes)?.[1] ?? null;
}

export function rulesOf(text: string): RuleRow[] {
  return table(text).map((row) => {
    const customer = scoped(row["whom"] ?? "", CUSTOMER_SCOPES);
    const product = scoped(row["what"] ?? "", PRODUCT_SCOPES);
    const notes = row["notes"] ?? "";
    return {
      rule: row["rule"] ?? "",
      customerScope: customer.scope,
      customerCode: customer.code,
      productScope: product.scope,
      productCode: product.code,
      ...given(row["gives"] ?? ""),
      unit: noted(notes, "per"),
      fromQuantity: row["from"] || "0",
      toQuantity: row["to"] || null,
      soldIn: noted(notes, "sold in"),
      validFrom: dayIn(dates(row["dates"] ?? "").from),
      validTo: dayIn(dates(row["dates"] ?? "").to),
      startsAt: instantIn(dates(row["dates"] ?? "").from),
      endsAt: instantIn(dates(row["dates"] ?? "").to),
      conditions: row["where"]?.replaceAll(" or ", "|") || null,
      formula: noted(notes, "formula"),
      stack: /\bstacks add\b/.test(notes)
        ? "add"
        : /\bstacks compound\b/.test(notes)
          ? "compound"
          : null,
      priority: row["priority"] ? Number(row["priority"]) : null,
      contractUsedQuantity: noted(notes, "used"),
      net: /\bnet\b/.test(notes),
      contract: noted(notes, "contract"),
      contractQuantity: noted(notes, "limit"),
    };
  });
}

const PROMOTION_KINDS = ["multi-buy", "free-goods", "threshold"] as const;

export function promotionsOf(text: string): PromotionRow[] {
  return table(text).map((row) => {
    const customer = scoped(row["whom"] ?? "", CUSTOMER_SCOPES);
    const product = scoped(row["what"] ?? "", PRODUCT_SCOPES);
    const notes = row["notes"] ?? "";
    const special = PROMOTION_KINDS.find((kind) => row["gives"] === kind);
    const { kind, value } = given(row["gives"] ?? "");
    const { from, to } = dates(row["dates"] ?? "");
    if (kind === "markup" || kind === "on-request") throw new Error(`a promotion is no ${kind}`);
    return {
      promotion: row["promotion"] ?? "",
      customerScope: customer.scope,
      customerCode: customer.code ?? "*",
      productScope: product.scope,
      productCode: product.code ?? "*",
      kind: special ?? kind,
      value: special === undefined ? value : null,
      buyQuantity: noted(notes, "buy"),
      freeQuantity: noted(notes, "free"),
      thresholdValue: noted(notes, "threshold"),
      code: noted(notes, "code"),
      validFrom: from ?? "2020-01-01",
      validTo: to ?? "2039-12-31",
    };
  });
}

export function quotationsOf(text: string): QuotationRow[] {
  return table(text).map((row, at) => ({
    quotation: row["quotation"] ?? "",
    account: row["account"] ?? "",
    quotedOn: dates(row["dates"] ?? "").from ?? "2020-01-01",
    expiresOn: dates(row["dates"] ?? "").to,
    line: at + 1,
    product: row["product"] ?? "",
    quantity: row["quantity"] ?? "",
    unitPrice: given(row["gives"] ?? "").value,
  }));
}

/** A small merchant: who is who in the tables of a test. */
export const MERCHANT: Omit<BookInput, "rules" | "promotions" | "quotations"> = {
  currency: "GBP",
  timeZone: "Europe/London",
  vat: { STANDARD: "20", REDUCED: "5", ZERO: "0" },
  customers: table(`
    account | head office | group | list  | branch | currency | discount | vat
    BUILD01 |             | TRADE | L1    | LDS    | GBP      |          |
    PLAIN01 |             |       |       |        | GBP      |          |
    HQ      |             |       |       |        | GBP      |          |
    DEPOT1  | HQ          |       |       |        | GBP      |          |
    EURO01  |             |       |       |        | EUR      |          |
    OLDIE01 |             |       | L1    |        | GBP      | 7.5      |
    CHURCH  |             |       |       |        | GBP      |          | ZERO
  `).map((row) => ({
    account: row["account"] ?? "",
    headOffice: row["head office"] || null,
    customerGroup: row["group"] || null,
    priceList: row["list"] || null,
    branch: row["branch"] || null,
    currency: row["currency"] ?? "",
    discountPercent: row["discount"] || null,
    vatCode: row["vat"] || null,
  })),
  sites: [
    { account: "BUILD01", site: "YARD", vatCode: null, standard: true },
    { account: "BUILD01", site: "JOB7", vatCode: "REDUCED", standard: false },
  ],
  branches: [{ branch: "LDS" }, { branch: "YRK" }],
  priceLists: [
    { priceList: "L1", standard: false },
    { priceList: "RETAIL", standard: true },
  ],
  productGroups: [
    { productGroup: "TIMBER", parent: null },
    { productGroup: "SHEET", parent: "TIMBER" },
  ],
  products: table(`
    product | group | sold in | priced per | holds | cost | vat
    BRK     |       | EACH    | 1000       | 1000  |      | STANDARD
    NAIL    |       | EACH    | EACH       | 1     | 0.03 | STANDARD
    PLY     | SHEET | EACH    | EACH       | 1     | 20   | STANDARD
    BEAM    | TIMBER| METRE   | METRE      | 1     |      | REDUCED
    ODD     |       | EACH    | EACH       | 0     |      | EXEMPT
  `).map((row) => ({
    product: row["product"] ?? "",
    productGroup: row["group"] || null,
    sellingUnit: row["sold in"] ?? "",
    pricingUnit: row["priced per"] ?? "",
    sellingUnitsPerPricingUnit: row["holds"] ?? "",
    vatCode: row["vat"] ?? "",
    standardCost: row["cost"] || null,
  })),
};

export interface Tables {
  /** Masters beside or instead of the merchant's. */
  readonly masters?: Partial<Masters>;
  readonly rules?: string;
  readonly promotions?: string;
  readonly quotations?: string;
}

export function bookOf(tables: Tables, policy = generic): PriceBook {
  return compileBook(policy, {
    ...MERCHANT,
    ...tables.masters,
    rules: rulesOf(tables.rules ?? ""),
    promotions: promotionsOf(tables.promotions ?? ""),
    quotations: quotationsOf(tables.quotations ?? ""),
  });
}

/** A row of an expectation → the engine's enquiry, product and quantity. */
function asked(
  book: PriceBook,
  row: Readonly<Record<string, string>>,
): {
  readonly enquiry: Enquiry;
  readonly product: number;
  readonly quantity: number;
  readonly unit: number;
  readonly pooled: number;
} {
  const account = row["account"] || "PLAIN01";
  const enquiry = startEnquiry(book, {
    account: book.accounts.numbers.get(account) ?? -1,
    site: book.sites.numbers.get(`${account}/${row["site"]}`) ?? -1,
    branch: book.branches.numbers.get(row["branch"] ?? "") ?? -1,
    moment: momentAt(row["on"] || "2026-06-01"),
    quotation: book.labels.indexOf(row["quotation"] || "?"),
    currency: book.currencies.indexOf(row["currency"] || "?"),
    conditions: statedIn(row["stated"] ?? ""),
  });
  const product = book.products.numbers.get(row["product"] || "NAIL") ?? -1;
  return {
    enquiry,
    product,
    quantity: scaled.scaledOf(row["quantity"] || "1", 5) ?? 0,
    unit: book.units.indexOf(row["unit"] || "?"),
    pooled: row["in all"] ? (scaled.scaledOf(row["in all"], 5) ?? -1) : -1,
  };
}

/** "2026-06-01" is the start of its day; "2026-06-01 09:30" that time in London. */
function momentAt(text: string): number {
  const [date = "", time] = text.split(" ");
  if (time === undefined) return calendar.startOfDay(date, MERCHANT.timeZone);
  return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(MERCHANT.timeZone)
    .epochMilliseconds;
}

/** The first day of what comes next, and the time where it starts within a day. */
function untilText(moment: number): string {
  const date = calendar.dateOf(moment, MERCHANT.timeZone);
  return calendar.startOfDay(date, MERCHANT.timeZone) === moment
    ? date
    : calendar.wordsOf(moment, MERCHANT.timeZone);
}

/** "delivery=collect; channel=web" → what the enquiry states. */
function statedIn(text: string): ReadonlyMap<string, string> | null {
  const pairs = text.split(";").flatMap((part) => {
    const [name = "", value = ""] = part.split("=").map((word) => word.trim());
    return name === "" ? [] : [[name, value] as const];
  });
  return pairs.length === 0 ? null : new Map(pairs);
}

/** What a row's line comes to, under the same headings. */
function priced(book: PriceBook, row: Readonly<Record<string, string>>): Record<string, string> {
  const { enquiry, product, quantity, unit, pooled } = asked(book, row);
  const found = priceLine(enquiry, product, quantity, unit, pooled);
  const known = found.doubt === null;
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  return {
    "unit price": known ? scaled.textOf(found.price, unitPrice.scale) : "unknown",
    net: known ? scaled.textOf(found.net, lineNet.scale) : "",
    VAT: known && found.vat >= 0 ? scaled.textOf(found.vat, vat.scale) : "",
    until: found.until === calendar.NEVER ? "" : untilText(found.until),
    because: becauseOf(enquiry),
  };
}

export function explained(book: PriceBook, row: Readonly<Record<string, string>>): Explanation {
  const { enquiry, product, quantity, unit, pooled } = asked(book, row);
  return explainLine(enquiry, product, quantity, unit, pooled);
}

/** Rows of an expectation that the book answers otherwise; empty when the whole table holds. */
export function differences(book: PriceBook | Tables, expectation: string): string[] {
  const compiled = "program" in book ? book : bookOf(book);
  return table(expectation).flatMap((row) => {
    const answer = priced(compiled, row);
    const found = Object.entries(row).map(([name, cell]) => answer[name] ?? cell);
    const expected = Object.values(row).join(" | ");
    return found.join(" | ") === expected
      ? []
      : [`expected ${expected}; found ${found.join(" | ")}`];
  });
}
