/**
 * How far an order's lines have got: despatched as the ERP says, invoiced and credited as sales
 * says.
 */
import type { Transaction } from "../store/index.ts";
import { lostRow } from "./lost-rows.ts";
import { openAgain, openProduct } from "./open.ts";
import { recent } from "./recent.ts";
import { bears } from "./same-number.ts";
import { noteFulfilment } from "./told.ts";

/**
 * The push log as a relation, for set-based joins: (company, web_order, account, assisted,
 * ordered_on, customer_reference, erp_order), one row for every order that a shop gave us, test
 * orders left out.
 */
export const PUSH_LOG = `
  (select company, number as web_order, account, placed_by = 'assisted' as assisted, ordered_on,
          customer_reference, erp_order
     from web_order where not test)`;

/** Its lines: (company, web_order, line, product, quantity). */
export const PUSH_LOG_LINES = `
  (select o.company, o.number as web_order, l.line, l.product, l.quantity
     from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
    where not o.test)`;

/**
 * What is still to be taken out of stock for orders of ours: (company, order_id, web_order,
 * product, branch, quantity, taken_at). `branch` is null where the order names none; `taken_at` is
 * when the ERP was first seen to have the order, null when it was not yet.
 */
export const OPEN_LINES = `
  (select o.company, l.order_id, o.number as web_order, l.open_product as product,
          o.body ->> 'branch' as branch,
          greatest(0, l.quantity - l.cancelled_quantity
                      - greatest(l.despatched_quantity, l.invoiced_quantity)) as quantity,
          (select min(e.at) from web_order_event e
            where e.company = o.company and e.order_id = o.id
              and e.to_state in ('accepted', 'confirmed')) as taken_at
     from web_order o
     join web_order_line l on l.company = o.company and l.order_id = o.id
    where l.open_product is not null and not o.test
      and o.state not in ('refused', 'cancelled', 'shadowed'))`;

/** All that is invoiced and credited of one order line, in selling units, positive. */
export interface InvoicedLine {
  readonly webOrder: string;
  readonly line: number;
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
}

/** Net of all charges on invoices of one order. */
export interface InvoicedCharges {
  readonly webOrder: string;
  readonly net: string;
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
    readonly charges?: readonly InvoicedCharges[];
  },
): Promise<void> {
  if (told.lines.length === 0) return;
  const changed = await tx.query<{ orderId: string }>(
    `update web_order_line l
        set invoiced_quantity = told."invoicedQuantity", credited_quantity = told."creditedQuantity",
            open_product = ${openProduct('told."invoicedQuantity"')}
       from jsonb_to_recordset($2::jsonb) as told ("webOrder" text, line int,
              "invoicedQuantity" numeric, "creditedQuantity" numeric)
       join web_order o on o.company = $1 and o.number = told."webOrder"
      where l.company = $1 and l.order_id = o.id and l.line = told.line
        and (l.invoiced_quantity, l.credited_quantity)
            is distinct from (told."invoicedQuantity", told."creditedQuantity")
      returning l.order_id as "orderId"`,
    [told.company, JSON.stringify(told.lines)],
  );
  const orders = [...new Set(changed.map((line) => line.orderId))];
  if (orders.length > 0) await writeInvoiceEvents(tx, told.company, told.at, orders);
  const charged = await recordCharges(tx, told.company, told.charges ?? []);
  await openAgain(tx, told.company, [...new Set([...orders, ...charged])]);
  if (orders.length > 0) await noteFulfilment(tx, told.company, orders, told.at);
}

/** Orders whose figure is another now. */
async function recordCharges(
  tx: Transaction,
  company: string,
  charges: readonly InvoicedCharges[],
): Promise<string[]> {
  const changed = await tx.query<{ id: string }>(
    `with told as (
       select o.id, told.net from jsonb_to_recordset($2::jsonb) as told ("webOrder" text, net numeric)
         join web_order o on o.company = $1 and o.number = told."webOrder"
        where o.invoiced_charges <> told.net order by o.id for update of o)
     update web_order o set invoiced_charges = told.net from told
      where o.company = $1 and o.id = told.id returning o.id`,
    [company, JSON.stringify(charges)],
  );
  return changed.map(({ id }) => id);
}

async function writeInvoiceEvents(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  orders: readonly string[],
): Promise<void> {
  await tx.query(
    "select 1 from web_order where company = $1 and id = any($2::uuid[]) order by id for update",
    [company, orders],
  );
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
 * Which line of which ERP order is which line of ours: as the ERP says, else the only line with
 * that product. An order that bears another number was given ours anew, and is another's, unless a
 * person said that it is ours. Relation of (company, order_id, erp_order, erp_order_line, line,
 * state, product, quantity, net, despatched, invoiced); of all orders, or of the one named by $2.
 */
export const ERP_LINES = `
  select o.company, o.id as order_id, e.erp_order, el.line as erp_order_line, e.state,
         coalesce(el.web_order_line, only_one.line) as line, el.product, el.quantity, el.net,
         el.despatched_quantity as despatched, el.invoiced_quantity as invoiced
    from web_order o
    join erp_order e on e.company = o.company
     and (${bears("e.web_order")}
          or e.erp_order = o.erp_order
             and (e.web_order is null and e.account = o.account or o.settled ? e.erp_order))
    join erp_order_line el on el.company = e.company and el.erp_order = e.erp_order
    left join lateral (
      select min(l.line) as line from web_order_line l
       where l.company = o.company and l.order_id = o.id and l.product = el.product
      having count(*) = 1) only_one on true
   where o.company = $1 and ($2::uuid is null or o.id = $2) and not o.test
     and not ${lostRow("e")}`;

/**
 * Absolute figures from the pulled rows: running it again changes nothing. Of orders that anything
 * happened to since; null: of all.
 */
export async function updateDespatched(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  since: Temporal.Instant | null = null,
): Promise<number> {
  const changed = await tx.query<{ orderId: string }>(
    `with erp_lines as (
       select * from (${ERP_LINES}) x where ${recent("x.order_id", "$3")}),
     notes as (
       select d.company, d.erp_order, coalesce(d.erp_order_line, only_one.line) as erp_order_line,
              sum(d.quantity) as despatched
         from despatch_line d
         left join lateral (
           select min(x.erp_order_line) as line from erp_lines x
            where x.erp_order = d.erp_order and x.product = d.product
           having count(*) = 1) only_one on true
        where d.company = $1 and d.erp_order in (select erp_order from erp_lines)
        group by 1, 2, 3),
     told as (
       select x.order_id, x.line,
              sum(greatest(x.despatched, coalesce(n.despatched, 0))) as despatched,
              sum(x.invoiced) as invoiced,
              bool_and(x.state in ('cancelled', 'complete')) as finished
         from erp_lines x
         left join notes n on n.company = x.company and n.erp_order = x.erp_order
          and n.erp_order_line = x.erp_order_line
        where x.line is not null
        group by x.order_id, x.line),
     wanted as (
       select l.order_id, l.line, told.despatched,
              case when told.finished
                   then greatest(0, l.quantity - greatest(l.invoiced_quantity, told.invoiced,
                                                          told.despatched))
                   else 0 end as cancelled
         from web_order_line l
         join told on told.order_id = l.order_id and told.line = l.line
        where l.company = $1)
     update web_order_line l
        set despatched_quantity = wanted.despatched, cancelled_quantity = wanted.cancelled,
            open_product = ${openProduct("l.invoiced_quantity", "wanted.cancelled")}
       from wanted
      where l.company = $1 and l.order_id = wanted.order_id and l.line = wanted.line
        and (l.despatched_quantity, l.cancelled_quantity)
            is distinct from (wanted.despatched, wanted.cancelled)
      returning l.order_id as "orderId"`,
    [company, null, since],
  );
  const orders = [...new Set(changed.map((line) => line.orderId))];
  await openAgain(tx, company, orders);
  await noteFulfilment(tx, company, orders, at);
  return changed.length;
}
