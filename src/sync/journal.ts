/** What a run writes about itself: its start and end, its origins, and the stream's cursor. */
import type { Json, Origin } from "../connector/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import type { RecordCounts, RowCounts } from "./accounting.ts";
import type { StreamKey } from "./lease.ts";
import type { RunState } from "./context.ts";

export interface OpenOrigin extends Origin {
  readonly id: string;
  rows: number;
}

export type At = StreamKey & { readonly runId: string; readonly now: Temporal.Instant };

export interface RunEnding {
  readonly state: RunState;
  readonly error: string | null;
  readonly cursor: Json | null;
  readonly rows: RowCounts;
  readonly records: ReadonlyMap<string, RecordCounts>;
  readonly origins: number;
  readonly notes: readonly string[];
}

const jsonOrNull = (value: Json | null): string | null =>
  value === null ? null : JSON.stringify(value);

export async function storeStart(store: Queryable, at: At, cursor: Json | null): Promise<void> {
  await store.affect(
    `insert into run (company, id, connection, stream, state, started_at, cursor_before,
                      rows_read, mapped, ignored, repeated, quarantined, counts, origins)
     values ($1, $2, $3, $4, 'running', $5, $6, 0, 0, 0, 0, 0, '{}', 0)`,
    [at.company, at.runId, at.connection, at.stream, at.now.toString(), jsonOrNull(cursor)],
  );
}

/** `appliedAt` null: the origin was refused; it is kept so that its quarantine item can name it. */
export async function storeOrigins(
  tx: Transaction,
  at: At,
  origins: readonly OpenOrigin[],
  appliedAt: Temporal.Instant | null,
): Promise<void> {
  for (const origin of origins)
    await tx.query(
      `insert into origin (company, id, run_id, connection, stream, name, kept_at, sha256, bytes,
                           rows, applied_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
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
        origin.rows,
        appliedAt?.toString() ?? null,
      ],
    );
}

export async function storeCursor(tx: Transaction, at: At, cursor: Json): Promise<void> {
  await tx.query(
    `update stream_state set cursor = $4, last_run_id = $5, last_applied_at = $6, last_seen_at = $6
      where company = $1 and connection = $2 and stream = $3`,
    [at.company, at.connection, at.stream, JSON.stringify(cursor), at.runId, at.now.toString()],
  );
}

export async function storeRun(store: Queryable, at: At, ending: RunEnding): Promise<void> {
  const { read, mapped, ignored, repeated, quarantined } = ending.rows;
  await store.affect(
    `update run set state = $3, ended_at = $4, error = $5, cursor_after = $6, rows_read = $7,
            mapped = $8, ignored = $9, repeated = $10, quarantined = $11, counts = $12,
            origins = $13, note = $14
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
    ],
  );
}
