/**
 * A change of an order that was dropped for the ERP to take, and that nobody has taken yet: its
 * files are taken back. One that is cancelled ends so; one that is amended goes anew, as it is now.
 * Of one that the ERP has answered the files say nothing any more, wherever they lie.
 */
import type { OrdersCapability } from "../../connector/index.ts";
import { move, type OrderRow } from "../book.ts";
import { changeEnded } from "../changes/ended.ts";
import { DELIVER_JOB, jobData } from "../jobs.ts";
import { calling } from "./calling.ts";
import { endIntent, openIntents, type Intent } from "./intents.ts";
import { recorded } from "./record.ts";
import { openDesk, type Sender } from "./sender.ts";

/** It was dropped and not answered in time: a person looks for it, unless it lies there still. */
export function mayLieThere({ state, handedOverAt }: OrderRow, { kind, body }: Intent): boolean {
  return state === "inDoubt" && handedOverAt !== null && kind === "cancel" && body === null;
}

/** True: it was, and the change is made. */
export async function takenBackInDoubt(
  sender: Sender,
  order: OrderRow,
  intent: Intent,
): Promise<boolean> {
  try {
    await using desk = await openDesk(sender.context, sender.lease.lost);
    const said = await takeBack(sender, desk.capability, order, intent);
    if (said !== null) await endAsTakenBack(sender, intent, said);
    return said !== null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    sender.context.log("warn", `To ${intent.kind} web order ${order.number}: ${reason}`);
    return false;
  }
}

/** What was taken back, in a sentence; null: nothing was, and nothing can be. */
export async function takeBack(
  { context, lease }: Sender,
  capability: OrdersCapability,
  { number, state, handedOverAt }: OrderRow,
  { kind, reason }: Intent,
): Promise<string | null> {
  const isOut = (state === "handedOver" || state === "inDoubt") && handedOverAt !== null;
  if (!isOut || capability.takeBack === undefined) return null;
  const why = reason ?? (kind === "amend" ? "It was amended." : "It was cancelled.");
  const { giveUpAfterSeconds } = context.settings;
  return calling(
    `Taking order ${number} back`,
    giveUpAfterSeconds,
    lease.lost,
    async (call) => (await capability.takeBack?.(number, why, call)) ?? null,
  );
}

/** The change is made; an order of which something is left goes on its way again. */
export async function endAsTakenBack(
  { context, lease }: Sender,
  intent: Intent,
  about: string,
): Promise<true> {
  await recorded(context, lease, "that it was taken back", async (tx, order) => {
    const open = await openIntents(tx, order);
    // The connection can break after the commit and before its answer.
    if (!open.some((one) => one.intent === intent.intent)) return;
    await endIntent(tx, order, intent.intent, "done");
    const at = context.now();
    const ended =
      intent.change === null
        ? order
        : await changeEnded(tx, context, order, intent.change, { as: "done", about, at });
    if (ended.state !== "handedOver") return;
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
