/**
 * What the ERP shows of an order, against what was agreed. Pure: the facts of one order in, at
 * most one verdict out. The order in which acknowledgement and ERP order arrived makes no
 * difference.
 */
import type { Charged } from "./charged.ts";
import { differencesOf, isDifference, isOrderNumber } from "./compare.ts";
import {
  billedTo,
  chargesDiffer,
  conflict,
  DUPLICATE,
  heldFor,
  isRead,
  sharedWith,
  type Acknowledgement,
  type ErpOrderFact,
  type Judgement,
  type OrderSeen,
  type Papers,
} from "./judgement.ts";
import { isPart } from "./parts.ts";
import { chargedByNow, isAboutCharges, sinceConfirmed, sinceSettled } from "./since-confirmed.ts";
import { dayText } from "./words.ts";

export interface Facts {
  readonly acknowledgements: readonly Acknowledgement[];
  readonly erpOrders: readonly ErpOrderFact[];
  /** Null or absent: nothing is invoiced. */
  readonly charged?: Charged | null;
  /** True: it was confirmed once, by what was read or by a person. Absent: it was not. */
  readonly wasConfirmed?: boolean;
}

export function judge(order: OrderSeen, facts: Facts): Judgement | null {
  const { acknowledgements, charged = null } = facts;
  const erpOrders = facts.erpOrders.filter(({ erpOrder }) => isOrderNumber(erpOrder));
  // A draft that waits for its number is no acceptance; an answer may leave the number out.
  const accepted = acknowledgements
    .filter(
      ({ outcome, erpOrder }) =>
        outcome === "accepted" && (erpOrder === null || isOrderNumber(erpOrder)),
    )
    .map((answer) => asOfAll(answer, erpOrders));
  const refused = acknowledgements.filter((answer) => answer.outcome === "refused");
  const numbers = erpNumbers(order, accepted, erpOrders);
  const papers = { answers: accepted, charged };
  if (numbers.length > 0 && numbers.every((number) => order.settled.includes(number))) {
    if (order.state === "cancelled") return goesOn(order, accepted, erpOrders);
    if (order.state === "confirmed") return sinceSettled(order, papers, erpOrders);
    if (order.state !== "conflict") return null;
  } else if (numbers.length > 1) {
    if (!mayBeParts(order, numbers, erpOrders)) return duplicate(order, numbers);
    // Until all of it is here, only its papers say something.
    return order.state === "confirmed" ? sinceConfirmed(order, order.erpOrder, papers, []) : null;
  }
  if (order.state === "conflict") {
    if (refused.length > 0) return null;
    const seen = withoutDuplicate(order, erpOrders);
    return facts.wasConfirmed === true && (isAboutCharges(seen) || seen.reasons?.length === 0)
      ? chargedByNow(seen, papers, erpOrders)
      : agreedByNow(seen, papers, erpOrders);
  }
  const [refusal] = refused;
  if (accepted.length === 0 && erpOrders.length === 0)
    return refusal === undefined ? null : refuse(order, refusal);
  const erpOrder = numbers[0] ?? null;
  if (refusal !== undefined)
    return conflict(erpOrder, [
      `The ERP refused ${order.number} (${refusal.reason ?? "no reason given"}) and also shows it as ${erpOrder ?? "accepted"}. ` +
        "Find out which one holds, then resolve the order.",
    ]);
  // It was cancelled there as well.
  const gone = erpOrders.length > 0 && erpOrders.every(({ state }) => state === "cancelled");
  if (gone && order.state === "cancelled") return null;
  if (order.state === "cancelled" || order.state === "refused" || order.state === "held")
    return conflict(erpOrder, [
      `${order.number} is ${order.state} here, and the ERP shows it as ${erpOrder ?? "accepted"}. ` +
        "Cancel it there, or resolve the order.",
    ]);
  const standing = erpOrders.filter((row) => row.erpOrder === erpOrder);
  return compare(order, erpOrder, papers, standing);
}

/** Of what an answer says of one part of an order only the number counts: rows tell the rest. */
function asOfAll(answer: Acknowledgement, erpOrders: readonly ErpOrderFact[]): Acknowledgement {
  const whole = erpOrders.find(({ parts }) => parts?.includes(answer.erpOrder ?? "") === true);
  return whole === undefined
    ? answer
    : { ...answer, erpOrder: whole.erpOrder, net: null, vat: null };
}

/**
 * What is there holds less than was agreed, and of the other numbers no row is here yet, but one
 * may come.
 */
function mayBeParts(
  order: OrderSeen,
  numbers: readonly string[],
  erpOrders: readonly ErpOrderFact[],
): boolean {
  if (["cancelled", "refused", "held"].includes(order.state)) return false;
  const shown = erpOrders.filter(({ erpOrder }) => numbers.includes(erpOrder));
  const [row] = shown;
  return shown.length === 1 && row?.partsDue === true && isPart(order, row);
}

/** What was told as a duplicate before all rows were here, and is one order in parts. */
function withoutDuplicate(order: OrderSeen, erpOrders: readonly ErpOrderFact[]): OrderSeen {
  const { reasons = [] } = order;
  if (!erpOrders.some(({ parts }) => parts !== undefined)) return order;
  return { ...order, reasons: reasons.filter((reason) => !reason.startsWith(DUPLICATE)) };
}

/**
 * A person settles a conflict, and more of the same is no news; but sums and lines that differed
 * and are as agreed by now, there or here, are settled.
 */
function agreedByNow(
  order: OrderSeen,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const { reasons = [] } = order;
  const [row] = erpOrders;
  const isOver = reasons.length > 0 || row?.parts !== undefined;
  if (!isOver || !reasons.every(isDifference)) return null;
  const number = row?.erpOrder ?? order.erpOrder;
  const verdict = compare(order, number, papers, erpOrders);
  // An answer that states no sums, or a row that tells nothing, does not say that they are right.
  const isTold = verdict?.erpNet !== null || papers.charged !== null || isRead(row);
  const isAgreed = verdict?.event === "confirm" || (verdict?.event === "accept" && isTold);
  return isAgreed ? verdict : null;
}

/** What was settled by cancelling it is not settled when the ERP goes on with it. */
function goesOn(
  order: OrderSeen,
  accepted: readonly Acknowledgement[],
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const standing = erpOrders.find(
    ({ state, stale, before, another }) =>
      state !== "cancelled" && stale !== true && before === false && !another,
  );
  if (standing !== undefined)
    return conflict(standing.erpOrder, [
      `${order.number} is cancelled here, and the ERP goes on with it as ${standing.erpOrder} ` +
        `(${standing.state}). Cancel it there, or resolve the order.`,
    ]);
  const done = accepted.find(({ shown }) => (shown ?? null) !== null);
  if (done === undefined) return null;
  return conflict(done.erpOrder ?? order.erpOrder, [
    `${order.number} is cancelled here, and the ERP ${done.shown} since. Have that taken back ` +
      "there, or resolve the order: then it stands, and what was given back of its payment is owed.",
  ]);
}

/** Told once for each set of numbers, also of an order that is in conflict for something else. */
function duplicate(order: OrderSeen, numbers: readonly string[]): Judgement | null {
  const said =
    `${DUPLICATE}: ${order.number} is there as ${numbers.join(" and ")}. ` +
    "Cancel all but one there, then resolve the order.";
  const before = order.state === "conflict" ? (order.reasons ?? []) : [];
  if (before.includes(said)) return null;
  const others = before.filter((reason) => !reason.startsWith(DUPLICATE));
  return conflict(order.erpOrder ?? numbers[0] ?? null, [said, ...others]);
}

function erpNumbers(
  order: OrderSeen,
  accepted: readonly Acknowledgement[],
  erpOrders: readonly ErpOrderFact[],
): string[] {
  const answers = accepted.filter(({ shown }) => (shown ?? null) === null);
  const told = [order.erpOrder, ...[...answers, ...erpOrders].map((fact) => fact.erpOrder)];
  // What comes later may have a number of its own: it says only what nothing else does.
  const known = told.some((number) => number !== null)
    ? told
    : accepted.slice(0, 1).map((invoice) => invoice.erpOrder);
  const all = new Set(
    known.filter((number) => number !== null).filter((number) => isOrderNumber(number)),
  );
  const cancelled = erpOrders.filter((row) => row.state === "cancelled");
  // Of two, one that was cancelled there is no duplicate any more.
  for (const row of cancelled) if (all.size > 1) all.delete(row.erpOrder);
  // Nor is one that is another order's: cancelled there, that one would be lost.
  for (const { another, erpOrder } of [...accepted, ...erpOrders])
    if (another && erpOrder !== null && all.size > 1) all.delete(erpOrder);
  return [...all].sort();
}

function refuse(order: OrderSeen, refusal: Acknowledgement): Judgement | null {
  if (order.state === "refused" || order.state === "cancelled") return null;
  const reason = refusal.reason ?? "no reason given";
  if (order.state === "accepted" || order.state === "confirmed")
    return conflict(order.erpOrder, [
      `The ERP accepted ${order.number} and refused it later: ${reason}. Find out which one holds, then resolve the order.`,
    ]);
  return {
    event: "refuse",
    reasons: [`The ERP refused it: ${reason}.`],
    erpOrder: null,
    erpNet: null,
    erpVat: null,
  };
}

function compare(
  order: OrderSeen,
  erpOrder: string | null,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  if (order.state === "confirmed") return sinceConfirmed(order, erpOrder, papers, erpOrders);
  const current = erpOrders.filter(
    (fact) => fact.stale !== true || differencesOf(order, fact).length === 0,
  );
  const [row] = current;
  const answers = papers.answers.filter(
    (answer) => answer.stale !== true || isAsAgreed(order, answer),
  );
  const stated = [...current, ...answers];
  const net = stated.find((fact) => fact.net !== null)?.net ?? null;
  const vat = stated.find((fact) => fact.vat !== null)?.vat ?? null;
  const reasons = [
    ...stated.flatMap((fact) => differencesOf(order, fact)),
    ...chargesDiffer(order, papers, erpOrders),
  ];
  const early = current.find(({ orderedOn }) => isLongBefore(orderedOn, order.orderedOn));
  if (early !== undefined)
    reasons.push(
      `ERP order ${early.erpOrder} bears the number ${order.number}, and is of ` +
        `${dayText(early.orderedOn ?? "")}: it may be another order of that number.`,
    );
  // Whose it is the ERP's own row tells, where there is one.
  const another = row === undefined ? answers.find((one) => one.another)?.another : row.another;
  reasons.push(...sharedWith(another, erpOrder));
  if (row?.state === "cancelled") reasons.push("The ERP holds it as cancelled.");
  if (row !== undefined && row.account !== order.account) reasons.push(heldFor(order, row));
  reasons.push(...billedTo(order, answers));
  if (reasons.length > 0)
    return { ...conflict(erpOrder, [...new Set(reasons)]), erpNet: net, erpVat: vat };
  const readBack = isRead(row);
  if (order.state === "accepted" && !readBack) return null;
  return {
    event: readBack ? "confirm" : "accept",
    reasons: [],
    erpOrder,
    erpNet: net,
    erpVat: vat,
    linesRead: readBack && (row?.lines ?? null) !== null,
  };
}

/** It states sums, and they are those of now. */
function isAsAgreed(order: OrderSeen, stated: Acknowledgement): boolean {
  return stated.net !== null && differencesOf(order, stated).length === 0;
}

/** Staff date an order back by days, not by more. */
const DAYS_BACK = 31;

function isLongBefore(there: string | null | undefined, ours: string | undefined): boolean {
  if (there === null || there === undefined || ours === undefined) return false;
  const latest = Temporal.PlainDate.from(ours).subtract({ days: DAYS_BACK });
  return Temporal.PlainDate.compare(Temporal.PlainDate.from(there), latest) < 0;
}
