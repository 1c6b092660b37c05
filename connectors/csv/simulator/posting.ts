/** A document is posted: into the ledger, into the books, into the export files. */
import { calendar } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import { broken } from "./faults.ts";
import { fixed, money, PRICE, QUANTITY, short } from "./figures.ts";
import type { Row } from "./layout.ts";
import type { ErpOrder, Heading, LineClass } from "./orders.ts";

export interface DocumentLine {
  readonly line: number;
  readonly lineClass: LineClass;
  readonly product: string | null;
  readonly description: string | null;
  readonly quantity5: number;
  readonly perPricingUnit5: number;
  readonly price4: number;
  readonly discount4: number;
  readonly net: number;
  readonly vat: number;
  readonly vatCode: string | null;
  readonly cost: number | null;
  /** True: its price was typed over this ERP's. */
  readonly typed: boolean;
  readonly erpOrder: string | null;
  /** Line of what was ordered, or sold over the counter; null: a line that nobody ordered. */
  readonly orderLine: number | null;
  readonly creditsDocument: string | null;
  readonly creditsLine: number | null;
}

export interface PostedDocument {
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly heading: Heading;
  readonly erpOrder: string | null;
  readonly lines: readonly DocumentLine[];
  readonly net: number;
  readonly vat: number;
}

/** `order` is the one that the document belongs to; null: none. */
export function post(erp: Erp, posted: PostedDocument, order: ErpOrder | null): void {
  const { documentType, document, net, vat } = posted;
  const period = periodOf(erp, posted.heading);
  writeDocument(erp, posted, period);
  erp.ledger.post(posted, { day: erp.day, period });
  erp.tally.post(posted, period);
  if (order === null) return;
  if (order.heading.webOrder !== null) order.documents.push({ documentType, document, net, vat });
  erp.changedOrders.add(order);
}

/** The month of the day, or the one before when the office posts late. */
function periodOf(erp: Erp, { postedLate }: Heading): string {
  const month = erp.today().slice(0, 7);
  const early = Number(erp.today().slice(8)) <= 5;
  return postedLate && early ? calendar.isoOf(erp.day - 6).slice(0, 7) : month;
}

function writeDocument(erp: Erp, posted: PostedDocument, period: string): void {
  const { documentType, document, heading, erpOrder, net, vat, lines } = posted;
  erp.out.add("sales-documents", {
    documentType,
    document,
    account: heading.account,
    documentOn: erp.today(),
    period,
    currency: "GBP",
    branch: heading.branch,
    channel: heading.channelColumn,
    takenBy: heading.takenBy,
    erpOrder,
    webOrder: heading.webOrder,
    customerReference: heading.customerReference,
    rep: heading.rep,
    net: money(net),
    vat: money(vat),
    gross: money(net + vat),
  });
  for (const line of lines) writeLine(erp, posted, line);
}

function writeLine(erp: Erp, { documentType, document }: PostedDocument, line: DocumentLine): void {
  const row: Row<"sales-lines"> = {
    documentType,
    document,
    line: line.line,
    lineClass: line.lineClass,
    product: line.product,
    description: line.description,
    quantity: short(line.quantity5, QUANTITY),
    unitPrice: fixed(line.price4, PRICE),
    discountPercent: short(line.discount4, PRICE),
    net: money(line.net),
    vat: money(line.vat),
    vatCode: line.vatCode,
    cost: line.cost === null ? null : money(line.cost),
    erpOrder: line.erpOrder,
    erpOrderLine: line.erpOrder === null ? null : line.orderLine,
    creditsDocument: line.creditsDocument,
    creditsLine: line.creditsLine,
  };
  if (documentType === "invoice" && line.lineClass === "goods" && erp.breaksALine()) {
    erp.brokenLine = { row, line: erp.out.add("sales-lines", broken(row)) };
  } else {
    erp.out.add("sales-lines", row);
  }
}
