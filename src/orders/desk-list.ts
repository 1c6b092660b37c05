/**
 * What waits for a person: orders that are held, in doubt, refused, in conflict or late, and tasks.
 * What is promised first, then what is worth most.
 */
import type { Queryable } from "../store/index.ts";
import { isGivenAway, RIVAL, type Rival } from "./anothers.ts";
import { ordersOf } from "./book.ts";
import { isOfCharges } from "./charged.ts";
import type { OrdersContext } from "./context.ts";
import { delivered } from "./delivered.ts";
import { besides, type Asked } from "./doubts.ts";
import { letStandAs, moneyIfTheyStand } from "./let-stand.ts";
import type { DeliveryState } from "./machine.ts";
import { actsOn, LIMITS, type DeskAct, type Limits } from "./possible.ts";
import { CAME_OF_IT } from "./taken-there.ts";
import type { TaskKind } from "./tasks.ts";

export const DESK_KINDS = ["held", "in doubt", "refused", "conflict", "late", "task"] as const;
export type DeskKind = (typeof DESK_KINDS)[number];

export interface DeskEntry {
  readonly kind: DeskKind;
  /** Null: a task about no order. */
  readonly webOrder: string | null;
  readonly account: string | null;
  readonly state: DeliveryState | null;
  /** Its number there, as far as is known; null: none, or one that is another order's. */
  readonly erpOrder: string | null;
  /** What is at stake, in pounds and pence; null: no money. */
  readonly amount: string | null;
  /** Delivery wanted on; null: no day was promised. */
  readonly promisedOn: string | null;
  readonly since: Temporal.Instant;
  /** What happened and why, in sentences. */
  readonly why: readonly string[];
  /** What can be done now. */
  readonly acts: readonly (DeskAct | "close-task")[];
  /** What to do next, in a sentence. */
  readonly next: string;
  readonly task: { readonly id: string; readonly kind: TaskKind; readonly about: string } | null;
}

export interface DeskCounts {
  readonly held: number;
  readonly inDoubt: number;
  readonly refused: number;
  readonly conflict: number;
  readonly late: number;
  readonly tasks: number;
}

export interface Desk {
  readonly counts: DeskCounts;
  readonly entries: readonly DeskEntry[];
}

interface OrderAtDesk extends Limits {
  readonly id: string;
  readonly kind: Exclude<DeskKind, "task">;
  readonly number: string;
  readonly account: string;
  readonly state: DeliveryState;
  readonly erpOrder: string | null;
  readonly gross: string;
  readonly isPaid: boolean;
  readonly promisedOn: string | null;
  readonly changedAt: Temporal.Instant;
  readonly reasons: readonly string[];
  readonly handedOverAt: Temporal.Instant | null;
  /** Of a conflict; null: the ERP order is no other's. */
  readonly rival: Rival | null;
  /** The ERP went backwards and has lost it, and nobody has decided on it yet. */
  readonly isLost: boolean;
  /** Something of it was despatched, invoiced or cancelled. */
  readonly isMoved: boolean;
  /** False: of what is handed over, only a change that was asked for is late. */
  readonly isOverdue: boolean;
}

/** An order that should have been at the ERP long ago. */
const SLOW_MINUTES = 60;
/** So long staff have to key what was taken in shadow. */
const KEYED_HOURS = 24;

/** Of one that is handed over. */
const IS_OVERDUE = `(
  o.state = 'handedOver'
    and (promised.day <= $3::date + 1
         or o.answer_due_at <= $2::timestamptz and o.reasons <> '[]')
  or o.state in ('accepted', 'confirmed') and o.open_account is not null
    and promised.day < $3::date
    and exists (select 1 from web_order_line l
                 where l.company = o.company and l.order_id = o.id
                   and l.open_product is not null
                   and l.quantity > l.cancelled_quantity + ${delivered()}))`;

/** A change that the ERP was to be told long ago, whatever stands in the way. */
const UNTOLD = `web_order_change c
   where c.company = $1 and c.state = 'asked'
     and c.asked_at < $2::timestamptz - make_interval(mins => ${SLOW_MINUTES})`;

/**
 * Late: not at the ERP an hour after it was taken, not there though it is promised for tomorrow,
 * taken in shadow and not keyed by staff for a day, not answered in time where nobody reads
 * answers, there and not changed an hour after that was asked for, or there and not despatched
 * though its day is over: what is to be despatched still counts, so that history is not looked
 * through. $1 company, $2 now, $3 today.
 */
export const ORDERS_AT_DESK = `
  select case state when 'held' then 'held' when 'inDoubt' then 'in doubt'
                    when 'refused' then 'refused' when 'conflict' then 'conflict'
                    else 'late' end as kind,
         id, number, account, state, erp_order as "erpOrder", gross, paid > 0 as "isPaid",
         promised.day::text as "promisedOn", reasons, ${IS_OVERDUE} is true as "isOverdue",
         case when o.state in ('handedOver', 'accepted', 'confirmed') and ${IS_OVERDUE} is not true
              then (select min(c.asked_at) from ${UNTOLD} and c.order_id = o.id)
              else changed_at end as "changedAt",
         handed_over_at as "handedOverAt",
         case when state = 'conflict' then ${RIVAL} end as rival,
         ${LIMITS},
         exists (select 1 from web_order_lost g where g.company = o.company
                  and g.order_id = o.id and g.decision is null) as "isLost",
         ${CAME_OF_IT} is not null as "isMoved"
    from web_order o
    cross join lateral (select (o.body ->> 'requestedOn')::date as day) promised
   where o.company = $1 and not o.test
     and (o.state in ('held', 'inDoubt', 'refused', 'conflict')
          or o.state in ('queued', 'sending')
             and (o.received_at < $2::timestamptz - make_interval(mins => ${SLOW_MINUTES})
                  or promised.day <= $3::date + 1)
          or o.state in ('handedOver', 'accepted', 'confirmed')
             and o.id = any(array(select c.order_id from ${UNTOLD}))
          or ${IS_OVERDUE}
          or o.state = 'shadowed' and exists (
               select 1 from web_order_shadow s
                where s.company = o.company and s.order_id = o.id
                  and s.verdict in ('not-keyed', 'not-rendered')
                  and s.shadowed_at < $2::timestamptz - make_interval(hours => ${KEYED_HOURS})))`;

interface TaskAtDesk {
  readonly id: string;
  readonly kind: TaskKind;
  readonly about: string;
  readonly instruction: string;
  readonly amount: string | null;
  readonly openedAt: Temporal.Instant;
  readonly number: string | null;
  readonly account: string | null;
  readonly state: DeliveryState | null;
  readonly erpOrder: string | null;
  readonly promisedOn: string | null;
}

const TASKS = `
  select t.id, t.kind, t.about, t.instruction, t.amount, t.opened_at as "openedAt", o.number,
         o.account, o.state, o.erp_order as "erpOrder", o.body ->> 'requestedOn' as "promisedOn"
    from web_order_task t
    left join web_order o on o.company = t.company and o.id = t.order_id
   where t.company = $1 and t.state = 'open'`;

export async function desk(context: OrdersContext, on: Queryable = context.store): Promise<Desk> {
  const { company, settings, now } = context;
  const at = now();
  const today = at.toZonedDateTimeISO(settings.timeZone).toPlainDate();
  const orders = await on.query<OrderAtDesk>(ORDERS_AT_DESK, [company, at, today.toString()]);
  const tasks = await on.query<TaskAtDesk>(TASKS, [company]);
  const money = await moneyOf(on, company, orders);
  const said = await besides(context, on, orders.map(asked));
  const entries = [
    ...orders.map((order) => {
      const beside = { money: money.get(order.id) ?? null, besides: said.get(order.id) ?? [] };
      return orderEntry(order, beside);
    }),
    ...tasks.map(taskEntry),
  ];
  const soon = today.add({ days: 1 }).toString();
  const isPromised = ({ promisedOn }: DeskEntry): boolean =>
    promisedOn !== null && promisedOn <= soon;
  const of = (kind: DeskKind): number => entries.filter((one) => one.kind === kind).length;
  return {
    counts: {
      held: of("held"),
      inDoubt: of("in doubt"),
      refused: of("refused"),
      conflict: of("conflict"),
      late: of("late"),
      tasks: of("task"),
    },
    entries: entries.sort(
      (one, other) =>
        Number(isPromised(other)) - Number(isPromised(one)) ||
        Number(other.amount ?? 0) - Number(one.amount ?? 0) ||
        Temporal.Instant.compare(one.since, other.since),
    ),
  };
}

/** By id of those in conflict: what resolving them means for what was paid for them. */
async function moneyOf(
  on: Queryable,
  company: string,
  orders: readonly OrderAtDesk[],
): Promise<ReadonlyMap<string, string>> {
  const paid = orders.filter(
    ({ kind, rival, isLost, isPaid }) => kind === "conflict" && rival === null && !isLost && isPaid,
  );
  const rows = await ordersOf(
    on,
    company,
    paid.map(({ id }) => id),
  );
  const stands = rows.map((order) => ({
    order,
    there: { erpOrder: order.erpOrder, net: order.erpNet, vat: order.erpVat },
  }));
  return moneyIfTheyStand(on, company, rows, await letStandAs(on, company, stands));
}

function asked({ id, number, kind, handedOverAt, reasons }: OrderAtDesk): Asked {
  return { id, number, handedOverAt, reasons, isDoubt: kind === "in doubt" };
}

interface Beside {
  /** What resolving it means for what was paid for it; null: nothing. */
  readonly money: string | null;
  /** What must be known beside its own reasons. */
  readonly besides: readonly string[];
}

function orderEntry(order: OrderAtDesk, { money, besides }: Beside): DeskEntry {
  const { kind, number, account, state, erpOrder, gross, promisedOn, changedAt, reasons } = order;
  return {
    kind,
    webOrder: number,
    account,
    state,
    erpOrder: isGivenAway(order.rival) ? null : erpOrder,
    amount: gross,
    promisedOn,
    since: changedAt,
    why: [...(reasons.length > 0 || isUntold(order) ? reasons : [lateBecause(order)]), ...besides],
    acts: actsOn(order, order),
    next: `${nextFor(order, besides)}${money === null ? "" : ` As it stands there ${money}`}`,
    task: null,
  };
}

/** Nothing else of it is late. */
function isUntold({ state, isOverdue }: OrderAtDesk): boolean {
  return !isOverdue && ["handedOver", "accepted", "confirmed"].includes(state);
}

function lateBecause({ state, promisedOn }: OrderAtDesk): string {
  const promised = promisedOn === null ? "" : ` It is wanted on ${dayOf(promisedOn)}.`;
  if (state === "queued" || state === "sending") return `It is not at the ERP yet.${promised}`;
  if (state === "shadowed")
    return `It was taken in shadow and not sent, and the ERP shows no order keyed for it.${promised}`;
  if (state === "handedOver") return `The ERP has not answered yet.${promised}`;
  return `Not all of it was despatched.${promised}`;
}

function dayOf(iso: string): string {
  return iso.split("-").toReversed().join("/");
}

function nextFor(order: OrderAtDesk, besides: readonly string[]): string {
  const { kind, state, handedOverAt, sentOnce, rival, accountRequest } = order;
  switch (kind) {
    case "held":
      if (accountRequest !== null)
        return `Decide on its account request first: tradepost account-requests show ${accountRequest}.`;
      return "Mend what holds it and release it, have it amended, or cancel it.";
    case "in doubt":
      if (besides.length > 0) return AFTER_THAT;
      return handedOverAt === null
        ? "It is looked for by itself. If you find it in the ERP, resolve it with its number there; if you are sure that it is not there, send it again."
        : "Look in the ERP. If it is there, resolve it with its number; if it is not, send it again.";
    case "refused":
      if (sentOnce)
        return "The ERP knows its number as refused: have it handed in anew under another one, and cancel it.";
      return "Mend in the ERP what it dislikes and send it again, have it amended, or cancel it.";
    case "conflict":
      if (order.isLost) return lostText(order);
      if (rival !== null) return betweenTwo(order, rival);
      return differingText(order);
    case "late":
      if (isUntold(order))
        return "See what stands in the way: tradepost check. It is told by itself as soon as that can be done; where the goods may leave before, have it made in the ERP.";
      if (state === "shadowed")
        return "Have it keyed, with its number; release it once its connection is live; or cancel it.";
      if (state === "handedOver" && order.reasons.length > 0)
        return "Have the answers read: end what stands still, put right what waits in quarantine, then tradepost sync; and see that a schedule reads them.";
      return state === "queued" || state === "sending"
        ? "See whether its connection is live and answers: tradepost check."
        : "Ask whoever despatches it, and tell the customer.";
    default:
      return kind satisfies never;
  }
}

const AFTER_THAT =
  "Settle first what is said here, and look in the ERP. If it is there, resolve it with its number; send it again only if it is surely not.";

function differingText({ erpOrder, isInvoiced, reasons }: OrderAtDesk): string {
  const there = erpOrder === null ? "what the ERP holds" : `ERP order ${erpOrder}`;
  if (isInvoiced && reasons.every(isOfCharges))
    return (
      `Compare it with ${there} and its invoices. Have what is too much credited there: then the ` +
      "conflict ends by itself; or resolve it as it is charged."
    );
  return `Compare it with ${there}, put it right there, then resolve it; or cancel it there, and here.`;
}

/** Its number may be another's there by now: nothing is to be cancelled there. */
function lostText({ number, isMoved }: OrderAtDesk): string {
  const leave = `(tradepost orders lost leave ${number} --who NAME --why WHY)`;
  const said = "The ERP went backwards and has lost it: cancel nothing there.";
  return isMoved
    ? `${said} Have the rest of it keyed there under its number, and leave it as it is ${leave}.`
    : `${said} Have it sent again (${sendAgain(number)}); or leave it as it is, where staff have ` +
        `keyed it anew ${leave}.`;
}

function sendAgain(number: string): string {
  return `tradepost orders lost send-again ${number} --who NAME --why WHY`;
}

/** Cancelled in the ERP, the order of the other one would be lost. */
function betweenTwo({ number, erpOrder, isMoved }: OrderAtDesk, rival: Rival): string {
  const { number: other, account, stands } = rival;
  if (!isGivenAway(rival))
    return `Look in the ERP whether ${erpOrder} is ${number} or ${other}. Resolve the one that it is as ${erpOrder}; cancel the other one here, not there, and have it ordered anew.`;
  const whose = stands
    ? `ERP order ${erpOrder} is that of ${other}: do not cancel it there.`
    : `ERP order ${erpOrder} is ${other === null ? "one" : `"${other}"`} of account ${account} by now: do not cancel it there, unless it is ${number}.`;
  const rest = isMoved
    ? "have the rest of it keyed there under its number"
    : `have it sent again (${sendAgain(number)})`;
  return `${whose} If the ERP has ${number} under another number, resolve it as that; else ${rest}, or cancel ${number} here.`;
}

function taskEntry(task: TaskAtDesk): DeskEntry {
  const { id, kind, about, instruction, amount, openedAt, number } = task;
  return {
    kind: "task",
    webOrder: number,
    account: task.account,
    state: task.state,
    erpOrder: task.erpOrder,
    amount,
    promisedOn: task.promisedOn,
    since: openedAt,
    why: [`${kind}: ${about}`],
    acts: ["close-task"],
    next: instruction,
    task: { id, kind, about },
  };
}
