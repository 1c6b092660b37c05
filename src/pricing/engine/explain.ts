/**
 * Why a line's price is what it is: every candidate, why each lost, and the arithmetic step by
 * step.
 */
import { decimal } from "../../model/index.ts";
import { TERMS } from "./book.ts";
import { isReduction } from "./candidate.ts";
import { entryOf, quantityText } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { Enquiry, Found } from "./enquiry.ts";
import { wordsOf } from "./calendar.ts";
import { IS_BASE, isBase, whyNot } from "./losing.ts";
import { lineAt, lookUpBase, traceAt } from "./recorded.ts";
import type { Recording } from "./recording.ts";
import { priceLine } from "./resolve.ts";
import * as scaled from "./scaled.ts";
import { NOT_LOOKED_UP } from "./search.ts";
import { KIND, STRIDE } from "./terms.ts";
import type { Trace, Traced } from "./trace.ts";
import { arithmeticOf } from "./steps.ts";
import * as words from "./words.ts";

export interface ExplainedCandidate {
  /** Name of the policy's step; "Base price" for where that was looked up. */
  readonly step: string;
  /** "Contract C-17: £4.2500 from 10, 01/01/2026 to 31/12/2026". */
  readonly rule: string;
  readonly whom: string;
  readonly what: string;
  /** Its unit price as decimal text; null: it gives none. */
  readonly unitPrice: string | null;
  /** True for the one that gives the price, and for each that has a part in it. */
  readonly taken: boolean;
  /** Why it was taken or not. */
  readonly why: string;
  /** As the book holds it; null for the account's own discount. */
  readonly entry: Entry | null;
}

export interface Explanation {
  /** "10 EACH of BRK001 for BUILD01 on 31/03/2026". */
  readonly asked: string;
  readonly because: string;
  readonly arithmetic: readonly string[];
  readonly candidates: readonly ExplainedCandidate[];
}

/**
 * Prices the line, and again with every candidate written down; `enquiry.found` holds the answer
 * afterwards.
 */
export function explainLine(
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit = -1,
  pooled = -1,
): Explanation {
  const trace = tracedLine(enquiry, product, quantity, unit, pooled);
  return worded(enquiry, product, quantity, trace);
}

/** An explanation of a line that was recorded; `enquiry.found` holds its answer afterwards. */
export function explanationAt(recording: Recording, place: number): Explanation {
  const { enquiry } = recording;
  const { product, quantity, unit, pooled, end } = lineAt(recording, place);
  if (end < 0) return explainLine(enquiry, product, quantity, unit, pooled);
  priceLine(enquiry, product, quantity, unit, pooled);
  lookUpBase(enquiry);
  return worded(enquiry, product, quantity, traceAt(recording, place));
}

function worded(enquiry: Enquiry, product: number, quantity: number, trace: Trace): Explanation {
  const { book, asking, line } = enquiry;
  const account = book.accounts.codes[asking.account]!;
  const code = book.products.codes[product]!;
  const amount = words.grouped(quantityText(quantity) ?? "");
  const when = wordsOf(asking.moment - (asking.moment % MINUTE), book.timeZone);
  return {
    asked: `${amount} ${book.units[line.unit]!} of ${code} for ${account} on ${when}`,
    because: words.becauseOf(enquiry),
    arithmetic: arithmeticOf(enquiry),
    candidates: candidatesOf(enquiry, trace),
  };
}

/**
 * What writing down looks at besides must not change what is answered: the answer is that of the
 * line priced by itself, and only a base price that it never asked for is told beside it.
 */
function tracedLine(
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit: number,
  pooled: number,
): Trace {
  const trace: Trace = { candidates: [], best: new Map(), blocked: new Map() };
  const { found, line } = enquiry;
  priceLine(enquiry, product, quantity, unit, pooled);
  const answer = { ...found };
  const place = { ...line };
  enquiry.trace = trace;
  try {
    priceLine(enquiry, product, quantity, unit, pooled);
  } finally {
    enquiry.trace = null;
  }
  const base = answer.base === NOT_LOOKED_UP ? baseIn(found) : {};
  Object.assign(found, answer, base);
  Object.assign(line, place);
  return trace;
}

const BASE_FIELDS = [
  "base",
  "baseTable",
  "baseSubject",
  "baseKey",
  "baseValue",
  "baseWord",
  "baseEntry",
  "basePlain",
] as const;

function baseIn(found: Found): Partial<Found> {
  return Object.fromEntries(BASE_FIELDS.map((field) => [field, found[field]]));
}

const MINUTE = 60_000;

/** In the order in which they were looked at; a base price that competes itself is told once. */
function candidatesOf(enquiry: Enquiry, trace: Trace): ExplainedCandidate[] {
  const all = trace.candidates;
  const isTwice = (traced: Traced) =>
    traced.step < 0 &&
    partOf(enquiry, traced) === null &&
    all.some((other) => other.step >= 0 && isSame(other, traced));
  return all
    .filter((traced) => !isTwice(traced))
    .map((traced) => explained(enquiry, trace, traced));
}

function explained(enquiry: Enquiry, trace: Trace, traced: Traced): ExplainedCandidate {
  const { book } = enquiry;
  const entry = traced.table < 0 ? null : entryOf(enquiry, traced);
  const part = partOf(enquiry, traced);
  return {
    step: traced.step < 0 ? BASE : book.policy.steps[traced.step]!.step,
    rule: entry === null ? words.discountText(traced.value) : words.ruleText(enquiry, entry),
    whom:
      entry === null
        ? `account ${book.accounts.codes[enquiry.asking.account]!}`
        : words.whomText(entry),
    what: entry === null ? "everything" : words.whatText(entry),
    unitPrice:
      traced.price < 0 ? null : scaled.textOf(traced.price, book.policy.arithmetic.unitPrice.scale),
    taken: part !== null,
    why: part ?? reasonOf(enquiry, trace, traced, entry),
    entry,
  };
}

const BASE = "Base price";

/** Why it lost, and whether the discounts are taken off it all the same. */
function reasonOf(enquiry: Enquiry, trace: Trace, traced: Traced, entry: Entry | null): string {
  const why = whyNot(enquiry, trace, traced, entry);
  const isBoth = traced.step >= 0 && traced.table >= 0 && isBase(enquiry, traced);
  return isBoth && isTakenOff(enquiry, trace) ? `${IS_BASE}; ${why}` : why;
}

/** Whether any percent or amount that was weighed is off the base price and no chain of prices. */
function isTakenOff(enquiry: Enquiry, trace: Trace): boolean {
  const { book, found } = enquiry;
  if (found.links !== null && found.links.length > 1) return false;
  return trace.candidates.some(({ step, table, word, outcome }) => {
    if (step < 0 || outcome !== "priced" || trace.blocked.has(step)) return false;
    const kind = book.terms[(word & TERMS) * STRIDE + KIND]!;
    return (table < 0 || isReduction(kind)) && book.policy.steps[step]!.from === "base";
  });
}

/** What a candidate has to do with the price; null: nothing. */
function partOf(enquiry: Enquiry, traced: Traced): string | null {
  const { found, line } = enquiry;
  if (traced.outcome === "on-request" && found.doubt === "on-request")
    return isSame(traced, found) && traced.step === found.step
      ? "gives no price: it is on request"
      : null;
  if (traced.outcome !== "priced" || found.doubt !== null || line.tied) return null;
  const links = found.links ?? [];
  const at = links.findIndex((link) => link.step === traced.step && isSame(link, traced));
  const link = links[at];
  if (links.length > 1 && link !== undefined) {
    if (at === 0 || link.does === "set") return "gives the price to begin with";
    const before = links[at - 1]!.exact;
    return decimal.compare(link.exact, before) > 0
      ? "is added to what came before"
      : "is taken off what came before";
  }
  return traced.step === found.step && isSame(traced, found) ? "gives the price" : null;
}

interface Standing {
  readonly table: number;
  readonly subject: number;
  readonly key: number;
  readonly value: number;
  readonly word: number;
}

function isSame(left: Standing, right: Standing): boolean {
  return (
    left.table === right.table &&
    left.subject === right.subject &&
    left.key === right.key &&
    left.value === right.value &&
    left.word === right.word
  );
}
