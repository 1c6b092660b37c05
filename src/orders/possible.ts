/** What a person can do to an order now. */
import type { OrderRow } from "./book.ts";
import { after } from "./machine.ts";
import { bears } from "./same-number.ts";

export type DeskAct = "release" | "cancel" | "resolve" | "send-again" | "amend";

/**
 * Of an order `o`: the ERP refused it by a file that names its number, and knows that as refused
 * for ever.
 */
const SENT_ONCE = `(o.state = 'refused' and exists (
  select 1 from order_acknowledgement a
   where a.company = o.company and ${bears("a.web_order")}
     and a.outcome = 'refused'))`;

export interface Limits {
  /** Its number can be sent no more. */
  readonly sentOnce: boolean;
  /** Number of the account request without which it stays held; null: none. */
  readonly accountRequest: string | null;
  /** Nothing of it is still to be invoiced, so that nothing of it can be cancelled. */
  readonly isInvoiced: boolean;
}

/** In SQL, of an order `o`: its limits. */
export const LIMITS = `${SENT_ONCE} as "sentOnce",
  (select r.number from account_request r
    where o.state = 'held' and r.company = o.company and r.state <> 'done'
      and r.id::text = o.body ->> 'accountRequest') as "accountRequest",
  not exists (select 1 from web_order_line l where l.company = o.company
     and l.order_id = o.id and l.open_product is not null) as "isInvoiced"`;

/** What a person can do to an order now. */
export function actsOn({ state }: Pick<OrderRow, "state">, limits: Limits): DeskAct[] {
  const { sentOnce, accountRequest, isInvoiced } = limits;
  const isThere = state === "accepted" || state === "confirmed";
  const may: readonly [DeskAct, boolean][] = [
    ["release", (state === "held" && accountRequest === null) || state === "shadowed"],
    ["resolve", ["conflict", "inDoubt", "handedOver"].includes(state)],
    ["send-again", after(state, "notThere") !== null || (state === "refused" && !sentOnce)],
    ["amend", !["conflict", "cancelled", "shadowed"].includes(state) && !sentOnce],
    ["cancel", state !== "cancelled" && !(isThere && isInvoiced)],
  ];
  return may.filter(([, can]) => can).map(([act]) => act);
}
