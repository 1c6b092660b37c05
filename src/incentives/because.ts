/** Why a line pays what it pays, first as facts, then as the sentence that a statement prints. */
import { percentText } from "./engine/index.ts";
import type { ClassEvidence, Link, Rate } from "./engine/index.ts";

/** Everything that decided one line of a statement. */
export interface PayBecause {
  readonly class: ClassEvidence;
  readonly link: Link;
  /** Dates of the assignment, inclusive; null: open. */
  readonly share: {
    readonly percent: string;
    readonly from: string | null;
    readonly to: string | null;
  };
  readonly rate: Rate;
  readonly plan: string;
}

/**
 * "New: first invoice 100 on 15/03/2025, new until 14/03/2026. 6% by row 1 of new-and-repeat,
 * version 1."
 */
export function sentence({ class: evidence, link, share, rate, plan }: PayBecause): string {
  return [linkText(link), classText(evidence), shareText(share), rateText(rate, plan)]
    .filter((text) => text !== "")
    .join(" ");
}

function linkText(link: Link): string {
  switch (link.kind) {
    case "own":
      return "";
    case "line":
      return `Credits invoice ${link.document} line ${link.line} of ${day(link.documentOn)}, as it was sold.`;
    case "document":
      return `Credits invoice ${link.document} of ${day(link.documentOn)}, line not stated, as it was sold.`;
    case "unlinked":
      return link.document === null
        ? "Names no invoice: by its own date."
        : `Names invoice ${link.document}, which the ledger does not hold: by its own date.`;
    default:
      return link satisfies never;
  }
}

export function classText(evidence: ClassEvidence): string {
  switch (evidence.basis) {
    case "first-invoice":
      return `${word(evidence.class)}: ${firstText(evidence)}, ${untilText(evidence)}.`;
    case "opening-date":
      return (
        `${word(evidence.class)}: opened ${day(evidence.openedOn)}, ${firstText(evidence)} of the ledger, ` +
        `${untilText(evidence)}.`
      );
    case "unproven":
      return (
        `Repeat, unproven: ${firstText(evidence)}, but sales are complete only from ` +
        `${day(evidence.historyFrom)} and no opening date is known.`
      );
    case "cash-account":
      return "Repeat: a cash account is never new.";
    case "no-invoice":
      return "Repeat: no invoice made this customer new.";
    default:
      return evidence satisfies never;
  }
}

type Dated = Extract<ClassEvidence, { firstOn: string }>;

function firstText({ firstOn, firstDocument }: Dated): string {
  return `first invoice ${firstDocument ?? "(number not known)"} on ${day(firstOn)}`;
}

function untilText({
  class: salesClass,
  newTo,
}: Extract<ClassEvidence, { newTo: string }>): string {
  return salesClass === "new" ? `new until ${day(newTo)}` : `new ended on ${day(newTo)}`;
}

function word(salesClass: ClassEvidence["class"]): string {
  return salesClass === "new" ? "New" : "Repeat";
}

function shareText({ percent, from, to }: PayBecause["share"]): string {
  if (from === null) return `${percent}% assigned to nobody.`;
  const until = to === null ? "" : ` to ${day(to)}`;
  return percent === "100" ? "" : `${percent}% share from ${day(from)}${until}.`;
}

function rateText(rate: Rate, plan: string): string {
  switch (rate.basis) {
    case "row":
      return `${percentText(rate.units)}% by row ${rate.row} of ${plan}, version ${rate.version}.`;
    case "no-row":
      return `No row of ${plan}, version ${rate.version}, fits: nothing.`;
    case "no-version":
      return `${plan} had no version on that date: nothing.`;
    case "before-pay-start":
      return "Sold before the pay start, so never paid here: nothing is taken back.";
    default:
      return rate satisfies never;
  }
}

/** 2026-03-31 → 31/03/2026. */
export function day(date: string): string {
  return date.split("-").toReversed().join("/");
}
