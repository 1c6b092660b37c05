/**
 * A policy tried on what the ERP charged, before anybody relies on it: a sample of documents (or
 * the ERP's own answers, where it can be asked) is priced under the policy and under each of its
 * switches set otherwise. What does not fit is grouped by the smallest switch that would explain
 * it. The same seed draws the same sample.
 */
import { createHash, randomUUIDv7 } from "node:crypto";
import { policyVariants, switchVariants, trialUnder } from "../pricing/index.ts";
import type { Choices, PolicyVariant, Trial, TrialRows } from "../pricing/index.ts";
import type { ParityContext } from "./context.ts";
import { reasonWords } from "./context.ts";
import { drawSample } from "./sample.ts";
import type { Enquire, Sample } from "./sample.ts";
import { fits, judge } from "./judge.ts";
import { pooledBy } from "./pooled.ts";
import { vatFits } from "./vat-fit.ts";
import { inSlices } from "./slices.ts";
import { moneyText } from "./words.ts";

export interface CertifyOptions {
  /** Lines wanted; whole documents are drawn until there are so many. */
  readonly lines: number;
  readonly seed: number;
  /** First and last day of the documents, ISO. */
  readonly from: string;
  readonly to: string;
  /** Asks the ERP itself for its price today; absent: its documents are the proof. */
  readonly enquire?: Enquire;
  /** A policy to try in place of the one in use. */
  readonly policy?: Trial["policy"];
  readonly progress?: (tried: { readonly switches: number; readonly of: number }) => void;
}

/** A switch of the policy set otherwise, and how the sample fits then. */
export interface SwitchTried {
  readonly switch: string;
  readonly is: string;
  readonly tried: string;
  /** Lines that fit with it and not without, and the other way round. */
  readonly gains: number;
  readonly loses: number;
}

export interface ExampleLine {
  readonly document: string;
  readonly line: number;
  readonly account: string;
  readonly product: string;
  readonly quantity: string;
  readonly charged: string;
  readonly ours: string | null;
}

/** Lines that do not fit and that one switch would explain; null: none does. */
export interface Group {
  readonly by: SwitchTried | null;
  readonly lines: number;
  /** Charged less ours, added up. */
  readonly difference: string;
  readonly examples: readonly ExampleLine[];
}

export interface Certificate {
  readonly id: string;
  readonly company: string;
  readonly madeAt: string;
  readonly policy: string;
  readonly policyVersion: string;
  readonly sample: {
    readonly source: "documents" | "enquiry";
    readonly seed: number;
    readonly from: string;
    readonly to: string;
    readonly documents: number;
    /** Goods lines with a price of ours. */
    readonly lines: number;
    /** Lines that have none, by reason. */
    readonly unpriced: readonly { readonly reason: string; readonly lines: number }[];
  };
  /** Net to the penny, or the price before a typed discount. */
  readonly fits: number;
  readonly percent: string;
  /** Explained otherwise: by another date, a part delivery, a contract, … */
  readonly explained: readonly { readonly reason: string; readonly lines: number }[];
  readonly groups: readonly Group[];
  /** The setting that fits best, a switch at a time; empty: the policy as it is. */
  readonly best: readonly SwitchTried[];
  readonly bestFits: number;
  readonly bestPercent: string;
  readonly switchesTried: number;
  readonly vat: {
    readonly documents: number;
    readonly fits: number;
    readonly better: readonly {
      readonly switch: string;
      readonly tried: string;
      readonly fits: number;
    }[];
  };
  readonly verdict: "certified" | "doubtful" | "refused";
  readonly because: string;
  /** Of everything above, as JSON in this order. */
  readonly sha256: string;
}

/** A fit of every line of the sample, by its place there. */
type Fit = Uint8Array;
const NOT = 0;
const FITS = 1;
const UNPRICED = 2;

interface Trying {
  readonly sample: Sample;
  readonly rows: TrialRows;
  /** Name of the shipped policy, whose own switches are tried too; null: it is none. */
  readonly shipped: string | null;
}

/** A policy, and the choices that it stands for; null: it is none that a site could choose. */
interface Setting {
  readonly policy: Trial["policy"];
  readonly choices: Choices | null;
}

export async function certify(
  context: ParityContext,
  options: CertifyOptions,
): Promise<Certificate> {
  const { pricing, company } = context;
  const policy = options.policy ?? pricing.trial().policy;
  const sample = await drawSample(context, options);
  const rows = await pricing.trialRows({
    accounts: [...new Set(sample.lines.map(({ account }) => account))],
    products: [...new Set(sample.lines.flatMap(({ product }) => product ?? []))],
  });
  const shipped = options.policy === undefined ? context.shipped : undefined;
  const trying: Trying = { sample, rows, shipped: shipped?.policy ?? null };
  const base = trialUnder(policy, rows);
  const fit = await fitOf(trying, base);
  const setting = { policy, choices: shipped?.switches ?? null };
  const tried = await tryAll(trying, setting, fit, options);
  const judged = judgeAll(trying, base, fit);
  const climbed = await climb(trying, fit, tried);
  const lines = count(fit, FITS) + count(fit, NOT);
  const vat = vatFits(context.vatOn, sample, policy);
  const body = {
    id: randomUUIDv7(),
    company,
    madeAt: context.now().toString(),
    policy: policy.policy,
    policyVersion: policy.version,
    sample: {
      source: options.enquire === undefined ? ("documents" as const) : ("enquiry" as const),
      seed: options.seed,
      from: options.from,
      to: options.to,
      documents: sample.documents,
      lines,
      unpriced: judged.unpriced,
    },
    fits: count(fit, FITS),
    percent: percent(count(fit, FITS), lines),
    explained: judged.explained,
    groups: groupsOf(trying, base, fit, tried, judged.explainedLines),
    ...climbed,
    bestPercent: percent(climbed.bestFits, lines),
    switchesTried: tried.length,
    vat,
  };
  const certificate = { ...body, ...verdictOf(context, body) };
  const sha256 = createHash("sha256").update(JSON.stringify(certificate)).digest("hex");
  const whole = { ...certificate, sha256 };
  await keep(context, whole);
  return whole;
}

async function fitOf({ sample }: Trying, trial: Trial): Promise<Fit> {
  const pooled = pooledBy(trial.policy.decides.quantity, sample.lines);
  const found = await inSlices(sample.lines, (line) => {
    const fitting = fits(line, trial, pooled);
    return fitting === null ? UNPRICED : fitting ? FITS : NOT;
  });
  return Uint8Array.from(found);
}

/** Whether a line fits that did not. */
async function makesFit({ sample }: Trying, trial: Trial, before: Fit): Promise<boolean> {
  const pooled = pooledBy(trial.policy.decides.quantity, sample.lines);
  const open = sample.lines.filter((_, at) => before[at] !== FITS);
  const fitting = await inSlices(open, (line) => fits(line, trial, pooled) === true);
  return fitting.includes(true);
}

interface Tried {
  readonly variant: PolicyVariant;
  readonly fit: Fit;
  readonly told: SwitchTried;
}

async function tryAll(
  trying: Trying,
  setting: Setting,
  before: Fit,
  { progress }: Pick<CertifyOptions, "progress"> = {},
): Promise<Tried[]> {
  const variants = await variantsOf(trying, setting);
  const found: Tried[] = [];
  for (const [at, variant] of variants.entries()) {
    progress?.({ switches: at, of: variants.length });
    const { switch: name, is, tried } = variant;
    const told = { switch: name, is, tried, gains: 0, loses: 0 };
    const trial = trialUnder(variant.policy, trying.rows);
    // Most switches make nothing fit that did not: what they would break need not be known.
    const fit = (await makesFit(trying, trial, before)) ? await fitOf(trying, trial) : before;
    fit.forEach((now, line) => {
      if (now === FITS && before[line] !== FITS) told.gains += 1;
      if (now !== FITS && before[line] === FITS) told.loses += 1;
    });
    found.push({ variant, fit, told });
  }
  return found;
}

/**
 * What a site can choose comes first, and so is named where a change of the policy's own words
 * would explain as much.
 */
async function variantsOf(
  { shipped }: Trying,
  { policy, choices }: Setting,
): Promise<readonly PolicyVariant[]> {
  const declared =
    shipped === null || choices === null ? [] : await switchVariants(shipped, choices);
  return [...declared, ...policyVariants(policy)];
}

function count(fit: Fit, what: number): number {
  return fit.reduce((sum, each) => (each === what ? sum + 1 : sum), 0);
}

/** Cut off, never rounded up: 100.00 means all. */
function percent(part: number, of: number): string {
  return of === 0 ? "0.00" : moneyText(Math.floor((part * 10_000) / of));
}

/** One switch after the other, as long as one more makes more lines fit; at most three. */
async function climb(
  trying: Trying,
  fit: Fit,
  first: readonly Tried[],
): Promise<Pick<Certificate, "best" | "bestFits">> {
  const best: SwitchTried[] = [];
  let fitting = fit;
  let tried = first;
  for (let turn = 0; turn < 3; turn += 1) {
    const [leader] = tried.toSorted((left, right) => gain(right) - gain(left));
    if (leader === undefined || gain(leader) <= 0) break;
    best.push(leader.told);
    fitting = leader.fit;
    const { policy, choices = null } = leader.variant;
    tried = await tryAll(trying, { policy, choices }, fitting);
  }
  return { best, bestFits: count(fitting, FITS) };
}

function gain({ told }: Tried): number {
  return told.gains - told.loses;
}

interface JudgedSample {
  readonly explained: readonly { readonly reason: string; readonly lines: number }[];
  readonly unpriced: readonly { readonly reason: string; readonly lines: number }[];
  /** Places of lines that are explained by evidence of their own. */
  readonly explainedLines: ReadonlySet<number>;
}

/** What parity says of the lines that do not fit. */
function judgeAll({ sample }: Trying, trial: Trial, fit: Fit): JudgedSample {
  const pooled = pooledBy(trial.policy.decides.quantity, sample.lines);
  const counts = { explained: new Map<string, number>(), unpriced: new Map<string, number>() };
  const explainedLines = new Set<number>();
  sample.lines.forEach((line, at) => {
    if (fit[at] === FITS) return;
    const { state, reason } = judge(line, trial, pooled);
    if (state !== "explained" && state !== "unpriced") return;
    if (state === "explained") explainedLines.add(at);
    const words = reasonWords(state, reason);
    counts[state].set(words, (counts[state].get(words) ?? 0) + 1);
  });
  const listed = (of: ReadonlyMap<string, number>) =>
    [...of].map(([reason, lines]) => ({ reason, lines })).sort((a, b) => b.lines - a.lines);
  return {
    explained: listed(counts.explained),
    unpriced: listed(counts.unpriced),
    explainedLines,
  };
}

const MOST_GROUPS = 12;

/**
 * Each line that does not fit goes to the switch that explains most of them and breaks least; what
 * is explained by evidence of its own is told apart from what nothing explains.
 */
function groupsOf(
  trying: Trying,
  base: Trial,
  fit: Fit,
  tried: readonly Tried[],
  explainedLines: ReadonlySet<number>,
): Group[] {
  const open = new Set<number>();
  fit.forEach((each, at) => {
    if (each === NOT) open.add(at);
  });
  const groups: Group[] = [];
  while (groups.length < MOST_GROUPS && open.size > 0) {
    const [leader] = tried
      .map((each) => ({ each, held: [...open].filter((at) => each.fit[at] === FITS) }))
      .filter(({ held }) => held.length > 0)
      .toSorted(
        (left, right) =>
          right.held.length - right.each.told.loses - (left.held.length - left.each.told.loses),
      );
    if (leader === undefined || leader.held.length <= leader.each.told.loses) break;
    groups.push(groupOf(trying, base, leader.each.told, leader.held));
    for (const at of leader.held) open.delete(at);
  }
  const left = [...open].filter((at) => !explainedLines.has(at));
  return left.length === 0 ? groups : [...groups, groupOf(trying, base, null, left)];
}

function groupOf(
  { sample }: Trying,
  base: Trial,
  by: SwitchTried | null,
  places: readonly number[],
): Group {
  const pooled = pooledBy(base.policy.decides.quantity, sample.lines);
  let pence = 0;
  const examples: ExampleLine[] = [];
  for (const at of places) {
    const line = sample.lines[at];
    if (line === undefined) continue;
    const { ours } = judge(line, base, pooled);
    const { document, account, product, quantity } = line;
    const turn = line.documentType === "credit" ? -1 : 1;
    if (ours !== null && line.net !== null)
      pence += turn * (Number(line.net.replace(".", "")) - ours.net);
    if (examples.length < 3)
      examples.push({
        document,
        line: line.line,
        account,
        product: product ?? "",
        quantity,
        charged: line.net ?? line.unitPrice,
        ours: ours === null ? null : moneyText(ours.net),
      });
  }
  return { by, lines: places.length, difference: moneyText(pence), examples };
}

function verdictOf(
  { settings }: ParityContext,
  body: Omit<Certificate, "verdict" | "because" | "sha256">,
): Pick<Certificate, "verdict" | "because"> {
  const { lines } = body.sample;
  const explained = body.explained.reduce((sum, each) => sum + each.lines, 0);
  const held = percent(body.fits + explained, lines);
  const said =
    `${body.fits} of ${lines} lines (${body.percent}%) are charged at our price, ` +
    `${explained} more are explained by evidence`;
  if (lines === 0) return { verdict: "refused", because: "no line of the sample has a price" };
  const [first] = body.best;
  if (first !== undefined && (first.gains - first.loses) * 200 >= lines)
    return {
      verdict: Number(held) < 90 ? "refused" : "doubtful",
      because: `${said}; with ${first.switch}: ${first.tried} in place of ${first.is} it would be ${body.bestFits} (${body.bestPercent}%)`,
    };
  if (Number(held) >= settings.certifyPercent)
    return { verdict: "certified", because: `${said}, and no other setting fits better` };
  return {
    verdict: Number(held) < 90 ? "refused" : "doubtful",
    because: `${said}; ${settings.certifyPercent}% are wanted, and no single switch explains the rest`,
  };
}

async function keep({ store, now }: ParityContext, certificate: Certificate): Promise<void> {
  const { id, company, policy, verdict, sha256 } = certificate;
  await store.affect(
    `insert into certification (company, id, made_at, policy, verdict, document, sha256)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [company, id, now(), policy, verdict, JSON.stringify(certificate), sha256],
  );
}

export interface SignedCertificate {
  readonly certificate: Certificate;
  /** Null: nobody has signed it. */
  readonly signedBy: string | null;
  readonly signedAt: Temporal.Instant | null;
  readonly signedWhy: string | null;
}

const SIGNED = `document as certificate, signed_by as "signedBy", signed_at as "signedAt",
  signed_why as "signedWhy"`;

/** Newest first. */
export async function certifications({
  store,
  company,
}: ParityContext): Promise<readonly SignedCertificate[]> {
  return store.query<SignedCertificate>(
    `select ${SIGNED} from certification where company = $1 order by made_at desc, id desc`,
    [company],
  );
}

export interface Signing {
  readonly id: string;
  readonly who: string;
  readonly why: string;
}

export async function sign(
  { store, company, now }: ParityContext,
  { id, who, why }: Signing,
): Promise<SignedCertificate | null> {
  const [signed] = await store.query<SignedCertificate>(
    `update certification set signed_by = $3, signed_at = $4, signed_why = $5
      where company = $1 and id::text = $2 and signed_by is null returning ${SIGNED}`,
    [company, id, who, now(), why],
  );
  return signed ?? null;
}
