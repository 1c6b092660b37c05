/**
 * A price policy as the engine takes it: how a merchant's system resolves a price, as data. The
 * file it comes from is read by the module around the engine, which fills in what a file left out,
 * so that every step here has every word.
 */
import { records } from "../../model/index.ts";
import type { Canonical, Rounding } from "../../model/index.ts";
import type { VatSource } from "./vat.ts";

export type CustomerScope = Canonical<"price-rule">["customerScope"];
export type ProductScope = Canonical<"price-rule">["productScope"];
export type RuleKind = Canonical<"price-rule">["kind"];

/** Most particular first, as the model lists them. */
export const CUSTOMER_SCOPES: readonly CustomerScope[] =
  records["price-rule"].fields.customerScope.values;
export const PRODUCT_SCOPES: readonly ProductScope[] =
  records["price-rule"].fields.productScope.values;
export const RULE_KINDS: readonly RuleKind[] = records["price-rule"].fields.kind.values;

/** For whom and for what a rule is: where it stands in the book. */
export interface Place {
  readonly customer: CustomerScope;
  readonly product: ProductScope;
}

export const DRAWS = [
  "quotations",
  "rules",
  "promotions",
  "account-discount",
  "base",
  /** Rules that the ERP has and does not show: whoever they may be for gets no price. */
  "hidden",
] as const;
export type Draw = (typeof DRAWS)[number];

/**
 * What decides between two candidates of a step; the first of a step's list that tells them apart
 * does. Behind the last one stand the lower price and the place named first, unless a tie is an
 * error.
 */
export const COMPARATORS = [
  /** The lower, the higher unit price. */
  "lowest",
  "highest",
  /** The place named first; of a product's groups, the nearest. */
  "particular",
  /** Holds since later, since earlier; without a first day it has held always. */
  "newest",
  "oldest",
  /** The higher number; none is below all. */
  "priority",
  /** More conditions that must be so. */
  "most-conditions",
  /** From the higher quantity. */
  "highest-break",
  /** On the list that comes first among the account's; on no list is last. */
  "list-order",
  /** Names the unit that the line is sold in. */
  "sold-in",
] as const;
export type Comparator = (typeof COMPARATORS)[number];

/**
 * What a hit does to the steps after it. stop: it is the price. compete: it is pooled with the
 * neighbouring steps that compete, and the lowest of them goes on as the running price. continue:
 * it becomes the running price and the steps after go on.
 */
export const HITS = ["stop", "compete", "continue"] as const;
export type Hit = (typeof HITS)[number];

export interface PolicyStep {
  /** Name in explanations and in `unless`. */
  readonly step: string;
  readonly draw: Draw;
  /** Only rules of these kinds; null: of any. */
  readonly kinds: readonly RuleKind[] | null;
  /** Only rules flagged as net prices, or only the rest. */
  readonly only: "net" | "not-net" | "any";
  /** Only rules from a quantity on, or only those from the first unit. */
  readonly breaks: "only" | "none" | "any";
  /** Of percents and amounts only those that raise the price, or only those that lower it. */
  readonly sign: "surcharge" | "discount" | "any";
  /** Most particular first. A fixed price in a place of the base competes as base price alone. */
  readonly places: readonly Place[];
  /** True: the base price competes in this step too, after the places. */
  readonly withBase: boolean;
  /** Of quotations. `when-named`: only when the buyer gives the number; `by-itself`: always. */
  readonly applies: "when-named" | "by-itself";
  readonly compete: readonly Comparator[];
  /** When no comparator tells two apart: the first by content, or no price at all. */
  readonly tie: "first" | "ambiguous";
  /**
   * `stacked`: beside the winner all rules that may stack; `stacked-only`: nothing at all when the
   * winner is none of those.
   */
  readonly takes: "one" | "stacked" | "stacked-only";
  /**
   * What percents and amounts are taken off: the base price, what the steps before came to, or the
   * price before any discount of theirs, so that percents add up.
   */
  readonly from: "base" | "running" | "full";
  /** Names of earlier steps: when one of them gave something this one is not looked at. */
  readonly unless: readonly string[];
  readonly hit: Hit;
}

/** What the discount of a line is rounded on. */
export const DISCOUNTS = [
  /** The net unit price is rounded, then multiplied by the quantity. */
  "unit",
  /** The full value of the line is rounded; less the discount it is rounded once more. */
  "line",
  /** The full value and the discount are each rounded; the net is their difference. */
  "difference",
] as const;

export interface Arithmetic {
  /** Of the price per pricing unit, once, after any discount. */
  readonly unitPrice: Rounding;
  readonly discount: (typeof DISCOUNTS)[number];
  readonly lineNet: Rounding;
  /** Of the rounded net × rate: of each line, or of a document's lines of one rate together. */
  readonly vat: Rounding & { readonly per: "line" | "rate" };
  /** Whether the prices of the rules are before or with VAT. */
  readonly prices: "exclusive" | "inclusive";
  /** How a discount of the whole document is spread over its lines. */
  readonly documentDiscount: "largest-remainder" | "proportional";
  /** `sum`: a document's gross is its net and VAT added; `own`: it is rounded by itself. */
  readonly gross: "sum" | "own";
}

export interface Policy {
  readonly policy: string;
  readonly about: string;
  /** Short hash of the file's text: part of what a book is compiled from. */
  readonly version: string;
  readonly decides: {
    /** Which date of a document counts for its prices. */
    readonly date: "order" | "despatch" | "invoice";
    /** Over what the quantity is counted that a break is compared with. */
    readonly quantity: "line" | "product" | "group" | "document";
  };
  /** `with-parents`: a rule on a group also holds for the products of the groups below it. */
  readonly productGroups: "own" | "with-parents";
  /** Where a VAT code that overrides the product's is looked for, first to last. */
  readonly vatFrom: readonly VatSource[];
  /**
   * `all-units`: all cost what the highest break reached says; `incremental`: each unit costs what
   * its break says.
   */
  readonly breaks: "all-units" | "incremental";
  /** What a fixed price of 0 means. */
  readonly zero: "price" | "not-set";
  /** A price in another currency than the account's: not for it, or converted. */
  readonly otherCurrency: "leave-out" | "convert";
  /**
   * Where the price stands that percents and amounts are taken off: the first place that has one.
   */
  readonly base: readonly Place[];
  readonly steps: readonly PolicyStep[];
  readonly arithmetic: Arithmetic;
}
