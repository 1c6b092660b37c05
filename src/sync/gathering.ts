/**
 * What a run has gathered since its last checkpoint: staged records, bad rows, and counts by
 * origin. Nothing of it is visible before it is published; it can be forgotten origin by origin.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Origin, ReadEvent, SourceRow, StreamDefinition } from "../connector/index.ts";
import type { Mapping, RowKeys } from "../mapping/index.ts";
import { openStaging, stagingIn, type Staging, type Store } from "../store/index.ts";
import { addRows, emptyRowCounts, type RowCounts } from "./accounting.ts";
import {
  brokenPromise,
  checkColumns,
  checkQuarantined,
  MOST_QUARANTINED,
  RunStopped,
} from "./brake.ts";
import { addRow, addSame, checkKeyed, nothingGiven, type Given } from "./given.ts";
import { keysLeftOut, takesBack } from "./left-out.ts";
import { madeWith, type Held, type Mark, type Parts } from "./marks.ts";
import { misfits } from "./promises.ts";
import { nothingCompared, unmake, type Compared } from "./changes.ts";
import type { NewItem, Problem } from "./quarantine.ts";
import type { OriginWatch } from "./watch.ts";
import { openTotals, type KeptTotals, type OriginTotals, type Stated } from "./totals.ts";

export interface OpenOrigin extends Origin {
  readonly id: string;
  readonly rows: RowCounts;
  /** Records made of its rows, one count for each mapping. */
  readonly made: number[];
  readonly given: Given;
  readonly totals: OriginTotals;
}

/** An origin as a mark keeps it. */
type KeptOrigin = Omit<OpenOrigin, "totals"> & { readonly totals: KeptTotals };

export interface Part {
  readonly mapping: Mapping;
  readonly staging: Staging;
  /** Whether records go whose rows the mapping now leaves aside. */
  readonly takesBack: boolean;
  /** Records that may go so. */
  leftOut: number;
  /** The piece that the database is taking now. */
  writing: Promise<void>;
}

/** Records that go to the database in one piece. */
const PIECE = 5_000;

export class Gathering {
  readonly #store: Store;
  readonly #runId: string;
  readonly #stream: StreamDefinition;
  readonly #mappings: readonly Mapping[];
  readonly #keysOnly: boolean;
  #parts: Part[] = [];
  #origins: OpenOrigin[] = [];
  #items: NewItem[] = [];
  #compared: Compared | null = null;
  #watch: OriginWatch | null = null;
  /** Of both, those that the last mark holds as they are. */
  #held = { origins: 0, items: 0 };
  #isMarked = false;
  /** The origin that the mark was in which reading goes on from. */
  #leftIn: string | null = null;

  /** `mappings`: those that read the stream. `keysOnly`: rows are keys of what is there. */
  constructor(
    store: Store,
    runId: string,
    stream: StreamDefinition,
    mappings: readonly Mapping[],
    keysOnly: boolean,
  ) {
    this.#store = store;
    this.#runId = runId;
    this.#stream = stream;
    this.#mappings = mappings;
    this.#keysOnly = keysOnly;
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
  /** Null: the rows are given whole. */
  get compared(): Compared | null {
    return this.#compared;
  }

  rows(): RowCounts {
    return this.#origins.reduce((sum, { rows }) => addRows(sum, rows), emptyRowCounts());
  }

  /** Records that the mapping with this index made. */
  made(index: number): number {
    return this.#origins.reduce((sum, { made }) => sum + (made[index] ?? 0), 0);
  }

  /** From now on origins are looked at, and their rows kept where nobody archives them. */
  watch(watch: OriginWatch): void {
    this.#watch = watch;
  }

  /** Whether an `ignore:` alone may empty the part's table; what a source marks is its own word. */
  mayClear({ leftOut }: Part): boolean {
    return leftOut > 0 && this.#stream.deletions !== "marked";
  }

  /** Begins with nothing gathered. */
  async restart(): Promise<void> {
    await this.drop();
    for (const mapping of this.#mappings) {
      const options = { record: mapping.record, runId: this.#runId };
      this.#addPart(mapping, await openStaging(this.#store, options));
    }
  }

  /** Begins with what another run had gathered up to its mark; its staging is ours already. */
  resume(mark: Pick<Mark, "parts">, held: readonly Held[]): void {
    for (const mapping of this.#mappings) {
      const { staged } = mark.parts[mapping.id] ?? { staged: { staged: 0, gone: 0, held: 0 } };
      const options = { record: mapping.record, runId: this.#runId };
      this.#addPart(mapping, stagingIn(this.#store, options, staged));
    }
    for (const { kind, body } of held)
      if (kind === "item") this.#items.push(body as NewItem);
      else {
        const origin = body as KeptOrigin;
        this.#origins.push({ ...origin, totals: this.#totalsOf(origin, origin.totals) });
      }
    this.#leftIn = this.#origins.at(-1)?.id ?? null;
    this.marked();
  }

  #addPart(mapping: Mapping, staging: Staging): void {
    const back = !this.#keysOnly && takesBack(this.#stream, mapping);
    // Nothing else of a mark tells of them.
    const leftOut = back && this.#stream.deletions !== "marked" ? staging.gone : 0;
    this.#parts.push({ mapping, staging, takesBack: back, leftOut, writing: Promise.resolve() });
  }

  #totalsOf(origin: Origin, from?: KeptTotals): OriginTotals {
    return openTotals(origin, this.#stream.totals === true, from);
  }

  /** The origin that one of this name is the rest of: the mark was in it. */
  #beganAs(name: string): OpenOrigin | undefined {
    const last = this.#origins.at(-1);
    return last?.id === this.#leftIn && last?.name === name ? last : undefined;
  }

  /** What a mark must keep of what was gathered since the last one; all must be settled. */
  unheld(): { readonly parts: Parts; readonly held: readonly Held[] } {
    const { origins, items } = this.#held;
    const parts = this.#parts.map(({ mapping, staging: { staged, gone, held } }) => [
      mapping.id,
      { as: madeWith(mapping), staged: { staged, gone, held } },
    ]);
    return {
      parts: Object.fromEntries(parts) as Parts,
      held: [
        ...this.#origins.slice(origins).map((origin, index) => ({
          kind: "origin" as const,
          place: origins + index,
          body: { ...origin, totals: origin.totals.keep() } satisfies KeptOrigin,
        })),
        ...this.#items
          .slice(items)
          .map((body, index) => ({ kind: "item" as const, place: items + index, body })),
      ],
    };
  }

  /** The mark that keeps what `unheld` gave is committed. */
  marked(): void {
    // The last origin may go on.
    this.#held = { origins: Math.max(0, this.#origins.length - 1), items: this.#items.length };
    this.#isMarked = true;
  }

  /** Lets go of what is staged without dropping it. */
  async leave(): Promise<void> {
    for (const { writing } of this.#parts) await writing.catch(() => undefined);
    this.#empty();
  }

  #empty(): void {
    [this.#parts, this.#origins, this.#items] = [[], [], []];
    this.#compared = null;
    this.#held = { origins: 0, items: 0 };
    this.#isMarked = false;
  }

  /** Forgets everything; nothing can be gathered after it. */
  async drop(): Promise<void> {
    const parts = this.#parts;
    this.#empty();
    for (const { staging } of parts) await staging.drop();
  }

  /** `id`: that of an origin which was applied before and is mapped anew. */
  openOrigin(origin: Origin, id: string = randomUUIDv7()): void {
    const { name, columns } = origin;
    const made = this.#parts.map(() => 0);
    const began = this.#beganAs(name);
    const given = { ...nothingGiven(), ...structuredClone(began?.given) };
    const totals = this.#totalsOf(origin, began?.totals.keep());
    this.#origins.push({ ...origin, id, rows: emptyRowCounts(), made, given, totals });
    if (columns !== undefined)
      for (const { mapping } of this.#parts) checkColumns(mapping, name, columns);
    this.#watch?.open(id, origin);
  }

  async takeRows(rows: readonly SourceRow[]): Promise<OpenOrigin> {
    const origin = this.#current();
    await this.#watch?.take(origin, rows);
    origin.totals.add(rows);
    for (const row of rows) {
      addRow(origin.given, this.#stream, row);
      origin.rows.read += 1;
      origin.rows[this.#takeRow(row, origin)] += 1;
    }
    for (const part of this.#parts) if (part.staging.pending >= PIECE) await write(part);
    if (this.#items.length > MOST_QUARANTINED) checkKeyed(origin.name, origin.given);
    checkQuarantined(this.#items, this.rows().read);
    return origin;
  }

  /** So many rows are those of the content before: they count, and need no mapping. */
  takeSame(rows: number): void {
    const origin = this.#current();
    addSame(origin.given, rows);
    origin.rows.read += rows;
    this.#comparing().same += rows;
  }

  /** Rows that only the content before had. */
  async takeGone(rows: readonly SourceRow[]): Promise<void> {
    const { id } = this.#current();
    const compared = this.#comparing();
    for (const row of rows) unmake(row, id, this.#parts, compared);
    for (const part of this.#parts) if (part.staging.pending >= PIECE) await write(part);
  }

  #comparing(): Compared {
    return (this.#compared ??= nothingCompared(this.#parts.length));
  }

  #takeRow(row: SourceRow, origin: OpenOrigin): "mapped" | "ignored" | "quarantined" {
    const misfit = misfits(origin.name, this.#stream, row, this.#keysOnly);
    if (misfit !== null) return this.#setAside(row, origin, misfit);
    if (this.#keysOnly || row.removed === true) return this.#takeKeys(row, origin);
    let mapped = false;
    let rejected = false;
    for (const [index, part] of this.#parts.entries()) {
      const { mapping, staging } = part;
      const out = mapping.apply(row.values);
      for (const key of part.takesBack ? keysLeftOut(mapping, row.values, out) : []) {
        staging.addGone(key, origin.id, row.line);
        part.leftOut += 1;
      }
      if (out.kind === "records") {
        for (const record of out.records) staging.add(record, origin.id, row.line);
        origin.made[index] = (origin.made[index] ?? 0) + out.records.length;
        mapped = true;
      } else if (out.kind === "rejected") {
        rejected = true;
        this.#items.push({
          ...placeOf(origin, row),
          ...whatFor(mapping),
          ...(out.key === undefined ? keysIn(mapping, row) : { recordKey: out.key }),
          values: row.values,
          problems: out.problems,
          worth: out.worth ?? null,
          ...(out.told === undefined ? {} : { told: out.told }),
        });
      }
    }
    return rejected ? "quarantined" : mapped ? "mapped" : "ignored";
  }

  /** A row of the wrong shape: no mapping is asked, but for the record that it would have been. */
  #setAside(row: SourceRow, origin: OpenOrigin, problems: readonly Problem[]): "quarantined" {
    for (const { mapping } of this.#parts)
      this.#items.push({
        ...placeOf(origin, row),
        ...whatFor(mapping),
        ...keysIn(mapping, row),
        values: row.values,
        problems,
        worth: null,
      });
    return "quarantined";
  }

  /** A row that tells of a record only its key: that it is gone, or that it is there. */
  #takeKeys(row: SourceRow, origin: OpenOrigin): "mapped" | "quarantined" {
    if (!this.#keysOnly && this.#stream.deletions !== "marked")
      throw brokenPromise(
        `Reading ${origin.name}: row ${row.line} says that it was removed, and the stream does not ` +
          "declare that rows do.",
      );
    let rejected = false;
    for (const [index, { mapping, staging }] of this.#parts.entries()) {
      const found = mapping.keysOf(row.values);
      const problems = this.#whyNotGone(mapping, found);
      if (found.kind === "keys" && problems.length === 0) {
        for (const key of found.keys) staging.addGone(key, origin.id, row.line);
        if (this.#keysOnly) origin.made[index] = (origin.made[index] ?? 0) + found.keys.length;
      } else {
        rejected = true;
        // Of no mapping: mapped again it would come back.
        this.#items.push({ ...placeOf(origin, row), ...NOT_A_RECORD, problems });
      }
    }
    return rejected ? "quarantined" : "mapped";
  }

  #whyNotGone({ record }: Mapping, found: RowKeys): readonly Problem[] {
    if (found.kind === "unknown") return found.problems;
    if (this.#keysOnly || !record.posted) return [];
    return [
      {
        field: "",
        found: `the source says that the ${record.name} is gone`,
        expected: "a posted document stands for ever",
        instruction: "Ask who removed it in the source; what is wrong is credited, not removed.",
      },
    ];
  }

  async takeReject(event: ReadEvent & { kind: "reject" }): Promise<void> {
    const origin = this.#current();
    await this.#watch?.takeReject(origin, event);
    origin.given.read += 1;
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

  takeTotal(stated: Stated): void {
    this.#current().totals.state(stated);
  }

  /** The last origin is read to its end, unless the `next` one is the rest of it. */
  closeOrigin(next?: string): void {
    const origin = this.#origins.at(-1);
    if (origin === undefined || (next !== undefined && this.#beganAs(next) !== undefined)) return;
    checkKeyed(origin.name, origin.given);
    origin.totals.settle(origin.given.read);
  }

  /**
   * As if the origin had never been read; what other origins gave stays. True: a mark holds some of
   * it, and is of no use any more.
   */
  async forget(name: string): Promise<boolean> {
    const gone = this.#origins.filter((origin) => origin.name === name).map(({ id }) => id);
    if (gone.length === 0) return false;
    await this.settle();
    for (const { staging } of this.#parts) await staging.forget(gone);
    const first = this.#origins.findIndex(({ id }) => gone.includes(id));
    this.#origins = this.#origins.filter(({ id }) => !gone.includes(id));
    this.#items = this.#items.filter(({ originId }) => !gone.includes(originId));
    await this.#watch?.forget(gone);
    const isMarked = first <= this.#held.origins && this.#isMarked;
    this.#held = { origins: 0, items: 0 };
    this.#isMarked &&= !isMarked;
    return isMarked;
  }

  /** Returns when all that was gathered is staged. */
  async settle(): Promise<void> {
    for (const part of this.#parts) {
      await part.writing;
      await part.staging.flush();
    }
    await this.#watch?.settle();
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

/** Which records a row stands for that cannot be used; they are never taken for removed. */
function keysIn(
  { record, keysOf }: Mapping,
  { values }: SourceRow,
): Pick<NewItem, "recordKey" | "recordKeys"> {
  const found = keysOf(values);
  if (found.kind === "unknown") return { recordKey: null };
  const keys = found.keys.map((key) => record.key.map((name) => key[name]).join(" / "));
  const [only, second] = keys;
  return second === undefined ? { recordKey: only ?? null } : { recordKey: null, recordKeys: keys };
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
