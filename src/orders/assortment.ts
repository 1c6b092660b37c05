/**
 * Who is shown what. What is said to the account counts before what is said to its group, and that
 * before what is said to all; in each, of a product before of its group, the nearest first, and of
 * all products. Where nothing is said a product is shown.
 */
import type { Canonical } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { Asked } from "./surroundings.ts";

type Said = Canonical<"assortment">;
type Product = Pick<Canonical<"product">, "product" | "productGroup">;

export interface Assortment {
  /** "account A1 product BRK" → whether it is shown. */
  readonly said: ReadonlyMap<string, boolean>;
  /** Product group → the one above it. */
  readonly parents: ReadonlyMap<string, string>;
}

export async function readAssortment(
  tx: Queryable,
  company: string,
  asked: readonly Asked[],
  products: readonly Product[],
): Promise<Assortment> {
  const rows = await tx.prepared<Said>(
    `select customers, customer_code as "customerCode", products, product_code as "productCode",
            visibility
       from assortment
      where company = $1
        and (customers = 'all' or (customers = 'account' and customer_code = any($2))
             or (customers = 'customer-group' and customer_code = any($3)))
        and (products <> 'product' or product_code = any($4))`,
    [
      company,
      [...new Set(asked.map(({ request }) => request.account))],
      [...new Set(asked.flatMap(({ customer }) => customer?.customerGroup ?? []))],
      [...new Set(products.map(({ product }) => product))],
    ],
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
  { request: { account }, customer }: Asked,
  assortment: Assortment,
  products: ReadonlyMap<string, Product>,
): ReadonlySet<string> {
  if (assortment.said.size === 0) return new Set();
  const group = customer?.customerGroup ?? null;
  const whom: readonly (readonly [string, string])[] = [
    ["account", account],
    ...(group === null ? [] : [["customer-group", group] as const]),
    ["all", "*"],
  ];
  return new Set(
    [...products.values()]
      .filter((product) => !isShown(whom, whatOf(product, assortment.parents), assortment.said))
      .map(({ product }) => product),
  );
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
