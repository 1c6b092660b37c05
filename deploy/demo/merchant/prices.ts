/**
 * Price lists and price rules: standard and list
 * prices, contracts with breaks, discounts, net prices.
 */
import { dayOf, firstOfMonthAfter, isoOf } from "./calendar.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { Account, Customer } from "./customers.ts";
import { decimalText, priceText } from "./figures.ts";
import type { Product, Range } from "./products.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface PriceList {
  readonly priceList: string;
  readonly name: string;
  readonly currency: string;
  readonly standard: boolean;
}

export interface PriceRule {
  readonly rule: string;
  readonly customerScope: "account" | "customer-group" | "price-list" | "everyone";
  readonly customerCode: string | null;
  readonly productScope: "product" | "product-group";
  readonly productCode: string;
  readonly kind: "fixed" | "percent" | "amount";
  readonly value: string;
  readonly currency: string;
  readonly unit: string | null;
  readonly fromQuantity: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly priority: number | null;
  readonly net: boolean;
  readonly contract: string | null;
  readonly contractQuantity: string | null;
}

export interface Pricing {
  readonly priceLists: readonly PriceList[];
  readonly priceRules: readonly PriceRule[];
}

interface Buyers {
  readonly accounts: readonly Account[];
  readonly customers: readonly Omit<Customer, "rep">[];
}

const PRICE_LISTS: readonly PriceList[] = [
  { priceList: "STANDARD", name: "Standard prices", currency: "GBP", standard: true },
  { priceList: "TRADE", name: "Trade", currency: "GBP", standard: false },
  { priceList: "TRADE+", name: "Trade plus – large accounts", currency: "GBP", standard: false },
];

export function pricesOf(scope: Scope, range: Range, buyers: Buyers): Pricing {
  const rules = [
    ...range.products.flatMap((_, index) => standardPrices(scope, range, index)),
    ...range.products.flatMap((_, index) => listPrices(scope, range, index)),
    ...groupDiscounts(scope),
    ...buyers.customers.flatMap((customer, i) =>
      accountDiscounts(scope, customer, at(buyers.accounts, i)),
    ),
  ];
  return {
    priceLists: PRICE_LISTS,
    priceRules: [
      ...rules,
      ...contracts(scope, { range, buyers, wanted: scope.priceRules - rules.length }),
    ],
  };
}

/** A date range; null is open. */
interface Held {
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

const ALWAYS: Held = { validFrom: null, validTo: null };

type Essence = Pick<
  PriceRule,
  "rule" | "customerScope" | "customerCode" | "productScope" | "productCode" | "kind"
> &
  Partial<PriceRule>;

/** One rule with its breaks: the first value holds from 0. */
function rule(
  essence: Essence,
  breaks: readonly (readonly [fromQuantity: string, value: string])[],
): readonly PriceRule[] {
  return breaks.map(([fromQuantity, value]) => ({
    currency: "GBP",
    unit: null,
    priority: null,
    net: false,
    contract: null,
    contractQuantity: null,
    ...ALWAYS,
    ...essence,
    fromQuantity,
    value,
  }));
}

/** The first of January before today: when the last price round came into force. */
function lastRoundDay(scope: Scope): number {
  return dayOf(`${scope.today.slice(0, 4)}-01-01`);
}

/**
 * For every product a price; for half of them also the
 * price before the last round; for some the next.
 */
function standardPrices(scope: Scope, range: Range, index: number): readonly PriceRule[] {
  const product = at(range.products, index);
  const { price4 } = at(range.demand, index);
  const random = randomOf(scope.seed, "standard", product.product);
  const round = lastRoundDay(scope);
  const next = firstOfMonthAfter(scope.todayDay, 2);
  const rose = random.chance(0.5);
  const rises = random.chance(0.06);
  const one = (part: string, held: Held, factor: number) =>
    rule(
      {
        rule: `STD/${product.product}${part}`,
        customerScope: "everyone",
        customerCode: null,
        productScope: "product",
        productCode: product.product,
        kind: "fixed",
        unit: product.pricingUnit,
        ...held,
      },
      [["0", priceText(pennies(price4 * factor))]],
    );
  const before = { validFrom: null, validTo: isoOf(round - 1) };
  const now = {
    validFrom: rose ? isoOf(round) : null,
    validTo: rises ? isoOf(next - 1) : null,
  };
  return [
    ...(rose ? one("/before", before, 0.95) : []),
    ...one("", now, 1),
    ...(rises ? one("/next", { validFrom: isoOf(next), validTo: null }, 1.04) : []),
  ];
}

/** Standard and list prices are whole pence. */
function pennies(price4: number): number {
  return Math.round(price4 / 100) * 100;
}

/** A third of the range has prices of its own on each list, a third of these with breaks. */
function listPrices(scope: Scope, range: Range, index: number): readonly PriceRule[] {
  const product = at(range.products, index);
  const { price4 } = at(range.demand, index);
  return [
    ["TRADE", 0.88],
    ["TRADE+", 0.82],
  ].flatMap(([list, level]) => {
    const random = randomOf(scope.seed, "list", String(list), product.product);
    if (!random.chance(0.33)) return [];
    const price = pennies(price4 * Number(level) * (0.95 + random.next() * 0.1));
    return rule(
      {
        rule: `PL/${list}/${product.product}`,
        customerScope: "price-list",
        customerCode: String(list),
        productScope: "product",
        productCode: product.product,
        kind: "fixed",
        unit: random.chance(0.5) ? product.pricingUnit : null,
      },
      random.chance(0.33) ? priceBreaks(range, index, price) : [["0", priceText(price)]],
    );
  });
}

/** Three prices by quantity, each lower than the one before. */
function priceBreaks(
  range: Range,
  index: number,
  price4: number,
): readonly (readonly [string, string])[] {
  return [
    ["0", priceText(price4)],
    [breakQuantity(range, index, 0.25), priceText(Math.round(price4 * 0.96))],
    [breakQuantity(range, index, 0.6), priceText(Math.round(price4 * 0.915))],
  ];
}

/** A quantity between the usual least and most, on the product's step. */
function breakQuantity(range: Range, index: number, part: number): string {
  const [least, most, step] = at(range.demand, index).quantity3;
  const steps = Math.round(((most - least) * part) / step) + (part > 0.5 ? 2 : 1);
  return decimalText(least + steps * step, 3);
}

/** Groups that hold products themselves: only on these are discounts given. */
function leafGroups(): readonly string[] {
  return [...new Set(CATALOGUE.families.map((family) => family.group))];
}

/** What a discount group gets off each product group that it trades in. */
function groupDiscounts(scope: Scope): readonly PriceRule[] {
  return CATALOGUE.trades.flatMap((trade) =>
    trade.groups.flatMap((group) => {
      const random = randomOf(scope.seed, "group discount", trade.code, group);
      return rule(
        {
          rule: `G/${trade.code}/${group}`,
          customerScope: "customer-group",
          customerCode: trade.code,
          productScope: "product-group",
          productCode: group,
          kind: "percent",
        },
        percentBreaks(random, 3, 12),
      );
    }),
  );
}

/** Percent in halves; one in five with a second step from ten selling units. */
function percentBreaks(
  random: Random,
  least: number,
  most: number,
): readonly (readonly [string, string])[] {
  const halves = random.whole(least * 2, most * 2);
  const first = ["0", decimalText(halves * 5, 1)] as const;
  return random.chance(0.2) ? [first, ["10", decimalText(halves * 5 + 25, 1)]] : [first];
}

/** The bigger accounts have discounts of their own on one to four product groups. */
function accountDiscounts(
  scope: Scope,
  { account, cashAccount }: Omit<Customer, "rep">,
  { weight, trade }: Account,
): readonly PriceRule[] {
  const random = randomOf(scope.seed, "account discount", account);
  if (cashAccount || !random.chance(Math.min(0.9, 0.2 + weight / 10))) return [];
  const groups = new Set(
    Array.from({ length: random.whole(1, 4) }, () =>
      random.pick(random.chance(0.8) ? trade.groups : leafGroups()),
    ),
  );
  return [...groups].flatMap((group) =>
    rule(
      {
        rule: `D/${account}/${group}`,
        customerScope: "account",
        customerCode: account,
        productScope: "product-group",
        productCode: group,
        kind: "percent",
        ...discountDates(scope, random),
      },
      percentBreaks(random, 5, 22),
    ),
  );
}

function discountDates(scope: Scope, random: Random): Held {
  return random.weighted<Held>([
    [ALWAYS, 80],
    [{ validFrom: isoOf(lastRoundDay(scope)), validTo: null }, 10],
    [{ validFrom: null, validTo: isoOf(scope.todayDay - random.whole(1, 500)) }, 6],
    [{ validFrom: isoOf(scope.todayDay + random.whole(2, 60)), validTo: null }, 4],
  ]);
}

interface Contracts {
  readonly range: Range;
  readonly buyers: Buyers;
  /** Rows that are still missing. */
  readonly wanted: number;
}

/**
 * Customer × product prices until there are enough rows: mostly for what the account keeps buying.
 */
function contracts(scope: Scope, { range, buyers, wanted }: Contracts): readonly PriceRule[] {
  const random = randomOf(scope.seed, "contracts");
  const holders = [...buyers.accounts]
    .filter((account) => !account.cash)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, Math.max(5, Math.ceil(scope.customers * 0.45)));
  if (wanted > (holders.length * range.products.length) / 2)
    throw new RangeError(
      `making price rules: ${scope.priceRules} rows do not fit ${scope.customers} customers and ` +
        `${range.products.length} products; ask for fewer, or leave priceRules out`,
    );
  const agreed = new Set<string>();
  const rules: PriceRule[] = [];
  while (rules.length < wanted) {
    const { account, basket } = random.pick(holders);
    const any = basket.length === 0 || random.chance(0.3);
    const index = any ? random.whole(0, range.products.length - 1) : random.pick(basket);
    const key = `${account}/${at(range.products, index).product}`;
    if (agreed.has(key)) continue;
    agreed.add(key);
    rules.push(...contract(scope, range, { account, index, random }));
  }
  return rules;
}

interface Agreement {
  readonly account: string;
  readonly index: number;
  readonly random: Random;
}

function contract(scope: Scope, range: Range, agreement: Agreement): readonly PriceRule[] {
  const { account, index, random } = agreement;
  const product = at(range.products, index);
  const { price4 } = at(range.demand, index);
  const essence: Essence = {
    rule: `K/${account}/${product.product}`,
    customerScope: "account",
    customerCode: account,
    productScope: "product",
    productCode: product.product,
    kind: "fixed",
    unit: random.chance(0.6) ? product.pricingUnit : null,
    contract: random.chance(0.7) ? `${account}-${scope.today.slice(0, 4)}` : null,
    // Some net prices are above what a promotion would give: nothing reduces them all the same.
    net: random.chance(0.07),
  };
  const price = agreedPrice(price4, product, random);
  const kind = random.weighted([
    ["fixed", 74],
    ["expired", 8],
    ["future", 4],
    ["renewed", 4],
    ["percent", 5],
    ["amount", 5],
  ]);
  switch (kind) {
    case "fixed":
      return rule(
        essence,
        random.chance(0.25) ? priceBreaks(range, index, price) : [["0", priceText(price)]],
      );
    case "expired":
      return rule({ ...essence, validTo: isoOf(scope.todayDay - random.whole(1, 600)) }, [
        ["0", priceText(price)],
      ]);
    case "future":
      return rule({ ...essence, validFrom: isoOf(scope.todayDay + random.whole(2, 90)) }, [
        ["0", priceText(price)],
      ]);
    case "renewed":
      return renewed(scope, essence, price);
    case "percent":
      return rule({ ...essence, kind, net: false, unit: null }, percentBreaks(random, 5, 25));
    case "amount":
      return rule({ ...essence, kind, net: false }, [
        ["0", priceText(pennies(price4 * (0.02 + random.next() * 0.13)) + 100)],
      ]);
    default:
      return kind satisfies never;
  }
}

/** Agreed once at 70 to 97% of the usual price of then; cheap goods to a hundredth of a penny. */
function agreedPrice(price4: number, product: Product, random: Random): number {
  const price = price4 * (0.7 + random.next() * 0.27);
  return product.pricingUnit === "EACH" && price < 10_000 ? Math.round(price) : pennies(price);
}

/** Last year's price, then this year's, under two rules that touch. */
function renewed(scope: Scope, essence: Essence, price4: number): readonly PriceRule[] {
  const round = lastRoundDay(scope);
  const before = { ...essence, rule: `${essence.rule}/before`, validTo: isoOf(round - 1) };
  return [
    ...rule(before, [["0", priceText(Math.round(price4 * 0.96))]]),
    ...rule({ ...essence, validFrom: isoOf(round) }, [["0", priceText(price4)]]),
  ];
}
