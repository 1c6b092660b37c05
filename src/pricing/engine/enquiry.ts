/**
 * A price enquiry: who asks and for which moment, with the regions of the book that can matter
 * found once.
 */
import type { PriceBook } from "./book.ts";
import { NEVER } from "./calendar.ts";
import type { Link, Running } from "./chain.ts";
import { holdingOf } from "./holding.ts";
import type { Holding } from "./holding.ts";
import { standpointOf } from "./standpoint.ts";
import type { Asking, ListPlace, Shelf } from "./shelf.ts";
import type { VatAsked } from "./vat.ts";
import type { Trace } from "./trace.ts";

export interface Enquiry {
  readonly asking: Asking;
  readonly book: PriceBook;
  readonly holding: Holding;
  readonly currency: number;
  /** Percent with 4 places off every line. */
  readonly discount: number;
  /** VAT code that overrides the product's, rates and evidence, as they are now. */
  readonly vat: VatAsked;
  /** Numbers of whom each customer scope means, in their order; -1: nobody. */
  readonly subjects: readonly number[];
  readonly lists: readonly ListPlace[];
  /** By step of the policy. */
  readonly shelves: readonly (readonly Shelf[])[];
  /** Positions of the steps that can find something. */
  readonly active: readonly number[];
  readonly base: readonly Shelf[];
  /** The steps and shelves in numbers, for lines that need no more; null: this policy's do. */
  readonly plan: Int32Array | null;
  /** What a price of the cells, with 4 places, is multiplied by for the policy's; 0: it is not. */
  readonly plainFactor: number;
  readonly line: Line;
  /** What the last line came to; overwritten by the next. */
  readonly found: Found;
  /** Reasons worded so far, by terms; null before the first. */
  reasons: Map<number, Reason> | null;
  /**
   * Selling units with 5 places that others took of what the entry in hand has left; null: none
   * did.
   */
  taken: ((word: number) => number) | null;
  /**
   * Set: every candidate is written down, and steps after one that ended the search are looked at
   * too.
   */
  trace: Trace | null;
}

export interface Reason {
  readonly table: number;
  readonly subject: number;
  readonly text: string;
}

/** Why a price is not known. */
export type Doubt =
  | "no-price"
  | "on-request"
  | "ambiguous"
  | "hidden"
  | "unit-unknown"
  | "cost-unknown"
  | "formula-unknown"
  | "unreadable"
  | "below-zero"
  | "pricing-unit-unknown"
  | "too-large";

/** The line that is being priced, and how far it has come. */
export interface Line {
  product: number;
  /** Selling units with 5 places; those that breaks are compared with. */
  quantity: number;
  counted: number;
  /** Unit that the line is sold in, unit that its price is per, and selling units in that. */
  unit: number;
  priceUnit: number;
  perUnit: number;
  /** Quantity of the line, and what its unit price is per, as its net is worked out from them. */
  netQuantity: number;
  netPer: number;
  /** The price is per the product's pricing unit. */
  plain: boolean;
  /** Plain, and the lowest wins: a price is compared as the cell holds it. */
  fast: boolean;
  /** Position of the step that is running, as a number and as a bit. */
  at: number;
  bit: number;
  /** True while the base price is looked up. */
  forBase: boolean;
  /** Where the entry in hand stands; table -1: the account's discount. */
  table: number;
  subject: number;
  key: number;
  entry: number;
  /** Its place in the step, the nearer group first, and that of its list. */
  rank: number;
  list: number;
  /** The same of the best so far. */
  bestRank: number;
  bestList: number;
  /** Two that nothing tells apart are the best so far. */
  tied: boolean;
  /** Bits of the steps that gave something. */
  gave: number;
  /** The last step that ran pools with its neighbours. */
  pooling: boolean;
  /** What the steps before came to; null: nothing yet. */
  running: Running | null;
  /** Entries that may stack, of the step that is running. */
  readonly stack: StackedEntry[];
  /** Lists that count for the product; null: not asked yet. */
  openLists: readonly boolean[] | null;
  /** Set in a search that only tells: what it finds changes nothing. */
  shadow: boolean;
  /** What the base price says of the answer, when it was looked up in such a search. */
  shaded: Pick<Found, "until" | "stepUp" | "doubt" | "doubtLabel"> | null;
  /** Price lists that are being worked out of each other. */
  depth: number;
  /** The last line was priced by its plan alone: what is above was not touched. */
  quick: boolean;
}

export interface StackedEntry {
  readonly table: number;
  readonly subject: number;
  readonly key: number;
  readonly value: number;
  readonly word: number;
}

export interface Found {
  /** Unit price at the policy's places; -1: none. */
  price: number;
  /** Number of the unit that it is per, and selling units in it with 5 places. */
  unit: number;
  perUnit: number;
  /**
   * What gave it: position of its step, table (-1: the account's discount), whose, key, value and
   * word of the entry.
   */
  step: number;
  table: number;
  subject: number;
  key: number;
  value: number;
  word: number;
  /** Where it stands among a cell's several entries; -1: alone. */
  entry: number;
  /** How it came about where several steps or rules made it; null: one did. */
  links: readonly Link[] | null;
  net: number;
  /** -1: the VAT code has no rate. */
  vat: number;
  vatCode: number;
  /** Percent with 4 places; -1: the code has none. */
  vatRate: number;
  /** First later moment at which a rule that was looked at starts or has stopped. */
  until: number;
  /** Next higher quantity (selling units, 5 places) at which one starts or has stopped. */
  stepUp: number;
  doubt: Doubt | null;
  /** Label of what the doubt is about; -1: none. */
  doubtLabel: number;
  /** Label of a promotion that holds over a basket; -1: none. */
  basketLabel: number;
  /** The base price with 6 places; below 0: none, or not looked up. */
  base: number;
  baseTable: number;
  baseSubject: number;
  baseKey: number;
  baseValue: number;
  baseWord: number;
  baseEntry: number;
  /** The base price is the cell's, as it stands. */
  basePlain: boolean;
}

export function startEnquiry(book: PriceBook, asking: Asking): Enquiry {
  const { accounts, program } = book;
  const { account } = asking;
  const currency = asking.currency >= 0 ? asking.currency : accounts.currency[account]!;
  const holding = holdingOf(book, asking.moment, currency, asking.conditions);
  const { vat, subjects, lists, shelves, active, base, plan } = standpointOf(book, holding, asking);
  return {
    asking,
    book,
    holding,
    currency,
    discount: accounts.discount[account]!,
    vat,
    subjects,
    lists,
    shelves,
    base,
    plan,
    plainFactor: program.amounts.plainFactor,
    active,
    line: emptyLine(),
    found: emptyFound(),
    reasons: null,
    taken: null,
    trace: null,
  };
}

function emptyLine(): Line {
  return {
    product: -1,
    quantity: 0,
    counted: 0,
    unit: -1,
    priceUnit: -1,
    perUnit: 0,
    netQuantity: 0,
    netPer: 0,
    plain: true,
    fast: false,
    at: 0,
    bit: 0,
    forBase: false,
    table: -1,
    subject: -1,
    key: -1,
    entry: -1,
    rank: 0,
    list: -1,
    bestRank: 0,
    bestList: -1,
    tied: false,
    gave: 0,
    pooling: false,
    running: null,
    stack: [],
    openLists: null,
    shadow: false,
    shaded: null,
    depth: 0,
    quick: false,
  };
}

function emptyFound(): Found {
  return {
    price: -1,
    unit: -1,
    perUnit: 0,
    step: -1,
    table: -1,
    subject: -1,
    key: -1,
    value: 0,
    word: 0,
    entry: -1,
    links: null,
    net: 0,
    vat: 0,
    vatCode: -1,
    vatRate: -1,
    until: NEVER,
    stepUp: Infinity,
    doubt: null,
    doubtLabel: -1,
    basketLabel: -1,
    base: -1,
    baseTable: -1,
    baseSubject: -1,
    baseKey: -1,
    baseValue: 0,
    baseWord: 0,
    baseEntry: -1,
    basePlain: false,
  };
}

/** Keeps the first reason why the price is not known. */
export function doubt({ found, line }: Enquiry, why: Doubt, label: number): void {
  if (found.doubt !== null || line.shadow) return;
  found.doubt = why;
  found.doubtLabel = label;
}
