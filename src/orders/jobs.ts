/** The jobs of web orders, by their names and data. */
import type { Transaction } from "../store/index.ts";
import type { OrdersContext } from "./context.ts";

/** Brings one order as far as it can get now; its data is `{ company, order }`. */
export const DELIVER_JOB = "orders.deliver";

export function jobData(company: string, order: string): { company: string; order: string } {
  return { company, order };
}

/** The queue goes by the database's clock, which need not be ours: so much later by that one. */
export async function queueLater(
  tx: Transaction,
  { jobs }: Pick<OrdersContext, "jobs">,
  { job, data }: { readonly job: string; readonly data: Readonly<Record<string, string>> },
  seconds: number,
): Promise<void> {
  if (seconds <= 0) {
    await jobs.queue(tx, job, data);
    return;
  }
  const [due] = await tx.query<{ at: Temporal.Instant }>(
    "select clock_timestamp() + make_interval(secs => $1) as at",
    [seconds],
  );
  await jobs.queue(tx, job, data, due === undefined ? {} : { startAfter: due.at });
}
