/**
 * A part that is cancelled is taken off what stood then, or was to. Where a change that it was
 * taken off of comes to another end, or is agreed, it is worked out anew from what stands: what was
 * not to be comes in by no other door, and what was cancelled stays cancelled.
 */
import type { Transaction } from "../../store/index.ts";
import { addEvent, OrderError, type OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { openIntents, rewriteIntent } from "../delivery/intents.ts";
import { noteChanged } from "../told.ts";
import { holdsOf, intentOf } from "./ask.ts";
import { lessAnew } from "./cancelled.ts";
import { examineAnew, isImpossible } from "./examine.ts";
import { dropTasks, nameOf, over } from "./over.ts";
import {
  changesOf,
  groundOf,
  moveChange,
  PENDING,
  rewriteChange,
  type ChangeContent,
  type ChangeRow,
  type ChangeState,
} from "./rows.ts";

interface Since {
  /** The change that came to its end, or was let go. */
  readonly change: Pick<ChangeRow, "change" | "kind">;
  /** What became of it, in a word. */
  readonly became: string;
  readonly at: Temporal.Instant;
}

/** Parts of the order that were cancelled right behind the change. */
export async function workOutAnew(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  since: Since,
): Promise<void> {
  if (order.state === "cancelled" || order.state === "refused") return;
  const later = (await changesOf(tx, order)).filter(
    ({ change, state }) => change > since.change.change && PENDING.includes(state),
  );
  const end = later.findIndex(({ kind, body }) => kind === "amend" || body === null);
  for (const one of end < 0 ? later : later.slice(0, end))
    await workOut(tx, context, order, one, since);
}

async function workOut(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  one: ChangeRow,
  since: Since,
): Promise<void> {
  await refuseOnItsWay(tx, order, one, since);
  const name = nameOf(since.change.kind, since.change.change).toLowerCase();
  const found = await contentAnew(tx, context, order, one);
  if (typeof found === "string") {
    const about = `${sentence(name)} is ${since.became}. ${found}`;
    await over(tx, order, one, { state: "dropped", about, at: since.at, who: "tradepost" });
    return dropTasks(tx, order, one, about, since.at);
  }
  const { content, holds } = found;
  await rewriteChange(tx, order, content);
  const change = { ...one, ...content };
  const about =
    `${nameOf(one.kind, one.change)} is worked out anew, since ${name} is ${since.became}: ` +
    (content.body === null ? "nothing is left." : `it comes to ${content.body.net} net.`);
  await inBook(tx, order, about, since.at);
  if (one.state === "held") return letGo(tx, context, order, change, holds, { about, since });
  if (one.state === "asked") await rewriteIntent(tx, order, { ...change, kind: kindOf(change) });
}

interface Said {
  readonly about: string;
  readonly since: Since;
}

/** It goes to the ERP where nothing holds it by itself. */
async function letGo(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  change: ChangeRow,
  holds: readonly string[],
  { about, since: { at } }: Said,
): Promise<void> {
  const state: ChangeState = holds.length > 0 ? "held" : "asked";
  const outcome = holds.length > 0 ? holds.join(" ") : about;
  await moveChange(tx, order, { change: change.change, state, outcome, at });
  if (state === "held") return;
  await dropTasks(tx, order, change, about, at);
  await intentOf(tx, context, order, change);
}

interface Found {
  readonly content: ChangeContent;
  readonly holds: readonly string[];
}

/** A sentence: why it comes to nothing. */
async function contentAnew(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  one: ChangeRow,
): Promise<Found | string> {
  const before = (await changesOf(tx, order)).filter(({ change }) => change < one.change);
  const { last } = groundOf(order, before);
  const less = await lessOrWhy(tx, order, last, one);
  if (typeof less === "string") return less;
  const whole = { request: null, body: null, evidence: null, held: null, cancelled: [] };
  if (less === null) return { content: { change: one.change, ...whole }, holds: [] };
  const { request: body, numbers, cancelled } = less;
  const anew = await examineAnew(tx, context, order, { kind: "cancel", body, numbers }, before);
  await anew.undo();
  if (isImpossible(anew) || (one.state === "held" && anew.verdict === "refuse"))
    return anew.findings.map(({ about }) => about).join(" ");
  const { request, content } = anew;
  return { content: { change: one.change, ...content, request, cancelled }, holds: holdsOf(anew) };
}

async function lessOrWhy(tx: Transaction, order: OrderRow, last: ChangeRow | null, one: ChangeRow) {
  try {
    const less = await lessAnew(tx, order, last, one);
    return less === "nothing" ? "What it was to take off is not there." : less;
  } catch (error) {
    if (error instanceof OrderError) return error.message;
    throw error;
  }
}

/** Throws where the ERP may have it already as it was. */
async function refuseOnItsWay(
  tx: Transaction,
  order: OrderRow,
  { change, kind }: ChangeRow,
  since: Since,
): Promise<void> {
  const open = await openIntents(tx, order);
  if (!open.some((intent) => intent.change === change && intent.state === "sending")) return;
  const [name, built] = [nameOf(kind, change), nameOf(since.change.kind, since.change.change)];
  throw new OrderError(
    "change-impossible",
    `Dropping ${built.toLowerCase()} of web order ${order.number}: ${name.toLowerCase()} holds it ` +
      "and is on its way to the ERP. Look again once that has ended.",
  );
}

function kindOf({ body }: Pick<ChangeRow, "body">): "amend" | "cancel" {
  return body === null ? "cancel" : "amend";
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function inBook(
  tx: Transaction,
  order: OrderRow,
  about: string,
  at: Temporal.Instant,
): Promise<void> {
  const { state } = order;
  await addEvent(tx, order, {
    event: "change",
    fromState: state,
    toState: state,
    who: "tradepost",
    about,
    at,
  });
  await noteChanged(tx, order, "order.change-asked", at);
}
