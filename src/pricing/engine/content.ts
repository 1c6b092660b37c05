/**
 * What a book says, as numbers that do not hang on the order in which it was told: hashes of names,
 * of terms and of entries, and a sum over all rows that a change adds to and takes from.
 */
import type { Codes } from "./book.ts";
import type { Work } from "./stage.ts";
import * as terms from "./terms.ts";
import type { Names } from "./terms.ts";

/** FNV-1a over UTF-16 units. */
export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

const HIGH = 0x811c9dc5;
const LOW = 0x01000193;

/** Of a rule's identity: two hashes tell the rules of one cell apart. */
export function identityHashes(identity: string): readonly [high: number, low: number] {
  return [hashText(identity, HIGH), hashText(identity, LOW)];
}

/** One more number into a hash; each bit of it reaches every bit of the result. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function mixFloat(hash: number, value: number): number {
  FLOAT[0] = value;
  return mix(mix(hash, WORDS[0]!), WORDS[1]!);
}

const FLOAT = new Float64Array(1);
const WORDS = new Int32Array(FLOAT.buffer);

const ofCodes = new WeakMap<readonly string[], Int32Array>();

/** A hash of each code, by its number. */
export function codeHashes({ codes }: Codes): Int32Array {
  const known = ofCodes.get(codes) ?? Int32Array.from(codes, (code) => hashText(code, HIGH));
  ofCodes.set(codes, known);
  return known;
}

/** Numbers a row of terms has in `termHashes`. */
export const HASHED_TERMS = 3;
const IS_WIDE = 2;

interface HashedTerms {
  readonly hashes: Int32Array;
  /** Rows that are in it. */
  readonly count: number;
}

const ofTerms = new WeakMap<Work["terms"], HashedTerms>();
const ofNames = new WeakMap<Names, number[]>();

/** A hash of each name, by its number; names only ever come in. */
function nameHashes(names: Names): readonly number[] {
  const known = ofNames.get(names) ?? [];
  ofNames.set(names, known);
  if (known.length === names.numbers.size) return known;
  for (const [name, number] of names.numbers)
    if (number >= known.length) known.push(hashText(name, LOW));
  return known;
}

/**
 * Two hashes of each row of terms by what it says (names by their text), and whether its values are
 * wide. A row never changes, so each is hashed once.
 */
export function termHashes(work: Work): Int32Array {
  const { rows, count } = work.terms;
  const known = ofTerms.get(work.terms);
  if (known?.count === count) return known.hashes;
  const names = new Map<number, readonly number[]>(
    terms.NAMED.map(([column, kind]) => [column, nameHashes(work[kind])]),
  );
  const hashes = new Int32Array(count * HASHED_TERMS);
  if (known !== undefined) hashes.set(known.hashes);
  for (let row = known?.count ?? 1; row < count; row += 1) {
    let high = HIGH;
    let low = LOW;
    for (let column = 0; column < terms.STRIDE; column += 1) {
      const value = rows[row * terms.STRIDE + column]!;
      const said = value < 0 ? value : (names.get(column)?.[value] ?? value);
      high = mixFloat(high, said);
      low = mixFloat(low, said);
    }
    const flags = rows[row * terms.STRIDE + terms.FLAGS]!;
    hashes[row * HASHED_TERMS] = high;
    hashes[row * HASHED_TERMS + 1] = low;
    hashes[row * HASHED_TERMS + IS_WIDE] = (flags & terms.WIDE) === 0 ? 0 : 1;
  }
  ofTerms.set(work.terms, { hashes, count });
  return hashes;
}

/** What hashes of entries are made from. */
export interface Said {
  readonly terms: Int32Array;
  readonly wide: readonly number[];
}

export function saidBy(work: Work): Said {
  return { terms: termHashes(work), wide: work.wide };
}

export function highOf({ terms, wide }: Said, value: number, number: number): number {
  const at = number * HASHED_TERMS;
  return terms[at + IS_WIDE] === 0 ? mix(terms[at]!, value) : mixFloat(terms[at]!, wide[value]!);
}

export function lowOf({ terms, wide }: Said, value: number, number: number): number {
  const at = number * HASHED_TERMS;
  return terms[at + IS_WIDE] === 0
    ? mix(terms[at + 1]!, value)
    : mixFloat(terms[at + 1]!, wide[value]!);
}

/** A sum over rows, each by all that it says: equal sums, equal rows, whatever their order. */
export type ContentSum = Int32Array;

export function emptySum(): ContentSum {
  return new Int32Array(4);
}

/** Adds a row (`times` 1) or takes it away (-1). */
export function sumRow(
  sum: ContentSum,
  place: number,
  key: number,
  high: number,
  low: number,
  ruleHigh: number,
  ruleLow: number,
  times: 1 | -1,
): void {
  const a = mix(mix(mix(high, place), key), ruleHigh);
  const b = mix(mix(mix(low, key), place), ruleLow);
  sum[0]! += times * a;
  sum[1]! += times * b;
  sum[2]! += times * mix(a, b);
  sum[3]! += times * mix(b, a ^ HIGH);
}
