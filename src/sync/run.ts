/** One run of one stream: read, map, stage, and publish in one transaction at each checkpoint. */
import type { Json, Origin, ReadEvent } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { nothingConsidered } from "./accounting.ts";
import { factsOf, refuseOrigin, type Refusal } from "./aside.ts";
import { brokenPromise, DropBrake, RunStopped } from "./brake.ts";
import { NotByChanges, settledContent, type Settled } from "./changes.ts";
import { brakeOf, mappingsOf, type RunResult, type RunState } from "./context.ts";
import { ShapeChanged } from "./drift-watch.ts";
import { Gathering } from "./gathering.ts";
import type { At } from "./journal.ts";
import { leftOutNotes } from "./left-out.ts";
import { forgetMark, keepMark, takeOver, type Mark } from "./marks.ts";
import { teller, type Teller } from "./progress.ts";
import { checkComparable, checkDefinition, watchPromises, type Promises } from "./promises.ts";
import { publishGathered } from "./publish.ts";
import { eventsOf, readingOf, streamAsRead } from "./reading.ts";
import { RunRecord, type Ending, type RunParts } from "./record.ts";
import { goOn } from "./resume.ts";
import { stopWatch } from "./stop.ts";
import { keepPending, watchOrigins, type OriginWatch } from "./watch.ts";

/** How an event ended a piece of content; `more`: another snapshot waits behind it. */
interface Ended {
  readonly state: RunState;
  readonly more: boolean;
}

/** One run: what it published, and what it gathered since its last checkpoint. */
export class Run {
  readonly #parts: RunParts;
  readonly #record: RunRecord;
  readonly #gathering: Gathering;
  readonly #mappings: readonly Mapping[];
  readonly #tell: Teller;
  readonly #heed: (at: At, rows: () => number) => Promise<void>;
  #promises: Promises | null = null;
  #cursor: Json | null = null;
  /** What the last content made, so that changes tell the rest; null: the whole is read. */
  #settled: Settled | null = null;
  /** True: a mark holds what was gathered up to it. */
  #marked = false;
  /** Why the snapshot that is being read cannot be applied. */
  #spoiled: RunStopped | null = null;
  /** Rows of an origin that was put aside: they are not gathered. */
  #passesBy = false;
  /** Origins that are put aside at the next checkpoint. */
  readonly #putBy: { readonly origin: Origin; readonly why: Refusal }[] = [];
  #watch: OriginWatch | null = null;

  constructor(parts: RunParts) {
    const { context, source, stream, what, options } = parts;
    this.#parts = parts;
    this.#record = new RunRecord(parts);
    this.#mappings = mappingsOf(source, stream);
    const { id, key } = this.#record;
    const keysOnly = what.kind === "keys";
    this.#gathering = new Gathering(context.store, id, stream, this.#mappings, keysOnly);
    this.#heed = stopWatch(context.store, options.signal);
    this.#tell = teller(context, key, parts.outlook, options.progress);
  }

  get id(): string {
    return this.#record.id;
  }

  /** Reads what waits. `more`: another snapshot waits behind the one that was published. */
  async read(cursor: Json | null): Promise<Ended> {
    this.#cursor = cursor;
    checkDefinition(this.#parts.stream, this.#parts.source.connection.session);
    if (this.#parts.what.kind === "keys") checkComparable(this.#record.key, this.#parts.stream);
    const from = await this.#goOn();
    this.#promises = this.#watchPromises(from);
    const ended = await this.#readByChanges(from);
    this.#assertWhole();
    if (ended.state === "published")
      this.#record.notes.push(
        ...nothingConsidered(this.#record.published.rows, this.#record.origins),
      );
    return ended;
  }

  /** By changes, where nothing but the last content's records is held; whole where that fails. */
  async #readByChanges(from: Json | null): Promise<Ended> {
    const { store, log } = this.#parts.context;
    const asks = this.#parts.what.kind === "pull" && from !== null && !this.#marked;
    if (asks)
      this.#settled = await settledContent(
        store,
        this.#record.key,
        this.#parts.source,
        this.#parts.stream,
      );
    try {
      return await this.#readFrom(from);
    } catch (error) {
      if (!(error instanceof NotByChanges)) throw error;
      const { name } = this.#parts.stream;
      log("info", `${name} is read whole: ${error.message}.`, {
        ...this.#record.key,
        runId: this.id,
      });
      this.#settled = null;
      this.#record.origins.length = 0;
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
      await this.#heed(this.#record.at(), () => this.#rowsSoFar());
      const ended = await this.#take(event);
      if (ended === null) continue;
      if (state !== "published") state = ended.state;
      more = ended.more;
      // A snapshot is one piece of content: the next one is another run's.
      if (this.#record.isSnapshot && ended.state !== "refused") break;
    }
    // Of a delta nothing is new behind the mark: it is the end.
    if (!came && this.#marked && from !== null && !this.#record.isSnapshot)
      return this.#checkpoint(from, false);
    return { state, more };
  }

  #rowsSoFar(): number {
    return this.#record.published.rows.read + this.#gathering.rows().read;
  }

  #events(from: Json | null): AsyncIterable<ReadEvent> {
    const { session } = this.#parts.source.connection;
    return eventsOf(session, this.#parts.stream, this.#parts.what, from, this.#settled !== null);
  }

  #watchPromises(from: Json | null): Promises {
    const { now, timeZone } = this.#parts.context;
    const isNew = this.#parts.what.kind === "pull" && this.#parts.options.fromStart !== true;
    return watchPromises({
      key: this.#record.key,
      stream: streamAsRead(this.#parts.stream, this.#parts.what),
      stored: isNew ? this.#cursor : null,
      from,
      clock: { now, timeZone },
    });
  }

  /** Takes over what a run that was cut short had gathered; gives where reading begins. */
  async #goOn(): Promise<Json | null> {
    if (this.#parts.what.kind === "keys") return null;
    const { from, notes } = await goOn(
      this.#parts.context,
      this.#record.key,
      {
        reading: readingOf(this.#parts.what),
        cursor: this.#cursor,
        anew: this.#parts.options.fromStart === true,
        mappings: this.#mappings,
      },
      (mark) => this.#begin(mark),
    );
    this.#record.notes.push(...notes);
    return from;
  }

  /** True: it goes on from the mark. */
  async #begin(mark: Mark | null): Promise<boolean> {
    const { store } = this.#parts.context;
    // The run's row first: staging tables are found by it after a kill.
    if (!(await this.#record.begin(this.#cursor, mark?.runId ?? null))) return false;
    this.#watch = await watchOrigins(this.#parts.context, this.#parts.source, this.#record.key);
    this.#gathering.watch(this.#watch);
    const held =
      mark === null
        ? null
        : await takeOver(store, this.#parts.lease, this.#record.at(), mark, this.#mappings);
    if (mark === null || held === null) {
      await this.#gathering.restart();
      return false;
    }
    this.#gathering.resume(mark, held);
    this.#marked = true;
    this.#record.origins.push(...this.#gathering.origins.map(({ name }) => name));
    this.#record.notes.push(
      `It goes on from a run that was cut short: ${this.#gathering.rows().read} rows were read before.`,
    );
    return true;
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
        this.#record.origins.push(event.origin.name);
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
        this.#promises?.cursor(event.cursor, "checkpoint");
        await this.#record.publishUnchanged(event.origin, event.cursor);
        await this.#applied(event.cursor);
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
      this.#record.origins.push(event.origin.name);
      this.#passesBy = false;
    }
    if (this.#spoiled !== null || this.#passesBy) return;
    try {
      await this.#gatherSound(event);
    } catch (error) {
      await keepPending(this.#parts.context, this.#record.key, error);
      if (error instanceof RunStopped && this.#record.isSnapshot) this.#spoiled = error;
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
    // While it is read it cannot be put away.
    this.#putBy.push({ origin, why: error });
  }

  async #refusePutBy(): Promise<void> {
    for (const { origin, why } of this.#putBy.splice(0)) await this.#refuse(origin, why);
  }

  async #gatherSound(
    event: ReadEvent & { kind: "origin" | "rows" | "reject" | "totals" },
  ): Promise<void> {
    switch (event.kind) {
      case "origin":
        this.#gathering.closeOrigin(event.origin.name);
        this.#gathering.openOrigin(event.origin);
        return;
      case "rows":
        this.#promises?.rows(event.rows);
        await this.#gathering.takeRows(event.rows);
        this.#tell(this.#gathering, this.#record.published);
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
    await forgetMark(this.#parts.context.store, this.#parts.context.company, this.id);
    this.#marked = false;
  }

  /** What was gathered so far is kept, so that another run can go on from here. */
  async #mark(cursor: Json): Promise<void> {
    // What is the same is not counted in a mark, and a key set is soon read again.
    if (this.#spoiled !== null || this.#settled !== null || this.#parts.what.kind === "keys")
      return;
    this.#promises?.cursor(cursor, "mark");
    await this.#gathering.settle();
    const { parts, held } = this.#gathering.unheld();
    const mark = {
      reading: readingOf(this.#parts.what),
      cursorFrom: this.#cursor,
      cursor,
      parts,
      startedAt: this.#record.startedAt,
    };
    await keepMark(this.#parts.context.store, this.#parts.lease, this.#record.at(), mark, held);
    this.#gathering.marked();
    this.#marked = true;
  }

  #closeContent(cursor: Json): void {
    if (this.#spoiled === null && !this.#passesBy)
      try {
        this.#gathering.closeOrigin();
      } catch (error) {
        if (!(error instanceof RunStopped) || !this.#record.isSnapshot) throw error;
        this.#spoiled = error;
      }
    if (this.#spoiled !== null) throw this.#spoiled;
    this.#promises?.cursor(cursor, "checkpoint");
  }

  async #checkpoint(cursor: Json, more: boolean): Promise<Ended> {
    try {
      this.#closeContent(cursor);
      await this.#refusePutBy();
      await this.#gathering.settle();
      const { notes } = await this.#publish(cursor);
      this.#record.notes.push(...notes);
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
    if (this.#record.isSnapshot) await this.#gathering.drop();
    else await this.#gathering.restart();
    this.#marked = false;
    await this.#applied(cursor);
    return { state: "published", more };
  }

  async #applied(cursor: Json): Promise<void> {
    const { source, stream, what } = this.#parts;
    if (what.kind === "pull") await source.connection.session.applied?.(stream.name, cursor);
  }

  async #publish(cursor: Json): Promise<{ readonly notes: readonly string[] }> {
    const { context, source, stream, options, what } = this.#parts;
    let notes: readonly string[] = [];
    await this.#record.publish(cursor, async (tx, at, before) => {
      const published = await publishGathered(tx, {
        context,
        at,
        gathering: this.#gathering,
        snapshot: this.#record.isSnapshot,
        keysOnly: what.kind === "keys",
        dropBrakePercent: options.acceptRemovals === true ? null : brakeOf(source, stream.name),
        before,
        settled: this.#settled,
      });
      notes = [
        ...published.notes,
        ...(this.#gathering.parts.some(({ leftOut }) => leftOut > 0)
          ? leftOutNotes(stream, before.records, published.records)
          : []),
        ...((await this.#watch?.publish(tx)) ?? []),
      ];
      return published;
    });
    return { notes };
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
    const { store } = this.#parts.context;
    const note = await refuseOrigin(store, this.#parts.lease, this.#record.at(), origin, why);
    this.#record.refused.push(origin.name);
    this.#record.notes.push(note);
    await this.#parts.source.connection.session.setAside?.(
      this.#parts.stream.name,
      factsOf(origin),
      note,
    );
  }

  /** A connector that just stops has not said that what it gave is whole. */
  #assertWhole(): void {
    if (this.#spoiled !== null) throw this.#spoiled;
    const { read } = this.#gathering.rows();
    if (read === 0) return;
    throw new RunStopped(
      `Reading ${this.#record.key.connection}/${this.#parts.stream.name} ended without a checkpoint after ${read} ` +
        "rows. Nothing of them was published.",
      "The next run reads them again.",
    );
  }

  /** What was gathered up to the mark is gone on with, unless it is what stopped the run. */
  async #letGo(resumable: boolean): Promise<void> {
    if (this.#marked && resumable) {
      this.#record.notes.push(
        "What was read up to its last mark is kept: the next run goes on from there.",
      );
      await this.#gathering.leave();
      return;
    }
    if (this.#marked)
      await forgetMark(this.#parts.context.store, this.#parts.context.company, this.id);
    await this.#gathering.drop();
  }

  /** Writes down how the run ended; clears its staging where nobody goes on with it. */
  async end(ending: Ending): Promise<RunResult> {
    await this.#letGo(ending.resumable);
    const fellBack = this.#promises?.fell() ?? null;
    const result = await this.#record.end(ending, this.#cursor);
    return fellBack === null ? result : { ...result, fellBack };
  }
}

function isPutAside(error: unknown): error is ShapeChanged {
  return error instanceof ShapeChanged && error.reaction === "quarantine";
}
