/** What sync is told and what it tells. */
import type { FaultKind, StreamDefinition } from "../connector/index.ts";
import type { Connection, Log } from "../connections/index.ts";
import type { Jobs } from "../jobs/index.ts";
import type { Mapping } from "../mapping/index.ts";
import type { Alarms } from "../notify/index.ts";
import type { Queryable, Store, Transaction } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";
import type { DriftPolicy } from "./drift.ts";

/** A job that follows when one of these records changed, for instance publishing the price book. */
export interface Consumer {
  readonly job: string;
  readonly records: readonly string[];
}

export interface SyncContext {
  readonly store: Store;
  readonly company: string;
  readonly jobs: Jobs;
  readonly now: () => Temporal.Instant;
  readonly log: Log;
  readonly consumers: readonly Consumer[];
  readonly leaseSeconds: number;
  /** The company's; of days and of stamps that are local. */
  readonly timeZone: string;
  /** Who is told of what a person must know; absent: nobody. */
  readonly alarms?: Pick<Alarms, "raise" | "clear">;
  /** How many days behind the newest one a document is late; absent: 7. */
  readonly lateAfterDays?: number;
  /** What rows that are compared and not merged yet would do to prices; null: nothing. */
  readonly priceEffect?: (
    tx: Transaction,
    merge: { readonly company: string; readonly record: string; readonly from: string },
  ) => Promise<object | null>;
  /** Those of the numbers, with their rows' days, that are of no web order; absent: not asked. */
  readonly unknownWebOrders?: (
    tx: Queryable,
    company: string,
    named: readonly { readonly number: string; readonly on: string | null }[],
  ) => Promise<readonly string[]>;
  /** Holds back what changes prices past the operator's limits, in the merge's own transaction. */
  readonly holdPrices?: (
    tx: Transaction,
    merge: {
      readonly company: string;
      readonly record: string;
      readonly from: string;
      readonly runId: string;
      readonly at: Temporal.Instant;
    },
  ) => Promise<boolean>;
  /** The book of who did what; absent: nothing is written there. */
  readonly audit?: (entry: AuditEntry, on: Queryable) => Promise<void>;
}

export interface AuditEntry {
  readonly company: string;
  readonly who: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface StreamSettings {
  readonly dropBrakePercent?: number | undefined;
  /** How far back a first load goes, where the connector reads by days. */
  readonly historyMonths?: number | undefined;
}

/** A connection as sync uses it: opened, with the mappings that read its streams. */
export interface Source {
  readonly connection: Connection;
  readonly mappings: readonly Mapping[];
  readonly dropBrakePercent: number;
  /** What the settings say of one stream only, by its name. */
  readonly streams?: Readonly<Record<string, StreamSettings>>;
  /** What a changed shape of a stream's rows does; absent: it is told. */
  readonly drift?: (stream: string) => DriftPolicy;
}

/** The largest share that a snapshot of the stream may remove, in percent. */
export function brakeOf({ streams, dropBrakePercent }: Source, stream: string): number {
  return streams?.[stream]?.dropBrakePercent ?? dropBrakePercent;
}

export function mappingsOf({ mappings }: Source, { name }: StreamDefinition): readonly Mapping[] {
  return mappings.filter(({ reads }) => reads === name);
}

/**
 * What a stream's content is mapped with; another mapping makes other records of the same content.
 */
export function mappingVersions(
  source: Source,
  stream: StreamDefinition,
): Readonly<Record<string, string>> {
  return Object.fromEntries(mappingsOf(source, stream).map(({ id, version }) => [id, version]));
}

export interface RunOptions {
  /** True: a snapshot may remove more than the drop brake allows. */
  readonly acceptRemovals?: boolean;
  /** True: the stream is read as if it had never been; its cursor is not asked. */
  readonly fromStart?: boolean;
  /** True: nothing is read but the keys of what is there; what is gone is removed. */
  readonly compareKeys?: boolean;
  /** Aborted: the run stops between two events; the next one goes on from its last mark. */
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
}

export interface Progress {
  readonly stream: string;
  readonly origin: string;
  readonly rows: number;
  readonly quarantined: number;
  readonly rowsPerSecond: number;
  /** Null: nobody knows how much is still to come. */
  readonly secondsLeft: number | null;
  /** Of a long history; absent: it is read in one piece. */
  readonly slices?: { readonly done: number; readonly of: number };
}

/** What a run reads of its stream. */
export type What =
  | { readonly kind: "pull" }
  /** Days of a history; `leads`: live reading goes on from where this one ends. */
  | {
      readonly kind: "days";
      readonly from: Temporal.PlainDate;
      readonly to: Temporal.PlainDate;
      readonly leads: boolean;
    }
  | { readonly kind: "keys" };

/** Why a run could not go on, by what its reader must do. */
export interface RunFault {
  readonly kind: FaultKind;
  /** When it is worth trying again; null: only after somebody has done something. */
  readonly retryAt: Temporal.Instant | null;
}

/** How a run ended. `nothing`: no content waited; it leaves no run behind. */
export type RunState =
  | "published"
  | "unchanged"
  | "planned"
  | "stopped"
  | "refused"
  | "failed"
  | "nothing";

export interface RunResult {
  /** Null when nothing waited. */
  readonly runId: string | null;
  readonly stream: string;
  readonly state: RunState;
  /** Null: it ended well, or a person stopped it. */
  readonly fault: RunFault | null;
  readonly rows: RowCounts;
  /** By mapping id. */
  readonly records: Readonly<Record<string, RecordCounts>>;
  readonly origins: readonly string[];
  /** Of the origins, those that were set aside whole; absent: none. */
  readonly refused?: readonly string[];
  /** What a person should know: why it stopped, was refused or failed, and what to do. */
  readonly notes: readonly string[];
  /** Of the rows in quarantine, those dismissed before that came again unchanged; absent: none. */
  readonly dismissed?: number;
  /** The row at which the stream stood is gone at its source; absent: it is there, or none says. */
  readonly fellBack?: string;
  readonly seconds: number;
}
