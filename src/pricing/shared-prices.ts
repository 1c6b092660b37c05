/** A published book as other threads are told of it: the large once, the small each time. */
import type { TokenSettings } from "./price-token.ts";
import type { Root } from "./root.ts";
import { shareRoot } from "./shared.ts";
import type { SharedRoot } from "./shared.ts";
import { NO_FACTS } from "./standing.ts";
import type { StandingFacts } from "./standing.ts";

/** What changes with a publication beside the book. */
export type SharedHead = Omit<SharedRoot, "book">;

/** A published book for other threads. */
export interface SharedPrices {
  readonly company: string;
  /** The same for as long as the book is. */
  readonly identity: object;
  share(): SharedRoot;
  readonly head: SharedHead;
  readonly facts: StandingFacts;
  readonly tokens: TokenSettings;
}

export function sharedPrices(company: string, tokens: TokenSettings, root: Root): SharedPrices {
  const { version, number, digest, freshness } = root;
  const head = { version, number, digest, freshness, publishedAt: root.publishedAt.toString() };
  const facts = root.standing?.facts ?? NO_FACTS;
  return { company, identity: root.book, share: () => shareRoot(root), head, facts, tokens };
}
