/** Whether a call that may have arrived may still turn up at the ERP. */
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { doubtOf } from "./attempts.ts";
import { windowSeconds } from "./history.ts";
import { openIntents } from "./intents.ts";

/**
 * Seconds until "not there", whoever has looked, can be said of the order; 0: it can. What a person
 * sees in the ERP lags as a search does, and a call that still runs may arrive after they looked.
 */
export async function stillArriving(
  tx: Queryable,
  { settings }: Pick<OrdersContext, "settings">,
  order: OrderRow,
  connectorQuietSeconds = 0,
): Promise<number> {
  const placement = (await openIntents(tx, order)).find(({ kind }) => kind === "place");
  if (placement === undefined) return 0;
  const doubt = await doubtOf(tx, order, placement.intent);
  if (doubt === null) return 0;
  const floor = Math.max(settings.quietSeconds, connectorQuietSeconds);
  const window = await windowSeconds(tx, order.company, floor);
  return Math.max(0, Math.ceil(window - doubt.quietSeconds));
}
