/**
 * What staff changed of an order in the ERP after it was confirmed: shown beside what was agreed
 * and told once, never taken over. What makes it another's, or another change than was asked for,
 * is the judge's.
 */
import { decimal } from "../model/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import { addEvent, holdOrders, ordersOf } from "./book.ts";
import { CHARGES_OF, isWhole } from "./charges.ts";
import type { OrdersContext } from "./context.ts";
import { erpHeaders, erpLines } from "./erp-lines.ts";
import { inPages, type Recent } from "./recent.ts";
import { noteChanged } from "./told.ts";
import { suspectTwins } from "./twins.ts";

export interface ErpDifference {
  /** Line of the order; null: the order as a whole, a charge, or a line that only the ERP has. */
  readonly line: number | null;
  /** Of a charge its code. */
  readonly product: string | null;
  readonly what: "quantity" | "price" | "line added" | "line removed" | "net" | "VAT" | "state";
  /** What was agreed; null: it was not there. */
  readonly was: string | null;
  /** What the ERP holds; null: it is not there. */
  readonly is: string | null;
}

/** By order. */
export async function changedInErp(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly ErpDifference[]>> {
  const looks = await on.query<{ order: string; differences: readonly ErpDifference[] }>(
    `select order_id as "order", differences from web_order_erp_look
      where company = $1 and order_id = any($2::uuid[])`,
    [company, orders],
  );
  return new Map(looks.map(({ order, differences }) => [order, differences]));
}

interface Look {
  readonly id: string;
  readonly version: number;
  readonly learnedAt: Temporal.Instant;
  readonly net: string;
  readonly vat: string;
  readonly erpNet: string | null;
  readonly erpVat: string | null;
  readonly erpState: string;
  readonly lines: readonly LineLook[];
  /** They come to what the order is there: what of ours is on none of them is not there. */
  readonly isWhole: boolean;
  /** As they were noticed last; null: it is looked at for the first time. */
  readonly before: readonly ErpDifference[] | null;
}

/** A line or charge of ours, a line of the ERP, or both of them together. */
interface LineLook {
  readonly line: number | null;
  /** A charge's code, where it is one of ours. */
  readonly product: string | null;
  readonly isCharge: boolean;
  readonly quantity: string | null;
  readonly net: string | null;
  readonly erpQuantity: string | null;
  readonly erpNet: string | null;
}

/** Those of $2. */
const CONFIRMED = `
  orders as materialized (
    select company, id, number, version, account, net, vat, erp_order, settled, body
      from web_order
     where company = $1 and state = 'confirmed' and not test
       and id = any($2::uuid[])),
  headers as materialized (
    select h.id, e.* from (${erpHeaders("orders")}) h
      join orders o on o.id = h.id
      join erp_order e on e.company = $1 and e.erp_order = h.erp_order
     where h.erp_order = o.erp_order
        -- Another one that a person has settled is none of its parts.
        or h.state <> 'cancelled' and not o.settled ? h.erp_order),
  -- One that is there in parts comes to what all of them do.
  there as (
    select o.*, own.state as erp_state, parts.* from orders o
      join erp_order own on own.company = $1 and own.erp_order = o.erp_order
      join (select id as order_id, max(learned_at) as at,
                   case when count(net) = count(*) then sum(net) end as erp_net,
                   case when count(vat) = count(*) then sum(vat) end as erp_vat
              from headers group by id) parts on parts.order_id = o.id),
  sums as (
    select h.id, sum(x.net) as net, max(x.learned_at) as at
      from headers h join erp_order_line x on x.company = $1 and x.erp_order = h.erp_order
     group by h.id)`;

/**
 * Confirmed orders whose rows in the ERP, or who themselves, moved since they were compared. Rows
 * that were pulled before a change was done show the order before it.
 */
const MOVED = `
  with ${CONFIRMED}
  select o.id
    from there o
    left join sums s on s.id = o.id
    left join web_order_erp_look k on k.company = $1 and k.order_id = o.id
   where (k.version, k.learned_at) is distinct from (o.version, greatest(o.at, s.at))
     and not exists (select 1 from web_order_change c
                      where c.company = $1 and c.order_id = o.id
                        and (c.state in ('asked', 'task')
                             or c.state = 'done' and c.ended_at >= greatest(o.at, s.at)))
   order by o.id`;

const LINE_OR_CODE = (of: string): string =>
  `case when ${of}.line is null then 'code ' || ${of}.product else 'line ' || ${of}.line end`;

/**
 * What is on lines is compared with what was agreed; what is on none of them is missing only where
 * all are here. Those of an order that is cancelled there, and was keyed anew, are no part of what
 * the ERP holds. A charge on a line under its code is that charge; on none, the totals hold it.
 */
const LOOKS = `
  with ${CONFIRMED},
  found as materialized (
    select o.*, s.at as lines_at,
           o.erp_net is null or ${isWhole("s.net", "o.erp_net", "o.erp_order")} as is_whole
      from there o left join sums s on s.id = o.id),
  theirs as materialized (
    select x.order_id, x.line, min(x.product) as product, sum(x.quantity) as quantity,
           sum(x.net) as net
      from (${erpLines("found")}) x
      join found w on w.id = x.order_id
     where x.product is not null and (x.state <> 'cancelled' or x.erp_order = w.erp_order)
     group by x.order_id, x.line, case when x.line is null then x.product end),
  ours as (
    select l.order_id, l.line, l.product, l.quantity, l.net, false as is_charge
      from web_order_line l
     where l.company = $1 and l.order_id in (select order_id from theirs)
    union all
    select w.id, null, c.charge, null, c.net, true
      from found w cross join lateral ${CHARGES_OF("w")} c
      join theirs t on t.order_id = w.id and t.line is null and t.product = c.charge),
  lines as (
    select coalesce(l.order_id, t.order_id) as order_id,
           jsonb_agg(jsonb_build_object('line', l.line, 'isCharge', coalesce(l.is_charge, false),
             'product', coalesce(l.product, t.product), 'quantity', l.quantity::text,
             'net', l.net::text, 'erpQuantity', t.quantity::text, 'erpNet', t.net::text)
             order by l.line nulls last, t.product) as lines
      from ours l
      full join theirs t on t.order_id = l.order_id and ${LINE_OR_CODE("t")} = ${LINE_OR_CODE("l")}
     group by 1)
  select o.id, o.version, greatest(o.at, o.lines_at) as "learnedAt", o.net, o.vat,
         o.erp_net as "erpNet", o.erp_vat as "erpVat", o.erp_state as "erpState",
         o.is_whole as "isWhole", k.differences as before, coalesce(l.lines, '[]') as lines
    from found o
    left join lines l on l.order_id = o.id
    left join web_order_erp_look k on k.company = $1 and k.order_id = o.id
   order by o.id`;

/**
 * After each pull, of what is new: what staff did in the ERP, and what they may have keyed a second
 * time.
 */
export async function noticeWhatStaffDid(context: OrdersContext, recent: Recent): Promise<void> {
  const { store, company, now } = context;
  await noticeErpChanges(context, recent.orders);
  const twins = await store.transaction((tx) => suspectTwins(tx, company, now(), recent));
  if (twins > 0)
    context.log("warn", `${twins} ERP orders may be web orders a second time: orders desk`);
}

/** Orders that are compared and written in one transaction. */
const AT_ONCE = 500;

async function noticeErpChanges(
  context: OrdersContext,
  among: readonly string[] | null,
): Promise<void> {
  const { store, company, now } = context;
  for await (const page of inPages(context, among)) {
    const moved = await store.query<{ id: string }>(MOVED, [company, page]);
    for (let from = 0; from < moved.length; from += AT_ONCE) {
      const ids = moved.slice(from, from + AT_ONCE).map(({ id }) => id);
      await store.transaction((tx) => compareAndTell(tx, company, ids, now()));
    }
  }
}

async function compareAndTell(
  tx: Transaction,
  company: string,
  ids: readonly string[],
  at: Temporal.Instant,
): Promise<void> {
  // Held, so that the pages of their books do not clash, and no two tell of the same.
  await holdOrders(tx, company, ids);
  const looks = await tx.query<Look>(LOOKS, [company, ids]);
  const compared = looks.map((look) => ({ look, differences: differencesOf(look) }));
  await keep(tx, company, compared, at);
  const news = compared.filter(
    ({ look: { before }, differences }) => textOf(before ?? []) !== textOf(differences),
  );
  const rows = new Map(
    (
      await ordersOf(
        tx,
        company,
        news.map(({ look }) => look.id),
      )
    ).map((order) => [order.id, order]),
  );
  for (const { look, differences } of news) {
    const order = rows.get(look.id);
    if (order === undefined) continue;
    await addEvent(tx, order, {
      event: "erp-change",
      fromState: order.state,
      toState: order.state,
      who: "erp",
      at,
      about: inWords(differences),
    });
    await noteChanged(tx, order, "order.changed-in-erp", at);
  }
}

interface Compared {
  readonly look: Look;
  readonly differences: readonly ErpDifference[];
}

async function keep(
  tx: Transaction,
  company: string,
  compared: readonly Compared[],
  at: Temporal.Instant,
): Promise<void> {
  const rows = compared.map(({ look: { id, version, learnedAt }, differences }) => ({
    id,
    version,
    learnedAt: learnedAt.toString(),
    differences,
  }));
  await tx.affect(
    `insert into web_order_erp_look (company, order_id, version, learned_at, differences, noticed_at)
     select $1, row.id, row.version, row."learnedAt", row.differences, $3
       from jsonb_to_recordset($2::jsonb) as row (id uuid, version int, "learnedAt" timestamptz,
              differences jsonb)
     on conflict (company, order_id) do update
        set version = excluded.version, learned_at = excluded.learned_at,
            differences = excluded.differences,
            noticed_at = case when web_order_erp_look.differences = excluded.differences
                              then web_order_erp_look.noticed_at else excluded.noticed_at end`,
    [company, JSON.stringify(rows), at],
  );
}

/** The database keeps the fields of a value in an order of its own. */
function textOf(differences: readonly ErpDifference[]): string {
  return JSON.stringify(
    differences.map(({ line, product, what, was, is }) => [line, product, what, was, is]),
  );
}

function differencesOf(look: Look): ErpDifference[] {
  const { net, vat, erpNet, erpVat, erpState } = look;
  const found = look.lines.flatMap(look.isWhole ? ofLine : ofSomeLine);
  const whole = (what: "net" | "VAT", was: string, is: string | null): ErpDifference[] =>
    is === null || money(is) === money(was)
      ? []
      : [{ line: null, product: null, what, was: money(was), is: money(is) }];
  const state: ErpDifference[] =
    erpState === "cancelled"
      ? [{ line: null, product: null, what: "state", was: "open", is: "cancelled" }]
      : [];
  return [...state, ...found, ...whole("net", net, erpNet), ...whole("VAT", vat, erpVat)];
}

/** Where others are missing: what is more than was agreed. What it costs only the whole says. */
function ofSomeLine(look: LineLook): ErpDifference[] {
  const { quantity, erpQuantity } = look;
  return ofLine(look).filter(
    ({ what }) =>
      what === "line added" ||
      (what === "quantity" &&
        decimal.compare(decimal.parse(erpQuantity ?? "0"), decimal.parse(quantity ?? "0")) > 0),
  );
}

function ofLine(look: LineLook): ErpDifference[] {
  const { line, product, isCharge, quantity, net, erpQuantity, erpNet } = look;
  const of = { line, product };
  if (isCharge) return chargeDiffers(of, net ?? "0", erpNet ?? "0");
  if (quantity === null || net === null)
    return [{ ...of, what: "line added", was: null, is: plain(erpQuantity ?? "0") }];
  if (erpQuantity === null || erpNet === null)
    return [{ ...of, what: "line removed", was: plain(quantity), is: null }];
  const found: ErpDifference[] = [];
  if (plain(quantity) !== plain(erpQuantity))
    found.push({ ...of, what: "quantity", was: plain(quantity), is: plain(erpQuantity) });
  const expected = scaledNet(net, quantity, erpQuantity);
  const off = decimal.subtract(decimal.parse(erpNet), expected);
  // Of another quantity the net is rounded anew: a penny is no other price.
  const most = found.length === 0 ? 0n : 1n;
  const digits = decimal.digitsAt(off, 2);
  if (digits > most || digits < -most)
    found.push({ ...of, what: "price", was: decimal.format(expected), is: money(erpNet) });
  return found;
}

/** However many of it there are there: it is what it comes to. */
function chargeDiffers(
  of: Pick<ErpDifference, "line" | "product">,
  net: string,
  erpNet: string,
): ErpDifference[] {
  const [was, is] = [money(net), money(erpNet)];
  return was === is ? [] : [{ ...of, what: "price", was, is }];
}

/** What so many would come to at the price agreed. */
function scaledNet(net: string, quantity: string, erpQuantity: string): decimal.Decimal {
  const [of, to] = [quantity, erpQuantity].map((text) =>
    decimal.digitsAt(decimal.parse(text), QUANTITY_PLACES),
  );
  if (of === undefined || to === undefined || of === 0n) return decimal.zero();
  const pence = decimal.digitsAt(decimal.parse(net), 2);
  return { digits: decimal.divideRounded(pence * to, of, "half-away"), scale: 2 };
}

const QUANTITY_PLACES = 5;

function plain(quantity: string): string {
  return decimal.canonical(decimal.parse(quantity));
}

function money(text: string): string {
  return decimal.format(decimal.parse(text));
}

function inWords(differences: readonly ErpDifference[]): string {
  if (differences.length === 0) return "The ERP holds what was agreed again.";
  const said = differences.map(({ line, product, what, was, is }) => {
    const where = line === null ? (product ?? "the order") : `line ${line} (${product ?? ""})`;
    return `${where}: ${what} ${was ?? "none"} → ${is ?? "none"}`;
  });
  return `Changed in the ERP: ${said.join("; ")}.`;
}
