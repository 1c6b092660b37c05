/**
 * The neutral format of pricing cases: what a case file may say, word by word. A field that is not
 * named here is never passed over: the case fails and says which one it was. Numbers keep the text
 * that they have in the file, so that none is ever a float.
 */
import { z } from "zod";

const number = z.string().regex(/^-?\d+(\.\d+)?$/, "expected a number");
const text = z.string();
const texts = z.array(text);

/** Takes a word that means the same as one of ours for it. */
function inOurWords(words: Readonly<Record<string, string>>): (given: unknown) => unknown {
  return (given) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
    return Object.fromEntries(
      Object.entries(given).map(([word, value]) => {
        const ours = words[word];
        return [ours === undefined || ours in given ? word : ours, value];
      }),
    );
  };
}

/** Strict, with every field optional but those that `needed` names. */
const scope = z.strictObject({
  sku: text.optional(),
  template: text.optional(),
  group: text.optional(),
  brand: text.optional(),
  all: z.boolean().optional(),
  order: z.boolean().optional(),
  list: text.optional(),
  customer: text.optional(),
  customer_group: text.optional(),
  campaign: text.optional(),
  territory: text.optional(),
  sales_partner: text.optional(),
  channel: text.optional(),
  variant: text.optional(),
});
export type Scope = z.infer<typeof scope>;

const attributes = z.record(text, z.union([text, z.boolean(), texts]));

const money = {
  value: number.nullable().optional(),
  base: text.optional(),
  percent_off: number.optional(),
  amount_off: number.optional(),
  percent_on_top: number.optional(),
  margin_percent: number.optional(),
  margin_amount: number.optional(),
  margin_type: z.enum(["percent", "percentage", "amount"]).optional(),
  margin_value: number.optional(),
  surcharge: number.optional(),
  round_to: number.optional(),
  min_margin: number.optional(),
  max_margin: number.optional(),
};

const free = {
  free_sku: text.optional(),
  free_qty: number.optional(),
  free_price: number.optional(),
  same_item: z.boolean().optional(),
  buy_qty: number.optional(),
  recurse: z.union([z.boolean(), number]).optional(),
  most_times: number.optional(),
};

const rule = z.preprocess(
  inOurWords({
    discount_percent: "percent_off",
    discount_percentage: "percent_off",
    discount_amount: "amount_off",
    markup_percent: "margin_percent",
    min_quantity: "min_qty",
    max_quantity: "max_qty",
    rounding: "round_to",
    price_round: "round_to",
    starts_at: "valid_from",
    ends_at: "valid_to",
    date_start: "valid_from",
    date_end: "valid_to",
    from: "valid_from",
    to: "valid_to",
    unit: "uom",
    price_list: "list",
    pricelist: "list",
    conditions: "condition",
    recurse_for: "recurse",
    coupon_code: "coupon",
    free_item: "free_sku",
    amount: "value",
    price: "value",
    mixed_conditions: "mixed",
    group: "customer_group",
    groups: "customer_groups",
    margin_rate_or_amount: "margin_value",
  }),
  z.strictObject({
    id: text.optional(),
    kind: text.optional(),
    scope: scope.optional(),
    sku: text.optional(),
    set: text.optional(),
    list: text.optional(),
    ...money,
    ...free,
    currency: text.nullable().optional(),
    uom: text.nullable().optional(),
    min_qty: number.nullable().optional(),
    max_qty: number.nullable().optional(),
    min_amount: number.nullable().optional(),
    max_amount: number.nullable().optional(),
    valid_from: text.nullable().optional(),
    valid_to: text.nullable().optional(),
    priority: number.nullable().optional(),
    stack: z.enum(["add", "compound"]).nullable().optional(),
    attrs: attributes.optional(),
    condition: attributes.optional(),
    list_attrs: attributes.optional(),
    list_status: text.optional(),
    list_type: text.optional(),
    status: text.optional(),
    disabled: z.boolean().optional(),
    customer: text.optional(),
    customer_group: text.optional(),
    customer_groups: texts.optional(),
    region: text.optional(),
    variant: text.optional(),
    brand: text.optional(),
    coupon: text.optional(),
    applies_to: scope.optional(),
    mixed: z.boolean().optional(),
    net: z.boolean().optional(),
    note: text.optional(),
  }),
);
export type Rule = z.infer<typeof rule>;

const product = z.preprocess(
  inOurWords({
    cost_price: "cost",
    standard_price: "cost",
    standard_cost: "cost",
    unit: "base_uom",
    price: "list_price",
    group: "groups",
    categories: "groups",
    template: "variant_of",
    currency: "list_currency",
  }),
  z.strictObject({
    sku: text,
    list_price: number.nullable().optional(),
    list_price_per_ordered_uom: number.optional(),
    list_currency: text.optional(),
    unit_price: number.optional(),
    cost: number.nullable().optional(),
    base_uom: text.optional(),
    uoms: z.record(text, number).optional(),
    groups: z.union([texts, text.transform((group) => [group])]).optional(),
    brand: text.optional(),
    variant_of: text.optional(),
    option_surcharge: z.record(text, number).optional(),
    price_includes_tax_percent: number.optional(),
    tax_percent: number.optional(),
    note: text.optional(),
  }),
);
export type Product = z.infer<typeof product>;

const list = z.preprocess(
  inOurWords({ list: "id" }),
  z.strictObject({
    id: text,
    currency: text.optional(),
    merge: z.boolean().optional(),
    rules: z.array(rule).optional(),
    base: text.optional(),
    status: text.optional(),
    type: text.optional(),
    attrs: attributes.optional(),
    valid_from: text.nullable().optional(),
    valid_to: text.nullable().optional(),
    priority: number.optional(),
    note: text.optional(),
  }),
);

const tier = z.strictObject({
  group: text.optional(),
  min_qty: number,
  value: number,
  currency: text.optional(),
  uom: text.optional(),
});

const orderLine = z.preprocess(
  inOurWords({
    price: "unit_price",
    quantity: "qty",
    vat: "tax_percent",
    tax: "tax_percent",
    vat_percent: "tax_percent",
    facets: "groups",
  }),
  z.strictObject({
    id: text.optional(),
    sku: text.optional(),
    qty: number,
    uom: text.optional(),
    unit_price: number.optional(),
    net_unit: number.optional(),
    gross_unit: number.optional(),
    tax_percent: number.optional(),
    discount_percent: number.optional(),
    groups: texts.optional(),
  }),
);
export type OrderLine = z.infer<typeof orderLine>;

const charge = z.preprocess(
  inOurWords({ value: "price", amount: "price", prices_include_tax: "includes_tax" }),
  z.strictObject({
    price: number,
    tax_percent: number.optional(),
    includes_tax: z.boolean().optional(),
    sku: text.optional(),
    note: text.optional(),
  }),
);
export type Charge = z.infer<typeof charge>;

const promotion = z.preprocess(
  inOurWords({
    min_total: "min_order",
    min_amount: "min_order",
    coupon_code: "coupon",
    facet: "group",
    buy_sku: "sku",
  }),
  z.strictObject({
    id: text.optional(),
    level: z.enum(["item", "line", "order", "shipping"]),
    kind: text,
    value: number.optional(),
    min_order: number.optional(),
    min_qty: number.optional(),
    sku: text.optional(),
    skus: texts.optional(),
    buy_qty: number.optional(),
    get_qty: number.optional(),
    get_sku: text.optional(),
    priority: number.optional(),
    coupon: text.optional(),
    group: text.optional(),
    customer_group: text.optional(),
    note: text.optional(),
  }),
);
export type OrderPromotion = z.infer<typeof promotion>;

const query = z.preprocess(
  inOurWords({
    quantity: "qty",
    unit: "uom",
    price_list: "list",
    pricelist: "list",
    group: "customer_group",
    groups: "customer_groups",
    coupon: "coupons",
    coupon_code: "coupons",
    item: "sku",
    at: "date",
    vat_percent: "tax_percent",
  }),
  z.strictObject({
    sku: text.optional(),
    set: text.optional(),
    qty: number.optional(),
    uom: text.optional(),
    date: text.optional(),
    entered_on: text.optional(),
    currency: text.optional(),
    currency_factor: number.optional(),
    list: text.optional(),
    customer: text.optional(),
    customer_group: text.optional(),
    customer_groups: texts.optional(),
    region: text.optional(),
    campaign: text.optional(),
    territory: text.optional(),
    sales_partner: text.optional(),
    channel: text.optional(),
    variant: text.optional(),
    option: text.optional(),
    brand: text.optional(),
    attrs: attributes.optional(),
    is_return: z.boolean().optional(),
    ignore_rules: z.boolean().optional(),
    coupons: z.union([texts, text.transform((code) => [code])]).optional(),
    lines: z.array(orderLine).optional(),
    rows: z.array(number).optional(),
    qty_decimals_allowed: number.optional(),
    customer_tax: z.strictObject({ percent: number, included: z.boolean() }).optional(),
    tax_percent: number.optional(),
    prices_including_tax: z.boolean().optional(),
    base_price: number.optional(),
    tier_price: number.optional(),
  }),
);
export type Query = z.infer<typeof query>;

const ruleMatch = z.strictObject({
  list: text.optional(),
  sku: text.optional(),
  currency: text.optional(),
  uom: text.optional(),
  min_qty: number.optional(),
  id: text.optional(),
});
export type RuleMatch = z.infer<typeof ruleMatch>;

const change = z.strictObject({
  add: rule.optional(),
  remove: ruleMatch.optional(),
  set_value: z.strictObject({ match: ruleMatch, value: number }).optional(),
});

const caseWords = z.strictObject({
  id: text,
  source: text.optional(),
  test: text.optional(),
  strategy: text,
  kind: text,
  portable: z.boolean().optional(),
  evidence: text.optional(),
  note: text.optional(),
  derivation: text.optional(),
  dataset: text.optional(),
  products: z.array(product).optional(),
  group_parents: z.record(text, text).optional(),
  company: z
    .strictObject({ currency: text.optional(), rates: z.record(text, number).optional() })
    .optional(),
  lists: z.array(list).optional(),
  lists_in_priority_order: z.array(list).optional(),
  rules: z.array(rule).optional(),
  extra_rules: z.array(rule).optional(),
  change: change.nullable().optional(),
  tiers: z.array(tier).optional(),
  options: z.record(text, z.boolean()).optional(),
  query: query.optional(),
  lines: z.array(orderLine).optional(),
  promotions: z.array(promotion).optional(),
  shipping: z.array(charge).optional(),
  surcharges: z.array(charge).optional(),
  minor_unit_decimals: number.optional(),
  prices_include_tax: z.boolean().optional(),
  rounding: z
    .enum(["half_up", "half_even", "half_away", "half_away_from_zero", "down", "up"])
    .optional(),
  /** Off when it is paid early: it changes neither a price nor its VAT. */
  settlement_discount_percent: number.optional(),
  expect: z.record(text, z.unknown()),
});
export const caseSchema = z.preprocess(
  inOurWords({ rounding_mode: "rounding", ppd_percent: "settlement_discount_percent" }),
  caseWords,
);
export type PricingCase = z.infer<typeof caseSchema>;

export const fileSchema = z.object({
  datasets: z
    .record(text, z.object({ note: text.optional(), rules: z.array(rule).optional() }))
    .optional(),
  cases: z.array(z.looseObject({ id: text })).min(1),
});
export type CaseFile = z.infer<typeof fileSchema>;
