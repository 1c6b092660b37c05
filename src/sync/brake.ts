/**
 * What stops a run before it publishes: content that contradicts itself or its mapping, or that
 * would remove so much that a person must decide.
 */
import type { FaultKind } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { countRemovals, type MergeOptions, type Transaction } from "../store/index.ts";
import type { StreamKey } from "./lease.ts";

/**
 * Content that contradicts itself or its mapping so thoroughly that publishing would be a guess.
 */
export class RunStopped extends Error {
  override readonly name: string = "RunStopped";
  /** What was found, without what to do about it. */
  readonly reason: string;
  /** What the reader must do: mend settings, accept the refusal, or report a defect. */
  readonly kind: FaultKind;

  constructor(reason: string, instruction: string, kind: FaultKind = "refused") {
    super(`${reason} ${instruction}`);
    this.reason = reason;
    this.kind = kind;
  }
}

/** The connector does not do what its stream promises. */
export function brokenPromise(what: string): RunStopped {
  return new RunStopped(
    `${what} Nothing of it was published.`,
    "This is a defect of the connector: report it with this message.",
    "defect",
  );
}

/** A snapshot would remove more than the settings allow. Nothing was removed. */
export class DropBrake extends RunStopped {
  override readonly name = "DropBrake";
}

/** So few are no cut-off file, whatever their share: one branch of four may close. */
const FEW = 2;

export function isTooMuch(before: number, removals: number, limitPercent: number): boolean {
  return removals > FEW && removals * 100 > before * limitPercent;
}

/** A cut-off export looks just like a clearance, so a person decides. */
export async function checkRemovals(
  tx: Transaction,
  merge: MergeOptions,
  limitPercent: number,
  key: StreamKey,
): Promise<void> {
  const { before, removals } = await countRemovals(tx, merge);
  if (!isTooMuch(before, removals, limitPercent)) return;
  const share = ((removals * 100) / before).toFixed(1);
  const what =
    removals === before ? "the snapshot holds none of them" : `it would remove ${removals}`;
  throw new DropBrake(
    `Publishing ${key.connection}/${key.stream}: ${before} ${merge.record.name} records are held and ` +
      `${what} (${share}%, where at most ${limitPercent}% may go at once). Nothing was removed.`,
    `If the source really cleared them, run: sync ${key.stream} --accept-removals. ` +
      "If the file was cut off, ask for it again: a newer snapshot is read instead.",
  );
}

/**
 * A header without a column, or with a slip in its name, would turn the whole column into blanks.
 */
export function checkColumns(mapping: Mapping, origin: string, columns: readonly string[]): void {
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
      "Nothing of the file was published.",
    "Export it again with the right columns, or change the mapping.",
  );
}

/** With more bad rows than this the mapping is wrong, not the rows. */
export const MOST_QUARANTINED = 20_000;

interface BadRow {
  readonly originName: string;
  readonly problems: readonly {
    readonly field: string;
    readonly found: string;
    readonly expected: string;
  }[];
}

export function checkQuarantined(items: readonly BadRow[], read: number): void {
  if (items.length <= MOST_QUARANTINED) return;
  const [first] = items;
  const problem = first?.problems[0];
  throw new RunStopped(
    `Reading ${first?.originName ?? ""}: ${items.length} of ${read} rows cannot be used, the first ` +
      `because ${problem?.field || "it"} was ${problem?.found ?? ""} where ${problem?.expected ?? ""} ` +
      "is expected. Nothing of them was published.",
    "With so many the mapping or the file's settings are wrong: mend them and run again.",
  );
}
