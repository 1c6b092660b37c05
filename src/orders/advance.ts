/**
 * What follows a pull: answers and ERP orders are matched to the orders that wait for them, waits
 * that are over become doubts, quantities despatched are taken over, and whatever should be on its
 * way and is not is queued again.
 */
import {
  answerDue,
  readingOf,
  sayUnread,
  stoodStillSince,
  tellUnread,
  unreadBecause,
  type Unread,
} from "./answers-read.ts";
import { ORDER_COLUMNS, OrderError, type Move, type OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { backAgain, tellAway } from "./delivery/away.ts";
import { clearDuplicates, moveAsSeen } from "./delivery/duplicate.ts";
import { tellLying } from "./delivery/lying-back.ts";
import { LYING_DUE } from "./delivery/lying.ts";
import { noticeWhatStaffDid } from "./erp-changes.ts";
import { updateDespatched } from "./fulfilment.ts";
import { DELIVER_JOB, jobData } from "./jobs.ts";
import { namedIn } from "./named.ts";
import { closeSettled } from "./open.ts";
import { settleMoney } from "./refunds.ts";
import { recentOrders } from "./recent.ts";
import { judgeAllFromPulled } from "./seen.ts";
import { compareShadowed } from "./shadow.ts";

export interface AdvanceResult {
  readonly moved: number;
  readonly expired: number;
  readonly queued: number;
}

/** `since`: of orders that are over, those that anything happened to since; null: all. */
export async function advance(
  context: OrdersContext,
  since: Temporal.Instant | null,
): Promise<AdvanceResult> {
  const { mode, paused } = await context.connection.standing();
  const moved = await moveByPulled(context, mode === "shadow", since);
  const expired = await expire(context);
  await clearDuplicates(context);
  await tellLate(context);
  await tellAway(context);
  await tellLying(context);
  const { store, company } = context;
  // Those that were moved just now are among them.
  const recent = await recentOrders(context, since);
  await updateDespatched(context, recent.orders);
  await store.transaction((tx) => closeSettled(tx, company));
  await compareShadowed(context);
  const queued = paused === null ? await queueAgain(context, mode !== "read-only") : 0;
  await noticeWhatStaffDid(context, recent);
  await settleMoney(context, recent.orders);
  return { moved, expired, queued };
}

/** In shadow an order that waits and that the ERP shows is the one that staff keyed for it. */
async function moveByPulled(
  context: OrdersContext,
  inShadow: boolean,
  since: Temporal.Instant | null,
): Promise<number> {
  let moved = 0;
  const { store, company, now } = context;
  const { orders } = await recentOrders(context, since);
  const judgements = await judgeAllFromPulled(store, company, now(), orders);
  for (const { order, move: judged } of judgements) {
    if (inShadow && (order.state === "queued" || order.state === "held")) continue;
    if (await moveUnlessMoved(context, order, judged)) moved += 1;
  }
  return moved;
}

/** An order that was moved meanwhile is looked at again after the next pull. */
async function moveUnlessMoved(
  context: OrdersContext,
  order: OrderRow,
  change: Move,
): Promise<boolean> {
  try {
    await context.store.transaction((tx) => moveAsSeen(context, tx, order, change));
  } catch (error) {
    if (error instanceof OrderError && error.code === "order-moved") return false;
    throw error;
  }
  if (change.event === "conflict" || change.event === "refuse" || change.event === "doubt")
    context.log("warn", `Web order ${order.number}: ${(change.reasons ?? []).join(" ")}`);
  return true;
}

/** The timer raises an alarm; it never sends anything. Where nobody reads, it proves nothing. */
async function expire(context: OrdersContext): Promise<number> {
  const at = context.now();
  const late = await context.store.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order
      where company = $1 and state = 'handedOver' and answer_due_at <= $2 order by id`,
    [context.company, at],
  );
  let expired = 0;
  const unread: Unread[] = [];
  const numbers = late.map(({ number }) => number);
  const reading = late.length === 0 ? null : await readingOf(context, numbers);
  const named = await namedIn(
    context.store,
    context.company,
    late.map(({ id }) => id),
  );
  const { timeZone } = context.settings;
  const still = await stoodStillSince(context, late);
  for (const order of late) {
    const due = answerDue(order, still) ?? at;
    if (reading?.standing.paused === null && Temporal.Instant.compare(due, at) > 0) {
      await sayUnread(context, order, null);
      continue;
    }
    const because =
      reading === null ? null : unreadBecause(reading, order, { since: due, timeZone });
    if (because !== null) {
      unread.push({ ...order, because });
      await sayUnread(context, order, because);
      continue;
    }
    const since = order.handedOverAt?.toString({ smallestUnit: "minute" }) ?? "";
    const alarm =
      `Handed over at ${since}, and after ${context.settings.answerWithinHours} hours the ERP has ` +
      "not answered. Look there whether it was taken in; it is not sent again by itself.";
    const done = await moveUnlessMoved(context, order, {
      event: "doubt",
      who: "tradepost",
      at,
      about: alarm,
      reasons: [alarm, ...[named.get(order.id)].filter((one) => one !== undefined)],
      set: { nextAttemptAt: null, answerDueAt: null },
    });
    if (done) expired += 1;
  }
  await tellUnread(context, unread);
  return expired;
}

/** Orders that the ERP never answered, as one alarm that holds while there are any. */
async function tellLate({ alarms, store, company, settings }: OrdersContext): Promise<void> {
  if (alarms === undefined) return;
  const late = await store.query<{ number: string; since: Temporal.Instant }>(
    `select number, handed_over_at as since from web_order
      where company = $1 and state = 'inDoubt' and handed_over_at is not null
      order by handed_over_at, number`,
    [company],
  );
  const [oldest] = late;
  if (oldest === undefined) {
    await alarms.clear(LATE);
    return;
  }
  const shown = late.slice(0, SHOWN).map(({ number }) => number);
  const more = late.length > SHOWN ? ` and ${late.length - SHOWN} more` : "";
  await alarms.raise({
    key: LATE,
    level: "error",
    title: `Web orders were handed over and never answered: ${late.length}`,
    detail:
      `${shown.join(", ")}${more}: after ${settings.answerWithinHours} hours the ERP shows ` +
      "neither an order nor an answer. They are not sent again by themselves.",
    instruction:
      "Look whether the ERP's import runs and took them in. Then pull; or, for one that is there " +
      "or was keyed by hand: tradepost orders resolve NUMBER --erp-order ERPNUMBER --who NAME " +
      "--why WHY. For one that is not there: tradepost orders send-again NUMBER --who NAME " +
      "--why WHY",
    since: oldest.since,
  });
}

const LATE = "orders/late";
const SHOWN = 5;

/** In SQL, ids of orders that are to be on their way, or wait for the far side. $1 the company. */
const DUE = `
  select w.id from web_order w
   where w.company = $1 and w.state in ('queued', 'sending', 'inDoubt')
  union all
  select w.id from web_order w
   where w.company = $1 and w.state = 'accepted' and w.next_attempt_at is not null
  union all
  -- What is not a placement was asked for by a change.
  select w.id from web_order_change c
    join web_order_intent i on i.company = $1 and i.order_id = c.order_id
     and i.change = c.change and i.state in ('waiting', 'sending')
     and coalesce(i.due_at <= clock_timestamp(), true)
    join web_order w on w.company = $1 and w.id = c.order_id
     and w.state in ('handedOver', 'accepted', 'confirmed', 'refused', 'cancelled')
   where c.company = $1
  union all ${LYING_DUE}`;

/**
 * Jobs lost with a database restore, senders that died, orders that waited for a connection to go
 * live, what is to be read back, what lies where an import takes it (all that is looked for where
 * nothing is sent), and changes that wait. One whose sender holds its lease is left to that one.
 */
async function queueAgain(context: OrdersContext, sends: boolean): Promise<number> {
  return context.store.transaction(async (tx) => {
    const due = await tx.query<{ id: string }>(
      `select o.id from web_order o
        where o.company = $1 and not o.test
          and (o.next_attempt_at is null or o.next_attempt_at <= $2)
          and o.id in (${sends ? DUE : LYING_DUE})
          and not exists (select 1 from web_order_lease l
                           where l.company = o.company and l.order_id = o.id
                             and l.until > clock_timestamp())
        order by o.id`,
      [context.company, context.now()],
    );
    const back = sends ? await backAgain(context, tx) : [];
    const data = [...new Set([...due.map(({ id }) => id), ...back])];
    const jobs = data.map((id) => jobData(context.company, id));
    return context.jobs.queueMissing(tx, DELIVER_JOB, jobs);
  });
}
