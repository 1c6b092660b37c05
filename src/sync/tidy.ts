/** What runs left that were killed. */
import { dropStagingOf, stagedRuns } from "../store/index.ts";
import type { SyncContext } from "./context.ts";
import type { StreamKey } from "./lease.ts";

/**
 * A run that was killed leaves a row that says "running", and staging tables even where its last
 * checkpoint was published. We hold the lease: every other run of this stream is over.
 */
export async function tidyAfterKill(context: SyncContext, key: StreamKey): Promise<void> {
  const { store } = context;
  const of = [key.company, key.connection, key.stream];
  await store.affect(
    `update run set state = 'failed', ended_at = $4,
            error = 'The run was cut short. Nothing of it was published; the next run read it again.'
      where company = $1 and connection = $2 and stream = $3 and state = 'running'`,
    [...of, context.now().toString()],
  );
  const staged = await stagedRuns(store);
  if (staged.length === 0) return;
  const ours = await store.query<{ id: string }>(
    `select id from run where company = $1 and connection = $2 and stream = $3
        and id = any($4::uuid[])`,
    [...of, staged],
  );
  for (const { id } of ours) await dropStagingOf(store, id);
}
