/**
 * Schedules of one company: which slots are due, each run once over all instances. A slot is a row;
 * whether it is due is told by the injected clock, whether its runner lives by a number that the
 * runner raises, which no jump of a clock can age.
 */
import { randomUUID, randomUUIDv7 } from "node:crypto";
import {
  history,
  listSchedules,
  ownPauses,
  type Pause,
  type ScheduleState,
  type SlotRow,
} from "./schedule-list.ts";
import type { SchedulesContext, SlotFilter } from "./schedule.ts";
import { Heartbeat, serviceState, type ServiceState } from "./service.ts";
import { runSlot, type SlotWork } from "./slot-run.ts";
import { startDue } from "./slot-start.ts";
import { alignSchedules, makeSlots, takeOver, tidyHistory, Watch } from "./slots.ts";

/** What is paused or resumed: nothing named is all of the company. */
export interface PauseScope {
  readonly connection?: string;
  readonly schedule?: string;
}

export interface Schedules {
  /** Makes the rows what the settings say; slots of schedules that are gone are dropped. */
  align(): Promise<void>;
  /** Makes slots that are due, and starts what may start. Called every second by a service. */
  tick(): Promise<void>;
  /** The service that ticked is stopped in order. */
  leave(): Promise<void>;
  /** Whether any service ticks; nothing of a schedule runs by itself where none does. */
  service(): Promise<ServiceState>;
  /** Runs a slot here when it is still to be run; `work` says what is left to do. */
  run(slot: string, work: SlotWork, signal: AbortSignal): Promise<void>;
  list(): Promise<readonly ScheduleState[]>;
  /** Newest first. */
  history(filter: SlotFilter): Promise<readonly SlotRow[]>;
  /** Those that people have made and nobody has ended. */
  pauses(): Promise<readonly Pause[]>;
  /** False: it was paused already. What is due meanwhile is caught up once, when resumed. */
  pause(scope: PauseScope, who: string): Promise<boolean>;
  /** False: it was not paused. */
  resume(scope: PauseScope, who: string): Promise<boolean>;
  /** A slot of its own, now; runs as the others do. */
  runNow(connection: string, schedule: string, who: string): Promise<string>;
}

export function openSchedules(context: SchedulesContext): Schedules {
  const { store, company, now } = context;
  // The process can be found by it; the rest tells apart two that were given one number.
  const holder = `${process.pid}/${randomUUID()}`;
  const watch = new Watch(context.elapsedMs, context.leaseSeconds);
  const heartbeat = new Heartbeat(context, randomUUIDv7());
  let tidiedMs = -Infinity;
  return {
    align: () => alignSchedules(context),
    leave: () => heartbeat.stop(),
    service: () => serviceState(context),
    tick: async () => {
      await heartbeat.beat();
      await makeSlots(context);
      await takeOver(context, watch);
      await startDue(context);
      if (context.elapsedMs() - tidiedMs < HOUR_MS) return;
      tidiedMs = context.elapsedMs();
      await tidyHistory(context);
    },
    run: (slot, work, signal) => runSlot(context, { slot, holder, work, signal }),
    list: () => listSchedules(context),
    history: (filter) => history(store, company, filter),
    pauses: () => ownPauses(store, company),
    pause: (scope, who) => pause(context, scopeText(scope), who),
    resume: (scope, who) => resume(context, scopeText(scope), who),
    runNow: async (connection, schedule, who) => {
      const id = randomUUIDv7();
      const at = now().round({ smallestUnit: "millisecond", roundingMode: "floor" });
      await store.affect(
        `insert into schedule_slot (company, id, connection, schedule, slot_at, due_at, state,
                                    stands_for, asked_by, tries, beat)
         values ($1, $2, $3, $4, $5, $5, 'waiting', 1, $6, 0, 0)`,
        [company, id, connection, schedule, at, who],
      );
      return id;
    },
  };
}

const HOUR_MS = 3_600_000;

function scopeText({ connection, schedule }: PauseScope): string {
  return [connection, schedule].filter((part) => part !== undefined).join("/");
}

async function pause(
  { store, company, now }: SchedulesContext,
  scope: string,
  who: string,
): Promise<boolean> {
  const made = await store.affect(
    `insert into schedule_pause (company, id, scope, open_scope, paused_at, paused_by)
     values ($1, $2, $3, $3, $4, $5) on conflict (company, open_scope) do nothing`,
    [company, randomUUIDv7(), scope, now(), who],
  );
  return made > 0;
}

async function resume(
  { store, company, now }: SchedulesContext,
  scope: string,
  who: string,
): Promise<boolean> {
  const ended = await store.affect(
    `update schedule_pause set open_scope = null, resumed_at = $3, resumed_by = $4
      where company = $1 and open_scope = $2`,
    [company, scope, now(), who],
  );
  return ended > 0;
}
