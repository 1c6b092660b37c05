/**
 * Who is shown what. What is said to the account counts before what is said to its group, and that
 * before what is said to all; in each, of a product before of its group, the nearest first, and of
 * all products. Where nothing is said a product is shown.
 */
import type { Canonical } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";

type Said = Canonical<"assortment">;
type Product = Pick<Canonical<"product">, "product" | "productGroup">;

/** Who looks. */
export interface Whom {
  readonly account: string;
  /** Null: it is in none. */
  readonly customerGroup: string | null;
}

export interface Assortment {
  /** "account A1 product BRK" → whether it is shown. */
  readonly said: ReadonlyMap<string, boolean>;
  /** Product group → the one above it. */
  readonly parents: ReadonlyMap<string, string>;
}

/** What is said to these accounts of these products. */
export async function readAssortment(
  tx: Queryable,
  company: string,
  accounts: readonly string[],
  products: readonly string[],
): Promise<Assortment> {
  const rows = await tx.prepared<Said>(
    `select customers, customer_code as "customerCode", products, product_code as "productCode",
            visibility
       from assortment
      where company = $1
        and (customers = 'all' or (customers = 'account' and customer_code = any($2))
             or (customers = 'customer-group' and customer_code = any(array(
                  select customer_group from customer where company = $1 and account = any($2)))))
        and (products <> 'product' or product_code = any($3))`,
    [company, [...new Set(accounts)], [...new Set(products)]],
  );
  const ofGroups = rows.some((row) => row.products === "product-group");
  return {
    said: new Map(
      rows.map((row) => [
        key(row.customers, row.customerCode, row.products, row.productCode),
        row.visibility === "shown",
      ]),
    ),
    parents: ofGroups ? await readParents(tx, company) : new Map(),
  };
}

async function readParents(tx: Queryable, company: string): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.prepared<{ productGroup: string; parent: string }>(
    `select product_group as "productGroup", parent from product_group
      where company = $1 and parent is not null`,
    [company],
  );
  return new Map(rows.map(({ productGroup, parent }) => [productGroup, parent]));
}

/** The products of these that the customer is not shown. */
export function hiddenFrom(
  { account, customerGroup }: Whom,
  assortment: Assortment,
  products: ReadonlyMap<string, Product>,
): ReadonlySet<string> {
  if (assortment.said.size === 0) return new Set();
  const whom: readonly (readonly [string, string])[] = [
    ["account", account],
    ...(customerGroup === null ? [] : [["customer-group", customerGroup] as const]),
    ["all", "*"],
  ];
  return new Set(
    [...products.values()]
      .filter((product) => !isShown(whom, whatOf(product, assortment.parents), assortment.said))
      .map(({ product }) => product),
  );
}

/** Codes of all products that an account is not shown; null: there is no such account. */
export async function hiddenProducts(
  on: Queryable,
  company: string,
  account: string,
): Promise<readonly string[] | null> {
  const [whom] = await on.query<Whom>(
    `select account, customer_group as "customerGroup" from customer
      where company = $1 and account = $2`,
    [company, account],
  );
  if (whom === undefined) return null;
  const products = await on.query<Product>(
    `select product, product_group as "productGroup" from product where company = $1
        and exists (select from assortment where company = $1)`,
    [company],
  );
  const codes = products.map(({ product }) => product);
  const assortment = await readAssortment(on, company, [account], codes);
  const byCode = new Map(products.map((product) => [product.product, product]));
  return [...hiddenFrom(whom, assortment, byCode)].toSorted((one, other) => (one < other ? -1 : 1));
}

function isShown(
  whom: readonly (readonly [string, string])[],
  what: readonly (readonly [string, string])[],
  said: Assortment["said"],
): boolean {
  for (const [customers, customerCode] of whom)
    for (const [products, productCode] of what) {
      const shown = said.get(key(customers, customerCode, products, productCode));
      if (shown !== undefined) return shown;
    }
  return true;
}

const MOST_LEVELS = 20;

/** The product, its groups upwards, and all products. */
function whatOf(
  { product, productGroup }: Product,
  parents: Assortment["parents"],
): readonly (readonly [string, string])[] {
  const groups: string[] = [];
  let group = productGroup ?? undefined;
  while (group !== undefined && groups.length < MOST_LEVELS && !groups.includes(group)) {
    groups.push(group);
    group = parents.get(group);
  }
  return [
    ["product", product],
    ...groups.map((one) => ["product-group", one] as const),
    ["all", "*"],
  ];
}

function key(...parts: readonly [string, string, string, string]): string {
  const [customers, customerCode, products, productCode] = parts;
  const whom = customers === "all" ? "*" : customerCode;
  return JSON.stringify([customers, whom, products, products === "all" ? "*" : productCode]);
}
