/**
 * Prices typed by hand. A document does not say so; what says it is that the rule which we price by
 * holds for nearly all other lines of the month, that no rule of the book gives the price charged,
 * and that a person took the order: a web shop types nothing. Where many lines do not match, nobody
 * typed them: then the policy is wrong, and they stay mismatches.
 */
import type { Transaction } from "../store/index.ts";

/** Of so many lines that the same sort of rule prices in the month … */
const LEAST_LINES = 10;
/** … at least this share matches or is explained otherwise. */
const LEAST_SHARE = 0.9;

/**
 * For the months of these days, once more whenever a line of one is looked at; gives the days whose
 * lines became something else.
 */
export async function settleTyped(
  tx: Transaction,
  company: string,
  days: readonly string[],
): Promise<readonly string[]> {
  const touched = await tx.query<{ day: string }>(SETTLE, [
    company,
    days,
    LEAST_LINES,
    LEAST_SHARE,
  ]);
  return touched.map(({ day }) => day);
}

const SETTLE = `
  with months as (
    select distinct date_trunc('month', day)::date as month from unnest($2::date[]) as day),
  judged as materialized (
    select p.*, months.month from months
      join parity_line p on p.company = $1 and p.document_on >= months.month
       and p.document_on < months.month + interval '1 month' and p.state <> 'unpriced'),
  kinds as (
    select month, price_kind, count(*) as lines,
           count(*) filter (where reason not in ('unexplained', 'typed-price', 'other-rule', 'rounding'))
             as held
      from judged group by 1, 2),
  wanted as (
    select j.document_type, j.document, j.line,
           k.lines >= $3::int and k.held >= k.lines * $4::numeric and j.channel <> 'web'
             and round(j.charged_unit_price, 2) <> round(j.unit_price, 2) as typed,
           k.held || ' of ' || k.lines || ' lines that such a rule prices in '
             || to_char(j.month, 'MM/YYYY') || ' hold; no rule gives this price' as evidence
      from judged j join kinds k using (month, price_kind)
     where j.reason in ('unexplained', 'typed-price'))
  update parity_line p
     set state = case when w.typed then 'explained' else 'mismatch' end,
         reason = case when w.typed then 'typed-price' else 'unexplained' end,
         evidence = case when w.typed then w.evidence else '' end
    from wanted w
   where p.company = $1 and p.document_type = w.document_type and p.document = w.document
     and p.line = w.line and (p.reason = 'typed-price') is distinct from w.typed
  returning p.document_on as day`;
