/** An order that is looked at again: when, and by a job that is committed with it. */
import type { Transaction } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { DELIVER_JOB, jobData, queueLater } from "../jobs.ts";
import { waitSeconds } from "./patience.ts";

/** Seconds until the next try, by how often it was tried. */
export function patienceOf(
  { settings }: Pick<OrdersContext, "settings">,
  order: Pick<OrderRow, "id">,
  tries: number,
): number {
  const { retryFirstSeconds, retryLongestSeconds } = settings;
  return waitSeconds(order.id, tries, {
    firstSeconds: retryFirstSeconds,
    longestSeconds: retryLongestSeconds,
  });
}

export function inSeconds({ now }: Pick<OrdersContext, "now">, seconds: number): Temporal.Instant {
  return now().add({ milliseconds: Math.ceil(seconds * 1000) });
}

export function queueIn(
  context: Pick<OrdersContext, "jobs">,
  tx: Transaction,
  { company, id }: Pick<OrderRow, "company" | "id">,
  seconds: number,
): Promise<void> {
  return queueLater(tx, context, { job: DELIVER_JOB, data: jobData(company, id) }, seconds);
}

/** It stays where it stands, and is looked at again; at the latest after so many seconds. */
export async function postpone(
  context: OrdersContext,
  tx: Transaction,
  order: OrderRow,
  withinSeconds: number | null = null,
): Promise<void> {
  const attempts = order.attempts + 1;
  const patience = patienceOf(context, order, attempts);
  const seconds = withinSeconds === null ? patience : Math.min(patience, withinSeconds);
  await tx.affect(
    `update web_order set attempts = $3, next_attempt_at = $4
      where company = $1 and id = $2 and version = $5`,
    [order.company, order.id, attempts, inSeconds(context, seconds), order.version],
  );
  await queueIn(context, tx, order, seconds);
}
