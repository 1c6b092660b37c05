/**
 * Orders of a connection in shadow: rendered and kept as they would have been handed over, never
 * sent, and compared with what staff keyed for them once that is pulled.
 */
import { createHash } from "node:crypto";
import type { RenderedTable } from "../mapping/index.ts";
import { decimal } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { move, type OrderRow } from "./book.ts";
import { OTHERS } from "./changes/versions.ts";
import type { OrdersContext } from "./context.ts";
import { heldSince } from "./held-since.ts";
import { bears } from "./same-number.ts";
import {
  compareShadows,
  type KnownBy,
  type ShadowCase,
  type ShadowDifference,
  type ShadowVerdict,
} from "./shadow-compare.ts";

/** Renders the order, keeps that, and ends its way: it is never sent, whatever happens later. */
export async function shadowOrder(context: OrdersContext, order: OrderRow): Promise<void> {
  const at = context.now();
  const { payload, problem } = rendered(context, order);
  const text = payload === null ? null : JSON.stringify(payload);
  await context.store.transaction(async (tx) => {
    await move(tx, order, {
      event: "shadow",
      who: "tradepost",
      at,
      about:
        problem === null
          ? "Written as it would be handed over, and not sent: the connection is in shadow."
          : `It could not be written: ${problem}`,
      reasons: problem === null ? [] : [`It could not be written: ${problem}`],
      set: { nextAttemptAt: null },
    });
    await tx.affect(
      `insert into web_order_shadow (company, order_id, shadowed_at, payload, sha256, problem,
         verdict, erp_orders, known_by, differences, compared_at)
       values ($1, $2, $3, $4, $5, $6, $7, '[]', null, '[]', null)
       on conflict (company, order_id) do nothing`,
      [
        order.company,
        order.id,
        at,
        text,
        text === null ? null : createHash("sha256").update(text).digest("hex"),
        problem,
        problem === null ? "not-keyed" : "not-rendered",
      ],
    );
  });
}

function rendered({ outbound }: OrdersContext, { number, body }: OrderRow) {
  try {
    return { payload: { key: number, tables: outbound.render(body) }, problem: null };
  } catch (error) {
    return { payload: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** How long after the day of an order staff may key it and it is still looked for. */
const LOOKED_FOR_DAYS = 90;

/**
 * Compares what was shadowed with the ERP's own orders; only when one of the two is newer than the
 * last comparison.
 */
export async function compareShadowed(context: OrdersContext): Promise<number> {
  const { store, company } = context;
  const [news] = await store.query<{ due: boolean }>(
    `select exists (select 1 from web_order_shadow where company = $1 and payload is not null) and (
       exists (select 1 from web_order_shadow
                where company = $1 and payload is not null and compared_at is null)
       or exists (select 1 from erp_order where company = $1 and learned_at >=
            (select max(compared_at) from web_order_shadow where company = $1))
       or exists (select 1 from erp_order_line where company = $1 and learned_at >=
            (select max(compared_at) from web_order_shadow where company = $1))) as due`,
    [company],
  );
  if (news?.due !== true) return 0;
  const at = context.now();
  const rows = await store.query<ShadowCase & { id: string }>(CASES, [
    company,
    at.subtract({ hours: 24 * LOOKED_FOR_DAYS }),
  ]);
  const verdicts = compareShadows(rows);
  await keep(
    context,
    rows.map(({ id }) => id),
    verdicts,
  );
  return verdicts.length;
}

/** What was cancelled there, or is known to be another web order's, counts for nothing. */
const CASE = `
  o.id, o.body as "order", ${OTHERS} as others, (
    select coalesce(jsonb_agg(jsonb_build_object('erpOrder', e.erp_order, 'account', e.account,
             'orderedOn', e.ordered_on, 'webOrder', e.web_order,
             'customerReference', e.customer_reference, 'net', e.net::text, 'vat', e.vat::text,
             'lines', (select coalesce(jsonb_agg(jsonb_build_object('product', l.product,
                         'quantity', l.quantity::text, 'net', l.net::text,
                         'isProduct', exists (select 1 from product p
                           where p.company = l.company and p.product = l.product))), '[]')
                         from erp_order_line l
                        where l.company = e.company and l.erp_order = e.erp_order))
             order by e.erp_order), '[]')
      from erp_order e
     where e.company = o.company and e.state <> 'cancelled'
       and not exists (select 1 from web_order other
                        where other.company = o.company and other.erp_order = e.erp_order
                          and other.id <> o.id)
       and (${bears("e.web_order")}
            or e.account = o.account
               and e.ordered_on between o.ordered_on - 7 and o.ordered_on + 31)) as candidates`;

const CASES = `
  select ${CASE}
    from web_order_shadow s
    join web_order o on o.company = s.company and o.id = s.order_id
   where s.company = $1 and s.payload is not null and s.shadowed_at >= $2
     and o.state = 'shadowed'
   order by s.shadowed_at, o.id`;

/** An account's orders that nobody sent while staff were to key them: shadowed, or held since. */
const UNSENT_CASES = `
  select ${CASE}
    from web_order o
   where o.company = $1 and o.account = $3 and not o.test and (o.state = 'shadowed' and o.received_at >= $2
      or o.state = 'held' and ${heldSince("o")})
   order by o.id`;

/**
 * What staff keyed for an order that was held back while they may have; null: nothing is seen. Any
 * order that has all of its goods may be it: a question too many costs less than goods sent twice.
 */
export async function keyedMeanwhile(
  on: Queryable,
  { company, id, account, receivedAt }: Pick<OrderRow, "company" | "id" | "account" | "receivedAt">,
): Promise<Pick<ShadowVerdict, "erpOrders" | "knownBy"> | null> {
  const since = receivedAt.subtract({ hours: 24 * LOOKED_FOR_DAYS });
  const rows = await on.query<ShadowCase & { id: string }>(UNSENT_CASES, [company, since, account]);
  // With all that wait like it: what staff keyed once was keyed for one of them.
  const verdicts = compareShadows(rows, "anything");
  return verdicts[rows.findIndex((row) => row.id === id)] ?? null;
}

async function keep(
  { store, company, now }: OrdersContext,
  ids: readonly string[],
  verdicts: readonly ShadowVerdict[],
): Promise<void> {
  const rows = verdicts.map((verdict, index) => ({ id: ids[index], ...verdict }));
  await store.affect(
    `update web_order_shadow s
        set verdict = v.verdict, erp_orders = v."erpOrders", known_by = v."knownBy",
            differences = v.differences, compared_at = $2
       from jsonb_to_recordset($3::jsonb) as v (id uuid, verdict text, "erpOrders" jsonb,
              "knownBy" text, differences jsonb)
      where s.company = $1 and s.order_id = v.id`,
    [company, now(), JSON.stringify(rows)],
  );
}

export interface ShadowedOrder {
  readonly order: string;
  readonly account: string;
  readonly shadowedAt: Temporal.Instant;
  readonly net: string;
  readonly vat: string;
  /** not-keyed-yet: staff have until the answer to an order is due. */
  readonly verdict: ShadowVerdict["verdict"] | "not-keyed-yet" | "not-rendered";
  readonly erpOrders: readonly string[];
  readonly knownBy: KnownBy | null;
  readonly differences: readonly ShadowDifference[];
  readonly problem: string | null;
  /** SHA-256 of what would have been handed over; null: it could not be written. */
  readonly sha256: string | null;
}

export interface ShadowReport {
  /** Newest first. */
  readonly orders: readonly ShadowedOrder[];
  readonly counts: Readonly<Record<ShadowedOrder["verdict"], number>>;
  /** Of those that could be compared, in percent with two places; null: none could. */
  readonly equalPercent: string | null;
}

export async function shadowReport(context: OrdersContext): Promise<ShadowReport> {
  const { store, company, settings } = context;
  const due = context.now().subtract({ minutes: Math.round(settings.answerWithinHours * 60) });
  const orders = await store.query<ShadowedOrder>(
    `select o.number as "order", o.account, s.shadowed_at as "shadowedAt", o.net, o.vat,
            case when s.verdict = 'not-keyed' and s.shadowed_at > $2 then 'not-keyed-yet'
                 else s.verdict end as verdict,
            s.erp_orders as "erpOrders", s.known_by as "knownBy", s.differences, s.problem, s.sha256
       from web_order_shadow s join web_order o on o.company = s.company and o.id = s.order_id
      where s.company = $1 and o.state = 'shadowed' order by s.shadowed_at desc, o.id desc`,
    [company, due],
  );
  const of = (verdict: ShadowedOrder["verdict"]) =>
    orders.filter((order) => order.verdict === verdict).length;
  const counts = {
    equal: of("equal"),
    different: of("different"),
    "keyed-twice": of("keyed-twice"),
    "not-keyed": of("not-keyed"),
    "not-rendered": of("not-rendered"),
    "not-keyed-yet": of("not-keyed-yet"),
  };
  return {
    orders,
    counts,
    equalPercent: shareOf(counts.equal, orders.length - counts["not-keyed-yet"]),
  };
}

/** An order as it would have been handed over. */
export interface ShadowPayload {
  /** The order's number. */
  readonly key: string;
  readonly tables: readonly RenderedTable[];
}

/** What would have been handed over: its tables; null: no such order was shadowed. */
export async function shadowPayload(
  { store, company }: OrdersContext,
  number: string,
): Promise<ShadowPayload | null> {
  const [row] = await store.query<{ payload: ShadowPayload | null }>(
    `select s.payload from web_order_shadow s
       join web_order o on o.company = s.company and o.id = s.order_id
      where s.company = $1 and o.number = $2`,
    [company, number],
  );
  return row?.payload ?? null;
}

/** Rounded down: 100.00 only when all are. */
function shareOf(equal: number, compared: number): string | null {
  if (compared === 0) return null;
  return decimal.format(decimal.integer(Math.floor((equal * 10_000) / compared), 2));
}
