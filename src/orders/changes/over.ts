/** What was asked for of an order and comes to nothing more, since the order itself is over. */
import { decimal, type WebOrder } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import { forgetDespatched, isOthers } from "../anothers.ts";
import { addEvent, move, type OrderRow } from "../book.ts";
import { leaveQuotation } from "../content.ts";
import { dropWaiting } from "../delivery/intents.ts";
import { closeTask, listTasks } from "../tasks.ts";
import { noteChanged } from "../told.ts";
import { beforeOf } from "./make.ts";
import { changesOf, moveChange, PENDING, type ChangeKind, type ChangeRow } from "./rows.ts";

export function nameOf(kind: ChangeKind, change: number): string {
  return `${kind === "amend" ? "Amendment" : "Cancellation"} ${change}`;
}

export interface Over {
  readonly state: "refused" | "dropped";
  readonly about: string;
  readonly at: Temporal.Instant;
  readonly who: string;
}

/** A change that is not made. */
export async function over(
  tx: Queryable,
  order: OrderRow,
  { change, kind }: Pick<ChangeRow, "change" | "kind">,
  { state, about, at, who }: Over,
): Promise<void> {
  const moved = await moveChange(tx, order, { change, state, outcome: about, at });
  if (!moved) return;
  await addEvent(tx, order, {
    event: "change",
    fromState: order.state,
    toState: order.state,
    who,
    at,
    about: `${nameOf(kind, change)} ${state}: ${about}`,
  });
  await noteChanged(tx, order, "order.change-refused", at);
}

const SUPERSEDED = "Superseded by ";

/** It is not made, since a later one is. */
export function isSuperseded({ state, outcome }: Pick<ChangeRow, "state" | "outcome">): boolean {
  return state === "dropped" && outcome?.startsWith(SUPERSEDED) === true;
}

/**
 * A change is made, and the order is still what it was before. It says the whole order, so that
 * what was asked for before it is made with it, where that is a part cancelled that it leaves out,
 * too; and comes to nothing else: made after it, one would undo it.
 */
export async function supersede(
  tx: Transaction,
  order: OrderRow,
  made: Pick<ChangeRow, "change" | "kind" | "body">,
  at: Temporal.Instant,
): Promise<void> {
  const name = nameOf(made.kind, made.change).toLowerCase();
  for (const change of await changesOf(tx, order)) {
    if (change.change >= made.change || !PENDING.includes(change.state)) continue;
    const isMade = leavesOut(made, change);
    const about = isMade
      ? `Made with ${name}, which holds it.`
      : `${SUPERSEDED}${name}, which was asked for after it and is done.`;
    if (isMade) await madeWith(tx, order, change, about, at);
    else await over(tx, order, change, { state: "dropped", about, at, who: "tradepost" });
    await dropTasks(tx, order, change, about, at);
    await dropWaiting(tx, order, change.change);
  }
}

/** Of each line of which a part was to be cancelled no more is left than that would have left. */
function leavesOut(
  { body: made }: Pick<ChangeRow, "body">,
  { kind, body, cancelled }: ChangeRow,
): boolean {
  if (kind !== "cancel" || body === null || made === null) return false;
  const left = ({ lines }: WebOrder, line: number) =>
    decimal.parse(lines.find((one) => one.line === line)?.quantity ?? "0");
  return cancelled.every(({ line }) => decimal.compare(left(made, line), left(body, line)) <= 0);
}

async function madeWith(
  tx: Transaction,
  order: OrderRow,
  { change, kind }: ChangeRow,
  about: string,
  at: Temporal.Instant,
): Promise<void> {
  const before = await beforeOf(tx, order);
  await moveChange(tx, order, { change, state: "done", outcome: about, at, before });
  await addEvent(tx, order, {
    event: "change",
    fromState: order.state,
    toState: order.state,
    who: "tradepost",
    at,
    about: `${nameOf(kind, change)} done: ${about}`,
  });
}

/**
 * Cancelled, and what the ERP shows of it is settled. A number there that is another order's is its
 * own no more, so that nothing that becomes of that one is told of it.
 */
export async function cancelMove(
  tx: Transaction,
  order: OrderRow,
  { who, why }: { readonly who: string; readonly why: string | null },
  at: Temporal.Instant,
): Promise<OrderRow> {
  await leaveQuotation(tx, order);
  const there = order.erpOrder === null ? [] : [order.erpOrder];
  const isAnothers = await isOthers(tx, order);
  if (isAnothers) await forgetDespatched(tx, order);
  const cancelled = await move(tx, order, {
    event: "cancel",
    who,
    at,
    about: why === null ? "Cancelled." : `Cancelled: ${why}`,
    set: {
      nextAttemptAt: null,
      settled: [...new Set([...order.settled, ...there])],
      ...(isAnothers && { erpOrder: null, erpNet: null, erpVat: null }),
    },
  });
  for (const change of await withPersons(tx, cancelled))
    await endUnmade(tx, cancelled, change, "The order itself is cancelled.", at);
  return cancelled;
}

/**
 * The ERP has refused the order: what persons were to decide on or make there need not be made. One
 * that was to be cancelled as a whole is cancelled.
 */
export async function endWithRefusal(
  tx: Transaction,
  order: OrderRow,
  at: Temporal.Instant,
): Promise<OrderRow> {
  if (order.state !== "refused") return order;
  const about = "The ERP refused the order itself.";
  const waiting = await withPersons(tx, order);
  const whole = waiting.find(({ body }) => body === null);
  for (const change of waiting) if (change !== whole) await endUnmade(tx, order, change, about, at);
  if (whole === undefined) return order;
  const { change, why } = whole;
  await moveChange(tx, order, { change, state: "done", outcome: about, at });
  await dropTasks(tx, order, whole, about, at);
  return cancelMove(tx, order, { who: "tradepost", why: why ?? about }, at);
}

async function withPersons(tx: Queryable, order: OrderRow): Promise<readonly ChangeRow[]> {
  const changes = await changesOf(tx, order);
  return changes.filter(({ state }) => state === "task" || state === "held");
}

async function endUnmade(
  tx: Queryable,
  order: OrderRow,
  change: ChangeRow,
  about: string,
  at: Temporal.Instant,
): Promise<void> {
  await over(tx, order, change, { state: "refused", about, at, who: "erp" });
  await dropTasks(tx, order, change, about, at);
}

/** What a person was to do about it is nothing any more. */
export async function dropTasks(
  tx: Queryable,
  order: OrderRow,
  { kind, change }: ChangeRow,
  reason: string,
  at: Temporal.Instant,
): Promise<void> {
  const name = nameOf(kind, change).toLowerCase();
  for (const { id, about } of await listTasks(tx, order.company, { order: order.id }))
    if (about === name || about === `${name} is held`)
      await closeTask(tx, order.company, { id, state: "dropped", who: "tradepost", reason }, at);
}
