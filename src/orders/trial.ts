/**
 * A test order before going live: placed in the ERP under a number of its own, found there by it,
 * and cancelled. What the connector cannot do (a file drop neither sees nor cancels) a person does
 * there and says so. It is no web order: no shop gave it, and it counts for nothing.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorFault, type OrdersCapability, type Session } from "../connector/index.ts";
import type { WebOrder } from "../model/index.ts";
import type { OrdersContext } from "./context.ts";
import { bears } from "./same-number.ts";

export interface TrialOrder {
  readonly number: string;
  readonly at: Temporal.Instant;
  readonly who: string;
  /** accepted, handedOver, refused, notNow, inDoubt or fault; null: nothing was said to it. */
  readonly outcome: string | null;
  readonly evidence: string | null;
  readonly erpOrder: string | null;
  readonly found: boolean;
  readonly cancelled: boolean;
  readonly confirmedBy: string | null;
  readonly confirmedWhy: string | null;
}

/** The order without its number, as `check` answers it. */
export type TrialBody = Omit<WebOrder, "webOrder">;

export interface Trials {
  /** Places one, looks for it and cancels it; it is written down before the first byte leaves. */
  place(connection: string, body: TrialBody, who: string): Promise<TrialOrder>;
  /** The newest, with what pulls have shown of it since; null: none was placed. */
  last(connection: string): Promise<TrialOrder | null>;
  /** A person saw it in the ERP and cancelled it there; null: there is none to confirm. */
  confirm(
    connection: string,
    act: { readonly who: string; readonly why: string },
  ): Promise<TrialOrder | null>;
}

export function openTrials(context: OrdersContext): Trials {
  return {
    place: (connection, body, who) => place(context, connection, body, who),
    last: (connection) => last(context, connection),
    confirm: async (connection, { who, why }) => {
      const newest = await last(context, connection);
      if (newest === null) return null;
      await context.store.affect(
        `update web_order_trial set confirmed_by = $3, confirmed_at = $4, confirmed_why = $5
          where company = $1 and number = $2`,
        [context.company, newest.number, who, context.now(), why],
      );
      return last(context, connection);
    },
  };
}

/** Both are known: there it was, and there it is not valid any more. */
export function trialHolds({ found, cancelled, confirmedBy }: TrialOrder): boolean {
  return (found && cancelled) || confirmedBy !== null;
}

async function place(
  context: OrdersContext,
  connection: string,
  body: TrialBody,
  who: string,
): Promise<TrialOrder> {
  const { store, company, now } = context;
  const number = trialNumber(body.orderedOn);
  const order = { key: number, tables: context.outbound.render({ webOrder: number, ...body }) };
  await store.affect(
    `insert into web_order_trial (company, number, connection, at, who, payload, outcome, evidence,
       erp_order, found, cancelled, confirmed_by, confirmed_at, confirmed_why)
     values ($1, $2, $3, $4, $5, $6, null, null, null, false, false, null, null, null)`,
    [company, number, connection, now(), who, JSON.stringify(order)],
  );
  const came = await tried(context, order);
  await store.affect(
    `update web_order_trial set outcome = $3, evidence = $4, erp_order = $5, found = $6,
            cancelled = $7 where company = $1 and number = $2`,
    [company, number, came.outcome, came.evidence, came.erpOrder, came.found, came.cancelled],
  );
  const kept = await last(context, connection);
  if (kept === null) throw new TypeError(`The trial order ${number} was not kept.`);
  return kept;
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function trialNumber(orderedOn: string): string {
  const random = [...randomBytes(5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `TEST-${orderedOn.slice(2).replaceAll("-", "")}-${random}`;
}

type Came = Pick<TrialOrder, "outcome" | "evidence" | "erpOrder" | "found" | "cancelled">;
type Rendered = Parameters<OrdersCapability["place"]>[0];

async function tried(context: OrdersContext, order: Rendered): Promise<Came> {
  const came: Came = {
    outcome: null,
    evidence: null,
    erpOrder: null,
    found: false,
    cancelled: false,
  };
  try {
    await using session = await context.connection.openSession();
    return await step(context, capabilityOf(session), order);
  } catch (error) {
    const instruction = error instanceof ConnectorFault ? ` ${error.instruction}` : "";
    const reason = error instanceof Error ? error.message : String(error);
    return { ...came, outcome: "fault", evidence: `${reason}${instruction}` };
  }
}

function capabilityOf(session: Session): OrdersCapability {
  if (session.orders !== undefined) return session.orders;
  throw new ConnectorFault(
    "config",
    "The connection that takes web orders cannot take any.",
    "Set companies.<company>.orders.connection to a connection whose connector takes orders.",
  );
}

/** As long as a call may take, and as long as a search may lag. */
const CALL_MS = 60_000;
const LOOKS = 30;
const LOOK_MS = 1_000;

async function step(
  context: OrdersContext,
  orders: OrdersCapability,
  order: Rendered,
): Promise<Came> {
  const call = () => ({ signal: AbortSignal.timeout(CALL_MS) });
  const before = await orders.find(order.key, call());
  const none = { erpOrder: null, found: false, cancelled: false };
  if (before.kind !== "absent")
    return {
      ...none,
      outcome: "fault",
      evidence: `Before it was placed: ${JSON.stringify(before)}`,
    };
  const outcome = await orders.place(order, call());
  const evidence = "evidence" in outcome ? outcome.evidence : outcome.reason;
  if (outcome.kind !== "accepted") return { ...none, outcome: outcome.kind, evidence };
  const { erpOrder } = outcome;
  const found = await isFound(orders, order.key, call);
  const cancel = await orders.cancel?.(order.key, "A test order before going live.", call());
  const how = cancel === undefined || cancel.kind === "accepted" ? "" : reasonOf(cancel);
  const cancelled = cancel?.kind === "accepted";
  context.log("info", `The test order ${order.key} is ${erpOrder} in the ERP.`);
  return { outcome: "accepted", evidence: `${evidence}${how}`, erpOrder, found, cancelled };
}

function reasonOf(outcome: Awaited<ReturnType<OrdersCapability["place"]>>): string {
  return ` Cancelling it: ${"reason" in outcome ? outcome.reason : outcome.evidence}`;
}

/** A search may lag behind what was placed. */
async function isFound(
  orders: OrdersCapability,
  key: string,
  call: () => { readonly signal: AbortSignal },
): Promise<boolean> {
  const looks = orders.finding === "eventually-searchable" ? LOOKS : 2;
  for (let look = 1; look <= looks; look += 1) {
    const found = await orders.find(key, call());
    if (found.kind === "present") return true;
    if (look < looks) await sleep(LOOK_MS);
  }
  return false;
}

/** What was handed over as a file is known by what pulls show of it. */
async function last(
  { store, company }: OrdersContext,
  connection: string,
): Promise<TrialOrder | null> {
  const [row] = await store.query<TrialOrder>(
    `select t.number, t.at, t.who, t.outcome, t.evidence,
            coalesce(t.erp_order, e.erp_order, a.erp_order) as "erpOrder",
            t.found or e.erp_order is not null or a.erp_order is not null as found,
            t.cancelled or coalesce(e.state = 'cancelled', false) as cancelled,
            t.confirmed_by as "confirmedBy", t.confirmed_why as "confirmedWhy"
       from web_order_trial t
       left join lateral (select erp_order, state from erp_order
              where company = t.company and ${bears("web_order", "t.number")}
              order by state = 'cancelled', erp_order limit 1) e on true
       left join lateral (select nullif(erp_order, '-') as erp_order from order_acknowledgement
              where company = t.company and ${bears("web_order", "t.number")} and outcome = 'accepted'
              order by answered_on limit 1) a on true
      where t.company = $1 and t.connection = $2 order by t.at desc, t.number desc limit 1`,
    [company, connection],
  );
  return row ?? null;
}
