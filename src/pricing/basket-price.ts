/** A basket from one price book: lines priced, promotions put on them, the document added up. */
import type { PriceAnswer, PriceProblem } from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unknownProduct } from "./ask.ts";
import type { BasketRequest } from "./basket-answer.ts";
import { document, priceLine, scaled } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import { answerOf, problemOf } from "./price.ts";
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
): BasketAsked | PriceProblem[] {
  const enquiry = enquire(root.book, request, when);
  if (isProblem(enquiry)) return request.lines.map((line) => problemOf(line, enquiry));
  const known: KnownLine[] = [];
  const answers = request.lines.map((line, at) => {
    const product = root.book.products.numbers.get(line.product);
    if (product === undefined) return problemOf(line, unknownProduct(line.product));
    const quantity = quantityOf(line.quantity);
    if (quantity === undefined) return problemOf(line, badQuantity(line.quantity));
    priceLine(enquiry, product, quantity);
    const answer = answerOf(root, enquiry, line, product);
    if (answer.unitPrice !== null) known.push(knownLine(enquiry, at, product, quantity));
    return answer;
  });
  return { root, enquiry, answers, known };
}

/** The line that the enquiry found last. */
function knownLine(enquiry: Enquiry, at: number, product: number, quantity: number): KnownLine {
  const { book, found } = enquiry;
  const { unitPrice, lineNet } = book.policy.arithmetic;
  const places = document.placesOf(book.policy.arithmetic);
  const amount = found.net * scaled.power(places - lineNet.scale);
  const rate = rateOf(book, found.vatCode);
  const perPricingUnit = book.products.perPricingUnit[product] ?? Number.NaN;
  return {
    at,
    line: {
      product: book.products.codes[product] ?? "",
      groups: groupsOf(book, product),
      quantity,
      perPricingUnit,
      amount,
      ...document.openTo(enquiry),
    },
    document: {
      price: found.price * scaled.power(6 - unitPrice.scale),
      quantity,
      perPricingUnit,
      vatRate: Math.max(rate, 0),
      amount,
    },
    hasRate: rate >= 0,
  };
}

/** Percent with 4 places; -1: the code has no rate. */
function rateOf(book: PriceBook, vatCode: number): number {
  return book.vatRates[vatCode] ?? -1;
}

function groupsOf(book: PriceBook, product: number): string[] {
  const groups: string[] = [];
  let group = book.products.group[product] ?? -1;
  while (group >= 0) {
    const code = book.groups.codes[group] ?? "";
    if (groups.includes(code)) break;
    groups.push(code);
    group = book.policy.productGroups === "own" ? -1 : (book.groups.parent[group] ?? -1);
  }
  return groups;
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
  const customer = customerCodes(enquiry);
  return document.applyPromotions(set, { lines, customer, moment, codes, uses, worth });
}

const ONE_UNIT = 100_000;

/** What one selling unit costs by itself, with 6 places. */
function priceOfOne(enquiry: Enquiry, code: string): number | undefined {
  const { book } = enquiry;
  const product = book.products.numbers.get(code);
  if (product === undefined) return undefined;
  const { price, doubt } = priceLine(enquiry, product, ONE_UNIT);
  const perPricingUnit = book.products.perPricingUnit[product] ?? Number.NaN;
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
  const rate = rateOf(book, vatCode);
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

/** Codes of what an account is and belongs to, as promotions name them. */
function customerCodes(enquiry: Enquiry): document.BasketInput["customer"] {
  const { book, asking } = enquiry;
  const { accounts } = book;
  const { account } = asking;
  const site = asking.site >= 0 ? asking.site : (accounts.site[account] ?? -1);
  const branch = asking.branch >= 0 ? asking.branch : (accounts.branch[account] ?? -1);
  const code = (codes: readonly string[], number: number | undefined): string[] =>
    number === undefined || number < 0 ? [] : [codes[number] ?? ""];
  return {
    account: code(accounts.codes, account),
    "head-office": code(book.headOffices.codes, accounts.headOffice[account]),
    "buying-group": code(book.buyingGroups.codes, accounts.buyingGroup[account]),
    "customer-group": code(book.customerGroups.codes, accounts.group[account]),
    site: code(book.sites.codes, site),
    branch: code(book.branches.codes, branch),
    "price-list": enquiry.lists.flatMap(({ list }) => code(book.priceLists.codes, list)),
  };
}
