/** Slots on a real database, with a clock that the test sets and instances that it kills. */
import { expect, onTestFinished, test } from "vitest";
import { useDatabase } from "../support/database.ts";
import {
  LEASE_SECONDS,
  NIGHTLY,
  OFTEN,
  openInstances,
  type Instances,
} from "../support/schedule-instances.ts";

const database = useDatabase();

async function open(
  schedules = [NIGHTLY],
  from = "2026-03-10T12:00:00Z",
  instances = 2,
): Promise<Instances> {
  const opened = await openInstances(database.store, { schedules, from, instances });
  onTestFinished(() => {
    opened.close();
  });
  return opened;
}

const slots = ({ ran }: Instances) => ran.map(({ slotAt }) => slotAt.slice(5, 16));

async function history({ instances }: Instances): Promise<string[]> {
  const rows = (await instances[0]?.history({ limit: 50 })) ?? [];
  return rows.map(
    ({ slotAt, state, standsFor, tries }) =>
      `${slotAt.toString().slice(5, 16)} ${state}, stands for ${standsFor}, tries ${tries}`,
  );
}

test("each slot runs once across any number of instances", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z", 4);
  for (let count = 0; count < 6; count += 1) {
    await all.tick();
    await all.tick();
    all.clock.pass({ minutes: 5 });
  }
  await all.tick();
  expect(slots(all)).toEqual(["03-10T12:10", "03-10T12:20", "03-10T12:30"]);
});

test("nothing was due before a schedule was there", async () => {
  const all = await open([OFTEN], "2026-03-10T12:09:59Z");
  await all.tick();
  expect(all.ran).toEqual([]);
});

test("missed runs catch up once, and it is noted how many", async () => {
  const all = await open([NIGHTLY]);
  all.clock.pass({ hours: 24 * 5 });
  await all.tick();
  await all.tick();
  expect(await history(all)).toEqual(["03-15T01:30 done, stands for 5, tries 1"]);
});

test("a service that was killed or stopped is missed, with when it was seen and what is due", async () => {
  const all = await open([NIGHTLY], "2026-03-10T12:00:00Z");
  const [first, second] = all.instances;
  const told = async () => {
    const { runs, lastSeenAt } = (await first?.service()) ?? {};
    const due = (await first?.list())?.map(({ overdue }) => overdue).join();
    return `${runs ? "runs" : "missed"}, seen ${lastSeenAt?.toString().slice(5, 16)}, ${due} due`;
  };
  expect(await told()).toBe("missed, seen undefined, 0 due");
  await all.tick();
  all.clock.pass({ seconds: 15 });
  expect(await told()).toBe("runs, seen 03-10T12:00, 0 due");
  await first?.leave();
  expect(await told()).toBe("runs, seen 03-10T12:00, 0 due");
  await second?.leave();
  expect(await told()).toBe("missed, seen 03-10T12:00, 0 due");
  all.clock.pass({ hours: 24 * 11 });
  expect(await told()).toBe("missed, seen 03-10T12:00, 11 due");
  await all.restart(0, [NIGHTLY]);
  await all.instances[0]?.tick();
  await all.tick();
  all.clock.pass({ minutes: 1 });
  expect(await told()).toBe("missed, seen 03-21T12:00, 0 due");
});

test("a slot that is due while its stream is read waits, and all that came due is one follow-up", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  all.held.add("erp-orders");
  for (let count = 0; count < 3; count += 1) {
    all.clock.pass({ minutes: 10 });
    await all.tick();
  }
  expect(all.ran).toEqual([]);
  all.held.clear();
  await all.tick();
  await all.tick();
  expect(await history(all)).toEqual([
    "03-10T12:30 done, stands for 3, tries 1",
    "03-10T12:20 folded, stands for 1, tries 0",
    "03-10T12:10 folded, stands for 1, tries 0",
  ]);
});

test("what a slot leaves to a person is kept with it", async () => {
  const all = await open([NIGHTLY]);
  const asks = "customers stopped and asks";
  all.outcomes.push({ failed: [], problem: null, asks, about: "1 published" });
  all.clock.pass({ hours: 14 });
  await all.tick();
  expect(await all.instances[0]?.history({ limit: 1 })).toMatchObject([
    { state: "done", progress: { asks, about: "1 published" } },
  ]);
});

test("no schedule runs beside itself", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  all.clock.pass({ minutes: 5 });
  await all.look();
  await all.die(0);
  all.clock.pass({ minutes: 10 });
  // The runner is silent, and not for long enough yet.
  await all.tick();
  expect(all.ran).toEqual([]);
});

test("a slot that a killed instance had taken is taken over after its lease, once", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z", 3);
  all.clock.pass({ minutes: 5 });
  await all.look();
  await all.die(0);
  await all.look();
  all.clock.pass({ seconds: LEASE_SECONDS + 1 });
  await all.tick();
  await all.tick();
  expect(await history(all)).toEqual(["03-10T12:10 done, stands for 1, tries 2"]);
  expect(all.ran.length).toBe(1);
});

test("a clock that jumps makes nobody dead: the slot of a runner that lives stays its own", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  all.clock.pass({ minutes: 5 });
  await all.look();
  await all.die(0);
  await all.look();
  for (const jump of [{ hours: 1 }, { days: 1 }, { hours: -1 }, { days: -1 }]) {
    all.clock.jump(jump.days === undefined ? jump : { hours: jump.days * 24 });
    await all.tick();
  }
  expect((await history(all)).at(-1)).toBe("03-10T12:10 running, stands for 1, tries 1");
});

test("a slot that fails stays visible, is tried again, reads only what failed, and ends", async () => {
  const all = await open([NIGHTLY]);
  all.outcomes.push({ failed: ["price-rules"], problem: "price-rules: no answer", about: "" });
  all.clock.pass({ hours: 14 });
  await all.tick();
  expect(await history(all)).toEqual(["03-11T01:30 waiting, stands for 1, tries 1"]);
  expect((await all.instances[0]?.list())?.[0]?.current?.problem).toBe("price-rules: no answer");
  all.clock.pass({ seconds: 29 });
  await all.tick();
  expect(all.ran.length).toBe(1);
  all.clock.pass({ seconds: 2 });
  await all.tick();
  expect(all.ran.map(({ streams }) => streams)).toEqual([null, ["price-rules"]]);
  expect(await history(all)).toEqual(["03-11T01:30 done, stands for 1, tries 2"]);
});

test("a slot has failed after six tries, and the next one begins anew", async () => {
  const all = await open([NIGHTLY], "2026-03-10T12:00:00Z", 1);
  const bad = { failed: [], problem: "the ERP does not answer", about: "" };
  all.outcomes.push(bad, bad, bad, bad, bad, bad);
  all.clock.pass({ hours: 14 });
  for (let count = 0; count < 8; count += 1) {
    await all.tick();
    all.clock.pass({ minutes: 16 });
  }
  expect(await history(all)).toEqual(["03-11T01:30 failed, stands for 1, tries 6"]);
  all.clock.pass({ hours: 24 });
  await all.tick();
  expect((await history(all))[0]).toBe("03-12T01:30 done, stands for 1, tries 1");
});

test("a slot is tried again when its source said so, and not at all where a person must act", async () => {
  const all = await open([NIGHTLY], "2026-03-10T12:00:00Z", 1);
  const bad = { failed: ["price-rules"], problem: "price-rules: too many requests", about: "" };
  all.outcomes.push({ ...bad, again: Temporal.Instant.from("2026-03-11T03:00:00Z") });
  all.outcomes.push({ ...bad, problem: "price-rules: the key was refused", again: null });
  all.clock.pass({ hours: 14 });
  await all.tick();
  all.clock.pass({ minutes: 50 });
  await all.tick();
  expect(await history(all)).toEqual(["03-11T01:30 waiting, stands for 1, tries 1"]);
  all.clock.pass({ minutes: 20 });
  await all.tick();
  expect(await history(all)).toEqual(["03-11T01:30 failed, stands for 1, tries 2"]);
});

test("a retry that waits when the next slot is due is folded into it", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z", 1);
  const bad = { failed: [], problem: "the ERP does not answer", about: "" };
  all.outcomes.push(bad, bad, bad, bad);
  for (let count = 0; count < 27; count += 1) {
    await all.tick();
    all.clock.pass({ seconds: 30 });
  }
  expect(await history(all)).toEqual(["03-10T12:10 done, stands for 1, tries 5"]);
  all.outcomes.push(bad, bad, bad, bad, bad);
  all.clock.pass({ seconds: 30 });
  for (let count = 0; count < 40; count += 1) {
    await all.tick();
    all.clock.pass({ seconds: 30 });
  }
  expect((await history(all)).slice(0, 2)).toEqual([
    "03-10T12:30 done, stands for 2, tries 6",
    "03-10T12:20 folded, stands for 1, tries 5",
  ]);
});

test.for([
  ["all of the company", {}],
  ["a connection", { connection: "erp" }],
  ["one schedule", { connection: "erp", schedule: "often" }],
] as const)("pausing %s holds its slots back, and resuming catches up once", async ([, scope]) => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  const [first] = all.instances;
  expect(await first?.pause(scope, "J Ross")).toBe(true);
  expect(await first?.pause(scope, "A Stone")).toBe(false);
  all.clock.pass({ hours: 2 });
  await all.tick();
  expect(all.ran).toEqual([]);
  expect((await first?.list())?.[0]?.paused).toMatchObject([{ by: "J Ross" }]);
  expect(await first?.resume(scope, "A Stone")).toBe(true);
  expect(await first?.resume(scope, "A Stone")).toBe(false);
  await all.tick();
  await all.tick();
  expect(await history(all)).toEqual(["03-10T14:00 done, stands for 12, tries 1"]);
});

test("who paused and resumed is kept", async () => {
  const all = await open([OFTEN]);
  await all.instances[0]?.pause({ connection: "erp" }, "J Ross");
  await all.instances[1]?.resume({ connection: "erp" }, "A Stone");
  const kept = await database.store.query(
    "select scope, paused_by, resumed_by from schedule_pause where company = $1",
    [all.company],
  );
  expect(kept).toEqual([{ scope: "erp", paused_by: "J Ross", resumed_by: "A Stone" }]);
});

test("a pause of one schedule leaves the others alone", async () => {
  const all = await open([OFTEN, { ...OFTEN, name: "other" }], "2026-03-10T12:05:00Z");
  await all.instances[0]?.pause({ connection: "erp", schedule: "often" }, "J Ross");
  all.clock.pass({ minutes: 10 });
  await all.tick();
  expect(all.ran.map(({ schedule }) => schedule)).toEqual(["other"]);
});

test("what a person asks for runs now, once, and says who asked", async () => {
  const all = await open([NIGHTLY]);
  await all.instances[0]?.runNow("erp", "nightly", "J Ross");
  await all.tick();
  await all.tick();
  expect(slots(all)).toEqual(["03-10T12:00"]);
  expect(await all.instances[0]?.history({ limit: 1 })).toMatchObject([
    { askedBy: "J Ross", state: "done" },
  ]);
});

test("slots start late by as much as the jitter says, the same on every instance", async () => {
  const all = await open([{ ...OFTEN, jitterSeconds: 300 }], "2026-03-10T12:05:00Z");
  const delays: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    const from = all.clock.now;
    while (all.ran.length === count) {
      all.clock.pass({ seconds: 10 });
      await all.tick();
    }
    const slot = Temporal.Instant.from(all.ran[count]?.slotAt ?? from.toString());
    delays.push(all.clock.now.since(slot).total("seconds"));
  }
  expect(Math.max(...delays)).toBeLessThanOrEqual(310);
  expect(new Set(delays).size).toBeGreaterThan(2);
});

test("after a change of the settings there are no ghost slots", async () => {
  const all = await open([OFTEN, NIGHTLY], "2026-03-10T12:05:00Z", 1);
  all.held.add("erp-orders");
  all.clock.pass({ hours: 14 });
  await all.look();
  // Removed and renamed: what waited of them is dropped, and said to be.
  await all.restart(0, [{ ...OFTEN, name: "renamed" }]);
  all.held.clear();
  all.queued.splice(0);
  await all.tick();
  expect(all.ran).toEqual([]);
  expect((await history(all)).map((each) => each.split(" ")[1])).toEqual(["dropped,", "dropped,"]);
  // Other times: counted from now on.
  all.clock.pass({ minutes: 3 });
  await all.restart(0, [{ ...OFTEN, name: "renamed", cron: "0 * * * *" }]);
  all.clock.pass({ hours: 1 });
  await all.tick();
  expect(slots(all)).toEqual(["03-11T03:00"]);
});

test("an instance with older settings makes no slots of a schedule that is another now", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  await all.restart(1, [{ ...OFTEN, cron: "5 * * * *" }]);
  all.clock.pass({ hours: 2 });
  await all.tick();
  expect(slots(all)).toEqual(["03-10T14:05"]);
});

test("clocks that jump an hour or a day, either way: no slot twice, none lost", async () => {
  const all = await open([OFTEN], "2026-03-10T12:05:00Z");
  const step = async (times: number) => {
    for (let count = 0; count < times; count += 1) {
      all.clock.pass({ minutes: 10 });
      await all.tick();
    }
  };
  await step(3);
  all.clock.jump({ hours: 1 });
  await step(2);
  all.clock.jump({ hours: -1 });
  await step(8);
  all.clock.jump({ hours: 24 });
  await step(2);
  all.clock.jump({ hours: -24 });
  await step(24 * 6 + 3);
  const stood = await database.store.query<{ sum: number; slots: number; most: Temporal.Instant }>(
    `select sum(stands_for)::int as sum, count(distinct slot_at)::int as slots, max(slot_at) as most
       from schedule_slot where company = $1 and state = 'done'`,
    [all.company],
  );
  const since = Temporal.Instant.from("2026-03-10T12:00:00Z");
  const due = (stood[0]?.most.since(since).total("minutes") ?? 0) / 10;
  expect([stood[0]?.sum, stood[0]?.slots]).toEqual([due, all.ran.length]);
  expect(new Set(slots(all)).size).toBe(all.ran.length);
});
