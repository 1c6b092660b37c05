/**
 * Whose a payment is: that of the order that came with it first, whichever order is older, for as
 * long as that order lives or the money is owed or was given back for it. For any other order it
 * counts for nothing.
 */
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { OrderError } from "./error.ts";
import { refundIsOf, saidWithChanges } from "./owed.ts";
import type { AccountedOrder } from "./request.ts";
import { foldedNumber } from "./taking/asked.ts";

type Payment = AccountedOrder["payment"];

/** Why a payment counts for nothing where it came again. */
export interface PaymentUse {
  /** Number of the order that it is, or was, for. */
  readonly order: string;
  /** The order lives; its refund is to be paid; its refund was paid. */
  readonly how: "used" | "owed back" | "given back";
}

/** What is found of a payment that counts for nothing. */
export const UNPAID: ReadonlySet<string> = new Set([
  "payment-used-before",
  "payment-owed-back",
  "payment-given-back",
]);

/** The refund of an order's payment; one that was dropped leaves the payment free. */
const REFUND = (order: string, provider: string, reference: string): string => `
  select t.state from web_order_task t
   where t.company = ${order}.company and t.subject = ${order}.id::text and t.kind = 'refund'
     and t.state <> 'dropped' and ${refundIsOf(provider, reference)}
   order by t.state limit 1`;

const DEAD = "('refused', 'cancelled')";

/** What was given back of it. */
const GIVEN = (order: string, provider: string, reference: string): string => `
  (select coalesce(sum(t.amount), 0) from web_order_task t
    where t.company = ${order}.company and t.subject = ${order}.id::text and t.kind = 'refund'
      and t.state = 'done' and ${refundIsOf(provider, reference)})`;

/** The most that the order, or a change of it, ever said of it; null: it came with another. */
const TAKEN = (order: string, provider: string, reference: string): string => `
  (select max(said.amount)
     from (select s.provider, s.reference, s.amount
             from jsonb_to_record(case when jsonb_typeof(${order}.body -> 'payment') = 'object'
                                       then ${order}.body -> 'payment' end)
                    as s (provider text, reference text, amount numeric)
            union all
           select s.provider, s.reference, s.amount
             from (${saidWithChanges(`${order}.company`, `${order}.id`)}) s) said
    where said.provider = ${provider} and said.reference = ${reference})`;

/** In SQL: the order of `one` came with the payment before that of `other` did. */
const CAME_BEFORE = (one: string, other: string): string =>
  `(${one}.sequence, ${one}.order_id) < (${other}.sequence, ${other}.order_id)`;

/** The payment of the order `o` is that of an order which came with it before. */
export const OF_ANOTHER = `exists (
  select 1 from web_order_payment p
    join web_order b on b.company = p.company and b.id = p.order_id
    join web_order_payment own on own.company = p.company and own.provider = p.provider
     and own.reference = p.reference and own.order_id = o.id
   where p.company = o.company and p.provider = o.body -> 'payment' ->> 'provider'
     and p.reference = o.body -> 'payment' ->> 'reference' and b.id <> o.id and b.test = o.test
     and ${CAME_BEFORE("p", "own")}
     and (b.state not in ${DEAD} or exists (${REFUND("b", "p.provider", "p.reference")})))`;

/** A payment that an order came with and is paid otherwise than by pays another one now. */
export async function paysAnother(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
  { provider, reference }: NonNullable<Payment>,
): Promise<boolean> {
  const rows = await on.query(
    `select 1 from web_order_payment p
       join web_order b on b.company = p.company and b.id = p.order_id
       join web_order o on o.company = p.company and o.id = $2
      where p.company = $1 and p.provider = $3 and p.reference = $4 and b.id <> o.id
        and b.test = o.test
        and (b.state not in ${DEAD} or exists (${REFUND("b", "p.provider", "p.reference")}))`,
    [company, id, provider, reference],
  );
  return rows.length > 0;
}

export async function isOfAnother(
  tx: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from web_order o where o.company = $1 and o.id = $2 and ${OF_ANOTHER}`,
    [company, id],
  );
  return rows.length > 0;
}

/**
 * Of an order that is there already those that came with its payment after it tell nothing. One
 * that the ERP refused has lost it to whoever came with it meanwhile.
 */
const USED = `
  select distinct on (a.index) a.index, o.number as "order",
         case when o.state not in ${DEAD} then 'used' when refund.state = 'done' then 'given back'
              else 'owed back' end as how
    from unnest($2::int[], $3::text[], $4::text[], $5::bool[], $6::text[])
           as a(index, provider, reference, test, own)
    join web_order_payment p on p.company = $1 and p.provider = a.provider
     and p.reference = a.reference
    join web_order o on o.company = p.company and o.id = p.order_id
    left join web_order mine on mine.company = $1 and mine.number_folded = a.own
    left join web_order_payment own on own.company = $1 and own.provider = a.provider
     and own.reference = a.reference and own.order_id = mine.id and mine.state <> 'refused'
    left join lateral (${REFUND("o", "p.provider", "p.reference")}) refund on true
   where o.test = a.test
     and case when mine.id = o.id
              then refund.state = 'done'
                   and ${GIVEN("o", "p.provider", "p.reference")}
                       >= coalesce(${TAKEN("o", "p.provider", "p.reference")}, 0)
              when ${CAME_BEFORE("own", "p")} then false
              else o.state not in ${DEAD} or refund.state is not null end
   order by a.index, o.state in ${DEAD}, p.sequence`;

/** By place in what was asked. */
export async function readPayments(
  tx: Queryable,
  company: string,
  asked: readonly { readonly request: AccountedOrder; readonly test: boolean }[],
): Promise<ReadonlyMap<number, PaymentUse>> {
  const paid = asked.flatMap(({ request: { payment, webOrder = null }, test }, index) =>
    payment === null
      ? []
      : [{ index, test, own: webOrder === null ? null : foldedNumber(webOrder, test), ...payment }],
  );
  if (paid.length === 0) return new Map();
  const rows = await tx.prepared<PaymentUse & { index: number }>(USED, [
    company,
    paid.map(({ index }) => index),
    paid.map(({ provider }) => provider),
    paid.map(({ reference }) => reference),
    paid.map(({ test }) => test),
    paid.map(({ own }) => own),
  ]);
  return new Map(rows.map(({ index, ...use }) => [index, use]));
}

/**
 * What is left of an order's payment once some of it was given back; null: nothing was. An amount
 * that is more than was ever said of it says that more was taken.
 */
export async function leftOf(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
  { provider, reference, amount }: NonNullable<Payment>,
): Promise<{ readonly left: string; readonly given: string } | null> {
  const [row] = await on.query<{ left: string | null; given: string }>(
    `select (greatest(said.taken, $5::numeric) - said.given)::text as left, said.given::text as given
       from web_order o
      cross join lateral (select ${TAKEN("o", "$3::text", "$4::text")} as taken,
                                 ${GIVEN("o", "$3::text", "$4::text")} as given) said
      where o.company = $1 and o.id = $2 and said.given > 0`,
    [company, id, provider, reference, amount],
  );
  return row === undefined || row.left === null ? null : { left: row.left, given: row.given };
}

/** Throws for an order that ended, when its payment does not pay it any more. */
export async function refuseUnpaid(
  tx: Queryable,
  { company, id, number, body }: OrderRow,
): Promise<void> {
  if (body.payment === null) return;
  const { provider, reference } = body.payment;
  const [use] = await tx.query<{ number: string; own: boolean }>(
    `select b.number, b.id = o.id as own
       from web_order o
       join web_order_payment p on p.company = o.company and p.provider = $3 and p.reference = $4
       join web_order b on b.company = p.company and b.id = p.order_id and b.test = o.test
       left join lateral (${REFUND("b", "p.provider", "p.reference")}) refund on true
      where o.company = $1 and o.id = $2
        and case when b.id = o.id
                 then refund.state = 'done'
                      and ${TAKEN("o", "p.provider", "p.reference")}
                          - ${GIVEN("o", "p.provider", "p.reference")} < least(o.paid, o.gross)
                 else b.state not in ${DEAD} or refund.state is not null end
      order by b.id <> o.id, p.sequence limit 1`,
    [company, id, provider, reference],
  );
  if (use === undefined) return;
  throw new OrderError(
    "change-impossible",
    `Sending web order ${number} again: its payment ${provider} ${reference} ` +
      (use.own
        ? "was given back, and the ERP would book it as paid. "
        : `came with web order ${use.number} as well, and pays one of them. `) +
      "Amend it with a payment of its own, or hand in a new order.",
  );
}

/**
 * In the transaction that an order, or a change of it, is written in: the payments that came with
 * it. Whoever examined them has locked them by name, so that they are counted one by one.
 */
export async function keepPayments(
  tx: Queryable,
  company: string,
  orders: readonly { readonly id: string; readonly payment: Payment }[],
): Promise<void> {
  const paid = orders.flatMap(({ id, payment }) => (payment === null ? [] : [{ id, ...payment }]));
  if (paid.length === 0) return;
  await tx.affect(
    `insert into web_order_payment (company, provider, reference, order_id, sequence)
     select $1, n.provider, n.reference, n.order_id,
            (select coalesce(max(p.sequence), 0) + 1 from web_order_payment p
              where p.company = $1 and p.provider = n.provider and p.reference = n.reference)
       from unnest($2::text[], $3::text[], $4::uuid[]) as n (provider, reference, order_id)
     on conflict do nothing`,
    [
      company,
      paid.map(({ provider }) => provider),
      paid.map(({ reference }) => reference),
      paid.map(({ id }) => id),
    ],
  );
}
