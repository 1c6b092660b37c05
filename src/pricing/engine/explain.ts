/**
 * Why a line's price is what it is: every candidate, why each lost, and the arithmetic step by
 * step.
 */
import { TERMS } from "./book.ts";
import { entryOf, quantityText } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { Enquiry } from "./enquiry.ts";
import { dateOf } from "./calendar.ts";
import { priceLine } from "./resolve.ts";
import * as scaled from "./scaled.ts";
import * as terms from "./terms.ts";
import type { Trace, Traced } from "./trace.ts";
import { arithmeticOf } from "./steps.ts";
import * as words from "./words.ts";

export interface ExplainedCandidate {
  /** Name of the policy's step; "Base" for what the base price was looked up in. */
  readonly step: string;
  /** "Contract C-17: £4.2500 from 10, 2026-01-01 to 2026-12-31". */
  readonly rule: string;
  readonly whom: string;
  readonly what: string;
  /** Its unit price as decimal text; null: it gives none. */
  readonly unitPrice: string | null;
  /** True for the one that gives the price. */
  readonly taken: boolean;
  /** Why it was taken or not. */
  readonly why: string;
  /** As the book holds it; null for the account's own discount. */
  readonly entry: Entry | null;
}

export interface Explanation {
  /** "10 EACH of BRK001 for BUILD01 on 2026-03-31". */
  readonly asked: string;
  readonly because: string;
  readonly arithmetic: readonly string[];
  readonly candidates: readonly ExplainedCandidate[];
}

/**
 * Prices the line again with every candidate written down; `enquiry.found` holds the answer
 * afterwards.
 */
export function explainLine(enquiry: Enquiry, product: number, quantity: number): Explanation {
  const trace: Trace = [];
  enquiry.trace = trace;
  try {
    priceLine(enquiry, product, quantity);
  } finally {
    enquiry.trace = null;
  }
  const { book, asking } = enquiry;
  const unit = book.units[book.products.sellingUnit[product]!]!;
  const account = book.accounts.codes[asking.account]!;
  const code = book.products.codes[product]!;
  const amount = words.grouped(quantityText(quantity) ?? "");
  return {
    asked: `${amount} ${unit} of ${code} for ${account} on ${dateOf(asking.day)}`,
    because: words.becauseOf(enquiry),
    arithmetic: arithmeticOf(enquiry, product, quantity),
    candidates: trace.map((traced) => explained(enquiry, traced)),
  };
}

function explained(enquiry: Enquiry, traced: Traced): ExplainedCandidate {
  const { book } = enquiry;
  const entry = traced.table < 0 ? null : entryOf(enquiry, traced);
  const taken = isTaken(enquiry, traced);
  return {
    step: traced.step < 0 ? "Base" : book.policy.steps[traced.step]!.step,
    rule: entry === null ? words.discountText(traced.value) : words.ruleText(enquiry, entry),
    whom:
      entry === null
        ? `account ${book.accounts.codes[enquiry.asking.account]!}`
        : words.whomText(entry),
    what: entry === null ? "everything" : words.whatText(entry),
    unitPrice:
      traced.price < 0 ? null : scaled.textOf(traced.price, book.policy.arithmetic.unitPrice.scale),
    taken,
    why: taken ? "gives the price" : whyNot(enquiry, traced, entry),
    entry,
  };
}

function isTaken({ found }: Enquiry, traced: Traced): boolean {
  return (
    traced.outcome === "priced" &&
    traced.step === found.step &&
    traced.table === found.table &&
    traced.key === found.key &&
    traced.value === found.value &&
    traced.word === found.word
  );
}

/** Whether the base price was found in this entry. */
function isBase({ found }: Enquiry, traced: Traced): boolean {
  return (
    traced.table === found.baseTable &&
    traced.key === found.baseKey &&
    traced.value === found.baseValue &&
    traced.word === found.baseWord
  );
}

function whyNot(enquiry: Enquiry, traced: Traced, entry: Entry | null): string {
  switch (traced.outcome) {
    case "priced":
      return beatenText(enquiry, traced);
    case "lower-break":
      return "a higher break of the same rule is reached";
    case "not-reached":
      return `holds from ${words.grouped(entry?.fromQuantity ?? "0")} only`;
    case "over-limit":
      return `covers at most ${words.grouped(entry?.limitQuantity ?? "0")}`;
    case "not-yet":
      return `holds from ${entry?.validFrom ?? "later"}`;
    case "ended":
      return `ended on ${entry?.validTo ?? "an earlier day"}`;
    case "not-named":
      return "counts only for an order that names it";
    case "other-currency":
      return currencyText(enquiry, entry);
    case "no-base":
      return "there is no base price to take it off";
    case "unit-unknown":
      return `cannot be worked out: ${entry?.unit ?? "its unit"} is neither the pricing unit nor the selling unit`;
    case "cost-unknown":
      return "cannot be worked out: the product's cost is not known";
    case "unreadable":
      return "cannot be worked out: its value is too large";
    case "below-zero":
      return "cannot be meant: it takes the price below zero";
    case "needs-code":
      return "holds only for a buyer who gives its code";
    case "from-order-value":
      return `holds from an order value of ${thresholdText(enquiry, traced)} and is not worked out`;
    case "multi-buy":
      return "may change the price and is not worked out";
    case "free-goods":
      return "gives free goods; the price of what is bought stays";
    case "base-replaced":
      return `${words.baseName(enquiry)} takes its place`;
    default:
      return traced.outcome satisfies never;
  }
}

/** Costs have no currency of their own: they are in the company's. */
function currencyText({ book, currency }: Enquiry, entry: Entry | null): string {
  const own = book.currencies[book.ownCurrency]!;
  return `is in ${entry?.currency ?? own}, the account is in ${book.currencies[currency]!}`;
}

function thresholdText({ book }: Enquiry, traced: Traced): string {
  const value = book.terms[(traced.word & TERMS) * terms.STRIDE + terms.THRESHOLD]!;
  return words.moneyText(value, 2, book.currencies[book.ownCurrency]!);
}

function beatenText(enquiry: Enquiry, traced: Traced): string {
  const { found, book } = enquiry;
  if (traced.step < 0)
    return isBase(enquiry, traced) ? "is the base price" : "another base price is as low or lower";
  const winner = book.policy.steps[found.step]!;
  if (winner.hit === "stop" && traced.step > found.step)
    return `"${winner.step}" comes first and ends the search`;
  const difference = traced.price - found.price;
  if (difference === 0) return "the same price; the one taken is named first";
  if (difference < 0) return "a place that comes first gave the price";
  const { scale } = book.policy.arithmetic.unitPrice;
  return `dearer by ${words.moneyText(difference, scale, book.currencies[enquiry.currency]!)}`;
}
