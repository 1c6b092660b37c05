/**
 * Reading the ledger: its postings for pay, and the way back from one of them to the file it came
 * from.
 */
import type { Canonical, Channel } from "../model/index.ts";
import type { OriginFact, SalesContext } from "./context.ts";

export type LineClass = Canonical<"sales-line">["lineClass"] | "unanalysed";

/** A row of the ledger. Quantity, net, VAT and cost are signed: credits and reversals turn it. */
export interface Posting {
  readonly id: string;
  readonly source: string;
  readonly documentType: Canonical<"sales-document">["documentType"];
  readonly document: string;
  /** 0: what the document's lines leave unanalysed. */
  readonly line: number;
  readonly version: number;
  readonly reversal: boolean;
  readonly account: string;
  readonly documentOn: string;
  /** Accounting period, YYYY-MM. */
  readonly period: string;
  readonly channel: Channel;
  readonly channelEvidence: string;
  readonly assisted: boolean;
  readonly lineClass: LineClass;
  readonly product: string | null;
  readonly productGroup: string | null;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly net: string;
  readonly vat: string;
  /** Null when not known. */
  readonly cost: string | null;
  readonly currency: string;
  readonly takenBy: string | null;
  readonly branch: string | null;
  readonly webOrder: string | null;
  readonly erpOrder: string | null;
  readonly creditsDocument: string | null;
  readonly creditsLine: number | null;
  readonly originId: string;
  readonly originLine: number;
  readonly batch: number;
  readonly postedAt: Temporal.Instant;
}

/**
 * For `left join lateral` beside `sales_document d`: the channel and web order (channel, web_order)
 * that the ledger found for the document; no row while it is not posted.
 */
export const DOCUMENT_SALE = `
  (select p.channel, p.web_order from sales_posting p
    where p.company = d.company and p.document_type = d.document_type
      and p.document = d.document and not p.reversal
    order by p.version desc, p.line limit 1)`;

const POSTING = `id, source, document_type as "documentType", document, line, version, reversal, account,
  document_on as "documentOn", period, channel, channel_evidence as "channelEvidence", assisted,
  line_class as "lineClass", product, product_group as "productGroup", quantity,
  unit_price as "unitPrice", net, vat, cost, currency, taken_by as "takenBy", branch,
  web_order as "webOrder", erp_order as "erpOrder", credits_document as "creditsDocument",
  credits_line as "creditsLine", origin_id as "originId", origin_line as "originLine", batch,
  posted_at as "postedAt"`;

export interface PostingsQuestion {
  /** First and last period, YYYY-MM, inclusive; absent: no bound. */
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  /** Only what had been posted by then: the watermark of a run. */
  readonly upToBatch: number;
}

/** Reversals included: what is summed is right, and what is counted must look at `reversal`. */
export function postings(
  { store, company }: SalesContext,
  question: PostingsQuestion,
): AsyncIterable<Posting[]> {
  return store.stream<Posting>(
    `select ${POSTING} from sales_posting
      where company = $1 and batch <= $2 and ($3::text is null or period >= $3)
        and ($4::text is null or period <= $4) and ($5::text is null or account = $5)
      order by document_on, document_type, document, line, version, reversal`,
    [
      company,
      question.upToBatch,
      question.from ?? null,
      question.to ?? null,
      question.account ?? null,
    ],
  );
}

export interface Trace {
  readonly posting: Posting;
  /** The row as it stands in the database; null when it vanished from there. */
  readonly row: Readonly<Record<string, unknown>> | null;
  /** Where the posting's row came from; null when that is not kept any more. */
  readonly origin: OriginFact | null;
}

/**
 * From a posting to the line of the file that it was made from; null when there is no such
 * posting.
 */
export async function trace(context: SalesContext, postingId: string): Promise<Trace | null> {
  const { store, company } = context;
  const [posting] = await store.query<Posting>(
    `select ${POSTING} from sales_posting where company = $1 and id = $2`,
    [company, postingId],
  );
  if (posting === undefined) return null;
  const { documentType, document, line } = posting;
  const [row] =
    line === 0
      ? await store.query(
          `select * from sales_document
            where company = $1 and document_type = $2 and document = $3`,
          [company, documentType, document],
        )
      : await store.query(
          `select * from sales_line
            where company = $1 and document_type = $2 and document = $3 and line = $4`,
          [company, documentType, document, line],
        );
  return {
    posting,
    row: row ?? null,
    origin: await context.sources.origin(posting.originId),
  };
}

/** The postings of a document, oldest first: how a person finds one to follow. */
export async function postingsOf(
  { store, company }: SalesContext,
  document: string,
): Promise<Posting[]> {
  return store.query<Posting>(
    `select ${POSTING} from sales_posting where company = $1 and document = $2
      order by document_type, line, version, reversal`,
    [company, document],
  );
}
