/** The arithmetic of an answer, step by step, with what was rounded where. */
import type { PriceBook } from "./book.ts";
import { decimal } from "../../model/index.ts";
import type { Decimal, Rounding } from "../../model/index.ts";
import { reductionOf } from "./amounts.ts";
import type { Link } from "./chain.ts";
import type { Enquiry } from "./enquiry.ts";
import { entryOf, quantityText } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { tiersOf } from "./incremental.ts";
import { scaledOf, shortTextOf } from "./scaled.ts";
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
  if (found.price < 0) return [];
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
    vatLine(enquiry, currency),
  ];
}

/** From the unit price to the value of the line. */
function lineLines(enquiry: Enquiry, usual: string, asked: string): string[] {
  const { found, book } = enquiry;
  const { lineNet, discount, prices } = book.policy.arithmetic;
  const currency = book.currencies[enquiry.currency]!;
  const inclusive = prices === "inclusive";
  const value = inclusive && found.vat > 0 ? grossOf(enquiry) : found.net;
  const comes = `${moneyText(value, lineNet.scale, currency)}${inclusive ? " with VAT" : ""}`;
  const tiers = tierLines(enquiry);
  if (tiers.length > 0) return [...tiers, `${asked} in all: ${comes}, ${how(lineNet)}`];
  const reduced = discount === "unit" ? null : reductionOf(enquiry);
  if (reduced === null) return [`${usual}: ${comes}, ${how(lineNet)}`];
  const full = exactText(reduced.full, currency);
  const way =
    discount === "line"
      ? "the full value rounded, less the discount rounded once more"
      : "the full value and the discount each rounded, and the one taken off the other";
  return [`${asked} at ${full} in full, less the discount: ${comes}, ${way}, ${how(lineNet)}`];
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

function vatLine({ found, book }: Enquiry, currency: string) {
  const { vat, lineNet, prices } = book.policy.arithmetic;
  const code = book.vatCodes[found.vatCode] ?? "(none)";
  if (found.vat < 0) return `VAT: code ${code} has no rate in the settings on the day`;
  const rate = shortTextOf(found.vatRate, 4);
  const net = moneyText(found.net, lineNet.scale, currency);
  const amount = moneyText(found.vat, vat.scale, currency);
  return prices === "inclusive"
    ? `VAT ${code} at ${rate}% in it: ${amount}, ${how(vat)}; net ${net}`
    : `VAT ${code} at ${rate}% of ${net}: ${amount}, ${how(vat)}`;
}

/** From the rule that won to the unit price. */
function unitPriceLines(enquiry: Enquiry, price: string): string[] {
  const { found, book } = enquiry;
  const rounded = how(book.policy.arithmetic.unitPrice);
  if (found.links !== null && found.links.length > 1) return linkLines(enquiry, found.links, price);
  if (found.table < 0)
    return [baseLine(enquiry), `${discountText(found.value)}: ${price}, ${rounded}`];
  const entry = entryOf(enquiry, found);
  const rule = ruleText(enquiry, entry);
  if (entry.formula !== null) return formulaLines(enquiry, entry, `${rule}: ${price}, ${rounded}`);
  switch (entry.kind) {
    case "percent":
    case "amount":
      return [baseLine(enquiry), `${rule}: ${price}, ${rounded}`];
    case "markup":
      return [costLine(enquiry), `${rule}: ${price}, ${rounded}`];
    case "fixed":
    case "multi-buy":
    case "free-goods":
    case "threshold":
    case "on-request":
    case "buy-get":
    case "bundle":
      return [isExact(book, entry) ? rule : `${rule}: ${price}, ${rounded}`];
    default:
      return entry.kind satisfies never;
  }
}

/** Every rule that has a part in the price, with what it left. */
function linkLines(enquiry: Enquiry, links: readonly Link[], price: string): string[] {
  const { book } = enquiry;
  const currency = book.currencies[enquiry.currency]!;
  const lines = links.map((link) => {
    const entry = link.table < 0 ? null : entryOf(enquiry, link);
    const rule = entry === null ? discountText(link.value) : ruleText(enquiry, entry);
    // A price is told by what it comes to; a discount by what it takes off.
    const name = entry !== null && link.does === "set" ? nameOf(entry) : rule;
    const left = exactText(link.exact, currency);
    return link.does === "set"
      ? `${name}: ${left} per ${priceUnit(enquiry)}`
      : `${name}, off ${exactText(link.of, currency)}: leaves ${left}`;
  });
  return [...lines, `Unit price: ${price}, ${how(book.policy.arithmetic.unitPrice)}`];
}

function formulaLines(enquiry: Enquiry, { formula }: Entry, last: string): string[] {
  const { book, found } = enquiry;
  const known = book.formulaOf.get(formula ?? "");
  if (known === undefined) return [last];
  const basis = known.basis === "price-list" ? `list ${known.priceList ?? ""}` : known.basis;
  const parts = [
    `Formula ${known.formula}: off the ${basis === "base" ? "base price" : basis}`,
    known.roundTo === null ? "" : `rounded ${known.rounding} to a multiple of ${known.roundTo}`,
    known.adjustment === null ? "" : `then ${known.adjustment} added`,
    known.leastMargin === null ? "" : `at least ${known.leastMargin} above it`,
    known.mostMargin === null ? "" : `at most ${known.mostMargin} above it`,
  ];
  const words = parts.filter((part) => part !== "").join(", ");
  const isOffBase = (known.basis === "base" || known.basis === "running") && found.base >= 0;
  return [...(isOffBase ? [baseLine(enquiry)] : []), words, last];
}

/** An exact price with the places that it needs, at least 4. */
function exactText(exact: Decimal, currency: string): string {
  const shown = exact.scale > 8 ? decimal.round(exact, { scale: 8, mode: "half-away" }) : exact;
  const short = decimal.canonical(shown);
  const places = Math.max(4, short.split(".")[1]?.length ?? 0);
  return moneyText(Number(decimal.digitsAt(decimal.parse(short), places)), places, currency);
}

/** Whether a fixed price is the unit price as it stands. */
function isExact({ policy }: PriceBook, { unit, value }: Entry): boolean {
  return (
    unit === null &&
    value !== null &&
    scaledOf(value, policy.arithmetic.unitPrice.scale) !== undefined
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

function how({ scale, mode }: Rounding): string {
  return `rounded ${MODES[mode]} to ${scale} places`;
}

const MODES: Readonly<Record<Rounding["mode"], string>> = {
  "half-away": "half away from zero",
  "half-even": "half to even",
  "half-up": "half up",
  down: "towards zero",
  up: "away from zero",
};
