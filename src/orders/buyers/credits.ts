/**
 * Of which invoice lines goods were credited. A credit note says so by the line, by the invoice, or
 * only by the order that both are of; and it may take off some of the price of goods that stay
 * where they are. Pure.
 */
import { decimal, type Quantity } from "../../model/index.ts";

/** Of a line of an invoice or credit note. */
interface Paper {
  readonly document: string;
  readonly line: number;
  readonly product: string | null;
  /** Selling units and what they come to, positive on both types. */
  readonly quantity: string;
  readonly net: string;
  /** The order that it is of; null: none is stated. */
  readonly erpOrder: string | null;
  readonly erpOrderLine: number | null;
  readonly webOrder: string | null;
}

export type InvoicedPaper = Paper;

export interface CreditPaper extends Paper {
  /** Null: the order alone says what it credits. */
  readonly creditsDocument: string | null;
  readonly creditsLine: number | null;
  /** The customer's reference on it; ours may be a return's number. */
  readonly reference: string | null;
  readonly learnedAt: Temporal.Instant;
}

/** What of an invoice line a return waits to see credited, or saw. */
export interface Awaited {
  readonly document: string;
  readonly line: number;
  /** The return's number. */
  readonly number: string;
  readonly quantity: string;
  /** What was credited of the line when it was asked for. */
  readonly creditedBefore: string;
  readonly askedAt: Temporal.Instant;
  /** False: nobody agreed to it yet, so that only a credit note that names it is for it. */
  readonly agreed: boolean;
}

/** A part of a credit note. */
export interface Credited {
  readonly document: string;
  readonly quantity: Quantity;
  /** False: it may as well be of another line. */
  readonly certain: boolean;
}

/**
 * What credits the goods of each invoice line, in the order of `credits`. What a return waits for
 * counts first. The rest of one that names only the invoice counts on each line of its product
 * there, since nobody knows which; of one that names only the order once: on the lines of its order
 * line, else of its product, the first of `invoiced` first, and on none beyond what it has left.
 *
 * Goods are back where all of their price is: what takes off less leaves them where they are, but
 * where a return waits for them and most of it is credited (some is kept back for restocking).
 * `awaited` is in the order in which it was asked for.
 */
export function creditsOfLines(
  invoiced: readonly InvoicedPaper[],
  credits: readonly CreditPaper[],
  awaited: readonly Awaited[] = [],
): ReadonlyMap<InvoicedPaper, readonly Credited[]> {
  const lines = invoiced.map((paper) => lineOf(paper, awaited));
  // What is certain counts first, so that what is not has the room that is left.
  for (const credit of credits) {
    const [only, ...others] = namedBy(lines, credit);
    if (only !== undefined && others.length === 0) creditLine(only, credit);
  }
  for (const credit of credits) {
    const named = namedBy(lines, credit);
    if (named.length > 1) creditEach(named, credit);
  }
  for (const credit of credits.filter(({ creditsDocument }) => creditsDocument === null))
    creditOnce(likely(lines, credit), credit);
  return new Map(lines.map(({ paper, found }) => [paper, inOrder(found, credits)]));
}

/** An invoice line as it stands after the credits that were looked at. */
interface Line {
  readonly paper: InvoicedPaper;
  readonly awaited: readonly Awaited[];
  readonly found: Map<CreditPaper, { readonly units: bigint; readonly certain: boolean }>;
  /** Goods that are not credited, and what is still charged for them. */
  goods: bigint;
  price: bigint;
}

function lineOf(paper: InvoicedPaper, awaited: readonly Awaited[]): Line {
  return {
    paper,
    awaited: awaited.filter(
      ({ document, line }) => document === paper.document && line === paper.line,
    ),
    found: new Map(),
    goods: units(paper.quantity),
    price: units(paper.net),
  };
}

/** The lines that a credit note's own words leave: one where it names a line. */
function namedBy(lines: readonly Line[], credit: CreditPaper): Line[] {
  const { creditsDocument, creditsLine } = credit;
  return lines.filter(
    ({ paper }) =>
      creditsDocument === paper.document &&
      (creditsLine === null ? isOfOneProduct(paper, credit) : creditsLine === paper.line),
  );
}

function creditLine(line: Line, credit: CreditPaper): void {
  const back = backOn(line, credit, units(credit.quantity));
  count(line, credit, back, true);
  // Whatever it is for, so much less is charged for what is left.
  line.price -= units(credit.net) - shareOf(credit, back);
}

/** Nobody knows on which of them: as far as no return waits for it, none of them can come back. */
function creditEach(lines: readonly Line[], credit: CreditPaper): void {
  const rest = creditAwaited(lines, credit);
  for (const line of lines) if (isWhole(line, credit)) count(line, credit, rest, false);
}

function creditOnce(lines: readonly Line[], credit: CreditPaper): void {
  let rest = creditAwaited(lines, credit);
  for (const line of lines) {
    const part = isWhole(line, credit) ? least(rest, line.goods) : 0n;
    count(line, credit, part, false);
    rest -= part;
  }
}

/** What is left of the credit once returns have what they wait for. */
function creditAwaited(lines: readonly Line[], credit: CreditPaper): bigint {
  let rest = units(credit.quantity);
  for (const line of lines) {
    const part = least(rest, least(line.goods, awaitedOn(line, credit)));
    if (part <= 0n || !isMost(line, credit)) continue;
    count(line, credit, part, false);
    rest -= part;
  }
  return rest;
}

function count(line: Line, credit: CreditPaper, back: bigint, certain: boolean): void {
  if (back <= 0n) return;
  const before = line.found.get(credit)?.units ?? 0n;
  line.found.set(credit, { units: before + back, certain });
  // What is kept back of their price is no price of the goods that stay.
  if (line.goods > 0n) line.price -= (line.price * least(back, line.goods)) / line.goods;
  line.goods -= back;
}

/** Of so much of the goods, what it credits. */
function backOn(line: Line, credit: CreditPaper, wanted: bigint): bigint {
  if (isWhole(line, credit)) return wanted;
  return isMost(line, credit) ? least(wanted, awaitedOn(line, credit)) : 0n;
}

/** What of the line returns wait for, that nothing has credited yet. */
function awaitedOn({ awaited, found }: Line, credit: CreditPaper): bigint {
  const credited = [...found.values()].reduce((sum, { units: part }) => sum + part, 0n);
  let upTo = 0n;
  for (const { number, quantity, creditedBefore, askedAt, agreed } of awaited) {
    if (!agreed && number !== credit.reference) continue;
    // What was credited before it was asked for is for something else.
    if (Temporal.Instant.compare(askedAt, credit.learnedAt) > 0) continue;
    upTo = greatest(upTo, units(creditedBefore)) + units(quantity);
  }
  return greatest(0n, upTo - credited);
}

/** Decimal places of quantities and amounts here. */
const PLACES = 5;

/** A penny off what its goods are still charged is a matter of rounding. */
const PENNY = units("0.01");

function isWhole({ goods, price }: Line, { quantity, net }: CreditPaper): boolean {
  return goods <= 0n || (units(net) + PENNY) * goods >= price * units(quantity);
}

function isMost({ goods, price }: Line, { quantity, net }: CreditPaper): boolean {
  return goods <= 0n || units(net) * goods * 2n >= price * units(quantity);
}

/** Those of its order line first, then those of its product; a return that it names before both. */
function likely(lines: readonly Line[], credit: CreditPaper): Line[] {
  const { erpOrderLine, reference } = credit;
  const isNamed = ({ awaited }: Line): boolean =>
    awaited.some(({ number }) => number === reference);
  const isSame = ({ paper }: Line): boolean =>
    erpOrderLine !== null && paper.erpOrderLine === erpOrderLine;
  return lines
    .filter(({ paper }) => isOfOneProduct(paper, credit) && isOfOneOrder(paper, credit))
    .toSorted(
      (one, other) =>
        Number(isNamed(other)) - Number(isNamed(one)) ||
        Number(isSame(other)) - Number(isSame(one)),
    );
}

function isOfOneProduct(one: Paper, other: Paper): boolean {
  return one.product !== null && one.product === other.product;
}

function isOfOneOrder(one: Paper, other: Paper): boolean {
  if (one.erpOrder !== null && other.erpOrder !== null) return one.erpOrder === other.erpOrder;
  return one.webOrder !== null && one.webOrder === other.webOrder;
}

function inOrder(found: Line["found"], credits: readonly CreditPaper[]): Credited[] {
  return credits.flatMap((credit) => {
    const { units: digits, certain } = found.get(credit) ?? { units: 0n, certain: true };
    const quantity = { digits, scale: PLACES };
    return digits === 0n ? [] : [{ document: credit.document, quantity, certain }];
  });
}

/** Of what a credit note line comes to, that of so much of its goods. */
function shareOf({ quantity, net }: CreditPaper, back: bigint): bigint {
  const all = units(quantity);
  return all === 0n ? 0n : (units(net) * back) / all;
}

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), PLACES);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function greatest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
