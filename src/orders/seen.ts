/**
 * What was pulled of our orders: acknowledgements and the ERP's own orders that bear our number.
 */
import type { Queryable } from "../store/index.ts";
import { ORDER_COLUMNS, type Move, type OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { judge, type Acknowledgement, type ErpOrderFact } from "./judge.ts";
import { learnedBeforeLost, lostAnswer, lostRow } from "./lost-rows.ts";
import { isWhole } from "./charges.ts";
import { mayMove } from "./machine.ts";
import { refundReasons } from "./refunds.ts";
import { bearing, bears } from "./same-number.ts";

interface Seen {
  readonly acknowledgements: readonly Acknowledgement[];
  readonly erpOrders: readonly Shown[];
}

interface Shown extends ErpOrderFact {
  readonly learnedAt: string;
  /** Its lines, with or without the charges of ours, come to its net. Null: none are pulled. */
  readonly linesWhole: boolean | null;
  /** Lines are pulled of this company's ERP orders. */
  readonly linesPulled: boolean;
}

/** An ERP writes an order and its lines into two files, and one of them may be pulled first. */
const LINES_WITHIN_HOURS = 1;

function areLinesDue({ linesWhole, learnedAt, linesPulled }: Shown, at: Temporal.Instant): boolean {
  if (!linesPulled || linesWhole === true) return false;
  const until = Temporal.Instant.from(learnedAt).add({ hours: LINES_WITHIN_HOURS });
  return Temporal.Instant.compare(at, until) < 0;
}

/**
 * Lines that do not add up may not all be there, and are compared once they are due no more: then
 * one that is missing is a person's. What they cost they cannot say where the whole says another.
 */
function withLines(row: Shown, at: Temporal.Instant): ErpOrderFact {
  const linesDue = areLinesDue(row, at);
  const { lines = null, linesWhole, net } = row;
  if (lines === null || linesWhole === true) return { ...row, linesDue };
  if (linesDue) return { ...row, lines: null, linesDue };
  const shown = net === null ? lines : lines.map((line) => ({ ...line, net: null }));
  return { ...row, lines: shown, linesDue };
}

/** What an order came to before a change "c". */
const NET_BEFORE = "(c.before -> 'body' ->> 'net')::numeric";

/**
 * The ERP may show the order as it was before a change that it has made or makes just now. When it
 * made it nobody knows: what was learned before its end is of before where it comes to what was.
 */
const stale = (row: string) => `(exists (select 1 from web_order_change c
    where c.company = o.company and c.order_id = o.id and c.state = 'done'
      and ${row}.learned_at <= c.ended_at and coalesce(${row}.net = ${NET_BEFORE}, true))
  or exists (select 1 from web_order_intent i
    where i.company = o.company and i.order_id = o.id and i.kind <> 'place'
      and i.state = 'sending'))`;

/** It was learned while a change was made there, and is neither as before nor as was agreed. */
const otherwise = (row: string) => `(${row}.net <> o.net and exists (
    select 1 from web_order_change c
     where c.company = o.company and c.order_id = o.id and c.state = 'done'
       and ${row}.learned_at > c.asked_at and ${row}.learned_at <= c.ended_at
       and ${row}.net <> ${NET_BEFORE}))`;

const PLACED_HERE = `exists (select 1 from web_order_attempt p
      where p.company = o.company and p.order_id = o.id and p.what = 'place'
        and p.placed_at is not null)`;

/** The journal shows that it was handed over, in a time of which this database knows nothing. */
const FOUND_DROPPED = `(o.handed_over_at is not null and not ${PLACED_HERE})`;

/**
 * Of an answer "a" to an order "o": it was given to another one of that number, or before this one
 * was sent. Clocks differ by a minute at most; the day that an answer bears may be one of the
 * ERP's accounts, which lie days behind, but not months.
 */
export const EARLY = `(not ${FOUND_DROPPED} and (not ${PLACED_HERE}
    or a.learned_at < sent.at - interval '1 minute' or a.answered_on < sent.at::date - 31))`;

/** When it was sent first, for `EARLY`. */
export const SENT = `
  cross join lateral (select min(at) as at from web_order_event
     where company = o.company and order_id = o.id and event = 'send') sent`;

/** An invoice goes to the order's own account, or to its head office's. */
const billed = (invoice: string) => `(${invoice}.account = o.account or exists (
    select 1 from customer c where c.company = o.company and c.account = o.account
       and c.head_office = ${invoice}.account))`;

/** False: the ERP has renamed or removed it, so that its documents are another's now. */
const ACCOUNT_STANDS = `exists (select 1 from customer c
    where c.company = o.company and c.account = o.account)`;

/**
 * Of an invoice "d" that bears the number of an order "o": it is not of that one. What was never
 * sent is nowhere, unless staff keyed it: then its invoice is its customer's.
 */
export const FOREIGN = `(not ${FOUND_DROPPED} and (d.learned_at < o.received_at
      or d.document_on < o.ordered_on - 31)
    or o.state in ('held', 'queued') and not ${billed("d")})`;

/** Another web order of ours that has this order of the ERP, or whose number stands on it. */
const anothers = (row: string, says = "null") => `(select min(x.number) from web_order x
    where x.company = o.company and x.id <> o.id and not x.test
      and (x.erp_order = ${row}.erp_order and x.state not in ('refused', 'cancelled')
           or x.number_folded = lower(${says})))`;

/** Another one that was read back as this order of the ERP, before that bore our number. */
const anothersBefore = (row: string) => `(select min(x.number) from web_order x
    where x.company = o.company and x.id <> o.id and not x.test
      and x.erp_order = ${row}.erp_order and x.state = 'confirmed')`;

/** Some ERPs keep carriage and the like beside the lines. */
const CHARGES = `(select coalesce(sum((x ->> 'net')::numeric), 0)
    from jsonb_array_elements(o.body -> 'charges') x)`;

const WHOLLY_INVOICED = `not exists (
    select 1 from web_order_line w where w.company = o.company and w.order_id = o.id
       and w.invoiced_quantity < w.quantity - w.cancelled_quantity)`;
const ALL_ON_ONE = `sum(count(*)) over () = 1 and ${WHOLLY_INVOICED}`;

/**
 * Of what was read back: all that was ordered, and nothing else, is on one invoice, and that comes
 * to neither what was agreed nor what the ERP's order says. What is short, or sent in the place of
 * other goods, is told elsewhere.
 */
const CHARGED_OTHERWISE = `count(*) = 1
    and sum(d.net) not in (o.net, o.net - ${CHARGES}) and o.invoiced_apart = 0
    and not exists (select 1 from web_order_line w
      where w.company = o.company and w.order_id = o.id
        and (w.invoiced_quantity < w.quantity or w.cancelled_quantity > 0))
    and not exists (select 1 from erp_order e where e.company = o.company
         and e.erp_order = o.erp_order and e.net = sum(d.net))`;

/** No other web order, that stands, is the same order of the ERP. */
const ITS_ALONE = `not exists (select 1 from web_order y where y.company = o.company
    and y.id <> o.id and y.erp_order = o.erp_order and y.state not in ('refused', 'cancelled'))`;

/** An invoice names the web order, or the ERP order that it was taken as. */
const NAMED = `(${bears("d.web_order")}
    or d.erp_order = o.erp_order and coalesce(d.web_order, '') = '' and ${ITS_ALONE})`;

/**
 * An invoice that names an order shows that the ERP has it; of one that was given up, when it came
 * after that. One invoice for all of it says what the ERP charges; of several, each is for a part.
 * Of what was read back it is asked only to whom and at which sum it is charged, and what a person
 * has seen is no news.
 */
const INVOICED = `
  select d.company, 'accepted', d.erp_order, null,
         case when ${ALL_ON_ONE} then sum(d.net) end, case when ${ALL_ON_ONE} then sum(d.vat) end,
         max(d.document_on), max(d.learned_at),
         min(d.account) filter (where not ${billed("d")} and ${ACCOUNT_STANDS}),
         'invoiced it as ' || min(d.document)
    from sales_document d
   where d.company = o.company
     and (o.state in ('held', 'queued', 'handedOver', 'inDoubt', 'accepted', 'confirmed')
          or o.state in ('refused', 'cancelled') and d.learned_at > o.changed_at)
     and d.document_type = 'invoice' and ${NAMED} and not ${FOREIGN}
     and not exists (select 1 from web_order_event v
          where v.company = o.company and v.order_id = o.id and v.event = 'resolve'
            and v.at >= d.learned_at)
   group by d.company, d.erp_order
  having o.state <> 'confirmed' or bool_or(not ${billed("d")} and ${ACCOUNT_STANDS})
      or ${CHARGED_OTHERWISE}`;

/** Goods of an order that was given up, sent after that. */
const DESPATCHED = `
  select x.company, 'accepted', x.erp_order, null, null::numeric, null::numeric,
         null::date, max(x.learned_at), null, 'despatched it as ' || min(x.despatch)
    from despatch_line x
   where x.company = o.company and x.erp_order = o.erp_order and x.learned_at > o.changed_at
     and o.state = 'cancelled' and ${ITS_ALONE}
   group by x.company, x.erp_order`;

/**
 * An order is known by the number it bears there, which some ERPs write in capitals, or by the
 * number that the ERP gave when it took it.
 */
const SEEN = `${SENT}
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('outcome', a.outcome, 'erpOrder', a.erp_order,
             'reason', a.reason, 'net', a.net::text, 'vat', a.vat::text,
             'account', a.account, 'shown', a.shown, 'another', ${anothers("a")},
             'stale', ${stale("a")})
             order by a.answered_on, a.outcome), '[]') as acknowledgements
      from (select company, outcome, erp_order, reason, net, vat, answered_on, learned_at,
                   null as account, null as shown
              from order_acknowledgement a
             where company = o.company and ${bears("web_order")} and not ${EARLY}
               and not ${lostAnswer("a")}
            union all ${INVOICED} union all ${DESPATCHED}) a
     where not ${learnedBeforeLost("a")}) answered
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('erpOrder', e.erp_order, 'account', e.account,
             'state', e.state, 'net', e.net::text, 'vat', e.vat::text, 'lines', l.lines,
             'orderedOn', e.ordered_on, 'learnedAt', e.learned_at,
             'linesPulled', exists (select 1 from erp_order_line x where x.company = o.company),
             'linesWhole', l.whole, 'stale', ${stale("e")}, 'otherwise', ${otherwise("e")},
             'another', case when coalesce(${bears("e.web_order")}, false)
                             then ${anothersBefore("e")} else ${anothers("e", "e.web_order")} end,
             'accountStands', ${ACCOUNT_STANDS},
             'before', e.learned_at <= o.changed_at)
             order by e.state = 'cancelled', e.erp_order), '[]') as "erpOrders"
      from (select * from erp_order
             where company = o.company
               and ${bears("web_order")}
            union
            select * from erp_order
             where company = o.company and erp_order = o.erp_order) e
      left join lateral (
        select jsonb_agg(jsonb_build_object('product', x.product, 'quantity', x.quantity::text,
                 'net', x.net::text) order by x.line) as lines,
               -- One that waits in quarantine would look like one that the ERP left out.
               ${isWhole("sum(x.net)", "e.net", "e.erp_order")} as whole
          from erp_order_line x where x.company = e.company and x.erp_order = e.erp_order
        having count(*) > 0) l on true
     where not ${lostRow("e")}) held`;

/** What the pulled rows say about one order, as a move; null when they say nothing new. */
export async function judgeFromPulled(
  context: OrdersContext,
  order: OrderRow,
): Promise<Move | null> {
  const [seen] = await context.store.query<Seen>(
    `select acknowledgements, "erpOrders" from web_order o ${SEEN}
      where o.company = $1 and o.id = $2`,
    [order.company, order.id],
  );
  return seen === undefined ? null : judged(order, seen, context.now());
}

const BILL_IS_NEWS = `case o.state
    when 'confirmed' then not ${billed("e")} or e.net <> o.net and ${WHOLLY_INVOICED}
    else e.learned_at > o.changed_at end`;

/**
 * Orders that are not over; and of those that are, the ones of which the ERP shows something else
 * than that: what `judge` makes a move of is among them. $2: those to look at, null: all.
 */
const TO_JUDGE = `
  with over_orders as materialized (
    select company, id, number, account, net, state, erp_order, changed_at from web_order
     where company = $1 and not test and state in ('confirmed', 'refused', 'cancelled')
       and ($2::uuid[] is null or id = any($2))),
  news as (
    ${bearing("over_orders", "erp_order", {
      columns: "o.id",
      where: `case o.state when 'confirmed' then e.erp_order is distinct from o.erp_order
                           when 'cancelled' then e.state <> 'cancelled' else true end`,
    })} union
    select o.id from over_orders o
      join erp_order e on e.company = $1 and e.erp_order = o.erp_order
     where case o.state when 'confirmed' then e.account <> o.account
                                              or e.web_order <> '' and not ${bears("e.web_order")}
                                              or ${otherwise("e")}
                        when 'cancelled' then e.state <> 'cancelled' else true end
    union ${bearing("over_orders", "order_acknowledgement", {
      columns: "o.id",
      where: `o.state <> 'confirmed' or e.outcome <> 'accepted'
              or e.erp_order is not null and e.erp_order is distinct from o.erp_order`,
    })}
    union ${bearing("over_orders", "sales_document", { columns: "o.id", where: BILL_IS_NEWS })}
    union
    select o.id from over_orders o
      join sales_document e on e.company = $1 and e.erp_order = o.erp_order
     where coalesce(e.web_order, '') = '' and ${BILL_IS_NEWS}
    union
    select o.id from over_orders o
      join despatch_line e on e.company = $1 and e.erp_order = o.erp_order
     where o.state = 'cancelled' and e.learned_at > o.changed_at)
  select id from web_order
   where company = $1 and not test
     and state in ('held', 'queued', 'handedOver', 'inDoubt', 'accepted', 'conflict')
  union select id from news order by id`;

/** Orders that are judged by one statement. */
const AT_ONCE = 1_000;

/**
 * Orders about which something was pulled, each with the move it asks for; of those that are over,
 * among the ones named; null: among all.
 */
export async function judgeAllFromPulled(
  on: Queryable,
  company: string,
  at: Temporal.Instant,
  among: readonly string[] | null,
): Promise<{ order: OrderRow; move: Move }[]> {
  const ids = (await on.query<{ id: string }>(TO_JUDGE, [company, among])).map(({ id }) => id);
  const moves: { order: OrderRow; move: Move }[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const rows = await on.query<OrderRow & Seen>(
      `select ${ORDER_COLUMNS}, acknowledgements, "erpOrders" from web_order o ${SEEN}
        where company = $1 and id = any($2::uuid[])
          and (acknowledgements <> '[]' or "erpOrders" <> '[]')
        order by id`,
      [company, ids.slice(from, from + AT_ONCE)],
    );
    for (const row of rows) {
      const move = judged(row, row, at);
      if (move !== null) moves.push({ order: row, move });
    }
  }
  return moves;
}

function judged(order: OrderRow, seen: Seen, at: Temporal.Instant): Move | null {
  const erpOrders = seen.erpOrders.map((row) => withLines(row, at));
  const verdict = judge({ ...order.body, ...order }, seen.acknowledgements, erpOrders);
  if (verdict === null || !mayMove(order.state, verdict.event, "erp")) return null;
  const [reason] = verdict.reasons;
  const number = verdict.erpOrder ?? "a number not stated";
  const fine =
    verdict.event === "confirm"
      ? `Read back as ERP order ${number}: what was agreed is what the ERP holds.`
      : `Accepted as ERP order ${number}.`;
  return {
    event: verdict.event,
    who: "erp",
    at,
    about: reason ?? verdict.about ?? fine,
    reasons:
      verdict.event === "refuse" ? [...verdict.reasons, ...refundReasons(order)] : verdict.reasons,
    set: {
      erpOrder: verdict.erpOrder ?? order.erpOrder,
      erpNet: verdict.erpNet ?? order.erpNet,
      erpVat: verdict.erpVat ?? order.erpVat,
      answerDueAt: null,
      nextAttemptAt: null,
    },
  };
}
