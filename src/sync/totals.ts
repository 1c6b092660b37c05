/**
 * The source's own totals of an origin against what was read of it: the rows, and the sums of
 * columns in exact decimals.
 */
import type { SourceRow } from "../connector/index.ts";
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
  /** Given before the rows or after them. */
  state(stated: Stated): void;
  /** The origin is read to its end: throws when what was stated is not what came. */
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

/**
 * `promised`: the stream says that each origin comes with totals, so that every column that may be
 * summed up is; otherwise only those that totals given before the rows name.
 */
export function openTotals(
  origin: string,
  promised: boolean,
  from: KeptTotals = NO_TOTALS,
): OriginTotals {
  let { stated, seen } = from;
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
      if (stated !== null)
        throw brokenPromise(`Reading ${origin}: its totals were stated a second time.`);
      if (given.sums !== undefined && seen && !promised)
        throw brokenPromise(
          `Reading ${origin}: sums came behind its rows, and the stream does not declare totals.`,
        );
      stated = given;
    },
    settle: (read) => {
      if (stated !== null) compare(origin, stated, read, sums);
      else if (promised)
        throw brokenPromise(
          `Reading ${origin}: it came without the totals that the stream promises with each.`,
        );
    },
    keep: () => ({ stated, seen, sums: kept(sums) }),
  };
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

function compare(
  origin: string,
  stated: Stated,
  read: number,
  sums: ReadonlyMap<string, Sum>,
): void {
  const ask = "Ask for the file again.";
  const nothing = "Nothing of it was published.";
  if (read !== stated.rows)
    throw new RunStopped(
      `Reading ${origin}: the source says it holds ${stated.rows} rows, and ${read} were read. ${nothing}`,
      ask,
    );
  for (const [column, text] of Object.entries(stated.sums ?? {})) {
    const expected = decimal.tryParse(text);
    if (expected === undefined)
      throw brokenPromise(`Reading ${origin}: its sum of ${column} is stated as "${text}".`);
    const found = sums.get(column) ?? { sum: decimal.zero() };
    if ("notOnLine" in found)
      throw new RunStopped(
        `Reading ${origin}: the source states the sum of ${column} as ${text}, and line ` +
          `${found.notOnLine} holds no number there. ${nothing}`,
        ask,
      );
    if (decimal.compare(found.sum, expected) !== 0)
      throw new RunStopped(
        `Reading ${origin}: the source says that ${column} adds up to ${text}, and the rows that ` +
          `were read add up to ${decimal.format(found.sum)}. ${nothing}`,
        ask,
      );
  }
}
