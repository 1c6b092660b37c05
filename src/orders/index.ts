/**
 * Web orders from the shop to the ERP. Promises that an order once taken (2xx) is never lost,
 * never doubled in the ERP and never changed on the way, and that everything that happened to it
 * can be read. Never names a connector, never sends what may have arrived already without asking
 * the ERP first.
 *
 *     const orders = openOrders({ store, company, settings, pricing, jobs, connection, … });
 *     await jobs.work(DELIVER_JOB, (data) => orders.deliver(data.order));
 *     const result = await orders.accept({ idempotencyKey, body, apiKey, test: false });
 */
import { acceptor, check, DELIVER_JOB, examineNow, jobData } from "./accept.ts";
import type { AcceptRequest, OrderCheck } from "./accept.ts";
import { advance, type AdvanceResult } from "./advance.ts";
import type { AcceptResult } from "./answer.ts";
import { hiddenProducts } from "./assortment.ts";
import { openBuyers, type Buyers } from "./buyers/index.ts";
import type { OrdersContext } from "./context.ts";
import { deliverer } from "./delivery/deliver.ts";
import { tellDesk } from "./desk-alarms.ts";
import { openDesk, type OrderDesk } from "./desk.ts";
import { spans } from "./recent.ts";
import type { OrderRequest } from "./request.ts";
import { wentBackwards, type WentBackwards } from "./backwards.ts";
import { decideLost, lostOrders, noteLost, type LostDecision, type LostOrder } from "./lost.ts";
import { shadowPayload, shadowReport, type ShadowPayload, type ShadowReport } from "./shadow.ts";
import type { KnownOrder } from "./taken-there.ts";
import { openTrials, type Trials } from "./trial.ts";
import type { Transaction } from "../store/index.ts";

export interface Orders extends OrderDesk {
  /** Answers 201 (queued), 202 (held), 422 (refused) or 409 (the same key is being handled). */
  accept(request: AcceptRequest): Promise<AcceptResult>;
  /** What `accept` would answer; keeps nothing. */
  check(body: OrderRequest, asked?: { readonly test?: boolean }): Promise<OrderCheck>;
  /** Codes of all products that an account is not shown; null: there is no such account. */
  hiddenProducts(account: string): Promise<readonly string[] | null>;
  /** Job `orders.deliver`: brings one order as far as it can get now. */
  deliver(idOrNumber: string): Promise<void>;
  /** Job `orders.advance`: what follows a pull of ERP orders, acknowledgements or despatches. */
  advance(): Promise<AdvanceResult>;
  /** Orders of a connection in shadow against what staff keyed for them. */
  shadowReport(): Promise<ShadowReport>;
  /** What would have been handed over for one; null: no such order was shadowed. */
  shadowPayload(number: string): Promise<ShadowPayload | null>;
  /** Buyers whom the ERP does not know, and what is given back. */
  readonly buyers: Buyers;
  /** What shows that the ERP went backwards; null: nothing does, or that cannot be told now. */
  wentBackwards(how: { readonly ask: boolean }): Promise<WentBackwards | null>;
  noteLost(tx: Transaction, connection: string, lost: readonly KnownOrder[]): Promise<void>;
  /** What it lost, those first that wait for a decision. */
  lostOrders(): Promise<readonly LostOrder[]>;
  /** False: the order does not wait for one. */
  decideLost(number: string, act: LostDecision): Promise<boolean>;
  /** Test orders before going live. */
  readonly trials: Trials;
}

export function openOrders(context: OrdersContext): Orders {
  const next = spans(context);
  const buyers = openBuyers({
    ...context,
    examine: (tx, body) => examineNow(tx, context, body),
    sendOn: (tx, order) => context.jobs.queue(tx, DELIVER_JOB, jobData(context.company, order)),
  });
  return {
    ...openDesk(context),
    buyers,
    accept: acceptor(context),
    check: (body, asked) => check(context, body, asked),
    hiddenProducts: (account) => hiddenProducts(context.store, context.company, account),
    deliver: deliverer(context),
    advance: async () => {
      const span = next();
      const advanced = await advance(context, span.since);
      span.done();
      await buyers.advance();
      await tellDesk(context);
      return advanced;
    },
    shadowReport: () => shadowReport(context),
    shadowPayload: (number) => shadowPayload(context, number),
    wentBackwards: (how) => wentBackwards(context, how),
    noteLost: (tx, connection, lost) => noteLost(tx, context, connection, lost),
    lostOrders: () => lostOrders(context),
    decideLost: (number, act) => decideLost(context, number, act),
    trials: openTrials(context),
  };
}

/** Job of `deliver`; its data is `{ company, order }`. */
export { DELIVER_JOB };
export const ADVANCE_JOB = "orders.advance";
export {
  ACCOUNT_JOB,
  accountRequestBody,
  BuyerError,
  type AccountAsked,
  type AccountListFilter,
  type AccountRequestBody,
  type AccountSummary,
  type AccountView,
  type Buyers,
  RETURN_ENTRIES,
  RETURN_JOB,
  RETURN_STATES,
  returnBody,
  type ReturnBody,
  type ReturnEvent,
  type ReturnRow,
} from "./buyers/index.ts";
export { orderRequest, type OrderRequest } from "./request.ts";
export { OrderError, seenWith } from "./book.ts";
export { OPEN_ORDERS } from "./facts.ts";
export { exportRows, exportTotals, type ExportRow, type ExportTotals } from "./export-rows.ts";
/** What a price round concerns. */
export { ordersOnTheWay, type OrderOnTheWay } from "./on-the-way.ts";
export {
  OPEN_LINES,
  PUSH_LOG,
  PUSH_LOG_CHARGES,
  PUSH_LOG_LINES,
  recordInvoiced,
  type InvoicedCharges,
  type InvoicedLine,
} from "./fulfilment.ts";
export type { InvoicedAnew } from "./delivered.ts";
export type { InvoicedUnplaced } from "./unplaced.ts";
/** For rows of the ERP that name an order. */
export { bears } from "./same-number.ts";
export { unknownWebOrders } from "./unknown.ts";
export type { AcceptRequest, OrderCheck } from "./accept.ts";
export type { AcceptResult, OrderAnswer, OrderProblem } from "./answer.ts";
export type { OrderFinding, CheckName, LinePrice, Policy } from "./checks.ts";
export type { OrdersConnection, OrdersContext, Standing } from "./context.ts";
export type { Act } from "./audit.ts";
export type { ChangeAnswer, ChangeResult } from "./changes/ask.ts";
export { DESK_KINDS, type Desk, type DeskCounts, type DeskEntry } from "./desk-list.ts";
export type { OrderInvoice } from "./documents.ts";
export { TASK_KINDS, type Task, type TaskKind } from "./tasks.ts";
export type { OrderListFilter, OrderSummary, OrderView } from "./view.ts";
export type { OrderPrices, OrderPricing, PriceQuestion } from "./facts.ts";
export { DELIVERY_STATES, type DeliveryState } from "./machine.ts";
export { EVENT_TYPES, unknownEventTypes } from "./told.ts";
export type { OrderSettings } from "./settings.ts";
export type { ShadowedOrder, ShadowPayload, ShadowReport } from "./shadow.ts";
export { trialHolds, type TrialBody, type TrialOrder, type Trials } from "./trial.ts";
export type { WentBackwards } from "./backwards.ts";
export type { GoneOrder, KnownOrder } from "./taken-there.ts";
export type { LostOrder } from "./lost.ts";
