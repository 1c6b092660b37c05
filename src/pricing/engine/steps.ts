/** The arithmetic of an answer, step by step, with what was rounded where. */
import { decimal } from "../../model/index.ts";
import type { Decimal, Rounding } from "../../model/index.ts";
import { lineValue, reductionOf } from "./amounts.ts";
import type { Reduction } from "./amounts.ts";
import { TERMS } from "./book.ts";
import { costOf } from "./candidate.ts";
import { fine, takenOff } from "./chain.ts";
import type { Link } from "./chain.ts";
import type { Enquiry } from "./enquiry.ts";
import { entryOf, quantityText } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { formulaSteps } from "./formula.ts";
import { tiersOf } from "./incremental.ts";
import type { PriceFormula } from "./masters.ts";
import { scaledOf, shortTextOf } from "./scaled.ts";
import { STRIDE } from "./terms.ts";
import { vatReasons } from "./vat-words.ts";
import {
  baseHeadOf,
  discountText,
  fineMoneyText,
  grouped,
  moneyText,
  nameOf,
  ruleText,
} from "./words.ts";

/** Lines from the rule to the VAT; none when there is no price. */
export function arithmeticOf(enquiry: Enquiry): string[] {
  const { found, book, line } = enquiry;
  if (found.price < 0 || found.doubt !== null) return [];
  const { unitPrice } = book.policy.arithmetic;
  const currency = book.currencies[enquiry.currency]!;
  const price = `${moneyText(found.price, unitPrice.scale, currency)} per ${priceUnit(enquiry)}`;
  const unit = book.units[line.unit]!;
  const each = Number.isNaN(line.netPer) ? "1" : shortTextOf(line.netPer, 5);
  const holds = each === "1" ? "" : ` (${grouped(each)} ${unit})`;
  const asked = `${grouped(quantityText(line.netQuantity) ?? "")} ${unit}`;
  return [
    ...unitPriceLines(enquiry, price),
    ...lineLines(enquiry, `${asked} at ${price}${holds}`, asked),
    ...vatReasons(enquiry),
    vatLine(enquiry),
    roundingLine(enquiry),
  ];
}

/** From the unit price to the value of the line. */
function lineLines(enquiry: Enquiry, usual: string, asked: string): string[] {
  const { found, book, line } = enquiry;
  const { lineNet, discount, prices, unitPrice } = book.policy.arithmetic;
  const inclusive = prices === "inclusive";
  const value = inclusive && found.vat > 0 ? grossOf(enquiry) : found.net;
  const net: Decimal = { digits: BigInt(value), scale: lineNet.scale };
  const comes = (exact: Decimal | null) =>
    `${roundedText(enquiry, exact, net)}${inclusive ? " with VAT" : ""}`;
  const tiers = tierLines(enquiry);
  if (tiers.length > 0) return [...tiers, `${asked} in all: ${comes(null)}`];
  const reduced = discount === "unit" ? null : reductionOf(enquiry);
  if (reduced !== null) return reducedLines(enquiry, reduced, net, asked);
  const price = { digits: BigInt(found.price), scale: unitPrice.scale };
  const times = decimal.multiply(price, { digits: BigInt(line.netQuantity), scale: 0 });
  return [`${usual}: ${comes(quotientOf(times, BigInt(line.netPer)))}`];
}

/** The line in full, and less its discounts. */
function reducedLines(
  enquiry: Enquiry,
  { full, left }: Reduction,
  net: Decimal,
  asked: string,
): string[] {
  const { arithmetic } = enquiry.book.policy;
  const currency = enquiry.book.currencies[enquiry.currency]!;
  const money = (value: Decimal) => exactText(value, currency);
  const whole = { digits: lineValue(enquiry, full), scale: arithmetic.lineNet.scale };
  const exact =
    full.digits === 0n ? null : quotientOf(decimal.multiply(whole, left), full.digits, full.scale);
  const inFull = `${asked} at ${money(full)} per ${priceUnit(enquiry)} in full: ${money(whole)}`;
  const off = `Less the discounts, ${money(decimal.subtract(full, left))} on each ${money(full)}`;
  if (arithmetic.discount === "line" || exact === null)
    return [inFull, `${off}: ${roundedText(enquiry, exact, net)}`];
  const taken = roundedText(enquiry, decimal.subtract(whole, exact), decimal.subtract(whole, net));
  return [inFull, `${off}: ${taken}; that leaves ${money(net)}`];
}

/** Digits ÷ divisor with 8 places; exact wherever a person could write it down. */
function quotientOf(value: Decimal, divisor: bigint, scale = 0): Decimal {
  const digits = decimal.digitsAt(value, value.scale + 8) * 10n ** BigInt(scale);
  return decimal.round(
    { digits: decimal.divideRounded(digits, divisor, "half-away"), scale: value.scale + 8 },
    { scale: 8, mode: "half-away" },
  );
}

/** "£284.7816, rounded £284.78"; where nothing is to be rounded the one figure. */
function roundedText(enquiry: Enquiry, exact: Decimal | null, rounded: Decimal): string {
  const currency = enquiry.book.currencies[enquiry.currency]!;
  const shown = exactText(rounded, currency);
  if (exact === null || decimal.compare(exact, rounded) === 0) return shown;
  return `${exactText(exact, currency)}, rounded ${shown}`;
}

function grossOf({ found, book }: Enquiry): number {
  const { lineNet, vat } = book.policy.arithmetic;
  return found.net + Math.round(found.vat * 10 ** (lineNet.scale - vat.scale));
}

/** Each tier of incremental breaks. */
function tierLines(enquiry: Enquiry): string[] {
  const { found, book } = enquiry;
  if (book.policy.breaks !== "incremental" || found.entry < 0 || found.links !== null) return [];
  const tiers = tiersOf(enquiry, found.entry);
  if (typeof tiers === "number" || tiers.length < 2) return [];
  const currency = book.currencies[enquiry.currency]!;
  return tiers.toReversed().map(({ units, price }) => {
    const amount = grouped(quantityText(units) ?? "");
    return `${amount} of them at ${fineMoneyText(price, currency)} per ${priceUnit(enquiry)}`;
  });
}

function vatLine(enquiry: Enquiry): string {
  const { found, book } = enquiry;
  const { vat, lineNet, prices } = book.policy.arithmetic;
  const code = book.vatCodes[found.vatCode] ?? "(none)";
  if (found.vat < 0) return `VAT: code ${code} has no rate in the settings on the day`;
  const rate = shortTextOf(found.vatRate, 4);
  const net: Decimal = { digits: BigInt(found.net), scale: lineNet.scale };
  const amount: Decimal = { digits: BigInt(found.vat), scale: vat.scale };
  const currency = book.currencies[enquiry.currency]!;
  if (prices === "inclusive")
    return `VAT ${code} at ${rate}% in it: ${exactText(amount, currency)}; net ${exactText(net, currency)}`;
  const exact = decimal.multiply(net, { digits: BigInt(found.vatRate), scale: 6 });
  const together =
    vat.per === "rate"
      ? `; on a document it is worked out of all its lines at ${rate}% together`
      : "";
  return `VAT ${code} at ${rate}% of ${exactText(net, currency)}: ${roundedText(enquiry, exact, amount)}${together}`;
}

/** From the rule that won to the unit price. */
function unitPriceLines(enquiry: Enquiry, price: string): string[] {
  const { found } = enquiry;
  if (found.links !== null && found.links.length > 1) return linkLines(enquiry, found.links, price);
  if (found.table < 0)
    return [baseLine(enquiry), `${discountText(found.value)}: ${takenText(enquiry)}`];
  const entry = entryOf(enquiry, found);
  const rule = ruleText(enquiry, entry);
  if (entry.formula !== null) return formulaLines(enquiry, entry, `${rule}: ${price}`);
  switch (entry.kind) {
    case "percent":
    case "amount":
      return [baseLine(enquiry), `${rule}: ${takenText(enquiry)}`];
    case "markup":
      return [costLine(enquiry), `${rule}: ${markedText(enquiry, entry)}`];
    case "fixed":
    case "multi-buy":
    case "free-goods":
    case "threshold":
    case "on-request":
    case "buy-get":
    case "bundle":
      return [isExact(enquiry, entry) ? rule : `${rule}: that is ${price}`];
    default:
      return entry.kind satisfies never;
  }
}

/** "£24.85 − £1.11825 = £23.73175, rounded £23.7318 per BOX". */
function takenText(enquiry: Enquiry): string {
  const { found } = enquiry;
  const base = fine(found.base);
  const off = takenOff(enquiry, found, base);
  if (typeof off === "number") return priceText(enquiry, null);
  const currency = enquiry.book.currencies[enquiry.currency]!;
  return `${lessText(base, off, currency)} = ${priceText(enquiry, decimal.subtract(base, off))}`;
}

function lessText(from: Decimal, off: Decimal, currency: string): string {
  return off.digits < 0n
    ? `${exactText(from, currency)} + ${exactText(decimal.negate(off), currency)}`
    : `${exactText(from, currency)} − ${exactText(off, currency)}`;
}

/** "£10.00 × 120% = £12.00 per EACH". */
function markedText(enquiry: Enquiry, { value }: Entry): string {
  const cost = costOf(enquiry);
  if (cost < 0 || value === null) return priceText(enquiry, null);
  const percent = decimal.add(decimal.parse<"percent">(value), decimal.integer<"percent">(100));
  const exact = decimal.percentOf(fine(cost), percent);
  const currency = enquiry.book.currencies[enquiry.currency]!;
  return `${exactText(fine(cost), currency)} × ${decimal.canonical(percent)}% = ${priceText(enquiry, exact)}`;
}

/** The unit price, with what it was before it was rounded. */
function priceText(enquiry: Enquiry, exact: Decimal | null): string {
  const { scale } = enquiry.book.policy.arithmetic.unitPrice;
  const price: Decimal = { digits: BigInt(enquiry.found.price), scale };
  return `${roundedText(enquiry, exact, price)} per ${priceUnit(enquiry)}`;
}

/** Every rule that has a part in the price, with what it left. */
function linkLines(enquiry: Enquiry, links: readonly Link[], price: string): string[] {
  const { book } = enquiry;
  const currency = book.currencies[enquiry.currency]!;
  const unit = priceUnit(enquiry);
  const lines = links.map((link, at) => {
    const entry = link.table < 0 ? null : entryOf(enquiry, link);
    const rule = entry === null ? discountText(link.value) : ruleText(enquiry, entry);
    const left = exactText(link.exact, currency);
    // A price is told by what it comes to; a discount by what it takes off.
    if (link.does === "set" && entry !== null) return `${nameOf(entry)}: ${left} per ${unit}`;
    const before = links[at - 1]?.exact ?? link.of;
    const off = decimal.subtract(before, link.exact);
    const isApart = decimal.compare(link.of, before) !== 0;
    const of = isApart ? `, off ${exactText(link.of, currency)}` : "";
    return `${rule}${of}: ${lessText(before, off, currency)} = ${left}`;
  });
  const last = links.at(-1)?.exact ?? null;
  const { scale } = book.policy.arithmetic.unitPrice;
  const found: Decimal = { digits: BigInt(enquiry.found.price), scale };
  const isSame = last !== null && decimal.compare(last, found) === 0;
  return isSame ? lines : [...lines, `Unit price: rounded ${price}`];
}

/** What the price is taken off, and each thing that the formula does to it with what that gives. */
function formulaLines(enquiry: Enquiry, entry: Entry, last: string): string[] {
  const { book, found } = enquiry;
  const known = book.formulaOf.get(entry.formula ?? "");
  if (known === undefined) return [last];
  const isOffCost = entry.kind === "markup" || known.basis === "cost";
  const isOffBase = !isOffCost && known.basis === "base" && found.base >= 0;
  const basis = isOffCost ? fine(costOf(enquiry)) : isOffBase ? fine(found.base) : null;
  const row = (found.word & TERMS) * STRIDE;
  const steps = basis === null ? -1 : formulaSteps(enquiry, known, basis, found.value, row);
  if (typeof steps === "number") return [formulaText(known), last];
  const currency = book.currencies[enquiry.currency]!;
  const gives = (amount: Decimal) => `: ${exactText(amount, currency)}`;
  return [
    isOffCost ? costLine(enquiry) : baseLine(enquiry),
    `${ruleText(enquiry, entry)}${gives(steps.start)}`,
    ...(known.roundTo === null ? [] : [`${roundingText(known)}${gives(steps.rounded)}`]),
    ...(known.adjustment === null ? [] : [`${adjustmentText(known)}${gives(steps.adjusted)}`]),
    ...marginTexts(known).map((text) => `${text}${gives(steps.kept)}`),
    `Unit price: ${priceText(enquiry, steps.kept)}`,
  ];
}

/** The formula in words, where what it starts from is not at hand any more. */
function formulaText(formula: PriceFormula): string {
  const { basis, priceList } = formula;
  const off = basis === "price-list" ? `the price on list ${priceList ?? ""}` : BASES[basis];
  const parts = [
    `Formula ${formula.formula}: off ${off}`,
    ...(formula.roundTo === null ? [] : [roundingText(formula)]),
    ...(formula.adjustment === null ? [] : [adjustmentText(formula)]),
    ...marginTexts(formula),
  ];
  return parts.join("; ");
}

const BASES: Readonly<Record<Exclude<PriceFormula["basis"], "price-list">, string>> = {
  base: "the base price",
  standard: "the standard price",
  cost: "the cost",
  running: "what the steps before came to",
};

const shortFigure = (text: string | null) => decimal.canonical(decimal.parse(text ?? "0"));

function roundingText({ formula, rounding, roundTo }: PriceFormula): string {
  const how = rounding === "nearest" ? "to the nearest" : `${rounding} to a`;
  return `Formula ${formula}: rounded ${how} multiple of ${shortFigure(roundTo)}`;
}

function adjustmentText({ adjustment }: PriceFormula): string {
  const figure = shortFigure(adjustment);
  return figure.startsWith("-") ? `then ${figure.slice(1)} less` : `then ${figure} more`;
}

function marginTexts({ basis, leastMargin, mostMargin }: PriceFormula): string[] {
  const above = `above ${basis === "price-list" ? "that list" : BASES[basis]}`;
  return [
    ...(leastMargin === null ? [] : [`at least ${shortFigure(leastMargin)} ${above}`]),
    ...(mostMargin === null ? [] : [`at most ${shortFigure(mostMargin)} ${above}`]),
  ];
}

/** An exact amount with the places that it needs, at least pence. */
function exactText(exact: Decimal, currency: string): string {
  const shown = exact.scale > 8 ? decimal.round(exact, { scale: 8, mode: "half-away" }) : exact;
  const short = decimal.canonical(shown);
  const places = Math.max(2, short.split(".")[1]?.length ?? 0);
  return moneyText(Number(decimal.digitsAt(decimal.parse(short), places)), places, currency);
}

/** Whether a fixed price is the unit price as the rule says it. */
function isExact({ book, found, line }: Enquiry, { unit, value }: Entry): boolean {
  const own = book.units[book.products.pricingUnit[line.product]!];
  return (
    (unit ?? own) === book.units[line.priceUnit] &&
    value !== null &&
    scaledOf(value, book.policy.arithmetic.unitPrice.scale) === found.price
  );
}

function baseLine(enquiry: Enquiry): string {
  const { found, book } = enquiry;
  const base = fineMoneyText(found.base, book.currencies[enquiry.currency]!);
  return `${nameOf(baseHeadOf(enquiry))}: ${base} per ${priceUnit(enquiry)}`;
}

function costLine(enquiry: Enquiry): string {
  const { book, line } = enquiry;
  const cost = fineMoneyText(book.products.cost[line.product]!, book.currencies[book.ownCurrency]!);
  return `Cost: ${cost} per ${book.units[book.products.pricingUnit[line.product]!]!}`;
}

function priceUnit({ book, line }: Enquiry): string {
  return book.units[line.priceUnit]!;
}

/** "Rounded: unit price to 4 places, line and VAT to 2; halves away from zero". */
function roundingLine({ book }: Enquiry): string {
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  const parts = [
    { what: "unit price", how: unitPrice },
    { what: "line", how: lineNet },
    { what: "VAT", how: vat },
  ];
  const same = new Set(parts.map(({ how }) => how.mode)).size === 1;
  const texts = parts.map(({ what, how }) =>
    same ? `${what} to ${how.scale} places` : `${what} to ${how.scale} places ${MODES[how.mode]}`,
  );
  return `Rounding: ${texts.join(", ")}${same ? `; ${MODES[unitPrice.mode]}` : ""}`;
}

const MODES: Readonly<Record<Rounding["mode"], string>> = {
  "half-away": "halves up, away from zero",
  "half-even": "halves to the even digit",
  "half-up": "halves up",
  down: "always down",
  up: "always up",
};
