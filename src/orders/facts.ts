/** What the checks need to know, read inside the transaction that takes the orders in. */
import { columnOf, records, type Canonical, type RecordName } from "../model/index.ts";
import { LockNeeded } from "../pricing/index.ts";
import type {
  BasketLocks,
  DocumentArithmetic,
  PromotionHeld,
  StandingLine,
} from "../pricing/index.ts";
import type { Queryable } from "../store/index.ts";
import { gatherQuotation } from "./agreements.ts";
import type { LinePrice, OrderFacts } from "./checks.ts";
import { chargedOnce } from "./delivered.ts";
import type { AccountedOrder } from "./request.ts";
import { readAround, readReplacing, surroundingsOf } from "./surroundings.ts";

/** Our prices of now, from the live price book. */
export interface OrderPricing {
  /**
   * The whole order as a basket: what it comes to at the prices that it says, beside ours. The
   * limits of its promotions are locked until the transaction ends; one that must not wait for them
   * throws `LockNeeded`, and asks nothing of the database.
   */
  price(tx: Queryable, question: PriceQuestion, locks?: BasketLocks): Promise<OrderPrices>;
  /**
   * The same as of an earlier moment: by the promotions that were known and held then. Before a
   * transaction begins. Null: what was known then is kept no more; absent: none ever is.
   */
  asOf?(account: string, at: Temporal.Instant): Promise<OrderPricing["price"] | null>;
  /** Takes over prices that another process has published; before a transaction begins. */
  newest?(): Promise<void>;
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

/**
 * Whether an order may wait for what another transaction has locked; look: it may, and it will not
 * be taken in.
 */
export type Manner = "wait" | "never wait" | "look";

/**
 * alone: it must wait for a lock, so it goes into a transaction of its own. again: an order before
 * it in the same transaction has to be written first.
 */
export type Turned = "alone" | "again";

export type Asking = (order: AccountedOrder, branch: string | null) => Promise<OrderPrices>;

/** An order whose facts are wanted. */
export interface Examinee {
  readonly order: AccountedOrder;
  /** From a test key. */
  readonly test: boolean;
}

export interface Gathering {
  readonly company: string;
  readonly now: Temporal.Instant;
  readonly repeatedWithinMinutes: number;
  readonly manner: Manner;
  readonly ask: Asking;
}

/**
 * What is known of each order, read for all of them together: a statement a table, however many
 * orders there are, and all of them at once where the transaction is pipelined. One that waits is
 * by itself, so that it keeps no other waiting.
 */
export async function gatherFacts(
  tx: Queryable,
  gathering: Gathering,
  asked: readonly Examinee[],
): Promise<(OrderFacts | Turned)[]> {
  const { company, ask, manner } = gathering;
  const orders = asked.map(({ order }) => order);
  const accounts = [...new Set(orders.map(({ account }) => account))].sort();
  const stated = asked.map(({ order, test }) => ({ request: order, test }));
  // Locks always in this order, so that nobody waits in a ring; those of promotions come last.
  const [open, customers, sites, listed, around] = await tx.atOnce(
    () => openGross(tx, company, accounts, manner),
    () => readCustomers(tx, company, accounts),
    () => readSites(tx, company, orders),
    () => readProducts(tx, company, orders.flatMap(codesOf)),
    () => readAround(tx, { ...gathering, lock: LIKES[manner] }, stated),
  );
  // A limit that came between the lock and the customer: now it is there for both.
  const isUnlocked = (account: string) => isLimited(customers.get(account)) && !open.has(account);
  if (manner !== "never wait" && accounts.some(isUnlocked))
    return gatherFacts(tx, gathering, asked);
  const placed = orders.map((order, index) => {
    const customer = customers.get(order.account) ?? null;
    const branch = order.branch ?? customer?.branch ?? null;
    return { index, request: order, customer, branch };
  });
  const gross = grossFor(orders, customers, open);
  const known: (Known | Turned)[] = [];
  for (const { index, request, branch } of placed) {
    const own = around.turned.get(index) ?? gross[index] ?? "alone";
    known.push(typeof own === "string" ? own : await knownOf(own, pricesOf(request, branch, ask)));
  }
  const given = known.flatMap((one) => (typeof one === "string" ? [] : one.free));
  const missing = given.map(({ product }) => product).filter((code) => !listed.has(code));
  const products = new Map([...listed, ...(await readProducts(tx, company, missing))]);
  const replacing = await readReplacing(tx, company, accounts, listed);
  const facts: (OrderFacts | Turned)[] = [];
  for (const one of placed) {
    const own = known[one.index] ?? "alone";
    if (typeof own === "string") facts.push(own);
    else
      facts.push({
        ...factsOf(own),
        customer: one.customer,
        site: one.request.site === null ? undefined : (sites.get(siteKey(one.request)) ?? null),
        products,
        quotation: await gatherQuotation(tx, company, one.request),
        surroundings: surroundingsOf(around, one, listed, replacing),
      });
  }
  return facts;
}

/** What an order comes to, beside what its account owes for others. */
type Known = OrderPrices & Pick<OrderFacts, "openGross">;

async function knownOf(
  own: Pick<Known, "openGross">,
  asked: Promise<OrderPrices | Turned>,
): Promise<Known | Turned> {
  const prices = await asked;
  return typeof prices === "string" ? prices : { ...prices, ...own };
}

function factsOf({ lines, free, held, unknownCodes, vatRates, openGross: gross }: Known) {
  return { prices: lines, given: free, held, unknownCodes, vatRates, openGross: gross };
}

const LIKES = { wait: "wait", "never wait": "try", look: "none" } as const;

async function pricesOf(
  order: AccountedOrder,
  branch: string | null,
  ask: Asking,
): Promise<OrderPrices | Turned> {
  try {
    return await ask(order, branch);
  } catch (error) {
    if (error instanceof LockNeeded) return "alone";
    throw error;
  }
}

function codesOf({ lines, charges }: AccountedOrder): string[] {
  return [...lines.map(({ product }) => product), ...charges.map(({ charge }) => charge)];
}

async function readCustomers(
  tx: Queryable,
  company: string,
  accounts: readonly string[],
): Promise<Customers> {
  const found = await canonical(tx, "customer", "account = any($2)", [company, accounts]);
  return new Map(found.map((customer) => [customer.account, customer]));
}

type Customers = ReadonlyMap<string, Canonical<"customer">>;

async function readSites(
  tx: Queryable,
  company: string,
  orders: readonly AccountedOrder[],
): Promise<ReadonlyMap<string, Canonical<"site">>> {
  const at = orders.filter(({ site }) => site !== null);
  if (at.length === 0) return new Map();
  const found = await canonical(
    tx,
    "site",
    "(account, site) in (select * from unnest($2::text[], $3::text[]))",
    [company, at.map(({ account }) => account), at.map(({ site }) => site)],
  );
  return new Map(found.map((site) => [siteKey(site), site]));
}

function siteKey({ account, site }: { readonly account: string; readonly site: string | null }) {
  return JSON.stringify([account, site]);
}

async function readProducts(
  tx: Queryable,
  company: string,
  codes: readonly string[],
): Promise<ReadonlyMap<string, Canonical<"product">>> {
  if (codes.length === 0) return new Map();
  const values = [company, [...new Set(codes)]];
  const found = await canonical(tx, "product", "product = any($2)", values);
  return new Map(found.map((product) => [product.product, product]));
}

async function canonical<N extends RecordName>(
  tx: Queryable,
  name: N,
  where: string,
  values: readonly unknown[],
): Promise<Canonical<N>[]> {
  const { fields, table } = records[name];
  const columns = Object.keys(fields).map((field) => `${columnOf(field)} as "${field}"`);
  return tx.prepared<Canonical<N>>(
    `select ${columns.join(", ")} from ${table} where company = $1 and ${where}`,
    values,
  );
}

/**
 * Gross of web orders that the ledger does not show yet and that no payment covers, by account. One
 * with a limit is locked first: two orders at once cannot both use what is left of it. One without
 * is not in it, nor one that others have locked and that must not wait.
 */
async function openGross(
  tx: Queryable,
  company: string,
  accounts: readonly string[],
  manner: Manner,
): Promise<ReadonlyMap<string, string>> {
  // The second after the first, so that what the last holders of a lock wrote is seen.
  const [locked, open] = await tx.atOnce(
    () => tx.prepared<{ account: string; locked: unknown }>(LOCK[manner], [company, accounts]),
    () => tx.prepared<{ account: string; open: string }>(OPEN_GROSS, [company, accounts]),
  );
  const by = new Map(open.map((row) => [row.account, row.open]));
  const held = locked.filter((row) => row.locked !== false);
  return new Map(held.map(({ account }) => [account, by.get(account) ?? NOTHING_OPEN]));
}

const NOTHING_OPEN = "0.00";

function isLimited(customer: Canonical<"customer"> | undefined): boolean {
  return (customer?.creditLimit ?? null) !== null;
}

/** For each order. The second one of an account with a limit has to see the first one written. */
function grossFor(
  orders: readonly AccountedOrder[],
  customers: Customers,
  open: ReadonlyMap<string, string>,
): (Pick<OrderFacts, "openGross"> | Turned)[] {
  const taken = new Set<string>();
  return orders.map(({ account }) => {
    if (!isLimited(customers.get(account))) return { openGross: NOTHING_OPEN };
    const gross = open.get(account);
    if (gross === undefined) return "alone";
    if (taken.has(account)) return "again";
    taken.add(account);
    return { openGross: gross };
  });
}

const LIMITED = `
  (select account from customer
    where company = $1 and account = any($2) and credit_limit is not null
    order by account offset 0)`;

/** Those with a limit are locked until the transaction ends. */
const lockBy = (lock: string) =>
  `select account, ${lock}(hashtextextended($1 || ' account ' || account, 0)) as locked
     from ${LIMITED} limited`;
const LOCK = {
  "never wait": lockBy("pg_try_advisory_xact_lock"),
  wait: lockBy("pg_advisory_xact_lock"),
  look: lockBy("pg_advisory_xact_lock"),
};

/** Share of its charges that no invoice carries yet. */
const OPEN_CHARGES = `
  coalesce(least(1, greatest(0, 1 - o.invoiced_charges / nullif(o.net - goods.net, 0))), 1)`;

/**
 * What each account's web orders come to that the ledger does not show yet and no payment covers:
 * (company, account, open). Charges stay open as long as any line of their order does, less what
 * invoices of the order carry of charges: whether an ERP bills carriage with the first invoice, the
 * last or each of them is its own affair, so no share of the goods tells it. What an amendment
 * adds that is still to be done at the ERP is open, too. What is over costs nothing, and
 * the lines of an order that nothing has happened to are not looked at.
 */
export const OPEN_ORDERS = `
  (select o.company, o.open_account as account, coalesce(o.open_gross, greatest(0, goods.open
           + case when goods.open > 0 then o.gross - goods.total else 0 end * ${OPEN_CHARGES} - o.paid)
         + coalesce(asked.more, 0)) as open
    from web_order o
    left join lateral (
      select greatest(0, max((c.body ->> 'gross')::numeric) - o.gross) as more
        from web_order_change c
       where o.open_gross is null and c.company = o.company and c.order_id = o.id
         and c.state in ('held', 'asked', 'task')) asked on true
    cross join lateral (
      select coalesce(sum(l.net + l.vat), 0) as total, coalesce(sum(l.net), 0) as net,
             coalesce(sum((l.net + l.vat) * greatest(0, 1 -
               (${chargedOnce()} + l.cancelled_quantity) / l.quantity)), 0) as open
        from web_order_line l
       where o.open_gross is null and l.company = o.company and l.order_id = o.id) goods
   where o.open_account is not null and not o.test
     and o.state not in ('refused', 'cancelled', 'shadowed'))`;

const OPEN_GROSS = `
  select o.account, sum(o.open)::numeric(18, 2) as open
    from ${OPEN_ORDERS} o
   where o.company = $1 and o.account = any(array ${LIMITED}) group by o.account`;
