/** How changes end that were asked of the ERP, or of a person. */
import { decimal } from "../../model/index.ts";
import type { Transaction } from "../../store/index.ts";
import { sameAmount } from "../amounts.ts";
import { move, OrderError, type OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { settleRefunds } from "../refunds.ts";
import type { Task, TaskEnd } from "../tasks.ts";
import { workOutAnew } from "./anew.ts";
import { intentOf } from "./ask.ts";
import { cameSince } from "./examine.ts";
import { heldOrder } from "./path.ts";
import { beforeOf, putContent } from "./make.ts";
import { cancelMove, nameOf, over, supersede } from "./over.ts";
import { tellPersons, undone } from "./persons.ts";
import { changesOf, moveChange, PENDING, type ChangeRow } from "./rows.ts";
import { onAgreedTerms } from "./terms.ts";

export interface ChangeEnd {
  /** done: the ERP has it so. refused: it will not. cannot: a person has to make it there. */
  readonly as: "done" | "refused" | "cannot";
  /** How it ended, in a sentence. */
  readonly about: string;
  /** Absent: now. */
  readonly at?: Temporal.Instant;
  /** As the ERP holds them now, where it says so. */
  readonly erpNet?: string | null;
  readonly erpVat?: string | null;
}

/**
 * Called in the transaction that records what the ERP did. Telling the end of a change that is over
 * changes nothing. Answers the order as it is then.
 */
export async function changeEnded(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  change: number,
  end: ChangeEnd,
): Promise<OrderRow> {
  const held = await heldOrder(tx, context.company, order.id);
  const asked = (await changesOf(tx, held)).find((one) => one.change === change);
  if (asked === undefined || !PENDING.includes(asked.state)) return held;
  const at = end.at ?? context.now();
  if (end.as === "done") {
    const came = await cameSince(tx, held, asked);
    if (came.length > 0)
      return against(tx, context, held, asked, { about: came.join(" "), at, came });
    const changed = await done(tx, held, asked, { ...end, at, who: "tradepost" });
    await tellPersons(tx, changed, at);
    return changed;
  }
  if (end.as === "cannot") return forPerson(tx, held, asked, { about: end.about, at });
  await over(tx, held, asked, { about: end.about, at, state: "refused", who: "erp" });
  await workOutAnew(tx, context, held, { change: asked, became: "refused", at });
  await tellPersons(tx, held, at);
  return held;
}

type Ended = Pick<ChangeEnd, "about"> & { readonly at: Temporal.Instant };

interface Done extends Omit<ChangeEnd, "as">, Ended {
  readonly at: Temporal.Instant;
  readonly who: string;
}

/** The ERP says that it made what cannot be any more: nothing of what came is forgotten for it. */
async function against(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  asked: ChangeRow,
  { about, at, came }: Ended & { readonly came: readonly string[] },
): Promise<OrderRow> {
  await over(tx, order, asked, { about, at, state: "refused", who: "tradepost" });
  await workOutAnew(tx, context, order, { change: asked, became: "refused", at });
  const name = nameOf(asked.kind, asked.change);
  return move(tx, order, {
    event: "conflict",
    who: "tradepost",
    at,
    about: `${name} is done there, and cannot be. ${about}`,
    reasons: came,
  });
}

async function done(
  tx: Transaction,
  order: OrderRow,
  asked: ChangeRow,
  { about, at, who, erpNet = null, erpVat = null }: Done,
): Promise<OrderRow> {
  const { change, body, evidence, held, request } = asked;
  const before = await beforeOf(tx, order);
  await moveChange(tx, order, { change, state: "done", outcome: about, at, before });
  const name = nameOf(asked.kind, change);
  if (body === null || request === null)
    return cancelMove(tx, order, { who, why: asked.why ?? about }, at);
  await supersede(tx, order, asked, at);
  const content = { body, evidence: evidence ?? {}, held: held ?? [], request };
  const changed = await putContent(tx, order, content, {
    who,
    at,
    about: `${name} done: ${about}`,
  });
  const figures = { erpNet: erpNet ?? changed.erpNet, erpVat: erpVat ?? changed.erpVat };
  const differing = differences(changed, { erpNet, erpVat });
  if (differing.length === 0) {
    await tx.affect(
      "update web_order set erp_net = $3, erp_vat = $4 where company = $1 and id = $2",
      [order.company, order.id, figures.erpNet, figures.erpVat],
    );
    await settleRefunds(tx, order.company, order.id, at);
    return { ...changed, ...figures };
  }
  return move(tx, changed, {
    event: "conflict",
    who: "tradepost",
    at,
    about: `${name} came out otherwise. ${differing.join(" ")}`,
    reasons: differing,
    set: figures,
  });
}

function differences(
  order: OrderRow,
  erp: { readonly erpNet: string | null; readonly erpVat: string | null },
): string[] {
  const pairs = [
    ["net", order.net, erp.erpNet],
    ["VAT", order.vat, erp.erpVat],
  ] as const;
  return pairs.flatMap(([name, agreed, theirs]) => {
    if (theirs === null || sameAmount(theirs, agreed)) return [];
    const by = decimal.subtract(decimal.parse(theirs), decimal.parse(agreed));
    const money = (text: string): string =>
      decimal.readable(decimal.parse(text), order.body.currency);
    return [
      `Agreed ${name} is ${money(agreed)}, the ERP holds ${money(theirs)}: ` +
        `${money(decimal.format(by))}.`,
    ];
  });
}

async function forPerson(
  tx: Transaction,
  order: OrderRow,
  asked: ChangeRow,
  { about, at }: Ended,
): Promise<OrderRow> {
  await moveChange(tx, order, { change: asked.change, state: "task", outcome: about, at });
  await tellPersons(tx, order, at);
  return order;
}

const TASK = /^(?:amendment|cancellation) (\d+)/;

/**
 * By what terms is reckoned what comes of a person's closing the task; before the transaction that
 * closes it.
 */
export async function termsOfTask(
  context: OrdersContext,
  { id, state }: Pick<TaskEnd, "id" | "state">,
): Promise<OrdersContext> {
  const [task] = await context.store.query<{ order: string | null; about: string }>(
    `select order_id as "order", about from web_order_task where company = $1 and id::text = $2`,
    [context.company, id],
  );
  const number = TASK.exec(task?.about ?? "")?.[1];
  const order = task?.order ?? null;
  if (number === undefined || order === null) return context;
  return termsBehind(context, order, Number(number) - (state === "dropped" ? 1 : 0));
}

/** By what terms a part is reckoned that was cancelled behind the change. */
export function termsBehind(
  context: OrdersContext,
  order: string,
  change: number,
): Promise<OrdersContext> {
  return onAgreedTerms(context, { order, seen: {} }, "less", change);
}

/** A person has closed a task that a change waited for. */
export async function afterTask(
  tx: Transaction,
  context: OrdersContext,
  task: Task,
): Promise<void> {
  const number = TASK.exec(task.about)?.[1];
  const { order: id, closedBy: who, state } = task;
  if (number === undefined || id === null || who === null) return;
  const order = await heldOrder(tx, context.company, id);
  const changes = await changesOf(tx, order);
  const change = changes.find((one) => one.change === Number(number));
  if (change === undefined) return;
  const at = context.now();
  const about = task.reason ?? "";
  if (state === "dropped") {
    await over(tx, order, change, { state: "dropped", about, at, who });
    await workOutAnew(tx, context, order, { change, became: "dropped", at });
  } else if (change.state === "task") {
    await refuseCome(tx, order, change);
    await done(tx, order, change, { about, at, who });
  } else if (change.state === "held") {
    refuseUndoing(order, change, changes);
    await moveChange(tx, order, { change: change.change, state: "asked", outcome: about, at });
    await intentOf(tx, context, order, change);
    await workOutAnew(tx, context, order, { change, became: "let go", at });
  }
  await tellPersons(tx, await heldOrder(tx, context.company, id), at);
}

/** Made here now, it would forget what came. */
async function refuseCome(tx: Transaction, order: OrderRow, change: ChangeRow): Promise<void> {
  const came = await cameSince(tx, order, change);
  if (came.length === 0) return;
  throw new OrderError(
    "change-impossible",
    `Making ${nameOf(change.kind, change.change).toLowerCase()} of web order ${order.number}: ` +
      `${came.join(" ")} Drop it, and ask for what can be changed still.`,
  );
}

/** Let go now, it would reach the ERP behind a later one and undo that. */
function refuseUndoing(
  { number }: OrderRow,
  { change, kind }: ChangeRow,
  changes: readonly ChangeRow[],
): void {
  const later = undone({ change }, changes);
  if (later === null) return;
  const waits = {
    asked: "is on its way to the ERP",
    task: "waits for a person to make it there",
    held: "waits to be decided on",
  }[later.state as "asked" | "task" | "held"];
  const name = nameOf(later.kind, later.change).toLowerCase();
  throw new OrderError(
    "change-impossible",
    `Letting ${nameOf(kind, change).toLowerCase()} of web order ${number} go: ${name} was asked ` +
      `for after it and ${waits}, and this one would undo it. Drop it; or look again once ${name} has ended.`,
  );
}
