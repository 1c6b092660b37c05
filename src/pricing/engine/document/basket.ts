/**
 * Promotions over a basket: which hold, what each takes off which line, and why the others do not.
 * They are looked at by priority; of those with the same one, the best for the customer first. One
 * that does not stack leaves alone what another holds on. Of an exclusive group that one member is
 * looked at, in its own place, with which the whole basket saves most.
 */
import type {
  Applied,
  BasketInput,
  BasketPromotions,
  Fall,
  NotApplied,
  PromotionUse,
  Reason,
} from "./basket-input.ts";
import { bestOfEach } from "./groups.ts";
import type { Offer, Promotion, PromotionSet, Shelf } from "./offers.ts";
import { whomKey } from "./offers.ts";
import { planOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { fallOn, keptOn, withKept } from "./pools.ts";
import type { Basket } from "./pools.ts";
import type { CustomerScope } from "../policy.ts";
import { placesOf } from "./totals.ts";

/** A promotion that is on something in the basket. */
interface Candidate {
  readonly promotion: Promotion;
  /** Its offers, most particular first, with the lines that each is on. */
  readonly offers: { readonly offer: Offer; readonly lines: number[] }[];
}

export function applyPromotions(set: PromotionSet, input: BasketInput): BasketPromotions {
  const found = candidatesOf(set, input);
  const notApplied: NotApplied[] = [];
  const open = found.filter((candidate) => {
    const why = barred(input, candidate.promotion);
    if (why !== null) notApplied.push({ promotion: candidate.promotion, why });
    return why === null;
  });
  const held = putOn(set, input, open);
  notApplied.push(...held.notApplied);
  notApplied.sort((a, b) => (a.promotion.promotion < b.promotion.promotion ? -1 : 1));
  return {
    applied: held.applied,
    notApplied,
    unknownCodes: unknownCodes(set, input),
    lowered: input.lines.map((line, index) => line.amount - held.basket.left[index]!),
    loweredByDocument: loweredBy(input, held.applied),
    until: set.turns.find((turn) => turn > input.moment) ?? Infinity,
  };
}

function untouched(set: PromotionSet, input: BasketInput): Basket {
  return {
    set,
    places: placesOf(set.arithmetic),
    input,
    left: input.lines.map((line) => line.amount),
    exact: input.lines.map((line) => line.exact ?? null),
    holders: input.lines.map((line) => (line.promotion === null ? null : [line.promotion])),
    ranks: null,
  };
}

function loweredBy({ lines }: BasketInput, applied: readonly Applied[]): number[] {
  const amounts = lines.map(() => 0);
  for (const { promotion, falls } of applied)
    if (promotion.lowers === "document")
      for (const { line, amount } of falls) amounts[line]! += amount;
  return amounts;
}

function shelvesOf(set: PromotionSet, customer: BasketInput["customer"]): Shelf[] {
  const shelves: Shelf[] = [];
  const look = (scope: CustomerScope, code: string): void => {
    const shelf = set.shelves.get(whomKey(scope, code));
    if (shelf !== undefined) shelves.push(shelf);
  };
  for (const [scope, codes] of Object.entries(customer))
    for (const code of codes) look(scope as CustomerScope, code);
  look("everyone", "*");
  return shelves;
}

function candidatesOf(set: PromotionSet, input: BasketInput): Candidate[] {
  const found = new Map<Promotion, Candidate>();
  const { moment, lines } = input;
  const meet = (offer: Offer, line: number): void => {
    const { promotion } = offer;
    if (moment < promotion.starts || moment >= promotion.ends) return;
    let candidate = found.get(promotion);
    if (candidate === undefined) found.set(promotion, (candidate = { promotion, offers: [] }));
    const known = candidate.offers.find((each) => each.offer === offer);
    if (known === undefined) candidate.offers.push({ offer, lines: [line] });
    else if (known.lines.at(-1) !== line) known.lines.push(line);
  };
  for (const shelf of shelvesOf(set, input.customer))
    for (const [line, { product, groups }] of lines.entries()) {
      for (const offer of shelf.byProduct.get(product) ?? NONE) meet(offer, line);
      if (shelf.byGroup.size > 0) for (const offer of groupOffers(shelf, groups)) meet(offer, line);
      for (const offer of shelf.everything) meet(offer, line);
    }
  for (const { offers } of found.values())
    if (offers.length > 1) offers.sort((a, b) => a.offer.index - b.offer.index);
  return [...found.values()];
}

const NONE: readonly Offer[] = [];

function groupOffers({ byGroup }: Shelf, groups: readonly string[]): readonly Offer[] {
  return groups.flatMap((group) => byGroup.get(group) ?? NONE);
}

const UNUSED: PromotionUse = { orders: 0, ofAccount: 0, given: 0 };

/** What keeps a promotion out whatever is in the basket. */
function barred({ codes, uses }: BasketInput, promotion: Promotion): Reason | null {
  if (promotion.code !== null && !hasCode(codes, promotion.code))
    return { reason: "code-not-given" };
  const used = uses.get(promotion.promotion) ?? UNUSED;
  if (used.orders >= promotion.mostUses)
    return { reason: "uses-used-up", most: promotion.mostUses };
  if (used.ofAccount >= promotion.mostUsesPerAccount)
    return { reason: "account-uses-used-up", most: promotion.mostUsesPerAccount };
  return used.given >= promotion.budget ? { reason: "budget-used-up" } : null;
}

/** Codes are compared as people type them. */
function hasCode(codes: readonly string[], code: string): boolean {
  return codes.some((given) => plain(given) === plain(code));
}

function plain(code: string): string {
  return code.trim().toUpperCase();
}

function unknownCodes(set: PromotionSet, { codes, moment }: BasketInput): string[] {
  if (codes.length === 0) return [];
  const known = set.promotions
    .filter(({ code, starts, ends }) => code !== null && moment >= starts && moment < ends)
    .map(({ code }) => plain(code ?? ""));
  return codes.filter((code) => !known.includes(plain(code)));
}

/** A basket with promotions put on it. */
interface Put {
  readonly basket: Basket;
  readonly applied: Applied[];
  readonly notApplied: NotApplied[];
}

/** One of each exclusive group, with all that are in none. */
function putOn(set: PromotionSet, input: BasketInput, open: readonly Candidate[]): Put {
  const sorted = open.toSorted(
    (a, b) => compareTurns(a.promotion, b.promotion) || compareCodes(a, b),
  );
  const groups = groupsOf(sorted);
  if (groups.length === 0) return applyInOrder(untouched(set, input), sorted, null);
  const fresh = untouched(set, input);
  const plans = new Map(sorted.map((candidate) => [candidate, weigh(fresh, candidate)]));
  const rivals = groups.map((group) => rivalsIn(group, plans));
  const grouped = new Set(groups.flat());
  const withOnly = (chosen: readonly Candidate[]) =>
    applyInOrder(
      { ...untouched(set, input), ranks: fresh.ranks },
      sorted.filter((each) => !grouped.has(each) || chosen.includes(each)),
      plans,
    );
  const chosen = bestOfEach(rivals, (some) => savingIn(withOnly(some)));
  const held = withOnly(chosen);
  for (const [at, group] of groups.entries()) {
    const holds = chosen[at]!;
    for (const each of group)
      if (each !== holds) held.notApplied.push(outdone(each, holds, plans.get(each)));
  }
  return held;
}

/** Exclusive groups of which more than one is open. */
function groupsOf(sorted: readonly Candidate[]): Candidate[][] {
  const inGroup = sorted.filter(({ promotion }) => promotion.exclusiveGroup !== null);
  if (inGroup.length < 2) return [];
  return [...Map.groupBy(inGroup, ({ promotion }) => promotion.exclusiveGroup).values()].filter(
    (group) => group.length > 1,
  );
}

/** Those that hold on the basket as it is; where none does any is as good as the first. */
function rivalsIn(
  group: readonly Candidate[],
  plans: ReadonlyMap<Candidate, Plan | Reason>,
): readonly Candidate[] {
  const holding = group.filter((each) => savingOf(plans.get(each)!) >= 0);
  return holding.length > 0 ? holding : group.slice(0, 1);
}

function savingIn({ applied }: Put): number {
  return applied.reduce((sum, { saving }) => sum + saving, 0);
}

/** What it lacks by itself, or else that another of its group is better. */
function outdone(
  { promotion }: Candidate,
  by: Candidate,
  plan: Plan | Reason | undefined,
): NotApplied {
  if (plan !== undefined && "reason" in plan) return { promotion, why: plan };
  const group = promotion.exclusiveGroup ?? "";
  return { promotion, why: { reason: "group", by: by.promotion.promotion, group } };
}

/** `plans`: what each comes to on the untouched basket, where that is known. */
function applyInOrder(
  basket: Basket,
  sorted: readonly Candidate[],
  plans: ReadonlyMap<Candidate, Plan | Reason> | null,
): Put {
  const so: Put = { basket, applied: [], notApplied: [] };
  const touched = new Set<number>();
  for (let at = 0; at < sorted.length;) {
    const turn = turnOf(sorted, at);
    at += turn.length;
    const weighed = turn.map((candidate) => {
      const known = plans !== null && !isTouched(candidate, touched) && plans.get(candidate);
      return { candidate, plan: known || weigh(basket, candidate) };
    });
    applyTurn(so, weighed, touched);
  }
  return so;
}

/** Those of one priority: they are weighed against each other. */
function turnOf(sorted: readonly Candidate[], at: number): readonly Candidate[] {
  const first = sorted[at]!.promotion;
  let end = at + 1;
  while (end < sorted.length && compareTurns(first, sorted[end]!.promotion) === 0) end += 1;
  return sorted.slice(at, end);
}

/** Lines before the document, the higher priority first, those that stack last. */
function compareTurns(a: Promotion, b: Promotion): number {
  if (a.lowers !== b.lowers) return a.lowers === "line" ? -1 : 1;
  const [first, second] = [a.priority ?? -Infinity, b.priority ?? -Infinity];
  if (first !== second) return first > second ? -1 : 1;
  return Number(a.stacks) - Number(b.stacks);
}

function compareCodes(a: Candidate, b: Candidate): number {
  return a.promotion.promotion < b.promotion.promotion ? -1 : 1;
}

interface Weighed {
  readonly candidate: Candidate;
  readonly plan: Plan | Reason;
}

function applyTurn(
  { basket, applied, notApplied }: Put,
  weighed: Weighed[],
  touched: Set<number>,
): void {
  if (weighed.length > 1) weighed.sort((a, b) => savingOf(b.plan) - savingOf(a.plan));
  const since = new Set<number>();
  for (const { candidate, plan } of weighed) {
    const { promotion } = candidate;
    const now = isTouched(candidate, since) ? weigh(basket, candidate) : plan;
    if ("reason" in now) notApplied.push({ promotion, why: now });
    else {
      applied.push(put(basket, promotion, now));
      for (const line of now.uses) since.add(line);
    }
  }
  for (const line of since) touched.add(line);
}

function savingOf(plan: Plan | Reason): number {
  return "reason" in plan ? -1 : plan.saving;
}

/** Whether what it was weighed on has changed since. */
function isTouched({ offers, promotion }: Candidate, touched: ReadonlySet<number>): boolean {
  if (touched.size === 0) return false;
  return (
    promotion.lowers === "document" ||
    offers.some(
      ({ offer, lines }) =>
        offer.countsOver === "document" ||
        offer.given !== null ||
        lines.some((line) => touched.has(line)),
    )
  );
}

function put(basket: Basket, promotion: Promotion, plan: Plan): Applied {
  for (const { line, amount, leaves } of plan.falls) {
    basket.left[line]! -= amount;
    basket.exact[line] = leaves ?? null;
  }
  for (const line of plan.uses) {
    const holders = basket.holders[line];
    if (holders === null || holders === undefined) basket.holders[line] = [promotion.promotion];
    else if (!holders.includes(promotion.promotion)) holders.push(promotion.promotion);
  }
  const { saving, falls, free, times, cut = 0 } = plan;
  return { promotion, saving, falls, free, times, cut };
}

/** What a promotion comes to with all its offers, each line by one of them; or why to nothing. */
function weigh(basket: Basket, { promotion, offers }: Candidate): Plan | Reason {
  const uses: number[] = [];
  const falls: Fall[] = [];
  const free: Plan["free"][number][] = [];
  let why: Reason | null = null;
  let [saving, times] = [0, 0];
  for (const { offer, lines } of offers) {
    if (times >= promotion.mostPerOrder) break;
    const plan = offerPlan(basket, offer, lines, uses, promotion.mostPerOrder - times);
    if ("reason" in plan) {
      why ??= plan;
      continue;
    }
    if (offers.length === 1) return withinBudget(basket, promotion, plan);
    uses.push(...plan.uses);
    falls.push(...plan.falls);
    free.push(...plan.free);
    saving += plan.saving;
    times += plan.times;
  }
  if (times === 0) return why ?? { reason: "no-saving" };
  return withinBudget(basket, promotion, { saving, falls, free, uses, times });
}

/** On the lines that it may use. Where the others are what it lacks, they are the reason. */
function offerPlan(
  basket: Basket,
  offer: Offer,
  lines: readonly number[],
  used: readonly number[],
  most: number,
): Plan | Reason {
  const usable = usableOf(basket, offer, lines, used);
  if (usable.length === lines.length) return planOf(basket, offer, lines, most, used);
  const plan: Plan | Reason =
    usable.length === 0 ? { reason: "no-saving" } : planOf(basket, offer, usable, most, used);
  if (!("reason" in plan)) return plan;
  const isKept = usable.length === 0 || !("reason" in planOf(basket, offer, lines, most, used));
  const others = lines.filter((line) => !usable.includes(line) && !used.includes(line));
  return isKept ? (keptFrom(basket, lines) ?? plan) : withKept(basket, plan, others);
}

function usableOf(
  { input, holders }: Basket,
  { promotion }: Offer,
  lines: readonly number[],
  used: readonly number[],
): readonly number[] {
  return lines.filter(
    (line) =>
      input.lines[line]!.closed === null &&
      (promotion.stacks || holders[line] === null) &&
      !used.includes(line),
  );
}

/** What holds on lines that it may not use. */
function keptFrom(basket: Basket, lines: readonly number[]): Reason | null {
  const kept = keptOn(basket, lines);
  if (kept === undefined) return null;
  return kept.by === null
    ? { reason: "closed", why: kept.why ?? "" }
    : { reason: "excluded", by: kept.by };
}

/** No more than the budget leaves: falls are cut to it, goods are given whole or not. */
function withinBudget(basket: Basket, promotion: Promotion, plan: Plan): Plan | Reason {
  if (promotion.budget === Infinity) return plan;
  const given = basket.input.uses.get(promotion.promotion)?.given ?? 0;
  const open = promotion.budget - given;
  if (plan.saving <= open) return plan;
  if (plan.free.length > 0 || open <= 0) return { reason: "budget-used-up" };
  const lines = plan.falls.map(({ line }) => line);
  const weights = plan.falls.map(({ amount }) => amount);
  const falls = fallOn(basket, lines, weights, open);
  return { ...plan, saving: open, falls, cut: plan.saving - open };
}
