/** Where the shapes of streams are kept: as they were accepted, and changed ones that wait. */
import type { Queryable, Transaction } from "../store/index.ts";
import type { SyncContext } from "./context.ts";
import { audit } from "./deeds.ts";
import { changesInWords, type Shape, type ShapeChange } from "./drift.ts";
import type { PendingShape } from "./drift-watch.ts";
import type { StreamKey } from "./lease.ts";

export interface StreamShape {
  readonly connection: string;
  readonly stream: string;
  /** Null: nothing was applied yet. */
  readonly columns: Shape | null;
  /** Null: nothing waits to be accepted. */
  readonly pending: PendingShape | null;
  /** Null: no change was accepted by a person yet. */
  readonly accepted: Acceptance | null;
  readonly changedAt: Temporal.Instant;
}

/** Why a stream's shape is what it is. */
export interface Acceptance {
  readonly who: string;
  /** Null: it was not said. */
  readonly why: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly changes: readonly ShapeChange[];
  readonly origin: string;
}

const keyOf = ({ company, connection, stream }: StreamKey) => [company, connection, stream];

/** The shape that was last accepted; null: none was. */
export async function readShape(store: Queryable, key: StreamKey): Promise<Shape | null> {
  const [row] = await store.query<{ columns: Shape | null }>(
    `select columns from stream_shape where company = $1 and connection = $2 and stream = $3`,
    keyOf(key),
  );
  return row?.columns ?? null;
}

/**
 * With the rows that have it. What stopped the stream is answered, since it is read on; what waits
 * as a file of its own is not, unless a newer snapshot came.
 */
export async function storeShape(
  tx: Transaction,
  key: StreamKey,
  shape: Shape,
  { at, answers }: { readonly at: Temporal.Instant; readonly answers: boolean },
): Promise<void> {
  await tx.query(
    `insert into stream_shape (company, connection, stream, columns, changed_at)
     values ($1, $2, $3, $4, $5)
     on conflict (company, connection, stream) do update
       set columns = $4, changed_at = $5,
           pending = case when $6 or stream_shape.pending ->> 'reaction' = 'stop' then null
                          else stream_shape.pending end
       where stream_shape.columns is distinct from $4::jsonb or stream_shape.pending is not null`,
    [...keyOf(key), JSON.stringify(shape), at.toString(), answers],
  );
}

export async function storePending(
  store: Queryable,
  key: StreamKey,
  pending: PendingShape,
  at: Temporal.Instant,
): Promise<void> {
  await store.affect(
    `insert into stream_shape (company, connection, stream, pending, changed_at)
     values ($1, $2, $3, $4, $5)
     on conflict (company, connection, stream) do update set pending = $4, changed_at = $5`,
    [...keyOf(key), JSON.stringify(pending), at.toString()],
  );
}

export async function streamShapes(store: Queryable, company: string): Promise<StreamShape[]> {
  return store.query<StreamShape>(
    `select connection, stream, columns, pending, accepted, changed_at as "changedAt"
       from stream_shape where company = $1 order by connection, stream`,
    [company],
  );
}

/** The shape that waited is the stream's from now on; null: none waited. */
export async function acceptShape(
  context: SyncContext,
  { connection, stream }: Pick<StreamKey, "connection" | "stream">,
  { who, why }: Pick<Acceptance, "who" | "why">,
): Promise<PendingShape | null> {
  const { store, company, now } = context;
  const [key, at] = [{ company, connection, stream }, now().toString()];
  return store.transaction(async (tx) => {
    const [row] = await tx.query<{ pending: PendingShape }>(
      `select pending from stream_shape
        where company = $1 and connection = $2 and stream = $3 and pending is not null for update`,
      keyOf(key),
    );
    if (row === undefined) return null;
    const { columns, changes, origin } = row.pending;
    const accepted: Acceptance = { who, why, at, changes, origin };
    await tx.affect(
      `update stream_shape set columns = $4, pending = null, accepted = $5, changed_at = $6
        where company = $1 and connection = $2 and stream = $3`,
      [...keyOf(key), JSON.stringify(columns), JSON.stringify(accepted), at],
    );
    const details = { why, origin, changes: changesInWords(changes) };
    await audit(tx, context, "stream-shape-accepted", {
      item: `${connection}/${stream}`,
      who,
      action: "accepted",
      details,
    });
    return row.pending;
  });
}
