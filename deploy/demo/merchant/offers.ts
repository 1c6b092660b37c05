/** Promotions (percent, dated) and quotations. */
import { firstOfMonthAfter, isoOf } from "./calendar.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { Account } from "./customers.ts";
import { decimalText, priceText } from "./figures.ts";
import type { Range } from "./products.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface Promotion {
  readonly promotion: string;
  readonly name: string;
  readonly customerScope: "everyone" | "customer-group" | "account";
  readonly customerCode: string;
  readonly productScope: "product" | "product-group";
  readonly productCode: string;
  readonly kind: "percent";
  readonly value: string;
  readonly buyQuantity: string | null;
  readonly freeQuantity: string | null;
  readonly freeProduct: string | null;
  readonly thresholdValue: string | null;
  readonly code: string | null;
  readonly validFrom: string;
  readonly validTo: string;
  readonly stacks: boolean;
}

export interface Quotation {
  readonly quotation: string;
  readonly account: string;
  readonly quotedOn: string;
  readonly expiresOn: string | null;
  readonly customerReference: string | null;
  readonly state: "open" | "ordered" | "lost" | "expired";
}

export interface QuotationLine {
  readonly quotation: string;
  readonly line: number;
  readonly product: string;
  readonly quantity: string;
  readonly unitPrice: string;
}

const NAMES = [
  "Spring clear-out",
  "“Yard” week",
  "10%-ish off",
  "Trade mornings – all sites",
  "Big £ event",
];

/**
 * One or two a month through the whole history, one
 * that runs today, and two that are still to come.
 */
export function promotionsOf(
  scope: Scope,
  range: Range,
  accounts: readonly Account[],
): readonly Promotion[] {
  const months = scope.years * 12 + 3;
  return Array.from({ length: months }, (_, i) => i - months + 3).flatMap((ahead) => {
    const random = randomOf(scope.seed, "promotion", ahead);
    const from = firstOfMonthAfter(scope.todayDay, ahead);
    const held = {
      validFrom: isoOf(from),
      validTo: isoOf(firstOfMonthAfter(scope.todayDay, ahead + random.whole(1, 2)) - 1),
    };
    return Array.from({ length: random.whole(1, 2) }, (_, n) => ({
      ...target(random, range, accounts),
      promotion: `PROMO-${isoOf(from).slice(0, 7)}-${n + 1}`,
      name: random.pick(NAMES),
      kind: "percent" as const,
      value: decimalText(random.whole(8, 40) * 5, 1),
      buyQuantity: null,
      freeQuantity: null,
      freeProduct: null,
      thresholdValue: null,
      code: null,
      ...held,
      stacks: false,
    }));
  });
}

function target(random: Random, range: Range, accounts: readonly Account[]) {
  const group = random.pick(CATALOGUE.families).group;
  switch (random.whole(0, 4)) {
    case 0: {
      const trade = random.pick(CATALOGUE.trades);
      return {
        customerScope: "customer-group",
        customerCode: trade.code,
        productScope: "product-group",
        productCode: random.pick(trade.groups),
      } as const;
    }
    case 1:
      return {
        customerScope: "everyone",
        customerCode: "*",
        productScope: "product",
        productCode: random.pick(range.products).product,
      } as const;
    case 2: {
      const { account, basket } = random.pick(accounts);
      const product = range.products[basket[0] ?? 0];
      return {
        customerScope: "account",
        customerCode: account,
        productScope: "product",
        productCode: (product ?? at(range.products, 0)).product,
      } as const;
    }
    default:
      return {
        customerScope: "everyone",
        customerCode: "*",
        productScope: "product-group",
        productCode: group,
      } as const;
  }
}

export function quotationsOf(
  scope: Scope,
  range: Range,
  accounts: readonly Account[],
): { quotations: readonly Quotation[]; quotationLines: readonly QuotationLine[] } {
  const made = Array.from({ length: Math.ceil(scope.customers / 8) }, (_, i) =>
    makeQuotation(scope, range, { accounts, number: i }),
  );
  return {
    quotations: made.map((one) => one.quotation),
    quotationLines: made.flatMap((one) => one.lines),
  };
}

function makeQuotation(
  scope: Scope,
  range: Range,
  { accounts, number }: { accounts: readonly Account[]; number: number },
) {
  const random = randomOf(scope.seed, "quotation", number);
  const account = random.pick(accounts.filter((one) => !one.cash));
  const quotation = `Q${String(10_001 + number)}`;
  const quotedDay = scope.todayDay - random.whole(0, 120);
  const expiresDay = quotedDay + 30;
  const open = expiresDay >= scope.todayDay;
  const state = open ? "open" : random.pick(["ordered", "lost", "expired"] as const);
  const lines = Array.from({ length: random.whole(1, 6) }, (_, i): QuotationLine => {
    const index = random.pick(account.basket);
    const [, most, step] = at(range.demand, index).quantity3;
    const price4 =
      Math.round((at(range.demand, index).price4 * random.whole(65, 90)) / 10_000) * 100;
    return {
      quotation,
      line: i + 1,
      product: at(range.products, index).product,
      quantity: decimalText(Math.ceil(most / 2 / step) * step, 3),
      unitPrice: priceText(price4),
    };
  });
  const header: Quotation = {
    quotation,
    account: account.account,
    quotedOn: isoOf(quotedDay),
    expiresOn: open && random.chance(0.1) ? null : isoOf(expiresDay),
    customerReference: random.chance(0.5) ? `Enquiry ${random.whole(100, 999)}` : null,
    state,
  };
  return { quotation: header, lines };
}
