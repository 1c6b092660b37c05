/**
 * Arrays of a book that only ever grow at their end: what an older book reads is never written
 * again, so a newer one can share it. In shared memory, so that other threads read them without a
 * copy.
 */

export interface Arena {
  array: Int32Array;
  /** Numbers in use; behind them is room. */
  used: number;
}

export function sharedInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

export function sharedFloats(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

/** Numbers in one array. */
export type Column = Int32Array | Float64Array | Uint8Array;

export function isColumn(value: unknown): value is Column {
  return (
    value instanceof Int32Array || value instanceof Float64Array || value instanceof Uint8Array
  );
}

/** The same numbers in shared memory; those that are there already stay where they are. */
export function inShared(column: Column): Column {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const buffer = new SharedArrayBuffer(column.byteLength);
  new Uint8Array(buffer).set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  if (column instanceof Int32Array) return new Int32Array(buffer);
  return column instanceof Float64Array ? new Float64Array(buffer) : new Uint8Array(buffer);
}

export function openArena(length: number): Arena {
  return { array: sharedInts(length), used: 0 };
}

/** Takes room at the end; gives where it starts. What was there before stays readable as it was. */
export function take(arena: Arena, length: number): number {
  const start = arena.used;
  const needed = start + length;
  if (needed > arena.array.length) {
    const wider = sharedInts(Math.max(needed, Math.ceil(arena.array.length * GROWTH), 1024));
    wider.set(arena.array.subarray(0, start));
    arena.array = wider;
  }
  arena.used = needed;
  return start;
}

const GROWTH = 1.4;

/** No room left over. */
export function trimmed({ array, used }: Arena): Int32Array {
  if (array.length === used) return array;
  const exact = sharedInts(used);
  exact.set(array.subarray(0, used));
  return exact;
}

/** Some room left over, so that the first changes need not move all. */
export function roomy({ array, used }: Arena): Int32Array {
  const wanted = used + Math.ceil(used * ROOM);
  if (array.length === wanted) return array;
  const made = sharedInts(wanted);
  made.set(array.subarray(0, used));
  return made;
}

const ROOM = 1 / 16;
