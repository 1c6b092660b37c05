/**
 * Credit notes: goods that come back, pallets returned for their deposit, rebates at quarter's end.
 */
import { calendar, type Sale } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import { lineNet, percentOf, QUANTITY, vatOn } from "./figures.ts";
import { netOf, type ErpOrder, type Heading } from "./orders.ts";
import { post, type DocumentLine, type PostedDocument } from "./posting.ts";
import type { Delivery } from "./shipping.ts";

export interface Credit {
  readonly order: ErpOrder;
  readonly invoice: string;
  readonly line: DocumentLine;
  readonly quantity5: number;
  /** False: the office forgot to say which invoice it credits. */
  readonly namesInvoice: boolean;
  readonly reason: string;
}

interface Invoiced {
  readonly invoiced: PostedDocument;
  readonly delivery: Delivery;
}

/** Puts into the agenda what will be credited of an invoice; true when `returned` was among it. */
export function expectReturns(erp: Erp, { invoiced, delivery }: Invoiced): boolean {
  const { order, returned } = delivery;
  for (const line of invoiced.lines) {
    if (line.lineClass !== "deposit" || !erp.random.chance(0.6)) continue;
    const back = { line: 0, part: 1, namesInvoice: true, reason: "Pallets returned" };
    expectCredit(erp, { order, invoiced, line }, { ...back, afterDays: erp.random.whole(20, 60) });
  }
  if (returned === null) return false;
  const line = invoiced.lines.find((one) => one.orderLine === returned.line + 1);
  if (line === undefined) return false;
  expectCredit(erp, { order, invoiced, line }, returned);
  return true;
}

function expectCredit(
  erp: Erp,
  { order, invoiced, line }: { order: ErpOrder; invoiced: PostedDocument; line: DocumentLine },
  returned: NonNullable<Sale["returned"]>,
): void {
  const credit: Credit = {
    order,
    invoice: invoiced.document,
    line,
    quantity5: partOf(line.quantity5, returned.part),
    namesInvoice: returned.namesInvoice,
    reason: returned.reason,
  };
  const day = calendar.workingDaysAfter(erp.day + returned.afterDays - 1, 1);
  erp.agenda.put(day, { kind: "credit", credit });
}

/** A part in whole selling units; at least one, at most all. */
function partOf(quantity5: number, part: number): number {
  const one = 10 ** QUANTITY;
  const units = Math.max(1, Math.floor((quantity5 * part) / one));
  return part === 1 ? quantity5 : Math.min(quantity5, units * one);
}

export function creditReturn(erp: Erp, credit: Credit): void {
  const { order, line, quantity5, namesInvoice, invoice, reason } = credit;
  const whole = quantity5 === line.quantity5;
  const net = whole ? line.net : netOf(line, quantity5);
  const credited: DocumentLine = {
    ...line,
    line: 1,
    description: `${reason}: ${line.description ?? ""}`,
    quantity5,
    net,
    vat: whole ? line.vat : vatOn(net, line.vatCode),
    cost: costOf(line, quantity5),
    erpOrder: namesInvoice ? line.erpOrder : null,
    creditsDocument: namesInvoice ? invoice : null,
    creditsLine: namesInvoice ? line.line : null,
  };
  postCredit(erp, { ...order.heading, postedLate: false }, credited, order);
}

function costOf(line: DocumentLine, quantity5: number): number | null {
  if (line.cost === null || line.quantity5 === 0) return line.cost;
  return quantity5 === line.quantity5
    ? line.cost
    : lineNet(quantity5, line.quantity5, line.cost * 100);
}

function postCredit(erp: Erp, heading: Heading, line: DocumentLine, order: ErpOrder | null): void {
  const document = erp.number("credit");
  const { erpOrder, net, vat } = line;
  post(
    erp,
    { documentType: "credit", document, heading, erpOrder, lines: [line], net, vat },
    order,
  );
}

/** Two in a hundred of the quarter's goods, to the accounts that bought most. */
export function rebateQuarter(erp: Erp): void {
  const quarter = erp.tally.takeQuarter();
  const best = [...quarter].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const many = Math.ceil(erp.merchant.customers.length / 100);
  for (const [account, goods] of best.slice(0, many)) {
    const net = percentOf(goods, 2);
    if (net <= 0 || erp.customer(account).cashAccount) continue;
    postCredit(erp, rebateHeading(erp, account), rebateLine(net), null);
  }
}

function rebateHeading(erp: Erp, account: string): Heading {
  const { branch, rep } = erp.customer(account);
  return {
    account,
    branch,
    channelColumn: "other",
    takenBy: null,
    customerReference: null,
    rep: rep === "HOUSE" ? null : rep,
    webOrder: null,
    channel: "other",
    shows: "other",
    postedLate: false,
  };
}

function rebateLine(net: number): DocumentLine {
  return {
    line: 1,
    lineClass: "rebate",
    product: null,
    description: "Rebate on last quarter's goods",
    quantity5: 10 ** QUANTITY,
    perPricingUnit5: 10 ** QUANTITY,
    price4: net * 100,
    discount4: 0,
    net,
    vat: vatOn(net, "STANDARD"),
    vatCode: "STANDARD",
    typed: false,
    cost: null,
    erpOrder: null,
    orderLine: null,
    creditsDocument: null,
    creditsLine: null,
  };
}
