/**
 * Canonical tables → a price book: all of them, or what changed since a book was made. Everything
 * is read at one moment, so that nothing is seen half changed.
 */
import type { Reading, Store } from "../store/index.ts";
import { isRefusal, runsIn, startBook, startRevision } from "./engine/index.ts";
import type { Policy, PriceBook, PromotionRow, QuotationRow } from "./engine/index.ts";
import { readMasters, readPromotions, readQuotations } from "./masters-read.ts";
import type { PricedCompany, Runs } from "./masters-read.ts";
import { positionAt, wayFrom } from "./position.ts";
import type { Position, Way } from "./position.ts";
import { readChangedRules, readRules } from "./rule-rows.ts";

export type { PricedCompany, PricingSettings } from "./masters-read.ts";

export interface LoadedBook {
  readonly book: PriceBook;
  /** Ids of the runs that last wrote the rows it was compiled from, by record, sorted. */
  readonly runs: Readonly<Record<string, readonly string[]>>;
  readonly position: Position;
  /** Rows that a change replaces as a whole. */
  readonly promotions: readonly PromotionRow[];
  readonly quotations: readonly QuotationRow[];
}

/** A book as it is published. */
export interface MadeBook extends Pick<LoadedBook, "book" | "runs"> {
  readonly digest: string;
}

/** How a book was brought up to date. */
export interface Followed {
  readonly loaded: LoadedBook;
  /** Why all was read anew; null: only what changed was. */
  readonly why: string | null;
}

/** The book as the tables are now; `known` is one that was made before, under the same policy. */
export function followBook(
  store: Store,
  priced: PricedCompany,
  policy: Policy,
  known: LoadedBook | null,
): Promise<Followed> {
  return store.reading(async (at) => {
    const position = await positionAt(at, priced.company);
    const way = await wayTo(at, priced.company, policy, known, position);
    if (known === null || way.kind === "all")
      return { loaded: await readAll(at, priced, policy, position), why: whyOf(way) };
    if (way.kind === "none") return { loaded: { ...known, position }, why: null };
    const changed = await readChanges(at, priced, known, position, way);
    if ("book" in changed) return { loaded: changed, why: null };
    return { loaded: await readAll(at, priced, policy, position), why: changed.refused };
  });
}

async function wayTo(
  at: Reading,
  company: string,
  policy: Policy,
  known: LoadedBook | null,
  position: Position,
): Promise<Way> {
  if (known === null) return { kind: "all", why: "there was no book before" };
  const { policy: before } = known.book;
  if (before.policy !== policy.policy || before.version !== policy.version)
    return { kind: "all", why: "the policy is another" };
  return wayFrom(at, company, known.position, position);
}

function whyOf(way: Way): string {
  return way.kind === "all" ? way.why : "there was no book before";
}

async function readAll(
  at: Reading,
  priced: PricedCompany,
  policy: Policy,
  position: Position,
): Promise<LoadedBook> {
  const runs: Runs = new Map();
  const { company } = priced;
  const builder = startBook(policy, await readMasters(at, priced, runs));
  await readRules(at, company, builder);
  const promotions = await readPromotions(at, company, runs);
  const quotations = await readQuotations(at, company, runs);
  builder.addPromotions(promotions);
  builder.addQuotations(quotations);
  const book = builder.finish();
  return { book, runs: runsOf(book, {}, runs), position, promotions, quotations };
}

async function readChanges(
  at: Reading,
  priced: PricedCompany,
  known: LoadedBook,
  position: Position,
  way: Extract<Way, { kind: "changes" }>,
): Promise<LoadedBook | { readonly refused: string }> {
  const { company } = priced;
  const runs: Runs = new Map();
  const masters = way.masters ? await readMasters(at, priced, runs) : undefined;
  const revision = startRevision(known.book, masters);
  if (isRefusal(revision)) return revision;
  const { before, after } = revision;
  if (way.rulesAfter !== null)
    await readChangedRules(at, company, way.rulesAfter, { before, now: after });
  let { promotions, quotations } = known;
  if (way.promotions) {
    before.addPromotions(promotions);
    promotions = await readPromotions(at, company, runs);
    after.addPromotions(promotions);
  }
  if (way.quotations) {
    before.addQuotations(quotations);
    quotations = await readQuotations(at, company, runs);
    after.addQuotations(quotations);
  }
  const book = revision.finish();
  if (isRefusal(book)) return book;
  return { book, runs: runsOf(book, known.runs, runs), position, promotions, quotations };
}

/** Runs that were read now stand for those known of the same record. */
function runsOf(book: PriceBook, known: LoadedBook["runs"], read: Runs): LoadedBook["runs"] {
  const of = [...read].map(([record, ids]) => [record, [...ids].sort()] as const);
  const rules = [["price-rule", [...runsIn(book)].sort()]] as const;
  return Object.fromEntries([...Object.entries(known), ...of, ...rules]);
}
