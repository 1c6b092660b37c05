/**
 * How far an order's lines have got: despatched as the ERP says, invoiced and credited as sales
 * says.
 */
import type { Transaction } from "../store/index.ts";
import { holdOrders } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { delivered, keepInvoicedAnew, type InvoicedAnew } from "./delivered.ts";
import { ERP_ENDS } from "./erp-ends.ts";
import { erpHeaders, erpLines, notedLines } from "./erp-lines.ts";
import { ofShare, spreadOver } from "./line-shares.ts";
import { openAgain } from "./open.ts";
import { inPages } from "./recent.ts";
import { noteFulfilment } from "./told.ts";
import { keepUnplaced, placedAnew, withPlaced, type InvoicedUnplaced } from "./unplaced.ts";

/**
 * The push log as a relation, for set-based joins: (company, web_order, web_order_folded, account,
 * assisted, ordered_on, customer_reference, erp_order, changed_at), one row for every order that a
 * shop gave us, test orders left out. It is quick to look up by the number (as it was given, or
 * folded into small letters), by the ERP order, and by account and reference together; whatever
 * changes a row moves `changed_at`.
 */
export const PUSH_LOG = `
  (select company, number as web_order, number_folded as web_order_folded, account,
          placed_by = 'assisted' as assisted, ordered_on, customer_reference, erp_order, changed_at
     from web_order where not test)`;

/** Its lines: (company, web_order, line, product, quantity). */
export const PUSH_LOG_LINES = `
  (select o.company, o.number as web_order, l.line, l.product, l.quantity
     from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
    where not o.test)`;

/** Their charges, under whose codes some ERPs keep goods: (company, web_order, charge, net). */
export const PUSH_LOG_CHARGES = `
  (select o.company, o.number as web_order, c ->> 'charge' as charge,
          (c ->> 'net')::numeric as net
     from web_order o cross join jsonb_array_elements(o.body -> 'charges') c
    where not o.test and jsonb_typeof(o.body -> 'charges') = 'array')`;

/**
 * What is still to be taken out of stock for orders of ours: (company, order_id, web_order,
 * product, branch, quantity, taken_at). `branch` is null where the order names none; `taken_at` is
 * when the ERP was first seen to have the order, null when it was not yet.
 */
export const OPEN_LINES = `
  (select o.company, l.order_id, o.number as web_order, l.open_product as product,
          o.body ->> 'branch' as branch,
          greatest(0, l.quantity - l.cancelled_quantity - ${delivered()}) as quantity,
          (select min(e.at) from web_order_event e
            where e.company = o.company and e.order_id = o.id
              and e.to_state in ('accepted', 'confirmed')) as taken_at
     from web_order o
     join web_order_line l on l.company = o.company and l.order_id = o.id
    where l.open_product is not null and not o.test
      and o.state not in ('refused', 'cancelled', 'shadowed'))`;

/**
 * All that is invoiced and credited of one order line, in selling units, positive; what names none
 * of several lines with its product is told beside them.
 */
export interface InvoicedLine {
  readonly webOrder: string;
  readonly line: number;
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
}

/** What papers of one order come to; net, where nothing else is said. */
export interface InvoicedCharges {
  readonly webOrder: string;
  /** Of all that is invoiced of it, and credited; positive. */
  readonly invoicedNet: string;
  readonly invoicedVat: string;
  readonly creditedNet: string;
  readonly creditedVat: string;
  /** Of that, for none of its lines: all charges on invoices. */
  readonly net: string;
  /** Of goods on invoices that no line of it orders, and their VAT; absent: nothing. */
  readonly apart?: string;
  readonly apartVat?: string;
}

/**
 * Sales tells what is invoiced and credited, inside the transaction that posts it. Figures are
 * totals and not steps, so telling them twice, or in another order, changes nothing.
 */
export async function recordInvoiced(
  tx: Transaction,
  told: {
    readonly company: string;
    readonly at: Temporal.Instant;
    readonly lines: readonly InvoicedLine[];
    readonly unplaced?: readonly InvoicedUnplaced[];
    readonly charges?: readonly InvoicedCharges[];
    readonly anew?: readonly InvoicedAnew[];
  },
): Promise<void> {
  if (told.lines.length === 0) return;
  const { company, at, unplaced = [], anew = [] } = told;
  const charges = JSON.stringify(told.charges ?? []);
  const lines = await withPlaced(tx, told);
  const due = await tx.query<{ id: string }>(
    `select o.id from ${invoiced("$2")} join web_order_line l on ${IS_NEWS}
      union
     select o.id from ${charged("$3")}
      union
     select id from web_order
      where company = $1 and number = any($4) and not test
        and (number = any($5) or invoiced_anew is not null or invoices_unplaced is not null)`,
    [
      company,
      JSON.stringify(lines),
      charges,
      told.lines.map(({ webOrder }) => webOrder),
      [...unplaced, ...anew].map(({ webOrder }) => webOrder),
    ],
  );
  await holdOrders(
    tx,
    company,
    due.map(({ id }) => id),
  );
  await keepUnplaced(tx, told);
  const others = await keepInvoicedAnew(tx, told);
  const orders = await writeLines(tx, company, lines, at);
  const recharged = await tx.query<{ id: string }>(
    `update web_order w
        set (${PAPERS.join(", ")}) = (${PAPERS.map((column) => `news.${column}`).join(", ")})
       from (select o.id, ${PAPERS_TOLD} from ${charged("$2")}) news
      where w.company = $1 and w.id = news.id returning w.id`,
    [company, charges],
  );
  const changed = [...orders, ...others, ...recharged.map(({ id }) => id)];
  await openAgain(tx, company, [...new Set(changed)]);
  await noteFulfilment(tx, company, orders, at);
}

/** Of orders that are held: those of which a line is another by it, with that in their book. */
async function writeLines(
  tx: Transaction,
  company: string,
  lines: readonly InvoicedLine[],
  at: Temporal.Instant,
): Promise<string[]> {
  const changed = await tx.query<{ id: string }>(
    `update web_order_line l
        set invoiced_quantity = told."invoicedQuantity", credited_quantity = told."creditedQuantity"
       from ${invoiced("$2")} where ${IS_NEWS} returning l.order_id as id`,
    [company, JSON.stringify(lines)],
  );
  const orders = [...new Set(changed.map(({ id }) => id))];
  await writeInvoiceEvents(tx, company, at, orders);
  return orders;
}

/** In SQL: what a parameter tells of lines, beside their orders. */
const invoiced = (told: string): string => `
  jsonb_to_recordset(${told}::jsonb) as told ("webOrder" text, line int,
      "invoicedQuantity" numeric, "creditedQuantity" numeric)
    join web_order o on o.company = $1 and o.number = told."webOrder" and not o.test`;

const IS_NEWS = `l.company = $1 and l.order_id = o.id and l.line = told.line
  and (l.invoiced_quantity, l.credited_quantity)
      is distinct from (told."invoicedQuantity", told."creditedQuantity")`;

/** The figures of an order by what tells them. */
const FIGURES = {
  invoiced_net: "invoicedNet",
  invoiced_vat: "invoicedVat",
  credited_net: "creditedNet",
  credited_vat: "creditedVat",
  invoiced_charges: "net",
  invoiced_apart: "apart",
  invoiced_apart_vat: "apartVat",
} as const satisfies Record<string, keyof InvoicedCharges>;
const PAPERS = Object.keys(FIGURES);
const PAPERS_TOLD = Object.entries(FIGURES)
  .map(([column, told]) => `coalesce(told."${told}", 0) as ${column}`)
  .join(", ");

/** In SQL: what a parameter tells of papers, beside the orders whose figures are others. */
const charged = (told: string): string => `
  jsonb_to_recordset(${told}::jsonb) as told ("webOrder" text,
      ${Object.values(FIGURES)
        .map((figure) => `"${figure}" numeric`)
        .join(", ")})
    join web_order o on o.company = $1 and o.number = told."webOrder" and not o.test
     and (${PAPERS.map((column) => `o.${column}`).join(", ")})
         <> (${Object.values(FIGURES)
           .map((figure) => `coalesce(told."${figure}", 0)`)
           .join(", ")})`;

/** The events of orders that are held. */
async function writeInvoiceEvents(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  orders: readonly string[],
): Promise<void> {
  if (orders.length === 0) return;
  await tx.affect(
    `insert into web_order_event
       (company, order_id, sequence, at, event, from_state, to_state, who, about)
     select o.company, o.id,
            (select coalesce(max(e.sequence), 0) + 1 from web_order_event e
              where e.company = o.company and e.order_id = o.id),
            $3, 'invoice', o.state, o.state, 'sales',
            (select 'Invoiced: ' || string_agg('line ' || l.line || ' ' ||
                      trim_scale(l.invoiced_quantity) || ' of ' || trim_scale(l.quantity) ||
                      case when l.credited_quantity <> 0
                           then ', ' || trim_scale(l.credited_quantity) || ' credited' else '' end,
                      '; ' order by l.line) || '.'
               from web_order_line l where l.company = o.company and l.order_id = o.id)
       from web_order o where o.company = $1 and o.id = any($2::uuid[])`,
    [company, orders, at],
  );
}

/**
 * (order_id, is_over, is_unread): whether nothing more comes of an order, as the ERP's orders of it
 * are over. `is_unread`: of one that goes on no lines are here, and it may go on with anything. It
 * counts where the number by which the order is known there is among them: another one may bear
 * ours, too.
 */
const ENDED = `
  select order_id, bool_or(is_its_own) and bool_and(is_over) as is_over,
         bool_or(not is_over and not is_read) as is_unread
    from ends group by order_id`;

/** Of a line as the ERP's rows have it, which may tell of invoices that are not here yet. */
const COMES = { despatched: "l.despatched", invoiced: "l.invoiced", isStated: "l.is_stated" };

/** What the pulled rows make of lines; of the orders named by $2, at the moment $3. */
const WANTED = `
  with orders as materialized (
       select company, id, number, account, erp_order, settled, invoiced_anew from web_order
        where company = $1 and not test and id = any($2::uuid[])),
     headers as materialized (${erpHeaders("orders")}),
     erp_lines as materialized (${erpLines("orders", "headers")}),
     ends as materialized (${ERP_ENDS}),
     ended as materialized (${ENDED}),
     noted as materialized (
       select erp_order, erp_order_line, case when erp_order_line is null then product end as product,
              sum(quantity) as quantity
         from despatch_line
        where company = $1 and erp_order in (select erp_order from erp_lines)
        group by 1, 2, 3),
     notes as (
       select x.order_id, x.erp_order, x.erp_order_line, x.noted
              + ${spreadOver("any_line.quantity", "x.quantity - x.noted", {
                among: "x.order_id, x.erp_order, x.product",
                order: "x.erp_order_line",
              })} as despatched
         from (
           select e.order_id, e.erp_order, e.erp_order_line, e.product, sum(e.takes) as quantity,
                  coalesce(min(n.quantity), 0) as noted
             from erp_lines e
             left join noted n on n.erp_order = e.erp_order
              and n.erp_order_line = e.erp_order_line
            group by 1, 2, 3, 4) x
         left join noted any_line on any_line.erp_order = x.erp_order
          and any_line.product = x.product),
     told as (
       select order_id, line, sum(despatched) as despatched, sum(invoiced) as invoiced,
              bool_and(finished) as finished
         from (
           select x.order_id, x.line,
                  ${ofShare("greatest(x.despatched, coalesce(n.despatched, 0))")} as despatched,
                  ${ofShare("x.invoiced")} as invoiced,
                  ends.is_over as finished
             from erp_lines x
             left join notes n on n.order_id = x.order_id and n.erp_order = x.erp_order
              and n.erp_order_line = x.erp_order_line
             -- Each has one; joined otherwise they would count as one, and be compared one by one.
             left join ends on ends.order_id = x.order_id and ends.erp_order = x.erp_order
           union all
           select order_id, line, quantity, 0, null from (${notedLines("orders")}) noted) said
        where line is not null
        group by order_id, line),
     known as (
       select l.*, coalesce(told.despatched, l.despatched_quantity) as despatched,
              greatest(l.invoiced_quantity, told.invoiced) as invoiced,
              ended.is_over or told.finished and ended.is_unread is not true as is_over
         from web_order_line l
         left join told on told.order_id = l.order_id and told.line = l.line
         left join ended on ended.order_id = l.order_id
        where l.company = $1 and l.order_id = any($2::uuid[])
          and (told.line is not null or ended.order_id is not null)),
     wanted as (
       select l.order_id, l.line, l.despatched,
              case when l.is_over then greatest(0, l.quantity - ${delivered(COMES)}) else 0 end
                as cancelled
         from (select *, bool_or(despatched > 0) over (partition by order_id) as is_stated
                 from known) l
         join orders o on o.id = l.order_id)`;

const IS_OTHER = `l.company = $1 and l.order_id = wanted.order_id and l.line = wanted.line
  and (l.despatched_quantity, l.cancelled_quantity)
      is distinct from (wanted.despatched, wanted.cancelled)`;

/** Orders that are written in one transaction: whoever wants one of them waits no longer. */
const AT_ONCE = 200;

/**
 * Absolute figures from the pulled rows: running it again changes nothing. Of the orders named;
 * null: of all. How many lines changed.
 */
export async function updateDespatched(
  context: Pick<OrdersContext, "store" | "company" | "now">,
  among: readonly string[] | null = null,
): Promise<number> {
  const { store, company, now } = context;
  let changed = 0;
  const despatch = async (page: readonly string[]): Promise<void> => {
    const due = await store.query<{ id: string }>(
      `${WANTED} select distinct l.order_id as id from web_order_line l, wanted where ${IS_OTHER}
        order by 1`,
      [company, page, now()],
    );
    for (let from = 0; from < due.length; from += AT_ONCE) {
      const ids = due.slice(from, from + AT_ONCE).map(({ id }) => id);
      changed += await store.transaction((tx) => writeDespatched(tx, company, ids, now()));
    }
  };
  for await (const page of inPages(context, among)) {
    await despatch(page);
    // What did not come hangs on which lines the invoices are of, and that on what came.
    const isAny = (await placedAnew(store, company, page)).length > 0;
    const placed = isAny
      ? await store.transaction((tx) => placeAnew(tx, company, page, now()))
      : [];
    if (placed.length > 0) await despatch(placed);
    changed += placed.length;
  }
  return changed;
}

/** Invoices of one of several lines, nobody knew which, where the ERP's lines tell more by now. */
async function placeAnew(
  tx: Transaction,
  company: string,
  page: readonly string[],
  at: Temporal.Instant,
): Promise<readonly string[]> {
  const due = await tx.query<{ id: string }>(
    `select distinct o.id from ${invoiced("$2")} join web_order_line l on ${IS_NEWS} order by 1`,
    [company, JSON.stringify(await placedAnew(tx, company, page))],
  );
  if (due.length === 0) return [];
  const ids = due.map(({ id }) => id);
  await holdOrders(tx, company, ids);
  const orders = await writeLines(tx, company, await placedAnew(tx, company, ids), at);
  await openAgain(tx, company, orders);
  await noteFulfilment(tx, company, orders, at);
  return orders;
}

async function writeDespatched(
  tx: Transaction,
  company: string,
  ids: readonly string[],
  at: Temporal.Instant,
): Promise<number> {
  await holdOrders(tx, company, ids);
  const changed = await tx.query<{ orderId: string }>(
    `${WANTED}
     update web_order_line l
        set despatched_quantity = wanted.despatched, cancelled_quantity = wanted.cancelled
       from wanted where ${IS_OTHER}
      returning l.order_id as "orderId"`,
    [company, ids, at],
  );
  const orders = [...new Set(changed.map((line) => line.orderId))];
  await openAgain(tx, company, orders);
  await noteFulfilment(tx, company, orders, at);
  return changed.length;
}
