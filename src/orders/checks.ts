/**
 * What speaks for and against an order. Pure: facts in, findings and the computed order out. Every
 * check is made on every order, so that a shop learns of all problems at once; a policy per check
 * says what a finding means.
 */
import type { Canonical, WebOrder, WebOrderCharge } from "../model/index.ts";
import type { Agreement, PromotionHeld, StandingLine, TokenVerdict } from "../pricing/index.ts";
import { plainArithmetic } from "./amounts.ts";
import { checkAgreements, type TakenUp } from "./agreements.ts";
import { checkBuyer } from "./checks/buyer.ts";
import { checkDelivery } from "./checks/delivery.ts";
import { checkGoods } from "./checks/goods.ts";
import { CHECK_NAMES, type CheckName } from "./checks/list.ts";
import { checkMoney } from "./checks/money.ts";
import { checkStock, type LinePromise } from "./checks/stock.ts";
import { computeOrder, type Writing } from "./compute.ts";
import type { GivenLine } from "./facts.ts";
import { withPennyLine, type Rounded } from "./penny-line.ts";
import { checkPrices } from "./price-check.ts";
import type { AccountedOrder } from "./request.ts";
import type { OrderSettings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

export { CHECK_NAMES, type CheckName };
/** accept: tell and go on; hold: keep it for a person; refuse: take no part of the order. */
export type Policy = "accept" | "hold" | "refuse";

export interface OrderFinding {
  readonly check: CheckName;
  readonly policy: Policy;
  /** Stable: what a program switches on. */
  readonly code: string;
  /** Line of the order, from 1; null when it is about the order as a whole. */
  readonly line: number | null;
  /** Charge of the order, from 1; absent: it is about none. */
  readonly charge?: number;
  readonly found: string;
  readonly expected: string;
  readonly about: string;
  readonly instruction: string;
  /** Products to offer in place of the line's; never swapped by us. Absent: none. */
  readonly offers?: readonly string[];
  /** The charge with which the order is taken as it is; absent: none. */
  readonly offeredCharge?: Pick<WebOrderCharge, "charge" | "net" | "vatCode">;
}

/** Our own price of one line, as pricing answers now. */
export interface LinePrice {
  /** Per pricing unit; null when pricing does not know one. */
  readonly unitPrice: string | null;
  /** Where it comes from, for the evidence chain; kept with the line. */
  readonly evidence: unknown;
  /** Why there is none, or which rule gave it, in words. */
  readonly about: string;
  /** How it stands, and why; absent: as modelled. */
  readonly state?: string;
  readonly stateReason?: string | null;
  /** Of the line's price token, whether it is honoured; null, or absent: it has none. */
  readonly token?: TokenVerdict | null;
  /** Quotation or contract that gives the price, or had given it if enough were left. */
  readonly agreement?: Agreement | null;
  /** As pricing resolves it; null, or absent: it knows none. */
  readonly vatCode?: string | null;
  /** Its rate now; null, or absent: the settings give none. */
  readonly vatPercent?: string | null;
  /** How the line stands in the order at the price that it says; null, or absent: not known. */
  readonly standing?: StandingLine | null;
}

export interface OrderFacts {
  readonly customer: Canonical<"customer"> | null;
  /** Null: the code given is not a site of the account; undefined: none was given. */
  readonly site: Canonical<"site"> | null | undefined;
  /** Of its lines, of goods given, and any that has the code of a charge. */
  readonly products: ReadonlyMap<string, Canonical<"product">>;
  /** Gross of the account's other web orders that are not invoiced yet and not paid. */
  readonly openGross: string;
  /** One for each line, in order. */
  readonly prices: readonly LinePrice[];
  /** Goods that promotions give; absent: none. */
  readonly given?: readonly GivenLine[];
  /** Limited promotions that the order holds; absent: none. */
  readonly held?: readonly PromotionHeld[];
  readonly unknownCodes?: readonly string[];
  /** VAT code → its rate in percent today. */
  readonly vatRates: Readonly<Record<string, string>>;
  /** "unknown": there is none of that number for the account; null, or absent: none is taken up. */
  readonly quotation?: TakenUp | "unknown" | null;
  /** What is known around the order; absent: nothing. */
  readonly surroundings?: Surroundings;
}

export interface Examined {
  readonly verdict: Policy;
  readonly findings: readonly OrderFinding[];
  /** The order with everything that we computed; its number is given later. */
  readonly order: Omit<WebOrder, "webOrder">;
  /** By line of the order: what the stock lets us promise; null: its stock is not known. */
  readonly promises: readonly (LinePromise | null)[];
  /** The shop's totals beside the ERP's; null: the shop sent none. */
  readonly rounding: Rounded | null;
}

export type Note = Omit<OrderFinding, "policy" | "line"> & { line?: number; policy?: Policy };
/** Everything that one check needs to say its word. */
export interface Checking {
  readonly request: AccountedOrder;
  readonly facts: OrderFacts;
  readonly settings: OrderSettings;
  /** ISO date in the company's time zone. */
  readonly today: string;
  readonly currency: string;
  readonly note: (found: Note) => void;
}

export function examine(
  request: AccountedOrder,
  facts: OrderFacts,
  settings: OrderSettings,
  today: string,
  writing: Writing = { arithmetic: plainArithmetic(settings.rounding), carriesDiscount: true },
): Examined {
  const notes: Note[] = [];
  const note = (found: Note): void => void notes.push(found);
  const currency = request.currency ?? settings.currency;
  const checking = { request, facts, settings, today, currency, note };
  const computed = computeOrder(request, facts, { ...writing, settings }, note);
  const { order, rounding } = withPennyLine(computed, checking);
  checkBuyer(checking);
  checkDelivery(checking);
  checkGoods(checking);
  checkPrices(request, facts, settings, note);
  checkAgreements(request, facts, today, note);
  const promises = checkStock(checking, order.lines);
  checkMoney(checking, order, rounding);
  const findings = notes.map((found) => ({
    ...found,
    line: found.line ?? null,
    policy: found.policy ?? settings.checks[found.check],
  }));
  return {
    verdict: worst(findings),
    findings,
    order: { ...headOf(checking), ...order },
    promises,
    rounding,
  };
}

function headOf({ request, facts, today, currency }: Checking) {
  return {
    account: request.account,
    orderedOn: request.orderedOn ?? today,
    placedBy: request.placedBy,
    placedByName: request.placedByName,
    customerReference: request.customerReference,
    site: request.site,
    deliverTo: request.deliverTo,
    guest: request.guest,
    accountRequest: request.accountRequest,
    branch: request.branch ?? facts.customer?.branch ?? null,
    requestedOn: request.requestedOn,
    conditions: request.conditions,
    currency,
    payment: paymentOf(request, currency),
  };
}

/** Money of another currency is none of the order's: no sum of it is, there or here. */
function paymentOf({ payment }: AccountedOrder, ordered: string): WebOrder["payment"] {
  if (payment === null) return null;
  const { provider, reference, amount, currency = ordered } = payment;
  if (currency !== ordered) return null;
  return { provider, reference, amount };
}

function worst(findings: readonly OrderFinding[]): Policy {
  if (findings.some((finding) => finding.policy === "refuse")) return "refuse";
  return findings.some((finding) => finding.policy === "hold") ? "hold" : "accept";
}
