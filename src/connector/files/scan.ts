/**
 * Finds one row in bytes: where its fields lie and where the next row starts. Knows no text, no
 * file and no expected column count. Every structural byte is ASCII, so UTF-8 and Windows-1252 scan
 * alike.
 */

export type Delimiter = "," | ";" | "\t" | "|";

export interface Limits {
  /** Bytes of one field, its quotes not counted. */
  readonly maxFieldBytes: number;
  /**
   * Bytes of one row, its line end not counted; a quoted field open for longer counts as unclosed.
   */
  readonly maxRowBytes: number;
}

export type RowFault =
  | { readonly kind: "unclosedQuote"; readonly column: number }
  | { readonly kind: "textAfterQuote"; readonly column: number; readonly found: number }
  | { readonly kind: "nul"; readonly column: number }
  | { readonly kind: "longField"; readonly column: number; readonly bytes: number }
  | { readonly kind: "longRow" };

/** The row last scanned: one object, filled again for every row, since a million a second go by. */
export interface ScannedRow {
  columns: number;
  /** Offsets of the fields' text, quotes left out; only the first `MAX_COLUMNS` are kept. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly kinds: Uint8Array;
  /** Where the row's text ends, before its line end. */
  textEnd: number;
  /** Physical lines it covers. */
  lines: number;
  /** What is wrong with it: its length, else the first thing found. */
  fault: RowFault | null;
}

export interface Scanner {
  readonly row: ScannedRow;
  readonly classes: Uint8Array;
  readonly limits: Limits;
}

/** Instead of an offset: the window ends before the row does. */
export const MORE = -1;
/** Instead of an offset: the row's end cannot be known, and `row.fault` says why. */
export const BROKEN = -2;

export const MAX_COLUMNS = 1_000;
/** Kinds of field: as it stands, in quotes, in quotes with doubled quotes inside. */
export const PLAIN = 0;
export const QUOTED = 1;
export const DOUBLED = 2;

const TEXT = 0;
const DELIMITER = 1;
const LINE_END = 2;
const NUL = 3;
const QUOTE = 0x22;
export const LF = 0x0a;
export const CR = 0x0d;

export function createScanner(delimiter: Delimiter, limits: Limits): Scanner {
  const classes = new Uint8Array(256);
  classes[delimiter.charCodeAt(0)] = DELIMITER;
  classes[LF] = LINE_END;
  classes[CR] = LINE_END;
  classes[0] = NUL;
  const row: ScannedRow = {
    columns: 0,
    starts: new Int32Array(MAX_COLUMNS),
    ends: new Int32Array(MAX_COLUMNS),
    kinds: new Uint8Array(MAX_COLUMNS),
    textEnd: 0,
    lines: 1,
    fault: null,
  };
  return { row, classes, limits };
}

/**
 * Fills `scanner.row` and gives the offset after the row and its line end, or `MORE`, or `BROKEN`.
 */
export function scanRow(scanner: Scanner, bytes: Uint8Array, from: number, atEnd: boolean): number {
  const { row, classes, limits } = scanner;
  // Counted from the row's start, so that the size of the window cannot move it.
  const limit = from + limits.maxRowBytes;
  row.columns = 0;
  row.lines = 1;
  row.fault = null;
  let p = from;
  for (;;) {
    const stop =
      bytes[p] === QUOTE
        ? scanQuoted(scanner, bytes, p, limit, atEnd)
        : scanPlain(scanner, bytes, p, atEnd);
    if (stop < 0) return stop;
    if (stop > limit) {
      row.fault = { kind: "longRow" };
      return BROKEN;
    }
    if (stop >= bytes.length || classes[bytes[stop]!] !== DELIMITER) {
      row.textEnd = stop;
      return afterLineEnd(bytes, stop, atEnd);
    }
    p = stop + 1;
  }
}

function scanPlain(scanner: Scanner, bytes: Uint8Array, start: number, atEnd: boolean): number {
  const { row, classes } = scanner;
  const length = bytes.length;
  let p = start;
  for (;;) {
    while (p < length && classes[bytes[p]!] === TEXT) p++;
    if (p >= length && !atEnd) return MORE;
    if (p >= length || classes[bytes[p]!] !== NUL) break;
    row.fault ??= { kind: "nul", column: row.columns + 1 };
    p++;
  }
  keepField(scanner, start, p, PLAIN);
  return p;
}

/** `open` is the opening quote. Gives the offset after the closing one, where a field must end. */
function scanQuoted(
  scanner: Scanner,
  bytes: Uint8Array,
  open: number,
  limit: number,
  atEnd: boolean,
): number {
  const { row } = scanner;
  const length = bytes.length;
  let kind = QUOTED;
  let p = open + 1;
  for (;;) {
    while (p < length && bytes[p]! > QUOTE) p++;
    if (p > limit || (p >= length && atEnd)) {
      row.fault = { kind: "unclosedQuote", column: row.columns + 1 };
      return BROKEN;
    }
    if (p >= length) return MORE;
    const byte = bytes[p];
    if (byte === QUOTE) {
      // Whether it closes is told by what follows.
      if (p + 1 >= length && !atEnd) return MORE;
      if (bytes[p + 1] !== QUOTE) break;
      kind = DOUBLED;
      p++;
    } else if (byte === LF || byte === CR) {
      row.lines++;
      if (byte === CR && bytes[p + 1] === LF) p++;
    } else if (byte === 0) {
      row.fault ??= { kind: "nul", column: row.columns + 1 };
    }
    p++;
  }
  keepField(scanner, open + 1, p, kind);
  return afterQuote(scanner, bytes, p + 1);
}

function afterQuote(scanner: Scanner, bytes: Uint8Array, stop: number): number {
  if (stop >= bytes.length) return stop;
  const found = bytes[stop]!;
  const next = scanner.classes[found];
  if (next === DELIMITER || next === LINE_END) return stop;
  scanner.row.fault = { kind: "textAfterQuote", column: scanner.row.columns, found };
  return BROKEN;
}

function keepField(scanner: Scanner, start: number, end: number, kind: number): void {
  const { row, limits } = scanner;
  const index = row.columns++;
  if (end - start > limits.maxFieldBytes) {
    row.fault ??= { kind: "longField", column: row.columns, bytes: end - start };
  }
  if (index >= MAX_COLUMNS) return;
  row.starts[index] = start;
  row.ends[index] = end;
  row.kinds[index] = kind;
}

/** Offset after the physical line that starts at `from`, whatever its quotes say, or `MORE`. */
export function lineAfter(bytes: Uint8Array, from: number, atEnd: boolean): number {
  return afterLineEnd(bytes, lineEnd(bytes, from), atEnd);
}

/** Columns of one physical line read on its own; a quote that finds no partner in it is text. */
export function columnsOfLine(scanner: Scanner, bytes: Uint8Array, from: number): number {
  const end = lineEnd(bytes, from);
  let columns = 1;
  let fieldStart = true;
  for (let p = from; p < end; p++) {
    const close = fieldStart && bytes[p] === QUOTE ? closingQuote(scanner, bytes, p, end) : p;
    if (close > p) p = close;
    fieldStart = scanner.classes[bytes[p]!] === DELIMITER;
    if (fieldStart) columns++;
  }
  return columns;
}

/**
 * The quote before `end` that closes the field opened at `open`, where a field may end; else
 * `open`.
 */
function closingQuote(scanner: Scanner, bytes: Uint8Array, open: number, end: number): number {
  let p = open + 1;
  while (p < end && (bytes[p] !== QUOTE || bytes[p + 1] === QUOTE)) {
    p += bytes[p] === QUOTE ? 2 : 1;
  }
  if (p >= end) return open;
  return p + 1 === end || scanner.classes[bytes[p + 1]!] === DELIMITER ? p : open;
}

/** `stop` is at a line end or at the end of the bytes. */
function afterLineEnd(bytes: Uint8Array, stop: number, atEnd: boolean): number {
  if (stop >= bytes.length) return atEnd ? stop : MORE;
  if (bytes[stop] === LF) return stop + 1;
  // A carriage return that ends the window may be half of CRLF.
  if (stop + 1 === bytes.length && !atEnd) return MORE;
  return bytes[stop + 1] === LF ? stop + 2 : stop + 1;
}

function lineEnd(bytes: Uint8Array, from: number): number {
  let p = from;
  while (p < bytes.length && bytes[p] !== LF && bytes[p] !== CR) p++;
  return p;
}
