/** The arithmetic of an answer, step by step, with what was rounded where. */
import type { PriceBook } from "./book.ts";
import type { Rounding } from "../../model/index.ts";
import type { Enquiry } from "./enquiry.ts";
import { entryOf, quantityText } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { scaledOf, shortTextOf } from "./scaled.ts";
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
export function arithmeticOf(enquiry: Enquiry, product: number, quantity: number): string[] {
  const { found, book } = enquiry;
  if (found.price < 0) return [];
  const { lineNet, vat, unitPrice } = book.policy.arithmetic;
  const currency = book.currencies[enquiry.currency]!;
  const sellingUnit = book.units[book.products.sellingUnit[product]!]!;
  const each = shortTextOf(book.products.perPricingUnit[product]!, 5);
  const price = `${moneyText(found.price, unitPrice.scale, currency)} per ${pricingUnit(book, product)}`;
  const holds = each === "1" ? "" : ` (${grouped(each)} ${sellingUnit})`;
  const net = moneyText(found.net, lineNet.scale, currency);
  return [
    ...unitPriceLines(enquiry, product, price),
    `${grouped(quantityText(quantity) ?? "")} ${sellingUnit} at ${price}${holds}: ${net}, ${how(lineNet)}`,
    vatLine(enquiry, net, vat, currency),
  ];
}

function vatLine({ found, book }: Enquiry, net: string, lineVat: Rounding, currency: string) {
  const code = book.vatCodes[found.vatCode] ?? "(none)";
  if (found.vat < 0) return `VAT: code ${code} has no rate in the settings`;
  const rate = shortTextOf(book.vatRates[found.vatCode]!, 4);
  const vat = moneyText(found.vat, lineVat.scale, currency);
  return `VAT ${code} at ${rate}% of ${net}: ${vat}, ${how(lineVat)}`;
}

/** From the rule that won to the unit price. */
function unitPriceLines(enquiry: Enquiry, product: number, price: string): string[] {
  const { found, book } = enquiry;
  const rounded = how(book.policy.arithmetic.unitPrice);
  if (found.table < 0)
    return [baseLine(enquiry, product), `${discountText(found.value)}: ${price}, ${rounded}`];
  const entry = entryOf(enquiry, found);
  const rule = ruleText(enquiry, entry);
  switch (entry.kind) {
    case "percent":
    case "amount":
      return [baseLine(enquiry, product), `${rule}: ${price}, ${rounded}`];
    case "markup":
      return [costLine(book, product), `${rule}: ${price}, ${rounded}`];
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

/** Whether a fixed price is the unit price as it stands. */
function isExact({ policy }: PriceBook, { unit, value }: Entry): boolean {
  return (
    unit === null &&
    value !== null &&
    scaledOf(value, policy.arithmetic.unitPrice.scale) !== undefined
  );
}

function baseLine(enquiry: Enquiry, product: number): string {
  const { found, book } = enquiry;
  const base = fineMoneyText(found.base, book.currencies[enquiry.currency]!);
  return `${nameOf(baseHeadOf(enquiry))}: ${base} per ${pricingUnit(book, product)}`;
}

function costLine(book: PriceBook, product: number): string {
  const cost = fineMoneyText(book.products.cost[product]!, book.currencies[book.ownCurrency]!);
  return `Cost: ${cost} per ${pricingUnit(book, product)}`;
}

function pricingUnit(book: PriceBook, product: number): string {
  return book.units[book.products.pricingUnit[product]!]!;
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
