/** One run of one stream: read, map, stage, and publish in one transaction at each checkpoint. */
import { randomUUIDv7 } from "node:crypto";
import type { Json, Origin, ReadEvent, StreamDefinition } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import type { Transaction } from "../store/index.ts";
import { emptyRowCounts, nothingConsidered, unchangedCounts } from "./accounting.ts";
import { brokenPromise, DropBrake, RunStopped } from "./brake.ts";
import { NotByChanges, settledContent, type Settled } from "./changes.ts";
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
import { factsOf, refuseOrigin, type Refusal } from "./aside.ts";
import { isEmpty } from "./cursor.ts";
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
import { forgetMark, keepMark, takeOver, type Mark } from "./marks.ts";
import { teller, type Outlook, type Teller } from "./progress.ts";
import { checkComparable, checkDefinition, watchPromises, type Promises } from "./promises.ts";
import { NOTHING_PUBLISHED, publishGathered, type Published } from "./publish.ts";
import { closeAnsweredFiles } from "./quarantine.ts";
import { eventsOf, readingOf, streamAsRead } from "./reading.ts";
import { goOn } from "./resume.ts";
import { stopWatch } from "./stop.ts";
import { ShapeChanged } from "./drift-watch.ts";
import { keepPending, watchOrigins, type OriginWatch } from "./watch.ts";

/** How a run ended; `resumable`: the next one may go on from its mark. */
export interface Ending {
  readonly state: RunState;
  readonly error: string | null;
  readonly fault: RunFault | null;
  readonly resumable: boolean;
}

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
  readonly #what: What;
  readonly #startedAt: Temporal.Instant;
  readonly #gathering: Gathering;
  readonly #originNames: string[] = [];
  readonly #notes: string[] = [];
  readonly #mappings: readonly Mapping[];
  readonly #tell: Teller;
  readonly #heed: (at: At) => Promise<void>;
  #promises: Promises | null = null;
  #cursor: Json | null = null;
  #published: Published = NOTHING_PUBLISHED;
  /** What the last content made, so that changes tell the rest; null: the whole is read. */
  #settled: Settled | null = null;
  /** Transactions in which something was published. */
  #checkpoints = 0;
  /** True: a mark holds what was gathered up to it. */
  #marked = false;
  /** Why the snapshot that is being read cannot be applied. */
  #spoiled: RunStopped | null = null;
  /** Rows of an origin that was put aside: they are not gathered. */
  #passesBy = false;
  #watch: OriginWatch | null = null;
  #begun = false;

  constructor(
    context: SyncContext,
    source: Source,
    stream: StreamDefinition,
    lease: Lease,
    options: RunOptions,
    what: What,
    outlook: Outlook,
  ) {
    this.#context = context;
    this.#source = source;
    this.#stream = stream;
    this.#lease = lease;
    this.#options = options;
    this.#what = what;
    this.#startedAt = context.now();
    this.#mappings = source.mappings.filter(({ reads }) => reads === stream.name);
    const keysOnly = what.kind === "keys";
    this.#gathering = new Gathering(context.store, this.id, stream, this.#mappings, keysOnly);
    this.#heed = stopWatch(context.store, options.signal);
    this.#tell = teller(context, this.#key, outlook, options.progress);
  }

  /** Reads what waits. `more`: another snapshot waits behind the one that was published. */
  async read(cursor: Json | null): Promise<Ended> {
    this.#cursor = cursor;
    checkDefinition(this.#stream, this.#source.connection.session);
    if (this.#what.kind === "keys") checkComparable(this.#key, this.#stream);
    const from = await this.#goOn();
    this.#promises = this.#watchPromises(from);
    const ended = await this.#readByChanges(from);
    this.#assertWhole();
    if (ended.state === "published")
      this.#notes.push(...nothingConsidered(this.#published.rows, this.#originNames));
    return ended;
  }

  /** By changes, where nothing but the last content's records is held; whole where that fails. */
  async #readByChanges(from: Json | null): Promise<Ended> {
    const { store, log } = this.#context;
    const asks = this.#what.kind === "pull" && from !== null && !this.#marked;
    if (asks) this.#settled = await settledContent(store, this.#key, this.#source, this.#stream);
    try {
      return await this.#readFrom(from);
    } catch (error) {
      if (!(error instanceof NotByChanges)) throw error;
      const { name } = this.#stream;
      log("info", `${name} is read whole: ${error.message}.`, { ...this.#key, runId: this.id });
      this.#settled = null;
      this.#originNames.length = 0;
      await this.#gathering.restart();
      return this.#readFrom(from);
    }
  }

  async #readFrom(from: Json | null): Promise<Ended> {
    let state: RunState = "nothing";
    let more = false;
    let came = false;
    for await (const event of this.#events(from)) {
      came = true;
      await this.#begin(null);
      await this.#heed(this.#at());
      const ended = await this.#take(event);
      if (ended === null) continue;
      if (state !== "published") state = ended.state;
      more = ended.more;
      // A snapshot is one piece of content: the next one is another run's.
      if (this.#isSnapshot && ended.state !== "refused") break;
    }
    // Of a delta nothing is new behind the mark: it is the end.
    if (!came && this.#marked && from !== null && !this.#isSnapshot)
      return this.#checkpoint(from, false);
    return { state, more };
  }

  #events(from: Json | null): AsyncIterable<ReadEvent> {
    const { session } = this.#source.connection;
    return eventsOf(session, this.#stream, this.#what, from, this.#settled !== null);
  }

  #watchPromises(from: Json | null): Promises {
    const { now, timeZone } = this.#context;
    const isNew = this.#what.kind === "pull" && this.#options.fromStart !== true;
    return watchPromises({
      key: this.#key,
      stream: streamAsRead(this.#stream, this.#what),
      stored: isNew ? this.#cursor : null,
      from,
      clock: { now, timeZone },
    });
  }

  /** Takes over what a run that was cut short had gathered; gives where reading begins. */
  async #goOn(): Promise<Json | null> {
    if (this.#what.kind === "keys") return null;
    const { from, notes } = await goOn(
      this.#context,
      this.#key,
      {
        reading: readingOf(this.#what),
        cursor: this.#cursor,
        anew: this.#options.fromStart === true,
        mappings: this.#mappings,
      },
      (mark) => this.#begin(mark),
    );
    this.#notes.push(...notes);
    return from;
  }

  /** True: it goes on from the mark. */
  async #begin(mark: Mark | null): Promise<boolean> {
    const { store } = this.#context;
    if (this.#begun) return false;
    this.#begun = true;
    // The run's row first: staging tables are found by it after a kill.
    await this.#storeStart(mark);
    this.#watch = await watchOrigins(this.#context, this.#source, this.#key);
    this.#gathering.watch(this.#watch);
    const held =
      mark === null ? null : await takeOver(store, this.#lease, this.#at(), mark, this.#mappings);
    if (mark === null || held === null) {
      await this.#gathering.restart();
      return false;
    }
    this.#gathering.resume(mark, held);
    this.#marked = true;
    this.#originNames.push(...this.#gathering.origins.map(({ name }) => name));
    this.#notes.push(
      `It goes on from a run that was cut short: ${this.#gathering.rows().read} rows were read before.`,
    );
    return true;
  }

  async #storeStart(mark: Mark | null): Promise<void> {
    const { kind } = this.#what;
    await storeStart(this.#context.store, this.#at(), {
      cursor: this.#cursor,
      kind: kind === "days" ? "history" : kind,
      continues: mark?.runId ?? null,
    });
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
        await this.#forget(event.origin.name);
        this.#originNames.push(event.origin.name);
        await this.#refuse(event.origin, event);
        return { state: "refused", more: false };
      case "mark":
        await this.#mark(event.cursor);
        return null;
      case "same":
      case "gone":
        if (this.#settled === null)
          throw brokenPromise(`The event "${event.kind}" came and was not asked for.`);
        if (this.#spoiled !== null) return null;
        if (event.kind === "same") this.#gathering.takeSame(event.rows);
        else await this.#gathering.takeGone(event.rows);
        return null;
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
    if (event.kind === "origin") {
      this.#originNames.push(event.origin.name);
      this.#passesBy = false;
    }
    if (this.#spoiled !== null || this.#passesBy) return;
    try {
      await this.#gatherSound(event);
    } catch (error) {
      await keepPending(this.#context, this.#key, error);
      if (error instanceof RunStopped && this.#isSnapshot) this.#spoiled = error;
      else if (isPutAside(error)) await this.#putAside(error);
      else throw error;
    }
  }

  /** A file of a delta whose shape is another one waits by itself; the others are read. */
  async #putAside(error: ShapeChanged): Promise<void> {
    const origin = this.#gathering.origins.at(-1);
    if (origin === undefined) throw error;
    await this.#forget(origin.name);
    this.#passesBy = true;
    await this.#refuse(origin, error);
  }

  async #gatherSound(
    event: ReadEvent & { kind: "origin" | "rows" | "reject" | "totals" },
  ): Promise<void> {
    switch (event.kind) {
      case "origin":
        this.#gathering.closeOrigin();
        this.#gathering.openOrigin(event.origin);
        return;
      case "rows":
        this.#promises?.rows(event.rows);
        await this.#gathering.takeRows(event.rows);
        this.#tell(this.#gathering, this.#published);
        return;
      case "reject":
        await this.#gathering.takeReject(event);
        return;
      case "totals":
        this.#gathering.takeTotal(event);
        return;
      default:
        event satisfies never;
    }
  }

  async #forget(origin: string): Promise<void> {
    if (!(await this.#gathering.forget(origin))) return;
    await forgetMark(this.#context.store, this.#context.company, this.id);
    this.#marked = false;
  }

  /** What was gathered so far is kept, so that another run can go on from here. */
  async #mark(cursor: Json): Promise<void> {
    // What is the same is not counted in a mark, and a key set is soon read again.
    if (this.#spoiled !== null || this.#settled !== null || this.#what.kind === "keys") return;
    this.#promises?.cursor(cursor, "mark");
    await this.#gathering.settle();
    const { parts, held } = this.#gathering.unheld();
    const mark = {
      reading: readingOf(this.#what),
      cursorFrom: this.#cursor,
      cursor,
      parts,
      startedAt: this.#startedAt,
    };
    await keepMark(this.#context.store, this.#lease, this.#at(), mark, held);
    this.#gathering.marked();
    this.#marked = true;
  }

  #closeContent(cursor: Json): void {
    if (this.#spoiled === null && !this.#passesBy)
      try {
        this.#gathering.closeOrigin();
      } catch (error) {
        if (!(error instanceof RunStopped) || !this.#isSnapshot) throw error;
        this.#spoiled = error;
      }
    if (this.#spoiled !== null) throw this.#spoiled;
    this.#promises?.cursor(cursor, "checkpoint");
  }

  async #checkpoint(cursor: Json, more: boolean): Promise<Ended> {
    try {
      this.#closeContent(cursor);
      await this.#gathering.settle();
      await this.#commit((tx) => this.#publish(tx, cursor));
    } catch (error) {
      const standsAside = error instanceof DropBrake || error === this.#spoiled;
      if (isPutAside(error)) {
        await this.#standAside(error, error.instruction);
        return { state: "refused", more };
      }
      if (!(error instanceof RunStopped) || !standsAside || !more) throw error;
      await this.#standAside(error, "A newer snapshot was waiting and is read instead.");
      return { state: "stopped", more };
    }
    if (this.#isSnapshot) await this.#gathering.drop();
    else await this.#gathering.restart();
    this.#marked = false;
    if (this.#what.kind === "pull")
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
      keysOnly: this.#what.kind === "keys",
      dropBrakePercent: this.#options.acceptRemovals === true ? null : this.#dropBrakePercent,
      before: this.#published,
      settled: this.#settled,
    });
    const published = { rows, records, cursor };
    if (this.#movesTo(cursor))
      await storeCursor(tx, at, cursor, mappingVersions(this.#source, this.#stream));
    await forgetMark(tx, at.company, at.runId);
    this.#notes.push(...((await this.#watch?.publish(tx)) ?? []));
    await storeRun(tx, at, this.#ending("published", null, published, this.#checkpoints + 1));
    // A long merge must not end with a lease that has run out.
    await this.#lease.hold(tx);
    return published;
  }

  /** Whether the stream stands there from now on. */
  #movesTo(cursor: Json): boolean {
    if (this.#what.kind !== "days") return this.#what.kind === "pull";
    return this.#what.leads && !isEmpty(cursor);
  }

  /** A connection that is lost while it commits says nothing: the run's row tells. */
  async #commit(work: (tx: Transaction) => Promise<Published>): Promise<void> {
    const { store } = this.#context;
    const done: { published?: Published } = {};
    try {
      await store.transaction(async (tx) => {
        done.published = await work(tx);
      });
    } catch (error) {
      const sought = this.#checkpoints + 1;
      if (done.published === undefined || !(await isCommitted(store, this.#at(), sought)))
        throw error;
    }
    this.#checkpoints += 1;
    if (done.published !== undefined) this.#published = done.published;
  }

  /** The same snapshot again: a successful run in which every row is unchanged. */
  async #publishUnchanged(origin: Origin, cursor: Json): Promise<void> {
    this.#originNames.push(origin.name);
    this.#promises?.cursor(cursor, "checkpoint");
    await this.#commit(async (tx) => {
      await this.#lease.hold(tx);
      const at = this.#at();
      const last = await lastRun(tx, at);
      const rows = last?.rows ?? emptyRowCounts();
      const published = { rows, records: unchangedCounts(last?.counts ?? {}), cursor };
      await closeAnsweredFiles(tx, at);
      await storeOrigins(tx, at, [{ ...origin, id: randomUUIDv7(), rows }], at.now);
      await storeCursor(tx, at, cursor, mappingVersions(this.#source, this.#stream));
      await storeRun(tx, at, this.#ending("unchanged", null, published, this.#checkpoints + 1));
      return published;
    });
    await this.#source.connection.session.applied?.(this.#stream.name, cursor);
  }

  /** The snapshot cannot be applied, and a newer one waits behind it or will come. */
  async #standAside({ reason }: RunStopped, instruction: string): Promise<void> {
    for (const origin of this.#gathering.origins)
      await this.#refuse(origin, { reason, instruction });
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

  get #dropBrakePercent(): number {
    const { streams, dropBrakePercent } = this.#source;
    return streams?.[this.#stream.name]?.dropBrakePercent ?? dropBrakePercent;
  }

  get #isSnapshot(): boolean {
    return this.#stream.reading === "snapshot" || this.#what.kind === "keys";
  }

  get #key(): StreamKey {
    const { company } = this.#context;
    return { company, connection: this.#source.connection.name, stream: this.#stream.name };
  }

  #at(): At {
    return { ...this.#key, runId: this.id, now: this.#context.now() };
  }

  #ending(
    state: RunState,
    error: string | null,
    published: Published,
    checkpoints = this.#checkpoints,
    fault: RunFault | null = null,
  ): RunEnding {
    const notes = this.#notes;
    const origins = this.#originNames.length;
    return { ...published, state, error, notes, origins, checkpoints, fault };
  }

  /** What was gathered up to the mark is gone on with, unless it is what stopped the run. */
  async #letGo(resumable: boolean): Promise<void> {
    if (this.#marked && resumable) {
      this.#notes.push(
        "What was read up to its last mark is kept: the next run goes on from there.",
      );
      await this.#gathering.leave();
      return;
    }
    if (this.#marked) await forgetMark(this.#context.store, this.#context.company, this.id);
    await this.#gathering.drop();
  }

  /** Writes down how the run ended; clears its staging where nobody goes on with it. */
  async end(ending: Ending): Promise<RunResult> {
    const { state, error, fault } = ending;
    await this.#letGo(ending.resumable);
    // What cannot even begin is no less a run that failed.
    if (!this.#begun && error !== null) {
      this.#begun = true;
      await this.#storeStart(null);
    }
    if (this.#begun)
      await storeRun(
        this.#context.store,
        this.#at(),
        this.#ending(state, error, this.#published, this.#checkpoints, fault),
      );
    if (error !== null) this.#notes.unshift(error);
    const { rows, records } = this.#published;
    return {
      runId: this.#begun ? this.id : null,
      fault,
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

function isPutAside(error: unknown): error is ShapeChanged {
  return error instanceof ShapeChanged && error.reaction === "quarantine";
}
