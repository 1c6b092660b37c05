/**
 * What orders still come to, beside what was paid for them. One law holds for each of them at rest:
 * what is to be given back of its payment and what was given back come to what was paid beyond what
 * it still comes to. It follows from the order as it stands, whatever came before.
 */
import { decimal, type Money, type WebOrderPayment } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { DeliveryState } from "./machine.ts";
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
   * What it comes to with VAT and charges, less what will not come, and with other goods that were
   * invoiced for it; before credit notes.
   */
  readonly due: string;
  /** Of that, the other goods; net, without their VAT. */
  readonly apart: string;
  readonly apartNet: string;
  /** Its charges with VAT, and their codes. */
  readonly charges: string;
  readonly chargeCodes: readonly string[];
  /** Something of it was credited: only the papers tell by how much. */
  readonly isCredited: boolean;
  /** Of each line that was credited: the part that was not invoiced anew since. */
  readonly credited: readonly {
    readonly line: number;
    readonly product: string;
    readonly credited: string;
    readonly back: string;
  }[];
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
 * Of the line `l` of the order `o`: what will not come. Of one that ended only what is invoiced
 * stays.
 */
const GONE = `
  case when o.state in ('refused', 'cancelled') then greatest(0, l.quantity - l.invoiced_quantity)
       else least(l.cancelled_quantity,
                  greatest(0, l.quantity - greatest(l.invoiced_quantity, l.despatched_quantity)))
  end`;

/** Of the line `l`: what was credited and not invoiced anew since. */
const BACK = `
  least(l.credited_quantity, greatest(0, l.quantity - (${GONE})
                                         - (l.invoiced_quantity - l.credited_quantity)))`;

/** In SQL: a person has decided that the refund `t` is not given back. */
const WAIVED = `t.state = 'dropped' and t.closed_by <> 'tradepost' and not starts_with(
  right(t.reason, ${LAPSED.length}), '${LAPSED}')`;

/**
 * What changes that are over said of payments: (order_id, provider, reference, amount, is_made),
 * `amount` with what had been given back of it by then, which a change takes off. Of what an order
 * was before, of one that was made; else it came with one that was not.
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
         ${order === null ? "" : `and c.order_id = ${order}`}) v
    cross join lateral jsonb_to_record(v.payment)
      as s (provider text, reference text, amount numeric)
   where jsonb_typeof(v.payment) = 'object'`;

/** Only of orders with tasks or changes the body is read. */
const OWN_PAYMENT = `
  (select p.id, w.body -> 'payment' ->> 'provider' as provider,
          w.body -> 'payment' ->> 'reference' as reference
     from paid p join web_order w on w.company = p.company and w.id = p.id) o`;

/**
 * Charges are owed for as long as anything of the order came or is to come. $2: those to look
 * at, null: all; $3: also those whose tasks are what they should be. What is in conflict waits for
 * a person.
 */
const STANDINGS = `
  with paid as materialized (
    select o.company, o.id, o.number, o.state, o.gross, o.paid, o.invoiced_charges,
           o.credited_apart, o.invoiced_apart as apart_net,
           o.invoiced_apart + o.invoiced_apart_vat as apart
      from web_order o
     where o.company = $1 and ($2::uuid[] is null or o.id = any($2)) and not o.test
       and (o.paid > 0 or o.id in (
              select c.order_id from web_order_change c
               where c.company = $1 and c.state in ('refused', 'dropped')
                 and jsonb_typeof(c.body -> 'payment') = 'object'))
       and o.state not in ('conflict', 'shadowed')),
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
           greatest(0, s.taken - greatest(o.paid, s.made)) as unmade, s.former, goods.credited,
           goods.credited is not null or o.credited_apart <> 0 as is_credited,
           goods.is_news or o.credited_apart <> 0 as is_news,
           coalesce(r.open, 0) as open, coalesce(r.done, 0) as done,
           coalesce(r.waived, 0) as waived, o.gross - goods.total as charges,
           case when goods.left_over or o.invoiced_charges <> 0 or o.apart <> 0
                then greatest(0, o.gross - round(goods.gone, 2)) else 0 end + o.apart as due
      from paid o
      left join said s on s.id = o.id
      left join refunds r on r.id = o.id
      cross join lateral (
        select coalesce(sum(l.net + l.vat), 0) as total,
               coalesce(sum((l.net + l.vat) * (${GONE}) / l.quantity), 0) as gone,
               coalesce(bool_or(${GONE} < l.quantity), false) as left_over,
               coalesce(bool_or(${BACK} < l.credited_quantity), false) as is_news,
               jsonb_agg(jsonb_build_object('line', l.line, 'product', l.product,
                 'credited', l.credited_quantity::text,
                 'back', (${BACK})::text) order by l.line)
                 filter (where l.credited_quantity > 0) as credited
          from web_order_line l where l.company = o.company and l.order_id = o.id) goods)
  select o.id, o.number, o.state, w.body -> 'payment' as payment, taken::text as taken,
         unmade::text as unmade, due::text as due, apart::text as apart, apart_net::text as "apartNet",
         charges::text as charges,
         jsonb_path_query_array(w.body, '$.charges[*].charge') as "chargeCodes",
         coalesce(former, '[]') as former, is_credited as "isCredited",
         coalesce(credited, '[]') as credited
    from standing o join web_order w on w.company = o.company and w.id = o.id
   where $3 or former is not null or o.id in (select id from asked)
      or is_credited and (is_news or o.paid > open + done)
      or not is_credited
         and (open <> greatest(0, least(o.paid + unmade, taken - done) - due) - waived
              or least(o.paid, due) > greatest(0, taken - done))
      or done > 0 and exists (select 1 from web_order_task t
                               where t.company = o.company and t.subject = o.id::text
                                 and t.kind = 'look' and t.state = 'open'
                                 and starts_with(t.about, o.number || '${STANDS}'))
   order by o.id`;

/** Paid orders whose tasks may not be what they should; among those named, null: all. */
export async function unsettled(
  on: Queryable,
  company: string,
  among: readonly string[] | null,
): Promise<Standing[]> {
  return on.query<Standing>(STANDINGS, [company, among, false]);
}

/** Null: it is not paid, or in conflict. */
export async function standingOf(
  on: Queryable,
  company: string,
  order: string,
): Promise<Standing | null> {
  const [standing] = await on.query<Standing>(STANDINGS, [company, [order], true]);
  return standing ?? null;
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
}

/** Pure; `refunds` are all of the order's, whatever their payment. */
export function settlementOf(
  { payment, taken, unmade, due }: Paid,
  refunds: readonly Task[],
): Settlement {
  const own = refundsOf(payment, refunds);
  const sumOf = (tasks: readonly Task[]): Money => decimal.sum(tasks.map(amountOf));
  const done = sumOf(own.filter(({ state }) => state === "done"));
  const said = decimal.parse<"money">(payment.amount);
  const left = larger(ZERO, decimal.subtract(decimal.parse<"money">(taken), done));
  const all = decimal.add(said, decimal.parse<"money">(unmade));
  const owed = larger(ZERO, decimal.subtract(smaller(all, left), due));
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
    unpaid: larger(ZERO, decimal.subtract(smaller(said, due), left)),
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

export function larger(one: Money, other: Money): Money {
  return decimal.compare(one, other) < 0 ? other : one;
}

function smaller(one: Money, other: Money): Money {
  return decimal.compare(one, other) < 0 ? one : other;
}
