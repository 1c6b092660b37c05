/** What a person may do to an order: each act with who and why, in its book and in the audit. */
import type { Transaction } from "../store/index.ts";
import { refuseUnread } from "./answers-read.ts";
import { audited, type Act } from "./audit.ts";
import { move, orderOf, type Move, type OrderRow } from "./book.ts";
import { refuseWithoutAccount } from "./buyers/index.ts";
import { cancelOrder } from "./changes/ask.ts";
import { heldOrder, sentOnce } from "./changes/path.ts";
import type { OrdersContext } from "./context.ts";
import { stillArriving } from "./delivery/arriving.ts";
import { mayLie } from "./delivery/lying.ts";
import { refuseInShadow } from "./delivery/taken.ts";
import { readyToSendAgain } from "./dropped-again.ts";
import { OrderError } from "./error.ts";
import { DELIVER_JOB, jobData } from "./jobs.ts";
import { refuseKeyed } from "./keyed-already.ts";
import { after } from "./machine.ts";
import { refuseNamed } from "./named.ts";
import { refuseUnpaid } from "./payments.ts";
import { resolveOrder, type Resolution } from "./resolve.ts";
import { show, type OrderView } from "./view.ts";

export interface Release extends Act {
  /** ERP orders that staff may have keyed for it, and that the person has seen to be others. */
  readonly another?: readonly string[];
}

/** Lets a held order go on its way; or one that nobody keyed in shadow, once that is over. */
export async function release(
  context: OrdersContext,
  idOrNumber: string,
  { another = [], ...act }: Release,
): Promise<OrderView> {
  return byHand(context, idOrNumber, { ...act, action: "order-released" }, async (tx, order) => {
    if (order.state !== "held" && order.state !== "shadowed")
      throw impossible(order, "releasing", "only a held or shadowed order waits");
    await refuseInShadow(context, order);
    await refuseKeyed(tx, order, another);
    await refuseWithoutAccount(tx, order);
    const others = another.length === 0 ? null : `${another.join(", ")}: another order`;
    const about = said(context, act, "Released", others);
    // Nothing hands over an order of a test key: it is let go, and stays here.
    if (order.test) return move(tx, order, { ...about, event: "check" });
    return onItsWay(tx, context, order, { ...about, event: "release" });
  });
}

/**
 * Stops an order that was not handed over, or gives up one that the ERP refused; one that the ERP
 * has is cancelled there, as far as its connector can, else by a task.
 */
export async function cancel(
  context: OrdersContext,
  idOrNumber: string,
  act: Act,
): Promise<OrderView> {
  const asked = { who: act.who, why: act.reason, lines: null, decides: true };
  const done = await cancelOrder(context, idOrNumber, {
    ...asked,
    idempotencyKey: null,
    apiKey: act.who,
  });
  if ("problem" in done) throw new OrderError("change-impossible", done.problem.detail);
  return show(context, idOrNumber);
}

/** A person has looked into a conflict or a doubt: the order stands in the ERP. */
export async function resolve(
  context: OrdersContext,
  idOrNumber: string,
  asked: Resolution,
): Promise<OrderView> {
  return byHand(context, idOrNumber, { ...asked, action: "order-resolved" }, async (tx, order) => {
    const resolved = await resolveOrder(tx, context, order, asked);
    // What of it lies there still is taken back at once.
    if (await mayLie(tx, order))
      await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
    return resolved;
  });
}

/**
 * A person has looked: an order in doubt is not in the ERP, or one that it refused is mended. It is
 * looked for there once more and sent only where it is not found; a far side that takes files is
 * told that its drop never came, since it would show that one for ever.
 */
export async function sendAgain(
  context: OrdersContext,
  idOrNumber: string,
  act: Act,
): Promise<OrderView> {
  const seen = await orderOf(context.store, context.company, idOrNumber);
  if (seen.state === "inDoubt") {
    if (seen.handedOverAt !== null) await refuseUnread(context, seen);
    await refuseNamed(context, seen);
  }
  const far = seen.state === "inDoubt" ? await readyToSendAgain(context, seen, act) : null;
  return byHand(context, idOrNumber, { ...act, action: "order-sent-again" }, async (tx, order) => {
    if (order.state === "refused") {
      await sentOnce(tx, order);
      await refuseUnpaid(tx, order);
    }
    const wait = await stillArriving(tx, context, order, far?.quietSeconds);
    if (wait > 0) throw mayArrive(order, wait);
    const event = order.state === "refused" ? "release" : "notThere";
    if (after(order.state, event) === null)
      throw impossible(order, "sending again", "only one that is in doubt or was refused is");
    const about = said(context, act, "To be sent again", far?.setAside);
    return onItsWay(tx, context, order, { ...about, event });
  });
}

function mayArrive({ number }: OrderRow, seconds: number): OrderError {
  return new OrderError(
    "move-impossible",
    `Sending web order ${number} again: what was sent may still turn up for ${seconds} s, whatever ` +
      "the ERP shows until then. It is searched for meanwhile; look again after that.",
  );
}

async function onItsWay(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  change: Move,
): Promise<OrderRow> {
  const set = { attempts: 0, nextAttemptAt: null, handedOverAt: null, answerDueAt: null };
  const moved = await move(tx, order, { ...change, set });
  await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
  return moved;
}

function impossible(order: OrderRow, doing: string, because: string): OrderError {
  return new OrderError(
    "move-impossible",
    `${doing[0]?.toUpperCase() ?? ""}${doing.slice(1)} web order ${order.number}: it is ` +
      `"${order.state}", and ${because}.`,
  );
}

function said(
  context: OrdersContext,
  act: Act,
  what: string,
  more: string | null = null,
): Pick<Move, "who" | "about" | "at"> {
  const about = `${what}: ${act.reason}${more === null ? "" : ` (${more})`}`;
  return { who: act.who, at: context.now(), about };
}

async function byHand(
  context: OrdersContext,
  idOrNumber: string,
  act: Act & { readonly action: string },
  work: (tx: Transaction, order: OrderRow) => Promise<OrderRow>,
): Promise<OrderView> {
  const moved = await context.store.transaction(async (tx) => {
    const order = await heldOrder(tx, context.company, idOrNumber);
    await audited(tx, context, { ...act, subject: order.number });
    return work(tx, order);
  });
  return show(context, moved.id);
}
