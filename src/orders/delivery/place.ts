/**
 * Getting an order to the ERP once: it is found, or placed where it surely is not, or left in doubt
 * until one of the two holds.
 */
import type { Found, OrdersCapability, Outcome, RenderedTable } from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { move, OrderError, type OrderRow } from "../book.ts";
import { changeEnded } from "../changes/ended.ts";
import { isDraft } from "../compare.ts";
import { beginAttempt, doubtOf, endAttempt, type DoubtFound } from "./attempts.ts";
import { calling } from "./calling.ts";
import { canariesFor, droppedBefore, windowSeconds } from "./history.ts";
import { endIntent, freeze, openIntents, placementOf, type Intent } from "./intents.ts";
import { movedAsPulled } from "./as-pulled.ts";
import { hasDuplicate } from "./duplicate.ts";
import { dropCall } from "./own-drop.ts";
import { nextStep, type Canary, type Search } from "./next-step.ts";
import { readBack } from "./read-back.ts";
import { fenced, LeaseLost } from "./record.ts";
import { openDesk, type Sender } from "./sender.ts";
import { askPerson, holdUnsent, leave, writeFault, writeOutcome, writeSeveral } from "./settle.ts";
import { heldSinceSpokenOf } from "./taken.ts";

/** One delivery of one order by the holder of its lease. */
export interface Trial {
  readonly sender: Sender;
  order: OrderRow;
  readonly intent: Intent;
  attempt: number;
  readonly doubt: DoubtFound | null;
  /** True: from here on the order may have arrived. */
  sent: boolean;
  /** True: the far side knows the key, and makes no second one of it. */
  repeatable: boolean;
  /** True: it is placed beside an earlier call that may have arrived. */
  repeats: boolean;
  /** What would be sent, once something had to be compared with it. */
  rendered: readonly RenderedTable[] | null;
}

export async function deliverPlacement(sender: Sender, order: OrderRow): Promise<void> {
  const { context, lease } = sender;
  // What was pulled already knows more than any question could tell.
  if (await movedAsPulled(sender, order)) return;
  const trial = await begin(sender, order);
  try {
    await using desk = await openDesk(context, lease.lost);
    await decide(trial, desk.capability);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    await writeFault(trial, error);
  }
}

/** Commits that the ERP is about to be asked. A doubt stays one until it is settled. */
async function begin(sender: Sender, order: OrderRow): Promise<Trial> {
  const { context, lease } = sender;
  return fenced(context, lease, async (tx, now) => {
    const leased =
      now.state === "queued"
        ? await move(tx, now, {
            event: "send",
            who: "tradepost",
            at: context.now(),
            about: `Attempt ${now.attempts + 1}: find, then place.`,
            set: { attempts: now.attempts + 1, nextAttemptAt: null },
          })
        : now;
    if (leased.state !== "sending" && leased.state !== "inDoubt")
      throw new OrderError(
        "order-moved",
        `Web order ${order.number} is ${leased.state} meanwhile.`,
      );
    const intent = await placementOf(tx, leased);
    const doubt = await doubtOf(tx, leased, intent.intent);
    const { version } = leased;
    const asked = { intent: intent.intent, what: "find", version, holder: lease.holder } as const;
    const attempt = await beginAttempt(tx, leased, { ...asked, placing: null });
    const begun = { sent: false, repeatable: false, repeats: false, rendered: null };
    return { sender, order: leased, intent, attempt, doubt, ...begun };
  });
}

async function decide(trial: Trial, capability: OrdersCapability): Promise<void> {
  const { context, mayPlace } = trial.sender;
  const { finding, quietSeconds = 0 } = capability;
  trial.repeatable = finding === "native-key";
  const floor = Math.max(context.settings.quietSeconds, quietSeconds);
  const window = await windowSeconds(context.store, context.company, floor);
  const doubled = trial.doubt !== null && (await hasDuplicate(context.store, context.company));
  let found: Found | null = null;
  let canary: Canary = "none";
  let searchedSince = false;
  for (;;) {
    const search = searchOf(found);
    const next = nextStep({
      finding,
      mayPlace,
      doubt: trial.doubt,
      dropped: trial.order.handedOverAt !== null,
      windowSeconds: window,
      search,
      because: found?.kind === "cannotTell" ? found.reason.replace(/\.$/, "") : null,
      canary,
      searchedSince,
      doubled,
      mostTries: context.settings.maxAttempts,
    });
    switch (next.step) {
      case "find":
        found = await searchFor(trial, capability, trial.order.number);
        searchedSince = canary === "found";
        break;
      case "canary":
        canary = await searchCanaries(trial, capability);
        break;
      case "place":
        if (!mayPlace) return leave(trial, search, "its connection does not send now", null);
        return (await isHeld(trial)) ? undefined : place(trial, capability, search === "none");
      case "record":
        return writeFound(trial, capability, found);
      case "wait":
        return leave(trial, search, next.why, next.withinSeconds);
      case "person":
        return askPerson(trial, search, found?.kind === "another" ? found.reason : next.why);
      default:
        return next satisfies never;
    }
  }
}

/** True: the ERP has spoken of its number before, so that a person looks first. */
async function isHeld(trial: Trial): Promise<boolean> {
  if (trial.doubt !== null) return false;
  const why = await heldSinceSpokenOf(trial.sender.context.store, trial.order);
  if (why !== null) await holdUnsent(trial, why);
  return why !== null;
}

function searchOf(found: Found | null): Search {
  if (found === null) return "none";
  if (found.kind !== "present") return found.kind;
  const { outcome } = found;
  if (outcome.kind === "accepted" && isDraft(outcome)) return "draft";
  return outcome.kind === "inDoubt" || outcome.kind === "notNow" ? "cannotTell" : "present";
}

function searchFor(trial: Trial, capability: OrdersCapability, number: string): Promise<Found> {
  const { context, lease } = trial.sender;
  const doing = `Searching for order ${number}`;
  const isOwn = capability.finding === "file-drop" && number === trial.order.number;
  return calling(doing, context.settings.giveUpAfterSeconds, lease.lost, async (call) => {
    const tables = () => toBeSent(trial);
    return capability.find(
      number,
      isOwn ? await dropCall(context, trial.order, call, tables) : call,
    );
  });
}

/** As it was written down when it was first sent; else as it would be now. */
function toBeSent(trial: Trial): readonly RenderedTable[] {
  const { sender, order, intent } = trial;
  return (trial.rendered ??= intent.payload ?? sender.context.outbound.render(order.body));
}

async function searchCanaries(trial: Trial, capability: OrdersCapability): Promise<Canary> {
  const { store, company } = trial.sender.context;
  if (trial.doubt === null) return "unknown";
  const { finding } = capability;
  // Another folder than the one in which it may have been dropped shows what was dropped since.
  const before = finding === "file-drop" ? await droppedBefore(store, company, trial.order.id) : [];
  const others = await canariesFor(store, company, trial.order.id, {
    quietFrom: trial.doubt.quietFrom,
    // An index that stands still shows what came before, for ever.
    onlyLater: finding === "eventually-searchable",
  });
  const numbers = before.length > 0 ? before : others;
  for (const number of numbers) {
    const { kind } = await searchFor(trial, capability, number);
    if (kind === "present" || kind === "several") return "found";
  }
  return numbers.length === 0 ? "unknown" : "missing";
}

async function writeFound(
  trial: Trial,
  capability: OrdersCapability,
  found: Found | null,
): Promise<void> {
  if (found?.kind === "several") return writeSeveral(trial, found.documents, found.evidence);
  if (found?.kind !== "present") return;
  const order = await writeOutcome(trial, capability, found.outcome, "Found in the ERP");
  if (order?.state === "accepted") await readBack(trial.sender, capability, order);
}

/** The attempt is committed; then, and not before, the first byte may leave. */
async function place(trial: Trial, capability: OrdersCapability, repeats: boolean): Promise<void> {
  const { context, lease } = trial.sender;
  const { giveUpAfterSeconds } = context.settings;
  const began = performance.now();
  const tables = await beginPlacing(trial, repeats);
  if (tables === null) return;
  trial.repeats = repeats && trial.doubt !== null;
  const left = giveUpAfterSeconds - (performance.now() - began) / 1000;
  // By then others may believe that whatever is sent was sent.
  if (left < giveUpAfterSeconds / 2)
    throw new Error("Writing the attempt took too long, so that nothing was sent.");
  trial.sent = true;
  const { number } = trial.order;
  const outcome: Outcome = await calling(`Placing order ${number}`, left, lease.lost, (call) =>
    capability.place({ key: number, tables }, call),
  );
  const order = await writeOutcome(trial, capability, outcome, "Placed");
  if (order?.state === "accepted") await readBack(trial.sender, capability, order);
}

/** Repeats: the same key is placed again without a search, since that makes no second one. */
async function beginPlacing(trial: Trial, repeats: boolean) {
  const { context, lease } = trial.sender;
  return fenced(context, lease, async (tx, order) => {
    if (order.version !== trial.order.version)
      throw new OrderError("order-moved", `Web order ${order.number} was moved meanwhile.`);
    const asked = repeats ? "notSent" : "absent";
    const about = repeats ? "Not asked: its key is known." : "The ERP knows nothing of it.";
    await endAttempt(tx, order, trial.attempt, asked, about);
    if (!repeats && (await cancelInstead(trial, tx, order))) return null;
    const leased = order.state === "inDoubt" ? await leaveDoubt(trial, tx, order, repeats) : order;
    const { tables, hash } = await freeze(
      tx,
      order,
      trial.intent,
      () => trial.rendered ?? context.outbound.render(order.body),
    );
    trial.attempt = await beginAttempt(tx, order, {
      intent: trial.intent.intent,
      what: "place",
      version: leased.version,
      holder: lease.holder,
      placing: { hash, giveUpSeconds: context.settings.giveUpAfterSeconds },
    });
    trial.order = leased;
    return tables;
  });
}

async function leaveDoubt(
  { sender: { context } }: Trial,
  tx: Transaction,
  order: OrderRow,
  repeats: boolean,
): Promise<OrderRow> {
  const by = { who: "tradepost", at: context.now() } as const;
  const set = { attempts: 1, nextAttemptAt: null };
  if (repeats) {
    const about = "Placed again under the same key, which makes no second one.";
    return move(tx, order, { ...by, event: "repeat", about, set: { nextAttemptAt: null } });
  }
  const about = "The ERP knows nothing of it, and shows others; it is sent again.";
  const queued = await move(tx, order, { ...by, event: "notThere", about });
  return move(tx, queued, { ...by, event: "send", about: "Attempt 1: it was searched for.", set });
}

/** All of it was cancelled before any of it was there: it is not sent to be cancelled. */
async function cancelInstead(
  { sender: { context } }: Trial,
  tx: Transaction,
  order: OrderRow,
): Promise<boolean> {
  const open = await openIntents(tx, order);
  const whole = open.find(({ kind, body }) => kind === "cancel" && body === null);
  if (whole === undefined) return false;
  const event = order.state === "inDoubt" ? "notThere" : "retry";
  const about = "The ERP knows nothing of it, and it was cancelled meanwhile.";
  const said = { who: "tradepost", at: context.now(), event, about, set: NO_TRY } as const;
  const queued = await move(tx, order, said);
  for (const { intent, change } of open) {
    const done = intent === whole.intent;
    await endIntent(tx, order, intent, done ? "done" : "dropped");
    const ended = done
      ? ({ as: "done", about: "It never reached the ERP." } as const)
      : ({ as: "refused", about: "The whole order is cancelled." } as const);
    if (change !== null) await changeEnded(tx, context, queued, change, ended);
  }
  return true;
}

const NO_TRY = { nextAttemptAt: null };
