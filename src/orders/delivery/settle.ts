/** How a delivery ends, each end in one transaction of the holder of the lease. */
import {
  ConnectorFault,
  type Accepted,
  type OrdersCapability,
  type Outcome,
} from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { move, type OrderRow } from "../book.ts";
import { endWithRefusal } from "../changes/over.ts";
import type { OrdersContext } from "../context.ts";
import { NOT_PLACED } from "../held-since.ts";
import { openTask } from "../tasks.ts";
import { attemptEnded, doubtOf, endAttempt, endOpen, type AttemptOutcome } from "./attempts.ts";
import { isAway, triesAway } from "./away.ts";
import { raiseDuplicate } from "./duplicate.ts";
import { LOOK_IN_DOUBT } from "./follow.ts";
import { learnLag } from "./history.ts";
import { inSeconds, patienceOf, postpone, queueIn } from "./later.ts";
import type { Search } from "./next-step.ts";
import { duplicated, meaningOf, type Learned, type Meaning } from "./outcome.ts";
import type { Trial } from "./place.ts";
import { recorded } from "./record.ts";

/** What the ERP said of it; the order as it then stands, null: somebody moved it meanwhile. */
export async function writeOutcome(
  trial: Trial,
  capability: OrdersCapability,
  outcome: Outcome,
  learned: Learned,
): Promise<OrderRow | null> {
  return ending(trial, `that ${trial.order.number} is ${outcome.kind}`, async (tx, order) => {
    const meaning = meaningOf(order, outcome, learned);
    await endAttempt(tx, order, trial.attempt, attemptOf(meaning), evidenceOf(meaning));
    if (order.version !== trial.order.version) return null;
    if (learned !== "Placed" && trial.doubt !== null && outcome.kind === "accepted")
      await learnLag(tx, order, trial.doubt);
    return apply(trial, tx, order, meaning, capability.status !== undefined);
  });
}

function attemptOf(meaning: Meaning): AttemptOutcome {
  return meaning.kind === "move" || meaning.kind === "doubt" ? meaning.as : meaning.kind;
}

function evidenceOf(meaning: Meaning): string {
  return meaning.kind === "notNow" ? meaning.reason : meaning.evidence;
}

async function apply(
  trial: Trial,
  tx: Transaction,
  order: OrderRow,
  meaning: Meaning,
  readsBack: boolean,
): Promise<OrderRow> {
  const { context } = trial.sender;
  const by = { who: "tradepost", at: context.now() } as const;
  switch (meaning.kind) {
    case "move": {
      // What was placed again beside an earlier call says nothing of that one.
      if (meaning.as === "refused" && trial.repeats)
        return doubt(trial, tx, order, `${meaning.evidence} (it may be there from before)`);
      const accepted = meaning.move.event === "accept";
      // Read back at once; where that is not done, soon.
      const next = accepted && readsBack ? inSeconds(context, patienceOf(context, order, 1)) : null;
      const attempts = accepted ? 0 : order.attempts;
      const set = { ...meaning.move.set, attempts, nextAttemptAt: next, answerDueAt: null };
      const moved = await move(tx, order, { ...by, ...meaning.move, set });
      return endWithRefusal(tx, moved, by.at);
    }
    case "handedOver":
      return handOver(context, tx, order, meaning.evidence);
    case "notNow": {
      const unclear = await doubtOf(tx, order, trial.intent.intent);
      if (unclear !== null) return doubt(trial, tx, order, meaning.reason, meaning.retryAt);
      return retry(context, tx, order, meaning.reason, meaning.retryAt);
    }
    case "doubt":
      return doubt(trial, tx, order, meaning.evidence);
    default:
      return meaning satisfies never;
  }
}

/** A second find of the same drop does not start the clock again: the alarm stays. */
async function handOver(
  context: OrdersContext,
  tx: Transaction,
  order: OrderRow,
  evidence: string,
): Promise<OrderRow> {
  if (order.handedOverAt !== null) {
    await postpone(context, tx, order);
    return order;
  }
  const at = context.now();
  return move(tx, order, {
    event: "handOver",
    who: "tradepost",
    at,
    about: `Handed over: ${evidence}`,
    set: {
      handedOverAt: at,
      answerDueAt: at.add({ seconds: Math.round(context.settings.answerWithinHours * 3600) }),
      nextAttemptAt: null,
    },
  });
}

/**
 * A doubt is asked about soon, and then ever more rarely; only a key that the far side knows is
 * placed again at once.
 */
async function doubt(
  { sender: { context }, intent, repeatable }: Trial,
  tx: Transaction,
  order: OrderRow,
  evidence: string,
  notBefore: Temporal.Instant | null = null,
): Promise<OrderRow> {
  const asked = notBefore === null ? 0 : context.now().until(notBefore).total("seconds");
  if (order.state === "inDoubt") {
    await postpone(context, tx, order);
    return order;
  }
  const placings = (await doubtOf(tx, order, intent.intent))?.placings ?? 1;
  const soon = repeatable && placings === 1 ? 0 : patienceOf(context, order, placings);
  const seconds = Math.max(soon, asked);
  const moved = await move(tx, order, {
    event: "doubt",
    who: "tradepost",
    at: context.now(),
    about: evidence,
    reasons: [`It may or may not have arrived: ${evidence}`],
    set: { attempts: 1, nextAttemptAt: inSeconds(context, seconds) },
  });
  await queueIn(context, tx, moved, seconds);
  return moved;
}

/** Nothing was placed: later again, and after too many tries of its own a person looks. */
async function retry(
  context: OrdersContext,
  tx: Transaction,
  order: OrderRow,
  reason: string,
  retryAt: Temporal.Instant | null,
): Promise<OrderRow> {
  const by = { who: "tradepost", at: context.now(), about: reason } as const;
  const away = await triesAway(tx, order);
  if (away === 0 && order.attempts >= context.settings.maxAttempts) {
    const tries = `${order.attempts} ${NOT_PLACED}; the last one: ${reason}`;
    const reasons = [`${tries} Release it when that is mended.`];
    return move(tx, order, { ...by, event: "hold", reasons, set: { nextAttemptAt: null } });
  }
  const asked = retryAt === null ? 0 : context.now().until(retryAt).total("seconds");
  const seconds = asked > 0 ? asked : patienceOf(context, order, Math.max(away, order.attempts));
  // What could not be asked was no try of the order's own.
  const attempts = away === 0 ? order.attempts : order.attempts - 1;
  const moved = await move(tx, order, {
    ...by,
    event: "retry",
    reasons: [`Not sent yet: ${reason}`],
    set: { attempts, nextAttemptAt: inSeconds(context, seconds) },
  });
  await queueIn(context, tx, moved, seconds);
  return moved;
}

/** The search did not settle it. */
export async function leave(
  trial: Trial,
  search: Search,
  why: string,
  withinSeconds: number | null,
): Promise<void> {
  const { context } = trial.sender;
  await ending(trial, `that ${trial.order.number} is not settled`, async (tx, order) => {
    await endAttempt(tx, order, trial.attempt, attemptAfter(search), why);
    if (order.version !== trial.order.version) return null;
    if (order.state === "inDoubt") {
      await postpone(context, tx, order, withinSeconds);
      return order;
    }
    // It never left, or a search cannot tell: what may be there is a doubt all the same.
    const reason = `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
    return trial.doubt === null && search !== "draft"
      ? retry(context, tx, order, reason, null)
      : doubt(trial, tx, order, reason);
  });
}

/** It is not there, and a person has to look before it is sent. */
export async function holdUnsent(trial: Trial, why: string): Promise<void> {
  const { context } = trial.sender;
  await ending(trial, `that ${trial.order.number} is held`, async (tx, order) => {
    await endAttempt(tx, order, trial.attempt, "absent", why);
    if (order.version !== trial.order.version) return null;
    const by = { event: "hold", who: "tradepost", at: context.now(), about: why } as const;
    return move(tx, order, { ...by, reasons: [why], set: { nextAttemptAt: null } });
  });
  context.log("warn", `Web order ${trial.order.number}: ${why}`);
}

function attemptAfter(search: Search): AttemptOutcome {
  if (search === "another") return "cannotTell";
  return search === "none" || search === "present" ? "notSent" : search;
}

/** A task and the order's reasons say so; the search goes on, ever more rarely. */
export async function askPerson(trial: Trial, search: Search, why: string): Promise<void> {
  const { context } = trial.sender;
  await ending(trial, `that a person must look at ${trial.order.number}`, async (tx, order) => {
    await endAttempt(tx, order, trial.attempt, attemptAfter(search), why);
    if (order.version !== trial.order.version) return null;
    const asked = order.state === "inDoubt" ? order : await doubt(trial, tx, order, why);
    await askToLook(trial, tx, order, why);
    if (order.state === "inDoubt") {
      if (search === "another") await sayAnother(tx, order, why);
      await postpone(context, tx, asked);
    }
    return asked;
  });
}

/** What the journal knows is said where the order is looked at, also where it was in doubt. */
async function sayAnother(tx: Transaction, order: OrderRow, why: string): Promise<void> {
  if (order.reasons.some((reason) => reason.includes(why))) return;
  await tx.affect("update web_order set reasons = $3 where company = $1 and id = $2", [
    order.company,
    order.id,
    JSON.stringify([`${why}.`, ...order.reasons]),
  ]);
}

async function askToLook(
  { sender: { context }, doubt: found }: Trial,
  tx: Transaction,
  order: OrderRow,
  why: string,
): Promise<void> {
  const instruction =
    `${why.charAt(0).toUpperCase()}${why.slice(1)}. Look in the ERP whether it has ${order.number}. If it has, resolve the order with its ` +
    "number there; if not, let it be sent again.";
  // One task a doubt, however often it is searched for.
  const about = `${LOOK_IN_DOUBT} (attempt ${found?.attempt ?? 0})`;
  const task = { order: order.id, kind: "look", about, instruction, amount: order.gross } as const;
  await openTask(tx, order.company, task, context.now());
}

export async function writeSeveral(
  trial: Trial,
  documents: readonly Accepted[],
  evidence: string,
): Promise<void> {
  const { context } = trial.sender;
  await ending(trial, `that ${trial.order.number} is there twice`, async (tx, order) => {
    await endAttempt(tx, order, trial.attempt, "several", evidence);
    if (order.version !== trial.order.version) return null;
    const said = duplicated(order, documents, evidence);
    const by = { who: "tradepost", at: context.now() } as const;
    const set = { ...said.set, nextAttemptAt: null };
    const moved = await move(tx, order, { ...by, ...said, set });
    await raiseDuplicate(context, tx, moved);
    return moved;
  });
}

/** Before the place a fault costs nothing; from the place on it is a doubt. */
export async function writeFault(trial: Trial, error: unknown): Promise<void> {
  const { context, lease } = trial.sender;
  const reason = error instanceof Error ? error.message : String(error);
  const instruction = error instanceof ConnectorFault ? ` ${error.instruction}` : "";
  const about = `${reason}${instruction}`;
  context.log("warn", `Delivering web order ${trial.order.number}: ${about}`);
  await recorded(context, lease, `a fault of ${trial.order.number}`, async (tx, order) => {
    const asked = isAway(error) ? "away" : "fault";
    await endOpen(tx, order, lease.holder, trial.sent ? "fault" : "notSent", reason, asked);
    const unclear = await doubtOf(tx, order, trial.intent.intent);
    if (order.state === "inDoubt") {
      const { maxAttempts } = context.settings;
      // What comes of a search may be what cannot be written down.
      if (unclear !== null && unclear.searches >= 2 * maxAttempts)
        await askToLook(
          trial,
          tx,
          order,
          `${unclear.searches} searches did not settle it: ${reason}`,
        );
      await postpone(context, tx, order);
      return;
    }
    if (order.state !== "sending") return;
    const retryAt = error instanceof ConnectorFault ? error.retryAt : null;
    if (unclear === null) await retry(context, tx, order, about, retryAt);
    else await doubt(trial, tx, order, about);
  });
}

/** Not twice: the connection can break after the commit and before its answer. */
function ending(
  { sender: { context, lease }, order, attempt }: Trial,
  what: string,
  work: (tx: Transaction, order: OrderRow) => Promise<OrderRow | null>,
): Promise<OrderRow | null> {
  return recorded(context, lease, what, async (tx, now) =>
    (await attemptEnded(tx, order, attempt, lease.holder)) ? now : work(tx, now),
  );
}
