/**
 * A price enquiry: who asks and for which day, with the regions of the book that can matter found
 * once.
 */
import type { PriceBook } from "./book.ts";
import { LAST_DAY } from "./calendar.ts";
import { CUSTOMER_SCOPES } from "./policy.ts";
import type { CustomerScope } from "./policy.ts";
import type { LiveTable } from "./program.ts";
import type { Trace } from "./trace.ts";

export interface Asking {
  /** Numbers of the book; -1: none given. */
  readonly account: number;
  readonly site: number;
  readonly branch: number;
  /** Day number that the price is asked for. */
  readonly day: number;
  /** Number of the label of the quotation that the buyer names; -1: none. */
  readonly quotation: number;
}

/** A region that holds something for this account. */
export interface Shelf {
  readonly start: number;
  readonly size: number;
  readonly of: LiveTable;
}

export interface Enquiry {
  readonly asking: Asking;
  readonly book: PriceBook;
  readonly currency: number;
  /** Percent with 4 places off every line. */
  readonly discount: number;
  /** VAT code that overrides the product's; -1: none. */
  readonly vatCode: number;
  /** By step of the policy. */
  readonly shelves: readonly (readonly Shelf[])[];
  readonly base: readonly Shelf[];
  /** What the last line came to; overwritten by the next. */
  readonly found: Found;
  /** Reasons worded so far, by table and terms; null before the first. */
  reasons: Map<number, string> | null;
  /**
   * Set: every candidate is written down, and steps after one that ended the search are looked at
   * too.
   */
  trace: Trace | null;
}

/** Why a price is not known. */
export type Doubt =
  | "no-price"
  | "unit-unknown"
  | "cost-unknown"
  | "unreadable"
  | "below-zero"
  | "multi-buy"
  | "order-value"
  | "pricing-unit-unknown"
  | "too-large";

export interface Found {
  /** Unit price at the policy's places; -1: none. */
  price: number;
  /**
   * What gave it: position of its step, table (-1: the account's discount), key, value and word of
   * the entry.
   */
  step: number;
  table: number;
  key: number;
  value: number;
  word: number;
  net: number;
  /** -1: the VAT code has no rate. */
  vat: number;
  vatCode: number;
  /**
   * First later day on which a rule that was looked at starts or has stopped; above LAST_DAY: none.
   */
  until: number;
  doubt: Doubt | null;
  /** Label of what the doubt is about; -1: none. */
  doubtLabel: number;
  /** Labels of promotions that the answer must mention; -1: none. */
  codeLabel: number;
  freeLabel: number;
  thresholdLabel: number;
  /** Lowest order value (2 places) from which a promotion would change the price. */
  threshold: number;
  /** The base price with 6 places; below 0: none, or not looked up. */
  base: number;
  baseTable: number;
  baseKey: number;
  baseValue: number;
  baseWord: number;
}

export function startEnquiry(book: PriceBook, asking: Asking): Enquiry {
  const { accounts, program } = book;
  const subjects = subjectsOf(book, asking);
  const shelves: Shelf[][] = [];
  for (const step of program.steps) shelves.push(shelvesOf(book, step.tables, subjects));
  const site = subjects[SITE]!;
  const ofAccount = accounts.vatCode[asking.account]!;
  return {
    asking,
    book,
    currency: accounts.currency[asking.account]!,
    discount: accounts.discount[asking.account]!,
    vatCode: ofAccount < 0 && site >= 0 ? book.sites.vatCode[site]! : ofAccount,
    shelves,
    base: shelvesOf(book, program.base, subjects),
    found: emptyFound(),
    reasons: null,
    trace: null,
  };
}

const SITE = CUSTOMER_SCOPES.indexOf("site");

function subjectsOf(book: PriceBook, asking: Asking): number[] {
  return CUSTOMER_SCOPES.map((scope) => subjectOf(book, asking, scope));
}

/** Number of whom a scope means for the account that asks; -1: nobody. */
export function subjectOf({ accounts }: PriceBook, asking: Asking, scope: CustomerScope): number {
  const { account } = asking;
  switch (scope) {
    case "account":
      return account;
    case "head-office":
      return accounts.headOffice[account]!;
    case "buying-group":
      return accounts.buyingGroup[account]!;
    case "customer-group":
      return accounts.group[account]!;
    case "site":
      return asking.site >= 0 ? asking.site : accounts.site[account]!;
    case "branch":
      return asking.branch >= 0 ? asking.branch : accounts.branch[account]!;
    case "price-list":
      return accounts.priceList[account]!;
    case "everyone":
      return 0;
    default:
      return scope satisfies never;
  }
}

function shelvesOf(book: PriceBook, tables: readonly LiveTable[], subjects: number[]): Shelf[] {
  const shelves: Shelf[] = [];
  for (const of of tables) {
    const subject = subjects[of.scope]!;
    if (subject < 0) continue;
    const region = (of.region + subject) * 2;
    const size = book.regions[region + 1]!;
    if (size !== 0) shelves.push({ start: book.regions[region]!, size, of });
  }
  return shelves;
}

function emptyFound(): Found {
  return {
    price: -1,
    step: -1,
    table: -1,
    key: -1,
    value: 0,
    word: 0,
    net: 0,
    vat: 0,
    vatCode: -1,
    until: LAST_DAY + 1,
    doubt: null,
    doubtLabel: -1,
    codeLabel: -1,
    freeLabel: -1,
    thresholdLabel: -1,
    threshold: Infinity,
    base: -1,
    baseTable: -1,
    baseKey: -1,
    baseValue: 0,
    baseWord: 0,
  };
}

/** Keeps the first reason why the price is not known. */
export function doubt(found: Found, why: Doubt, label: number): void {
  if (found.doubt !== null) return;
  found.doubt = why;
  found.doubtLabel = label;
}
