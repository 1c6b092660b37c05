/** A change that is made: what the order was is kept, what it is now is what it consists of. */
import type { Transaction } from "../../store/index.ts";
import { addEvent, move, type OrderRow } from "../book.ts";
import { replaceContent, type Content } from "../content.ts";
import type { OrdersContext } from "../context.ts";
import { leftToPersons } from "../held-since.ts";
import { DELIVER_JOB, jobData } from "../jobs.ts";
import { noteChanged } from "../told.ts";
import { evidenceOfLines, type Before } from "./rows.ts";

/** What the order is now, kept before it is something else. */
export async function beforeOf(tx: Transaction, order: OrderRow): Promise<Before> {
  return { body: order.body, evidence: await evidenceOfLines(tx, order) };
}

/**
 * Gives the order its new content, and says so in its book. Whoever calls it settles the refunds
 * once the order stands where it is to: of one that is refused still all is owed back.
 */
export async function putContent(
  tx: Transaction,
  order: OrderRow,
  content: Content,
  said: { readonly who: string; readonly about: string; readonly at: Temporal.Instant },
): Promise<OrderRow> {
  const changed = await replaceContent(tx, order, content, said.at);
  await addEvent(tx, order, {
    ...said,
    event: "change",
    fromState: order.state,
    toState: order.state,
  });
  await noteChanged(tx, changed, "order.amended", said.at);
  return changed;
}

/** On its way again, or held: what the checks say of the order as it is now. */
export async function goOn(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  { who, holds: found }: { readonly who: string; readonly holds: readonly string[] },
): Promise<OrderRow> {
  const at = context.now();
  const { company, id } = order;
  // What waits for a person stays so, whatever its content is now.
  const left = order.state === "held" ? leftToPersons(order.reasons) : [];
  const holds = [...new Set([...left, ...found])];
  if (order.state === "checked" || order.state === "received") return order;
  if (holds.length > 0) {
    if (order.state === "held") return say(tx, order, holds);
    const queued = order.state === "refused" ? await released(tx, order, who, at) : order;
    return move(tx, queued, {
      event: "hold",
      who: "tradepost",
      at,
      about: holds.join(" "),
      reasons: holds,
      set: { nextAttemptAt: null },
    });
  }
  const queued = order.state === "queued" ? order : await released(tx, order, who, at);
  if (order.test) return queued;
  await context.jobs.queue(tx, DELIVER_JOB, jobData(company, id));
  return queued;
}

function released(
  tx: Transaction,
  order: OrderRow,
  who: string,
  at: Temporal.Instant,
): Promise<OrderRow> {
  return move(tx, order, {
    // One of a test key is let go, and stays here.
    event: order.test ? "check" : "release",
    who,
    at,
    about: "As it was changed, nothing speaks against it.",
    set: { attempts: 0, nextAttemptAt: null },
  });
}

async function say(
  tx: Transaction,
  order: OrderRow,
  reasons: readonly string[],
): Promise<OrderRow> {
  await tx.affect("update web_order set reasons = $3 where company = $1 and id = $2", [
    order.company,
    order.id,
    JSON.stringify(reasons),
  ]);
  return { ...order, reasons };
}
