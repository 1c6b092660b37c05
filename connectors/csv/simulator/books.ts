/** The ERP's own books, in the figures that a reader compares with: decimal texts. */
import type { Erp } from "./erp.ts";
import type { PlantedFault } from "./faults.ts";
import { fixed, lineNet, money, PRICE, QUANTITY, scaled, vatOn } from "./figures.ts";
import type { TakenOrder } from "./intake.ts";
import { sumOf, type ErpOrder, type SoldBy } from "./orders.ts";

export interface Books {
  /** The day that it is, ISO. */
  readonly today: string;
  /** Posted so far. */
  readonly documents: number;
  readonly lines: number;
  /** By accounting period and document type; amounts positive on both. */
  readonly periods: readonly PeriodBooks[];
  /** By account, accounting period and channel; credits count negative. */
  readonly sales: readonly ChannelBooks[];
  /** By web order number, in the order of first arrival. */
  readonly webOrders: readonly WebOrderBooks[];
  /** "INV500001/2": lines of documents whose price a seller typed over this ERP's. */
  readonly typedPrices: readonly string[];
  readonly faults: readonly PlantedFault[];
  /** What the ERP would charge; null: it has no price. */
  priceFor(account: string, product: string, quantity: string, on: string): PriceAnswer | null;
}

export interface PeriodBooks {
  readonly period: string;
  readonly documentType: "invoice" | "credit";
  readonly documents: number;
  readonly net: string;
  readonly vat: string;
}

export interface ChannelBooks {
  readonly account: string;
  /** Accounting period, YYYY-MM. */
  readonly period: string;
  /** The channel that the sales truly came through. */
  readonly channel: SoldBy;
  /** The channel that follows from the files; `unknown` when nothing in them shows it. */
  readonly shows: SoldBy | "unknown";
  readonly goodsNet: string;
  /** All line classes. */
  readonly net: string;
}

export interface WebOrderBooks {
  readonly webOrder: string;
  /** Why it was refused, each time that it was. */
  readonly refusals: readonly string[];
  /** More than one: it was dropped more than once. */
  readonly erpOrders: readonly ErpOrderBooks[];
  /** Over all its orders. */
  readonly invoicedNet: string;
  readonly creditedNet: string;
}

export interface ErpOrderBooks {
  readonly erpOrder: string;
  readonly account: string;
  readonly orderedOn: string;
  readonly net: string;
  readonly vat: string;
  readonly lines: readonly {
    readonly line: number;
    readonly product: string | null;
    readonly quantity: string;
    readonly invoicedQuantity: string;
    readonly unitPrice: string;
    readonly net: string;
    /** What the ERP would have charged on the order's date; null for charges. */
    readonly ownUnitPrice: string | null;
    readonly ownRule: string | null;
  }[];
  readonly documents: readonly {
    readonly documentType: "invoice" | "credit";
    readonly document: string;
    readonly net: string;
    readonly vat: string;
  }[];
}

export interface PriceAnswer {
  /** Per pricing unit, 4 places. */
  readonly unitPrice: string;
  readonly net: string;
  readonly vatCode: string;
  readonly vat: string;
  /** The `rule` or `promotion` that won. */
  readonly rule: string;
  readonly from: "price-rule" | "promotion";
}

export function booksOf(erp: Erp): Books {
  return {
    today: erp.today(),
    ...erp.tally.counts(),
    periods: erp.tally.periods().map((total) => ({
      ...total,
      net: money(total.net),
      vat: money(total.vat),
    })),
    sales: [...erp.tally.channels()].map(({ goods, all, ...where }) => ({
      ...where,
      goodsNet: money(goods),
      net: money(all),
    })),
    webOrders: webOrderBooks(erp.webOrders),
    typedPrices: erp.tally.typed(),
    faults: erp.faults.planted(),
    priceFor: (account, product, quantity, on) =>
      priceAnswer(erp, { account, product, quantity5: scaled(quantity, QUANTITY), on }),
  };
}

function priceAnswer(
  erp: Erp,
  asked: { account: string; product: string; quantity5: number; on: string },
): PriceAnswer | null {
  const customer = erp.findCustomer(asked.account);
  const product = erp.findProduct(asked.product);
  const charge = erp.pricing.charge(asked);
  if (customer === undefined || product === undefined || charge === null) return null;
  const { price4, rule, from } = charge;
  const per5 = scaled(product.sellingUnitsPerPricingUnit, QUANTITY);
  const net = lineNet(asked.quantity5, per5, price4);
  const vatCode = customer.vatCode ?? product.vatCode;
  return {
    unitPrice: fixed(price4, PRICE),
    net: money(net),
    vatCode,
    vat: money(vatOn(net, vatCode)),
    rule,
    from,
  };
}

function webOrderBooks(taken: readonly TakenOrder[]): readonly WebOrderBooks[] {
  return [...Map.groupBy(taken, ({ webOrder }) => webOrder)].map(([webOrder, all]) => {
    const orders = all.flatMap(({ order }) => (order === null ? [] : [order]));
    const documents = orders.flatMap((order) => order.documents);
    const net = (type: "invoice" | "credit") =>
      money(sumOf(documents, (one) => (one.documentType === type ? one.net : 0)));
    return {
      webOrder,
      refusals: all.flatMap(({ refused }) => (refused === null ? [] : [refused])),
      erpOrders: orders.map(erpOrderBooks),
      invoicedNet: net("invoice"),
      creditedNet: net("credit"),
    };
  });
}

function erpOrderBooks(order: ErpOrder): ErpOrderBooks {
  return {
    erpOrder: order.number ?? "",
    account: order.heading.account,
    orderedOn: order.orderedOn,
    net: money(sumOf(order.lines, (line) => line.net)),
    vat: money(sumOf(order.lines, (line) => line.vat)),
    lines: order.lines.map((line) => ({
      line: line.line,
      product: line.product,
      quantity: fixed(line.quantity5, QUANTITY),
      invoicedQuantity: fixed(line.invoiced5, QUANTITY),
      unitPrice: fixed(line.price4, PRICE),
      net: money(line.net),
      ownUnitPrice: line.own === null ? null : fixed(line.own.price4, PRICE),
      ownRule: line.own?.rule ?? null,
    })),
    documents: order.documents.map(({ net, vat, ...which }) => ({
      ...which,
      net: money(net),
      vat: money(vat),
    })),
  };
}
