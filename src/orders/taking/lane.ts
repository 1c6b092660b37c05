/**
 * Work that is done in batches, so that many share a commit: what comes while others are under way
 * is the next batch. One that comes alone goes at once; nothing ever waits for companions.
 */

export interface LaneOptions<Item, Result> {
  /** Items of a batch, at most. */
  readonly most: number;
  /** Fewer than this do not begin a batch beside another: they go together when that has ended. */
  readonly few: number;
  /** Batches under way at a time. */
  readonly batches: number;
  /** Items that are done by themselves, at a time: each may wait for others' locks. */
  readonly alone: number;
  /**
   * All of them or none: where it throws, each is done alone. Instead of a result: "alone", or
   * "again" with the next batch.
   */
  together(items: readonly Item[]): Promise<readonly (Result | "alone" | "again")[]>;
  byItself(item: Item): Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export type Lane<Item, Result> = (item: Item) => Promise<Result>;

export function openLane<Item, Result>(options: LaneOptions<Item, Result>): Lane<Item, Result> {
  const { most, few, batches } = options;
  const waiting: Waiting<Item, Result>[] = [];
  const ownWay: Waiting<Item, Result>[] = [];
  let underWay = 0;
  let byThemselves = 0;
  let isAwake = false;
  const alone = (one: Waiting<Item, Result>): void => {
    ownWay.push(one);
    for (; byThemselves < options.alone; byThemselves += 1) {
      const next = ownWay.shift();
      if (next === undefined) return;
      void goAlone(next);
    }
  };
  const goAlone = async (first: Waiting<Item, Result>): Promise<void> => {
    for (let one: typeof first | undefined = first; one !== undefined; one = ownWay.shift())
      await options.byItself(one.item).then(one.resolve, one.reject);
    byThemselves -= 1;
  };
  const go = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    const results = await options.together(batch.map(({ item }) => item)).catch(() => null);
    const again: Waiting<Item, Result>[] = [];
    for (const [index, one] of batch.entries()) {
      const result = results?.[index] ?? "alone";
      if (result === "alone") alone(one);
      else if (result === "again") again.push(one);
      else one.resolve(result);
    }
    // In the order in which they came.
    waiting.unshift(...again);
    underWay -= 1;
    wake();
  };
  const start = (): void => {
    isAwake = false;
    while (underWay < batches && waiting.length >= (underWay === 0 ? 1 : few)) {
      const share = Math.ceil(waiting.length / (batches - underWay));
      underWay += 1;
      void go(waiting.splice(0, Math.min(most, Math.max(few, share))));
    }
  };
  // What comes in the same turn of the loop goes together.
  const wake = (): void => {
    if (isAwake) return;
    isAwake = true;
    setImmediate(start);
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      wake();
    });
}
