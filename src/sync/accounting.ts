/**
 * The two sums of a run. Rows: read = mapped + ignored + repeated + quarantined. Records, per
 * mapping: before + inserted − removed = after, and inserted + updated + unchanged + repeated +
 * conflicts = records mapped. A run that breaks either is not published.
 */
import type { MergeResult } from "../store/index.ts";

export interface RowCounts {
  read: number;
  /**
   * Rows of which every mapping made its records or left it aside on purpose, and at least one made
   * some.
   */
  mapped: number;
  /** Rows that every mapping left aside on purpose. */
  ignored: number;
  /** Rows of content that was applied before. */
  repeated: number;
  /** Rows that wait in quarantine. */
  quarantined: number;
}

/** What one mapping's merge did, as it is kept with the run. */
export interface RecordCounts extends Omit<MergeResult, "conflicts" | "overruled"> {
  readonly record: string;
  /** Records that the mapping made of the rows. */
  readonly mapped: number;
  /** Records that could not be merged and wait in quarantine. */
  readonly conflicts: number;
}

export function emptyRowCounts(): RowCounts {
  return { read: 0, mapped: 0, ignored: 0, repeated: 0, quarantined: 0 };
}

export function addRows(left: RowCounts, right: RowCounts): RowCounts {
  return {
    read: left.read + right.read,
    mapped: left.mapped + right.mapped,
    ignored: left.ignored + right.ignored,
    repeated: left.repeated + right.repeated,
    quarantined: left.quarantined + right.quarantined,
  };
}

/** The sums that do not hold, as sentences; empty when all is accounted for. */
export function unaccounted(
  rows: RowCounts,
  records: ReadonlyMap<string, RecordCounts>,
): readonly string[] {
  const problems: string[] = [];
  const sum = rows.mapped + rows.ignored + rows.repeated + rows.quarantined;
  if (sum !== rows.read)
    problems.push(
      `rows: read ${rows.read}, but mapped ${rows.mapped} + ignored ${rows.ignored} + ` +
        `repeated ${rows.repeated} + quarantined ${rows.quarantined} = ${sum}`,
    );
  for (const [mapping, counts] of records) {
    const after = counts.before + counts.inserted - counts.removed;
    if (after !== counts.after)
      problems.push(
        `${mapping}: before ${counts.before} + inserted ${counts.inserted} − removed ` +
          `${counts.removed} = ${after}, but ${counts.after} are there`,
      );
    const merged =
      counts.inserted + counts.updated + counts.unchanged + counts.repeated + counts.conflicts;
    if (merged !== counts.mapped)
      problems.push(
        `${mapping}: inserted ${counts.inserted} + updated ${counts.updated} + unchanged ` +
          `${counts.unchanged} + repeated ${counts.repeated} + conflicts ${counts.conflicts} = ` +
          `${merged}, but ${counts.mapped} records were mapped`,
      );
  }
  return problems;
}

/** Of a snapshot that is the last one again: every row is there, and every record is as it was. */
export function unchangedCounts(
  last: Readonly<Record<string, RecordCounts>>,
): ReadonlyMap<string, RecordCounts> {
  return new Map(
    Object.entries(last).map(([mapping, was]) => [
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

/** Adds a later merge of the same mapping: the first `before` and the last `after` stand. */
export function addCounts(earlier: RecordCounts | undefined, later: RecordCounts): RecordCounts {
  if (earlier === undefined) return later;
  return {
    record: later.record,
    before: earlier.before,
    after: later.after,
    mapped: earlier.mapped + later.mapped,
    inserted: earlier.inserted + later.inserted,
    updated: earlier.updated + later.updated,
    unchanged: earlier.unchanged + later.unchanged,
    repeated: earlier.repeated + later.repeated,
    removed: earlier.removed + later.removed,
    conflicts: earlier.conflicts + later.conflicts,
  };
}

/** A run that finds nothing to do looks just like one that works: it must be said. */
export function nothingConsidered(
  { read, repeated, ignored }: RowCounts,
  origins: readonly string[],
): readonly string[] {
  const of = origins.join(", ");
  if (read === 0) return [`${of}: it holds no rows. If rows were expected, look at the export.`];
  if (repeated === read) return [`${of}: its ${read} rows were applied before; nothing new came.`];
  return repeated + ignored === read
    ? [
        `${of}: the mappings left aside every one of ${ignored} rows. If rows were expected, look at ` +
          "`ignore:` in the mappings.",
      ]
    : [];
}
