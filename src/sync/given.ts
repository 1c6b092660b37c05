/** What was given of an origin, also before a mark that its reading goes on from. */
import type { SourceRow, StreamDefinition } from "../connector/index.ts";
import { brokenPromise } from "./brake.ts";

/** Counts, as a mark keeps them. */
export interface Given {
  /** Rows, and spans that are none. */
  read: number;
  /** Of them, rows. */
  rows: number;
  /** By column of the stream's key: rows without it. */
  readonly lacking: Record<string, number>;
}

export function nothingGiven(): Given {
  return { read: 0, rows: 0, lacking: {} };
}

export function addSame(given: Given, rows: number): void {
  given.read += rows;
  given.rows += rows;
}

export function addRow(given: Given, { key = [] }: StreamDefinition, { values }: SourceRow): void {
  addSame(given, 1);
  for (const column of key)
    if (values[column] === undefined) given.lacking[column] = (given.lacking[column] ?? 0) + 1;
}

/** So few rows may all be bad by themselves. */
const FEW = 5;

/** A row may lack a part of its key; where every one does, the key is not theirs. */
export function checkKeyed(origin: string, { rows, lacking }: Given): void {
  const column = Object.keys(lacking).find((each) => lacking[each] === rows);
  if (rows < FEW || column === undefined) return;
  throw brokenPromise(
    `Reading ${origin}: each of its ${rows} rows lacks ${column}, which the stream declares as a ` +
      "column of their key.",
  );
}
