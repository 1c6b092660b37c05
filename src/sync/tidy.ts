/** What runs left that were killed. */
import { dropStagingOf, stagedRuns } from "../store/index.ts";
import type { SyncContext } from "./context.ts";
import type { StreamKey } from "./lease.ts";
import { dropMark, marksOf, MOST_DAYS } from "./marks.ts";

/**
 * A run that was killed leaves a row that says "running", and staging tables even where its last
 * checkpoint was published. We hold the lease: every other run of this stream is over. What a mark
 * holds stays, for the next run to go on with; so does what a person is still to decide on.
 */
export async function tidyAfterKill(context: SyncContext, key: StreamKey): Promise<void> {
  const { store } = context;
  const of = [key.company, key.connection, key.stream];
  await store.affect(
    `update run r set state = 'failed', ended_at = $4, fault_kind = 'transient',
            error = 'The run was cut short. ' || case
              when exists (select from run_mark m where m.company = r.company and m.run_id = r.id)
              then 'What it had read up to its last mark is kept; the next run goes on from there.'
              else 'Nothing of it was published; the next run read it again.' end
      where company = $1 and connection = $2 and stream = $3 and state = 'running'`,
    [...of, context.now().toString()],
  );
  // A piece of a history that nobody asks for any more is never gone on with.
  const old = context.now().subtract({ hours: 24 * MOST_DAYS });
  for (const { runId, startedAt, reading } of await marksOf(store, key))
    if (reading !== "pull" && Temporal.Instant.compare(startedAt, old) < 0)
      await dropMark(store, key.company, runId);
  const staged = await stagedRuns(store);
  if (staged.length === 0) return;
  const ours = await store.query<{ id: string }>(
    `select id from run r where company = $1 and connection = $2 and stream = $3
        and id = any($4::uuid[]) and state <> 'planned'
        and not exists (select from run_mark m where m.company = r.company and m.run_id = r.id)`,
    [...of, staged],
  );
  for (const { id } of ours) await dropStagingOf(store, id);
}
