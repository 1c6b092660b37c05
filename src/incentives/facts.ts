/**
 * Everything that a run is made of, read: postings, assignments, customers and their beginnings.
 */
import { decimal } from "../model/index.ts";
import type { Posting } from "../sales/index.ts";
import type { Opened, Periods } from "./context.ts";
import { firstInvoices, openLedger } from "./engine/index.ts";
import type {
  AssignmentFact,
  AttributionInput,
  EntityFact,
  LineFact,
  PayRules,
} from "./engine/index.ts";

export interface Facts {
  readonly input: AttributionInput;
  /** Last batch of the sales ledger that was read. */
  readonly watermark: number;
}

/**
 * The whole ledger up to its watermark: lines of the asked periods to be paid, all others as
 * evidence, since a first invoice may be years old and a late one may lie in a later period.
 */
export async function readFacts(context: Opened, { from, to }: Periods): Promise<Facts> {
  const { sales, settings } = context;
  const watermark = await sales.watermark();
  const customers = await readCustomers(context);
  const open = openLedger();
  for await (const batch of sales.postings({ upToBatch: watermark }))
    for (const posting of batch) {
      const isAsked = posting.period >= from && posting.period <= to;
      (isAsked ? open.add : open.refer)(lineFrom(posting, customers));
    }
  const ledger = open.close();
  const cashAccounts = new Set(settings.cashAccounts);
  for (const [account, { cashAccount }] of customers) if (cashAccount) cashAccounts.add(account);
  const rules: PayRules = {
    currency: settings.currency,
    payStartOn: settings.payStartOn,
    newMonths: settings.newWithinMonths,
    historyFrom: settings.historyFrom ?? (ledger.count > 0 ? ledger.lineAt(0).documentOn : null),
  };
  const opened = openedDates(customers);
  const entities = firstInvoices(ledger, cashAccounts).map((first): EntityFact => ({
    ...first,
    openedOn: opened.get(first.tradingEntity) ?? null,
  }));
  const assignments = await readAssignments(context);
  return { input: { ledger, assignments, entities, cashAccounts, rules }, watermark };
}

interface Customer {
  readonly account: string;
  readonly tradingEntity: string | null;
  readonly cashAccount: boolean;
  readonly openedOn: string | null;
  readonly entityOpenedOn: string | null;
}

type Customers = ReadonlyMap<string, Customer>;

async function readCustomers({ store, company }: Opened): Promise<Customers> {
  const rows = await store.query<Customer>(
    `select c.account, c.trading_entity as "tradingEntity", c.cash_account as "cashAccount",
            c.opened_on as "openedOn", e.opened_on as "entityOpenedOn"
       from customer c
       left join trading_entity e on e.company = c.company and e.trading_entity = c.trading_entity
      where c.company = $1`,
    [company],
  );
  return new Map(rows.map((row) => [row.account, row]));
}

async function readAssignments({ store, company }: Opened): Promise<AssignmentFact[]> {
  return store.query<AssignmentFact>(
    `select account, rep, share_percent as "sharePercent", valid_from as "validFrom",
            valid_to as "validTo"
       from assignment where company = $1 order by account, rep, valid_from`,
    [company],
  );
}

/** An account without a trading entity is its own; the word keeps the two kinds of code apart. */
function entityOf(account: string, customer: Customer | undefined): string {
  return customer?.tradingEntity ?? `account ${account}`;
}

/**
 * When each trading entity became a customer: as it is stated, else when the first of its accounts
 * was opened; not known while one of them does not say.
 */
function openedDates(customers: Customers): Map<string, string | null> {
  const trade = [...customers.values()].filter(({ cashAccount }) => !cashAccount);
  const byEntity = Map.groupBy(trade, (customer) => entityOf(customer.account, customer));
  const dates = new Map<string, string | null>();
  for (const [entity, accounts] of byEntity) {
    const stated = accounts.find(({ entityOpenedOn }) => entityOpenedOn !== null)?.entityOpenedOn;
    const opened = accounts.map(({ openedOn }) => openedOn).filter((date) => date !== null);
    const first = opened.length === accounts.length ? opened.sort(byText)[0] : undefined;
    dates.set(entity, stated ?? first ?? null);
  }
  return dates;
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function lineFrom(posting: Posting, customers: Customers): LineFact {
  return {
    postingId: posting.id,
    source: posting.source,
    documentType: posting.documentType,
    document: posting.document,
    line: posting.line,
    version: posting.version,
    reversal: posting.reversal,
    account: posting.account,
    tradingEntity: entityOf(posting.account, customers.get(posting.account)),
    documentOn: posting.documentOn,
    period: posting.period,
    channel: posting.channel,
    productGroup: posting.productGroup,
    lineClass: posting.lineClass,
    currency: posting.currency,
    netPence: penceOf(posting.net),
    creditsDocument: posting.creditsDocument,
    creditsLine: posting.creditsLine,
  };
}

/** "-12.50" → -1250. The ledger keeps two places; anything else takes the careful way. */
function penceOf(net: string): number {
  return net.at(-3) === "."
    ? Number(net.slice(0, -3) + net.slice(-2))
    : Number(decimal.digitsAt(decimal.parse(net), 2));
}
