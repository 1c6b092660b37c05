/**
 * A price enquiry: who asks and for which moment, with the regions of the book that can matter
 * found once.
 */
import type { PriceBook } from "./book.ts";
import { NEVER } from "./calendar.ts";
import type { Link, Running } from "./chain.ts";
import type { Stated } from "./conditions.ts";
import { holdingOf } from "./holding.ts";
import type { Holding } from "./holding.ts";
import { CUSTOMER_SCOPES } from "./policy.ts";
import type { CustomerScope } from "./policy.ts";
import type { LiveTable } from "./program.ts";
import { atPlace, vatFor } from "./vat.ts";
import type { VatAsked } from "./vat.ts";
import type { Trace } from "./trace.ts";

export interface Asking {
  /** Numbers of the book; -1: none given. */
  readonly account: number;
  readonly site: number;
  readonly branch: number;
  /** Moment that the price is asked for, in milliseconds since 1970. */
  readonly moment: number;
  /** Number of the label of the quotation that the buyer names; -1: none. */
  readonly quotation: number;
  /** Number of the currency; -1: the account's. */
  readonly currency: number;
  /** What is so besides: delivery, channel, campaign …; null: nothing is stated. */
  readonly conditions: Stated | null;
}

/** A region that holds something for this account. */
export interface Shelf {
  readonly start: number;
  readonly size: number;
  readonly of: LiveTable;
  /** Number of whom it is for: the account, the group, the list … */
  readonly subject: number;
  /** Place of the list among the account's; -1: it is no list's. */
  readonly list: number;
}

/** A price list of the account's, in the order in which they count. */
export interface ListPlace {
  readonly list: number;
  readonly closes: boolean;
  /** The list of those that have none. */
  readonly standard: boolean;
}

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
  /** What a price of the cells, with 4 places, is multiplied by for the policy's; 0: it is not. */
  readonly plainFactor: number;
  readonly line: Line;
  /** What the last line came to; overwritten by the next. */
  readonly found: Found;
  /** Reasons worded so far, by terms; null before the first. */
  reasons: Map<number, Reason> | null;
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
  const subjects = subjectsOf(book, asking);
  const lists = listsOf(book, asking.account);
  const shelves: (readonly Shelf[])[] = [];
  for (const { tables, inListOrder } of program.steps)
    shelves.push(
      tables.length === 0 ? NONE : shelvesOf(book, tables, subjects, lists, inListOrder),
    );
  const site = subjects[SITE]!;
  const currency = asking.currency >= 0 ? asking.currency : accounts.currency[asking.account]!;
  return {
    asking,
    book,
    holding: holdingOf(book, asking.moment, currency, asking.conditions),
    currency,
    discount: accounts.discount[asking.account]!,
    vat: vatOf(book, asking, site),
    subjects,
    lists,
    shelves,
    base: shelvesOf(book, program.base, subjects, lists, true),
    plainFactor: program.amounts.plainFactor,
    active: activeSteps(book, asking.account, shelves),
    line: emptyLine(),
    found: emptyFound(),
    reasons: null,
    trace: null,
  };
}

/** The place of delivery counts; where there is none, the account's own country. */
function vatOf({ accounts, sites, vat, policy }: PriceBook, asking: Asking, site: number) {
  const { account, moment } = asking;
  const evidence = accounts.evidence[account]!;
  const place = site < 0 ? accounts.countryVat[account]! : sites.countryVat[site]!;
  const codes = {
    account: accounts.vatCode[account]!,
    site: site < 0 ? -1 : sites.vatCode[site]!,
    country: place,
  };
  const order = policy.vatFrom;
  const proved = site < 0 ? evidence : atPlace(evidence, sites.abroad[site] === 1);
  return vatFor(vat, codes, { evidence: proved, order, moment });
}

function activeSteps(
  { program, accounts }: PriceBook,
  account: number,
  shelves: readonly (readonly Shelf[])[],
): number[] {
  const active: number[] = [];
  for (let at = 0; at < shelves.length; at += 1) {
    const { step, offersBase, scopes } = program.steps[at]!;
    const discounts = step.draw === "account-discount" && accounts.discount[account] !== 0;
    if (shelves[at]!.length > 0 || offersBase || discounts || scopes.length > 0) active.push(at);
  }
  return active;
}

const NONE: readonly Shelf[] = [];
const SITE = CUSTOMER_SCOPES.indexOf("site");
const PRICE_LIST = CUSTOMER_SCOPES.indexOf("price-list");

function subjectsOf(book: PriceBook, asking: Asking): number[] {
  const subjects: number[] = [];
  for (const scope of CUSTOMER_SCOPES) subjects.push(subjectOf(book, asking, scope));
  return subjects;
}

/** Number of whom a scope means for the account that asks; -1: nobody. */
export function subjectOf(book: PriceBook, asking: Asking, scope: CustomerScope): number {
  const { accounts } = book;
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
      return firstList(book, account);
    case "everyone":
      return 0;
    default:
      return scope satisfies never;
  }
}

function firstList({ accounts, standardList }: PriceBook, account: number): number {
  const at = accounts.listStart[account]!;
  return at < accounts.listStart[account + 1]! ? accounts.lists[at]! : standardList;
}

/** The account's lists in order, behind them the standard one. */
function listsOf({ accounts, standardList }: PriceBook, account: number): ListPlace[] {
  const lists: ListPlace[] = [];
  const end = accounts.listStart[account + 1]!;
  let isStandard = standardList < 0;
  for (let at = accounts.listStart[account]!; at < end; at += 1) {
    const list = accounts.lists[at]!;
    if (list === standardList) isStandard = true;
    lists.push({ list, closes: accounts.listCloses[at] === 1, standard: false });
  }
  if (!isStandard) lists.push({ list: standardList, closes: true, standard: lists.length > 0 });
  return lists;
}

/** `inListOrder`: with the standard list behind the account's own. */
function shelvesOf(
  book: PriceBook,
  tables: readonly LiveTable[],
  subjects: readonly number[],
  lists: readonly ListPlace[],
  inListOrder: boolean,
): Shelf[] {
  const shelves: Shelf[] = [];
  for (const of of tables) {
    if (of.scope !== PRICE_LIST) {
      putShelf(shelves, book, of, subjects[of.scope]!, -1);
      continue;
    }
    for (let at = 0; at < lists.length; at += 1) {
      const { list, standard } = lists[at]!;
      if (inListOrder || !standard) putShelf(shelves, book, of, list, at);
    }
  }
  return shelves;
}

function putShelf(
  shelves: Shelf[],
  { regions }: PriceBook,
  of: LiveTable,
  subject: number,
  list: number,
): void {
  if (subject < 0) return;
  const region = (of.region + subject) * 2;
  const size = regions[region + 1]!;
  if (size !== 0) shelves.push({ start: regions[region]!, size, of, subject, list });
}

/** Shelves of one list alone, whoever is on it. */
export function shelvesOfList(
  { book }: Enquiry,
  tables: readonly LiveTable[],
  list: number,
): Shelf[] {
  const shelves: Shelf[] = [];
  for (const of of tables) if (of.scope === PRICE_LIST) putShelf(shelves, book, of, list, -1);
  return shelves;
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
