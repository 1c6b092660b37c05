/** What a run writes about itself: its start and end, its origins, and the stream's cursor. */
import { beforeBackwards } from "../connections/index.ts";
import type { Json, Origin } from "../connector/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";
import type { StreamKey } from "./lease.ts";
import type { RunFault, RunState } from "./context.ts";

/** An origin as it is written down: its rows as they were counted. */
export interface CountedOrigin extends Origin {
  readonly id: string;
  readonly rows: RowCounts;
}

export type At = StreamKey & { readonly runId: string; readonly now: Temporal.Instant };

export interface Begun {
  readonly cursor: Json | null;
  readonly kind: "pull" | "history" | "keys" | "replay";
  /** The run that it goes on from. */
  readonly continues: string | null;
}

export interface RunEnding {
  readonly state: RunState;
  readonly error: string | null;
  readonly cursor: Json | null;
  readonly rows: RowCounts;
  readonly records: ReadonlyMap<string, RecordCounts>;
  readonly origins: number;
  /** Transactions in which something was published. */
  readonly checkpoints: number;
  readonly fault: RunFault | null;
  readonly notes: readonly string[];
}

export const jsonOrNull = (value: Json | null): string | null =>
  value === null ? null : JSON.stringify(value);

/** jsonb cannot hold NUL: it is shown as the symbol for it. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value).replaceAll("\\u0000", "\\u2400");
}

export async function storeStart(store: Queryable, at: At, begun: Begun): Promise<void> {
  await store.affect(
    `insert into run (company, id, connection, stream, kind, state, started_at, cursor_before,
                      continues, rows_read, mapped, ignored, repeated, quarantined, counts, origins)
     values ($1, $2, $3, $4, $5, 'running', $6, $7, $8, 0, 0, 0, 0, 0, '{}', 0)`,
    [
      at.company,
      at.runId,
      at.connection,
      at.stream,
      begun.kind,
      at.now.toString(),
      jsonOrNull(begun.cursor),
      begun.continues,
    ],
  );
}

/** Who asked the run to stop; null: nobody. */
export async function stopAskedBy(store: Queryable, at: At): Promise<string | null> {
  const [row] = await store.query<{ by: string | null }>(
    `select stop_asked_by as by from run where company = $1 and id = $2`,
    [at.company, at.runId],
  );
  return row?.by ?? null;
}

/** How far the run is; gives who asked it to stop, as `stopAskedBy` does. */
export async function keepRowsSoFar(
  store: Queryable,
  at: At,
  rows: number,
): Promise<string | null> {
  const [row] = await store.query<{ by: string | null }>(
    `update run set rows_so_far = $3 where company = $1 and id = $2
     returning stop_asked_by as by`,
    [at.company, at.runId, rows],
  );
  return row?.by ?? null;
}

/** Since when the stream's newest run reads, or seems to; null: none does. */
export async function readSince(
  store: Queryable,
  key: StreamKey,
): Promise<Temporal.Instant | null> {
  const [row] = await store.query<{ at: Temporal.Instant }>(
    `select max(started_at) as at from run
      where company = $1 and connection = $2 and stream = $3 and state = 'running'`,
    [key.company, key.connection, key.stream],
  );
  return row?.at ?? null;
}

/** The newest run of the stream that came to an end since, its failures left out; null: none. */
export async function runEndedSince(
  store: Queryable,
  key: StreamKey,
  since: Temporal.Instant,
): Promise<{ readonly id: string; readonly state: RunState } | null> {
  const [row] = await store.query<{ id: string; state: RunState }>(
    `select id, state from run
      where company = $1 and connection = $2 and stream = $3 and ended_at >= $4
        and state in ('published', 'unchanged', 'refused', 'stopped')
      order by ended_at desc limit 1`,
    [key.company, key.connection, key.stream, since.toString()],
  );
  return row ?? null;
}

/** `appliedAt` null: the origin was refused; it is kept so that its quarantine item can name it. */
export async function storeOrigins(
  tx: Transaction,
  at: At,
  origins: readonly CountedOrigin[],
  appliedAt: Temporal.Instant | null,
): Promise<void> {
  for (const [ordinal, origin] of origins.entries())
    await tx.query(
      `insert into origin (company, id, run_id, connection, stream, name, kept_at, sha256, bytes,
                           rows, applied_at, ordinal)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        at.company,
        origin.id,
        at.runId,
        at.connection,
        at.stream,
        origin.name,
        origin.keptAt ?? null,
        origin.sha256 ?? null,
        origin.bytes ?? null,
        origin.rows.read,
        appliedAt?.toString() ?? null,
        ordinal,
      ],
    );
}

/** Rows of this content when it was applied to the stream before; 0: it never was. */
export async function rowsAppliedBefore(
  tx: Transaction,
  at: StreamKey,
  sha256: string,
): Promise<number> {
  const [row] = await tx.query<{ rows: number }>(
    `select coalesce(max(rows), 0) as rows from origin
      where company = $1 and connection = $2 and stream = $3 and sha256 = $4
        and applied_at is not null`,
    [at.company, at.connection, at.stream, sha256],
  );
  return row?.rows ?? 0;
}

export interface StreamCursor {
  readonly cursor: Json | null;
  /** Versions of the mappings that the content up to it was mapped with; null: nothing was. */
  readonly mappings: Readonly<Record<string, string>> | null;
  /**
   * An ERP went backwards since it was read: "company" one of the company's, "own" this one; null:
   * none did.
   */
  readonly wentBackwards: "company" | "own" | null;
}

export async function readCursor(store: Queryable, key: StreamKey): Promise<StreamCursor> {
  const [row] = await store.query<StreamCursor>(
    `select cursor, mappings,
            case when ${beforeBackwards("last_applied_at", "$2")} then 'own'
                 when ${beforeBackwards("last_applied_at")} then 'company' end as "wentBackwards"
       from stream_state
      where company = $1 and connection = $2 and stream = $3`,
    [key.company, key.connection, key.stream],
  );
  return row ?? { cursor: null, mappings: null, wentBackwards: null };
}

export async function storeCursor(
  tx: Transaction,
  at: At,
  cursor: Json,
  mappings: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.query(
    `update stream_state set cursor = $4, mappings = $5, last_run_id = $6, last_applied_at = $7
      where company = $1 and connection = $2 and stream = $3`,
    [
      at.company,
      at.connection,
      at.stream,
      JSON.stringify(cursor),
      JSON.stringify(mappings),
      at.runId,
      at.now.toString(),
    ],
  );
}

/** A look at the source ended well: what lay there when it began was read, if anything did. */
export async function storeLook(
  store: Queryable,
  key: StreamKey,
  began: Temporal.Instant,
): Promise<void> {
  await store.affect(
    `update stream_state set last_seen_at = greatest(last_seen_at, $4)
      where company = $1 and connection = $2 and stream = $3`,
    [key.company, key.connection, key.stream, began.toString()],
  );
}

/** Runs of the stream that failed since one ended well. */
export async function failuresInARow(store: Queryable, key: StreamKey): Promise<number> {
  const [row] = await store.query<{ failed: number }>(
    `select count(*)::int as failed from run r
      where company = $1 and connection = $2 and stream = $3 and state = 'failed'
        and not exists (select from run w where w.company = r.company
              and w.connection = r.connection and w.stream = r.stream
              and w.state in ('published', 'unchanged') and w.started_at > r.started_at)`,
    [key.company, key.connection, key.stream],
  );
  return row?.failed ?? 0;
}

/** What was applied before was mapped anew: the stream stands where it stood, and is no fresher. */
export async function storeReplayed(
  tx: Transaction,
  at: At,
  mappings: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.query(
    `update stream_state set mappings = $4, last_run_id = $5
      where company = $1 and connection = $2 and stream = $3`,
    [at.company, at.connection, at.stream, JSON.stringify(mappings), at.runId],
  );
}

/** Whether the run's transaction of that number was committed. */
export async function isCommitted(store: Queryable, at: At, checkpoints: number): Promise<boolean> {
  const rows = await store.query(
    "select 1 from run where company = $1 and id = $2 and checkpoints = $3",
    [at.company, at.runId, checkpoints],
  );
  return rows.length > 0;
}

/** What the run counted that applied content to the stream last; null: none has. */
export async function lastRun(
  on: Queryable,
  key: StreamKey,
): Promise<{ rows: RowCounts; counts: Readonly<Record<string, RecordCounts>> } | null> {
  const [row] = await on.query<{ rows: RowCounts; counts: Record<string, RecordCounts> }>(
    `select jsonb_build_object('read', r.rows_read, 'mapped', r.mapped, 'ignored', r.ignored,
              'repeated', r.repeated, 'quarantined', r.quarantined) as rows, r.counts
       from run r join stream_state s on s.company = r.company and s.last_run_id = r.id
      where s.company = $1 and s.connection = $2 and s.stream = $3`,
    [key.company, key.connection, key.stream],
  );
  return row ?? null;
}

export async function storeRun(store: Queryable, at: At, ending: RunEnding): Promise<void> {
  const { read, mapped, ignored, repeated, quarantined } = ending.rows;
  await store.affect(
    `update run set state = $3, ended_at = $4, error = $5, cursor_after = $6, rows_read = $7,
            mapped = $8, ignored = $9, repeated = $10, quarantined = $11, counts = $12,
            origins = $13, note = $14, checkpoints = $15, fault_kind = $16, retry_at = $17,
            rows_so_far = null
      where company = $1 and id = $2`,
    [
      at.company,
      at.runId,
      ending.state,
      at.now.toString(),
      ending.error,
      jsonOrNull(ending.cursor),
      read,
      mapped,
      ignored,
      repeated,
      quarantined,
      JSON.stringify(Object.fromEntries(ending.records)),
      ending.origins,
      ending.notes.join("\n") || null,
      ending.checkpoints,
      ending.fault?.kind ?? null,
      ending.fault?.retryAt?.toString() ?? null,
    ],
  );
}
