/**
 * Money that was taken for goods that will not come: owed back, by a task for finance that is
 * closed with the reference of the refund. Whenever an order is another, so are its open refunds.
 */
import { decimal, type Money, type WebOrderPayment } from "../model/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import type { DeliveryState } from "./machine.ts";
import { otherGoodsOf, questionOf, questionsOf } from "./other-goods.ts";
import {
  byPayment,
  LAPSED,
  refundsOf,
  settlementOf,
  standingOf,
  STANDS,
  unsettled,
  ZERO,
  type Paid,
  type Settlement,
  type PaidStanding,
  type Standing,
} from "./owed.ts";
import { isOfAnother, paysAnother } from "./payments.ts";
import { closeTask, listTasks, openTask, type Task } from "./tasks.ts";

const TRADEPOST = "tradepost";

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
  if (isOther || to === "confirmed" || to === "queued" || to === "conflict")
    await settleRefunds(tx, order.company, order.id, at);
}

function isDead(state: DeliveryState): boolean {
  return state === "refused" || state === "cancelled";
}

/**
 * Makes the open refunds of an order what is owed, whatever was opened before; true: something was
 * to be done. `creditedBy`: numbers of its credit notes, as far as they are known here.
 */
export async function settleRefunds(
  tx: Queryable,
  company: string,
  id: string,
  at: Temporal.Instant,
  creditedBy: readonly string[] = [],
): Promise<boolean> {
  // Whoever changes it meanwhile owes otherwise: only with the order held the sum is right.
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    id,
  ]);
  const standing = await standingOf(tx, company, id);
  if (standing === null) return false;
  const todo = await todoOf(tx, company, standing, creditedBy);
  for (const one of todo) await settle(tx, company, id, one, at);
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
  const credited = standings.filter((standing) => isSum(standing.credited));
  const documents =
    credited.length === 0 ? undefined : await invoices?.(credited.map(({ number }) => number));
  let changed = 0;
  for (const standing of standings) {
    const papers = documents?.get(standing.number) ?? [];
    const creditedBy = papers.flatMap(({ kind, document }) =>
      kind === "credit" ? [document] : [],
    );
    if ((await todoOf(store, company, standing, creditedBy)).length === 0) continue;
    const settled = await store.transaction((tx) =>
      settleRefunds(tx, company, standing.id, now(), creditedBy),
    );
    if (settled) changed += 1;
  }
  return changed;
}

function isSum(amount: string): boolean {
  return decimal.parse(amount).digits !== 0n;
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
  /** Why open refunds are taken back. */
  readonly reason: string;
  /** What a person is told or asked; nothing that was told before. */
  readonly looks: readonly Look[];
  /** Told before, and not so any more. */
  readonly untold: readonly Task[];
}

interface Look {
  readonly about: string;
  readonly instruction: string;
  readonly amount: string;
}

async function todoOf(
  on: Queryable,
  company: string,
  standing: Standing,
  creditedBy: readonly string[],
): Promise<Todo[]> {
  const tasks = await listTasks(on, company, { order: standing.id, state: "all" });
  const refunds = tasks.filter(({ kind }) => kind === "refund");
  const { payment: its } = standing;
  const current =
    its === null
      ? null
      : await ofItsPayment(on, company, { ...standing, payment: its }, creditedBy, tasks, refunds);
  const former: Todo[] = [];
  for (const payment of standing.former) {
    if (await paysAnother(on, { company, id: standing.id }, payment)) continue;
    const settlement = settlementOf(
      { payment, taken: payment.amount, unmade: "0", due: ZERO, isPaidWhole: false },
      refunds,
    );
    const { provider, reference } = payment;
    former.push({
      payment,
      settlement,
      due: ZERO,
      refunds,
      about: `${standing.number} is not paid by ${provider} ${reference} any more`,
      because:
        `Web order ${standing.number} is ${its === null ? "not paid by it" : "paid otherwise"}; ` +
        "where this was never taken, drop the task. ",
      reason: comesTo(ZERO),
      looks: [],
      untold: [],
    });
  }
  const all = [...(current === null ? [] : [current]), ...former];
  return (standing.state === "conflict" ? all.map(withdrawn) : all).filter(isToDo);
}

/** While a person has yet to say what it comes to, only what papers do not leave over goes. */
function withdrawn(todo: Todo): Todo {
  const { drop, open } = todo.settlement;
  // What stays owed of it is asked for anew, and never more.
  const settlement = { ...todo.settlement, lapse: [], open: drop.length > 0 ? open : null };
  return { ...todo, settlement, looks: [], untold: [] };
}

function isToDo({ settlement: { drop, lapse, open }, looks, untold }: Todo): boolean {
  return drop.length + lapse.length + looks.length + untold.length > 0 || open !== null;
}

const comesTo = (due: Money): string => `The order comes to ${decimal.format(due)} now.`;

function paidOf({ payment, taken, unmade, due, gross, isLetStand }: PaidStanding): Paid {
  const isWhole = decimal.compare(decimal.parse(taken), decimal.parse(gross)) >= 0;
  const isPaidWhole = isLetStand && isWhole;
  return { payment, taken, unmade, due: decimal.parse<"money">(due), isPaidWhole };
}

async function ofItsPayment(
  on: Queryable,
  company: string,
  standing: PaidStanding,
  creditedBy: readonly string[],
  tasks: readonly Task[],
  refunds: readonly Task[],
): Promise<Todo | null> {
  const { payment, state } = standing;
  const due = decimal.parse<"money">(standing.due);
  const settlement = settlementOf(paidOf(standing), refunds);
  const unpaid = lookOf(standing, THERE.has(state) ? settlement.unpaid : ZERO, due, tasks);
  const asked = await questionAbout(on, company, standing, settlement, tasks);
  const todo = {
    payment,
    settlement: asked.waits ? takenBack(settlement, refundsOf(payment, refunds)) : settlement,
    due,
    refunds,
    ...causeOf(standing, settlement.over, creditedBy, refunds),
    reason: asked.waits ? "Other goods went out for it: a person is asked." : comesTo(due),
    looks: [...unpaid.looks, ...asked.looks],
    untold: [...unpaid.untold, ...asked.untold],
  };
  return isToDo(todo) && !(await isOfAnother(on, { company, id: standing.id })) ? todo : null;
}

/**
 * While goods went out for it that are on no invoice here, nobody knows what is to be given back: a
 * person is asked, and nothing is told as owed. It is told where they close that as done, and not
 * where they drop it.
 */
async function questionAbout(
  on: Queryable,
  company: string,
  standing: PaidStanding,
  settlement: Settlement,
  tasks: readonly Task[],
): Promise<Pick<Todo, "looks" | "untold"> & { readonly waits: boolean }> {
  const before = questionsOf(standing.number, tasks);
  const owed = owedBy(settlement, refundsOf(standing.payment, tasks));
  const other = owed.digits > 0n ? await otherGoodsOf(on, company, standing) : null;
  const question = other === null ? null : questionOf(standing, other, owed);
  const asked = before.filter(({ about }) => question !== null && about.startsWith(question.about));
  const untold = before.filter((task) => task.state === "open" && !asked.includes(task));
  if (question === null) return { waits: false, looks: [], untold };
  const last = asked.findLast(({ state, closedBy }) => state === "open" || closedBy !== TRADEPOST);
  if (last !== undefined) return { waits: last.state !== "done", looks: [], untold };
  const look = { ...question, about: anew(question.about, before), amount: decimal.format(owed) };
  return { waits: true, looks: [look], untold };
}

/** What open refunds come to once the settlement is made. */
function owedBy({ drop, open }: Settlement, own: readonly Task[]): Money {
  const stay = own.filter(
    (task) => task.kind === "refund" && task.state === "open" && !drop.includes(task),
  );
  const sums = stay.map(({ amount }) => decimal.parse<"money">(amount ?? "0"));
  return decimal.sum([...sums, open ?? ZERO]);
}

/** Open refunds are taken back, and none is opened. */
function takenBack(settlement: Settlement, own: readonly Task[]): Settlement {
  return { ...settlement, drop: own.filter(({ state }) => state === "open"), open: null };
}

/** The ERP has it, as paid. */
const THERE: ReadonlySet<DeliveryState> = new Set(["handedOver", "accepted", "confirmed"]);

/** What a person has closed was told once and for all; what Tradepost has, until it is so again. */
function lookOf(
  { number, payment }: PaidStanding,
  unpaid: Money,
  due: Money,
  tasks: readonly Task[],
): Pick<Todo, "looks" | "untold"> {
  const stands = `${number}${STANDS}`;
  const before = tasks.filter(({ kind, about }) => kind === "look" && about.startsWith(stands));
  const amount = decimal.format(unpaid);
  const isSame = (task: Task): boolean =>
    unpaid.digits > 0n && decimal.compare(decimal.parse(task.amount ?? "0"), unpaid) === 0;
  const untold = before.filter((task) => task.state === "open" && !isSame(task));
  const isTold = before.some(
    (task) => isSame(task) && (task.state === "open" || task.closedBy !== TRADEPOST),
  );
  if (unpaid.digits === 0n || isTold) return { looks: [], untold };
  const isAll = decimal.compare(unpaid, due) >= 0;
  const name = `${stands}${isAll ? " and is not paid" : `, and ${amount} of it is not paid`}`;
  const done = tasks.filter(({ kind, state }) => kind === "refund" && state === "done");
  const back = done.map((task) => `${task.amount ?? "?"}, refund ${task.reference ?? "?"}`);
  const instruction =
    done.length > 0
      ? `Of its payment was given back: ${back.join("; ")}. The ERP has ${number} as paid: ask the ` +
        "customer to pay, or cancel it."
      : `The ERP has it at ${decimal.format(due)} by now, and ${payment.amount} was paid ` +
        "beforehand: ask the customer for the rest, or have the price put right there.";
  return { looks: [{ about: anew(name, before), instruction, amount }], untold };
}

/** A task that is closed is never opened again: another one has another name. */
export function anew(name: string, tasks: readonly Task[]): string {
  return tasks.some(({ about }) => about === name) ? `${name} (${tasks.length + 1})` : name;
}

/** What a refund is named by: the order's end, its credit notes, or that less comes. */
function causeOf(
  { number, state, apart, unmade, credited, due, gross }: Standing,
  over: Money,
  creditedBy: readonly string[],
  refunds: readonly Task[],
): Pick<Todo, "about" | "because"> {
  const other = decimal.parse<"money">(apart);
  const isMore = isSum(unmade);
  const because = [
    isMore
      ? `Of the same payment ${unmade} more came with a change that was not made; where it was ` +
        "never taken, drop the task. "
      : "",
    other.digits > 0n
      ? `Other goods were invoiced for it, ${decimal.format(other)} with VAT, and are counted. `
      : "",
  ].join("");
  if (isDead(state)) return { about: `${number} is ${state}`, because };
  if (creditedBy.length > 0 && isSum(credited)) {
    const by = creditedBy.join(", ");
    const about = `${number} credited by ${by}: ${decimal.format(decimal.parse(credited))}`;
    if (!refunds.some((task) => task.about === about && task.state !== "dropped"))
      return { about, because: `It was paid beforehand and ${by} credits it. ${because}` };
  }
  const isWhole = decimal.compare(decimal.parse(due), decimal.parse(gross)) >= 0;
  const what = isMore || isWhole ? "is paid too much by" : "came short by";
  return { about: `${number} ${what} ${decimal.format(over)}`, because };
}

async function settle(
  tx: Queryable,
  company: string,
  order: string,
  { settlement, payment, refunds, about, because, reason, looks, untold, due }: Todo,
  at: Temporal.Instant,
): Promise<void> {
  const { drop, lapse, open } = settlement;
  for (const { id } of lapse)
    await tx.affect(
      "update web_order_task set reason = reason || $3 where company = $1 and id = $2",
      [company, id, LAPSED],
    );
  const close = (id: string, why: string) =>
    closeTask(tx, company, { id, state: "dropped", who: TRADEPOST, reason: why }, at);
  for (const { id } of drop) await close(id, reason);
  for (const { id } of untold) await close(id, comesTo(due));
  if (open !== null) {
    const amount = decimal.format(open);
    const instruction = `${because}${refundBy(amount, payment)}`;
    const task = {
      order,
      kind: "refund",
      about: anew(about, refunds),
      instruction,
      amount,
    } as const;
    await openTask(tx, company, task, at);
  }
  for (const look of looks) await openTask(tx, company, { order, kind: "look", ...look }, at);
}

function refundBy(amount: string, payment: WebOrderPayment): string {
  return `Refund ${amount} ${byPayment(payment)}, and close the task with the refund's reference.`;
}

/** A person has closed a refund, or a question about one: what is owed now may be another. */
export async function afterRefund(
  tx: Transaction,
  company: string,
  { kind, order }: Task,
  at: Temporal.Instant,
): Promise<void> {
  if ((kind === "refund" || kind === "look") && order !== null)
    await settleRefunds(tx, company, order, at);
}

/** A payment for an order that will not be is owed back. */
export function refundReasons(order: Pick<OrderRow, "body">): string[] {
  const paid = order.body.payment;
  if (paid === null) return [];
  const { amount, provider, reference } = paid;
  return [`${amount} was paid by ${provider} ${reference}: its refund task says what is owed.`];
}
