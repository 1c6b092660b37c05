/** What a person can do to an order now. */
import type { OrderRow } from "./book.ts";
import { after } from "./machine.ts";

export type DeskAct = "release" | "cancel" | "resolve" | "send-again" | "amend";

/** What a person can do to an order now. */
export function actsOn(order: Pick<OrderRow, "state">): DeskAct[] {
  const { state } = order;
  const may: readonly [DeskAct, boolean][] = [
    ["release", state === "held"],
    ["resolve", ["conflict", "inDoubt", "handedOver"].includes(state)],
    ["send-again", after(state, "notThere") !== null || state === "refused"],
    ["amend", !["conflict", "cancelled", "shadowed"].includes(state)],
    ["cancel", !["cancelled", "shadowed"].includes(state)],
  ];
  return may.filter(([, can]) => can).map(([act]) => act);
}
