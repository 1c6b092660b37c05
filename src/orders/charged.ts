/**
 * What the papers of an order charge for, against what was agreed. Pure. It goes by sums over all
 * papers, so that it says the same however often it is asked, and in whatever order they came.
 */
import { decimal, type Money } from "../model/index.ts";

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
  /** What a person has let stand of what is charged beyond the net agreed; null: nothing. */
  readonly letStand: string | null;
  /** True: papers were found to differ; a credit note that leaves that so does not end it. */
  readonly inConflict: boolean;
}

/**
 * Sentences of what differs, none: nothing does. No more of a product may be charged than was
 * ordered, unless what is more costs nothing; it is charged at the prices agreed, to the penny
 * where it is whole and on one invoice; and what else is charged is the charges agreed, or comes in
 * the place of what was ordered, not beside it.
 */
export function chargedOtherwise(agreed: Measure, charged: Charged): string[] {
  const found = differing(agreed, charged);
  if (found.length === 0 || agreed.letStand === null) return found;
  const net = decimal.subtract(money(charged.net), money(agreed.letStand));
  // What is charged beyond it has its VAT, too.
  const rest = { ...charged, net: decimal.format(net), vat: agreed.vat };
  return differing(agreed, rest).length === 0 ? [] : found;
}

/** True: a sentence of these. */
export function isOfCharges(sentence: string): boolean {
  return /^Agreed .*, invoiced (?:is|are) /.test(sentence);
}

/** By how much net more or less is charged, of the last one of these sentences; null: of none. */
export function letStandIn(settled: readonly string[]): string | null {
  const nets = settled.flatMap(
    (text) => /^Agreed net .*invoiced is .*: (-?[\d.]+)\.$/.exec(text)?.[1] ?? [],
  );
  return nets.at(-1) ?? null;
}

function differing(agreed: Measure, charged: Charged): string[] {
  const own = sumOf(agreed.charges.map((charge) => charge.net ?? "0"));
  const net = money(charged.net);
  if (agreed.staffNet !== null && !isOver(net, decimal.add(money(agreed.staffNet), own))) return [];
  const beyond = tooMany(charged.lines);
  if (beyond.length > 0) return isMoreForFree(charged) ? [] : beyond;
  const found = pricedOtherwise(agreed, charged, own);
  if (found.length === 0 || money(charged.creditedNet).digits === 0n) return found;
  return agreed.inConflict && !isMendedByCredits(charged, own) ? found : [];
}

function tooMany(lines: readonly ChargedLine[]): string[] {
  const products = [...new Set(lines.map(({ product }) => product))].sort();
  return products.flatMap((product) => {
    const own = lines.filter((line) => line.product === product);
    const stays = decimal.subtract(
      sumOf(own.map(({ invoiced }) => invoiced)),
      sumOf(own.map(({ credited }) => credited)),
    );
    const ordered = sumOf(own.map(({ quantity }) => quantity));
    if (!isOver(stays, ordered)) return [];
    return [
      `Agreed are ${decimal.canonical(ordered)} of ${product}, invoiced are ` +
        `${decimal.canonical(stays)}.`,
    ];
  });
}

/** What was broken on its way is sent once more, and charged at nothing. */
function isMoreForFree(charged: Charged): boolean {
  const goods = decimal.subtract(money(charged.net), larger(ZERO, money(charged.other)));
  const most = charged.lines.map((line) =>
    worth(line, isOver(money(line.invoiced), money(line.quantity)) ? line.quantity : line.invoiced),
  );
  return isWithin(goods, decimal.sum(most), ZERO);
}

function pricedOtherwise(agreed: Measure, charged: Charged, own: Money): string[] {
  const { lines } = charged;
  const net = money(charged.net);
  const slack = slackOf(charged);
  const isWhole = lines.every(
    ({ quantity, invoiced }) => !isOver(money(quantity), money(invoiced)),
  );
  if (isWhole && isWithin(net, money(agreed.net), slack)) return vatOtherwise(agreed, charged);
  if (isWhole && isWithin(net, decimal.subtract(money(agreed.net), own), slack)) return [];
  const other = larger(ZERO, money(charged.other));
  if (isOver(other, own) && isOver(net, decimal.add(money(agreed.net), slack)))
    return [differs("net", agreed.net, charged.net)];
  if (!isPriced(lines)) return [];
  const expected = decimal.sum(lines.map((line) => worth(line, line.invoiced)));
  // An amount off the whole may stand on a line of its own: what is below zero is of the goods.
  const goods = decimal.subtract(net, other);
  if (isWithin(goods, expected, slack)) return [];
  return isWhole
    ? [differs("net", agreed.net, charged.net)]
    : [differs("net of what is invoiced", decimal.format(expected), decimal.format(goods))];
}

function vatOtherwise({ vat, staffVat }: Measure, charged: Charged): string[] {
  const slack = pennies(charged.lines.length * Math.max(1, charged.invoices));
  if (money(charged.creditedNet).digits !== 0n) return [];
  const said = staffVat === null ? [vat] : [vat, staffVat];
  const isSaid = said.some((amount) => isWithin(money(charged.vat), money(amount), slack));
  return isSaid ? [] : [differs("VAT", vat, charged.vat)];
}

/** What was given back makes what stays come to what was agreed for it. */
function isMendedByCredits(charged: Charged, own: Money): boolean {
  const stays = decimal.subtract(money(charged.net), money(charged.creditedNet));
  const expected = decimal.sum(
    charged.lines.map((line) =>
      worth(line, decimal.format(decimal.subtract(money(line.invoiced), money(line.credited)))),
    ),
  );
  return (
    isWithin(stays, decimal.add(expected, own), slackOf(charged)) ||
    isWithin(stays, expected, slackOf(charged))
  );
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

function differs(what: string, agreed: string, invoiced: string): string {
  const by = decimal.format(decimal.subtract(money(invoiced), money(agreed)));
  return `Agreed ${what} is ${agreed}, invoiced is ${invoiced}: ${by}.`;
}

const ZERO: Money = decimal.integer(0, 2);
const larger = (one: Money, other: Money): Money => (isOver(other, one) ? other : one);
const money = (text: string): Money => decimal.parse<"money">(text);
const sumOf = (texts: readonly string[]): Money => decimal.sum(texts.map(money));
const pennies = (many: number): Money => decimal.integer(many, 2);
const isOver = (one: Money, other: Money): boolean => decimal.compare(one, other) > 0;

function isWithin(one: Money, other: Money, slack: Money): boolean {
  const off = decimal.subtract(one, other);
  const size = off.digits < 0n ? decimal.negate(off) : off;
  return !isOver(size, slack);
}
