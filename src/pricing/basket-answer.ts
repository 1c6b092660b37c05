/** What pricing is asked of a whole basket, and what it answers. */
import type { PriceAnswer, PriceAsker, PriceProblem, PriceRequest } from "./answer.ts";

export interface BasketRequest extends PriceAsker {
  readonly lines: PriceRequest["lines"];
  /**
   * By line, the price per pricing unit that was agreed with the buyer: it stands in the place of
   * ours. Null, or absent: ours.
   */
  readonly agreed?: readonly (string | null)[];
  /** Codes of promotions that the buyer gives; upper and lower case are the same. */
  readonly codes?: readonly string[];
  /** Delivery, packing, a surcharge: charge codes, never products. */
  readonly charges?: readonly BasketChargeRequest[];
  /** True: as a credit note, every amount with the other sign. */
  readonly credit?: boolean;
  /** True: with what the systems of the trade would make of the same document. */
  readonly twin?: boolean;
}

export interface BasketChargeRequest {
  readonly charge: string;
  /** Decimal text; below 0: an allowance. */
  readonly amount: string;
  readonly vatCode: string;
  /** Absent: as the policy's prices. */
  readonly includesVat?: boolean;
}

/**
 * A line of the basket: its own price as for the line alone, then what the basket makes of it.
 * All amounts are decimal texts; null when not known.
 */
export type BasketLineAnswer = Omit<PriceAnswer, "net" | "vat"> & {
  /** Before promotions over the basket. */
  readonly full: string | null;
  /** What promotions on lines take off it. */
  readonly lowered: string;
  /** Its share of what comes off the document. */
  readonly documentDiscount: string;
  readonly net: string | null;
  readonly vat: string | null;
  /** Of the full amount, in whole percent, never overstated: what a shop shows as saved. */
  readonly savedPercent: number;
  /** Promotions of the basket that lower it. */
  readonly promotions: readonly { readonly promotion: string; readonly amount: string }[];
};

/** Goods that a promotion gives, on a line of their own. */
export interface BasketFreeLine {
  readonly promotion: string;
  readonly product: string;
  readonly quantity: string;
  /** Per pricing unit; 0 when free. */
  readonly unitPrice: string;
  readonly net: string;
  readonly vatCode: string | null;
  readonly vat: string | null;
  /** What is given away by it; null: the product's price is not known. */
  readonly worth: string | null;
}

export interface AppliedPromotion {
  readonly promotion: string;
  readonly name: string;
  /** What it gives away in all. */
  readonly saving: string;
  /** What it would have given more, had its budget left it; "0.00": nothing. */
  readonly cutBy: string;
  /** Times it holds in this basket. */
  readonly times: number;
  readonly lowers: "line" | "document";
}

export interface UnusedPromotion {
  readonly promotion: string;
  readonly name: string;
  /** Stable: what a program switches on. */
  readonly reason: string;
  /** The same in words: "needs 3 more". */
  readonly about: string;
}

export interface BasketCharge {
  readonly charge: string;
  readonly net: string;
  readonly vatCode: string;
  /** Null: the settings give the code no rate. */
  readonly vatPercent: string | null;
  readonly vat: string | null;
}

export interface BasketVat {
  readonly vatPercent: string;
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
}

export interface BasketTotals {
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
}

export interface BasketTwin extends BasketTotals {
  /** Policy whose arithmetic it is. */
  readonly system: string;
  /** The shop's totals less the system's: the line that reconciles the two. */
  readonly difference: BasketTotals;
}

export interface BasketAnswer {
  readonly account: string;
  readonly currency: string;
  readonly bookVersion: string;
  readonly freshness: string | null;
  /** When a price or a promotion of it may change first; null: none does by itself. */
  readonly validUntil: string | null;
  readonly lines: readonly (BasketLineAnswer | PriceProblem)[];
  readonly free: readonly BasketFreeLine[];
  readonly applied: readonly AppliedPromotion[];
  /** Those on something in the basket that do not hold, with the reason. */
  readonly notApplied: readonly UnusedPromotion[];
  /** Codes given that no promotion of this moment has. */
  readonly unknownCodes: readonly string[];
  /** What comes off the document as a whole. */
  readonly documentDiscount: string;
  readonly charges: readonly BasketCharge[];
  /** By rate, lowest first. */
  readonly vat: readonly BasketVat[];
  /** Null: a line or a rate is not known, so the document is not either. */
  readonly totals: BasketTotals | null;
  /** Why there are no totals, and what to do; null: there are. */
  readonly totalsReason: string | null;
  /** Only when asked for and the totals are known. */
  readonly twins: readonly BasketTwin[];
}
