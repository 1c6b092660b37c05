/**
 * What the ERP shows of an order, against what was agreed. Pure: the facts of one order in, at
 * most one verdict out. The order in which acknowledgement and ERP order arrived makes no
 * difference.
 */
import type { HeldLine } from "../connector/index.ts";
import { chargedOtherwise, type Charged } from "./charged.ts";
import { differencesOf, isDifference, isOrderNumber, type Agreed } from "./compare.ts";
import { decimal } from "../model/index.ts";
import { sameAmount } from "./amounts.ts";
import type { DeliveryEvent, DeliveryState } from "./machine.ts";
import { otherAccount } from "./other-account.ts";
import { dayText } from "./words.ts";

export interface Acknowledgement {
  readonly outcome: "accepted" | "refused";
  readonly erpOrder: string | null;
  readonly reason: string | null;
  readonly net: string | null;
  readonly vat: string | null;
  /** True: learned before an amendment was done there, so that its sums may be the ones before. */
  readonly stale?: boolean;
  /** Another web order of ours that has this ERP order; null or absent: none. */
  readonly another?: string | null;
  /** Another account, to which it was invoiced; null or absent: its own, or its head office's. */
  readonly account?: string | null;
  /** "invoiced it as INV1": what shows it, where that is no answer of the ERP's; null: it is. */
  readonly shown?: string | null;
}

export interface ErpOrderFact {
  readonly erpOrder: string;
  readonly account: string;
  readonly state: string;
  readonly net: string | null;
  readonly vat: string | null;
  /** Null or absent: none were pulled, or not all of them. */
  readonly lines?: readonly HeldLine[] | null;
  /** True: learned before an amendment was done there, so that it may show the order before it. */
  readonly stale?: boolean;
  /** ISO date; absent: not known. */
  readonly orderedOn?: string | null;
  /** True: learned before the web order last changed. */
  readonly before?: boolean;
  /** Another web order of ours that has it, or whose number it bears; null or absent: none. */
  readonly another?: string | null;
  /** True: learned while a change was made there, and neither as before nor as was agreed. */
  readonly otherwise?: boolean;
  /** True: it shows the order as it was before a change. */
  readonly unmade?: boolean;
  /** False: the account of the order is not among the ERP's any more. */
  readonly accountStands?: boolean;
  /** True: its lines may come with the next pull. */
  readonly linesDue?: boolean;
}

export interface OrderSeen {
  readonly state: DeliveryState;
  readonly number: string;
  readonly account: string;
  readonly net: string;
  readonly vat: string;
  readonly lines: Agreed["lines"];
  readonly charges: readonly { readonly charge: string; readonly net?: string }[];
  readonly erpOrder: string | null;
  /** What the ERP said last that it comes to; null or absent: nothing. */
  readonly erpNet?: string | null;
  /** ISO date; absent: not known. */
  readonly orderedOn?: string;
  /** ERP order numbers and sentences of what differed, that a person has settled. */
  readonly settled: readonly string[];
  /** Its lines there were compared with what was agreed; absent: they were not. */
  readonly linesRead?: boolean;
  /** Why it stands as it does; absent: nothing is said. */
  readonly reasons?: readonly string[];
}

export interface Judgement {
  readonly event: DeliveryEvent;
  /** Sentences; the first one is shown. */
  readonly reasons: readonly string[];
  /** What happened, where no reason says it; absent: what the event means. */
  readonly about?: string;
  readonly erpOrder: string | null;
  readonly erpNet: string | null;
  readonly erpVat: string | null;
  /** True: its lines were compared, too. */
  readonly linesRead?: boolean;
}

export interface Facts {
  readonly acknowledgements: readonly Acknowledgement[];
  readonly erpOrders: readonly ErpOrderFact[];
  /** Null or absent: nothing is invoiced. */
  readonly charged?: Charged | null;
}

export function judge(order: OrderSeen, facts: Facts): Judgement | null {
  const { acknowledgements, charged = null } = facts;
  const erpOrders = facts.erpOrders.filter(({ erpOrder }) => isOrderNumber(erpOrder));
  // A draft that waits for its number is no acceptance; an answer may leave the number out.
  const accepted = acknowledgements.filter(
    ({ outcome, erpOrder }) =>
      outcome === "accepted" && (erpOrder === null || isOrderNumber(erpOrder)),
  );
  const refused = acknowledgements.filter((answer) => answer.outcome === "refused");
  const numbers = erpNumbers(order, accepted, erpOrders);
  const papers = { answers: accepted, charged };
  if (numbers.length > 0 && numbers.every((number) => order.settled.includes(number))) {
    if (order.state === "cancelled") return goesOn(order, accepted, erpOrders);
    return order.state === "confirmed" ? sinceSettled(order, papers, erpOrders) : null;
  }
  if (numbers.length > 1) return duplicate(order, numbers);
  if (order.state === "conflict")
    return refused.length > 0 ? null : agreedByNow(order, papers, erpOrders);
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

/** What was answered, and what was charged. */
interface Papers {
  readonly answers: readonly Acknowledgement[];
  readonly charged: Charged | null;
}

function chargesDiffer(
  order: OrderSeen,
  { charged }: Papers,
  erpOrders: readonly ErpOrderFact[],
): string[] {
  if (charged === null) return [];
  const staffNet = staffNetOf(order, erpOrders);
  return chargedOtherwise({ ...order, staffNet, inConflict: order.state === "conflict" }, charged);
}

/** Null: the ERP's order comes to what was agreed, or to what it was before a change. */
function staffNetOf(order: OrderSeen, erpOrders: readonly ErpOrderFact[]): string | null {
  const own = erpOrders.find(({ erpOrder }) => erpOrder === order.erpOrder);
  if (own?.state === "cancelled" || own?.stale === true || own?.unmade === true) return null;
  const net = own === undefined ? (order.erpNet ?? null) : own.net;
  return net === null || sameAmount(net, order.net) ? null : net;
}

/** A person let stand what the ERP has; what differs since then, or otherwise, is news. */
function sinceSettled(
  order: OrderSeen,
  papers: Papers,
  erpOrders: readonly ErpOrderFact[],
): Judgement | null {
  const { erpOrder, settled } = order;
  const own = erpOrders.filter((row) => row.erpOrder === erpOrder);
  const verdict = anothersByNow(order, erpOrder, papers, own) ?? readSince(order, own);
  if (verdict?.event !== "conflict") return verdict;
  const news = verdict.reasons.filter((reason) => !settled.includes(reason));
  return news.length > 0 ? { ...verdict, reasons: news } : null;
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
  if (reasons.length === 0 || !reasons.every(isDifference)) return null;
  const [row] = erpOrders;
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
    `Duplicate in the ERP: ${order.number} is there as ${numbers.join(" and ")}. ` +
    "Cancel all but one there, then resolve the order.";
  const before = order.state === "conflict" ? (order.reasons ?? []) : [];
  if (before.includes(said)) return null;
  const others = before.filter((reason) => !reason.startsWith("Duplicate in the ERP"));
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
  // Once it was confirmed, what staff change there is their doing, unless it is another's by now.
  if (order.state === "confirmed")
    return (
      anothersByNow(order, erpOrder, papers, erpOrders) ??
      keyedAnew(order, erpOrder, erpOrders) ??
      readSince(order, erpOrders)
    );
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

/** All of it is there: its sum, or where it states none, the sums of its lines. */
function isRead(row: ErpOrderFact | undefined): boolean {
  if (row === undefined || row.linesDue === true) return false;
  const lines = row.lines ?? [];
  return row.net !== null || (lines.length > 0 && lines.every(({ net }) => net !== null));
}

/** It states sums, and they are those of now. */
function isAsAgreed(order: OrderSeen, stated: Acknowledgement): boolean {
  return stated.net !== null && differencesOf(order, stated).length === 0;
}

function sharedWith(another: string | null | undefined, erpOrder: string | null): string[] {
  if (another === null || another === undefined) return [];
  return [
    `ERP order ${erpOrder ?? "without a number"} is web order ${another}'s as well: one ` +
      "of the two is not there. Look which one it is, and resolve that one; cancel the other, " +
      "and have it ordered anew.",
  ];
}

function heldFor(order: OrderSeen, { account }: ErpOrderFact): string {
  return otherAccount.held(account, order.account);
}

function billedTo(order: OrderSeen, answers: readonly Acknowledgement[]): string[] {
  const account = answers.find((one) => (one.account ?? null) !== null)?.account ?? null;
  if (account === null) return [];
  return [otherAccount.invoiced(account, order.account)];
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

/** Staff date an order back by days, not by more. */
const DAYS_BACK = 31;

function isLongBefore(there: string | null | undefined, ours: string | undefined): boolean {
  if (there === null || there === undefined || ours === undefined) return false;
  const latest = Temporal.PlainDate.from(ours).subtract({ days: DAYS_BACK });
  return Temporal.PlainDate.compare(Temporal.PlainDate.from(there), latest) < 0;
}

function conflict(erpOrder: string | null, reasons: readonly string[]): Judgement {
  return { event: "conflict", reasons, erpOrder, erpNet: null, erpVat: null };
}
