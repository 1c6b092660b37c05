/**
 * Does exactly what a plan shows, or nothing: what was staged for it is published by the code that
 * publishes a run, in one transaction over all its streams, and only when it would still write the
 * same rows over the same rows.
 */
import { isDeepStrictEqual } from "node:util";
import type { Origin, StreamDefinition } from "../connector/index.ts";
import {
  differences,
  dropStagingOf,
  stagedRows,
  type MergeOptions,
  type Transaction,
} from "../store/index.ts";
import {
  mappingsOf,
  mappingVersions,
  type RunResult,
  type Source,
  type SyncContext,
} from "./context.ts";
import { storeShape } from "./drift-store.ts";
import { Gathering, type Part } from "./gathering.ts";
import { storeCursor, storeReplayed, storeRun, type At } from "./journal.ts";
import type { Lease, StreamKey } from "./lease.ts";
import { madeWith } from "./marks.ts";
import { standsAt } from "./plan.ts";
import { isSealed, type PlanDocument } from "./plan-document.ts";
import { markApplied, plansOf, supersedePlans, type KeptPlan } from "./plan-store.ts";
import { NOTHING_PUBLISHED, publishGathered, type Published } from "./publish.ts";
import { waitForLease } from "./pull.ts";
import { afterRun } from "./completeness.ts";

/** The plan cannot be applied; nothing of it was. */
export class PlanRefused extends Error {
  override readonly name = "PlanRefused";
  readonly code = "plan-refused";

  constructor(reason: string, instruction = "Nothing was changed. Plan again.") {
    super(`Applying the plan: ${reason} ${instruction}`);
  }
}

interface Applying {
  readonly context: SyncContext;
  readonly source: Source;
  readonly stream: StreamDefinition;
  readonly plan: KeptPlan;
  readonly at: At;
  readonly gathering: Gathering;
  readonly lease: Lease;
}

export interface ApplyOptions {
  /** True: it may remove more than the drop brake allows. */
  readonly acceptRemovals?: boolean;
}

export async function applyPlan(
  context: SyncContext,
  source: Source,
  document: PlanDocument,
  options: ApplyOptions,
): Promise<RunResult[]> {
  const startedAt = context.now();
  const plans = await plansToApply(context, document, options);
  await using leases = new AsyncDisposableStack();
  const all: Applying[] = [];
  for (const plan of plans) {
    const key = keyOf(context, plan);
    all.push(begun(context, source, plan, leases.use(await waitForLease(context, key))));
  }
  for (const each of all) await checkGround(each);
  const done = await publishAll(all);
  for (const { plan, stream } of all) {
    for (const cursor of plan.basis.cursors)
      await source.connection.session.applied?.(stream.name, cursor);
    await dropStagingOf(context.store, plan.id);
    await supersedePlans(context.store, keyOf(context, plan));
  }
  const seconds = context.now().since(startedAt).total("seconds");
  const results: RunResult[] = [];
  for (const [index, each] of all.entries()) {
    const result = resultOf(each, done[index] ?? NOTHING_PUBLISHED, seconds);
    results.push(await afterRun(context, keyOf(context, each.plan), result));
  }
  return results;
}

/** What the plan's own words and its age tell, before anything is looked at. */
async function plansToApply(
  { store, company, now }: SyncContext,
  document: PlanDocument,
  options: ApplyOptions,
): Promise<KeptPlan[]> {
  if (!isSealed(document))
    throw new PlanRefused("the file was changed since it was written, so its digest does not fit.");
  if (document.company !== company)
    throw new PlanRefused(
      `it was made for company ${document.company}, and this is ${company}.`,
      "Nothing was changed. Name the company with --company.",
    );
  const plans = await plansOf(store, company, document.sha256);
  if (plans.length === 0)
    throw new PlanRefused(
      document.streams.some(({ state }) => state === "planned")
        ? "it was not made here, or the database was restored to a time before it."
        : "it holds nothing to apply.",
    );
  for (const plan of plans) {
    const { stream, state, expiresAt, basis } = plan;
    if (state === "applied")
      throw new PlanRefused(`${stream}: it was applied already.`, "Nothing was changed.");
    if (state === "superseded")
      throw new PlanRefused(`${stream}: the stream was read or planned again since.`);
    if (state === "expired" || Temporal.Instant.compare(expiresAt, now()) <= 0)
      throw new PlanRefused(`${stream}: it expired on ${expiresAt.toString()}.`);
    if (basis.stops && options.acceptRemovals !== true)
      throw new PlanRefused(
        `${stream}: it removes more than the drop brake allows.`,
        "Nothing was changed. If that is right, apply it with --accept-removals.",
      );
  }
  return plans;
}

function keyOf({ company }: SyncContext, { connection, stream }: KeptPlan): StreamKey {
  return { company, connection, stream };
}

function begun(context: SyncContext, source: Source, plan: KeptPlan, lease: Lease): Applying {
  const stream = source.connection.streams.find(({ name }) => name === plan.stream);
  if (stream === undefined || source.connection.name !== plan.connection)
    throw new PlanRefused(`connection ${plan.connection} has no stream ${plan.stream} any more.`);
  const mappings = mappingsOf(source, stream);
  const isSame =
    isDeepStrictEqual(mappingVersions(source, stream), plan.basis.mappings) &&
    mappings.every((mapping) => plan.gathered.parts[mapping.id]?.as === madeWith(mapping));
  if (!isSame) throw new PlanRefused(`${stream.name}: its mappings were changed since.`);
  const gathering = new Gathering(context.store, plan.id, stream, mappings, false);
  gathering.resume(plan.gathered, plan.gathered.held);
  const at = { ...keyOf(context, plan), runId: plan.id, now: context.now() };
  return { context, source, stream, plan, at, gathering, lease };
}

/** What can be told without writing: the staging is whole, and the source is as it was. */
async function checkGround({ context, source, stream, plan, gathering }: Applying): Promise<void> {
  for (const { mapping, staging } of gathering.parts) {
    const held = plan.gathered.parts[mapping.id]?.staged.held ?? 0;
    if ((await stagedRows(context.store, staging)) !== held)
      throw new PlanRefused(
        `${stream.name}: what was staged for it is gone, as after a crash of the database.`,
      );
  }
  if (plan.kind === "replay") return;
  for (const origin of gathering.origins)
    if (!(await isThere(source, origin)))
      throw new PlanRefused(
        `${stream.name}: ${origin.name} is not there any more as it was planned with.`,
      );
}

/** Of a file: with the same content. Of anything else nobody can tell; its rows are kept here. */
async function isThere({ connection }: Source, origin: Origin): Promise<boolean> {
  const { session } = connection;
  if (origin.keptAt === undefined || session.original === undefined) return true;
  return (await session.original(origin, 1)) !== null;
}

/** A connection that is lost while it commits says nothing: the plans tell. */
async function publishAll(all: readonly Applying[]): Promise<readonly Published[]> {
  const [first] = all;
  if (first === undefined) return [];
  const { store, company } = first.context;
  const done: Published[] = [];
  try {
    await store.transaction(async (tx) => {
      done.length = 0;
      for (const each of all) done.push(await publishOne(tx, each));
    });
  } catch (error) {
    if (done.length < all.length) throw error;
    const rows = await store.query(
      "select from plan where company = $1 and id = any($2::uuid[]) and state = 'applied'",
      [company, all.map(({ plan }) => plan.id)],
    );
    if (rows.length < all.length) throw error;
  }
  return done;
}

async function publishOne(tx: Transaction, applying: Applying): Promise<Published> {
  const { context, source, stream, plan, at, gathering, lease } = applying;
  const { basis } = plan;
  const isSnapshot = stream.reading === "snapshot";
  await lease.hold(tx);
  if (!(await markApplied(tx, at.company, plan.id)))
    throw new PlanRefused(`${stream.name}: it was applied, or the stream was read, just now.`);
  const { cursor, lastRunId } = await standsAt(context, at, tx);
  if (
    !isDeepStrictEqual({ cursor, lastRunId }, { cursor: basis.cursor, lastRunId: basis.lastRunId })
  )
    throw new PlanRefused(`${stream.name}: the stream was read since.`);
  const { rows, records, notes } = await publishGathered(tx, {
    context,
    at,
    gathering,
    snapshot: isSnapshot,
    keysOnly: false,
    dropBrakePercent: null,
    before: NOTHING_PUBLISHED,
    inspect: (on, merge, part) => assertSame(on, merge, part, plan),
    ...(plan.kind === "replay" ? { again: { removes: basis.removes } } : {}),
  });
  const counts = Object.fromEntries(records);
  if (!isDeepStrictEqual({ rows, counts }, { rows: basis.rows, counts: basis.counts }))
    throw new PlanRefused(`${stream.name}: its figures would not be those of the plan.`);
  const last = basis.cursors.at(-1) ?? basis.cursor;
  const versions = mappingVersions(source, stream);
  if (plan.kind === "replay") await storeReplayed(tx, at, versions);
  else if (last !== null) await storeCursor(tx, at, last, versions);
  if (basis.shape !== null)
    await storeShape(tx, at, basis.shape, { at: at.now, answers: isSnapshot });
  const published = { rows, records, cursor: last };
  await storeRun(tx, at, {
    ...published,
    state: "published",
    error: null,
    origins: gathering.origins.length,
    checkpoints: 1,
    fault: null,
    notes: [...basis.notes, ...notes],
  });
  await lease.hold(tx);
  return published;
}

/** Another feed, a replay from quarantine or a person may have touched the same records. */
async function assertSame(
  tx: Transaction,
  merge: MergeOptions,
  { mapping }: Part,
  { stream, basis }: KeptPlan,
): Promise<void> {
  const { digest } = await differences(tx, merge, 0);
  if (digest === basis.digests[mapping.id]) return;
  throw new PlanRefused(
    `${stream}: ${merge.record.name} records were changed by something else since.`,
  );
}

function resultOf(
  { plan, stream, gathering }: Applying,
  done: Published,
  seconds: number,
): RunResult {
  return {
    runId: plan.id,
    fault: null,
    stream: stream.name,
    state: "published",
    rows: done.rows,
    records: Object.fromEntries(done.records),
    origins: gathering.origins.map(({ name }) => name),
    notes: plan.basis.notes,
    seconds,
  };
}
