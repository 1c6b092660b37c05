/** A schedule of the settings, the moments that it names, and what running it needs. */
import { hash } from "node:crypto";
import type { Store } from "../store/index.ts";
import { readCron, type Cron } from "./cron.ts";
import type { Jobs } from "./jobs.ts";
import type { Pause } from "./schedule-list.ts";

export interface ScheduleDefinition {
  readonly connection: string;
  readonly name: string;
  readonly cron: string;
  /** IANA time zone that the expression is meant in. */
  readonly timeZone: string;
  /** Null: all that a mapping reads. */
  readonly streams: readonly string[] | null;
  readonly does: "pull" | "compare-keys";
  readonly jitterSeconds: number;
}

/** The job that wakes a worker for a slot: `{ company, connection, schedule, slot }`. */
export const PULL_JOB = "sync.pull";

export interface SchedulesContext {
  readonly store: Store;
  readonly jobs: Pick<Jobs, "queue">;
  readonly company: string;
  readonly schedules: readonly ScheduleDefinition[];
  readonly now: () => Temporal.Instant;
  /** How long a runner may be silent before its slot is taken over. */
  readonly leaseSeconds: number;
  /** Milliseconds that pass whatever the clock does. */
  readonly elapsedMs: () => number;
  /** Whether a stream of these is being read now by somebody; null: any of the connection. */
  readonly busy: (connection: string, streams: readonly string[] | null) => Promise<boolean>;
  /** Digest of the settings that this process has read; absent: not known. */
  readonly settings?: string;
  /** What else stands still, whatever is paused here; absent: nothing. */
  readonly heldBack?: () => Promise<readonly Pause[]>;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

export interface SlotFilter {
  readonly connection?: string;
  readonly schedule?: string;
  readonly limit: number;
}

export function cronOf({ connection, name, cron, timeZone }: ScheduleDefinition): Cron {
  return readCron(cron, timeZone, `${connection}/${name}`);
}

/** Whether all of a connection stands still now, or of the company. */
export async function standsStill({
  heldBack,
}: SchedulesContext): Promise<(connection: string) => boolean> {
  const scopes = ((await heldBack?.()) ?? []).map(({ scope }) => scope);
  return (connection) => scopes.includes("") || scopes.includes(connection);
}

/** The same on every instance, so that it does not matter which one makes the slot. */
export function dueAt(
  company: string,
  { connection, name, jitterSeconds }: ScheduleDefinition,
  slot: Temporal.Instant,
): Temporal.Instant {
  if (jitterSeconds === 0) return slot;
  const digest = hash("sha256", [company, connection, name, slot.toString()].join("\n"));
  const share = Number.parseInt(digest.slice(0, 8), 16) / 0xffff_ffff;
  return slot.add({ milliseconds: Math.round(share * jitterSeconds * 1_000) });
}
