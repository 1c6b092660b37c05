/** Which of an account's price lists count for a product, and where a key stands in a region. */
import { LAST, SEVERAL, TERMS, homeOf } from "./book.ts";
import type { Enquiry } from "./enquiry.ts";
import { HOLDS, OTHER } from "./marks.ts";
import * as terms from "./terms.ts";

/** Position of a key's value in the cells; -1: the region has nothing under it. */
export function cellOf(cells: Int32Array, start: number, size: number, key: number): number {
  if (size < 0) {
    const at = start + key * 2;
    return cells[at + 1] === 0 ? -1 : at;
  }
  let slot = homeOf(key, size);
  for (;;) {
    const at = start + slot * 3;
    if (cells[at + 2] === 0) return -1;
    if (cells[at] === key) return at + 1;
    slot = slot + 1 === size ? 0 : slot + 1;
  }
}

/** Whether a list of the account counts for the product, where those before it can close it. */
export function isOpen(enquiry: Enquiry, list: number): boolean {
  const { line } = enquiry;
  line.openLists ??= openLists(enquiry);
  return line.openLists[list] ?? true;
}

/** A list that closes counts only if none before has a price; then no later one does. */
function openLists(enquiry: Enquiry): boolean[] {
  let hasPrice = false;
  let isClosed = false;
  return enquiry.lists.map(({ list, closes }) => {
    const counts = !isClosed && !(closes && hasPrice);
    if (!counts) return false;
    const has = enquiry.book.program.lists.some((of) => holdsPrice(enquiry, of.region, list));
    hasPrice ||= has;
    isClosed ||= closes && has;
    return true;
  });
}

/** Whether a list has a fixed price of the product at the moment, whatever the quantity. */
function holdsPrice(enquiry: Enquiry, region: number, list: number): boolean {
  const { book, line, holding } = enquiry;
  const at = (region + list) * 2;
  const size = book.regions[at + 1]!;
  if (size === 0) return false;
  const cell = cellOf(book.cells, book.regions[at]!, size, line.product);
  if (cell < 0) return false;
  const holds = (value: number, word: number) =>
    (holding.bits[word & TERMS]! & HOLDS) !== 0 &&
    holding.modes[word & TERMS] !== OTHER &&
    !isNothing(enquiry, value, word);
  const word = book.cells[cell + 1]!;
  if ((word & SEVERAL) === 0) return holds(book.cells[cell]!, word);
  for (let entry = book.cells[cell]!; ; entry += 2) {
    const each = book.several[entry + 1]!;
    if (holds(book.several[entry]!, each)) return true;
    if ((each & LAST) !== 0) return false;
  }
}

/** A price of 0 where the policy says that it is none. */
export function isNothing({ book, holding }: Enquiry, value: number, word: number): boolean {
  if (value !== 0 || book.policy.zero === "price") return false;
  const row = (word & TERMS) * terms.STRIDE;
  if ((book.terms[row + terms.FLAGS]! & (terms.WIDE | terms.UNREADABLE)) !== 0) return false;
  return holding.modes[word & TERMS] !== OTHER;
}
