/**
 * Bringing one order as far as it can get now, by one sender at a time over all instances. The
 * attempt is committed before the first byte leaves, and its outcome by the holder of the lease
 * alone: a sender that dies, or loses its lease, leaves a doubt, and a doubt is never simply sent
 * again.
 */
import { findOrder, move, ORDER_COLUMNS, type OrderRow } from "../book.ts";
import { sends, type OrdersContext, type Standing } from "../context.ts";
import { shadowOrder } from "../shadow.ts";
import { endLost } from "./attempts.ts";
import { deliverChanges } from "./change.ts";
import { openIntents } from "./intents.ts";
import { queueIn } from "./later.ts";
import { Lease, takeLease } from "./lease.ts";
import { takeLying } from "./lying-back.ts";
import { mayLie, STANDING } from "./lying.ts";
import { deliverPlacement } from "./place.ts";
import { readBack } from "./read-back.ts";
import { fenced, LeaseLost } from "./record.ts";
import { openDesk, type Sender } from "./sender.ts";
import { heldSinceTaken } from "./taken.ts";

/**
 * The job handler. Safe to call at any time, any number of times; so many run at a time here as the
 * far side is to be asked at once.
 */
export function deliverer(context: OrdersContext): (idOrNumber: string) => Promise<void> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (idOrNumber) => {
    // A place that becomes free goes straight to the one who waits, so it is counted once.
    if (running >= context.settings.atOnce) await new Promise<void>((go) => void waiting.push(go));
    else running += 1;
    try {
      await deliver(context, idOrNumber);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

async function deliver(context: OrdersContext, idOrNumber: string): Promise<void> {
  const found = await findOrder(context.store, context.company, idOrNumber);
  if (found === null || found.test || !(await hasWork(context, found))) return;
  const standing = await context.connection.standing();
  const why = waitsBecause(found, standing);
  if (why !== null) {
    context.log("info", `Web order ${found.number} waits: ${why}.`);
    return;
  }
  const taken = await takeOver(context, found);
  if (taken === null) return;
  await using lease = new Lease(context.store, taken.order, taken.holder, leaseSeconds(context));
  // Whoever stopped the connection meanwhile has seen no lease, and counts on nothing beginning.
  const now = await context.connection.standing();
  const stopped = waitsBecause(taken.order, now);
  if (stopped !== null) {
    context.log("info", `Web order ${found.number} waits: ${stopped}.`);
    return;
  }
  const sender: Sender = { context, lease, mayPlace: sends(now) };
  try {
    await deliverLeased(sender, taken.order, now);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    context.log("warn", error.message);
  }
}

const PLACED = new Set(["handedOver", "accepted", "confirmed"]);

async function hasWork({ store }: OrdersContext, order: OrderRow): Promise<boolean> {
  if (order.state === "queued" || order.state === "sending" || order.state === "inDoubt")
    return true;
  if (order.state === "accepted" && order.nextAttemptAt !== null) return true;
  if (await mayLie(store, order)) return true;
  const settled = order.state === "refused" || order.state === "cancelled";
  if (!PLACED.has(order.state) && !settled) return false;
  return (await openIntents(store, order)).some(({ kind }) => kind !== "place");
}

/**
 * What may be there already is searched for in any mode, and so is what lies there of an order that
 * stands otherwise; in shadow it is taken back. Null: nothing stands in the way.
 */
function waitsBecause({ state }: OrderRow, { mode, paused }: Standing): string | null {
  if (paused !== null) return paused;
  const asks = state === "inDoubt" || state === "sending" || STANDING.has(state);
  if (mode === "live" || asks) return null;
  const goesOn = state === "queued" || state === "handedOver";
  return mode === "shadow" && goesOn ? null : `its connection is ${mode}`;
}

function leaseSeconds({ settings }: OrdersContext): number {
  return settings.leaseSeconds;
}

/** A lease runs out at that moment, and then somebody may take it. */
const A_LITTLE_LATER_SECONDS = 0.05;

/** Null: somebody else is at it; it is looked at again when that one may be gone. */
async function takeOver(
  context: OrdersContext,
  { company, id }: OrderRow,
): Promise<{ readonly holder: string; readonly order: OrderRow } | null> {
  return context.store.transaction(async (tx) => {
    const taken = await takeLease(tx, { company, id }, leaseSeconds(context));
    if (!taken.taken) {
      await queueIn(context, tx, { company, id }, taken.heldForSeconds + A_LITTLE_LATER_SECONDS);
      return null;
    }
    const [order] = await tx.query<OrderRow>(
      `select ${ORDER_COLUMNS} from web_order where company = $1 and id = $2 for update`,
      [company, id],
    );
    if (order === undefined) return null;
    // We hold the lease, so whoever began these attempts has lost it.
    const left = await endLost(tx, order, taken.lostAt);
    if (order.state !== "sending") return { holder: taken.holder, order };
    const by = { who: "tradepost", at: context.now(), set: { nextAttemptAt: null } } as const;
    const moved = await move(tx, order, {
      ...by,
      event: left === "nothing" ? "retry" : "doubt",
      about: "The sender stopped before an outcome was recorded.",
      reasons:
        left === "nothing"
          ? []
          : ["A sender stopped while it was at it; it may or may not have arrived."],
    });
    return { holder: taken.holder, order: moved };
  });
}

async function deliverLeased(sender: Sender, order: OrderRow, standing: Standing): Promise<void> {
  const { context } = sender;
  if (order.state === "queued") {
    const why = await heldSinceTaken(context, order, standing);
    if (why !== null) return hold(sender, order, why);
    if (standing.mode === "shadow") return shadowOrder(context, order);
  }
  if (order.state === "inDoubt" || (order.state === "queued" && sender.mayPlace))
    await deliverPlacement(sender, order);
  else if (order.state === "accepted" && order.nextAttemptAt !== null && sender.mayPlace) {
    await using desk = await openDesk(context, sender.lease.lost);
    await readBack(sender, desk.capability, order);
  }
  const mayWrite = standing.mode !== "read-only";
  await takeLying(sender, mayWrite);
  if (mayWrite) await deliverChanges(sender);
}

async function hold({ context, lease }: Sender, order: OrderRow, why: string): Promise<void> {
  const by = { event: "hold", who: "tradepost", at: context.now(), about: why } as const;
  await fenced(context, lease, (tx, now) =>
    now.version === order.version
      ? move(tx, now, { ...by, reasons: [why], set: { nextAttemptAt: null } })
      : Promise.resolve(now),
  );
  context.log("warn", `Web order ${order.number}: ${why}`);
}
