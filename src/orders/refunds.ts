/**
 * Money that was taken for goods that will not come: owed back, by a task for finance that is
 * closed with the reference of the refund.
 */
import { decimal } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import type { DeliveryState } from "./machine.ts";
import { isOfAnother } from "./payments.ts";
import { closeTask, listTasks, openTask, type NewTask, type Task } from "./tasks.ts";

export type PaidOrder = Pick<OrderRow, "company" | "id" | "number" | "body" | "test">;
type Order = PaidOrder;

/** In the transaction that moves the order: what a payment for it means from now on. */
export async function settlePayment(
  tx: Queryable,
  order: Order,
  move: { readonly from: DeliveryState; readonly to: DeliveryState },
  at: Temporal.Instant,
): Promise<void> {
  if (order.test || !isPaid(order)) return;
  if (isDead(move.to) && !isDead(move.from)) await owe(tx, order, move.to, at);
  // It stands after all: what was paid for it is not owed back any more.
  else if (move.to === "confirmed" || move.to === "queued") {
    await oweNothing(tx, order, at);
    if (move.to === "confirmed") await tellUnpaid(tx, order, at);
  }
}

function isPaid({ body }: Order): boolean {
  return body.payment !== null && /[1-9]/.test(body.payment.amount);
}

function isDead(state: DeliveryState): boolean {
  return state === "refused" || state === "cancelled";
}

async function owe(
  tx: Queryable,
  order: Order,
  state: DeliveryState,
  at: Temporal.Instant,
): Promise<void> {
  const paid = order.body.payment;
  if (paid === null || (await isOfAnother(tx, order))) return;
  const amount = await stillOwed(tx, order, paid.amount);
  if (amount === null) return;
  const before = await refundsOf(tx, order, "all");
  await openTask(
    tx,
    order.company,
    {
      order: order.id,
      kind: "refund",
      // An order can die twice, and a task that was dropped is never opened again.
      about: `${order.number} is ${state}${before.length === 0 ? "" : ` (${before.length + 1})`}`,
      instruction: refundBy(amount, paid),
      amount,
    },
    at,
  );
}

type Paid = Pick<NonNullable<Order["body"]["payment"]>, "provider" | "reference">;

export function refundBy(amount: string, paid: Paid): string {
  return `Refund ${amount} ${by(paid)}, and close the task with the refund's reference.`;
}

function by({ provider, reference }: Paid): string {
  return `by ${provider}, payment ${reference}`;
}

/** Less what is owed back or was given back of its payment already; null: nothing more. */
export async function stillOwed(tx: Queryable, order: Order, owed: string): Promise<string | null> {
  const { payment } = order.body;
  const tasks = await refundsOf(tx, order, "all");
  const told = tasks
    .filter(({ state }) => state !== "dropped")
    .filter(({ instruction }) => payment === null || instruction.includes(`${by(payment)},`))
    .map(({ amount }) => amount ?? "0");
  const rest = decimal.subtract(
    decimal.parse<"money">(owed),
    decimal.sum(told.map((text) => decimal.parse<"money">(text))),
  );
  return rest.digits <= 0n ? null : decimal.format(rest);
}

async function oweNothing(tx: Queryable, order: Order, at: Temporal.Instant): Promise<void> {
  const tasks = await refundsOf(tx, order, "open");
  for (const { id } of tasks.filter(({ about }) => about.startsWith(`${order.number} is `)))
    await closeTask(
      tx,
      order.company,
      { id, state: "dropped", who: "tradepost", reason: "The order stands after all." },
      at,
    );
}

/** It stands, and nobody pays for it: the money was given back while it was thought dead. */
async function tellUnpaid(tx: Queryable, order: Order, at: Temporal.Instant): Promise<void> {
  const tasks = await refundsOf(tx, order, "all");
  const paidBack = tasks.find(
    ({ state, about }) => state === "done" && about.startsWith(`${order.number} is `),
  );
  if (paidBack === undefined) return;
  const { amount, reference } = paidBack;
  await openTask(
    tx,
    order.company,
    {
      order: order.id,
      kind: "look",
      about: `${order.number} stands and is not paid`,
      instruction:
        `Its payment was given back (${amount ?? "?"}, refund ${reference ?? "?"}), and the ERP has ` +
        "it as paid: ask the customer to pay, or cancel it.",
      amount,
    },
    at,
  );
}

async function refundsOf(tx: Queryable, order: Order, state: "open" | "all"): Promise<Task[]> {
  return listTasks(tx, order.company, { kind: "refund", order: order.id, state });
}

interface Short {
  readonly id: string;
  readonly number: string;
  readonly body: OrderRow["body"];
  readonly owed: string;
}

/**
 * Paid orders of which something will not come any more, or that come to less since they were
 * amended: refunded is what was paid for it. Each time more of an order falls short, a further task
 * names only what came on top.
 */
const SHORT = `
  select o.id, o.number, o.body, round(short.owed, 2)::text as owed
    from web_order o
    cross join lateral (
      select least(o.paid, greatest(0, o.paid - o.gross)
               + coalesce(sum((l.net + l.vat) * l.cancelled_quantity / l.quantity), 0)) as owed
        from web_order_line l where l.company = o.company and l.order_id = o.id) short
   where o.company = $1 and ($2::uuid is null or o.id = $2) and not o.test and o.paid > 0
     and o.state not in ('refused', 'cancelled', 'shadowed') and short.owed > 0
   order by o.id`;

export async function refundShort(
  tx: Queryable,
  company: string,
  at: Temporal.Instant,
  /** Id of the only order to look at; null: all. */
  only: string | null = null,
): Promise<number> {
  let opened = 0;
  for (const seen of await tx.query<Short>(SHORT, [company, only])) {
    if ((await refundFor(tx, company, seen)) === null) continue;
    // Whoever cancels it meanwhile owes back all of it: only with the order held the sum is right.
    await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
      company,
      seen.id,
    ]);
    const [held] = await tx.query<Short>(SHORT, [company, seen.id]);
    const task = held === undefined ? null : await refundFor(tx, company, held);
    if (task !== null && (await openTask(tx, company, task, at)).opened) opened += 1;
  }
  return opened;
}

async function refundFor(
  tx: Queryable,
  company: string,
  { owed, ...row }: Short,
): Promise<NewTask | null> {
  const order: Order = { company, test: false, ...row };
  const paid = order.body.payment;
  const amount = paid === null ? null : await stillOwed(tx, order, owed);
  if (paid === null || amount === null || (await isOfAnother(tx, order))) return null;
  return {
    order: order.id,
    kind: "refund",
    about: `${order.number} came short by ${owed}`,
    instruction: refundBy(amount, paid),
    amount,
  };
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
