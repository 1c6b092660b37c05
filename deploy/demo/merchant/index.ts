/**
 * A builders' merchant made from a seed: who buys, what is sold, at which prices, and what happens
 * on each day. The same options give the same merchant on every machine. It knows no ERP and keeps
 * no books: sales come without figures, and whoever imitates an ERP charges for them.
 *
 *     const merchant = createMerchant({ customers: 50, products: 200 });
 *     merchant.salesOn("2026-06-30"); // what was sold that day, by which channel
 */
import { dayOf, isoOf } from "./calendar.ts";
import { CATALOGUE } from "./catalogue.ts";
import { clienteleOf, type Account, type Customer, type Site } from "./customers.ts";
import type { TradingEntity } from "./firms.ts";
import {
  promotionsOf,
  quotationsOf,
  type Promotion,
  type Quotation,
  type QuotationLine,
} from "./offers.ts";
import {
  branchesOf,
  HOUSE,
  repsOf,
  territoryOf,
  type Assignment,
  type Branch,
  type Rep,
} from "./people.ts";
import { pricesOf, type PriceList, type PriceRule } from "./prices.ts";
import { rangeOf, stockOn, type Product, type ProductGroup, type Stock } from "./products.ts";
import { scopeOf, type MerchantOptions } from "./scope.ts";
import { TAKEN_BY_CHANNELS, tradingOf, type Sale, type TrueChannel } from "./trade.ts";

export * as calendar from "./calendar.ts";
export { randomOf, type Random } from "./random.ts";
export type { MerchantOptions } from "./scope.ts";
export type { Customer, PriceRule, Product, Sale };

export interface Merchant {
  readonly name: string;
  readonly seed: number;
  /** First and last day of its history, ISO. */
  readonly opensOn: string;
  readonly today: string;
  readonly branches: readonly Branch[];
  readonly reps: readonly Rep[];
  readonly tradingEntities: readonly TradingEntity[];
  readonly customers: readonly Customer[];
  readonly sites: readonly Site[];
  readonly assignments: readonly Assignment[];
  readonly productGroups: readonly ProductGroup[];
  readonly products: readonly Product[];
  readonly priceLists: readonly PriceList[];
  readonly priceRules: readonly PriceRule[];
  readonly promotions: readonly Promotion[];
  readonly quotations: readonly Quotation[];
  readonly quotationLines: readonly QuotationLine[];
  /** How accounts behave, by account. */
  readonly habits: ReadonlyMap<string, Account>;
  /**
   * How the merchant reads a channel from who took the
   * order; the settings of sales take it as it is.
   */
  readonly takenByChannels: readonly { readonly takenBy: string; readonly channel: TrueChannel }[];
  /** Names of the discount groups that `customerGroup` means. */
  readonly customerGroups: readonly { readonly code: string; readonly name: string }[];
  salesOn(date: string): readonly Sale[];
  stockOn(date: string): Iterable<Stock>;
}

export function createMerchant(options: MerchantOptions = {}): Merchant {
  const scope = scopeOf(options);
  const branches = branchesOf(scope);
  const range = rangeOf(scope);
  const clientele = clienteleOf(scope, range, branches);
  const { accounts } = clientele;
  const territory = territoryOf(scope, accounts);
  const trading = tradingOf({ scope, range, accounts, territory });
  const repToday = (account: string) => territory.repOn(account, scope.todayDay);
  return {
    name: "Aire Valley Builders' Supplies Ltd",
    seed: scope.seed,
    opensOn: isoOf(scope.opensDay),
    today: scope.today,
    branches: branches.map(({ branch, name, defaultChannel }) => ({
      branch,
      name,
      defaultChannel,
    })),
    reps: repsOf(scope),
    tradingEntities: clientele.tradingEntities,
    customers: clientele.customers.map((one) => ({ ...one, rep: repToday(one.account) ?? HOUSE })),
    sites: clientele.sites,
    assignments: territory.assignments,
    productGroups: range.productGroups,
    products: range.products,
    ...pricesOf(scope, range, clientele),
    promotions: promotionsOf(scope, range, accounts),
    ...quotationsOf(scope, range, accounts),
    habits: new Map(accounts.map((account) => [account.account, account])),
    takenByChannels: TAKEN_BY_CHANNELS,
    customerGroups: CATALOGUE.trades.map(({ code, name }) => ({ code, name })),
    salesOn: (date) => trading.salesOn(dayOf(date)),
    stockOn: (date) =>
      stockOn(
        scope,
        range,
        branches.map(({ branch }) => branch),
        dayOf(date),
      ),
  };
}
