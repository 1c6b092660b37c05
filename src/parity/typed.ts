/**
 * Prices typed by hand. A document does not say so; what says it is that the rule which we price by
 * holds for nearly all other lines of the month, that no rule of the book gives the price charged,
 * and that a person took the order: a web shop types nothing. Where many lines do not match, nobody
 * typed them: then the policy is wrong, and they stay mismatches.
 */
import type { Transaction } from "../store/index.ts";

/** Of so many lines that the same sort of rule prices in the month, at least this share holds … */
const MONTH = { lines: 10, share: 0.9 };
/** … or, where a month has too few to say, of so many in the year. */
const YEAR = { lines: 20, share: 0.95 };

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
    MONTH.lines,
    MONTH.share,
    YEAR.lines,
    YEAR.share,
  ]);
  return touched.map(({ day }) => day);
}

const UNSETTLED = "'unexplained', 'typed-price'";

const SETTLE = `
  with months as (
    select distinct date_trunc('month', day)::date as month from unnest($2::date[]) as day),
  judged as materialized (
    select p.document_type, p.document, p.line, p.price_kind, p.channel, p.reason,
           p.charged_unit_price, p.unit_price, date_trunc('month', p.document_on)::date as month,
           extract(year from p.document_on) as year
      from (select distinct date_trunc('year', month)::date as first from months) years
      join parity_line p on p.company = $1 and p.document_on >= years.first
       and p.document_on < years.first + interval '1 year' and p.state <> 'unpriced'),
  by_month as (
    select month, year, price_kind, count(*) as lines,
           count(*) filter (where reason not in (${UNSETTLED}, 'other-rule', 'rounding')) as held
      from judged group by 1, 2, 3),
  kinds as (
    select *, sum(lines) over whole as year_lines, sum(held) over whole as year_held
      from by_month window whole as (partition by year, price_kind)),
  wanted as (
    select j.document_type, j.document, j.line,
           j.channel <> 'web' and round(j.charged_unit_price, 2) <> round(j.unit_price, 2)
             and (k.lines >= $3::int and k.held >= k.lines * $4::numeric
                  or k.year_lines >= $5::int and k.year_held >= k.year_lines * $6::numeric)
             as typed,
           case when k.lines >= $3::int and k.held >= k.lines * $4::numeric
                then k.held || ' of ' || k.lines || ' lines that such a rule prices in '
                     || to_char(j.month, 'MM/YYYY')
                else k.year_held || ' of ' || k.year_lines || ' lines that such a rule prices in '
                     || j.year end
             || ' hold; no rule gives this price' as evidence
      from judged j join kinds k using (month, year, price_kind) join months using (month)
     where j.reason in (${UNSETTLED}))
  update parity_line p
     set state = case when w.typed then 'explained' else 'mismatch' end,
         reason = case when w.typed then 'typed-price' else 'unexplained' end,
         evidence = case when w.typed then w.evidence else '' end
    from wanted w
   where p.company = $1 and p.document_type = w.document_type and p.document = w.document
     and p.line = w.line and (p.reason = 'typed-price') is distinct from w.typed
  returning p.document_on as day`;
