/** What sync is told and what it tells. */
import type { StreamDefinition } from "../connector/index.ts";
import type { Connection, Log } from "../connections/index.ts";
import type { Jobs } from "../jobs/index.ts";
import type { Mapping } from "../mapping/index.ts";
import type { Alarms } from "../notify/index.ts";
import type { Queryable, Store } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";

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
  /** Who is told of what a person must know; absent: nobody. */
  readonly alarms?: Pick<Alarms, "raise" | "clear">;
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

/** A connection as sync uses it: opened, with the mappings that read its streams. */
export interface Source {
  readonly connection: Connection;
  readonly mappings: readonly Mapping[];
  readonly dropBrakePercent: number;
}

/**
 * What a stream's content is mapped with; another mapping makes other records of the same content.
 */
export function mappingVersions(
  { mappings }: Source,
  { name }: StreamDefinition,
): Readonly<Record<string, string>> {
  const reading = mappings.filter(({ reads }) => reads === name);
  return Object.fromEntries(reading.map(({ id, version }) => [id, version]));
}

export interface RunOptions {
  /** True: a snapshot may remove more than the drop brake allows. */
  readonly acceptRemovals?: boolean;
  readonly progress?: (progress: Progress) => void;
}

export interface Progress {
  readonly stream: string;
  readonly origin: string;
  readonly rows: number;
  readonly quarantined: number;
}

/** How a run ended. `nothing`: no content waited; it leaves no run behind. */
export type RunState = "published" | "unchanged" | "stopped" | "refused" | "failed" | "nothing";

export interface RunResult {
  /** Null when nothing waited. */
  readonly runId: string | null;
  readonly stream: string;
  readonly state: RunState;
  readonly rows: RowCounts;
  /** By mapping id. */
  readonly records: Readonly<Record<string, RecordCounts>>;
  readonly origins: readonly string[];
  /** What a person should know: why it stopped, was refused or failed, and what to do. */
  readonly notes: readonly string[];
  readonly seconds: number;
}
