/**
 * Prices one line of an enquiry by the policy's steps. The answer is left in `enquiry.found`. What
 * an explanation tells is written down by these same functions.
 */
import { workOutAmounts } from "./amounts.ts";
import { TERMS } from "./book.ts";
import { NEVER } from "./calendar.ts";
import * as candidate from "./candidate.ts";
import { groundOf, linked } from "./chain.ts";
import { doubt } from "./enquiry.ts";
import type { Enquiry, Found } from "./enquiry.ts";
import { isOpen } from "./lists.ts";
import { multiplyDivide } from "./scaled.ts";
import type { ProgramStep } from "./program.ts";
import { clearLine, priceQuickly } from "./quick.ts";
import {
  NOT_LOOKED_UP,
  PRICELESS,
  fail,
  findBase,
  inShadow,
  isOnRequest,
  searchShelf,
  take,
} from "./search.ts";
import { entryIn, linksOf, stackOn } from "./stacking.ts";
import type { Shelf } from "./shelf.ts";
import * as terms from "./terms.ts";

/**
 * Prices a quantity of a product; the answer is `enquiry.found`.
 *
 * `quantity` has 5 places and is in `unit`, the number of a unit of the product (-1: its selling
 * unit). `pooled` is what breaks are compared with when the policy counts them over more than the
 * line: selling units with 5 places (-1: the line's own).
 */
export function priceLine(
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit = -1,
  pooled = -1,
): Found {
  const { found, line, active } = enquiry;
  const { steps } = enquiry.book.program;
  if (
    enquiry.plan !== null &&
    enquiry.trace === null &&
    priceQuickly(enquiry, product, quantity, unit, pooled)
  )
    return found;
  begin(enquiry, product, quantity, unit, pooled);
  let at = -1;
  for (let index = 0; index < active.length; index += 1) {
    at = active[index]!;
    if (runStep(enquiry, steps[at]!, at)) break;
  }
  if (found.price < 0 && line.running !== null) goBack(enquiry);
  if (enquiry.trace !== null) traceTheRest(enquiry, at + 1);
  finish(enquiry);
  workOutAmounts(enquiry, enquiry.book.products.vatCode[product]!);
  return found;
}

function begin(
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit: number,
  pooled: number,
): void {
  const { line, book } = enquiry;
  const { products } = book;
  clear(enquiry.found);
  clearLine(line);
  line.quick = false;
  line.product = product;
  line.unit = products.sellingUnit[product]!;
  line.priceUnit = products.pricingUnit[product]!;
  line.perUnit = products.perPricingUnit[product]!;
  line.quantity = quantity;
  line.netQuantity = quantity;
  line.netPer = line.perUnit;
  line.plain = true;
  if (unit >= 0 && unit !== line.unit) beginIn(enquiry, quantity, unit);
  line.counted = pooled < 0 ? line.quantity : pooled;
}

/** A line in another unit than the selling unit has its price per that unit. */
function beginIn(enquiry: Enquiry, quantity: number, unit: number): void {
  const { line, book } = enquiry;
  const size = candidate.sizeOfUnit(book, line.product, unit);
  line.unit = unit;
  if (Number.isNaN(size)) {
    doubt(enquiry, "unit-unknown", -1);
    return;
  }
  line.quantity = multiplyDivide(quantity, size, 100_000, "half-away");
  line.netPer = 100_000;
  if (unit === line.priceUnit) return;
  line.priceUnit = unit;
  line.perUnit = size;
  line.plain = false;
}

function clear(found: Found): void {
  found.price = -1;
  found.step = -1;
  found.table = -1;
  found.subject = -1;
  found.key = -1;
  found.value = 0;
  found.word = 0;
  found.entry = -1;
  found.links = null;
  found.until = NEVER;
  found.stepUp = Infinity;
  found.doubt = null;
  found.doubtLabel = -1;
  found.basketLabel = -1;
  found.base = NOT_LOOKED_UP;
}

/** Runs one step; true when it is the last, since it gave the price. */
function runStep(enquiry: Enquiry, ran: ProgramStep, at: number): boolean {
  const { line, found } = enquiry;
  const { hit } = ran.step;
  if ((ran.unless & line.gave) !== 0) {
    if (enquiry.trace !== null) traceBlocked(enquiry, ran, at);
    return false;
  }
  const pools = hit === "compete";
  if (found.price >= 0 && !(pools && line.pooling)) settle(enquiry);
  if (found.price >= 0 && !ran.simple) poolLater(enquiry, ran, at);
  else search(enquiry, ran, at);
  line.pooling = pools;
  if (pools || found.price < 0) return false;
  if (hit === "stop") return true;
  settle(enquiry);
  return false;
}

/** A step by itself, then weighed against its pool so far; the first stays on a tie. */
function poolLater(enquiry: Enquiry, ran: ProgramStep, at: number): void {
  const { found } = enquiry;
  const before = answerIn(found);
  found.price = -1;
  search(enquiry, ran, at);
  if (found.price < 0 || before.price <= found.price) Object.assign(found, before);
}

type Answer = Pick<
  Found,
  "price" | "step" | "table" | "subject" | "key" | "value" | "word" | "entry" | "links"
>;

function answerIn(found: Found): Answer {
  const { price, step, table, subject, key, value, word, entry, links } = found;
  return { price, step, table, subject, key, value, word, entry, links };
}

/** Lets everything compete that the step draws; its best is left in `found`. */
function search(enquiry: Enquiry, ran: ProgramStep, at: number): void {
  const { line } = enquiry;
  line.at = at;
  line.bit = ran.bit;
  line.fast = ran.fast && line.plain && enquiry.trace === null && enquiry.plainFactor !== 0;
  const shelves = enquiry.shelves[at]!;
  if (ran.simple)
    for (let index = 0; index < shelves.length; index += 1) searchShelf(enquiry, shelves[index]!);
  else searchInOrder(enquiry, ran, shelves);
  if (ran.offersBase) offerBase(enquiry);
  else if (ran.step.draw === "account-discount") offerAccountDiscount(enquiry);
  if (ran.scopes.length > 0) hide(enquiry, ran);
  if (!ran.simple) close(enquiry, ran);
}

/** Lists in the account's order, and no further than the first place where that decides. */
function searchInOrder(enquiry: Enquiry, ran: ProgramStep, shelves: readonly Shelf[]): void {
  const { line, found, trace } = enquiry;
  line.tied = false;
  if (line.stack.length > 0) line.stack.length = 0;
  let place = -1;
  for (const shelf of shelves) {
    if (ran.inListOrder && shelf.list > 0 && !isOpen(enquiry, shelf.list)) {
      if (trace !== null) traceClosed(enquiry, shelf);
      continue;
    }
    const isLater = ran.firstPlace && found.price >= 0 && shelf.of.place !== place;
    place = shelf.of.place;
    if (!isLater) searchShelf(enquiry, shelf);
    else if (trace === null) return;
    else inShadow(enquiry, () => searchShelf(enquiry, shelf));
  }
}

/** What only the whole step can tell: a tie, a best without a price, what stacks on it. */
function close(enquiry: Enquiry, ran: ProgramStep): void {
  const { line, found, trace, book } = enquiry;
  if (found.price < 0) return;
  trace?.best.set(line.at, { ...answerIn(found), rank: line.bestRank, list: line.bestList });
  if (line.tied) doubt(enquiry, "ambiguous", book.terms[labelAt(found.word)]!);
  if (found.price === PRICELESS) {
    found.price = -1;
    line.gave &= ~line.bit;
  } else if (ran.step.takes !== "one") stackOn(enquiry, ran);
}

function labelAt(word: number): number {
  return (word & TERMS) * terms.STRIDE + terms.LABEL;
}

/** The ERP has discounts here that it does not show: what it would charge cannot be known. */
function hide(enquiry: Enquiry, { scopes }: ProgramStep): void {
  if (scopes.some((scope) => enquiry.subjects[scope]! >= 0)) doubt(enquiry, "hidden", -1);
}

/** What the steps so far came to becomes the running price, and the next ones start anew. */
function settle(enquiry: Enquiry): void {
  const { found, line } = enquiry;
  line.pooling = false;
  const links = found.links ?? linksOf(enquiry);
  const exact = links.at(-1)?.exact;
  const { price, step } = found;
  if (exact !== undefined)
    line.running = { price, exact, links, step, entry: entryIn(found), position: found.entry };
  found.price = -1;
  found.links = null;
}

/** No later step gave anything: the running price is the price. */
function goBack({ found, line }: Enquiry): void {
  const { running } = line;
  if (running === null) return;
  const { price, step, links, entry, position } = running;
  Object.assign(found, entry, { price, step, links, entry: position });
}

/** What an answer that is no price means, and how a chain of steps came to it. */
function finish(enquiry: Enquiry): void {
  const { found, line, book } = enquiry;
  found.unit = line.priceUnit;
  found.perUnit = line.perUnit;
  if (found.price < 0) return;
  const asked =
    isOnRequest(enquiry, found.word) || found.links?.some(({ word }) => isOnRequest(enquiry, word));
  if (asked === true) {
    doubt(enquiry, "on-request", book.terms[labelAt(found.word)]!);
    found.price = -1;
  } else if (book.program.linked && found.links === null && line.running !== null)
    found.links = linksOf(enquiry);
}

/** The base price competes itself; in a step for net prices, only when it is one. */
function offerBase(enquiry: Enquiry): void {
  const { found, book, line } = enquiry;
  const { step } = book.program.steps[line.at]!;
  findBase(enquiry);
  if (found.base < 0) return;
  const net =
    (book.terms[(found.baseWord & TERMS) * terms.STRIDE + terms.FLAGS]! & terms.NET) !== 0;
  if (step.draw === "rules" && step.only !== "any" && (step.only === "net") !== net) return;
  line.table = found.baseTable;
  line.subject = found.baseSubject;
  line.key = found.baseKey;
  line.entry = found.baseEntry;
  line.rank = BEHIND;
  line.list = -1;
  const price = found.basePlain
    ? found.baseValue * enquiry.plainFactor
    : candidate.rounded(book, found.base);
  take(enquiry, found.baseValue, found.baseWord, price);
}

/** Behind all places of a step. */
export const BEHIND = 1_000_000;

function offerAccountDiscount(enquiry: Enquiry): void {
  const { line, discount, book } = enquiry;
  if (discount === 0) return;
  findBase(enquiry);
  line.table = -1;
  line.subject = -1;
  line.key = -1;
  line.entry = -1;
  line.rank = BEHIND;
  line.list = -1;
  const price =
    line.running === null ? candidate.percentOff(enquiry, discount) : offRunning(enquiry);
  if (price >= 0) take(enquiry, discount, 0, price);
  else fail(enquiry, discount, 0, price);

  function offRunning({ discount: value }: Enquiry): number {
    const ground = groundOf(enquiry, book.program.steps[line.at]!.step);
    if (ground === null) return candidate.NO_BASE;
    const entry = { table: -1, subject: -1, key: -1, value, word: 0 };
    const last = linked(enquiry, line.at, entry, ground)?.at(-1);
    return last === undefined ? candidate.NO_BASE : candidate.priceFrom(book, last.exact);
  }
}

/** For an explanation: what the steps after the end would have found. The answer stays as it is. */
function traceTheRest(enquiry: Enquiry, from: number): void {
  const { steps } = enquiry.book.program;
  for (let at = from; at < steps.length; at += 1) traceApart(enquiry, steps[at]!, at);
}

/** For an explanation: what stands on a list that another one closes. */
function traceClosed(enquiry: Enquiry, shelf: Shelf): void {
  const { found, line, trace } = enquiry;
  const answer = { ...found };
  const place = { ...line };
  const before = trace?.candidates.length ?? 0;
  found.price = -1;
  inShadow(enquiry, () => searchShelf(enquiry, shelf));
  Object.assign(found, answer);
  Object.assign(line, place);
  const added = trace?.candidates.splice(before) ?? [];
  for (const each of added) trace?.candidates.push({ ...each, outcome: "list-closed", price: -1 });
}

/** For an explanation: what a step that another one blocks would have found. */
function traceBlocked(enquiry: Enquiry, ran: ProgramStep, at: number): void {
  const { line, trace } = enquiry;
  const blocking = 31 - Math.clz32(ran.unless & line.gave);
  trace?.blocked.set(at, blocking);
  traceApart(enquiry, ran, at);
}

function traceApart(enquiry: Enquiry, ran: ProgramStep, at: number): void {
  const { found, line } = enquiry;
  const answer = { ...found };
  const place = { ...line };
  found.price = -1;
  inShadow(enquiry, () => search(enquiry, ran, at));
  const { base, baseTable, baseSubject, baseKey, baseValue, baseWord, baseEntry } = found;
  Object.assign(found, answer, {
    base,
    baseTable,
    baseSubject,
    baseKey,
    baseValue,
    baseWord,
    baseEntry,
  });
  Object.assign(line, place);
}
