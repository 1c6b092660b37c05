/** How a company pulls: sync wired to its connections, with the jobs that follow a run. */
import type { Context } from "../company.ts";
import { usualDrift, type CompanySettings } from "../config.ts";
import type { Connection, Standings } from "../connections/index.ts";
import type { Alarms } from "../notify/index.ts";
import { ADVANCE_JOB, unknownWebOrders } from "../orders/index.ts";
import { holdBack, priceEffect, PUBLISH_JOB } from "../pricing/index.ts";
import { POST_JOB } from "../sales/index.ts";
import { NOTE_JOB } from "../shop/index.ts";
import {
  asideOrigin,
  backfill,
  histories,
  requestStop,
  runningRuns,
  type AskedToStop,
  completenessDesk,
  listRuns,
  originOf,
  quarantineDesk,
  rawRow,
  streamStates,
  syncConnection,
  type CompletenessDesk,
  type Consumer,
  type Progress,
  type QuarantineDesk,
  type RunResult,
  type Source,
  type StreamState,
  type SyncContext,
} from "../sync/index.ts";
import { whileNotStopped } from "./maintenance.ts";
import type { MappingSet } from "./mapping-sets.ts";
import type { LeftOut, Owned } from "./owners.ts";
import { plansOf, type Plans } from "./plans.ts";

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
    job: NOTE_JOB,
    records: [
      "product",
      "product-group",
      "product-unit",
      "stock",
      "customer",
      "customer-price-list",
      "site",
      "sales-document",
      "ledger-transaction",
    ],
  },
  {
    job: POST_JOB,
    records: ["sales-document", "sales-line", "erp-order", "erp-order-line", "product", "branch"],
  },
];

/** What a company does with its connections' streams. */
export interface Pulls extends Plans {
  readonly desk: QuarantineDesk;
  readonly completeness: CompletenessDesk;
  sync(connection: string, options: SyncOptions): Promise<RunResult[]>;
  /** Reads days of a stream again; where it stands does not move, and nothing is removed. */
  backfill(connection: string, days: Days, options: SyncOptions): Promise<RunResult[]>;
  /** How far the histories are read of the streams that are read by months. */
  histories(): ReturnType<typeof histories>;
  /** Asks what reads the stream now to stop at its next event; gives what was asked. */
  stopRuns(stream: string, by: string): Promise<readonly AskedToStop[]>;
  streamStates(): Promise<StreamState[]>;
  runs(filter: { stream?: string; limit: number }): ReturnType<typeof listRuns>;
  /** The text of a row as it stood in the source; null when its original is gone. */
  originalOf(originId: string, line: number): Promise<string | null>;
  /** Where an origin lies that was set aside and never applied; null: not there any more. */
  asideAt(connection: string, stream: string, origin: OriginName): Promise<string | null>;
  /** The same of what an item is of; null also when it was not set aside. */
  asideOf(originId: string): Promise<string | null>;
  /** Its folder, when the mapping came with the product; null: it is the company's own. */
  shippedFolder(mapping: string): string | null;
  /** Mappings that are not used, since another connection keeps their record. */
  readonly leftOut: readonly LeftOut[];
}

export interface SyncOptions {
  readonly streams?: readonly string[];
  readonly acceptRemovals?: boolean;
  /** True: the stream is read as if it had never been; its cursor is not asked. */
  readonly fromStart?: boolean;
  /** True: nothing is read but the keys of what is there; what is gone is removed. */
  readonly compareKeys?: boolean;
  readonly progress?: (progress: Progress) => void;
  /** Aborted: the run stops at its next safe point. */
  readonly signal?: AbortSignal;
}

/** With its digest where that is known. */
interface OriginName {
  readonly name: string;
  readonly sha256?: string;
}

/** Both days included. */
export interface Days {
  readonly stream: string;
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
}

export interface Parts {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly connect: (name: string) => Promise<Connection>;
  readonly sets: ReadonlyMap<string, MappingSet>;
  readonly owned: Owned;
  readonly alarms: Alarms;
  readonly standings: Standings;
}

export function pullsOf(context: Context, parts: Parts): Pulls {
  const { store } = context;
  const { code, connect, sets } = parts;
  const sync = syncContext(context, parts, parts.alarms);
  const mappings = [...sets.values()].flatMap((set) => set.mappings);
  return {
    desk: quarantineDesk(sync, (id) => mappings.find((mapping) => mapping.id === id)),
    completeness: completenessDesk(sync),
    sync: (name, options) =>
      whileNotStopped(parts, name, options.signal, async (signal) => {
        await using connection = await connect(name);
        // Awaited here: the connection must stay open until the last stream is read.
        return await syncConnection(sync, sourceOf(parts, connection), { ...options, signal });
      }),
    backfill: (name, { stream, ...days }, options) =>
      whileNotStopped(parts, name, options.signal, async (signal) => {
        await using connection = await connect(name);
        const source = sourceOf(parts, connection);
        return await backfill(sync, source, stream, days, { ...options, signal });
      }),
    histories: () => histories(store, code),
    stopRuns: async (stream, by) => {
      const at = context.now();
      const running = await runningRuns(store, code, stream, at);
      const asked: AskedToStop[] = [];
      for (const { runId } of running) {
        const stopped = await requestStop(store, { company: code, runId, by, at });
        if (stopped !== null) asked.push(stopped);
      }
      return asked;
    },
    ...plansOf({
      context: sync,
      settings: parts.settings,
      connect: (name) => whileNotStopped(parts, name, undefined, () => connect(name)),
      sourceOf: (connection) => sourceOf(parts, connection),
    }),
    leftOut: parts.owned.leftOut,
    streamStates: () => streamStates(store, code),
    runs: (filter) => listRuns(store, code, filter),
    asideAt: (name, stream, origin) => asideAt(connect, name, stream, origin),
    asideOf: async (originId) => {
      const origin = await asideOrigin(store, code, originId);
      if (origin === null) return null;
      const { connection, stream, name, sha256 } = origin;
      const content = sha256 === null ? { name } : { name, sha256 };
      return asideAt(connect, connection, stream, content);
    },
    shippedFolder: (id) => {
      const set = [...sets.values()].find(({ mappings: of }) => of.some((each) => each.id === id));
      return set?.shipped === true ? set.folder : null;
    },
    originalOf: async (originId, line) => {
      const origin = await originOf(store, code, originId);
      if (origin === null) return null;
      if (origin.keptAt === null) return rawRow(store, code, originId, line);
      await using connection = await connect(origin.connection);
      const { name, keptAt } = origin;
      return (await connection.session.original?.({ name, keptAt }, line)) ?? null;
    },
  };
}

async function asideAt(
  connect: Parts["connect"],
  name: string,
  stream: string,
  origin: OriginName,
): Promise<string | null> {
  await using connection = await connect(name);
  return (await connection.session.asideAt?.(stream, origin)) ?? null;
}

function syncContext(context: Context, parts: Parts, alarms: Alarms): SyncContext {
  const { store, jobs, now, log, settings, access } = context;
  const { leaseSeconds } = settings;
  const audit = access === undefined ? {} : { audit: access.audit };
  const { code: company, settings: of } = parts;
  const { timeZone, completeness } = of;
  const { lateAfterDays } = completeness;
  const given = { store, company, jobs, now, log, consumers: CONSUMERS, leaseSeconds };
  const limits = of.pricing.holdAbove;
  const holdPrices: SyncContext["holdPrices"] = (tx, merge) =>
    holdBack(tx, merge, { limits, alarms });
  const told = { timeZone, alarms, lateAfterDays, unknownWebOrders, ...audit };
  return { ...given, priceEffect, holdPrices, ...told };
}

function sourceOf({ settings, owned }: Parts, connection: Connection): Source {
  const entry = settings.connections[connection.name];
  return {
    connection,
    mappings: owned.mappingsOf(connection.name),
    dropBrakePercent: entry?.dropBrakePercent ?? 20,
    streams: entry?.streams ?? {},
    drift: (stream) => entry?.streams[stream]?.drift ?? usualDrift,
  };
}
