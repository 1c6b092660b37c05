/** What decides between two candidates of a step. */
import { TERMS } from "./book.ts";
import type { PriceBook } from "./book.ts";
import { conditionCount } from "./conditions.ts";
import type { Comparator } from "./policy.ts";
import * as terms from "./terms.ts";

/** What comparators look at; word 0: the account's discount, which has no terms. */
export interface Compared {
  readonly word: number;
  /** Place in the step, the nearer group first. */
  readonly rank: number;
  /** Place of its list among the account's; -1: it is on none. */
  readonly list: number;
  readonly price: number;
}

/** Below 0: the left one wins by this comparator; above 0: the right one; 0: it cannot tell. */
export function compareBy(
  book: PriceBook,
  comparator: Comparator,
  left: Compared,
  right: Compared,
): number {
  switch (comparator) {
    case "lowest":
      return left.price - right.price;
    case "highest":
      return dearest(book, right) - dearest(book, left);
    case "particular":
      return left.rank - right.rank;
    case "newest":
      return difference(of(book, right, terms.START), of(book, left, terms.START));
    case "oldest":
      return difference(of(book, left, terms.START), of(book, right, terms.START));
    case "priority":
      return difference(of(book, right, terms.PRIORITY), of(book, left, terms.PRIORITY));
    case "most-conditions":
      return conditionsOf(book, right) - conditionsOf(book, left);
    case "highest-break":
      return of(book, right, terms.FROM) - of(book, left, terms.FROM);
    case "list-order":
      return listOf(left) - listOf(right);
    case "sold-in":
      return soldIn(book, right) - soldIn(book, left);
    default:
      return comparator satisfies never;
  }
}

/** The first comparator that tells them apart; null: none does. */
export function decisive(
  book: PriceBook,
  comparators: readonly Comparator[],
  left: Compared,
  right: Compared,
): Comparator | null {
  for (const comparator of comparators)
    if (compareBy(book, comparator, left, right) !== 0) return comparator;
  return null;
}

/** Open starts and missing priorities are -Infinity, and equal to each other. */
function difference(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

function of({ terms: all }: PriceBook, { word }: Compared, column: number): number {
  const row = (word & TERMS) * terms.STRIDE;
  return row === 0 ? OPEN[column]! : all[row + column]!;
}

const OPEN = terms.openTerms();

/** A price on request wins where the highest does, and where the lowest does. */
function dearest(book: PriceBook, compared: Compared): number {
  return of(book, compared, terms.KIND) === terms.ON_REQUEST ? Infinity : compared.price;
}

function conditionsOf(book: PriceBook, compared: Compared): number {
  const conditions = of(book, compared, terms.CONDITIONS);
  return conditions < 0 ? 0 : conditionCount(book.conditions[conditions]!);
}

function listOf({ list }: Compared): number {
  return list < 0 ? 1_000_000 : list;
}

function soldIn(book: PriceBook, compared: Compared): number {
  return of(book, compared, terms.SOLD_IN) < 0 ? 0 : 1;
}
