/**
 * Keeps the last book that was read, so that the next one is made of what changed since; the first
 * one from a file, where there is a good one.
 */
import type { Log } from "../connections/index.ts";
import type { Store } from "../store/index.ts";
import { digestOf } from "./engine/index.ts";
import type { Policy } from "./engine/index.ts";
import { followBook } from "./load.ts";
import type { LoadedBook, MadeBook } from "./load.ts";
import type { PricedCompany } from "./masters-read.ts";
import { makerOf } from "./publish.ts";
import { loadSnapshot, saveSnapshot } from "./snapshot.ts";
import type { SnapshotOf } from "./snapshot.ts";

/** What the book rests on, as plain data. */
export interface Followed extends PricedCompany {
  readonly policy: Policy;
  /** Where the book is kept between starts; absent: nowhere. */
  readonly snapshot?: string;
}

export interface Following extends Followed {
  readonly store: Store;
  readonly log: Log;
}

export interface Follower {
  /** The book as the tables are now. Calls must follow one another. */
  follow(): Promise<MadeBook>;
  /** Keeps the book that was made last for the next start, unless the file has it. Never throws. */
  keep(): Promise<void>;
  /** Ends what it holds open. */
  close(): Promise<void>;
}

/** Makes books on the thread that asks. */
export function openFollower(following: Following): Follower {
  const { store, policy, log, company } = following;
  const of: SnapshotOf = {
    company,
    maker: makerOf(policy),
    settings: JSON.stringify(pricedBy(following.settings)),
  };
  let known: LoadedBook | null = null;
  let digest = "";
  let keptDigest = "";
  // One file at a time: two would write into the same.
  let kept: Promise<void> = Promise.resolve();
  return {
    follow: async () => {
      known ??= await fromFile(following, of);
      const before = known;
      const { loaded, why } = await followBook(store, following, policy, before);
      if (before !== null && why !== null)
        log("info", `price book of ${company} is read anew as a whole: ${why}`);
      known = loaded;
      if (loaded.book !== before?.book || digest === "") digest = digestOf(loaded.book);
      return { book: loaded.book, runs: loaded.runs, digest };
    },
    keep: () => {
      kept = kept.then(async () => {
        if (known === null || digest === keptDigest) return;
        const keeping = digest;
        if (await keepIn(following, of, known)) keptDigest = keeping;
      });
      return kept;
    },
    close: () => Promise.resolve(),
  };
}

/** Of a company's settings those that its book is made with. */
export function pricedBy({
  currency,
  timeZone,
  vat,
  vatRules,
  rates,
}: PricedCompany["settings"]): PricedCompany["settings"] {
  return {
    currency,
    timeZone,
    vat,
    ...(vatRules === undefined ? {} : { vatRules }),
    ...(rates === undefined ? {} : { rates }),
  };
}

async function keepIn(
  { snapshot, log, company }: Following,
  of: SnapshotOf,
  loaded: LoadedBook,
): Promise<boolean> {
  if (snapshot === undefined) return false;
  try {
    await saveSnapshot(snapshot, of, loaded);
    return true;
  } catch (error) {
    log(
      "warn",
      `keeping the price book of ${company} in ${snapshot}: ${String(error)}. ` +
        "Prices are answered all the same; the next start reads all rules again.",
    );
    return false;
  }
}

async function fromFile(
  { snapshot, company, log }: Following,
  of: SnapshotOf,
): Promise<LoadedBook | null> {
  if (snapshot === undefined) return null;
  const read = await loadSnapshot(snapshot, of);
  if ("book" in read) return read;
  if (read.ignored !== null)
    log(
      "warn",
      `the price book of ${company} in ${snapshot} is not used: ${read.ignored}. ` +
        "All rules are read from the database instead.",
    );
  return null;
}
