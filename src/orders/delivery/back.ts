/**
 * A change of an order that was dropped for the ERP to take, and that nobody has taken yet: its
 * files are taken back. One that is cancelled ends so; one that is amended goes anew, as it is now.
 * Of one that the ERP has answered the files say nothing any more, wherever they lie.
 */
import type { OrdersCapability } from "../../connector/index.ts";
import { move, type OrderRow } from "../book.ts";
import { changeEnded } from "../changes/ended.ts";
import { DELIVER_JOB, jobData } from "../jobs.ts";
import { movedAsPulled } from "./as-pulled.ts";
import { calling } from "./calling.ts";
import { endIntent, openIntents, type Intent } from "./intents.ts";
import { liesNoMore } from "./lying.ts";
import { dropCall, sentTables, writeTakenBack } from "./own-drop.ts";
import { recorded } from "./record.ts";
import { openDesk, type Sender } from "./sender.ts";

/**
 * Of an order of which the ERP is not told just now: it is in doubt, since it was not answered in
 * time or its sender died, or nothing is sent. True: it lay there still, and the change is made.
 */
export async function takenBackUntold(
  sender: Sender,
  order: OrderRow,
  intent: Intent,
): Promise<boolean> {
  try {
    await using desk = await openDesk(sender.context, sender.lease.lost);
    const said = await takeBack(sender, desk.capability, order, intent);
    if (said !== null) await endAsTakenBack(sender, order, intent, said);
    return said !== null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    sender.context.log("warn", `To ${intent.kind} web order ${order.number}: ${reason}`);
    return false;
  }
}

/** It may lie where the ERP takes it from, and the ERP has not answered. */
export function isOut({ state }: Pick<OrderRow, "state">): boolean {
  return state === "handedOver" || state === "inDoubt";
}

/** What was taken back, in a sentence; null: nothing was, and nothing can be. */
export async function takeBack(
  { context, lease }: Sender,
  capability: OrdersCapability,
  order: OrderRow,
  { kind, reason }: Intent,
): Promise<string | null> {
  const { number } = order;
  if (!isOut(order) || capability.takeBack === undefined) return null;
  const why = reason ?? (kind === "amend" ? "It was amended." : "It was cancelled.");
  const tables = await sentTables(context, order);
  const { giveUpAfterSeconds } = context.settings;
  return calling(`Taking order ${number} back`, giveUpAfterSeconds, lease.lost, async (call) => {
    const asked = await dropCall(context, order, call, () => tables);
    return (await capability.takeBack?.(number, why, asked)) ?? null;
  });
}

/**
 * The change is made; an order of which something is left goes on its way again. Of one that the
 * ERP has by now, as what came meanwhile says, its files alone are taken back.
 */
export async function endAsTakenBack(
  sender: Sender,
  seen: OrderRow,
  intent: Intent,
  about: string,
): Promise<true> {
  const { context, lease } = sender;
  await movedAsPulled(sender, seen);
  await recorded(context, lease, "that it was taken back", async (tx, order) => {
    const open = await openIntents(tx, order);
    // The connection can break after the commit and before its answer.
    if (!open.some((one) => one.intent === intent.intent)) return;
    const at = context.now();
    await writeTakenBack(tx, order, about, at);
    // Nothing of it lies there any more, however it ends.
    await liesNoMore(tx, order);
    // The ERP has it: it is told, or a person is.
    if (!isOut(order)) return;
    await endIntent(tx, order, intent.intent, "done");
    const ended =
      intent.change === null
        ? order
        : await changeEnded(tx, context, order, intent.change, { as: "done", about, at });
    await liesNoMore(tx, order);
    if (!isOut(ended)) return;
    await move(tx, ended, {
      event: "takeBack",
      who: "tradepost",
      at,
      about: `${about} It goes anew, as it is now.`,
      set: { attempts: 0, nextAttemptAt: null, handedOverAt: null, answerDueAt: null },
    });
    await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
  });
  return true;
}
