/**
 * A book as plain data: for another thread, which reads the same arrays in shared memory, and for a
 * file. Texts by the thousand stand in arrays too, and are told once: a book that shares its codes
 * with the book before gives the same arrays for them.
 */
import { isColumn, sharedInts } from "./arena.ts";
import type { PriceBook } from "./book.ts";
import { mix } from "./content.ts";

/** A book without its maps; can be sent to another thread as it is, and copies no array. */
export type SharedBook = Readonly<Record<string, unknown>>;

/** Texts of books that were opened before, so that the next one need not read them again. */
export type KnownTexts = ReadonlyMap<string, OpenedTexts>;

interface OpenedTexts {
  readonly texts: readonly string[];
  /** Text → its place; only where texts are codes. */
  readonly numbers: ReadonlyMap<string, number> | null;
}

/** Texts in shared memory, one behind the other. */
interface PackedTexts {
  /** Another one for other texts. */
  readonly packed: string;
  readonly bytes: Uint8Array;
  /** Where each text ends in `bytes`. */
  readonly ends: Int32Array;
}

/** Fewer texts are sent as they are. */
const FEW = 64;
/** Texts that are opened before others have their turn. */
const AT_ONCE = 2_000;

const packed = new WeakMap<readonly string[], PackedTexts>();

export function shareBook(book: PriceBook): SharedBook {
  return plainPart(book) as SharedBook;
}

/** The same book for the thread that was sent it. It answers; it cannot be revised. */
export function bookFromShared(shared: SharedBook): PriceBook {
  const opened = new Map<string, OpenedTexts>();
  for (const _ of opening(shared, new Map(), opened));
  return openedPart(shared, opened) as PriceBook;
}

/**
 * As `bookFromShared`, for a thread that must not be held up: `pause` is awaited again and again.
 * Gives the texts for the book after it.
 */
export async function openBook(
  shared: SharedBook,
  known: KnownTexts,
  pause: () => Promise<unknown>,
): Promise<{ readonly book: PriceBook; readonly texts: KnownTexts }> {
  const texts = new Map<string, OpenedTexts>();
  for (const _ of opening(shared, known, texts)) await pause();
  return { book: openedPart(shared, texts) as PriceBook, texts };
}

const MAP = "entries of a map";

function plainPart(value: unknown): unknown {
  if (value instanceof Map) return { [MAP]: [...value] };
  if (isTexts(value)) return value.length > FEW ? packedTexts(value) : value;
  if (!isPart(value)) return value;
  const numbered = Array.isArray(value["codes"]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) =>
      numbered && name === "numbers" ? [] : [[name, plainPart(part)]],
    ),
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && typeof value[0] === "string";
}

function packedTexts(texts: readonly string[]): PackedTexts {
  const known = packed.get(texts);
  if (known !== undefined) return known;
  const ends = sharedInts(texts.length);
  let length = 0;
  texts.forEach((text, at) => {
    length += Buffer.byteLength(text);
    ends[at] = length;
  });
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  const into = Buffer.from(bytes.buffer);
  texts.forEach((text, at) => {
    into.write(text, at === 0 ? 0 : ends[at - 1]!);
  });
  const made = { packed: nameOf(bytes, ends), bytes, ends };
  packed.set(texts, made);
  return made;
}

function nameOf(bytes: Uint8Array, ends: Int32Array): string {
  let [high, low] = [0x811c9dc5, 0x01000193];
  for (const numbers of [bytes, ends])
    for (const number of numbers) {
      high = Math.imul(high ^ number, 0x01000193);
      low = mix(low, number);
    }
  return [ends.length, bytes.length, high >>> 0, low >>> 0].join("-");
}

/** Opens all packed texts of a part into `opened`, and yields where others may have their turn. */
function* opening(
  part: unknown,
  known: KnownTexts,
  opened: Map<string, OpenedTexts>,
  name = "",
): Generator<void> {
  if (!isPart(part)) return;
  if (!isPacked(part)) {
    for (const [inner, value] of Object.entries(part)) yield* opening(value, known, opened, inner);
    return;
  }
  const before = known.get(part.packed);
  if (before !== undefined) {
    opened.set(part.packed, before);
    return;
  }
  const texts: string[] = [];
  const numbers = name === "codes" ? new Map<string, number>() : null;
  const bytes = Buffer.from(part.bytes.buffer, part.bytes.byteOffset, part.bytes.byteLength);
  let from = 0;
  for (const end of part.ends) {
    const text = bytes.toString("utf8", from, end);
    numbers?.set(text, texts.length);
    texts.push(text);
    from = end;
    if (texts.length % AT_ONCE === 0) yield;
  }
  packed.set(texts, part);
  opened.set(part.packed, { texts, numbers });
  yield;
}

function openedPart(value: unknown, texts: KnownTexts): unknown {
  if (!isPart(value)) return value;
  if (isPacked(value)) return texts.get(value.packed)?.texts;
  const entries = value[MAP];
  if (Array.isArray(entries)) return new Map(entries as [unknown, unknown][]);
  const parts = Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, openedPart(part, texts)]),
  );
  const { codes } = parts;
  return isCodes(codes) ? { ...parts, numbers: numbersOf(value["codes"], codes, texts) } : parts;
}

function isCodes(codes: unknown): codes is readonly string[] {
  return Array.isArray(codes);
}

function numbersOf(
  shared: unknown,
  codes: readonly string[],
  texts: KnownTexts,
): ReadonlyMap<string, number> {
  const opened = isPart(shared) && isPacked(shared) ? texts.get(shared.packed)?.numbers : null;
  return opened ?? new Map(codes.map((code, number) => [code, number]));
}

function isPart(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isColumn(value);
}

function isPacked(part: object): part is PackedTexts {
  return "packed" in part && "ends" in part;
}
