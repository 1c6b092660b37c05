/** The one transaction in which what a run gathered becomes visible, or nothing of it does. */
import type { Json } from "../connector/index.ts";
import {
  mergeStaging,
  type MergeConflict,
  type MergeOptions,
  type Overruled,
  type Spared,
  plannedRows,
  type Transaction,
} from "../store/index.ts";
import {
  addCounts,
  addRows,
  emptyRowCounts,
  unaccounted,
  type RecordCounts,
  type RowCounts,
} from "./accounting.ts";
import { checkQuarantined, checkRemovals, RunStopped } from "./brake.ts";
import { assertChangesTell, wholeCounts, wholeRows, type Settled } from "./changes.ts";
import { afterMerge, beforeMerge } from "./completeness.ts";
import type { SyncContext } from "./context.ts";
import { whatFor, type Gathering, type OpenOrigin, type Part } from "./gathering.ts";
import { rowsAppliedBefore, storeOrigins, type At } from "./journal.ts";
import {
  closeAnswered,
  closeArrivedItems,
  closeReplayed,
  closeSuperseded,
  correctedKeys,
  openItems,
  type NewItem,
} from "./quarantine.ts";
import { UNCLAIMED } from "./reason.ts";

/** What a run has published so far. */
export interface Published {
  readonly rows: RowCounts;
  /** By mapping. */
  readonly records: ReadonlyMap<string, RecordCounts>;
  /** Of the last checkpoint; null before the first. */
  readonly cursor: Json | null;
}

export const NOTHING_PUBLISHED: Published = {
  rows: emptyRowCounts(),
  records: new Map(),
  cursor: null,
};

export interface Publishing {
  readonly context: SyncContext;
  readonly at: At;
  readonly gathering: Gathering;
  readonly snapshot: boolean;
  /** True: a snapshot of keys alone, which only removes. */
  readonly keysOnly: boolean;
  /** Null: whatever a snapshot lacks may go. */
  readonly dropBrakePercent: number | null;
  readonly before: Published;
  /** Called before each mapping's merge, which it may look at. */
  readonly inspect?: (tx: Transaction, merge: MergeOptions, part: Part) => Promise<void>;
  /** Origins that were applied before and are mapped anew; `removes`: what they lack goes. */
  readonly again?: { readonly removes: boolean };
  /** What the content before made; absent: the snapshot is gathered whole. */
  readonly settled?: Settled | null;
}

/** Merges, quarantines and counts; what is left to write is the run's own row and cursor. */
export async function publishGathered(
  tx: Transaction,
  publishing: Publishing,
): Promise<Omit<Published, "cursor"> & { readonly notes: readonly string[] }> {
  const { at, gathering, before, keysOnly } = publishing;
  const snapshot = publishing.snapshot && !keysOnly;
  if (!keysOnly) await beforeMerge(tx, publishing.context, at, gathering.parts);
  const merged = await mergeParts(tx, publishing);
  if (!keysOnly) await afterMerge(tx, publishing.context, at, gathering.parts);
  const conflicts = merged.flatMap(({ part, conflicts }) =>
    conflicts.map((conflict) => itemOf(part, conflict, gathering.origins)),
  );
  const isAgain = publishing.again !== undefined;
  const origins = isAgain ? gathering.origins : await withRepeats(tx, at, gathering.origins);
  const read = origins.reduce((sum, origin) => addRows(sum, origin.rows), emptyRowCounts());
  const fresh = wholeRows(read, publishing);
  const rows = addRows(before.rows, withConflicts(fresh, gathering.items, conflicts));
  const records = new Map(before.records);
  for (const { part, counts } of merged)
    records.set(part.mapping.id, addCounts(records.get(part.mapping.id), counts));
  const items = [...gathering.items, ...conflicts];
  checkQuarantined(items, rows.read);
  assertAccounted(at.stream, rows, records);
  if (!publishing.snapshot)
    for (const { mapping, staging } of gathering.parts)
      await closeArrivedItems(tx, at, mapping, staging);
  const { ids } = await openItems(tx, at, items);
  if (snapshot) await closeAnswered(tx, at, ids);
  else if (!keysOnly) await closeSuperseded(tx, at, items, ids);
  if (isAgain) await closeReplayed(tx, at, origins, ids);
  else await storeOrigins(tx, at, origins, keysOnly ? null : at.now);
  const changed = merged.flatMap(({ counts }) => (hasChanged(counts) ? [counts.record] : []));
  await queueConsumers(tx, publishing.context, changed);
  const notes = merged.flatMap(({ overruled, isHeld }) => [
    ...overruledNotes(overruled, gathering.origins),
    ...(isHeld ? [HELD] : []),
  ]);
  return { rows, records, notes };
}

const HELD =
  "A change of prices is past pricing.holdAbove and waits for a person; the prices that it touches " +
  "stay as they were. Look at it: price holds list.";

/**
 * Two rows of one file that say different things of a record: the last counts, and one may be a
 * slip.
 */
function overruledNotes(
  overruled: readonly Overruled[],
  origins: readonly OpenOrigin[],
): readonly string[] {
  return overruled.flatMap(({ originId, rows, key, line, by }) => {
    const origin = origins.find(({ id }) => id === originId);
    // Pages of a service tell one change after another.
    if (origin?.keptAt === undefined) return [];
    const says = rows === 1 ? "row says" : "rows say";
    return [
      `${origin.name}: ${rows} ${says} otherwise than a later row of the same file; the later one ` +
        `stands: ${key}, lines ${line} and ${by}.`,
    ];
  });
}

interface Merged {
  readonly part: Part;
  readonly counts: RecordCounts;
  readonly conflicts: readonly MergeConflict[];
  readonly overruled: readonly Overruled[];
  /** True: price changes of it wait for a person. */
  readonly isHeld: boolean;
}

async function mergeParts(tx: Transaction, publishing: Publishing): Promise<Merged[]> {
  const { at, gathering, snapshot, keysOnly, dropBrakePercent, inspect } = publishing;
  // Changes say themselves what is gone.
  const byChanges = gathering.compared !== null;
  const removes = publishing.again?.removes ?? (snapshot && !byChanges);
  const merged: Merged[] = [];
  const corrected = removes || byChanges ? await correctedKeys(tx, at, gathering.items) : null;
  for (const [index, part] of gathering.parts.entries()) {
    const { record, id } = part.mapping;
    const merge = {
      company: at.company,
      feed: feedOf(at.connection, id),
      record,
      staging: part.staging,
      snapshot: snapshot && !byChanges,
      removes,
      keysOnly,
      before: byChanges ? publishing.settled?.counts[id]?.after : undefined,
      spared: unusedRows(gathering.items, id, corrected?.get(id) ?? []),
      runId: at.runId,
      at: at.now,
    };
    await inspect?.(tx, merge, part);
    if (byChanges) await assertChangesTell(tx, merge);
    const mayClear = removes || byChanges || gathering.mayClear(part);
    if (mayClear && dropBrakePercent !== null) await checkRemovals(tx, merge, dropBrakePercent, at);
    const isHeld = await holdPrices(tx, publishing, merge);
    const { conflicts, overruled = [], ...counts } = await mergeStaging(tx, merge);
    const mapped = gathering.made(index);
    const all = { ...counts, record: record.name, mapped, conflicts: conflicts.length };
    merged.push({
      part,
      conflicts,
      overruled,
      isHeld,
      counts: wholeCounts(all, index, publishing),
    });
  }
  return merged;
}

/** True: something of it waits. A plan that a person applies was looked at by that person. */
async function holdPrices(
  tx: Transaction,
  { context, inspect }: Publishing,
  merge: MergeOptions,
): Promise<boolean> {
  if (context.holdPrices === undefined || inspect !== undefined) return false;
  if (merge.record.name !== "price-rule") return false;
  const from = await plannedRows(tx, merge);
  if (from === null) return false;
  const { company, record, runId, at } = merge;
  return context.holdPrices(tx, { company, record: record.name, from, runId, at });
}

/** Who owns the rows that a mapping makes of a connection's rows. */
export function feedOf(connection: string, mapping: string): string {
  return `${connection}/${mapping}`;
}

/** Of rows without columns, so many are compared with the records that a snapshot lacks. */
const MOST_UNSPLIT = 1_000;

/** A row that is there and wrong is not a row that was removed; nor is what was put right of it. */
function unusedRows(
  items: readonly NewItem[],
  mapping: string,
  corrected: readonly string[],
): Spared {
  const unsplit = items.filter((item) => item.mapping === null).slice(0, MOST_UNSPLIT);
  return {
    keys: [
      ...corrected,
      ...items.flatMap(({ mapping: of, recordKey, recordKeys }) =>
        of === mapping ? (recordKeys ?? (recordKey === null ? [] : [recordKey])) : [],
      ),
    ],
    words: unsplit.map(({ raw }) => [
      ...new Set(raw.split(/[,;\t|"\r\n]/).map((word) => word.trim())),
    ]),
  };
}

export function hasChanged({
  inserted,
  updated,
  removed,
}: Pick<RecordCounts, "inserted" | "updated" | "removed">): boolean {
  return inserted + updated + removed > 0;
}

function itemOf(
  { mapping }: Part,
  { originId, line, key, reason }: MergeConflict,
  origins: readonly OpenOrigin[],
): NewItem {
  return {
    ...whatFor(mapping),
    recordKey: key,
    originId,
    originName: origins.find(({ id }) => id === originId)?.name ?? "",
    line,
    raw: "",
    values: null,
    problems: [
      {
        field: mapping.record.key.join(", "),
        found: key,
        expected: UNCLAIMED,
        instruction: reason,
      },
    ],
    worth: null,
  };
}

/** A row that could not be merged waits in quarantine; one that waits there already counts once. */
function withConflicts(
  rows: RowCounts,
  items: readonly NewItem[],
  conflicts: readonly NewItem[],
): RowCounts {
  if (conflicts.length === 0) return rows;
  const placeOf = ({ originId, line }: NewItem) => `${originId} ${line}`;
  const waiting = new Set(items.map(placeOf));
  const more = new Set(conflicts.map(placeOf).filter((place) => !waiting.has(place))).size;
  return { ...rows, mapped: rows.mapped - more, quarantined: rows.quarantined + more };
}

/** Content that was applied before is not read again; its rows are counted as they were then. */
async function withRepeats(
  tx: Transaction,
  at: At,
  origins: readonly OpenOrigin[],
): Promise<readonly OpenOrigin[]> {
  const counted: OpenOrigin[] = [];
  for (const origin of origins) {
    const { sha256, rows } = origin;
    const repeated =
      rows.read > 0 || sha256 === undefined ? 0 : await rowsAppliedBefore(tx, at, sha256);
    counted.push({ ...origin, rows: { ...rows, read: rows.read + repeated, repeated } });
  }
  return counted;
}

function assertAccounted(
  stream: string,
  rows: RowCounts,
  records: ReadonlyMap<string, RecordCounts>,
): void {
  const problems = unaccounted(rows, records);
  if (problems.length === 0) return;
  throw new RunStopped(
    `Publishing ${stream}: the counts do not add up (${problems.join("; ")}). ` +
      "Nothing was published.",
    "This is a defect of Tradepost: report it with this message.",
  );
}

export async function queueConsumers(
  tx: Transaction,
  { company, consumers, jobs }: SyncContext,
  changed: readonly string[],
): Promise<void> {
  for (const { job, records } of consumers)
    if (records.some((record) => changed.includes(record)))
      await jobs.queue(tx, job, { company }, { singletonKey: company });
}
