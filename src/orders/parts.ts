/**
 * ERP orders that bear one number of ours and together hold no more than was agreed are one order
 * in parts, as a back order with a number of its own. Pure.
 */
import { decimal } from "../model/index.ts";
import { isOrderNumber, type Agreed } from "./compare.ts";
import { goodsThere, goodsOf, type LineThere } from "./goods.ts";
import type { ErpOrderFact } from "./judgement.ts";

interface Row extends ErpOrderFact {
  readonly learnedAt: string;
}

/**
 * The rows, with those that live and are parts made one; it has the number by which the order is
 * known, where one of them has. While of one of them neither lines nor net are here, though they
 * are due, the one says nothing but that it is there. `contents`: what was agreed, now and before
 * or after a change.
 */
export function partsAsOne<R extends Row>(
  contents: readonly Agreed[],
  own: string | null,
  rows: readonly R[],
): readonly R[] {
  const live = rows.filter(isLive);
  const [first] = live;
  if (first === undefined || live.length < 2) return rows;
  if (!live.every(({ account }) => account === first.account)) return rows;
  const said = contents.map((content) => standAs(content, live));
  if (said.every((one) => one === "more")) return rows;
  const known = live.find(({ erpOrder }) => erpOrder === own) ?? first;
  return [
    together(known, live, said.includes("parts")),
    ...rows.filter((row) => !live.includes(row)),
  ];
}

/** True: it holds less than was agreed, so that another number may be the rest of it. */
export function isPart(agreed: Agreed, row: ErpOrderFact): boolean {
  if (!isLive(row) || standAs(agreed, [row]) === "more") return false;
  return isUnknown(row) || !holdsAll(agreed, [row]);
}

function isLive({ state, erpOrder, another }: ErpOrderFact): boolean {
  return state !== "cancelled" && isOrderNumber(erpOrder) && !another;
}

function standAs(agreed: Agreed, rows: readonly ErpOrderFact[]): "parts" | "due" | "more" {
  if (isMore(agreed, rows)) return "more";
  const unknown = rows.filter(isUnknown);
  if (unknown.length > 0)
    return holdsAll(agreed, rows) || !unknown.every(({ linesDue }) => linesDue === true)
      ? "more"
      : "due";
  // One that has all leaves nothing for another.
  const isTold = rows.every((row) => linesOf(row).length > 0);
  return rows.length > 1 && !isTold && rows.some((row) => holdsAll(agreed, [row]))
    ? "more"
    : "parts";
}

function isUnknown(row: ErpOrderFact): boolean {
  return row.net === null && linesOf(row).length === 0;
}

const linesOf = ({ lines }: ErpOrderFact): readonly LineThere[] => lines ?? [];
/** However many are due, it has these. */
const atLeast = (row: ErpOrderFact): readonly LineThere[] => row.linesSoFar ?? linesOf(row);

/** Of its header, else of its lines; null: neither states it. */
function netOf(row: ErpOrderFact): string | null {
  if (row.net !== null) return row.net;
  const nets = linesOf(row).map(({ net }) => net);
  return nets.length === 0 ? null : sumIfStated(nets);
}

function isMore(agreed: Agreed, rows: readonly ErpOrderFact[]): boolean {
  const nets = rows.map(netOf).filter((net) => net !== null);
  if (decimal.compare(total(nets), decimal.parse(agreed.net)) > 0) return true;
  const ours = goodsOf(agreed.lines);
  return [...goodsThere(agreed, rows.flatMap(atLeast))].some(
    ([product, { quantity }]) =>
      decimal.compare(quantity, ours.get(product)?.quantity ?? decimal.zero()) > 0,
  );
}

function holdsAll(agreed: Agreed, rows: readonly ErpOrderFact[]): boolean {
  const nets = rows.map(netOf).filter((net) => net !== null);
  if (nets.length > 0 && decimal.compare(total(nets), decimal.parse(agreed.net)) >= 0) return true;
  const there = goodsThere(agreed, rows.flatMap(atLeast));
  return [...goodsOf(agreed.lines)].every(
    ([product, { quantity }]) =>
      decimal.compare(there.get(product)?.quantity ?? decimal.zero(), quantity) >= 0,
  );
}

function together<R extends Row>(own: R, rows: readonly R[], isKnown: boolean): R {
  const lines = isKnown && rows.every((row) => (row.lines ?? null) !== null);
  const days = rows.flatMap(({ orderedOn }) => orderedOn ?? []).sort();
  return {
    ...own,
    parts: rows.map(({ erpOrder }) => erpOrder),
    state: rows.find(({ state }) => state !== "complete")?.state ?? own.state,
    net: !isKnown || rows.every(({ net }) => net === null) ? null : sumIfStated(rows.map(netOf)),
    vat: isKnown ? sumIfStated(rows.map(({ vat }) => vat)) : null,
    lines: lines ? rows.flatMap((row) => row.lines ?? []) : null,
    linesDue: !isKnown || rows.some(({ linesDue }) => linesDue === true),
    before: rows.every(({ before }) => before === true),
    learnedAt: rows
      .map(({ learnedAt }) => learnedAt)
      .reduce((one, other) => (one < other ? other : one)),
    ...(days[0] === undefined ? {} : { orderedOn: days[0] }),
  };
}

/** Null: one of them is not stated. */
export function sumIfStated(amounts: readonly (string | null)[]): string | null {
  const stated = amounts.filter((amount) => amount !== null);
  return stated.length < amounts.length ? null : decimal.format(total(stated));
}

function total(amounts: readonly string[]): decimal.Decimal {
  return decimal.sum(amounts.map((amount) => decimal.parse(amount)));
}
