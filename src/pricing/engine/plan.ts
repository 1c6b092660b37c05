/**
 * Plans: the steps and shelves of an enquiry as numbers, for policies of which most lines need no
 * more than prices as they stand and percents off one base price, the lowest of which wins.
 */
import type { PriceBook } from "./book.ts";
import {
  HOLDS,
  OTHER,
  PLAIN,
  QUICK_NET,
  QUICK_NOT,
  QUICK_PERCENT,
  QUICK_PLAIN,
  RESTRICTED,
  STEP_BITS,
} from "./marks.ts";
import type { Program, ProgramStep } from "./program.ts";
import type { Shelf, Standpoint } from "./shelf.ts";
import * as terms from "./terms.ts";

/** A plan: where the steps begin, how many base shelves, those shelves, then the steps. */
export const HEAD = 2;
/** Of a shelf. */
export const SHELF = 9;
export const START = 0;
export const SIZE = 1;
export const KEYED_BY = 2;
export const TABLE = 3;
export const SUBJECT = 4;
/** Place of its list among the account's; above 0 a list before it may close it. */
export const LIST = 5;
export const LEAVES_FIXED = 6;
/** 1: whether what stands there counts is more than its terms say. */
export const APART = 7;
/** Its place among those of the step. */
export const PLACE = 8;
/** Of a step, before its shelves. */
export const STEP = 6;
export const AT = 0;
export const BIT = 1;
export const STOPS = 2;
export const OFFERS = 3;
export const DISCOUNT = 4;
export const SHELVES = 5;

/** What a step does with the base price. */
export const OFFERS_NONE = 0;
export const OFFERS_ANY = 1;
export const OFFERS_NET = 2;
export const OFFERS_NOT_NET = 3;

/** Whether plans say all of a policy's steps: those that stop, then those that compete. */
export function isQuick({ steps, amounts, linked }: Program): boolean {
  let pools = false;
  const are = steps.every((ran) => {
    const { hit, draw } = ran.step;
    pools ||= hit === "compete";
    const inOrder = hit === "compete" || (hit === "stop" && !pools);
    return (
      inOrder && ran.simple && ran.unless === 0 && draw !== "hidden" && ran.step.sign === "any"
    );
  });
  return are && steps.length <= 24 && amounts.plain && amounts.plainFactor !== 0 && !linked;
}

export function quickOf(all: Float64Array, bits: Int32Array, modes: Uint8Array): Int32Array {
  return bits.map((bit, row) => {
    if ((bit & HOLDS) === 0) return 0;
    const at = row * terms.STRIDE;
    const isPercent =
      modes[row] === OTHER &&
      all[at + terms.KIND] === terms.PERCENT &&
      (all[at + terms.FLAGS]! & ~terms.NET) === 0 &&
      all[at + terms.FORMULA]! < 0;
    const isKnown = (modes[row] === PLAIN || isPercent) && (bit & RESTRICTED) === 0;
    if (!isKnown) return HOLDS | QUICK_NOT;
    const kind = isPercent ? QUICK_PERCENT : QUICK_PLAIN;
    const net = (all[at + terms.FLAGS]! & terms.NET) === 0 ? 0 : QUICK_NET;
    return HOLDS | (bit & STEP_BITS) | kind | net;
  });
}

export function planOf(
  book: PriceBook,
  { account, base, shelves, active }: Omit<Standpoint, "plan">,
): Int32Array {
  const plan = [HEAD + base.length * SHELF, base.length];
  for (const shelf of base) putShelf(plan, shelf, false);
  for (const at of active) {
    const ran = book.program.steps[at]!;
    const own = shelves[at]!;
    const { step } = ran;
    const discounts = step.draw === "account-discount";
    const discount = discounts ? book.accounts.discount[account]! : 0;
    plan.push(at, ran.bit, step.hit === "stop" ? 1 : 0, offersOf(ran), discount, own.length);
    const isApart = step.draw === "quotations" && step.applies === "when-named";
    for (const shelf of own) putShelf(plan, shelf, isApart);
  }
  return Int32Array.from(plan);
}

function putShelf(plan: number[], { start, size, of, subject, list }: Shelf, apart: boolean): void {
  const leaves = of.leavesFixed ? 1 : 0;
  plan.push(start, size, of.keyedBy, of.table, subject, list, leaves, apart ? 1 : 0, of.place);
}

function offersOf({ offersBase, step }: ProgramStep): number {
  if (!offersBase) return OFFERS_NONE;
  if (step.draw !== "rules" || step.only === "any") return OFFERS_ANY;
  return step.only === "net" ? OFFERS_NET : OFFERS_NOT_NET;
}
