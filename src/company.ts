/** One company's modules, wired to each other and to its connections; for `main` alone. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CompanySettings, Settings } from "./config.ts";
import { openConnection, type Connection, type Log } from "./connections/index.ts";
import type { Finding } from "./connector/index.ts";
import { describeProblem } from "./definition/index.ts";
import { openIncentives, type Incentives } from "./incentives/index.ts";
import type { Jobs } from "./jobs/index.ts";
import {
  checkExamples,
  compileMapping,
  compileOutbound,
  type Mapping,
  type Outbound,
} from "./mapping/index.ts";
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
const SHIPPED_MAPPINGS = join(import.meta.dirname, "..", "mappings");

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
  check(): Promise<Finding[]>;
}

export interface SyncOptions {
  readonly streams?: readonly string[];
  readonly acceptRemovals?: boolean;
  readonly progress?: (progress: Progress) => void;
}

/** A company, connection, mapping set or file that the settings name and that is not there. */
export class NotInSettings extends Error {
  override readonly name = "NotInSettings";
  readonly kind = "config";
}

export async function openCompany(context: Context, code: string): Promise<CompanyServices> {
  const settings = context.settings.companies[code];
  if (settings === undefined)
    throw new NotInSettings(
      `The settings know no company "${code}". They name ${Object.keys(context.settings.companies).join(", ")}.`,
    );
  const { store, now, log } = context;
  const sets = await readMappingSets(context, settings);
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
    check: () => checkCompany(settings, sets, connect),
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
    throw new NotInSettings(
      `The settings of ${code} know no connection "${name}". They name ${Object.keys(settings.connections).join(", ")}.`,
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

interface MappingSet {
  readonly mappings: readonly Mapping[];
  readonly outbound: Outbound | null;
  /** Examples that do not hold, by file and line. */
  readonly problems: readonly string[];
}

async function readMappingSets(
  context: Context,
  settings: CompanySettings,
): Promise<ReadonlyMap<string, MappingSet>> {
  const sets = new Map<string, MappingSet>();
  for (const { mappings } of Object.values(settings.connections))
    if (!sets.has(mappings)) sets.set(mappings, await readMappingSet(context, mappings));
  return sets;
}

/**
 * A mapping set compiled, with its examples tried out. Throws DefinitionError with every problem.
 */
async function readMappingSet(context: Context, name: string): Promise<MappingSet> {
  const folder = await mappingFolder(context, name);
  const sources = new Map<string, { file: string; text: string }>();
  for (const file of (await readdir(folder)).filter((each) => each.endsWith(".yaml")).sort())
    sources.set(file, {
      file: join(folder, file),
      text: await readFile(join(folder, file), "utf8"),
    });
  const mappings: Mapping[] = [];
  const problems: string[] = [];
  let outbound: Outbound | null = null;
  for (const [file, source] of sources) {
    if (file === "pricing.yaml" || file.endsWith(".examples.yaml")) continue;
    const compiled = file === "web-order.yaml" ? compileOutbound(source) : compileMapping(source);
    if ("render" in compiled) outbound = compiled;
    else mappings.push(compiled);
    const examples = sources.get(file.replace(/\.yaml$/, ".examples.yaml"));
    if (examples === undefined) continue;
    for (const problem of checkExamples(compiled, examples))
      problems.push(describeProblem(examples.file, problem));
  }
  return { mappings, outbound, problems };
}

async function mappingFolder(context: Context, name: string): Promise<string> {
  const folders = [...context.settings.mappingFolders, SHIPPED_MAPPINGS];
  for (const folder of folders)
    if (/^[\w-]+$/.test(name) && (await readdir(folder)).includes(name)) return join(folder, name);
  throw new NotInSettings(`There is no mapping set "${name}" in ${folders.join(" or ")}.`);
}

function ordersOf(
  { store, jobs, now, log }: Context,
  { code, settings, pricing, connect, sets }: Parts & { readonly pricing: Pricing },
): Orders {
  const name = settings.orders.connection;
  const entry = settings.connections[name];
  const outbound = sets.get(entry?.mappings ?? "")?.outbound;
  if (entry === undefined || outbound === null || outbound === undefined)
    throw new NotInSettings(
      `companies.${code}.orders.connection names "${name}": found ` +
        `${entry === undefined ? "no such connection" : `that its mapping set "${entry.mappings}" has no web-order.yaml`}. ` +
        "Name a connection whose mapping set says how an order is written.",
    );
  return openOrders({
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
}

/** Prices as the checks of an order ask for them, with the evidence that is kept with its lines. */
function orderPricing(pricing: Pricing): OrderPricing {
  return {
    async price(question) {
      await pricing.refresh();
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

/**
 * What is wrong with a company's mappings and connections, as far as can be told without reading.
 */
async function checkCompany(
  settings: CompanySettings,
  sets: ReadonlyMap<string, MappingSet>,
  connect: (name: string) => Promise<Connection>,
): Promise<Finding[]> {
  const findings: Finding[] = [...sets.values()].flatMap((set) =>
    set.problems.map((what) => ({
      level: "error" as const,
      what,
      instruction: "Mend the mapping or the example.",
    })),
  );
  for (const [name, entry] of Object.entries(settings.connections)) {
    await using connection = await connect(name);
    findings.push(...((await connection.session.check?.()) ?? []));
    const streams = connection.streams.map((stream) => stream.name);
    for (const mapping of sets.get(entry.mappings)?.mappings ?? [])
      if (!streams.includes(mapping.reads))
        findings.push({
          level: "warning",
          what: `${mapping.file} reads "${mapping.reads}", and connection "${name}" has no such stream.`,
          instruction: `Its streams are ${streams.join(", ")}.`,
        });
  }
  return findings;
}
