/** What the checks need to know, read inside the order's own transaction. */
import { columnOf, records, type Canonical, type RecordName } from "../model/index.ts";
import type { DocumentArithmetic, PromotionHeld, StandingLine } from "../pricing/index.ts";
import type { Queryable } from "../store/index.ts";
import { gatherQuotation } from "./agreements.ts";
import type { LinePrice, OrderFacts } from "./checks.ts";
import type { AccountedOrder } from "./request.ts";

/** Our prices of now, from the live price book. */
export interface OrderPricing {
  /**
   * The whole order as a basket: what it comes to at the prices that it says, beside ours. The
   * limits of its promotions are locked until the transaction ends.
   */
  price(tx: Queryable, question: PriceQuestion): Promise<OrderPrices>;
  /** How documents are added up; absent: as the settings round. */
  readonly arithmetic?: DocumentArithmetic;
}

export interface OrderPrices {
  /** One for each line, in order. */
  readonly lines: readonly LinePrice[];
  /** Goods that promotions give, each on a line of its own. */
  readonly free: readonly GivenLine[];
  /** To be reserved when the order is taken. */
  readonly held: readonly PromotionHeld[];
  readonly unknownCodes: readonly string[];
  /** VAT code → its rate in percent today, for charges and for what pricing does not know. */
  readonly vatRates: Readonly<Record<string, string>>;
}

export interface GivenLine {
  readonly promotion: string;
  readonly product: string;
  readonly quantity: string;
  /** Per pricing unit. */
  readonly unitPrice: string;
  readonly vatCode: string | null;
  readonly standing: StandingLine | null;
}

export interface PriceQuestion {
  readonly account: string;
  readonly site: string | null;
  readonly branch: string | null;
  /** Business date of the prices: today, whatever date the order bears. */
  readonly on: string;
  /** Number of the quotation that the order takes up; null: none. */
  readonly quotation: string | null;
  /** Attribute → value: `{ delivery: "collect" }`. */
  readonly conditions: Readonly<Record<string, string>>;
  readonly currency: string;
  /** Codes of promotions. */
  readonly codes: readonly string[];
  readonly lines: readonly {
    readonly product: string;
    readonly quantity: string;
    /** Absent: the selling unit. */
    readonly unit?: string | undefined;
    /** What the order says. */
    readonly unitPrice?: string;
    readonly priceToken?: string | undefined;
  }[];
}

/** Of a line, in selling units, whatever unit it was ordered in. */
export function sellingQuantity(
  { quantity }: AccountedOrder["lines"][number],
  price: LinePrice | undefined,
): string {
  return price?.standing?.quantity ?? quantity;
}

export async function gatherFacts(
  tx: Queryable,
  company: string,
  request: AccountedOrder,
  ask: (branch: string | null) => Promise<OrderPrices>,
): Promise<OrderFacts> {
  const { account, site } = request;
  const [customer = null] = await canonical(tx, "customer", "account = $2", [company, account]);
  const sites =
    site === null
      ? undefined
      : await canonical(tx, "site", "account = $2 and site = $3", [company, account, site]);
  const limited = customer !== null && customer.creditLimit !== null;
  const open = limited ? await openGross(tx, company, account) : "0.00";
  const priced = await ask(request.branch ?? customer?.branch ?? null);
  const { lines: prices, free: given, held, unknownCodes, vatRates } = priced;
  const codes = new Set([...request.lines, ...given].map((line) => line.product));
  const products = await canonical(tx, "product", "product = any($2)", [company, [...codes]]);
  return {
    customer,
    site: sites === undefined ? undefined : (sites[0] ?? null),
    products: new Map(products.map((product) => [product.product, product])),
    openGross: open,
    prices,
    given,
    held,
    unknownCodes,
    vatRates,
    quotation: await gatherQuotation(tx, company, request),
  };
}

async function canonical<N extends RecordName>(
  tx: Queryable,
  name: N,
  where: string,
  values: readonly unknown[],
): Promise<Canonical<N>[]> {
  const { fields, table } = records[name];
  const columns = Object.keys(fields).map((field) => `${columnOf(field)} as "${field}"`);
  return tx.query<Canonical<N>>(
    `select ${columns.join(", ")} from ${table} where company = $1 and ${where}`,
    values,
  );
}

/**
 * Gross of the account's web orders that the ledger does not show yet and that no payment covers.
 * The account is locked first: two orders at once cannot both use what is left of a limit.
 */
async function openGross(tx: Queryable, company: string, account: string): Promise<string> {
  await tx.affect(
    "insert into web_order_account (company, account) values ($1, $2) on conflict do nothing",
    [company, account],
  );
  await tx.query("select 1 from web_order_account where company = $1 and account = $2 for update", [
    company,
    account,
  ]);
  const [row] = await tx.query<{ open: string }>(OPEN_GROSS, [company, account]);
  return row?.open ?? "0.00";
}

/**
 * What each account's web orders come to that the ledger does not show yet and no payment covers:
 * (company, account, open). Charges stay open as long as any line of their order does.
 */
export const OPEN_ORDERS = `
  (select o.company, o.account, greatest(0, goods.open
           + case when goods.open > 0 then o.gross - goods.total else 0 end - o.paid) as open
    from web_order o
    cross join lateral (
      select coalesce(sum(l.net + l.vat), 0) as total,
             coalesce(sum((l.net + l.vat) * greatest(0, 1 -
               (l.invoiced_quantity + l.cancelled_quantity) / l.quantity)), 0) as open
        from web_order_line l where l.company = o.company and l.order_id = o.id) goods
   where not o.test and o.state not in ('refused', 'cancelled', 'shadowed'))`;

const OPEN_GROSS = `
  select coalesce(sum(o.open), 0)::numeric(18, 2) as open
    from ${OPEN_ORDERS} o where o.company = $1 and o.account = $2`;
