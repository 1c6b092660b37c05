/**
 * Prices on trial: the live book, or a book compiled under another policy, asked in numbers and for
 * any day. For proving prices against what was charged; a shop is answered by `Pricing.price`.
 */
import { columnOf, records } from "../model/index.ts";
import type { RecordName } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { PriceAsker } from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unknownProduct } from "./ask.ts";
import type { Problem } from "./ask.ts";
import {
  becauseOf,
  compileBook,
  explainLine,
  priceKindOf,
  priceLine,
  scaled,
} from "./engine/index.ts";
import type { BookInput, Enquiry, Policy, PriceBook, PriceKind } from "./engine/index.ts";
import type { PricingSettings } from "./load.ts";

/** Prices on trial are integers with this many places; net and VAT are in hundredths. */
export const TRIAL_PLACES = 6;

export interface TrialLine {
  readonly product: string;
  /** Selling units charged, decimal text above 0. */
  readonly quantity: string;
  /** Selling units that breaks are compared with; null: those charged. */
  readonly counted: string | null;
}

export interface TrialPrice {
  readonly state: "priced";
  /** Per pricing unit, with 6 places. */
  readonly unitPrice: number;
  readonly net: number;
  /** Null: the VAT code has no rate. */
  readonly vat: number | null;
  readonly vatCode: string | null;
  readonly kind: PriceKind;
  readonly because: string;
}

export type TrialAnswer =
  | TrialPrice
  /** No price is known, and why. */
  | { readonly state: "unknown"; readonly because: string }
  | ({ readonly state: "problem" } & Problem);

/** A rule that was looked at, whether it gave the price or not. */
export interface TrialCandidate {
  /** "Contract C-17: £4.2500 from 10". */
  readonly rule: string;
  readonly source: "rule" | "promotion" | "quotation" | "account";
  /** Contract, promotion or quotation; null: none. */
  readonly label: string | null;
  /** Whom and what it is for: rules of one place differ by quantity and days. */
  readonly place: string;
  readonly fromQuantity: string;
  /** What it gives here, or would give if it held, with 6 places; null: cannot be told. */
  readonly unitPrice: number | null;
  readonly taken: boolean;
  readonly why: string;
}

export interface Trial {
  readonly policy: Policy;
  /** The book's version; "trial" for one that is not published. */
  readonly version: string;
  price(asker: PriceAsker & { readonly on: string }, line: TrialLine): TrialAnswer;
  candidates(
    asker: PriceAsker & { readonly on: string },
    line: TrialLine,
  ): readonly TrialCandidate[];
  hasBranch(code: string): boolean;
}

export function trialOf(live: PriceBook, version: string): Trial {
  // A book by itself: what is worked out for days long ago takes no place of what shops ask.
  const book = { ...live };
  const enquiries = new Enquiries(book);
  return {
    policy: book.policy,
    version,
    price: (asker, line) => priced(book, enquiries.of(asker), line),
    candidates: (asker, line) => candidatesOf(book, enquire(book, asker, 0), line),
    hasBranch: (code) => book.branches.numbers.has(code),
  };
}

/** At most so many are kept: a document has few lines, and an order few days around it. */
const MOST_ENQUIRIES = 64;

/** What can matter to an account on a day is found once for all of its lines. */
class Enquiries {
  readonly #book: PriceBook;
  readonly #known = new Map<string, Enquiry | Problem>();

  constructor(book: PriceBook) {
    this.#book = book;
  }

  of(asker: PriceAsker & { readonly on: string }): Enquiry | Problem {
    const { account, branch = null, on, ...rest } = asker;
    // `on` is given, so that the day it is does not matter.
    if (Object.keys(rest).length > 0) return enquire(this.#book, asker, 0);
    const key = `${account}\n${branch ?? ""}\n${on}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_ENQUIRIES) this.#known.clear();
    const made = enquire(this.#book, asker, 0);
    this.#known.set(key, made);
    return made;
  }
}

interface Asked {
  readonly enquiry: Enquiry;
  readonly product: number;
  readonly quantity: number;
  readonly counted: number;
}

function ask(book: PriceBook, enquiry: Enquiry | Problem, line: TrialLine): Asked | Problem {
  if (isProblem(enquiry)) return enquiry;
  const product = book.products.numbers.get(line.product);
  if (product === undefined) return unknownProduct(line.product);
  const quantity = quantityOf(line.quantity);
  if (quantity === undefined) return badQuantity(line.quantity);
  const counted = line.counted === null ? quantity : quantityOf(line.counted);
  if (counted === undefined) return badQuantity(line.counted ?? "");
  return { enquiry, product, quantity, counted };
}

function priced(book: PriceBook, by: Enquiry | Problem, line: TrialLine): TrialAnswer {
  const asked = ask(book, by, line);
  if ("detail" in asked) return { state: "problem", ...asked };
  const { enquiry, product, quantity, counted } = asked;
  const found = priceLine(enquiry, product, quantity, -1, counted);
  const kind = priceKindOf(enquiry);
  if (found.doubt !== null || kind === null)
    return { state: "unknown", because: becauseOf(enquiry) };
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  return {
    state: "priced",
    unitPrice: found.price * scaled.power(TRIAL_PLACES - unitPrice.scale),
    net: hundredths(found.net, lineNet.scale),
    vat: found.vat < 0 ? null : hundredths(found.vat, vat.scale),
    vatCode: book.vatCodes[found.vatCode] ?? null,
    kind,
    because: becauseOf(enquiry),
  };
}

function hundredths(value: number, places: number): number {
  return places <= 2
    ? value * scaled.power(2 - places)
    : scaled.divide(value, scaled.power(places - 2), "half-away");
}

function candidatesOf(book: PriceBook, by: Enquiry | Problem, line: TrialLine): TrialCandidate[] {
  const asked = ask(book, by, line);
  if ("detail" in asked) return [];
  const { candidates } = explainLine(
    asked.enquiry,
    asked.product,
    asked.quantity,
    -1,
    asked.counted,
  );
  return candidates.map(({ rule, entry, whom, what, unitPrice, taken, why }) => ({
    rule,
    place: `${whom}, ${what}`,
    fromQuantity: entry?.fromQuantity ?? "0",
    source: entry?.source ?? "account",
    label: entry?.label ?? null,
    unitPrice: fine(unitPrice ?? (entry?.kind === "fixed" ? entry.value : null)),
    taken,
    why,
  }));
}

function fine(price: string | null): number | null {
  return price === null ? null : (scaled.scaledOf(price, TRIAL_PLACES) ?? null);
}

/** Rows that prices are made from, as they stand in the canonical tables. */
export type TrialRows = BookInput;

/** Only what can price these accounts and products is read. */
export interface Reach {
  readonly accounts: readonly string[];
  readonly products: readonly string[];
}

/** A book of its own under a policy that need not be anybody's. */
export function trialUnder(policy: Policy, rows: TrialRows): Trial {
  return trialOf(compileBook(policy, rows), "trial");
}

export async function readTrialRows(
  on: Queryable,
  company: string,
  settings: PricingSettings,
  { accounts, products }: Reach,
): Promise<TrialRows> {
  const all = <Row>(record: RecordName, where = "true") =>
    allOf<Row>(on, company, record, where, [accounts, products]);
  return {
    currency: settings.currency,
    timeZone: settings.timeZone,
    vat: settings.vatRules?.codes ?? settings.vat,
    ...(settings.vatRules === undefined
      ? {}
      : { country: settings.vatRules.country, vatCountries: settings.vatRules.countries }),
    ...(settings.rates === undefined ? {} : { rates: settings.rates }),
    customerPriceLists: await all("customer-price-list", "account = any($2)"),
    priceFormulas: await all("price-formula"),
    productUnits: await all("product-unit", "product = any($3)"),
    customers: await all("customer", "account = any($2)"),
    sites: await all("site", "account = any($2)"),
    branches: await all("branch"),
    priceLists: await all("price-list"),
    productGroups: await all("product-group"),
    products: await all("product", "product = any($3)"),
    rules: await all("price-rule", REACHING),
    promotions: await all("promotion", REACHING),
    quotations: await quotationsOf(on, company, accounts),
  };
}

const REACHING = `
  case customer_scope when 'account' then customer_code = any($2)
       when 'site' then split_part(customer_code, '/', 1) = any($2) else true end
  and (product_scope <> 'product' or product_code = any($3))`;

// Every statement is given both lists, whether it looks at them or not.
const NO_REACH = "$2::text[] is not null and $3::text[] is not null and";

async function allOf<Row>(
  on: Queryable,
  company: string,
  record: RecordName,
  where: string,
  reach: readonly [readonly string[], readonly string[]],
): Promise<Row[]> {
  const { fields, table } = records[record];
  const columns = Object.keys(fields).map((field) => `${columnOf(field)} as "${field}"`);
  return on.query<Row>(
    `select ${columns.join(", ")} from ${table} where company = $1 and ${NO_REACH} ${where}`,
    [company, ...reach],
  );
}

async function quotationsOf(
  on: Queryable,
  company: string,
  accounts: readonly string[],
): Promise<TrialRows["quotations"]> {
  return on.query(
    `select q.quotation, q.account, q.quoted_on as "quotedOn", q.expires_on as "expiresOn",
            l.line, l.product, l.quantity, l.unit_price as "unitPrice"
       from quotation q
       join quotation_line l on l.company = q.company and l.quotation = q.quotation
      where q.company = $1 and q.state = 'open' and q.account = any($2)`,
    [company, accounts],
  );
}
