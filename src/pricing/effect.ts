/**
 * What a change of the records that make prices does to prices, told before it is published: price
 * rules that go up, down, come or go, by how much, and how many customers and products they touch.
 */
import type { Transaction } from "../store/index.ts";

/** A merge that is compared and not written yet; aliases as in the store's differences. */
export interface PlannedMerge {
  readonly company: string;
  readonly record: string;
  /** SQL relation: `d.what`, the staged row `s`, the kept row `t`. */
  readonly from: string;
}

/** Change of a price in percent, decimal text: 4.25 is dearer, -4.25 cheaper. */
export interface Spread {
  readonly count: number;
  /** Null where no percentage can be told. */
  readonly smallest: string | null;
  readonly median: string | null;
  readonly largest: string | null;
}

export interface PriceChange {
  readonly rule: string;
  /** `account A100`, `everyone` */
  readonly customer: string;
  readonly product: string;
  readonly fromQuantity: string;
  /** fixed, percent, amount, markup */
  readonly kind: string;
  readonly before: string;
  readonly after: string;
  readonly percent: string;
}

export interface PriceEffect {
  readonly up: Spread;
  readonly down: Spread;
  readonly new: number;
  readonly gone: number;
  /** The value is the same, or of another kind: dates, quantities, whom or what it is for. */
  readonly otherwise: number;
  /** How many of the company's customers and products the rules are for. */
  readonly customers: number;
  readonly products: number;
  /** The ten largest changes, in percent. */
  readonly largest: readonly PriceChange[];
}

/** Records whose rows say by themselves whom and what a price is for. */
const SCOPED: Readonly<Record<string, { table: string; name: string; quantity: string }>> = {
  "price-rule": { table: "price_rule", name: "rule", quantity: "from_quantity" },
  promotion: { table: "promotion", name: "promotion", quantity: "buy_quantity" },
};

/** Null: the record says no price by itself. */
export async function priceEffect(
  tx: Transaction,
  { company, record, from }: PlannedMerge,
): Promise<PriceEffect | null> {
  const scoped = SCOPED[record];
  if (scoped === undefined) return null;
  await tx.query(`CREATE TEMP TABLE price_change ON COMMIT DROP AS ${changesSql(scoped, from)}`);
  const effect = {
    ...(await directions(tx)),
    ...(await touched(tx, company)),
    largest: await largest(tx),
  };
  await tx.query("DROP TABLE price_change");
  return effect;
}

/**
 * How far a price moves by the rule alone, where it can be told from the rule: a price against a
 * price, a percentage against a percentage. An amount off says only up or down.
 */
function changesSql({ name, quantity }: { name: string; quantity: string }, from: string): string {
  const either = (column: string) => `coalesce(s.${column}, t.${column})`;
  return `SELECT d.what, ${either(name)} AS rule, ${either(quantity)} AS from_quantity,
      s.customer_scope AS customer_scope, s.customer_code, s.product_scope, s.product_code,
      t.customer_scope AS was_customer_scope, t.customer_code AS was_customer_code,
      t.product_scope AS was_product_scope, t.product_code AS was_product_code,
      ${either("kind")} AS kind, t.value AS before, s.value AS after,
      CASE WHEN d.what <> 'changed' OR s.kind <> t.kind OR s.value IS NULL OR t.value IS NULL THEN 0
           WHEN s.kind IN ('percent', 'amount') THEN sign(t.value - s.value)
           WHEN s.kind IN ('fixed', 'markup') THEN sign(s.value - t.value) ELSE 0 END AS direction,
      CASE WHEN d.what <> 'changed' OR s.kind <> t.kind OR s.value = t.value THEN NULL
           WHEN s.kind = 'fixed' THEN (s.value - t.value) * 100 / nullif(t.value, 0)
           WHEN s.kind = 'percent' THEN (t.value - s.value) * 100 / nullif(100 - t.value, 0)
           WHEN s.kind = 'markup' THEN (s.value - t.value) * 100 / nullif(100 + t.value, 0)
      END AS percent
    FROM ${from} WHERE d.what IN ('new', 'changed', 'gone')`;
}

async function directions(
  tx: Transaction,
): Promise<Pick<PriceEffect, "up" | "down" | "new" | "gone" | "otherwise">> {
  const rows = await tx.query<{ what: string; direction: string } & Spread>(
    `SELECT what, direction::int::text AS direction, count(*) AS count,
            round(min(abs(percent)), 2)::text AS smallest,
            round((percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(percent)))::numeric, 2)::text AS median,
            round(max(abs(percent)), 2)::text AS largest
       FROM price_change GROUP BY 1, 2`,
  );
  const of = (what: string, direction: string) =>
    rows.find((row) => row.what === what && row.direction === direction);
  const spread = (direction: string): Spread => {
    const { count, smallest, median, largest: most } = of("changed", direction) ?? NONE;
    return { count, smallest, median, largest: most };
  };
  return {
    up: spread("1"),
    down: spread("-1"),
    new: of("new", "0")?.count ?? 0,
    gone: of("gone", "0")?.count ?? 0,
    otherwise: of("changed", "0")?.count ?? 0,
  };
}

const NONE: Spread = { count: 0, smallest: null, median: null, largest: null };

async function largest(tx: Transaction): Promise<PriceChange[]> {
  return tx.query<PriceChange>(
    `SELECT rule, concat_ws(' ', customer_scope, nullif(customer_code, '*')) AS customer,
            concat_ws(' ', product_scope, nullif(product_code, '*')) AS product,
            trim_scale(coalesce(from_quantity, 0))::text AS "fromQuantity", kind,
            trim_scale(before)::text AS before, trim_scale(after)::text AS after,
            round(percent, 2)::text AS percent
       FROM price_change WHERE percent IS NOT NULL
      ORDER BY abs(percent) DESC, rule, from_quantity LIMIT 10`,
  );
}

/** By the masters as they stand, of the rules as they were and as they will be. */
async function touched(
  tx: Transaction,
  company: string,
): Promise<Pick<PriceEffect, "customers" | "products">> {
  const [row] = await tx.query<{ customers: number; products: number }>(
    `WITH RECURSIVE
       customers AS (SELECT DISTINCT customer_scope AS scope, customer_code AS code FROM price_change
                     UNION SELECT was_customer_scope, was_customer_code FROM price_change),
       products AS (SELECT DISTINCT product_scope AS scope, product_code AS code FROM price_change
                    UNION SELECT was_product_scope, was_product_code FROM price_change),
       groups AS (SELECT code FROM products WHERE scope = 'product-group'
                  UNION SELECT g.product_group FROM product_group g
                          JOIN groups ON g.company = $1 AND g.parent = groups.code)
     SELECT (SELECT count(*) FROM customer c WHERE c.company = $1 AND (
               EXISTS (SELECT FROM customers WHERE scope = 'everyone')
               OR c.account IN (${codes("account")})
               OR c.account IN (SELECT split_part(code, '/', 1) FROM customers WHERE scope = 'site')
               OR c.account IN (${codes("head-office")}) OR c.head_office IN (${codes("head-office")})
               OR c.customer_group IN (${codes("customer-group")})
               OR c.branch IN (${codes("branch")})
               OR coalesce(c.price_list, (SELECT l.price_list FROM price_list l
                    WHERE l.company = $1 AND l.standard LIMIT 1)) IN (${codes("price-list")})
             )) AS customers,
            (SELECT count(*) FROM product p WHERE p.company = $1 AND (
               EXISTS (SELECT FROM products WHERE scope = 'everything')
               OR p.product IN (SELECT code FROM products WHERE scope = 'product' AND code IS NOT NULL)
               OR p.product_group IN (SELECT code FROM groups WHERE code IS NOT NULL)
             )) AS products`,
    [company],
  );
  return row ?? { customers: 0, products: 0 };
}

function codes(scope: string): string {
  return `SELECT code FROM customers WHERE scope = '${scope}' AND code IS NOT NULL`;
}
