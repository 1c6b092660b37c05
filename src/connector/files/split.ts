/**
 * The CSV splitter: bytes → records and rejects, each with its byte span and physical line. It is
 * ours because libraries lose rows silently after a bad quote. Here every byte belongs to a record,
 * to a reject or to the ignored bytes (blank lines, byte order mark), and the account of them is
 * kept apart from the reading, so that the two can be compared. A quote out of place costs its own
 * row at most. Memory is bounded by the longest row allowed, whatever the file's size.
 */
import { complaint } from "./faults.ts";
import type { SpanFault } from "./faults.ts";
import {
  BROKEN,
  CR,
  DOUBLED,
  LF,
  MAX_COLUMNS,
  MORE,
  PLAIN,
  columnsOfLine,
  createScanner,
  lineAfter,
  scanRow,
} from "./scan.ts";
import type { Delimiter, Limits, Scanner } from "./scan.ts";
import { asShown, bomBytes, textWindow, wholeCharacters } from "./text.ts";
import type { Encoding, TextWindow } from "./text.ts";

export interface SplitOptions extends Limits {
  readonly delimiter: Delimiter;
  readonly encoding: Encoding;
  /** False: rows are checked and counted only; of the records, the header alone is given. */
  readonly keep: boolean;
  /** Told of every record, the header among them, where it lies; kept or not. */
  readonly watch?: RecordWatch;
}

/**
 * A record's text lies in `bytes` from `from` to `textEnd`, the one after it begins at `next`; it
 * covers so many physical `lines` from `line` on. The bytes are good for the call only.
 */
export type RecordWatch = (
  bytes: Buffer,
  from: number,
  textEnd: number,
  next: number,
  line: number,
  lines: number,
) => void;

/** `start` to `end` is the span in the file in bytes, line end included. `line` counts from 1. */
interface Span {
  readonly line: number;
  readonly lines: number;
  readonly start: number;
  readonly end: number;
  /** The text without its line end. */
  readonly raw: string;
}

export type SplitItem =
  | (Span & { readonly kind: "record"; readonly fields: readonly string[] })
  | (Span & { readonly kind: "reject"; readonly reason: string; readonly instruction: string });

export interface SplitAccount {
  bytesRead: number;
  /** Sum of all spans and of the ignored bytes; equals `bytesRead` once the end was told. */
  bytesAccounted: number;
  ignoredBytes: number;
  /** Records, the header among them. */
  records: number;
  rejects: number;
  /** Why the file seems to have been cut off; null when nothing says so. Known at the end. */
  cutOff: string | null;
}

/** The first record is the header: it sets the number of columns of all that follow. */
export interface Splitter {
  /** The chunk may be reused after the call. */
  push(chunk: Buffer): readonly SplitItem[];
  end(): readonly SplitItem[];
  readonly account: Readonly<SplitAccount>;
}

/** So much of a row is shown when the row itself is too long to keep. */
const SHOWN_BYTES = 4_000;
const LINE_END_BYTES = 2;
const LONG_ROW: SpanFault = { kind: "longRow" };

/** A physical line too long to hold: its bytes are counted until its end comes. */
interface LongLine {
  readonly fault: SpanFault;
  readonly start: number;
  readonly head: Buffer;
}

interface State {
  readonly options: SplitOptions;
  readonly scanner: Scanner;
  readonly account: SplitAccount;
  items: SplitItem[];
  pending: Buffer[];
  pendingBytes: number;
  /** Scanning again is worth it once so many bytes are there: doubling keeps long rows linear. */
  wantedBytes: number;
  /** File offset of the window's first byte, and the physical line that comes next. */
  base: number;
  line: number;
  /** Of the header; null before it. */
  columns: number | null;
  longLine: LongLine | null;
  lastGoodLine: number;
  lastUnclosedLine: number;
}

/** The bytes at hand, as bytes and as text; `atEnd`: no more will come. */
interface Window {
  readonly bytes: Buffer;
  readonly text: TextWindow;
  readonly atEnd: boolean;
}

export function createSplitter(options: SplitOptions): Splitter {
  const state: State = {
    options,
    scanner: createScanner(options.delimiter, options),
    account: {
      bytesRead: 0,
      bytesAccounted: 0,
      ignoredBytes: 0,
      records: 0,
      rejects: 0,
      cutOff: null,
    },
    items: [],
    pending: [],
    pendingBytes: 0,
    wantedBytes: 3,
    base: 0,
    line: 1,
    columns: null,
    longLine: null,
    lastGoodLine: 0,
    lastUnclosedLine: 0,
  };
  return { push: (chunk) => push(state, chunk), end: () => end(state), account: state.account };
}

function push(state: State, chunk: Buffer): readonly SplitItem[] {
  state.account.bytesRead += chunk.length;
  state.pendingBytes += chunk.length;
  if (state.pendingBytes < state.wantedBytes) {
    state.pending.push(Buffer.from(chunk));
    return [];
  }
  const bytes = state.pending.length === 0 ? chunk : Buffer.concat([...state.pending, chunk]);
  return take(state, bytes, false);
}

function end(state: State): readonly SplitItem[] {
  const items = take(state, Buffer.concat(state.pending), true);
  if (state.account.cutOff === null && state.lastUnclosedLine > state.lastGoodLine) {
    state.account.cutOff = `it ends inside the quoted field that opens on line ${state.lastUnclosedLine}`;
  }
  return items;
}

function take(state: State, bytes: Buffer, atEnd: boolean): readonly SplitItem[] {
  state.items = [];
  const taken = takeRows(state, {
    bytes,
    text: textWindow(bytes, state.options.encoding),
    atEnd,
  });
  const rest = bytes.subarray(taken);
  state.pending = rest.length === 0 ? [] : [Buffer.from(rest)];
  state.pendingBytes = rest.length;
  state.wantedBytes = rest.length * 2;
  state.base += taken;
  return state.items;
}

/** Bytes of the window that are done with. */
function takeRows(state: State, window: Window): number {
  let from =
    state.longLine === null
      ? skipMark(state, window.bytes)
      : passLongLine(state, window, state.longLine);
  while (from < window.bytes.length && state.longLine === null) {
    const next = takeRow(state, window, from);
    if (next === MORE) break;
    from = next;
  }
  return from;
}

function takeRow(state: State, window: Window, from: number): number {
  const { row } = state.scanner;
  const next = scanRow(state.scanner, window.bytes, from, window.atEnd);
  if (next === MORE)
    return fits(state, window, from) ? MORE : refuseLine(state, window, from, LONG_ROW);
  if (next === BROKEN) return refuseLine(state, window, from, row.fault ?? LONG_ROW);
  if (row.textEnd === from && row.kinds[0] === PLAIN) return skipBlank(state, from, next);
  const fault = faultOf(state, window, from, next);
  // What looks like one bad row of several lines may be a stray quote: its first line alone is
  // lost.
  if (fault !== null && row.lines > 1) return refuseLine(state, window, from, fault);
  if (fault !== null) return refuse(state, window, from, next, fault);
  state.columns ??= row.columns;
  state.lastGoodLine = state.line;
  state.account.records++;
  if (state.options.keep || state.account.records === 1)
    state.items.push(recordOf(state, window.text, from, next));
  state.options.watch?.(window.bytes, from, row.textEnd, next, state.line, row.lines);
  return pass(state, from, next, row.lines);
}

function faultOf(state: State, window: Window, from: number, next: number): SpanFault | null {
  const { row } = state.scanner;
  const expected = state.columns ?? Math.min(row.columns, MAX_COLUMNS);
  if (row.fault !== null) return row.fault;
  if (row.columns !== expected) return { kind: "columnCount", found: row.columns, expected };
  if (!window.text.valid && window.text.slice(from, row.textEnd) === null)
    return { kind: "notUtf8" };
  return row.lines > 1 ? strayQuote(state, window.bytes, from, next) : null;
}

/**
 * `A1,"1/2 pipe,5` … `A9,3/4",5` is one row by RFC 4180, and it swallows A2 to A8. When each line
 * that it goes on over is a whole row by itself, and the first has columns enough (a delimiter in
 * its quotes counts too), the quote is taken for a stray one. A single column cannot tell, nor can
 * the header.
 */
function strayQuote(state: State, bytes: Buffer, from: number, next: number): SpanFault | null {
  const { columns: expected, scanner, line } = state;
  if (expected === null || expected === 1) return null;
  if (columnsOfLine(scanner, bytes, from) < expected) return null;
  for (let at = lineAfter(bytes, from, true); at < next; at = lineAfter(bytes, at, true)) {
    if (columnsOfLine(scanner, bytes, at) !== expected) return null;
  }
  return {
    kind: "strayQuote",
    firstLine: line + 1,
    lastLine: line + scanner.row.lines - 1,
    expected,
  };
}

function recordOf(state: State, text: TextWindow, from: number, next: number): SplitItem {
  const { row } = state.scanner;
  const raw = text.slice(from, row.textEnd) ?? "";
  return {
    kind: "record",
    line: state.line,
    lines: row.lines,
    start: state.base + from,
    end: state.base + next,
    raw,
    fields: fieldsOf(state.scanner, text, from, raw),
  };
}

function fieldsOf(
  scanner: Scanner,
  text: TextWindow,
  from: number,
  raw: string,
): readonly string[] {
  const { columns, starts, ends, kinds, textEnd } = scanner.row;
  // As many characters as bytes: one byte a character, so offsets in bytes hold in the text.
  const flat = raw.length === textEnd - from;
  const fields: string[] = [];
  for (let i = 0; i < columns; i++) {
    const start = starts[i]!;
    const end = ends[i]!;
    const field = flat ? raw.slice(start - from, end - from) : (text.slice(start, end) ?? "");
    fields.push(kinds[i] === DOUBLED ? field.replaceAll('""', '"') : field);
  }
  return fields;
}

/** Gives up the physical line at `from`; the next line is read afresh. */
function refuseLine(state: State, window: Window, from: number, fault: SpanFault): number {
  const next = lineAfter(window.bytes, from, window.atEnd);
  if (next !== MORE) return refuse(state, window, from, next, fault);
  if (fits(state, window, from)) return MORE;
  const head = headOf(state, window.bytes.subarray(from));
  state.longLine = { fault, start: state.base + from, head };
  return passPart(state, window.bytes, from);
}

function passLongLine(state: State, window: Window, long: LongLine): number {
  const next = lineAfter(window.bytes, 0, window.atEnd);
  if (next === MORE) return passPart(state, window.bytes, 0);
  state.longLine = null;
  const end = state.base + next;
  addReject(state, long.fault, long.start, end, tooLong(state, long.head, end - long.start));
  noteCut(state, window, next);
  return pass(state, 0, next, 1);
}

/** A carriage return at the window's end may be half of CRLF and waits for the other half. */
function passPart(state: State, bytes: Buffer, from: number): number {
  const to = bytes[bytes.length - 1] === CR ? bytes.length - 1 : bytes.length;
  state.account.bytesAccounted += to - from;
  return to;
}

function refuse(
  state: State,
  window: Window,
  from: number,
  next: number,
  fault: SpanFault,
): number {
  const text = window.bytes.subarray(from, next - lineEndBytes(window.bytes, next));
  const raw =
    text.length > state.options.maxRowBytes
      ? tooLong(state, headOf(state, text), next - from)
      : asShown(text, state.options.encoding);
  addReject(state, fault, state.base + from, state.base + next, raw);
  noteCut(state, window, next);
  return pass(state, from, next, 1);
}

function addReject(state: State, fault: SpanFault, start: number, end: number, raw: string): void {
  const { options, line } = state;
  state.account.rejects++;
  if (fault.kind === "unclosedQuote") state.lastUnclosedLine = line;
  const said = complaint(fault, options.delimiter, options);
  state.items.push({ kind: "reject", line, lines: 1, start, end, raw, ...said });
}

/** A last line that is no row and has no line end was cut off. */
function noteCut(state: State, window: Window, next: number): void {
  const { bytes, atEnd } = window;
  if (!atEnd || next < bytes.length || lineEndBytes(bytes, next) > 0) return;
  state.account.cutOff = `it ends in the middle of line ${state.line}`;
}

function pass(state: State, from: number, next: number, lines: number): number {
  state.account.bytesAccounted += next - from;
  state.line += lines;
  return next;
}

function skipBlank(state: State, from: number, next: number): number {
  state.account.ignoredBytes += next - from;
  return pass(state, from, next, 1);
}

function skipMark(state: State, bytes: Buffer): number {
  const mark = state.base === 0 ? bomBytes(bytes) : 0;
  state.account.ignoredBytes += mark;
  return pass(state, 0, mark, 0);
}

/** False: more than the longest row is at hand from here on, so there is nothing to wait for. */
function fits(state: State, window: Window, from: number): boolean {
  return window.bytes.length - from <= state.options.maxRowBytes + LINE_END_BYTES;
}

function headOf(state: State, bytes: Buffer): Buffer {
  const head = bytes.subarray(0, Math.min(SHOWN_BYTES, state.options.maxRowBytes));
  const utf8 = state.options.encoding === "utf-8";
  return Buffer.from(utf8 ? head.subarray(0, wholeCharacters(head)) : head);
}

function tooLong(state: State, head: Buffer, bytes: number): string {
  return `${asShown(head, state.options.encoding)}… (${bytes} bytes)`;
}

/** Bytes of the line end just before `next`. */
function lineEndBytes(bytes: Buffer, next: number): number {
  if (next === 0) return 0;
  if (bytes[next - 1] === CR) return 1;
  if (bytes[next - 1] !== LF) return 0;
  return bytes[next - 2] === CR ? 2 : 1;
}
