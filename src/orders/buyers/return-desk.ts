/** What a person decides of a return, and how one ends that no credit note ends. */
import { momentText } from "../../model/index.ts";
import type { Transaction } from "../../store/index.ts";
import { audited } from "../audit.ts";
import type { OrdersContext } from "../context.ts";
import { OrderError } from "../error.ts";
import type { Task } from "../tasks.ts";
import type { DecidedAct, Decision } from "./account-desk.ts";
import { GIVE_UP_MS } from "./asking.ts";
import { BuyerError } from "./error.ts";
import { queueReturn } from "./return-place.ts";
import { returnEvents, returnOf, setReturn, type ReturnRow } from "./return-store.ts";
import { endReturnTask, enterIt, openReturnTask, wait, whatFollows } from "./return-tasks.ts";

/**
 * The goods may come back: the connector enters it in the ERP, or a person does. Agreed once more,
 * one in doubt is placed again: a person has looked, and it is not there.
 */
export async function agree(
  context: OrdersContext,
  idOrNumber: string,
  { who, why }: Decision,
): Promise<ReturnRow> {
  const { mode } = await context.connection.standing();
  const act = { who, why, action: "return-agreed" };
  return decided(context, idOrNumber, act, async (tx, row) => {
    const looked = row.state === "agreed" && row.erp === "inDoubt";
    if (row.state !== "asked" && !looked) throw settled(row, "asked for can be decided");
    if (looked) await refuseTooSoon(tx, context, row);
    // Nothing is ever handed over: whoever keys the orders keys this, too.
    const erp = row.test ? "none" : mode === "live" ? "waiting" : "byHand";
    const agreed = await setReturn(
      tx,
      row,
      {
        state: "agreed",
        erp,
        attempts: 0,
        nextTryAt: null,
        ...(looked ? {} : { decidedBy: who, decidedWhy: why }),
      },
      {
        event: "agree",
        who,
        about: looked ? `A person looked: it is not in the ERP. ${why}` : `Agreed: ${why}`,
        at: context.now(),
      },
    );
    if (row.test) return agreed;
    const todo = erp === "waiting" ? wait(agreed) : enterIt(agreed);
    await openReturnTask(tx, context, agreed, todo);
    if (erp === "waiting") await queueReturn(tx, context, row.id);
    return agreed;
  });
}

/** A call that was given up may still arrive; only then is what a person saw the end of it. */
async function refuseTooSoon(
  tx: Transaction,
  { settings, now }: OrdersContext,
  row: ReturnRow,
): Promise<void> {
  const doubted = (await returnEvents(tx, row)).findLast(({ event }) => event === "doubt");
  const until = doubted?.at.add({ milliseconds: GIVE_UP_MS + settings.quietSeconds * 1000 });
  if (until === undefined || Temporal.Instant.compare(now(), until) >= 0) return;
  throw new BuyerError(
    "return-settled",
    `Return ${row.number} may still turn up in the ERP until ` +
      `${momentText(until, settings.timeZone)}. Look there after that, and agree again then.`,
  );
}

export async function refuse(
  context: OrdersContext,
  idOrNumber: string,
  { who, why }: Decision,
): Promise<ReturnRow> {
  const act = { who, why, action: "return-refused" };
  return decided(context, idOrNumber, act, async (tx, row) => {
    if (row.state !== "asked") throw settled(row, "asked for can be decided");
    const page = { event: "refuse", who, about: `Refused: ${why}`, at: context.now() };
    const refused = { state: "refused", decidedBy: who, decidedWhy: why } as const;
    const end = { state: "dropped", who, reason: `Refused: ${why}` } as const;
    await endReturnTask(tx, context, row, end);
    return setReturn(tx, row, refused, page);
  });
}

export async function entered(
  context: OrdersContext,
  idOrNumber: string,
  { who, why, erpReturn }: Decision & { readonly erpReturn: string },
): Promise<ReturnRow> {
  const act = { who, why, action: "return-entered", details: { erpReturn } };
  return decided(context, idOrNumber, act, async (tx, row) => {
    if (row.state !== "agreed" || row.test)
      throw settled(row, "agreed to and is no test can be in the ERP");
    if (row.erp === "placing")
      throw settled(row, "not being placed just now can be entered by hand; look in a minute");
    const placed = await setReturn(
      tx,
      row,
      { erp: "placed", erpReturn, nextTryAt: null },
      { event: "enter", who, about: `It is ${erpReturn} in the ERP: ${why}`, at: context.now() },
    );
    await whatFollows(tx, context, placed, { who, reason: `It is ${erpReturn} in the ERP.` });
    return placed;
  });
}

/** What brought other goods for those that came back. */
export interface Replacement {
  /** Number of the web order, ERP order or despatch. */
  readonly by: string;
  /** A person saw there that it brings them, though no pull has shown so. */
  readonly seenThere?: boolean;
}

export async function replaced(
  context: OrdersContext,
  idOrNumber: string,
  decision: Decision & Replacement,
): Promise<ReturnRow> {
  return context.store.transaction(async (tx) => {
    const row = await returnOf(tx, context.company, idOrNumber, "for update");
    const done = await replace(tx, context, row, decision);
    const { who, by } = decision;
    const end = { state: "done", who, reason: `Replaced by ${by}.`, reference: by } as const;
    await endReturnTask(tx, context, row, end);
    return done;
  });
}

async function replace(
  tx: Transaction,
  context: OrdersContext,
  row: ReturnRow,
  { who, why, ...replacement }: Decision & Replacement,
): Promise<ReturnRow> {
  const { by } = replacement;
  const act = { who, reason: why, action: "return-replaced", subject: row.number };
  await audited(tx, context, { ...act, details: { by } });
  if (row.state !== "agreed") throw settled(row, "agreed to can be replaced");
  if (row.wanted !== "replace") throw settled(row, "to be replaced ends so; a credit ends it");
  if (row.erp === "placing" || row.erp === "inDoubt")
    throw settled(row, "in the ERP or entered by hand can end: whether it is there is not known");
  await bringsGoods(tx, context, row, replacement);
  const page = { event: "replace", who, about: `Replaced by ${by}: ${why}`, at: context.now() };
  return setReturn(tx, row, { state: "replaced", replacedBy: by, nextTryAt: null }, page);
}

/** A person has closed its task as done: the other goods are out, under the task's reference. */
export async function afterReturnTask(
  tx: Transaction,
  context: OrdersContext,
  { kind, state, about, closedBy, reason, reference }: Task,
): Promise<void> {
  if (kind !== "return" || state !== "done") return;
  const row = await returnOf(tx, context.company, about, "for update");
  if (row.state !== "agreed" || row.wanted !== "replace") return;
  if (reference === null)
    throw new OrderError(
      "task-needs-reference",
      `Closing the task of return ${row.number}: give the number of the order or despatch that ` +
        "brings the other goods, or drop the task with the reason why none are sent.",
    );
  await replace(tx, context, row, { who: closedBy ?? "", why: reason ?? "", by: reference });
}

/**
 * A number that we know must be this customer's, and of something that was made since the return
 * was asked for; any other one is a slip of the pen, unless a person has seen what it is.
 */
async function bringsGoods(
  tx: Transaction,
  { settings }: OrdersContext,
  row: ReturnRow,
  { by, seenThere = false }: Replacement,
): Promise<void> {
  const known = await tx.query<{ account: string; what: string; isSince: boolean }>(
    `select account, 'web order' as what, received_at >= $3 as "isSince" from web_order
      where company = $1 and (number_folded = lower($2) or erp_order = $2)
     union all
     select account, 'ERP order', ordered_on >= $4::date from erp_order
      where company = $1 and erp_order = $2
     union all
     select account, 'despatch', despatched_on >= $4::date from despatch
      where company = $1 and despatch = $2`,
    [
      row.company,
      by,
      row.receivedAt,
      row.receivedAt.toZonedDateTimeISO(settings.timeZone).toPlainDate(),
    ],
  );
  const [first] = known;
  const own = known.filter(({ account }) => account === row.account);
  if (first !== undefined && own.length === 0)
    throw new BuyerError(
      "replacement-of-another",
      `Return ${row.number} of account ${row.account}: ${first.what} ${by} is account ` +
        `${first.account}'s. Give the number of the order or despatch that brought the other goods.`,
    );
  if (seenThere || own.some(({ isSince }) => isSince)) return;
  const why =
    own[0] === undefined
      ? `no order or despatch ${by} is known here. Pull first, if it is new in the ERP`
      : `${own[0].what} ${by} is older than the return. Give the number of what brought other goods`;
  throw new BuyerError(
    "replacement-unknown",
    `Return ${row.number}: ${why}; or say that you saw there that it brings them: ` +
      `returns replaced ${row.number} --by ${by} --seen-there.`,
  );
}

async function decided(
  context: OrdersContext,
  idOrNumber: string,
  { why, ...act }: DecidedAct,
  work: (tx: Transaction, row: ReturnRow) => Promise<ReturnRow>,
): Promise<ReturnRow> {
  return context.store.transaction(async (tx) => {
    const row = await returnOf(tx, context.company, idOrNumber, "for update");
    await audited(tx, context, { ...act, reason: why, subject: row.number });
    return work(tx, row);
  });
}

function settled({ number, state, erp }: ReturnRow, only: string): BuyerError {
  const stands = state === "agreed" && erp !== "none" ? `agreed, ${erp}` : state;
  return new BuyerError(
    "return-settled",
    `Return ${number} is "${stands}" already; only one that is ${only}.`,
  );
}
