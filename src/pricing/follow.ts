/** Keeps the last book that was read, so that the next one is made of what changed since. */
import type { Log } from "../connections/index.ts";
import type { Store } from "../store/index.ts";
import type { Policy } from "./engine/index.ts";
import { followBook } from "./load.ts";
import type { LoadedBook } from "./load.ts";
import type { PricedCompany } from "./masters-read.ts";

export interface Following extends PricedCompany {
  readonly store: Store;
  readonly policy: Policy;
  readonly log: Log;
}

/** Each call gives the book as the tables are now. Calls must follow one another. */
export function openFollower({
  store,
  policy,
  log,
  ...priced
}: Following): () => Promise<LoadedBook> {
  let known: LoadedBook | null = null;
  return async () => {
    const had = known !== null;
    const { loaded, why } = await followBook(store, priced, policy, known);
    if (had && why !== null)
      log("info", `price book of ${priced.company} is read anew as a whole: ${why}`);
    known = loaded;
    return loaded;
  };
}
