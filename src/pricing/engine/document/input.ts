/**
 * What a document is worked out from and what it comes to. All figures are integers with known
 * places: prices 6, quantities 5, percents 4 (20% is 200,000), amounts those of the result.
 */
import type { Arithmetic } from "../policy.ts";

/** How a system adds a document up. */
export type DocumentArithmetic = Arithmetic;

export interface DocumentLine {
  /** Per pricing unit, before `discountPercent`. */
  readonly price: number;
  /** Selling units, above 0 on a credit note too. */
  readonly quantity: number;
  /** Selling units in a pricing unit, with 5 places. */
  readonly perPricingUnit: number;
  /** Below 0: a surcharge. */
  readonly discountPercent?: number;
  /** Percent of VAT on the line. */
  readonly vatRate: number;
  /**
   * VAT that the price as given includes, when that is not the document's basis: 0 for a price
   * without VAT on a document with VAT in its prices. Absent: the price is in the document's basis.
   */
  readonly priceIncludes?: number;
  /**
   * What the line costs after its own discount, where that was found already; absent: it is worked
   * out from the price.
   */
  readonly amount?: number;
  /** What promotions take off the line, in the document's basis. */
  readonly lowered?: number;
}

/** Off the goods of the document or its carriage, in the order given; other charges stay. */
export type DocumentDiscount = {
  /** Least amount of goods, as the discounts before leave it. Absent: any. */
  readonly from?: number;
  /** Absent: the goods. */
  readonly off?: "goods" | "carriage";
} & (
  | { readonly kind: "percent"; readonly percent: number }
  | { readonly kind: "amount"; readonly amount: number }
  /** The goods cost this much, if that is less. */
  | { readonly kind: "total"; readonly amount: number }
);

/** Carriage, packing, a surcharge: never a product, with VAT of its own. Below 0: an allowance. */
export interface DocumentCharge {
  readonly amount: number;
  readonly vatRate: number;
  /** Absent: as the document's prices. */
  readonly includesVat?: boolean;
  /** True: what sending the goods costs; "free carriage from £500" lowers it. */
  readonly carriage?: boolean;
}

export interface DocumentInput {
  readonly arithmetic: DocumentArithmetic;
  readonly lines: readonly DocumentLine[];
  readonly discounts?: readonly DocumentDiscount[];
  readonly charges?: readonly DocumentCharge[];
  /** True: a credit note; every amount is that of the invoice with the other sign. */
  readonly credit?: boolean;
}

export interface LineAmounts {
  /** Per pricing unit in the document's basis with 6 places; in `unit` mode after the discount. */
  readonly price: number;
  /** Quantity × price before any discount, rounded. */
  readonly full: number;
  /** What the line's own discount takes off. */
  readonly discount: number;
  /** What promotions take off. */
  readonly lowered: number;
  /** Its share of the document's discounts. */
  readonly documentDiscount: number;
  readonly net: number;
  /** VAT of the line by itself. Where VAT is per rate the document's is not their sum. */
  readonly vat: number;
  readonly gross: number;
}

export interface ChargeAmounts {
  readonly net: number;
  readonly vat: number;
  readonly gross: number;
}

export interface RateAmounts {
  /** Percent with 4 places. */
  readonly vatRate: number;
  readonly net: number;
  readonly vat: number;
  readonly gross: number;
}

export interface DocumentTotals {
  /** Places of all its amounts. */
  readonly places: number;
  readonly lines: readonly LineAmounts[];
  readonly charges: readonly ChargeAmounts[];
  /** What each discount came to, in their order; 0 where its least amount was not reached. */
  readonly discounts: readonly number[];
  /** Goods in the document's basis after the lines' own discounts and promotions. */
  readonly goods: number;
  /** By rate, lowest first. */
  readonly rates: readonly RateAmounts[];
  readonly net: number;
  readonly vat: number;
  readonly gross: number;
}
