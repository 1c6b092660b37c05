/**
 * What an order comes to once a person lets stand what the ERP has of it, and what that means for
 * what was paid beforehand. The order itself stays as it was agreed.
 */
import { decimal, type Money } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { OrderRow } from "./book.ts";
import { erpLines } from "./erp-lines.ts";
import { standingOf, type LetStand } from "./owed.ts";

/** What the ERP states of it. */
export interface StatedThere {
  readonly erpOrder: string | null;
  readonly net: string | null;
  /** Null: not stated; as of what was agreed. */
  readonly vat: string | null;
}

/** Null: the ERP states no sum of it, so that it comes to what was agreed. */
export async function letStandAs(
  on: Queryable,
  order: OrderRow,
  there: StatedThere,
): Promise<LetStand[string] | null> {
  if (there.net === null) return null;
  const own = await on.query<Agreed>(
    `select line::text as line, net::text as net, (net + vat)::text as gross from web_order_line
      where company = $1 and order_id = $2`,
    [order.company, order.id],
  );
  const vat = there.vat ?? share(order.vat, there.net, order.net);
  const gross = decimal.add(money(there.net), money(vat));
  const theirs = await linesThere(on, order, there);
  const lines = own.map((line): [string, string] => {
    if (theirs === null) return [line.line, share(line.gross, decimal.format(gross), order.gross)];
    return [line.line, share(theirs.get(line.line) ?? "0", line.gross, line.net)];
  });
  return { gross: decimal.format(gross), lines: Object.fromEntries(lines) };
}

interface Agreed {
  readonly line: string;
  readonly net: string;
  readonly gross: string;
}

/** The net there by line of ours; null: no lines are here, or not all of them. */
async function linesThere(
  on: Queryable,
  { company, id, body }: OrderRow,
  { erpOrder, net }: StatedThere,
): Promise<ReadonlyMap<string, string> | null> {
  const named = `(select company, id, number, account, $3::text as erp_order,
    settled || to_jsonb(array[$3::text]) as settled from web_order where company = $1 and id = $2)`;
  const rows = await on.query<{ line: string | null; net: string }>(
    `select line::text as line, sum(net)::text as net from (${erpLines(named)}) there
      where erp_order = $3 and net is not null group by line`,
    [company, id, erpOrder],
  );
  const sum = decimal.sum(rows.map((row) => money(row.net)));
  const charges = decimal.sum(body.charges.map((charge) => money(charge.net)));
  const wholes = [money(net ?? "0"), decimal.subtract(money(net ?? "0"), charges)];
  if (rows.length === 0 || wholes.every((whole) => decimal.compare(sum, whole) !== 0)) return null;
  return new Map(rows.map((row) => [row.line ?? "", row.net]));
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

/** What letting it stand means for what was paid; null: nothing is too much or lacks. */
export async function moneyIfItStands(
  on: Queryable,
  order: OrderRow,
  letStand: LetStand[string] | null,
): Promise<string | null> {
  if (order.test || order.body.payment === null) return null;
  const stands = letStand ?? { gross: order.gross, lines: {} };
  const standing = await standingOf(on, order.company, order.id, { [order.id]: stands });
  if (standing === null) return null;
  const [due, paid] = [money(standing.due), money(standing.taken)];
  const off = decimal.subtract(paid, due);
  const comes = `it comes to ${decimal.format(due)}, and ${decimal.format(paid)} was paid`;
  if (off.digits > 0n) return `${comes}: ${decimal.format(off)} is to be given back in all.`;
  const isWhole = decimal.compare(paid, money(standing.gross)) >= 0;
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
