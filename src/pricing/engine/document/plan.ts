/** What one offer would do to a basket as it stands, or what it lacks. */
import { multiplyDivide, power } from "../scaled.ts";
import { WHOLE } from "./spread.ts";
import type { Fall, FreeLine, Reason } from "./basket-input.ts";
import { amountOf, lessAmount, lessPercent } from "./exact.ts";
import type { Exact } from "./exact.ts";
import { moneyAt } from "./offers.ts";
import type { Offer } from "./offers.ts";
import { fallOn, poolsOf, ranksOf, unitsOf, withKept } from "./pools.ts";
import type { Basket, Pool, Units } from "./pools.ts";

export interface Plan {
  readonly saving: number;
  readonly falls: readonly Fall[];
  readonly free: readonly FreeLine[];
  /** Lines that count as used by it, whether lowered or bought for it. */
  readonly uses: readonly number[];
  readonly times: number;
  /** What the budget did not leave; absent: nothing. */
  readonly cut?: number;
}

/**
 * At most `most` times. `lines` are those of its places that it may use; `used` those that its
 * promotion has on other terms already.
 */
export function planOf(
  basket: Basket,
  offer: Offer,
  lines: readonly number[],
  most: number,
  used: readonly number[],
): Plan | Reason {
  if (offer.kind === "bundle") return bundle(basket, offer, lines, most);
  if (offer.kind === "buy-get" && givesOther(basket, offer, lines))
    return cheaperOther(basket, offer, lines, most, used);
  const plans: Pooled[] = [];
  let lacks: Reason | null = null;
  for (const pool of poolsOf(basket, offer, lines)) {
    const plan = inPool(basket, offer, pool, most);
    if ("reason" in plan) lacks = nearer(lacks, plan);
    else plans.push({ pool, plan });
  }
  const [first] = plans;
  if (first === undefined) return lacks ?? { reason: "no-saving" };
  return plans.length === 1 ? first.plan : together(basket, offer, plans, most);
}

interface Pooled {
  readonly pool: Pool;
  readonly plan: Plan;
}

/** What is told of several: the same whatever the order of the lines. */
function nearer(known: Reason | null, next: Reason): Reason {
  if (known === null) return next;
  const nearness =
    NEAREST.indexOf(known.reason) - NEAREST.indexOf(next.reason) || moreOf(known) - moreOf(next);
  return nearness > 0 ? next : known;
}

const NEAREST: readonly Reason["reason"][] = [
  "worth-unknown",
  "needs-quantity",
  "needs-value",
  "needs-product",
  "no-saving",
];

function moreOf(reason: Reason): number {
  return "more" in reason ? reason.more : 0;
}

/** All pools; where it holds only so many times, those that save most. */
function together(basket: Basket, offer: Offer, plans: readonly Pooled[], most: number): Plan {
  const taken =
    most === Infinity ? plans.map(({ plan }) => plan) : best(basket, offer, plans, most);
  return {
    saving: taken.reduce((sum, plan) => sum + plan.saving, 0),
    falls: taken.flatMap((plan) => plan.falls),
    free: taken.flatMap((plan) => plan.free),
    uses: taken.flatMap((plan) => plan.uses),
    times: taken.reduce((sum, plan) => sum + plan.times, 0),
  };
}

function best(basket: Basket, offer: Offer, plans: readonly Pooled[], most: number): Plan[] {
  const ranks = ranksOf(basket);
  const rank = ({ pool }: Pooled) => Math.min(...pool.lines.map((line) => ranks[line]!));
  const taken: Plan[] = [];
  let open = most;
  for (const { pool, plan } of plans.toSorted(
    (a, b) => b.plan.saving - a.plan.saving || rank(a) - rank(b),
  )) {
    if (open <= 0) break;
    const fits = plan.times <= open ? plan : inPool(basket, offer, pool, open);
    if ("reason" in fits) continue;
    taken.push(fits);
    open -= fits.times;
  }
  return taken;
}

function inPool(basket: Basket, offer: Offer, pool: Pool, most: number): Plan | Reason {
  if (offer.threshold >= 0 && pool.value < offer.threshold)
    return { reason: "needs-value", more: offer.threshold - pool.value };
  switch (offer.kind) {
    case "percent":
    case "threshold":
    case "amount":
    case "fixed":
      return lowered(basket, offer, pool);
    case "multi-buy":
      return multiBuy(basket, offer, pool, most);
    case "buy-get":
      return cheaperOnes(basket, offer, pool, most);
    case "free-goods":
      return freeGoods(basket, offer, pool, most);
    case "bundle":
      return { reason: "no-saving" };
    default:
      return offer.kind satisfies never;
  }
}

/** Whether what is given cheaper is another product than those bought. */
function givesOther(basket: Basket, { given }: Offer, lines: readonly number[]): boolean {
  return given !== null && lines.some((line) => basket.input.lines[line]!.product !== given);
}

/** A percent, an amount off or a price, on lines or on the document. */
function lowered(basket: Basket, offer: Offer, pool: Pool): Plan | Reason {
  if (offer.buy > pool.quantity)
    return { reason: "needs-quantity", more: offer.buy - pool.quantity };
  const falls =
    offer.promotion.lowers === "document"
      ? documentFalls(basket, offer, pool)
      : lineFalls(basket, offer, pool);
  return planned(falls, pool.lines, 1);
}

function planned(falls: readonly Fall[], uses: readonly number[], times: number): Plan | Reason {
  let saving = 0;
  for (const fall of falls) saving += fall.amount;
  return saving > 0 ? { saving, falls, free: [], uses, times } : { reason: "no-saving" };
}

function lineFalls(basket: Basket, offer: Offer, pool: Pool): Fall[] {
  const falls: Fall[] = [];
  for (const line of pool.lines) {
    const fall = lineFall(basket, offer, line);
    if (fall.amount > 0) falls.push(fall);
  }
  return falls;
}

/** Of the line's price before it was rounded, where that is known. */
function lineFall(basket: Basket, offer: Offer, line: number): Fall {
  const now = basket.left[line]!;
  const leaves = exactLeft(basket, offer, line);
  if (leaves !== null)
    return { line, amount: now - amountOf(leaves, basket.set.arithmetic), leaves };
  if (offer.kind === "percent" || offer.kind === "threshold")
    return { line, amount: percentOff(basket, now, offer.value) };
  const { quantity, perPricingUnit } = basket.input.lines[line]!;
  const { lineNet } = basket.set.arithmetic;
  const divisor = perPricingUnit * power(6 - lineNet.scale);
  const money =
    multiplyDivide(offer.value, quantity, divisor, lineNet.mode) *
    power(basket.places - lineNet.scale);
  return { line, amount: offer.kind === "fixed" ? now - money : Math.min(now, money) };
}

function exactLeft({ set, exact, input }: Basket, offer: Offer, line: number): Exact | null {
  const before = exact[line]!;
  if (before === null) return null;
  const { kind, value } = offer;
  if (kind === "percent" || kind === "threshold") return lessPercent(before, value, set.arithmetic);
  if (kind !== "amount") return null;
  // Off each pricing unit of the product; a price can be per another unit that it is sold in.
  const { quantity, perPricingUnit } = input.lines[line]!;
  const isSame = before.quantity === quantity && before.perPricingUnit === perPricingUnit;
  return isSame ? lessAmount(before, value, set.arithmetic) : null;
}

/** A percent of a line's amount: the net or the discount is rounded, as the policy says. */
function percentOff(basket: Basket, amount: number, percent: number): number {
  const { discount, lineNet } = basket.set.arithmetic;
  const unit = power(basket.places - lineNet.scale);
  const keeps = discount === "difference" ? percent : WHOLE - percent;
  const rounded = multiplyDivide(amount, keeps, WHOLE * unit, lineNet.mode) * unit;
  return discount === "difference" ? rounded : amount - rounded;
}

/** Off what the pool's lines cost together, then spread over them. */
function documentFalls(basket: Basket, offer: Offer, { lines }: Pool): Fall[] {
  const weights = lines.map((line) => basket.left[line]!);
  const goods = weights.reduce((sum, weight) => sum + weight, 0);
  return fallOn(basket, lines, weights, documentFall(basket, offer, goods));
}

function documentFall({ set, places }: Basket, offer: Offer, goods: number): number {
  if (offer.kind === "amount") return Math.min(goods, moneyAt(offer.value, places));
  if (offer.kind === "fixed") return goods - moneyAt(offer.value, places);
  return multiplyDivide(goods, offer.value, WHOLE, set.arithmetic.lineNet.mode);
}

/** Every `buy` units for a price: the dearest units first, as long as a set saves something. */
function multiBuy(basket: Basket, offer: Offer, pool: Pool, most: number): Plan | Reason {
  const sets = Math.min(Math.floor(unitsIn(basket, pool.lines) / offer.buy), most);
  if (sets === 0 || offer.buy <= 0) return lacking(basket, pool.lines, offer.buy);
  const price = moneyAt(offer.value, basket.places);
  const saving = (number: number) =>
    worthOf(unitsOf(basket, pool.lines, number * offer.buy, "dearest")) - number * price;
  const best = bestNumber(sets, saving);
  if (best === 0) return { reason: "no-saving" };
  const units = unitsOf(basket, pool.lines, best * offer.buy, "dearest");
  return planned(fallOnUnits(basket, units, saving(best)), pool.lines, best);
}

/**
 * The number of sets that saves most. Each further set is of cheaper units and saves less, so the
 * first that saves nothing is found by halving.
 */
function bestNumber(sets: number, saving: (number: number) => number): number {
  if (saving(sets) > saving(sets - 1)) return sets;
  let low = 0;
  let high = sets;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (saving(middle) > saving(middle - 1)) low = middle;
    else high = middle;
  }
  return low;
}

function unitsIn({ input }: Basket, lines: readonly number[]): number {
  return lines.reduce((sum, line) => sum + input.lines[line]!.quantity, 0);
}

function worthOf(units: readonly Units[]): number {
  return units.reduce((sum, { worth }) => sum + worth, 0);
}

function lacking(basket: Basket, lines: readonly number[], wanted: number): Reason {
  return { reason: "needs-quantity", more: Math.max(wanted - unitsIn(basket, lines), 1) };
}

function fallOnUnits(basket: Basket, units: readonly Units[], amount: number): Fall[] {
  return fallOn(
    basket,
    units.map(({ line }) => line),
    units.map(({ worth }) => worth),
    amount,
  );
}

/** Buy some, get some of the same cheaper: the cheapest units of the pool are those. */
function cheaperOnes(basket: Basket, offer: Offer, pool: Pool, most: number): Plan | Reason {
  const buy = Math.max(offer.buy, 0);
  const set = buy + offer.give;
  const sets = Math.min(Math.floor(unitsIn(basket, pool.lines) / set), most);
  if (!(sets > 0)) return lacking(basket, pool.lines, set);
  const units = unitsOf(basket, pool.lines, sets * offer.give, "cheapest");
  return planned(percentFalls(basket, offer, units), pool.lines, sets);
}

/** Without a percent they are free. */
function percentFalls(basket: Basket, offer: Offer, units: readonly Units[]): Fall[] {
  const percent = offer.value < 0 ? WHOLE : offer.value;
  return units
    .map(({ line, worth }) => ({ line, amount: percentOff(basket, worth, percent) }))
    .filter(({ amount }) => amount > 0);
}

/**
 * Buy some, get another product of the basket cheaper. That product's own lines are not what is
 * bought for it, and all that is bought shares them.
 */
function cheaperOther(
  basket: Basket,
  offer: Offer,
  lines: readonly number[],
  most: number,
  used: readonly number[],
): Plan | Reason {
  const product = offer.given ?? "";
  const all = basket.input.lines;
  const bought = lines.filter((line) => all[line]!.product !== product);
  const targets = [...all.keys()].filter(
    (line) =>
      all[line]!.product === product &&
      all[line]!.closed === null &&
      (offer.promotion.stacks || basket.holders[line] === null) &&
      !used.includes(line),
  );
  let [sets, uses] = [0, [] as number[]];
  let lacks: Reason = { reason: "no-saving" };
  for (const pool of poolsOf(basket, offer, bought)) {
    const found = setsBought(offer, pool);
    if (typeof found !== "number") lacks = nearer(lacks, found);
    else [sets, uses] = [sets + found, [...uses, ...pool.lines]];
  }
  if (sets === 0) return lacks;
  const wanted = Math.min(sets, most) * offer.give;
  const units = unitsOf(basket, targets, wanted, "cheapest");
  if (units.length === 0) {
    const there = [...all.keys()].filter((line) => all[line]!.product === product);
    return withKept(basket, { reason: "needs-product", product, more: wanted }, there);
  }
  const got = units.reduce((sum, each) => sum + each.units, 0);
  return planned(
    percentFalls(basket, offer, units),
    [...uses, ...units.map(({ line }) => line)],
    Math.ceil(got / offer.give),
  );
}

function setsBought({ buy, threshold }: Offer, { quantity, value }: Pool): number | Reason {
  if (threshold >= 0 && value < threshold)
    return { reason: "needs-value", more: threshold - value };
  if (buy <= 0) return 1;
  const sets = Math.floor(quantity / buy);
  return sets > 0 ? sets : { reason: "needs-quantity", more: buy - quantity };
}

/** Goods on lines of their own, beside what is bought. */
function freeGoods(basket: Basket, offer: Offer, pool: Pool, most: number): Plan | Reason {
  const sets = offer.buy > 0 ? Math.floor(pool.quantity / offer.buy) : 1;
  if (sets === 0) return { reason: "needs-quantity", more: offer.buy - pool.quantity };
  const times = Math.min(sets, most);
  const [cheapest] = unitsOf(basket, pool.lines, 1, "cheapest");
  const product = offer.given ?? basket.input.lines[cheapest?.line ?? 0]!.product;
  const quantity = times * offer.give;
  if (!(quantity > 0)) return { reason: "no-saving" };
  const price = Math.max(offer.value, 0);
  const worth = worthOfGiven(basket, product, quantity);
  const charged = givenAmount(basket, price, quantity);
  if (worth === null && Number.isFinite(offer.promotion.budget))
    return { reason: "worth-unknown", product };
  const saving = Math.max(0, (worth ?? charged) - charged);
  const free = [{ product, quantity, price, worth: worth === null ? null : saving }];
  return { saving, falls: [], free, uses: pool.lines, times };
}

/** What the goods cost in this basket, or else by themselves; null: not known. */
function worthOfGiven(basket: Basket, product: string, quantity: number): number | null {
  const { input, places, left } = basket;
  const same = [...input.lines.keys()].filter((line) => input.lines[line]!.product === product);
  const [cheapest] = unitsOf(basket, same, 1, "cheapest");
  if (cheapest !== undefined) {
    const { line } = cheapest;
    return multiplyDivide(left[line]!, quantity, input.lines[line]!.quantity, "half-away");
  }
  const price = input.worth.get(product);
  return price === undefined
    ? null
    : multiplyDivide(price, quantity, power(11 - places), "half-away");
}

function givenAmount({ places }: Basket, price: number, quantity: number): number {
  return multiplyDivide(price, quantity, power(11 - places), "half-away");
}

/** Its products together for a price: as many bundles as all parts allow, the dearest units. */
function bundle(
  basket: Basket,
  offer: Offer,
  lines: readonly number[],
  most: number,
): Plan | Reason {
  const open = new Set(lines);
  const parts = offer.parts.map((part) => {
    const own = [...open].filter((line) => isOn(basket, line, part));
    for (const line of own) open.delete(line);
    return { ...part, lines: own };
  });
  const short = parts.find((part) => unitsIn(basket, part.lines) < part.buy);
  if (short !== undefined)
    return {
      reason: "needs-product",
      product: short.code,
      more: short.buy - unitsIn(basket, short.lines),
    };
  const bundles = parts.map((part) => Math.floor(unitsIn(basket, part.lines) / part.buy));
  const sets = Math.min(most, ...bundles);
  const unitsFor = (number: number) =>
    parts.flatMap((part) => unitsOf(basket, part.lines, number * part.buy, "dearest"));
  const price = moneyAt(offer.value, basket.places);
  const saving = (number: number) => worthOf(unitsFor(number)) - number * price;
  const best = bestNumber(sets, saving);
  if (best === 0) return { reason: "no-saving" };
  const falls = fallOnUnits(basket, unitsFor(best), saving(best));
  return planned(
    falls,
    parts.flatMap((part) => part.lines),
    best,
  );
}

function isOn(basket: Basket, line: number, { scope, code }: Offer["parts"][number]): boolean {
  const { product, groups } = basket.input.lines[line]!;
  if (scope === "everything") return true;
  return scope === "product" ? product === code : groups.includes(code);
}
