/** A person's act, in the book of who did what. */
import type { Queryable } from "../store/index.ts";
import type { OrdersContext } from "./context.ts";

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

/** In the transaction that does it, so that both or neither happen. */
export async function audited(
  tx: Queryable,
  { company, audit }: Pick<OrdersContext, "company" | "audit">,
  act: Act & { readonly action: string; readonly subject: string },
): Promise<void> {
  const { who, action, subject, reason } = act;
  await audit?.({ company, who, action, subject, details: { why: reason } }, tx);
}
