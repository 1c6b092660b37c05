/**
 * Amending and cancelling an order. Before its first byte left it is done here at once; from then
 * on it is asked of the ERP, behind whatever was asked before, and the order stays what it is until
 * the ERP has done it.
 */
import type { Transaction } from "../../store/index.ts";
import { refusedProblem, type OrderProblem } from "../answer.ts";
import { audited } from "../audit.ts";
import { addEvent, OrderError, seenWith, type OrderRow, type Seen } from "../book.ts";
import type { OrderFinding } from "../checks.ts";
import type { OrdersContext } from "../context.ts";
import { addIntent, dropUnsentPlacement } from "../delivery/intents.ts";
import { BLANKED, isForgotten } from "../forgotten.ts";
import { once, type KeyedAnswer, type KeyedResult } from "../keyed.ts";
import { keepPayments } from "../payments.ts";
import { settleRefunds } from "../refunds.ts";
import { requestHash, type OrderRequest } from "../request.ts";
import { noteChanged } from "../told.ts";
import { lessOf, type LineLess } from "./cancelled.ts";
import { examineAnew, isImpossible, type Anew, type ToBe } from "./examine.ts";
import { beforeOf, goOn, putContent } from "./make.ts";
import { onAgreedTerms } from "./terms.ts";
import { cancelMove, nameOf, supersede } from "./over.ts";
import { tellPersons } from "./persons.ts";
import { heldOrder, pathOf } from "./path.ts";
import {
  changesOf,
  insertChange,
  PENDING,
  type CancelledLine,
  type ChangeKind,
  type ChangeRow,
  type ChangeState,
} from "./rows.ts";

/** Who asks for a change, and how it is told from the same request sent again. */
export interface Asker {
  /** "key <id>" of a shop, or a person. */
  readonly who: string;
  readonly why: string | null;
  /** Null: a person's act, which has no key. */
  readonly idempotencyKey: string | null;
  readonly apiKey: string;
  /** True: asked with a test key; absent: it was not. */
  readonly test?: boolean;
  /** The customer for whom a shop asks: another's order is not there. Absent: whoever's it is. */
  readonly account?: string | undefined;
  /** True: a person who decides; what the checks find is told and stops nothing. */
  readonly decides: boolean;
}

export interface AskedAmendment extends Asker {
  readonly body: OrderRequest;
}

export interface AskedCancellation extends Asker {
  /** Null: all that can be cancelled still. */
  readonly lines: readonly LineLess[] | null;
}

/** What became of a change that was asked for. */
export interface ChangeAnswer {
  readonly webOrder: string;
  readonly change: number;
  readonly kind: ChangeKind;
  /** done; asked: the ERP is told; held: a person decides first. */
  readonly state: ChangeState;
  readonly orderState: OrderRow["state"];
  /** What the order comes to with it; null: it is cancelled. */
  readonly net: string | null;
  readonly vat: string | null;
  readonly gross: string | null;
  /** Why a person decides first. */
  readonly reasons: readonly OrderFinding[];
  /** What was found and let pass. */
  readonly warnings: readonly OrderFinding[];
}

export type ChangeResult = KeyedResult<ChangeAnswer>;

export async function amend(
  context: OrdersContext,
  idOrNumber: string,
  asked: AskedAmendment,
): Promise<ChangeResult> {
  const { idempotencyKey, apiKey, test = false, body } = asked;
  // Before the transaction begins: it must not wait for a second connection.
  await context.pricing.newest?.();
  const whom = { order: idOrNumber, seen: seenBy(asked) };
  const reckoning = await onAgreedTerms(context, whom, body);
  const what = whatOf("amend", idOrNumber, asked);
  const keyed = { idempotencyKey, apiKey, test, what, body, hash: requestHash(body) };
  return once(context, keyed, async (tx) => {
    const order = await heldOrder(tx, context.company, idOrNumber, seenBy(asked));
    await byPerson(tx, context, order, "order-amended", asked);
    return changeTo(tx, reckoning, order, { ...asked, kind: "amend", cancelled: [] });
  });
}

export async function cancelOrder(
  context: OrdersContext,
  idOrNumber: string,
  asked: AskedCancellation,
): Promise<ChangeResult> {
  const { idempotencyKey, apiKey, test = false, lines, why } = asked;
  await context.pricing.newest?.();
  const whom = { order: idOrNumber, seen: seenBy(asked) };
  const reckoning = await onAgreedTerms(context, whom, lines === null ? "none" : "less");
  const hash = JSON.stringify([lines, why]);
  const keyed = {
    idempotencyKey,
    apiKey,
    test,
    what: whatOf("cancel", idOrNumber, asked),
    body: { lines, why },
    hash,
  };
  return once(context, keyed, async (tx) => {
    const order = await heldOrder(tx, context.company, idOrNumber, seenBy(asked));
    await byPerson(tx, context, order, "order-cancelled", asked);
    const pending = (await changesOf(tx, order)).findLast(({ state }) => PENDING.includes(state));
    if (pending?.kind === "cancel" && pending.body === null)
      throw new OrderError(
        "change-impossible",
        `Cancelling web order ${order.number}: its cancellation is asked for already.`,
      );
    if (order.state === "refused" && lines === null) return cancelHere(tx, context, order, asked);
    const isGivenUp = order.state === "conflict" || order.state === "shadowed";
    if (isGivenUp && lines === null && asked.decides) return cancelHere(tx, context, order, asked);
    const less = await lessOf(tx, order, pending ?? null, lines);
    if (less !== null)
      return changeTo(tx, reckoning, order, {
        ...asked,
        kind: "cancel",
        body: less.request,
        numbers: less.numbers,
        cancelled: less.cancelled,
      });
    const path = await pathOf(tx, order, "Cancelling");
    return path === "here"
      ? cancelHere(tx, context, order, asked)
      : askWhole(tx, context, order, asked);
  });
}

/** A shop's key changes orders of its own kind; a person any. */
function seenBy(asked: Asker): Seen {
  return asked.decides ? {} : seenWith(asked, asked.account);
}

/** What the request's key is bound to. */
function whatOf(act: "amend" | "cancel", idOrNumber: string, { account }: Asker): string {
  return `${act} ${idOrNumber}${account === undefined ? "" : ` of ${account}`}`;
}

/** What a shop asks for is in the order's own book. */
async function byPerson(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  action: string,
  { who, why, decides }: Asker,
): Promise<void> {
  if (decides)
    await audited(tx, context, { who, action, subject: order.number, reason: why ?? "" });
}

interface NewContent extends AskedAmendment, ToBe {
  readonly cancelled: readonly CancelledLine[];
}

async function changeTo(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  asked: NewContent,
): Promise<KeyedAnswer<ChangeAnswer>> {
  const path = await pathOf(tx, order, asked.kind === "amend" ? "Amending" : "Cancelling");
  if (isForgotten(asked.body) && !order.test)
    throw new OrderError(
      "change-impossible",
      `Changing web order ${order.number}: its guest was forgotten, and the ERP would get ` +
        `"${BLANKED}" for name and address. Amend it with guest and deliverTo, or cancel all of it.`,
    );
  const anew = await examineAnew(tx, context, order, asked, await changesOf(tx, order));
  if (isImpossible(anew) || (anew.verdict === "refuse" && !asked.decides)) {
    await anew.undo();
    const answer: OrderProblem = refusedProblem(anew.findings);
    return { status: 422, answer };
  }
  return path === "here"
    ? changeHere(tx, context, order, { asked, anew })
    : askChange(tx, context, order, { asked, anew });
}

interface Examined {
  readonly asked: NewContent;
  readonly anew: Anew;
}

async function changeHere(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  { asked, anew }: Examined,
): Promise<KeyedAnswer<ChangeAnswer>> {
  const at = context.now();
  await anew.keep();
  await dropUnsentPlacement(tx, order);
  const row = rowOf(asked, anew, at);
  const change = await insertChange(tx, order, {
    ...row,
    state: "done",
    before: await beforeOf(tx, order),
    endedAt: at,
    outcome: "Before it was handed over.",
  });
  // Asked for while it was on its way there, where nothing of it came to be.
  await supersede(tx, order, { ...row, change }, at);
  const about = `${nameOf(asked.kind, change)}${whyOf(asked)}: ${told(anew)}`;
  const changed = await putContent(tx, order, anew.content, { who: asked.who, about, at });
  // A person who changes an order that is held has not released it, nor what is held of it.
  const holds = asked.decides && order.state !== "held" && !anew.ofHeld ? [] : holdsOf(anew);
  const gone = await goOn(tx, context, changed, { who: asked.who, holds });
  await settleRefunds(tx, order.company, order.id, at);
  const findings = [...anew.findings, ...heldStill(gone, anew)];
  return answerOf(200, gone, { ...row, change, state: "done" }, findings);
}

/** Why it is held besides what was found of it now. */
function heldStill({ state, reasons }: OrderRow, { findings }: Anew): readonly OrderFinding[] {
  if (state !== "held") return [];
  return reasons
    .filter((reason) => !findings.some(({ about }) => about === reason))
    .map((about) => ({
      check: "repeat",
      policy: "hold",
      code: "held-still",
      line: null,
      found: "held",
      expected: "released by a person",
      about,
      instruction: "Nothing: staff look into it, and release the order.",
    }));
}

async function askChange(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  { asked, anew }: Examined,
): Promise<KeyedAnswer<ChangeAnswer>> {
  const at = context.now();
  await anew.undo();
  // Whoever cancels a part of what is held has not decided on that.
  const holds = asked.decides && !anew.ofHeld ? [] : holdsOf(anew);
  const state: ChangeState = holds.length > 0 ? "held" : "asked";
  const row = rowOf(asked, anew, at);
  const outcome = state === "held" ? holds.join(" ") : null;
  const change = await insertChange(tx, order, { ...row, state, outcome });
  // It is this order's from now on, though the ERP has yet to make the change.
  await keepPayments(tx, order.company, [{ id: order.id, payment: anew.content.body.payment }]);
  const name = nameOf(asked.kind, change);
  await inBook(tx, order, {
    ...asked,
    at,
    about: `${name} asked for${whyOf(asked)}: ${told(anew)}`,
  });
  if (state === "asked") await intentOf(tx, context, order, { ...row, change });
  await tellPersons(tx, order, at);
  return answerOf(202, order, { ...row, change, state }, anew.findings);
}

/** The ERP is told, behind whatever was asked of it before. */
export async function intentOf(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  change: Pick<ChangeRow, "change" | "kind" | "body" | "why">,
): Promise<void> {
  await addIntent(tx, context, order, {
    // A part of an order is cancelled by amending it.
    kind: change.body === null ? "cancel" : "amend",
    change: change.change,
    body: change.body,
    reason: change.why ?? "The customer asked for it.",
  });
}

/** Nothing of it left, or nothing of it stands in the ERP: it is cancelled at once. */
async function cancelHere(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  asked: AskedCancellation,
): Promise<KeyedAnswer<ChangeAnswer>> {
  const at = context.now();
  await dropUnsentPlacement(tx, order);
  const row = { ...wholeRow(asked, at), state: "done" as const };
  const before = await beforeOf(tx, order);
  const change = await insertChange(tx, order, {
    ...row,
    before,
    endedAt: at,
    outcome: "Cancelled here.",
  });
  const cancelled = await cancelMove(tx, order, asked, at);
  return answerOf(200, cancelled, { ...row, change }, []);
}

async function askWhole(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  asked: AskedCancellation,
): Promise<KeyedAnswer<ChangeAnswer>> {
  const at = context.now();
  const row = { ...wholeRow(asked, at), state: "asked" as const };
  const change = await insertChange(tx, order, row);
  await inBook(tx, order, { ...asked, at, about: `Cancellation asked for${whyOf(asked)}.` });
  await intentOf(tx, context, order, { ...row, change });
  await tellPersons(tx, order, at);
  return answerOf(202, order, { ...row, change }, []);
}

function wholeRow({ who, why }: Asker, askedAt: Temporal.Instant): Omit<ChangeRow, "change"> {
  return {
    kind: "cancel",
    state: "asked",
    who,
    why,
    request: null,
    body: null,
    evidence: null,
    held: null,
    cancelled: [],
    before: null,
    askedAt,
    endedAt: null,
    outcome: null,
  };
}

function rowOf(
  asked: NewContent,
  { content, request }: Anew,
  askedAt: Temporal.Instant,
): Omit<ChangeRow, "change"> {
  const { body, evidence, held } = content;
  const { kind, cancelled } = asked;
  return { ...wholeRow(asked, askedAt), kind, request, body, evidence, held, cancelled };
}

function answerOf(
  status: 200 | 202,
  order: OrderRow,
  { change, kind, state, body }: Pick<ChangeRow, "change" | "kind" | "state" | "body">,
  findings: readonly OrderFinding[],
): KeyedAnswer<ChangeAnswer> {
  const isHeld = state === "held" || order.state === "held";
  const stopping = findings.filter(({ policy }) => isHeld && policy === "hold");
  const answer: ChangeAnswer = {
    webOrder: order.number,
    change,
    kind,
    state,
    orderState: order.state,
    net: body?.net ?? null,
    vat: body?.vat ?? null,
    gross: body?.gross ?? null,
    reasons: stopping,
    warnings: findings.filter((finding) => !stopping.includes(finding)),
  };
  return { status, answer };
}

export function holdsOf({ findings }: Anew): string[] {
  return findings.filter(({ policy }) => policy === "hold").map(({ about }) => about);
}

function whyOf({ why }: Pick<Asker, "why">): string {
  return why === null ? "" : ` (${why})`;
}

function told({ content: { body } }: Anew): string {
  return `it comes to ${body.net} net and ${body.vat} VAT on ${body.lines.length} lines.`;
}

async function inBook(
  tx: Transaction,
  order: OrderRow,
  page: { readonly who: string; readonly about: string; readonly at: Temporal.Instant },
): Promise<void> {
  const { who, about, at } = page;
  const { state } = order;
  await addEvent(tx, order, { event: "change", fromState: state, toState: state, who, about, at });
  await noteChanged(tx, order, "order.change-asked", at);
}
