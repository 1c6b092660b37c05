/** An entry of the book in the vocabulary of the records it came from. */
import { TERMS } from "./book.ts";
import type { PriceBook } from "./book.ts";
import { FIRST_DAY, LAST_DAY, dateOf } from "./calendar.ts";
import { valueOf } from "./candidate.ts";
import type { Enquiry } from "./enquiry.ts";
import { subjectOf } from "./enquiry.ts";
import type { CustomerScope, ProductScope } from "./policy.ts";
import { shortTextOf } from "./scaled.ts";
import { placeOf, sourceOf } from "./tables.ts";
import type { Source } from "./tables.ts";
import * as terms from "./terms.ts";

/** What the book knows of an entry: enough to find its row in the database again. */
export interface Entry {
  readonly source: Source;
  readonly customerScope: CustomerScope;
  /** Null for everyone. */
  readonly customerCode: string | null;
  readonly productScope: ProductScope;
  /** Null for everything. */
  readonly productCode: string | null;
  readonly kind: terms.Kind;
  /** Shortest decimal text; null when the book could not hold it. */
  readonly value: string | null;
  readonly net: boolean;
  readonly currency: string | null;
  readonly unit: string | null;
  /** Selling units, shortest decimal text. */
  readonly fromQuantity: string;
  /** Most selling units that a contract or quotation covers; null: no limit. */
  readonly limitQuantity: string | null;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  /** Contract, promotion or quotation; null: none. */
  readonly label: string | null;
}

export function entryOf(
  enquiry: Enquiry,
  at: {
    readonly table: number;
    readonly key: number;
    readonly value: number;
    readonly word: number;
  },
): Entry {
  const { book, asking } = enquiry;
  const place = placeOf(at.table);
  const row = (at.word & TERMS) * terms.STRIDE;
  const of = (column: number) => book.terms[row + column]!;
  const unreadable = (of(terms.FLAGS) & terms.UNREADABLE) !== 0;
  return {
    source: sourceOf(at.table),
    customerScope: place.customer,
    customerCode: customerCodeOf(book, place.customer, subjectOf(book, asking, place.customer)),
    productScope: place.product,
    productCode: productCodeOf(book, place.product, at.key),
    kind: terms.KINDS[of(terms.KIND)]!,
    value: unreadable ? null : shortTextOf(valueOf(book, at.value, row), 6),
    net: (of(terms.FLAGS) & terms.NET) !== 0,
    currency: book.currencies[of(terms.CURRENCY)] ?? null,
    unit: book.units[of(terms.UNIT)] ?? null,
    fromQuantity: quantityText(of(terms.FROM)) ?? "0",
    limitQuantity: quantityText(of(terms.LIMIT)),
    validFrom: of(terms.START) === FIRST_DAY ? null : dateOf(of(terms.START)),
    validTo: of(terms.END) === LAST_DAY ? null : dateOf(of(terms.END)),
    label: book.labels[of(terms.LABEL)] ?? null,
  };
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
