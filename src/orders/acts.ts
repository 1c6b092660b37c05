/** What a person may do to an order: each act with who and why, in its book and in the audit. */
import type { Transaction } from "../store/index.ts";
import { audited, type Act } from "./audit.ts";
import { move, type Move, type OrderRow } from "./book.ts";
import { refuseWithoutAccount } from "./buyers/index.ts";
import { cancelOrder } from "./changes/ask.ts";
import { heldOrder, sentOnce } from "./changes/path.ts";
import type { OrdersContext } from "./context.ts";
import { OrderError } from "./error.ts";
import { DELIVER_JOB, jobData } from "./jobs.ts";
import { show, type OrderView } from "./view.ts";

import { refuseUnpaid } from "./payments.ts";
import { resolveOrder, type Resolution } from "./resolve.ts";
/** Lets a held order go on its way. */
export async function release(
  context: OrdersContext,
  idOrNumber: string,
  act: Act,
): Promise<OrderView> {
  return byHand(context, idOrNumber, { ...act, action: "order-released" }, async (tx, order) => {
    if (order.state !== "held") throw impossible(order, "releasing", "only a held order waits");
    await refuseWithoutAccount(tx, order);
    return onItsWay(tx, context, order, { ...said(context, act, "Released"), event: "release" });
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
  return show(context, done.answer.webOrder);
}

/**
 * A person has looked into a conflict or a doubt: the order stands in the ERP, under this number
 * if given.
 */
export async function resolve(
  context: OrdersContext,
  idOrNumber: string,
  act: Act & { readonly erpOrder?: string },
): Promise<OrderView> {
  return byHand(context, idOrNumber, { ...act, action: "order-resolved" }, async (tx, order) => {
    const erpOrder = act.erpOrder ?? order.erpOrder;
    if (act.erpOrder !== undefined) await notAnothers(tx, order, act.erpOrder);
    const numbers = await erpNumbersOf(tx, order);
    const known = [...settledNow(order), ...numbers, ...(erpOrder === null ? [] : [erpOrder])];
    return move(tx, order, {
      ...said(context, act, erpOrder === null ? "Resolved" : `Resolved: it is ${erpOrder} there`),
      event: "resolve",
      set: { erpOrder, nextAttemptAt: null, settled: [...new Set(known)] },
    });
  });
}

/** An ERP order is that of one web order at most. */
async function notAnothers(tx: Transaction, order: OrderRow, erpOrder: string): Promise<void> {
  const [other] = await tx.query<{ number: string }>(
    `select number from web_order where company = $1 and erp_order = $2 and id <> $3 limit 1`,
    [order.company, erpOrder, order.id],
  );
  if (other === undefined) return;
  throw new OrderError(
    "move-impossible",
    `Resolving web order ${order.number}: ERP order ${erpOrder} is that of ${other.number} already.`,
  );
}

/**
 * A person has looked: an order in doubt is not in the ERP, or one that it refused is mended. It is
 * looked for there once more and sent only where it is not found.
 */
export async function sendAgain(
  context: OrdersContext,
  idOrNumber: string,
  act: Act,
): Promise<OrderView> {
  return byHand(context, idOrNumber, { ...act, action: "order-sent-again" }, async (tx, order) => {
    if (order.state === "refused") {
      await sentOnce(tx, order);
      await refuseUnpaid(tx, order);
    }
    const wait = await stillArriving(tx, context, order, far?.quietSeconds);
    if (wait > 0) throw mayArrive(order, wait);
    const event = order.state === "refused" ? "release" : "notThere";
    const about = said(context, act, "To be sent again");
    return onItsWay(tx, context, order, { ...about, event });
  });
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

function settledNow(order: OrderRow): string[] {
  return [...order.settled, ...(order.erpOrder === null ? [] : [order.erpOrder])];
}

/** As some ERPs write it: in capitals. */
const BEARS = "web_order in ($2, upper($2), lower($2))";

async function erpNumbersOf(tx: Transaction, order: OrderRow): Promise<string[]> {
  const rows = await tx.query<{ number: string }>(
    `select erp_order as number from erp_order where company = $1 and ${BEARS}
     union select erp_order from order_acknowledgement
            where company = $1 and ${BEARS} and erp_order is not null`,
    [order.company, order.number],
  );
  return rows.map((row) => row.number);
}

function said(context: OrdersContext, act: Act, what: string): Pick<Move, "who" | "about" | "at"> {
  return { who: act.who, at: context.now(), about: `${what}: ${act.reason}` };
}

async function byHand(
  context: OrdersContext,
  idOrNumber: string,
  act: Act & { readonly action: string },
  work: (tx: Transaction, order: OrderRow) => Promise<OrderRow>,
): Promise<OrderView> {
  const moved = await context.store.transaction(async (tx) => {
    const order = await heldOrder(tx, context.company, idOrNumber);
    const done = await work(tx, order);
    await audited(tx, context, { ...act, subject: order.number });
    return done;
  });
  return show(context, moved.id);
}
