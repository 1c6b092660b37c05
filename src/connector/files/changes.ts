/**
 * What changed between the snapshot applied last and the one that waits, found by their bytes: both
 * are walked side by side, equal rows are compared and never read as text, and only where they
 * differ is it looked ahead for where they go on alike. A row counts as the same only when every
 * byte of it is; no digest stands for it. Memory is bounded: contents too unlike, or in another
 * order, are given up, and the new one is read whole.
 */
import { CR, LF, MORE, PLAIN, createScanner, scanRow } from "./scan.ts";
import type { Delimiter, Limits, Scanner } from "./scan.ts";
import { bomBytes } from "./text.ts";

/** A row as it stands in one of the two contents, its line end left out. */
export interface KeptRow {
  /** Physical line, from 1. */
  readonly line: number;
  /** Its bytes, one a character. */
  readonly bytes: string;
}

export interface Changes {
  /** Rows that both contents have; their number on both sides, since repeats pair up. */
  readonly same: number;
  /** Rows of the new content alone, and of the old one alone, each in its order. */
  readonly fresh: readonly KeptRow[];
  readonly gone: readonly KeptRow[];
}

/** The content applied last. */
export interface OldContent {
  readonly chunks: AsyncIterable<Buffer>;
  /** Asked at the end: whether what was given is still the content that was applied. */
  isWhole(): boolean;
}

export interface ChangesOptions extends Limits {
  readonly delimiter: Delimiter;
}

/** Bytes of changed rows that are held at most, of both contents together. */
const MOST_CHANGED_BYTES = 48 * 2 ** 20;
/** What a row that is held costs beside its bytes. */
const ROW_BYTES = 64;
/** After so many changed rows half as many must have been the same, or the walk is not worth it. */
const MANY_ROWS = 50_000;
/** So far ahead of a difference the old content is searched for where it goes on alike. */
const AHEAD_BYTES = 8 * 2 ** 20;
const WINDOW_BYTES = 2 * AHEAD_BYTES;
/** A row that stands so near is taken at once; further off, two rows in a row must be alike. */
const NEAR = 8;
/** For each new row without a partner so many old rows are searched: work follows the changes. */
const AHEAD_ROWS = 16;

/** A row of the old content, by its offsets in it. */
interface OldRow {
  readonly start: number;
  readonly textEnd: number;
  readonly next: number;
  readonly line: number;
  /** The physical line after it. */
  readonly lineAfter: number;
}

/** From where the contents differ until they go on alike. */
interface Gap {
  readonly fresh: KeptRow[];
  readonly old: OldRow[];
  /** Old rows by their text, the first of each; as many as are searched so far. */
  readonly known: Map<string, number>;
  searched: number;
}

/**
 * Give every record of the new content to `record`, in order, the header first, and wait for
 * `ready` before each chunk of it is split.
 */
export class ChangeFinder {
  readonly #scanner: Scanner;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #content: OldContent;
  readonly #fresh: KeptRow[] = [];
  readonly #gone: KeptRow[] = [];
  #changedBytes = 0;
  #same = 0;
  /** Bytes of the old content that are at hand: `#window` from 0 to `#filled`. */
  #window = Buffer.alloc(0);
  #filled = 0;
  /** Offset in the old content of the window's first byte. */
  #base = 0;
  #spare: Buffer | null = null;
  #atEnd = false;
  /** Offset in the old content up to which it is settled, and the physical line there. */
  #at = 0;
  #line = 1;
  #gap: Gap | null = null;
  #begun = false;
  #givenUp = false;

  constructor(content: OldContent, options: ChangesOptions) {
    this.#content = content;
    this.#chunks = content.chunks[Symbol.asyncIterator]();
    this.#scanner = createScanner(options.delimiter, options);
  }

  /** Reads on in the old content, so far that any row of the next chunk can be compared. */
  async ready(chunkBytes: number): Promise<void> {
    if (this.#givenUp || this.#left() >= AHEAD_BYTES + chunkBytes) return;
    await this.#fill();
  }

  /** `bytes` from `from` to `textEnd` are the record's text; `next`: where the one after begins. */
  readonly record = (
    bytes: Buffer,
    from: number,
    textEnd: number,
    next: number,
    line: number,
    lines: number,
  ): void => {
    if (this.#givenUp) return;
    if (!this.#begun) {
      this.#begin(bytes, from, textEnd);
      return;
    }
    if (this.#gap === null) {
      this.#skipBlank();
      if (this.#isSame(bytes, from, next)) {
        this.#at += next - from;
        this.#line += lines;
        this.#same += 1;
        return;
      }
      this.#gap = { fresh: [], old: [], known: new Map(), searched: 0 };
    }
    this.#search(this.#gap, { line, bytes: bytes.toString("latin1", from, textEnd) });
  };

  /** Null: too much differs, or the old content is not the one that was applied. */
  async end(): Promise<Changes | null> {
    if (this.#gap !== null) for (const row of this.#gap.fresh) this.#fresh.push(row);
    this.#gap = null;
    while (!this.#givenUp) {
      const row = this.#scan(this.#at, this.#line);
      if (row === null && this.#atEnd) break;
      if (row === null) await this.#fill();
      else this.#leave(row);
    }
    await this.close();
    if (this.#givenUp || !this.#begun || !this.#content.isWhole()) return null;
    return { same: this.#same, fresh: this.#fresh, gone: this.#gone };
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Another header makes other rows of the same bytes. */
  #begin(bytes: Buffer, from: number, textEnd: number): void {
    this.#begun = true;
    this.#at = bomBytes(this.#window.subarray(0, Math.min(3, this.#filled)));
    const header = this.#scan(this.#at, this.#line);
    if (header === null || this.#bytesOf(header) !== bytes.toString("latin1", from, textEnd)) {
      this.#giveUp();
      return;
    }
    [this.#at, this.#line] = [header.next, header.lineAfter];
  }

  /** The row and its line end, byte by byte: what ends it in one content ends it in the other. */
  #isSame(bytes: Buffer, from: number, next: number): boolean {
    const at = this.#at - this.#base;
    const end = at + next - from;
    if (end > this.#filled || bytes[next - 1] !== LF) return false;
    return this.#window.compare(bytes, from, next, at, end) === 0;
  }

  #search(gap: Gap, row: KeptRow): void {
    const at = gap.fresh.push(row) - 1;
    if (this.#isTooMuch(row.bytes.length + ROW_BYTES)) return;
    const partner = this.#near(gap, at, row) ?? this.#far(gap, at, row);
    if (partner !== null) this.#close(gap, at, partner);
  }

  /** A changed row stands where it stood, and a few more or fewer rows shift it a little. */
  #near(gap: Gap, at: number, { bytes }: KeptRow): number | null {
    this.#lookAhead(gap, at + NEAR + 1);
    for (let off = 0; off <= NEAR; off += 1)
      for (const candidate of off === 0 ? [at] : [at + off, at - off]) {
        const old = gap.old[candidate];
        if (old !== undefined && this.#equals(old, bytes)) return candidate;
      }
    return null;
  }

  #far(gap: Gap, at: number, { bytes }: KeptRow): number | null {
    const before = gap.fresh[at - 1];
    if (at < NEAR || before === undefined) return null;
    this.#lookAhead(gap, at * AHEAD_ROWS);
    for (; gap.searched < gap.old.length; gap.searched += 1) {
      const known = this.#bytesOf(gap.old[gap.searched]);
      if (!gap.known.has(known)) gap.known.set(known, gap.searched);
    }
    const candidate = gap.known.get(bytes) ?? 0;
    const previous = gap.old[candidate - 1];
    return previous !== undefined && this.#equals(previous, before.bytes) ? candidate : null;
  }

  /** From the row with this index on the contents go on alike; so do, perhaps, rows before it. */
  #close(gap: Gap, at: number, partner: number): void {
    let [fresh, old] = [at, partner];
    const alike = (row: KeptRow | undefined, other: OldRow | undefined) =>
      row !== undefined && other !== undefined && this.#equals(other, row.bytes);
    while (alike(gap.fresh[fresh - 1], gap.old[old - 1])) [fresh, old] = [fresh - 1, old - 1];
    for (const row of gap.fresh.slice(0, fresh)) this.#fresh.push(row);
    for (const row of gap.fresh.slice(fresh)) this.#changedBytes -= row.bytes.length + ROW_BYTES;
    for (const row of gap.old.slice(0, old)) this.#leave(row);
    this.#same += at - fresh + 1;
    const last = gap.old[partner];
    if (last !== undefined) [this.#at, this.#line] = [last.next, last.lineAfter];
    this.#gap = null;
  }

  /** An old row that the new content lacks. */
  #leave(row: OldRow): void {
    const bytes = this.#bytesOf(row);
    if (this.#isTooMuch(bytes.length + ROW_BYTES)) return;
    this.#gone.push({ line: row.line, bytes });
    [this.#at, this.#line] = [row.next, row.lineAfter];
  }

  #isTooMuch(more: number): boolean {
    this.#changedBytes += more;
    const rows = this.#fresh.length + this.#gone.length + (this.#gap?.fresh.length ?? 0);
    const unlike = rows > MANY_ROWS && rows > 2 * this.#same;
    if (unlike || this.#changedBytes > MOST_CHANGED_BYTES) this.#giveUp();
    return this.#givenUp;
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#gap = null;
    [this.#fresh.length, this.#gone.length] = [0, 0];
    [this.#window, this.#filled, this.#spare] = [Buffer.alloc(0), 0, null];
  }

  /** Knows so many old rows of the gap, or as many as are at hand. */
  #lookAhead(gap: Gap, rows: number): void {
    while (gap.old.length < rows) {
      const last = gap.old.at(-1);
      const row = this.#scan(last?.next ?? this.#at, last?.lineAfter ?? this.#line);
      if (row === null) return;
      gap.old.push(row);
    }
  }

  /** The old row at this offset or behind blank lines there; null: not at hand, or the end. */
  #scan(from: number, line: number): OldRow | null {
    const bytes = this.#window.subarray(0, this.#filled);
    let [at, onLine] = [from - this.#base, line];
    while (at < bytes.length) {
      const next = scanRow(this.#scanner, bytes, at, this.#atEnd);
      if (next === MORE) return null;
      const { row } = this.#scanner;
      if (next < 0 || row.fault !== null) {
        // It was applied without a bad row, so it is read by other settings now.
        this.#giveUp();
        return null;
      }
      if (row.textEnd > at || row.kinds[0] !== PLAIN)
        return {
          start: at + this.#base,
          textEnd: row.textEnd + this.#base,
          next: next + this.#base,
          line: onLine,
          lineAfter: onLine + row.lines,
        };
      [at, onLine] = [next, onLine + 1];
    }
    return null;
  }

  #skipBlank(): void {
    for (;;) {
      const at = this.#at - this.#base;
      const byte = this.#window[at];
      if (at >= this.#filled || (byte !== LF && byte !== CR)) return;
      this.#at += byte === CR && this.#window[at + 1] === LF ? 2 : 1;
      this.#line += 1;
    }
  }

  #equals(row: OldRow, bytes: string): boolean {
    return row.textEnd - row.start === bytes.length && this.#bytesOf(row) === bytes;
  }

  #bytesOf(row: OldRow | undefined): string {
    if (row === undefined) return "";
    return this.#window.toString("latin1", row.start - this.#base, row.textEnd - this.#base);
  }

  /** Bytes at hand that are not settled. */
  #left(): number {
    return this.#atEnd ? Infinity : this.#filled - (this.#at - this.#base);
  }

  /** Moves what is not settled to the front and reads on behind it. */
  async #fill(): Promise<void> {
    if (this.#window.length === 0) this.#window = Buffer.allocUnsafe(WINDOW_BYTES);
    const done = this.#at - this.#base;
    // A single row longer than all that is held.
    if (done === 0 && this.#filled === this.#window.length) this.#giveUp();
    this.#window.copyWithin(0, done, this.#filled);
    [this.#base, this.#filled] = [this.#at, this.#filled - done];
    while (!this.#atEnd && this.#filled < this.#window.length) {
      const chunk = this.#spare ?? (await this.#next());
      if (chunk === null) return;
      const taken = chunk.copy(this.#window, this.#filled);
      this.#filled += taken;
      this.#spare = taken === chunk.length ? null : chunk.subarray(taken);
    }
  }

  async #next(): Promise<Buffer | null> {
    const { done, value } = await this.#chunks.next();
    if (done !== true) return value;
    this.#atEnd = true;
    return null;
  }
}
