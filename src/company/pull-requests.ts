/** What people and programs ask of pulls: to begin one now, to look at one, to stop one. */
import type { CompanySettings } from "../config.ts";
import type { Context } from "../company.ts";
import { nearest } from "../definition/index.ts";
import { listRuns, requestStop } from "../sync/index.ts";

/** A pull that was asked for; its data: company, connection, streams with commas between. */
export const PULL_NOW_JOB = "sync.now";

export interface PullAsked {
  readonly connection: string;
  /** None: all that a mapping reads. */
  readonly streams: readonly string[];
  readonly acceptRemovals: boolean;
}

export interface PullRefusal {
  readonly code: "connection-unknown" | "stream-unknown";
  readonly detail: string;
}

export interface PullRequests {
  /** Null: there are such a connection and streams. */
  pullRefusal(asked: Pick<PullAsked, "connection" | "streams">): PullRefusal | null;
  /** Queues a pull; null: it is queued. */
  askToPull(asked: PullAsked, who: string): Promise<PullRefusal | null>;
  /** Null: there is no such run. */
  run(id: string): Promise<Awaited<ReturnType<typeof listRuns>>[number] | null>;
  /** False: the run has ended, or there is none. */
  stopRun(id: string, who: string): Promise<boolean>;
}

interface Parts {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly streams: readonly string[];
}

export function pullRequestsOf(
  { store, jobs, now, access }: Context,
  { code: company, settings, streams }: Parts,
): PullRequests {
  const pullRefusal: PullRequests["pullRefusal"] = (asked) =>
    refusalOf(asked, Object.keys(settings.connections), streams);
  return {
    run: async (id) => (await listRuns(store, company, { id, limit: 1 }))[0] ?? null,
    pullRefusal,
    askToPull: async (asked, who) => {
      const refusal = pullRefusal(asked);
      if (refusal !== null) return refusal;
      const { connection, acceptRemovals } = asked;
      const data = { connection, streams: asked.streams.join(","), acceptRemovals };
      await store.transaction(async (tx) => {
        await jobs.queue(tx, PULL_NOW_JOB, { company, ...data });
        const subject = connection;
        await access?.audit({ company, who, action: "pull-asked", subject, details: data }, tx);
      });
      return null;
    },
    stopRun: (id, who) =>
      store.transaction(async (tx) => {
        const asked = await requestStop(tx, { company, runId: id, by: who, at: now() });
        if (asked === null) return false;
        await access?.audit({ company, who, action: "run-stopped", subject: id }, tx);
        return true;
      }),
  };
}

function refusalOf(
  { connection, streams }: Pick<PullAsked, "connection" | "streams">,
  connections: readonly string[],
  known: readonly string[],
): PullRefusal | null {
  if (!connections.includes(connection))
    return {
      code: "connection-unknown",
      detail: `Asking for a pull: ${unknown(`connection "${connection}"`, connection, connections)}`,
    };
  const odd = streams.find((stream) => !known.includes(stream));
  return odd === undefined
    ? null
    : {
        code: "stream-unknown",
        detail: `Asking for a pull of ${connection}: ${unknown(`stream "${odd}" that a mapping reads`, odd, known)}`,
      };
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return (
    `there is no ${what}; there are ${known.toSorted().join(", ")}.` +
    (close === undefined ? "" : ` Did you mean ${close}?`)
  );
}
