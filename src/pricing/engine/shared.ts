/**
 * A book as plain data: for another thread, which reads the same arrays in shared memory, and for a
 * file. Maps from codes to numbers are left out and made again: they cost more to copy than to
 * fill.
 */
import { isColumn } from "./arena.ts";
import type { PriceBook } from "./book.ts";

/** A book without its maps; can be sent to another thread as it is, and copies no array. */
export type SharedBook = Readonly<Record<string, unknown>>;

export function shareBook(book: PriceBook): SharedBook {
  return withoutMaps(book) as SharedBook;
}

/** The same book for the thread that was sent it. It answers; it cannot be revised. */
export function bookFromShared(shared: SharedBook): PriceBook {
  return withMaps(shared) as PriceBook;
}

const MAP = "entries of a map";

function withoutMaps(value: unknown): unknown {
  if (value instanceof Map) return { [MAP]: [...value] };
  if (!isPart(value)) return value;
  const numbered = Array.isArray(value["codes"]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) =>
      numbered && name === "numbers" ? [] : [[name, withoutMaps(part)]],
    ),
  );
}

function withMaps(value: unknown): unknown {
  if (!isPart(value)) return value;
  const entries = value[MAP];
  if (Array.isArray(entries)) return new Map(entries as [unknown, unknown][]);
  const parts = Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, withMaps(part)]),
  );
  const { codes } = parts;
  if (!Array.isArray(codes)) return parts;
  return { ...parts, numbers: new Map(codes.map((code, number) => [code as string, number])) };
}

function isPart(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isColumn(value);
}
