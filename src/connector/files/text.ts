/**
 * Bytes as text: byte order marks, UTF-8 checked strictly, Windows-1252, and what is no text file
 * at all.
 */
import { isAscii, isUtf8 } from "node:buffer";

export type Encoding = "utf-8" | "windows-1252";

/** Length of the UTF-8 byte order mark at the start of a file: 3 or 0. */
export function bomBytes(head: Uint8Array): number {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}

/** Names what the file is when its first bytes say that it is no CSV text; else null. */
export function notText(head: Uint8Array): string | null {
  const starts = (...bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) return "UTF-16 text";
  if (starts(0x50, 0x4b, 0x03, 0x04)) return "a zip archive or an Excel workbook";
  if (starts(0x1f, 0x8b)) return "a gzip archive";
  if (starts(0xd0, 0xcf, 0x11, 0xe0)) return "an old Excel workbook";
  return head.subarray(0, 64).includes(0) ? "binary, or UTF-16 text without a mark" : null;
}

/**
 * Tells whether all the chunks pushed were one valid UTF-8 text; a character may lie across two
 * chunks.
 */
export function utf8Check(): { push(chunk: Buffer): void; valid(): boolean } {
  let valid = true;
  let carry = Buffer.alloc(0);
  return {
    push(chunk) {
      if (!valid) return;
      const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
      const whole = wholeCharacters(bytes);
      valid = isUtf8(bytes.subarray(0, whole));
      carry = Buffer.from(bytes.subarray(whole));
    },
    valid: () => valid && carry.length === 0,
  };
}

/**
 * A stretch of a file as text in which index = byte offset wherever it is ASCII or one byte a
 * character.
 */
export interface TextWindow {
  /** Text of the bytes from `start` to `end`; null when they are not valid in the encoding. */
  slice(start: number, end: number): string | null;
  /** Offsets into this equal byte offsets; null when rows must be decoded one by one. */
  readonly flat: string | null;
  /** Every slice is known to be valid. */
  readonly valid: boolean;
}

export function textWindow(bytes: Buffer, encoding: Encoding): TextWindow {
  if (isAscii(bytes)) return flatWindow(bytes.toString("latin1"));
  if (encoding === "windows-1252") return flatWindow(windows1252.decode(bytes));
  const valid = isUtf8(bytes);
  return {
    flat: null,
    valid,
    slice: (start, end) =>
      valid || isUtf8(bytes.subarray(start, end)) ? bytes.toString("utf8", start, end) : null,
  };
}

/**
 * The bytes as someone can look at them, whatever they are; a NUL, which no database keeps in text,
 * as ␀.
 */
export function asShown(bytes: Uint8Array, encoding: Encoding): string {
  const text =
    encoding === "utf-8" && isUtf8(bytes) ? utf8.decode(bytes) : windows1252.decode(bytes);
  return text.replaceAll("\0", "␀");
}

const windows1252 = new TextDecoder("windows-1252");
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function flatWindow(flat: string): TextWindow {
  return { flat, valid: true, slice: (start, end) => flat.slice(start, end) };
}

/**
 * Offset of the last character's start when that character is cut off by the end; else the length.
 */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
