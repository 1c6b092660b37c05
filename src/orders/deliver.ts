/**
 * Handing an order over. One sender at a time holds the order's lease row locked in an open
 * transaction; the attempt is committed on another connection before the first byte leaves, and
 * the outcome is recorded in the transaction that holds the lease. So a sender that dies, or loses
 * its lock, records nothing: its order is found `sending` with nobody at it, which is a doubt that
 * only `find` can end.
 */
import { createHash } from "node:crypto";
import {
  ConnectorFault,
  type Found,
  type OrdersCapability,
  type Outcome,
  type RenderedOrder,
} from "../connector/index.ts";
import type { Transaction } from "../store/index.ts";
import { DELIVER_JOB, jobData } from "./accept.ts";
import { sameAmount } from "./amounts.ts";
import { findOrder, move, type Move, type OrderRow } from "./book.ts";
import { sends, type OrdersContext } from "./context.ts";
import { judgeFromPulled } from "./seen.ts";

/**
 * A delivery takes two connections of the pool at once, so only a few may run beside each other.
 */
const AT_ONCE = 3;

/**
 * The job handler: brings one order as far as it can get now. Safe to call at any time, any number
 * of times.
 */
export function deliverer(context: OrdersContext): (idOrNumber: string) => Promise<void> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (idOrNumber) => {
    // A place that becomes free goes straight to the one who waits, so it is counted once.
    if (running >= AT_ONCE) await new Promise<void>((go) => void waiting.push(go));
    else running += 1;
    try {
      await deliver(context, idOrNumber);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

async function deliver(context: OrdersContext, idOrNumber: string): Promise<void> {
  const found = await findOrder(context.store, context.company, idOrNumber);
  if (found === null || found.test) return;
  const standing = await context.connection.standing();
  if (!sends(standing)) {
    const why = standing.paused ?? `its connection is ${standing.mode}`;
    context.log("info", `Web order ${found.number} waits: ${why}.`);
    return;
  }
  await context.store.transaction(async (lease) => {
    const held = await lease.query(
      "select 1 from web_order_lease where company = $1 and order_id = $2 for update skip locked",
      [context.company, found.id],
    );
    // Somebody else is at it.
    if (held.length === 0) return;
    const order = await settleLostSender(context, found.id);
    if (order?.state === "queued" || order?.state === "inDoubt")
      await deliverLeased(context, lease, order);
  });
}

/** We hold the lease, so whoever left the order `sending` is gone. */
async function settleLostSender(context: OrdersContext, id: string): Promise<OrderRow | null> {
  const order = await findOrder(context.store, context.company, id);
  if (order?.state !== "sending") return order;
  return context.store.transaction((tx) =>
    move(tx, order, {
      event: "doubt",
      who: "tradepost",
      at: context.now(),
      about: "The sender stopped before an outcome was recorded.",
      reasons: ["A sender stopped while it was at it; it may or may not have arrived."],
      set: { nextAttemptAt: null },
    }),
  );
}

async function deliverLeased(
  context: OrdersContext,
  lease: Transaction,
  order: OrderRow,
): Promise<void> {
  // What was pulled already knows more than any question could tell.
  const known = await judgeFromPulled(context, order);
  if (known !== null) {
    await move(lease, order, known);
    return;
  }
  const attempt = await beginAttempt(context, order);
  try {
    const rendered = render(context, order);
    await using session = await context.connection.openSession();
    const capability = ordersOf(session.orders);
    const found = await capability.find(order.number);
    await afterFind({ context, lease, capability, rendered, attempt }, found);
  } catch (error) {
    await afterFault(context, lease, attempt, error);
  }
}

interface Attempt {
  readonly order: OrderRow;
  readonly attempt: number;
  /** True: the order may have arrived already, so a fault leaves it in doubt. */
  placing: boolean;
}

interface Sending {
  readonly context: OrdersContext;
  readonly lease: Transaction;
  readonly capability: OrdersCapability;
  readonly rendered: RenderedOrder;
  readonly attempt: Attempt;
}

/**
 * Commits, on a connection of its own, that we are about to talk to the ERP. A doubt stays a doubt
 * until `find` ends it.
 */
async function beginAttempt(context: OrdersContext, order: OrderRow): Promise<Attempt> {
  return context.store.transaction(async (tx) => {
    const number = order.attempts + 1;
    const at = context.now();
    const leased =
      order.state === "inDoubt"
        ? order
        : await move(tx, order, {
            event: "send",
            who: "tradepost",
            at,
            about: `Attempt ${number}: find, then place.`,
            set: { attempts: number, nextAttemptAt: null },
          });
    const attempt = await nextAttemptNumber(tx, order);
    await tx.affect(
      `insert into web_order_attempt
         (company, order_id, attempt, what, version, rendered, started_at)
       values ($1, $2, $3, $4, $5, null, $6)`,
      [
        order.company,
        order.id,
        attempt,
        leased.state === "inDoubt" ? "find" : "place",
        leased.version,
        at,
      ],
    );
    return { order: leased, attempt, placing: false };
  });
}

async function nextAttemptNumber(tx: Transaction, order: OrderRow): Promise<number> {
  const [row] = await tx.query<{ last: number }>(
    `select coalesce(max(attempt), 0) as last from web_order_attempt
      where company = $1 and order_id = $2`,
    [order.company, order.id],
  );
  return (row?.last ?? 0) + 1;
}

function render(context: OrdersContext, order: OrderRow): RenderedOrder {
  return { key: order.number, tables: context.outbound.render(order.body) };
}

function ordersOf(capability: OrdersCapability | undefined): OrdersCapability {
  if (capability !== undefined) return capability;
  throw new ConnectorFault(
    "config",
    "The connection that takes web orders cannot take any.",
    "Set companies.<company>.orders.connection to a connection whose connector takes orders.",
  );
}

async function afterFind(sending: Sending, found: Found): Promise<void> {
  const { context, attempt } = sending;
  switch (found.kind) {
    case "present":
      return record(sending, found.outcome, true);
    case "several":
      return remainInDoubt(sending, found.evidence);
    case "cannotTell":
      return remainInDoubt(sending, `The ERP cannot tell: ${found.reason}`);
    case "absent": {
      if (attempt.order.state !== "inDoubt") return place(sending);
      if (attempt.order.handedOverAt !== null)
        return remainInDoubt(sending, `Handed over, and now unknown there: a person must look.`);
      await endAttempt(sending, "absent", "The ERP knows nothing of it.");
      // A new attempt, since from here on the order may be placed.
      const queued = await context.store.transaction((tx) =>
        move(tx, attempt.order, {
          event: "notThere",
          who: "tradepost",
          at: context.now(),
          about: "The ERP knows nothing of it; it is sent again.",
          set: { nextAttemptAt: null },
        }),
      );
      const again = await beginAttempt(context, queued);
      Object.assign(attempt, again);
      return place(sending);
    }
    default:
      return found satisfies never;
  }
}

async function place(sending: Sending): Promise<void> {
  const { context, attempt, rendered } = sending;
  await context.store.affect(
    `update web_order_attempt set rendered = $4
      where company = $1 and order_id = $2 and attempt = $3`,
    [
      attempt.order.company,
      attempt.order.id,
      attempt.attempt,
      createHash("sha256").update(JSON.stringify(rendered)).digest("hex"),
    ],
  );
  attempt.placing = true;
  const outcome = await sending.capability.place(rendered);
  await record(sending, outcome, false);
}

async function endAttempt(
  sending: Pick<Sending, "context" | "lease" | "attempt">,
  outcome: string,
  evidence: string,
): Promise<void> {
  const { lease, attempt, context } = sending;
  await lease.affect(
    `update web_order_attempt set ended_at = $4, outcome = $5, evidence = $6
      where company = $1 and order_id = $2 and attempt = $3`,
    [attempt.order.company, attempt.order.id, attempt.attempt, context.now(), outcome, evidence],
  );
}

/** Writes down what the ERP said, in the transaction that holds the lease. */
async function record(sending: Sending, outcome: Outcome, wasFound: boolean): Promise<void> {
  const { context, lease, attempt } = sending;
  const { order } = attempt;
  const at = context.now();
  const base = { who: "tradepost", at } as const;
  const how = wasFound ? "Found in the ERP" : "Placed";
  switch (outcome.kind) {
    case "accepted": {
      await endAttempt(sending, "accepted", outcome.evidence);
      const set = { erpOrder: outcome.erpOrder, erpNet: outcome.net, erpVat: outcome.vat };
      const differing = differencesOf(order, outcome);
      await move(lease, order, {
        ...base,
        event: differing.length > 0 ? "conflict" : "accept",
        about: `${how}: it is order ${outcome.erpOrder} there. ${outcome.evidence}`,
        reasons: differing,
        set,
      });
      return;
    }
    case "handedOver":
      await endAttempt(sending, "handedOver", outcome.evidence);
      return recordHandOver(context, lease, order, `${how}: ${outcome.evidence}`);
    case "refused":
      await endAttempt(sending, "refused", outcome.reason);
      await move(lease, order, {
        ...base,
        event: "refuse",
        about: `The ERP refused it: ${outcome.reason}`,
        reasons: [`The ERP refused it: ${outcome.reason}`, ...refundReasons(order)],
      });
      return;
    case "notNow":
      return remainInDoubt(sending, outcome.reason);
    case "inDoubt":
      return remainInDoubt(sending, outcome.evidence);
    default:
      outcome satisfies never;
  }
}

function differencesOf(
  order: OrderRow,
  outcome: { readonly net: string | null; readonly vat: string | null },
): string[] {
  return (["net", "vat"] as const).flatMap((name) => {
    const theirs = outcome[name];
    return theirs === null || sameAmount(theirs, order[name])
      ? []
      : [`Agreed ${name} is ${order[name]}, the ERP holds ${theirs}.`];
  });
}

/** A payment for an order that will not be is owed back. */
export function refundReasons(order: OrderRow): string[] {
  const paid = order.body.payment;
  return paid === null
    ? []
    : [`${paid.amount} was paid by ${paid.provider} ${paid.reference}: refund it.`];
}

/** A second find of the same drop does not start the clock again: the alarm stays. */
async function recordHandOver(
  context: OrdersContext,
  lease: Transaction,
  order: OrderRow,
  about: string,
): Promise<void> {
  const at = context.now();
  if (order.handedOverAt !== null) {
    await postpone(context, lease, order, at);
    return;
  }
  await move(lease, order, {
    event: "handOver",
    who: "tradepost",
    at,
    about,
    set: {
      handedOverAt: at,
      answerDueAt: at.add({ seconds: Math.round(context.settings.answerWithinHours * 3600) }),
      nextAttemptAt: null,
    },
  });
}

/** Nothing is sent again by itself: a doubt is only asked about, ever more rarely. */
async function postpone(
  context: OrdersContext,
  lease: Transaction,
  order: OrderRow,
  at: Temporal.Instant,
): Promise<void> {
  const attempts = order.attempts + 1;
  const next = nextTry(order.id, attempts, at);
  await lease.affect(
    `update web_order set attempts = $3, next_attempt_at = $4
      where company = $1 and id = $2 and version = $5`,
    [order.company, order.id, attempts, next, order.version],
  );
  await again(context, lease, order, next);
}

async function remainInDoubt(sending: Sending, evidence: string): Promise<void> {
  const { context, lease, attempt } = sending;
  await endAttempt(sending, "inDoubt", evidence);
  await doubt(context, lease, attempt.order, evidence);
}

async function doubt(
  context: OrdersContext,
  lease: Transaction,
  order: OrderRow,
  evidence: string,
): Promise<void> {
  const at = context.now();
  if (order.state === "inDoubt") {
    await postpone(context, lease, order, at);
    return;
  }
  const next = nextTry(order.id, order.attempts, at);
  await move(lease, order, {
    event: "doubt",
    who: "tradepost",
    at,
    about: evidence,
    reasons: [`It may or may not have arrived: ${evidence}`],
    set: { nextAttemptAt: next },
  });
  await again(context, lease, order, next);
}

/** The queue goes by the database's clock, which need not be ours: so much later by that one. */
async function again(
  context: OrdersContext,
  lease: Transaction,
  order: OrderRow,
  next: Temporal.Instant,
): Promise<void> {
  const wait = context.now().until(next).total("seconds");
  const [due] = await lease.query<{ at: Temporal.Instant }>(
    "select clock_timestamp() + make_interval(secs => $1) as at",
    [Math.max(0, wait)],
  );
  const options = due === undefined ? {} : { startAfter: due.at };
  await context.jobs.queue(lease, DELIVER_JOB, jobData(order.company, order.id), options);
}

/** Before the place a fault costs nothing; from the place on it is a doubt. */
async function afterFault(
  context: OrdersContext,
  lease: Transaction,
  attempt: Attempt,
  error: unknown,
): Promise<void> {
  const { order } = attempt;
  const reason = error instanceof Error ? error.message : String(error);
  const instruction = error instanceof ConnectorFault ? ` ${error.instruction}` : "";
  context.log("warn", `Delivering web order ${order.number}: ${reason}${instruction}`);
  await endAttempt({ context, lease, attempt }, "fault", reason);
  if (attempt.placing || order.state === "inDoubt") {
    await doubt(context, lease, order, reason);
    return;
  }
  const at = context.now();
  const retryAt = error instanceof ConnectorFault ? error.retryAt : null;
  const next = retryAt ?? nextTry(order.id, order.attempts, at);
  const tooOften = order.attempts >= context.settings.maxAttempts;
  const said: Move = {
    event: tooOften ? "hold" : "retry",
    who: "tradepost",
    at,
    about: `${reason}${instruction}`,
    reasons: [
      tooOften
        ? `${order.attempts} tries placed nothing; the last one: ${reason}${instruction} Release it when that is mended.`
        : `Not sent yet: ${reason}${instruction}`,
    ],
    set: { nextAttemptAt: tooOften ? null : next },
  };
  await move(lease, order, said);
  if (!tooOften) await again(context, lease, order, next);
}

const LONGEST_WAIT_SECONDS = 3600;

/** Twice as long each time, from 5 seconds to an hour, spread by the order's own id. */
export function nextTry(id: string, attempts: number, at: Temporal.Instant): Temporal.Instant {
  const seconds = Math.min(LONGEST_WAIT_SECONDS, 5 * 2 ** Math.min(attempts, 12));
  const spread = createHash("sha256").update(`${id}/${attempts}`).digest().readUInt16BE() / 65536;
  return at.add({ milliseconds: Math.round(seconds * 1000 * (0.75 + spread / 2)) });
}
