/**
 * Instances of the service as far as schedules go, over one database and one clock that a test
 * sets. What is queued is run when the test says so, by the instance that it names.
 */
import type {
  JobData,
  ScheduleDefinition,
  Schedules,
  SlotOutcome,
  SlotTask,
} from "../../src/jobs/index.ts";
import { openSchedules } from "../../src/jobs/index.ts";
import type { Store } from "../../src/store/index.ts";

export interface Clock {
  now: Temporal.Instant;
  /** Real time passes: the clock and what nobody can set. */
  pass(duration: Temporal.DurationLike): void;
  /** Somebody sets the clock; no time passes. */
  jump(duration: Temporal.DurationLike): void;
}

export interface Ran {
  readonly instance: number;
  readonly schedule: string;
  readonly slotAt: string;
  readonly streams: readonly string[] | null;
}

export interface Instances {
  readonly company: string;
  readonly clock: Clock;
  readonly instances: readonly Schedules[];
  /** Runs that came to their end, in order. */
  readonly ran: readonly Ran[];
  /** Streams that somebody reads by hand now. */
  readonly held: Set<string>;
  /** What the next runs come to; then all is well again. */
  readonly outcomes: SlotOutcome[];
  /** Every instance looks what is due, all at once; then what is queued runs. */
  tick(): Promise<void>;
  look(): Promise<void>;
  /** Slots that are queued and that nobody has taken. */
  readonly queued: string[];
  /** An instance takes the next queued slot and is killed before it ends; answers the slot. */
  die(instance: number): Promise<string>;
  /** Another with other settings, as after a restart. */
  restart(instance: number, schedules: readonly ScheduleDefinition[]): Promise<void>;
  close(): void;
}

export const NIGHTLY: ScheduleDefinition = {
  connection: "erp",
  name: "nightly",
  cron: "30 1 * * *",
  timeZone: "Europe/London",
  streams: null,
  does: "pull",
  jitterSeconds: 0,
};

export const OFTEN: ScheduleDefinition = {
  ...NIGHTLY,
  name: "often",
  cron: "*/10 * * * *",
  streams: ["erp-orders"],
};

export const FINE: SlotOutcome = { failed: [], problem: null, about: "1 published" };
export const LEASE_SECONDS = 30;

let companies = 0;

export async function openInstances(
  store: Store,
  options: {
    readonly schedules: readonly ScheduleDefinition[];
    readonly from: string;
    readonly instances?: number;
  },
): Promise<Instances> {
  companies += 1;
  const company = `S${companies}`;
  const clock = clockAt(options.from);
  const ran: Ran[] = [];
  const queued: string[] = [];
  const held = new Set<string>();
  const outcomes: SlotOutcome[] = [];
  const stopped = new AbortController();
  const open = (schedules: readonly ScheduleDefinition[]) =>
    openSchedules({
      store,
      jobs: {
        queue: async (tx, _job, data: JobData) => {
          tx.afterCommit(() => queued.push(String(data["slot"])));
        },
      },
      company,
      schedules,
      now: () => clock.now,
      leaseSeconds: LEASE_SECONDS,
      elapsedMs: () => clock.elapsedMs(),
      busy: async (_connection, streams) =>
        streams === null ? held.size > 0 : streams.some((stream) => held.has(stream)),
      log: () => undefined,
    });
  const count = options.instances ?? 2;
  const instances = Array.from({ length: count }, () => open(options.schedules));
  await Promise.all(instances.map((each) => each.align()));
  const runOne = async (instance: number, slot: string) => {
    const work = async ({ schedule, slotAt, streams }: SlotTask) => {
      ran.push({ instance, schedule, slotAt: slotAt.toString(), streams });
      return outcomes.shift() ?? FINE;
    };
    await instances[instance]?.run(slot, work, stopped.signal);
  };
  const look = async () => {
    await Promise.all(instances.map((each) => each.tick()));
  };
  return {
    company,
    clock,
    instances,
    ran,
    held,
    outcomes,
    queued,
    look,
    tick: async () => {
      await look();
      // Every instance hears of every slot: who is late finds that it is taken.
      for (const slot of queued.splice(0))
        await Promise.all(instances.map((_, instance) => runOne(instance, slot)));
    },
    die: async (instance) => {
      const slot = queued.shift() ?? "";
      const begun = Promise.withResolvers<void>();
      void instances[instance]?.run(
        slot,
        () => {
          begun.resolve();
          return new Promise(() => undefined);
        },
        stopped.signal,
      );
      await begun.promise;
      return slot;
    },
    restart: async (instance, schedules) => {
      instances[instance] = open(schedules);
      await instances[instance]?.align();
    },
    close: () => {
      stopped.abort();
    },
  };
}

function clockAt(from: string): Clock & { elapsedMs(): number } {
  let elapsed = 0;
  const clock = {
    now: Temporal.Instant.from(from),
    pass: (duration: Temporal.DurationLike) => {
      clock.now = clock.now.add(duration);
      elapsed += Temporal.Duration.from(duration).total("milliseconds");
    },
    jump: (duration: Temporal.DurationLike) => {
      clock.now = clock.now.add(duration);
    },
    elapsedMs: () => elapsed,
  };
  return clock;
}
