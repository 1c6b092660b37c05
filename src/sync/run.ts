/** One run of one stream: read, map, stage, and publish in one transaction at each checkpoint. */
import { randomUUIDv7 } from "node:crypto";
import type { Json, Origin, ReadEvent, StreamDefinition } from "../connector/index.ts";
import type { Transaction } from "../store/index.ts";
import { addRows, emptyRowCounts, unchangedCounts } from "./accounting.ts";
import { DropBrake, RunStopped } from "./brake.ts";
import { mappingVersions } from "./context.ts";
import type { RunOptions, RunResult, RunState, Source, SyncContext } from "./context.ts";
import { factsOf, refuseOrigin, type Refusal } from "./aside.ts";
import { Gathering } from "./gathering.ts";
import {
  isCommitted,
  lastRun,
  storeCursor,
  storeOrigins,
  storeRun,
  storeStart,
  type At,
  type RunEnding,
} from "./journal.ts";
import type { Lease, StreamKey } from "./lease.ts";
import { NOTHING_PUBLISHED, publishGathered, type Published } from "./publish.ts";
import { closeAnsweredFiles } from "./quarantine.ts";

/** How an event ended a piece of content; `more`: another snapshot waits behind it. */
interface Ended {
  readonly state: RunState;
  readonly more: boolean;
}

/** One run: what it published, and what it gathered since its last checkpoint. */
export class Run {
  readonly id = randomUUIDv7();
  readonly #context: SyncContext;
  readonly #source: Source;
  readonly #stream: StreamDefinition;
  readonly #lease: Lease;
  readonly #options: RunOptions;
  readonly #startedAt: Temporal.Instant;
  readonly #gathering: Gathering;
  readonly #originNames: string[] = [];
  readonly #notes: string[] = [];
  #published: Published = NOTHING_PUBLISHED;
  /** Why the snapshot that is being read cannot be applied. */
  #spoiled: RunStopped | null = null;
  #begun = false;

  constructor(
    context: SyncContext,
    source: Source,
    stream: StreamDefinition,
    lease: Lease,
    options: RunOptions,
  ) {
    this.#context = context;
    this.#source = source;
    this.#stream = stream;
    this.#lease = lease;
    this.#options = options;
    this.#startedAt = context.now();
    const mappings = source.mappings.filter(({ reads }) => reads === stream.name);
    this.#gathering = new Gathering(context.store, this.id, mappings);
  }

  /** Reads what waits. `more`: another snapshot waits behind the one that was published. */
  async read(cursor: Json | null): Promise<Ended> {
    let state: RunState = "nothing";
    let more = false;
    for await (const event of this.#source.connection.session.read(this.#stream.name, cursor)) {
      await this.#begin(cursor);
      const ended = await this.#take(event);
      if (ended === null) continue;
      if (state !== "published") state = ended.state;
      more = ended.more;
      // A snapshot is one piece of content: the next one is another run's.
      if (this.#isSnapshot && ended.state !== "refused") break;
    }
    this.#assertWhole();
    if (state === "published") this.#noteNothingConsidered();
    return { state, more };
  }

  async #begin(cursor: Json | null): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    // The run's row first: staging tables are found by it after a kill.
    await storeStart(this.#context.store, this.#at(), cursor);
    await this.#gathering.restart();
  }

  async #take(event: ReadEvent): Promise<Ended | null> {
    switch (event.kind) {
      case "origin":
      case "rows":
      case "reject":
      case "totals":
        await this.#gather(event);
        return null;
      case "refused":
        await this.#gathering.forget(event.origin.name);
        this.#originNames.push(event.origin.name);
        await this.#refuse(event.origin, event);
        return { state: "refused", more: false };
      case "mark":
      case "same":
      case "gone":
        throw new RunStopped(`The event "${event.kind}" came and was not asked for.`, "Report it.");
      case "unchanged":
        await this.#publishUnchanged(event.origin, event.cursor);
        return { state: "unchanged", more: event.more };
      case "checkpoint":
        return this.#checkpoint(event.cursor, event.more);
      default:
        return event satisfies never;
    }
  }

  /**
   * A snapshot that turns out to be wrong is read to its end all the same: only its checkpoint says
   * whether a newer one waits, which is read instead.
   */
  async #gather(
    event: ReadEvent & { kind: "origin" | "rows" | "reject" | "totals" },
  ): Promise<void> {
    if (event.kind === "origin") this.#originNames.push(event.origin.name);
    if (this.#spoiled !== null) return;
    try {
      await this.#gatherSound(event);
    } catch (error) {
      if (!(error instanceof RunStopped) || !this.#isSnapshot) throw error;
      this.#spoiled = error;
    }
  }

  async #gatherSound(
    event: ReadEvent & { kind: "origin" | "rows" | "reject" | "totals" },
  ): Promise<void> {
    switch (event.kind) {
      case "origin":
        this.#gathering.openOrigin(event.origin);
        return;
      case "rows":
        this.#tell((await this.#gathering.takeRows(event.rows)).name);
        return;
      case "reject":
        this.#gathering.takeReject(event);
        return;
      case "totals":
        this.#gathering.takeTotal(event.rows);
        return;
      default:
        event satisfies never;
    }
  }

  async #checkpoint(cursor: Json, more: boolean): Promise<Ended> {
    try {
      if (this.#spoiled !== null) throw this.#spoiled;
      await this.#gathering.settle();
      await this.#commit(cursor, (tx) => this.#publish(tx, cursor));
    } catch (error) {
      const standsAside = error instanceof DropBrake || error === this.#spoiled;
      if (!(error instanceof RunStopped) || !standsAside || !more) throw error;
      await this.#standAside(error);
      return { state: "stopped", more };
    }
    if (this.#isSnapshot) await this.#gathering.drop();
    else await this.#gathering.restart();
    await this.#source.connection.session.applied?.(this.#stream.name, cursor);
    return { state: "published", more };
  }

  async #publish(tx: Transaction, cursor: Json): Promise<Published> {
    await this.#lease.hold(tx);
    const at = this.#at();
    const { rows, records } = await publishGathered(tx, {
      context: this.#context,
      at,
      gathering: this.#gathering,
      snapshot: this.#isSnapshot,
      dropBrakePercent:
        this.#options.acceptRemovals === true ? null : this.#source.dropBrakePercent,
      before: this.#published,
    });
    const published = { rows, records, cursor };
    await storeCursor(tx, at, cursor, mappingVersions(this.#source, this.#stream));
    await storeRun(tx, at, this.#ending("published", null, published));
    // A long merge must not end with a lease that has run out.
    await this.#lease.hold(tx);
    return published;
  }

  /** A connection that is lost while it commits says nothing: the cursor tells. */
  async #commit(cursor: Json, work: (tx: Transaction) => Promise<Published>): Promise<void> {
    const { store } = this.#context;
    const done: { published?: Published } = {};
    try {
      await store.transaction(async (tx) => {
        done.published = await work(tx);
      });
    } catch (error) {
      if (done.published === undefined || !(await isCommitted(store, this.#at(), cursor)))
        throw error;
    }
    if (done.published !== undefined) this.#published = done.published;
  }

  /** The same snapshot again: a successful run in which every row is unchanged. */
  async #publishUnchanged(origin: Origin, cursor: Json): Promise<void> {
    this.#originNames.push(origin.name);
    await this.#commit(cursor, async (tx) => {
      await this.#lease.hold(tx);
      const at = this.#at();
      const last = await lastRun(tx, at);
      const rows = last?.rows ?? emptyRowCounts();
      const published = { rows, records: unchangedCounts(last?.counts ?? {}), cursor };
      await closeAnsweredFiles(tx, at);
      await storeOrigins(tx, at, [{ ...origin, id: randomUUIDv7(), rows }], at.now);
      await storeCursor(tx, at, cursor, mappingVersions(this.#source, this.#stream));
      await storeRun(tx, at, this.#ending("unchanged", null, published));
      return published;
    });
    await this.#source.connection.session.applied?.(this.#stream.name, cursor);
  }

  /** The snapshot cannot be applied, and a newer one waits behind it. */
  async #standAside(error: RunStopped): Promise<void> {
    for (const origin of this.#gathering.origins)
      await this.#refuse(origin, {
        reason: error.reason,
        instruction: "A newer snapshot was waiting and is read instead.",
      });
    await this.#gathering.drop();
    this.#spoiled = null;
  }

  /** A whole file that must not be applied: it waits in quarantine, and the run goes on. */
  async #refuse(origin: Origin, why: Refusal): Promise<void> {
    const { store } = this.#context;
    const note = await refuseOrigin(store, this.#lease, this.#at(), origin, why);
    this.#notes.push(note);
    await this.#source.connection.session.setAside?.(this.#stream.name, factsOf(origin), note);
  }

  /** A connector that just stops has not said that what it gave is whole. */
  #assertWhole(): void {
    if (this.#spoiled !== null) throw this.#spoiled;
    const { read } = this.#gathering.rows();
    if (read === 0) return;
    throw new RunStopped(
      `Reading ${this.#key.connection}/${this.#stream.name} ended without a checkpoint after ${read} ` +
        "rows. Nothing of them was published.",
      "The next run reads them again.",
    );
  }

  /** A run that finds nothing to do looks just like one that works: it must be said. */
  #noteNothingConsidered(): void {
    const { read, repeated, ignored } = this.#published.rows;
    const of = this.#originNames.join(", ");
    if (read === 0)
      this.#notes.push(`${of}: it holds no rows. If rows were expected, look at the export.`);
    else if (repeated === read)
      this.#notes.push(`${of}: its ${read} rows were applied before; nothing new came.`);
    else if (repeated + ignored === read)
      this.#notes.push(
        `${of}: the mappings left aside every one of ${ignored} rows. If rows were expected, look at ` +
          "`ignore:` in the mappings.",
      );
  }

  #tell(origin: string): void {
    const { read, quarantined } = addRows(this.#published.rows, this.#gathering.rows());
    this.#options.progress?.({ stream: this.#stream.name, origin, rows: read, quarantined });
  }

  get #isSnapshot(): boolean {
    return this.#stream.reading === "snapshot";
  }

  get #key(): StreamKey {
    const { company } = this.#context;
    return { company, connection: this.#source.connection.name, stream: this.#stream.name };
  }

  #at(): At {
    return { ...this.#key, runId: this.id, now: this.#context.now() };
  }

  #ending(state: RunState, error: string | null, published: Published): RunEnding {
    const notes = this.#notes;
    return { ...published, state, error, notes, origins: this.#originNames.length };
  }

  /** Writes down how the run ended, and clears its staging. */
  async end(state: RunState, error: string | null): Promise<RunResult> {
    await this.#gathering.drop();
    if (this.#begun)
      await storeRun(this.#context.store, this.#at(), this.#ending(state, error, this.#published));
    if (error !== null) this.#notes.push(error);
    const { rows, records } = this.#published;
    return {
      runId: this.#begun ? this.id : null,
      stream: this.#stream.name,
      state,
      rows,
      records: Object.fromEntries(records),
      origins: this.#originNames,
      notes: this.#notes,
      seconds: this.#context.now().since(this.#startedAt).total("seconds"),
    };
  }
}
