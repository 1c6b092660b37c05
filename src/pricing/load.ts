/**
 * Canonical tables → a price book. Every table is read in one statement, so none is seen half
 * changed.
 */
import { columnOf, records } from "../model/index.ts";
import type { RecordName } from "../model/index.ts";
import type { Store } from "../store/index.ts";
import { startBook } from "./engine/index.ts";
import type { Masters, Policy, PriceBook, PromotionRow, QuotationRow } from "./engine/index.ts";
import { ruleRows } from "./rule-rows.ts";

export interface PricedCompany {
  readonly company: string;
  readonly settings: PricingSettings;
}

export interface PricingSettings {
  /** ISO currency of its ledger: what costs and promotions are in. */
  readonly currency: string;
  /** IANA time zone of its business dates. */
  readonly timeZone: string;
  /** VAT code → rate in percent, decimal text. */
  readonly vat: Readonly<Record<string, string>>;
}

export interface LoadedBook {
  readonly book: PriceBook;
  /** Ids of the runs that last wrote the rows it was compiled from, by record, sorted. */
  readonly runs: Readonly<Record<string, readonly string[]>>;
}

type Runs = Map<string, Set<string>>;

export async function loadBook(
  store: Store,
  { company, settings }: PricedCompany,
  policy: Policy,
): Promise<LoadedBook> {
  const runs: Runs = new Map();
  const builder = startBook(policy, await readMasters(store, company, settings, runs));
  const ruleRuns = runsOf(runs, "price-rule");
  for await (const batch of ruleRows(store, company)) {
    builder.addRules(batch);
    for (const row of batch) ruleRuns.add(row.runId);
  }
  builder.addPromotions(
    await readRows<PromotionRow>(store, company, "promotion", PROMOTION_FIELDS, runs),
  );
  builder.addQuotations(await readQuotations(store, company, runs));
  const sorted = [...runs].map(([record, ids]) => [record, [...ids].sort()] as const);
  return { book: builder.finish(), runs: Object.fromEntries(sorted) };
}

async function readMasters(
  store: Store,
  company: string,
  settings: PricingSettings,
  runs: Runs,
): Promise<Masters> {
  const rows = <Row>(record: RecordName, fields: readonly (keyof Row & string)[]) =>
    readRows<Row>(store, company, record, fields, runs);
  return {
    currency: settings.currency,
    vat: settings.vat,
    customers: await rows<Masters["customers"][number]>("customer", CUSTOMER_FIELDS),
    sites: await rows<Masters["sites"][number]>("site", SITE_FIELDS),
    branches: await rows<Masters["branches"][number]>("branch", ["branch"]),
    priceLists: await rows<Masters["priceLists"][number]>("price-list", ["priceList", "standard"]),
    productGroups: await rows<Masters["productGroups"][number]>("product-group", [
      "productGroup",
      "parent",
    ]),
    products: await rows<Masters["products"][number]>("product", PRODUCT_FIELDS),
  };
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
] as const;

const SITE_FIELDS = ["account", "site", "vatCode", "standard"] as const;

const PRODUCT_FIELDS = [
  "product",
  "productGroup",
  "sellingUnit",
  "pricingUnit",
  "sellingUnitsPerPricingUnit",
  "vatCode",
  "standardCost",
] as const;

const PROMOTION_FIELDS = [
  "promotion",
  "customerScope",
  "customerCode",
  "productScope",
  "productCode",
  "kind",
  "value",
  "buyQuantity",
  "thresholdValue",
  "code",
  "validFrom",
  "validTo",
] as const;

function runsOf(runs: Runs, record: RecordName): Set<string> {
  const known = runs.get(record) ?? new Set<string>();
  runs.set(record, known);
  return known;
}

async function readRows<Row>(
  store: Store,
  company: string,
  record: RecordName,
  fields: readonly (keyof Row & string)[],
  runs: Runs,
): Promise<Row[]> {
  const columns = fields.map((field) => `${columnOf(field)} as "${field}"`).join(", ");
  const sql = `select ${columns}, run_id as "runId" from ${records[record].table} where company = $1`;
  const rows = await store.query<Row & { readonly runId: string }>(sql, [company]);
  const ids = runsOf(runs, record);
  for (const row of rows) ids.add(row.runId);
  return rows;
}

/** Lines of open quotations. Whether the day is one of theirs is asked when they are used. */
async function readQuotations(store: Store, company: string, runs: Runs): Promise<QuotationRow[]> {
  const rows = await store.query<QuotationRow & { runId: string; lineRunId: string }>(
    `select q.quotation, q.account, q.quoted_on as "quotedOn", q.expires_on as "expiresOn",
            l.line, l.product, l.quantity, l.unit_price as "unitPrice",
            q.run_id as "runId", l.run_id as "lineRunId"
       from quotation q
       join quotation_line l on l.company = q.company and l.quotation = q.quotation
      where q.company = $1 and q.state = 'open'`,
    [company],
  );
  for (const row of rows) {
    runsOf(runs, "quotation").add(row.runId);
    runsOf(runs, "quotation-line").add(row.lineRunId);
  }
  return rows;
}
