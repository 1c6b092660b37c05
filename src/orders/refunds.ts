/**
 * Money that was taken for goods that will not come: owed back, by a task for finance that is
 * closed with the reference of the refund. Whenever an order is another, so are its open refunds.
 */
import { decimal, type Money, type WebOrderPayment } from "../model/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { creditsOf, type Credits } from "./credited.ts";
import type { DeliveryState } from "./machine.ts";
import {
  byPayment,
  LAPSED,
  larger,
  settlementOf,
  standingOf,
  STANDS,
  unsettled,
  ZERO,
  type Settlement,
  type Standing,
} from "./owed.ts";
import { isOfAnother, paysAnother } from "./payments.ts";
import { closeTask, listTasks, openTask, type Task } from "./tasks.ts";

type PaidOrder = Pick<OrderRow, "company" | "id" | "body" | "test">;

/** In the transaction that moves the order: what a payment for it means from now on. */
export async function settlePayment(
  tx: Queryable,
  order: PaidOrder,
  move: { readonly from: DeliveryState; readonly to: DeliveryState },
  at: Temporal.Instant,
): Promise<void> {
  if (order.test || order.body.payment === null) return;
  const { from, to } = move;
  const isOther = isDead(from) !== isDead(to) || from === "conflict";
  if (isOther || to === "confirmed" || to === "queued")
    await settleRefunds(tx, order.company, order.id, at);
}

function isDead(state: DeliveryState): boolean {
  return state === "refused" || state === "cancelled";
}

/**
 * Makes the open refunds of an order what is owed, whatever was opened before; true: something was
 * to be done. Of one that was credited only `settleMoney` knows by how much.
 */
export async function settleRefunds(
  tx: Queryable,
  company: string,
  id: string,
  at: Temporal.Instant,
  credits: Credits | null = null,
): Promise<boolean> {
  // Whoever changes it meanwhile owes otherwise: only with the order held the sum is right.
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    id,
  ]);
  const standing = await standingOf(tx, company, id);
  if (standing === null) return false;
  if (standing.isCredited && credits === null) return false;
  const todo = await todoOf(tx, company, standing, credits);
  for (const one of todo) await settle(tx, company, standing, one, at);
  return todo.length > 0;
}

/**
 * After each pull, of the orders named (null: of all): what was paid and does not come, what comes
 * after all, and what was credited. How many were settled anew.
 */
export async function settleMoney(
  { store, company, invoices, now }: OrdersContext,
  among: readonly string[] | null,
): Promise<number> {
  const standings = await unsettled(store, company, among);
  const credited = standings.filter(({ isCredited }) => isCredited);
  const documents =
    credited.length === 0 ? undefined : await invoices?.(credited.map(({ number }) => number));
  let changed = 0;
  for (const standing of standings) {
    const credits = creditsOf(standing, documents?.get(standing.number) ?? []);
    if ((await todoOf(store, company, standing, credits)).length === 0) continue;
    const settled = await store.transaction((tx) =>
      settleRefunds(tx, company, standing.id, now(), credits),
    );
    if (settled) changed += 1;
  }
  return changed;
}

/** One payment of an order, and what is to become of its refunds. */
interface Todo {
  readonly payment: WebOrderPayment;
  readonly settlement: Settlement;
  readonly due: Money;
  /** All refunds that the order ever had. */
  readonly refunds: readonly Task[];
  /** What a new refund is about. */
  readonly about: string;
  /** Why, before the words of the refund; blank: its name says it. */
  readonly because: string;
  /** What a person is told of that it is not paid; null: nothing, or it was told. */
  readonly look: string | null;
  /** Told before, and not so any more. */
  readonly untold: readonly Task[];
}

async function todoOf(
  on: Queryable,
  company: string,
  standing: Standing,
  credits: Credits | null,
): Promise<Todo[]> {
  const tasks = await listTasks(on, company, { order: standing.id, state: "all" });
  const refunds = tasks.filter(({ kind }) => kind === "refund");
  const current = await ofItsPayment(on, company, standing, credits, tasks, refunds);
  const former: Todo[] = [];
  for (const payment of standing.former) {
    if (await paysAnother(on, { company, id: standing.id }, payment)) continue;
    const settlement = settlementOf({ payment, taken: payment.amount, due: ZERO }, refunds);
    const { provider, reference } = payment;
    former.push({
      payment,
      settlement,
      due: ZERO,
      refunds,
      about: `${standing.number} is not paid by ${provider} ${reference} any more`,
      because: `Web order ${standing.number} is paid otherwise; where this was never taken, drop the task. `,
      look: null,
      untold: [],
    });
  }
  return [...(current === null ? [] : [current]), ...former].filter(isToDo);
}

function isToDo({ settlement: { drop, lapse, open }, look, untold }: Todo): boolean {
  return drop.length + lapse.length + untold.length > 0 || open !== null || look !== null;
}

async function ofItsPayment(
  on: Queryable,
  company: string,
  standing: Standing,
  credits: Credits | null,
  tasks: readonly Task[],
  refunds: readonly Task[],
): Promise<Todo | null> {
  const { number, payment, taken, state } = standing;
  const off = credits?.gross ?? ZERO;
  const due = larger(ZERO, decimal.subtract(decimal.parse<"money">(standing.due), off));
  const settlement = settlementOf({ payment, taken, due }, refunds);
  const todo = {
    payment,
    settlement,
    due,
    refunds,
    ...causeOf(standing, settlement.over, credits, refunds),
    ...lookOf(number, THERE.has(state) ? settlement.unpaid : ZERO, due, tasks),
  };
  return isToDo(todo) && !(await isOfAnother(on, { company, id: standing.id })) ? todo : null;
}

/** The ERP has it, as paid. */
const THERE: ReadonlySet<DeliveryState> = new Set(["handedOver", "accepted", "confirmed"]);

/** What a person has closed was told once and for all; what Tradepost has, until it is so again. */
function lookOf(
  number: string,
  unpaid: Money,
  due: Money,
  tasks: readonly Task[],
): Pick<Todo, "look" | "untold"> {
  const stands = `${number}${STANDS}`;
  const looks = tasks.filter(({ kind, about }) => kind === "look" && about.startsWith(stands));
  const amount = decimal.format(unpaid);
  const isSame = (task: Task): boolean =>
    unpaid.digits > 0n && decimal.compare(decimal.parse(task.amount ?? "0"), unpaid) === 0;
  const untold = looks.filter((task) => task.state === "open" && !isSame(task));
  const isTold = looks.some(
    (task) => isSame(task) && (task.state === "open" || task.closedBy !== "tradepost"),
  );
  if (unpaid.digits === 0n || isTold) return { look: null, untold };
  const isAll = decimal.compare(unpaid, due) >= 0;
  const name = `${stands}${isAll ? " and is not paid" : `, and ${amount} of it is not paid`}`;
  return { look: anew(name, looks), untold };
}

/** A task that is closed is never opened again: another one has another name. */
function anew(name: string, tasks: readonly Task[]): string {
  return tasks.some(({ about }) => about === name) ? `${name} (${tasks.length + 1})` : name;
}

/** What a refund is named by: the order's end, its credit notes, or that less comes. */
function causeOf(
  { number, state }: Standing,
  over: Money,
  credits: Credits | null,
  refunds: readonly Task[],
): Pick<Todo, "about" | "because"> {
  if (isDead(state)) return { about: `${number} is ${state}`, because: "" };
  if (credits !== null && credits.gross.digits > 0n) {
    const by = credits.documents.join(", ");
    const about = `${number} credited by ${by}: ${decimal.format(credits.gross)}`;
    if (!refunds.some((task) => task.about === about && task.state !== "dropped"))
      return { about, because: `It was paid beforehand and ${by} credits it. ` };
  }
  return { about: `${number} came short by ${decimal.format(over)}`, because: "" };
}

async function settle(
  tx: Queryable,
  company: string,
  { id: order, number }: Standing,
  { settlement, payment, refunds, due, about, because, look, untold }: Todo,
  at: Temporal.Instant,
): Promise<void> {
  const { drop, lapse, open, unpaid } = settlement;
  for (const { id } of lapse)
    await tx.affect(
      "update web_order_task set reason = reason || $3 where company = $1 and id = $2",
      [company, id, LAPSED],
    );
  const close = (id: string, reason: string) =>
    closeTask(tx, company, { id, state: "dropped", who: "tradepost", reason }, at);
  const comesTo = `The order comes to ${decimal.format(due)} now.`;
  for (const { id } of [...drop, ...untold]) await close(id, comesTo);
  if (open !== null) {
    const amount = decimal.format(open);
    await openTask(
      tx,
      company,
      {
        order,
        kind: "refund",
        about: anew(about, refunds),
        instruction: `${because}${refundBy(amount, payment)}`,
        amount,
      },
      at,
    );
  }
  if (look === null) return;
  const done = refunds.filter(({ state }) => state === "done");
  const back = done.map(({ amount, reference }) => `${amount ?? "?"}, refund ${reference ?? "?"}`);
  await openTask(
    tx,
    company,
    {
      order,
      kind: "look",
      about: look,
      instruction:
        `Of its payment was given back: ${back.join("; ")}. The ERP has ${number} as paid: ask the ` +
        "customer to pay, or cancel it.",
      amount: decimal.format(unpaid),
    },
    at,
  );
}

function refundBy(amount: string, payment: WebOrderPayment): string {
  return `Refund ${amount} ${byPayment(payment)}, and close the task with the refund's reference.`;
}

/** A person has closed a refund: what is owed beside it may be another. */
export async function afterRefund(
  tx: Transaction,
  company: string,
  { kind, order }: Task,
  at: Temporal.Instant,
): Promise<void> {
  if (kind === "refund" && order !== null) await settleRefunds(tx, company, order, at);
}

/** A payment that no field of the ERP's order carries is entered there by finance. */
export async function receiptsToEnter(
  tx: Queryable,
  company: string,
  at: Temporal.Instant,
): Promise<number> {
  const orders = await tx.query<Pick<OrderRow, "id" | "number" | "body" | "erpOrder">>(
    `select o.id, o.number, o.body, o.erp_order as "erpOrder" from web_order o
      where o.company = $1 and not o.test and o.paid > 0 and o.state in ('accepted', 'confirmed')
        and not exists (select 1 from web_order_task t
              where t.company = o.company and t.order_id = o.id and t.kind = 'receipt')
      order by o.id`,
    [company],
  );
  let opened = 0;
  for (const { id, number, body, erpOrder } of orders) {
    const paid = body.payment;
    if (paid === null || (await isOfAnother(tx, { company, id }))) continue;
    opened += 1;
    const { amount, provider, reference } = paid;
    await openTask(
      tx,
      company,
      {
        order: id,
        kind: "receipt",
        about: `payment of ${number}`,
        instruction:
          `Enter ${amount} received by ${provider}, payment ${reference}, on account ` +
          `${body.account} against ERP order ${erpOrder ?? "(not known yet)"}.`,
        amount,
      },
      at,
    );
  }
  return opened;
}

/** A payment for an order that will not be is owed back. */
export function refundReasons(order: Pick<OrderRow, "body">): string[] {
  const paid = order.body.payment;
  if (paid === null) return [];
  const { amount, provider, reference } = paid;
  return [`${amount} was paid by ${provider} ${reference}: its refund task says what is owed.`];
}
