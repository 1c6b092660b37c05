import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { openJobs } from "../../src/jobs/index.ts";
import type { Jobs, JobsOptions } from "../../src/jobs/index.ts";
import { startedLate } from "../../src/main.ts";
import type { Store } from "../../src/store/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const opened: Jobs[] = [];

async function jobsWith(options: Partial<JobsOptions> = {}): Promise<Jobs> {
  const jobs = await openJobs(database.store, { log: () => undefined, ...options });
  opened.push(jobs);
  return jobs;
}

const queue = (jobs: Jobs, job: string, n: number, options = {}) =>
  database.store.transaction((tx) => jobs.queue(tx, job, { n }, options));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((jobs) => jobs.close()));
});

test("a queue that cannot be opened leaves nothing running, and the next who asks opens it", async () => {
  const timers = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  let away = true;
  const store = {
    ...database.store,
    url: database.store.url,
    query: (...given: Parameters<typeof database.store.query>) =>
      away ? Promise.reject(new Error("the database is away")) : database.store.query(...given),
  } as Store;
  const jobs = startedLate(() => openJobs(store, { log: () => undefined, sole: true }));
  opened.push(jobs);
  await expect(jobs.failures()).rejects.toThrow("the database is away");
  expect(timers()).toBeLessThanOrEqual(before);
  away = false;
  expect(await jobs.failures()).toEqual([]);
});

test("a job queued in a transaction that fails does not exist", async () => {
  const jobs = await jobsWith();
  const ran: unknown[] = [];
  await jobs.work("with-commit", async (data) => void ran.push(data));
  const failing = database.store.transaction(async (tx) => {
    await jobs.queue(tx, "with-commit", { n: 1 });
    throw new Error("on purpose");
  });
  await expect(failing).rejects.toThrow("on purpose");
  await queue(jobs, "with-commit", 2);
  await jobs.drain();
  expect(ran).toEqual([{ n: 2 }]);
});

test.for(["this-process", "another-process"])(
  "a job is picked up soon after its commit by a worker in %s, without a poll",
  async (where) => {
    const jobs = await jobsWith();
    const sender = where === "this-process" ? jobs : await jobsWith();
    let picked = Promise.withResolvers<void>();
    await jobs.work(where, async () => picked.resolve());
    const tookMs: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      picked = Promise.withResolvers<void>();
      const committed = performance.now();
      await queue(sender, where, n);
      await picked.promise;
      tookMs.push(performance.now() - committed);
      await jobs.drain();
    }
    // Polling takes a second on average; five times in a row it is never this quick.
    expect(Math.max(...tookMs)).toBeLessThan(700);
  },
);

test("a job whose handler throws runs again until it succeeds", async () => {
  const jobs = await jobsWith();
  let tries = 0;
  const done = Promise.withResolvers<void>();
  await jobs.work("shaky", async () => {
    tries += 1;
    if (tries < 3) throw new Error("not yet");
    done.resolve();
  });
  await queue(jobs, "shaky", 1);
  await done.promise;
  expect(tries).toBe(3);
  expect(await jobs.failures()).toEqual([]);
});

test("a job that failed to the last try stays visible with its reason and can be queued anew", async () => {
  const lines: string[] = [];
  const jobs = await jobsWith({
    retries: { limit: 0, delayMaxSeconds: 1 },
    log: (line) => void lines.push(line),
  });
  let broken = true;
  const done: unknown[] = [];
  await jobs.work("broken", async (data) => {
    if (broken) throw new Error("the price book has no currency");
    done.push(data);
  });
  await queue(jobs, "broken", 7);
  await jobs.drain();
  const [failure, ...others] = await jobs.failures();
  expect(others).toEqual([]);
  expect(failure).toMatchObject({ job: "broken", data: { n: 7 } });
  expect(failure?.reason).toContain("the price book has no currency");
  expect(lines.join("\n")).toContain('The job broken {"n":7} failed, try 1 of 1');

  broken = false;
  expect(await jobs.tryAgain(failure?.id ?? "")).toBe(true);
  await jobs.drain();
  expect(done).toEqual([{ n: 7 }]);
  expect(await jobs.failures()).toEqual([]);
});

test("one run stands for all jobs of its key that were committed before it began", async () => {
  const jobs = await jobsWith();
  for (const n of [1, 2, 3]) await queue(jobs, "publish", n, { singletonKey: "M1" });
  await queue(jobs, "publish", 4, { singletonKey: "M2" });
  let runs = 0;
  await jobs.work("publish", async () => void (runs += 1));
  await jobs.drain();
  expect(runs).toBe(2);
});

test("what is committed while a job of its key runs is not taken for done by that run", async () => {
  const jobs = await jobsWith();
  const seen: number[] = [];
  const committed = async () => {
    const [row] = await database.store.query<{ n: number }>(
      "SELECT count(*) AS n FROM stream_state",
    );
    return row?.n ?? 0;
  };
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await jobs.work("count", async () => {
    seen.push(await committed());
    started.resolve();
    await release.promise;
  });
  await queue(jobs, "count", 1, { singletonKey: "M1" });
  await started.promise;
  // Its job waits for a commit that comes after the run began: the run cannot have seen its row.
  await database.store.transaction(async (tx) => {
    await tx.affect(
      "INSERT INTO stream_state (company, connection, stream) VALUES ('A', 'x', 'y')",
    );
    await jobs.queue(tx, "count", { n: 2 }, { singletonKey: "M1" });
  });
  release.resolve();
  await jobs.drain();
  expect(seen).toEqual([0, 1]);
});

test("jobs of one key run one after the other", async () => {
  const jobs = await jobsWith();
  let running = 0;
  let most = 0;
  await jobs.work("beside", async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(50);
    running -= 1;
  });
  for (let n = 0; n < 4; n += 1) await queue(jobs, "beside", n, { singletonKey: `K${n % 2}` });
  await jobs.drain();
  expect(most).toBe(1);
});

test("one that hangs keeps one lane, however many wait behind it", async () => {
  const jobs = await jobsWith();
  const hangs = Promise.withResolvers<void>();
  const done: number[] = [];
  await jobs.work<{ n: number }>(
    "lanes",
    async ({ n }) => {
      if (n === 0) await hangs.promise;
      done.push(n);
    },
    { concurrency: 2 },
  );
  await database.store.transaction((tx) =>
    jobs.queueAll(
      tx,
      "lanes",
      Array.from({ length: 60 }, (_, n) => ({ n })),
    ),
  );
  await vi.waitFor(() => expect(done).toHaveLength(59), { timeout: 5_000 });
  hangs.resolve();
  await jobs.drain();
  expect(done.at(-1)).toBe(0);
});

test("of what is missing only that is queued for which no job waits", async () => {
  const jobs = await jobsWith();
  const missing = (...all: number[]) =>
    database.store.transaction((tx) =>
      jobs.queueMissing(
        tx,
        "missing",
        all.map((n) => ({ company: "A", n })),
      ),
    );
  expect(await missing(1, 2)).toBe(2);
  expect(await missing(2, 3)).toBe(1);
  await database.store.transaction((tx) =>
    jobs.queue(
      tx,
      "missing",
      { company: "A", n: 4 },
      { startAfter: Temporal.Now.instant().add({ hours: 1 }) },
    ),
  );
  // One that waits for an hour does not wait to be run now.
  expect(await missing(4)).toBe(1);
  const hangs = Promise.withResolvers<void>();
  const begun: number[] = [];
  await jobs.work<{ n: number }>("missing", async ({ n }) => {
    begun.push(n);
    await hangs.promise;
  });
  await vi.waitFor(() => expect(begun).toHaveLength(1), { timeout: 5_000 });
  // One that runs may have looked already.
  const [running = 0] = begun;
  expect(await missing(running)).toBe(1);
  hangs.resolve();
  await jobs.drain();
  expect(begun.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, running].toSorted((a, b) => a - b));
  expect(await missing()).toBe(0);
});

test("a job for later is not run by a drain", async () => {
  const jobs = await jobsWith();
  let runs = 0;
  await jobs.work("later", async () => void (runs += 1));
  const startAfter = Temporal.Now.instant().add({ hours: 1 });
  await queue(jobs, "later", 1, { startAfter });
  await jobs.drain();
  expect(runs).toBe(0);
});

test("what a killed process left begun runs again at once where nobody else works", async () => {
  const dead = await jobsWith();
  const begun = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  await dead.work("orphan", async () => {
    begun.resolve();
    await never.promise;
  });
  await queue(dead, "orphan", 1);
  await begun.promise;
  const jobs = await jobsWith({ sole: true });
  const ran: unknown[] = [];
  await jobs.work("orphan", async (data) => void ran.push(data));
  await jobs.drain();
  expect(ran).toEqual([{ n: 1 }]);
  never.resolve();
});

test("one company's jobs that hang keep those of its own waiting, and no other company's", async () => {
  const jobs = await jobsWith({ shares: { shared: "company" } });
  const hangs = Promise.withResolvers<void>();
  const done: string[] = [];
  for (const share of ["A", "B"])
    await jobs.work(
      "shared",
      async ({ company, n }) => {
        if (company === "A") await hangs.promise;
        done.push(`${String(company)}${String(n)}`);
      },
      { share, concurrency: 2 },
    );
  await database.store.transaction((tx) =>
    jobs.queueAll(tx, "shared", [
      ...[1, 2, 3].map((n) => ({ company: "A", n })),
      ...[1, 2, 3].map((n) => ({ company: "B", n })),
    ]),
  );
  await vi.waitFor(
    () => expect(done.toSorted((a, b) => a.localeCompare(b))).toEqual(["B1", "B2", "B3"]),
    { timeout: 5_000 },
  );
  await database.store.transaction((tx) => jobs.queue(tx, "shared", { company: "B", n: 4 }));
  await vi.waitFor(() => expect(done).toContain("B4"), { timeout: 5_000 });
  hangs.resolve();
  await jobs.drain();
  expect(done.toSorted((a, b) => a.localeCompare(b))).toEqual([
    "A1",
    "A2",
    "A3",
    "B1",
    "B2",
    "B3",
    "B4",
  ]);
});
