/**
 * What the engine is given: lines of the sales ledger, assignments, first invoices and the rules.
 */
import type { Channel } from "../../model/index.ts";

/**
 * What a sale is to pay: closed list, in order of precedence; only what is implemented stands here.
 */
export const SALES_CLASSES = ["new", "repeat"] as const;
export type SalesClass = (typeof SALES_CLASSES)[number];

/** The rep code of an assignment that is nobody's: the house earns it and nobody is paid. */
export const HOUSE = "HOUSE";

/** One posting of the sales ledger. */
export interface LineFact {
  readonly postingId: string;
  /** Connection that it came from; document numbers are unique inside it. */
  readonly source: string;
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  /** 1 for the first posting of the line, higher after the ERP changed it. */
  readonly version: number;
  /** True for the posting that takes an earlier version back. */
  readonly reversal: boolean;
  readonly account: string;
  /** Who "new" is about; an account without a trading entity stands for itself. */
  readonly tradingEntity: string;
  readonly documentOn: string;
  /** Accounting period of the ERP, YYYY-MM. */
  readonly period: string;
  readonly channel: Channel;
  readonly productGroup: string | null;
  readonly lineClass: string;
  readonly currency: string;
  /**
   * Net in pence (hundredths of the currency), a safe integer; credit notes and reversals are
   * negative.
   */
  readonly netPence: number;
  /** Invoice and line that a credit note corrects; null when it does not say. */
  readonly creditsDocument: string | null;
  readonly creditsLine: number | null;
}

/** From when to when somebody has a share of an account; dates are inclusive. */
export interface AssignmentFact {
  readonly account: string;
  /** Rep code, or `HOUSE`. */
  readonly rep: string;
  /** Decimal text, more than 0 and at most 100, with at most 4 places. */
  readonly sharePercent: string;
  readonly validFrom: string;
  /** Null: until further notice. */
  readonly validTo: string | null;
}

/** What is known of a trading entity's beginning. */
export interface EntityFact {
  readonly tradingEntity: string;
  /** First qualifying invoice in the ledger; null when there is none. */
  readonly firstOn: string | null;
  readonly firstDocument: string | null;
  /** When it first became a customer, as the ERP says; null when not known. */
  readonly openedOn: string | null;
}

export interface FirstInvoice {
  readonly tradingEntity: string;
  readonly firstOn: string;
  readonly firstDocument: string;
}

export interface PayRules {
  readonly currency: string;
  /** Lines dated before it count for class, never for pay; null: no start. */
  readonly payStartOn: string | null;
  /** A customer is new for this many months from its first qualifying invoice. */
  readonly newMonths: number;
  /** First day from which the ledger holds every document; null: from the very beginning. */
  readonly historyFrom: string | null;
}

export function compareTexts(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

/** 2026-03-31 → 20260331: dates as numbers that compare like the dates. */
export function dayNumber(date: string): number {
  return Number(date.slice(0, 4) + date.slice(5, 7) + date.slice(8, 10));
}

/** 20260331 → 2026-03-31. */
export function dateOf(day: number): string {
  const text = String(day).padStart(8, "0");
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}
