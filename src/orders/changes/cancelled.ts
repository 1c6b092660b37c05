/** An order without some of its goods: what is taken off each line, and what is left to ask. */
import { decimal, type WebOrder } from "../../model/index.ts";
import type { Queryable } from "../../store/index.ts";
import { OrderError, type OrderRow } from "../book.ts";
import { delivered as deliveredIn } from "../delivered.ts";
import { orderRequest, type OrderRequest } from "../request.ts";
import { madeFrom } from "./made-from.ts";
import type { CancelledLine, ChangeRow } from "./rows.ts";

/** Of one line. */
export interface LineLess {
  readonly line: number;
  /** Selling units; null: all that is not despatched or invoiced. */
  readonly quantity: string | null;
}

interface Less {
  readonly request: OrderRequest;
  /** By place: the number of the line that it is what is left of. */
  readonly numbers: readonly (number | null)[];
  readonly cancelled: readonly CancelledLine[];
}

interface Standing {
  readonly line: number;
  readonly delivered: string;
}

/**
 * Null: nothing of it would be left, so that it is cancelled as a whole. `given`: goods that a
 * promotion gives may be among the lines, and follow those that they are given for.
 */
export async function lessOf(
  tx: Queryable,
  order: OrderRow,
  pending: ChangeRow | null,
  lines: readonly LineLess[] | null,
  { given: follows } = { given: lines === null },
): Promise<Less | null> {
  const body = pending?.body ?? order.body;
  const delivered = await deliveredOf(tx, order);
  const wanted = lines ?? body.lines.map(({ line }) => ({ line, quantity: null }));
  const cancelled = wanted.map((one) => takenOff(order, body, delivered, one));
  const some = cancelled.filter(({ quantity }) => decimal.parse(quantity).digits > 0n);
  if (some.length === 0)
    throw impossible(order, "nothing is left of it that was not despatched or invoiced", RETURN);
  const left = leftOf(body, some);
  if (left.every(({ quantity }) => quantity === "0")) return null;
  const request = await lastRequest(tx, order, pending);
  const { lines: reduced, given } = reducedLines(order, request, left);
  if (given !== undefined && !follows)
    throw impossible(
      order,
      `line ${given} is given by a promotion`,
      "Cancel the lines that it is given for.",
    );
  if (reduced.length === 0)
    throw impossible(order, "only what a promotion gives would be left", "Cancel all of it.");
  const { net: _net, vat: _vat, gross: _gross, ...head } = request;
  const asked = reduced.map(({ line }) => line);
  return {
    request: orderRequest.parse({ ...head, currency: body.currency, lines: asked }),
    numbers: reduced.map(({ number }) => number),
    cancelled: some,
  };
}

/**
 * What is taken off where the change that it was taken off of is not made: as much, but never more
 * than leaves what was wanted in the end. "nothing": what it was to take off is not there.
 */
export async function lessAnew(
  tx: Queryable,
  order: OrderRow,
  pending: ChangeRow | null,
  { body: wanted, cancelled }: Pick<ChangeRow, "body" | "cancelled">,
): Promise<Less | "nothing" | null> {
  const body = pending?.body ?? order.body;
  const delivered = await deliveredOf(tx, order);
  const lines = cancelled.flatMap(({ line, product, quantity }) => {
    const there = body.lines.find((one) => one.line === line && one.product === product);
    if (there === undefined) return [];
    const all = decimal.parse(there.quantity);
    const stays = wanted?.lines.find((one) => one.line === line)?.quantity ?? "0";
    const least = [
      decimal.parse(quantity),
      decimal.subtract(all, decimal.parse(stays)),
      decimal.subtract(all, delivered.get(line) ?? decimal.zero()),
    ].reduce((one, other) => (decimal.compare(one, other) < 0 ? one : other));
    return least.digits > 0n ? [{ line, quantity: decimal.canonical(least) }] : [];
  });
  return lines.length === 0 ? "nothing" : lessOf(tx, order, pending, lines, { given: true });
}

/** By number of the line. */
async function deliveredOf(
  tx: Queryable,
  { company, id }: OrderRow,
): Promise<ReadonlyMap<number, decimal.Decimal>> {
  const standing = await tx.query<Standing>(
    `select l.line, (${deliveredIn()})::text as delivered
       from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = $1 and o.id = $2`,
    [company, id],
  );
  return new Map(standing.map((one) => [one.line, decimal.parse(one.delivered)]));
}

const RETURN = "Ask for a return of what is not wanted.";

function takenOff(
  order: OrderRow,
  body: WebOrder,
  delivered: ReadonlyMap<number, decimal.Decimal>,
  { line, quantity }: LineLess,
): CancelledLine {
  const found = body.lines.find((each) => each.line === line);
  if (found === undefined)
    throw impossible(order, `has no line ${line}`, "`orders show` lists its lines.");
  const open = decimal.subtract(
    decimal.parse(found.quantity),
    delivered.get(line) ?? decimal.zero(),
  );
  const most = open.digits < 0n ? decimal.zero() : open;
  const less = quantity === null ? most : decimal.parse(quantity);
  if (decimal.compare(less, most) > 0)
    throw impossible(
      order,
      `line ${line} has ${decimal.canonical(most)} that are not despatched or invoiced, and ` +
        `${decimal.canonical(less)} are to be cancelled`,
      RETURN,
    );
  return { line, product: found.product, quantity: decimal.canonical(less) };
}

function leftOf(body: WebOrder, cancelled: readonly CancelledLine[]) {
  return body.lines.map((line) => {
    const less = decimal.sum(
      cancelled.filter((one) => one.line === line.line).map((one) => decimal.parse(one.quantity)),
    );
    const quantity = decimal.canonical(decimal.subtract(decimal.parse(line.quantity), less));
    return { ...line, quantity, was: line.quantity, touched: less.digits > 0n };
  });
}

/**
 * The lines of the request that its content was made from. Goods that promotions give are none of
 * them, so a line is known by its product and its place among those of it.
 */
function reducedLines(order: OrderRow, request: OrderRequest, left: ReturnType<typeof leftOf>) {
  const places = Map.groupBy(left, ({ product }) => product);
  const lines = request.lines.flatMap((asked) => {
    const line = places.get(asked.product)?.shift();
    const number = line?.line ?? null;
    if (line === undefined || !line.touched) return [{ line: asked, number }];
    if (line.quantity === "0") return [];
    const { net: _net, ...rest } = asked;
    return [{ line: { ...rest, quantity: inItsUnit(order, asked, line) }, number }];
  });
  const given = [...places.values()].flat().find(({ touched }) => touched)?.line;
  return { lines, given };
}

/** What is left counts in selling units; the line's price is per its own unit, so that it stays. */
function inItsUnit(
  order: OrderRow,
  { unit, quantity: asked }: OrderRequest["lines"][number],
  { line, quantity, was }: ReturnType<typeof leftOf>[number],
): string {
  if (unit === undefined) return quantity;
  const [left, all] = [
    decimal.multiply(decimal.parse(quantity), decimal.parse(asked)),
    decimal.parse(was),
  ];
  const scale = Math.max(left.scale, all.scale);
  const over = decimal.digitsAt(left, scale) * 10n ** BigInt(UNIT_PLACES);
  const under = decimal.digitsAt(all, scale);
  if (over % under === 0n) return decimal.canonical({ digits: over / under, scale: UNIT_PLACES });
  throw impossible(
    order,
    `line ${line} was ordered in ${unit}, and ${quantity} selling units that would be left are no ` +
      `quantity in ${unit}`,
    `Cancel whole ones of ${unit}, or send the order anew as amended.`,
  );
}

/** Of a quantity in a request. */
const UNIT_PLACES = 5;

async function lastRequest(
  tx: Queryable,
  order: OrderRow,
  pending: ChangeRow | null,
): Promise<OrderRequest> {
  const kept = await madeFrom(tx, order, pending);
  if (kept !== null) return kept;
  throw impossible(order, "is kept without the request that made it", "Send it anew as amended.");
}

function impossible(order: OrderRow, found: string, todo: string): OrderError {
  return new OrderError(
    "change-impossible",
    `Cancelling a part of web order ${order.number}: ${found}. ${todo}`,
  );
}
