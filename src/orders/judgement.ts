/**
 * What is known of an order when it is judged, what may be said of it, and the sentences that are
 * said whatever its state is. Pure.
 */
import type { HeldLine } from "../connector/index.ts";
import { decimal } from "../model/index.ts";
import { sameAmount } from "./amounts.ts";
import { chargedOtherwise, letStandIn, type Charged, type Measure } from "./charged.ts";
import type { Agreed } from "./compare.ts";
import type { DeliveryEvent, DeliveryState } from "./machine.ts";
import { otherAccount } from "./other-account.ts";

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
  /** True: learned so lately that another part of its order may not be pulled yet. */
  readonly partsDue?: boolean;
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
  /** Those that are here, though more may be due; absent: `lines` says. */
  readonly linesSoFar?: readonly HeldLine[] | null;
  /** True: its lines may come with the next pull. */
  readonly linesDue?: boolean;
  /** Numbers of the ERP orders that are this one together; absent: it is one there. */
  readonly parts?: readonly string[];
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

/** What was answered, and what was charged. */
export interface Papers {
  readonly answers: readonly Acknowledgement[];
  readonly charged: Charged | null;
}

export function chargesDiffer(
  order: OrderSeen,
  { charged }: Papers,
  erpOrders: readonly ErpOrderFact[],
): string[] {
  if (charged === null) return [];
  const staff = madeByStaff(order, erpOrders);
  const letStand = letStandIn(order.settled);
  return chargedOtherwise({ ...order, ...staff, letStand }, charged);
}

/** Null: the ERP's order comes to what was agreed, or to what it was before a change. */
function madeByStaff(
  order: OrderSeen,
  erpOrders: readonly ErpOrderFact[],
): Pick<Measure, "staffNet" | "staffVat"> {
  const own = erpOrders.find(({ erpOrder }) => erpOrder === order.erpOrder);
  if (own?.state === "cancelled" || own?.stale === true || own?.unmade === true)
    return { staffNet: null, staffVat: null };
  const net = own === undefined ? (order.erpNet ?? null) : (own.net ?? netOfLines(own));
  const vat = own === undefined ? null : own.vat;
  return {
    staffNet: net === null || sameAmount(net, order.net) ? null : net,
    staffVat: vat === null || sameAmount(vat, order.vat) ? null : vat,
  };
}

/** Of a header that states none; null: a line does not, either. */
function netOfLines(row: ErpOrderFact): string | null {
  if (!isRead(row)) return null;
  const nets = (row.lines ?? []).flatMap(({ net }) => (net === null ? [] : [decimal.parse(net)]));
  return decimal.format(decimal.sum(nets));
}

/** All of it is there: its sum, or where it states none, the sums of its lines. */
export function isRead(row: ErpOrderFact | undefined): boolean {
  if (row === undefined || row.linesDue === true) return false;
  const lines = row.lines ?? [];
  return row.net !== null || (lines.length > 0 && lines.every(({ net }) => net !== null));
}

export function sharedWith(another: string | null | undefined, erpOrder: string | null): string[] {
  if (another === null || another === undefined) return [];
  return [
    `ERP order ${erpOrder ?? "without a number"} is web order ${another}'s as well: one ` +
      "of the two is not there. Look which one it is, and resolve that one; cancel the other, " +
      "and have it ordered anew.",
  ];
}

export function heldFor(order: OrderSeen, { account }: ErpOrderFact): string {
  return otherAccount.held(account, order.account);
}

export function billedTo(order: OrderSeen, answers: readonly Acknowledgement[]): string[] {
  const account = answers.find((one) => (one.account ?? null) !== null)?.account ?? null;
  if (account === null) return [];
  return [otherAccount.invoiced(account, order.account)];
}

/** What a reason begins with when the ERP shows several documents of one order. */
export const DUPLICATE = "Duplicate in the ERP";

export function conflict(erpOrder: string | null, reasons: readonly string[]): Judgement {
  return { event: "conflict", reasons, erpOrder, erpNet: null, erpVat: null };
}
