/** What the parts for buyers work with, besides what all of orders has. */
import type { Queryable, Transaction } from "../../store/index.ts";
import type { Examined } from "../checks.ts";
import type { OrdersContext } from "../context.ts";
import type { OrderRequest } from "../request.ts";
import type { PromotionHeld } from "../../pricing/index.ts";

/** An order as the checks see it now, with where its prices come from. */
export type Priced = Examined & {
  readonly evidence: readonly unknown[];
  readonly held: readonly PromotionHeld[];
};

export interface BuyersContext extends OrdersContext {
  /** As if it were handed in now. */
  examine(tx: Queryable, body: OrderRequest): Promise<Priced>;
  /** Queues the delivery of an order that may go. */
  sendOn(tx: Transaction, order: string): Promise<void>;
}
