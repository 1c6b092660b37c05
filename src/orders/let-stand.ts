/**
 * What an order comes to once a person lets stand what the ERP has of it, and what that means for
 * what was paid beforehand. The order itself stays as it was agreed.
 */
import { decimal, type Money } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { erpLines } from "./erp-lines.ts";
import { standingsOf, type LetStand, type Standing } from "./owed.ts";

/** What the ERP states of it. */
export interface StatedThere {
  readonly erpOrder: string | null;
  readonly net: string | null;
  /** Null: not stated; as of what was agreed. */
  readonly vat: string | null;
}

/** By ids; absent: the ERP states no sum of it, so that it comes to what was agreed. */
export async function letStandAs(
  on: Queryable,
  company: string,
  asked: readonly { readonly order: OrderRow; readonly there: StatedThere }[],
): Promise<LetStand> {
  const stated = asked.filter(({ there }) => there.net !== null);
  if (stated.length === 0) return {};
  const named = stated.map(({ order, there }) => ({ id: order.id, erpOrder: there.erpOrder }));
  const rows = await on.query<Line>(LINES, [company, JSON.stringify(named)]);
  const byOrder = Map.groupBy(rows, ({ id }) => id);
  return Object.fromEntries(
    stated.map(({ order, there }) => [
      order.id,
      asThere(order, there, byOrder.get(order.id) ?? []),
    ]),
  );
}

/** A line of ours, or one there that is none of ours: what was agreed, and its net there. */
interface Line {
  readonly id: string;
  readonly line: string | null;
  readonly net: string | null;
  readonly gross: string | null;
  /** Null: no line there is of it. */
  readonly netThere: string | null;
}

const NAMED = `(select o.company, o.id, o.number, o.account, n."erpOrder" as erp_order,
    o.settled || to_jsonb(array[n."erpOrder"]) as settled
  from jsonb_to_recordset($2::jsonb) as n (id uuid, "erpOrder" text)
  join web_order o on o.company = $1 and o.id = n.id)`;

const LINES = `
  with named as ${NAMED},
  there as (
    select x.order_id, x.line, sum(x.net) as net from (${erpLines("named")}) x
      join named on named.id = x.order_id and named.erp_order = x.erp_order
     where x.net is not null group by 1, 2),
  ours as (
    select l.order_id, l.line, l.net, l.net + l.vat as gross from web_order_line l
     where l.company = $1 and l.order_id in (select id from named))
  select coalesce(ours.order_id, there.order_id) as id, ours.line::text as line,
         ours.net::text as net, ours.gross::text as gross, there.net::text as "netThere"
    from ours full join there on there.order_id = ours.order_id and there.line = ours.line`;

/** By its own lines there, where all of them are here; else each comes to its part of the whole. */
function asThere(order: OrderRow, there: StatedThere, rows: readonly Line[]): LetStand[string] {
  const net = there.net ?? order.net;
  const gross = decimal.add(money(net), money(there.vat ?? share(order.vat, net, order.net)));
  const own = rows.flatMap(({ line, net: agreed, gross: whole, netThere }) =>
    line === null || agreed === null || whole === null ? [] : [{ line, agreed, whole, netThere }],
  );
  const lines = areWhole(order, net, rows)
    ? worthsThere(own, there.vat)
    : own.map(
        ({ line, whole }) => [line, share(whole, decimal.format(gross), order.gross)] as const,
      );
  return { gross: decimal.format(gross), lines: Object.fromEntries(lines) };
}

/** With VAT as agreed, and of less where the whole has less: that is of the lines, then. */
function worthsThere(
  own: readonly (Record<"line" | "agreed" | "whole", string> & Pick<Line, "netThere">)[],
  vatThere: string | null,
): (readonly [line: string, worth: string])[] {
  const each = own.map(({ line, agreed, whole, netThere }) => {
    const net = netThere ?? "0";
    return { line, net, vat: decimal.subtract(money(share(net, whole, agreed)), money(net)) };
  });
  const vat = decimal.sum(each.map((one) => one.vat));
  const isLess = vatThere !== null && decimal.compare(money(vatThere), vat) < 0;
  return each.map(({ line, net, vat: own }) => {
    const part = decimal.format(own);
    const of = isLess ? share(part, vatThere, decimal.format(vat)) : part;
    return [line, decimal.format(decimal.add(money(net), money(of)))] as const;
  });
}

/** Some ERPs keep charges beside the lines. */
function areWhole({ body }: OrderRow, net: string, rows: readonly Line[]): boolean {
  const there = rows.flatMap(({ netThere }) => (netThere === null ? [] : [money(netThere)]));
  const charges = decimal.sum(body.charges.map((charge) => money(charge.net)));
  const wholes = [money(net), decimal.subtract(money(net), charges)];
  const sum = decimal.sum(there);
  return there.length > 0 && wholes.some((whole) => decimal.compare(sum, whole) === 0);
}

export async function keepLetStand(
  tx: Queryable,
  { company, id }: OrderRow,
  letStand: LetStand[string] | null,
): Promise<void> {
  await tx.affect("update web_order set stands_gross = $3 where company = $1 and id = $2", [
    company,
    id,
    letStand?.gross ?? null,
  ]);
  await tx.affect(
    `update web_order_line set stands_gross = ($3::jsonb ->> line::text)::numeric
      where company = $1 and order_id = $2`,
    [company, id, JSON.stringify(letStand?.lines ?? {})],
  );
}

/** By ids: what letting them stand means for what was paid; absent: it is just paid. */
export async function moneyIfTheyStand(
  on: Queryable,
  company: string,
  orders: readonly OrderRow[],
  letStand: LetStand,
): Promise<ReadonlyMap<string, string>> {
  const paid = orders.filter(({ test, body }) => !test && body.payment !== null);
  if (paid.length === 0) return new Map();
  const asAgreed: LetStand = Object.fromEntries(
    paid.map(({ id, gross }) => [id, { gross, lines: {} }]),
  );
  const stands = { ...asAgreed, ...letStand };
  const ids = paid.map(({ id }) => id);
  const found = new Map<string, string>();
  for (const standing of await standingsOf(on, company, ids, stands)) {
    const means = inWords(standing);
    if (means !== null) found.set(standing.id, means);
  }
  return found;
}

function inWords({ due, taken, gross }: Standing): string | null {
  const off = decimal.subtract(money(taken), money(due));
  const comes = `it comes to ${due}, and ${taken} was paid`;
  if (off.digits > 0n) return `${comes}: ${decimal.format(off)} is to be given back in all.`;
  const isWhole = decimal.compare(money(taken), money(gross)) >= 0;
  if (off.digits === 0n || !isWhole) return null;
  return `${comes}: ${decimal.format(decimal.negate(off))} is still to be paid.`;
}

/** The part of an amount that `of` is of `whole`, to the penny. */
function share(amount: string, of: string, whole: string): string {
  const [parts, all] = [decimal.digitsAt(money(of), 2), decimal.digitsAt(money(whole), 2)];
  if (all === 0n) return amount;
  const pence = decimal.digitsAt(money(amount), 2) * parts;
  return decimal.format({ digits: decimal.divideRounded(pence, all, "half-away"), scale: 2 });
}

const money = (text: string): Money => decimal.parse<"money">(text);
