/**
 * Payments that no field of the ERP's order carries: entered there by finance, each once, and never
 * one that the order is not paid by any more.
 */
import { decimal, type Money } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { byPayment, refundsOf, ZERO } from "./owed.ts";
import { isOfAnother } from "./payments.ts";
import { anew } from "./refunds.ts";
import { closeTask, listTasks, openTask, type Task } from "./tasks.ts";

type Paid = Pick<OrderRow, "id" | "number" | "body" | "erpOrder" | "state">;

/**
 * Those that have no such task yet; that were changed since it was opened; or whose money is not to
 * be entered any more.
 */
const TO_ENTER = `
  select o.id, o.number, o.body, o.erp_order as "erpOrder", o.state from web_order o
    left join lateral (
      select max(t.opened_at) as at, bool_or(t.state = 'open') as open from web_order_task t
       where t.company = o.company and t.order_id = o.id and t.kind = 'receipt') last on true
   where o.company = $1 and not o.test
     and (o.state in ('accepted', 'confirmed')
            and (o.paid > 0 and last.at is null
                 or last.at is not null and exists (
                      select 1 from web_order_change c
                       where c.company = o.company and c.order_id = o.id and c.state = 'done'
                         and c.ended_at >= last.at))
          or o.state in ('refused', 'cancelled') and last.open)
   order by o.id`;

/** How many were opened. */
export async function receiptsToEnter(
  tx: Queryable,
  company: string,
  at: Temporal.Instant,
): Promise<number> {
  let opened = 0;
  for (const order of await tx.query<Paid>(TO_ENTER, [company])) {
    const tasks = await listTasks(tx, company, { order: order.id, kind: "receipt", state: "all" });
    const { payment: its } = order.body;
    const isOver = order.state === "refused" || order.state === "cancelled";
    const isIts = !isOver && its !== null && !(await isOfAnother(tx, { company, id: order.id }));
    const own = its === null ? [] : refundsOf(its, tasks);
    const wanted = isIts ? stillToEnter(its.amount, own) : ZERO;
    const stays = new Set(wanted.digits > 0n ? own.map(({ id }) => id) : []);
    const why = isOver ? `It is ${order.state}.` : NO_MORE;
    for (const { id } of tasks.filter(isOpen))
      if (!stays.has(id)) await drop(tx, company, id, why, at);
    if (its === null || wanted.digits <= 0n) continue;
    if (await enter(tx, company, order, decimal.format(wanted), tasks, at)) opened += 1;
  }
  return opened;
}

const NO_MORE = "The order is not paid by it any more, or less is to be entered.";

/** What nobody has entered yet, or said that it need not be. */
function stillToEnter(amount: string, own: readonly Task[]): Money {
  const settled = own.filter(
    ({ state, closedBy }) => state === "done" || (state === "dropped" && closedBy !== "tradepost"),
  );
  const sum = decimal.sum(settled.map((task) => moneyOf(task.amount)));
  return decimal.larger(ZERO, decimal.subtract(moneyOf(amount), sum));
}

/** True: it is a new task; an open one of the payment says by now what is to be entered. */
async function enter(
  tx: Queryable,
  company: string,
  { id, number, body, erpOrder }: Paid,
  amount: string,
  tasks: readonly Task[],
  at: Temporal.Instant,
): Promise<boolean> {
  if (body.payment === null) return false;
  const open = refundsOf(body.payment, tasks).find(isOpen);
  const instruction =
    `Enter ${amount} received ${byPayment(body.payment)}, on account ${body.account} against ERP ` +
    `order ${erpOrder ?? "(not known yet)"}.`;
  const about = open?.about ?? anew(`payment of ${number}`, tasks);
  const task = { order: id, kind: "receipt", about, instruction, amount } as const;
  return (await openTask(tx, company, task, at)).opened;
}

async function drop(
  tx: Queryable,
  company: string,
  id: string,
  reason: string,
  at: Temporal.Instant,
): Promise<void> {
  await closeTask(tx, company, { id, state: "dropped", who: "tradepost", reason }, at);
}

const isOpen = ({ state }: Task): boolean => state === "open";
const moneyOf = (amount: string | null): Money => decimal.parse<"money">(amount ?? "0");
