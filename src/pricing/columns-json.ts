/**
 * Columns of prices as JSON, written byte by byte from their integers: making texts and arrays of
 * sixty thousand values only to join them would take longer than pricing them. A test holds it to
 * what `JSON.stringify` writes of the same columns.
 */
import { STATES, placesOf } from "./columns.ts";
import type { ColumnSet } from "./columns.ts";
import { untilText } from "./price.ts";

/** Some lines of an answer, each column in its own words, without the brackets around them. */
export interface WrittenPart {
  readonly lines: number;
  /** What stands before the columns, as JSON without its account and last brace. */
  readonly head: string;
  /** One column behind the other, and where each ends. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
  /** JSON of the lines' reasons; null: no line has one. */
  readonly reasons: string | null;
  readonly problems: string;
}

/** The answer to a request by columns. All bytes are ASCII unless a code or reason is not. */
export function columnsJson(set: ColumnSet, account: string): Uint8Array<ArrayBuffer> {
  return joinColumns(account, [writeColumns(set)]);
}

export function writeColumns(set: ColumnSet): WrittenPart {
  const { root, currency, stateReason, problems, lines } = set;
  const { bookVersion, freshness } = { bookVersion: root.version, freshness: root.freshness };
  const head = { bookVersion, freshness, currency: currency ?? "", scale: placesOf(root) };
  const out = new Output(lines * BYTES_A_LINE + 4_096);
  const { vatCodes } = root.book;
  out.integers(set.unitPrice);
  out.integers(set.net);
  out.integers(set.vat);
  out.repeated(set.vatCode, (code) => vatCodes[code] ?? null);
  out.repeated(set.state, (state) => STATES[state] ?? null);
  out.repeated(set.until, (until) => untilText(root, until));
  return {
    lines,
    head: JSON.stringify(head).slice(1, -1),
    bytes: out.bytes(),
    ends: out.ends,
    reasons: stateReason === null ? null : JSON.stringify(stateReason).slice(1, -1),
    problems: JSON.stringify(problems).slice(1, -1),
  };
}

/** The whole answer from its parts, which are of one book and in the order of their lines. */
export function joinColumns(
  account: string,
  parts: readonly WrittenPart[],
): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [
    Buffer.from(`{"account":${JSON.stringify(account)},${parts[0]?.head ?? ""}`),
  ];
  const hasReasons = parts.some(({ reasons }) => reasons !== null);
  COLUMNS.forEach((name, column) => {
    if (name === "validUntil" && hasReasons)
      chunks.push(Buffer.from(`,"stateReason":[${parts.map(reasonsOf).join()}]`));
    parts.forEach(({ bytes, ends }, part) => {
      chunks.push(part === 0 ? (OPENINGS[column] ?? COMMA_BYTE) : COMMA_BYTE);
      chunks.push(bytes.subarray(ends[column - 1] ?? 0, ends[column]));
    });
    chunks.push(CLOSING);
  });
  const problems = parts.map((part) => part.problems).filter((text) => text !== "");
  chunks.push(Buffer.from(`,"problems":[${problems.join()}]}`));
  return Buffer.concat(chunks);
}

function reasonsOf({ reasons, lines }: WrittenPart): string {
  return reasons ?? Array.from({ length: lines }, () => "null").join();
}

/** In the order in which they are written. */
const COLUMNS = ["unitPrice", "net", "vat", "vatCode", "state", "validUntil"] as const;
const OPENINGS = COLUMNS.map((name) => Buffer.from(`,"${name}":[`));
const COMMA_BYTE = Buffer.from(",");
const CLOSING = Buffer.from("]");

/** Room for three integers and three usual texts; it grows when they are longer. */
const BYTES_A_LINE = 90;
/** Digits of an integer with its sign and comma, at most. */
const MOST_DIGITS = 18;
const COMMA = 44;
const ZERO = 48;
/** 00, 01 … 99: two digits at a time. */
const PAIRS = new TextEncoder().encode(
  Array.from({ length: 100 }, (_, at) => String(at).padStart(2, "0")).join(""),
);
/** Above it, integer arithmetic of 32 bits does not hold. */
const MOST_SMALL = 2_147_483_647;

class Output {
  #room: Buffer<ArrayBuffer>;
  #at = 0;

  constructor(bytes: number) {
    this.#room = Buffer.allocUnsafe(bytes);
  }

  /** Where each column ends. */
  readonly ends: number[] = [];

  /** NaN is null. */
  integers(column: Float64Array): void {
    this.#need(column.length * MOST_DIGITS);
    const room = this.#room;
    let at = this.#at;
    for (let line = 0; line < column.length; line += 1) {
      const value = column[line] ?? 0;
      at = value >= 0 && value <= MOST_SMALL ? small(room, at, value) : other(room, at, value);
    }
    this.#at = column.length === 0 ? at : at - 1;
    this.ends.push(this.#at);
  }

  /** Few different values: each is put into words once. */
  repeated(column: ArrayLike<number>, textOf: (value: number) => string | null): void {
    const known = new Map<number, Buffer>();
    for (let from = 0; from < column.length;) {
      const value = column[from] ?? 0;
      let to = from + 1;
      while (to < column.length && column[to] === value) to += 1;
      let word = known.get(value);
      if (word === undefined) known.set(value, (word = wordOf(textOf(value))));
      this.#times(word, to - from);
      from = to;
    }
    if (column.length > 0) this.#at -= 1;
    this.ends.push(this.#at);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#room.subarray(0, this.#at);
  }

  #times(word: Buffer, times: number): void {
    const all = word.length * times;
    this.#need(all);
    const room = this.#room;
    const start = this.#at;
    room.set(word, start);
    // Doubled: what is written is copied behind itself.
    for (let have = word.length; have < all; have *= 2)
      room.copyWithin(start + have, start, start + Math.min(have, all - have));
    this.#at += all;
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#room.length) return;
    const wider = Buffer.allocUnsafe((this.#at + bytes) * 2);
    this.#room.copy(wider, 0, 0, this.#at);
    this.#room = wider;
  }
}

/** Writes a whole number of 31 bits and a comma; returns where the next begins. */
function small(room: Uint8Array, from: number, value: number): number {
  const end = from + digitsOf(value);
  let at = end;
  let left = value | 0;
  while (left >= 10) {
    const rest = (left / 100) | 0;
    const pair = (left - rest * 100) << 1;
    room[--at] = PAIRS[pair + 1] ?? 0;
    room[--at] = PAIRS[pair] ?? 0;
    left = rest;
  }
  if (at > from) room[--at] = ZERO + left;
  room[end] = COMMA;
  return end + 1;
}

/** The same of what is rare: not known, below 0, or large. */
function other(room: Buffer, from: number, value: number): number {
  return from + room.write(Number.isNaN(value) ? "null," : `${value},`, from, "latin1");
}

function wordOf(text: string | null): Buffer {
  return Buffer.from(`${JSON.stringify(text)},`);
}

function digitsOf(value: number): number {
  if (value < 1_000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (value < 1_000_000) return value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
  return value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10;
}
