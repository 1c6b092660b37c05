/** The rows of account requests: read, and moved by the table of their states, into the book. */
import { noteEvents } from "../../notify/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { AccountRequestBody, Duplicate } from "./account-request.ts";
import {
  accountAfter,
  statesWith,
  type AccountEvent,
  type AccountState,
} from "./account-states.ts";
import { BuyerError } from "./error.ts";

export interface AccountRow {
  readonly company: string;
  readonly id: string;
  readonly number: string;
  readonly state: AccountState;
  readonly version: number;
  readonly body: AccountRequestBody;
  readonly duplicates: readonly Duplicate[];
  readonly account: string | null;
  readonly reason: string | null;
  readonly test: boolean;
  readonly creditLimit: string | null;
  readonly attempts: number;
  readonly nextTryAt: Temporal.Instant | null;
  readonly receivedAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
}

export const ACCOUNT_COLUMNS = `company, id, number, state, version, body, duplicates, account, reason, test,
  credit_limit as "creditLimit", attempts, next_try_at as "nextTryAt",
  received_at as "receivedAt", changed_at as "changedAt"`;

/** By id or number; null when there is none. */
export async function findAccountRequest(
  on: Queryable,
  company: string,
  idOrNumber: string,
  lock: "" | "for update" | "for share" = "",
): Promise<AccountRow | null> {
  const [row] = await on.query<AccountRow>(
    `select ${ACCOUNT_COLUMNS} from account_request
      where company = $1 and (number = $2 or id::text = lower($2)) ${lock}`,
    [company, idOrNumber],
  );
  return row ?? null;
}

export async function accountRequestOf(
  on: Queryable,
  company: string,
  idOrNumber: string,
  lock: "" | "for update" = "",
): Promise<AccountRow> {
  const found = await findAccountRequest(on, company, idOrNumber, lock);
  if (found !== null) return found;
  throw new BuyerError(
    "account-request-unknown",
    `Looking up an account request: ${company} has none with the id or number "${idOrNumber}". ` +
      "List them with: tradepost account-requests list",
  );
}

export interface AccountMove {
  readonly event: AccountEvent;
  readonly who: string;
  /** What happened, in a sentence that names nobody of the buyer's. */
  readonly about: string;
  readonly at: Temporal.Instant;
  readonly set?: Partial<
    Pick<AccountRow, "account" | "reason" | "creditLimit" | "attempts" | "nextTryAt">
  >;
}

/** Moves it; whoever calls holds its row or says which version it was. */
export async function moveAccount(
  tx: Queryable,
  row: AccountRow,
  change: AccountMove,
): Promise<AccountRow> {
  const state = accountAfter(row.state, change.event);
  if (state === null)
    throw new BuyerError(
      "account-request-settled",
      `Account request ${row.number} is "${row.state}". To ${change.event} is possible only while ` +
        `it is ${statesWith(change.event).join(" or ")}.`,
    );
  const moved: AccountRow = {
    ...row,
    reason: null,
    ...change.set,
    state,
    version: row.version + 1,
    changedAt: change.at,
  };
  const written = await tx.affect(
    `update account_request set state = $4, version = $5, account = $6, reason = $7,
       credit_limit = $8, attempts = $9, next_try_at = $10, changed_at = $11
     where company = $1 and id = $2 and version = $3`,
    [
      row.company,
      row.id,
      row.version,
      moved.state,
      moved.version,
      moved.account,
      moved.reason,
      moved.creditLimit,
      moved.attempts,
      moved.nextTryAt,
      change.at,
    ],
  );
  if (written !== 1)
    throw new BuyerError(
      "account-request-settled",
      `Account request ${row.number} changed meanwhile (version ${row.version} is not the last). Look again.`,
    );
  await writeAccountEvent(tx, moved, change);
  if (state !== row.state && !moved.test) await noteAccount(tx, moved);
  return moved;
}

/** Thin, as every event: nothing of who asks. */
export async function noteAccount(tx: Queryable, row: AccountRow): Promise<void> {
  const { company, id, number, state, account, changedAt } = row;
  const data = { accountRequest: number, id, state, account };
  const type = `account-request.${state}`;
  await noteEvents(tx, company, [
    { type, subject: `account-request/${number}`, at: changedAt, data },
  ]);
}

export async function writeAccountEvent(
  tx: Queryable,
  row: Pick<AccountRow, "company" | "id" | "state">,
  {
    event,
    who,
    about,
    at,
  }: {
    readonly event: string;
    readonly who: string;
    readonly about: string;
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  await tx.affect(
    `insert into account_request_event
       (company, request_id, sequence, at, event, state, who, about)
     select $1, $2::uuid, coalesce(max(sequence), 0) + 1, $3, $4, $5, $6, $7
       from account_request_event where company = $1 and request_id = $2::uuid`,
    [row.company, row.id, at, event, row.state, who, about],
  );
}

export interface AccountRequestEvent {
  readonly at: Temporal.Instant;
  readonly event: string;
  readonly state: AccountState;
  readonly who: string;
  readonly about: string;
}

export async function accountEvents(
  on: Queryable,
  row: AccountRow,
): Promise<AccountRequestEvent[]> {
  return on.query<AccountRequestEvent>(
    `select at, event, state, who, about from account_request_event
      where company = $1 and request_id = $2 order by sequence`,
    [row.company, row.id],
  );
}
