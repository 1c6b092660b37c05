/**
 * What becomes of an order once it was confirmed: what staff change of it there is their doing,
 * unless it is another's by now, or comes to what neither was agreed nor they made of it. Pure.
 */
import { decimal } from "../model/index.ts";
import { sameAmount } from "./amounts.ts";
import { isOfCharges } from "./charged.ts";
import { differencesOf } from "./compare.ts";
import {
  billedTo,
  chargesDiffer,
  conflict,
  heldFor,
  isRead,
  sharedWith,
  type ErpOrderFact,
  type Judgement,
  type OrderSeen,
  type Papers,
} from "./judgement.ts";

/** Of a confirmed order; null: nothing is new. */
export function sinceConfirmed(
  order: OrderSeen,
  erpOrder: string | null,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  return (
    anothersByNow(order, erpOrder, papers, erpOrders) ??
    keyedAnew(order, erpOrder, erpOrders) ??
    readSince(order, erpOrders)
  );
}

/**
 * It was read back as agreed, and since then its row or its invoice is another customer's or
 * order's, or comes to what neither was agreed nor staff made of it.
 */
function anothersByNow(
  order: OrderSeen,
  erpOrder: string | null,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const row = erpOrders.find(({ state, stale }) => state !== "cancelled" && stale !== true);
  const isMoved = row !== undefined && row.account !== order.account && row.accountStands !== false;
  const reasons = [
    ...sharedWith(row?.another, erpOrder),
    ...(isMoved ? [heldFor(order, row)] : []),
    ...billedTo(order, papers.answers),
    ...(row?.otherwise === true ? differencesOf(order, row) : []),
    ...chargesDiffer(order, papers, erpOrders),
  ];
  return reasons.length > 0 ? conflict(erpOrder, reasons) : null;
}

/** Staff cancelled it there and keyed it once more: its number there is the one that lives. */
function keyedAnew(
  order: OrderSeen,
  erpOrder: string | null,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const [row] = erpOrders;
  if (erpOrder === null || erpOrder === order.erpOrder || row === undefined) return null;
  if (row.state === "cancelled" || row.account !== order.account || row.another) return null;
  const about = `ERP order ${order.erpOrder ?? ""} is cancelled there and keyed anew as ${erpOrder}.`;
  const { net: erpNet, vat: erpVat } = row;
  return { event: "confirm", reasons: [], about, erpOrder, erpNet, erpVat };
}

/**
 * What was not there yet when it was confirmed is compared once: all of it, where a person found it
 * there, else its lines. Those of an order that staff have changed by now are not comparable.
 */
function readSince(order: OrderSeen, erpOrders: readonly ErpOrderFact[]): Judgement | null {
  const [row] = erpOrders;
  if (row === undefined || row.stale === true || row.state === "cancelled") return null;
  if (!isRead(row)) return null;
  const lines = row.lines ?? null;
  const isFirst = order.erpNet === null && order.linesRead !== true;
  if (!isFirst && (order.linesRead === true || lines === null || isOtherSum(order, row)))
    return null;
  const reasons = differencesOf(order, isFirst ? row : { net: null, vat: null, lines });
  const { erpOrder, net: erpNet, vat: erpVat } = row;
  if (reasons.length > 0) return { ...conflict(erpOrder, reasons), erpNet, erpVat };
  const about = isFirst
    ? `ERP order ${erpOrder} was read: what was agreed is what the ERP holds.`
    : `The lines of ERP order ${erpOrder} were read: they are what was agreed.`;
  const linesRead = lines !== null;
  return { event: "confirm", reasons: [], about, erpOrder, erpNet, erpVat, linesRead };
}

/** Carriage may be beside the lines, and in the header's sum or not. */
function isOtherSum({ net, charges }: OrderSeen, row: ErpOrderFact): boolean {
  if (row.net === null || sameAmount(row.net, net)) return false;
  const goods = decimal.subtract(
    decimal.parse(net),
    decimal.sum(charges.map((charge) => decimal.parse(charge.net ?? "0"))),
  );
  return !sameAmount(row.net, decimal.format(goods));
}

/** A person let stand what the ERP has; what differs since then, or otherwise, is news. */
export function sinceSettled(
  order: OrderSeen,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const { erpOrder } = order;
  const own = erpOrders.filter((row) => row.erpOrder === erpOrder);
  return newsOnly(order, anothersByNow(order, erpOrder, papers, own) ?? readSince(order, own));
}

function newsOnly({ settled }: OrderSeen, verdict: Judgement | null): Judgement | null {
  if (verdict?.event !== "conflict") return verdict;
  const news = verdict.reasons.filter((reason) => !settled.includes(reason));
  return news.length > 0 ? { ...verdict, reasons: news } : null;
}

/** True: it is in conflict for nothing but what papers charge. */
export function isAboutCharges({ reasons = [] }: OrderSeen): boolean {
  return reasons.length > 0 && reasons.every(isOfCharges);
}

/**
 * Of an order that was confirmed before papers charged otherwise: what staff made of it may be
 * pulled after its invoice, and a credit note or another invoice may change what is charged.
 */
export function chargedByNow(
  order: OrderSeen,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const { erpOrder, reasons = [] } = order;
  const own = erpOrders.filter((row) => row.erpOrder === erpOrder);
  const verdict = newsOnly(order, anothersByNow(order, erpOrder, papers, own));
  if (verdict !== null) return verdict.reasons.join(" ") === reasons.join(" ") ? null : verdict;
  const parts = own.find((row) => row.parts !== undefined)?.parts ?? [];
  const about =
    reasons.length === 0
      ? `It is one order in parts there, as ${parts.join(" and ")}.`
      : "What is invoiced is what was agreed by now, or what the ERP's order says.";
  return { event: "confirm", reasons: [], about, erpOrder, erpNet: null, erpVat: null };
}
