/** The queue, begun by its first use: a command that only looks never pays for it. */
import type { Jobs } from "../jobs/index.ts";

/** The queue's library is loaded, and its upkeep begun, by the first job queued or worked. */
export function startedLate(start: () => Promise<Jobs>): Jobs {
  let started: Promise<Jobs> | null = null;
  const jobs = () =>
    (started ??= start().catch((error: unknown) => {
      // The database was away: whoever asks next tries again.
      started = null;
      throw error;
    }));
  const close = async () => {
    await started?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  };
  return {
    queue: async (...job) => (await jobs()).queue(...job),
    queueAll: async (...all) => (await jobs()).queueAll(...all),
    queueMissing: async (...all) => (await jobs()).queueMissing(...all),
    work: async (job, handler, options) => (await jobs()).work(job, handler, options),
    drain: async () => (await jobs()).drain(),
    failures: async () => (await jobs()).failures(),
    tryAgain: async (id) => (await jobs()).tryAgain(id),
    close,
    [Symbol.asyncDispose]: close,
  };
}
