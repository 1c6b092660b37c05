/**
 * A web order as it would have been handed over against the order that staff keyed for it. Pure:
 * the same facts give the same verdict, in whatever order they arrived.
 */
import { decimal, type Decimal, type WebOrder } from "../model/index.ts";
import { besidesOurs, goodsOf, goodsThere, type Goods, type GoodsByProduct } from "./goods.ts";

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
  /** The ERP has told us of that product: it is no charge. */
  readonly isProduct: boolean;
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

/** An order that nobody sent, with what of its account's ERP orders could be it. */
export interface ShadowCase {
  readonly order: WebOrder;
  /** As it was before each of its changes, or is to be: staff may have keyed that. */
  readonly others: readonly WebOrder[];
  readonly candidates: readonly KeyedOrder[];
}

/**
 * What may stand beside the goods of an order that is known by them: codes that are no products of
 * the ERP, as of carriage; or, where the doubt is which of two evils is worse, anything.
 */
export type Beside = "charges" | "anything";

/** Staff key within a few days; what is like it and further away is the next order of its kind. */
const LIKE_WITHIN_DAYS = 3;

/**
 * One verdict a case. An ERP order that is known for one of them by its number or reference is
 * nobody else's; what is only like several goes to the one whose day is nearest.
 */
export function compareShadows(
  cases: readonly ShadowCase[],
  beside: Beside = "charges",
): readonly ShadowVerdict[] {
  const named = cases.map(namedFor);
  const taken = new Set(named.flatMap(({ keyed }) => keyed.map(({ erpOrder }) => erpOrder)));
  const unnamed = cases.map((each, index) => ({
    ...each,
    candidates:
      (named[index]?.keyed.length ?? 0) > 0
        ? []
        : each.candidates.filter(({ erpOrder }) => !taken.has(erpOrder)),
  }));
  const like = likeFor(unnamed, beside);
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

function namedFor({ order, others, candidates }: ShadowCase): Named {
  const byNumber = candidates.filter((each) => bears(each, order.webOrder));
  const references = new Set(
    [order, ...others].map(({ customerReference }) => plainReference(customerReference)),
  );
  const byReference = candidates.filter((each) => {
    const reference = plainReference(each.customerReference);
    return (
      !byNumber.includes(each) &&
      reference !== "" &&
      references.has(reference) &&
      each.account === order.account &&
      each.webOrder === null
    );
  });
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

interface Pair {
  readonly index: number;
  readonly each: KeyedOrder;
  /** How many products are there beside its own. */
  readonly besides: number;
  readonly days: number;
}

/** What is alike in all goes before what has more, and of these the nearer day. */
function likeFor(cases: readonly ShadowCase[], beside: Beside): ReadonlyMap<number, KeyedOrder> {
  const pairs = cases.flatMap(({ order, others, candidates }, index) =>
    candidates.flatMap((each): Pair[] => {
      const days = daysBetween(order, each);
      if (each.account !== order.account || each.webOrder !== null) return [];
      if (days > LIKE_WITHIN_DAYS) return [];
      const found = [order, ...others].flatMap((version) => besidesOf(version, each, beside) ?? []);
      return found.length === 0 ? [] : [{ index, each, days, besides: Math.min(...found) }];
    }),
  );
  const given = new Set<string>();
  const found = new Map<number, KeyedOrder>();
  for (const { index, each } of pairs.toSorted(
    (a, b) =>
      a.besides - b.besides || a.days - b.days || a.each.erpOrder.localeCompare(b.each.erpOrder),
  )) {
    if (found.has(index) || given.has(each.erpOrder)) continue;
    found.set(index, each);
    given.add(each.erpOrder);
  }
  return found;
}

/** How many products are there beside all of the order's own; null: it is another order. */
function besidesOf(order: WebOrder, { lines }: KeyedOrder, beside: Beside): number | null {
  const besides = besidesOurs(order, lines);
  if (besides === null) return null;
  const isGoods = (product: string) =>
    lines.some((line) => line.product === product && line.isProduct);
  return beside === "charges" && besides.some(isGoods) ? null : besides.length;
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

function differencesOf(order: WebOrder, keyed: KeyedOrder): ShadowDifference[] {
  const [ours, theirs] = [goodsOf(order.lines), goodsThere(order, keyed.lines)];
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
  ours: GoodsByProduct,
  theirs: GoodsByProduct,
): ShadowDifference[] {
  const [our, their] = [ours.get(product), theirs.get(product)];
  const zero = decimal.zero();
  const text = (line: Goods | undefined) =>
    line === undefined ? "no line" : decimal.canonical(line.quantity);
  const off = decimal.subtract(their?.quantity ?? zero, our?.quantity ?? zero);
  const by = decimal.canonical(off);
  if (our === undefined || their === undefined)
    return [{ what: `line of ${product}`, ours: text(our), theirs: text(their), by }];
  if (decimal.compare(off, zero) !== 0)
    return [{ what: `quantity of ${product}`, ours: text(our), theirs: text(their), by }];
  const theirNet = their.net === null ? null : money(their.net);
  return amount(`price of ${product} × ${text(our)}`, money(our.net ?? zero), theirNet);
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
