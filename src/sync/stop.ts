/** A person's wish that a run stop; it notices between two events and can be gone on with. */
import type { Queryable } from "../store/index.ts";
import { keepRowsSoFar, stopAskedBy, type At } from "./journal.ts";

/** A person asked the run to stop; the next one goes on from its last mark. */
export class StopAsked extends Error {
  override readonly name = "StopAsked";
}

/** How often a run looks whether it is to stop. */
const LOOK_MS = 250;
/** How often it writes down how far it is, for whoever asks how things stand. */
const KEEP_MS = 3_000;

/** Called between two events with the rows read up to then; throws StopAsked. */
export function stopWatch(
  store: Queryable,
  signal: AbortSignal | undefined,
): (at: At, rows: () => number) => Promise<void> {
  let next: Temporal.Instant | null = null;
  let keep: Temporal.Instant | null = null;
  return async (at, rows) => {
    if (signal?.aborted === true) throw new StopAsked(whyOf(signal));
    if (next !== null && Temporal.Instant.compare(at.now, next) < 0) return;
    next = at.now.add({ milliseconds: LOOK_MS });
    keep ??= at.now.add({ milliseconds: KEEP_MS });
    const keeps = Temporal.Instant.compare(at.now, keep) >= 0;
    if (keeps) keep = null;
    const by = await (keeps ? keepRowsSoFar(store, at, rows()) : stopAskedBy(store, at));
    if (by !== null) throw new StopAsked(`It was stopped by ${by}.`);
  };
}

/** A sentence where whoever aborted it gave one. */
function whyOf({ reason }: AbortSignal): string {
  return typeof reason === "string" ? reason : "It was stopped with its service.";
}

export interface AskedToStop {
  readonly runId: string;
  readonly connection: string;
  readonly stream: string;
}

/** Asks the run to stop; null: it is not running. */
export async function requestStop(
  store: Queryable,
  ask: {
    readonly company: string;
    readonly runId: string;
    readonly by: string;
    readonly at: Temporal.Instant;
  },
): Promise<AskedToStop | null> {
  const [asked] = await store.query<AskedToStop>(
    `update run set stop_asked_at = $3, stop_asked_by = $4
      where company = $1 and id = $2 and (state = 'running' or id = ${NEWEST}) returning ${WHICH}`,
    [ask.company, ask.runId, ask.at.toString(), ask.by],
  );
  return asked ?? null;
}

const WHICH = `id as "runId", connection, stream`;

/** Of a stream that is being read; a run that has published something may go on. */
const NEWEST = `(select r.id from run r join stream_state s using (company, connection, stream)
    where r.company = run.company and r.connection = run.connection and r.stream = run.stream
      and s.holder is not null and s.lease_until > $3::timestamptz
    order by r.started_at desc, r.id desc limit 1)`;

/** Runs of the stream that are being read now, on whatever connection. */
export async function runningRuns(
  store: Queryable,
  company: string,
  stream: string,
  at: Temporal.Instant,
): Promise<readonly AskedToStop[]> {
  return store.query<AskedToStop>(
    `select ${WHICH} from run where company = $1 and stream = $2 and id = ${NEWEST}`,
    [company, stream, at.toString()],
  );
}
