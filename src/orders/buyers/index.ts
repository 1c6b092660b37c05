/**
 * Buyers whom the ERP does not know, and what they give back. Promises that a guest's order goes to
 * the cash account paid in full, that a new customer gets one account and no second one, that the
 * orders that wait for it are never sent without it nor at other prices unseen, and that no more is
 * taken back than was invoiced. Never puts a name or an address into an event or a log.
 *
 *     const buyer = await buyerOf(tx, context, request);
 *     const examined = buyer.judged(await examineAs(buyer.order));
 */
import {
  approveAccount,
  arrivals,
  askAccount,
  linkAccount,
  listAccounts,
  refuseAccount,
  showAccount,
  type AccountAsked,
  type AccountListFilter,
  type AccountSummary,
  type AccountView,
  type AskAccount,
  type Decision,
} from "./account-desk.ts";
import { openAccount, queueAccounts } from "./account-open.ts";
import type { BuyersContext } from "./context.ts";
import { forget } from "./forget.ts";
import type { KeyedResult } from "../keyed.ts";
import { sends } from "../context.ts";
import { queueReturns } from "./return-place.ts";
import { endCredited } from "./return-credits.ts";
import { openReturns, type Returns } from "./returns.ts";
import { receiptsToEnter } from "../receipts.ts";

export interface AccountRequests {
  ask(request: AskAccount): Promise<KeyedResult<AccountAsked>>;
  list(filter?: AccountListFilter): Promise<AccountSummary[]>;
  show(idOrNumber: string): Promise<AccountView>;
  approve(
    idOrNumber: string,
    decision: Decision & { readonly creditLimit?: string | null },
  ): Promise<AccountView>;
  link(idOrNumber: string, decision: Decision & { readonly account: string }): Promise<AccountView>;
  refuse(idOrNumber: string, decision: Decision): Promise<AccountView>;
  /** Job `orders.account`. */
  open(id: string): Promise<void>;
}

export interface Buyers {
  readonly returns: Returns;
  readonly accountRequests: AccountRequests;
  /** What follows a pull. */
  advance(): Promise<void>;
  /** Blanks personal data that has served its time; how many orders and requests. */
  forget(): Promise<number>;
}

export function openBuyers(context: BuyersContext): Buyers {
  return {
    accountRequests: {
      ask: (request) => askAccount(context, request),
      list: (filter) => listAccounts(context, filter),
      show: (idOrNumber) => showAccount(context, idOrNumber),
      approve: (idOrNumber, decision) => approveAccount(context, idOrNumber, decision),
      link: (idOrNumber, decision) => linkAccount(context, idOrNumber, decision),
      refuse: (idOrNumber, decision) => refuseAccount(context, idOrNumber, decision),
      open: (id) => openAccount(context, id),
    },
    advance: async () => {
      await arrivals(context);
      await enterReceipts(context);
      await context.store.transaction((tx) => endCredited(tx, context));
      if (!sends(await context.connection.standing())) return;
      await queueAccounts(context);
      await queueReturns(context);
    },
    forget: () => forget(context),
    returns: openReturns(context),
  };
}

/** Payments that the ERP is not told of. */
async function enterReceipts(context: BuyersContext): Promise<void> {
  const { store, company, outbound, now } = context;
  if (outbound.carriesPayment) return;
  await store.transaction((tx) => receiptsToEnter(tx, company, now()));
}

export { ACCOUNT_JOB } from "./account-desk.ts";
export { accountRequestBody, type AccountRequestBody, type Duplicate } from "./account-request.ts";
export { BuyerError } from "./error.ts";
export type { Priced } from "./context.ts";
export { RETURN_STATES, returnBody, type ReturnBody, type Returns } from "./returns.ts";
export { afterReturnTask } from "./return-desk.ts";
export { RETURN_JOB } from "./return-place.ts";
export { RETURN_ENTRIES, type ReturnEvent, type ReturnRow } from "./return-store.ts";
export { refuseWithoutAccount } from "./waiting.ts";
export { buyerOf } from "./who.ts";
export type {
  AccountAsked,
  AccountListFilter,
  AccountSummary,
  AccountView,
  AskAccount,
  Decision,
} from "./account-desk.ts";
