/** A person's act, in the book of who did what. */
import { isOwnName } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { OrdersContext } from "./context.ts";
import { OrderError } from "./error.ts";

/** By whom and why, both kept. */
export interface Act {
  readonly who: string;
  readonly reason: string;
}

/** As the access module's book takes it. */
export interface AuditedAct {
  readonly company: string;
  readonly who: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | null>>;
}

/**
 * In the transaction that does it, so that both or neither happen. Whoever has not the name of a
 * person decides nothing: what a person lets go is known by it.
 */
export async function audited(
  tx: Queryable,
  { company, audit }: Pick<OrdersContext, "company" | "audit">,
  act: Act & Pick<AuditedAct, "action" | "subject"> & Partial<Pick<AuditedAct, "details">>,
): Promise<void> {
  const { who, action, subject, reason, details = {} } = act;
  if (isOwnName(who))
    throw new OrderError(
      "who-is-nobody",
      `Acting on ${subject}: "${who}" is no person, but a name under which Tradepost, the ERP or a ` +
        "shop stands in its book. Give the name of whoever decides.",
    );
  await audit?.({ company, who, action, subject, details: { why: reason, ...details } }, tx);
}
