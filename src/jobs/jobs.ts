/** pg-boss behind the few things that the product asks of a queue. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JobResult, JobWithMetadata, PgBoss } from "pg-boss";
import type { Store, Transaction } from "../store/index.ts";

/** What a job is about, in a few words that can be looked up: `{ company: "M1", order: "W-1" }`. */
export type JobData = Readonly<Record<string, string | number | boolean | null>>;

/** `signal` is aborted when the job was taken away, or when the process stops and will not wait. */
export type JobHandler<Data extends JobData = JobData> = (
  data: Data,
  signal: AbortSignal,
) => Promise<void>;

export interface QueueOptions {
  /**
   * Jobs of one name with the same key are one thing to bring up to date: one run stands for all
   * that were queued before it began. A process that runs one at a time runs them one after the
   * other; two that are fetched at the same instant elsewhere may meet.
   */
  readonly singletonKey?: string;
  /** Not before this moment of the database's clock. */
  readonly startAfter?: Temporal.Instant;
}

export interface WorkOptions {
  /**
   * How many run at a time in this process. Of more than one each is fetched by itself, so that a
   * long one keeps no other waiting; one at a time (the default) they are fetched by the batch.
   */
  readonly concurrency?: number;
  /** Of a shared job: whose share this is, such as "M1". */
  readonly share?: string;
}

export interface JobsOptions {
  /**
   * Jobs of which each company has its share: by job, the field of its data that says whose one
   * is. One company's jobs wait for no other's, however long those take.
   */
  readonly shares?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** A failed job is tried again after 1, 2, 4 … seconds, at most `delayMaxSeconds` (900) apart. */
  readonly retries?: { readonly limit: number; readonly delayMaxSeconds: number };
  /** True when no other process works jobs: what a killed one left begun runs again at once. */
  readonly sole?: boolean;
}

/** A job that failed to the last try. */
export interface FailedJob {
  readonly id: string;
  readonly job: string;
  readonly data: JobData;
  /** What its last run said. */
  readonly reason: string;
  readonly failedAt: Temporal.Instant;
}

export interface Jobs extends AsyncDisposable {
  /** Exists when `tx` commits and not otherwise. */
  queue(tx: Transaction, job: string, data: JobData, options?: QueueOptions): Promise<void>;
  /** Many of one name at once, in one statement. */
  queueAll(tx: Transaction, job: string, data: readonly JobData[]): Promise<void>;
  /**
   * Each for which none of the same data waits to be run now; answers how many. One that runs does
   * not count: it may have looked already, or its process may be gone.
   */
  queueMissing(tx: Transaction, job: string, data: readonly JobData[]): Promise<number>;
  /** This process runs such jobs from now on. */
  work<Data extends JobData = JobData>(
    job: string,
    handler: JobHandler<Data>,
    options?: WorkOptions,
  ): Promise<void>;
  /** Returns when no job that this process works is running, waiting or due. Later ones stay. */
  drain(): Promise<void>;
  failures(): Promise<readonly FailedJob[]>;
  /** Queues a failed job anew; false when there is no such one. */
  tryAgain(id: string): Promise<boolean>;
  /** Waits up to half a minute for what runs; what does not end is run again later. */
  close(): Promise<void>;
}

const SCHEMA = "pgboss";
/** The channel that pg-boss listens on; the payload is a queue's name. */
const CHANNEL = `'pgboss_' || left(encode(sha224('${SCHEMA}'::bytea), 'hex'), 24)`;
/** Where jobs go that failed to the last try. */
const DEAD = "failed-jobs";
const DAY_SECONDS = 86_400;

export async function openJobs(store: Store, options: JobsOptions): Promise<Jobs> {
  // Loaded by the first who queues or works: most commands do neither.
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({
    connectionString: store.url,
    schema: SCHEMA,
    application_name: "tradepost jobs",
    max: 4,
    // Listens for the hint that a job waits; polling remains for what is due later.
    useListenNotify: true,
    // Due times are columns of their owners, compared with the injected clock.
    schedule: false,
    // How soon it is noticed that a process died: with the heartbeat below, in a quarter of a
    // minute.
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    persistWarnings: false,
  });
  boss.on("error", (error) => options.log(`Jobs: ${error.message}`));
  boss.on("warning", (warning) => options.log(`Jobs: ${warning.message}`));
  try {
    await boss.start();
    await boss.createQueue(DEAD, { ...KEPT, retryLimit: 0 });
    if (options.sole === true) await takeOver(store);
    return new BossJobs(boss, store, options);
  } catch (error) {
    // Half begun, its timers would keep the process for ever.
    await boss.stop({ graceful: false }).catch(() => undefined);
    throw error;
  }
}

/** No job disappears because nobody got round to it. */
const KEPT = { retentionSeconds: 3650 * DAY_SECONDS, deleteAfterSeconds: 3 * DAY_SECONDS };

/** A handler may run for hours; that its process lives is told by the heartbeat. */
const QUEUE = {
  ...KEPT,
  deadLetter: DEAD,
  // Its own NOTIFY would be part of our commits, and commits that notify wait for one another.
  notify: false,
  expireInSeconds: DAY_SECONDS,
  heartbeatSeconds: 10,
};

/** Commits of so long are told of together; a telling waits for all others that tell. */
const TELL_MS = 5;
const TELL_AGAIN_MS = 50;
/** So many are fetched at once where they run one after the other. */
const BATCH = 20;

class BossJobs implements Jobs {
  readonly #boss: PgBoss;
  readonly #store: Store;
  readonly #options: JobsOptions;
  readonly #queues = new Map<string, Promise<void>>();
  /** Jobs that wait to be told of. */
  readonly #hinted = new Set<string>();
  #telling: NodeJS.Timeout | undefined;
  #toldMs = -Infinity;
  /** By job, the ids of its workers here. */
  readonly #workers = new Map<string, readonly string[]>();

  constructor(boss: PgBoss, store: Store, options: JobsOptions) {
    this.#boss = boss;
    this.#store = store;
    this.#options = options;
  }

  async queue(
    tx: Transaction,
    job: string,
    data: JobData,
    { singletonKey, startAfter }: QueueOptions = {},
  ): Promise<void> {
    const queue = this.#queueOf(job, data);
    await this.#ensureQueue(queue);
    await this.#boss.send(queue, data, {
      db: tx.executor,
      ...this.#retrying(),
      ...(singletonKey === undefined ? {} : { singletonKey, group: { id: singletonKey } }),
      ...(startAfter === undefined ? {} : { startAfter: startAfter.toString() }),
    });
    if (startAfter === undefined) tx.afterCommit(() => this.#hint(queue));
  }

  async queueAll(tx: Transaction, job: string, data: readonly JobData[]): Promise<void> {
    const retrying = this.#retrying();
    for (const [queue, all] of Map.groupBy(data, (one) => this.#queueOf(job, one))) {
      await this.#ensureQueue(queue);
      await this.#boss.insert(
        queue,
        all.map((one) => ({ data: one, ...retrying })),
        { db: tx.executor },
      );
      tx.afterCommit(() => this.#hint(queue));
    }
  }

  async queueMissing(tx: Transaction, job: string, data: readonly JobData[]): Promise<number> {
    if (data.length === 0) return 0;
    const missing = await tx.query<{ data: JobData }>(
      // Those that wait are locked, so that none begins before what the transaction does is there.
      `WITH waiting AS MATERIALIZED (
         SELECT data FROM ${SCHEMA}.job
          WHERE name = ANY($1) AND state < 'active' AND NOT blocked
            AND start_after <= now()
            AND data = ANY($2::text[]::jsonb[])
            FOR KEY SHARE SKIP LOCKED)
       SELECT asked.data FROM unnest($2::text[]::jsonb[]) WITH ORDINALITY AS asked (data, at)
        WHERE NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.data = asked.data)
        ORDER BY asked.at`,
      [
        [...new Set(data.map((one) => this.#queueOf(job, one)))],
        data.map((one) => JSON.stringify(one)),
      ],
    );
    const queued = missing.map((one) => one.data);
    await this.queueAll(tx, job, queued);
    return queued.length;
  }

  /** A shared job has a queue for each share. */
  #queueOf(job: string, data: JobData): string {
    const field = this.#options.shares?.[job];
    return field === undefined ? job : `${job}/${String(data[field])}`;
  }

  #retrying() {
    const { limit, delayMaxSeconds } = this.#options.retries ?? { limit: 40, delayMaxSeconds: 900 };
    return {
      retryLimit: limit,
      retryBackoff: true,
      retryDelay: 1,
      retryDelayMax: delayMaxSeconds,
    };
  }

  async work<Data extends JobData = JobData>(
    name: string,
    handler: JobHandler<Data>,
    { concurrency = 1, share }: WorkOptions = {},
  ): Promise<void> {
    const job = share === undefined ? name : `${name}/${share}`;
    await this.#ensureQueue(job);
    const lanes = Array.from({ length: concurrency }, () => this.#lane(job, handler, concurrency));
    this.#workers.set(job, await Promise.all(lanes));
  }

  /** Runs one job after the other; the id of its worker. */
  async #lane<Data extends JobData>(
    job: string,
    handler: JobHandler<Data>,
    lanes: number,
  ): Promise<string> {
    const options = {
      includeMetadata: true,
      perJobResults: true,
      batchSize: lanes === 1 ? BATCH : 1,
      pollingIntervalSeconds: 2,
      heartbeatRefreshSeconds: 3,
      groupConcurrency: 1,
    } as const;
    const worker: string = await this.#boss.work<Data, unknown, typeof options>(
      job,
      options,
      async (batch) => {
        const results: JobResult[] = [];
        for (const one of batch) results.push(await this.#run(one, handler));
        // Where there was one there may be more.
        this.#boss.notifyWorker(worker);
        return results;
      },
    );
    return worker;
  }

  async drain(): Promise<void> {
    for (;;) {
      const due = await this.#store.query<{ name: string }>(
        `SELECT DISTINCT name FROM ${SCHEMA}.job WHERE name = ANY($1) AND NOT blocked
         AND (state = 'active' OR (state < 'active' AND start_after <= now()))`,
        [[...this.#workers.keys()]],
      );
      if (due.length === 0) return;
      for (const { name } of due) this.#wake(name);
      await sleep(20);
    }
  }

  async failures(): Promise<readonly FailedJob[]> {
    const jobs = await this.#boss.findJobs<JobData>(DEAD);
    return jobs
      .filter(({ state }) => state === "created")
      .map(({ id, sourceName, data, sourceOutput, createdOn }) => ({
        id,
        job: sourceName ?? DEAD,
        data,
        reason: reasonIn(sourceOutput),
        failedAt: Temporal.Instant.fromEpochMilliseconds(createdOn.getTime()),
      }));
  }

  async tryAgain(id: string): Promise<boolean> {
    return (await this.#boss.redrive(DEAD, { ids: [id] })) > 0;
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: 30_000 });
    clearTimeout(this.#telling);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<Data extends JobData>(
    job: JobWithMetadata<Data>,
    handler: JobHandler<Data>,
  ): Promise<JobResult> {
    try {
      if (job.singletonKey !== null) await this.#standFor(job, job.singletonKey);
      await handler(job.data, job.signal);
      return { id: job.id, status: "completed" };
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const tries = `try ${job.retryCount + 1} of ${job.retryLimit + 1}`;
      this.#options.log(
        `The job ${job.name} ${JSON.stringify(job.data)} failed, ${tries}: ${reason}`,
      );
      return { id: job.id, status: "failed", output: { message: reason } };
    }
  }

  /**
   * What was committed under the same key by now will be seen by this run, so those jobs are done
   * by it. Not left out when queueing: a transaction that finds a job waiting may commit after
   * that ran.
   */
  async #standFor({ id, name }: JobWithMetadata<JobData>, key: string): Promise<void> {
    const waiting = await this.#boss.findJobs(name, { key, queued: true });
    const now = Date.now();
    const covered = waiting.filter(
      (other) => other.id !== id && (other.state === "retry" || other.startAfter.getTime() <= now),
    );
    if (covered.length === 0) return;
    const ids = covered.map((other) => other.id);
    await this.#boss.complete(name, ids, { coveredBy: id }, { includeQueued: true });
  }

  /** Tells every process that such a job waits; many commits of a moment share one telling. */
  #hint(job: string): void {
    this.#wake(job);
    const waitMs = Math.max(TELL_MS, this.#toldMs + TELL_AGAIN_MS - performance.now());
    if (this.#hinted.size === 0) this.#telling = setTimeout(() => void this.#tell(), waitMs);
    this.#hinted.add(job);
  }

  async #tell(): Promise<void> {
    const jobs = [...this.#hinted];
    this.#hinted.clear();
    this.#toldMs = performance.now();
    try {
      await this.#store.prepared(
        `SELECT pg_notify(${CHANNEL}, job) FROM unnest($1::text[]) AS job`,
        [jobs],
      );
    } catch (error) {
      this.#options.log(`Jobs: telling that jobs wait: ${String(error)}. They wait for a poll.`);
    }
  }

  #wake(job: string): void {
    for (const worker of this.#workers.get(job) ?? []) this.#boss.notifyWorker(worker);
  }

  /** Queues of pg-boss are rows; made on first use, outside any transaction of ours. */
  #ensureQueue(job: string): Promise<void> {
    const known = this.#queues.get(job);
    if (known !== undefined) return known;
    const made = this.#makeQueue(job);
    this.#queues.set(job, made);
    return made;
  }

  async #makeQueue(job: string): Promise<void> {
    try {
      await this.#boss.createQueue(job, QUEUE);
      // One made by an earlier release keeps the settings of that release.
      await this.#boss.updateQueue(job, QUEUE);
    } catch (error) {
      this.#queues.delete(job);
      throw error;
    }
  }
}

async function takeOver(store: Store): Promise<void> {
  await store.query(
    `UPDATE ${SCHEMA}.job SET state = 'retry', start_after = now() WHERE state = 'active'`,
  );
}

function reasonIn(output: object | null): string {
  return output !== null && "message" in output ? String(output.message) : JSON.stringify(output);
}
