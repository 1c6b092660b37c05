/**
 * Web orders become orders of the ERP. Like most ERPs it knows no idempotency: files that are
 * dropped twice are two orders.
 */
import { join } from "node:path";
import { calendar } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import { knowsVat, MONEY, money, PRICE, QUANTITY, tryScaled } from "./figures.ts";
import { findOrders, putAway, type OrderFiles } from "./order-files.ts";
import { chargeLine, goodsLine, sumOf, type ErpOrder, type OrderLine } from "./orders.ts";

/** A web order that was taken in: an order now, or refused. */
export type TakenOrder = { readonly webOrder: string; readonly takenOn: string } & (
  | { readonly order: ErpOrder; readonly refused: null }
  | { readonly order: null; readonly refused: string }
);

export interface Intake {
  readonly taken: readonly TakenOrder[];
  readonly waiting: readonly { readonly name: string; readonly reason: string }[];
}

/** Takes in whatever is whole, answers each, and says what it left lying and why. */
export function takeOrders(erp: Erp): Intake {
  const folder = join(erp.folder, "orders");
  const found = findOrders(folder);
  const taken = found.flatMap((one) => {
    if (one.kind === "waiting") return [];
    const order = takeOrder(erp, one.files);
    putAway(folder, one.files.name);
    return [order];
  });
  const waiting = found.flatMap((one) => (one.kind === "waiting" ? [one] : []));
  return { taken, waiting: waiting.map(({ name, reason }) => ({ name, reason })) };
}

function takeOrder(erp: Erp, files: OrderFiles): TakenOrder {
  const webOrder = files.header["webOrder"] ?? files.name;
  const made = makeOrder(erp, files);
  const taken: TakenOrder =
    "refused" in made
      ? { webOrder, takenOn: erp.today(), order: null, refused: made.refused }
      : { webOrder, takenOn: erp.today(), order: made.order, refused: null };
  erp.webOrders.push(taken);
  answer(erp, taken);
  if (taken.order !== null) accept(erp, taken.order, files);
  return taken;
}

function answer(erp: Erp, { webOrder, order, refused }: TakenOrder): void {
  erp.out.add("order-acknowledgements", {
    webOrder,
    outcome: order === null ? "refused" : "accepted",
    erpOrder: order?.number ?? null,
    reason: refused,
    answeredOn: erp.today(),
    net: order === null ? null : money(sumOf(order.lines, (line) => line.net)),
    vat: order === null ? null : money(sumOf(order.lines, (line) => line.vat)),
  });
}

type Made = { readonly order: ErpOrder } | { readonly refused: string };

function makeOrder(erp: Erp, { header, lines }: OrderFiles): Made {
  const account = header["account"] ?? "";
  const customer = erp.findCustomer(account);
  if (customer === undefined) return { refused: `account ${account} is not known` };
  if (customer.state === "closed") return { refused: `account ${account} is closed` };
  if (customer.onStop) return { refused: `account ${account} is on stop: ${customer.stopReason}` };
  const orderedOn = header["orderedOn"] ?? "";
  if (!/^\d{4}-\d\d-\d\d$/.test(orderedOn)) return { refused: `"${orderedOn}" is no date` };
  const paid = header["paymentAmount"] ?? "";
  if (paid !== "" && tryScaled(paid, MONEY) === undefined)
    return { refused: `payment "${paid}" is no amount` };
  if (lines.length === 0) return { refused: "it has no lines" };
  const made = lines.map((line, i) => makeLine(erp, line, { account, orderedOn, number: i + 1 }));
  const refused = made.find((line) => typeof line === "string");
  if (refused !== undefined) return { refused };
  return {
    order: {
      number: erp.number("order"),
      orderedOn,
      heading: {
        account,
        branch: header["branch"] || customer.branch,
        channelColumn: null,
        takenBy: null,
        customerReference: header["customerReference"] || null,
        rep: customer.rep === "HOUSE" ? null : customer.rep,
        webOrder: header["webOrder"] ?? "",
        channel: "web",
        shows: "web",
        postedLate: false,
      },
      lines: made.filter((line) => typeof line !== "string"),
      documents: [],
    },
  };
}

interface Whose {
  readonly account: string;
  readonly orderedOn: string;
  /** The line's number in the ERP. */
  readonly number: number;
}

/** A line at the order's own price, with the ERP's price noted; or why it cannot be taken. */
function makeLine(
  erp: Erp,
  line: Readonly<Record<string, string>>,
  { account, orderedOn, number }: Whose,
): OrderLine | string {
  const { code = "", vatCode = "", description = "" } = line;
  const where = `line ${line["line"] ?? number}`;
  const webOrderLine = Number(line["line"] ?? number);
  if (!knowsVat(vatCode)) return `${where}: VAT code "${vatCode}" is not known`;
  if (line["kind"] === "charge") {
    const net = tryScaled(line["net"] ?? "", MONEY);
    if (net === undefined) return `${where}: net "${line["net"]}" is no amount`;
    const lineClass = code.toUpperCase().startsWith("CARR") ? "carriage" : "charge";
    const text = description === "" ? code : description;
    return chargeLine({ line: number, lineClass, description: text, net, vatCode, webOrderLine });
  }
  const product = erp.findProduct(code);
  if (product === undefined) return `${where}: product ${code} is not known`;
  if (product.state === "blocked") return `${where}: product ${code} is blocked`;
  const quantity5 = tryScaled(line["quantity"] ?? "", QUANTITY);
  const price4 = tryScaled(line["unitPrice"] ?? "", PRICE);
  if (quantity5 === undefined || quantity5 <= 0)
    return `${where}: quantity "${line["quantity"]}" is no quantity`;
  if (price4 === undefined || price4 < 0)
    return `${where}: unit price "${line["unitPrice"]}" is no price with at most 4 places`;
  const off = tryScaled(line["discount"] || "0", MONEY);
  if (off === undefined || off < 0) return `${where}: discount "${line["discount"]}" is no amount`;
  const own = erp.pricing.charge({ account, product: code, quantity5, on: orderedOn });
  const asAgreed = { typed: false, discount4: 0, off };
  const draft = { ...asAgreed, line: number, quantity5, price4, vatCode, own, webOrderLine };
  return goodsLine(product, draft);
}

/** Puts the order into the agenda; see README.md for what becomes of which. */
function accept(erp: Erp, order: ErpOrder, { header }: OrderFiles): void {
  erp.changedOrders.add(order);
  const count = erp.webOrders.filter((one) => one.order !== null).length;
  const { account, webOrder } = order.heading;
  const paid = tryScaled(header["paymentAmount"] ?? "", MONEY) ?? 0;
  if (paid > 0) erp.ledger.prepay(account, paid, webOrder ?? "", erp.day);
  const short = count % 5 === 4;
  const line = order.lines.findIndex(({ lineClass }) => lineClass === "goods");
  const returned =
    short && line >= 0
      ? { line, part: 0.5, afterDays: 2, namesInvoice: true, reason: "Delivered short" }
      : null;
  const part = count % 3 === 2 ? "first" : "all";
  const day = deliveryDay(erp, header["requestedOn"] ?? "", count);
  erp.agenda.put(day, { kind: "deliver", delivery: { order, part, returned } });
}

function deliveryDay(erp: Erp, requestedOn: string, count: number): number {
  const usual = calendar.workingDaysAfter(erp.day, 1 + (count % 3));
  if (!/^\d{4}-\d\d-\d\d$/.test(requestedOn)) return usual;
  const requested = calendar.dayOf(requestedOn);
  return requested > erp.day && requested <= erp.day + 10 ? requested : usual;
}
