/**
 * Opening an account in the ERP, once. Our number is searched before anything is made; the attempt
 * is committed before the first byte leaves; after anything unclear it is only searched for, and
 * what the search does not show is for a person: no doubt ever makes a second account.
 */
import { randomUUIDv7 } from "node:crypto";
import type {
  AccountOutcome,
  AccountsCapability,
  FoundAccount,
  NewAccount,
} from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { sends } from "../context.ts";
import { openTask } from "../tasks.ts";
import type { Duplicate } from "./account-request.ts";
import { arrivals, notPulled, queueAccount } from "./account-desk.ts";
import {
  ACCOUNT_COLUMNS,
  moveAccount,
  writeAccountEvent,
  type AccountMove,
  type AccountRow,
} from "./account-store.ts";
import { ask, LEASE_SECONDS, MOST_SEARCHES, momentAfter, reasonOf, waitAfter } from "./asking.ts";
import type { BuyersContext } from "./context.ts";

/** The job: brings one request as far as it can get now. Safe to call at any time. */
export async function openAccount(context: BuyersContext, id: string): Promise<void> {
  const holder = randomUUIDv7();
  const row = await claim(context, id, holder);
  if (row === null) return;
  try {
    await workOn({ context, holder }, row);
  } finally {
    await context.store.affect(
      `update account_request set holder = null, held_until = null
        where company = $1 and id = $2 and holder = $3`,
      [context.company, id, holder],
    );
  }
  await arrivals(context);
}

interface Work {
  readonly context: BuyersContext;
  readonly holder: string;
}

/** Leases go by the database's clock, since those of instances differ. */
async function claim(
  { store, company }: BuyersContext,
  id: string,
  holder: string,
): Promise<AccountRow | null> {
  const [row] = await store.query<AccountRow>(
    `update account_request
        set holder = $3, held_until = clock_timestamp() + make_interval(secs => $4)
      where company = $1 and id = $2 and not test
        and state in ('held', 'opening', 'creating', 'inDoubt')
        and (held_until is null or held_until < clock_timestamp())
      returning ${ACCOUNT_COLUMNS}`,
    [company, id, holder, LEASE_SECONDS],
  );
  return row ?? null;
}

async function workOn(work: Work, row: AccountRow): Promise<void> {
  switch (row.state) {
    case "held":
      return lookForDuplicates(work, row);
    case "opening":
      return open(work, row);
    case "creating":
      return doubt(work, row, "Whoever opened it stopped before an outcome was recorded.");
    case "inDoubt":
      return search(work, row);
    case "byHand":
    case "opened":
    case "done":
    case "refused":
      return;
    default:
      row.state satisfies never;
  }
}

/** Records only while it is ours still: the lease holds, and nobody moved it. */
async function record(
  { context, holder }: Work,
  row: AccountRow,
  change: Omit<AccountMove, "at">,
  more?: (tx: Transaction, moved: AccountRow) => Promise<void>,
): Promise<AccountRow> {
  return context.store.transaction(async (tx) => {
    const ours = await tx.query(
      "select 1 from account_request where company = $1 and id = $2 and holder = $3 for update",
      [context.company, row.id, holder],
    );
    if (ours.length === 0) throw new Error(`account request ${row.number}: the lease was lost`);
    const moved = await moveAccount(tx, row, { ...change, at: context.now() });
    await more?.(tx, moved);
    return moved;
  });
}

/** Of an ERP that can be asked: who it thinks may be the same. Nothing is made. */
async function lookForDuplicates({ context, holder }: Work, row: AccountRow): Promise<void> {
  const { store, company } = context;
  const found = await withAccounts(context, (accounts) =>
    ask((call) => accounts.find(fieldsOf(row), call)),
  );
  if (found === null) return;
  const known = row.duplicates.filter(({ from }) => from === "records");
  const theirs = found.map(duplicateOf);
  const accounts = new Set(theirs.map(({ account }) => account));
  const all = [...theirs, ...known.filter(({ account }) => !accounts.has(account))];
  await store.affect(
    `update account_request set duplicates = $4
      where company = $1 and id = $2 and holder = $3`,
    [company, row.id, holder, JSON.stringify(all)],
  );
}

function duplicateOf({ account, name, because }: FoundAccount): Duplicate {
  return { account, name, score: 100, reasons: [because ?? "the ERP says so"], from: "erp" };
}

/** Null: its connector cannot open accounts. */
async function withAccounts<T>(
  context: BuyersContext,
  work: (accounts: AccountsCapability) => Promise<T>,
): Promise<T | null> {
  await using session = await context.connection.openSession();
  return session.accounts === undefined ? null : await work(session.accounts);
}

async function open(work: Work, row: AccountRow): Promise<void> {
  const { context } = work;
  const standing = await context.connection.standing();
  if (!sends(standing)) {
    context.log(
      "info",
      `Account request ${row.number} waits: ${standing.paused ?? `its connection is ${standing.mode}`}.`,
    );
    return;
  }
  let creating: AccountRow | null = null;
  try {
    const done = await withAccounts(context, async (accounts) => {
      const found = await ask((call) => accounts.find(fieldsOf(row), call));
      const ours = oursAmong(found, row);
      if (ours !== null) return opened(work, row, ours, "It was there already.");
      creating = await record(work, row, {
        event: "create",
        who: "tradepost",
        about: `Attempt ${row.attempts + 1}: the ERP knows no account of it; one is made.`,
        set: { attempts: row.attempts + 1 },
      });
      const outcome = await ask((call) => accounts.create(fieldsOf(row), call));
      return settle(work, creating, outcome);
    });
    if (done === null) await byHand(work, row);
  } catch (error) {
    if (creating !== null) await doubt(work, creating, reasonOf(error));
    else await later(work, row, reasonOf(error));
  }
}

function oursAmong(found: readonly FoundAccount[], { number }: AccountRow): string | null {
  return found.find(({ request }) => request === number)?.account ?? null;
}

async function opened(work: Work, row: AccountRow, account: string, how: string): Promise<true> {
  await record(work, row, {
    event: "open",
    who: "erp",
    about: `It is account ${account}. ${how}`,
    set: { account, reason: notPulled(account), nextTryAt: null },
  });
  return true;
}

async function settle(work: Work, row: AccountRow, outcome: AccountOutcome): Promise<true> {
  switch (outcome.kind) {
    case "opened":
      // A blank number is no account: what was made must be looked for.
      if (outcome.account.trim() === "") await doubt(work, row, "The ERP gave it no number.");
      else await opened(work, row, outcome.account, outcome.evidence);
      return true;
    case "refused":
      await record(work, row, {
        event: "sendBack",
        who: "erp",
        about: `The ERP refused it: ${outcome.reason}`,
        set: { reason: `The ERP refused it: ${outcome.reason}` },
      });
      return true;
    case "inDoubt":
      await doubt(work, row, outcome.evidence);
      return true;
    default:
      return outcome satisfies never;
  }
}

async function doubt(work: Work, row: AccountRow, evidence: string): Promise<void> {
  const { context } = work;
  const next = waitAfter(1);
  const about = `It may or may not have been made: ${evidence}`;
  await record(
    work,
    row,
    {
      event: "doubt",
      who: "tradepost",
      about,
      set: { reason: about, attempts: 0, nextTryAt: momentAfter(context, next) },
    },
    (tx) => queueAccount(tx, context, row.id, next),
  );
}

/** In doubt: only looked for, and what is not found is for a person; nothing is ever made again. */
async function search(work: Work, row: AccountRow): Promise<void> {
  const { context } = work;
  let evidence = "the ERP shows no account that bears it";
  try {
    const found = await withAccounts(context, (accounts) =>
      ask((call) => accounts.find(fieldsOf(row), call)),
    );
    const ours = oursAmong(found ?? [], row);
    if (ours !== null) return void (await opened(work, row, ours, "A search found it."));
  } catch (error) {
    evidence = reasonOf(error);
  }
  const searches = row.attempts + 1;
  const more = searches < MOST_SEARCHES;
  const next = more ? waitAfter(searches + 1) : null;
  await record(
    work,
    row,
    {
      event: "retry",
      who: "tradepost",
      about: `Search ${searches}: ${evidence}.`,
      set: { reason: row.reason, attempts: searches, nextTryAt: momentAfter(context, next) },
    },
    (tx) => (next === null ? lookTask(tx, context, row) : queueAccount(tx, context, row.id, next)),
  );
}

async function lookTask(tx: Transaction, context: BuyersContext, row: AccountRow): Promise<void> {
  await task(
    tx,
    context,
    row,
    `Look in the ERP whether an account of request ${row.number} is there. It is: ` +
      `account-requests link ${row.number} --account ACCOUNT. It is not: account-requests approve ` +
      `${row.number} once more.`,
  );
}

/** Its connector opens no accounts: a person does, and links it. */
async function byHand(work: Work, row: AccountRow): Promise<void> {
  const { context } = work;
  const instruction =
    `Open the account in the ERP as account-requests show ${row.number} says, then: ` +
    `account-requests link ${row.number} --account ACCOUNT.`;
  await record(
    work,
    row,
    {
      event: "byHand",
      who: "tradepost",
      about: "The connector opens no accounts: a person does.",
      set: { reason: "A person opens it in the ERP and links it." },
    },
    (tx) => task(tx, context, row, instruction),
  );
}

async function task(
  tx: Transaction,
  { company, now }: BuyersContext,
  { number }: AccountRow,
  instruction: string,
): Promise<void> {
  const about = { order: null, kind: "account", about: number, instruction, amount: null } as const;
  await openTask(tx, company, about, now());
}

/** Nothing was made: tried again later, and too often is for credit control. */
async function later(work: Work, row: AccountRow, reason: string): Promise<void> {
  const { context } = work;
  const attempts = row.attempts + 1;
  if (attempts >= context.settings.maxAttempts) {
    const about = `${attempts} tries opened nothing; the last one: ${reason} Approve it again when that is mended.`;
    await record(work, row, {
      event: "sendBack",
      who: "tradepost",
      about,
      set: { reason: about },
    });
    return;
  }
  const next = waitAfter(attempts);
  await context.store.transaction(async (tx) => {
    await tx.affect(
      `update account_request set attempts = $3, next_try_at = $4, reason = $5
        where company = $1 and id = $2 and state = 'opening' and holder = $6`,
      [
        context.company,
        row.id,
        attempts,
        momentAfter(context, next),
        `Not opened yet: ${reason}`,
        work.holder,
      ],
    );
    const at = context.now();
    await writeAccountEvent(tx, row, { event: "retry", who: "tradepost", about: reason, at });
    await queueAccount(tx, context, row.id, next);
  });
}

function fieldsOf({ number, body, creditLimit }: AccountRow): NewAccount {
  const { tradingName, legalName, companyNumber, vatNumber, contact, address, deliverTo } = body;
  return {
    request: number,
    name: tradingName,
    legalName,
    companyNumber,
    vatNumber,
    contact: contact.name,
    email: contact.email,
    telephone: contact.telephone,
    address,
    deliverTo,
    // What was asked for is no grant.
    creditLimit,
  };
}

/** Whatever should be on its way and is not: jobs lost with a restore, senders that died. */
export async function queueAccounts(context: BuyersContext): Promise<void> {
  const { store, company, now } = context;
  await store.transaction(async (tx) => {
    const due = await tx.query<{ id: string }>(
      `select id from account_request
        where company = $1 and not test
          and (state in ('opening', 'creating') or (state = 'inDoubt' and next_try_at is not null))
          and (next_try_at is null or next_try_at <= $2)
          and (held_until is null or held_until < clock_timestamp()) order by id`,
      [company, now()],
    );
    for (const { id } of due) await queueAccount(tx, context, id);
  });
}
