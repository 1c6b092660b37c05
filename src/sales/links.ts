/**
 * Which invoice line belongs to which line of a web order. A link is made only where the ERP says
 * so or one reading alone is possible; everything else is suggested to a person. Invoiced and
 * credited quantities go to orders in the same transaction.
 */
import {
  PUSH_LOG,
  PUSH_LOG_CHARGES,
  PUSH_LOG_LINES,
  recordInvoiced,
  type InvoicedCharges,
  type InvoicedLine,
  type InvoicedUnplaced,
} from "../orders/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import { invoicedAnew } from "./invoiced-anew.ts";

/** For the lines that were looked at just now (`sales_desired`): their links made anew. */
export async function link(tx: Transaction, company: string, at: Temporal.Instant): Promise<void> {
  const [any] = await tx.query<{ any: boolean }>(
    `select exists (select 1 from sales_desired where line > 0 and (pushed or may_be_of is not null))
         or exists (select 1 from order_invoice_link k join sales_desired x
                      on k.company = $1 and k.document_type = x.document_type
                     and k.document = x.document and k.line = x.line)
         or exists (select 1 from order_invoice_suggestion s join sales_desired x
                      on s.company = $1 and s.document_type = x.document_type
                     and s.document = x.document and s.line = x.line) as any`,
    [company],
  );
  if (any?.any !== true) return;
  await tx.query(CANDIDATES, [company]);
  const before = await tx.query<{ webOrder: string }>(DROP_LINKS, [company]);
  await tx.affect(DROP_SUGGESTIONS, [company]);
  const made = await tx.query<{ webOrder: string }>(MAKE_LINKS, [company]);
  await tx.affect(SUGGEST, [company, at]);
  const touched = [...new Set([...before, ...made].map((row) => row.webOrder))];
  await tell(tx, company, at, touched);
}

/**
 * Every line of an order that a document line may belong to. `certain`: named by the ERP, or the
 * only one with its product in an order that the document is surely of.
 */
const CANDIDATES = `
  create temp table sales_candidate on commit drop as
  with concerned as (
    select web_order from sales_desired where line > 0 and pushed
    union
    select unnest(string_to_array(may_be_of, ' ')) from sales_desired
     where line > 0 and web_order is null and may_be_of is not null),
  lines as materialized (
    select every.* from concerned join ${PUSH_LOG_LINES} every
        on every.company = $1 and every.web_order = concerned.web_order)
  select x.document_type, x.document, x.line, x.web_order, true as of_order,
         coalesce(named.line, alike.line, 0) as web_order_line,
         coalesce(named.line is not null or alike.line is null or alike.many = 1, true) as certain,
         case when named.line is not null then 'the ERP''s order line names it'
              when alike.line is null then 'of the order; no line of it has this product'
              when alike.many = 1 then 'the only line with this product'
              else 'one of ' || alike.many || ' lines with this product' end as evidence
    from sales_desired x
    left join lines named on named.web_order = x.web_order and named.line = x.web_order_line
    left join lateral (
      select l.line, count(*) over () as many from lines l
       where named.line is null and l.web_order = x.web_order and l.product = x.product) alike on true
   where x.line > 0 and x.pushed
  union all
  select x.document_type, x.document, x.line, log.web_order, false, coalesce(l.line, 0), false,
         'same account and customer''s reference ' || log.customer_reference
    from sales_desired x
    join ${PUSH_LOG} log on log.company = $1 and log.account = x.account
     and log.web_order = any(string_to_array(x.may_be_of, ' '))
    join lines l on l.web_order = log.web_order and l.product = x.product
   where x.line > 0 and x.web_order is null and x.may_be_of is not null`;

const DROP_LINKS = `
  delete from order_invoice_link k using sales_desired x
   where k.company = $1 and x.line > 0 and k.document_type = x.document_type
     and k.document = x.document and k.line = x.line
  returning k.web_order as "webOrder"`;

/** What a person decided stays. */
const DROP_SUGGESTIONS = `
  delete from order_invoice_suggestion s using sales_desired x
   where s.company = $1 and s.decision is null and x.line > 0
     and s.document_type = x.document_type and s.document = x.document and s.line = x.line`;

/** Quantity and net are positive on both types, as the documents show them. */
const AMOUNTS = `
  case when x.document_type = 'credit' then -x.quantity else x.quantity end as quantity,
  case when x.document_type = 'credit' then -x.net else x.net end as net`;

/** Where the order alone is certain it is linked with that, until a person says with which line. */
const MAKE_LINKS = `
  with wanted as (
    select document_type, document, line, web_order, web_order_line, evidence
      from sales_candidate where certain
    union
    select c.document_type, c.document, c.line, c.web_order, 0, 'of the order; ' || c.evidence
      from sales_candidate c
     where not c.certain and c.of_order
       and not exists (select 1 from order_invoice_suggestion s
                        where s.company = $1 and s.document_type = c.document_type
                          and s.document = c.document and s.line = c.line
                          and s.decision = 'confirmed')
    union
    select s.document_type, s.document, s.line, s.web_order, s.web_order_line,
           'confirmed by ' || s.decided_by
      from sales_desired x
      join order_invoice_suggestion s on s.company = $1 and s.document_type = x.document_type
       and s.document = x.document and s.line = x.line and s.decision = 'confirmed'
     where x.line > 0)
  insert into order_invoice_link
    (company, document_type, document, line, web_order, web_order_line, quantity, net, evidence)
  select $1, x.document_type, x.document, x.line, wanted.web_order, wanted.web_order_line, ${AMOUNTS},
         wanted.evidence
    from wanted join sales_desired x on x.document_type = wanted.document_type
     and x.document = wanted.document and x.line = wanted.line
  on conflict do nothing
  returning web_order as "webOrder"`;

const SUGGEST = `
  insert into order_invoice_suggestion
    (company, document_type, document, line, web_order, web_order_line, quantity, reason, suggested_at)
  select $1, x.document_type, x.document, x.line, c.web_order, c.web_order_line,
         case when x.document_type = 'credit' then -x.quantity else x.quantity end, c.evidence, $2
    from sales_candidate c join sales_desired x on x.document_type = c.document_type
     and x.document = c.document and x.line = c.line
   where not c.certain
  on conflict do nothing`;

/** Totals of the touched orders' lines, told to orders; a line without any link is told as 0. */
export async function tell(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  webOrders: readonly string[],
): Promise<void> {
  if (webOrders.length === 0) return;
  // Links that this transaction has made are in no statistics yet: without, each order reads all.
  if (webOrders.length > MANY_ORDERS) await tx.query("analyze order_invoice_link");
  const lines = await tx.query<InvoicedLine>(TOTALS, [company, webOrders]);
  const unplaced = await tx.query<InvoicedUnplaced>(UNPLACED, [company, webOrders]);
  const charges = await tx.query<InvoicedCharges>(CHARGES, [company, webOrders]);
  const anew = await invoicedAnew(tx, company, webOrders);
  await recordInvoiced(tx, { company, at, lines, unplaced, charges, anew });
}

const MANY_ORDERS = 500;

/** Links beside the lines of documents that they are of. */
const LINKED = `
  order_invoice_link k
    join sales_line l on l.company = k.company and l.document_type = k.document_type
     and l.document = k.document and l.line = k.line`;

/**
 * Links of the orders with their products, `web_order_line` being that of the only line with the
 * product where they name none, `many` how many lines have it, and `price_net` what
 * `price_quantity` of it is charged.
 */
const OF_PRODUCTS = `
  ordered as materialized (
    select * from ${PUSH_LOG_LINES} l where l.company = $1 and l.web_order = any($2)),
  products as materialized (
    select web_order, product, min(line) as line, count(*) as many from ordered group by 1, 2),
  links as materialized (
    select k.web_order, l.product, l.erp_order, l.erp_order_line, k.document_type, k.document,
           k.quantity, k.net, o.many,
           sum(k.net) filter (where k.document_type = 'invoice') over of_product as price_net,
           sum(k.quantity) filter (where k.document_type = 'invoice') over of_product
             as price_quantity,
           case when k.web_order_line = 0 and o.many = 1 then o.line else k.web_order_line end
             as web_order_line
      from ${LINKED}
      left join products o on o.web_order = k.web_order and o.product = l.product
     where k.company = $1 and k.web_order = any($2)
    window of_product as (partition by k.web_order, l.product))`;

/** Of links `k`: a credit note that takes off less than half of the price brings nothing back. */
const QUANTITIES = `
  coalesce(sum(k.quantity) filter (where k.document_type = 'invoice'), 0) as "invoicedQuantity",
  coalesce(sum(k.quantity) filter (where k.document_type = 'credit'
    and (k.price_net is null or 2 * k.net * k.price_quantity >= k.price_net * k.quantity)), 0)
    as "creditedQuantity"`;

/** Of each line what is linked with it. */
const TOTALS = `
  with ${OF_PRODUCTS}
  select o.web_order as "webOrder", o.line, ${QUANTITIES}
    from ordered o
    left join links k on k.web_order = o.web_order and k.web_order_line = o.line
   group by 1, 2`;

/** What is of one of several lines with its product, nobody knows which: orders place it. */
const UNPLACED = `
  with ${OF_PRODUCTS}
  select k.web_order as "webOrder", k.product, coalesce(k.erp_order, d.erp_order) as "erpOrder",
         k.erp_order_line as "erpOrderLine", ${QUANTITIES}
    from links k
    join sales_document d on d.company = $1 and d.document_type = k.document_type
     and d.document = k.document
   where k.web_order_line = 0 and k.many > 1
   group by 1, 2, 3, 4
   order by 1, 2, 3, 4`;

/** The VAT of the part of a line that is linked; all of it where it has no quantity. */
const LINKED_VAT = "coalesce(round(l.vat * k.quantity / nullif(l.quantity, 0), 2), l.vat, 0)";

/**
 * What no line of a document holds, as carriage and VAT that stand on its head do; by what the
 * order has of its lines. Positive on both types, as those are.
 */
const HEADS = `
  select d.document_type, round(rest.net * part.share, 2) as net,
         round(rest.vat * part.share, 2) as vat
    from (select k.document_type, k.document, sum(abs(k.net)) as net from order_invoice_link k
           where k.company = $1 and k.web_order = asked.web_order group by 1, 2) d
    join sales_line_state s on s.company = $1 and s.document_type = d.document_type
     and s.document = d.document and s.line = 0
    join sales_posting p on p.company = $1 and p.id = s.posting
    cross join lateral (
      select case when d.document_type = 'credit' then -p.net else p.net end as net,
             case when d.document_type = 'credit' then -p.vat else p.vat end as vat) rest
    cross join lateral (
      select coalesce(least(1, d.net / nullif(sum(abs(l.net)), 0)), 1) as share from sales_line l
       where l.company = $1 and l.document_type = d.document_type and l.document = d.document) part`;

/** Under a code that is no product here it comes to just what a charge of the order does. */
const IS_CHARGE = `exists (select 1 from ${PUSH_LOG_CHARGES} c
  where c.company = $1 and c.web_order = k.web_order
    and (c.charge = l.product
         or c.net = k.net and not exists (select 1 from product p
              where p.company = $1 and p.product = l.product)))`;

/**
 * What all papers of an order come to, and what of that is of none of its lines: other goods that
 * were invoiced, and charges with whatever stands on the head of an invoice.
 */
const CHARGES = `
  select asked.web_order as "webOrder",
         papers."invoicedNet", papers."invoicedVat", papers."creditedNet", papers."creditedVat",
         coalesce(sum(k.net) filter (where not k.is_goods), 0) + papers.head as net,
         coalesce(sum(k.net) filter (where k.is_goods), 0) as apart,
         coalesce(sum(k.vat) filter (where k.is_goods), 0) as "apartVat"
    from unnest($2::text[]) as asked (web_order)
    cross join lateral (
      select coalesce(sum(net) filter (where document_type = 'invoice'), 0) as "invoicedNet",
             coalesce(sum(vat) filter (where document_type = 'invoice'), 0) as "invoicedVat",
             coalesce(sum(net) filter (where document_type = 'credit'), 0) as "creditedNet",
             coalesce(sum(vat) filter (where document_type = 'credit'), 0) as "creditedVat",
             coalesce(sum(net) filter (where document_type = 'invoice' and is_head), 0) as head
        from (select k.document_type, k.net, ${LINKED_VAT} as vat, false as is_head
                from ${LINKED} where k.company = $1 and k.web_order = asked.web_order
               union all
              select document_type, net, vat, true from (${HEADS}) heads) each_one) papers
    left join lateral (
      select k.net, ${LINKED_VAT} as vat, l.line_class = 'goods' and not ${IS_CHARGE} as is_goods
        from ${LINKED}
       where k.company = $1 and k.web_order = asked.web_order and k.web_order_line = 0
         and k.document_type = 'invoice'
         and not exists (select 1 from ${PUSH_LOG_LINES} o
                          where o.company = $1 and o.web_order = k.web_order
                            and o.product = l.product)) k on true
   group by asked.web_order, papers.head, papers."invoicedNet", papers."invoicedVat",
            papers."creditedNet", papers."creditedVat"`;

export interface LinkSuggestion {
  readonly documentType: string;
  readonly document: string;
  readonly line: number;
  readonly webOrder: string;
  readonly webOrderLine: number;
  readonly quantity: string;
  readonly reason: string;
}

/** Suggestions that wait for a person. */
export async function suggestions(on: Queryable, company: string): Promise<LinkSuggestion[]> {
  return on.query<LinkSuggestion>(
    `select document_type as "documentType", document, line, web_order as "webOrder",
            web_order_line as "webOrderLine", quantity, reason
       from order_invoice_suggestion where company = $1 and decision is null
      order by document_type, document, line, web_order, web_order_line`,
    [company],
  );
}

export interface LinkDecision {
  readonly documentType: string;
  readonly document: string;
  readonly line: number;
  readonly webOrder: string;
  readonly webOrderLine: number;
  readonly decision: "confirmed" | "rejected";
  readonly who: string;
}

/**
 * A person's word on a suggestion. Confirmed, it becomes a link at once and stays one. False:
 * there is no such open suggestion, or the document line is linked already.
 */
export async function decide(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  decision: LinkDecision,
): Promise<boolean> {
  const key = [
    company,
    decision.documentType,
    decision.document,
    decision.line,
    decision.webOrder,
    decision.webOrderLine,
  ];
  const decided = await tx.affect(
    `update order_invoice_suggestion set decision = $7, decided_by = $8, decided_at = $9
      where company = $1 and document_type = $2 and document = $3 and line = $4 and web_order = $5
        and web_order_line = $6 and decision is null
        and ($7 = 'rejected' or not exists (
          select 1 from order_invoice_link k
           where k.company = $1 and k.document_type = $2 and k.document = $3 and k.line = $4
             and k.web_order_line <> 0))`,
    [...key, decision.decision, decision.who, at],
  );
  if (decided === 0) return false;
  if (decision.decision === "confirmed") {
    await tx.affect(
      `delete from order_invoice_link
        where company = $1 and document_type = $2 and document = $3 and line = $4
          and web_order_line = 0`,
      key.slice(0, 4),
    );
    await tx.affect(
      `insert into order_invoice_link
         (company, document_type, document, line, web_order, web_order_line, quantity, net, evidence)
       select s.company, s.document_type, s.document, s.line, s.web_order, s.web_order_line, s.quantity,
              case when s.document_type = 'credit' then -p.net else p.net end, 'confirmed by ' || $7
         from order_invoice_suggestion s
         join sales_line_state state on state.company = s.company
          and state.document_type = s.document_type and state.document = s.document
          and state.line = s.line
         join sales_posting p on p.company = s.company and p.id = state.posting
        where s.company = $1 and s.document_type = $2 and s.document = $3 and s.line = $4
          and s.web_order = $5 and s.web_order_line = $6
       on conflict do nothing`,
      [...key, decision.who],
    );
    await tell(tx, company, at, [decision.webOrder]);
  }
  return true;
}
