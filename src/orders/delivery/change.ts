/**
 * Amending and cancelling at the ERP, each in its turn behind what was asked before it. Both can be
 * told twice without harm, but never after a later one: what may still be on its way is waited for.
 * What was dropped and nobody has taken yet is taken back instead: see `back.ts`.
 */
import type { OrdersCapability, Outcome } from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { addEvent, type OrderRow } from "../book.ts";
import { changeEnded, termsBehind, type ChangeEnd } from "../changes/ended.ts";
import { differencesOf, isGivenUp } from "../compare.ts";
import {
  beginAttempt,
  doubtOf,
  endAttempt,
  endOpen,
  timesPutOff,
  triesOf,
  type AttemptOutcome,
} from "./attempts.ts";
import { isAway } from "./away.ts";
import { movedAsPulled } from "./as-pulled.ts";
import { endAsTakenBack, isOut, takeBack, takenBackUntold } from "./back.ts";
import { calling } from "./calling.ts";
import { windowSeconds } from "./history.ts";
import { endIntent, freeze, openIntents, putOff, type Intent } from "./intents.ts";
import { patienceOf, queueIn } from "./later.ts";
import { fenced, LeaseLost, recorded } from "./record.ts";
import { askStatus, openDesk, type Sender } from "./sender.ts";

type Ending = Omit<ChangeEnd, "at">;

/** States in which the ERP has the order, so that it can be told. */
const TELLABLE = new Set(["handedOver", "accepted", "confirmed"]);

export async function deliverChanges(sender: Sender): Promise<void> {
  for (;;) {
    const { context, lease } = sender;
    const order = await fenced(context, lease, async (_tx, now) => now);
    const [intent] = (await openIntents(context.store, order)).filter(
      ({ kind }) => kind !== "place",
    );
    if (intent === undefined || !intent.isDue) return;
    if (isOut(order) && (await movedAsPulled(sender, order))) continue;
    // What lies there still can be taken back whether or not anything is sent now.
    const takesBack =
      order.state === "inDoubt" || (order.state === "handedOver" && !sender.mayPlace);
    if (takesBack && (await takenBackUntold(sender, order, intent))) continue;
    if (!sender.mayPlace) return;
    if (!TELLABLE.has(order.state)) {
      if (order.state === "refused" && intent.kind === "cancel" && intent.body === null)
        await end(sender, intent, { as: "done", about: "The ERP refused the order itself." });
      else if (order.state === "refused" || order.state === "cancelled")
        await end(sender, intent, { as: "refused", about: `The order itself is ${order.state}.` });
      else return;
    } else if (!(await deliverChange(sender, order, intent))) return;
  }
}

/** True: it is over, and the next one may go. */
async function deliverChange(sender: Sender, order: OrderRow, intent: Intent): Promise<boolean> {
  const { context } = sender;
  try {
    await using desk = await openDesk(context, sender.lease.lost);
    const { capability } = desk;
    if (capability[intent.kind === "amend" ? "amend" : "cancel"] === undefined) {
      const back = await takeBack(sender, capability, order, intent);
      if (back !== null) return await endAsTakenBack(sender, order, intent, back);
      return await end(sender, intent, {
        as: "cannot",
        about: `The connector cannot ${intent.kind} an order that was handed over.`,
      });
    }
    const doubt = await doubtOf(context.store, order, intent.intent);
    if (doubt !== null) {
      const floor = Math.max(context.settings.quietSeconds, capability.quietSeconds ?? 0);
      const window = await windowSeconds(context.store, context.company, floor);
      const left = window - doubt.quietSeconds;
      if (left > 0) return await waitFor(sender, intent, left);
      const seen = await isThere(sender, capability, order, intent);
      if (seen !== null) return await end(sender, intent, seen);
      if (doubt.placings >= context.settings.maxAttempts)
        return await end(sender, intent, {
          as: "cannot",
          about: `${doubt.placings} times it was told, and no clear answer came.`,
        });
    }
    return await tellErp(sender, capability, order, intent);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    context.log("warn", `To ${intent.kind} web order ${order.number}: ${reason}`);
    return await put(sender, intent, { reason }, (tx, now) =>
      writeUntold(tx, now, intent, { holder: sender.lease.holder, error, reason }),
    );
  }
}

/** It could not be told at all: a try, by which it is tried again ever later. */
async function writeUntold(
  tx: Transaction,
  order: OrderRow,
  { intent, kind: what }: Intent,
  { holder, error, reason }: { holder: string; error: unknown; reason: string },
): Promise<void> {
  const { version } = order;
  const attempt = await beginAttempt(tx, order, { intent, what, version, holder, placing: null });
  await endAttempt(tx, order, attempt, isAway(error) ? "away" : "fault", reason);
}

/** What the ERP shows is what was asked for: it arrived. Null: it is not, or nobody can tell. */
async function isThere(
  { context, lease }: Sender,
  capability: OrdersCapability,
  order: OrderRow,
  intent: Intent,
): Promise<Ending | null> {
  if (capability.status === undefined) return null;
  const found = await calling(
    `Reading order ${order.number} back`,
    context.settings.giveUpAfterSeconds,
    lease.lost,
    (call) => askStatus(capability, order.number, call),
  );
  if (found.kind !== "present" || found.outcome.kind !== "accepted") return null;
  const { outcome } = found;
  if (intent.kind === "cancel")
    return isGivenUp(outcome.state) ? { as: "done", about: "The ERP shows it cancelled." } : null;
  if (intent.body === null || outcome.lines === null || outcome.lines === undefined) return null;
  return differencesOf(intent.body, outcome).length === 0
    ? { as: "done", about: "The ERP shows it as amended.", ...sums(outcome) }
    : null;
}

function sums({ net, vat }: { readonly net: string | null; readonly vat: string | null }) {
  return { erpNet: net, erpVat: vat };
}

async function tellErp(
  sender: Sender,
  capability: OrdersCapability,
  order: OrderRow,
  intent: Intent,
): Promise<boolean> {
  const { context, lease } = sender;
  const { giveUpAfterSeconds } = context.settings;
  const began = performance.now();
  const { tables, attempt } = await begin(sender, intent);
  const left = giveUpAfterSeconds - (performance.now() - began) / 1000;
  const key = order.number;
  const doing = `To ${intent.kind} order ${key}`;
  let sent = false;
  try {
    if (left < giveUpAfterSeconds / 2) throw new Error("Writing the attempt took too long.");
    sent = true;
    const outcome = await calling(doing, left, lease.lost, (call): Promise<Outcome> => {
      const told =
        intent.kind === "amend"
          ? capability.amend?.({ key, tables }, call)
          : capability.cancel?.(key, intent.reason ?? "It was cancelled by the customer.", call);
      return told ?? Promise.reject(new Error(`${intent.kind} is not there any more.`));
    });
    return await writeTold(sender, intent, attempt, outcome);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    context.log("warn", `${doing}: ${reason}`);
    return await put(sender, intent, { reason }, async (tx, now) =>
      endOpen(tx, now, lease.holder, sent ? "fault" : "notSent", reason),
    );
  }
}

/** Committed before the first byte leaves. */
function begin({ context, lease }: Sender, intent: Intent) {
  const { giveUpAfterSeconds: giveUpSeconds } = context.settings;
  return fenced(context, lease, async (tx, order) => {
    const { tables, hash } = await freeze(tx, order, intent, () =>
      context.outbound.render(intent.body ?? order.body),
    );
    const attempt = await beginAttempt(tx, order, {
      intent: intent.intent,
      what: intent.kind,
      version: order.version,
      holder: lease.holder,
      placing: { hash, giveUpSeconds },
    });
    return { tables, attempt };
  });
}

/** True: it is over. */
async function writeTold(
  sender: Sender,
  intent: Intent,
  attempt: number,
  outcome: Outcome,
): Promise<boolean> {
  const ended = (as: AttemptOutcome, evidence: string) => (tx: Transaction, order: OrderRow) =>
    endAttempt(tx, order, attempt, as, evidence);
  switch (outcome.kind) {
    case "accepted":
      return end(
        sender,
        intent,
        { as: "done", about: outcome.evidence, ...sums(outcome) },
        ended("accepted", outcome.evidence),
      );
    case "refused":
      return end(
        sender,
        intent,
        { as: "refused", about: `The ERP refused it: ${outcome.reason}` },
        ended("refused", outcome.reason),
      );
    case "notNow": {
      const { reason } = outcome;
      const about = await triedOut(sender, intent, reason);
      return about === null
        ? put(sender, intent, outcome, ended("notNow", reason))
        : end(sender, intent, { as: "cannot", about }, ended("notNow", reason));
    }
    case "handedOver":
    case "inDoubt":
      return put(sender, intent, { reason: outcome.evidence }, ended("inDoubt", outcome.evidence));
    default:
      return outcome satisfies never;
  }
}

/** Put off once more, it is a person's to make there. Null: it is told again. */
async function triedOut(
  { context, lease }: Sender,
  { intent }: Intent,
  reason: string,
): Promise<string | null> {
  const before = await timesPutOff(context.store, lease.order, intent);
  if (before === null || before + 1 < context.settings.maxAttempts) return null;
  return `${before + 1} times it was told, and the ERP put it off; the last time: ${reason}`;
}

/** The intent and what asked for it end in one transaction. */
async function end(
  { context, lease }: Sender,
  intent: Intent,
  ending: Ending,
  also: (tx: Transaction, order: OrderRow) => Promise<void> = async () => {},
): Promise<boolean> {
  const what = `how to ${intent.kind} ended`;
  // Before the transaction: what was cancelled behind it is worked out anew.
  const reckoning =
    ending.as === "refused" && intent.change !== null
      ? await termsBehind(context, lease.order.id, intent.change - 1)
      : context;
  await recorded(context, lease, what, async (tx, order) => {
    const open = await openIntents(tx, order);
    // The connection can break after the commit and before its answer.
    if (!open.some((one) => one.intent === intent.intent)) return;
    await also(tx, order);
    await endIntent(tx, order, intent.intent, STATES[ending.as]);
    if (intent.change !== null)
      await changeEnded(tx, reckoning, order, intent.change, { ...ending, at: context.now() });
  });
  return true;
}

const STATES = { done: "done", refused: "refused", cannot: "dropped" } as const;

interface Waits {
  readonly reason: string;
  /** When the far side wants it; absent or null: it does not say. */
  readonly retryAt?: Temporal.Instant | null;
}

/** Later again; the book says why. */
async function put(
  sender: Sender,
  intent: Intent,
  { reason, retryAt = null }: Waits,
  also: (tx: Transaction, order: OrderRow) => Promise<void>,
): Promise<boolean> {
  const { context, lease } = sender;
  const asked = retryAt === null ? 0 : context.now().until(retryAt).total("seconds");
  await recorded(context, lease, `that to ${intent.kind} waits`, async (tx, order) => {
    await also(tx, order);
    const tries = await triesOf(tx, order, intent.intent);
    const seconds = asked > 0 ? asked : patienceOf(context, order, tries);
    await putOff(tx, order, intent.intent, seconds);
    await queueIn(context, tx, order, seconds);
    await addEvent(tx, order, {
      at: context.now(),
      event: `${intent.kind}-waits`,
      fromState: order.state,
      toState: order.state,
      who: "tradepost",
      about: reason,
    });
  });
  return false;
}

async function waitFor(sender: Sender, intent: Intent, seconds: number): Promise<boolean> {
  const { context, lease } = sender;
  await recorded(context, lease, "when to look again", async (tx, order) => {
    await putOff(tx, order, intent.intent, seconds);
    await queueIn(context, tx, order, seconds);
  });
  return false;
}
