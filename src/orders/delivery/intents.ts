/**
 * What is to be done with an order at the ERP, in sequence: place it, amend it, cancel it. What is
 * sent is rendered once and kept; it stays the same whatever becomes of the mapping.
 */
import { createHash } from "node:crypto";
import type { RenderedTable } from "../../connector/index.ts";
import type { WebOrder } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { DELIVER_JOB, jobData } from "../jobs.ts";

export type IntentKind = "place" | "amend" | "cancel";

export interface Intent {
  readonly intent: number;
  readonly kind: IntentKind;
  /** The change that asked for it; null: the order itself. */
  readonly change: number | null;
  /** Null: the order as it stands. */
  readonly body: WebOrder | null;
  readonly reason: string | null;
  /** Null until it is first sent. */
  readonly payload: readonly RenderedTable[] | null;
  readonly hash: string | null;
  readonly state: "waiting" | "sending" | "done" | "refused" | "dropped";
  /** False: it was told and is to wait, by the database's clock. */
  readonly isDue: boolean;
}

type Order = Pick<OrderRow, "company" | "id">;

const COLUMNS = `intent, kind, change, body, reason, payload, hash, state,
  coalesce(due_at <= clock_timestamp(), true) as "isDue"`;

export interface NewIntent {
  readonly kind: "amend" | "cancel";
  readonly change: number;
  /** The order as it is to be; null: it is cancelled. */
  readonly body: WebOrder | null;
  readonly reason: string;
}

/** Goes out behind everything asked before; the order's row is held by whoever asks. */
export async function addIntent(
  tx: Transaction,
  context: Pick<OrdersContext, "jobs">,
  order: Order,
  asked: NewIntent,
): Promise<number> {
  const intent = await insertIntent(tx, order, asked);
  await context.jobs.queue(tx, DELIVER_JOB, jobData(order.company, order.id));
  return intent;
}

/** What is to be told is another now. False: it is on its way as it was, or over. */
export async function rewriteIntent(
  tx: Queryable,
  { company, id }: Order,
  { kind, change, body }: Pick<NewIntent, "kind" | "change" | "body">,
): Promise<boolean> {
  const written = await tx.affect(
    `update web_order_intent set kind = $4, body = $5
      where company = $1 and order_id = $2 and change = $3 and state = 'waiting'`,
    [company, id, change, kind, body === null ? null : JSON.stringify(body)],
  );
  return written > 0;
}

/** What the change asked for is not told any more, unless it is on its way. */
export async function dropWaiting(
  tx: Queryable,
  { company, id }: Order,
  change: number,
): Promise<void> {
  await tx.affect(
    `update web_order_intent set state = 'dropped', ended_at = clock_timestamp()
      where company = $1 and order_id = $2 and change = $3 and state = 'waiting'`,
    [company, id, change],
  );
}

async function insertIntent(
  tx: Queryable,
  { company, id }: Order,
  { kind, change, body, reason }: Pick<Intent, "kind" | "change" | "body" | "reason">,
): Promise<number> {
  const [row] = await tx.query<{ intent: number }>(
    `insert into web_order_intent
       (company, order_id, intent, kind, change, body, reason, state, made_at)
     select $1, $2::uuid, coalesce(max(intent), 0) + 1, $3, $4, $5, $6, 'waiting', clock_timestamp()
       from web_order_intent where company = $1 and order_id = $2::uuid
     returning intent`,
    [company, id, kind, change, body === null ? null : JSON.stringify(body), reason],
  );
  if (row === undefined) throw new Error("an insert returned no row");
  return row.intent;
}

/** The placement that is to be sent or may have been; made when there is none. */
export async function placementOf(tx: Queryable, order: Order): Promise<Intent> {
  const open = await openIntents(tx, order);
  const [placement] = open.filter(({ kind }) => kind === "place");
  if (placement !== undefined) return placement;
  const none = { change: null, body: null, reason: null };
  const intent = await insertIntent(tx, order, { kind: "place", ...none });
  return {
    intent,
    kind: "place",
    ...none,
    payload: null,
    hash: null,
    state: "waiting",
    isDue: true,
  };
}

/** What is not over yet, in the order asked. */
export async function openIntents(on: Queryable, { company, id }: Order): Promise<Intent[]> {
  return on.query<Intent>(
    `select ${COLUMNS} from web_order_intent
      where company = $1 and order_id = $2 and state in ('waiting', 'sending') order by intent`,
    [company, id],
  );
}

export interface Frozen {
  readonly tables: readonly RenderedTable[];
  readonly hash: string;
}

/** Renders when it goes out for the first time, and gives the same for ever after. */
export async function freeze(
  tx: Queryable,
  { company, id }: Order,
  intent: Intent,
  render: () => readonly RenderedTable[],
): Promise<Frozen> {
  const tables = intent.payload ?? render();
  const hash = intent.hash ?? hashOf(tables);
  await tx.affect(
    `update web_order_intent set state = 'sending', payload = $4, hash = $5
      where company = $1 and order_id = $2 and intent = $3`,
    [company, id, intent.intent, JSON.stringify(tables), hash],
  );
  return { tables, hash };
}

function hashOf(tables: readonly RenderedTable[]): string {
  return createHash("sha256").update(JSON.stringify(tables)).digest("hex");
}

export async function putOff(
  tx: Queryable,
  { company, id }: Order,
  intent: number,
  seconds: number,
): Promise<void> {
  await tx.affect(
    `update web_order_intent set due_at = clock_timestamp() + make_interval(secs => $4)
      where company = $1 and order_id = $2 and intent = $3`,
    [company, id, intent, seconds],
  );
}

export async function endIntent(
  tx: Queryable,
  { company, id }: Order,
  intent: number,
  state: "done" | "refused" | "dropped",
): Promise<void> {
  await tx.affect(
    `update web_order_intent set state = $4, ended_at = clock_timestamp()
      where company = $1 and order_id = $2 and intent = $3 and state in ('waiting', 'sending')`,
    [company, id, intent, state],
  );
}

/** However it became known: what was to be placed is over. */
export async function endPlacement(
  tx: Queryable,
  { company, id }: Order,
  state: "done" | "refused" | "dropped",
): Promise<void> {
  await tx.affect(
    `update web_order_intent set state = $3, ended_at = clock_timestamp()
      where company = $1 and order_id = $2 and kind = 'place' and state in ('waiting', 'sending')`,
    [company, id, state],
  );
}

/** After such an answer nothing of what was sent is at the ERP. */
const NOTHING_MADE = "('notNow', 'notSent', 'refused', 'settled')";

/** True: no attempt was ever allowed to change anything there, or it is known that none did. */
export async function nothingLeft(on: Queryable, { company, id }: Order): Promise<boolean> {
  const [row] = await on.query<{ left: boolean }>(
    `select exists (select 1 from web_order_attempt
                     where company = $1 and order_id = $2 and placed_at is not null
                       and coalesce(outcome, '') not in ${NOTHING_MADE}) as left`,
    [company, id],
  );
  return row?.left !== true;
}

/** The order was amended before a byte of it left: it is rendered anew when it is sent. */
export async function dropUnsentPlacement(tx: Queryable, { company, id }: Order): Promise<void> {
  await tx.affect(
    `update web_order_intent i set state = 'dropped', ended_at = clock_timestamp()
      where company = $1 and order_id = $2 and kind = 'place' and state in ('waiting', 'sending')
        and not exists (select 1 from web_order_attempt a
                         where a.company = i.company and a.order_id = i.order_id
                           and a.intent = i.intent and a.placed_at is not null
                           and coalesce(a.outcome, '') not in ${NOTHING_MADE})`,
    [company, id],
  );
}
