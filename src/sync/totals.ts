/**
 * The source's own totals of an origin against what was read of it: the rows, and the sums of
 * columns in exact decimals.
 */
import type { Origin, SourceRow } from "../connector/index.ts";
import { decimal } from "../model/index.ts";
import type { Decimal } from "../model/index.ts";
import { brokenPromise, RunStopped } from "./brake.ts";

/** A column's sum so far, or the line whose value is no number. */
type Sum = { readonly sum: Decimal } | { readonly notOnLine: number };

export interface Stated {
  readonly rows: number;
  readonly sums?: Readonly<Record<string, string>>;
}

export interface OriginTotals {
  add(rows: readonly SourceRow[]): void;
  /** Given before the rows or after them; once more where a mark is gone on from. */
  state(stated: Stated): void;
  /** The origin is read to its end: throws when what was stated is not what came of it in all. */
  settle(read: number): void;
  /** Another one that goes on from here, as JSON. */
  keep(): KeptTotals;
}

export interface KeptTotals {
  readonly stated: Stated | null;
  readonly seen: boolean;
  /** Decimal text, or the number of the line that holds none. */
  readonly sums: Readonly<Record<string, string | number>>;
}

const NO_TOTALS: KeptTotals = { stated: null, seen: false, sums: {} };

/** How an origin is named, and whether it is a file. */
type Named = Pick<Origin, "name" | "bytes" | "sha256">;

/**
 * `promised`: the stream says that each origin comes with totals, so that every column that may be
 * summed up is; otherwise only those that totals given before the rows name. `from`: of the part
 * before a mark.
 */
export function openTotals(
  origin: Named,
  promised: boolean,
  from: KeptTotals = NO_TOTALS,
): OriginTotals {
  let { stated, seen } = from;
  let isStatedHere = false;
  const sums = new Map<string, Sum>(
    Object.entries(from.sums).map(([column, sum]) => [
      column,
      typeof sum === "number" ? { notOnLine: sum } : { sum: decimal.parse(sum) },
    ]),
  );
  return {
    add: (rows) => {
      const named = stated?.sums === undefined ? null : Object.keys(stated.sums);
      if (rows.length > 0) seen = true;
      if (named === null && !promised) return;
      for (const { values, line } of rows)
        for (const column of named ?? Object.keys(values))
          addTo(sums, column, values[column], line);
    },
    state: (given) => {
      if (isStatedHere)
        throw brokenPromise(`Reading ${origin.name}: its totals were stated a second time.`);
      const added = Object.keys(given.sums ?? {}).filter((each) => !hasNamed(stated, each));
      if (added.length > 0 && seen && !promised)
        throw brokenPromise(
          `Reading ${origin.name}: sums came behind its rows, and the stream does not declare totals.`,
        );
      // What the source says now is of the list as it is now.
      stated = { ...stated, ...given };
      isStatedHere = true;
    },
    settle: (read) => {
      if (stated !== null) compare(origin, stated, read, sums);
      else if (promised)
        throw brokenPromise(
          `Reading ${origin.name}: it came without the totals that the stream promises with each.`,
        );
    },
    keep: () => ({ stated, seen, sums: kept(sums) }),
  };
}

function hasNamed(stated: Stated | null, column: string): boolean {
  return stated?.sums?.[column] !== undefined;
}

function kept(sums: ReadonlyMap<string, Sum>): KeptTotals["sums"] {
  return Object.fromEntries(
    [...sums].map(([column, sum]) => [
      column,
      "sum" in sum ? decimal.format(sum.sum) : sum.notOnLine,
    ]),
  );
}

function addTo(sums: Map<string, Sum>, column: string, value: unknown, line: number): void {
  const before = sums.get(column) ?? { sum: decimal.zero() };
  if ("notOnLine" in before) return;
  const number = numberIn(value);
  if (number === null) return void sums.set(column, before);
  sums.set(
    column,
    number === undefined ? { notOnLine: line } : { sum: decimal.add(before.sum, number) },
  );
}

/** Null: it is empty, which adds nothing; undefined: it is no number. */
function numberIn(value: unknown): Decimal | null | undefined {
  if (value === null || value === undefined || value === "") return null;
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint"
    ? decimal.tryParse(String(value).trim())
    : undefined;
}

/** A file stays as it is; a list is another one by the next run. */
function whatToDo({ bytes, sha256 }: Named): string {
  return bytes === undefined && sha256 === undefined
    ? "The next run reads it from its start. If this stays, tell who runs the source."
    : "Ask for the file again.";
}

function compare(
  origin: Named,
  stated: Stated,
  read: number,
  sums: ReadonlyMap<string, Sum>,
): void {
  const { name } = origin;
  const ask = whatToDo(origin);
  const nothing = "Nothing of it was published.";
  if (read !== stated.rows)
    throw new RunStopped(
      `Reading ${name}: the source says it holds ${stated.rows} rows, and ${read} were read. ${nothing}`,
      ask,
    );
  for (const [column, text] of Object.entries(stated.sums ?? {})) {
    const expected = decimal.tryParse(text);
    if (expected === undefined)
      throw brokenPromise(`Reading ${name}: its sum of ${column} is stated as "${text}".`);
    const found = sums.get(column) ?? { sum: decimal.zero() };
    if ("notOnLine" in found)
      throw new RunStopped(
        `Reading ${name}: the source states the sum of ${column} as ${text}, and line ` +
          `${found.notOnLine} holds no number there. ${nothing}`,
        ask,
      );
    if (decimal.compare(found.sum, expected) !== 0)
      throw new RunStopped(
        `Reading ${name}: the source says that ${column} adds up to ${text}, and the rows that ` +
          `were read add up to ${decimal.format(found.sum)}. ${nothing}`,
        ask,
      );
  }
}
