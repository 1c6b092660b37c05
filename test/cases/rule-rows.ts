/** Rules in a case's words → price rules and price formulas of the product's model. */
import { decimal } from "../../src/model/index.ts";
import type { Rule } from "./format.ts";
import { conditionText, fullList, negated, openRule, times, OWN_LIST } from "./world.ts";
import type { Formula, Goods, RuleRecord, World } from "./world.ts";

interface Mapped {
  readonly rules: readonly RuleRecord[];
  readonly formulas: readonly Formula[];
}

export function ruleRowsOf(world: World): Mapped {
  const found = world.rules.map((rule, at) => mapped(world, rule, at));
  return {
    rules: found.flatMap(({ rules }) => rules),
    formulas: found.flatMap(({ formulas }) => formulas),
  };
}

function mapped(world: World, rule: Rule, at: number): Mapped {
  if (!isInUse(rule)) return { rules: [], formulas: [] };
  const id = rule.id ?? nameOf(rule, at);
  const offers = offersOf(rule, id);
  const common = { ...whomOf(world, rule), ...whenOf(rule), priority: priorityOf(world, rule, at) };
  const rules = whatOf(world, rule).flatMap(({ product, ...what }, placed) =>
    offers.map(({ formula, ...offer }, number): RuleRecord => {
      const unit = rule.uom ?? product?.base_uom ?? commonUnit(world);
      return {
        ...openRule(id, currencyOf(world, rule)),
        ...common,
        ...what,
        ...quantitiesOf(rule, product ?? world.goods[0]),
        unit,
        soldIn: rule.uom ?? null,
        ...offer,
        rule: [id, ...(placed > 0 ? [placed] : []), ...(number > 0 ? ["+", number] : [])].join("/"),
        formula: formula?.formula ?? null,
        conditions: conditionsOf(world, rule, what.productCode, product),
        stack: rule.stack ?? null,
        net: rule.net ?? rule.list_type === "override",
      };
    }),
  );
  const formulas = offers.flatMap(({ formula }) => formula ?? []);
  return { rules: [...rules, ...rules.flatMap((row) => fullPrice(rule, row))], formulas };
}

/** A price that has a discount of its own stands on a list of its own; the rule is off that. */
function fullPrice(rule: Rule, row: RuleRecord): RuleRecord[] {
  const list = fullList(rule);
  if (list === undefined || rule.value === undefined || rule.value === null) return [];
  return [
    {
      ...openRule(`${row.rule}/full`, row.currency),
      customerScope: "price-list",
      customerCode: list,
      productScope: row.productScope,
      productCode: row.productCode,
      value: rule.value,
      unit: row.unit,
    },
  ];
}

/** Rules that are switched off, drafts and what has run out never reach a price book. */
export function isInUse(rule: Rule): boolean {
  const states = [rule.status, rule.list_status].flatMap((state) => state ?? []);
  return rule.disabled !== true && states.every((state) => state === "active");
}

function nameOf(rule: Rule, at: number): string {
  const { list, sku, currency, uom, min_qty } = rule;
  return list === undefined ? `rule ${at + 1}` : [list, sku, currency, uom, min_qty].join("/");
}

function commonUnit({ goods }: World): string | null {
  const units = new Set(goods.map((product) => product.base_uom));
  return units.size === 1 ? ([...units][0] ?? null) : null;
}

function currencyOf(world: World, rule: Rule): string {
  const onList = world.strategy.rulesAre === "on-a-list";
  const list = world.lists.find(({ id, buyers }) =>
    rule.list === undefined && onList ? buyers : id === rule.list,
  );
  // Prices on a list are in the money that the list is asked for in.
  const asked = onList ? world.query.currency : undefined;
  return rule.currency || list?.currency || asked || world.currency;
}

function priorityOf({ strategy, rules }: World, rule: Rule, at: number): number | null {
  switch (strategy.order) {
    case "none":
      return rule.priority === undefined || rule.priority === null ? null : Number(rule.priority);
    case "first-wins":
      return rules.length - at;
    case "last-wins":
      return at + 1;
    default:
      return strategy.order satisfies never;
  }
}

function whomOf({ strategy }: World, rule: Rule) {
  const list = rule.list ?? rule.scope?.list;
  if (list !== undefined || strategy.rulesAre === "on-a-list")
    return { customerScope: "price-list", customerCode: list ?? OWN_LIST } as const;
  const customer = rule.scope?.customer ?? rule.customer;
  if (customer !== undefined) return { customerScope: "account", customerCode: customer } as const;
  const group = groupOf(rule);
  if (group !== undefined) return { customerScope: "customer-group", customerCode: group } as const;
  return { customerScope: "everyone", customerCode: null } as const;
}

function groupOf(rule: Rule): string | undefined {
  const group = rule.scope?.customer_group ?? rule.customer_group;
  return group === "ALL" ? undefined : group;
}

interface Place {
  readonly productScope: RuleRecord["productScope"];
  readonly productCode: string | null;
  readonly product: Goods | undefined;
}

/** A rule on a template is a rule on each of its variants. */
function whatOf({ goods }: World, rule: Rule): Place[] {
  const scope = rule.scope ?? {};
  const sku = scope.sku ?? scope.template ?? rule.sku ?? rule.set;
  if (scope.group !== undefined)
    return [{ productScope: "product-group", productCode: scope.group, product: undefined }];
  const isForAll = scope.all === true || scope.brand !== undefined || scope.order === true;
  if (isForAll) return [{ productScope: "everything", productCode: null, product: undefined }];
  const codes =
    sku === undefined
      ? goods.length === 1
        ? goods
        : []
      : goods.filter((product) => product.sku === sku || product.variant_of === sku);
  if (codes.length === 0 && sku === undefined)
    return [{ productScope: "everything", productCode: null, product: undefined }];
  return codes.map((product) => ({
    productScope: "product",
    productCode: product.sku,
    product,
  }));
}

function quantitiesOf(rule: Rule, product: Goods | undefined) {
  const size = rule.uom ? (product?.uoms[rule.uom] ?? "1") : "1";
  const scaled = (quantity: string | null | undefined) =>
    quantity === undefined || quantity === null ? null : times(quantity, size);
  return { fromQuantity: scaled(rule.min_qty) ?? "0", toQuantity: scaled(rule.max_qty) };
}

/** Days stay days; of moments the last one is still in. */
export function whenOf(rule: Rule) {
  const from = rule.valid_from ?? null;
  const to = rule.valid_to ?? null;
  return {
    validFrom: from !== null && isDay(from) ? from : null,
    startsAt: from === null || isDay(from) ? null : momentOf(from).toString(),
    validTo: to !== null && isDay(to) ? to : null,
    endsAt: to === null || isDay(to) ? null : momentOf(to).add({ milliseconds: 1 }).toString(),
  };
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text);
}

/** A moment that names no zone is one of UTC. */
export function momentOf(text: string): Temporal.Instant {
  if (isDay(text)) return Temporal.Instant.from(`${text}T12:00:00Z`);
  return Temporal.Instant.from(/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}

function conditionsOf(
  world: World,
  rule: Rule,
  code: string | null,
  product: Goods | undefined,
): string | null {
  const { scope = {} } = rule;
  const { strategy } = world;
  const onList = whomOf(world, rule).customerScope === "price-list";
  const said: [string, unknown][] = [
    ...Object.entries(rule.list_attrs ?? {}),
    ...Object.entries(rule.attrs ?? {}),
    ...Object.entries(rule.condition ?? {}),
    ["campaign", scope.campaign],
    ["territory", scope.territory],
    ["sales_partner", scope.sales_partner],
    ["channel", scope.channel],
    ["brand", scope.brand ?? rule.brand],
    ["region", rule.region],
    ["variant", rule.variant ?? scope.variant],
    ["customer_group", rule.customer_groups ?? (onList ? groupOf(rule) : undefined)],
    ["customer", onList ? (scope.customer ?? rule.customer) : undefined],
    ["currency", strategy.currency === "condition" ? rule.currency : undefined],
    ["coupon", rule.coupon],
  ];
  const ownVariant =
    strategy.variants === "before-template" &&
    product?.variant_of !== undefined &&
    (scope.sku ?? rule.sku) === code;
  if (ownVariant) said.push(["sku", code]);
  const parts = said.flatMap(([name, value]) => conditionText(name, value));
  return parts.length === 0 ? null : parts.join("; ");
}

type Offer = Pick<RuleRecord, "kind" | "value"> &
  Partial<Pick<RuleRecord, "stack">> & { readonly formula?: Formula | undefined };

function offersOf(rule: Rule, id: string): Offer[] {
  const margin = marginOf(rule);
  const offer = offerOf(rule, id);
  return [...(offer === undefined ? [] : [offer]), ...margin];
}

/** What is put on the price before anything is taken off. */
function marginOf(rule: Rule): Offer[] {
  const { kind, value, margin_type, margin_value } = rule;
  const percents = [
    rule.margin_percent,
    kind === "margin_percent" ? value : undefined,
    margin_type !== "amount" ? margin_value : undefined,
  ];
  const amounts = [
    rule.margin_amount,
    kind === "margin_amount" ? value : undefined,
    margin_type === "amount" ? margin_value : undefined,
  ];
  return [
    ...onTop(
      "percent",
      percents.find((percent) => percent),
    ),
    ...onTop(
      "amount",
      amounts.find((amount) => amount),
    ),
  ];
}

function onTop(kind: "percent" | "amount", value: string | null | undefined): Offer[] {
  return value ? [{ kind, value: negated(value) }] : [];
}

function offerOf(rule: Rule, id: string): Offer | undefined {
  const value = rule.value ?? undefined;
  switch (rule.kind ?? "fixed") {
    case "fixed":
    case "price":
    case "rate":
      if (value === undefined) throw new Error(`rule ${id}: a fixed price without a value`);
      if (rule.percent_off !== undefined) return percent(rule, id, rule.percent_off);
      return { kind: "fixed", value };
    case "percent_off":
    case "percentage":
    case "percent":
    case "discount_percent":
      return percent(rule, id, value ?? rule.percent_off ?? "0");
    case "amount_off":
    case "discount_amount":
      return amount(rule, id, value ?? rule.amount_off ?? "0");
    case "percent_on_top":
      return percent(rule, id, negated(value ?? rule.percent_on_top ?? "0"));
    case "markup":
    case "cost_plus":
      return { kind: "markup", value: value ?? rule.percent_on_top ?? "0" };
    case "multiplier":
      return percent(rule, id, percentOffOf(value ?? "1"));
    case "formula":
      return formulaOffer(rule, id);
    case "margin_percent":
    case "margin_amount":
      return undefined;
    default:
      throw new Error(`rule ${id}: kind ${rule.kind} is not understood`);
  }
}

/** 0.8 times the price is 20 percent off. */
function percentOffOf(multiplier: string): string {
  const hundred = decimal.parse("100");
  return decimal.canonical(
    decimal.subtract(hundred, decimal.multiply(decimal.parse(multiplier), hundred)),
  );
}

function formulaOffer(rule: Rule, id: string): Offer {
  const plain = [rule.round_to, rule.min_margin, rule.max_margin, rule.percent_off];
  if (rule.surcharge !== undefined && plain.every((word) => word === undefined))
    return amount(rule, id, negated(rule.surcharge));
  return percent(rule, id, rule.percent_off ?? "0");
}

function percent(rule: Rule, id: string, value: string): Offer {
  return { kind: "percent", value, formula: formulaOf(rule, id, rule.surcharge) };
}

function amount(rule: Rule, id: string, value: string): Offer {
  return { kind: "amount", value, formula: formulaOf(rule, id, undefined) };
}

/** The formula of a rule whose price is more than a percent off what the policy takes it off. */
function formulaOf(rule: Rule, id: string, surcharge: string | undefined): Formula | undefined {
  const full = fullList(rule);
  const { basis, priceList } = basisOf(full === undefined ? rule.base : `list:${full}`);
  const { round_to, min_margin, max_margin } = rule;
  const rare = [round_to, min_margin, max_margin, surcharge];
  if (basis === "running" && rare.every((word) => word === undefined)) return undefined;
  return {
    formula: `F/${id}`,
    basis,
    priceList,
    roundTo: round_to ?? null,
    rounding: "nearest",
    adjustment: surcharge ?? null,
    leastMargin: min_margin ?? null,
    mostMargin: max_margin ?? null,
  };
}

function basisOf(base: string | undefined): Pick<Formula, "basis" | "priceList"> {
  if (base === undefined || base === "list_price" || base === "unit_price")
    return { basis: "running", priceList: null };
  if (base === "cost" || base === "cost_price" || base === "standard_price")
    return { basis: "cost", priceList: null };
  if (base.startsWith("list:")) return { basis: "price-list", priceList: base.slice(5) };
  throw new Error(`base ${base} is not understood`);
}
