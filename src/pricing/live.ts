/**
 * The live book: loads, publishes, follows what other processes publish, and answers from one root.
 */
import { hash } from "node:crypto";
import type { Log } from "../connections/index.ts";
import { tidySuperseded } from "../store/index.ts";
import type { Queryable, Store } from "../store/index.ts";
import { quotationProblem } from "./agreement.ts";
import type { QuotationAsked } from "./agreement.ts";
import type { Problem } from "./ask.ts";
import { basketsAsOf, priceBasket } from "./basket.ts";
import type { AskBasket, BasketLocks, PricedBasket, RefusedBasket } from "./basket.ts";
import type { BasketRequest } from "./basket-answer.ts";
import { effectBetween } from "./between.ts";
import type { Span } from "./between.ts";
import { candidateOf, effectOf } from "./candidate.ts";
import type { Candidate, Proposed, ProposedEffect } from "./candidate.ts";
import { calendar } from "./engine/index.ts";
import type { Policy } from "./engine/index.ts";
import { PricesNotReady } from "./error.ts";
import type { OriginName } from "./evidence.ts";
import { openFollower } from "./follow.ts";
import { openFollowerApart } from "./follow-apart.ts";
import { knownRoot } from "./known.ts";
import type { KnownAt } from "./known.ts";
import type { Follower } from "./follow.ts";
import type { MadeBook, PricedCompany } from "./load.ts";
import type { BookComparison } from "./compare.ts";
import { loadPolicy } from "./policy.ts";
import { lintPrices } from "./lint/index.ts";
import type { LintFinding, LintKind } from "./lint/index.ts";
import type { Choices } from "./switches.ts";
import { askingOf } from "./asking.ts";
import type { Asking } from "./asking.ts";
import { changesAfter, noteChange, seenNow, tidyChanges } from "./changes.ts";
import type { PriceChanges } from "./changes.ts";
import type { TokenSettings } from "./price-token.ts";
import { latestVersion, makerOf, registerBook } from "./publish.ts";
import type { PublishedVersion } from "./publish.ts";
import { momentTexts } from "./root.ts";
import type { Root } from "./root.ts";
import { settleRounds } from "./round-settle.ts";
import type { Telling } from "./round-store.ts";
import { openStandingReader } from "./standing-facts.ts";
import type { StandingReader } from "./standing-facts.ts";
import { compileStanding } from "./standing.ts";
import type { Standing, StandingFacts } from "./standing.ts";
import { readTrialRows, trialOf } from "./trial.ts";
import type { Reach, Trial, TrialRows } from "./trial.ts";

export interface PricingOptions extends PricedCompany {
  readonly store: Store;
  /** Name of a policy: a folder of mappings/, or of `policyFolders`, with a pricing.yaml. */
  readonly policy: string;
  /** The company's own folders of policies, looked into before the shipped one. */
  readonly policyFolders?: readonly string[];
  /** Choices of its switches; those not named stand at their defaults. */
  readonly switches?: Choices;
  /** What prices are signed with; absent: none is. */
  readonly tokens?: TokenSettings;
  /** How long it can be told what was known; absent: for ever. */
  readonly keepPastDays?: number;
  /** File that keeps the book between starts; absent: each start reads all rules. */
  readonly snapshot?: string;
  /**
   * True for a service: books are made in a thread of their own, and nothing holds up an answer.
   */
  readonly apart?: boolean;
  readonly now: () => Temporal.Instant;
  readonly log: Log;
  /**
   * What sync knows of the sources; absent: answers carry no freshness and evidence no file names.
   */
  readonly sources?: {
    freshness(): Promise<
      readonly { readonly source: string; readonly at: Temporal.Instant | null }[]
    >;
    readonly origin: OriginName;
  };
  /** From what age on a source makes prices stale, in seconds; null, or absent: from none. */
  readonly staleAfter?: (source: string) => number | null;
  /** Who is told of what a person must know of prices; absent: nobody. */
  readonly alarms?: Telling;
}

export interface BookInfo {
  readonly version: string;
  readonly policy: string;
  readonly publishedAt: Temporal.Instant;
  readonly freshness: string | null;
  /** Rules with their breaks, promotions and quotation lines. */
  readonly rules: number;
  readonly bytes: number;
  /** Rules for or on something that the company does not have, with a few of what they name. */
  readonly unreached: { readonly count: number; readonly examples: readonly string[] };
}

export interface Published {
  readonly version: string;
  readonly rules: number;
  readonly bytes: number;
  /** Milliseconds from the first read to the moment the book answered. */
  readonly ms: number;
}

export interface Pricing extends Asking {
  /**
   * Brings the book up to date with the canonical tables. Safe to repeat: same content, same
   * version.
   */
  publish(): Promise<Published>;
  /**
   * Takes over what another process has published since. True when the prices are of a new version.
   */
  refresh(): Promise<boolean>;
  /** Why the account cannot order by the quotation, though prices may know it; null: it can. */
  quotationProblem(asked: QuotationAsked): Promise<Problem | null>;
  /**
   * Several lines together: promotions over them, the document's totals. With a transaction the
   * limits of its promotions are locked, so that they can be reserved in it; where it must not wait
   * for a lock, one that would have to throws `LockNeeded`, and nothing is asked of the database.
   */
  basket(
    request: BasketRequest,
    tx?: Queryable,
    locks?: BasketLocks,
  ): Promise<PricedBasket | RefusedBasket>;
  /**
   * Baskets of the account as they were answered at an earlier moment: by the rules and promotions
   * that were known and held then. Null: what was known then is kept no more.
   */
  basketsAsOf(asked: KnownAt): Promise<AskBasket | null>;
  /**
   * What published books changed after a cursor, as scopes; null: a cursor to begin at. Throws
   * `CursorRefused` where a shop must begin anew.
   */
  changes(after: string | null): Promise<PriceChanges>;
  /** Deletes what is kept no longer; says how much it was. */
  tidy(): Promise<number>;
  /** What is wrong, useless or not meant in the rules as they stand, of the kinds named or all. */
  lint(kinds?: readonly LintKind[]): AsyncGenerator<LintFinding>;
  /** How the policy adds documents up. */
  readonly arithmetic: Policy["arithmetic"];
  /** Null before the first book. */
  book(): BookInfo | null;
  /** A small book of all that could reach the account, from what was known at a moment. */
  rootAt(asked: KnownAt): Promise<Root>;
  /** What a round, or a change that waits, would make of prices; nothing is published. */
  effect(of: Proposed): Promise<ProposedEffect>;
  /** Whose prices become others between two moments, by what starts and stops. */
  effectBetween(span: Span): Promise<BookComparison>;
  /** The books with and without it, to be proved on what was sold. */
  candidate(of: Proposed): Promise<ProposedTrials>;
  /** The live book, to be proved. Throws `PricesNotReady` before the first book. */
  trial(): Trial;
  /** Rows to try other policies on. */
  trialRows(reach: Reach): Promise<TrialRows>;
  /** Ends what it holds open; the store is not its own. */
  close(): Promise<void>;
}

/** As `Candidate`, with trials in the place of books. */
export interface ProposedTrials extends Omit<Candidate, "before" | "after"> {
  readonly before: Trial;
  readonly after: Trial;
}

/**
 * Opens without a book: `publish` or `refresh` brings the first. Throws when the policy cannot be
 * used.
 */
export async function openPricing(options: PricingOptions): Promise<Pricing> {
  const policy = await loadPolicy(options.policy, options.switches, options.policyFolders);
  const following = { ...options, policy };
  const follower = options.apart ? openFollowerApart(following) : openFollower(following);
  const { company, settings } = options;
  const readStanding = openStandingReader({ company, timeZone: settings.timeZone });
  return pricingOf({ ...following, follower, readStanding });
}

type Opened = Omit<PricingOptions, "policy"> & {
  readonly policy: Policy;
  readonly follower: Follower;
  readonly readStanding: StandingReader;
};

const NO_TOKENS: TokenSettings = { keys: [], hours: 0 };

function pricingOf(options: Opened): Pricing {
  const { store, company, sources } = options;
  const today = () => options.now().epochMilliseconds;
  const signing = { company, tokens: options.tokens ?? NO_TOKENS, now: options.now };
  let root: Root | null = null;
  const current = (): Root => {
    if (root === null) throw new PricesNotReady(company);
    return root;
  };
  // One load at a time: two would only be slower together.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const adopt = (next: Root) => {
    root = next;
  };
  return {
    publish: () => inTurn(() => publish(options, adopt)),
    refresh: () => inTurn(() => refresh(options, root, adopt)),
    ...askingOf({
      ...signing,
      store,
      current,
      today,
      origin: sources?.origin,
      rootAt: (asked) => knownRoot(options, asked),
    }),
    changes: (after) => changesAfter(store, company, current(), after),
    tidy: () => tidy(options),
    quotationProblem: (asked) => quotationProblem(store, company, asked),
    basket: (request, tx, locks) =>
      priceBasket(options, { root: current(), when: today() }, request, { tx, locks }),
    basketsAsOf: (asked) => basketsAsOf(options, asked),
    lint: (kinds) => {
      const { settings, policy } = options;
      const day = calendar.dateOf(today(), settings.timeZone);
      const asked = { store, company, currency: settings.currency, policy, today: day, kinds };
      return lintPrices({ ...asked, origin: sources?.origin });
    },
    arithmetic: options.policy.arithmetic,
    book: () => (root === null ? null : infoOf(root)),
    rootAt: (asked) => knownRoot(options, asked),
    effect: (of) => effectOf(store, options, options.policy, of, options.now()),
    effectBetween: (span) => effectBetween(store, company, current().book, span),
    candidate: async (of) => {
      const found = await candidateOf(store, options, options.policy, of, options.now());
      const [before, after] = [trialOf(found.before, "before"), trialOf(found.after, "after")];
      return { ...found, before, after };
    },
    trial: () => trialOf(current().book, current().version),
    trialRows: (reach) => readTrialRows(store, company, options.settings, reach),
    close: () => options.follower.close(),
  };
}

/** Changes that nobody follows any more, and what was known before the days that are kept. */
async function tidy({ store, company, now, keepPastDays }: Opened): Promise<number> {
  const changes = await tidyChanges(store, company, now());
  if (keepPastDays === undefined) return changes;
  const before = now().subtract({ hours: 24 * keepPastDays });
  return changes + (await tidySuperseded(store, company, before));
}

type Read = MadeBook & {
  readonly freshness: Temporal.Instant | null;
  readonly standing: StandingFacts;
};

const ATTEMPTS = 5;

async function publish(options: Opened, adopt: (root: Root) => void): Promise<Published> {
  const { store, company, now } = options;
  const started = performance.now();
  await settleRounds({ ...options, timeZone: options.settings.timeZone });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const before = await latestVersion(store, company);
    const seen = await seenNow(store, company, settingsDigest(options));
    const read = await readBook(options);
    const published = await store.transaction(async (tx) => {
      const at = now();
      const registered = await registerBook(tx, company, before, read, at);
      if (registered !== null && registered.version !== before?.version) {
        const { version, digest } = registered;
        const later = await seenNow(tx, company, seen.settings);
        await noteChange(tx, { company, version, digest, at, seen }, later);
      }
      return registered;
    });
    if (published === null) continue;
    const root = rootOf(options, read, published);
    adopt(root);
    void options.follower.keep();
    const { entries: rules, bytes } = read.book;
    const ms = Math.round(performance.now() - started);
    reportBook(options, root, ms);
    return { version: root.version, rules, bytes, ms };
  }
  throw new Error(
    `publishing the price book of ${company}: other processes published ${ATTEMPTS} times while ` +
      "it was read. Nothing is lost: their books answer, and the next run publishes again.",
  );
}

/** What a price hangs on besides rows: with another policy or VAT rate any price may differ. */
function settingsDigest({ policy, settings }: Opened): string {
  const { currency, timeZone, vat, vatRules = vat } = settings;
  return hash("sha256", JSON.stringify([makerOf(policy), currency, timeZone, vatRules]), "hex");
}

async function refresh(
  options: Opened,
  root: Root | null,
  adopt: (root: Root) => void,
): Promise<boolean> {
  const { store, company, policy } = options;
  const [latest, ages = []] = await Promise.all([
    latestVersion(store, company),
    options.sources?.freshness(),
  ]);
  if (latest === null) return false;
  if (latest.version === root?.number) {
    const facts = await standingOf(options, ages);
    const freshness = latest.freshness?.toString() ?? null;
    adopt({ ...root, freshness, ...standOf(options, root.book, facts, root.standing) });
    return false;
  }
  if (latest.maker === makerOf(policy)) {
    await publish(options, adopt);
    return true;
  }
  // Published under another policy or by another release: its number, our content.
  adopt(rootOf(options, await readBook(options), latest));
  return true;
}

async function readBook(options: Opened): Promise<Read> {
  const facts = (await options.sources?.freshness()) ?? [];
  const made = await options.follower.follow();
  const freshness = oldest(facts.map(({ at }) => at));
  const standing = await standingOf(options, facts);
  return { ...made, freshness, standing };
}

type Ages = readonly { readonly source: string; readonly at: Temporal.Instant | null }[];

function standingOf(options: Opened, ages: Ages): Promise<StandingFacts> {
  const { store, staleAfter, readStanding } = options;
  const aged = ages.map((age) => ({ ...age, staleAfterSeconds: staleAfter?.(age.source) ?? null }));
  return readStanding(store, aged);
}

/**
 * Of the sources that ever came; null: none did. A source that never came has nothing that could
 * have gone stale.
 */
function oldest(moments: readonly (Temporal.Instant | null)[]): Temporal.Instant | null {
  let found: Temporal.Instant | null = null;
  for (const at of moments) {
    if (at === null) continue;
    if (found === null || Temporal.Instant.compare(at, found) < 0) found = at;
  }
  return found;
}

function rootOf(options: Opened, read: Read, published: PublishedVersion): Root {
  return {
    book: read.book,
    version: `${published.version}-${read.digest.slice(0, 8)}`,
    number: published.version,
    digest: read.digest,
    publishedAt: published.publishedAt,
    freshness: published.freshness?.toString() ?? null,
    momentText: momentTexts(),
    ...standOf(options, read.book, read.standing),
  };
}

/** Compiled anew only when the facts say something else. */
function standOf(
  { now }: Opened,
  book: Root["book"],
  facts: StandingFacts,
  known?: Standing,
): Pick<Root, "standing"> & Required<Pick<Root, "stand">> {
  const standing = known?.revision === facts.revision ? known : compileStanding(book, facts);
  const nowMs = () => now().epochMilliseconds;
  return { standing, stand: (enquiry, product) => standing.of(enquiry, product, nowMs) };
}

function reportBook({ log, company }: Opened, root: Root, ms: number): void {
  const { entries: rules, bytes, unreached } = root.book;
  log("info", `price book ${root.version} of ${company} answers`, { rules, bytes, ms });
  if (unreached.count > 0)
    log(
      "warn",
      `${unreached.count} price rules of ${company} are for or on something that is not there: ` +
        unreached.examples.join(", "),
    );
}

function infoOf({ book, version, publishedAt, freshness }: Root): BookInfo {
  const { entries: rules, bytes, unreached, policy } = book;
  return { version, policy: policy.policy, publishedAt, freshness, rules, bytes, unreached };
}
