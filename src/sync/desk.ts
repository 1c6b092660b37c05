/** The quarantine desk: what waits, why, what to do; mend a row or its mapping, and replay it. */
import { randomUUIDv7 } from "node:crypto";
import type { Mapping } from "../mapping/index.ts";
import type { AnyRecord } from "../model/index.ts";
import { mergeStaging, openStaging } from "../store/index.ts";
import type { SyncContext } from "./context.ts";
import { lockStream } from "./lease.ts";
import { feedOf, hasChanged, queueConsumers } from "./publish.ts";
import {
  closeItem,
  findItems,
  listItems,
  quarantineTotals,
  type Item,
  type QuarantineTotals,
} from "./quarantine.ts";

/** What a replay did to one item. `still-bad`: its problems are now these. */
export type Replayed =
  | { readonly id: string; readonly outcome: "resolved"; readonly records: number }
  | {
      readonly id: string;
      readonly outcome: "still-bad";
      readonly item: Item;
      readonly why: string;
    }
  | { readonly id: string; readonly outcome: "cannot"; readonly why: string };

export interface QuarantineDesk {
  list(filter: { stream?: string; limit?: number }): Promise<Item[]>;
  totals(): Promise<QuarantineTotals>;
  /** By id or by the beginning of it; throws ItemUnknown when none or several begin so. */
  find(id: string): Promise<Item>;
  /** Maps the row again, with corrected columns where given, and merges what comes of it. */
  replay(item: Item, corrections?: Readonly<Record<string, string>>): Promise<Replayed>;
  dismiss(item: Item, by: string): Promise<void>;
}

export class ItemUnknown extends Error {
  override readonly name = "ItemUnknown";
}

export function quarantineDesk(
  context: SyncContext,
  mappingOf: (id: string) => Mapping | undefined,
): QuarantineDesk {
  const { store, company } = context;
  return {
    list: ({ stream, limit }) =>
      listItems(store, company, {
        ...(stream === undefined ? {} : { stream }),
        limit: limit ?? 100,
      }),
    totals: () => quarantineTotals(store, company),
    async find(id) {
      const [item, second] = await findItems(store, company, id);
      if (item !== undefined && second === undefined) return item;
      throw new ItemUnknown(
        `Looking up quarantine item "${id}": ${item === undefined ? "none begins" : "several begin"} so. ` +
          "`tradepost quarantine` lists them.",
      );
    },
    replay: (item, corrections) => replay(context, item, mappingOf, corrections ?? {}),
    dismiss: async (item, by) => {
      const close = { id: item.id, state: "dismissed", by, at: context.now() } as const;
      await store.transaction((tx) => closeItem(tx, company, close));
    },
  };
}

async function replay(
  context: SyncContext,
  item: Item,
  mappingOf: (id: string) => Mapping | undefined,
  corrections: Readonly<Record<string, string>>,
): Promise<Replayed> {
  const cannot = (why: string): Replayed => ({ id: item.id, outcome: "cannot", why });
  const mapping = item.mapping === null ? undefined : mappingOf(item.mapping);
  if (mapping === undefined || item.values === null)
    return cannot(
      mapping === undefined
        ? "It was not read as a row of a mapping: correct the file at its source and have it sent again."
        : "Another row says otherwise, and one of them must go: correct the file at its source and have it sent again.",
    );
  const unknown = Object.keys(corrections).filter((column) => !(column in (item.values ?? {})));
  if (unknown.length > 0)
    return cannot(
      `The row has no column ${unknown.join(", ")}; its columns are ${Object.keys(item.values).join(", ")}.`,
    );
  const mapped = mapping.apply({ ...item.values, ...corrections });
  if (mapped.kind === "rejected") {
    const [first] = mapped.problems;
    const why = `${first?.field ?? ""}: found ${first?.found ?? ""}, expected ${first?.expected ?? ""}`;
    return { id: item.id, outcome: "still-bad", item, why };
  }
  const made = mapped.kind === "records" ? mapped.records : [];
  const merged = await mergeOne(context, item, mapping, made);
  if (merged.kind === "closed") return cannot(CLOSED);
  if (merged.kind === "conflict")
    return { id: item.id, outcome: "still-bad", item, why: merged.why };
  return { id: item.id, outcome: "resolved", records: made.length };
}

const CLOSED =
  "It is closed: it was replayed, dismissed, or answered by what came later. Replayed now, its row would " +
  "overwrite newer content.";

type MergedOne =
  | { readonly kind: "merged" | "closed" }
  | { readonly kind: "conflict"; readonly why: string };

/** What undoes everything that a replay wrote. */
class Undo extends Error {
  readonly merged: MergedOne;
  constructor(merged: MergedOne) {
    super("undone");
    this.merged = merged;
  }
}

/**
 * Merges the records as a delta: a corrected row adds or changes, it never removes. One
 * transaction, staging included, so that a kill leaves nothing behind.
 */
async function mergeOne(
  context: SyncContext,
  item: Item,
  mapping: Mapping,
  made: readonly AnyRecord[],
): Promise<MergedOne> {
  const { store, company } = context;
  try {
    return await store.transaction(async (tx) => {
      await lockStream(tx, { company, connection: item.connection, stream: item.stream });
      const by = { state: "resolved", by: "a replay", at: context.now() } as const;
      if (!(await closeItem(tx, company, { id: item.id, ...by })))
        throw new Undo({ kind: "closed" });
      const staging = await openStaging(tx, { record: mapping.record, runId: randomUUIDv7() });
      for (const record of made) staging.add(record, item.originId, item.line);
      await staging.flush();
      const { conflicts, ...counts } = await mergeStaging(tx, {
        company,
        feed: feedOf(item.connection, mapping.id),
        record: mapping.record,
        staging,
        snapshot: false,
        runId: item.runId,
        at: context.now(),
      });
      await staging.drop();
      const [conflict] = conflicts;
      if (conflict !== undefined)
        throw new Undo({ kind: "conflict", why: `${conflict.key}: ${conflict.reason}` });
      if (hasChanged(counts)) await queueConsumers(tx, context, [mapping.record.name]);
      return { kind: "merged" };
    });
  } catch (error) {
    if (error instanceof Undo) return error.merged;
    throw error;
  }
}
