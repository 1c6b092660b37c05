/** Line net and VAT from the unit price, each rounded once as the policy says. */
import { decimal } from "../../model/index.ts";
import type { Decimal } from "../../model/index.ts";
import { TERMS } from "./book.ts";
import { isReduction } from "./candidate.ts";
import { fine, takenOff } from "./chain.ts";
import { doubt } from "./enquiry.ts";
import type { Enquiry } from "./enquiry.ts";
import { tiersOf, totalOf } from "./incremental.ts";
import { multiplyDivide, power } from "./scaled.ts";
import * as terms from "./terms.ts";

/** Fills in net, VAT and what doubts remain once the unit price is found. */
export function workOutAmounts(enquiry: Enquiry, productCode: number): void {
  const { found, book, line } = enquiry;
  findVat(enquiry, productCode);
  found.net = 0;
  found.vat = 0;
  if (found.price < 0) {
    doubt(enquiry, "no-price", -1);
    return;
  }
  if (Number.isNaN(line.netPer)) {
    doubt(enquiry, "pricing-unit-unknown", -1);
    return;
  }
  if (book.program.amounts.plain && plainAmounts(enquiry)) return;
  const value = valueOf(enquiry);
  if (!Number.isSafeInteger(value)) doubt(enquiry, "too-large", -1);
  const rate = found.vatRate;
  if (book.policy.arithmetic.prices === "inclusive") splitGross(enquiry, value, rate);
  else {
    const { lineNet, vat } = book.policy.arithmetic;
    found.net = value;
    const divisor = power(lineNet.scale + 6 - vat.scale);
    found.vat = rate < 0 ? -1 : multiplyDivide(value, rate, divisor, vat.mode);
  }
}

/** The code that the line bears and its rate; a rate that changes ends the answer. */
function findVat({ found, vat }: Enquiry, productCode: number): void {
  let code = vat.code;
  if (code < 0) {
    code = productCode;
    if (code >= 0 && vat.charged !== null) code = vat.charged[code]!;
  }
  found.vatCode = code;
  found.vatRate = code < 0 ? -1 : vat.percents[code]!;
  if (code >= 0 && vat.turns !== null && vat.turns[code]! < found.until)
    found.until = vat.turns[code]!;
}

/** Most lines: whole numbers below 2^53, rounded half away from zero. False: not one of those. */
function plainAmounts({ found, book, line }: Enquiry): boolean {
  const { raise, netDivisor, vatDivisor } = book.program.amounts;
  const product = found.price * raise * line.netQuantity;
  const divisor = line.netPer * netDivisor;
  if (!(product <= MOST) || !(divisor <= MOST)) return false;
  let net = Math.floor(product / divisor);
  let rest = product - net * divisor;
  // The division may have rounded up to the next whole number.
  if (rest < 0) {
    net -= 1;
    rest += divisor;
  }
  if (rest * 2 >= divisor) net += 1;
  const rate = found.vatRate;
  const taxed = net * rate;
  if (taxed > MOST) return false;
  found.net = net;
  if (rate < 0) {
    found.vat = -1;
    return true;
  }
  let vat = Math.floor(taxed / vatDivisor);
  let left = taxed - vat * vatDivisor;
  if (left < 0) {
    vat -= 1;
    left += vatDivisor;
  }
  found.vat = left * 2 >= vatDivisor ? vat + 1 : vat;
  return true;
}

/** Half of what a double holds exactly, so that twice a rest is exact too. */
const MOST = 2 ** 52;

/**
 * The value is with VAT: the net in it is rounded, the VAT is what remains, as documents have it.
 */
function splitGross({ found, book }: Enquiry, gross: number, rate: number): void {
  const { lineNet, vat } = book.policy.arithmetic;
  found.net = gross;
  found.vat = -1;
  if (rate < 0) return;
  const whole = 100 * power(4);
  found.net = multiplyDivide(gross, whole, whole + rate, lineNet.mode);
  const rest = gross - found.net;
  found.vat =
    vat.scale >= lineNet.scale
      ? rest * power(vat.scale - lineNet.scale)
      : multiplyDivide(rest, 1, power(lineNet.scale - vat.scale), vat.mode);
}

/** Value of the line before VAT is looked at. */
function valueOf(enquiry: Enquiry): number {
  const { book, found, line } = enquiry;
  const { discount, lineNet, unitPrice } = book.policy.arithmetic;
  if (book.policy.breaks === "incremental" && found.entry >= 0) {
    const exact = incrementalValue(enquiry);
    if (exact !== null) return exact;
  }
  const reduced = discount === "unit" ? null : reductionOf(enquiry);
  if (reduced !== null) return lessDiscount(enquiry, reduced);
  const extra = Math.max(0, lineNet.scale - unitPrice.scale);
  const divisor = line.netPer * power(Math.max(0, unitPrice.scale - lineNet.scale));
  return multiplyDivide(found.price * power(extra), line.netQuantity, divisor, lineNet.mode);
}

export interface Reduction {
  /** Unit price before any discount, and exactly what the discounts leave of it. */
  readonly full: Decimal;
  readonly left: Decimal;
}

/** The full price and what discounts leave of it; null: the price is no discount off another. */
export function reductionOf(enquiry: Enquiry): Reduction | null {
  const { found, book } = enquiry;
  if (found.links !== null) {
    const first = found.links[0];
    const last = found.links.at(-1);
    if (first === undefined || last === undefined || first === last) return null;
    return { full: first.exact, left: last.exact };
  }
  const row = (found.word & TERMS) * terms.STRIDE;
  const isOff =
    found.table < 0 ||
    (isReduction(book.terms[row + terms.KIND]!) && book.terms[row + terms.FORMULA]! < 0);
  if (!isOff || found.base < 0) return null;
  const full = fine(found.base);
  const off = takenOff(enquiry, found, full);
  return typeof off === "number" ? null : { full, left: decimal.subtract(full, off) };
}

/** The full value is rounded; so is what remains of it, or the discount. */
function lessDiscount(enquiry: Enquiry, { full, left }: Reduction): number {
  const { discount, lineNet } = enquiry.book.policy.arithmetic;
  const whole = lineValue(enquiry, full);
  const scale = Math.max(full.scale, left.scale);
  const all = decimal.digitsAt(full, scale);
  if (all === 0n) return Number(whole);
  const remaining = decimal.digitsAt(left, scale);
  const share = discount === "line" ? remaining : all - remaining;
  const positive = all < 0n ? -all : all;
  const part = decimal.divideRounded(whole * (all < 0n ? -share : share), positive, lineNet.mode);
  return Number(discount === "line" ? part : whole - part);
}

/** Quantity × an exact unit price, rounded as line values are. */
export function lineValue({ book, line }: Enquiry, price: Decimal): bigint {
  const { lineNet } = book.policy.arithmetic;
  const digits = price.digits * BigInt(line.netQuantity);
  const up = 10n ** BigInt(Math.max(0, lineNet.scale - price.scale));
  const down = 10n ** BigInt(Math.max(0, price.scale - lineNet.scale));
  return decimal.divideRounded(digits * up, BigInt(line.netPer) * down, lineNet.mode);
}

/** What all tiers come to, rounded once; null: the price is not one of tiers. */
function incrementalValue(enquiry: Enquiry): number | null {
  const { found, book, line } = enquiry;
  const isFixed = book.terms[(found.word & TERMS) * terms.STRIDE + terms.KIND] === terms.FIXED;
  const tiers = isFixed && found.links === null ? tiersOf(enquiry, found.entry) : 0;
  if (typeof tiers === "number" || tiers.length < 2 || line.counted === 0) return null;
  const { scale, mode } = book.policy.arithmetic.lineNet;
  const pooled = totalOf(tiers) * BigInt(line.quantity) * 10n ** BigInt(scale);
  const per = BigInt(line.counted) * BigInt(line.perUnit) * 1_000_000n;
  return Number(decimal.divideRounded(pooled, per, mode));
}
