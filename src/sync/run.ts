/** One run of one stream: read, map, stage, and publish in one transaction at each checkpoint. */
import type { Json, Origin, ReadEvent, SourceRow, StreamDefinition } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { mergeStaging, openStaging, type Staging, type Transaction } from "../store/index.ts";
import {
  addCounts,
  addRows,
  emptyRowCounts,
  unaccounted,
  type RecordCounts,
  type RowCounts,
} from "./accounting.ts";
import { checkRemovals, DropBrake } from "./brake.ts";
import type { Lease, StreamKey } from "./lease.ts";
import {
  storeCursor,
  storeOrigins,
  storeRun,
  storeStart,
  type OpenOrigin,
  type RunEnding,
} from "./journal.ts";
import { closeArrivedItems, closeOlderItems, openItems, type NewItem } from "./quarantine.ts";
import type { RunOptions, RunResult, RunState, Source, SyncContext } from "./context.ts";

/** A run with more than this many bad rows stops: then the mapping is wrong, not the rows. */
const MOST_QUARANTINED = 20_000;

/**
 * Content that contradicts itself or its mapping so thoroughly that publishing would be a guess.
 */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
}

interface Part {
  readonly mapping: Mapping;
  readonly staging: Staging;
  /** Records staged since the last merge. */
  mapped: number;
}

interface Published {
  readonly rows: RowCounts;
  readonly records: ReadonlyMap<string, RecordCounts>;
}

/** One run: what it published, and what it gathered since its last checkpoint. */
export class Run {
  readonly id = crypto.randomUUID();
  /** What was published; rows since the last checkpoint are in `#fresh`. */
  readonly rows: RowCounts = emptyRowCounts();
  records: ReadonlyMap<string, RecordCounts> = new Map();
  readonly originNames: string[] = [];
  readonly notes: string[] = [];
  readonly #context: SyncContext;
  readonly #source: Source;
  readonly #stream: StreamDefinition;
  readonly #lease: Lease;
  readonly #options: RunOptions;
  readonly #startedAt: Temporal.Instant;
  #fresh: RowCounts = emptyRowCounts();
  #parts: Part[] = [];
  #items: NewItem[] = [];
  #quarantined = 0;
  #origins: OpenOrigin[] = [];
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
  }

  get key(): StreamKey {
    return {
      company: this.#context.company,
      connection: this.#source.connection.name,
      stream: this.#stream.name,
    };
  }

  /** Reads what waits. True when another snapshot waits behind the one that was published. */
  async read(cursor: Json | null): Promise<{ state: RunState; more: boolean }> {
    let state: RunState = "nothing";
    let more = false;
    for await (const event of this.#source.connection.session.read(this.#stream.name, cursor)) {
      await this.#begin(cursor);
      const ended = await this.#take(event);
      if (ended === null) continue;
      if (state !== "published") state = ended.state;
      more = ended.more;
    }
    if (this.#origins.length > 0 && this.#origins.some((origin) => origin.rows > 0))
      throw new RunStopped(
        `Reading ${this.key.connection}/${this.key.stream} ended without a checkpoint after ` +
          `${this.#fresh.read} rows. Nothing of them was published; the next run reads them again.`,
      );
    return { state, more };
  }

  async #take(event: ReadEvent): Promise<{ state: RunState; more: boolean } | null> {
    switch (event.kind) {
      case "origin":
        this.#openOrigin(event.origin);
        return null;
      case "rows":
        await this.#takeRows(event.rows);
        return null;
      case "reject":
        this.#takeReject(event);
        return null;
      case "refused":
        await this.#takeRefused(event);
        return { state: "refused", more: false };
      case "unchanged":
        await this.#publishUnchanged(event.origin, event.cursor);
        return { state: "unchanged", more: event.more };
      case "totals":
        this.#compareTotals(event.rows);
        return null;
      case "checkpoint":
        return this.#checkpoint(event.cursor, event.more);
      default:
        return event satisfies never;
    }
  }

  #openOrigin(origin: Origin): void {
    this.#origins.push({ ...origin, id: crypto.randomUUID(), rows: 0 });
    this.originNames.push(origin.name);
    if (origin.columns === undefined) return;
    for (const { mapping } of this.#parts) checkColumns(mapping, origin.name, origin.columns);
  }

  #currentOrigin(): OpenOrigin {
    const origin = this.#origins.at(-1);
    if (origin === undefined)
      throw new RunStopped(
        `The connector of "${this.key.connection}" gave rows of ${this.key.stream} before saying where they are from. This is a defect of the connector.`,
      );
    return origin;
  }

  async #takeRows(rows: readonly SourceRow[]): Promise<void> {
    const origin = this.#currentOrigin();
    for (const row of rows) this.#takeRow(row, origin);
    origin.rows += rows.length;
    this.#fresh.read += rows.length;
    for (const part of this.#parts) if (part.staging.pending >= 5_000) await part.staging.flush();
    this.#tooMany(origin);
    this.#tell(origin);
  }

  #takeRow(row: SourceRow, origin: OpenOrigin): void {
    let mapped = false;
    let rejected = false;
    for (const part of this.#parts) {
      const out = part.mapping.apply(row.values);
      if (out.kind === "records") {
        for (const record of out.records) part.staging.add(record, origin.id, row.line);
        part.mapped += out.records.length;
        mapped = true;
      } else if (out.kind === "rejected") {
        rejected = true;
        this.#quarantine({
          mapping: part.mapping.id,
          record: part.mapping.record.name,
          recordKey: out.key ?? null,
          originId: origin.id,
          originName: origin.name,
          line: row.line,
          raw: row.raw,
          values: row.values,
          problems: out.problems,
          worth: out.worth ?? null,
        });
      }
    }
    if (rejected) this.#fresh.quarantined += 1;
    else if (mapped) this.#fresh.mapped += 1;
    else this.#fresh.ignored += 1;
  }

  #takeReject(event: ReadEvent & { kind: "reject" }): void {
    const origin = this.#currentOrigin();
    this.#fresh.read += 1;
    this.#fresh.quarantined += 1;
    origin.rows += 1;
    this.#quarantine({
      mapping: null,
      record: null,
      recordKey: null,
      originId: origin.id,
      originName: origin.name,
      line: event.line,
      raw: event.raw,
      values: null,
      problems: [
        { field: "", found: event.reason, expected: "a row", instruction: event.instruction },
      ],
      worth: null,
    });
    this.#tooMany(origin);
  }

  /**
   * A whole file that must not be applied: it waits in quarantine as one item, and the run goes on.
   */
  async #takeRefused(event: ReadEvent & { kind: "refused" }): Promise<void> {
    const origin: OpenOrigin = { ...event.origin, id: crypto.randomUUID(), rows: 0 };
    const note = `${event.origin.name} was not applied: ${event.reason} ${event.instruction}`;
    this.notes.push(note);
    this.originNames.push(event.origin.name);
    this.#origins = this.#origins.filter((open) => open.name !== event.origin.name);
    await this.#restage();
    await this.#context.store.transaction(async (tx) => {
      await this.#lease.hold(tx);
      await storeOrigins(tx, this.#at(), [origin], null);
      await openItems(tx, this.#at(), [
        {
          mapping: null,
          record: null,
          recordKey: null,
          originId: origin.id,
          originName: origin.name,
          line: 0,
          raw: "",
          values: null,
          problems: [
            {
              field: "",
              found: event.reason,
              expected: "a whole file",
              instruction: event.instruction,
            },
          ],
          worth: null,
        },
      ]);
    });
    await this.#source.connection.session.setAside?.(this.#stream.name, event.origin, note);
  }

  /** Forgets what a refused origin had staged: its rows were never read, as far as counts go. */
  async #restage(): Promise<void> {
    for (const part of this.#parts) await part.staging.drop();
    this.#items = [];
    this.#fresh = emptyRowCounts();
    await this.#openParts();
  }

  #compareTotals(rows: number): void {
    const origin = this.#currentOrigin();
    if (origin.rows === rows) return;
    throw new RunStopped(
      `Reading ${origin.name}: the source says it holds ${rows} rows, and ${origin.rows} were read. ` +
        "Nothing of it was published. Ask for the file again.",
    );
  }

  async #checkpoint(cursor: Json, more: boolean): Promise<{ state: RunState; more: boolean }> {
    for (const part of this.#parts) await part.staging.flush();
    try {
      const published = await this.#context.store.transaction((tx) => this.#publish(tx, cursor));
      Object.assign(this.rows, published.rows);
      this.records = published.records;
    } catch (error) {
      if (error instanceof DropBrake && more) {
        await this.#standAside(error);
        return { state: "stopped", more };
      }
      throw error;
    }
    this.#items = [];
    this.#origins = [];
    this.#fresh = emptyRowCounts();
    if (this.#stream.reading === "delta") await this.#restartStaging();
    await this.#source.connection.session.applied?.(this.#stream.name, cursor);
    return { state: "published", more };
  }

  /**
   * A newer snapshot waits behind the one that the brake stopped: the newer one is read instead.
   */
  async #standAside(brake: DropBrake): Promise<void> {
    const origin = this.#currentOrigin();
    await this.#takeRefused({
      kind: "refused",
      origin,
      reason: brake.message,
      instruction: "A newer snapshot was waiting and is read instead.",
    });
  }

  async #publish(tx: Transaction, cursor: Json): Promise<Published> {
    await this.#lease.hold(tx);
    const at = this.#at();
    const records = new Map(this.records);
    const changed = new Set<string>();
    for (const part of this.#parts) {
      const counts = await this.#mergePart(tx, part);
      records.set(part.mapping.id, addCounts(records.get(part.mapping.id), counts));
      if (counts.inserted + counts.updated + counts.removed > 0) changed.add(counts.record);
    }
    const rows = addRows(this.rows, this.#fresh);
    const problems = unaccounted(rows, records);
    if (problems.length > 0)
      throw new RunStopped(
        `Publishing ${this.key.stream}: the counts do not add up (${problems.join("; ")}). ` +
          "Nothing was published. This is a defect of Tradepost: report it with this message.",
      );
    if (this.#stream.reading === "snapshot") await closeOlderItems(tx, at);
    else
      for (const { mapping, staging } of this.#parts)
        await closeArrivedItems(tx, at, mapping, staging);
    await openItems(tx, at, this.#items);
    await storeOrigins(tx, at, this.#origins, at.now);
    await storeCursor(tx, at, cursor);
    await storeRun(tx, at, { ...this.#ending("published", null), cursor, rows, records });
    await this.#queueConsumers(tx, changed);
    return { rows, records };
  }

  async #queueConsumers(tx: Transaction, changed: ReadonlySet<string>): Promise<void> {
    const { company, consumers, jobs } = this.#context;
    for (const { job, records } of consumers)
      if (records.some((record) => changed.has(record)))
        await jobs.queue(tx, job, { company }, { singletonKey: company });
  }

  async #mergePart(tx: Transaction, part: Part): Promise<RecordCounts> {
    const { company, connection } = this.key;
    const merge = {
      company,
      feed: `${connection}/${part.mapping.id}`,
      record: part.mapping.record,
      staging: part.staging,
      snapshot: this.#stream.reading === "snapshot",
      runId: this.id,
      at: this.#context.now(),
    };
    if (merge.snapshot && this.#options.acceptRemovals !== true)
      await checkRemovals(tx, merge, this.#source.dropBrakePercent, this.key);
    const { conflicts, ...counts } = await mergeStaging(tx, merge);
    const rows = new Set<string>();
    for (const conflict of conflicts) {
      const origin = this.#origins.find((open) => open.id === conflict.originId);
      rows.add(`${conflict.originId}:${conflict.line}`);
      this.#quarantine({
        mapping: part.mapping.id,
        record: part.mapping.record.name,
        recordKey: conflict.key,
        originId: conflict.originId,
        originName: origin?.name ?? "",
        line: conflict.line,
        raw: "",
        values: null,
        problems: [
          {
            field: part.mapping.record.key.join(", "),
            found: conflict.key,
            expected: "a key that no other row claims",
            instruction: conflict.reason,
          },
        ],
        worth: null,
      });
    }
    this.#fresh.mapped -= rows.size;
    this.#fresh.quarantined += rows.size;
    const record = part.mapping.record.name;
    return { ...counts, record, mapped: part.mapped, conflicts: conflicts.length };
  }

  /** The same snapshot again: a successful run in which every row is unchanged. */
  async #publishUnchanged(origin: Origin, cursor: Json): Promise<void> {
    this.originNames.push(origin.name);
    await this.#context.store.transaction(async (tx) => {
      await this.#lease.hold(tx);
      const last = await tx.query<{ rows: RowCounts; counts: Record<string, RecordCounts> }>(
        `select jsonb_build_object('read', r.rows_read, 'mapped', r.mapped, 'ignored', r.ignored,
                  'repeated', r.repeated, 'quarantined', r.quarantined) as rows, r.counts
           from run r join stream_state s on s.company = r.company and s.last_run_id = r.id
          where s.company = $1 and s.connection = $2 and s.stream = $3`,
        [this.key.company, this.key.connection, this.key.stream],
      );
      for (const before of last) this.#asUnchanged(before.rows, before.counts);
      const at = this.#at();
      const whole = { ...origin, id: crypto.randomUUID(), rows: this.rows.read };
      await storeOrigins(tx, at, [whole], at.now);
      await storeCursor(tx, at, cursor);
      await storeRun(tx, at, { ...this.#ending("unchanged", null), cursor });
    });
    await this.#source.connection.session.applied?.(this.#stream.name, cursor);
  }

  #asUnchanged(rows: RowCounts, counts: Readonly<Record<string, RecordCounts>>): void {
    Object.assign(this.rows, rows);
    this.records = new Map(
      Object.entries(counts).map(([mapping, was]) => [
        mapping,
        {
          ...was,
          before: was.after,
          inserted: 0,
          updated: 0,
          unchanged: was.mapped - was.repeated - was.conflicts,
          removed: 0,
        },
      ]),
    );
  }

  #quarantine(item: NewItem): void {
    this.#items.push(item);
    this.#quarantined += 1;
  }

  #tooMany(origin: OpenOrigin): void {
    if (this.#quarantined <= MOST_QUARANTINED) return;
    const first = this.#items[0]?.problems[0];
    throw new RunStopped(
      `Reading ${origin.name}: ${this.#quarantined} of ${this.#fresh.read} rows cannot be used, the ` +
        `first because ${first?.field ?? ""} was ${first?.found ?? ""} where ${first?.expected ?? ""} ` +
        "is expected. Nothing was published. With so many the mapping or the file's settings are wrong: " +
        "mend them and run again.",
    );
  }

  #tell(origin: OpenOrigin): void {
    this.#options.progress?.({
      stream: this.#stream.name,
      origin: origin.name,
      rows: this.rows.read + this.#fresh.read,
      quarantined: this.rows.quarantined + this.#fresh.quarantined,
    });
  }

  #at(): StreamKey & { runId: string; now: Temporal.Instant } {
    return { ...this.key, runId: this.id, now: this.#context.now() };
  }

  async #begin(cursor: Json | null): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#openParts();
    await storeStart(this.#context.store, this.#at(), cursor);
  }

  #ending(state: RunState, error: string | null): RunEnding {
    return {
      state,
      error,
      cursor: null,
      rows: this.rows,
      records: this.records,
      origins: this.originNames.length,
      notes: this.notes,
    };
  }

  async #openParts(): Promise<void> {
    const parts: Part[] = [];
    for (const mapping of this.#source.mappings.filter(
      (candidate) => candidate.reads === this.#stream.name,
    ))
      parts.push({
        mapping,
        staging: await openStaging(this.#context.store, {
          record: mapping.record,
          runId: this.id,
        }),
        mapped: 0,
      });
    this.#parts = parts;
  }

  async #restartStaging(): Promise<void> {
    for (const part of this.#parts) await part.staging.drop();
    await this.#openParts();
  }

  /** Writes down how the run ended when it did not publish, and clears its staging. */
  async end(state: RunState, error: string | null): Promise<RunResult> {
    for (const part of this.#parts) await part.staging.drop();
    if (error !== null) this.notes.push(error);
    if (this.#begun && state !== "published" && state !== "unchanged")
      await storeRun(this.#context.store, this.#at(), this.#ending(state, error));
    return {
      runId: this.#begun ? this.id : null,
      stream: this.#stream.name,
      state,
      rows: this.rows,
      records: Object.fromEntries(this.records),
      origins: this.originNames,
      notes: this.notes,
      seconds: this.#context.now().since(this.#startedAt).total("seconds"),
    };
  }
}

/**
 * A header without a column, or with a slip in its name, would turn the whole column into blanks.
 */
function checkColumns(mapping: Mapping, origin: string, columns: readonly string[]): void {
  const listed = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  const slips = mapping.misspelt(columns);
  const missing = mapping.columns.required.filter((column) => !columns.includes(column));
  if (missing.length === 0 && slips.length === 0) return;
  const found = [
    ...(missing.length === 0 ? [] : [`it lacks ${listed(missing)}, which ${mapping.file} reads`]),
    ...slips.map((slip) => `it has "${slip.found}" where "${slip.meant}" is read`),
  ];
  throw new RunStopped(
    `Reading ${origin}: its header does not fit: ${found.join("; ")}. The header is ${listed(columns)}. ` +
      "Nothing of the file was published. Export it again with the right columns, or change the mapping.",
  );
}
