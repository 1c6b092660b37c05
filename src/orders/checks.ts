/**
 * What speaks for and against an order. Pure: facts in, findings and the computed order out. Every
 * check is made on every order, so that a shop learns of all problems at once; a policy per check
 * says what a finding means.
 */
import { decimal, type Canonical, type WebOrder, type WebOrderLine } from "../model/index.ts";
import type { Agreement, PromotionHeld, StandingLine, TokenVerdict } from "../pricing/index.ts";
import { plainArithmetic, sameAmount, sumOf, type Totals } from "./amounts.ts";
import { checkAgreements, type TakenUp } from "./agreements.ts";
import { computeOrder, type Writing } from "./compute.ts";
import { sellingQuantity, type GivenLine } from "./facts.ts";
import { checkPrices } from "./price-check.ts";
import type { AccountedOrder } from "./request.ts";
import type { OrderSettings } from "./settings.ts";

export const CHECK_NAMES = [
  "account",
  "stop",
  "credit",
  "product",
  "quantity",
  "minimum",
  "guest",
  "site",
  "price",
  "stale",
  "agreement",
  "date",
  "totals",
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];
/** accept: tell and go on; hold: keep it for a person; refuse: take no part of the order. */
export type Policy = "accept" | "hold" | "refuse";

export interface OrderFinding {
  readonly check: CheckName;
  readonly policy: Policy;
  /** Stable: what a program switches on. */
  readonly code: string;
  /** Line of the order, from 1; null when it is about the order as a whole. */
  readonly line: number | null;
  readonly found: string;
  readonly expected: string;
  readonly about: string;
  readonly instruction: string;
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
}

export interface Examined {
  readonly verdict: Policy;
  readonly findings: readonly OrderFinding[];
  /** The order with everything that we computed; its number is given later. */
  readonly order: Omit<WebOrder, "webOrder">;
}

export type Note = Omit<OrderFinding, "policy" | "line"> & { line?: number; policy?: Policy };

export function examine(
  request: AccountedOrder,
  facts: OrderFacts,
  settings: OrderSettings,
  today: string,
  writing: Writing = { arithmetic: plainArithmetic(settings.rounding), carriesDiscount: true },
): Examined {
  const notes: Note[] = [];
  const note = (found: Note): void => void notes.push(found);
  const { lines, charges, totals } = computeOrder(request, facts, writing, note);
  checkAccount(request, facts, settings, note);
  checkDate(request, settings, today, note);
  checkLines(request, facts, note);
  checkPrices(request, facts, settings, note);
  checkAgreements(request, facts, today, note);
  checkCodes(facts, note);
  checkTotals(request, lines, totals, note);
  checkMinimum(lines, settings, note);
  checkCredit(request, facts, totals, note);
  const findings = notes.map((found) => ({
    ...found,
    line: found.line ?? null,
    policy: found.policy ?? settings.checks[found.check],
  }));
  return {
    verdict: worst(findings),
    findings,
    order: {
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
      currency: request.currency ?? settings.currency,
      lines,
      charges,
      payment: request.payment,
      ...totals,
    },
  };
}

function worst(findings: readonly OrderFinding[]): Policy {
  if (findings.some((finding) => finding.policy === "refuse")) return "refuse";
  return findings.some((finding) => finding.policy === "hold") ? "hold" : "accept";
}

function checkAccount(
  request: AccountedOrder,
  facts: OrderFacts,
  settings: OrderSettings,
  note: (found: Note) => void,
): void {
  const { customer } = facts;
  const account = request.account;
  const currency = request.currency ?? settings.currency;
  if (customer === null || customer.state === "closed")
    note({
      check: "account",
      code: customer === null ? "account-unknown" : "account-closed",
      found: customer === null ? account : `${account}, closed`,
      expected: "an account that is open in the ERP",
      about: `Account ${account} is ${customer === null ? "not known" : "closed"}.`,
      instruction: "Open the account in the ERP, or order on another one.",
    });
  if (customer?.onStop === true)
    note({
      check: "stop",
      code: "account-on-stop",
      found: customer.stopReason ?? "on stop",
      expected: "an account that is not on stop",
      about: `Account ${account} is on stop${customer.stopReason === null ? "" : `: ${customer.stopReason}`}.`,
      instruction: "Credit control lifts the stop in the ERP.",
    });
  if (customer !== null && customer.currency !== currency)
    note({
      check: "totals",
      code: "currency-differs",
      found: currency,
      expected: customer.currency,
      about: `The order is in ${currency}, account ${account} in ${customer.currency}.`,
      instruction: `Send prices in ${customer.currency}.`,
    });
  if (facts.site === null || facts.site?.state === "closed")
    note({
      check: "site",
      code: facts.site === null ? "site-unknown" : "site-closed",
      found: request.site ?? "",
      expected: `an open site of account ${account}`,
      about: `Site ${request.site ?? ""} is ${facts.site === null ? "not known" : "closed"}.`,
      instruction: "Choose another site, or add it to the account in the ERP.",
    });
}

/** A date far from today is a slip, or prices and promotions of another time are wanted. */
function checkDate(
  { orderedOn }: AccountedOrder,
  { oldestDays = OLDEST_DAYS }: OrderSettings,
  today: string,
  note: (found: Note) => void,
): void {
  if (orderedOn === undefined) return;
  const now = Temporal.PlainDate.from(today);
  const [oldest, newest] = [now.subtract({ days: oldestDays }), now.add({ days: 1 })].map(String);
  if (oldest === undefined || newest === undefined) return;
  if (orderedOn >= oldest && orderedOn <= newest) return;
  note({
    check: "date",
    code: orderedOn < oldest ? "ordered-long-ago" : "ordered-in-future",
    found: orderedOn,
    expected: `${oldest} to ${newest}`,
    about: `The order is dated ${orderedOn}, and today is ${today}.`,
    instruction: "Mend the date, or leave it out: then it is today.",
  });
}

const OLDEST_DAYS = 31;

function checkLines(request: AccountedOrder, facts: OrderFacts, note: (found: Note) => void): void {
  for (const [index, line] of request.lines.entries()) {
    const product = facts.products.get(line.product);
    const refusal = productRefusal(line.product, product);
    if (refusal !== null) note({ check: "product", line: index + 1, ...refusal });
    const quantity = sellingQuantity(line, facts.prices[index]);
    if (product !== undefined) checkQuantity(quantity, product, index + 1, note);
  }
}

function productRefusal(
  code: string,
  product: Canonical<"product"> | undefined,
): Omit<Note, "check" | "line"> | null {
  const expected = "an active product that is sold on the web";
  const say = (
    reason: string,
    about: string,
    instruction: string,
  ): Omit<Note, "check" | "line"> => ({
    code: reason,
    found: code,
    expected,
    about,
    instruction,
  });
  if (product === undefined)
    return say("product-unknown", `Product ${code} is not known.`, "Order a product of the list.");
  if (product.replacedBy !== null)
    return say(
      "product-replaced",
      `Product ${code} is replaced by ${product.replacedBy}.`,
      `Offer ${product.replacedBy} to the customer; it is never swapped by itself.`,
    );
  if (product.state !== "active")
    return say("product-not-active", `Product ${code} is ${product.state}.`, "Remove the line.");
  if (!product.soldOnWeb)
    return say("product-not-on-web", `Product ${code} is not sold on the web.`, "Remove the line.");
  return null;
}

function checkQuantity(
  quantity: string,
  product: Canonical<"product">,
  line: number,
  note: (found: Note) => void,
): void {
  const wanted = decimal.parse(quantity);
  const { leastQuantity, multipleQuantity, sellingUnit } = product;
  const instruction = "Change the quantity.";
  if (leastQuantity !== null && decimal.compare(wanted, decimal.parse(leastQuantity)) < 0)
    note({
      check: "quantity",
      code: "quantity-below-least",
      line,
      found: quantity,
      expected: `at least ${readableQuantity(leastQuantity)}`,
      about: `Product ${product.product} is sold from ${readableQuantity(leastQuantity)} ${sellingUnit}.`,
      instruction,
    });
  if (multipleQuantity !== null && !isMultiple(quantity, multipleQuantity))
    note({
      check: "quantity",
      code: "quantity-not-a-multiple",
      line,
      found: quantity,
      expected: `a multiple of ${readableQuantity(multipleQuantity)}`,
      about: `Product ${product.product} is sold in multiples of ${readableQuantity(multipleQuantity)} ${sellingUnit}.`,
      instruction,
    });
}

function readableQuantity(text: string): string {
  return decimal.canonical(decimal.parse(text));
}

/** A multiple of 0 restricts nothing. */
function isMultiple(quantity: string, multiple: string): boolean {
  const [left, right] = [decimal.parse(quantity), decimal.parse(multiple)];
  const scale = Math.max(left.scale, right.scale);
  const divisor = decimal.digitsAt(right, scale);
  return divisor === 0n || decimal.digitsAt(left, scale) % divisor === 0n;
}

/** A code that no promotion of now has gives nothing; the price is right without it. */
function checkCodes({ unknownCodes = [] }: OrderFacts, note: (found: Note) => void): void {
  for (const code of unknownCodes)
    note({
      check: "price",
      policy: "accept",
      code: "promotion-code-unknown",
      found: code,
      expected: "the code of a promotion that holds now",
      about: `No promotion has the code ${code} now; it changes nothing.`,
      instruction: "Tell the customer that the code gives nothing.",
    });
}

function checkTotals(
  request: AccountedOrder,
  lines: readonly WebOrderLine[],
  totals: Totals,
  note: (found: Note) => void,
): void {
  for (const [index, line] of request.lines.entries()) {
    const ours = lines[index];
    if (ours === undefined || line.net === undefined || sameAmount(line.net, ours.net)) continue;
    note({
      check: "totals",
      code: "line-net-differs",
      line: index + 1,
      found: line.net,
      expected: ours.net,
      about: `Line ${index + 1} comes to ${ours.net} net, the order says ${line.net}.`,
      instruction: "Leave the net out, or compute it as the price answer does.",
    });
  }
  for (const name of ["net", "vat", "gross"] as const) {
    const given = request[name];
    if (given === undefined || sameAmount(given, totals[name])) continue;
    note({
      check: "totals",
      code: `${name}-differs`,
      found: given,
      expected: totals[name],
      about: `The order's ${name} comes to ${totals[name]}, the order says ${given}.`,
      instruction: "Leave the totals out, or send those of the price answer.",
    });
  }
}

function checkMinimum(
  lines: readonly WebOrderLine[],
  settings: OrderSettings,
  note: (found: Note) => void,
): void {
  const net = sumOf(lines.map((line) => line.net));
  if (decimal.compare(decimal.parse(net), decimal.parse(settings.minimumNet)) >= 0) return;
  note({
    check: "minimum",
    code: "below-minimum-order",
    found: net,
    expected: `at least ${settings.minimumNet}`,
    about: `The order's goods come to ${net} net; the least order is ${settings.minimumNet}.`,
    instruction: "Add goods to the order.",
  });
}

/** A payment already taken needs no credit; only what it leaves open counts. */
function checkCredit(
  request: AccountedOrder,
  facts: OrderFacts,
  totals: Totals,
  note: (found: Note) => void,
): void {
  const limit = facts.customer?.creditLimit ?? null;
  if (limit === null) return;
  const paid = decimal.parse(request.payment?.amount ?? "0");
  const onAccount = decimal.subtract(decimal.parse(totals.gross), paid);
  if (onAccount.digits <= 0n) return;
  const owed = decimal.parse(facts.customer?.balance ?? "0");
  const exposure = decimal.sum([owed, decimal.parse(facts.openGross), onAccount]);
  if (decimal.compare(exposure, decimal.parse(limit)) <= 0) return;
  note({
    check: "credit",
    code: "over-credit-limit",
    found: decimal.format(exposure),
    expected: `at most ${limit}`,
    about:
      `With this order account ${request.account} would owe ${decimal.format(exposure)}: ` +
      `${decimal.format(owed)} in the ledger, ${facts.openGross} in web orders not invoiced yet, ` +
      `${decimal.format(onAccount)} for this one. Its limit is ${limit}.`,
    instruction: "Credit control releases the order, or the customer pays first.",
  });
}
