/** Lines of a basket as a promotion counts them. */
import { multiplyDivide } from "../scaled.ts";
import type { BasketInput, BasketLine, Fall, Kept, Reason } from "./basket-input.ts";
import type { Exact } from "./exact.ts";
import type { Offer, PromotionSet } from "./offers.ts";
import { spread, spreadRounded } from "./spread.ts";

/** A basket while promotions are put on it, one after the other. */
export interface Basket {
  readonly set: PromotionSet;
  readonly places: number;
  readonly input: BasketInput;
  /** By line: what it costs now, at the document's places. */
  readonly left: number[];
  /** By line: the same before it was rounded; null: not known. */
  readonly exact: (Exact | null)[];
  /** By line: the promotions that hold on it; null: none yet. */
  readonly holders: (string[] | null)[];
  /** By line: its place in an order by content; null until somebody asks. */
  ranks: number[] | null;
}

/** Lines that count together. */
export interface Pool {
  readonly lines: readonly number[];
  /** Counted over the pool, or over the whole basket. */
  readonly quantity: number;
  readonly value: number;
}

export function poolsOf(basket: Basket, offer: Offer, lines: readonly number[]): Pool[] {
  const all = basket.input.lines;
  switch (offer.countsOver) {
    case "line":
      return lines.map((line) => poolOf(basket, [line]));
    case "product":
      return [...Map.groupBy(lines, (line) => all[line]!.product).values()].map((of) =>
        poolOf(basket, of),
      );
    case "group":
      return [poolOf(basket, lines)];
    case "document":
      return [{ ...poolOf(basket, [...all.keys()]), lines }];
    default:
      return offer.countsOver satisfies never;
  }
}

function poolOf({ input, left }: Basket, lines: readonly number[]): Pool {
  let quantity = 0;
  let value = 0;
  for (const line of lines) {
    quantity += input.lines[line]!.quantity;
    value += left[line]!;
  }
  return { lines, quantity, value };
}

/** Each line's place by content: what decides a penny between lines that weigh the same. */
export function ranksOf(basket: Basket): readonly number[] {
  if (basket.ranks !== null) return basket.ranks;
  const { lines } = basket.input;
  const order = [...lines.keys()].sort((a, b) => compareLines(lines[a]!, lines[b]!));
  const ranks: number[] = Array.from({ length: lines.length });
  order.forEach((line, rank) => {
    ranks[line] = rank;
  });
  basket.ranks = ranks;
  return ranks;
}

function compareLines(a: BasketLine, b: BasketLine): number {
  if (a.product !== b.product) return a.product < b.product ? -1 : 1;
  return a.amount - b.amount || a.quantity - b.quantity || a.perPricingUnit - b.perPricingUnit;
}

/** Some units of a line, and what they cost now. */
export interface Units {
  readonly line: number;
  readonly units: number;
  readonly worth: number;
}

/** So many units of the lines, the dearest or the cheapest first. */
export function unitsOf(
  basket: Basket,
  lines: readonly number[],
  wanted: number,
  first: "dearest" | "cheapest",
): Units[] {
  const taken: Units[] = [];
  let open = wanted;
  for (const line of first === "dearest"
    ? byWorth(basket, lines)
    : byWorth(basket, lines).toReversed()) {
    if (open <= 0) break;
    const { quantity } = basket.input.lines[line]!;
    const units = Math.min(open, quantity);
    const worth =
      units === quantity
        ? basket.left[line]!
        : multiplyDivide(basket.left[line]!, units, quantity, "half-away");
    taken.push({ line, units, worth });
    open -= units;
  }
  return taken;
}

/** Lines by what one unit of them costs now, the dearest first. */
function byWorth(basket: Basket, lines: readonly number[]): number[] {
  const ranks = ranksOf(basket);
  const { input, left } = basket;
  const units = (line: number) => input.lines[line]!.quantity;
  return lines.toSorted(
    (a, b) => left[b]! * units(a) - left[a]! * units(b) || ranks[a]! - ranks[b]!,
  );
}

/** An amount off lines in proportion to their weights, as the policy spreads it. */
export function fallOn(
  basket: Basket,
  lines: readonly number[],
  weights: readonly number[],
  amount: number,
): Fall[] {
  if (amount <= 0) return [];
  if (lines.length === 1) return [{ line: lines[0]!, amount }];
  const ranks = ranksOf(basket);
  const fall = basket.set.arithmetic.documentDiscount === "proportional" ? spreadRounded : spread;
  const parts = fall(
    amount,
    weights,
    lines.map((line) => ranks[line]!),
  );
  return lines
    .map((line, index) => ({ line, amount: parts[index]! }))
    .filter((part) => part.amount > 0);
}

/** What keeps a promotion from lines that it may not use; undefined: nothing does. */
export function keptOn({ input, holders }: Basket, lines: readonly number[]): Kept | undefined {
  const units = (some: readonly number[]) =>
    some.reduce((sum, line) => sum + input.lines[line]!.quantity, 0);
  const held = lines.filter((line) => holders[line] !== null);
  const by = held.flatMap((line) => holders[line] ?? []).sort()[0];
  if (by !== undefined) return { quantity: units(held), by, why: null };
  const closed = lines.filter((line) => input.lines[line]!.closed !== null);
  const why = closed.flatMap((line) => input.lines[line]!.closed ?? []).sort()[0];
  return why === undefined ? undefined : { quantity: units(closed), by: null, why };
}

/** What a promotion lacks, beside goods of it that are in the basket and not free for it. */
export function withKept(basket: Basket, lacks: Reason, lines: readonly number[]): Reason {
  if (!("more" in lacks) || lacks.kept !== undefined) return lacks;
  const kept = keptOn(basket, lines);
  return kept === undefined ? lacks : { ...lacks, kept };
}
