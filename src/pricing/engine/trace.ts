/** What became of each candidate while a line was priced; kept only when somebody asks why. */

export type Outcome =
  /** It gives a price; the lowest or first of these is the answer. */
  | "priced"
  | "lower-break"
  | "not-reached"
  | "over-limit"
  | "not-yet"
  | "ended"
  | "not-named"
  | "other-currency"
  | "no-base"
  /** What it would charge cannot be known, so neither can the price. */
  | "unit-unknown"
  | "cost-unknown"
  | "unreadable"
  | "below-zero"
  /** Promotions that are not worked out. */
  | "needs-code"
  | "from-order-value"
  | "multi-buy"
  | "free-goods"
  /** A base price that another place of the base comes before. */
  | "base-replaced";

export interface Traced {
  /** Position of the policy's step; -1: the base price was looked up. */
  readonly step: number;
  /** Table and key it stands at; -1: the account's discount. */
  readonly table: number;
  readonly key: number;
  readonly value: number;
  /** Terms and flags of the entry; 0 where there is no entry. */
  readonly word: number;
  readonly outcome: Outcome;
  /** Unit price at the policy's places; -1: none. */
  readonly price: number;
}

export type Trace = Traced[];
