/** The quarantine desk: what waits, why, what to do; mend a row or its mapping, and replay it. */
import type { Mapping } from "../mapping/index.ts";
import type { SyncContext } from "./context.ts";
import { writeDown } from "./deeds.ts";
import {
  findItems,
  groupItems,
  heldRecord,
  historyOf,
  itemsAfter,
  listItems,
  quarantineTotals,
  type HeldRecord,
  type Item,
  type ItemEvent,
  type ItemFilter,
  type ItemGroup,
  type QuarantineTotals,
} from "./items.ts";
import { mendItems, type Mending, type Replayed } from "./mend.ts";

/** Who decides, and why; both are kept for good. */
export interface Decision {
  readonly who: string;
  readonly why: string;
}

/** How far a replay of many is. */
interface ReplayProgress {
  readonly done: number;
  readonly of: number;
}

/** What a replay of many did. */
interface ReplaySummary {
  readonly items: number;
  readonly resolved: number;
  /** Records that came of them. */
  readonly records: number;
  /** What is left, like with like, most first. */
  readonly left: readonly {
    readonly outcome: "still-bad" | "cannot";
    readonly why: string;
    readonly items: number;
    readonly example: string;
  }[];
}

/** Null: done. A text: why it cannot be done. */
export type Refusal = string | null;

export interface QuarantineDesk {
  list(filter: ItemFilter & { readonly limit?: number }): Promise<Item[]>;
  /** Like items as one, by money at risk. */
  groups(filter: ItemFilter & { readonly limit?: number }): Promise<ItemGroup[]>;
  /** All of them in the order in which they were opened, in pieces. */
  pieces(filter: ItemFilter): AsyncIterable<readonly Item[]>;
  totals(): Promise<QuarantineTotals>;
  /** By id, or by the beginning or end of it; throws ItemUnknown when none or several fit. */
  find(id: string): Promise<Item>;
  /** What people did to its row, over all items of it. */
  history(item: Item): Promise<ItemEvent[]>;
  /** The record that the row would be, as it is held now; null: none is. */
  held(item: Item): Promise<HeldRecord | null>;
  /** Maps the row again, with corrected columns where given, and merges what comes of it. */
  replay(
    item: Item,
    corrections?: Readonly<Record<string, string>>,
    who?: string,
  ): Promise<Replayed>;
  /** What `replay` would do; nothing is written. */
  try(item: Item, corrections?: Readonly<Record<string, string>>): Promise<Replayed>;
  /** Every open item that fits, in pieces that are each whole; after a mapping was mended. */
  replayAll(
    filter: ItemFilter,
    options?: {
      readonly who?: string;
      readonly progress?: (progress: ReplayProgress) => void;
      /** True: what would come of it; nothing is written. */
      readonly trial?: boolean;
    },
  ): Promise<ReplaySummary>;
  /** Closes an item that nobody needs; the same row that comes again stays dismissed. */
  dismiss(item: Item, decision: Decision): Promise<Refusal>;
  /** Opens again what a person closed. */
  reopen(item: Item, decision: Decision): Promise<Refusal>;
}

export class ItemUnknown extends Error {
  override readonly name = "ItemUnknown";
}

/** So many rows are mapped and merged in one transaction. */
const PIECE = 200;

export function quarantineDesk(
  context: SyncContext,
  mappingOf: (id: string) => Mapping | undefined,
): QuarantineDesk {
  const { store, company } = context;
  const mending: Mending = { mappingOf, corrections: {}, who: null, trial: false };
  const mendOne = async (item: Item, how: Partial<Mending>): Promise<Replayed> => {
    const [outcome] = await mendItems(context, [item], { ...mending, ...how });
    return outcome ?? { id: item.id, outcome: "cannot", why: "It is not there any more." };
  };
  return {
    list: ({ limit, ...filter }) => listItems(store, company, { ...filter, limit: limit ?? 100 }),
    groups: ({ limit, ...filter }) =>
      groupItems(store, company, { ...filter, limit: limit ?? 100 }),
    pieces: (filter) => pieces(context, filter),
    totals: () => quarantineTotals(store, company),
    find: (id) => findItem(context, id),
    history: ({ id }) => historyOf(store, company, id),
    held: (item) => heldRecord(store, company, item),
    replay: (item, corrections = {}, who) => mendOne(item, { corrections, who: who ?? null }),
    try: (item, corrections = {}) => mendOne(item, { corrections, trial: true }),
    replayAll: (filter, { who, progress, trial = false } = {}) =>
      replayAll(context, filter, { ...mending, who: who ?? null, trial }, progress),
    dismiss: (item, decision) => dismiss(context, item, decision),
    reopen: (item, decision) => reopen(context, item, decision),
  };
}

async function findItem({ store, company }: SyncContext, id: string): Promise<Item> {
  const [item, second] = await findItems(store, company, id);
  if (item !== undefined && second === undefined) return item;
  throw new ItemUnknown(
    `Looking up quarantine item "${id}": ${item === undefined ? "none begins or ends" : "several begin or end"} so. ` +
      "`tradepost quarantine` lists them.",
  );
}

async function* pieces(
  { store, company }: SyncContext,
  filter: ItemFilter,
): AsyncIterable<readonly Item[]> {
  let after: string | null = null;
  for (;;) {
    const piece: Item[] = await itemsAfter(store, company, { ...filter, limit: PIECE, after });
    const last = piece.at(-1);
    if (last === undefined) return;
    yield piece;
    after = last.id;
  }
}

async function replayAll(
  context: SyncContext,
  filter: ItemFilter,
  mending: Mending,
  progress: ((progress: ReplayProgress) => void) | undefined,
): Promise<ReplaySummary> {
  const groups = await groupItems(context.store, context.company, { ...filter, limit: 1_000_000 });
  const of = groups.reduce((sum, { items }) => sum + items, 0);
  const left = new Map<string, ReplaySummary["left"][number]>();
  let [items, resolved, records] = [0, 0, 0];
  for await (const piece of pieces(context, filter)) {
    for (const outcome of await mendItems(context, piece, mending)) {
      items += 1;
      if (outcome.outcome === "resolved") {
        resolved += 1;
        records += outcome.records;
        continue;
      }
      const { id, why } = outcome;
      const like = left.get(why) ?? { outcome: outcome.outcome, why, items: 0, example: id };
      left.set(why, { ...like, items: like.items + 1 });
    }
    progress?.({ done: items, of: Math.max(of, items) });
  }
  return { items, resolved, records, left: [...left.values()].sort((a, b) => b.items - a.items) };
}

function refusal(what: string, { id }: Item, why: string): Refusal {
  return `${what} quarantine item ${id.slice(-8)}: ${why}`;
}

async function dismiss(context: SyncContext, item: Item, decision: Decision): Promise<Refusal> {
  const { store, company, now } = context;
  return store.transaction(async (tx) => {
    const closed = await tx.affect(
      `update quarantine set state = 'dismissed', closed_at = $3, closed_by = $4,
              closed_by_hand = true
        where company = $1 and id = $2 and state = 'open'`,
      [company, item.id, now().toString(), decision.who],
    );
    if (closed === 0) {
      const [one] = await findItems(tx, company, item.id);
      return refusal(
        "Dismissing",
        item,
        `it is ${one?.state ?? "gone"} already, by ${one?.closedBy ?? "nobody"}.`,
      );
    }
    const { who, why } = decision;
    await writeDown(tx, context, { item: item.id, who, action: "dismissed", details: { why } });
    return null;
  });
}

async function reopen(context: SyncContext, item: Item, decision: Decision): Promise<Refusal> {
  const { store, company } = context;
  const { who, why } = decision;
  return store.transaction(async (tx) => {
    const [now] = await findItems(tx, company, item.id);
    const against = now === undefined ? "it is gone." : await againstReopening(context, now);
    if (against !== null) return refusal("Reopening", item, against);
    await tx.affect(
      `update quarantine set state = 'open', closed_at = null, closed_by = null,
              closed_by_hand = false
        where company = $1 and id = $2`,
      [company, item.id],
    );
    await writeDown(tx, context, { item: item.id, who, action: "reopened", details: { why } });
    return null;
  });
}

/** Null: nothing speaks against it. */
async function againstReopening(
  { store, company }: SyncContext,
  item: Item,
): Promise<string | null> {
  if (item.state === "open") return "it is open.";
  if (!item.closedByHand)
    return `${item.closedBy ?? "something newer"} answered it. What is still bad of it waits as an item of its own.`;
  const [again] = await store.query<{ id: string }>(
    `select n.id from quarantine o join quarantine n on n.company = o.company
        and n.connection = o.connection and n.stream = o.stream and n.fingerprint = o.fingerprint
        and n.state = 'open' and n.opened_at > o.opened_at
      where o.company = $1 and o.id = $2 limit 1`,
    [company, item.id],
  );
  if (again !== undefined)
    return `its row came again and waits as item ${again.id.slice(-8)}: deal with that one.`;
  const held = await heldRecord(store, company, item);
  const own = held?.originId === item.originId && held.line === item.line;
  if (held === null || own || Temporal.Instant.compare(held.learnedAt, item.lastSeenAt) <= 0)
    return null;
  return "its record has arrived well since; replayed, the old row would overwrite it.";
}
