/** How fresh each stream is, and what the last runs did. */
import type { FaultKind, Json } from "../connector/index.ts";
import type { Queryable } from "../store/index.ts";
import type { RecordCounts } from "./accounting.ts";

export interface StreamState {
  readonly connection: string;
  readonly stream: string;
  /** When content was last applied, or confirmed to be unchanged; null: never. */
  readonly lastAppliedAt: Temporal.Instant | null;
  readonly lastRunId: string | null;
  readonly cursor: Json | null;
  /** Rows in quarantine, and the money at risk of those that can tell; decimal text. */
  readonly open: number;
  readonly worth: string | null;
  /** Until when somebody reads it, unless the lease is renewed; null: nobody does. */
  readonly heldUntil: Temporal.Instant | null;
  /** The newest run stopped, and only a person can say how the stream goes on. */
  readonly asks: boolean;
  /** Who stopped the newest run; null: nobody. */
  readonly stoppedBy: string | null;
  /** The newest run, whatever came of it; null: there was none. */
  readonly newest: NewestRun | null;
}

export interface NewestRun {
  readonly id: string;
  readonly state: string;
  readonly rows: number;
  readonly startedAt: Temporal.Instant;
  readonly endedAt: Temporal.Instant | null;
  readonly error: string | null;
}

type StateRow = Omit<StreamState, "newest"> & {
  readonly runId: string | null;
  readonly runState: string;
  readonly runRows: number;
  readonly runStartedAt: Temporal.Instant;
  readonly runEndedAt: Temporal.Instant | null;
  readonly runError: string | null;
};

export async function streamStates(store: Queryable, company: string): Promise<StreamState[]> {
  const rows = await store.query<StateRow>(
    `select s.connection, s.stream, s.last_applied_at as "lastAppliedAt",
            s.last_run_id as "lastRunId", s.cursor, coalesce(q.open, 0) as open, q.worth,
            case when s.holder is null then null else s.lease_until end as "heldUntil",
            r.id as "runId", r.state as "runState",
            greatest(r.rows_read, coalesce(r.rows_so_far, 0)) as "runRows",
            coalesce(r.state = 'stopped' and r.fault_kind is not null, false) as asks,
            case when r.state = 'stopped' then r.stop_asked_by end as "stoppedBy",
            r.started_at as "runStartedAt", r.ended_at as "runEndedAt", r.error as "runError"
       from stream_state s
       left join (select connection, stream, count(*)::int as open, sum(worth) as worth
                    from quarantine where company = $1 and state = 'open' group by 1, 2) q
         on q.connection = s.connection and q.stream = s.stream
       left join lateral (select * from run r where r.company = s.company
                             and r.connection = s.connection and r.stream = s.stream
                           order by r.started_at desc, r.id desc limit 1) r on true
      where s.company = $1 order by s.connection, s.stream`,
    [company],
  );
  return rows.map(({ runId, runState, runRows, runStartedAt, runEndedAt, runError, ...state }) => ({
    ...state,
    newest:
      runId === null
        ? null
        : {
            id: runId,
            state: runState,
            rows: runRows,
            startedAt: runStartedAt,
            endedAt: runEndedAt,
            error: runError,
          },
  }));
}

export interface LookedAt {
  readonly connection: string;
  readonly stream: string;
  /** When the last look at it began that ended well, whatever lay there; null: there was none. */
  readonly lookedAt: Temporal.Instant | null;
}

export function looksAt(
  store: Queryable,
  company: string,
  reads: readonly { readonly connection: string; readonly stream: string }[],
): Promise<LookedAt[]> {
  return store.query<LookedAt>(
    `select r.connection, r.stream, s.last_seen_at as "lookedAt"
       from unnest($2::text[], $3::text[]) as r(connection, stream)
       left join stream_state s
         on s.company = $1 and s.connection = r.connection and s.stream = r.stream
      order by r.connection, r.stream`,
    [company, reads.map(({ connection }) => connection), reads.map(({ stream }) => stream)],
  );
}

export interface RunRow {
  readonly id: string;
  readonly connection: string;
  readonly stream: string;
  /** `pull`, `history` (days of it) or `keys` (a comparison of what is there). */
  readonly kind: string;
  readonly state: string;
  readonly startedAt: Temporal.Instant;
  readonly endedAt: Temporal.Instant | null;
  readonly read: number;
  readonly mapped: number;
  readonly ignored: number;
  readonly repeated: number;
  readonly quarantined: number;
  readonly counts: Readonly<Record<string, RecordCounts>>;
  readonly error: string | null;
  /** What the reader of the error must do; null: there is none, or nobody knows. */
  readonly faultKind: FaultKind | null;
  /** When it is worth trying again. */
  readonly retryAt: Temporal.Instant | null;
  /** The run that it went on from. */
  readonly continues: string | null;
  readonly note: string | null;
}

/** Newest first. */
export async function listRuns(
  store: Queryable,
  company: string,
  filter: { stream?: string; limit: number; id?: string },
): Promise<RunRow[]> {
  return store.query<RunRow>(
    `select id, connection, stream, kind, state, started_at as "startedAt", ended_at as "endedAt",
            rows_read as read, mapped, ignored, repeated, quarantined, counts, error,
            fault_kind as "faultKind", retry_at as "retryAt", continues, note
       from run where company = $1 and ($2::text is null or stream = $2)
        and ($4::uuid is null or id = $4)
      order by started_at desc, id desc limit $3`,
    [company, filter.stream ?? null, filter.limit, filter.id ?? null],
  );
}
