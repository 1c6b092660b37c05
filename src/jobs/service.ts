/** Whether a service runs: each beats while it does, and says so when it is stopped in order. */
import type { SchedulesContext } from "./schedule.ts";

export interface ServiceState {
  readonly runs: boolean;
  /** When one was seen last; null: none ever was. */
  readonly lastSeenAt: Temporal.Instant | null;
  /** One that runs was started with other settings than this process has read. */
  readonly otherSettings: boolean;
}

const BEAT_MS = 5_000;
/** One that was not heard of for so long runs no more. */
const SILENT_SECONDS = 20;
/** How long it is kept that one ran. */
const KEPT_DAYS = 30;

/** One instance's row. */
export class Heartbeat {
  readonly #context: SchedulesContext;
  readonly #id: string;
  readonly #startedAt: Temporal.Instant;
  #beatMs = -Infinity;
  #stopped = false;

  constructor(context: SchedulesContext, id: string) {
    this.#context = context;
    this.#id = id;
    this.#startedAt = context.now();
  }

  /** Called with each look at what is due; writes every few seconds. */
  async beat(): Promise<void> {
    const { store, company, now, elapsedMs, settings = null } = this.#context;
    if (this.#stopped || elapsedMs() - this.#beatMs < BEAT_MS) return;
    await store.affect(
      `insert into service_instance (company, id, started_at, seen_at, settings)
       values ($1, $2, $3, $4, $5)
       on conflict (company, id) do update set seen_at = $4
         where service_instance.stopped_at is null`,
      [company, this.#id, this.#startedAt, now(), settings],
    );
    if (this.#beatMs === -Infinity)
      await store.affect("delete from service_instance where company = $1 and seen_at < $2", [
        company,
        now().subtract({ hours: 24 * KEPT_DAYS }),
      ]);
    this.#beatMs = elapsedMs();
  }

  /** It is stopped in order. */
  async stop(): Promise<void> {
    const { store, company, now } = this.#context;
    this.#stopped = true;
    await store.affect(
      `update service_instance set seen_at = $3, stopped_at = $3 where company = $1 and id = $2`,
      [company, this.#id, now()],
    );
  }
}

export async function serviceState({
  store,
  company,
  now,
  settings,
}: SchedulesContext): Promise<ServiceState> {
  const [row] = await store.query<{ [Name in keyof ServiceState]: ServiceState[Name] | null }>(
    `select max(seen_at) as "lastSeenAt", bool_or(runs) as runs,
            bool_or(runs and settings <> $3::text) as "otherSettings"
       from service_instance
      cross join lateral (select stopped_at is null and seen_at >= $2 as runs) state
      where company = $1`,
    [company, now().subtract({ seconds: SILENT_SECONDS }), settings ?? null],
  );
  return {
    runs: row?.runs ?? false,
    lastSeenAt: row?.lastSeenAt ?? null,
    otherSettings: row?.otherSettings ?? false,
  };
}
