/**
 * Offers of a case that need more than one line, by the product's basket. Lines are priced first,
 * then the promotions are put on them, then the document is added up.
 */
import { document, scaled } from "../../src/pricing/engine/index.ts";
import type { PromotionRow } from "../../src/pricing/engine/index.ts";
import { at } from "./document.ts";
import type { OrderPromotion, Rule } from "./format.ts";
import { BUYER, negated } from "./world.ts";
import type { World } from "./world.ts";
import { isInUse, momentOf, whenOf } from "./rule-rows.ts";
import type { Policy } from "./strategy.ts";

/** A line with what it costs before promotions. */
export interface BasketLine {
  readonly sku: string;
  readonly groups: readonly string[];
  readonly quantity: string;
  readonly amount: string;
}

export interface Lowered {
  /** By line: what promotions take off, at the document's places. */
  readonly off: readonly number[];
  readonly lines: readonly { readonly sku: string; readonly saved: string; readonly net: string }[];
  readonly free: readonly Readonly<Record<FreeWord, string>>[];
  readonly applied: readonly string[];
}

/** Words under which a case can expect what is given. */
type FreeWord = "sku" | "qty" | "price" | "unit_price" | "rate";

interface Whom {
  readonly account: string;
  readonly group: string | undefined;
  readonly codes: readonly string[];
  readonly moment: string;
  readonly prices: "exclusive" | "inclusive";
}

const ALWAYS = { validFrom: "1900-01-01", validTo: "2999-12-31" } as const;
const ANY_MOMENT = "2026-01-15T12:00:00Z";

export function whomOf({ query }: Pick<World, "query">, prices: Whom["prices"]): Whom {
  return {
    account: query.customer ?? BUYER,
    group: query.customer_group,
    codes: query.coupons ?? [],
    moment: query.date ?? ANY_MOMENT,
    prices,
  };
}

export function promoted(
  policy: Policy,
  promotions: readonly PromotionRow[],
  lines: readonly BasketLine[],
  whom: Whom,
): Lowered {
  const arithmetic = { ...policy.arithmetic, prices: whom.prices };
  const places = document.placesOf(arithmetic);
  const set = document.compilePromotions(promotions, { arithmetic, timeZone: "UTC" });
  const basket = document.applyPromotions(set, {
    lines: lines.map((line) => ({
      product: line.sku,
      groups: line.groups,
      quantity: at(line.quantity, 5),
      perPricingUnit: at("1", 5),
      amount: at(line.amount, places),
      closed: null,
      promotion: null,
    })),
    customer: {
      account: [whom.account],
      ...(whom.group === undefined ? {} : { "customer-group": [whom.group] }),
    },
    moment: momentOf(whom.moment).epochMilliseconds,
    codes: whom.codes,
    uses: new Map(),
    worth: new Map(),
  });
  const { lines: worked } = document.computeDocument({
    arithmetic,
    lines: lines.map((line, index) => ({
      price: at(line.amount, 6),
      quantity: at("1", 5),
      perPricingUnit: at("1", 5),
      vatRate: 0,
      lowered: basket.lowered[index] ?? 0,
    })),
  });
  return {
    off: basket.lowered,
    lines: worked.map(({ full, net }, index) => ({
      sku: lines[index]?.sku ?? "",
      saved: scaled.shortTextOf(document.savedPercent(full, net, 4), 4),
      net: scaled.shortTextOf(net, places),
    })),
    free: basket.applied.flatMap(({ free }) =>
      free.map(({ product, quantity, price }) => {
        const each = scaled.shortTextOf(price, 6);
        const qty = scaled.shortTextOf(quantity, 5);
        return { sku: product, qty, price: each, unit_price: each, rate: each };
      }),
    ),
    applied: basket.applied.map(({ promotion }) => promotion.promotion),
  };
}

/** Whether a rule can only be judged over a basket. */
export function needsBasket(rule: Rule): boolean {
  return (
    rule.kind === "free_item" ||
    rule.scope?.order === true ||
    rule.applies_to !== undefined ||
    rule.mixed === true ||
    rule.coupon !== undefined ||
    [rule.min_amount, rule.max_amount].some((amount) => amount !== undefined && amount !== null)
  );
}

/** Rules over a basket → promotions; conditions that do not hold for the query leave one out. */
export function promotionsOfRules(rules: readonly Rule[]): PromotionRow[] {
  return rules
    .filter((rule) => isInUse(rule) && needsBasket(rule))
    .map((rule, index) => promotionOfRule(rule, rule.id ?? `offer ${index + 1}`));
}

function promotionOfRule(rule: Rule, id: string): PromotionRow {
  const { scope = {} } = rule;
  const customer = scope.customer ?? rule.customer;
  const group = scope.customer_group ?? rule.customer_group;
  const sku = scope.sku ?? rule.sku;
  if (rule.max_amount !== undefined && rule.max_amount !== null)
    throw new Error("field max_amount is not understood on an offer over a basket");
  return {
    ...openPromotion(id),
    ...periodOf(rule),
    customerScope:
      customer !== undefined ? "account" : group !== undefined ? "customer-group" : "everyone",
    customerCode: customer ?? group ?? "*",
    productScope:
      sku !== undefined ? "product" : scope.group !== undefined ? "product-group" : "everything",
    productCode: sku ?? scope.group ?? "*",
    ...offerOf(rule),
    thresholdValue: rule.min_amount ?? null,
    countsOver: scope.order === true ? "document" : rule.mixed === true ? "group" : "line",
    code: rule.coupon ?? null,
    priority: rule.priority === undefined || rule.priority === null ? null : Number(rule.priority),
    stacks: rule.stack !== undefined && rule.stack !== null,
  };
}

function periodOf(rule: Rule) {
  const { validFrom, validTo, startsAt, endsAt } = whenOf(rule);
  return {
    validFrom: validFrom ?? ALWAYS.validFrom,
    validTo: validTo ?? ALWAYS.validTo,
    startsAt,
    endsAt,
  };
}

/** Nothing least to buy is said by 0 as by silence. */
function least(quantity: string | null | undefined): string | null {
  return quantity === undefined || quantity === null || Number(quantity) === 0 ? null : quantity;
}

/** More than anybody buys: what is lowered is every unit of the product. */
const ALL_UNITS = "1000000";

function offerOf(rule: Rule): Partial<PromotionRow> {
  const lowers = rule.scope?.order === true ? "document" : "line";
  const buyQuantity = least(rule.min_qty);
  if (rule.kind === "free_item") return freeOf(rule);
  const [kind, value] = loweringOf(rule);
  const other = rule.applies_to?.sku;
  if (other === undefined) return { kind, value, buyQuantity, lowers };
  if (kind !== "percent") throw new Error(`${rule.kind} on another product is not understood`);
  return {
    kind: "buy-get",
    value,
    buyQuantity,
    freeProduct: other,
    freeQuantity: ALL_UNITS,
    mostPerOrder: 1,
  };
}

function loweringOf(rule: Rule): ["percent" | "amount" | "fixed", string] {
  const value = rule.value ?? "0";
  switch (rule.kind) {
    case "percent_off":
      return ["percent", rule.value ?? rule.percent_off ?? "0"];
    case "amount_off":
      return ["amount", rule.value ?? rule.amount_off ?? "0"];
    case "margin_percent":
      return ["percent", negated(value)];
    case "fixed":
    case undefined:
      return ["fixed", value];
    default:
      throw new Error(`kind ${rule.kind} is not understood on an offer over a basket`);
  }
}

function freeOf(rule: Rule): Partial<PromotionRow> {
  const { recurse } = rule;
  const again = recurse === true ? (rule.min_qty ?? "1") : recurse === false ? undefined : recurse;
  return {
    kind: "free-goods",
    value: rule.free_price ?? null,
    buyQuantity: least(again ?? rule.buy_qty ?? rule.min_qty),
    freeQuantity: rule.free_qty ?? "1",
    freeProduct: rule.same_item === true ? null : (rule.free_sku ?? null),
    mostPerOrder: again === undefined ? 1 : rule.most_times ? Number(rule.most_times) : null,
  };
}

/** Promotions of an order, in their order: those on lines come before those on the document. */
export function promotionsOfOrder(promotions: readonly OrderPromotion[]): PromotionRow[] {
  const levels = ["item", "line", "order"];
  const inOrder = promotions
    .filter(({ level }) => level !== "shipping")
    .toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
  return inOrder.flatMap((promotion, place) =>
    (promotion.skus ?? [promotion.sku]).map((sku): PromotionRow => ({
      ...openPromotion(promotion.id ?? `${promotion.level} ${place + 1}`),
      customerScope: promotion.customer_group === undefined ? "everyone" : "customer-group",
      customerCode: promotion.customer_group ?? "*",
      productScope:
        sku !== undefined
          ? "product"
          : promotion.group === undefined
            ? "everything"
            : "product-group",
      productCode: sku ?? promotion.group ?? "*",
      buyQuantity: least(promotion.min_qty),
      thresholdValue: promotion.min_order ?? null,
      countsOver: "document",
      lowers: promotion.level === "order" ? "document" : "line",
      ...kindOf(promotion),
      code: promotion.coupon ?? null,
      stacks: true,
      priority: inOrder.length - place,
    })),
  );
}

function kindOf(promotion: OrderPromotion): Pick<PromotionRow, "kind" | "value"> {
  const { kind, value } = promotion;
  if (kind === "buy_x_get_y" || kind === "buy_x_get_y_free") return buyGet(promotion);
  if (value === undefined) throw new Error(`promotion kind ${kind} has no value`);
  switch (kind) {
    case "percent_off":
      return { kind: "percent", value };
    case "amount_off":
      return { kind: "amount", value };
    case "fixed_total":
    case "fixed_price":
    case "fixed":
      return { kind: "fixed", value };
    default:
      throw new Error(`promotion kind ${kind} is not understood`);
  }
}

/** For so many bought others are cheaper, or free where nothing says by how much. */
function buyGet({ buy_qty, get_qty, get_sku, value }: OrderPromotion) {
  return {
    kind: "buy-get" as const,
    value: value ?? null,
    buyQuantity: buy_qty ?? "1",
    freeQuantity: get_qty ?? "1",
    freeProduct: get_sku ?? null,
    countsOver: "group" as const,
    lowers: "line" as const,
  };
}

function openPromotion(promotion: string): PromotionRow {
  return {
    promotion,
    name: promotion,
    customerScope: "everyone",
    customerCode: "*",
    productScope: "everything",
    productCode: "*",
    kind: "percent",
    value: null,
    buyQuantity: null,
    freeQuantity: null,
    freeProduct: null,
    thresholdValue: null,
    countsOver: "line",
    lowers: "line",
    code: null,
    ...ALWAYS,
    startsAt: null,
    endsAt: null,
    stacks: false,
    exclusiveGroup: null,
    priority: null,
    mostPerOrder: null,
    mostUses: null,
    mostUsesPerAccount: null,
    budget: null,
  };
}
