/**
 * Product codes found by the bytes of a request, so that ten thousand of them need not become texts
 * first. Only codes of ASCII: a request with others is read as texts.
 */

export class ProductIndex {
  readonly #slots: Int32Array;
  readonly #ends: Int32Array;
  readonly #text: Uint8Array;
  readonly #mask: number;

  constructor(codes: readonly string[]) {
    this.#text = Buffer.from(codes.join(""), "utf8");
    this.#ends = new Int32Array(codes.length + 1);
    let size = 16;
    while (size < codes.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(-1);
    for (let number = 0, end = 0; number < codes.length; number += 1) {
      const from = end;
      end += Buffer.byteLength(codes[number] ?? "");
      this.#ends[number + 1] = end;
      let slot = hashOf(this.#text, from, end) & this.#mask;
      while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = number;
    }
  }

  /** -1: there is no such code. */
  numberOf(bytes: Uint8Array, from: number, to: number): number {
    const slots = this.#slots;
    let slot = hashOf(bytes, from, to) & this.#mask;
    for (;;) {
      const number = slots[slot] ?? -1;
      if (number < 0 || this.#is(number, bytes, from, to)) return number;
      slot = (slot + 1) & this.#mask;
    }
  }

  #is(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#ends[number] ?? 0;
    if ((this.#ends[number + 1] ?? 0) - start !== to - from) return false;
    const text = this.#text;
    for (let at = from, mine = start; at < to; at += 1, mine += 1)
      if (bytes[at] !== text[mine]) return false;
    return true;
  }
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
