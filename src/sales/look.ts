/**
 * The one statement that looks at touched documents. It reads every input in one snapshot and
 * works out for each line (and, as line 0, for each document) what ought to stand in the ledger.
 *
 * Parameters: $1 company, $2 channel rules as JSON.
 */
import { PUSH_LOG } from "../orders/index.ts";

/** Lines, and each document once more as line 0 with its own totals. */
const BASE = `
  select l.document_type, l.document, l.line, l.feed as source, l.row_hash, l.line_class, l.product,
         l.quantity, l.unit_price, l.net, l.vat, l.cost, l.erp_order as line_erp_order,
         l.erp_order_line, l.credits_document, l.credits_line, l.origin_id, l.origin_line
    from sales_touched t
    join sales_line l on l.company = $1 and l.document_type = t.document_type
     and l.document = t.document
  union all
  select d.document_type, d.document, 0, d.feed, d.row_hash, 'unanalysed', null,
         0, 0, d.net, d.vat, null, null,
         null, null, null, d.origin_id, d.origin_line
    from sales_touched t
    join sales_document d on d.company = $1 and d.document_type = t.document_type
     and d.document = t.document`;

/** Of each line of a credit note, where what it takes back was sold. */
const TAKEN_BACK = `
  select l.document, l.line, d.web_order, coalesce(cl.erp_order, d.erp_order) as erp_order
    from sales_touched t
    join sales_line l on l.company = $1 and l.document_type = t.document_type
     and l.document = t.document
    join sales_document d on d.company = l.company and d.document_type = 'invoice'
     and d.document = l.credits_document
    left join sales_line cl on cl.company = l.company and cl.document_type = 'invoice'
     and cl.document = l.credits_document and cl.line = l.credits_line
   where t.document_type = 'credit' and l.credits_document is not null`;

/**
 * The web order that the credited line belonged to: a credit note is keyed in the office, but what
 * it takes back was sold on the web.
 */
const CREDITED = `
  select c.document, c.line, coalesce(e.web_order, le.web_order, c.web_order) as web_order
    from taken_back c
    left join erp_order e on e.company = $1 and e.erp_order = c.erp_order
    left join log_by_erp le on le.erp_order = c.erp_order`;

/**
 * Every ERP order that the touched documents name. Of the push log only what these, the documents'
 * numbers and their references lead to is read, so that a posting costs what it posts.
 */
const NAMED_ERP_ORDERS = `
  select d.erp_order from sales_touched t
    join sales_document d on d.company = $1 and d.document_type = t.document_type
     and d.document = t.document
   where d.erp_order is not null
  union
  select l.erp_order from sales_touched t
    join sales_line l on l.company = $1 and l.document_type = t.document_type
     and l.document = t.document
   where l.erp_order is not null
  union
  select erp_order from taken_back where erp_order is not null`;

/** Which web order has an ERP order; where two say so it is neither's. */
const LOG_BY_ERP = `
  select log.erp_order, min(log.web_order) as web_order
    from (${NAMED_ERP_ORDERS}) named
    join ${PUSH_LOG} log on log.company = $1 and log.erp_order = named.erp_order
   group by log.erp_order having count(*) = 1`;

/**
 * In SQL: a document whose account and reference are an order's may be of that order, since it is
 * of the order's day or of the months after it.
 */
export const mayBeOf = (document: string, order: string): string =>
  `${document}.document_on between ${order}.ordered_on and ${order}.ordered_on + 90`;

const LOG_BY_REFERENCE = `
  select d.document_type, d.document,
         string_agg(log.web_order, ' ' order by log.web_order) as web_orders
    from sales_touched t
    join sales_document d on d.company = $1 and d.document_type = t.document_type
     and d.document = t.document
    join ${PUSH_LOG} log on log.company = $1 and log.account = d.account
     and log.customer_reference = d.customer_reference and ${mayBeOf("d", "log")}
   group by d.document_type, d.document`;

/**
 * Credits are negative whatever sign the feed gives them. A document's own sign tells the feed's
 * habit; lines that add up to its exact opposite have the other one.
 */
const SIGN = `
  case when d.document_type = 'invoice' then 1
       when (d.net < 0 or (d.net = 0 and d.vat < 0))
            = (b.line > 0 and d.net <> 0 and cs.net = -d.net) then -1
       else 1 end`;

/**
 * A line's own ERP order decides, where it is another one than the document's (consolidated
 * invoices).
 */
const OWN_WEB_ORDER = `
  case when e.erp_order is not null and b.line_erp_order is not null
        and d.erp_order is distinct from b.line_erp_order
       then coalesce(e.web_order, le.web_order)
       else coalesce(e.web_order, le.web_order, d.web_order) end`;

const SEEN = `
  select b.*, ${SIGN} as sign, ${OWN_WEB_ORDER} as own_web_order,
         lr.web_order as reference_web_order, c.web_order as credited_web_order,
         e.web_order is not null or le.web_order is not null as through_erp_order,
         d.account, d.document_on,
         coalesce(d.period, to_char(d.document_on, 'YYYY-MM')) as period, d.currency,
         d.channel as stated_channel, d.customer_reference,
         coalesce(b.line_erp_order, d.erp_order) as erp_order,
         coalesce(d.taken_by, e.taken_by) as taken_by, coalesce(d.branch, e.branch) as branch,
         el.web_order_line, p.product_group as known_product_group, br.default_channel,
         lc.web_orders as may_be_of
    from base b
    join sales_document d on d.company = $1 and d.document_type = b.document_type
     and d.document = b.document
    left join erp_order e on e.company = $1 and e.erp_order = coalesce(b.line_erp_order, d.erp_order)
    left join erp_order_line el on el.company = $1 and el.web_order_line is not null
     and el.erp_order = coalesce(b.line_erp_order, d.erp_order) and el.line = b.erp_order_line
    left join log_by_erp le on le.erp_order = coalesce(b.line_erp_order, d.erp_order)
    left join ${PUSH_LOG} lr on lr.company = $1
     and lr.web_order_folded = lower(d.customer_reference) and lr.account = d.account
    left join log_by_reference lc on lc.document_type = b.document_type
     and lc.document = b.document
    left join credited c on b.document_type = 'credit' and c.document = b.document
     and c.line = b.line
    left join credit_sum cs on b.document_type = 'credit' and cs.document = b.document
    left join product p on p.company = $1 and p.product = b.product
    left join branch br on br.company = $1 and br.branch = coalesce(d.branch, e.branch)`;

/**
 * Some ERPs write our numbers in capitals; what is posted bears them as they were given. A document
 * of long before the order is of another one with that number; one that is made out to another
 * account than the order's, or its head office's, is no paper of the order's customer.
 */
const LOOKED = `
  select s.*,
         coalesce(log.account = s.account
                  or exists (select 1 from customer c where c.company = $1
                              and c.account = log.account and c.head_office = s.account),
                  false) as pushed, coalesce(log.assisted, false) as assisted,
         coalesce(log.web_order, s.own_web_order, s.reference_web_order, s.credited_web_order)
           as web_order
    from seen s
    left join ${PUSH_LOG} log on log.company = $1
     and log.web_order_folded
         = lower(coalesce(s.own_web_order, s.reference_web_order, s.credited_web_order))
     and s.document_on >= log.ordered_on - 31`;

/** The channel with its evidence, best evidence first. */
const CHANNEL = `
  case when x.web_order is not null then 'web'
       when x.stated_channel <> 'unknown' then x.stated_channel
       when rule.channel is not null then rule.channel
       when x.default_channel <> 'unknown' then x.default_channel
       else 'unknown' end`;

const VIA = `
  case when x.own_web_order is not null and x.through_erp_order then ' by ERP order ' || x.erp_order
       when x.own_web_order is not null then ' on the document'
       when x.reference_web_order is not null then ' as the customer''s reference'
       else ' by the credited invoice ' || x.credits_document end`;

const CHANNEL_EVIDENCE = `
  case when x.pushed then 'push log: web order ' || x.web_order
                          || case when x.assisted then ', assisted' else '' end
                          || ${VIA}
       when x.web_order is not null then 'reference: web order ' || x.web_order || ${VIA}
       when x.stated_channel <> 'unknown' then 'stated by the ERP'
       when rule.channel is not null
       then 'rule ' || rule.number || coalesce(': taken by ' || rule.taken_by, '')
            || coalesce(': branch ' || rule.branch, '')
       when x.default_channel <> 'unknown' then 'default of branch ' || x.branch
       else 'nothing says' end`;

/** What a posting says, in one order for every statement. */
export const CONTENT = `account, document_on, period, channel, channel_evidence, assisted, line_class, product,
  product_group, quantity, unit_price, net, vat, cost, currency, taken_by, branch, web_order, erp_order,
  credits_document, credits_line`;

export const CONTENT_HASH = `md5(row(${CONTENT})::text)::uuid`;

/**
 * A product group once posted stays: moving a product into another group later does not rewrite
 * history.
 */
const DESIRED = `
  select x.document_type, x.document, x.line, x.source, x.line_class, x.product, x.unit_price,
         x.sign * x.quantity as quantity, x.sign * x.net as net, x.sign * x.vat as vat,
         x.sign * x.cost as cost, x.credits_document, x.credits_line, x.origin_id, x.origin_line,
         x.account, x.document_on, x.period, x.currency, x.taken_by, x.branch, x.web_order,
         x.erp_order, x.assisted, ${CHANNEL} as channel, ${CHANNEL_EVIDENCE} as channel_evidence,
         coalesce(standing.product_group, x.known_product_group) as product_group,
         x.pushed, x.web_order_line, x.may_be_of, x.row_hash, coalesce(state.version, 0) as version,
         state.posting, state.content_hash as posted_hash, state.row_hash as posted_row_hash
    from looked x
    left join sales_line_state state on state.company = $1
     and state.document_type = x.document_type and state.document = x.document
     and state.line = x.line
    left join sales_posting standing on standing.company = $1 and standing.id = state.posting
    left join lateral (
      select r.* from rules r
       where (r.taken_by is null or r.taken_by = x.taken_by
              or (right(r.taken_by, 1) = '*' and starts_with(x.taken_by, left(r.taken_by, -1))))
         and (r.branch is null or r.branch = x.branch)
       order by r.number limit 1) rule on true`;

/**
 * The table `sales_desired`, dropped with the transaction. Of line 0 the content is worked out
 * later.
 */
export const LOOK = `
create temp table sales_desired on commit drop as
with taken_back as materialized (${TAKEN_BACK}),
log_by_erp as materialized (${LOG_BY_ERP}),
log_by_reference as materialized (${LOG_BY_REFERENCE}),
credit_sum as materialized (
  select l.document, sum(l.net) as net from sales_touched t
    join sales_line l on l.company = $1 and l.document_type = t.document_type
     and l.document = t.document
   where t.document_type = 'credit' group by l.document),
credited as materialized (${CREDITED}),
rules as materialized (
  select number, rule ->> 'takenBy' as taken_by, rule ->> 'branch' as branch,
         rule ->> 'channel' as channel
    from jsonb_array_elements($2::jsonb) with ordinality as given (rule, number)),
base as (${BASE}),
seen as (${SEEN}),
looked as (${LOOKED}),
desired as (${DESIRED})
select desired.*, line > 0 as wanted, case when line > 0 then ${CONTENT_HASH} end as content_hash
  from desired`;
