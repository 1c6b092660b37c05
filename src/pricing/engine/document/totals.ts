/**
 * Document arithmetic: lines, discounts on the document, charges and VAT, each rounded where the
 * system rounds it. A settlement discount is no part of it: it changes neither price nor VAT.
 */
import { decimal } from "../../../model/index.ts";
import type { Rounding } from "../../../model/index.ts";
import type {
  ChargeAmounts,
  DocumentArithmetic,
  DocumentCharge,
  DocumentDiscount,
  DocumentInput,
  DocumentLine,
  DocumentTotals,
  LineAmounts,
  RateAmounts,
} from "./input.ts";
import { multiplyDivide, power } from "../scaled.ts";
import { WHOLE, spread, spreadRounded } from "./spread.ts";

/** Works a document out. Throws a RangeError on amounts that no ledger holds. */
export function computeDocument(input: DocumentInput): DocumentTotals {
  const { arithmetic } = input;
  const places = placesOf(arithmetic);
  const priced = input.lines.map((line) => priceOf(line, arithmetic, places));
  const ranks = ranksOf(input.lines);
  const { amounts, shares, discounts, charged } = discounted(input, priced, ranks);
  const lines = priced.map((line, index) =>
    finished(line, amounts[index]!, shares[index]!, arithmetic, places),
  );
  const charges = (input.charges ?? []).map((charge, index) =>
    chargeOf({ ...charge, amount: charged[index]! }, arithmetic, places),
  );
  const rates = ratesOf(input, lines, charges, places);
  const totals = {
    places,
    lines,
    charges,
    discounts,
    goods: sum(priced.map((line) => line.amount)),
    rates,
    net: sum(rates.map((rate) => rate.net)),
    vat: sum(rates.map((rate) => rate.vat)),
    gross: sum(rates.map((rate) => rate.gross)),
  };
  for (const total of [totals.goods, totals.net, totals.gross])
    if (!Number.isSafeInteger(total))
      throw new RangeError("a document came to more than 9,007,199,254,740,991 units of its money");
  return input.credit === true ? mirrored(totals) : totals;
}

/** Places of a document's amounts: the finer of line and VAT. */
export function placesOf({ lineNet, vat }: DocumentArithmetic): number {
  return Math.max(lineNet.scale, vat.scale);
}

interface Priced {
  readonly line: DocumentLine;
  /** In the document's basis with 6 places. */
  readonly price: number;
  readonly full: number;
  /** After the line's own discount. */
  readonly reduced: number;
  /** After promotions. */
  readonly amount: number;
  /** What it costs is just its price times its quantity, less its discount. */
  readonly isPrice: boolean;
}

const PRICE_PLACES = 6;

function priceOf(line: DocumentLine, arithmetic: DocumentArithmetic, places: number): Priced {
  const discount = line.discountPercent ?? 0;
  const given = inBasis(line, arithmetic);
  const onUnit = arithmetic.discount === "unit" ? discount : 0;
  const price = roundedUnit(given, WHOLE - onUnit, arithmetic.unitPrice);
  const undiscounted = onUnit === 0 ? price : roundedUnit(given, WHOLE, arithmetic.unitPrice);
  const full = lineAmount(undiscounted, line, arithmetic.lineNet, places);
  const own = reducedLine(full, price, line, arithmetic, places);
  const reduced = line.amount ?? own;
  const amount = reduced - Math.min(line.lowered ?? 0, reduced);
  return { line, price, full, reduced, amount, isPrice: reduced === own };
}

/** The price given, with the VAT that the document's prices have. */
function inBasis({ price, priceIncludes, vatRate }: DocumentLine, { prices }: DocumentArithmetic) {
  if (priceIncludes === undefined) return price;
  const wanted = prices === "inclusive" ? vatRate : 0;
  return wanted === priceIncludes
    ? price
    : multiplyDivide(price, WHOLE + wanted, WHOLE + priceIncludes, "half-away");
}

function roundedUnit(price: number, keeps: number, { scale, mode }: Rounding): number {
  const divisor = power(PRICE_PLACES - scale);
  return multiplyDivide(price, keeps, WHOLE * divisor, mode) * divisor;
}

function lineAmount(price: number, line: DocumentLine, lineNet: Rounding, places: number): number {
  const { scale, mode } = lineNet;
  const divisor = line.perPricingUnit * power(PRICE_PLACES - scale);
  return multiplyDivide(price, line.quantity, divisor, mode) * power(places - scale);
}

function reducedLine(
  full: number,
  price: number,
  line: DocumentLine,
  arithmetic: DocumentArithmetic,
  places: number,
): number {
  const discount = line.discountPercent ?? 0;
  const { lineNet } = arithmetic;
  switch (arithmetic.discount) {
    case "unit":
      return discount === 0 ? full : lineAmount(price, line, lineNet, places);
    case "line":
      return part(full, WHOLE - discount, WHOLE, lineNet, places);
    case "difference":
      return full - part(full, discount, WHOLE, lineNet, places);
    default:
      return arithmetic.discount satisfies never;
  }
}

/** `amount × share ÷ whole`, kept at the places of the rounding. */
function part(
  amount: number,
  share: number,
  whole: number,
  { scale, mode }: Rounding,
  places: number,
): number {
  const unit = power(places - scale);
  return multiplyDivide(amount, share, whole * unit, mode) * unit;
}

interface Discounted {
  /** By line, after the document's discounts. */
  readonly amounts: readonly number[];
  readonly shares: readonly number[];
  readonly discounts: readonly number[];
  /** By charge, after discounts on the carriage. */
  readonly charged: readonly number[];
}

function discounted(
  { arithmetic, discounts = [], charges = [] }: DocumentInput,
  priced: readonly Priced[],
  ranks: readonly number[],
): Discounted {
  const places = placesOf(arithmetic);
  const unit = power(places - arithmetic.lineNet.scale);
  let amounts = priced.map((line) => line.amount);
  let charged = charges.map((charge) => charge.amount);
  const fall = arithmetic.documentDiscount === "proportional" ? spreadRounded : spread;
  const taken = discounts.map((discount) => {
    if (discount.off === "carriage") {
      if (sum(amounts) < (discount.from ?? -Infinity)) return 0;
      const sent = charges.map(({ carriage }, index) => (carriage ? charged[index]! : 0));
      const off = discountOff(sum(sent), { ...discount, from: -Infinity }, arithmetic, places);
      const parts = fall(off, sent, [...sent.keys()]);
      charged = charged.map((amount, index) => amount - parts[index]!);
      return off;
    }
    const off = discountOff(sum(amounts), discount, arithmetic, places);
    const weights = unit === 1 ? amounts : amounts.map((amount) => Math.round(amount / unit));
    // Below 0: a surcharge on the document.
    const sign = off < 0 ? -unit : unit;
    const parts = fall(off / sign, weights, ranks);
    amounts = amounts.map((amount, line) => amount - parts[line]! * sign);
    return off;
  });
  const shares = priced.map((line, index) => line.amount - amounts[index]!);
  return { amounts, shares, discounts: taken, charged };
}

/** What a discount takes off goods of this amount, at the places of a line's net. */
export function discountOff(
  goods: number,
  discount: DocumentDiscount,
  arithmetic: DocumentArithmetic,
  places: number,
): number {
  if (goods < (discount.from ?? -Infinity) || goods <= 0) return 0;
  switch (discount.kind) {
    case "percent":
      return Math.min(goods, part(goods, discount.percent, WHOLE, arithmetic.lineNet, places));
    case "amount":
      return Math.min(goods, Math.max(0, discount.amount));
    case "total":
      return Math.max(0, goods - Math.max(0, discount.amount));
    default:
      return discount satisfies never;
  }
}

function finished(
  priced: Priced,
  amount: number,
  documentDiscount: number,
  arithmetic: DocumentArithmetic,
  places: number,
): LineAmounts {
  const { line, price, full, reduced, isPrice } = priced;
  const { net, vat, gross } = withVat(amount, line.vatRate, arithmetic, places);
  const isWhole = amount === reduced && isPrice && arithmetic.gross === "own";
  return {
    price,
    full,
    discount: full - reduced,
    lowered: reduced - priced.amount,
    documentDiscount,
    net,
    vat,
    gross: isWhole ? ownGross(priced, arithmetic, places) : gross,
  };
}

/** Net, VAT and gross of an amount in the document's basis. */
function withVat(
  amount: number,
  rate: number,
  { prices, vat: rounding, lineNet }: DocumentArithmetic,
  places: number,
): ChargeAmounts {
  if (prices === "inclusive") {
    const net = part(amount, WHOLE, WHOLE + rate, lineNet, places);
    return { net, vat: amount - net, gross: amount };
  }
  const vat = part(amount, rate, WHOLE, rounding, places);
  return { net: amount, vat, gross: amount + vat };
}

/** Gross of a line from its unrounded net: it can be a penny from net and VAT together. */
function ownGross({ line, price }: Priced, arithmetic: DocumentArithmetic, places: number): number {
  const { scale, mode } = arithmetic.vat;
  const onLine = arithmetic.discount === "unit" ? 0 : (line.discountPercent ?? 0);
  const vat = arithmetic.prices === "inclusive" ? 0 : line.vatRate;
  const exact =
    BigInt(price) * BigInt(line.quantity) * BigInt(WHOLE - onLine) * BigInt(WHOLE + vat);
  const divisor =
    BigInt(line.perPricingUnit) * BigInt(WHOLE) * BigInt(WHOLE) * BigInt(power(6 - scale));
  return Number(decimal.divideRounded(exact, divisor, mode)) * power(places - scale);
}

function chargeOf(
  { amount, vatRate, includesVat }: DocumentCharge,
  arithmetic: DocumentArithmetic,
  places: number,
): ChargeAmounts {
  const prices =
    includesVat === undefined ? arithmetic.prices : includesVat ? "inclusive" : "exclusive";
  // Worked out without its sign, so that an allowance mirrors a charge.
  const { net, vat, gross } = withVat(Math.abs(amount), vatRate, { ...arithmetic, prices }, places);
  return amount < 0 ? { net: -net, vat: -vat, gross: -gross } : { net, vat, gross };
}

function ratesOf(
  input: DocumentInput,
  lines: readonly LineAmounts[],
  charges: readonly ChargeAmounts[],
  places: number,
): RateAmounts[] {
  const sums = new Map<number, { net: number; vat: number; gross: number }>();
  const add = (rate: number, amounts: ChargeAmounts): void => {
    const sum = sums.get(rate) ?? { net: 0, vat: 0, gross: 0 };
    sum.net += amounts.net;
    sum.vat += amounts.vat;
    sum.gross += amounts.gross;
    sums.set(rate, sum);
  };
  lines.forEach((line, index) => add(input.lines[index]!.vatRate, line));
  charges.forEach((charge, index) => add(input.charges![index]!.vatRate, charge));
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([vatRate, sum]) => ({ vatRate, ...onDocument(sum, vatRate, input.arithmetic, places) }));
}

/** The amounts of one rate: as they are per line, or VAT anew from the document's net. */
function onDocument(
  amounts: ChargeAmounts,
  rate: number,
  arithmetic: DocumentArithmetic,
  places: number,
): ChargeAmounts {
  if (arithmetic.vat.per === "line") return amounts;
  const basis = arithmetic.prices === "inclusive" ? amounts.gross : amounts.net;
  const whole = withVat(Math.abs(basis), rate, arithmetic, places);
  return basis < 0 ? { net: -whole.net, vat: -whole.vat, gross: -whole.gross } : whole;
}

/**
 * Each line's place in an order by content alone: what decides a penny between lines that weigh the
 * same.
 */
function ranksOf(lines: readonly DocumentLine[]): number[] {
  const order = lines.map((_, index) => index);
  order.sort((a, b) => compareContent(lines[a]!, lines[b]!));
  const ranks: number[] = Array.from({ length: lines.length });
  order.forEach((line, rank) => {
    ranks[line] = rank;
  });
  return ranks;
}

function compareContent(a: DocumentLine, b: DocumentLine): number {
  return (
    a.vatRate - b.vatRate ||
    a.price - b.price ||
    a.quantity - b.quantity ||
    a.perPricingUnit - b.perPricingUnit ||
    (a.discountPercent ?? 0) - (b.discountPercent ?? 0) ||
    (a.lowered ?? 0) - (b.lowered ?? 0)
  );
}

function mirrored(totals: DocumentTotals): DocumentTotals {
  const minus = <Amounts extends object>(amounts: Amounts): Amounts =>
    Object.fromEntries(
      Object.entries(amounts).map(([name, value]) => [
        name,
        name === "price" || name === "vatRate" || typeof value !== "number"
          ? value
          : negated(value),
      ]),
    ) as Amounts;
  return {
    ...minus({ ...totals, places: 0 }),
    places: totals.places,
    lines: totals.lines.map(minus),
    charges: totals.charges.map(minus),
    discounts: totals.discounts.map(negated),
    rates: totals.rates.map(minus),
  };
}

function negated(value: number): number {
  return value === 0 ? 0 : -value;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Percent saved, as a shop shows it beside a lower price ("save 30%"): with so many places, never
 * more than is saved.
 */
export function savedPercent(before: number, after: number, places = 0): number {
  return before <= 0 || after >= before
    ? 0
    : multiplyDivide(before - after, 100 * power(places), before, "down");
}
