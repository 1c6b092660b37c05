/**
 * What an ERP that went backwards has lost: each order is decided on by a person. So is one whose
 * number there is another's by now, though nothing else shows that the ERP went backwards.
 */
import { records } from "../model/index.ts";
import { removeRows, type Queryable, type Transaction } from "../store/index.ts";
import { isGivenAway, RIVAL, type Rival } from "./anothers.ts";
import { move, orderOf, type OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { readyToSendAgain } from "./dropped-again.ts";
import { OrderError } from "./error.ts";
import { DELIVER_JOB, jobData } from "./jobs.ts";
import { bears } from "./same-number.ts";
import { CAME_OF_IT, cameOfIt, isGivenAnew, type KnownOrder } from "./taken-there.ts";

/**
 * Writes down what was lost, each to be decided on by a person. One that was decided on before, and
 * has its number of then, can be lost once more.
 */
export async function noteLost(
  tx: Queryable,
  { company, now }: OrdersContext,
  connection: string,
  lost: readonly Pick<KnownOrder, "id" | "erpOrder">[],
): Promise<void> {
  for (const { id, erpOrder } of lost)
    await tx.affect(
      `insert into web_order_lost (company, order_id, erp_order, connection, lost_at, decision,
         decided_by, decided_at, why)
       values ($1, $2, $3, $4, $5, null, null, null, null)
       on conflict (company, order_id, erp_order) do update
         set connection = excluded.connection, lost_at = excluded.lost_at, decision = null,
             decided_by = null, decided_at = null, why = null
       where web_order_lost.decision is not null`,
      [company, id, erpOrder, connection, now()],
    );
}

export interface LostOrder {
  readonly order: string;
  readonly erpOrder: string;
  readonly connection: string;
  readonly account: string;
  readonly net: string;
  readonly receivedAt: Temporal.Instant;
  readonly lostAt: Temporal.Instant;
  readonly state: string;
  /** "BRICK: 1 despatched of 2", as is known of it; null: nothing of it has moved. */
  readonly cameOfIt: string | null;
  /** Null: a person has yet to decide. */
  readonly decision: "send-again" | "leave" | null;
  readonly decidedBy: string | null;
  readonly why: string | null;
}

/** Undecided ones first, then newest. */
export async function lostOrders({ store, company }: OrdersContext): Promise<readonly LostOrder[]> {
  return store.query<LostOrder>(
    `select o.number as "order", g.erp_order as "erpOrder", g.connection, o.account, o.net,
            o.received_at as "receivedAt", g.lost_at as "lostAt", o.state,
            ${CAME_OF_IT} as "cameOfIt", g.decision, g.decided_by as "decidedBy", g.why
       from web_order_lost g join web_order o on o.company = g.company and o.id = g.order_id
      where g.company = $1 order by g.decision is not null, g.lost_at desc, o.id`,
    [company],
  );
}

export interface LostDecision {
  readonly decision: "send-again" | "leave";
  readonly who: string;
  readonly why: string;
}

/**
 * Send again: it is queued, and searched by its key before it is placed, as ever; throws where
 * something came of it, which would come once more. Leave: it stands as it is, and is not looked
 * for any more. False: it is not lost, or was decided on.
 */
export async function decideLost(
  context: OrdersContext,
  number: string,
  act: LostDecision,
): Promise<boolean> {
  const { store, company } = context;
  const again = act.decision === "send-again";
  const aside = again ? await makeReady(context, number, act) : null;
  return store.transaction(async (tx) => {
    const order = await orderOf(tx, company, number);
    if (again && order.erpOrder !== null && (await isAnothersByNow(tx, order)))
      await noteLost(tx, context, context.connection.name ?? "", [
        { id: order.id, erpOrder: order.erpOrder },
      ]);
    const decided = await decide(tx, context, order, act);
    if (decided.length === 0) return false;
    if (!again) return true;
    for (const lost of decided) await forgetPulled(tx, order, lost);
    await queueAgain(tx, context, order, act, aside);
    return true;
  });
}

interface Lost {
  readonly erpOrder: string;
  readonly lostAt: Temporal.Instant;
}

function decide(
  tx: Transaction,
  { now }: OrdersContext,
  { company, id }: OrderRow,
  { decision, who, why }: LostDecision,
): Promise<Lost[]> {
  return tx.query<Lost>(
    `update web_order_lost set decision = $3, decided_by = $4, decided_at = $5, why = $6
      where company = $1 and order_id = $2 and decision is null
     returning erp_order as "erpOrder", lost_at as "lostAt"`,
    [company, id, decision, who, now(), why],
  );
}

/** It is a conflict, since its number there is another's. */
async function isAnothersByNow(on: Queryable, { company, id, state }: OrderRow): Promise<boolean> {
  if (state !== "conflict") return false;
  const [row] = await on.query<{ rival: Rival | null }>(
    `select ${RIVAL} as rival from web_order o where o.company = $1 and o.id = $2`,
    [company, id],
  );
  return isGivenAway(row?.rival ?? null);
}

/**
 * What was pulled of it is of an order that is no more. An ERP that was restored goes on counting
 * where its backup ended, so that what it makes of the order now may be the very same rows: were
 * those of before still here, they would be nothing new. What has its number and is another's
 * stays.
 */
async function forgetPulled(
  tx: Transaction,
  { company, id }: OrderRow,
  { erpOrder, lostAt }: Lost,
): Promise<void> {
  const ofIt = (row: string, which: string) =>
    `exists (select 1 from web_order o where o.company = $1 and o.id = $2
       and ${row}.learned_at <= $3 and ${which})`;
  const held = (row: string) => {
    const own = bears(`${row}.web_order`);
    return ofIt(row, `(${own} or ${row}.erp_order = $4 and not ${isGivenAnew(row)})`);
  };
  const answers = ofIt("t", bears("t.web_order"));
  const lines = `t.learned_at <= $3 and exists (select 1 from erp_order e
    where e.company = $1 and e.erp_order = t.erp_order and ${held("e")})`;
  const values = [id, lostAt, erpOrder];
  await removeRows(tx, company, records["order-acknowledgement"], answers, [id, lostAt]);
  await removeRows(tx, company, records["erp-order-line"], lines, values);
  await removeRows(tx, company, records["erp-order"], held("t"), values);
}

async function queueAgain(
  tx: Transaction,
  { company, now, jobs }: OrdersContext,
  order: OrderRow,
  { who, why }: LostDecision,
  aside: string | null,
): Promise<void> {
  await move(tx, order, {
    event: "lost",
    who,
    at: now(),
    about: `The ERP went backwards and has it no more; to be sent again: ${why}${aside === null ? "" : ` (${aside})`}`,
    set: {
      attempts: 0,
      nextAttemptAt: null,
      handedOverAt: null,
      answerDueAt: null,
      erpOrder: null,
      erpNet: null,
      erpVat: null,
      // Of what it was there: the same number may be given to it anew, and is to be looked at.
      settled: [],
    },
  });
  await jobs.queue(tx, DELIVER_JOB, jobData(company, order.id));
}

/**
 * Throws where it would come twice. A far side that takes files would show the drop of before for
 * ever.
 */
async function makeReady(
  context: OrdersContext,
  number: string,
  { who, why }: LostDecision,
): Promise<string | null> {
  const { store, company, now } = context;
  const order = await orderOf(store, company, number);
  const lost = await lostOrders(context);
  const waits = lost.find((one) => one.order === order.number && one.decision === null);
  if (waits === undefined && !(await isAnothersByNow(store, order))) return null;
  await refuseMoved(store, order);
  const handedOverAt = order.handedOverAt ?? waits?.lostAt ?? now();
  const dropped = { number: order.number, handedOverAt };
  return (await readyToSendAgain(context, dropped, { who, reason: why })).setAside;
}

async function refuseMoved(on: Queryable, { company, id, number }: OrderRow): Promise<void> {
  const came = await cameOfIt(on, company, id);
  if (came === null) return;
  throw new OrderError(
    "move-impossible",
    `Sending web order ${number} again: something came of it (${came}), and all of it would come ` +
      "once more. Have what is left of it keyed in the ERP by hand under its number, with what the " +
      `ERP is to know of the rest; then: tradepost orders lost leave ${number} --who NAME --why WHY`,
  );
}
