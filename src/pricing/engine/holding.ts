/**
 * Which terms hold at a moment, in a currency and under conditions, worked out once for all lines:
 * between two moments at which rules start or stop nothing changes, so enquiries share it.
 */
import type { PriceBook } from "./book.ts";
import { NEVER } from "./calendar.ts";
import { isSo } from "./conditions.ts";
import type { Stated } from "./conditions.ts";
import { factsOf } from "./facts.ts";
import { FIXED, HOLDS, PLAIN, RESTRICTED } from "./marks.ts";
import type { PolicyStep } from "./policy.ts";
import { isQuick, quickOf } from "./plan.ts";
import { STANDPOINTS } from "./shelf.ts";
import type { Standpoint } from "./shelf.ts";
import * as terms from "./terms.ts";

/** Columns of `spans`: least and most quantity, and the moment that changes what holds. */
export const SPAN = 4;
export const LEAST = 0;
export const MOST = 1;
export const NEXT = 2;

export interface Holding {
  readonly spans: Float64Array;
  /** Bits of the steps that draw entries with these terms, `HOLDS` and `RESTRICTED`. */
  readonly bits: Int32Array;
  readonly modes: Uint8Array;
  /** What of `bits` and `modes` a plan needs; null: the policy asks for more than plans tell. */
  readonly quick: Int32Array | null;
  /** Of the products. */
  readonly facts: Int32Array;
  /** Enquiries begun lately. */
  readonly standpoints: (Standpoint | undefined)[];
  /** The interval, currency and conditions that it is for. */
  readonly from: number;
  readonly until: number;
  readonly currency: number;
  readonly conditions: string;
}

/** What is worked out of a book's terms once. */
interface Timetable {
  /** Moments at which something starts or stops, in order. */
  readonly moments: Float64Array;
  readonly drawn: Int32Array;
  readonly facts: Int32Array;
  readonly recent: Holding[];
}

const TIMETABLES = new WeakMap<PriceBook, Timetable>();
/** Enquiries are of now and of few other moments; whoever proves prices asks days on end … */
const KEPT = 12;
const KEPT_MOST = 32;
/** … which many are kept for where all together have no more terms than this. */
const KEPT_TERMS = 250_000;

export function holdingOf(
  book: PriceBook,
  moment: number,
  currency: number,
  stated: Stated | null,
): Holding {
  const { recent, drawn } = timetableOf(book);
  const conditions = book.conditions.length === 0 ? "" : truthOf(book, stated);
  for (let at = 0; at < recent.length; at += 1) {
    const known = recent[at]!;
    if (
      moment >= known.from &&
      moment < known.until &&
      currency === known.currency &&
      conditions === known.conditions
    )
      return known;
  }
  const made = workedOut(book, moment, currency, conditions);
  const most = Math.max(KEPT, Math.min(KEPT_MOST, Math.floor(KEPT_TERMS / drawn.length)));
  if (recent.length >= most) recent.pop();
  recent.unshift(made);
  return made;
}

/** Which of the book's conditions are so: "1" or "0" for each. */
function truthOf({ conditions }: PriceBook, stated: Stated | null): string {
  let truth = "";
  for (const text of conditions) truth += isSo(text, stated) ? "1" : "0";
  return truth;
}

function timetableOf(book: PriceBook): Timetable {
  const known = TIMETABLES.get(book);
  if (known !== undefined) return known;
  const moments = new Set<number>();
  for (let row = 0; row < book.terms.length; row += terms.STRIDE) {
    moments.add(book.terms[row + terms.START]!);
    moments.add(book.terms[row + terms.END]!);
  }
  const made = {
    moments: Float64Array.from(moments).sort(),
    drawn: drawnBy(book),
    facts: factsOf(book),
    recent: [],
  };
  TIMETABLES.set(book, made);
  return made;
}

function drawnBy({ terms: all, policy }: PriceBook): Int32Array {
  const drawn = new Int32Array(all.length / terms.STRIDE);
  for (let row = 0; row < drawn.length; row += 1) {
    const at = row * terms.STRIDE;
    policy.steps.forEach((step, position) => {
      if (isDrawn(step, all, at)) drawn[row]! |= 1 << position;
    });
    const restricted = all[at + terms.SOLD_IN]! >= 0 || all[at + terms.LIMIT]! < Infinity;
    if (restricted) drawn[row]! |= RESTRICTED;
  }
  return drawn;
}

/** Whether a step draws entries with these terms, as far as terms say so. */
function isDrawn(step: PolicyStep, all: Float64Array, at: number): boolean {
  const kind = all[at + terms.KIND]!;
  const { kinds, only, breaks } = step;
  if (kinds !== null && !kinds.some((name) => terms.KINDS[kind] === name)) return false;
  if (step.draw !== "rules") return true;
  if (breaks !== "any" && (breaks === "only") !== all[at + terms.FROM]! > 0) return false;
  return only === "any" || (only === "net") === ((all[at + terms.FLAGS]! & terms.NET) !== 0);
}

function workedOut(book: PriceBook, moment: number, currency: number, conditions: string): Holding {
  const { terms: all, policy } = book;
  const { drawn, moments, facts } = timetableOf(book);
  const count = drawn.length;
  const spans = new Float64Array(count * SPAN);
  const bits = drawn.slice();
  const modes = new Uint8Array(count);
  const plainZero = policy.zero === "price";
  for (let row = 0; row < count; row += 1) {
    const at = row * terms.STRIDE;
    const span = row * SPAN;
    const condition = all[at + terms.CONDITIONS]!;
    const ended = moment >= all[at + terms.END]!;
    const never = ended || (condition >= 0 && conditions[condition] !== "1");
    const begun = moment >= all[at + terms.START]!;
    spans[span + LEAST] = never ? Infinity : all[at + terms.FROM]!;
    spans[span + MOST] = all[at + terms.TO]!;
    spans[span + NEXT] = nextOf(all, at, begun);
    if (begun && !never) bits[row]! |= HOLDS;
    if (all[at + terms.KIND] === terms.FIXED)
      modes[row] = plainZero && isPlain(all, at, currency) ? PLAIN : FIXED;
  }
  const [from, until] = around(moments, moment);
  return {
    spans,
    bits,
    modes,
    quick: isQuick(book.program) ? quickOf(all, bits, modes) : null,
    facts,
    standpoints: Array.from({ length: Math.min(book.accounts.codes.length, STANDPOINTS) }),
    from,
    until,
    currency,
    conditions,
  };
}

/** Rules that end before they start never change anything. */
function nextOf(all: Float64Array, at: number, begun: boolean): number {
  const start = all[at + terms.START]!;
  const end = all[at + terms.END]!;
  if (begun) return end;
  return end > start ? start : NEVER;
}

/** Whether a fixed price is the price per pricing unit in the account's currency as it stands. */
function isPlain(all: Float64Array, at: number, currency: number): boolean {
  const own = all[at + terms.CURRENCY]!;
  return (
    (all[at + terms.FLAGS]! & ~terms.NET) === 0 &&
    all[at + terms.UNIT]! < 0 &&
    all[at + terms.FORMULA]! < 0 &&
    (own < 0 || own === currency)
  );
}

/** The last moment not after it and the first one after it. */
function around(moments: Float64Array, moment: number): readonly [number, number] {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle]! <= moment) low = middle + 1;
    else high = middle;
  }
  return [moments[low - 1] ?? -Infinity, moments[low] ?? Infinity];
}
