/** What a case is about: who asks, for which goods, under which lists and rules. */
import { decimal } from "../../src/model/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import type { PricingCase, Product, Query, Rule } from "./format.ts";
import type { Strategy } from "./strategy.ts";

export type RuleRecord = Canonical<"price-rule">;
export type Formula = Canonical<"price-formula">;
export type ListPlace = Canonical<"customer-price-list">;
export type ProductUnit = Canonical<"product-unit">;

/** A case's products as they are sold, with the units that its rules name. */
export interface Goods extends Product {
  readonly base_uom: string;
  readonly uoms: Readonly<Record<string, string>>;
  /** Nearest first. */
  readonly groupChain: readonly string[];
}

/** All that the mapping of a rule looks at. */
export interface World {
  readonly strategy: Strategy;
  readonly query: Query;
  readonly goods: readonly Goods[];
  readonly rules: readonly Rule[];
  /** Whether it is about percents alone, so that any price does where none is told. */
  readonly percentsOnly: boolean;
  /** Lists by name, in the order in which the buyer has them. */
  readonly lists: readonly ListOf[];
  readonly currency: string;
  /** Currency → how much of it one unit of the company's currency is worth. */
  readonly rates: Readonly<Record<string, string>>;
}

export interface ListOf {
  readonly id: string;
  readonly closes: boolean;
  /** False: other lists take their prices from it, the buyer is not on it. */
  readonly buyers: boolean;
  readonly currency: string | undefined;
}

export const BUYER = "BUYER";
export const OWN_LIST = "OWN-LIST";
/** List of the products' own prices, where a strategy keeps them on one. */
export const PRODUCT_PRICES = "PRODUCT-PRICES";
export const ITEM = "ITEM";
export const UNIT = "unit";

export function worldOf(given: PricingCase, rules: readonly Rule[], strategy: Strategy): World {
  const query = given.query ?? {};
  const goods = goodsOf(given, rules, query);
  const currency = companyCurrency(given, rules, query);
  return {
    strategy,
    query,
    goods,
    rules,
    percentsOnly: !Object.keys(given.expect).some((name) => /price|net|amount|total/.test(name)),
    lists: listsOf(given, rules, query, strategy),
    currency,
    rates: ratesOf(given, query, currency),
  };
}

function goodsOf(given: PricingCase, rules: readonly Rule[], query: Query): Goods[] {
  const products = given.products ?? named(rules, query).map((sku): Product => ({ sku }));
  return products.map((product) => {
    const own = product.base_uom;
    const units = rules
      .filter((rule) => (rule.sku ?? rule.set) === product.sku)
      .flatMap((rule) => rule.uom ?? []);
    const base = own ?? Object.entries(product.uoms ?? {}).find(([, size]) => size === "1")?.[0];
    const base_uom = base ?? units[0] ?? query.uom ?? UNIT;
    const others = product.uoms ?? Object.fromEntries(units.map((unit) => [unit, "1"]));
    return {
      ...product,
      base_uom,
      uoms: { ...others, [base_uom]: "1" },
      groupChain: chainOf(product.groups ?? [], given.group_parents ?? {}),
    };
  });
}

/** Products that only rules and the query speak of. */
function named(rules: readonly Rule[], query: Query): string[] {
  const skus = [query.sku ?? query.set, ...rules.map((rule) => rule.sku ?? rule.set)];
  const found = skus.flatMap((sku) => sku ?? []);
  const scoped = rules.flatMap((rule) => rule.scope?.sku ?? []);
  return [...new Set(found.length + scoped.length === 0 ? [ITEM] : [...found, ...scoped])];
}

function chainOf(groups: readonly string[], parents: Readonly<Record<string, string>>): string[] {
  const chain = [...groups];
  for (let at = chain.at(-1); at !== undefined && parents[at] !== undefined; at = chain.at(-1)) {
    const parent = parents[at];
    if (parent === undefined || chain.includes(parent)) break;
    chain.push(parent);
  }
  return chain;
}

function companyCurrency(given: PricingCase, rules: readonly Rule[], query: Query): string {
  const said = given.company?.currency ?? given.products?.find((one) => one.list_currency);
  if (typeof said === "string") return said;
  if (said?.list_currency !== undefined) return said.list_currency;
  if (query.currency_factor !== undefined) return "GBP";
  // Of a pair of currencies prices are asked for in one, so the company's is the other.
  const pair = Object.keys(given.company?.rates ?? {})[0]?.split("_per_") ?? [];
  const other = pair.find((currency) => currency !== query.currency);
  if (other !== undefined) return other;
  return rules.find((rule) => rule.currency)?.currency || query.currency || "GBP";
}

/** "USD_per_EUR": 2 says that one euro is worth two dollars. */
function ratesOf(given: PricingCase, query: Query, own: string): Record<string, string> {
  const rates: Record<string, string> = {};
  for (const [pair, rate] of Object.entries(given.company?.rates ?? {})) {
    const [many = "", one = ""] = pair.split("_per_");
    if (one === own) rates[many] = rate;
    else if (many === own) rates[one] = inverse(rate);
    else throw new Error(`company.rates.${pair} is neither in nor per ${own}`);
  }
  if (query.currency_factor !== undefined && query.currency)
    rates[query.currency] = query.currency_factor;
  return rates;
}

function inverse(rate: string): string {
  const { digits, scale } = decimal.parse(rate);
  const places = 12;
  return decimal.canonical({
    digits: decimal.divideRounded(10n ** BigInt(scale + places), digits, "half-away"),
    scale: places,
  });
}

function listsOf(
  given: PricingCase,
  rules: readonly Rule[],
  query: Query,
  strategy: Strategy,
): ListOf[] {
  const told = [...(given.lists_in_priority_order ?? []), ...(given.lists ?? [])];
  const bases = new Set([
    ...[...rules, ...told].flatMap(({ base }) => (base?.startsWith("list:") ? base.slice(5) : [])),
    ...rules.flatMap((rule) => fullList(rule) ?? []),
  ]);
  const names = new Set([
    ...told.map(({ id }) => id),
    ...rules.flatMap((rule) => rule.list ?? rule.scope?.list ?? []),
    ...bases,
  ]);
  const onList = strategy.rulesAre === "on-a-list";
  const named = [...names].filter((id) => !bases.has(id));
  const asked = query.list ?? (onList ? (named.at(-1) ?? OWN_LIST) : undefined);
  if (asked !== undefined) names.add(asked);
  if (strategy.ownPrice === "on-a-list") names.add(PRODUCT_PRICES);
  return [...names].map((id) => {
    const list = told.find((one) => one.id === id);
    return {
      id,
      closes: strategy.closing && list?.merge === false,
      buyers: asked === undefined ? !bases.has(id) : id === asked,
      currency: list?.currency,
    };
  });
}

/** An exact product of quantities and sizes. */
export function times(left: string, right: string): string {
  return decimal.canonical(decimal.multiply(decimal.parse(left), decimal.parse(right)));
}

/** What is put on top is taken off with the other sign. */
export function negated(value: string): string {
  return decimal.canonical(decimal.negate(decimal.parse(value)));
}

/** A rule for everyone and everything at any time, to be filled in. */
export function openRule(rule: string, currency: string): RuleRecord {
  return {
    rule,
    customerScope: "everyone",
    customerCode: null,
    productScope: "everything",
    productCode: null,
    kind: "fixed",
    value: "0",
    currency,
    unit: null,
    fromQuantity: "0",
    toQuantity: null,
    soldIn: null,
    validFrom: null,
    validTo: null,
    startsAt: null,
    endsAt: null,
    conditions: null,
    formula: null,
    stack: null,
    priority: null,
    net: false,
    contract: rule,
    contractQuantity: null,
    contractUsedQuantity: null,
  };
}

/** "region=DE|DK"; nothing for what is not said. */
export function conditionText(name: string, value: unknown): string[] {
  if (value === undefined || value === null || value === "") return [];
  return [
    `${name}=${Array.isArray(value) ? value.join("|") : JSON.stringify(value).replaceAll('"', "")}`,
  ];
}

/** List that holds the full price of a rule which says a price and a discount from it. */
export function fullList({ id, kind = "fixed", value, percent_off }: Rule): string | undefined {
  const isBoth = kind === "fixed" && value !== undefined && percent_off !== undefined;
  return isBoth ? `FULL/${id ?? "rule"}` : undefined;
}
