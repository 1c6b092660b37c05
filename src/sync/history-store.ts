/** Loads of a long history and the months of them that were read, in the database. */
import type { Queryable } from "../store/index.ts";
import type { StreamKey } from "./lease.ts";

/** Days are ISO 8601. */
export interface Load {
  readonly id: string;
  /** `first`: live reading begins with it; `backfill`: days that are read again. */
  readonly kind: "first" | "backfill";
  readonly fromOn: string;
  readonly toOn: string;
  readonly beganAt: Temporal.Instant;
}

export interface ReadSlice {
  readonly fromOn: string;
  readonly toOn: string;
  readonly runId: string;
  readonly rows: number;
  readonly seconds: number;
  readonly readAt: Temporal.Instant;
}

const LOAD = `id, kind, from_on as "fromOn", to_on as "toOn", began_at as "beganAt"`;

/** Those that are not read to their end, the first load before backfills. */
export async function openLoads(store: Queryable, key: StreamKey): Promise<readonly Load[]> {
  return store.query<Load>(
    `select ${LOAD} from history_load
      where company = $1 and connection = $2 and stream = $3 and ended_at is null
      order by kind desc, began_at`,
    [key.company, key.connection, key.stream],
  );
}

/** A first load puts an end to the one before it. */
export async function storeLoad(store: Queryable, key: StreamKey, load: Load): Promise<Load> {
  if (load.kind === "first")
    await store.affect(
      `update history_load set ended_at = $4 where company = $1 and connection = $2
          and stream = $3 and kind = 'first' and ended_at is null`,
      [key.company, key.connection, key.stream, load.beganAt.toString()],
    );
  await store.affect(
    `insert into history_load (company, id, connection, stream, kind, from_on, to_on, began_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      key.company,
      load.id,
      key.connection,
      key.stream,
      load.kind,
      load.fromOn,
      load.toOn,
      load.beganAt.toString(),
    ],
  );
  return load;
}

export async function endLoad(
  store: Queryable,
  key: StreamKey,
  id: string,
  at: Temporal.Instant,
): Promise<void> {
  await store.affect("update history_load set ended_at = $3 where company = $1 and id = $2", [
    key.company,
    id,
    at.toString(),
  ]);
}

export async function slicesOf(
  store: Queryable,
  company: string,
  loadId: string,
): Promise<readonly ReadSlice[]> {
  return store.query<ReadSlice>(
    `select from_on as "fromOn", to_on as "toOn", run_id as "runId", rows, seconds,
            read_at as "readAt"
       from history_slice where company = $1 and load_id = $2 order by from_on desc`,
    [company, loadId],
  );
}

export async function storeSlice(
  store: Queryable,
  key: StreamKey,
  load: Load,
  slice: ReadSlice,
): Promise<ReadSlice> {
  await store.affect(
    `insert into history_slice (company, load_id, from_on, to_on, run_id, rows, seconds, read_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      key.company,
      load.id,
      slice.fromOn,
      slice.toOn,
      slice.runId,
      slice.rows,
      slice.seconds,
      slice.readAt.toString(),
    ],
  );
  return slice;
}

/** How far a stream's history is read. */
export interface History {
  readonly connection: string;
  readonly stream: string;
  /** From this day on all is read; null: no month is, or the stream was read in one piece. */
  readonly completeFrom: string | null;
  /** The load that is under way; null: none is. */
  readonly load: {
    readonly kind: Load["kind"];
    readonly fromOn: string;
    readonly toOn: string;
    readonly months: { readonly done: number; readonly of: number };
    readonly secondsLeft: number | null;
  } | null;
}

interface LoadRow extends Load {
  readonly connection: string;
  readonly stream: string;
  readonly endedAt: Temporal.Instant | null;
  readonly slices: readonly { readonly from: string; readonly to: string }[];
  readonly seconds: number;
  readonly months: number;
}

/** Streams whose history is or was read by months. */
export async function histories(store: Queryable, company: string): Promise<readonly History[]> {
  const rows = await store.query<LoadRow>(
    `select l.connection, l.stream, l.ended_at as "endedAt", ${LOAD},
            ((extract(year from age(date_trunc('month', to_on), date_trunc('month', from_on))) * 12
              + extract(month from age(date_trunc('month', to_on), date_trunc('month', from_on)))) + 1
            )::int as months,
            coalesce(s.slices, '[]') as slices, coalesce(s.seconds, 0) as seconds
       from history_load l left join lateral
            (select jsonb_agg(jsonb_build_object('from', from_on, 'to', to_on)
                              order by to_on desc) as slices, sum(seconds) as seconds
               from history_slice where company = l.company and load_id = l.id) s on true
      where l.company = $1 order by l.connection, l.stream, l.began_at`,
    [company],
  );
  const streams = Map.groupBy(rows, ({ connection, stream }) => `${connection}/${stream}`);
  return [...streams.values()].flatMap((loads) => historyOf(loads) ?? []);
}

function historyOf(loads: readonly LoadRow[]): History | undefined {
  const [any] = loads;
  if (any === undefined) return undefined;
  const open = loads.find(({ endedAt }) => endedAt === null);
  const done = open?.slices.length ?? 0;
  const left = (open?.months ?? 0) - done;
  return {
    connection: any.connection,
    stream: any.stream,
    completeFrom: completeFrom(loads),
    load:
      open === undefined
        ? null
        : {
            kind: open.kind,
            fromOn: open.fromOn,
            toOn: open.toOn,
            months: { done, of: open.months },
            secondsLeft: done === 0 ? null : Math.round((open.seconds / done) * left),
          },
  };
}

/** The days that were read join up with the newest first load, however they were read. */
function completeFrom(loads: readonly LoadRow[]): string | null {
  const first = loads.findLast(({ kind }) => kind === "first");
  const slices = loads
    .flatMap((load) => load.slices)
    .toSorted((left, right) => (left.to < right.to ? 1 : -1));
  let from: string | null = null as string | null;
  let reaches = first?.toOn ?? null;
  for (const slice of slices) {
    if (reaches === null || slice.to < reaches) continue;
    from = from === null || slice.from < from ? slice.from : from;
    reaches = Temporal.PlainDate.from(from).subtract({ days: 1 }).toString();
  }
  return from;
}
