/** What parity says: percentages by channel, rule, customer, day or month, and single lines. */
import type { ParityContext, ParityStateName } from "./context.ts";
import { TOTALLED, TOTALS } from "./keep.ts";

export const PARITY_BY = ["channel", "source", "kind", "account", "day", "month"] as const;
export type ParityBy = (typeof PARITY_BY)[number];

export interface ParityQuestion {
  /** First and last day of the documents, ISO, inclusive; absent: no bound. */
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  readonly by: ParityBy;
}

/** Lines counted; money is charged less ours, negative where the customer was charged less. */
export interface ParityRow {
  /** Channel, feed, sort of rule, account, day or month. */
  readonly of: string;
  readonly lines: number;
  readonly matched: number;
  readonly explained: number;
  readonly mismatched: number;
  readonly unpriced: number;
  /** Of the lines that have a price of ours, how many match, in percent; null: none has one. */
  readonly percent: string | null;
  /** The same with the explained ones. */
  readonly accountedPercent: string | null;
  readonly explainedDifference: string;
  readonly mismatchedDifference: string;
}

export interface ParityReason {
  readonly state: ParityStateName;
  readonly reason: string;
  readonly lines: number;
  readonly chargedNet: string;
  readonly difference: string;
}

export interface Parity {
  readonly rows: readonly ParityRow[];
  readonly all: ParityRow;
  readonly reasons: readonly ParityReason[];
  /** Lines whose net matches and whose VAT does not. */
  readonly vatLines: number;
  /** Null: never looked at. */
  readonly checkedAt: Temporal.Instant | null;
  readonly book: string | null;
  readonly policy: string | null;
}

const FIGURES = `
  sum(lines)::int as lines,
  coalesce(sum(lines) filter (where state = 'match'), 0)::int as matched,
  coalesce(sum(lines) filter (where state = 'explained'), 0)::int as explained,
  coalesce(sum(lines) filter (where state = 'mismatch'), 0)::int as mismatched,
  coalesce(sum(lines) filter (where state = 'unpriced'), 0)::int as unpriced,
  ${percentOf("match")} as percent,
  ${percentOf("match", "explained")} as "accountedPercent",
  coalesce(sum(difference) filter (where state = 'explained'), 0.00)::text as "explainedDifference",
  coalesce(sum(difference) filter (where state = 'mismatch'), 0.00)::text
    as "mismatchedDifference"`;

/** Cut off, never rounded up: 100 means all. */
function percentOf(...states: readonly ParityStateName[]): string {
  const named = states.map((state) => `'${state}'`).join(", ");
  return `trunc(100.0 * coalesce(sum(lines) filter (where state in (${named})), 0)
    / nullif(sum(lines) filter (where state <> 'unpriced'), 0), 2)::text`;
}

const OF: Readonly<Record<ParityBy, string>> = {
  channel: "channel",
  source: "source",
  kind: "price_kind",
  account: "account",
  day: "document_on::text",
  month: "to_char(document_on, 'YYYY-MM')",
};

/** Rows that are counted: the totals of days, or single lines where an account is asked. */
function counted({ account, by }: ParityQuestion): string {
  const bounds = `company = $1 and ($2::date is null or document_on >= $2)
    and ($3::date is null or document_on <= $3)`;
  if (account === undefined && by !== "account")
    return `(select * from parity_total where ${bounds} and $4::text is null) counted`;
  return `(select company, document_on, channel, source, price_kind, state, reason, account,
                  1 as lines, difference, (vat_difference <> 0)::int as vat_lines,
                  case document_type when 'credit' then -charged_net else charged_net end
                    as charged_net
             from parity_line where ${bounds} and ($4::text is null or account = $4)) counted`;
}

export async function parity(
  { store, company }: ParityContext,
  question: ParityQuestion,
): Promise<Parity> {
  const { from = null, to = null, account = null, by } = question;
  const values = [company, from, to, account];
  const relation = counted(question);
  const rows = await store.query<ParityRow>(
    `select ${OF[by]} as of, ${FIGURES} from ${relation} group by 1
      order by ${by === "account" ? "sum(lines) filter (where state = 'mismatch') desc nulls last, 1" : "1"}`,
    values,
  );
  const [all] = await store.query<ParityRow & { vatLines: number }>(
    `select 'all' as of, ${FIGURES}, coalesce(sum(vat_lines), 0)::int as "vatLines"
       from ${relation}`,
    values,
  );
  const reasons = await store.query<ParityReason>(
    `select state, reason, sum(lines)::int as lines, sum(charged_net)::text as "chargedNet",
            sum(difference)::text as difference
       from ${relation} group by 1, 2
      order by array_position(array['match', 'explained', 'mismatch', 'unpriced'], state),
               lines desc, reason`,
    values,
  );
  const { vatLines, ...sum } = all ?? { ...NOTHING, vatLines: 0 };
  return {
    rows,
    all: { ...sum, lines: sum.lines ?? 0 },
    reasons,
    vatLines,
    ...(await stand(store, company)),
  };
}

const NOTHING: ParityRow = {
  of: "all",
  lines: 0,
  matched: 0,
  explained: 0,
  mismatched: 0,
  unpriced: 0,
  percent: null,
  accountedPercent: null,
  explainedDifference: "0.00",
  mismatchedDifference: "0.00",
};

async function stand(
  store: ParityContext["store"],
  company: string,
): Promise<Pick<Parity, "checkedAt" | "book" | "policy">> {
  const [state] = await store.query<Pick<Parity, "checkedAt" | "book" | "policy">>(
    `select checked_at as "checkedAt", book, policy from parity_state where company = $1`,
    [company],
  );
  return state ?? { checkedAt: null, book: null, policy: null };
}

export interface LinesQuestion {
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  readonly document?: string;
  readonly product?: string;
  readonly channel?: string;
  readonly state?: ParityStateName;
  readonly reason?: string;
  readonly limit: number;
  /** Where the list before ended; absent: from its beginning. */
  readonly after?: string;
}

export interface ParityLine {
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  readonly documentOn: string;
  readonly account: string;
  readonly product: string | null;
  readonly channel: string;
  readonly source: string;
  readonly state: ParityStateName;
  readonly reason: string;
  readonly evidence: string;
  readonly priceKind: string;
  readonly because: string;
  readonly pricedOn: string | null;
  readonly countedQuantity: string | null;
  readonly quantity: string;
  readonly unitPrice: string | null;
  readonly net: string | null;
  readonly vat: string | null;
  readonly chargedUnitPrice: string;
  readonly chargedPercent: string;
  readonly chargedNet: string;
  readonly chargedVat: string;
  readonly difference: string;
  readonly vatDifference: string;
  readonly currency: string;
}

const LINE = `document_type as "documentType", document, line, document_on as "documentOn", account,
  product, channel, source, state, reason, evidence, price_kind as "priceKind", because,
  priced_on as "pricedOn", counted_quantity as "countedQuantity", quantity,
  unit_price as "unitPrice", net, vat, charged_unit_price as "chargedUnitPrice",
  charged_percent as "chargedPercent", charged_net as "chargedNet", charged_vat as "chargedVat",
  difference, vat_difference as "vatDifference", currency`;

/** "invoice/INV500001/2": what `placeOf` makes; numbers of documents may hold a slash. */
export const PLACE = /^(invoice|credit)\/(.+)\/(\d{1,9})$/;

/** By document; the furthest apart are found by asking for mismatches. */
export async function lines(
  { store, company }: ParityContext,
  question: LinesQuestion,
): Promise<readonly ParityLine[]> {
  const { from, to, account, document, product, channel, state, reason, limit, after } = question;
  const [, type = null, number = null, line = null] = PLACE.exec(after ?? "") ?? [];
  return store.query<ParityLine>(
    `select ${LINE} from parity_line
      where company = $1 and ($2::date is null or document_on >= $2)
        and ($3::date is null or document_on <= $3) and ($4::text is null or account = $4)
        and ($5::text is null or document = $5) and ($6::text is null or product = $6)
        and ($7::text is null or channel = $7) and ($8::text is null or state = $8)
        and ($9::text is null or reason = $9)
        and ($11::text is null
             or (document_type, document, line) > ($11::text, $12::text, $13::int))
      order by document_type, document, line limit $10`,
    [
      company,
      from ?? null,
      to ?? null,
      account ?? null,
      document ?? null,
      product ?? null,
      channel ?? null,
      state ?? null,
      reason ?? null,
      limit,
      type,
      number,
      line,
    ],
  );
}

/** What `after` takes to go on behind a line. */
export function placeOf({ documentType, document, line }: ParityLine): string {
  return `${documentType}/${document}/${line}`;
}

export interface ParityDifference {
  readonly total: string;
  readonly kept: string | null;
  readonly counted: string | null;
}

/** The lines added up anew against the totals kept; empty: all are equal. */
export async function recheck({
  store,
  company,
}: ParityContext): Promise<readonly ParityDifference[]> {
  return store.query<ParityDifference>(
    `select concat_ws(' ', ${TOTALLED}) as total, kept.figures as kept, counted.figures as counted
       from (select ${TOTALLED}, row(lines, charged_net, difference, vat_lines)::text as figures
               from parity_total where company = $1) kept
       full join (select ${TOTALLED}, row(lines, charged_net, difference, vat_lines)::text as figures
                    from (${TOTALS} group by ${TOTALLED}) as anew
                      (company, ${TOTALLED}, lines, charged_net, difference, vat_lines)) counted
      using (${TOTALLED})
      where kept.figures is distinct from counted.figures
      order by 1`,
    [company],
  );
}

/** Days below the setting, newest first: what an alarm tells. */
export async function lowDays(
  { store, company, settings }: ParityContext,
  days: number,
): Promise<readonly (ParityRow & { readonly day: string })[]> {
  const found = await store.query<ParityRow & { readonly day: string; readonly priced: number }>(
    `select document_on as day, document_on::text as of, ${FIGURES},
            sum(lines) filter (where state <> 'unpriced') as priced
       from parity_total
      where company = $1 and document_on > (
        select max(document_on) from parity_total where company = $1) - $2::int
      group by 1
     having sum(lines) filter (where state <> 'unpriced') >= $3
        and 100.0 * coalesce(sum(lines) filter (where state in ('match', 'explained')), 0)
            < $4::numeric * sum(lines) filter (where state <> 'unpriced')
      order by 1 desc`,
    [company, days, settings.alarmFromLines, settings.alarmBelowPercent],
  );
  return found;
}
