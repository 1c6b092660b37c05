/** Why a candidate is not the price, in words that a finance person reads. */
import { decisive } from "./compare.ts";
import type { Entry } from "./entry.ts";
import type { Doubt, Enquiry } from "./enquiry.ts";
import { conditionsWords } from "./conditions.ts";
import type { Comparator } from "./policy.ts";
import type { StepBest, Trace, Traced } from "./trace.ts";
import * as words from "./words.ts";

export function whyNot(
  enquiry: Enquiry,
  trace: Trace,
  traced: Traced,
  entry: Entry | null,
): string {
  const { book } = enquiry;
  switch (traced.outcome) {
    case "priced":
    case "on-request":
      return beatenText(enquiry, trace, traced);
    case "lower-break":
      return "a higher break of the rule is reached";
    case "not-reached":
      return `counts only from ${unitsText(enquiry, entry?.fromQuantity)}`;
    case "beyond":
      return `counts only up to ${unitsText(enquiry, entry?.toQuantity)}`;
    case "over-limit":
      return limitText(enquiry, entry);
    case "not-yet":
      return `starts on ${(entry === null ? null : words.startText(entry, book.timeZone)) ?? "a later day"}`;
    case "ended":
      return `ended on ${(entry === null ? null : words.endText(entry, book.timeZone)) ?? "an earlier day"}`;
    case "not-so":
      return `holds only where ${conditionsWords(entry?.conditions ?? "")}`;
    case "not-sold-in":
      return `holds only for lines in ${entry?.soldIn ?? "another unit"}`;
    case "not-named":
      return "counts only for an order that names it";
    case "list-closed":
      return "another price list of the customer's takes its place";
    case "zero-not-set":
      return "a price of 0 means that none is set";
    case "other-currency":
      return currencyText(enquiry, entry);
    case "no-base":
      return comesFirst(enquiry, traced)
        ? firstText(enquiry)
        : "there is no base price to take it off";
    case "unit-unknown":
      return `cannot be worked out: ${entry?.unit ?? "its unit"} is not a unit that the product is sold in`;
    case "cost-unknown":
      return "cannot be worked out: the product's cost is not known";
    case "formula-unknown":
      return `cannot be worked out: there is no formula ${entry?.formula ?? ""}`;
    case "unreadable":
      return "cannot be worked out: its value is too large";
    case "below-zero":
      return "cannot be meant: it takes the price below zero";
    case "in-basket":
      return "is worked out over the basket, not for a line";
    case "base-replaced":
      return `${words.baseName(enquiry)} takes its place`;
    default:
      return traced.outcome satisfies never;
  }
}

/** "27 EACH": breaks and limits count selling units. */
function unitsText({ book, line }: Enquiry, quantity: string | null | undefined): string {
  const unit = book.units[book.products.sellingUnit[line.product]!] ?? "";
  return `${words.grouped(quantity ?? "0")} ${unit}`;
}

/** "covers at most 50 EACH", "covers 30 EACH more; 20 are used". */
function limitText(enquiry: Enquiry, entry: Entry | null): string {
  const left = unitsText(enquiry, entry?.limitQuantity);
  const used = entry?.usedQuantity ?? null;
  return used === null
    ? `covers at most ${left}`
    : `covers ${left} more; ${words.grouped(used)} are used`;
}

/** Costs have no currency of their own: they are in the company's. */
function currencyText({ book, currency }: Enquiry, entry: Entry | null): string {
  const own = book.currencies[book.ownCurrency]!;
  const asked = book.currencies[currency]!;
  const rate = book.policy.otherCurrency === "convert" ? ", and the settings have no rate" : "";
  return `is in ${entry?.currency ?? own}, the account is in ${asked}${rate}`;
}

function beatenText(enquiry: Enquiry, trace: Trace, traced: Traced): string {
  const { found, book } = enquiry;
  if (traced.step < 0)
    return isBase(enquiry, traced) ? IS_BASE : "another base price is as low or lower";
  const { steps } = book.policy;
  const blocking = trace.blocked.get(traced.step);
  if (blocking !== undefined) return `does not count where "${steps[blocking]!.step}" applies`;
  const winner = steps[found.step];
  if (comesFirst(enquiry, traced)) return firstText(enquiry);
  const best = trace.best.get(traced.step) ?? linkIn(enquiry, trace, traced.step);
  if (best !== undefined && !isBest(best, traced)) return lostText(enquiry, traced, best);
  if (found.doubt !== null) return openText(found.doubt);
  if (winner === undefined) return "another step leaves the price open";
  if (found.step > traced.step && winner.hit !== "compete")
    return `"${winner.step}" comes later and replaces it`;
  return dearerText(enquiry, traced.price - found.price);
}

/** Whether a step before it has settled the price. */
function comesFirst({ found, book }: Enquiry, { step }: Traced): boolean {
  return book.policy.steps[found.step]?.hit === "stop" && step > found.step;
}

function firstText({ found, book }: Enquiry): string {
  return `"${book.policy.steps[found.step]!.step}" comes first and settles the price`;
}

/** What a step contributed to a price that several steps make. */
function linkIn({ found }: Enquiry, trace: Trace, step: number): StepBest | undefined {
  const link = found.links?.find((each) => each.step === step);
  return link === undefined
    ? undefined
    : trace.candidates.find(
        (each) => each.step === step && each.outcome === "priced" && isBest(each, link),
      );
}

/** Of what would be the price, where none is told. */
function openText(doubt: Doubt): string {
  if (doubt === "ambiguous") return AMBIGUOUS;
  if (doubt === "hidden")
    return "would count, but there may be discounts that the ERP does not show";
  if (doubt === "on-request") return "a price on request takes its place";
  return "would count, but something else that holds cannot be worked out";
}

const AMBIGUOUS = "nothing tells it apart from another rule that holds";

function dearerText({ book, currency, line }: Enquiry, difference: number): string {
  if (difference === 0) return "the same price; the one taken is named first";
  if (difference < 0) return "a place that comes first gave the price";
  const { scale } = book.policy.arithmetic.unitPrice;
  const money = words.moneyText(difference, scale, book.currencies[currency]!);
  return `dearer by ${money} per ${book.units[line.priceUnit]!}`;
}

/** Of the price that percents and amounts are taken off. */
export const IS_BASE = "is the base price";

/** Whether the base price was found in this entry. */
export function isBase({ found }: Enquiry, traced: Traced): boolean {
  return (
    traced.table === found.baseTable &&
    traced.subject === found.baseSubject &&
    traced.key === found.baseKey &&
    traced.value === found.baseValue &&
    traced.word === found.baseWord
  );
}

function isBest(best: Standing, traced: Standing): boolean {
  return (
    best.table === traced.table &&
    best.subject === traced.subject &&
    best.key === traced.key &&
    best.value === traced.value &&
    best.word === traced.word
  );
}

type Standing = Pick<StepBest, "table" | "subject" | "key" | "value" | "word">;

/** What it lost to inside its own step. */
function lostText(enquiry: Enquiry, traced: Traced, best: StepBest): string {
  const { book } = enquiry;
  const { compete, tie } = book.policy.steps[traced.step]!;
  const by = decisive(book, compete, traced, best);
  if (by === null)
    return tie === "ambiguous" ? AMBIGUOUS : dearerText(enquiry, traced.price - best.price);
  return LOST[by] ?? dearerText(enquiry, traced.price - best.price);
}

/** Null: the prices say it. */
const LOST: Readonly<Record<Comparator, string | null>> = {
  lowest: null,
  highest: "cheaper, and the higher price counts here",
  particular: "a rule that the policy looks at before it holds",
  newest: "a newer rule comes first",
  oldest: "an older rule comes first",
  priority: "a rule of higher priority comes first",
  "most-conditions": "a rule with more conditions comes first",
  "highest-break": "a rule with a higher break comes first",
  "list-order": "a price list that comes before this one has a price",
  "sold-in": "a rule for the unit that the line is sold in comes first",
};
