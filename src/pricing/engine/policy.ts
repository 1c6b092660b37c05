/**
 * A price policy as the engine takes it: how a merchant's system resolves a price, as data. The
 * file
 * it comes from is read by the module around the engine.
 */
import { records } from "../../model/index.ts";
import type { Canonical, Rounding } from "../../model/index.ts";

export type CustomerScope = Canonical<"price-rule">["customerScope"];
export type ProductScope = Canonical<"price-rule">["productScope"];

/** Most particular first, as the model lists them. */
export const CUSTOMER_SCOPES: readonly CustomerScope[] =
  records["price-rule"].fields.customerScope.values;
export const PRODUCT_SCOPES: readonly ProductScope[] =
  records["price-rule"].fields.productScope.values;

/** For whom and for what a rule is: where it stands in the book. */
export interface Place {
  readonly customer: CustomerScope;
  readonly product: ProductScope;
}

/**
 * How candidates inside a step compete. `lowest`: the lowest price; on a tie the place named first.
 * `particular`: the place named first; inside it the lowest.
 */
export type Compete = "lowest" | "particular";
/** What a hit does to the steps after it: ends the search, or goes on to compete with theirs. */
export type Hit = "stop" | "compete";

interface StepOf<Draw extends string> {
  /** Name in explanations. */
  readonly step: string;
  readonly draw: Draw;
  readonly compete: Compete;
  readonly hit: Hit;
}

export type PolicyStep =
  | (StepOf<"quotations"> & {
      /** `when-named`: only when the buyer gives the quotation's number; `by-itself`: always. */
      readonly applies: "when-named" | "by-itself";
    })
  | (StepOf<"rules"> & {
      /** Which rules: those flagged as net prices, or the rest. */
      readonly only: "net" | "not-net";
      /**
       * Most particular first. A fixed price in a place of the base competes as base price alone.
       */
      readonly places: readonly Place[];
      /** True: the base price competes in this step too, after the places. */
      readonly withBase: boolean;
    })
  | (StepOf<"promotions"> & { readonly places: readonly Place[] })
  | StepOf<"account-discount">
  | StepOf<"base">;

export interface Policy {
  readonly policy: string;
  readonly about: string;
  /** Short hash of the file's text: part of what a book is compiled from. */
  readonly version: string;
  /** `with-parents`: a rule on a group also holds for the products of the groups below it. */
  readonly productGroups: "own" | "with-parents";
  /**
   * Where the price stands that percents and amounts are taken off: the first place that has one.
   */
  readonly base: readonly Place[];
  /**
   * In order; those that stop come before those that compete. The lowest of the last ones is the
   * price.
   */
  readonly steps: readonly PolicyStep[];
  readonly arithmetic: {
    /** Of the price per pricing unit, once, after any discount. */
    readonly unitPrice: Rounding;
    /** Of quantity ÷ selling units per pricing unit × unit price. */
    readonly lineNet: Rounding;
    /** Of the rounded line net × rate. */
    readonly lineVat: Rounding;
  };
}
