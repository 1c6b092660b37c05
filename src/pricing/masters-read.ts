/** The records that a book rests on besides its rules, as the tables hold them at one moment. */
import { columnOf, records } from "../model/index.ts";
import type { Canonical, RecordName } from "../model/index.ts";
import type { Masters, PromotionRow, QuotationRow, VatRules } from "./engine/index.ts";

export interface PricedCompany {
  readonly company: string;
  readonly settings: PricingSettings;
}

export interface PricingSettings {
  /** ISO currency of its ledger: what costs and promotions are in. */
  readonly currency: string;
  /** IANA time zone of its business dates. */
  readonly timeZone: string;
  /** VAT code → rate in percent, decimal text: the newest where it changes. */
  readonly vat: Readonly<Record<string, string>>;
  /** The same with dates, evidence and countries; absent: rates are all that is said. */
  readonly vatRules?: VatRules;
  /** Currency → units of it for one of the company's own, decimal text. */
  readonly rates?: Readonly<Record<string, string>>;
}

/** Ids of the runs that wrote the rows that were read, by record. */
export type Runs = Map<string, Set<string>>;

/** Whatever reads rows: a pool, or one moment. */
export interface Reader {
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** SQL of a relation that stands where a record's table would; absent: the table. */
  readonly relation?: (record: RecordName) => string;
}

function relationOf({ relation }: Reader, record: RecordName): string {
  return relation?.(record) ?? records[record].table;
}

/** Records whose rows are masters. */
export const MASTER_RECORDS = [
  "customer",
  "site",
  "branch",
  "price-list",
  "product-group",
  "product",
  "customer-price-list",
  "price-formula",
  "product-unit",
] as const satisfies readonly RecordName[];

export async function readMasters(
  on: Reader,
  { company, settings }: PricedCompany,
  runs: Runs,
): Promise<Masters> {
  const rows = <Row>(record: RecordName, fields: readonly (keyof Row & string)[]) =>
    readRows<Row>(on, company, record, fields, runs);
  return {
    currency: settings.currency,
    timeZone: settings.timeZone,
    vat: settings.vatRules?.codes ?? settings.vat,
    ...(settings.vatRules === undefined
      ? {}
      : { country: settings.vatRules.country, vatCountries: settings.vatRules.countries }),
    customers: await rows<Masters["customers"][number]>("customer", CUSTOMER_FIELDS),
    sites: await rows<Masters["sites"][number]>("site", SITE_FIELDS),
    branches: await rows<Masters["branches"][number]>("branch", ["branch"]),
    priceLists: await rows<Masters["priceLists"][number]>("price-list", ["priceList", "standard"]),
    productGroups: await rows<Masters["productGroups"][number]>("product-group", [
      "productGroup",
      "parent",
    ]),
    products: await rows<Masters["products"][number]>("product", PRODUCT_FIELDS),
    customerPriceLists: await rows("customer-price-list", fieldsOf("customer-price-list")),
    priceFormulas: await rows("price-formula", fieldsOf("price-formula")),
    productUnits: await rows("product-unit", fieldsOf("product-unit")),
    ...(settings.rates === undefined ? {} : { rates: settings.rates }),
  };
}

function fieldsOf<Name extends RecordName>(name: Name): (keyof Canonical<Name> & string)[] {
  return Object.keys(records[name].fields) as (keyof Canonical<Name> & string)[];
}

const CUSTOMER_FIELDS = [
  "account",
  "headOffice",
  "buyingGroup",
  "customerGroup",
  "priceList",
  "branch",
  "currency",
  "discountPercent",
  "vatCode",
  "vatNumber",
  "vatEvidence",
  "country",
] as const;

const SITE_FIELDS = ["account", "site", "vatCode", "standard", "country"] as const;

const PRODUCT_FIELDS = [
  "product",
  "productGroup",
  "sellingUnit",
  "pricingUnit",
  "sellingUnitsPerPricingUnit",
  "vatCode",
  "standardCost",
] as const;

export function readPromotions(on: Reader, company: string, runs: Runs): Promise<PromotionRow[]> {
  return readRows<PromotionRow>(on, company, "promotion", fieldsOf("promotion"), runs);
}

/** Lines of open quotations. Whether the day is one of theirs is asked when they are used. */
export async function readQuotations(
  on: Reader,
  company: string,
  runs: Runs,
): Promise<QuotationRow[]> {
  const rows = await on.query<QuotationRow & { runId?: string; lineRunId?: string }>(
    `select q.quotation, q.account, q.quoted_on as "quotedOn", q.expires_on as "expiresOn",
            l.line, l.product, l.quantity, l.ordered_quantity as "orderedQuantity",
            l.unit_price as "unitPrice",
            q.run_id as "runId", l.run_id as "lineRunId"
       from ${relationOf(on, "quotation")} q
       join ${relationOf(on, "quotation-line")} l
         on l.company = q.company and l.quotation = q.quotation
      where q.company = $1 and q.state = 'open'`,
    [company],
  );
  noteRuns(runs, "quotation", rows);
  const lines = runsOf(runs, "quotation-line");
  for (const row of rows) {
    if (row.lineRunId !== undefined) lines.add(row.lineRunId);
    delete row.lineRunId;
  }
  return rows;
}

async function readRows<Row>(
  on: Reader,
  company: string,
  record: RecordName,
  fields: readonly (keyof Row & string)[],
  runs: Runs,
): Promise<Row[]> {
  const columns = fields.map((field) => `${columnOf(field)} as "${field}"`).join(", ");
  const sql = `select ${columns}, run_id as "runId"
                 from ${relationOf(on, record)} r where company = $1`;
  const rows = await on.query<Row & { runId?: string }>(sql, [company]);
  noteRuns(runs, record, rows);
  return rows;
}

/** Run ids are told apart from what the rows say. */
function noteRuns(runs: Runs, record: RecordName, rows: readonly { runId?: string }[]): void {
  const ids = runsOf(runs, record);
  for (const row of rows) {
    if (row.runId !== undefined) ids.add(row.runId);
    delete row.runId;
  }
}

function runsOf(runs: Runs, record: RecordName): Set<string> {
  const known = runs.get(record) ?? new Set<string>();
  runs.set(record, known);
  return known;
}
