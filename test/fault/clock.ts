/**
 * F9. Clocks that jump an hour or a day, both nights on which London's clock changes, and two
 * simulated years: each slot exactly once, over two instances, one of which dies now and then.
 * What is due is told by Temporal alone, never by what makes the slots.
 */
import { randomOf } from "../../deploy/demo/merchant/index.ts";
import type { ScheduleDefinition } from "../../src/jobs/index.ts";
import type { Store } from "../../src/store/index.ts";
import {
  LEASE_SECONDS,
  NIGHTLY,
  OFTEN,
  openInstances,
  type Instances,
} from "../support/schedule-instances.ts";
import type { Lane, LaneOptions, LaneRow } from "./lane.ts";
import { openLaneStore } from "./lane-store.ts";

const LONDON = "Europe/London";

interface Experiment {
  readonly name: string;
  readonly from: string;
  readonly days: number;
  /** Somebody sets the clock by so many hours, and back when half of the rest has passed. */
  readonly jumps: readonly number[];
  readonly schedules: readonly ScheduleDefinition[];
}

const BOTH = [NIGHTLY, OFTEN];
const YEARS = { from: "2026-01-01T00:00:00Z", days: 730, jumps: [], schedules: [NIGHTLY] };

const EXPERIMENTS: readonly Experiment[] = [
  { name: "clock +1 h", from: "2026-03-10T09:05:00Z", days: 2, jumps: [1], schedules: BOTH },
  { name: "clock -1 h", from: "2026-03-10T09:05:00Z", days: 2, jumps: [-1], schedules: BOTH },
  { name: "clock +1 day", from: "2026-03-10T09:05:00Z", days: 3, jumps: [24], schedules: BOTH },
  { name: "clock -1 day", from: "2026-03-10T09:05:00Z", days: 3, jumps: [-24], schedules: BOTH },
  { name: "night of spring", from: "2026-03-28T12:05:00Z", days: 1, jumps: [], schedules: BOTH },
  { name: "night of autumn", from: "2026-10-24T12:05:00Z", days: 1, jumps: [], schedules: BOTH },
  { name: "two years, daily", ...YEARS },
];
const HOURLY = { ...OFTEN, name: "hourly", cron: "0 * * * *" };
const LONG: Experiment = { name: "two years, hourly", ...YEARS, schedules: [HOURLY] };

export const clock: Lane = async (options) => {
  await using database = await openLaneStore();
  const rows: LaneRow[] = [];
  for (const experiment of options.ci ? EXPERIMENTS : [...EXPERIMENTS, LONG])
    rows.push(await tryOut(database.store, experiment, options));
  return rows;
};

async function tryOut(
  store: Store,
  { name, from, days, jumps, schedules }: Experiment,
  { seed, say }: LaneOptions,
): Promise<LaneRow> {
  const all = await openInstances(store, { schedules, from });
  const random = randomOf(seed, name);
  const begin = all.clock.now;
  let furthest = begin;
  let killed = 0;
  let steps = 0;
  const seen = new Map<string, Slot>();
  const pass = async (until: Temporal.Instant) => {
    while (Temporal.Instant.compare(all.clock.now, until) < 0) {
      all.clock.pass({ minutes: stepMinutes(schedules, random.next()) });
      if (random.chance(0.03)) killed += await killOne(all);
      await all.tick();
      // History is kept for a while only.
      steps += 1;
      if (steps % 50 === 0) await remember(store, all.company, seen);
      if (Temporal.Instant.compare(all.clock.now, furthest) > 0) furthest = all.clock.now;
    }
  };
  const half = days * 12;
  await pass(begin.add({ hours: half }));
  for (const hours of jumps) {
    all.clock.jump({ hours });
    await pass(all.clock.now.add({ hours: 3 }));
    all.clock.jump({ hours: -hours });
  }
  await pass(furthest.add({ hours: half }));
  await all.tick();
  await remember(store, all.company, seen);
  const judged = judge([...seen.values()], all, schedules, { begin, until: furthest });
  all.close();
  say(`${name}: ${judged.injected} slots, ${all.ran.length} runs, ${killed} killed`);
  return { row: "F9", experiment: name, ...judged };
}

/** Often enough to meet slots one by one, and now and then late for several. */
function stepMinutes(schedules: readonly ScheduleDefinition[], chance: number): number {
  const usual = schedules.includes(OFTEN) ? 7 : schedules.includes(HOURLY) ? 40 : 600;
  return chance < 0.05 ? usual * 5 : usual;
}

/** One takes a slot and dies; its lease runs out. */
async function killOne(all: Instances): Promise<number> {
  await all.look();
  if (all.queued.length === 0) return 0;
  await all.die(0);
  await all.look();
  all.clock.pass({ seconds: LEASE_SECONDS + 1 });
  return 1;
}

interface Period {
  readonly begin: Temporal.Instant;
  readonly until: Temporal.Instant;
}

interface Slot {
  readonly id: string;
  readonly schedule: string;
  readonly at: Temporal.Instant;
  readonly state: string;
  readonly standsFor: number;
}

async function remember(store: Store, company: string, seen: Map<string, Slot>): Promise<void> {
  const slots = await store.query<Slot>(
    `select id, schedule, slot_at as at, state, stands_for as "standsFor"
       from schedule_slot where company = $1`,
    [company],
  );
  for (const slot of slots) seen.set(slot.id, slot);
}

function judge(
  slots: readonly Slot[],
  all: Instances,
  schedules: readonly ScheduleDefinition[],
  period: Period,
): Omit<LaneRow, "row" | "experiment"> {
  const findings: string[] = [];
  const figures = { injected: 0, lost: 0, duplicated: 0, stuck: 0, unaccounted: 0 };
  for (const { name } of schedules) {
    const due = new Set(dueTimes(name, period));
    const of = slots.filter(({ schedule }) => schedule === name);
    const stoodFor = of
      .filter(({ state }) => state !== "folded")
      .reduce((sum, { standsFor }) => sum + standsFor, 0);
    const strange = of.filter(({ at }) => !due.has(at.toString()));
    const stuck = of.filter(({ state }) => state !== "done" && state !== "folded");
    const runs = all.ran.filter(({ schedule }) => schedule === name);
    const twice = runs.length - new Set(runs.map(({ slotAt }) => slotAt)).size;
    figures.injected += due.size;
    figures.lost += Math.max(0, due.size - stoodFor);
    figures.duplicated += twice + Math.max(0, stoodFor - due.size);
    figures.stuck += stuck.length;
    figures.unaccounted += strange.length;
    if (stoodFor !== due.size)
      findings.push(`${name}: ${due.size} slots were due, ${stoodFor} are accounted for`);
    if (twice > 0) findings.push(`${name}: ${twice} runs of slots that had run`);
    for (const { at } of strange) findings.push(`${name}: ${at.toString()} was never due`);
    for (const { at, state } of stuck) findings.push(`${name}: ${at.toString()} is ${state}`);
  }
  return { ...figures, findings };
}

/** By Temporal alone; whole hours are the same everywhere in London's years. */
function dueTimes(name: string, period: Period): string[] {
  return name === NIGHTLY.name ? nights(period) : elapsed(period, name === OFTEN.name ? 10 : 60);
}

function nights({ begin, until }: Period): string[] {
  const found: string[] = [];
  let day = begin.toZonedDateTimeISO(LONDON).toPlainDate();
  for (;;) {
    const at = day.toZonedDateTime({ timeZone: LONDON, plainTime: "01:30" }).toInstant();
    if (Temporal.Instant.compare(at, until) > 0) return found;
    if (Temporal.Instant.compare(at, begin) > 0) found.push(at.toString());
    day = day.add({ days: 1 });
  }
}

function elapsed({ begin, until }: Period, minutes: number): string[] {
  const found: string[] = [];
  const stepMs = minutes * 60_000;
  const first = Math.floor(begin.epochMilliseconds / stepMs + 1) * stepMs;
  for (let ms = first; ms <= until.epochMilliseconds; ms += stepMs)
    found.push(Temporal.Instant.fromEpochMilliseconds(ms).toString());
  return found;
}
