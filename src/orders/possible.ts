/** What a person can do to an order now. */
import type { OrderRow } from "./book.ts";
import { after } from "./machine.ts";
import { bears } from "./same-number.ts";

export type DeskAct = "release" | "cancel" | "resolve" | "send-again" | "amend";

/**
 * Of an order `o`: the ERP refused it by a file that names its number, and knows that as refused
 * for ever.
 */
export const SENT_ONCE = `(o.state = 'refused' and exists (
  select 1 from order_acknowledgement a
   where a.company = o.company and ${bears("a.web_order")}
     and a.outcome = 'refused'))`;

/** What a person can do to an order now; `sentOnce`: its number can be sent no more. */
export function actsOn({ state }: Pick<OrderRow, "state">, sentOnce = false): DeskAct[] {
  const may: readonly [DeskAct, boolean][] = [
    ["release", state === "held" || state === "shadowed"],
    ["resolve", ["conflict", "inDoubt", "handedOver"].includes(state)],
    ["send-again", after(state, "notThere") !== null || (state === "refused" && !sentOnce)],
    ["amend", !["conflict", "cancelled", "shadowed"].includes(state) && !sentOnce],
    ["cancel", state !== "cancelled"],
  ];
  return may.filter(([, can]) => can).map(([act]) => act);
}
