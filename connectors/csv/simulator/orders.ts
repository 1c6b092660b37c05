/** Orders inside the ERP, and how a sale of the yard becomes one. */
import type { Customer, Product, Sale } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import { lessPercent, lineNet, MONEY, PRICE, QUANTITY, scaled, vatOn } from "./figures.ts";

/** The channel that a sale truly came through; the files do not always show it. */
export type SoldBy = Sale["channel"] | "other";

/** What goes onto the documents of an order. */
export interface Heading {
  readonly account: string;
  readonly branch: string | null;
  /** The documents' own channel column; null: not stated. */
  readonly channelColumn: SoldBy | null;
  readonly takenBy: string | null;
  readonly customerReference: string | null;
  readonly rep: string | null;
  readonly webOrder: string | null;
  readonly channel: SoldBy;
  /** The channel that the files show; unknown when they do not. */
  readonly shows: SoldBy | "unknown";
  /** Documents go into the month before. */
  readonly postedLate: boolean;
}

export type LineClass = "goods" | "carriage" | "charge" | "deposit" | "text" | "rebate";

export interface OrderLine {
  readonly line: number;
  readonly lineClass: LineClass;
  readonly product: string | null;
  readonly description: string | null;
  readonly quantity5: number;
  readonly perPricingUnit5: number;
  /** Per pricing unit, before `discount4`. */
  readonly price4: number;
  readonly discount4: number;
  /** Off the line as a whole, in pence. */
  readonly off: number;
  readonly vatCode: string | null;
  /** Cost per pricing unit; null for charges. */
  readonly cost4: number | null;
  readonly net: number;
  readonly vat: number;
  readonly webOrderLine: number | null;
  /**
   * What this ERP would have charged: its own price and the
   * rule; null for charges and where no rule gives one.
   */
  readonly own: { readonly price4: number; readonly rule: string } | null;
  /** True: the seller typed another price over this ERP's. */
  readonly typed: boolean;
  /** Grow as goods leave and are invoiced. */
  despatched5: number;
  invoiced5: number;
  invoicedNet: number;
  invoicedVat: number;
}

export interface ErpOrder {
  /** null: sold over the counter, where the invoice is all there is. */
  readonly number: string | null;
  readonly orderedOn: string;
  readonly heading: Heading;
  readonly lines: readonly OrderLine[];
  /** Documents raised for it, for the books of web orders. */
  readonly documents: OrderDocument[];
}

export interface OrderDocument {
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly net: number;
  readonly vat: number;
}

export function orderOfSale(erp: Erp, sale: Sale, on: string): ErpOrder {
  const customer = erp.customer(sale.account);
  const goods = sale.lines.map((line, i) => ownLine(erp, { customer, on, line: i + 1, ...line }));
  const charges = sale.charges.map((charge, i) =>
    chargeLine({ ...charge, line: goods.length + i + 1, net: scaled(charge.net, MONEY) }),
  );
  return {
    number: sale.delivery === "taken" ? null : erp.number("order"),
    orderedOn: on,
    heading: {
      account: sale.account,
      branch: sale.evidence.branch,
      channelColumn: sale.evidence.channel,
      takenBy: sale.evidence.takenBy,
      customerReference: sale.customerReference,
      rep: sale.rep,
      webOrder: null,
      channel: sale.channel,
      shows: sale.evidence.shows,
      postedLate: sale.postedLate,
    },
    lines: [...goods, ...charges],
    documents: [],
  };
}

interface Wanted {
  readonly customer: Customer;
  readonly on: string;
  readonly line: number;
  readonly product: string;
  readonly quantity: string;
  readonly discountPercent: string;
  readonly typedBelowPercent: string;
}

/** A line at the ERP's own price, or at the one typed over it, less what the seller typed in. */
function ownLine(erp: Erp, wanted: Wanted): OrderLine {
  const { customer, on, line, quantity, discountPercent } = wanted;
  const product = erp.product(wanted.product);
  const quantity5 = scaled(quantity, QUANTITY);
  const asked = { account: customer.account, product: product.product, quantity5, on };
  const charge = erp.pricing.charge(asked);
  const own4 = charge?.price4 ?? 0;
  const typed4 = typedOver(own4, wanted.typedBelowPercent);
  return goodsLine(product, {
    line,
    quantity5,
    price4: typed4 ?? own4,
    typed: typed4 !== null,
    discount4: scaled(discountPercent, PRICE),
    off: 0,
    vatCode: customer.vatCode ?? product.vatCode,
    own: charge,
    webOrderLine: null,
  });
}

/** In steps of five pence, as people type; null: that would not be another price. */
function typedOver(own4: number, belowPercent: string): number | null {
  if (belowPercent === "0") return null;
  const below4 = lessPercent(own4, scaled(belowPercent, PRICE));
  const typed4 = Math.round(below4 / FIVE_PENCE4) * FIVE_PENCE4;
  return typed4 <= 0 || Math.abs(typed4 - own4) < FIVE_PENCE4 ? null : typed4;
}

const FIVE_PENCE4 = 500;

type GoodsDraft = Pick<
  OrderLine,
  | "line"
  | "quantity5"
  | "price4"
  | "discount4"
  | "off"
  | "vatCode"
  | "own"
  | "typed"
  | "webOrderLine"
>;

export function goodsLine(product: Product, draft: GoodsDraft): OrderLine {
  const perPricingUnit5 = scaled(product.sellingUnitsPerPricingUnit, QUANTITY);
  const charged4 =
    draft.discount4 === 0 ? draft.price4 : lessPercent(draft.price4, draft.discount4);
  const net = lineNet(draft.quantity5, perPricingUnit5, charged4) - draft.off;
  return {
    ...draft,
    ...UNTOUCHED,
    lineClass: "goods",
    product: product.product,
    description: product.name,
    perPricingUnit5,
    cost4: scaled(product.standardCost, PRICE),
    net,
    vat: vatOn(net, draft.vatCode),
  };
}

const UNTOUCHED = { despatched5: 0, invoiced5: 0, invoicedNet: 0, invoicedVat: 0 };
const ONE = 10 ** QUANTITY;

interface ChargeDraft {
  readonly line: number;
  readonly lineClass: LineClass;
  readonly description: string | null;
  readonly net: number;
  readonly vatCode: string | null;
  readonly webOrderLine?: number;
}

/** Carriage and the like: one of it at its net. A text is none of it at nothing. */
export function chargeLine(draft: ChargeDraft): OrderLine {
  return {
    ...UNTOUCHED,
    webOrderLine: null,
    ...draft,
    product: null,
    quantity5: draft.lineClass === "text" ? 0 : ONE,
    perPricingUnit5: ONE,
    price4: draft.net * 100,
    discount4: 0,
    off: 0,
    cost4: null,
    own: null,
    typed: false,
    vat: vatOn(draft.net, draft.vatCode),
  };
}

/** Net of a part of a line at the line's price and discount, with its share of what comes off. */
export function netOf(
  line: Pick<OrderLine, "perPricingUnit5" | "price4" | "discount4" | "quantity5"> &
    Partial<Pick<OrderLine, "off">>,
  quantity5: number,
): number {
  const full = lineNet(quantity5, line.perPricingUnit5, lessPercent(line.price4, line.discount4));
  const { off = 0 } = line;
  return off === 0 ? full : full - Math.round((off * quantity5) / line.quantity5);
}

export function stateOf({ lines }: ErpOrder): "open" | "part" | "complete" {
  if (lines.every((line) => line.invoiced5 >= line.quantity5)) return "complete";
  return lines.some((line) => line.invoiced5 > 0) ? "part" : "open";
}

export function sumOf<T>(list: readonly T[], figure: (one: T) => number): number {
  return list.reduce((sum, one) => sum + figure(one), 0);
}
