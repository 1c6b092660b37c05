/** The rows of web orders: read, moved by the table of the machine, each move with its event. */
import type { WebOrder } from "../model/index.ts";
import { reclaimPromotions, releasePromotions } from "../pricing/index.ts";
import type { Queryable } from "../store/index.ts";
import { followMove } from "./delivery/follow.ts";
import { OrderError } from "./error.ts";
import { BLANKED, isForgotten } from "./forgotten.ts";
import { after, mayMove, type DeliveryEvent, type DeliveryState } from "./machine.ts";
import { followState } from "./open.ts";
import { settlePayment } from "./refunds.ts";
import { noteOrder } from "./told.ts";

export { OrderError };

/** An order as the database holds it. */
export interface OrderRow {
  readonly company: string;
  readonly id: string;
  readonly number: string;
  readonly account: string;
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
  readonly paid: string;
  readonly body: WebOrder;
  readonly test: boolean;
  readonly state: DeliveryState;
  readonly version: number;
  readonly reasons: readonly string[];
  readonly attempts: number;
  readonly nextAttemptAt: Temporal.Instant | null;
  readonly handedOverAt: Temporal.Instant | null;
  readonly answerDueAt: Temporal.Instant | null;
  readonly erpOrder: string | null;
  readonly erpNet: string | null;
  readonly erpVat: string | null;
  /** Its lines in the ERP were compared with what was agreed. */
  readonly linesRead: boolean;
  /** What a person has settled: ERP order numbers, and sentences of what differed. */
  readonly settled: readonly string[];
  readonly receivedAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
}

export const ORDER_COLUMNS = `company, id, number, account, net, vat, gross, paid, body, test, state,
  version, reasons, attempts, next_attempt_at as "nextAttemptAt",
  handed_over_at as "handedOverAt", answer_due_at as "answerDueAt", erp_order as "erpOrder",
  erp_net as "erpNet", erp_vat as "erpVat", lines_read as "linesRead", settled, received_at as "receivedAt",
  changed_at as "changedAt"`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Orders that somebody sees: an API key those of its own kind, a person all. */
export interface Seen {
  /** Absent: both. */
  readonly of?: "live" | "test";
  /** That of the customer who asks; another customer's order is not there for them. Absent: any. */
  readonly account?: string | undefined;
}

export function seenWith(
  { test = false }: { readonly test?: boolean | undefined },
  account?: string,
): Seen {
  return { of: test ? "test" : "live", account };
}

/**
 * An order by its id or by its number, in whatever case; null when there is none. Of a live and a
 * test order of one number a person means the live one.
 */
export async function findOrder(
  on: Queryable,
  company: string,
  idOrNumber: string,
  { of, account }: Seen = {},
): Promise<OrderRow | null> {
  const by = async (condition: string) =>
    (
      await on.query<OrderRow>(
        `select ${ORDER_COLUMNS} from web_order
          where company = $1 and ${condition} and ($3::text is null or test = ($3 = 'test'))
            and ($4::text is null or account = $4)
          order by test limit 1`,
        [company, idOrNumber, of ?? null, account ?? null],
      )
    )[0] ?? null;
  const byId = UUID.test(idOrNumber) ? await by("id = $2") : null;
  // A shop may number its orders by UUIDs.
  return byId ?? (await by("number_folded in (lower($2), 'test ' || lower($2))"));
}

export async function orderOf(on: Queryable, company: string, idOrNumber: string, seen: Seen = {}) {
  const order = await findOrder(on, company, idOrNumber, seen);
  if (order !== null) return order;
  // The same whether it is another's or nobody's.
  const ofAccount = seen.account === undefined ? "" : ` of the account "${seen.account}"`;
  throw new OrderError(
    "order-unknown",
    `Looking up a web order: ${company} has none${ofAccount} with the id or number "${idOrNumber}". ` +
      "Look at its number; a number is the shop's own, or the one in the answer to the order.",
  );
}

/** By their ids; those that are not there are left out. */
export async function ordersOf(
  on: Queryable,
  company: string,
  ids: readonly string[],
): Promise<OrderRow[]> {
  if (ids.length === 0) return [];
  return on.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order where company = $1 and id = any($2::uuid[]) order by id`,
    [company, ids],
  );
}

/**
 * Holds rows of orders until the transaction ends. Whoever writes an order or its lines holds its
 * row first; whoever holds several takes them by their ids, and all at once: so nobody waits in a
 * ring.
 */
export async function holdOrders(
  tx: Queryable,
  company: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    "select 1 from web_order where company = $1 and id = any($2::uuid[]) order by id for update",
    [company, ids],
  );
}

export interface Move {
  readonly event: DeliveryEvent;
  /** A person, or "tradepost", "erp", "shop". */
  readonly who: string;
  /** What happened, in a sentence. */
  readonly about: string;
  readonly at: Temporal.Instant;
  /** Why it stands where it stands now; absent: nothing to say. */
  readonly reasons?: readonly string[];
  readonly set?: Partial<
    Pick<
      OrderRow,
      | "attempts"
      | "nextAttemptAt"
      | "handedOverAt"
      | "answerDueAt"
      | "erpOrder"
      | "erpNet"
      | "erpVat"
      | "linesRead"
      | "settled"
    >
  >;
}

/**
 * Moves an order and writes its event. Throws when the table has no such move, or somebody was
 * faster.
 */
export async function move(tx: Queryable, order: OrderRow, change: Move): Promise<OrderRow> {
  const state = after(order.state, change.event);
  if (state === null)
    throw new OrderError(
      "move-impossible",
      `Moving web order ${order.number}: it is "${order.state}", and "${change.event}" cannot happen there.`,
    );
  if (!mayMove(order.state, change.event, change.who))
    throw new OrderError(
      "move-impossible",
      `Moving web order ${order.number}: it is "${order.state}", and "${change.event}" is not for ${change.who} to do.`,
    );
  if (state === "queued" && isForgotten(order.body))
    throw new OrderError(
      "move-impossible",
      `Sending web order ${order.number} again: its guest was forgotten, and the ERP would get ` +
        `"${BLANKED}" for name and address. Amend it with guest and deliverTo, or hand in a new order.`,
    );
  const spent = await reclaim(tx, order, state);
  const moved: OrderRow = {
    ...order,
    ...change.set,
    state,
    version: order.version + 1,
    reasons: [...(change.reasons ?? []), ...spent.map(spentInWords)],
    changedAt: change.at,
  };
  const written = await tx.affect(
    `update web_order set state = $4, version = $5, reasons = $6, attempts = $7, next_attempt_at = $8,
       handed_over_at = $9, answer_due_at = $10, erp_order = $11, erp_net = $12, erp_vat = $13,
       settled = $14, changed_at = $15, lines_read = $16
     where company = $1 and id = $2 and version = $3`,
    [
      order.company,
      order.id,
      order.version,
      moved.state,
      moved.version,
      JSON.stringify(moved.reasons),
      moved.attempts,
      moved.nextAttemptAt,
      moved.handedOverAt,
      moved.answerDueAt,
      moved.erpOrder,
      moved.erpNet,
      moved.erpVat,
      JSON.stringify(moved.settled),
      change.at,
      moved.linesRead,
    ],
  );
  if (written !== 1)
    throw new OrderError(
      "order-moved",
      `Moving web order ${order.number}: it changed meanwhile (version ${order.version} is not the last). Look again.`,
    );
  await followState(tx, order, order.state, state);
  await followMove(tx, order, change);
  await addEvent(tx, order, { ...change, fromState: order.state, toState: state });
  await noteOrder(tx, order.company, moved, { at: change.at, states: [state] });
  await settlePayment(tx, order, { from: order.state, to: state }, change.at);
  if (isDead(state))
    await releasePromotions(tx, { company: order.company, order: order.id, at: change.at });
  return moved;
}

function isDead(state: DeliveryState): boolean {
  return state === "refused" || state === "cancelled";
}

/**
 * An order that lives again takes its promotions again; those that are used up by then are answered
 * and wait for a person with it. One that a person lets stand has them whatever their limits: they
 * are given.
 */
async function reclaim(tx: Queryable, order: OrderRow, state: DeliveryState): Promise<string[]> {
  const { company, id } = order;
  const stands = order.state === "conflict" && state === "confirmed";
  if (!stands && (!isDead(order.state) || isDead(state))) return [];
  // Whoever releases them holds the order first, too.
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    id,
  ]);
  return reclaimPromotions(tx, { company, order: id, beyondLimits: stands });
}

function spentInWords(promotion: string): string {
  return (
    `Promotion ${promotion}, which its prices rest on, was used up meanwhile: resolved, the order ` +
    "has it beyond the limit; else cancel it in the ERP and here."
  );
}

export interface OrderEvent {
  readonly at: Temporal.Instant;
  readonly event: string;
  readonly fromState: DeliveryState | null;
  readonly toState: DeliveryState;
  readonly who: string;
  readonly about: string;
}

/**
 * Appends to the order's book. Whoever calls it holds the order's row, so that sequences do not
 * clash.
 */
export async function addEvent(
  tx: Queryable,
  order: Pick<OrderRow, "company" | "id">,
  event: OrderEvent,
): Promise<void> {
  await tx.affect(
    `insert into web_order_event
       (company, order_id, sequence, at, event, from_state, to_state, who, about)
     select $1, $2::uuid, coalesce(max(sequence), 0) + 1, $3, $4, $5, $6, $7, $8
       from web_order_event where company = $1 and order_id = $2::uuid`,
    [
      order.company,
      order.id,
      event.at,
      event.event,
      event.fromState,
      event.toState,
      event.who,
      event.about,
    ],
  );
}

export async function eventsOfAll(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly OrderEvent[]>> {
  const rows = await on.query<OrderEvent & { readonly order: string }>(
    `select order_id as "order", at, event, from_state as "fromState", to_state as "toState", who,
            about
       from web_order_event where company = $1 and order_id = any($2::uuid[])
      order by order_id, sequence`,
    [company, orders],
  );
  return byOrder(rows);
}

/** Rows of many orders, by the order's id, each without it. */
export function byOrder<Row extends { readonly order: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Omit<Row, "order">[]> {
  const found = new Map<string, Omit<Row, "order">[]>();
  for (const { order, ...row } of rows) {
    const of = found.get(order);
    if (of === undefined) found.set(order, [row]);
    else of.push(row);
  }
  return found;
}
