/** Goods leave and are invoiced: at once, in one delivery, or in two. */
import { calendar, type Sale } from "../../../deploy/demo/merchant/index.ts";
import { expectReturns } from "./crediting.ts";
import type { Erp } from "./erp.ts";
import { lineNet, QUANTITY, short, vatOn } from "./figures.ts";
import { netOf, sumOf, type ErpOrder, type OrderLine } from "./orders.ts";
import { post, type DocumentLine, type PostedDocument } from "./posting.ts";

/** How much of each line leaves now, by line number. Lines that are not named stay. */
type Load = ReadonlyMap<number, number>;

export interface Delivery {
  readonly order: ErpOrder;
  /** "first" leaves something for a second one where the order can be divided. */
  readonly part: "all" | "first" | "rest";
  /** What the customer will bring back of it; null: nothing. */
  readonly returned: Sale["returned"];
}

/** Despatches what the delivery holds and invoices it; notes what will come back of it. */
export function deliver(erp: Erp, delivery: Delivery): void {
  const { order, part } = delivery;
  const load = part === "first" ? firstLoad(order) : restOf(order);
  if (load.size === 0) return;
  if (order.number !== null) despatch(erp, order, load);
  const invoiced = invoice(erp, order, load);
  const returned = expectReturns(erp, { invoiced, delivery });
  if (part !== "first") return;
  const later = calendar.workingDaysAfter(erp.day, 2 + (order.lines.length % 4));
  const rest = { order, part: "rest", returned: returned ? null : delivery.returned } as const;
  erp.agenda.put(later, { kind: "deliver", delivery: rest });
}

function restOf({ lines }: ErpOrder): Load {
  return new Map(
    lines
      // Texts weigh nothing: they go with the first load, which every order has.
      .filter(
        (line) => line.invoiced5 < line.quantity5 || (line.quantity5 === 0 && !wasLoaded(lines)),
      )
      .map((line) => [line.line, line.quantity5 - line.invoiced5]),
  );
}

function wasLoaded(lines: readonly OrderLine[]): boolean {
  return lines.some((line) => line.invoiced5 > 0);
}

/**
 * All charges, the first half of the goods lines, and
 * of the first line only half when it can be halved.
 */
function firstLoad(order: ErpOrder): Load {
  const goods = order.lines.filter((line) => line.lineClass === "goods");
  const leaving = goods.slice(0, Math.ceil(goods.length / 2));
  const halves = leaving.map(
    (line, i) => [line.line, i === 0 ? half(line) : line.quantity5] as const,
  );
  const charges = order.lines.filter((line) => line.lineClass !== "goods");
  return new Map([...halves, ...charges.map((line) => [line.line, line.quantity5] as const)]);
}

/** Half of a quantity in whole selling units; all of it when it is one or less. */
function half({ quantity5 }: OrderLine): number {
  const one = 10 ** QUANTITY;
  const units = Math.floor(quantity5 / one / 2);
  return units === 0 ? quantity5 : units * one;
}

function despatch(erp: Erp, order: ErpOrder, load: Load): void {
  const goods = loaded(order, load).filter(({ line }) => line.lineClass === "goods");
  for (const { line, quantity5 } of goods) line.despatched5 += quantity5;
  if (goods.length === 0 || !erp.keepsOrders()) return;
  const number = erp.number("despatch");
  erp.out.add("despatches", {
    despatch: number,
    account: order.heading.account,
    despatchedOn: erp.today(),
    carrier: null,
    tracking: null,
  });
  for (const [i, { line, quantity5 }] of goods.entries()) {
    erp.out.add("despatch-lines", {
      despatch: number,
      line: i + 1,
      erpOrder: order.number,
      erpOrderLine: line.line,
      product: line.product,
      quantity: short(quantity5, QUANTITY),
    });
  }
}

function loaded(order: ErpOrder, load: Load) {
  return order.lines.flatMap((line) => {
    const quantity5 = load.get(line.line);
    return quantity5 === undefined ? [] : [{ line, quantity5 }];
  });
}

function invoice(erp: Erp, order: ErpOrder, load: Load): PostedDocument {
  const lines = loaded(order, load).map(({ line, quantity5 }, i) =>
    invoiceLine(order, { line, quantity5, number: i + 1 }),
  );
  const document: PostedDocument = {
    documentType: "invoice",
    document: erp.number("invoice"),
    heading: order.heading,
    erpOrder: order.number,
    lines,
    net: sumOf(lines, (line) => line.net),
    vat: sumOf(lines, (line) => line.vat),
  };
  post(erp, document, order);
  return document;
}

interface Portion {
  readonly line: OrderLine;
  readonly quantity5: number;
  readonly number: number;
}

/**
 * The last portion of a line is the rest of its net and VAT, so that invoices add up to the order.
 */
function invoiceLine(order: ErpOrder, { line, quantity5, number }: Portion): DocumentLine {
  const last = line.invoiced5 + quantity5 >= line.quantity5;
  const net = last ? line.net - line.invoicedNet : netOf(line, quantity5);
  const vat = last ? line.vat - line.invoicedVat : vatOn(net, line.vatCode);
  line.invoiced5 += quantity5;
  line.invoicedNet += net;
  line.invoicedVat += vat;
  return {
    line: number,
    lineClass: line.lineClass,
    product: line.product,
    description: line.description,
    quantity5,
    perPricingUnit5: line.perPricingUnit5,
    price4: line.price4,
    discount4: line.discount4,
    net,
    vat,
    vatCode: line.vatCode,
    typed: line.typed,
    cost: line.cost4 === null ? null : lineNet(quantity5, line.perPricingUnit5, line.cost4),
    erpOrder: order.number,
    orderLine: line.line,
    creditsDocument: null,
    creditsLine: null,
  };
}
