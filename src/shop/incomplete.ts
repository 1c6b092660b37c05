/** Products that the web sells and that lack what a sale needs, or what a buyer looks for. */
import type { ShopContext } from "./feed.ts";

export interface Incomplete {
  readonly product: string;
  readonly name: string;
  /** What is missing or wrong, in words; those that stop a sale first. */
  readonly stops: readonly string[];
  readonly lacks: readonly string[];
  /** Row of the ERP that it came from. */
  readonly originId: string;
  readonly originLine: number;
}

/**
 * All of them, by product. `vatCodes` are the codes that the settings give a rate. A product has a
 * price when a fixed one, a markup on a known cost or a price on request is on it, on one of its
 * groups or on everything, and has not ended.
 */
export async function incomplete(
  { store, company, now }: ShopContext,
  vatCodes: readonly string[],
): Promise<Incomplete[]> {
  return store.query<Incomplete>(
    `with recursive chain as (
       select product, product_group as at from product where company = $1 and product_group is not null
       union
       select chain.product, g.parent from chain
         join product_group g on g.company = $1 and g.product_group = chain.at
        where g.parent is not null),
     rule as (
       select product_scope, product_code, kind = 'markup' as on_cost from price_rule
        where company = $1 and kind in ('fixed', 'markup', 'on-request')
          and (valid_to is null or valid_to >= $3)
        group by 1, 2, 3),
     priced as (
       select p.product from product p
         join rule r on r.product_scope = 'product' and r.product_code = p.product
        where p.company = $1 and (not r.on_cost or p.standard_cost is not null)
       union
       select p.product from chain c
         join product p on p.company = $1 and p.product = c.product
         join rule r on r.product_scope = 'product-group' and r.product_code = c.at
        where not r.on_cost or p.standard_cost is not null
       union
       select p.product from product p
         join rule r on r.product_scope = 'everything'
        where p.company = $1 and (not r.on_cost or p.standard_cost is not null)),
     found as (
       select p.product, p.name, p.origin_id, p.origin_line,
         array_remove(array[
           case when not p.vat_code = any($2) then 'VAT code ' || p.vat_code || ' has no rate in the settings' end,
           case when priced.product is null then 'no price' end,
           case when p.multiple_quantity <= 0 then 'sold in multiples of ' || trim_scale(p.multiple_quantity) end,
           case when p.multiple_quantity > 0 and mod(p.least_quantity, p.multiple_quantity) <> 0
                then 'least quantity ' || trim_scale(p.least_quantity) || ' is no multiple of '
                     || trim_scale(p.multiple_quantity) end,
           case when p.selling_units_per_pricing_unit <= 0
                then trim_scale(p.selling_units_per_pricing_unit) || ' ' || p.selling_unit || ' per ' || p.pricing_unit end
         ], null) as stops,
         array_remove(array[
           case when upper(p.name) = upper(p.product) then 'a name that is not its code' end,
           case when p.description is null then 'description' end,
           case when p.product_group is null then 'product group' end,
           case when p.barcode is null then 'barcode' end,
           case when p.weight_kg is null then 'weight' end,
           case when s.product is null then 'stock figure' end,
           case when p.replaced_by is not null and r.product is null
                then 'its replacement ' || p.replaced_by || ', which is not there' end
         ], null) as lacks
       from product p
       left join priced on priced.product = p.product
       left join (select distinct product from stock where company = $1) s on s.product = p.product
       left join product r on r.company = p.company and r.product = p.replaced_by
      where p.company = $1 and p.sold_on_web and p.state = 'active')
     select product, name, stops, lacks, origin_id as "originId", origin_line as "originLine"
       from found where cardinality(stops) + cardinality(lacks) > 0
      order by cardinality(stops) = 0, product`,
    [company, vatCodes, now().toString().slice(0, 10)],
  );
}
