/**
 * A large request by columns read from its bytes, without a text for every code and an object for
 * the whole. Takes what is plain: ASCII, no escapes, whole or decimal quantities, selling units.
 * Everything else, and everything wrong, is for the schema; a test holds the two together.
 */
import { LIMITS } from "./limits.ts";
import { quickPriceRequest } from "./price-request.ts";
import type { PriceColumns } from "./price-request.ts";

export interface ScannedColumns {
  /** Who asks, checked; its columns are not here. */
  readonly asker: Omit<PriceColumns, "product" | "quantity" | "unit" | "knownAt">;
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** Where the code of each line stands in `bytes`. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Selling units with 5 places. */
  readonly quantities: Float64Array;
}

const QUOTE = 34;
const COMMA = 44;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;
const MOST_CODE = 60;
const MOST_WHOLE_DIGITS = 10;
const PLACES = 5;

/** Null: it is not plain; nothing is said of whether it is right. */
export function scanColumns(bytes: Uint8Array): ScannedColumns | null {
  const scan = new Scan(bytes);
  const members = scan.members();
  if (members === null || scan.lines === 0 || scan.lines !== scan.quantityLines) return null;
  try {
    const rest = JSON.parse(`{${members.join()}}`) as object;
    const checked = quickPriceRequest({ ...rest, product: ["-"], quantity: [1] });
    if (checked === null || !("product" in checked) || checked.unit !== null) return null;
    const { account, site, branch, quotation, asOf, currency, conditions } = checked;
    const asker = { account, site, branch, quotation, asOf, currency, conditions };
    const { lines, starts, ends, quantities } = scan;
    return { asker, bytes, lines, starts, ends, quantities };
  } catch {
    return null;
  }
}

class Scan {
  lines = 0;
  quantityLines = 0;
  readonly starts = new Int32Array(LIMITS.priceLines);
  readonly ends = new Int32Array(LIMITS.priceLines);
  readonly quantities = new Float64Array(LIMITS.priceLines);
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** All members of the object but the two columns, as they stand. */
  members(): string[] | null {
    const others: string[] = [];
    if (!this.#take(OPEN)) return null;
    do {
      this.#blanks();
      const from = this.#at;
      if (!this.#text()) return null;
      const name = this.#words(from + 1, this.#at - 1);
      if (!this.#take(COLON)) return null;
      if (name === "product" || name === "quantity") {
        if (!(name === "product" ? this.#products() : this.#amounts())) return null;
        continue;
      }
      this.#blanks();
      if (!this.#value()) return null;
      others.push(this.#words(from, this.#at));
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE)) return null;
    this.#blanks();
    return this.#at === this.#bytes.length ? others : null;
  }

  #products(): boolean {
    // Named twice: the schema has the last.
    if (this.lines > 0 || !this.#take(OPEN_LIST)) return false;
    const { starts, ends } = this;
    let lines = 0;
    do {
      this.#blanks();
      const from = this.#at + 1;
      if (lines === LIMITS.priceLines || !this.#text()) return false;
      const to = this.#at - 1;
      if (to === from || to - from > MOST_CODE) return false;
      starts[lines] = from;
      ends[lines] = to;
      lines += 1;
    } while (this.#take(COMMA));
    this.lines = lines;
    return this.#take(CLOSE_LIST);
  }

  #amounts(): boolean {
    if (this.quantityLines > 0 || !this.#take(OPEN_LIST)) return false;
    const { quantities } = this;
    let lines = 0;
    do {
      this.#blanks();
      if (lines === LIMITS.priceLines) return false;
      const isText = this.#bytes[this.#at] === QUOTE;
      if (isText) this.#at += 1;
      const amount = isText ? this.#decimal() : this.#whole();
      if (!(amount > 0)) return false;
      if (isText && this.#bytes[this.#at++] !== QUOTE) return false;
      quantities[lines] = amount;
      lines += 1;
    } while (this.#take(COMMA));
    this.quantityLines = lines;
    return this.#take(CLOSE_LIST);
  }

  /** A whole number of JSON; NaN: it is none that counts as a quantity. */
  #whole(): number {
    if (this.#bytes[this.#at] === ZERO) return NaN;
    return this.#digits(MOST_WHOLE_DIGITS) * 100_000;
  }

  #decimal(): number {
    const whole = this.#digits(MOST_WHOLE_DIGITS) * 100_000;
    if (this.#bytes[this.#at] !== DOT) return whole;
    const from = ++this.#at;
    const part = this.#digits(PLACES);
    return whole + part * 10 ** (PLACES - (this.#at - from));
  }

  /** NaN: none, or more than so many. */
  #digits(most: number): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (let digit = bytes[at] ?? 0; digit >= ZERO && digit <= NINE; digit = bytes[++at] ?? 0)
      value = value * 10 + digit - ZERO;
    this.#at = at;
    return at === from || at - from > most ? NaN : value;
  }

  /** Steps over a text without escapes. */
  #text(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] !== QUOTE) return false;
    at += 1;
    for (;;) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 32 || byte > 126 || byte === BACKSLASH) return false;
      at += 1;
    }
    this.#at = at + 1;
    return true;
  }

  /** Steps over a value; whether it is one is found out when it is parsed. */
  #value(): boolean {
    const bytes = this.#bytes;
    let depth = 0;
    for (;;) {
      const byte = bytes[this.#at] ?? 0;
      if (byte === 0 || byte > 126) return false;
      if (byte === QUOTE) {
        if (!this.#text()) return false;
        continue;
      }
      if (byte === OPEN || byte === OPEN_LIST) depth += 1;
      if (depth === 0 && (byte === COMMA || byte === CLOSE)) return true;
      if (byte === CLOSE || byte === CLOSE_LIST) depth -= 1;
      if (depth < 0) return false;
      this.#at += 1;
    }
  }

  #take(wanted: number): boolean {
    this.#blanks();
    if (this.#bytes[this.#at] !== wanted) return false;
    this.#at += 1;
    return true;
  }

  #blanks(): void {
    const bytes = this.#bytes;
    let byte = bytes[this.#at];
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) byte = bytes[++this.#at];
  }

  #words(from: number, to: number): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, to - from).toString(
      "latin1",
    );
  }
}
