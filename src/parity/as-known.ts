/**
 * What we would have said on the day of each document: its lines priced by the rules as we knew
 * them then, beside the rules as they are known now. Tells a wrong policy from a rule that we
 * learned too late. Where the past is not kept it says so, and prices nothing. Nothing is kept.
 */
import { PastNotKept, trialOf } from "../pricing/index.ts";
import type { Trial, TrialPrice } from "../pricing/index.ts";
import { STANDING_LINES } from "../sales/index.ts";
import { today } from "./context.ts";
import type { ParityContext, ParityStateName } from "./context.ts";
import { CHARGED } from "./facts.ts";
import type { ChargedLine } from "./facts.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./judge.ts";
import { pooledBy } from "./pooled.ts";
import { inSlices } from "./slices.ts";
import { moneyText, unitText } from "./words.ts";

export interface AsKnownQuestion {
  /** First and last day of the documents, ISO. */
  readonly from: string;
  readonly to: string;
  readonly account?: string;
  /** At most so many lines are shown. */
  readonly most: number;
  readonly progress?: (progress: { readonly books: number; readonly of: number }) => void;
}

export type StateCounts = Readonly<Record<ParityStateName, number>>;

export interface AsKnownPrice {
  readonly state: ParityStateName;
  readonly reason: string;
  /** Per pricing unit; null: there was none. */
  readonly unitPrice: string | null;
  readonly net: string | null;
  readonly because: string;
}

export interface AsKnownLine {
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  readonly documentOn: string;
  readonly account: string;
  readonly product: string;
  readonly quantity: string;
  readonly chargedNet: string;
  readonly currency: string;
  /** Version of the book that answered at the end of that day. */
  readonly book: string;
  readonly asThen: AsKnownPrice;
  readonly asNow: AsKnownPrice;
}

export interface AsKnown {
  readonly from: string;
  readonly to: string;
  /** Goods lines of these days; those of `notKept` are not in what follows. */
  readonly lines: number;
  readonly notKept: {
    readonly lines: number;
    /** Moment since which what we knew is kept; null: nothing was ever published. */
    readonly since: string | null;
  };
  /** What becomes of the rest by the rules as known then, and as known now. */
  readonly asThen: StateCounts;
  readonly asNow: StateCounts;
  /** Lines whose price we have learned to be another one since. */
  readonly otherPrice: number;
  /** Of these: charged at a price that we did not know yet, and at one that we took for right. */
  readonly learnedLater: number;
  readonly knownBefore: number;
  readonly shown: readonly AsKnownLine[];
}

/** A book that was published; until the next one its prices answered. */
interface Edition {
  readonly version: number;
  readonly at: Temporal.Instant;
}

/** Lines of one account that one book answered for. */
interface Group {
  readonly account: string;
  readonly edition: Edition;
  readonly lines: ChargedLine[];
}

export async function asKnown(context: ParityContext, question: AsKnownQuestion): Promise<AsKnown> {
  const trial = context.pricing.trial();
  const charged = await goodsOf(context, question);
  const editions = await editionsOf(context);
  const tally = new Tally(question.most);
  const pooled = pooledBy(trial.policy.decides.quantity, charged);
  const { groups, before } = grouped(context, editions, charged);
  let notKept = before;
  for (const [at, group] of groups.entries()) {
    question.progress?.({ books: at, of: groups.length });
    const past = await trialThen(context, trial, group);
    if (past === null) notKept += group.lines.length;
    else
      await inSlices(group.lines, (line) =>
        tally.count(line, past.version, judge(line, past, pooled), judge(line, trial, pooled)),
      );
  }
  const since = editions[0]?.at.toString() ?? null;
  const { from, to } = question;
  return { from, to, lines: charged.length, notKept: { lines: notKept, since }, ...tally.sums() };
}

async function goodsOf(
  { store, company }: ParityContext,
  { from, to, account }: AsKnownQuestion,
): Promise<ChargedLine[]> {
  const documents = await store.query<{ documentType: string; document: string }>(
    `select distinct document_type as "documentType", document from ${STANDING_LINES} standing
      where company = $1 and document_on between $2::date and $3::date and line_class = 'goods'
        and ($4::text is null or account = $4)`,
    [company, from, to, account ?? null],
  );
  const lines = await store.query<ChargedLine>(CHARGED, [
    company,
    documents.map(({ documentType }) => documentType),
    documents.map(({ document }) => document),
  ]);
  return lines.filter((line) => line.lineClass === "goods" && line.product !== null);
}

async function editionsOf({ store, company }: ParityContext): Promise<Edition[]> {
  return store.query<Edition>(
    "select version, published_at as at from price_book where company = $1 order by version",
    [company],
  );
}

/** Only books that answered on the day; before the first one nobody knew anything. */
function grouped(
  context: ParityContext,
  editions: readonly Edition[],
  charged: readonly ChargedLine[],
): { readonly groups: readonly Group[]; readonly before: number } {
  const ofDay = new Map<string, Edition | null>();
  const groups = new Map<string, Group>();
  let before = 0;
  for (const line of charged) {
    const { documentOn, account } = line;
    const known = ofDay.get(documentOn);
    const edition = known === undefined ? editionOn(context, editions, documentOn) : known;
    ofDay.set(documentOn, edition);
    if (edition === null) {
      before += 1;
      continue;
    }
    const key = `${edition.version} ${account}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { account, edition, lines: [line] });
    else group.lines.push(line);
  }
  return { groups: [...groups.values()], before };
}

/** The one that answered when the day ended. */
function editionOn(
  { timeZone }: ParityContext,
  editions: readonly Edition[],
  day: string,
): Edition | null {
  const next = Temporal.PlainDate.from(day).add({ days: 1 });
  const end = next.toZonedDateTime(timeZone).toInstant();
  return editions.findLast(({ at }) => Temporal.Instant.compare(at, end) < 0) ?? null;
}

/** Null: what was known then is deleted. */
async function trialThen(
  { pricing }: ParityContext,
  live: Trial,
  { account, edition }: Group,
): Promise<Trial | null> {
  if (live.version.startsWith(`${edition.version}-`)) return live;
  try {
    const root = await pricing.rootAt({ account, knownAt: edition.at });
    return trialOf(root.book, root.version);
  } catch (error) {
    if (error instanceof PastNotKept) return null;
    throw error;
  }
}

class Tally {
  readonly #most: number;
  readonly #then = { match: 0, explained: 0, mismatch: 0, unpriced: 0 };
  readonly #now = { match: 0, explained: 0, mismatch: 0, unpriced: 0 };
  readonly #shown: AsKnownLine[] = [];
  #otherPrice = 0;
  #learnedLater = 0;
  #knownBefore = 0;

  constructor(most: number) {
    this.#most = most;
  }

  count(line: ChargedLine, book: string, past: Verdict, present: Verdict): void {
    this.#then[past.state] += 1;
    this.#now[present.state] += 1;
    if (samePrice(past.ours, present.ours)) return;
    this.#otherPrice += 1;
    if (present.state === "match" && past.state !== "match") this.#learnedLater += 1;
    if (past.state === "match" && present.state !== "match") this.#knownBefore += 1;
    if (this.#shown.length < this.#most) this.#shown.push(shownOf(line, book, past, present));
  }

  sums(): Omit<AsKnown, "from" | "to" | "lines" | "notKept"> {
    return {
      asThen: this.#then,
      asNow: this.#now,
      otherPrice: this.#otherPrice,
      learnedLater: this.#learnedLater,
      knownBefore: this.#knownBefore,
      shown: this.#shown,
    };
  }
}

function samePrice(one: TrialPrice | null, other: TrialPrice | null): boolean {
  return one?.unitPrice === other?.unitPrice && one?.net === other?.net;
}

function shownOf(line: ChargedLine, book: string, past: Verdict, present: Verdict): AsKnownLine {
  return {
    documentType: line.documentType,
    document: line.document,
    line: line.line,
    documentOn: line.documentOn,
    account: line.account,
    product: line.product ?? "",
    quantity: line.quantity,
    chargedNet: line.net ?? "0.00",
    currency: line.currency,
    book,
    asThen: priceOf(past),
    asNow: priceOf(present),
  };
}

function priceOf({ state, reason, ours, because }: Verdict): AsKnownPrice {
  return {
    state,
    reason,
    unitPrice: ours === null ? null : unitText(ours.unitPrice),
    net: ours === null ? null : moneyText(ours.net),
    because,
  };
}

/** The last quarter, when no days are named. */
export function lastDays(context: ParityContext): { readonly from: string; readonly to: string } {
  const to = today(context);
  return { from: Temporal.PlainDate.from(to).subtract({ days: 90 }).toString(), to };
}
