/** One company's modules, wired to each other and to its connections; for `main` alone. */
import { readFile } from "node:fs/promises";
import { checkConnections, type Checked } from "./company/check.ts";
import { checkConnector } from "./company/connectors.ts";
import { checkPolicy, readMappingSets, type MappingSet } from "./company/mapping-sets.ts";
import type { CompanySettings, ConnectionSettings, Settings } from "./config.ts";
import { openConnection, type Connection, type Log } from "./connections/index.ts";
import { nearest } from "./definition/index.ts";
import { openIncentives, type Incentives } from "./incentives/index.ts";
import type { Jobs } from "./jobs/index.ts";
import type { Outbound } from "./mapping/index.ts";
import { ADVANCE_JOB, openOrders, type OrderPricing, type Orders } from "./orders/index.ts";
import { openPricing, PUBLISH_JOB, type Pricing } from "./pricing/index.ts";
import { openSales, POST_JOB, type Sales } from "./sales/index.ts";
import type { Store } from "./store/index.ts";
import {
  listRuns,
  quarantineDesk,
  streamStates,
  syncConnection,
  trustSources,
  type Consumer,
  type Progress,
  type QuarantineDesk,
  type RunResult,
  type StreamState,
  type SyncContext,
} from "./sync/index.ts";

export { checkFiles, type Checked } from "./company/check.ts";

/** What follows a run in which one of these records changed. */
const CONSUMERS: readonly Consumer[] = [
  {
    job: PUBLISH_JOB,
    records: [
      "customer",
      "site",
      "product",
      "product-group",
      "price-list",
      "price-rule",
      "promotion",
      "quotation",
      "quotation-line",
    ],
  },
  {
    job: ADVANCE_JOB,
    records: ["erp-order", "erp-order-line", "order-acknowledgement", "despatch", "despatch-line"],
  },
  {
    job: POST_JOB,
    records: ["sales-document", "sales-line", "erp-order", "erp-order-line", "product", "branch"],
  },
];

/** What a total of sales rests on. */
const SALES_SOURCES = {
  streams: ["sales-documents", "sales-lines", "control-totals"],
  records: ["sales-document", "sales-line", "control-total"],
};
/** What a price rests on. */
const PRICE_SOURCES = {
  streams: ["customers", "products", "price-lists", "price-rules", "promotions"],
  records: ["customer", "product", "price-list", "price-rule", "promotion"],
};

export interface Context {
  readonly settings: Settings;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly now: () => Temporal.Instant;
}

/** One company's modules, wired. */
export interface CompanyServices {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly pricing: Pricing;
  readonly orders: Orders;
  readonly sales: Sales;
  readonly incentives: Incentives;
  readonly desk: QuarantineDesk;
  sync(connection: string, options: SyncOptions): Promise<RunResult[]>;
  streamStates(): Promise<StreamState[]>;
  runs(filter: { stream?: string; limit: number }): ReturnType<typeof listRuns>;
  /** The text of a row as it stood in the source; null when its original is gone. */
  originalOf(originId: string, line: number): Promise<string | null>;
  /** Streams that the connections' mappings read, each once. */
  readonly streams: readonly string[];
  /** What only open connections can tell. */
  check(): Promise<Checked[]>;
}

export interface SyncOptions {
  readonly streams?: readonly string[];
  readonly acceptRemovals?: boolean;
  readonly progress?: (progress: Progress) => void;
}

/** A company, connection or file that was named and that is not there. */
export class NotInSettings extends Error {
  override readonly name = "NotInSettings";
  readonly kind = "config";
}

export async function openCompany(context: Context, code: string): Promise<CompanyServices> {
  const settings = context.settings.companies[code];
  if (settings === undefined)
    throw notNamed("settings name no company", code, Object.keys(context.settings.companies));
  const { store, now, log } = context;
  const sets = await readMappingSets(context.settings, code, settings);
  for (const [name, entry] of Object.entries(settings.connections))
    await checkConnector(context.settings, { company: code, name, entry });
  await checkPolicy(context.settings, code, settings.pricing.policy);
  const connect = (name: string) => connectTo(context, code, settings, name);
  const pricing = await openPricing({
    store,
    company: code,
    settings,
    policy: settings.pricing.policy,
    now,
    log,
    sources: trustSources(store, code, PRICE_SOURCES),
  });
  const trust = trustSources(store, code, SALES_SOURCES);
  const sales = openSales({ store, company: code, settings: settings.sales, sources: trust, now });
  return {
    code,
    settings,
    pricing,
    sales,
    orders: ordersOf(context, { code, settings, pricing, connect, sets }),
    incentives: await incentivesOf(context, { code, settings, sales }),
    ...syncOf(context, { code, settings, connect, sets }),
    originalOf: async (originId, line) => {
      const origin = await trust.origin(originId);
      if (origin === null) return null;
      await using connection = await connect(origin.connection);
      const kept = origin.keptAt === null ? {} : { keptAt: origin.keptAt };
      return (await connection.session.original?.({ name: origin.name, ...kept }, line)) ?? null;
    },
    streams: [
      ...new Set([...sets.values()].flatMap((set) => set.mappings.map(({ reads }) => reads))),
    ],
    check: () => checkConnections(settings, sets, connect),
  };
}

interface Parts {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly connect: (name: string) => Promise<Connection>;
  readonly sets: ReadonlyMap<string, MappingSet>;
}

function syncOf(
  { store, jobs, now, log, settings: { leaseSeconds } }: Context,
  { code, settings, connect, sets }: Parts,
): Pick<CompanyServices, "desk" | "sync" | "streamStates" | "runs"> {
  const context: SyncContext = {
    store,
    company: code,
    jobs,
    now,
    log,
    consumers: CONSUMERS,
    leaseSeconds,
  };
  const mappings = [...sets.values()].flatMap((set) => set.mappings);
  return {
    desk: quarantineDesk(context, (id) => mappings.find((mapping) => mapping.id === id)),
    sync: async (name, options) => {
      await using connection = await connect(name);
      const entry = settings.connections[name];
      // Awaited here: the connection must stay open until the last stream is read.
      return await syncConnection(
        context,
        {
          connection,
          mappings: sets.get(entry?.mappings ?? "")?.mappings ?? [],
          dropBrakePercent: entry?.dropBrakePercent ?? 20,
        },
        options,
      );
    },
    streamStates: () => streamStates(store, code),
    runs: (filter) => listRuns(store, code, filter),
  };
}

function connectTo(
  context: Context,
  code: string,
  settings: CompanySettings,
  name: string,
): Promise<Connection> {
  const entry = settings.connections[name];
  if (entry === undefined)
    throw notNamed(
      `settings of ${code} name no connection`,
      name,
      Object.keys(settings.connections),
    );
  return openConnection({
    company: code,
    name,
    settings: entry,
    timeZone: settings.timeZone,
    store: context.store,
    now: context.now,
    secret: (wanted) => context.settings.secret(wanted),
    log: context.log,
  });
}

function notNamed(what: string, name: string, known: readonly string[]): NotInSettings {
  const close = nearest(name, known);
  return new NotInSettings(
    `The ${what} "${name}"; they name ${known.join(", ")}.` +
      (close === undefined ? "" : ` Did you mean ${close}?`),
  );
}

function ordersOf(
  context: Context,
  { code, settings, pricing, connect, sets }: Parts & { readonly pricing: Pricing },
): Orders {
  const { store, jobs, now, log } = context;
  const name = settings.orders.connection;
  const entry = settings.connections[name];
  if (entry === undefined)
    throw notNamed(
      `settings of ${code} name no connection`,
      name,
      Object.keys(settings.connections),
    );
  const outbound = outboundOf(context, code, entry, sets);
  const orders = openOrders({
    store,
    company: code,
    settings: {
      ...settings.orders,
      vat: settings.vat,
      currency: settings.currency,
      timeZone: settings.timeZone,
      rounding: { scale: 2, mode: "half-away" },
      maxAttempts: 8,
    },
    pricing: orderPricing(pricing),
    jobs,
    connection: { mode: entry.mode, openSession: async () => (await connect(name)).session },
    outbound,
    now,
    log,
  });
  // Before the order's transaction begins: one that waited for a second connection while it holds
  // its own could wait for ever behind others that do the same.
  const withNewestPrices = async <T>(work: () => Promise<T>): Promise<T> => {
    await pricing.refresh();
    return work();
  };
  return {
    ...orders,
    accept: (request) => withNewestPrices(() => orders.accept(request)),
    check: (body) => withNewestPrices(() => orders.check(body)),
  };
}

/** Where nothing is handed over, a mapping set may do without a web-order.yaml. */
function outboundOf(
  { settings }: Context,
  code: string,
  { mode, mappings }: ConnectionSettings,
  sets: Parts["sets"],
): Outbound {
  const outbound = sets.get(mappings)?.outbound;
  if (outbound !== null && outbound !== undefined) return outbound;
  const missing = settings.wrong({
    path: ["companies", code, "orders", "connection"],
    found: `a connection whose mapping set "${mappings}" has no web-order.yaml`,
    expected: "one whose mapping set says how an order is written, or one with mode: read-only",
  });
  if (mode === "live") throw missing;
  const render = () => {
    throw missing;
  };
  return { file: "", id: "", version: "", about: "", tables: [], render };
}

/** Prices as the checks of an order ask for them, with the evidence that is kept with its lines. */
function orderPricing(pricing: Pricing): OrderPricing {
  return {
    async price(question) {
      return pricing.price(question).map((line) =>
        line.state === "problem"
          ? { unitPrice: null, evidence: { code: line.code }, about: line.detail }
          : {
              unitPrice: line.unitPrice,
              evidence: {
                state: line.state,
                because: line.because,
                bookVersion: line.bookVersion,
                validUntil: line.validUntil,
              },
              about: line.because,
            },
      );
    },
  };
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
