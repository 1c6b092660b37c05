/** What no run of any lane may leave twice, in SQL of the lanes' own. */

/** Document lines with two postings that stand, and order lines invoiced beyond their quantity. */
export const DOUBLED = `
  select 'posted twice: ' || document_type || ' ' || document || ' line ' || line as about
    from sales_posting where company = $1
   group by document_type, document, line
  having sum(case when reversal then -1 else 1 end) > 1
  union all
  select 'invoiced ' || l.invoiced_quantity || ' of ' || l.quantity || ': ' || o.number
    from web_order_line l join web_order o on o.company = l.company and o.id = l.order_id
   where l.company = $1 and l.invoiced_quantity > l.quantity`;
