/**
 * What a run would do, without doing it: the stream is read and staged, and published in a
 * transaction that is rolled back. What it staged is kept, so that applying the plan does exactly
 * what was shown.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Json, StreamDefinition } from "../connector/index.ts";
import {
  countRemovals,
  differences,
  dropStagingOf,
  type MergeOptions,
  type Transaction,
} from "../store/index.ts";
import { emptyRowCounts, type RecordCounts, type RowCounts } from "./accounting.ts";
import { isTooMuch, RunStopped } from "./brake.ts";
import { brakeOf, mappingsOf, mappingVersions, type Source, type SyncContext } from "./context.ts";
import { Gathering, type Part } from "./gathering.ts";
import { storeRun, storeStart, type At } from "./journal.ts";
import type { Lease, StreamKey } from "./lease.ts";
import { messageOf } from "./one-run.ts";
import {
  sealed,
  type PlanDocument,
  type PlannedItem,
  type PlanState,
  type RecordPlan,
  type StreamPlan,
} from "./plan-document.ts";
import { readForPlan } from "./plan-read.ts";
import { expiryOf, signPlans, storePlan, supersedePlans, tidyPlans } from "./plan-store.ts";
import type { Basis } from "./plan-store.ts";
import { NOTHING_PUBLISHED, publishGathered } from "./publish.ts";
import { cursorOf, waitForLease } from "./pull.ts";
import { dismissedAgain, type Problem } from "./quarantine.ts";
import { tidyAfterKill } from "./tidy.ts";
import { watchOrigins } from "./watch.ts";

/** How content is gathered for a plan: from what waits at the source, or from what is kept. */
export interface Ground {
  readonly kind: "pull" | "replay";
  gather(planning: Planning): Promise<Grounds>;
}

/** What came of it. */
export interface Grounds extends Pick<Basis, "cursors" | "removes" | "shape" | "notes"> {
  readonly state: PlanState;
  /** Said of the plan, beside what is said when it is applied. */
  readonly remarks: readonly string[];
}

export interface Planning {
  readonly context: SyncContext;
  readonly source: Source;
  readonly stream: StreamDefinition;
  readonly key: StreamKey;
  readonly gathering: Gathering;
  /** Where reading begins. */
  readonly cursor: Json | null;
}

/** Reads what waits at the source. */
export const WAITING: Ground = {
  kind: "pull",
  gather: async (planning) => {
    const { context, source, key, gathering } = planning;
    const watch = await watchOrigins(context, source, key);
    gathering.watch(watch);
    await gathering.restart();
    const { state, cursors, notes } = await readForPlan({ ...planning, watch });
    return { state, cursors, removes: false, remarks: notes, ...watch.seen() };
  },
};

/** One document over all the streams; what cannot be planned is in it with the reason. */
export async function makePlan(
  context: SyncContext,
  source: Source,
  streams: readonly StreamDefinition[],
  ground: Ground,
): Promise<PlanDocument> {
  const { store, company, now } = context;
  await tidyPlans(store, company, now());
  const madeAt = now();
  const plans: StreamPlan[] = [];
  for (const stream of streams) plans.push(await planStream(context, source, stream, ground));
  const document = sealed({
    document: "tradepost plan",
    version: 1,
    kind: ground.kind,
    company,
    connection: source.connection.name,
    madeAt: madeAt.toString(),
    expiresAt: expiryOf(madeAt).toString(),
    streams: plans,
  });
  const ids = plans.flatMap(({ state, id }) => (state === "planned" && id !== null ? [id] : []));
  await signPlans(store, company, ids, document.sha256);
  return document;
}

async function planStream(
  context: SyncContext,
  source: Source,
  stream: StreamDefinition,
  ground: Ground,
): Promise<StreamPlan> {
  const key = {
    company: context.company,
    connection: source.connection.name,
    stream: stream.name,
  };
  await using lease = await waitForLease(context, key);
  await tidyAfterKill(context, key);
  await supersedePlans(context.store, key);
  const at: At = { ...key, runId: randomUUIDv7(), now: context.now() };
  const mappings = mappingsOf(source, stream);
  const gathering = new Gathering(context.store, at.runId, stream, mappings, false);
  const cursor = await cursorOf(context, source, stream, key);
  await storeStart(context.store, at, { cursor, kind: ground.kind, continues: null });
  const planning = { context, source, stream, key, gathering, cursor };
  try {
    const grounds = await ground.gather(planning);
    if (grounds.state === "planned") return await keep(planning, { at, lease, ground, grounds });
    return await leave(planning, at, grounds.state, grounds.remarks);
  } catch (error) {
    const state = error instanceof RunStopped ? "stopped" : "failed";
    return await leave(planning, at, state, [messageOf(error)]);
  }
}

/** There is nothing to apply: it leaves no run behind. */
async function leave(
  { context, gathering, stream }: Planning,
  { company, runId }: At,
  state: PlanState,
  notes: readonly string[],
): Promise<StreamPlan> {
  await gathering.drop();
  await dropStagingOf(context.store, runId);
  await context.store.affect("delete from run where company = $1 and id = $2", [company, runId]);
  return {
    stream: stream.name,
    id: null,
    state,
    notes,
    origins: [],
    rows: emptyRowCounts(),
    dismissed: 0,
    records: {},
    quarantine: [],
  };
}

interface Kept {
  readonly at: At;
  readonly lease: Lease;
  readonly ground: Ground;
  readonly grounds: Grounds;
}

/** The rehearsal's figures are the plan's; what was staged waits for it to be applied. */
async function keep(planning: Planning, { at, lease, ground, grounds }: Kept): Promise<StreamPlan> {
  const { context, source, stream, key, gathering } = planning;
  await gathering.settle();
  const gathered = gathering.unheld();
  const rehearsal = await rehearse(planning, at, lease, ground, grounds);
  const { rows, records, digests, dismissed, quarantine } = rehearsal;
  const counts = Object.fromEntries(
    Object.entries(records).map(([mapping, plan]) => [mapping, plan.counts]),
  );
  const stands = await standsAt(context, key);
  const basis: Basis = {
    ...stands,
    mappings: mappingVersions(source, stream),
    digests,
    rows,
    counts,
    stops: Object.values(records).some(({ removals }) => removals.stops),
    cursors: grounds.cursors,
    removes: grounds.removes,
    shape: grounds.shape,
    notes: grounds.notes,
  };
  await storePlan(context.store, at, { kind: ground.kind, basis, gathered });
  await storeRun(context.store, { ...at, now: context.now() }, ending(rows, counts, gathering));
  const plan: StreamPlan = {
    stream: stream.name,
    id: at.runId,
    state: "planned",
    notes: [...grounds.remarks, ...grounds.notes],
    origins: gathering.origins.map(({ name, sha256, rows: { read } }) => {
      return { name, sha256: sha256 ?? null, rows: read };
    }),
    rows,
    dismissed,
    records,
    quarantine,
  };
  await gathering.leave();
  return plan;
}

const MOST_ITEMS = 100;
/** Records listed of each kind of change. */
const MOST_LISTED = 100;

export interface Stands {
  readonly cursor: Json | null;
  readonly lastRunId: string | null;
}

/** Where the stream stands: it must stand there still when the plan is applied. */
export async function standsAt(
  { store }: Pick<SyncContext, "store">,
  key: StreamKey,
  on: Pick<Transaction, "query"> = store,
): Promise<Stands> {
  const [row] = await on.query<Stands>(
    `select cursor, last_run_id as "lastRunId" from stream_state
      where company = $1 and connection = $2 and stream = $3`,
    [key.company, key.connection, key.stream],
  );
  return row ?? { cursor: null, lastRunId: null };
}

function ending(rows: RowCounts, counts: Record<string, RecordCounts>, gathering: Gathering) {
  return {
    state: "planned" as const,
    error: null,
    cursor: null,
    rows,
    records: new Map(Object.entries(counts)),
    origins: gathering.origins.length,
    checkpoints: 0,
    fault: null,
    notes: ["Nothing of it is published: it is a plan."],
  };
}

/** Rolls back what was rehearsed. */
class Rehearsed extends Error {}

interface Rehearsal extends Pick<StreamPlan, "dismissed" | "quarantine"> {
  readonly rows: RowCounts;
  readonly records: Record<string, RecordPlan>;
  readonly digests: Record<string, string>;
}

async function rehearse(
  { context, source, stream, gathering }: Planning,
  at: At,
  lease: Lease,
  { kind }: Ground,
  { removes }: Grounds,
): Promise<Rehearsal> {
  const plans: Record<string, Omit<RecordPlan, "counts">> = {};
  const digests: Record<string, string> = {};
  const mostPercent = brakeOf(source, stream.name);
  const done: {
    published?: Pick<Rehearsal, "rows" | "dismissed" | "quarantine"> & {
      records: ReadonlyMap<string, RecordCounts>;
    };
  } = {};
  const inspect = async (tx: Transaction, merge: MergeOptions, part: Part): Promise<void> => {
    const brake = { mostPercent, mayClear: gathering.mayClear(part) };
    const { digest, plan } = await lookAt(context, tx, merge, brake);
    digests[part.mapping.id] = digest;
    plans[part.mapping.id] = plan;
  };
  try {
    await context.store.transaction(async (tx) => {
      await lease.hold(tx);
      const published = await publishGathered(tx, {
        context,
        at,
        gathering,
        snapshot: stream.reading === "snapshot",
        keysOnly: false,
        dropBrakePercent: null,
        before: NOTHING_PUBLISHED,
        inspect,
        ...(kind === "replay" ? { again: { removes } } : {}),
      });
      const dismissed = await dismissedAgain(tx, at.company, at.runId);
      done.published = { ...published, dismissed, quarantine: await wouldWait(tx, at) };
      throw new Rehearsed();
    });
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error;
  }
  const { rows = emptyRowCounts(), records = new Map<string, RecordCounts>() } =
    done.published ?? {};
  const { dismissed = 0, quarantine = [] } = done.published ?? {};
  return { rows, dismissed, quarantine, digests, records: withCounts(plans, records) };
}

/** The first rows that wait after the rehearsal; not those that a person dismissed. */
async function wouldWait(tx: Transaction, at: At): Promise<PlannedItem[]> {
  const items = await tx.query<{ name: string; line: number; problem: Problem | null }>(
    `select origin_name as name, line, problems -> 0 as problem from quarantine
      where company = $1 and run_id = $2 and state = 'open'
      order by origin_name, line, id limit ${MOST_ITEMS}`,
    [at.company, at.runId],
  );
  return items.map(({ name, line, problem }) => ({
    where: line === 0 ? name : `${name}:${line}`,
    field: problem?.field ?? "",
    found: problem?.found ?? "",
    expected: problem?.expected ?? "",
  }));
}

function withCounts(
  plans: Readonly<Record<string, Omit<RecordPlan, "counts">>>,
  records: ReadonlyMap<string, RecordCounts>,
): Record<string, RecordPlan> {
  return Object.fromEntries(
    [...records].flatMap(([mapping, counts]) => {
      const plan = plans[mapping];
      return plan === undefined ? [] : [[mapping, { counts, ...plan }]];
    }),
  );
}

async function lookAt(
  context: SyncContext,
  tx: Transaction,
  merge: MergeOptions,
  { mostPercent, mayClear }: { readonly mostPercent: number; readonly mayClear: boolean },
): Promise<{ digest: string; plan: Omit<RecordPlan, "counts"> }> {
  const { digest, changes, counts, from } = await differences(tx, merge, MOST_LISTED);
  const { before } = await countRemovals(tx, merge);
  const record = merge.record.name;
  const prices = await context.priceEffect?.(tx, { company: merge.company, record, from });
  const listed = (what: keyof typeof counts) => changes.filter((each) => each.what === what).length;
  return {
    digest,
    plan: {
      removals: {
        before,
        removed: counts.remove,
        mostPercent,
        stops:
          (mayClear || (merge.removes ?? merge.snapshot)) &&
          isTooMuch(before, counts.remove, mostPercent),
      },
      changes,
      leftOut: {
        insert: counts.insert - listed("insert"),
        change: counts.change - listed("change"),
        remove: counts.remove - listed("remove"),
      },
      prices: prices ?? null,
    },
  };
}
