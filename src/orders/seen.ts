/**
 * What was pulled of our orders: acknowledgements and the ERP's own orders that bear our number.
 */
import type { Queryable } from "../store/index.ts";
import { ORDER_COLUMNS, type Move, type OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { isOwnAccount } from "./anothers.ts";
import { besideChanges, type Changed } from "./beside-changes.ts";
import type { Charged } from "./charged.ts";
import { isWhole } from "./charges.ts";
import { creditedPapers } from "./credited-papers.ts";
import { judge } from "./judge.ts";
import type { Acknowledgement, ErpOrderFact } from "./judgement.ts";
import { learnedBeforeLost, lostAnswer, lostRow } from "./lost-rows.ts";
import { mayMove } from "./machine.ts";
import { INVOICES, ITS_ALONE, NAMED } from "./papers.ts";
import { partsAsOne } from "./parts.ts";
import { refundReasons } from "./refunds.ts";
import { bearing, bears } from "./same-number.ts";

interface Seen {
  readonly acknowledgements: readonly Acknowledgement[];
  readonly erpOrders: readonly Shown[];
  /** Null: nothing of it is invoiced. */
  readonly charged: Charged | null;
  readonly changes: readonly Changed[];
  readonly wasConfirmed: boolean;
}

interface Shown extends ErpOrderFact {
  readonly learnedAt: string;
  /** Something is sent to the ERP just now that changes it. */
  readonly isChanging: boolean;
  /** Its lines, with or without the charges of ours, come to its net. Null: none are pulled. */
  readonly linesWhole: boolean | null;
  /** Lines are pulled of this company's ERP orders. */
  readonly linesPulled: boolean;
}

/**
 * An ERP writes an order and its lines into two files, and one of them may be pulled first. What
 * has no line yet is not read back, however long that takes; of one that has, more come within an
 * hour.
 */
const LINES_WITHIN_HOURS = 1;
/** Orders are pulled once a day at least, so that another part of one is here by then. */
const PARTS_WITHIN_HOURS = 24;

const isWithin = ({ learnedAt }: Shown, hours: number, at: Temporal.Instant): boolean =>
  Temporal.Instant.compare(at, Temporal.Instant.from(learnedAt).add({ hours })) < 0;

function areLinesDue(row: Shown, at: Temporal.Instant): boolean {
  const { lines = null, linesWhole, linesPulled } = row;
  if (!linesPulled || linesWhole === true) return false;
  return lines === null || isWithin(row, LINES_WITHIN_HOURS, at);
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

/** What an answer "a" says may be of before a change that the ERP has made or makes just now. */
const STALE = `(exists (select 1 from web_order_change c
    where c.company = o.company and c.order_id = o.id and c.state = 'done'
      and a.learned_at <= c.ended_at
      and coalesce(a.net = (c.before -> 'body' ->> 'net')::numeric, true))
  or ${isChanging("o")})`;

function isChanging(order: string): string {
  return `exists (select 1 from web_order_intent i where i.company = ${order}.company
      and i.order_id = ${order}.id and i.kind <> 'place' and i.state = 'sending')`;
}

/** Amendments and part cancellations that were made, and those that a person or the ERP makes. */
const CHANGES = `
  (select coalesce(jsonb_agg(jsonb_build_object('askedAt', c.asked_at, 'endedAt', c.ended_at,
            'isDone', c.state = 'done', 'before', c.before -> 'body', 'body', c.body)
            order by c.change), '[]')
     from web_order_change c
    where c.company = o.company and c.order_id = o.id and c.body is not null
      and c.state in ('asked', 'task', 'done'))`;

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

/** False: the ERP has renamed or removed it, so that its documents are another's now. */
const ACCOUNT_STANDS = `exists (select 1 from customer c
    where c.company = o.company and c.account = o.account)`;

/**
 * Of an invoice "d" that bears the number of an order "o": it is not of that one. What was never
 * sent is nowhere, unless staff keyed it: then its invoice is its customer's.
 */
export const FOREIGN = `(not ${FOUND_DROPPED} and (d.learned_at < o.received_at
      or d.document_on < o.ordered_on - 31)
    or o.state in ('held', 'queued') and not ${isOwnAccount("d")})`;

/** Another web order of ours that has this order of the ERP, or whose number stands on it. */
const anothers = (row: string, says = "null") => `(select min(x.number) from web_order x
    where x.company = o.company and x.id <> o.id and not x.test
      and (x.erp_order = ${row}.erp_order and x.state not in ('refused', 'cancelled')
           or x.number_folded = lower(${says})))`;

/** Another one that was read back as this order of the ERP, before that bore our number. */
const anothersBefore = (row: string) => `(select min(x.number) from web_order x
    where x.company = o.company and x.id <> o.id and not x.test
      and x.erp_order = ${row}.erp_order and x.state = 'confirmed')`;

/** When a person has looked at what the ERP shows of an order "o" in spite of what is said here. */
const LOOKED_AT = `(select max(v.at) from web_order_event v
    where v.company = o.company and v.order_id = o.id
      and (v.event = 'resolve' or v.event = 'cancel' and v.from_state = 'conflict'))`;

/** Since then its documents are news of an order that was given up. */
const GIVEN_UP = `coalesce((select least(max(c.asked_at), o.changed_at) from web_order_change c
    where c.company = o.company and c.order_id = o.id and c.state = 'done' and c.body is null),
  o.changed_at)`;

/** An invoice "d" of it, that no person has seen yet. */
const IS_INVOICED = `d.company = o.company and d.document_type = 'invoice'
     and ${NAMED} and not ${FOREIGN}
     and (o.state not in ('refused', 'cancelled') or d.learned_at > ${GIVEN_UP})
     and d.learned_at > coalesce(${LOOKED_AT}, '-infinity')`;

/**
 * An invoice that names an order shows that the ERP has it; of one that was given up, when it came
 * after that was asked for. What it comes to is told for all of them together.
 */
const INVOICED = `
  select d.company, 'accepted', d.erp_order, null, null::numeric, null::numeric,
         max(d.document_on), max(d.learned_at),
         min(d.account) filter (where not ${isOwnAccount("d")} and ${ACCOUNT_STANDS}),
         'invoiced it as ' || min(d.document)
    from sales_document d where ${IS_INVOICED}
   group by d.company, d.erp_order`;

/** Null: nothing of it is invoiced. */
const CHARGED = `
  (select jsonb_build_object('invoices', ${INVOICES}, 'net', o.invoiced_net::text,
            'vat', o.invoiced_vat::text, 'creditedNet', o.credited_net::text,
            'other', (o.invoiced_charges + o.invoiced_apart)::text, 'lines', lines.all_of_it,
            'papers', ${creditedPapers(NAMED)})
     from (
       select jsonb_agg(jsonb_build_object('product', l.product, 'quantity', l.quantity::text,
                'net', l.net::text, 'invoiced', l.invoiced_quantity::text,
                'credited', l.credited_quantity::text) order by l.line) as all_of_it
         from web_order_line l where l.company = o.company and l.order_id = o.id) lines
    where o.invoiced_net <> 0)`;

/** Notes tell it, or the lines of the ERP's order do. */
const SENT_OF_GIVEN_UP = `
  select n.company, n.erp_order, n.despatch, n.learned_at from despatch_line n
   where n.company = o.company and n.erp_order = o.erp_order
   union all
  select n.company, n.erp_order, n.erp_order, n.learned_at from erp_order_line n
   where n.company = o.company and n.erp_order = o.erp_order and n.despatched_quantity > 0`;

/** Goods of an order that was given up, sent after that. */
const DESPATCHED = `
  select x.company, 'accepted', x.erp_order, null, null::numeric, null::numeric,
         null::date, max(x.learned_at), null, 'despatched it as ' || min(x.despatch)
    from (${SENT_OF_GIVEN_UP}) x
   where o.state = 'cancelled' and x.learned_at > ${GIVEN_UP}
     and x.learned_at > coalesce(${LOOKED_AT}, '-infinity') and ${ITS_ALONE}
   group by x.company, x.erp_order`;

/** By what was read, or by a person. */
const WAS_CONFIRMED = `exists (select 1 from web_order_event v
    where v.company = o.company and v.order_id = o.id and v.to_state = 'confirmed')`;

/**
 * An order is known by the number it bears there, which some ERPs write in capitals, or by the
 * number that the ERP gave when it took it.
 */
const SEEN = `${SENT}
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('outcome', a.outcome, 'erpOrder', a.erp_order,
             'reason', a.reason, 'net', a.net::text, 'vat', a.vat::text,
             'account', a.account, 'shown', a.shown, 'another', ${anothers("a")},
             'stale', ${STALE})
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
             'linesWhole', l.whole, 'isChanging', ${isChanging("o")},
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
    `select acknowledgements, "erpOrders", ${CHARGED} as charged, ${CHANGES} as changes,
              ${WAS_CONFIRMED} as "wasConfirmed"
       from web_order o ${SEEN}
      where o.company = $1 and o.id = $2`,
    [order.company, order.id],
  );
  return seen === undefined ? null : judged(order, seen, context.now());
}

const BILL_IS_NEWS = `case o.state
    when 'confirmed' then not ${isOwnAccount("e")}
    else e.learned_at > ${GIVEN_UP} end`;

/** It was learned while a change was made there, or before anybody knew that it was. */
const IS_OF_A_CHANGE = `exists (select 1 from web_order_change c
     where c.company = o.company and c.order_id = o.id and c.state = 'done'
       and c.body is not null and e.learned_at > c.asked_at and e.learned_at <= c.ended_at)`;

/** It was confirmed before all of it was here to be compared. */
const IS_UNREAD = `(not o.lines_read and (o.erp_net is null or exists (
    select 1 from erp_order_line x where x.company = $1 and x.erp_order = e.erp_order)))`;

/**
 * Orders that are not over; and of those that are, the ones of which the ERP shows something else
 * than that: what `judge` makes a move of is among them. $2: those to look at, null: all.
 */
const TO_JUDGE = `
  with over_orders as materialized (
    select company, id, number, account, net, vat, invoiced_net, invoiced_vat, state, erp_order,
           changed_at, erp_net, lines_read from web_order
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
                                              or ${IS_OF_A_CHANGE} or ${IS_UNREAD}
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
    -- What is invoiced cannot differ where all of it is all that was agreed.
    select id from over_orders
     where state = 'confirmed' and invoiced_net <> 0
       and (invoiced_net, invoiced_vat) <> (net, vat)
    union
    select o.id from over_orders o cross join lateral (${SENT_OF_GIVEN_UP}) e
     where o.state = 'cancelled' and e.learned_at > ${GIVEN_UP})
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
      `select ${ORDER_COLUMNS}, acknowledgements, "erpOrders", ${CHARGED} as charged,
              ${CHANGES} as changes,
              ${WAS_CONFIRMED} as "wasConfirmed"
         from web_order o ${SEEN}
        where company = $1 and id = any($2::uuid[])
          and (acknowledgements <> '[]' or "erpOrders" <> '[]' or invoiced_net <> 0)
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
  const agreed = { ...order.body, ...order };
  const changed = seen.changes.flatMap(({ before, body }) => [before ?? body, body]);
  const rows = seen.erpOrders.map((row) => ({
    ...row,
    ...withLines(row, at),
    partsDue: isWithin(row, PARTS_WITHIN_HOURS, at),
    linesSoFar: row.lines ?? null,
  }));
  const erpOrders = partsAsOne([agreed, ...changed], order.erpOrder, rows).map((row) =>
    besideChanges(agreed, row, seen.changes),
  );
  const verdict = judge(agreed, { ...seen, erpOrders });
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
      linesRead: verdict.linesRead === true || order.linesRead,
      answerDueAt: null,
      nextAttemptAt: null,
    },
  };
}
