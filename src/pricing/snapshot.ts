/**
 * The book as a file, so that a start reads it instead of all the rows. A file is used only when it
 * is whole (length and digest), of this company, these settings, this policy and this layout; it is
 * a shortcut and never the truth: what changed since is read from the tables.
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { bookFromShared, memoryOf, remember, shareBook } from "./engine/index.ts";
import type { BookMemory, SharedBook } from "./engine/index.ts";
import type { LoadedBook } from "./load.ts";

/** What a book in a file must agree on with whoever opens it. */
export interface SnapshotOf {
  readonly company: string;
  /** Policy and layout that it was compiled with. */
  readonly maker: string;
  /** The company's settings that it was compiled with, as JSON. */
  readonly settings: string;
}

export interface Ignored {
  /** Why the file is of no use; null: there is none. */
  readonly ignored: string | null;
}

const MAGIC = Buffer.from("Tradepost book 1");
const DIGEST = 32;
/** Magic, digest, length of the whole file, length of the description. */
const HEAD = MAGIC.length + DIGEST + 16;
/** So much is read or written, and its digest taken, before others have their turn. */
const PIECE = 1024 * 1024;

interface Description extends SnapshotOf {
  readonly book: unknown;
  readonly memory: BookMemory;
  readonly arrays: readonly { readonly kind: Kind; readonly length: number }[];
  readonly rest: Omit<LoadedBook, "book">;
}

type Column = Int32Array | Float64Array | Uint8Array;

const WIDTHS = { ints: 4, floats: 8, bytes: 1 } as const;
type Kind = keyof typeof WIDTHS;

function kindOf(column: Column): Kind {
  if (column instanceof Int32Array) return "ints";
  return column instanceof Float64Array ? "floats" : "bytes";
}

function columnIn(buffer: SharedArrayBuffer, kind: Kind, length: number): Column {
  if (kind === "ints") return new Int32Array(buffer, 0, length);
  return kind === "floats"
    ? new Float64Array(buffer, 0, length)
    : new Uint8Array(buffer, 0, length);
}

/** Writes the file in place of one that is there, whole or not at all. */
export async function saveSnapshot(
  file: string,
  of: SnapshotOf,
  { book, ...rest }: LoadedBook,
): Promise<void> {
  const memory = memoryOf(book);
  if (memory === null) return;
  const used = usedParts(shareBook(book), memory);
  const arrays: Column[] = [];
  const described: Description = {
    ...of,
    book: withoutArrays(used, arrays),
    memory,
    arrays: arrays.map((array) => ({ kind: kindOf(array), length: array.length })),
    rest,
  };
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await writeParts(beside, padded(Buffer.from(JSON.stringify(described))), arrays);
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function writeParts(file: string, description: Buffer, arrays: Column[]): Promise<void> {
  const handle = await open(file, "w");
  try {
    const bytes = arrays.map(bytesOf);
    const lengths = Buffer.alloc(16);
    const whole = bytes.reduce((sum, part) => sum + paddedLength(part.length), 0);
    lengths.writeBigUInt64LE(BigInt(HEAD + description.length + whole), 0);
    lengths.writeBigUInt64LE(BigInt(description.length), 8);
    const hash = createHash("sha256");
    let at = MAGIC.length + DIGEST;
    for (const part of [lengths, description, ...bytes.map(padding)].flat())
      for (let from = 0; from < part.length; from += PIECE) {
        const piece = part.subarray(from, from + PIECE);
        hash.update(piece);
        await handle.write(piece, 0, piece.length, at);
        at += piece.length;
      }
    await handle.write(Buffer.concat([MAGIC, hash.digest()]), 0, MAGIC.length + DIGEST, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The book of a file, or why it is of no use. */
export async function loadSnapshot(file: string, of: SnapshotOf): Promise<LoadedBook | Ignored> {
  const handle = await open(file, "r").catch((error: unknown) => reasonOf(error));
  if (typeof handle === "string" || handle === null)
    return { ignored: handle === null ? null : `it cannot be read: ${handle}` };
  try {
    return await readParts(handle, of);
  } catch (error) {
    return { ignored: `it cannot be read: ${String(error)}` };
  } finally {
    await handle.close();
  }
}

function reasonOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && error.code === "ENOENT"
    ? null
    : String(error);
}

async function readParts(handle: FileHandle, of: SnapshotOf): Promise<LoadedBook | Ignored> {
  const { size } = await handle.stat();
  const head = Buffer.alloc(HEAD);
  await handle.read(head, 0, HEAD, 0);
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) return { ignored: "it is no price book" };
  const lengths = head.subarray(MAGIC.length + DIGEST);
  const [whole, length] = [lengths.readBigUInt64LE(0), lengths.readBigUInt64LE(8)];
  if (BigInt(size) !== whole || length > whole)
    return { ignored: `it has ${size} bytes, and should have ${whole}` };
  const hash = createHash("sha256").update(lengths);
  const text = Buffer.alloc(Number(length));
  await readInto(handle, text, HEAD, hash);
  // Not yet known to be whole, so anything may stand here; what follows only sizes the reading.
  const described = JSON.parse(text.toString("utf8")) as Description;
  const arrays: Column[] = [];
  let at = HEAD + text.length;
  for (const { kind, length: numbers } of described.arrays) {
    const room = paddedLength(numbers * WIDTHS[kind]);
    if (at + room > size) return { ignored: "its description does not fit its length" };
    const buffer = new SharedArrayBuffer(room);
    await readInto(handle, new Uint8Array(buffer), at, hash);
    arrays.push(columnIn(buffer, kind, numbers));
    at += room;
  }
  if (!hash.digest().equals(head.subarray(MAGIC.length, MAGIC.length + DIGEST)))
    return { ignored: "its content is not what was written (digest)" };
  const other = differenceOf(described, of);
  if (other !== null) return { ignored: other };
  const book = bookFromShared(withArrays(described.book, arrays) as SharedBook);
  remember(book, described.memory);
  return { book, ...described.rest };
}

function differenceOf(described: Description, of: SnapshotOf): string | null {
  if (described.company !== of.company) return `it is of the company ${described.company}`;
  if (described.maker !== of.maker) return `it was made by ${described.maker}, now is ${of.maker}`;
  return described.settings === of.settings ? null : "the company's settings are others";
}

async function readInto(
  handle: FileHandle,
  into: Uint8Array,
  at: number,
  hash: Hash,
): Promise<void> {
  for (let from = 0; from < into.length;) {
    const piece = into.subarray(from, from + PIECE);
    const { bytesRead } = await handle.read(piece, 0, piece.length, at + from);
    if (bytesRead === 0) throw new Error("it ended while it was read");
    hash.update(piece.subarray(0, bytesRead));
    from += bytesRead;
  }
}

/** Without the room at the ends of the arrays. */
function usedParts(book: SharedBook, memory: BookMemory): SharedBook {
  const { cells, several, terms } = book as Readonly<Record<string, Column>>;
  return {
    ...book,
    cells: cells?.subarray(0, memory.cells),
    several: several?.subarray(0, memory.several),
    terms: terms?.subarray(0, memory.termNumbers),
  };
}

const ARRAY = "array in the file";

function withoutArrays(value: unknown, arrays: Column[]): unknown {
  if (ArrayBuffer.isView(value)) {
    arrays.push(value as Column);
    return { [ARRAY]: arrays.length - 1 };
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value as readonly unknown[];
  const parts = Object.entries(value).map(([name, part]) => [name, withoutArrays(part, arrays)]);
  return Object.fromEntries(parts);
}

function withArrays(value: unknown, arrays: readonly Column[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const number: unknown = (value as Readonly<Record<string, unknown>>)[ARRAY];
  if (typeof number === "number") return arrays[number];
  const parts = Object.entries(value).map(([name, part]) => [name, withArrays(part, arrays)]);
  return Object.fromEntries(parts);
}

function bytesOf({ buffer, byteOffset, byteLength }: Column): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Arrays begin at a multiple of 8. */
function paddedLength(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function padding(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array(paddedLength(bytes.length) - bytes.length)];
}

function padded(text: Buffer): Buffer {
  return Buffer.concat([text, Buffer.alloc(paddedLength(text.length) - text.length, " ")]);
}
