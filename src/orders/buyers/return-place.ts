/**
 * An agreed return becomes one of the ERP's, once. Our number is searched before anything is made;
 * the attempt is committed before the first byte leaves; after anything unclear it is only searched
 * for, and what the search does not show is for a person: no doubt ever makes a second one.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Found, NewReturn, Outcome, ReturnsCapability } from "../../connector/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import { sends, type OrdersContext } from "../context.ts";
import { queueLater } from "../jobs.ts";
import { ask, LEASE_SECONDS, MOST_SEARCHES, momentAfter, reasonOf, waitAfter } from "./asking.ts";
import { returnOf, setReturn, type ReturnChange, type ReturnRow } from "./return-store.ts";
import { enterIt, lookForIt, openReturnTask, whatFollows } from "./return-tasks.ts";

/** Job that enters an agreed return in the ERP: `{ company, return }`. */
export const RETURN_JOB = "orders.return";

export function queueReturn(
  tx: Transaction,
  { jobs, company }: OrdersContext,
  id: string,
  afterSeconds = 0,
): Promise<void> {
  return queueLater(tx, { jobs }, { job: RETURN_JOB, data: { company, return: id } }, afterSeconds);
}

/** Whatever should be on its way and is not: jobs lost with a restore, senders that died. */
export async function queueReturns(context: OrdersContext): Promise<void> {
  const { store, company, now } = context;
  await store.transaction(async (tx) => {
    const due = await tx.query<{ id: string }>(
      `select id from return_request
        where company = $1 and not test and state = 'agreed'
          and (erp in ('waiting', 'placing') or (erp = 'inDoubt' and next_try_at is not null))
          and (next_try_at is null or next_try_at <= $2)
          and (held_until is null or held_until < clock_timestamp()) order by id`,
      [company, now()],
    );
    for (const { id } of due) await queueReturn(tx, context, id);
  });
}

interface Work {
  readonly context: OrdersContext;
  readonly holder: string;
}

/** The job: brings one return as far as it can get now. Safe to call at any time. */
export async function placeReturn(context: OrdersContext, id: string): Promise<void> {
  const holder = randomUUIDv7();
  const { store, company } = context;
  const row = await claim(context, id, holder);
  if (row === null) return;
  try {
    await workOn({ context, holder }, row);
  } finally {
    await store.affect(
      `update return_request set holder = null, held_until = null
        where company = $1 and id = $2 and holder = $3`,
      [company, id, holder],
    );
  }
}

/** Leases go by the database's clock, since those of instances differ. */
async function claim(
  { store, company }: OrdersContext,
  id: string,
  holder: string,
): Promise<ReturnRow | null> {
  const claimed = await store.affect(
    `update return_request
        set holder = $3, held_until = clock_timestamp() + make_interval(secs => $4)
      where company = $1 and id = $2 and not test and state = 'agreed'
        and erp in ('waiting', 'placing', 'inDoubt')
        and (held_until is null or held_until < clock_timestamp())`,
    [company, id, holder, LEASE_SECONDS],
  );
  return claimed === 0 ? null : returnOf(store, company, id);
}

async function workOn(work: Work, row: ReturnRow): Promise<void> {
  if (row.erp === "placing")
    return doubt(work, row, "Whoever placed it stopped before an outcome was recorded.");
  return row.erp === "inDoubt" ? search(work, row) : place(work, row);
}

interface Step {
  readonly event: string;
  readonly who: "erp" | "tradepost";
  readonly about: string;
  readonly set: ReturnChange;
}

/**
 * Records while the lease holds. A person who entered it meanwhile decided; a credit note that came
 * meanwhile has ended it, and what the ERP said is kept all the same.
 */
async function record(
  { context, holder }: Work,
  row: ReturnRow,
  { set, ...page }: Step,
  more?: (tx: Transaction, changed: ReturnRow) => Promise<void>,
): Promise<ReturnRow> {
  const { store, company, now } = context;
  return store.transaction(async (tx) => {
    const there = await heldReturn(tx, company, row.id, holder);
    if (there === null || there.erp !== row.erp)
      throw new Error(`return ${row.number}: the lease was lost, or a person decided meanwhile`);
    const changed = await setReturn(tx, there, set, { ...page, at: now() });
    if (changed.state === "agreed") await more?.(tx, changed);
    return changed;
  });
}

async function heldReturn(
  tx: Queryable,
  company: string,
  id: string,
  holder: string,
): Promise<ReturnRow | null> {
  const ours = await tx.query(
    "select 1 from return_request where company = $1 and id = $2 and holder = $3 for update",
    [company, id, holder],
  );
  return ours.length === 0 ? null : returnOf(tx, company, id);
}

/** Null: its connector enters no returns. */
async function withReturns<T>(
  context: OrdersContext,
  work: (returns: ReturnsCapability) => Promise<T>,
): Promise<T | null> {
  await using session = await context.connection.openSession();
  return session.returns === undefined ? null : await work(session.returns);
}

async function place(work: Work, row: ReturnRow): Promise<void> {
  const { context } = work;
  const standing = await context.connection.standing();
  if (!sends(standing)) {
    const why = standing.paused ?? `its connection is ${standing.mode}`;
    context.log("info", `Return ${row.number} waits: ${why}.`);
    return;
  }
  let placing: ReturnRow | null = null;
  try {
    const done = await withReturns(context, async (returns) => {
      const found = await ask((call) => returns.find(row.number, call));
      if (found.kind === "cannotTell") throw new Error(found.reason);
      if (found.kind !== "absent") return settleFound(work, row, found);
      placing = await record(work, row, {
        event: "place",
        who: "tradepost",
        about: `Attempt ${row.attempts + 1}: the ERP has no return of its number; one is made.`,
        set: { erp: "placing", attempts: row.attempts + 1 },
      });
      const outcome = await ask((call) => returns.place(fieldsOf(row), call));
      return settle(work, placing, outcome);
    });
    if (done === null) await byHand(work, row, "The connector enters no returns: a person does.");
  } catch (error) {
    if (placing !== null) await doubt(work, placing, reasonOf(error));
    else await later(work, row, reasonOf(error));
  }
}

/** Something of its number is there. */
async function settleFound(
  work: Work,
  row: ReturnRow,
  found: Exclude<Found, { kind: "absent" | "cannotTell" }>,
): Promise<true> {
  if (found.kind === "present") return settle(work, row, found.outcome);
  if (found.kind === "another") {
    await byHand(work, row, found.reason);
    return true;
  }
  const numbers = found.documents.map(({ erpOrder }) => erpOrder).join(", ");
  await byHand(work, row, `The ERP has it more than once: ${numbers}. ${found.evidence}`);
  return true;
}

async function settle(work: Work, row: ReturnRow, outcome: Outcome): Promise<true> {
  switch (outcome.kind) {
    case "accepted":
      // A blank number is no return: what was made must be looked for.
      if (outcome.erpOrder.trim() === "") await doubt(work, row, "The ERP gave it no number.");
      else await placed(work, row, outcome.erpOrder, outcome.evidence);
      break;
    case "handedOver":
      await placed(work, row, null, outcome.evidence);
      break;
    case "refused":
      await byHand(work, row, `The ERP refused it: ${outcome.reason}`);
      break;
    case "notNow":
      await later(work, row, outcome.reason);
      break;
    case "inDoubt":
      await doubt(work, row, outcome.evidence);
      break;
    default:
      outcome satisfies never;
  }
  return true;
}

async function placed(
  work: Work,
  row: ReturnRow,
  erpReturn: string | null,
  evidence: string,
): Promise<void> {
  const what = erpReturn === null ? "It was handed over." : `It is ${erpReturn} in the ERP.`;
  const set = { erp: "placed", erpReturn, nextTryAt: null } as const;
  const step = { event: "placed", who: "erp", about: `${what} ${evidence}`, set } as const;
  await record(work, row, step, (tx, changed) =>
    whatFollows(tx, work.context, changed, { who: "erp", reason: what }),
  );
}

async function byHand(work: Work, row: ReturnRow, about: string): Promise<void> {
  const set = { erp: "byHand", nextTryAt: null } as const;
  await record(
    work,
    row,
    { event: "byHand", who: "tradepost", about, set },
    async (tx, changed) => {
      const why = row.attempts > 0 ? `${about} ` : "";
      await openReturnTask(tx, work.context, changed, `${why}${enterIt(changed)}`);
    },
  );
}

async function doubt(work: Work, row: ReturnRow, evidence: string): Promise<void> {
  const { context } = work;
  const next = waitAfter(1);
  const set = { erp: "inDoubt", attempts: 0, nextTryAt: momentAfter(context, next) } as const;
  const about = `It may or may not have been made: ${evidence}`;
  await record(work, row, { event: "doubt", who: "tradepost", about, set }, (tx) =>
    queueReturn(tx, context, row.id, next),
  );
}

/** In doubt: only looked for, and what is not found is for a person; nothing is ever made again. */
async function search(work: Work, row: ReturnRow): Promise<void> {
  const { context } = work;
  let evidence = "the ERP shows no return that bears it";
  try {
    const found = await withReturns(context, (returns) =>
      ask((call) => returns.find(row.number, call)),
    );
    if (found?.kind === "several") return void (await settleFound(work, row, found));
    if (found?.kind === "present" && isThere(found.outcome))
      return void (await settle(work, row, found.outcome));
    if (found?.kind === "cannotTell") evidence = found.reason;
  } catch (error) {
    evidence = reasonOf(error);
  }
  const searches = row.attempts + 1;
  const next = searches < MOST_SEARCHES ? waitAfter(searches + 1) : null;
  await record(
    work,
    row,
    {
      event: "search",
      who: "tradepost",
      about: `Search ${searches}: ${evidence}.`,
      set: { attempts: searches, nextTryAt: momentAfter(context, next) },
    },
    (tx, changed) =>
      next === null
        ? openReturnTask(tx, context, changed, lookForIt(changed))
        : queueReturn(tx, context, row.id, next),
  );
}

function isThere(outcome: Outcome): boolean {
  return (
    outcome.kind === "handedOver" || (outcome.kind === "accepted" && outcome.erpOrder.trim() !== "")
  );
}

/** Nothing was made: tried again later, and too often is for a person. */
async function later(work: Work, row: ReturnRow, reason: string): Promise<void> {
  const { context } = work;
  // An attempt that made nothing has counted already.
  const attempts = row.erp === "placing" ? row.attempts : row.attempts + 1;
  if (attempts >= context.settings.maxAttempts)
    return byHand(work, row, `${attempts} tries placed nothing; the last one: ${reason}`);
  const next = waitAfter(attempts);
  await record(
    work,
    row,
    {
      event: "retry",
      who: "tradepost",
      about: `Not entered yet: ${reason}`,
      set: { erp: "waiting", attempts, nextTryAt: momentAfter(context, next) },
    },
    (tx) => queueReturn(tx, context, row.id, next),
  );
}

function fieldsOf(row: ReturnRow): NewReturn {
  const { number, account, invoice, webOrder, wanted, reason, lines } = row;
  return { key: number, account, invoice, webOrder, wanted, reason, lines };
}
