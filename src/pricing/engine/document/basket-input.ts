/** What promotions over a basket are worked out from, and what they come to. */
import type { CustomerScope } from "../policy.ts";
import type { Exact } from "./exact.ts";
import type { Promotion } from "./offers.ts";

export interface BasketLine {
  readonly product: string;
  /** Product groups that it belongs to: its own, and those above where the policy says so. */
  readonly groups: readonly string[];
  /** Selling units with 5 places, above 0. */
  readonly quantity: number;
  /** Selling units in a pricing unit, with 5 places. */
  readonly perPricingUnit: number;
  /** What the line costs before promotions over the basket, at the document's places. */
  readonly amount: number;
  /** The same before it was rounded; null or absent: the amount is all that is known. */
  readonly exact?: Exact | null;
  /** Why no promotion may lower it, such as "a net price"; null: any may. */
  readonly closed: string | null;
  /** The promotion that gave its price already; null: none. */
  readonly promotion: string | null;
}

export interface PromotionUse {
  /** Orders that hold it, in all and of the account. */
  readonly orders: number;
  readonly ofAccount: number;
  /** What it has given away so far, at the document's places. */
  readonly given: number;
}

export interface BasketInput {
  readonly lines: readonly BasketLine[];
  /** Whom it is for, besides everyone: codes by scope. */
  readonly customer: Partial<Record<CustomerScope, readonly string[]>>;
  readonly moment: number;
  readonly codes: readonly string[];
  /** By promotion; absent: not used yet. */
  readonly uses: ReadonlyMap<string, PromotionUse>;
  /**
   * What a selling unit of products outside the basket costs, with 6 places: what given goods are
   * worth.
   */
  readonly worth: ReadonlyMap<string, number>;
}

/** What a promotion takes off a line, at the document's places. */
export interface Fall {
  readonly line: number;
  readonly amount: number;
  /** What is left then, before it is rounded; absent: not known. */
  readonly leaves?: Exact | null;
}

export interface FreeLine {
  readonly product: string;
  readonly quantity: number;
  /** Per selling unit with 6 places; 0: free. */
  readonly price: number;
  /** What is given away by it; null: not known. */
  readonly worth: number | null;
}

export interface Applied {
  readonly promotion: Promotion;
  /** What it gives away in all: falls, and what free goods are worth above their price. */
  readonly saving: number;
  readonly falls: readonly Fall[];
  readonly free: readonly FreeLine[];
  /** What its budget did not leave it to give; 0: nothing. */
  readonly cut: number;
  /** Times it holds in this basket. */
  readonly times: number;
}

/** Goods in the basket that a promotion may not count. */
export interface Kept {
  /** Selling units with 5 places. */
  readonly quantity: number;
  /** The promotion that holds on them, or else why none may: "a net price". */
  readonly by: string | null;
  readonly why: string | null;
}

export type Reason =
  | { readonly reason: "needs-quantity"; readonly more: number; readonly kept?: Kept }
  | { readonly reason: "needs-value"; readonly more: number; readonly kept?: Kept }
  | {
      readonly reason: "needs-product";
      readonly product: string;
      readonly more: number;
      readonly kept?: Kept;
    }
  | { readonly reason: "code-not-given" }
  | { readonly reason: "uses-used-up"; readonly most: number }
  | { readonly reason: "account-uses-used-up"; readonly most: number }
  | { readonly reason: "budget-used-up" }
  /** Another promotion holds on its goods, and this one does not stack. */
  | { readonly reason: "excluded"; readonly by: string }
  | { readonly reason: "group"; readonly by: string; readonly group: string }
  | { readonly reason: "closed"; readonly why: string }
  | { readonly reason: "no-saving" }
  | { readonly reason: "worth-unknown"; readonly product: string };

export interface NotApplied {
  readonly promotion: Promotion;
  readonly why: Reason;
}

export interface BasketPromotions {
  readonly applied: readonly Applied[];
  /** Those on something in the basket, or whose code was given. */
  readonly notApplied: readonly NotApplied[];
  /** Codes given that no promotion for this customer and moment has. */
  readonly unknownCodes: readonly string[];
  /** By line: what all promotions take off it. */
  readonly lowered: readonly number[];
  /** By line: the part of it that promotions on the document take. */
  readonly loweredByDocument: readonly number[];
  /** First later moment at which a promotion starts or stops; Infinity: none. */
  readonly until: number;
}
