/** What a move of an order means for what was to be sent of it, and for who was asked to look. */
import type { Queryable } from "../../store/index.ts";
import type { Move, OrderRow } from "../book.ts";
import type { DeliveryEvent } from "../machine.ts";
import { closeTask, listTasks } from "../tasks.ts";
import { settleDoubts, settlePlaced } from "./attempts.ts";
import { endPlacement } from "./intents.ts";
import { noteLying } from "./lying.ts";

/** What a person is asked for when searches cannot settle a doubt begins so. */
export const LOOK_IN_DOUBT = "It is in doubt, and searching does not settle it";

const ENDS: Readonly<Partial<Record<DeliveryEvent, "done" | "refused" | "dropped">>> = {
  accept: "done",
  confirm: "done",
  resolve: "done",
  refuse: "refused",
  cancel: "dropped",
  // What goes anew is rendered anew.
  takeBack: "dropped",
  lost: "dropped",
};

export async function followMove(
  tx: Queryable,
  order: OrderRow,
  { event, who, at }: Pick<Move, "event" | "who" | "at">,
): Promise<void> {
  const ends = ENDS[event];
  await noteLying(tx, order, { event, who, at });
  if (ends !== undefined) await endPlacement(tx, order, ends);
  // A person has looked; a search of ours settles doubts by itself.
  if (event === "notThere" && who !== "tradepost") await settleDoubts(tx, order);
  if (event === "takeBack" || event === "lost") await settlePlaced(tx, order);
  if (order.state !== "inDoubt") return;
  const open = await listTasks(tx, order.company, { order: order.id, kind: "look" });
  for (const { id, about } of open)
    if (about.startsWith(LOOK_IN_DOUBT))
      await closeTask(
        tx,
        order.company,
        { id, state: "done", who, reason: "It is in doubt no more." },
        at,
      );
}
