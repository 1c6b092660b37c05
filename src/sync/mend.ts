/**
 * Rows in quarantine mapped again, corrected where a person says so, and what comes of them merged.
 * A correction adds or changes records, it never removes any.
 */
import { randomUUID } from "node:crypto";
import type { Mapping } from "../mapping/index.ts";
import type { AnyRecord } from "../model/index.ts";
import { mergeStaging, openStaging, type MergeResult, type Transaction } from "../store/index.ts";
import type { SyncContext } from "./context.ts";
import type { Item } from "./items.ts";
import { jsonOf } from "./journal.ts";
import { lockStream } from "./lease.ts";
import { feedOf, hasChanged, queueConsumers } from "./publish.ts";
import type { Problem } from "./quarantine.ts";
import { fingerprintOf, problemText, reasonOf } from "./reason.ts";
import { writeDown } from "./deeds.ts";

/** What a replay did to one item. `still-bad`: `why` says what is wrong with it now. */
export type Replayed =
  | {
      readonly id: string;
      readonly outcome: "resolved";
      readonly records: number;
      /** The records that its row made. */
      readonly made: readonly AnyRecord[];
    }
  | {
      readonly id: string;
      readonly outcome: "still-bad";
      readonly item: Item;
      readonly why: string;
    }
  | { readonly id: string; readonly outcome: "cannot"; readonly why: string };

export interface Mending {
  readonly mappingOf: (id: string) => Mapping | undefined;
  /** By column of the row; of one item only. */
  readonly corrections: Readonly<Record<string, string>>;
  /** Who asked for it; null: not said. */
  readonly who: string | null;
  /** True: says what would come of it, and writes nothing. */
  readonly trial: boolean;
}

/** A row that maps well now. */
interface Mended {
  readonly item: Item;
  readonly mapping: Mapping;
  readonly made: readonly AnyRecord[];
}

/** Items of any streams, in the order in which they were opened, so that later rows win. */
export async function mendItems(
  context: SyncContext,
  items: readonly Item[],
  mending: Mending,
): Promise<Replayed[]> {
  const outcomes = new Map<string, Replayed>();
  const well = new Map<string, Mended[]>();
  for (const item of items) {
    const mapped = mapAgain(item, mending);
    if ("outcome" in mapped) outcomes.set(item.id, mapped.outcome);
    else {
      const feed = `${item.connection} ${item.stream} ${mapped.mapping.id}`;
      well.set(feed, [...(well.get(feed) ?? []), mapped]);
    }
    if ("problems" in mapped && !mending.trial) await keepProblems(context, item, mapped.problems);
  }
  for (const same of well.values())
    for (const outcome of await mergeMended(context, same, mending))
      outcomes.set(outcome.id, outcome);
  return items.flatMap(({ id }) => outcomes.get(id) ?? []);
}

const NOT_A_ROW =
  "It was not read as a row of a mapping: correct the file at its source and have it sent again.";
const NOT_ALONE =
  "Another row says otherwise, and one of them must go: correct the file at its source and have it sent again.";
const CLOSED =
  "It is closed: it was replayed, dismissed, or answered by what came later. Replayed now, its row would " +
  "overwrite newer content.";

function mapAgain(
  item: Item,
  { mappingOf, corrections }: Mending,
): Mended | { readonly outcome: Replayed; readonly problems?: readonly Problem[] } {
  const cannot = (why: string) => ({ outcome: { id: item.id, outcome: "cannot", why } as const });
  if (item.state !== "open") return cannot(CLOSED);
  const mapping = item.mapping === null ? undefined : mappingOf(item.mapping);
  if (mapping === undefined) return cannot(NOT_A_ROW);
  const { values } = item;
  if (values === null) return cannot(NOT_ALONE);
  const unknown = Object.keys(corrections).filter((column) => !(column in values));
  if (unknown.length > 0)
    return cannot(
      `The row has no column ${unknown.join(", ")}; its columns are ${Object.keys(values).join(", ")}.`,
    );
  const mapped = mapping.apply({ ...values, ...corrections });
  if (mapped.kind === "rejected") {
    const [first] = mapped.problems;
    const why = first === undefined ? "" : problemText(first);
    return {
      outcome: { id: item.id, outcome: "still-bad", item, why },
      // Of a corrected row they say nothing about the row that the source gives.
      ...(Object.keys(corrections).length === 0 ? { problems: mapped.problems } : {}),
    };
  }
  return { item, mapping, made: mapped.kind === "records" ? mapped.records : [] };
}

/** The mapping has changed, and says something else of the row now. */
async function keepProblems(
  { store, company }: SyncContext,
  item: Item,
  problems: readonly Problem[],
): Promise<void> {
  const reason = reasonOf(problems);
  const fingerprint = fingerprintOf({ ...item, problems });
  if (reason === item.reason && fingerprint === fingerprintOf(item)) return;
  await store.affect(
    `update quarantine
        set problems = $3, reason = $4, fingerprint = coalesce($5::uuid, fingerprint)
      where company = $1 and id = $2 and state = 'open'`,
    [company, item.id, jsonOf(problems), reason, fingerprint],
  );
}

/** What undoes everything that a replay wrote. */
class Undo extends Error {
  readonly conflicts: ReadonlyMap<string, string>;
  /** Of a trial: what would have come of it. */
  readonly outcomes: readonly Replayed[];
  constructor(conflicts: ReadonlyMap<string, string>, outcomes: readonly Replayed[]) {
    super("undone");
    this.conflicts = conflicts;
    this.outcomes = outcomes;
  }
}

/**
 * All of one feed in one transaction, staging included, so that a kill leaves nothing behind. A row
 * that cannot be merged is left out whole, and the others are merged without it.
 */
async function mergeMended(
  context: SyncContext,
  mended: readonly Mended[],
  mending: Mending,
): Promise<Replayed[]> {
  const bad: Replayed[] = [];
  let left = mended;
  while (left.length > 0) {
    try {
      const merging = left;
      const done = await context.store.transaction((tx) => merge(tx, context, merging, mending));
      return [...bad, ...done];
    } catch (error) {
      if (!(error instanceof Undo)) throw error;
      const { conflicts, outcomes } = error;
      if (conflicts.size === 0) return [...bad, ...outcomes];
      for (const { item } of left) {
        const why = conflicts.get(item.id);
        if (why !== undefined) bad.push({ id: item.id, outcome: "still-bad", item, why });
      }
      left = left.filter(({ item }) => !conflicts.has(item.id));
    }
  }
  return bad;
}

async function merge(
  tx: Transaction,
  context: SyncContext,
  mended: readonly Mended[],
  mending: Mending,
): Promise<Replayed[]> {
  const { company } = context;
  const [first] = mended;
  if (first === undefined) return [];
  const { connection, stream } = first.item;
  await lockStream(tx, { company, connection, stream });
  const open = await closeMended(tx, context, mended, mending);
  const [taken, late] = [
    mended.filter(({ item }) => open.has(item.id)),
    mended.filter(({ item }) => !open.has(item.id)),
  ];
  const counts = await mergeRecords(tx, context, first.mapping, taken);
  if (hasChanged(counts)) await queueConsumers(tx, context, [first.mapping.record.name]);
  for (const { item, made } of taken)
    await writeDown(tx, context, {
      item: item.id,
      who: mending.who,
      action: Object.keys(mending.corrections).length > 0 ? "corrected" : "replayed",
      details: { ...mending.corrections, records: made.length },
    });
  const outcomes: Replayed[] = [
    ...taken.map(({ item: { id }, made }): Replayed => ({
      id,
      outcome: "resolved",
      records: made.length,
      made,
    })),
    ...late.map(({ item: { id } }): Replayed => ({ id, outcome: "cannot", why: CLOSED })),
  ];
  if (mending.trial) throw new Undo(new Map(), outcomes);
  return outcomes;
}

/** Closes the items that are still open, and tells which these are. */
async function closeMended(
  tx: Transaction,
  { company, now }: SyncContext,
  mended: readonly Mended[],
  { who, corrections }: Mending,
): Promise<ReadonlySet<string>> {
  const at = now().toString();
  const corrected = Object.keys(corrections).length > 0;
  const closed = await tx.query<{ id: string }>(
    `update quarantine q
        set state = 'resolved', closed_at = $2, closed_by = $3, closed_by_hand = true,
            correction = coalesce(i.correction, q.correction), correction_holds = $4
       from jsonb_to_recordset($5::jsonb) as i(id uuid, correction jsonb)
      where q.company = $1 and q.id = i.id and q.state = 'open' returning q.id`,
    [
      company,
      at,
      who === null ? "a replay" : `a replay by ${who}`,
      corrected,
      jsonOf(
        mended.map(({ item: { id }, mapping, made }) => ({
          id,
          correction: corrected
            ? { columns: corrections, who, at, keys: keysOf(mapping, made) }
            : null,
        })),
      ),
    ],
  );
  return new Set(closed.map(({ id }) => id));
}

function keysOf({ record }: Mapping, made: readonly AnyRecord[]): string[] {
  return made.map((each) => record.key.map((field) => String(each[field])).join(" / "));
}

async function mergeRecords(
  tx: Transaction,
  { company, now }: SyncContext,
  { id, record }: Mapping,
  mended: readonly Mended[],
): Promise<Pick<MergeResult, "inserted" | "updated" | "removed">> {
  const [first] = mended;
  if (first === undefined) return { inserted: 0, updated: 0, removed: 0 };
  const staging = await openStaging(tx, { record, runId: randomUUID() });
  for (const { item, made } of mended)
    for (const each of made) staging.add(each, item.originId, item.line);
  await staging.flush();
  const { conflicts, ...counts } = await mergeStaging(tx, {
    company,
    feed: feedOf(first.item.connection, id),
    record,
    staging,
    snapshot: false,
    runId: first.item.runId,
    at: now(),
  });
  await staging.drop();
  if (conflicts.length === 0) return counts;
  const places = new Map(mended.map(({ item }) => [`${item.originId} ${item.line}`, item.id]));
  throw new Undo(
    new Map(
      conflicts.flatMap(({ originId, line, key, reason }) => {
        const item = places.get(`${originId} ${line}`);
        return item === undefined ? [] : [[item, `${key}: ${reason}`] as const];
      }),
    ),
    [],
  );
}
