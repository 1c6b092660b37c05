/** One company's modules, wired to each other and to its connections; for `main` alone. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Access } from "./access/index.ts";
import { alarmsOf } from "./company/alarms.ts";
import { checkConnections, type Checked } from "./company/check.ts";
import { checkJournal } from "./company/check-journal.ts";
import { checkOrders } from "./company/check-orders.ts";
import { checkPolicy, readMappingSets } from "./company/mapping-sets.ts";
import { stopIfBackwards, stopIfStampsFell, type Backwards } from "./company/backwards.ts";
import { asWarning, connectionsLeftBehind } from "./company/left-behind.ts";
import { goLiveOf, type GoLiveDesk } from "./company/go-live.ts";
import { maintenanceOf, type Maintenance } from "./company/maintenance.ts";
import { readOwners, type Owned } from "./company/owners.ts";
import { tokensOf } from "./company/price-tokens.ts";
import { toldShopsOf, type ToldShops } from "./company/webhooks.ts";
import { checkService, schedulesOf } from "./company/schedules.ts";
import { statusOf, type StatusReport } from "./company/status.ts";
import { watch, type Watched } from "./company/watch.ts";
import { pullRequestsOf, type PullRequests } from "./company/pull-requests.ts";
import { pullsOf, type Parts, type Pulls } from "./company/pulls.ts";
import type { CompanySettings, Settings } from "./config.ts";
import {
  openConnection,
  openStandings,
  type Connection,
  type Log,
  type Standings,
} from "./connections/index.ts";
import { openIncentives, type Incentives } from "./incentives/index.ts";
import type { Jobs, Schedules } from "./jobs/index.ts";
import type { Alarms } from "./notify/index.ts";
import type { Orders } from "./orders/index.ts";
import { openPricing, type Holds, type Pricing } from "./pricing/index.ts";
import { proofOf, type Proof } from "./company/parity.ts";
import { connectionNamed, NotInSettings, notNamed } from "./company/not-named.ts";
import { ordersOf } from "./company/orders.ts";
import { priceDesksOf, staleAfterOf, type PriceRounds } from "./company/price-rounds.ts";
import { openSales, type Sales } from "./sales/index.ts";
import { KINDS, openShop, type DropResult, type Shop } from "./shop/index.ts";
import type { Store } from "./store/index.ts";
import { trustSources, type Rested, type TrustSources } from "./sync/index.ts";

export { NotInSettings } from "./company/not-named.ts";
export { orderPricing } from "./company/order-prices.ts";
export { PULL_NOW_JOB } from "./company/pull-requests.ts";
export { checkFiles, type Checked } from "./company/check.ts";
export { CHECKLIST, type ChecklistName } from "./company/go-live.ts";
export type { StreamStatus } from "./company/status.ts";
export { asWarning, companiesLeftBehind } from "./company/left-behind.ts";
export { leftOutInWords } from "./company/owners.ts";

/** What a total of sales rests on. */
const SALES_RECORDS = ["sales-document", "sales-line", "control-total"];
/** What a price rests on. */
const PRICE_RECORDS = ["customer", "product", "price-list", "price-rule", "promotion"];

export interface Context {
  readonly settings: Settings;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly now: () => Temporal.Instant;
  /** The book of who did what; absent: nothing is written there. */
  readonly access?: Pick<Access, "audit">;
  /** True in the service, where nothing may hold up an answer. */
  readonly service?: boolean;
}

/** One company's modules, wired. */
export interface CompanyServices extends Pulls, PullRequests, ToldShops {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly pricing: Pricing;
  readonly rounds: PriceRounds;
  readonly holds: Holds;
  readonly proof: Proof;
  readonly orders: Orders;
  readonly sales: Sales;
  readonly shop: Shop;
  /** Brings the shop's feeds up to date, and lays its files where the settings want them. */
  tellShop(): Promise<{ readonly noted: number; readonly laid: readonly DropResult[] }>;
  readonly incentives: Incentives;
  readonly alarms: Alarms;
  readonly schedules: Schedules;
  /** Which connections may hand orders over, and which stand still. */
  readonly standings: Standings;
  readonly maintenance: Maintenance;
  readonly goLive: GoLiveDesk;
  /** True: the ERP went backwards, and its connection was stopped now. `ask`: it is searched. */
  stopIfBackwards(how: { readonly ask: boolean }): Promise<boolean>;
  /** How fresh each stream is that prices rest on; null: it was never read. */
  priceSources(): ReturnType<TrustSources["freshness"]>;
  /** How every stream stands, its schedules, and the alarms that hold. */
  status(): Promise<StatusReport>;
  /** Raises and ends the alarms of what is late, stopped or failing. */
  watch(): Promise<void>;
  /** Streams that the connections' mappings read, each once. */
  readonly streams: readonly string[];
  /** What only open connections can tell. */
  check(): Promise<Checked[]>;
}

export async function openCompany(context: Context, code: string): Promise<CompanyServices> {
  const { settings, sets, owned, connect } = await readCompany(context, code);
  const { store, now } = context;
  const sourcesOf = (names: readonly string[]) =>
    trustSources(store, code, restedOn(settings, owned, names));
  const priceSources = sourcesOf(PRICE_RECORDS);
  const alarms = alarmsOf(context, code, settings);
  const pricing = await pricingOf(context, { code, settings, alarms, sources: priceSources });
  const { rounds, holds } = priceDesksOf(context, { code, settings, owned, alarms });
  const proof = proofOf(context, { code, settings, pricing, alarms, connect });
  const streamsOf = (name: string) => [
    ...new Set(owned.mappingsOf(name).map(({ reads }) => reads)),
  ];
  const streams = [...new Set(Object.keys(settings.connections).flatMap(streamsOf))];
  const watched = watchedOf(context, { code, settings, alarms, streamsOf });
  const { schedules, standings, maintenance } = watched;
  const sources = sourcesOf(SALES_RECORDS);
  const sales = openSales({ store, company: code, settings: settings.sales, sources, now });
  const shop = openShop({ store, company: code, vatCodes: Object.keys(settings.vat), now });
  const parts: Parts = { code, settings, connect, sets, owned, alarms, standings };
  const orders = ordersOf(context, { ...parts, pricing, sales });
  const backwards: Backwards = { code, settings, standings, alarms, orders };
  const toGoLive = { code, settings, standings, orders, pricing, proof, sales, connect, owned };
  const left = () => connectionsLeftBehind(store, { code, settings }, standings);
  const look = async (): Promise<void> => {
    await rounds.settle();
    await watch(context, watched);
  };
  return {
    code,
    settings,
    pricing,
    rounds,
    holds,
    proof,
    sales,
    shop,
    tellShop: () => tellShop(shop, settings, connect),
    orders,
    incentives: await incentivesOf(context, { code, settings, sales }),
    alarms,
    schedules,
    standings,
    maintenance,
    goLive: goLiveOf(context, toGoLive),
    stopIfBackwards: (how) => stopIfBackwards(context, backwards, how),
    priceSources: () => priceSources.freshness(),
    status: async () =>
      statusOf(context, watched, streamsOf, { desk: await orders.desk(), left: await left() }),
    watch: look,
    ...lookedAfter(context, { pulls: pullsOf(context, parts), look, owned, backwards }),
    ...pullRequestsOf(context, { code, settings, streams }),
    ...toldShopsOf(context, { code, settings, alarms }),
    streams,
    check: async () => [
      ...(await checkConnections(settings, owned, connect, standings)),
      ...(await left()).map(asWarning),
      ...(await checkJournal(store, { code, settings }, connect)),
      ...(await checkOrders(context.store, code, settings)),
      ...(await checkService(schedules)),
    ],
  };
}

/** What the settings say of a company, with its mappings; refused where one of them is wrong. */
async function readCompany(context: Context, code: string): Promise<Read> {
  const settings = context.settings.companies[code];
  if (settings === undefined)
    throw notNamed("settings name no company", code, Object.keys(context.settings.companies));
  const sets = await readMappingSets(context.settings, code, settings);
  const owned = await readOwners(context.settings, code, sets);
  await checkPolicy(context.settings, code, settings.pricing);
  const connect = (name: string) => connectTo(context, code, settings, name);
  return { settings, sets, owned, connect };
}

type Read = Pick<Parts, "settings" | "sets" | "owned" | "connect">;

/** What is read when, what stands still, and what is told when something is late. */
function watchedOf(
  context: Context,
  {
    streamsOf,
    ...company
  }: Pick<Parts, "code" | "settings" | "alarms"> & {
    readonly streamsOf: (connection: string) => readonly string[];
  },
): Watched {
  const { code, settings } = company;
  const { timeZone } = settings;
  const standings = openStandings({
    store: context.store,
    company: code,
    timeZone,
    now: context.now,
    named: Object.keys(settings.connections),
  });
  const schedules = schedulesOf(context, code, streamsOf, standings);
  const maintenance = maintenanceOf(context, { ...company, standings });
  return { ...company, schedules, standings, maintenance };
}

/** Whoever pulls by hand may be the only one who looks: an alarm must not outlive its cause. */
function lookedAfter(
  context: Context,
  {
    pulls,
    look,
    owned,
    backwards,
  }: {
    readonly pulls: Pulls;
    readonly look: () => Promise<void>;
    readonly owned: Owned;
    readonly backwards: Backwards;
  },
): Pulls {
  const andLook = async <T>(pulled: Promise<T>): Promise<T> => {
    const result = await pulled;
    await look().catch((error: unknown) => {
      context.log("warn", `Looking for what is late at ${backwards.code}: ${String(error)}`);
    });
    return result;
  };
  return {
    ...pulls,
    sync: async (connection, asked) => {
      const results = await andLook(pulls.sync(connection, asked));
      const recordsOf = (stream: string) =>
        owned
          .mappingsOf(connection)
          .flatMap((each) => (each.reads === stream ? [each.record.name] : []));
      await stopIfStampsFell(context, backwards, { connection, results, recordsOf });
      return results;
    },
    backfill: (...asked) => andLook(pulls.backfill(...asked)),
    apply: (...asked) => andLook(pulls.apply(...asked)),
  };
}

function pricingOf(
  { store, settings: all, now, log, service }: Context,
  {
    code,
    settings,
    ...given
  }: {
    readonly code: string;
    readonly settings: CompanySettings;
    readonly alarms: Alarms;
    readonly sources: TrustSources;
  },
): Promise<Pricing> {
  const { policy, switches, keepPastDays } = settings.pricing;
  return openPricing({
    ...given,
    store,
    company: code,
    settings,
    policy,
    switches,
    policyFolders: all.mappingFolders,
    tokens: tokensOf(all, settings),
    snapshot: join(dirname(all.database.folder), "price-books", `${code}.book`),
    keepPastDays,
    apart: service ?? false,
    now,
    log,
    staleAfter: staleAfterOf(settings),
  });
}

async function tellShop(
  shop: Shop,
  { shop: { drop } }: CompanySettings,
  connect: (name: string) => Promise<Connection>,
): ReturnType<CompanyServices["tellShop"]> {
  const noted = await shop.note();
  if (drop === undefined) return { noted, laid: [] };
  await using connection = await connect(drop.connection);
  const { session } = connection;
  if (session.layFile === undefined)
    throw new NotInSettings(
      `The connection "${drop.connection}" of shop.drop cannot take files; name one of a connector ` +
        "that writes into a folder, such as csv.",
    );
  const lay = (name: string, content: string) =>
    session.layFile?.(name, content) ?? Promise.resolve();
  return { noted, laid: await shop.drop(lay, drop.kinds ?? KINDS) };
}

function restedOn(
  { connections }: CompanySettings,
  owned: Owned,
  names: readonly string[],
): Rested {
  const reads = Object.keys(connections).flatMap((connection) =>
    owned
      .mappingsOf(connection)
      .filter(({ record }) => names.includes(record.name))
      .map(({ reads: stream }) => ({ connection, stream })),
  );
  return { records: names, reads };
}

function connectTo(
  context: Context,
  code: string,
  settings: CompanySettings,
  name: string,
): Promise<Connection> {
  const entry = connectionNamed(code, settings, name);
  return openConnection({
    company: code,
    connectorFolders: context.settings.connectorFolders,
    name,
    settings: entry,
    timeZone: settings.timeZone,
    store: context.store,
    now: context.now,
    secret: (wanted) => context.settings.secret(wanted),
    keyFile: join(dirname(context.settings.database.folder), "tokens.key"),
    log: context.log,
  });
}

async function incentivesOf(
  { settings, store, now, log }: Context,
  company: { readonly code: string; readonly settings: CompanySettings; readonly sales: Sales },
): Promise<Incentives> {
  const { pay, sales, currency } = company.settings;
  const plans = await Promise.all(
    Object.values(pay.plans).map(async (file) => ({
      file,
      text: await readFile(settings.path(file), "utf8").catch((cause: unknown) => {
        throw new NotInSettings(`The plan ${settings.path(file)} cannot be read: ${String(cause)}`);
      }),
    })),
  );
  return openIncentives({
    store,
    company: company.code,
    sales: company.sales,
    settings: {
      plans,
      currency,
      payStartOn: pay.startOn ?? null,
      newWithinMonths: pay.newWithinMonths,
      historyFrom: sales.completeFrom ?? null,
    },
    now,
    log: (message) => {
      log("info", message);
    },
  });
}
