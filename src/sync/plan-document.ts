/** A plan as it is written to a file: what would be done, under a digest of every word of it. */
import { createHash } from "node:crypto";
import type { Change, RecordChange } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";

export interface PlanDocument {
  readonly document: "tradepost plan";
  readonly version: 1;
  /** pull: what waits at the source. replay: what was read before, mapped anew. */
  readonly kind: "pull" | "replay";
  readonly company: string;
  readonly connection: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly expiresAt: string;
  readonly streams: readonly StreamPlan[];
  /** Over all the rest. */
  readonly sha256: string;
}

/** `unchanged`, `nothing`, `refused`, `stopped`, `failed`: there is nothing of it to apply. */
export type PlanState = "planned" | "unchanged" | "nothing" | "refused" | "stopped" | "failed";

export interface StreamPlan {
  readonly stream: string;
  /** The run that read it; null when nothing waited. */
  readonly id: string | null;
  readonly state: PlanState;
  /** What a person should know: what was left out, why it stopped. */
  readonly notes: readonly string[];
  readonly origins: readonly PlannedOrigin[];
  readonly rows: RowCounts;
  /** Of the rows in quarantine, those dismissed before that come again unchanged. */
  readonly dismissed: number;
  /** By mapping. */
  readonly records: Readonly<Record<string, RecordPlan>>;
  /** The first rows that would wait in quarantine. */
  readonly quarantine: readonly PlannedItem[];
}

interface PlannedOrigin {
  readonly name: string;
  readonly sha256: string | null;
  readonly rows: number;
}

export interface PlannedItem {
  /** `price-rules.csv:17` */
  readonly where: string;
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

export interface RecordPlan {
  readonly counts: RecordCounts;
  readonly removals: Removals;
  readonly changes: readonly RecordChange[];
  /** Changes that are not listed. */
  readonly leftOut: Readonly<Record<Change, number>>;
  /** What it does to prices; null: the record makes none. */
  readonly prices: object | null;
}

/** The drop brake's verdict. */
export interface Removals {
  readonly before: number;
  readonly removed: number;
  /** Null: nothing is too much. */
  readonly mostPercent: number | null;
  /** True: it is applied only when the removals are accepted. */
  readonly stops: boolean;
}

export function sealed(plan: Omit<PlanDocument, "sha256">): PlanDocument {
  return { ...plan, sha256: digestOf(plan) };
}

/** Whether the document says what it said when it was made. */
export function isSealed({ sha256, ...plan }: PlanDocument): boolean {
  return digestOf(plan) === sha256;
}

function digestOf(plan: Omit<PlanDocument, "sha256">): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(plan)))
    .digest("hex");
}

/** Whatever rewrites the file may order its keys anew. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
