/**
 * How an answer stands besides its price: in a price round that has begun, confirmed by the ERP,
 * held back for a person, or on sources that are too old. Compiled once for a book from plain
 * facts, asked once per line.
 */
import { entryOf, scaled } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import { productsOf, reaches } from "./places.ts";

/** Whom and what a rule is for. */
export interface StandingPlace {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string | null;
}

/** A price of a round, as the book holds it. */
export interface RoundPrice extends StandingPlace {
  readonly kind: string;
  readonly value: string;
  readonly fromQuantity: string;
  readonly round: string;
  readonly state: "waiting" | "confirmed" | "differs";
  /** What the ERP says instead, in words; null: nothing else. */
  readonly otherwise: string | null;
}

/** Plain data, so that workers can be given it. */
export interface StandingFacts {
  /** Changes with the facts. */
  readonly revision: string;
  readonly rounds: Readonly<
    Record<
      string,
      {
        readonly about: string;
        readonly startsMs: number;
        /** Until when open baskets keep the prices of before; null: until the start. */
        readonly keptMs: number | null;
        readonly dueMs: number;
        readonly due: string;
      }
    >
  >;
  readonly prices: readonly RoundPrice[];
  readonly holds: readonly { readonly about: string; readonly places: readonly StandingPlace[] }[];
  /** When the first source is too old; null: none will be, or none is promised. */
  readonly staleFrom: { readonly ms: number; readonly about: string } | null;
}

export interface Stand {
  readonly state: "modelled" | "confirmed" | "stale";
  /** Null: nothing to say. */
  readonly reason: string | null;
  /** Moment from which it stands otherwise by itself; Infinity: none is known. */
  readonly untilMs: number;
}

export interface Standing {
  readonly revision: string;
  /** What it was compiled from. */
  readonly facts: StandingFacts;
  /** Of the line that the enquiry found last, now; its price is known. */
  of(enquiry: Enquiry, product: number, nowMs: () => number): Stand;
  /** Until when a basket's prices that ended with this moment are kept all the same; null: not. */
  keptUntilMs(endedMs: number): number | null;
}

export const NO_FACTS: StandingFacts = {
  revision: "",
  rounds: {},
  prices: [],
  holds: [],
  staleFrom: null,
};

const MODELLED: Stand = { state: "modelled", reason: null, untilMs: Infinity };
const IN_ROUND = 1;
const IN_HOLD = 2;

interface HeldPlace extends StandingPlace {
  readonly about: string;
}

export function compileStanding(book: PriceBook, facts: StandingFacts): Standing {
  const flags = new Uint8Array(book.products.codes.length);
  const prices = new Map<string, RoundPrice>();
  for (const price of facts.prices) {
    prices.set(keyOf(price), price);
    for (const product of productsOf(book, price))
      flags[product] = (flags[product] ?? 0) | IN_ROUND;
  }
  const held = heldPlaces(book, facts, flags);
  const { staleFrom } = facts;
  const fresh = { ...MODELLED, untilMs: staleFrom?.ms ?? Infinity };
  const starts = new Map(
    Object.values(facts.rounds).map((round) => [round.startsMs, round.keptMs]),
  );
  return {
    revision: facts.revision,
    facts,
    keptUntilMs: (endedMs) => starts.get(endedMs) ?? null,
    of(enquiry, product, nowMs) {
      const flag = flags[product] ?? 0;
      if (flag === 0 && staleFrom === null) return MODELLED;
      const atMs = nowMs();
      const doubt = flag & IN_HOLD ? heldFor(held.get(product), enquiry) : null;
      if (doubt !== null) return doubt;
      const round = flag & IN_ROUND ? inRound(facts, prices, enquiry, atMs) : MODELLED;
      if (round.state === "stale" || staleFrom === null) return round;
      if (atMs >= staleFrom.ms)
        return { state: "stale", reason: staleFrom.about, untilMs: Infinity };
      if (round === MODELLED) return fresh;
      return { ...round, untilMs: Math.min(round.untilMs, staleFrom.ms) };
    },
  };
}

function heldPlaces(
  book: PriceBook,
  { holds }: StandingFacts,
  flags: Uint8Array,
): ReadonlyMap<number, readonly HeldPlace[]> {
  const held = new Map<number, HeldPlace[]>();
  for (const { about, places } of holds)
    for (const place of places)
      for (const product of productsOf(book, place)) {
        flags[product] = (flags[product] ?? 0) | IN_HOLD;
        const known = held.get(product);
        if (known === undefined) held.set(product, [{ ...place, about }]);
        else known.push({ ...place, about });
      }
  return held;
}

function heldFor(places: readonly HeldPlace[] | undefined, enquiry: Enquiry): Stand | null {
  const found = places?.find(({ customerScope, customerCode }) =>
    reaches(enquiry, customerScope, customerCode),
  );
  return found === undefined ? null : { state: "stale", reason: found.about, untilMs: Infinity };
}

/** The rule that gave the price, else the one that gave the base that it is worked out from. */
function inRound(
  { rounds }: StandingFacts,
  prices: ReadonlyMap<string, RoundPrice>,
  enquiry: Enquiry,
  atMs: number,
): Stand {
  const { found } = enquiry;
  if (found.table < 0) return baseInRound(rounds, prices, enquiry, atMs);
  const { table, subject, key, value, word } = found;
  const entry = entryOf(enquiry, { table, subject, key, value, word });
  const price = prices.get(keyOf(entry));
  if (price !== undefined) return standOf(rounds, price, atMs, entry.kind === "fixed");
  return baseInRound(rounds, prices, enquiry, atMs);
}

function baseInRound(
  rounds: StandingFacts["rounds"],
  prices: ReadonlyMap<string, RoundPrice>,
  enquiry: Enquiry,
  atMs: number,
): Stand {
  const { base, baseTable, baseSubject, baseKey, baseValue, baseWord } = enquiry.found;
  if (base < 0) return MODELLED;
  const at = {
    table: baseTable,
    subject: baseSubject,
    key: baseKey,
    value: baseValue,
    word: baseWord,
  };
  const price = prices.get(keyOf(entryOf(enquiry, at)));
  // What is worked out from a confirmed price is worked out by us.
  return price === undefined ? MODELLED : standOf(rounds, price, atMs, false);
}

function standOf(
  rounds: StandingFacts["rounds"],
  price: RoundPrice,
  atMs: number,
  mayConfirm: boolean,
): Stand {
  const round = rounds[price.round];
  if (round === undefined) return MODELLED;
  const { about, dueMs, due } = round;
  switch (price.state) {
    case "confirmed":
      return mayConfirm
        ? { ...MODELLED, state: "confirmed", reason: `${about}; the ERP has the same price.` }
        : MODELLED;
    case "differs":
      return {
        ...MODELLED,
        state: "stale",
        reason: `${about}; the ERP says otherwise: ${price.otherwise ?? "another price"}.`,
      };
    case "waiting":
      return atMs < dueMs
        ? {
            state: "modelled",
            reason: `${about}; no pull has confirmed it yet.`,
            untilMs: dueMs,
          }
        : {
            ...MODELLED,
            state: "stale",
            reason: `${about}; the ERP has not confirmed it by ${due}.`,
          };
    default:
      return price.state satisfies never;
  }
}

/** What makes an entry of the book and a price of a round the same. */
function keyOf(of: {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string | null;
  readonly kind: string;
  readonly value: string | null;
  readonly fromQuantity: string;
}): string {
  const { customerScope, customerCode, productScope, productCode, kind, value, fromQuantity } = of;
  const parts = [customerScope, customerCode, productScope, productCode, kind];
  return [...parts, plain(value, 6), plain(fromQuantity, 5)].join("\n");
}

/** "4.250000" and "4.25" are the same. */
function plain(text: string | null, places: number): string {
  const value = text === null ? undefined : scaled.scaledOf(text, places);
  return value === undefined ? (text ?? "") : scaled.shortTextOf(value, places);
}
