/** Plans in the database: what must hold still for one to be applied, and what it has gathered. */
import type { Json } from "../connector/index.ts";
import { dropStagingOf, type Queryable, type Store, type Transaction } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";
import type { Shape } from "./drift.ts";
import { jsonOf, type At } from "./journal.ts";
import type { StreamKey } from "./lease.ts";
import type { Held, Parts } from "./marks.ts";

/** What must be as it was when the plan was made, and what must come out. */
export interface Basis {
  readonly cursor: Json | null;
  readonly lastRunId: string | null;
  readonly mappings: Readonly<Record<string, string>>;
  /** By mapping: a digest of every row that would be written over which. */
  readonly digests: Readonly<Record<string, string>>;
  readonly rows: RowCounts;
  readonly counts: Readonly<Record<string, RecordCounts>>;
  /** The drop brake stops it unless removals are accepted. */
  readonly stops: boolean;
  /** Cursors that the source gave, in order; none: content was mapped anew. */
  readonly cursors: readonly Json[];
  /** Of a replay: what its content lacks goes. */
  readonly removes: boolean;
  readonly shape: Shape | null;
  readonly notes: readonly string[];
}

export interface KeptPlan {
  readonly id: string;
  readonly connection: string;
  readonly stream: string;
  readonly kind: "pull" | "replay";
  readonly state: "open" | "applied" | "superseded" | "expired";
  readonly expiresAt: Temporal.Instant;
  readonly madeAt: Temporal.Instant;
  readonly basis: Basis;
  readonly gathered: { readonly parts: Parts; readonly held: readonly Held[] };
}

const DAYS = 7;

export function expiryOf(madeAt: Temporal.Instant): Temporal.Instant {
  return madeAt.add({ hours: 24 * DAYS });
}

export async function storePlan(
  store: Queryable,
  at: At,
  plan: Pick<KeptPlan, "kind" | "basis" | "gathered">,
): Promise<void> {
  await store.affect(
    `insert into plan (company, id, connection, stream, kind, state, basis, gathered, made_at,
                       expires_at)
     values ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9)`,
    [
      at.company,
      at.runId,
      at.connection,
      at.stream,
      plan.kind,
      JSON.stringify(plan.basis),
      jsonOf(plan.gathered),
      at.now.toString(),
      expiryOf(at.now).toString(),
    ],
  );
}

/** From now on the plans are those of the document with this digest, and can be applied. */
export async function signPlans(
  store: Queryable,
  company: string,
  ids: readonly string[],
  sha256: string,
): Promise<void> {
  await store.affect(`update plan set sha256 = $3 where company = $1 and id = any($2::uuid[])`, [
    company,
    ids,
    sha256,
  ]);
}

export async function plansOf(
  store: Queryable,
  company: string,
  sha256: string,
): Promise<KeptPlan[]> {
  return store.query<KeptPlan>(
    `select id, connection, stream, kind, state, basis, gathered, made_at as "madeAt",
            expires_at as "expiresAt"
       from plan where company = $1 and sha256 = $2 order by made_at, stream`,
    [company, sha256],
  );
}

/** False: it was applied, superseded or tidied away meanwhile. */
export async function markApplied(tx: Transaction, company: string, id: string): Promise<boolean> {
  const marked = await tx.affect(
    `update plan set state = 'applied', gathered = '{}' where company = $1 and id = $2
        and state = 'open'`,
    [company, id],
  );
  return marked > 0;
}

/** The stream has moved on, or a newer plan of it is made: older plans can never be applied. */
export async function supersedePlans(store: Store, key: StreamKey): Promise<void> {
  await close(
    store,
    key.company,
    "superseded",
    `update plan set state = 'superseded', gathered = '{}'
      where company = $1 and connection = $2 and stream = $3 and state = 'open' returning id`,
    [key.company, key.connection, key.stream],
  );
}

/** A plan that was never written whole is of no use after this long. */
const UNSIGNED_HOURS = 24;

/** Drops the staging of plans that are too old. */
export async function tidyPlans(
  store: Store,
  company: string,
  now: Temporal.Instant,
): Promise<number> {
  return close(
    store,
    company,
    "expired",
    `update plan set state = 'expired', gathered = '{}'
      where company = $1 and state = 'open'
        and (expires_at <= $2 or (sha256 is null and made_at <= $3)) returning id`,
    [company, now.toString(), now.subtract({ hours: UNSIGNED_HOURS }).toString()],
  );
}

async function close(
  store: Store,
  company: string,
  state: "superseded" | "expired",
  sql: string,
  values: readonly unknown[],
): Promise<number> {
  const closed = await store.query<{ id: string }>(sql, values);
  const ids = closed.map(({ id }) => id);
  // A kill from here on leaves staging of a run that is not planned, which the next run drops.
  await store.affect("update run set state = $3 where company = $1 and id = any($2::uuid[])", [
    company,
    ids,
    state,
  ]);
  for (const id of ids) await dropStagingOf(store, id);
  return closed.length;
}
