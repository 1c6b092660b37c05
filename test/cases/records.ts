/**
 * What a case says, as the ordinary records of the product: products with their units, lists,
 * rules, formulas. Words are mapped and units named; no price is worked out here.
 */
import type { Canonical } from "../../src/model/index.ts";
import { ruleRowsOf } from "./rule-rows.ts";
import { BUYER, negated, openRule, PRODUCT_PRICES, times } from "./world.ts";
import type { Goods, ListPlace, ProductUnit, RuleRecord, World } from "./world.ts";

/** Stands for a price that a case leaves open because its percents are what it is about. */
const ANY_PRICE = "100";

/** The records of a case. Goods that know the unit have prices per it, others per their own. */
export function recordsOf(world: World, unit: string | null) {
  const { goods, query, lists, currency } = world;
  const account = query.customer ?? BUYER;
  const buyers = lists.filter((list) => list.buyers);
  const mapped = ruleRowsOf(world);
  const rules = [...goods.flatMap((product) => listPrice(world, product)), ...mapped.rules];
  return {
    currency,
    rates: world.rates,
    timeZone: "UTC",
    vat: { NONE: "0" },
    customers: accountsOf(world, account).map((code) => ({
      account: code,
      headOffice: null,
      buyingGroup: null,
      customerGroup: code === account ? (query.customer_group ?? null) : null,
      priceList: null,
      branch: null,
      currency: query.currency || currency,
      discountPercent: null,
      vatCode: null,
    })),
    sites: [],
    branches: [],
    priceLists: lists.map(({ id }) => ({ priceList: id, standard: false })),
    customerPriceLists: buyers.map(({ id, closes }, at): ListPlace => ({
      account,
      priceList: id,
      position: at + 1,
      closes,
    })),
    productGroups: groupsOf(goods),
    products: goods.map((product) => productOf(product, unit)),
    productUnits: goods.flatMap(unitsOf),
    priceFormulas: mapped.formulas,
    rules: world.strategy.reversed === true ? rules.toReversed() : rules,
    promotions: [],
    quotations: [],
  };
}
export type Records = ReturnType<typeof recordsOf>;

function accountsOf({ rules }: World, account: string): string[] {
  const others = rules.flatMap((rule) => rule.scope?.customer ?? rule.customer ?? []);
  return [...new Set([account, ...others])];
}

function groupsOf(goods: readonly Goods[]): Canonical<"product-group">[] {
  const parents = new Map<string, string | null>();
  for (const { groupChain } of goods)
    groupChain.forEach((group, at) => {
      const parent = groupChain[at + 1] ?? null;
      const known = parents.get(group);
      if (known && parent && known !== parent)
        throw new Error(`group ${group} stands below both ${known} and ${parent}`);
      parents.set(group, parent ?? known ?? null);
    });
  return [...parents].map(([productGroup, parent]) => ({
    productGroup,
    name: productGroup,
    parent,
  }));
}

function productOf(product: Goods, unit: string | null) {
  const per = unit !== null && unit in product.uoms ? unit : product.base_uom;
  const size = product.uoms[per] ?? "1";
  return {
    product: product.sku,
    productGroup: product.groupChain[0] ?? null,
    sellingUnit: product.base_uom,
    pricingUnit: per,
    sellingUnitsPerPricingUnit: size,
    vatCode: "NONE",
    standardCost: product.cost ? times(product.cost, size) : null,
  };
}

function unitsOf({ sku, base_uom, uoms }: Goods): ProductUnit[] {
  return Object.entries(uoms).flatMap(([unit, sellingUnits]) =>
    unit === base_uom ? [] : { product: sku, unit, sellingUnits },
  );
}

/** The product's own price, which discounts are off. */
function listPrice(world: World, product: Goods): RuleRecord[] {
  const perOrdered = product.list_price_per_ordered_uom;
  const value = perOrdered ?? product.list_price ?? product.unit_price;
  if (value === undefined || value === null)
    return world.percentsOnly ? [ownPrice(world, product, ANY_PRICE, product.base_uom)] : [];
  const unit = perOrdered === undefined ? product.base_uom : (world.query.uom ?? product.base_uom);
  return [ownPrice(world, product, value, unit), ...optionsOf(world, product)];
}

function ownPrice(world: World, product: Goods, value: string, unit: string): RuleRecord {
  return {
    ...openRule(`LIST/${product.sku}`, product.list_currency ?? world.currency),
    ...(world.strategy.ownPrice === "on-a-list"
      ? { customerScope: "price-list" as const, customerCode: PRODUCT_PRICES }
      : {}),
    productScope: "product",
    productCode: product.sku,
    kind: "fixed",
    value,
    unit,
  };
}

function optionsOf(world: World, product: Goods): RuleRecord[] {
  return Object.entries(product.option_surcharge ?? {}).map(([option, surcharge]) => ({
    ...openRule(`OPTION/${product.sku}/${option}`, product.list_currency ?? world.currency),
    productScope: "product" as const,
    productCode: product.sku,
    kind: "amount" as const,
    value: negated(surcharge),
    unit: product.base_uom,
    conditions: `option=${option}`,
  }));
}
