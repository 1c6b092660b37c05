/** Slots that are due: folded into one a schedule, and queued where nothing is in the way. */
import type { Transaction } from "../store/index.ts";
import { PULL_JOB, standsStill, type SchedulesContext } from "./schedule.ts";
import { PAUSED } from "./slots.ts";

/**
 * No schedule runs beside itself, none while one of its streams is read by somebody else. What
 * comes due meanwhile waits, and all of it is one run afterwards.
 */
export async function startDue(context: SchedulesContext): Promise<void> {
  const { store, company, now, schedules, busy } = context;
  const due = await store.query<{ connection: string; schedule: string }>(
    `select distinct s.connection, s.schedule from schedule_slot s
      where s.company = $1 and s.state = 'waiting' and s.due_at <= $2
        and not ${PAUSED}s.schedule))
        and not exists (select 1 from schedule_slot o where o.company = s.company
          and o.connection = s.connection and o.schedule = s.schedule
          and o.state in ('queued', 'running'))
      order by 1, 2`,
    [company, now()],
  );
  const still = await standsStill(context);
  for (const { connection, schedule } of due) {
    if (still(connection)) continue;
    const defined = schedules.find(
      (each) => each.connection === connection && each.name === schedule,
    );
    if (defined === undefined || (await busy(connection, defined.streams))) continue;
    await store.transaction((tx) => start(context, tx, [company, connection, schedule]));
  }
}

interface Waiting {
  readonly id: string;
  readonly slotAt: Temporal.Instant;
  readonly dueAt: Temporal.Instant;
  readonly standsFor: number;
  readonly tries: number;
}

async function start(
  { jobs, now }: SchedulesContext,
  tx: Transaction,
  of: readonly [company: string, connection: string, schedule: string],
): Promise<void> {
  const [company, connection, schedule] = of;
  // One instance at a time decides for a schedule.
  const sql = "select 1 from schedule where company = $1 and connection = $2 and name = $3";
  if ((await tx.query(`${sql} for update skip locked`, of)).length === 0) return;
  const slots = await tx.query<Waiting & { state: string }>(
    `select id, slot_at as "slotAt", due_at as "dueAt", stands_for as "standsFor", tries, state
       from schedule_slot where company = $1 and connection = $2 and schedule = $3
        and state in ('waiting', 'queued', 'running') order by slot_at desc`,
    of,
  );
  if (slots.some(({ state }) => state !== "waiting")) return;
  const first = slots.findIndex(({ dueAt }) => Temporal.Instant.compare(dueAt, now()) <= 0);
  const [newest, ...older] = first < 0 ? [] : slots.slice(first);
  if (newest === undefined) return;
  await fold(tx, company, newest, older, now());
  const data = { company, connection, schedule, slot: newest.id };
  await jobs.queue(tx, PULL_JOB, data);
}

/** The newest stands for them all, and goes on counting the tries that failed before it. */
async function fold(
  tx: Transaction,
  company: string,
  newest: Waiting,
  older: readonly Waiting[],
  now: Temporal.Instant,
): Promise<void> {
  const standsFor = older.reduce((sum, each) => sum + each.standsFor, newest.standsFor);
  const tries = Math.max(newest.tries, ...older.map((each) => each.tries));
  await tx.affect(
    `update schedule_slot set state = 'queued', stands_for = $3, tries = $4
      where company = $1 and id = $2`,
    [company, newest.id, standsFor, tries],
  );
  if (older.length === 0) return;
  await tx.affect(
    `update schedule_slot set state = 'folded', ended_at = $3
      where company = $1 and id = any($2::uuid[])`,
    [company, older.map(({ id }) => id), now],
  );
}
