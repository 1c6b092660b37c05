/**
 * Baskets: several lines priced together, with the promotions that hold over them, the document's
 * arithmetic and what other systems would make of it.
 */
import type { Queryable, Store } from "../store/index.ts";
import { quotationProblem, takenByOrders } from "./agreement.ts";
import type { Agreement } from "./agreement.ts";
import { LockNeeded, PastNotKept } from "./error.ts";
import type { PriceProblem } from "./answer.ts";
import type { BasketAnswer, BasketRequest } from "./basket-answer.ts";
import { askBasket, givenLine, promotionsOn } from "./basket-price.ts";
import type { BasketAsked } from "./basket-price.ts";
import { answerBasket } from "./basket-words.ts";
import type { Worked } from "./basket-words.ts";
import { document, scaled } from "./engine/index.ts";
import { knownRoot } from "./known.ts";
import type { KnownAt, Knowing } from "./known.ts";
import { loadPolicy, shippedPolicies } from "./policy.ts";
import { usesOf } from "./promotion-uses.ts";
import type { PromotionHeld } from "./promotion-uses.ts";
import type { PricingSettings } from "./load.ts";
import { problemOf } from "./price.ts";
import type { Root } from "./root.ts";
import { QUANTITY_PLACES } from "./ask.ts";
import { vatRatesAt } from "./vat-rates.ts";

export interface BasketContext {
  readonly store: Store;
  readonly company: string;
  readonly settings: PricingSettings;
}

/** A basket with what an order of it must reserve. */
export interface PricedBasket {
  readonly answer: BasketAnswer;
  /** Limited promotions among those that hold. */
  readonly held: readonly PromotionHeld[];
  /** By line of the request, the quotation or contract of its price, or one that has too little. */
  readonly agreements: readonly (Agreement | null)[];
  /** By line of the request, how it stands in the document; null: its price is not known. */
  readonly lines: readonly (StandingLine | null)[];
  /** The same of the goods that promotions give. */
  readonly free: readonly (StandingLine | null)[];
}

/** A line as the document has it, to be added up with others by `addUp`. */
export interface StandingLine {
  readonly document: document.DocumentLine;
  /** Its amount in the document's basis after promotions, decimal text. */
  readonly amount: string;
  /** Selling units, decimal text. */
  readonly quantity: string;
}

/** Nobody can be priced for: every line says the same. */
export type RefusedBasket = readonly PriceProblem[];

/** Whether a basket in a transaction may wait for what others have locked. */
export type BasketLocks = "wait" | "none";

interface In {
  readonly tx?: Queryable | undefined;
  readonly locks?: BasketLocks | undefined;
}

/**
 * Prices a basket. With `tx` the limits of its promotions are locked until that transaction ends,
 * so that what is answered can be reserved in it.
 */
export async function priceBasket(
  context: BasketContext,
  { root, when }: { readonly root: Root; readonly when: number },
  request: BasketRequest,
  place: In = {},
): Promise<PricedBasket | RefusedBasket> {
  const refused = await refusedQuotation(context, request, place);
  if (refused !== null) return refused;
  const asked = await askWithOrders(context, { root, when }, request, place);
  if (!("known" in asked)) return asked;
  const set = document.promotionsOf(root.book);
  const on = await putOn(context, asked, set, request, place);
  const rates = vatRatesAt(context.settings, asked.enquiry.asking.moment);
  const worked = work(asked, request, on, rates);
  const twins = request.twin === true ? await otherArithmetics() : [];
  const answer = answerBasket(asked, request, worked, twins);
  const { agreements } = asked;
  const held = heldBy(on, worked.totals.places);
  return { answer, held, agreements, ...standing(asked, worked) };
}

export type AskBasket = (
  request: BasketRequest,
  tx?: Queryable,
  locks?: BasketLocks,
) => Promise<PricedBasket | RefusedBasket>;

/** Null: what was known then is kept no more. */
export async function basketsAsOf(
  context: BasketContext & Knowing,
  asked: KnownAt,
): Promise<AskBasket | null> {
  try {
    const then = { root: await knownRoot(context, asked), when: asked.knownAt.epochMilliseconds };
    return (request, tx, locks) => priceBasket(context, then, request, { tx, locks });
  } catch (error) {
    if (error instanceof PastNotKept) return null;
    throw error;
  }
}

/** In a transaction it is an order's, whose own checks say what its quotation is worth. */
async function refusedQuotation(
  { store, company }: BasketContext,
  { account, quotation, lines }: BasketRequest,
  { tx }: In,
): Promise<RefusedBasket | null> {
  if (!quotation || tx !== undefined) return null;
  const problem = await quotationProblem(store, company, { account, quotation });
  return problem === null ? null : lines.map((line) => problemOf(line, problem));
}

/** What open web orders took of the agreements that would price it is not left for the basket. */
async function askWithOrders(
  { store, company }: BasketContext,
  { root, when }: { readonly root: Root; readonly when: number },
  request: BasketRequest,
  { tx, locks }: In,
): Promise<BasketAsked | PriceProblem[]> {
  let asked = askBasket(root, request, when);
  let known: ReadonlySet<string> = new Set();
  for (let round = 0; round < ROUNDS && "known" in asked; round += 1) {
    const found = asked.agreements.flatMap((agreement) =>
      agreement === null ? [] : agreement.key,
    );
    if (found.every((key) => known.has(key))) break;
    if (locks === "none") throw new LockNeeded("it uses up a contract or quotation");
    known = new Set([...known, ...found]);
    const taken = await takenByOrders(tx ?? store, company, [...known], tx !== undefined);
    if (taken.size > 0) asked = askBasket(root, request, when, taken);
  }
  return asked;
}

function standing(
  { answers, known }: BasketAsked,
  { input, given, totals }: Worked,
): Pick<PricedBasket, "lines" | "free"> {
  const lineAt = (index: number, units: number): StandingLine | null => {
    const [line, amounts] = [input.lines[index], totals.lines[index]];
    if (line === undefined || amounts === undefined) return null;
    const left = amounts.full - amounts.discount - amounts.lowered;
    const quantity = scaled.shortTextOf(units, QUANTITY_PLACES);
    return { document: line, amount: scaled.textOf(left, totals.places), quantity };
  };
  const found = new Map(known.map(({ at, line }, index) => [at, lineAt(index, line.quantity)]));
  return {
    lines: answers.map((_, at) => found.get(at) ?? null),
    free: given.map(({ line }, index) => lineAt(known.length + index, line.quantity)),
  };
}

const PERCENT_PLACES = 4;
const ROUNDS = 3;

/**
 * Promotions as their limits are now. In a transaction those that hold are locked and looked at
 * again: another order may have taken the last use meanwhile.
 */
async function putOn(
  { store, company }: BasketContext,
  asked: BasketAsked,
  set: document.PromotionSet,
  request: BasketRequest,
  { tx, locks }: In,
): Promise<document.BasketPromotions> {
  const { moment } = asked.enquiry.asking;
  const codes = request.codes ?? [];
  const places = document.placesOf(set.arithmetic);
  if (locks === "none") return unlimited(asked, { set, moment, codes });
  const of = { company, account: request.account };
  const limited = set.promotions.filter(isLimited).map(({ promotion }) => promotion);
  let uses = await usesOf(tx ?? store, { ...of, promotions: limited }, { places, isFinal: false });
  let on = promotionsOn(asked, { set, moment, codes, uses });
  if (tx === undefined) return on;
  const locked = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const open = on.applied.filter(({ promotion }) => isLimited(promotion));
    const wanted = open.map(({ promotion }) => promotion.promotion);
    if (wanted.every((promotion) => locked.has(promotion))) break;
    for (const promotion of wanted) locked.add(promotion);
    const final = { ...of, promotions: [...locked] };
    uses = new Map([...uses, ...(await usesOf(tx, final, { places, isFinal: true }))]);
    on = promotionsOn(asked, { set, moment, codes, uses });
  }
  return on;
}

/**
 * One that does not hold with all its uses left does not hold with fewer, so nothing need be read
 * where none with a limit holds.
 */
function unlimited(
  asked: BasketAsked,
  of: {
    readonly set: document.PromotionSet;
    readonly moment: number;
    readonly codes: readonly string[];
  },
): document.BasketPromotions {
  const on = promotionsOn(asked, { ...of, uses: new Map() });
  if (on.applied.some(({ promotion }) => isLimited(promotion)))
    throw new LockNeeded("a promotion with a limit holds over it");
  return on;
}

function isLimited({ mostUses, mostUsesPerAccount, budget }: document.Promotion): boolean {
  return [mostUses, mostUsesPerAccount, budget].some((limit) => limit !== Infinity);
}

function work(
  asked: BasketAsked,
  request: BasketRequest,
  on: document.BasketPromotions,
  vat: Worked["rates"],
): Worked {
  const { arithmetic } = asked.root.book.policy;
  const given = on.applied.flatMap(({ promotion, free }) =>
    free.map((line) => ({ promotion, line, ...givenLine(asked, line) })),
  );
  const input: document.DocumentInput = {
    arithmetic,
    lines: [
      ...asked.known.map((line, index) => ({
        ...line.document,
        lowered: on.lowered[index] ?? 0,
      })),
      ...given.map((line) => line.document),
    ],
    charges: (request.charges ?? []).map((charge) => chargeOf(charge, vat, arithmetic)),
    credit: request.credit ?? false,
  };
  const isKnown =
    asked.known.length === request.lines.length &&
    [...asked.known, ...given].every(({ hasRate }) => hasRate) &&
    (request.charges ?? []).every(({ vatCode }) => vat[vatCode] !== undefined);
  return { on, given, input, totals: document.computeDocument(input), rates: vat, isKnown };
}

function chargeOf(
  { amount, vatCode, includesVat }: NonNullable<BasketRequest["charges"]>[number],
  vat: Worked["rates"],
  arithmetic: document.DocumentArithmetic,
): document.DocumentCharge {
  return {
    amount: scaled.scaledOf(amount, document.placesOf(arithmetic)) ?? 0,
    vatRate: scaled.scaledOf(vat[vatCode] ?? "0", PERCENT_PLACES) ?? 0,
    ...(includesVat === undefined ? {} : { includesVat }),
  };
}

function heldBy(on: document.BasketPromotions, places: number): PromotionHeld[] {
  return on.applied
    .filter(({ promotion }) => isLimited(promotion))
    .map(({ promotion, saving }) => ({
      promotion: promotion.promotion,
      given: scaled.textOf(saving, places),
    }));
}

/** Stands for no system. */
const OF_NO_SYSTEM = "generic";
let others: Promise<{ system: string; arithmetic: document.DocumentArithmetic }[]> | undefined;

/** Arithmetic of the shipped policies that stand for a system. */
function otherArithmetics() {
  others ??= (async () => {
    const shipped = await shippedPolicies();
    const found = [];
    for (const system of shipped)
      if (system !== OF_NO_SYSTEM)
        found.push({ system, arithmetic: (await loadPolicy(system)).arithmetic });
    return found;
  })();
  others.catch(() => (others = undefined));
  return others;
}
