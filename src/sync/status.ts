/** How fresh each stream is, and what the last runs did. */
import type { Json } from "../connector/index.ts";
import type { Queryable } from "../store/index.ts";
import type { RecordCounts } from "./accounting.ts";

export interface StreamState {
  readonly connection: string;
  readonly stream: string;
  /** When content was last applied; null: never. */
  readonly lastAppliedAt: Temporal.Instant | null;
  readonly lastRunId: string | null;
  readonly cursor: Json | null;
  readonly open: number;
}

export async function streamStates(store: Queryable, company: string): Promise<StreamState[]> {
  return store.query<StreamState>(
    `select s.connection, s.stream, s.last_applied_at as "lastAppliedAt",
            s.last_run_id as "lastRunId", s.cursor,
            (select count(*)::int from quarantine q where q.company = s.company
               and q.connection = s.connection and q.stream = s.stream and q.state = 'open') as open
       from stream_state s where s.company = $1 order by s.connection, s.stream`,
    [company],
  );
}

export interface RunRow {
  readonly id: string;
  readonly connection: string;
  readonly stream: string;
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
  readonly note: string | null;
}

/** Newest first. */
export async function listRuns(
  store: Queryable,
  company: string,
  filter: { stream?: string; limit: number },
): Promise<RunRow[]> {
  return store.query<RunRow>(
    `select id, connection, stream, state, started_at as "startedAt", ended_at as "endedAt",
            rows_read as read, mapped, ignored, repeated, quarantined, counts, error, note
       from run where company = $1 and ($2::text is null or stream = $2)
      order by started_at desc, id desc limit $3`,
    [company, filter.stream ?? null, filter.limit],
  );
}
