/** What pricing is asked and what it answers. */
import type { Explanation } from "./engine/index.ts";

/** Who asks, and for which day. */
export interface PriceAsker {
  readonly account: string;
  /** Delivery site of the account; null or absent: the account's usual one. */
  readonly site?: string | null;
  /** Selling branch; null or absent: the account's. */
  readonly branch?: string | null;
  /** Business date of the prices, ISO; null or absent: today. */
  readonly on?: string | null;
  /** Business date or moment of the prices, ISO, in the place of `on`; null or absent: now. */
  readonly asOf?: string | null;
  /** What is so besides, attribute → value: `{ delivery: "collect" }`; several: "vip|trade". */
  readonly conditions?: Readonly<Record<string, string>>;
  /** ISO currency of the prices; null or absent: the account's. */
  readonly currency?: string | null;
  /** Number of the quotation that the buyer orders by; null or absent: none. */
  readonly quotation?: string | null;
}

/** Selling units, above 0: decimal text or a number, at most 5 places and 10 digits before them. */
export type AskedQuantity = string | number;

export interface PriceRequest extends PriceAsker {
  /** True: every answer carries a signed token of its price; never for another day than today. */
  readonly tokens?: boolean;
  readonly lines: readonly {
    readonly product: string;
    readonly quantity: AskedQuantity;
    /** Unit that the quantity counts; null or absent: the selling unit. */
    readonly unit?: string | null | undefined;
  }[];
}

export interface PriceColumnsRequest extends PriceAsker {
  readonly product: readonly string[];
  /** One for each product, in the same order. */
  readonly quantity: readonly AskedQuantity[];
  /** Likewise; absent, or null in it: the selling unit. */
  readonly unit?: readonly (string | null)[] | null;
}

export interface PriceAnswer {
  readonly state: "confirmed" | "modelled" | "stale" | "unknown" | "onRequest";
  /** Why it stands so, where `because` does not say it: a round, a change that waits, the age. */
  readonly stateReason: string | null;
  readonly product: string;
  /** As asked. */
  readonly quantity: string;
  /** Net price per `pricingUnit`, decimal text; null when not known, as are net and VAT then. */
  readonly unitPrice: string | null;
  /** What the price is per: the product's, or the unit that the line was asked in. */
  readonly pricingUnit: string;
  readonly net: string | null;
  /** Null: neither customer, site nor product has one. */
  readonly vatCode: string | null;
  /** Null: the settings give the code no rate. */
  readonly vatPercent: string | null;
  readonly vat: string | null;
  readonly currency: string;
  /** When a rule that was looked at next starts or stops; null: none does by itself. */
  readonly validUntil: string | null;
  readonly bookVersion: string;
  /**
   * When the source that was applied longest ago was last applied, of those that ever were; null:
   * none was.
   */
  readonly freshness: string | null;
  /** Which rule gave the price, or why there is none. */
  readonly because: string;
  /**
   * Only when asked for: the price signed, for the order to present; null: this one cannot be
   * promised.
   */
  readonly token?: string | null;
}

/** A line that cannot be priced as it was asked; the other lines of the request are. */
export interface PriceProblem {
  readonly state: "problem";
  readonly product: string;
  readonly quantity: string;
  readonly code: PriceProblemCode;
  /** What was found, what was expected, what to do. */
  readonly detail: string;
}

export type PriceProblemCode =
  | "unknown-account"
  | "unknown-site"
  | "unknown-branch"
  | "unknown-quotation"
  | "unknown-currency"
  | "unknown-unit"
  | "bad-date"
  | "unknown-product"
  | "bad-quantity";

export type PriceLine = PriceAnswer | PriceProblem;

/** Where a row of the ERP that a price comes from stands. */
export interface RuleRowEvidence {
  readonly record: "price-rule" | "promotion" | "quotation-line" | "customer";
  /** Its key: the rule and its break, the promotion, the quotation and its line, the account. */
  readonly row: string;
  readonly runId: string;
  readonly originId: string;
  /** File, page or table; null when nobody could say. */
  readonly origin: string | null;
  readonly line: number;
}

export type PriceExplanation = Omit<Explanation, "candidates"> & {
  readonly candidates: readonly (Explanation["candidates"][number] & {
    /** Rows that say so; empty: they have changed since the book was published. */
    readonly rows: readonly RuleRowEvidence[];
  })[];
};

export type ExplainedLine =
  | (PriceAnswer & { readonly explanation: PriceExplanation })
  | PriceProblem;

/** Prices by columns: integers with the places given; null where a line has none. */
export interface PriceColumns {
  readonly bookVersion: string;
  readonly freshness: string | null;
  /** Null when the account is not known. */
  readonly currency: string | null;
  readonly places: { readonly unitPrice: number; readonly net: number; readonly vat: number };
  readonly unitPrice: readonly (number | null)[];
  readonly net: readonly (number | null)[];
  readonly vat: readonly (number | null)[];
  readonly vatCode: readonly (string | null)[];
  readonly state: readonly PriceLine["state"][];
  /** By line; absent: no line has a reason. */
  readonly stateReason?: readonly (string | null)[];
  readonly validUntil: readonly (string | null)[];
  /** Lines, from 0, that could not be priced as asked. */
  readonly problems: readonly {
    readonly line: number;
    readonly code: PriceProblemCode;
    readonly detail: string;
  }[];
}
