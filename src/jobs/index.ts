/**
 * What runs once, later and in the background. Promises that a job queued in a transaction exists
 * exactly when that commits, is run by some process until it succeeds, and stays visible when it
 * never does; and that each slot of a schedule is run once, by whichever instance. Never promises
 * that a job runs only once: a handler brings something up to date, and running it again changes
 * nothing. Never knows what a job does.
 *
 *     const jobs = await openJobs(store, { log });
 *     await jobs.work("publish-prices", async ({ company }) => book.publish(company));
 *     await store.transaction((tx) =>
 *       jobs.queue(tx, "publish-prices", { company }, { singletonKey: company }),
 *     );
 */
export { openJobs } from "./jobs.ts";
export { cronProblem } from "./cron.ts";
export { promisedSince } from "./promises.ts";
export { openSchedules } from "./schedules.ts";
export type {
  FailedJob,
  JobData,
  JobHandler,
  Jobs,
  JobsOptions,
  QueueOptions,
  WorkOptions,
} from "./jobs.ts";
export { cronOf, PULL_JOB } from "./schedule.ts";
export type { ScheduleDefinition, SlotFilter } from "./schedule.ts";
export type { PauseScope, Schedules } from "./schedules.ts";
export type { ServiceState } from "./service.ts";
export type { Pause, ScheduleState, SlotRow } from "./schedule-list.ts";
export type { SlotOutcome, SlotTask, SlotWork } from "./slot-run.ts";
