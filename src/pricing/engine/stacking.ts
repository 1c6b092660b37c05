/** A price that several rules of one step make, and how a price came about, link by link. */
import { byBasis } from "./basis.ts";
import { TERMS } from "./book.ts";
import * as candidate from "./candidate.ts";
import { fine, groundOf, linked, setLink, stackOrder, stacksCompound } from "./chain.ts";
import type { Ground, Link } from "./chain.ts";
import type { Enquiry, Found, StackedEntry } from "./enquiry.ts";
import type { ProgramStep } from "./program.ts";
import { SEARCH, fail, isOnRequest } from "./search.ts";
import * as terms from "./terms.ts";

/** How the best so far came about. */
export function linksOf(enquiry: Enquiry): readonly Link[] {
  const { found, line, book } = enquiry;
  const entry = entryIn(found);
  if (reduces(enquiry, entry)) {
    const ground = groundOf(enquiry, book.program.steps[found.step]!.step);
    const links = ground === null ? null : linked(enquiry, found.step, entry, ground);
    if (links !== null) return links;
  }
  line.at = found.step;
  return [setLink(found.step, entry, exactOf(enquiry, entry))];
}

/** The winner with all that may stack on it, as one chain of links. */
export function stackOn(enquiry: Enquiry, { step }: ProgramStep): void {
  const { line, found, book } = enquiry;
  const winner = entryIn(found);
  const stacks = line.stack.some((entry) => isSame(entry, winner));
  if (step.takes === "stacked-only" && !stacks) {
    found.price = -1;
    line.gave &= ~line.bit;
    return;
  }
  if (isOnRequest(enquiry, found.word)) return;
  const all = stacks ? line.stack : [winner, ...line.stack];
  if (all.length < 2) return;
  const links = chainOf(enquiry, stackOrder(enquiry, [...all]), winner);
  const last = links?.at(-1);
  if (links === null || last === undefined) return;
  const price = candidate.priceFrom(book, last.exact);
  if (price < 0) fail(enquiry, found.value, found.word, price);
  else Object.assign(found, { price, links });
}

export function entryIn(found: Found): StackedEntry {
  const { table, subject, key, value, word } = found;
  return { table, subject, key, value, word };
}

function isSame(left: StackedEntry, right: StackedEntry): boolean {
  return (
    left.table === right.table &&
    left.subject === right.subject &&
    left.key === right.key &&
    left.value === right.value &&
    left.word === right.word
  );
}

/** A winner with a price of its own comes first, then percents and amounts in their order. */
function chainOf(
  enquiry: Enquiry,
  entries: readonly StackedEntry[],
  winner: StackedEntry,
): readonly Link[] | null {
  const { line, book } = enquiry;
  const { step } = book.program.steps[line.at]!;
  const isSet = !reduces(enquiry, winner);
  const ground = isSet ? setGround(enquiry, winner) : groundOf(enquiry, step);
  if (ground === null) return null;
  let links = ground.links;
  for (const entry of entries) {
    if (!reduces(enquiry, entry)) continue;
    const so = links.at(-1)?.exact ?? ground.so;
    const of = stacksCompound(enquiry, entry) ? so : ground.of;
    const next = linked(enquiry, line.at, entry, { links, so, of });
    if (next !== null) links = next;
  }
  return links;
}

function reduces({ book }: Enquiry, { table, word }: StackedEntry): boolean {
  if (table < 0) return true;
  const row = (word & TERMS) * terms.STRIDE;
  return (
    candidate.isReduction(book.terms[row + terms.KIND]!) && book.terms[row + terms.FORMULA]! < 0
  );
}

function setGround(enquiry: Enquiry, winner: StackedEntry): Ground {
  const exact = exactOf(enquiry, winner);
  const links = [setLink(enquiry.line.at, winner, exact)];
  return { links, so: exact, of: exact };
}

/** The exact price of an entry that is one, the base price among them. */
function exactOf(enquiry: Enquiry, { value, word, table }: StackedEntry) {
  const { book, found, holding } = enquiry;
  const row = (word & TERMS) * terms.STRIDE;
  if (book.terms[row + terms.FORMULA]! >= 0) {
    const exact = byBasis(enquiry, value, row, SEARCH);
    if (typeof exact !== "number") return exact;
  } else if (
    table >= 0 &&
    holding.modes[word & TERMS] !== 0 &&
    book.policy.breaks === "all-units"
  ) {
    const price = candidate.fixedOf(enquiry, value, row);
    if (price >= 0) return fine(price);
  }
  const { scale } = book.policy.arithmetic.unitPrice;
  return { digits: BigInt(found.price), scale };
}
