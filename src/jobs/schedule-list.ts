/** What schedules are there, when they come next, who paused them, and what came of their slots. */
import type { Queryable } from "../store/index.ts";
import {
  cronOf,
  type ScheduleDefinition,
  type SchedulesContext,
  type SlotFilter,
} from "./schedule.ts";

export interface Pause {
  /** "" all of the company, "erp" a connection, "erp/nightly" one schedule. */
  readonly scope: string;
  readonly at: Temporal.Instant;
  readonly by: string;
  /** The command that ends it; absent: `schedule resume`. */
  readonly endsWith?: string;
}

export interface ScheduleState extends ScheduleDefinition {
  /** The next slot by the settings; null: it comes no more. What is paused is caught up later. */
  readonly nextAt: Temporal.Instant | null;
  /** Slots up to this are accounted for; later than now where a clock was set back. */
  readonly accountedTo: Temporal.Instant | null;
  readonly paused: readonly Pause[];
  /** Slots that should have begun by now and did not, missed ones included. */
  readonly overdue: number;
  /** The newest slots that wait or run, and the newest that has ended. */
  readonly current: SlotRow | null;
  readonly last: SlotRow | null;
}

export interface SlotRow {
  readonly id: string;
  readonly connection: string;
  readonly schedule: string;
  readonly slotAt: Temporal.Instant;
  readonly dueAt: Temporal.Instant;
  readonly state: "waiting" | "queued" | "running" | "done" | "failed" | "folded" | "dropped";
  readonly standsFor: number;
  readonly askedBy: string | null;
  readonly tries: number;
  readonly startedAt: Temporal.Instant | null;
  readonly endedAt: Temporal.Instant | null;
  readonly problem: string | null;
  readonly progress: {
    readonly stream?: string;
    readonly rows?: number;
    readonly about?: string;
    /** Streams that stopped and wait for a person; null: none. */
    readonly asks?: string | null;
  } | null;
}

const SLOT = `id, connection, schedule, slot_at as "slotAt", due_at as "dueAt", state,
  stands_for as "standsFor", asked_by as "askedBy", tries, started_at as "startedAt",
  ended_at as "endedAt", problem, progress`;

export async function history(
  store: Queryable,
  company: string,
  { connection, schedule, limit }: SlotFilter,
): Promise<readonly SlotRow[]> {
  return store.query<SlotRow>(
    `select ${SLOT} from schedule_slot
      where company = $1 and ($2::text is null or connection = $2)
        and ($3::text is null or schedule = $3)
      order by slot_at desc, id desc limit $4`,
    [company, connection ?? null, schedule ?? null, limit],
  );
}

interface Accounted {
  readonly connection: string;
  readonly name: string;
  readonly accountedTo: Temporal.Instant;
}

/** Wider ones first. */
export async function ownPauses(store: Queryable, company: string): Promise<readonly Pause[]> {
  return store.query<Pause>(
    `select scope, paused_at as at, paused_by as by from schedule_pause
      where company = $1 and open_scope is not null order by length(scope), scope`,
    [company],
  );
}

export async function listSchedules({
  store,
  company,
  schedules,
  now,
  heldBack,
}: SchedulesContext): Promise<readonly ScheduleState[]> {
  const own = await ownPauses(store, company);
  const pauses = [...((await heldBack?.()) ?? []), ...own];
  const rows = await store.query<Accounted>(
    `select connection, name, accounted_to as "accountedTo" from schedule where company = $1`,
    [company],
  );
  const slots = await store.query<SlotRow & { ended: boolean }>(
    `select distinct on (connection, schedule, ended) ${SLOT}, ended
       from (select *, ended_at is not null as ended from schedule_slot
              where company = $1 and state <> 'folded') s
      order by connection, schedule, ended, slot_at desc`,
    [company],
  );
  const waiting = await store.query<{ connection: string; schedule: string; count: number }>(
    `select connection, schedule, sum(stands_for)::int as count from schedule_slot
      where company = $1 and state in ('waiting', 'queued') and due_at <= $2 group by 1, 2`,
    [company, now()],
  );
  return schedules.map((schedule) => {
    const { connection, name } = schedule;
    const scopes = ["", connection, `${connection}/${name}`];
    const of = (ended: boolean) =>
      slots.find(
        (slot) => slot.connection === connection && slot.schedule === name && slot.ended === ended,
      ) ?? null;
    const row = rows.find((each) => each.connection === connection && each.name === name);
    const accountedTo = row?.accountedTo ?? null;
    const ahead = accountedTo !== null && Temporal.Instant.compare(accountedTo, now()) > 0;
    const missed = accountedTo === null ? 0 : cronOf(schedule).between(accountedTo, now()).count;
    const made = waiting.find(
      (each) => each.connection === connection && each.schedule === name,
    )?.count;
    const paused = pauses.filter(({ scope }) => scopes.includes(scope));
    return {
      ...schedule,
      accountedTo,
      nextAt: cronOf(schedule).next(ahead ? accountedTo : now()),
      paused,
      overdue: paused.length > 0 ? 0 : missed + (made ?? 0),
      current: of(false),
      last: of(true),
    };
  });
}
