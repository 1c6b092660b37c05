/** What a run writes about itself, and what it has published so far. */
import { randomUUIDv7 } from "node:crypto";
import type { Json, Origin, StreamDefinition } from "../connector/index.ts";
import type { Transaction } from "../store/index.ts";
import { emptyRowCounts, unchangedCounts } from "./accounting.ts";
import { mappingVersions } from "./context.ts";
import type {
  RunFault,
  RunOptions,
  RunResult,
  RunState,
  Source,
  SyncContext,
  What,
} from "./context.ts";
import { isEmpty } from "./cursor.ts";
import {
  isCommitted,
  lastRun,
  storeCursor,
  storeOrigins,
  storeRun,
  storeStart,
} from "./journal.ts";
import type { At, RunEnding } from "./journal.ts";
import type { Lease, StreamKey } from "./lease.ts";
import { forgetMark } from "./marks.ts";
import type { Outlook } from "./progress.ts";
import { NOTHING_PUBLISHED, type Published } from "./publish.ts";
import { closeAnsweredFiles } from "./quarantine.ts";

/** One stream whose lease is held. */
export interface Turn {
  readonly context: SyncContext;
  readonly source: Source;
  readonly stream: StreamDefinition;
  readonly key: StreamKey;
  readonly lease: Lease;
  readonly options: RunOptions;
}

/** What a run is made of. */
export interface RunParts extends Turn {
  readonly what: What;
  readonly outlook: Outlook;
}

/** How a run ended; `resumable`: the next one may go on from its mark. */
export interface Ending {
  readonly state: RunState;
  readonly error: string | null;
  readonly fault: RunFault | null;
  readonly resumable: boolean;
}

/** Merges what was gathered; the rest is the run's own row and the stream's cursor. */
type Merge = (tx: Transaction, at: At, before: Published) => Promise<Omit<Published, "cursor">>;

export class RunRecord {
  readonly id = randomUUIDv7();
  readonly startedAt: Temporal.Instant;
  /** Names of what was read, and what a person should know. */
  readonly origins: string[] = [];
  readonly notes: string[] = [];
  /** Of the origins, those that were set aside whole. */
  readonly refused: string[] = [];
  readonly #parts: RunParts;
  #published: Published = NOTHING_PUBLISHED;
  /** Transactions in which something was published. */
  #checkpoints = 0;
  #begun = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.startedAt = parts.context.now();
  }

  get published(): Published {
    return this.#published;
  }

  get isSnapshot(): boolean {
    return this.#parts.stream.reading === "snapshot" || this.#parts.what.kind === "keys";
  }

  get key(): StreamKey {
    return this.#parts.key;
  }

  at(): At {
    return { ...this.key, runId: this.id, now: this.#parts.context.now() };
  }

  /** False: it had begun already. */
  async begin(cursor: Json | null, continues: string | null): Promise<boolean> {
    if (this.#begun) return false;
    this.#begun = true;
    const { what, context } = this.#parts;
    const kind = what.kind === "days" ? "history" : what.kind;
    await storeStart(context.store, this.at(), { cursor, kind, continues });
    return true;
  }

  /** One transaction: what was gathered, the cursor, and the run's own row. */
  async publish(cursor: Json, merge: Merge): Promise<void> {
    const { lease, source, stream } = this.#parts;
    await this.#commit(async (tx) => {
      await lease.hold(tx);
      const at = this.at();
      const published = { ...(await merge(tx, at, this.#published)), cursor };
      if (this.#movesTo(cursor)) await storeCursor(tx, at, cursor, mappingVersions(source, stream));
      await forgetMark(tx, at.company, at.runId);
      await storeRun(tx, at, this.#row("published", published));
      // A long merge must not end with a lease that has run out.
      await lease.hold(tx);
      return published;
    });
  }

  /** Whether the stream stands there from now on. */
  #movesTo(cursor: Json): boolean {
    const { what } = this.#parts;
    return what.kind === "days" ? what.leads && !isEmpty(cursor) : what.kind === "pull";
  }

  /** The same snapshot again: a successful run in which every row is unchanged. */
  async publishUnchanged(origin: Origin, cursor: Json): Promise<void> {
    const { lease, source, stream } = this.#parts;
    this.origins.push(origin.name);
    await this.#commit(async (tx) => {
      await lease.hold(tx);
      const at = this.at();
      const last = await lastRun(tx, at);
      const rows = last?.rows ?? emptyRowCounts();
      const published = { rows, records: unchangedCounts(last?.counts ?? {}), cursor };
      await closeAnsweredFiles(tx, at);
      await storeOrigins(tx, at, [{ ...origin, id: randomUUIDv7(), rows }], at.now);
      await storeCursor(tx, at, cursor, mappingVersions(source, stream));
      await storeRun(tx, at, this.#row("unchanged", published));
      return published;
    });
  }

  /** A connection that is lost while it commits says nothing: the run's row tells. */
  async #commit(work: (tx: Transaction) => Promise<Published>): Promise<void> {
    const { store } = this.#parts.context;
    const done: { published?: Published } = {};
    try {
      await store.transaction(async (tx) => {
        done.published = await work(tx);
      });
    } catch (error) {
      const sought = this.#checkpoints + 1;
      if (done.published === undefined || !(await isCommitted(store, this.at(), sought)))
        throw error;
    }
    this.#checkpoints += 1;
    if (done.published !== undefined) this.#published = done.published;
  }

  #row(state: RunState, published: Published): RunEnding {
    const { notes, origins } = this;
    const checkpoints = this.#checkpoints + 1;
    const row = { state, error: null, fault: null, notes, origins: origins.length, checkpoints };
    return { ...published, ...row };
  }

  /** What cannot even begin is no less a run that failed. */
  async end({ state, error, fault }: Ending, cursor: Json | null): Promise<RunResult> {
    const { context, stream } = this.#parts;
    if (error !== null) await this.begin(cursor, null);
    const { notes, origins } = this;
    const ended = { state, error, fault, notes, origins: origins.length };
    const row = { ...this.#published, ...ended, checkpoints: this.#checkpoints };
    if (this.#begun) await storeRun(context.store, this.at(), row);
    if (error !== null) notes.unshift(error);
    const { rows, records } = this.#published;
    return {
      runId: this.#begun ? this.id : null,
      fault,
      stream: stream.name,
      state,
      rows,
      records: Object.fromEntries(records),
      origins,
      ...(this.refused.length === 0 ? {} : { refused: this.refused }),
      notes,
      seconds: context.now().since(this.startedAt).total("seconds"),
    };
  }
}
