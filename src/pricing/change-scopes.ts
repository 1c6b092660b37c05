/**
 * Which customers' prices of which products changes of records can have changed: scopes, found by
 * SQL from the rows as they were and as they are, and never one by one. Rather too wide than too
 * narrow: a scope that changed nothing costs a shop a question, one that is missing costs it the
 * right price.
 */
import { columnOf, records } from "../model/index.ts";
import type { RecordName } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { literal } from "./rule-rows.ts";

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
   from (select * from price_rule where company = $1 union all
         select n.* from price_overlay o
          cross join lateral jsonb_populate_record(null::price_rule, o.row) n
          where o.company = $1 and o.row is not null) f where f.formula is not null`;

const REACHES: readonly Reach[] = [
  { record: "price-rule", scopes: ofRow },
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
  // A version without a change that we know of: whoever wrote the tables did not say.
  if (touched.length === 0 && !overlaid) return [EVERYTHING];
  await on.query(
    `create temp table price_scope (customer_scope text, customer_code text, product_scope text,
                                    product_code text) on commit drop`,
  );
  const [rules, others] = [touched.filter(isRules), touched.filter((reach) => !isRules(reach))];
  for (const reach of rules) await addChanged(on, company, reach, since);
  if (overlaid) await addOverlaid(on, company, since.overlayAt);
  if (rules.length > 0 || overlaid) await addByFormula(on, company);
  for (const reach of others) await addChanged(on, company, reach, since);
  const found = await bounded(on);
  await on.query("drop table price_scope");
  return found.length === 0 ? [EVERYTHING] : found;
}

const isRules = ({ record }: Reach): boolean => record === "price-rule";

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

/**
 * Scopes of rows as they were and as they are, except those that say of prices what they said
 * before. Through tables of the moment that are counted first: the planner takes rows that a merge
 * has just written for none, and would compare thousands of them with thousands one by one.
 */
async function addChanged(
  on: Queryable,
  company: string,
  { record, fields, scopes }: Reach,
  since: Seen,
): Promise<void> {
  const { table, key } = records[record];
  const columns = key.map(columnOf);
  const names = (fields ?? Object.keys(records[record].fields)).map(columnOf);
  const same = (of: readonly string[]) =>
    `(${of.map((column) => `n.${column}`).join(", ")}) is not distinct from (${of.map((column) => `o.${column}`).join(", ")})`;
  const keyed = (alias: string) =>
    columns.map((column) => `n.${column} = ${alias}.${column}`).join(" and ");
  const parts = key.map(
    (field, at) =>
      `split_part(key, E'\\x1f', ${at + 1})::${typeOf(record, field)} as ${columnOf(field)}`,
  );
  const changed = `from superseded_row where company = ${literal(company)} and record = '${record}'
    and change > ${since.records[record] ?? 0}`;
  await on.query(
    `create temp table price_was on commit drop as
     select o.* from (select distinct was ${changed} and was is not null) t
      cross join lateral jsonb_populate_record(null::${table}, t.was) o`,
  );
  await on.query(
    `create temp table price_key on commit drop as
     select ${parts.join(", ")}, bool_or(was is null) as is_new ${changed} group by key`,
  );
  await on.query("analyze price_was, price_key");
  await on.query(
    `create temp table price_is on commit drop as
     select n.* from price_key k join ${table} n on n.company = ${literal(company)} and ${keyed("k")}`,
  );
  await on.query("analyze price_is");
  await on.affect(
    `insert into price_scope select distinct s.* from (
       select o.* from price_was o left join price_is n on ${keyed("o")}
        where n.company is null or not ${same(names)}
       union all
       select n.* from price_is n join price_was o on ${keyed("o")} where not ${same(names)}
       union all
       select n.* from price_is n join price_key k on ${keyed("k")} where k.is_new
     ) r cross join lateral (${scopes}) s(customer_scope, customer_code, product_scope, product_code)
     where $1::text is not null`,
    [company],
  );
  await on.query("drop table price_was, price_key, price_is");
}

/** Of a column of a key, so that its index is used. */
function typeOf(record: RecordName, field: string): string {
  if (record === "price-rule" && field === "fromQuantity") return "numeric";
  return record === "quotation-line" && field === "line" ? "int" : "text";
}

/** What a round or a hold put in the place of rules, or took away again. */
async function addOverlaid(on: Queryable, company: string, since: string | null): Promise<void> {
  await on.query("analyze price_overlay");
  await on.affect(
    `insert into price_scope select distinct s.* from (
       select n.* from price_overlay o
        cross join lateral jsonb_populate_record(null::price_rule, o.row) n
        where o.company = $1 and ($2::timestamptz is null or o.learned_at >= $2) and o.row is not null
       union all
       select n.* from price_rule n where n.company = $1 and (n.rule, n.from_quantity) in (
         select o.rule, o.from_quantity from price_overlay o
          where o.company = $1 and ($2::timestamptz is null or o.learned_at >= $2))
     ) r cross join lateral ${ofRow} s(customer_scope, customer_code, product_scope, product_code)`,
    [company, since],
  );
}

/** Looked for once, and only where there are formulas. */
async function addByFormula(on: Queryable, company: string): Promise<void> {
  const [formulas] = await on.query(
    `select from price_formula where company = $1 and exists (
       select from price_scope where customer_scope in ('price-list', 'everyone')) limit 1`,
    [company],
  );
  if (formulas !== undefined) await on.affect(`insert into price_scope ${BY_FORMULA}`, [company]);
}

/** At most MOST_SCOPES: as they are, else whole customers, else whole products, else everything. */
async function bounded(on: Queryable): Promise<readonly PriceScope[]> {
  const distinct = async (customers: boolean, products: boolean) => {
    const scopes = await on.query<PriceScope>(
      `select distinct ${customers ? "customer_scope" : "'everyone'"} as "customerScope",
              ${customers ? "customer_code" : "null"} as "customerCode",
              ${products ? "product_scope" : "'everything'"} as "productScope",
              ${products ? "product_code" : "null"} as "productCode"
         from price_scope order by 1, 2, 3, 4 limit ${MOST_SCOPES + 1}`,
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
