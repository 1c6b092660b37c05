/**
 * What orders still come to, beside what was paid for them. One law holds for each of them at rest:
 * what is to be given back of its payment and what was given back come to what was paid beyond what
 * it still comes to. It follows from the order as it stands, whatever came before.
 */
import { decimal, type Money, type WebOrderPayment } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { chargedOnce, delivered } from "./delivered.ts";
import type { DeliveryState } from "./machine.ts";
import { INVOICES } from "./papers.ts";
import type { Task } from "./tasks.ts";

/** An order that money came with, and what is known of that. */
export interface Standing {
  readonly id: string;
  readonly number: string;
  readonly state: DeliveryState;
  /**
   * As the order has it now; an amendment takes off what was given back of it. Null: it is not
   * paid, and a payment came with a change of it that was not made.
   */
  readonly payment: WebOrderPayment | null;
  /**
   * Other payments that came with it before, or with a change that was not made; each as the most
   * that was said of it.
   */
  readonly former: readonly WebOrderPayment[];
  /** The most that the order, or a change of it, ever said of its payment. */
  readonly taken: string;
  /** Of that, what came with changes that were not made. */
  readonly unmade: string;
  /**
   * What it comes to, with VAT: what its papers say, and what is still to come of it and of its
   * charges, at the prices agreed or that a person let stand.
   */
  readonly due: string;
  /** As it was agreed. */
  readonly gross: string;
  /** A person let stand what the ERP has. */
  readonly isLetStand: boolean;
  /** What credit notes of it come to, with VAT. */
  readonly credited: string;
  /** Other goods on invoices of it, with VAT; net, without. */
  readonly apart: string;
  readonly apartNet: string;
  /** Its charges: the codes, and what each comes to without VAT. */
  readonly chargeCodes: readonly string[];
  readonly chargeNets: readonly string[];
}

/** Of an order that is paid. */
export type PaidStanding = Standing & { readonly payment: WebOrderPayment };

/** How finance finds it at whoever took it; the instruction of every refund holds it. */
export function byPayment({ provider, reference }: Omit<WebOrderPayment, "amount">): string {
  return `by ${provider}, payment ${reference}`;
}

/** The same in SQL: the refund `t` is of the payment. */
export const refundIsOf = (provider: string, reference: string): string =>
  `strpos(t.instruction, 'by ' || ${provider} || ', payment ' || ${reference} || ',') > 0`;

/** Behind a person's reason why nothing is given back: it does not hold any more. */
export const LAPSED = " (The order came to more again since.)";

/** What a person is told of an order that is there and not paid begins so, behind its number. */
export const STANDS = " stands";

/** What a person is asked of other goods that went out for an order, behind its number. */
export const OTHERWISE = " came otherwise: ";

/**
 * Of the line `l` of the order `o`: what will not come. Of one that ended only what is charged
 * stays.
 */
const GONE = `
  case when o.state in ('refused', 'cancelled') then greatest(0, l.quantity - ${chargedOnce()})
       else least(l.cancelled_quantity, greatest(0, l.quantity - ${delivered()})) end`;

/** In SQL: a person has decided that the refund `t` is not given back. */
const WAIVED = `t.state = 'dropped' and t.closed_by <> 'tradepost' and not starts_with(
  right(t.reason, ${LAPSED.length}), '${LAPSED}')`;

/**
 * What changes that are over said of payments: (order_id, provider, reference, amount, is_made),
 * `amount` with what had been given back of it by then, which a change takes off. Of what an order
 * was before, of one that was made; else it came with one that was not, and with none that is
 * still to be made.
 */
export const saidWithChanges = (company: string, order: string | null = null): string => `
  select v.order_id, s.provider, s.reference, v.is_made,
         s.amount + (select coalesce(sum(t.amount), 0) from web_order_task t
                      where t.company = ${company} and t.subject = v.order_id::text
                        and t.kind = 'refund' and t.state = 'done' and t.closed_at < v.said_at
                        and ${refundIsOf("s.provider", "s.reference")}) as amount
    from (
      select c.order_id, said.payment, said.said_at, said.is_made
        from web_order_change c
        cross join lateral (values
          (c.before -> 'body' -> 'payment', null::timestamptz, true),
          (c.body -> 'payment', c.asked_at, c.state = 'done')) as said (payment, said_at, is_made)
       where c.company = ${company} and c.state in ('done', 'refused', 'dropped')
         and (c.state = 'done' or not exists (
                select 1 from web_order_change p
                 where p.company = c.company and p.order_id = c.order_id
                   and p.state in ('held', 'asked', 'task')
                   and p.body -> 'payment' ->> 'provider' = c.body -> 'payment' ->> 'provider'
                   and p.body -> 'payment' ->> 'reference' = c.body -> 'payment' ->> 'reference'))
         ${order === null ? "" : `and c.order_id = ${order}`}) v
    cross join lateral jsonb_to_record(v.payment)
      as s (provider text, reference text, amount numeric)
   where jsonb_typeof(v.payment) = 'object'`;

/** Only of orders with tasks or changes the body is read. */
const OWN_PAYMENT = `
  (select p.id, w.body -> 'payment' ->> 'provider' as provider,
          w.body -> 'payment' ->> 'reference' as reference
     from paid p join web_order w on w.company = p.company and w.id = p.id) o`;

/** What orders come to where a person lets stand what the ERP has; with VAT, by their ids. */
export type LetStand = Readonly<
  Record<string, { readonly gross: string; readonly lines: Readonly<Record<string, string>> }>
>;

/** In SQL: what open refunds are to come to. */
const OWED = "greatest(0, least(o.paid + unmade, taken - done) - due) - waived";

/**
 * Charges are owed for as long as anything of the order came or is to come, until the ERP's order
 * is complete and invoices come to just what it says. What is in conflict waits for a person, and
 * is looked at for as long as a refund of it is open. Of what papers leave each is rounded: up to a
 * penny of a line and invoice is as agreed, unless a person let stand another sum.
 * $2: those to look at, null: all; $3: also those whose tasks are what they should be; $4: those
 * that are looked at as if a person let them stand so.
 */
const STANDINGS = `
  with paid as materialized (
    select o.company, o.id, o.number, o.state, o.gross as agreed, o.net, o.paid, o.erp_order,
           o.invoiced_net, o.invoiced_anew,
           coalesce(($4::jsonb -> o.id::text ->> 'gross')::numeric, o.stands_gross, o.gross)
             as gross,
           o.stands_gross is not null or $4::jsonb ? o.id::text as is_let_stand,
           o.invoiced_net + o.invoiced_vat as invoiced,
           o.credited_net + o.credited_vat as credited, o.invoiced_charges,
           o.invoiced_apart as apart_net, o.invoiced_apart + o.invoiced_apart_vat as apart
      from web_order o
     where o.company = $1 and ($2::uuid[] is null or o.id = any($2)) and not o.test
       and (o.paid > 0 or o.id in (
              select c.order_id from web_order_change c
               where c.company = $1 and c.state in ('refused', 'dropped')
                 and jsonb_typeof(c.body -> 'payment') = 'object'))
       and o.state <> 'shadowed'
       and (o.state <> 'conflict' or $4::jsonb ? o.id::text or exists (
              select 1 from web_order_task t
               where t.company = o.company and t.order_id = o.id and t.kind = 'refund'
                 and t.state = 'open'))),
  said as (
    select id, max(amount) filter (where is_own) as taken,
           max(amount) filter (where is_own and is_made) as made,
           jsonb_agg(jsonb_build_object('provider', provider, 'reference', reference,
                       'amount', amount::text) order by provider, reference)
             filter (where not is_own and is_most) as former
      from (
        select o.id, s.provider, s.reference, s.is_made, s.amount,
               row_number() over (partition by o.id, s.provider, s.reference
                                  order by s.amount desc, s.is_made desc) = 1 as is_most,
               (s.provider, s.reference) is not distinct from (o.provider, o.reference)
                 as is_own
          from (${saidWithChanges("$1")}) s join ${OWN_PAYMENT} on o.id = s.order_id) each_payment
     group by id),
  refunds as (
    select o.id, coalesce(sum(t.amount) filter (where t.state = 'open'), 0) as open,
           coalesce(sum(t.amount) filter (where t.state = 'done'), 0) as done,
           coalesce(sum(t.amount) filter (where ${WAIVED}), 0) as waived
      from web_order_task t join ${OWN_PAYMENT} on o.id = t.order_id
     where t.company = $1 and t.kind = 'refund' and ${refundIsOf("o.provider", "o.reference")}
     group by o.id),
  asked as (
    select distinct order_id as id from web_order_task
     where company = $1 and kind = 'look' and state = 'open'
       and strpos(about, '${OTHERWISE}') > 0),
  standing as (
    select o.*, greatest(o.paid, s.taken) as taken,
           greatest(0, s.taken - greatest(o.paid, s.made)) as unmade, s.former,
           coalesce(r.open, 0) as open, coalesce(r.done, 0) as done,
           coalesce(r.waived, 0) as waived,
           greatest(0, papers.stays + round(goods.to_come + charges.to_come, 2)) as due
      from paid o
      left join said s on s.id = o.id
      left join refunds r on r.id = o.id
      cross join lateral (
        select coalesce(sum(w.worth), 0) as total, coalesce(sum(l.net), 0) as net,
               coalesce(sum(l.net + l.vat), 0) as agreed,
               round(coalesce(sum(w.worth * least(1, greatest(0, l.invoiced_quantity
                       - l.credited_quantity) / l.quantity)), 0), 2) as stays,
               count(*) filter (where l.invoiced_quantity > 0) as lines,
               coalesce(sum(w.worth * greatest(0, l.quantity - ${chargedOnce()} - (${GONE}))
                            / l.quantity), 0) as to_come,
               coalesce(bool_or(${GONE} < l.quantity), false) as left_over,
               coalesce(bool_or(${GONE} < l.quantity - ${chargedOnce()}), false) as is_open
          from web_order_line l
         cross join lateral (select coalesce(($4::jsonb -> o.id::text -> 'lines' ->> l.line::text)
                                             ::numeric, l.stands_gross, l.net + l.vat) as worth) w
         where l.company = o.company and l.order_id = o.id) goods
      cross join lateral (
        select least(1, greatest(0, o.invoiced_charges / nullif(o.net - goods.net, 0))) as invoiced)
        share
      cross join lateral (
        select case when o.gross = goods.total or not goods.left_over and o.invoiced = 0 then 0
                    when not goods.is_open and exists (
                           select 1 from erp_order e
                            where e.company = o.company and e.erp_order = o.erp_order
                              and e.state = 'complete' and e.net = o.invoiced_net) then 0
                    when o.gross - goods.total <> o.agreed - goods.agreed
                    then case when not goods.is_open then 0
                              else greatest(least(0, o.gross - goods.total),
                                     o.gross - goods.total - o.invoiced_charges - o.apart) end
                    else (o.gross - goods.total)
                         * coalesce(1 - share.invoiced, goods.is_open::int) end as to_come,
               coalesce((o.gross - goods.total) * share.invoiced, 0) as came) charges
      cross join lateral (
        select o.invoiced - o.credited as said, goods.stays + charges.came as agreed) each_sum
      cross join lateral (
        select case when o.gross = o.agreed and o.apart = 0
                     and (abs(each_sum.said - each_sum.agreed) <= 0.01 * goods.lines
                          or abs(each_sum.said - each_sum.agreed)
                             <= 0.01 * goods.lines * ${INVOICES})
                    then each_sum.agreed else each_sum.said end as stays) papers)
  select o.id, o.number, o.state, w.body -> 'payment' as payment, taken::text as taken,
         unmade::text as unmade, due::text as due, agreed::text as gross,
         is_let_stand as "isLetStand", credited::text as credited, apart::text as apart,
         apart_net::text as "apartNet",
         jsonb_path_query_array(w.body, '$.charges[*].charge') as "chargeCodes",
         jsonb_path_query_array(w.body, '$.charges[*].net') as "chargeNets",
         coalesce(former, '[]') as former
    from standing o join web_order w on w.company = o.company and w.id = o.id
   where $3 or o.state = 'conflict' and open > ${OWED} or o.state <> 'conflict' and (
      former is not null or o.id in (select id from asked) or open <> ${OWED}
      or least(o.paid, due) > greatest(0, taken - done)
      or is_let_stand and due > greatest(0, taken - done)
      or (done > 0 or is_let_stand)
         and exists (select 1 from web_order_task t
                      where t.company = o.company and t.subject = o.id::text
                        and t.kind = 'look' and t.state = 'open'
                        and starts_with(t.about, o.number || '${STANDS}')))
   order by o.id`;

/** Paid orders whose tasks may not be what they should be; among those named, null: all. */
export async function unsettled(
  on: Queryable,
  company: string,
  among: readonly string[] | null,
): Promise<Standing[]> {
  return on.query<Standing>(STANDINGS, [company, among, false, "{}"]);
}

/** Null: it is not paid, or in conflict with nothing told as owed back. */
export async function standingOf(
  on: Queryable,
  company: string,
  order: string,
): Promise<Standing | null> {
  const [standing] = await standingsOf(on, company, [order], {});
  return standing ?? null;
}

/** Those that are paid; of those in conflict, with open refunds or looked at as if let stand. */
export async function standingsOf(
  on: Queryable,
  company: string,
  orders: readonly string[],
  letStand: LetStand,
): Promise<Standing[]> {
  return on.query<Standing>(STANDINGS, [company, orders, true, JSON.stringify(letStand)]);
}

/** What is to become of the refunds of one payment. */
export interface Settlement {
  /** Open ones that are not owed any more, or only in part. */
  readonly drop: readonly Task[];
  /** A person's "nothing is given back" that does not hold any more. */
  readonly lapse: readonly Task[];
  /** To be opened beside what stays open; null: nothing more. */
  readonly open: Money | null;
  /** All that is too much of the payment, whatever was given back of it. */
  readonly over: Money;
  /** Of what was given back, what the order says that it is paid with. */
  readonly unpaid: Money;
}

/** What an order says of a payment, and what it comes to: null is nothing, it is paid otherwise. */
export interface Paid {
  readonly payment: WebOrderPayment;
  readonly taken: string;
  readonly unmade: string;
  readonly due: Money;
  /** All of it was paid beforehand: what it comes to beyond that is still to be paid. */
  readonly isPaidWhole: boolean;
}

/** Pure; `refunds` are all of the order's, whatever their payment. */
export function settlementOf(
  { payment, taken, unmade, due, isPaidWhole }: Paid,
  refunds: readonly Task[],
): Settlement {
  const own = refundsOf(payment, refunds);
  const sumOf = (tasks: readonly Task[]): Money => decimal.sum(tasks.map(amountOf));
  const done = sumOf(own.filter(({ state }) => state === "done"));
  const said = decimal.parse<"money">(payment.amount);
  const left = decimal.larger(ZERO, decimal.subtract(decimal.parse<"money">(taken), done));
  const all = decimal.add(said, decimal.parse<"money">(unmade));
  const owed = decimal.larger(ZERO, decimal.subtract(decimal.smaller(all, left), due));
  const { lapse, waived } = waivedOf(own, owed);
  const target = decimal.subtract(owed, waived);
  const drop: Task[] = [];
  let stays = sumOf(own.filter(isOpen));
  for (const task of own.filter(isOpen).toSorted(newestFirst)) {
    if (decimal.compare(stays, target) <= 0) break;
    drop.push(task);
    stays = decimal.subtract(stays, amountOf(task));
  }
  const more = decimal.subtract(target, stays);
  return {
    drop,
    lapse,
    open: more.digits > 0n ? more : null,
    over: decimal.add(owed, done),
    unpaid: decimal.larger(
      ZERO,
      decimal.subtract(isPaidWhole ? due : decimal.smaller(said, due), left),
    ),
  };
}

/** Those of one payment. */
export function refundsOf(
  payment: Omit<WebOrderPayment, "amount">,
  refunds: readonly Task[],
): Task[] {
  return refunds.filter(({ instruction }) => instruction.includes(`${byPayment(payment)},`));
}

/** What a person has dropped holds for as long as so much is owed. */
function waivedOf(own: readonly Task[], owed: Money) {
  const lapse: Task[] = [];
  let waived = decimal.zero<"money">();
  for (const task of own.filter(isWaived)) {
    const sum = decimal.add(waived, amountOf(task));
    if (decimal.compare(sum, owed) > 0) lapse.push(task);
    else waived = sum;
  }
  return { lapse, waived };
}

function isWaived({ state, closedBy, reason }: Task): boolean {
  return state === "dropped" && closedBy !== "tradepost" && reason?.endsWith(LAPSED) !== true;
}

function isOpen({ state }: Task): boolean {
  return state === "open";
}

function newestFirst(one: Task, other: Task): number {
  const order = Temporal.Instant.compare(other.openedAt, one.openedAt);
  return order === 0 ? (one.id < other.id ? 1 : -1) : order;
}

function amountOf({ amount }: Task): Money {
  return decimal.parse<"money">(amount ?? "0");
}

export const ZERO: Money = decimal.integer(0, 2);
