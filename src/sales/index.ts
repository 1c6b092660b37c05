/**
 * The sales ledger: every posted invoice and credit line, append-only, with its channel and the
 * evidence for it. Promises totals that equal the ERP's to the penny or a name for each
 * difference, and the same figures whatever order things arrived in. Never counts an order as a
 * sale, never edits a posting.
 *
 *     const sales = openSales({ store, company, settings, sources, now });
 *     await jobs.work(POST_JOB, () => sales.post());
 *     const { rows, trust } = await sales.totals({ from: "2026-01", by: ["account", "channel"] });
 */
import type { SalesContext } from "./context.ts";
import {
  postings,
  postingsOf,
  trace,
  type Posting,
  type PostingsQuestion,
  type Trace,
} from "./ledger.ts";
import { decide, suggestions, type LinkDecision, type LinkSuggestion } from "./links.ts";
import type { OrderInvoice } from "../orders/index.ts";
import { orderDocuments } from "./order-documents.ts";
import { post, type PostOptions, type PostResult } from "./post.ts";
import { reconcile, type Reconciliation } from "./reconcile.ts";
import {
  recheck,
  totals,
  watermark,
  type TotalDifference,
  type TotalRow,
  type TotalsQuestion,
  type Trust,
} from "./totals.ts";

export interface Sales {
  /**
   * Job `sales.post`: brings the ledger up to what was pulled; posts nothing when it is already.
   */
  post(options?: PostOptions): Promise<PostResult>;
  totals(question: TotalsQuestion): Promise<{ rows: readonly TotalRow[]; trust: Trust }>;
  /** Adds the ledger up anew; empty when the kept totals are right. */
  recheck(): Promise<readonly TotalDifference[]>;
  /** All periods, or the one named YYYY-MM. */
  reconcile(period?: string): Promise<Reconciliation>;
  /** In batches, ordered by document. */
  postings(question: PostingsQuestion): AsyncIterable<Posting[]>;
  postingsOf(document: string): Promise<Posting[]>;
  /** From a posting to the line of the file it came from. */
  trace(postingId: string): Promise<Trace | null>;
  /** The last batch posted; 0 before the first. */
  watermark(): Promise<number>;
  /** Invoices and credit notes of a web order, each with the lines that belong to it. */
  documentsOf(webOrders: readonly string[]): Promise<ReadonlyMap<string, readonly OrderInvoice[]>>;
  /** Links that wait for a person. */
  suggestions(): Promise<readonly LinkSuggestion[]>;
  /** False: there is no such open suggestion, or the document line is linked already. */
  decide(decision: LinkDecision): Promise<boolean>;
}

export function openSales(context: SalesContext): Sales {
  const { store, company } = context;
  return {
    post: (options) => post(context, options),
    totals: (question) => totals(context, question),
    recheck: () => recheck(context),
    reconcile: (period) => reconcile(context, period),
    postings: (question) => postings(context, question),
    postingsOf: (document) => postingsOf(context, document),
    trace: (postingId) => trace(context, postingId),
    watermark: () => watermark(context),
    documentsOf: (webOrders) => orderDocuments(store, company, webOrders),
    suggestions: () => suggestions(store, company),
    decide: (decision) => store.transaction((tx) => decide(tx, company, context.now(), decision)),
  };
}

export const POST_JOB = "sales.post";
export type { SalesContext, SalesSources } from "./context.ts";
export { DOCUMENT_SALE } from "./ledger.ts";
export type { Posting, PostingsQuestion, Trace } from "./ledger.ts";
export type { LinkDecision, LinkSuggestion } from "./links.ts";
export type { PostOptions, PostResult } from "./post.ts";
export { POSTED_DOCUMENTS, STANDING_LINES } from "./standing.ts";
export type { NamedDifference, PeriodReconciliation, Reconciliation } from "./reconcile.ts";
export type { TotalRow, TotalsBy, TotalsQuestion, Trust } from "./totals.ts";
