/** The merchant that prices are measured on: made from a seed, as a pull would leave it. */
import type { Masters, RuleRow } from "../../src/pricing/engine/index.ts";

export interface PricingSizes {
  readonly rules: number;
  /** Rounds that a median is taken of. */
  readonly rounds: number;
  readonly seed: number;
  /** Price lists in the book; each customer is on one, and standard prices are behind it. */
  readonly lists?: number;
}

export const PRICING_SIZES: PricingSizes = { rules: 1_000_000, rounds: 5, seed: 42 };

export function listsOf({ lists = 1000 }: PricingSizes): number {
  return lists;
}

export const PRODUCTS = 20_000;
const GROUPS = 200;
/** Products that an account has prices of its own for; five rows each: three breaks, two ended. */
export const OWN_PRODUCTS = 250;
export const TODAY = "2026-06-01";
export const VAT = { STANDARD: "20" };

/** A pseudo-random sequence from 0 to 1: the same on every machine. */
export function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/**
 * One in ten rules is on a list, one in fifty a standard price, one in a hundred a group discount.
 */
export function accountsOf({ rules }: PricingSizes): number {
  return Math.max(1, Math.round((rules * 0.87) / (OWN_PRODUCTS * 5)));
}

export function mastersOf(sizes: PricingSizes): Masters {
  const lists = listsOf(sizes);
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
  return {
    currency: "GBP",
    timeZone: "Europe/London",
    vat: VAT,
    sites: [],
    branches: [],
    customers: numbers(accountsOf(sizes)).map((at) => ({
      account: `A${at}`,
      headOffice: null,
      customerGroup: `CG${at % 10}`,
      priceList: `L${at % lists}`,
      branch: null,
      currency: "GBP",
      discountPercent: null,
      vatCode: null,
    })),
    priceLists: numbers(lists).map((at) => ({ priceList: `L${at}`, standard: false })),
    productGroups: numbers(GROUPS).map((at) => ({ productGroup: `PG${at}`, parent: null })),
    products: numbers(PRODUCTS).map((at) => ({
      product: `P${at}`,
      productGroup: `PG${at % GROUPS}`,
      sellingUnit: "EACH",
      pricingUnit: "EACH",
      sellingUnitsPerPricingUnit: "1",
      vatCode: "STANDARD",
      standardCost: null,
    })),
  };
}

/**
 * The products that an account has own prices for: a stride, so that membership can be computed.
 */
export function ownProduct(account: number, at: number): number {
  return (account * 7919 + at * 37) % PRODUCTS;
}

const PLAIN = {
  currency: "GBP",
  unit: null,
  net: false,
  contract: null,
  contractQuantity: null,
  fromQuantity: "0.00000",
  validFrom: null,
  validTo: null,
} as const;

/** As a pull leaves them: money with 6 places, quantities with 5. */
export function* rulesOf(sizes: PricingSizes): Generator<RuleRow> {
  const random = sequence(sizes.seed);
  const money = (factor = 1) =>
    `${(factor * (1 + Math.floor(random() * 2_000_000) / 1e4)).toFixed(4)}00`;
  for (let at = 0; at < PRODUCTS; at += 1)
    yield {
      ...PLAIN,
      rule: `S${at}`,
      customerScope: "everyone",
      customerCode: null,
      productScope: "product",
      productCode: `P${at}`,
      kind: "fixed",
      value: money(2),
    };
  for (let at = 0; at < sizes.rules / 10; at += 1)
    yield {
      ...PLAIN,
      rule: `L${at}`,
      customerScope: "price-list",
      customerCode: `L${at % listsOf(sizes)}`,
      productScope: "product",
      productCode: `P${Math.floor(at / listsOf(sizes)) % PRODUCTS}`,
      kind: "fixed",
      value: money(1.5),
    };
  for (let at = 0; at < sizes.rules / 100; at += 1)
    yield {
      ...PLAIN,
      rule: `G${at}`,
      customerScope: "account",
      customerCode: `A${at % accountsOf(sizes)}`,
      productScope: "product-group",
      productCode: `PG${Math.floor(at / accountsOf(sizes)) % GROUPS}`,
      kind: "percent",
      value: "12.500000",
    };
  yield* ownRules(sizes, money);
}

function* ownRules(sizes: PricingSizes, money: (factor?: number) => string): Generator<RuleRow> {
  let left = sizes.rules - PRODUCTS - sizes.rules / 10 - sizes.rules / 100;
  for (let cell = 0; left > 0; cell += 1) {
    const account = Math.floor(cell / OWN_PRODUCTS);
    const at = {
      ...PLAIN,
      customerScope: "account" as const,
      customerCode: `A${account % accountsOf(sizes)}`,
      productScope: "product" as const,
      productCode: `P${ownProduct(account, cell % OWN_PRODUCTS)}`,
      kind: "fixed" as const,
      contract: `K${account}`,
    };
    const now = { ...at, rule: `C${cell}`, validFrom: "2026-01-01", validTo: "2026-12-31" };
    const then = { ...at, rule: `D${cell}`, validFrom: "2025-01-01", validTo: "2025-12-31" };
    yield* [
      { ...now, value: money() },
      { ...now, value: money(0.95), fromQuantity: "10.00000" },
      { ...now, value: money(0.9), fromQuantity: "100.00000" },
      { ...then, value: money(1.1) },
      { ...then, value: money(1.05), fromQuantity: "10.00000" },
    ].slice(0, left);
    left -= 5;
  }
}

export function* batches<Row>(rows: Iterable<Row>, size: number): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

export interface Questions {
  /** One account a call. */
  readonly accounts: Int32Array;
  readonly products: Int32Array;
  /** Selling units. */
  readonly quantities: Int32Array;
}

/** 85 in 100 lines have a price of the account's own. */
export function questionsOf(
  sizes: PricingSizes,
  calls: number,
  lines: number,
  seed: number,
): Questions {
  const random = sequence(seed);
  const questions = {
    accounts: new Int32Array(calls),
    products: new Int32Array(calls * lines),
    quantities: new Int32Array(calls * lines),
  };
  for (let call = 0; call < calls; call += 1) {
    const account = Math.floor(random() * accountsOf(sizes));
    questions.accounts[call] = account;
    for (let line = call * lines; line < (call + 1) * lines; line += 1) {
      const own = random() < 0.85;
      const at = Math.floor(random() * OWN_PRODUCTS);
      questions.products[line] = own ? ownProduct(account, at) : Math.floor(random() * PRODUCTS);
      questions.quantities[line] =
        random() < 0.6 ? 1 + Math.floor(random() * 9) : 10 + Math.floor(random() * 200);
    }
  }
  return questions;
}
