/** Where the shapes of streams are kept: as they were accepted, and changed ones that wait. */
import type { Queryable, Transaction } from "../store/index.ts";
import type { Shape } from "./drift.ts";
import type { PendingShape } from "./drift-watch.ts";
import type { StreamKey } from "./lease.ts";

export interface StreamShape {
  readonly connection: string;
  readonly stream: string;
  /** Null: nothing was applied yet. */
  readonly columns: Shape | null;
  /** Null: nothing waits to be accepted. */
  readonly pending: PendingShape | null;
  readonly changedAt: Temporal.Instant;
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
    `select connection, stream, columns, pending, changed_at as "changedAt"
       from stream_shape where company = $1 order by connection, stream`,
    [company],
  );
}

/** The shape that waited is the stream's from now on; null: none waited. */
export async function acceptShape(
  store: Queryable,
  key: StreamKey,
  at: Temporal.Instant,
): Promise<PendingShape | null> {
  const [row] = await store.query<{ pending: PendingShape }>(
    `with waiting as (
       select pending from stream_shape
        where company = $1 and connection = $2 and stream = $3 and pending is not null for update
     )
     update stream_shape s set columns = w.pending -> 'columns', pending = null, changed_at = $4
       from waiting w where s.company = $1 and s.connection = $2 and s.stream = $3
     returning w.pending`,
    [...keyOf(key), at.toString()],
  );
  return row?.pending ?? null;
}
