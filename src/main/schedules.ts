/** The service's part in schedules: it ticks, pulls what is due, and watches what is late. */
import type { CompanyServices, Context } from "../company.ts";
import { ConnectorFault } from "../connector/index.ts";
import { PULL_JOB, type SlotOutcome, type SlotTask, type SlotWork } from "../jobs/index.ts";
import type { RunResult } from "../sync/index.ts";
import { PULLS, pullFor } from "./pulling.ts";

export type Company = (code: string) => Promise<CompanyServices>;

/**
 * This instance pulls what is due from now on. `apart`: each pull in a process of its own.
 * `stopping` hands back what runs: whoever is there then goes on with it.
 */
export async function workSlots(
  context: Context,
  company: Company,
  { apart, stopping }: { readonly apart: boolean; readonly stopping: AbortSignal },
): Promise<void> {
  await context.jobs.work<{ company: string; slot: string }>(
    PULL_JOB,
    async (data, taken) => {
      const services = await company(data.company);
      const signal = AbortSignal.any([taken, stopping]);
      await services.schedules.run(data.slot, pulling(context, services, apart), signal);
      // What stopped or failed is told now, not when somebody looks.
      await services.watch();
    },
    { concurrency: PULLS },
  );
}

function pulling(context: Context, services: CompanyServices, apart: boolean): SlotWork {
  const pull = pullFor(context, services, apart);
  return (task, told) => {
    const options = {
      ...(task.streams === null ? {} : { streams: task.streams }),
      compareKeys: task.does === "compare-keys",
    };
    return outcomeOf(task, () => pull(task.connection, options, told));
  };
}

/** What came of a slot that read so: a failure is tried again, a stop waits for a person. */
export async function outcomeOf(
  task: Pick<SlotTask, "streams">,
  pull: () => Promise<readonly RunResult[]>,
): Promise<SlotOutcome> {
  try {
    const results = await pull();
    const failed = results.filter(({ state }) => state === "failed");
    const [first] = failed;
    return {
      failed: [...new Set(failed.map(({ stream }) => stream))],
      problem: first === undefined ? null : `${first.stream}: ${first.notes.join(" ")}`,
      ...againOf(failed),
      ...asksOf(results),
      about: aboutResults(results),
    };
  } catch (error) {
    if (!(error instanceof ConnectorFault)) throw error;
    const problem = `${error.message} ${error.instruction}`;
    return { failed: task.streams ?? [], problem, about: "" };
  }
}

/** The earliest that any of them is worth another try; none is while all wait for a person. */
function againOf(failed: readonly RunResult[]): Pick<SlotOutcome, "again"> {
  if (failed.length === 0 || failed.some(({ fault }) => fault === null)) return {};
  const moments = failed.flatMap(({ fault }) => fault?.retryAt ?? []);
  const again = moments.toSorted((a, b) => Temporal.Instant.compare(a, b))[0] ?? null;
  return { again };
}

/** What a person must decide on: nothing of it is read until then, though the slot is done. */
function asksOf(results: readonly RunResult[]): Pick<SlotOutcome, "asks"> {
  const streams = new Set(results.filter(asks).map(({ stream }) => stream));
  return streams.size === 0 ? {} : { asks: `${[...streams].join(", ")} stopped and asks` };
}

/** A person's stop has no fault, and a snapshot's stop none where a newer one was read instead. */
function asks({ state, fault }: RunResult): boolean {
  return state === "stopped" && fault !== null;
}

/** "price-rules refused; 3 published, 1 unchanged" */
function aboutResults(results: readonly RunResult[]): string {
  // A snapshot that stood aside for a newer one is told by what came of that one.
  const last = new Map(results.map((result) => [result.stream, result]));
  const odd = results.filter(
    (result) =>
      !QUIET.has(result.state) &&
      !asks(result) &&
      (result.state !== "stopped" || last.get(result.stream) === result),
  );
  const counts = Map.groupBy(
    results.filter(({ state }) => QUIET.has(state)),
    ({ state }) => state,
  );
  const said = odd.map(({ stream, state }) => `${stream} ${state}`);
  const quiet = [...counts].map(([state, of]) => `${of.length} ${WORDS[state] ?? state}`);
  return [[...new Set(said)].join(", "), quiet.join(", ")].filter((part) => part !== "").join("; ");
}

const QUIET = new Set<string>(["published", "unchanged", "nothing"]);
const WORDS: Readonly<Record<string, string>> = { nothing: "with nothing new" };

/** Slots that are due are made and started, by whichever instance comes first. */
export async function tickAll(
  { log }: Context,
  codes: readonly string[],
  company: Company,
): Promise<void> {
  for (const code of codes)
    await (await company(code)).schedules.tick().catch((error: unknown) => {
      log("warn", `Looking for due schedules of ${code}: ${String(error)}`);
    });
}

/** It is stopped in order: whoever looks learns at once that it runs no more. */
export async function leaveAll(
  { log }: Context,
  codes: readonly string[],
  company: Company,
): Promise<void> {
  for (const code of codes)
    await (await company(code)).schedules.leave().catch((error: unknown) => {
      log("warn", `Telling that the service of ${code} stops: ${String(error)}`);
    });
}

/** What is late is told, and told again while it holds. */
export async function watchAll(
  { log }: Context,
  codes: readonly string[],
  company: Company,
): Promise<void> {
  for (const code of codes) {
    const services = await company(code);
    try {
      await services.watch();
      await services.alarms.remind();
    } catch (error) {
      log("warn", `Looking for what is late at ${code}: ${String(error)}`);
    }
  }
}
