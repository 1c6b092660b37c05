/** Pulls that somebody asked for: queued, so that they outlive the asking, and run here. */
import { PULL_NOW_JOB, type Context } from "../company.ts";
import { ConnectorFault } from "../connector/index.ts";
import type { JobData } from "../jobs/index.ts";
import { PULLS, pullFor } from "./pulling.ts";
import type { Company } from "./schedules.ts";

/** This instance runs what is asked for from now on. */
export async function workPullsNow(
  context: Context,
  company: Company,
  { apart, stopping }: { readonly apart: boolean; readonly stopping: AbortSignal },
): Promise<void> {
  const work = async (data: JobData, taken: AbortSignal) => {
    const request = requestIn(data);
    const pull = pullFor(context, await company(request.company), apart);
    const signal = AbortSignal.any([taken, stopping]);
    try {
      await pull(request.connection, request.options, { signal });
    } catch (error) {
      // Whoever asked looks at its runs; asking again is theirs.
      if (!(error instanceof ConnectorFault)) throw error;
      context.log("error", `${error.message} ${error.instruction}`, { company: request.company });
    }
  };
  await context.jobs.work(PULL_NOW_JOB, work, { concurrency: PULLS });
}

function requestIn(data: JobData) {
  const streams = String(data["streams"] ?? "");
  return {
    company: String(data["company"]),
    connection: String(data["connection"]),
    options: {
      ...(streams === "" ? {} : { streams: streams.split(",") }),
      acceptRemovals: data["acceptRemovals"] === true,
    },
  };
}
