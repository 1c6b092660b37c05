/** The quarantine desk: what waits, why, what to do; mend a row or its mapping, and replay it. */
import type { Mapping } from "../mapping/index.ts";
import { mergeStaging, openStaging } from "../store/index.ts";
import {
  closeItem,
  findItems,
  listItems,
  quarantineTotals,
  type Item,
  type QuarantineTotals,
} from "./quarantine.ts";
import type { SyncContext } from "./context.ts";

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
    dismiss: (item, by) =>
      store.transaction((tx) =>
        closeItem(tx, company, { id: item.id, state: "dismissed", by, at: context.now() }),
      ),
  };
}

async function replay(
  context: SyncContext,
  item: Item,
  mappingOf: (id: string) => Mapping | undefined,
  corrections: Readonly<Record<string, string>>,
): Promise<Replayed> {
  const mapping = item.mapping === null ? undefined : mappingOf(item.mapping);
  if (mapping === undefined || item.values === null)
    return {
      id: item.id,
      outcome: "cannot",
      why: "It was not read as a row of a mapping: correct the file at its source and have it sent again.",
    };
  const unknown = Object.keys(corrections).filter((column) => !(column in (item.values ?? {})));
  if (unknown.length > 0)
    return {
      id: item.id,
      outcome: "cannot",
      why: `The row has no column ${unknown.join(", ")}; its columns are ${Object.keys(item.values).join(", ")}.`,
    };
  const mapped = mapping.apply({ ...item.values, ...corrections });
  if (mapped.kind === "rejected") {
    const [first] = mapped.problems;
    return {
      id: item.id,
      outcome: "still-bad",
      item,
      why: `${first?.field ?? ""}: found ${first?.found ?? ""}, expected ${first?.expected ?? ""}`,
    };
  }
  const made = mapped.kind === "records" ? mapped.records : [];
  const conflict = await mergeOne(context, item, mapping, made);
  if (conflict !== null) return { id: item.id, outcome: "still-bad", item, why: conflict };
  return { id: item.id, outcome: "resolved", records: made.length };
}

/**
 * Merges the records as a delta: a corrected row adds or changes, it never removes. The conflict,
 * if any.
 */
async function mergeOne(
  context: SyncContext,
  item: Item,
  mapping: Mapping,
  made: readonly Parameters<Awaited<ReturnType<typeof openStaging>>["add"]>[0][],
): Promise<string | null> {
  const { store, company, jobs } = context;
  const runId = crypto.randomUUID();
  const staging = await openStaging(store, { record: mapping.record, runId });
  try {
    for (const record of made) staging.add(record, item.originId, item.line);
    await staging.flush();
    return await store.transaction(async (tx) => {
      const { conflicts } = await mergeStaging(tx, {
        company,
        feed: `${item.connection}/${mapping.id}`,
        record: mapping.record,
        staging,
        snapshot: false,
        runId: item.runId,
        at: context.now(),
      });
      const [conflict] = conflicts;
      if (conflict !== undefined) return `${conflict.key}: ${conflict.reason}`;
      await closeItem(tx, company, {
        id: item.id,
        state: "resolved",
        by: "a replay",
        at: context.now(),
      });
      for (const { job, records } of context.consumers)
        if (records.includes(mapping.record.name))
          await jobs.queue(tx, job, { company }, { singletonKey: company });
      return null;
    });
  } finally {
    await staging.drop();
  }
}
