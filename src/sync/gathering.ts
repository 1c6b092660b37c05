/**
 * What a run has gathered since its last checkpoint: staged records, bad rows, and counts by
 * origin. Nothing of it is visible before it is published; it can be forgotten origin by origin.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Origin, ReadEvent, SourceRow } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { openStaging, type Staging, type Store } from "../store/index.ts";
import { addRows, emptyRowCounts, type RowCounts } from "./accounting.ts";
import { checkColumns, checkQuarantined, checkTotal, RunStopped } from "./brake.ts";
import type { NewItem } from "./quarantine.ts";

export interface OpenOrigin extends Origin {
  readonly id: string;
  readonly rows: RowCounts;
  /** Records made of its rows, one count for each mapping. */
  readonly made: number[];
}

export interface Part {
  readonly mapping: Mapping;
  readonly staging: Staging;
  /** The piece that the database is taking now. */
  writing: Promise<void>;
}

/** Records that go to the database in one piece. */
const PIECE = 5_000;

export class Gathering {
  readonly #store: Store;
  readonly #runId: string;
  readonly #mappings: readonly Mapping[];
  #parts: Part[] = [];
  #origins: OpenOrigin[] = [];
  #items: NewItem[] = [];

  /** `mappings`: those that read the run's stream. */
  constructor(store: Store, runId: string, mappings: readonly Mapping[]) {
    this.#store = store;
    this.#runId = runId;
    this.#mappings = mappings;
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }
  get origins(): readonly OpenOrigin[] {
    return this.#origins;
  }
  get items(): readonly NewItem[] {
    return this.#items;
  }

  rows(): RowCounts {
    return this.#origins.reduce((sum, { rows }) => addRows(sum, rows), emptyRowCounts());
  }

  /** Records that the mapping with this index made. */
  made(index: number): number {
    return this.#origins.reduce((sum, { made }) => sum + (made[index] ?? 0), 0);
  }

  /** Begins with nothing gathered. */
  async restart(): Promise<void> {
    await this.drop();
    for (const mapping of this.#mappings) {
      const options = { record: mapping.record, runId: this.#runId };
      const staging = await openStaging(this.#store, options);
      this.#parts.push({ mapping, staging, writing: Promise.resolve() });
    }
  }

  /** Forgets everything; nothing can be gathered after it. */
  async drop(): Promise<void> {
    const parts = this.#parts;
    [this.#parts, this.#origins, this.#items] = [[], [], []];
    for (const { staging } of parts) await staging.drop();
  }

  openOrigin(origin: Origin): void {
    const { name, columns } = origin;
    const made = this.#parts.map(() => 0);
    this.#origins.push({ ...origin, id: randomUUIDv7(), rows: emptyRowCounts(), made });
    if (columns !== undefined)
      for (const { mapping } of this.#parts) checkColumns(mapping, name, columns);
  }

  async takeRows(rows: readonly SourceRow[]): Promise<OpenOrigin> {
    const origin = this.#current();
    for (const row of rows) this.#takeRow(row, origin);
    for (const part of this.#parts) if (part.staging.pending >= PIECE) await write(part);
    checkQuarantined(this.#items, this.rows().read);
    return origin;
  }

  #takeRow(row: SourceRow, origin: OpenOrigin): void {
    let mapped = false;
    let rejected = false;
    let index = -1;
    for (const { mapping, staging } of this.#parts) {
      index += 1;
      const out = mapping.apply(row.values);
      if (out.kind === "records") {
        for (const record of out.records) staging.add(record, origin.id, row.line);
        origin.made[index] = (origin.made[index] ?? 0) + out.records.length;
        mapped = true;
      } else if (out.kind === "rejected") {
        rejected = true;
        this.#items.push({
          ...placeOf(origin, row),
          ...whatFor(mapping),
          recordKey: out.key ?? null,
          values: row.values,
          problems: out.problems,
          worth: out.worth ?? null,
          ...(out.told === undefined ? {} : { told: out.told }),
        });
      }
    }
    origin.rows.read += 1;
    if (rejected) origin.rows.quarantined += 1;
    else if (mapped) origin.rows.mapped += 1;
    else origin.rows.ignored += 1;
  }

  takeReject(event: ReadEvent & { kind: "reject" }): void {
    const origin = this.#current();
    origin.rows.read += 1;
    origin.rows.quarantined += 1;
    const { reason: found, instruction } = event;
    this.#items.push({
      ...placeOf(origin, event),
      ...NOT_A_RECORD,
      problems: [{ field: "", found, expected: "a row", instruction }],
    });
    checkQuarantined(this.#items, this.rows().read);
  }

  takeTotal(rows: number): void {
    const { name, rows: counts } = this.#current();
    checkTotal(name, rows, counts.read);
  }

  /** As if the origin had never been read; what other origins gave stays. */
  async forget(name: string): Promise<void> {
    const gone = this.#origins.filter((origin) => origin.name === name).map(({ id }) => id);
    if (gone.length === 0) return;
    await this.settle();
    for (const { staging } of this.#parts)
      await this.#store.affect(`delete from ${staging.table} where origin_id = any($1)`, [gone]);
    this.#origins = this.#origins.filter(({ id }) => !gone.includes(id));
    this.#items = this.#items.filter(({ originId }) => !gone.includes(originId));
  }

  /** Returns when all that was gathered is staged. */
  async settle(): Promise<void> {
    for (const part of this.#parts) {
      await part.writing;
      await part.staging.flush();
    }
  }

  #current(): OpenOrigin {
    const origin = this.#origins.at(-1);
    if (origin !== undefined) return origin;
    throw new RunStopped(
      "The connector gave rows before saying where they are from. Nothing of them was published.",
      "This is a defect of the connector: report it with this message.",
    );
  }
}

/** The database takes one piece while the next one is read and mapped; never two. */
async function write(part: Part): Promise<void> {
  await part.writing;
  part.writing = part.staging.flush();
  // Whoever waits for the piece is told; until then it must not count as unhandled.
  part.writing.catch(() => undefined);
}

function placeOf({ id, name }: OpenOrigin, { line, raw }: Pick<SourceRow, "line" | "raw">) {
  return { originId: id, originName: name, line, raw };
}

export function whatFor({ id, record }: Mapping): Pick<NewItem, "mapping" | "record"> {
  return { mapping: id, record: record.name };
}

/** Of an item that no mapping has seen. */
export const NOT_A_RECORD = {
  mapping: null,
  record: null,
  recordKey: null,
  values: null,
  worth: null,
} as const;
