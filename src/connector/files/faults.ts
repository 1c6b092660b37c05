/** What is said about a span that cannot be read as a row: why, and what to do about it. */
import type { Delimiter, Limits, RowFault } from "./scan.ts";

export type SpanFault =
  | RowFault
  | { readonly kind: "columnCount"; readonly found: number; readonly expected: number }
  /** A stray quote that another one far below happens to close. */
  | {
      readonly kind: "strayQuote";
      readonly firstLine: number;
      readonly lastLine: number;
      readonly expected: number;
    }
  | { readonly kind: "notUtf8" };

export interface Complaint {
  readonly reason: string;
  readonly instruction: string;
}

export function complaint(fault: SpanFault, delimiter: Delimiter, limits: Limits): Complaint {
  switch (fault.kind) {
    case "unclosedQuote":
      return {
        reason: `The quote that opens column ${fault.column} is never closed.`,
        instruction: QUOTES,
      };
    case "textAfterQuote":
      return {
        reason:
          `Column ${fault.column} goes on after its closing quote: found ${shown(fault.found)} ` +
          `where ${delimiterName(delimiter)} or the end of the line belongs.`,
        instruction: QUOTES,
      };
    case "strayQuote":
      return {
        reason:
          `A quote opens here and closes only on line ${fault.lastLine}, yet every line from ` +
          `${fault.firstLine} on is a row of ${fault.expected} columns by itself.`,
        instruction: QUOTES,
      };
    case "nul":
      return {
        reason: `Column ${fault.column} holds a NUL byte, which no text has.`,
        instruction: "Export the row again; if it comes back, the record is damaged in the source.",
      };
    case "longField":
      return {
        reason:
          `Column ${fault.column} holds ${count(fault.bytes)} bytes; ` +
          `at most ${count(limits.maxFieldBytes)} are read.`,
        instruction:
          "Shorten it in the source, or raise `maxFieldBytes` in the connection's settings.",
      };
    case "longRow":
      return {
        reason: `The row is longer than ${count(limits.maxRowBytes)} bytes.`,
        instruction:
          "Shorten it in the source, or raise `maxRowBytes` in the connection's settings.",
      };
    case "columnCount":
      return {
        reason: `Found ${columns(fault.found)}; the header has ${count(fault.expected)}.`,
        instruction: `Write every column in every row, and put a field that holds ${delimiterName(delimiter)} or a line break in quotes.`,
      };
    case "notUtf8":
      return {
        reason: "The row is not valid UTF-8.",
        instruction:
          "Export the file as UTF-8 throughout, or set `encoding: windows-1252` if that is what it is.",
      };
  }
}

export function delimiterName(delimiter: Delimiter): string {
  return delimiter === "\t" ? "a tab" : `"${delimiter}"`;
}

const QUOTES =
  'A quote that belongs to the text is written twice in a quoted field ("3/4"" BSP"), or once in a field that does not begin with it (3/4" BSP).';

function shown(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte ${byte}`;
}

function columns(value: number): string {
  return value === 1 ? "1 column" : `${count(value)} columns`;
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}
