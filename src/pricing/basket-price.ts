/** A basket from one price book: lines priced, promotions put on them, the document added up. */
import { decimal } from "../model/index.ts";
import { agreementOf, NOTHING_TAKEN } from "./agreement.ts";
import type { Agreement, Taken } from "./agreement.ts";
import type { PriceAnswer, PriceProblem } from "./answer.ts";
import { enquire, isProblem } from "./ask.ts";
import type { BasketRequest } from "./basket-answer.ts";
import { countTaken, document, priceLine, reductionOf, scaled } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import { answerOf, lineOf, problemOf } from "./price.ts";
import type { Root } from "./root.ts";

/** A line whose price is known. */
export interface KnownLine {
  /** Position in the request. */
  readonly at: number;
  readonly line: document.BasketLine;
  readonly document: document.DocumentLine;
  readonly hasRate: boolean;
}

export interface BasketAsked {
  readonly root: Root;
  readonly enquiry: Enquiry;
  readonly answers: readonly (PriceAnswer | PriceProblem)[];
  readonly known: readonly KnownLine[];
  /** By line, what was agreed beforehand and can be used up. */
  readonly agreements: readonly (Agreement | null)[];
}

export interface PutOn {
  readonly set: document.PromotionSet;
  readonly moment: number;
  readonly codes: readonly string[];
  readonly uses: ReadonlyMap<string, document.PromotionUse>;
}

/** Prices the lines one by one; null: it cannot be said who asks, and every line says why. */
export function askBasket(
  root: Root,
  request: BasketRequest,
  when: number,
  taken: Taken = NOTHING_TAKEN,
): BasketAsked | PriceProblem[] {
  const enquiry = enquire(root.book, request, when);
  if (isProblem(enquiry)) return request.lines.map((line) => problemOf(line, enquiry));
  const known: KnownLine[] = [];
  const pooled = pooledQuantities(root, enquiry, request);
  const gone = new Map(taken);
  const agreements: (Agreement | null)[] = [];
  const answers = request.lines.map((line, at) => {
    agreements.push(null);
    const asked = lineOf(root, line);
    if ("detail" in asked) return problemOf(line, asked);
    const agreement = priceByAgreement(enquiry, gone, asked, pooled[at]);
    agreements[at] = agreement;
    const answer = withRest(answerOf(root, enquiry, line, asked.product, "basket"), agreement);
    const agreed = agreedPrice(enquiry, request.agreed?.[at] ?? null);
    if (agreed !== null) {
      const found = agreedLine(enquiry, at, asked.product, agreed);
      if (found !== null) known.push(found);
    } else if (answer.unitPrice !== null) known.push(knownLine(enquiry, at, asked.product));
    return answer;
  });
  countTaken(enquiry, null);
  return { root, enquiry, answers, known, agreements };
}

/**
 * Prices one line, and counts what it takes of an agreement. Says which one would give its price
 * if enough were left; where too little is, the line is priced by the rules as if it were not.
 */
function priceByAgreement(
  enquiry: Enquiry,
  gone: Map<string, number>,
  { product, quantity, unit }: { product: number; quantity: number; unit: number },
  pooled: number | undefined,
): Agreement | null {
  countTaken(enquiry, () => -Infinity);
  priceLine(enquiry, product, quantity, unit, pooled);
  const first = agreementOf(enquiry, gone);
  if (first === null) return null;
  countTaken(enquiry, (key) => gone.get(key) ?? 0);
  priceLine(enquiry, product, quantity, unit, pooled);
  const given = agreementOf(enquiry, gone);
  if (given !== null) gone.set(given.key, (gone.get(given.key) ?? 0) + enquiry.line.quantity);
  return first.fits ? given : first;
}

/** What is left of an agreement is a reason too. */
function withRest(answer: PriceAnswer, agreement: Agreement | null): PriceAnswer {
  if (agreement === null || agreement.fits) return answer;
  return { ...answer, because: `${answer.because}; ${agreement.name} has ${agreement.left} left` };
}

/**
 * What breaks are compared with, by line: selling units where the policy counts over several lines;
 * -1: the line's own.
 */
function pooledQuantities(root: Root, enquiry: Enquiry, { lines }: BasketRequest): number[] {
  const { book } = root;
  const { quantity: over } = book.policy.decides;
  if (over === "line") return lines.map(() => -1);
  const sums = new Map<number, number>();
  const pools = lines.map((line) => {
    const asked = lineOf(root, line);
    if ("detail" in asked) return null;
    priceLine(enquiry, asked.product, asked.quantity, asked.unit);
    const pool = poolOf(book, asked.product, over);
    sums.set(pool, (sums.get(pool) ?? 0) + enquiry.line.quantity);
    return pool;
  });
  return pools.map((pool) => (pool === null ? -1 : (sums.get(pool) ?? -1)));
}

/** A product without a group counts by itself. */
function poolOf(
  { products }: PriceBook,
  product: number,
  over: "product" | "group" | "document",
): number {
  if (over === "document") return 0;
  const group = over === "group" ? (products.group[product] ?? -1) : -1;
  return group < 0 ? product : -1 - group;
}

/** The line that the enquiry found last. */
function knownLine(enquiry: Enquiry, at: number, product: number): KnownLine {
  const { book, found, line } = enquiry;
  const { arithmetic } = book.policy;
  const amount = amountOf(enquiry);
  const rate = found.vatRate;
  const inDocument: document.DocumentLine = {
    ...priceOf(enquiry),
    quantity: line.netQuantity,
    perPricingUnit: line.netPer,
    vatRate: Math.max(rate, 0),
    amount,
  };
  return {
    at,
    line: {
      product: book.products.codes[product] ?? "",
      groups: document.groupsOf(book, product),
      quantity: line.quantity,
      perPricingUnit: found.perUnit,
      amount,
      exact: book.basketPromotions.length === 0 ? null : document.exactOf(inDocument, arithmetic),
      ...document.openTo(enquiry),
    },
    document: inDocument,
    hasRate: rate >= 0,
  };
}

/** With 6 places, where it is another than what the enquiry found last; null: that one holds. */
function agreedPrice({ book, found }: Enquiry, text: string | null): number | null {
  const agreed = text === null ? undefined : scaled.scaledOf(text, PRICE_PLACES);
  if (agreed === undefined) return null;
  const { scale } = book.policy.arithmetic.unitPrice;
  const isOurs = found.doubt === null && found.price * scaled.power(6 - scale) === agreed;
  return isOurs ? null : agreed;
}

const PRICE_PLACES = 6;

/** The line at an agreed price, with no discount of its own; null: it cannot be reckoned. */
function agreedLine(
  enquiry: Enquiry,
  at: number,
  product: number,
  price: number,
): KnownLine | null {
  const { book, line, found } = enquiry;
  const { arithmetic } = book.policy;
  if (!(line.netPer > 0) || found.doubt === "unit-unknown") return null;
  const { scale, mode } = arithmetic.lineNet;
  const divisor = line.netPer * scaled.power(PRICE_PLACES - scale);
  const net = scaled.multiplyDivide(price, line.netQuantity, divisor, mode);
  const amount = net * scaled.power(document.placesOf(arithmetic) - scale);
  if (!Number.isSafeInteger(amount)) return null;
  const ours = knownLine(enquiry, at, product);
  const { discountPercent: _discount, ...bare } = ours.document;
  const inDocument = { ...bare, price, amount };
  const exact = document.exactOf(inDocument, arithmetic);
  return { ...ours, line: { ...ours.line, amount, exact }, document: inDocument };
}

/** In the document's basis, at its places. */
function amountOf({ book, found }: Enquiry): number {
  const { arithmetic } = book.policy;
  const places = document.placesOf(arithmetic);
  const net = found.net * scaled.power(places - arithmetic.lineNet.scale);
  if (arithmetic.prices === "exclusive" || found.vat < 0) return net;
  return net + found.vat * scaled.power(places - arithmetic.vat.scale);
}

/**
 * The price that the line came from and its discount, where it is a plain percent off it: what
 * other systems' arithmetic starts from.
 */
function priceOf(enquiry: Enquiry): { price: number; discountPercent?: number } {
  const { book, found } = enquiry;
  const { scale } = book.policy.arithmetic.unitPrice;
  const net = { price: found.price * scaled.power(6 - scale) };
  const reduction = reductionOf(enquiry);
  if (reduction === null) return net;
  const full = scaled.scaledOf(decimal.canonical(reduction.full), 6);
  const left = reduction.left.digits * 10n ** BigInt(reduction.full.scale + 6);
  const whole = reduction.full.digits * 10n ** BigInt(reduction.left.scale);
  if (full === undefined || whole <= 0n || left % whole !== 0n) return net;
  return { price: full, discountPercent: 1_000_000 - Number(left / whole) };
}

/** Percent with 4 places; -1: the code has no rate. */
function rateOf({ vat }: Enquiry, vatCode: number): number {
  return vat.percents[vatCode] ?? -1;
}

/** The promotions that hold on the lines. */
export function promotionsOn(
  { enquiry, known }: BasketAsked,
  { set, moment, codes, uses }: PutOn,
): document.BasketPromotions {
  const lines = known.map(({ line }) => line);
  const held = new Set(lines.map(({ product }) => product));
  const worth = new Map<string, number>();
  for (const product of set.given) {
    const price = held.has(product) ? undefined : priceOfOne(enquiry, product);
    if (price !== undefined) worth.set(product, price);
  }
  const customer = document.customerCodes(enquiry);
  return document.applyPromotions(set, { lines, customer, moment, codes, uses, worth });
}

const ONE_UNIT = 100_000;

/** What one selling unit costs by itself, with 6 places. */
function priceOfOne(enquiry: Enquiry, code: string): number | undefined {
  const { book } = enquiry;
  const product = book.products.numbers.get(code);
  if (product === undefined) return undefined;
  const { price, doubt, perUnit: perPricingUnit } = priceLine(enquiry, product, ONE_UNIT);
  if (doubt !== null || !(perPricingUnit > 0)) return undefined;
  const { scale } = book.policy.arithmetic.unitPrice;
  const full = price * scaled.power(6 - scale);
  return scaled.multiplyDivide(full, ONE_UNIT, perPricingUnit, "half-away");
}

export interface GivenLine {
  readonly document: document.DocumentLine;
  readonly vatCode: string | null;
  readonly hasRate: boolean;
}

/** Goods that promotions give, as a line of the document with the VAT that it bears here. */
export function givenLine({ enquiry }: BasketAsked, free: document.FreeLine): GivenLine {
  const { book } = enquiry;
  const product = book.products.numbers.get(free.product);
  if (product !== undefined) priceLine(enquiry, product, free.quantity);
  const vatCode = product === undefined ? -1 : enquiry.found.vatCode;
  const rate = rateOf(enquiry, vatCode);
  const known = product === undefined ? Number.NaN : book.products.perPricingUnit[product];
  const perPricingUnit = known !== undefined && known > 0 ? known : ONE_UNIT;
  return {
    document: {
      price: scaled.multiplyDivide(free.price, perPricingUnit, ONE_UNIT, "half-away"),
      quantity: free.quantity,
      perPricingUnit,
      vatRate: Math.max(rate, 0),
    },
    vatCode: book.vatCodes[vatCode] ?? null,
    // Nothing is charged, so nothing is due whatever the code.
    hasRate: rate >= 0 || free.price === 0,
  };
}
