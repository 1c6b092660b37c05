/**
 * What the papers of an order charge for, against what was agreed. Pure. It goes by sums over all
 * papers, so that it says the same however often it is asked, and in whatever order they came.
 */
import { decimal, type Money } from "../model/index.ts";
import { withoutReversed, type PaperLine } from "./reversed.ts";

/** All that was invoiced and credited of one order so far. */
export interface Charged {
  /** Invoices that name it. */
  readonly invoices: number;
  /** Of all invoice lines of it. */
  readonly net: string;
  readonly vat: string;
  /** Of all lines of credit notes of it; positive. */
  readonly creditedNet: string;
  /** Of `net`: what is for none of its lines, as charges and other goods are. */
  readonly other: string;
  readonly lines: readonly ChargedLine[];
  /** Of `creditedNet`: other goods that came back; absent: none did. */
  readonly otherCredited?: string;
  /** All lines of its papers, where any of it was credited; null or absent: nothing was. */
  readonly papers?: readonly PaperLine[] | null;
}

/** In selling units; `quantity` and `net` as they are agreed now. */
export interface ChargedLine {
  readonly product: string;
  readonly quantity: string;
  readonly net: string;
  readonly invoiced: string;
  readonly credited: string;
}

/** What it is measured by. */
export interface Measure {
  readonly net: string;
  readonly vat: string;
  readonly charges: readonly { readonly net?: string }[];
  /**
   * What the ERP's own order comes to where staff made it something else than was agreed, by
   * themselves: then they charge what they made of it. Null: they did not.
   */
  readonly staffNet: string | null;
  /** The same of its VAT, where its net is what was agreed. */
  readonly staffVat: string | null;
  readonly letStand: LetStand;
}

/** What a person has let stand of what is charged otherwise; less of that is no news. */
export interface LetStand {
  /** By how much more or less is charged than was agreed: the least and the most, 0 among them. */
  readonly net: Span;
  readonly vat: Span;
  /** By products: so many are charged, in selling units; absent: no more than was agreed. */
  readonly quantities: ReadonlyMap<string, Money>;
}

interface Span {
  readonly least: Money;
  readonly most: Money;
}

/**
 * Sentences of what differs, none: nothing does. An invoice that a credit note took back is left
 * out with that. Of what stays no more of a product may be charged than was ordered, unless what
 * is more costs nothing; it is charged at the prices agreed, to the penny where it is whole and on
 * one invoice; and what else is charged is the charges agreed, or comes in the place of what was
 * ordered, not beside it. What is charged less beside a credit note is a concession.
 */
export function chargedOtherwise(agreed: Measure, told: Charged): string[] {
  const own = sumOf(agreed.charges.map((charge) => charge.net ?? "0"));
  const charged = withoutReversed(told);
  const { staffNet, letStand } = agreed;
  if (staffNet !== null && !isOver(money(charged.net), decimal.add(money(staffNet), own)))
    return [];
  const more = tooMany(charged.lines);
  if (more.length > 0 && isMoreForFree(charged)) return [];
  const beyond = more.filter(
    ({ product, stays }) => !isWithinMost(stays, letStand.quantities.get(product)),
  );
  const price = pricedOtherwise(agreed, charged, own);
  const isTold = price !== null && !isConceded(price, told, letStand);
  const isPrice = isTold && !isMended(agreed, charged, own, price);
  return [...beyond.map(({ says }) => says), ...(isPrice ? [price.says] : [])];
}

/** True: a sentence of these. */
export function isOfCharges(sentence: string): boolean {
  return /^Agreed .*, invoiced (?:is|are) /.test(sentence);
}

/** What these sentences, which a person has settled, say. */
export function letStandIn(settled: readonly string[]): LetStand {
  const quantities = new Map<string, Money>();
  for (const text of settled) {
    const [, product, many] = /^Agreed are \S+ of (.+), invoiced are ([\d.]+)\.$/.exec(text) ?? [];
    if (product !== undefined && many !== undefined)
      quantities.set(product, decimal.larger(money(many), quantities.get(product) ?? ZERO));
  }
  const spanOf = (what: RegExp): Span => {
    const found = settled.flatMap((text) => what.exec(text)?.[1] ?? []).map(money);
    return {
      least: found.reduce((one, other) => (isOver(one, other) ? other : one), ZERO),
      most: found.reduce(decimal.larger, ZERO),
    };
  };
  return {
    net: spanOf(/^Agreed net .*invoiced is .*: (-?[\d.]+)\.$/),
    vat: spanOf(/^Agreed VAT .*invoiced is .*: (-?[\d.]+)\.$/),
    quantities,
  };
}

/** By how much a price or VAT differs. */
interface Difference {
  readonly what: "net" | "VAT";
  readonly by: Money;
  readonly slack: Money;
  readonly says: string;
}

/** A person let it stand, or it is less, and a credit note shows that staff dealt with it. */
function isConceded({ what, by, slack }: Difference, told: Charged, letStand: LetStand): boolean {
  if (what === "net" && by.digits < 0n && money(told.creditedNet).digits !== 0n) return true;
  const { least, most } = what === "net" ? letStand.net : letStand.vat;
  return !isOver(by, decimal.add(most, slack)) && !isOver(decimal.subtract(least, slack), by);
}

/** Of a product more stays charged than was ordered. */
interface TooMany {
  readonly product: string;
  readonly stays: Money;
  readonly says: string;
}

function tooMany(lines: readonly ChargedLine[]): TooMany[] {
  const products = [...new Set(lines.map(({ product }) => product))].sort();
  return products.flatMap((product) => {
    const own = lines.filter((line) => line.product === product);
    const stays = sumOf(own.map(staysOf));
    const ordered = sumOf(own.map(({ quantity }) => quantity));
    if (!isOver(stays, ordered)) return [];
    const [many, are] = [decimal.canonical(ordered), decimal.canonical(stays)];
    return [{ product, stays, says: `Agreed are ${many} of ${product}, invoiced are ${are}.` }];
  });
}

function staysOf({ invoiced, credited }: ChargedLine): string {
  return decimal.format(decimal.subtract(money(invoiced), money(credited)));
}

/** What was broken on its way is sent once more, and charged at nothing. */
function isMoreForFree(charged: Charged): boolean {
  const goods = decimal.subtract(money(charged.net), decimal.larger(ZERO, money(charged.other)));
  const most = charged.lines.map((line) =>
    worth(line, isOver(money(line.invoiced), money(line.quantity)) ? line.quantity : line.invoiced),
  );
  return isWithin(goods, decimal.sum(most), ZERO);
}

/** Null: nothing that invoices charge differs. */
function pricedOtherwise(agreed: Measure, charged: Charged, own: Money): Difference | null {
  const { lines } = charged;
  const net = money(charged.net);
  const slack = slackOf(charged);
  const isWhole = lines.every(
    ({ quantity, invoiced }) => !isOver(money(quantity), money(invoiced)),
  );
  if (isWhole && isWithin(net, money(agreed.net), slack)) return vatOtherwise(agreed, charged);
  if (isWhole && isWithin(net, decimal.subtract(money(agreed.net), own), slack)) return null;
  const other = decimal.larger(ZERO, money(charged.other));
  if (isOver(other, own) && isOver(net, decimal.add(money(agreed.net), slack)))
    return differs("net", agreed.net, charged.net, slack);
  if (!isPriced(lines)) return null;
  const expected = decimal.sum(lines.map((line) => worth(line, line.invoiced)));
  // An amount off the whole may stand on a line of its own: what is below zero is of the goods.
  const goods = decimal.subtract(net, other);
  if (isWithin(goods, expected, slack)) return null;
  return isWhole && tooMany(lines).length === 0
    ? differs("net", agreed.net, charged.net, slack)
    : differs(
        "net",
        decimal.format(expected),
        decimal.format(goods),
        slack,
        " of what is invoiced",
      );
}

function vatOtherwise({ vat, staffVat }: Measure, charged: Charged): Difference | null {
  const slack = pennies(charged.lines.length * Math.max(1, charged.invoices));
  if (money(charged.creditedNet).digits !== 0n) return null;
  const said = staffVat === null ? [vat] : [vat, staffVat];
  const isSaid = said.some((amount) => isWithin(money(charged.vat), money(amount), slack));
  return isSaid ? null : differs("VAT", vat, charged.vat, slack);
}

/**
 * What credit notes take off leaves nothing that is dearer than was agreed of what stays. What came
 * back takes its price along, and mends no other.
 */
function isMended(
  agreed: Measure,
  charged: Charged,
  own: Money,
  { what, by, slack }: Difference,
): boolean {
  const given = money(charged.creditedNet);
  if (what !== "net" || by.digits < 0n || given.digits === 0n) return false;
  const { lines, otherCredited = "0" } = charged;
  const stays = decimal.subtract(money(charged.net), given);
  const other = decimal.larger(ZERO, decimal.subtract(money(charged.other), money(otherCredited)));
  const back = decimal.sum(lines.map((line) => worth(line, line.credited)));
  const most = decimal.add(agreed.letStand.net.most, slack);
  const whole = decimal.subtract(money(agreed.net), back);
  if (isOver(other, own) && isOver(stays, decimal.add(whole, most))) return false;
  const expected = decimal.sum(lines.map((line) => worth(line, staysOf(line))));
  return !isOver(decimal.subtract(stays, other), decimal.add(expected, most));
}

/** What part of a line comes to is not a whole number of pennies; of each invoice it is rounded. */
function slackOf({ lines, invoices }: Charged): Money {
  if (invoices <= 1 && lines.every(isUncut)) return ZERO;
  return pennies(lines.filter(({ invoiced }) => money(invoiced).digits > 0n).length * invoices);
}

function isUncut({ quantity, invoiced }: ChargedLine): boolean {
  const of = money(invoiced);
  return of.digits === 0n || decimal.compare(of, money(quantity)) === 0;
}

/** False: a product at two prices came in part, and nobody knows at which of them. */
function isPriced(lines: readonly ChargedLine[]): boolean {
  return lines.every((line) => {
    const same = lines.filter(({ product }) => product === line.product);
    return same.every(isUncut) || same.every((other) => isSamePrice(line, other));
  });
}

function isSamePrice(one: ChargedLine, other: ChargedLine): boolean {
  const left = decimal.multiply(money(one.net), money(other.quantity));
  return decimal.compare(left, decimal.multiply(money(other.net), money(one.quantity))) === 0;
}

const PLACES = 5;

function worth({ net, quantity }: ChargedLine, part: string): Money {
  const all = decimal.digitsAt(money(quantity), PLACES);
  if (all === 0n) return ZERO;
  const pence = decimal.digitsAt(money(net), 2) * decimal.digitsAt(money(part), PLACES);
  return { digits: decimal.divideRounded(pence, all, "half-away"), scale: 2 };
}

function differs(
  what: Difference["what"],
  agreed: string,
  invoiced: string,
  slack: Money,
  of = "",
): Difference {
  const by = decimal.subtract(money(invoiced), money(agreed));
  const says = `Agreed ${what}${of} is ${agreed}, invoiced is ${invoiced}: ${decimal.format(by)}.`;
  return { what, by, slack, says };
}

const ZERO: Money = decimal.integer(0, 2);
const money = (text: string): Money => decimal.parse<"money">(text);
const sumOf = (texts: readonly string[]): Money => decimal.sum(texts.map(money));
const pennies = (many: number): Money => decimal.integer(many, 2);
const isWithinMost = (one: Money, most: Money | undefined): boolean =>
  most !== undefined && !isOver(one, most);
const isOver = (one: Money, other: Money): boolean => decimal.compare(one, other) > 0;

function isWithin(one: Money, other: Money, slack: Money): boolean {
  const off = decimal.subtract(one, other);
  const size = off.digits < 0n ? decimal.negate(off) : off;
  return !isOver(size, slack);
}
