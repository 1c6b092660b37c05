/**
 * A snapshot read by its changes: the rows that the last one had as well are neither given nor
 * mapped again. Promises the very content, counts and quarantine of reading the whole; where that
 * cannot be proved the whole is read.
 */
import type { SourceRow, StreamDefinition } from "../connector/index.ts";
import {
  changesTell,
  type MergeOptions,
  type Queryable,
  type Transaction,
} from "../store/index.ts";
import { emptyRowCounts, type RecordCounts, type RowCounts } from "./accounting.ts";
import { mappingsOf, type Source } from "./context.ts";
import type { Gathering, Part } from "./gathering.ts";
import { lastRun } from "./journal.ts";
import type { StreamKey } from "./lease.ts";

/** The changes do not tell all: the snapshot is to be read whole. Nothing is wrong with it. */
export class NotByChanges extends Error {
  override readonly name = "NotByChanges";
}

/** What the content applied last made, all of it and nothing else. */
export interface Settled {
  readonly rows: RowCounts;
  /** By mapping. */
  readonly counts: Readonly<Record<string, RecordCounts>>;
}

/** Counted while changes are gathered: rows that need no mapping, and what is gone. */
export interface Compared {
  same: number;
  /** Of the last content, rows that this one lacks. */
  readonly gone: { mapped: number; ignored: number };
  /** Records that those rows made, one count for each mapping. */
  readonly unmade: number[];
}

/**
 * Null: something stands in the tables, or waits in quarantine, that the last content alone does
 * not tell. Then a row that is the same may mean something else today.
 */
export async function settledContent(
  store: Queryable,
  key: StreamKey,
  source: Source,
  stream: StreamDefinition,
): Promise<Settled | null> {
  const mappings = mappingsOf(source, stream);
  const absence = (stream.deletions ?? "absence") === "absence";
  if (stream.reading !== "snapshot" || !absence || stream.totals === true) return null;
  // Posted documents stay when a snapshot lacks them: more is kept than the last one held.
  if (mappings.some(({ record }) => record.posted)) return null;
  const last = await lastRun(store, key);
  if (last === null) return null;
  const { rows, counts } = last;
  const wholly = rows.quarantined === 0 && rows.repeated === 0;
  if (!wholly || !mappings.every(({ id }) => isSettled(counts[id]))) return null;
  return (await hasLoose(store, key)) ? null : { rows, counts };
}

/** Every record that the rows made is held, each once, and no other. */
function isSettled(counts: RecordCounts | undefined): boolean {
  if (counts === undefined) return false;
  const { mapped, after, repeated, conflicts } = counts;
  return repeated === 0 && conflicts === 0 && after === mapped;
}

/** Rows that wait, or records that were put right by hand. */
async function hasLoose(store: Queryable, key: StreamKey): Promise<boolean> {
  const found = await store.query(
    `select from quarantine where company = $1 and connection = $2 and stream = $3
        and (state = 'open' or correction_holds) limit 1`,
    [key.company, key.connection, key.stream],
  );
  return found.length > 0;
}

export function nothingCompared(mappings: number): Compared {
  return {
    same: 0,
    gone: { mapped: 0, ignored: 0 },
    unmade: Array.from({ length: mappings }, () => 0),
  };
}

/** What a row of the content before had made is gone, unless another row makes it again. */
export function unmake(
  row: SourceRow,
  originId: string,
  parts: readonly Part[],
  compared: Compared,
): void {
  let mapped = false;
  for (const [index, { mapping, staging }] of parts.entries()) {
    const out = mapping.apply(row.values);
    if (out.kind === "rejected") throw new NotByChanges(`line ${row.line} was no bad row before`);
    if (out.kind === "ignored") continue;
    for (const record of out.records) staging.addGone(record, originId, row.line);
    compared.unmade[index] = (compared.unmade[index] ?? 0) + out.records.length;
    mapped = true;
  }
  if (mapped) compared.gone.mapped += 1;
  else compared.gone.ignored += 1;
}

export async function assertChangesTell(tx: Transaction, merge: MergeOptions): Promise<void> {
  if (await changesTell(tx, merge)) return;
  throw new NotByChanges(`some ${merge.record.name} comes from more than one row`);
}

/** Where changes were gathered: what was, and what it is compared with. */
interface ByChanges {
  readonly gathering: Pick<Gathering, "compared" | "parts" | "items">;
  readonly settled?: Settled | null;
}

/** The counts of the whole content: those of the last, less what is gone, and what is new. */
export function wholeRows(rows: RowCounts, { gathering, settled }: ByChanges): RowCounts {
  const { compared } = gathering;
  if (compared === null) return rows;
  const { same, gone } = compared;
  const before = settled?.rows ?? emptyRowCounts();
  if (before.read !== same + gone.mapped + gone.ignored)
    throw new NotByChanges(
      `${before.read} rows were read before; ${same} are the same and ` +
        `${gone.mapped + gone.ignored} gone`,
    );
  return {
    ...rows,
    mapped: rows.mapped + before.mapped - gone.mapped,
    ignored: rows.ignored + before.ignored - gone.ignored,
  };
}

/** What a merge of the changes did, as the whole content's counts. */
export function wholeCounts(
  counts: RecordCounts,
  index: number,
  { gathering, settled }: ByChanges,
): RecordCounts {
  const { compared, parts, items } = gathering;
  if (compared === null) return counts;
  const last = settled?.counts[parts[index]?.mapping.id ?? ""];
  const kept = (last?.mapped ?? 0) - (compared.unmade[index] ?? 0);
  const whole = { ...counts, mapped: counts.mapped + kept, unchanged: counts.unchanged + kept };
  const { before, inserted, removed, after } = whole;
  // The count before was not taken again: what is held now tells whether it was true.
  if (before + inserted - removed !== after || whole.repeated > 0)
    throw new NotByChanges(
      `${after} ${whole.record} records would be held: ${before} + ${inserted} - ${removed}`,
    );
  // A bad row's record stays, so more may be held than was mapped.
  if (items.length === 0 && whole.after !== whole.mapped - whole.conflicts)
    throw new NotByChanges(
      `${whole.after} ${whole.record} records would be held, of ${whole.mapped} mapped`,
    );
  return whole;
}
