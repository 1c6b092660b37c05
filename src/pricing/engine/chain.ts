/**
 * A price that several steps or rules make: each link with what it came to, exact until the end.
 */
import { decimal } from "../../model/index.ts";
import type { Decimal } from "../../model/index.ts";
import * as candidate from "./candidate.ts";
import type { Enquiry, StackedEntry } from "./enquiry.ts";
import { percentOf, trimmed } from "./formula.ts";
import { TERMS } from "./book.ts";
import type { PolicyStep } from "./policy.ts";
import * as terms from "./terms.ts";

export interface Link extends StackedEntry {
  /** Position of the step; -1: the base price, which the step after it is off. */
  readonly step: number;
  /** `set`: it is the price; `off`: it is taken off what came before. */
  readonly does: "set" | "off";
  /** What it is taken off, and what is left afterwards. */
  readonly of: Decimal;
  readonly exact: Decimal;
}

/** What the steps before came to. */
export interface Running {
  readonly price: number;
  readonly exact: Decimal;
  readonly links: readonly Link[];
  /** The one that the price is called by: the last that had a say. */
  readonly step: number;
  readonly entry: StackedEntry;
  /** Where that stands among a cell's several entries. */
  readonly position: number;
}

export const FINE = candidate.FINE_PLACES;

export function fine(price: number): Decimal {
  return { digits: BigInt(price), scale: FINE };
}

/** The base price as the first link. */
export function baseLink({ found }: Enquiry): Link {
  const exact = fine(found.base);
  return {
    step: -1,
    does: "set",
    table: found.baseTable,
    subject: found.baseSubject,
    key: found.baseKey,
    value: found.baseValue,
    word: found.baseWord,
    of: exact,
    exact,
  };
}

/** Links so far, and what the next percent or amount of a step is off; null: there is nothing. */
export interface Ground {
  readonly links: readonly Link[];
  readonly so: Decimal;
  readonly of: Decimal;
}

/**
 * `from: base` takes the percent of the base off what there is, and `full` that of the price before
 * any discount, so that percents add; `running` takes it of what there is.
 */
export function groundOf(enquiry: Enquiry, { from }: PolicyStep): Ground | null {
  const { found, line } = enquiry;
  const { running } = line;
  if (running === null) {
    if (found.base < 0) return null;
    const link = baseLink(enquiry);
    return { links: [link], so: link.exact, of: link.exact };
  }
  const full = running.links[0]?.exact ?? running.exact;
  const base = found.base >= 0 ? fine(found.base) : running.exact;
  const of = { base, running: running.exact, full }[from];
  return { links: running.links, so: running.exact, of };
}

/** What a percent, an amount or the account's own discount takes off, or a failure below 0. */
export function takenOff(enquiry: Enquiry, entry: StackedEntry, of: Decimal): Decimal | number {
  const { book } = enquiry;
  if (entry.table < 0)
    return trimmed(decimal.percentOf(of, { digits: BigInt(entry.value), scale: 4 }));
  const row = (entry.word & TERMS) * terms.STRIDE;
  if ((book.terms[row + terms.FLAGS]! & terms.UNREADABLE) !== 0) return candidate.UNREADABLE_VALUE;
  if (book.terms[row + terms.KIND] === terms.AMOUNT)
    return candidate.amountOf(enquiry, entry.value, row);
  return percentOf(book, of, entry.value, row);
}

/** One more link; null when what it takes off cannot be worked out. */
export function linked(
  enquiry: Enquiry,
  step: number,
  entry: StackedEntry,
  { links, so, of }: Ground,
): readonly Link[] | null {
  const off = takenOff(enquiry, entry, of);
  if (typeof off === "number") return null;
  const { table, subject, key, value, word } = entry;
  const exact = trimmed(decimal.subtract(so, off));
  return [...links, { step, does: "off", table, subject, key, value, word, of, exact }];
}

/** A price of its own: whatever came before, the links start anew. */
export function setLink(step: number, entry: StackedEntry, exact: Decimal): Link {
  const { table, subject, key, value, word } = entry;
  return { step, does: "set", table, subject, key, value, word, of: exact, exact };
}

/** Of stacked rules: low priority first, those of one priority in the order of the book. */
export function stackOrder(
  { book }: Enquiry,
  stack: readonly StackedEntry[],
): readonly StackedEntry[] {
  const priority = ({ word }: StackedEntry) =>
    book.terms[(word & TERMS) * terms.STRIDE + terms.PRIORITY]!;
  return stack.toSorted((left, right) => {
    const difference = priority(left) - priority(right);
    return Number.isNaN(difference) ? 0 : difference;
  });
}

export function stacksCompound({ book }: Enquiry, { word }: StackedEntry): boolean {
  return book.terms[(word & TERMS) * terms.STRIDE + terms.STACK] === terms.STACKS_COMPOUND;
}
