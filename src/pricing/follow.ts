/**
 * Keeps the last book that was read, so that the next one is made of what changed since; the first
 * one from a file, where there is a good one.
 */
import type { Log } from "../connections/index.ts";
import type { Store } from "../store/index.ts";
import type { Policy } from "./engine/index.ts";
import { followBook } from "./load.ts";
import type { LoadedBook } from "./load.ts";
import type { PricedCompany } from "./masters-read.ts";
import { makerOf } from "./publish.ts";
import { loadSnapshot, saveSnapshot } from "./snapshot.ts";
import type { SnapshotOf } from "./snapshot.ts";

export interface Following extends PricedCompany {
  readonly store: Store;
  readonly policy: Policy;
  readonly log: Log;
  /** Where the book is kept between starts; absent: nowhere. */
  readonly snapshot?: string;
}

export interface Follower {
  /** The book as the tables are now. Calls must follow one another. */
  follow(): Promise<LoadedBook>;
  /** Keeps a book that answers for the next start, unless the file has it. Never throws. */
  keep(loaded: LoadedBook, digest: string): Promise<void>;
}

export function openFollower(following: Following): Follower {
  const { store, policy, log, company, snapshot } = following;
  const of: SnapshotOf = {
    company,
    maker: makerOf(policy),
    settings: JSON.stringify(following.settings),
  };
  let known: LoadedBook | null = null;
  let keptDigest = "";
  return {
    follow: async () => {
      known ??= await fromFile(following, of);
      const had = known !== null;
      const { loaded, why } = await followBook(store, following, policy, known);
      if (had && why !== null)
        log("info", `price book of ${company} is read anew as a whole: ${why}`);
      known = loaded;
      return loaded;
    },
    keep: async (loaded, digest) => {
      if (snapshot === undefined || digest === keptDigest) return;
      try {
        await saveSnapshot(snapshot, of, loaded);
        keptDigest = digest;
      } catch (error) {
        log(
          "warn",
          `keeping the price book of ${company} in ${snapshot}: ${String(error)}. ` +
            "Prices are answered all the same; the next start reads all rules again.",
        );
      }
    },
  };
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
