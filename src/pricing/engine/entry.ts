/** An entry of the book in the vocabulary of the records it came from. */
import { TERMS } from "./book.ts";
import type { PriceBook } from "./book.ts";
import { ALWAYS, NEVER, dateOf, startOfDay, textOf } from "./calendar.ts";
import { valueOf } from "./candidate.ts";
import type { Enquiry } from "./enquiry.ts";
import type { CustomerScope, ProductScope } from "./policy.ts";
import { shortTextOf } from "./scaled.ts";
import { placeOf, sourceOf } from "./tables.ts";
import type { Source } from "./tables.ts";
import * as terms from "./terms.ts";

/** Whose rule an entry is and on what: what it is called by. */
export interface EntryHead {
  readonly source: Source;
  readonly customerScope: CustomerScope;
  /** Null for everyone. */
  readonly customerCode: string | null;
  readonly productScope: ProductScope;
  /** Null for everything. */
  readonly productCode: string | null;
  readonly kind: terms.Kind;
  readonly net: boolean;
  /** Selling units, shortest decimal text. */
  readonly fromQuantity: string;
  /** Contract, promotion or quotation; null: none. */
  readonly label: string | null;
}

/** What the book knows of an entry: enough to find its row in the database again. */
export interface Entry extends EntryHead {
  /** Shortest decimal text; null when the book could not hold it. */
  readonly value: string | null;
  readonly currency: string | null;
  readonly unit: string | null;
  /** Most selling units that a contract or quotation covers; null: no limit. */
  readonly limitQuantity: string | null;
  /** Most selling units of a line; null: any. */
  readonly toQuantity: string | null;
  /** Selling units of a contract or quotation that are used up; null: not told. */
  readonly usedQuantity: string | null;
  /** Unit that a line must be sold in; null: any. */
  readonly soldIn: string | null;
  /** First and last day; null: none, or the moment beside it says. */
  readonly validFrom: string | null;
  readonly validTo: string | null;
  /** Moments within days, with their offset; null: it starts and stops with days. */
  readonly startsAt: string | null;
  readonly endsAt: string | null;
  /** What must be so besides, as text; null: nothing. */
  readonly conditions: string | null;
  readonly formula: string | null;
  readonly stack: "add" | "compound" | null;
  readonly priority: number | null;
}

/** Where an entry stands, and its two numbers. */
export interface EntryAt {
  readonly table: number;
  /** Number of whom it is for. */
  readonly subject: number;
  readonly key: number;
  readonly value: number;
  readonly word: number;
}

export function headOf({ book }: Enquiry, at: EntryAt): EntryHead {
  const { customer, product } = placeOf(at.table);
  const row = (at.word & TERMS) * terms.STRIDE;
  return {
    source: sourceOf(at.table),
    customerScope: customer,
    customerCode: customerCodeOf(book, customer, at.subject),
    productScope: product,
    productCode: productCodeOf(book, product, at.key),
    kind: terms.KINDS[book.terms[row + terms.KIND]!]!,
    net: (book.terms[row + terms.FLAGS]! & terms.NET) !== 0,
    fromQuantity: quantityText(book.terms[row + terms.FROM]!) ?? "0",
    label: book.labels[book.terms[row + terms.LABEL]!] ?? null,
  };
}

export function entryOf(enquiry: Enquiry, at: EntryAt): Entry {
  const { book } = enquiry;
  const row = (at.word & TERMS) * terms.STRIDE;
  const of = (column: number) => book.terms[row + column]!;
  const unreadable = (of(terms.FLAGS) & terms.UNREADABLE) !== 0;
  return {
    ...headOf(enquiry, at),
    value: unreadable ? null : shortTextOf(valueOf(book, at.value, row), 6),
    currency: book.currencies[of(terms.CURRENCY)] ?? null,
    unit: book.units[of(terms.UNIT)] ?? null,
    limitQuantity: quantityText(of(terms.LIMIT)),
    toQuantity: quantityText(of(terms.TO)),
    usedQuantity: of(terms.USED) < 0 ? null : quantityText(of(terms.USED)),
    soldIn: book.units[of(terms.SOLD_IN)] ?? null,
    ...heldFrom(book, of(terms.START)),
    ...heldTo(book, of(terms.END)),
    conditions: book.conditions[of(terms.CONDITIONS)] ?? null,
    formula: book.formulas[of(terms.FORMULA)] ?? null,
    stack: STACKS[of(terms.STACK)] ?? null,
    priority: Number.isFinite(of(terms.PRIORITY)) ? of(terms.PRIORITY) : null,
  };
}

const STACKS: readonly Entry["stack"][] = [null, "add", "compound"];

function heldFrom({ timeZone }: PriceBook, start: number): Pick<Entry, "validFrom" | "startsAt"> {
  if (start === ALWAYS) return { validFrom: null, startsAt: null };
  const date = dateOf(start, timeZone);
  return startOfDay(date, timeZone) === start
    ? { validFrom: date, startsAt: null }
    : { validFrom: null, startsAt: textOf(start) };
}

/** The moment after the last one, as the last day when it ends with that. */
function heldTo({ timeZone }: PriceBook, end: number): Pick<Entry, "validTo" | "endsAt"> {
  if (end === NEVER) return { validTo: null, endsAt: null };
  return startOfDay(dateOf(end, timeZone), timeZone) === end
    ? { validTo: dateOf(end - 1, timeZone), endsAt: null }
    : { validTo: null, endsAt: textOf(end) };
}

/** Selling units from 1/100,000; null when there is no bound. */
export function quantityText(quantity: number): string | null {
  return quantity === Infinity ? null : shortTextOf(quantity, 5);
}

function customerCodeOf(book: PriceBook, scope: CustomerScope, subject: number): string | null {
  switch (scope) {
    case "account":
      return book.accounts.codes[subject] ?? null;
    case "head-office":
      return book.headOffices.codes[subject] ?? null;
    case "buying-group":
      return book.buyingGroups.codes[subject] ?? null;
    case "customer-group":
      return book.customerGroups.codes[subject] ?? null;
    case "site":
      return book.sites.codes[subject] ?? null;
    case "branch":
      return book.branches.codes[subject] ?? null;
    case "price-list":
      return book.priceLists.codes[subject] ?? null;
    case "everyone":
      return null;
    default:
      return scope satisfies never;
  }
}

function productCodeOf(book: PriceBook, scope: ProductScope, key: number): string | null {
  switch (scope) {
    case "product":
      return book.products.codes[key] ?? null;
    case "product-group":
      return book.groups.codes[key] ?? null;
    case "everything":
      return null;
    default:
      return scope satisfies never;
  }
}
