/** What a move of an order means for what was to be sent of it. */
import type { Queryable } from "../../store/index.ts";
import type { DeliveryEvent } from "../machine.ts";
import { settleDoubts } from "./attempts.ts";
import { endPlacement } from "./intents.ts";

const ENDS: Readonly<Partial<Record<DeliveryEvent, "done" | "refused" | "dropped">>> = {
  accept: "done",
  confirm: "done",
  resolve: "done",
  refuse: "refused",
  cancel: "dropped",
};

export async function followMove(
  tx: Queryable,
  order: { readonly company: string; readonly id: string },
  event: DeliveryEvent,
  who: string,
): Promise<void> {
  const ends = ENDS[event];
  if (ends !== undefined) await endPlacement(tx, order, ends);
  // A person has looked; a search of ours settles doubts by itself.
  if (event === "notThere" && who !== "tradepost") await settleDoubts(tx, order);
}
