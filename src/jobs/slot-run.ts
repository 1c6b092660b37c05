/** One slot, run by one instance: claimed, kept alive while it runs, and written down. */
import type { SchedulesContext } from "./schedule.ts";

/** What a slot asks for. */
export interface SlotTask {
  readonly connection: string;
  readonly schedule: string;
  readonly slotAt: Temporal.Instant;
  readonly does: "pull" | "compare-keys";
  /** Null: all that a mapping reads. */
  readonly streams: readonly string[] | null;
}

/** What came of it. */
export interface SlotOutcome {
  /** Streams that could not be read, to be tried again; empty: it is done. */
  readonly failed: readonly string[];
  /** Why they could not. */
  readonly problem: string | null;
  /** When another try is worth it; null: only after somebody has done something. Absent: soon. */
  readonly again?: Temporal.Instant | null;
  /** Streams that stopped and wait for a person; absent: none. "customers stopped and asks" */
  readonly asks?: string;
  /** What was done, in a line: "price-rules published, promotions unchanged". */
  readonly about: string;
}

export interface SlotProgress {
  readonly stream: string;
  readonly rows: number;
}

/** Throws where nothing could be read at all: then all of it is tried again. */
export type SlotWork = (
  task: SlotTask,
  told: { readonly signal: AbortSignal; readonly progress: (progress: SlotProgress) => void },
) => Promise<SlotOutcome>;

/** After so many tries in a row a slot has failed; the schedule goes on with its next one. */
export const MOST_TRIES = 6;
/** The first wait after a failed try, in seconds; each is twice the one before it. */
const WAIT_SECONDS = 30;
const WAIT_MOST_SECONDS = 900;

interface Claim {
  readonly slot: string;
  readonly holder: string;
  readonly work: SlotWork;
  readonly signal: AbortSignal;
}

interface Claimed {
  readonly connection: string;
  readonly schedule: string;
  readonly slotAt: Temporal.Instant;
  readonly streams: readonly string[] | null;
  readonly tries: number;
}

/** Another's slot, one that is done and one that was dropped are left alone. */
export async function runSlot(context: SchedulesContext, claim: Claim): Promise<void> {
  const claimed = await take(context, claim);
  if (claimed === undefined) return;
  const { connection, schedule, slotAt, streams } = claimed;
  const defined = context.schedules.find(
    (each) => each.connection === connection && each.name === schedule,
  );
  if (defined === undefined) return drop(context, claim);
  const { does } = defined;
  const task = { connection, schedule, slotAt, does, streams: streams ?? defined.streams };
  const pulse = new Pulse(context, claim);
  let outcome: SlotOutcome;
  try {
    outcome = await claim.work(task, {
      signal: AbortSignal.any([claim.signal, pulse.lost]),
      progress: (progress) => {
        pulse.progress = progress;
      },
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    outcome = { failed: task.streams ?? [], problem, about: "" };
  } finally {
    await pulse.stop();
  }
  if (claim.signal.aborted) await giveBack(context, claim);
  else if (outcome.problem === null) await finish(context, claim, "done", outcome);
  else await failed(context, claim, claimed, outcome);
}

async function take(
  { store, company, now }: SchedulesContext,
  { slot, holder }: Claim,
): Promise<Claimed | undefined> {
  const [claimed] = await store.query<Claimed>(
    `update schedule_slot set state = 'running', holder = $3, tries = tries + 1, beat = beat + 1,
            started_at = $4, progress = null
      where company = $1 and id = $2 and state = 'queued'
     returning connection, schedule, slot_at as "slotAt", streams, tries`,
    [company, slot, holder, now()],
  );
  return claimed;
}

/** An instance with other settings has taken it, and cannot know what it asks for. */
async function drop({ store, company, now }: SchedulesContext, { slot, holder }: Claim) {
  await store.affect(
    `update schedule_slot set state = 'dropped', ended_at = $4,
            problem = 'The settings do not name the schedule any more.'
      where company = $1 and id = $2 and holder = $3 and state = 'running'`,
    [company, slot, holder, now()],
  );
}

/** The service stops: that is no try, and whoever is there goes on with it. */
async function giveBack({ store, company, now }: SchedulesContext, { slot, holder }: Claim) {
  await store.affect(
    `update schedule_slot set state = 'waiting', holder = null, due_at = $4, tries = tries - 1,
            problem = 'The service that ran it was stopped.'
      where company = $1 and id = $2 and holder = $3 and state = 'running'`,
    [company, slot, holder, now()],
  );
}

async function failed(
  context: SchedulesContext,
  claim: Claim,
  { connection, schedule, tries }: Claimed,
  outcome: SlotOutcome,
): Promise<void> {
  const { store, company, now, log } = context;
  log("warn", `The schedule ${connection}/${schedule}, try ${tries}: ${outcome.problem}`);
  const { again } = outcome;
  if (tries >= MOST_TRIES || again === null) return finish(context, claim, "failed", outcome);
  const soon = now().add({ seconds: Math.min(WAIT_MOST_SECONDS, WAIT_SECONDS * 2 ** (tries - 1)) });
  await store.affect(
    `update schedule_slot set state = 'waiting', holder = null, due_at = $4, problem = $5,
            streams = $6
      where company = $1 and id = $2 and holder = $3 and state = 'running'`,
    [
      company,
      claim.slot,
      claim.holder,
      again === undefined || Temporal.Instant.compare(again, soon) < 0 ? soon : again,
      outcome.problem,
      outcome.failed.length === 0 ? null : JSON.stringify(outcome.failed),
    ],
  );
}

async function finish(
  { store, company, now }: SchedulesContext,
  { slot, holder }: Claim,
  state: "done" | "failed",
  { about, problem, asks }: SlotOutcome,
): Promise<void> {
  await store.affect(
    `update schedule_slot set state = $4, ended_at = $5, problem = $6,
            progress = coalesce(progress, '{}') || jsonb_build_object('about', $7::text,
              'asks', $8::text)
      where company = $1 and id = $2 and holder = $3 and state = 'running'`,
    [company, slot, holder, state, now(), problem, about, asks ?? null],
  );
}

/** How often a runner shows that it lives, as a share of its lease. */
const BEATS = 5;

/** Shows that the runner lives, with how far it is; tells when the slot was taken away. */
class Pulse {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #beat: () => Promise<void>;
  #beating: Promise<void> = Promise.resolve();
  progress: SlotProgress | null = null;

  constructor({ store, company, leaseSeconds }: SchedulesContext, { slot, holder }: Claim) {
    this.#beat = async () => {
      const kept = await store.affect(
        `update schedule_slot set beat = beat + 1, progress = coalesce($4, progress)
          where company = $1 and id = $2 and holder = $3 and state = 'running'`,
        [company, slot, holder, this.progress === null ? null : JSON.stringify(this.progress)],
      );
      if (kept === 0) this.#lost.abort(new Error("Another instance has taken the slot over."));
    };
    const everyMs = (leaseSeconds * 1_000) / BEATS;
    this.#timer = setInterval(() => {
      // A database that is away is no fault of the slot's: whoever takes it over, tells.
      this.#beating = this.#beat().catch(() => undefined);
    }, everyMs);
    this.#timer.unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    if (this.progress !== null) await this.#beat().catch(() => undefined);
  }
}
