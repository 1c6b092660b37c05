/** Who delivers an order just now, with what it may do, and the session in which it does it. */
import {
  ConnectorFault,
  type Found,
  type OrderCall,
  type OrdersCapability,
  type Session,
} from "../../connector/index.ts";
import type { OrdersContext } from "../context.ts";
import { calling } from "./calling.ts";
import type { Lease } from "./lease.ts";

export interface Sender {
  readonly context: OrdersContext;
  readonly lease: Lease;
  /** False: it is only searched for, since its connection does not send now. */
  readonly mayPlace: boolean;
}

export interface Desk extends AsyncDisposable {
  readonly capability: OrdersCapability;
}

/** A far side that hangs does not hold up the next order either. */
const CLOSE_WITHIN_MS = 5_000;

/** Given up after a while: a far side that does not let us in must not keep a lease for ever. */
export async function openSession(
  { connection, settings }: Pick<OrdersContext, "connection" | "settings">,
  stop: AbortSignal = new AbortController().signal,
): Promise<Session> {
  const opening = connection.openSession();
  try {
    const doing = "Opening the connection that takes web orders";
    return await calling(doing, settings.giveUpAfterSeconds, stop, () => opening);
  } catch (error) {
    // One that opens after all is closed again.
    opening.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
}

export async function openDesk(context: OrdersContext, stop?: AbortSignal): Promise<Desk> {
  const session = await openSession(context, stop);
  const { orders } = session;
  const close = async (): Promise<void> => {
    const closed = Promise.resolve(session[Symbol.asyncDispose]()).catch(() => undefined);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_WITHIN_MS);
    await Promise.race([closed, late.promise]);
    clearTimeout(timer);
  };
  if (orders !== undefined) return { capability: orders, [Symbol.asyncDispose]: close };
  await close();
  throw new ConnectorFault(
    "config",
    "The connection that takes web orders cannot take any.",
    "Set companies.<company>.orders.connection to a connection whose connector takes orders.",
  );
}

/** A far side that cannot be asked how an order stands cannot tell. */
export async function askStatus(
  capability: OrdersCapability,
  number: string,
  call: OrderCall,
): Promise<Found> {
  const said = await capability.status?.(number, call);
  return said ?? { kind: "cannotTell", reason: "its connector does not read orders back" };
}
