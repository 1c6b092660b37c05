/**
 * What we would have said at an earlier moment: a small book of all that could reach one account,
 * from the rows as they were known then. Rules that a merge superseded are closed, not deleted, so
 * the rows of then are those that were learned by then and have not changed since, and those that
 * were superseded after it.
 */
import { records } from "../model/index.ts";
import type { RecordName } from "../model/index.ts";
import type { Reading, Store } from "../store/index.ts";
import { digestOf, startBook } from "./engine/index.ts";
import type { Masters, Policy, PriceBook } from "./engine/index.ts";
import { readMasters, readPromotions, readQuotations } from "./masters-read.ts";
import type { PricedCompany, Reader } from "./masters-read.ts";
import { PastNotKept } from "./error.ts";
import { momentTexts } from "./root.ts";
import type { Root } from "./root.ts";
import { literal, readRulesFrom } from "./rule-rows.ts";

export interface KnownAt {
  readonly account: string;
  /** Of our knowledge; whether a rule holds is asked of a line's own moment. */
  readonly knownAt: Temporal.Instant;
}

/** The same as `rootAt`; throws `PastNotKept` for a moment before the days that are kept. */
export async function knownRoot(options: Knowing, asked: KnownAt): Promise<Root> {
  const { store, company, policy, now, keepPastDays } = options;
  if (keepPastDays !== undefined) {
    const oldest = now().subtract({ hours: 24 * keepPastDays });
    if (Temporal.Instant.compare(asked.knownAt, oldest) < 0)
      throw new PastNotKept(company, asked.knownAt, keepPastDays);
  }
  return rootAt(store, options, policy, asked);
}

export interface Knowing extends PricedCompany {
  readonly store: Store;
  readonly policy: Policy;
  readonly now: () => Temporal.Instant;
  /** Absent: for ever. */
  readonly keepPastDays?: number;
}

/** Never throws for an account that was not there: the book does not have it then. */
async function rootAt(
  store: Store,
  priced: PricedCompany,
  policy: Policy,
  asked: KnownAt,
): Promise<Root> {
  const { company } = priced;
  return store.reading(async (at) => {
    const book = await bookAt(at, priced, policy, asked);
    const digest = digestOf(book);
    const published = await publishedAt(at, company, asked.knownAt);
    return {
      book,
      version: published.version,
      number: published.number,
      digest,
      publishedAt: published.at ?? asked.knownAt,
      freshness: null,
      momentText: momentTexts(),
    };
  });
}

/** The version that answered then. */
async function publishedAt(
  at: Reading,
  company: string,
  knownAt: Temporal.Instant,
): Promise<{ version: string; number: number; at: Temporal.Instant | null }> {
  const [row] = await at.query<{ version: number; digest: string; at: Temporal.Instant }>(
    `select version, digest, published_at as at from price_book
      where company = $1 and published_at <= $2 order by version desc limit 1`,
    [company, knownAt],
  );
  if (row === undefined) return { version: "0-unpublished", number: 0, at: null };
  const { version, digest } = row;
  return { version: `${version}-${digest.slice(0, 8)}`, number: version, at: row.at };
}

async function bookAt(
  at: Reading,
  priced: PricedCompany,
  policy: Policy,
  { account, knownAt }: KnownAt,
): Promise<PriceBook> {
  const { company } = priced;
  const then: Reader = {
    query: (sql, values) => at.query(sql, values),
    relation: (record) => relationAt(record, company, knownAt, account),
  };
  const runs = new Map<string, Set<string>>();
  const masters = await readMasters(then, priced, runs);
  const builder = startBook(policy, masters);
  const places = placesOf(masters, account);
  await readRulesFrom(at, rulesAt(company, knownAt, places), builder);
  const promotions = await readPromotions(then, company, runs);
  const near = new Set(places);
  builder.addPromotions(
    promotions.filter(({ customerScope, customerCode }) =>
      near.has(placeOf(customerScope, customerCode === "*" ? "" : customerCode)),
    ),
  );
  builder.addQuotations(await readQuotations(then, company, runs));
  return builder.finish();
}

/** As the merge writes the place of a superseded row. */
function placeOf(scope: string, code: string | null): string {
  return `${scope} ${code ?? ""}`;
}

/** Of whom rules can reach the account: by any scope, also those that a policy does not look at. */
function placesOf(masters: Masters, account: string): string[] {
  const customer = masters.customers.find((row) => row.account === account);
  if (customer === undefined) return [];
  const { headOffice, buyingGroup = null, customerGroup } = customer;
  const named = [
    placeOf("account", account),
    placeOf("head-office", headOffice ?? account),
    placeOf("buying-group", buyingGroup),
    placeOf("customer-group", customerGroup),
    placeOf("everyone", ""),
  ];
  // A buyer may name a branch or a site, and a list may be worked out from another.
  const lists = masters.priceLists.map((row) => placeOf("price-list", row.priceList));
  const branches = masters.branches.map((row) => placeOf("branch", row.branch));
  const sites = masters.sites.map((row) => placeOf("site", `${row.account}/${row.site}`));
  const formulas = (masters.priceFormulas ?? []).length > 0;
  const own = ownLists(masters, customer).map((list) => placeOf("price-list", list));
  return [...named, ...(formulas ? lists : own), ...branches, ...sites];
}

function ownLists(
  masters: Masters,
  { account, priceList }: Masters["customers"][number],
): string[] {
  const standard = masters.priceLists.filter((row) => row.standard).map((row) => row.priceList);
  const further = (masters.customerPriceLists ?? [])
    .filter((row) => row.account === account)
    .map((row) => row.priceList);
  return [...further, ...(priceList === null ? [] : [priceList]), ...standard];
}

/** Records of which only the account's own rows can matter to it. */
const OF_ACCOUNT: ReadonlySet<RecordName> = new Set([
  "customer",
  "site",
  "customer-price-list",
  "quotation",
]);

/** A record's rows as they were known, as SQL that takes the company as its first parameter. */
function relationAt(
  record: RecordName,
  company: string,
  knownAt: Temporal.Instant,
  account: string,
): string {
  const { table } = records[record];
  const own = OF_ACCOUNT.has(record) ? `AND t.account = ${literal(account)}` : "";
  return `(${rowsAt(record, table, company, knownAt, own, "")})`;
}

function rulesAt(company: string, knownAt: Temporal.Instant, places: readonly string[]): string {
  const list = [...new Set(places)].map(literal).join(", ") || "''";
  const near = `AND t.customer_scope || ' ' || coalesce(t.customer_code, '') IN (${list})`;
  const closed = `AND s.place IN (${list})`;
  return `(${rowsAt("price-rule", "price_rule", company, knownAt, near, closed)}) r`;
}

function rowsAt(
  record: RecordName,
  table: string,
  company: string,
  knownAt: Temporal.Instant,
  rows: string,
  closed: string,
): string {
  const of = literal(company);
  const moment = `${literal(knownAt.toString())}::timestamptz`;
  return `SELECT t.* FROM ${table} t
           WHERE t.company = ${of} AND t.learned_at <= ${moment} ${rows}
          UNION ALL
          SELECT t.* FROM superseded_row s
           CROSS JOIN LATERAL jsonb_populate_record(null::${table}, s.was) t
           WHERE s.company = ${of} AND s.record = ${literal(record)} AND s.was IS NOT NULL
             AND s.known_from <= ${moment} AND s.known_to > ${moment} ${closed} ${rows}`;
}
