/** A new customer asks for an account; credit control decides; an account is linked. */
import { createHash, randomUUIDv7 } from "node:crypto";
import { decimal, momentText } from "../../model/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import { audited, type AuditedAct } from "../audit.ts";
import { queueLater } from "../jobs.ts";
import { once, type KeyedResult } from "../keyed.ts";
import { closeTask, listTasks } from "../tasks.ts";
import type { AccountRequestBody, Duplicate } from "./account-request.ts";
import type { AccountState } from "./account-states.ts";
import {
  accountEvents,
  accountRequestOf,
  ACCOUNT_COLUMNS,
  findAccountRequest,
  moveAccount,
  noteAccount,
  writeAccountEvent,
  type AccountRequestEvent,
  type AccountRow,
} from "./account-store.ts";
import { GIVE_UP_MS } from "./asking.ts";
import type { BuyersContext } from "./context.ts";
import { candidatesFor, duplicatesAmong } from "./duplicates.ts";
import { BuyerError } from "./error.ts";
import { numberFor } from "./numbers.ts";
import { bringOn, isPriced, refuseWaiting, waitingFor } from "./waiting.ts";

/** Job that opens an account, or asks the ERP who may be the same: `{ company, request }`. */
export const ACCOUNT_JOB = "orders.account";

export interface AskAccount {
  readonly idempotencyKey: string;
  readonly apiKey: string;
  readonly body: AccountRequestBody;
  /** True: kept, and no account is ever made of it. */
  readonly test: boolean;
}

/** What the shop is told; who may be the same is for the merchant's people alone. */
export interface AccountAsked {
  readonly id: string;
  readonly number: string;
  readonly state: AccountState;
  readonly test: boolean;
  readonly receivedAt: string;
}

export interface Decision {
  readonly who: string;
  readonly why: string;
}

/** As the book of who did what takes it. */
export type DecidedAct = Decision &
  Pick<AuditedAct, "action"> &
  Partial<Pick<AuditedAct, "details">>;

export async function askAccount(
  context: BuyersContext,
  request: AskAccount,
): Promise<KeyedResult<AccountAsked>> {
  const { idempotencyKey, apiKey, body } = request;
  // The body is kept once, where it can be blanked.
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const { test } = request;
  const keyed = { idempotencyKey, apiKey, test, what: "account request", body: {}, hash };
  return once(context, keyed, async (tx) => {
    const answer = await insertRequest(tx, context, request);
    return { status: 201, answer, order: null };
  });
}

async function insertRequest(
  tx: Transaction,
  context: BuyersContext,
  { body, test, apiKey, idempotencyKey }: AskAccount,
): Promise<AccountAsked> {
  const { company, now } = context;
  const at = now();
  const id = randomUUIDv7();
  const number = numberFor("AR", context);
  const candidates = await candidatesFor(tx, company, body);
  const duplicates = duplicatesAmong(body, candidates);
  const [row] = await tx.query<AccountRow>(
    `insert into account_request (company, id, number, state, version, body, duplicates, test,
       attempts, received_at, changed_at)
     values ($1, $2, $3, 'held', 1, $4, $5, $6, 0, $7, $7) returning ${ACCOUNT_COLUMNS}`,
    [company, id, number, JSON.stringify(body), JSON.stringify(duplicates), test, at],
  );
  if (row === undefined) throw new Error(`account request ${number} was not written`);
  await writeAccountEvent(tx, row, {
    event: "receive",
    who: "shop",
    about:
      `From API key ${apiKey} with key ${idempotencyKey}; ` +
      (duplicates.length === 0
        ? "no account looks like the same customer."
        : `${duplicates.length} account(s) may be the same customer.`),
    at,
  });
  if (!test) {
    await noteAccount(tx, row);
    await queueAccount(tx, context, id);
  }
  return { id, number, state: "held", test, receivedAt: at.toString() };
}

export function queueAccount(
  tx: Transaction,
  { jobs, company }: BuyersContext,
  request: string,
  afterSeconds = 0,
): Promise<void> {
  return queueLater(tx, { jobs }, { job: ACCOUNT_JOB, data: { company, request } }, afterSeconds);
}

/** Credit control opens it: by the connector, or by a person where that cannot. */
export async function approveAccount(
  context: BuyersContext,
  idOrNumber: string,
  { who, why, creditLimit = null }: Decision & { readonly creditLimit?: string | null },
): Promise<AccountView> {
  const act = { who, why, action: "account-request-approved", details: { creditLimit } };
  return decided(context, idOrNumber, act, async (tx, row) => {
    refuseTest(row);
    const limit = creditLimit ?? row.creditLimit;
    const granted = limit === null ? "" : `, with a credit limit of ${limit}`;
    if (row.state === "inDoubt") await refuseTooSoon(tx, context, row);
    const looked = row.state === "inDoubt" ? " A person looked: it is not in the ERP." : "";
    await moveAccount(tx, row, {
      event: "approve",
      who,
      about: `Approved${granted}: ${why}${looked}`,
      at: context.now(),
      set: { creditLimit: limit, attempts: 0, nextTryAt: null },
    });
    await queueAccount(tx, context, row.id);
  });
}

/** A call that was given up may still arrive; approved before, the account could be made twice. */
async function refuseTooSoon(
  tx: Queryable,
  { settings, now }: BuyersContext,
  row: AccountRow,
): Promise<void> {
  const doubted = (await accountEvents(tx, row)).findLast(({ event }) => event === "doubt");
  const until = doubted?.at.add({ milliseconds: GIVE_UP_MS + settings.quietSeconds * 1000 });
  if (until === undefined || Temporal.Instant.compare(now(), until) >= 0) return;
  throw new BuyerError(
    "account-request-settled",
    `Account request ${row.number} may still turn up in the ERP until ` +
      `${momentText(until, settings.timeZone)}. Look there after that, and approve it again then.`,
  );
}

/** It is, or was given, this account of the ERP. */
export async function linkAccount(
  context: BuyersContext,
  idOrNumber: string,
  { account, who, why }: Decision & { readonly account: string },
): Promise<AccountView> {
  const act = { who, why, action: "account-request-linked", details: { account } };
  return decided(context, idOrNumber, act, async (tx, row) => {
    refuseTest(row);
    const known = await customerState(tx, context.company, account);
    if (known === "closed")
      throw new BuyerError(
        "account-closed",
        `Linking account request ${row.number}: account ${account} is closed. Open it in the ERP, or link another.`,
      );
    const opened = await moveAccount(tx, row, {
      event: "link",
      who,
      about: `Linked to account ${account}: ${why}`,
      at: context.now(),
      set: { account, reason: linkedSo(account, known), nextTryAt: null },
    });
    await closeAccountTasks(tx, context, row, { who, reason: `Account ${account} is linked.` });
    if (known !== null) await arrive(tx, context, opened);
  });
}

function linkedSo(account: string, known: string | null): string {
  return known === null
    ? `No pull has shown an account ${account} yet; its orders go on when one does. If it is a slip, ` +
        "link the right one."
    : `Account ${account} is there; its orders go on once its prices are published.`;
}

export function notPulled(account: string): string {
  return `Account ${account} was not pulled yet; its orders go on when it is.`;
}

/** There will be no account: its orders are refused, and what was paid for them is owed back. */
export async function refuseAccount(
  context: BuyersContext,
  idOrNumber: string,
  { who, why }: Decision,
): Promise<AccountView> {
  const act = { who, why, action: "account-request-refused" };
  return decided(context, idOrNumber, act, async (tx, row) => {
    const at = context.now();
    const refused = await moveAccount(tx, row, {
      event: "refuse",
      who,
      about: `Refused: ${why}`,
      at,
      set: { reason: why, nextTryAt: null },
    });
    await closeAccountTasks(tx, context, row, { who, reason: `It is refused: ${why}` });
    await refuseWaiting(tx, context, refused, { who, why });
  });
}

async function decided(
  context: BuyersContext,
  idOrNumber: string,
  { why, ...act }: DecidedAct,
  work: (tx: Transaction, row: AccountRow) => Promise<void>,
): Promise<AccountView> {
  const id = await context.store.transaction(async (tx) => {
    const row = await accountRequestOf(tx, context.company, idOrNumber, "for update");
    await audited(tx, context, { ...act, reason: why, subject: row.number });
    await work(tx, row);
    return row.id;
  });
  return showAccount(context, id);
}

function refuseTest({ number, test }: AccountRow): void {
  if (!test) return;
  throw new BuyerError(
    "account-request-settled",
    `Account request ${number} came from a test key: no account is made of it.`,
  );
}

async function closeAccountTasks(
  tx: Queryable,
  { company, now }: BuyersContext,
  { number }: AccountRow,
  end: { readonly who: string; readonly reason: string },
): Promise<void> {
  const tasks = await listTasks(tx, company, { kind: "account" });
  for (const { id } of tasks.filter(({ about }) => about === number))
    await closeTask(tx, company, { id, state: "done", ...end }, now());
}

async function customerState(
  on: Queryable,
  company: string,
  account: string,
): Promise<string | null> {
  const [row] = await on.query<{ state: string }>(
    "select state from customer where company = $1 and account = $2",
    [company, account],
  );
  return row?.state ?? null;
}

/** False: prices of the account are not published yet. */
async function arrive(tx: Transaction, context: BuyersContext, row: AccountRow): Promise<boolean> {
  if (!(await isPriced(tx, context, row))) return false;
  const done = await moveAccount(tx, row, {
    event: "arrive",
    who: "erp",
    about: `Account ${row.account ?? ""} was pulled.`,
    at: context.now(),
  });
  await bringOn(tx, context, done);
  return true;
}

/** After a pull: accounts that are there by now. */
export async function arrivals(context: BuyersContext): Promise<number> {
  const { store, company } = context;
  const rows = await store.query<{ id: string }>(
    `select r.id from account_request r
       join customer c on c.company = r.company and c.account = r.account
      where r.company = $1 and r.state = 'opened' and c.state <> 'closed' order by r.id`,
    [company],
  );
  for (const { id } of rows)
    await store.transaction(async (tx) => {
      const row = await findAccountRequest(tx, company, id, "for update");
      if (row?.state === "opened") await arrive(tx, context, row);
    });
  return rows.length;
}

export interface AccountView extends Omit<AccountRow, "version" | "nextTryAt" | "attempts"> {
  readonly events: readonly AccountRequestEvent[];
  /** Orders that wait for it, or waited. */
  readonly orders: readonly {
    readonly number: string;
    readonly state: string;
    readonly gross: string;
  }[];
}

export async function showAccount(
  context: BuyersContext,
  idOrNumber: string,
): Promise<AccountView> {
  const { store, company } = context;
  const row = await accountRequestOf(store, company, idOrNumber);
  const { version: _version, nextTryAt: _nextTryAt, attempts: _attempts, ...shown } = row;
  return {
    ...shown,
    events: await accountEvents(store, row),
    orders: await waitingFor(store, company, row.id),
  };
}

export interface AccountListFilter {
  /** open: all that are not done and not refused (the default). */
  readonly state?: AccountState | "open" | "all";
  /** Those of test keys, or those of live ones; absent: both. */
  readonly test?: boolean;
  readonly limit?: number;
}

export interface AccountSummary {
  readonly id: string;
  readonly number: string;
  readonly state: AccountState;
  readonly tradingName: string;
  readonly account: string | null;
  readonly creditLimit: string | null;
  readonly reason: string | null;
  readonly test: boolean;
  readonly duplicates: readonly Duplicate[];
  readonly receivedAt: Temporal.Instant;
  /** Orders that wait for it, and what they come to. */
  readonly orders: number;
  readonly gross: string;
}

/** What keeps most money waiting first, then the oldest. */
export async function listAccounts(
  { store, company }: BuyersContext,
  { state = "open", test, limit = 100 }: AccountListFilter = {},
): Promise<AccountSummary[]> {
  return store.query<AccountSummary>(
    `select r.id, r.number, r.state, r.body ->> 'tradingName' as "tradingName", r.account,
            coalesce(r.credit_limit::text, r.body ->> 'creditLimit') as "creditLimit", r.reason,
            r.test, r.duplicates, r.received_at as "receivedAt", o.orders, o.gross
       from account_request r
       cross join lateral (
         select count(*)::int as orders, coalesce(sum(gross), 0)::numeric(18, 2)::text as gross
           from web_order where company = r.company and state = 'held'
            and body ->> 'accountRequest' = r.id::text) o
      where r.company = $1
        and ($2 = 'all' or r.state = $2 or ($2 = 'open' and r.state not in ('done', 'refused')))
        and ($3::boolean is null or r.test = $3)
      order by o.gross::numeric desc, r.received_at, r.id limit $4`,
    [company, state, test ?? null, limit],
  );
}

/** Money as it was asked for or granted, for people. */
export function limitOf(row: Pick<AccountRow, "creditLimit" | "body">): string {
  const limit = row.creditLimit ?? row.body.creditLimit;
  return limit === null ? "none" : decimal.readable(decimal.parse(limit));
}
