import { distance } from "fastest-levenshtein";

/** The allowed word that `word` was most likely meant to be; undefined when none looks like it. */
export function nearest(word: string, allowed: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  // About two slips in five letters: more than that is another word, and a wrong hint misleads.
  let best = (word.length < 2 ? 0 : Math.ceil(word.length * 0.4)) + 1;
  let found: string | undefined;
  for (const candidate of allowed) {
    const slips = distance(wanted, candidate.toLowerCase());
    if (slips < best) {
      best = slips;
      found = candidate;
    }
  }
  return found;
}
