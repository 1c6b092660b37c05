/** Seeded randomness: the same names give the same numbers on every machine, for ever. */

export interface Random {
  /** 0 inclusive to 1 exclusive. */
  next(): number;
  /** A whole number, both ends inclusive. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of the choices, as likely as its weight. */
  weighted<const T>(choices: readonly (readonly [choice: T, weight: number])[]): T;
}

/**
 * A generator of its own for each purpose, `randomOf(seed, "prices")`, so that a change in one
 * place of the merchant does not shift all others.
 */
export function randomOf(...names: readonly (string | number)[]): Random {
  const next = mulberry32(fnv1a(names.join("\u0000")));
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (list) => at(list, whole(0, list.length - 1)),
    weighted: (choices) => weighted(choices, next()),
  };
}

/** An element that must be there. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined)
    throw new RangeError(`asked for element ${index} of a list of ${list.length}`);
  return found;
}

function weighted<T>(choices: readonly (readonly [T, number])[], drawn: number): T {
  let rest = drawn * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of choices) {
    rest -= weight;
    if (rest < 0) return choice;
  }
  return at(choices, choices.length - 1)[0];
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Tommy Ettinger's mulberry32: small, and even enough for a demo. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
