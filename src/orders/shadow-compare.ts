/**
 * A web order as it would have been handed over against the order that staff keyed for it. Pure:
 * the same facts give the same verdict, in whatever order they arrived.
 */
import { decimal, type Decimal, type WebOrder } from "../model/index.ts";

/** An order as the ERP holds it; quantities and money are decimal text. */
export interface KeyedOrder {
  readonly erpOrder: string;
  readonly account: string;
  readonly orderedOn: string;
  readonly webOrder: string | null;
  readonly customerReference: string | null;
  readonly net: string | null;
  readonly vat: string | null;
  readonly lines: readonly KeyedLine[];
}

export interface KeyedLine {
  /** Null for text and charges. */
  readonly product: string | null;
  readonly quantity: string;
  readonly net: string;
}

/** web-order: our number is in its reference. likeness: same account and goods, near the day. */
export type KnownBy = "web-order" | "reference" | "likeness";

export interface ShadowDifference {
  /** "quantity of PLY12", "net" */
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  /** Theirs less ours, decimal text; null where it is no amount. */
  readonly by: string | null;
}

export interface ShadowVerdict {
  readonly verdict: "equal" | "different" | "keyed-twice" | "not-keyed";
  readonly erpOrders: readonly string[];
  readonly knownBy: KnownBy | null;
  readonly differences: readonly ShadowDifference[];
}

/** A shadowed order with what of its account's ERP orders could be it. */
export interface ShadowCase {
  readonly order: WebOrder;
  readonly candidates: readonly KeyedOrder[];
}

/** Staff key within a few days; what is like it and further away is the next order of its kind. */
const LIKE_WITHIN_DAYS = 3;

/**
 * One verdict a case. An ERP order that is known for one of them by its number or reference is
 * nobody else's; what is only like several goes to the one whose day is nearest.
 */
export function compareShadows(cases: readonly ShadowCase[]): readonly ShadowVerdict[] {
  const named = cases.map(({ order, candidates }) => namedFor(order, candidates));
  const taken = new Set(named.flatMap(({ keyed }) => keyed.map(({ erpOrder }) => erpOrder)));
  const like = likeFor(cases, named, taken);
  return cases.map(({ order }, index) => {
    const found = named[index];
    if (found !== undefined && found.keyed.length > 0)
      return verdictOn(order, found.keyed, found.knownBy);
    const one = like.get(index);
    return one === undefined
      ? { verdict: "not-keyed", erpOrders: [], knownBy: null, differences: [] }
      : verdictOn(order, [one], "likeness");
  });
}

interface Named {
  readonly keyed: readonly KeyedOrder[];
  readonly knownBy: KnownBy;
}

function namedFor(order: WebOrder, candidates: readonly KeyedOrder[]): Named {
  const byNumber = candidates.filter((each) => bears(each, order.webOrder));
  const reference = plainReference(order.customerReference);
  const byReference = candidates.filter(
    (each) =>
      !byNumber.includes(each) &&
      reference !== "" &&
      each.account === order.account &&
      each.webOrder === null &&
      plainReference(each.customerReference) === reference,
  );
  const knownBy = byNumber.length > 0 ? "web-order" : "reference";
  return { keyed: [...byNumber, ...byReference], knownBy };
}

/** Staff type our number where they can: in its own field, or somewhere in the reference. */
function bears({ webOrder, customerReference }: KeyedOrder, number: string): boolean {
  if (webOrder !== null && webOrder.toUpperCase() === number.toUpperCase()) return true;
  const words = (customerReference ?? "").toUpperCase().split(/[^A-Z0-9_-]+/);
  return words.includes(number.toUpperCase());
}

function plainReference(text: string | null): string {
  return (text ?? "").toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
}

function likeFor(
  cases: readonly ShadowCase[],
  named: readonly Named[],
  taken: ReadonlySet<string>,
): ReadonlyMap<number, KeyedOrder> {
  const pairs = cases.flatMap(({ order, candidates }, index) =>
    (named[index]?.keyed.length ?? 0) > 0
      ? []
      : candidates
          .filter((each) => !taken.has(each.erpOrder) && isLike(order, each))
          .map((each) => ({ index, each, days: daysBetween(order, each) })),
  );
  const given = new Set<string>();
  const found = new Map<number, KeyedOrder>();
  for (const { index, each } of pairs.toSorted(
    (a, b) => a.days - b.days || a.each.erpOrder.localeCompare(b.each.erpOrder),
  )) {
    if (found.has(index) || given.has(each.erpOrder)) continue;
    found.set(index, each);
    given.add(each.erpOrder);
  }
  return found;
}

function isLike(order: WebOrder, keyed: KeyedOrder): boolean {
  if (keyed.account !== order.account || keyed.webOrder !== null) return false;
  if (daysBetween(order, keyed) > LIKE_WITHIN_DAYS) return false;
  const [ours, theirs] = [goodsOf(order), keyedGoods(order, keyed)];
  return (
    ours.size === theirs.size &&
    [...ours].every(([product, { quantity }]) => {
      const other = theirs.get(product);
      return other !== undefined && decimal.compare(other.quantity, quantity) === 0;
    })
  );
}

function daysBetween(order: WebOrder, keyed: KeyedOrder): number {
  const from = Temporal.PlainDate.from(order.orderedOn);
  return Math.abs(from.until(keyed.orderedOn).total("days"));
}

function verdictOn(order: WebOrder, keyed: readonly KeyedOrder[], knownBy: KnownBy): ShadowVerdict {
  const [one] = keyed;
  const erpOrders = keyed.map(({ erpOrder }) => erpOrder).toSorted();
  if (one === undefined || keyed.length > 1)
    return { verdict: "keyed-twice", erpOrders, knownBy, differences: [] };
  const differences = differencesOf(order, one);
  const verdict = differences.length === 0 ? "equal" : "different";
  return { verdict, erpOrders, knownBy, differences };
}

interface Goods {
  readonly quantity: Decimal;
  readonly net: Decimal;
}

const NO_GOODS: Goods = { quantity: decimal.zero(), net: decimal.zero() };

function goodsOf({ lines }: WebOrder): Map<string, Goods> {
  return summed(lines);
}

/** A charge that stands there as a product is the charge. */
function keyedGoods({ charges }: WebOrder, { lines }: KeyedOrder): Map<string, Goods> {
  const codes = new Set(charges.map(({ charge }) => charge));
  return summed(
    lines.flatMap(({ product, ...line }) =>
      product === null || codes.has(product) ? [] : [{ product, ...line }],
    ),
  );
}

function summed(
  lines: readonly { readonly product: string; readonly quantity: string; readonly net: string }[],
): Map<string, Goods> {
  const all = new Map<string, Goods>();
  for (const { product, quantity, net } of lines) {
    const { quantity: before, net: sum } = all.get(product) ?? NO_GOODS;
    all.set(product, {
      quantity: decimal.add(before, decimal.parse(quantity)),
      net: decimal.add(sum, decimal.parse(net)),
    });
  }
  return all;
}

function differencesOf(order: WebOrder, keyed: KeyedOrder): ShadowDifference[] {
  const [ours, theirs] = [goodsOf(order), keyedGoods(order, keyed)];
  const products = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted();
  const account = keyed.account === order.account ? [] : [named("account", order, keyed)];
  return [
    ...account,
    ...products.flatMap((product) => goodsDifferences(product, ours, theirs)),
    ...amount("net", order.net, keyed.net),
    ...amount("VAT", order.vat, keyed.vat),
  ];
}

function named(what: "account", order: WebOrder, keyed: KeyedOrder): ShadowDifference {
  return { what, ours: order[what], theirs: keyed[what], by: null };
}

/** A line that only one of them has; else its quantity, else what it comes to: its price. */
function goodsDifferences(
  product: string,
  ours: ReadonlyMap<string, Goods>,
  theirs: ReadonlyMap<string, Goods>,
): ShadowDifference[] {
  const [our, their] = [ours.get(product), theirs.get(product)];
  const { quantity, net } = our ?? NO_GOODS;
  const other = their ?? NO_GOODS;
  const text = (line: Goods | undefined) =>
    line === undefined ? "no line" : decimal.canonical(line.quantity);
  const by = decimal.canonical(decimal.subtract(other.quantity, quantity));
  if (our === undefined || their === undefined)
    return [{ what: `line of ${product}`, ours: text(our), theirs: text(their), by }];
  if (decimal.compare(quantity, other.quantity) !== 0)
    return [{ what: `quantity of ${product}`, ours: text(our), theirs: text(their), by }];
  return amount(`price of ${product} × ${text(our)}`, money(net), money(other.net));
}

function money(value: Decimal): string {
  return decimal.format(decimal.add(value, decimal.integer(0, 2)));
}

/** What the ERP does not state is no difference. */
function amount(what: string, ours: string, theirs: string | null): ShadowDifference[] {
  if (theirs === null) return [];
  const by = decimal.subtract(decimal.parse(theirs), decimal.parse(ours));
  return decimal.compare(by, decimal.zero()) === 0 ? [] : [{ what, ours, theirs, by: money(by) }];
}
