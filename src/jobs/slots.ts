/** Slots made from schedules, and those of the dead taken over. */
import { randomUUIDv7 } from "node:crypto";
import type { Transaction } from "../store/index.ts";
import {
  cronOf,
  dueAt,
  standsStill,
  type ScheduleDefinition,
  type SchedulesContext,
} from "./schedule.ts";
import { MOST_TRIES } from "./slot-run.ts";

/** Scopes whose pause stops a schedule. */
export const PAUSED = `exists (select 1 from schedule_pause p where p.company = s.company
  and p.open_scope in ('', s.connection, s.connection || '/' || `;

/**
 * A new schedule begins now: nothing was due before it was there. One whose expression or zone
 * changed begins anew. Slots of one that is gone, or is another now, would be ghosts.
 */
export async function alignSchedules(context: SchedulesContext): Promise<void> {
  const { store, company, schedules } = context;
  await store.transaction(async (tx) => {
    const known = await tx.query<{ connection: string; name: string }>(
      "select connection, name from schedule where company = $1 order by 1, 2 for update",
      [company],
    );
    for (const { connection, name } of known)
      if (!schedules.some((each) => each.connection === connection && each.name === name)) {
        const of = [company, connection, name];
        await tx.affect(
          "delete from schedule where company = $1 and connection = $2 and name = $3",
          of,
        );
        await dropWaiting(context, tx, of, "The settings do not name the schedule any more.");
      }
    for (const schedule of schedules) await alignOne(context, tx, schedule);
  });
}

async function alignOne(
  context: SchedulesContext,
  tx: Transaction,
  schedule: ScheduleDefinition,
): Promise<void> {
  const { company, now } = context;
  const { connection, name, cron, timeZone } = schedule;
  const values = [company, connection, name, cron, timeZone, now(), cronOf(schedule).next(now())];
  const made = await tx.affect(
    `insert into schedule (company, connection, name, cron, time_zone, made_at, accounted_to, next_at)
     values ($1, $2, $3, $4, $5, $6, $6, $7) on conflict do nothing`,
    values,
  );
  if (made > 0) return;
  const changed = await tx.affect(
    `update schedule set cron = $4, time_zone = $5, accounted_to = $6, next_at = $7
      where company = $1 and connection = $2 and name = $3
        and (cron, time_zone) is distinct from ($4, $5)`,
    values,
  );
  if (changed > 0) await dropWaiting(context, tx, [company, connection, name], OTHER_TIMES);
}

const OTHER_TIMES = "The settings name other times.";

/** What a person asked for stays, where its schedule does. */
async function dropWaiting(
  { now }: SchedulesContext,
  tx: Transaction,
  of: readonly string[],
  why: string,
): Promise<void> {
  await tx.affect(
    `update schedule_slot set state = 'dropped', ended_at = $4, problem = $5
      where company = $1 and connection = $2 and schedule = $3 and state in ('waiting', 'queued')
        and (asked_by is null or $5 <> $6)`,
    [...of, now(), why, OTHER_TIMES],
  );
}

/** Every schedule that is due gets one slot, which stands for all that were missed before it. */
export async function makeSlots(context: SchedulesContext): Promise<void> {
  const { store, company, schedules, now } = context;
  const due = await store.query<{ connection: string; name: string }>(
    `select connection, name from schedule s
      where company = $1 and next_at <= $2 and not ${PAUSED}s.name))`,
    [company, now()],
  );
  const still = await standsStill(context);
  for (const { connection, name } of due) {
    if (still(connection)) continue;
    const schedule = schedules.find((each) => each.connection === connection && each.name === name);
    if (schedule !== undefined) await store.transaction((tx) => makeSlot(context, tx, schedule));
  }
}

async function makeSlot(
  { company, now }: SchedulesContext,
  tx: Transaction,
  schedule: ScheduleDefinition,
): Promise<void> {
  const { connection, name, cron, timeZone } = schedule;
  // An instance with older settings finds no row with its expression, and makes no slot of it.
  const [row] = await tx.query<{ accountedTo: Temporal.Instant }>(
    `select accounted_to as "accountedTo" from schedule
      where company = $1 and connection = $2 and name = $3 and cron = $4 and time_zone = $5
        and next_at <= $6 for update skip locked`,
    [company, connection, name, cron, timeZone, now()],
  );
  if (row === undefined) return;
  const times = cronOf(schedule);
  const { last, count } = times.between(row.accountedTo, now());
  if (last === null) return;
  await tx.affect(
    `insert into schedule_slot (company, id, connection, schedule, slot_at, due_at, state,
                                stands_for, tries, beat)
     values ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, 0)
     on conflict (company, connection, schedule, slot_at) do nothing`,
    [company, randomUUIDv7(), connection, name, last, dueAt(company, schedule, last), count],
  );
  await tx.affect(
    `update schedule set accounted_to = $4, next_at = $5
      where company = $1 and connection = $2 and name = $3`,
    [company, connection, name, last, times.next(last)],
  );
}

/** Which runners have been heard of, and when, by a clock that nobody sets. */
export class Watch {
  readonly #elapsedMs: () => number;
  readonly #leaseMs: number;
  #heard = new Map<string, { readonly sign: string; readonly atMs: number }>();

  constructor(elapsedMs: () => number, leaseSeconds: number) {
    this.#elapsedMs = elapsedMs;
    this.#leaseMs = leaseSeconds * 1_000;
  }

  /** Those that have given the same sign for longer than a lease. */
  silent<Runner extends { readonly id: string; readonly sign: string }>(
    runners: readonly Runner[],
  ): readonly Runner[] {
    const now = this.#elapsedMs();
    const heard = new Map(
      runners.map(({ id, sign }) => {
        const before = this.#heard.get(id);
        return [id, before?.sign === sign ? before : { sign, atMs: now }] as const;
      }),
    );
    this.#heard = heard;
    return runners.filter(({ id }) => now - (heard.get(id)?.atMs ?? now) > this.#leaseMs);
  }
}

/** The slot of a runner that died runs again, as the try after the one that was cut short. */
export async function takeOver(context: SchedulesContext, watch: Watch): Promise<void> {
  const { store, company, now, log } = context;
  const running = await store.query<{ id: string; sign: string; schedule: string }>(
    `select id, holder || ' ' || beat as sign, connection || '/' || schedule as schedule
       from schedule_slot where company = $1 and state = 'running'`,
    [company],
  );
  for (const { id, sign, schedule } of watch.silent(running)) {
    const taken = await store.affect(
      `update schedule_slot set holder = null, due_at = $4, problem = $5,
              state = case when tries < $6 then 'waiting' else 'failed' end,
              ended_at = case when tries < $6 then null else $4::timestamptz end
        where company = $1 and id = $2 and state = 'running' and holder || ' ' || beat = $3`,
      [company, id, sign, now(), CUT_SHORT, MOST_TRIES],
    );
    if (taken > 0) log("warn", `The schedule ${schedule}: ${CUT_SHORT}`);
  }
}

const CUT_SHORT = "The instance that ran it has not been heard of; another takes its slot over.";

/** How long what came of a slot is kept. */
const KEPT_DAYS = 90;

export async function tidyHistory({ store, company, now }: SchedulesContext): Promise<void> {
  await store.affect("delete from schedule_slot where company = $1 and ended_at < $2", [
    company,
    now().subtract({ hours: 24 * KEPT_DAYS }),
  ]);
}
