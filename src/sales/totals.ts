/**
 * Totals by customer, month and channel, each with its trust mark, and the proof that they are
 * right.
 */
import type { Channel } from "../model/index.ts";
import type { Freshness, QuarantinedWorth, SalesContext } from "./context.ts";
import { totalsSelect } from "./post.ts";

export const TOTALS_BY = ["account", "period", "channel"] as const;
export type TotalsBy = (typeof TOTALS_BY)[number];

export interface TotalsQuestion {
  readonly account?: string;
  /** First and last period, YYYY-MM, inclusive; absent: no bound. */
  readonly from?: string;
  readonly to?: string;
  readonly by: readonly TotalsBy[];
}

export interface TotalRow {
  readonly account: string | null;
  readonly period: string | null;
  /** Null when not asked by channel. */
  readonly channel: Channel | null;
  /**
   * Web orders that staff keyed: in channel `web`, in no web share. Null when not asked by
   * channel.
   */
  readonly assisted: boolean | null;
  readonly currency: string;
  readonly lines: number;
  readonly net: string;
  readonly vat: string;
  readonly cost: string;
  /** Net of the lines whose cost is not known. */
  readonly uncostedNet: string;
}

export interface WaitingLines {
  readonly documents: number;
  readonly lines: number;
  readonly net: string;
}

/** What stands beside every total: how fresh its sources are and what is not included. */
export interface Trust {
  readonly freshness: readonly Freshness[];
  readonly quarantined: readonly QuarantinedWorth[];
  /** Lines whose document has not arrived. */
  readonly waiting: WaitingLines;
  /** Watermark: the last batch posted. */
  readonly batch: number;
}

export async function totals(
  context: SalesContext,
  question: TotalsQuestion,
): Promise<{ rows: readonly TotalRow[]; trust: Trust }> {
  const { store, company } = context;
  const by = (name: TotalsBy): boolean => question.by.includes(name);
  const column = (name: string, asked: boolean): string => (asked ? name : `null as ${name}`);
  const rows = await store.query<TotalRow>(
    `select ${column("account", by("account"))}, ${column("period", by("period"))},
            ${column("channel", by("channel"))}, ${column("assisted", by("channel"))}, currency,
            sum(lines)::int as lines, sum(net) as net, sum(vat) as vat, sum(cost) as cost,
            sum(uncosted_net) as "uncostedNet"
       from sales_total
      where company = $1 and ($2::text is null or account = $2)
        and ($3::text is null or period >= $3) and ($4::text is null or period <= $4)
      group by ${[...groupColumns(question.by), "currency"].join(", ")}
     having sum(lines) <> 0 or sum(net) <> 0 or sum(vat) <> 0
      order by ${[...groupColumns(question.by), "currency"].join(", ")}`,
    [company, question.account ?? null, question.from ?? null, question.to ?? null],
  );
  return { rows, trust: await trust(context) };
}

function groupColumns(by: readonly TotalsBy[]): string[] {
  return TOTALS_BY.filter((name) => by.includes(name)).flatMap((name) =>
    name === "channel" ? ["channel", "assisted"] : [name],
  );
}

export async function trust(context: SalesContext): Promise<Trust> {
  const { store, company, sources } = context;
  const [waiting] = await store.query<WaitingLines>(
    `select count(distinct (l.document_type, l.document))::int as documents, count(*)::int as lines,
            coalesce(sum(case when l.document_type = 'credit' then -abs(l.net) else l.net end), 0)::text
              as net
       from sales_line l ${WITHOUT_HEADER}`,
    [company],
  );
  return {
    freshness: await sources.freshness(),
    quarantined: await sources.quarantined(),
    waiting: waiting ?? { documents: 0, lines: 0, net: "0" },
    batch: await watermark(context),
  };
}

/** Lines of `sales_line l` whose document is not there; `$1` is the company. */
export const WITHOUT_HEADER = `
  where l.company = $1 and not exists (
    select 1 from sales_document d where d.company = l.company
       and d.document_type = l.document_type and d.document = l.document)`;

export async function watermark({ store, company }: SalesContext): Promise<number> {
  const [ledger] = await store.query<{ last: number }>(
    "select last_batch as last from sales_ledger where company = $1",
    [company],
  );
  return ledger?.last ?? 0;
}

export interface TotalDifference {
  readonly account: string;
  readonly period: string;
  readonly channel: string;
  readonly assisted: boolean;
  readonly currency: string;
  readonly kept: string | null;
  readonly counted: string | null;
}

/**
 * Adds the ledger up anew and compares it with the totals kept beside it; empty: they are equal.
 */
export async function recheck({ store, company }: SalesContext): Promise<TotalDifference[]> {
  const figures = (row: string): string =>
    `(${row}.lines, ${row}.net, ${row}.vat, ${row}.cost, ${row}.uncosted_net)`;
  return store.query<TotalDifference>(
    `select account, period, channel, assisted, currency, ${figures("kept")}::text as kept,
            ${figures("counted")}::text as counted
       from (select * from sales_total where company = $1) kept
       full join (${totalsSelect(
         "$1::text",
         `(select case when reversal then -1 else 1 end as lines, *
                  from sales_posting where company = $1) every`,
       )}) counted
      using (account, period, channel, assisted, currency)
      where ${figures("kept")} is distinct from ${figures("counted")}
      order by account, period, channel, assisted, currency`,
    [company],
  );
}
