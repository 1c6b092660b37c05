/**
 * The service, and the wiring of every module: what follows a run is registered here. The commands
 * and the demo open the same thing.
 *
 *     await using tradepost = await openTradepost(readSettings({ file: "tradepost.yaml" }), {});
 *     const company = await tradepost.company("HARROW");
 */
import { flushCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import { openAccess, type Access } from "./access/index.ts";
import { companiesLeftBehind, openCompany, type CompanyServices, type Context } from "./company.ts";
import { readSettings, type Settings } from "./config.ts";
import type { Log } from "./connections/index.ts";
import type { CompanyServices as ApiServices, Listening, Readiness } from "./http/index.ts";
import type { Jobs } from "./jobs/index.ts";
import { DatabaseAway, tell } from "./main/error.ts";
import { startedLate } from "./main/jobs.ts";
import { workPullsNow } from "./main/pull-now.ts";
import { leaveAll, tickAll, watchAll, workSlots } from "./main/schedules.ts";
import { stopSignal } from "./main/stop-signal.ts";
import { SHARES, workOn } from "./main/work.ts";
import { ADVANCE_JOB } from "./orders/index.ts";
import { openStore, StoreError, type Store } from "./store/index.ts";

export { makeBundle, type Bundle } from "./main/bundle.ts";
export { applyImport, planImport, readBundle, type ImportPlan } from "./main/bundle-import.ts";
export { startedLate } from "./main/jobs.ts";
export { outcomeOf } from "./main/schedules.ts";
export { stopSignal } from "./main/stop-signal.ts";
export { tell, withoutPassword, type Told } from "./main/error.ts";
export {
  pullApart,
  PullFailed,
  PULL_MEMORY,
  type PullApart,
  type PullRequest,
} from "./main/pulling.ts";
export {
  asWarning,
  CHECKLIST,
  checkFiles,
  companiesLeftBehind,
  leftOutInWords,
  NotInSettings,
  type Checked,
  type ChecklistName,
  type CompanyServices,
  type StreamStatus,
} from "./company.ts";

export interface OpenOptions {
  /** True for the service: the one owner of an own database's folder. */
  readonly service?: boolean;
  readonly log?: Log;
  /** The clock; for demonstrations in simulated time and tests. */
  readonly now?: () => Temporal.Instant;
}

export interface Tradepost extends AsyncDisposable {
  readonly settings: Settings;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly access: Access;
  company(code: string): Promise<CompanyServices>;
  /** Does what is queued, here, and returns when nothing is waiting or running. */
  drain(): Promise<void>;
  /** The API and the work behind it; port 0 takes a free one. */
  serve(at?: { readonly host?: string; readonly port?: number }): Promise<Listening>;
}

export async function openTradepost(
  settings: Settings,
  options: OpenOptions = {},
): Promise<Tradepost> {
  const log = options.log ?? (await serviceLog());
  const now = options.now ?? clockOf(settings);
  const store = await openDatabase(settings, options.service ?? false, log);
  const jobs = startedLate(async () => {
    const { openJobs } = await import("./jobs/index.ts");
    return openJobs(store, { log: warnings(log), shares: SHARES });
  });
  const access = openAccess({ store, now });
  const service = options.service === true;
  const context: Context = { settings, store, jobs, log, now, access, service };
  const companies = new Map<string, Promise<CompanyServices>>();
  const company = (code: string): Promise<CompanyServices> => {
    const opened = companies.get(code) ?? openCompany(context, code);
    companies.set(code, opened);
    return opened;
  };
  // A command that only looks does no work of the service's.
  let working: Promise<void> | null = null;
  const work = () => (working ??= workOn(jobs, settings, company));
  return {
    settings,
    store,
    jobs,
    access,
    company,
    drain: async () => {
      await work();
      await jobs.drain();
    },
    serve: async (at) => {
      await work();
      return serve(context, access, company, { ...at, apart: options.service === true });
    },
    async [Symbol.asyncDispose]() {
      await jobs.close();
      for (const opened of companies.values()) await closed(opened);
      await store.close();
    },
  };
}

/** Read for every answer: adding nothing would cost as much as finding a price. */
function clockOf({ demonstrationClockSeconds: seconds }: Settings): () => Temporal.Instant {
  if (seconds === 0) return () => Temporal.Now.instant();
  return () => Temporal.Now.instant().add({ seconds });
}

/** One that could not be opened holds nothing open. */
async function closed(company: Promise<CompanyServices>): Promise<void> {
  const opened = await company.catch(() => null);
  await opened?.webhooks.close();
  await opened?.pricing.close();
}

function warnings(log: Log): (line: string) => void {
  return (line) => {
    log("warn", line);
  };
}

async function openDatabase(settings: Settings, service: boolean, log: Log): Promise<Store> {
  const { databaseUrl, database } = settings;
  const at = databaseUrl === null ? { dataFolder: database.folder } : { url: databaseUrl };
  try {
    return await openStore({ ...at, service, log: warnings(log) });
  } catch (error) {
    throw error instanceof StoreError ? error : new DatabaseAway(settings, error);
  }
}

/** How often the service looks whether another instance has published prices. */
const REFRESH_MS = 1_000;
/** How often it deletes raw rows and plans that are too old. */
const TIDY_MS = 6 * 3_600_000;
/** How often shops are told what changed. */
const TELL_MS = 60_000;
/** How often it looks whether a schedule is due. */
const TICK_MS = 1_000;
/** How often it looks whether an ERP was restored from its backup. */
const BACKWARDS_MS = 600_000;
/** How often it looks for streams that are late. */
const WATCH_MS = 15_000;

async function serve(
  context: Context,
  access: Access,
  company: (code: string) => Promise<CompanyServices>,
  at: { readonly host?: string; readonly port?: number; readonly apart: boolean },
): Promise<Listening> {
  const { settings, log } = context;
  const codes = Object.keys(settings.companies);
  await refreshAll(codes, company);
  for (const code of codes) await tellStanding(log, await company(code));
  for (const left of await companiesLeftBehind(context.store, settings, context.now()))
    log("warn", `${left.about} ${left.instruction}`);
  const stopping = new AbortController();
  for (const code of codes) await (await company(code)).schedules.align();
  await workSlots(context, company, { apart: at.apart, stopping: stopping.signal });
  await workPullsNow(context, company, { apart: at.apart, stopping: stopping.signal });
  const { createApp, listen, openBulkLane } = await import("./http/index.ts");
  const bulk = openBulkLane({
    threads: settings.http.bulkThreads ?? Math.max(1, availableParallelism()),
    nowMs: () => context.now().epochMilliseconds,
    log,
  });
  const app = createApp({
    access,
    bulk,
    company: openedServices(codes, company),
    ready: () => readiness(context, codes, company),
    log,
  });
  const api = await listen(app, {
    host: at.host ?? settings.http.host,
    port: at.port ?? settings.http.port,
  });
  const advance = () => queueAdvance(context, codes);
  await advance();
  if (context.service) bulk.start();
  const newerPrices = async () => {
    await refreshAll(codes, company);
    bulk.follow();
  };
  const stops = [
    repeatedly(REFRESH_MS, "Looking for newer prices", log, newerPrices),
    repeatedly(lookAfterMs(settings), "Looking after orders", log, advance),
    repeatedly(TELL_MS, "Telling shops what changed", log, () => tellShops(codes, company)),
    repeatedly(TICK_MS, "Looking for due schedules", log, () => tickAll(context, codes, company)),
    repeatedly(TICK_MS, "Sending webhooks", log, () => sendWebhooks(codes, company)),
    repeatedly(BACKWARDS_MS, "Looking whether an ERP went backwards", log, () =>
      lookBackwards(log, codes, company),
    ),
    repeatedly(TIDY_MS, "Deleting what is kept long enough", log, () => tidyAll(codes, company)),
    repeatedly(WATCH_MS, "Looking for what is late", log, () => watchAll(context, codes, company)),
  ];
  return {
    ...api,
    close: async () => {
      for (const stop of stops) stop();
      stopping.abort();
      await leaveAll(context, codes, company);
      await api.close();
      await bulk[Symbol.asyncDispose]();
    },
  };
}

/** One company's ERP that cannot be asked keeps no other from being looked at. */
async function lookBackwards(
  log: Log,
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  for (const code of codes)
    try {
      await (await company(code)).stopIfBackwards({ ask: true });
    } catch (error) {
      log("info", `${code}: whether its ERP went backwards cannot be told now: ${String(error)}`);
    }
}

/** What the settings wish and nobody has recorded, and what stands still, on every start. */
async function tellStanding(log: Log, company: CompanyServices): Promise<void> {
  const { code } = company;
  const { orders, stops } = await company.status();
  if (orders.about !== null) log("warn", `${code}: ${orders.about}`, { company: code });
  for (const { scope, says } of stops)
    log("warn", `${code}: ${scope === "" ? "everything" : scope} stands still: ${says}.`, {
      company: code,
    });
}

/** Raw rows and plans; each is bounded, so that what is left is the next time's. */
async function tidyAll(
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  for (const code of codes) {
    const one = await company(code);
    await one.tidyKept();
    await one.orders.buyers.forget();
    await one.pricing.tidy();
    await one.events.tidy();
  }
}

async function refreshAll(
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  for (const code of codes) await (await company(code)).pricing.refresh();
}

/** Timers that ran out, senders that died: as often as the most impatient company wants. */
function lookAfterMs({ companies }: Settings): number {
  const all = Object.values(companies).map(({ orders }) => orders.lookAfterSeconds);
  return Math.min(...all) * 1_000;
}

/** One run for all instances together. */
async function queueAdvance({ store, jobs }: Context, codes: readonly string[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const company of codes)
      await jobs.queue(tx, ADVANCE_JOB, { company }, { singletonKey: company });
  });
}

/** Orders of ours change what is free and what is left of a credit limit. */
async function tellShops(
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  for (const code of codes) await (await company(code)).tellShop();
}

/** Starts what is due and does not wait for receivers. */
async function sendWebhooks(
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<void> {
  for (const code of codes) await (await company(code)).webhooks.work();
}

/** Without a promise once it is opened: it is asked for with every request. */
function openedServices(
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): (code: string) => ApiServices | undefined | Promise<ApiServices> {
  const opened = new Map<string, ApiServices>();
  return (code) => {
    const known = opened.get(code);
    if (known !== undefined || !codes.includes(code)) return known;
    return company(code).then((services) => {
      const api = apiServices(services);
      opened.set(code, api);
      return api;
    });
  };
}

function apiServices(company: CompanyServices): ApiServices {
  return { ...company, sync: { ...company, quarantine: company.desk } };
}

/** Calls again and again while the service runs, never twice at a time. */
function repeatedly(
  everyMs: number,
  what: string,
  log: Log,
  work: () => Promise<unknown>,
): () => void {
  let busy = false;
  const once = async () => {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      log("warn", `${what}: ${String(error)}`);
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void once(), everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

async function readiness(
  { store }: Context,
  codes: readonly string[],
  company: (code: string) => Promise<CompanyServices>,
): Promise<Readiness[]> {
  const database = await store.query("select 1").then(
    () => "",
    (error: unknown) => String(error),
  );
  const prices: Readiness[] = [];
  for (const code of codes) {
    const book = (await company(code)).pricing.book();
    const about = book === null ? "no price book is published yet: run a sync" : "";
    prices.push({ name: `prices of ${code}`, ready: book !== null, about });
  }
  return [{ name: "database", ready: database === "", about: database }, ...prices];
}

/** One JSON line an event, on standard error; nothing when all is normal. */
async function serviceLog(): Promise<Log> {
  const { createLogger, format, transports } = await import("winston");
  const logger = createLogger({
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console({ stderrLevels: ["error", "warn", "info"] })],
  });
  return (level, message, facts) => {
    logger.log({ level, message, ...facts });
  };
}

/** The service of a settings file, until it is asked to stop. */
export async function runService(file: string, ready: (url: string) => string): Promise<void> {
  await using tradepost = await openTradepost(readSettings({ file }), { service: true });
  const api = await tradepost.serve();
  process.stdout.write(`${ready(api.url)}\n`);
  // Else written at an orderly end alone, and whoever is killed starts slowly again and again.
  flushCompileCache();
  await stopSignal();
  await api.close();
}

export function answersAt(url: string): string {
  return `Tradepost answers at ${url}`;
}

// The launcher imports this file, so `import.meta.main` says nothing here.
if (process.argv[1] === import.meta.filename)
  await runService(process.argv[2] ?? "tradepost.yaml", answersAt).catch((error: unknown) => {
    const { message, exit } = tell(error);
    process.stderr.write(`${message}\n`);
    process.exitCode = exit;
  });
