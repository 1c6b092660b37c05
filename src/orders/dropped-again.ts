/**
 * A far side that only takes files cannot say what became of them: it is a person who says that an
 * order never came in there, and by whose word it is dropped once more.
 */
import { ConnectorFault, type OrderCall, type OrdersCapability } from "../connector/index.ts";
import type { Act } from "./audit.ts";
import type { OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { calling } from "./delivery/calling.ts";
import { dropCall, sentTables } from "./delivery/own-drop.ts";
import { openDesk } from "./delivery/sender.ts";
import { OrderError } from "./error.ts";

export interface FarSide {
  /** The connector's own floor of the quiet window. */
  readonly quietSeconds: number;
  /** What was done so that it can be dropped anew, in a sentence; null: nothing had to be. */
  readonly setAside: string | null;
}

/** Of an order that is known to have been dropped its number is enough. */
type Dropped = OrderRow | { readonly number: string; readonly handedOverAt: Temporal.Instant };

/** Throws where the far side's desk cannot be opened, or will not drop the order again. */
export async function readyToSendAgain(
  context: OrdersContext,
  order: Dropped,
  act: Act,
): Promise<FarSide> {
  try {
    await using desk = await openDesk(context);
    const { quietSeconds = 0 } = desk.capability;
    const said = await setAside(context, desk.capability, order, act);
    return { quietSeconds, setAside: said };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const todo = error instanceof ConnectorFault ? ` ${error.instruction}` : "";
    throw new OrderError(
      "move-impossible",
      `Sending web order ${order.number} again: ${error.message}${todo} Nothing was sent.`,
      { cause: error },
    );
  }
}

async function setAside(
  context: OrdersContext,
  capability: OrdersCapability,
  order: Dropped,
  { who, reason }: Act,
): Promise<string | null> {
  if (capability.finding !== "file-drop") return null;
  const { number } = order;
  const doing = `Asking whether ${number} was dropped`;
  const never = new AbortController().signal;
  return calling(doing, context.settings.giveUpAfterSeconds, never, async (call) => {
    const other = "body" in order ? await another(context, capability, order, call) : null;
    // A drop of its own that nobody knows of is left to the journal; another's is set aside.
    if (order.handedOverAt === null && other === null) return null;
    if (other !== null) refuseUntold(order, other);
    if (capability.again !== undefined) return capability.again(number, { who, why: reason }, call);
    const { kind } = await capability.find(number, call);
    if (kind === "absent") return null;
    throw new ConnectorFault(
      "refused",
      `The connector drops an order once and never again (${kind}).`,
      `Key it in the ERP by hand, and resolve it: tradepost orders resolve ${number} --erp-order NUMBER --who NAME --why WHY.`,
    );
  });
}

/** Why what its journal knows of the number is not this order as it is known here; null: it is. */
async function another(
  context: OrdersContext,
  capability: OrdersCapability,
  order: OrderRow,
  call: OrderCall,
): Promise<string | null> {
  const tables = await sentTables(context, order);
  const asked = await dropCall(context, order, call, () => tables);
  const found = await capability.find(order.number, asked);
  return found.kind === "another" ? found.reason : null;
}

/** A person decides on what they were told. */
function refuseUntold(order: Dropped, reason: string): void {
  if ("body" in order && order.reasons.some((told) => told.includes(reason))) return;
  throw new ConnectorFault(
    "refused",
    `${reason}.`,
    "Where it was given up, cancel it here; if it is wanted all the same, send it again once its reasons say this.",
  );
}
