/**
 * Which customers' prices of which products changes of records can have changed: scopes, found by
 * SQL from the rows as they were and as they are, and never one by one. Rather too wide than too
 * narrow: a scope that changed nothing costs a shop a question, one that is missing costs it the
 * right price.
 */
import { columnOf, records } from "../model/index.ts";
import type { RecordName } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";

/** Whom and what: a code is null for `everyone` and `everything`. */
export interface PriceScope {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string | null;
}

export const EVERYTHING: PriceScope = {
  customerScope: "everyone",
  customerCode: null,
  productScope: "everything",
  productCode: null,
};

/** More scopes than this are told as "everything for X", or as everything. */
export const MOST_SCOPES = 200;

/** What was known when a book was read. */
export interface Seen {
  /** Number of the last change of each record. */
  readonly records: Readonly<Record<string, number>>;
  /** When rows of a round or hold last came to count; null: never. */
  readonly overlayAt: string | null;
  /** Digest of what else a price hangs on: the policy and the settings. */
  readonly settings: string;
}

/** How rows of a record reach prices. */
interface Reach {
  readonly record: RecordName;
  /** Fields that prices hang on; absent: all of them. */
  readonly fields?: readonly string[];
  /** SQL of a relation of scopes that the row `r` reaches; `$1` is the company. */
  readonly scopes: string;
}

const values = (customer: string, code: string, product: string, productCode: string) =>
  `(values (${customer}, ${code}, ${product}, ${productCode}))`;
const ofAccount = values("'account'", "r.account", "'everything'", "null::text");
const ofProduct = values("'everyone'", "null::text", "'product'", "r.product");
const ofRow = values(
  "r.customer_scope",
  "nullif(r.customer_code, '*')",
  "r.product_scope",
  "nullif(r.product_code, '*')",
);
/** Prices that formulas work out are read from lists that their customers need not be on. */
const BY_FORMULA = `select f.customer_scope, f.customer_code, f.product_scope, f.product_code
   from price_rule f where f.company = $1 and f.formula is not null`;

const REACHES: readonly Reach[] = [
  {
    record: "price-rule",
    scopes: `${ofRow} union ${BY_FORMULA} and r.customer_scope in ('price-list', 'everyone')`,
  },
  { record: "promotion", scopes: ofRow },
  { record: "quotation", scopes: ofAccount },
  {
    record: "quotation-line",
    scopes: `select 'account', q.account, 'product', r.product from quotation q
              where q.company = $1 and q.quotation = r.quotation`,
  },
  {
    record: "customer",
    fields: [
      "headOffice",
      "buyingGroup",
      "customerGroup",
      "priceList",
      "branch",
      "currency",
      "vatCode",
      "vatNumber",
      "vatEvidence",
      "country",
      "discountPercent",
    ],
    scopes: ofAccount,
  },
  { record: "site", fields: ["vatCode", "country", "standard"], scopes: ofAccount },
  { record: "customer-price-list", scopes: ofAccount },
  {
    record: "branch",
    fields: ["branch"],
    scopes: values("'branch'", "r.branch", "'everything'", "null::text"),
  },
  {
    record: "price-list",
    fields: ["currency", "standard"],
    scopes: values(
      "case when r.standard then 'everyone' else 'price-list' end",
      "case when r.standard then null else r.price_list end",
      "'everything'",
      "null::text",
    ),
  },
  {
    record: "product",
    fields: [
      "productGroup",
      "sellingUnit",
      "pricingUnit",
      "sellingUnitsPerPricingUnit",
      "vatCode",
      "standardCost",
    ],
    scopes: ofProduct,
  },
  { record: "product-unit", scopes: ofProduct },
  {
    record: "product-group",
    fields: ["parent"],
    scopes: values("'everyone'", "null::text", "'product-group'", "r.product_group"),
  },
  { record: "price-formula", scopes: `${BY_FORMULA} and f.formula = r.formula` },
];

export async function seenNow(on: Queryable, company: string, settings: string): Promise<Seen> {
  const rows = await on.query<{ record: string; number: number }>(
    "select record, max(number) as number from record_change where company = $1 group by record",
    [company],
  );
  const [overlay] = await on.query<{ at: Temporal.Instant | null }>(
    "select max(learned_at) as at from price_overlay where company = $1",
    [company],
  );
  return {
    records: Object.fromEntries(rows.map(({ record, number }) => [record, number])),
    overlayAt: overlay?.at?.toString() ?? null,
    settings,
  };
}

/** What may have changed since; everything when that cannot be told. */
export async function scopesSince(
  on: Queryable,
  company: string,
  since: Seen,
  now: Seen,
): Promise<readonly PriceScope[]> {
  if (since.settings !== now.settings) return [EVERYTHING];
  const touched = REACHES.filter(
    ({ record }) => (now.records[record] ?? 0) > (since.records[record] ?? 0),
  );
  if (await anyWhole(on, company, touched, since)) return [EVERYTHING];
  const overlaid = now.overlayAt !== null && now.overlayAt !== since.overlayAt;
  const relations = touched.map((reach) => changedScopes(reach, since.records[reach.record] ?? 0));
  if (overlaid) relations.push(overlaidScopes(since.overlayAt));
  // A version without a change that we know of: whoever wrote the tables did not say.
  if (relations.length === 0) return [EVERYTHING];
  const found = await bounded(on, company, relations.join("\nunion all\n"));
  return found.length === 0 ? [EVERYTHING] : found;
}

/** First loads, and changes so large that their new rows are not listed. */
async function anyWhole(
  on: Queryable,
  company: string,
  touched: readonly Reach[],
  since: Seen,
): Promise<boolean> {
  const [row] = await on.query<{ whole: boolean }>(
    `select exists (select from record_change c
                      join unnest($2::text[], $3::int[]) as t(record, number)
                        on t.record = c.record and c.number > t.number
                     where c.company = $1 and c.whole) as whole`,
    [
      company,
      touched.map(({ record }) => record),
      touched.map(({ record }) => since.records[record] ?? 0),
    ],
  );
  return row?.whole === true;
}

/** Rows as they were and as they are, except those that say of prices what they said before. */
function changedScopes({ record, fields, scopes }: Reach, since: number): string {
  const { table, key } = records[record];
  const keyed = key.map((field) => `n.${columnOf(field)} = o.${columnOf(field)}`).join(" and ");
  const names = fields ?? Object.keys(records[record].fields);
  const says = (alias: string) =>
    `row(${names.map((field) => `${alias}.${columnOf(field)}`).join(", ")})`;
  const keyAt = (at: number) => `split_part(t.key, E'\\x1f', ${at + 1})`;
  const ofKey = key
    .map((field, at) => `n.${columnOf(field)} = ${keyAt(at)}::${typeOf(record, field)}`)
    .join(" and ");
  const touched = `(select distinct key, was from superseded_row
                     where company = $1 and record = '${record}' and change > ${since})`;
  return `select s.* from (
      select o.* from ${touched} t
       cross join lateral jsonb_populate_record(null::${table}, t.was) o
       where t.was is not null and not exists (
         select from ${table} n where n.company = $1 and ${keyed} and ${says("n")} is not distinct from ${says("o")})
      union all
      select n.* from ${touched} t join ${table} n on n.company = $1 and ${ofKey}
       where t.was is null
          or ${says("n")} is distinct from (select ${says("o")} from jsonb_populate_record(null::${table}, t.was) o)
    ) r cross join lateral (${scopes}) s(customer_scope, customer_code, product_scope, product_code)`;
}

/** Of a column of a key, so that its index is used. */
function typeOf(record: RecordName, field: string): string {
  if (record === "price-rule" && field === "fromQuantity") return "numeric";
  return record === "quotation-line" && field === "line" ? "int" : "text";
}

function overlaidScopes(since: string | null): string {
  const later = since === null ? "true" : `o.learned_at >= '${since}'::timestamptz`;
  return `select s.* from (
      select n.* from price_overlay o
       cross join lateral jsonb_populate_record(null::price_rule, o.row) n
       where o.company = $1 and ${later} and o.row is not null
      union all
      select n.* from price_overlay o join price_rule n
          on n.company = $1 and n.rule = o.rule and n.from_quantity = o.from_quantity
       where o.company = $1 and ${later}
    ) r cross join lateral ${ofRow} s(customer_scope, customer_code, product_scope, product_code)`;
}

/** At most MOST_SCOPES: as they are, else whole customers, else whole products, else everything. */
async function bounded(
  on: Queryable,
  company: string,
  relation: string,
): Promise<readonly PriceScope[]> {
  const distinct = async (customers: boolean, products: boolean) => {
    const scopes = await on.query<PriceScope>(
      `select distinct ${customers ? "customer_scope" : "'everyone'"} as "customerScope",
              ${customers ? "customer_code" : "null"} as "customerCode",
              ${products ? "product_scope" : "'everything'"} as "productScope",
              ${products ? "product_code" : "null"} as "productCode"
         from (${relation}) changed order by 1, 2, 3, 4 limit ${MOST_SCOPES + 1}`,
      [company],
    );
    return scopes.length <= MOST_SCOPES ? scopes : null;
  };
  const exact = await distinct(true, true);
  if (exact !== null) return exact;
  const customers = await distinct(true, false);
  if (customers !== null && !customers.some(isEverything)) return customers;
  const products = await distinct(false, true);
  return products !== null && !products.some(isEverything) ? products : [EVERYTHING];
}

function isEverything({ customerScope, productScope }: PriceScope): boolean {
  return customerScope === "everyone" && productScope === "everything";
}
