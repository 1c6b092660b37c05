/** What became of each candidate while a line was priced; kept only when somebody asks why. */

export type Outcome =
  /** It gives a price; which of these is the answer the comparators of its step say. */
  | "priced"
  | "on-request"
  | "lower-break"
  | "not-reached"
  | "beyond"
  | "over-limit"
  | "not-yet"
  | "ended"
  | "not-so"
  | "not-sold-in"
  | "not-named"
  | "list-closed"
  | "zero-not-set"
  | "other-currency"
  | "no-base"
  /** What it would charge cannot be known, so neither can the price. */
  | "unit-unknown"
  | "cost-unknown"
  | "formula-unknown"
  | "unreadable"
  | "below-zero"
  /** A promotion that holds over a basket, not over a line. */
  | "in-basket"
  /** A base price that another place of the base comes before. */
  | "base-replaced";

export interface Traced {
  /** Position of the policy's step; -1: the base price was looked up. */
  readonly step: number;
  /** Where it stands; table -1: the account's discount. */
  readonly table: number;
  readonly subject: number;
  readonly key: number;
  readonly value: number;
  /** Terms and flags of the entry; 0 where there is no entry. */
  readonly word: number;
  readonly outcome: Outcome;
  /** Unit price at the policy's places; -1: none. */
  readonly price: number;
  /** Its place in the step and that of its list, as comparators see them. */
  readonly rank: number;
  readonly list: number;
}

/** The best of a step: what the others of it lost to. */
export type StepBest = Omit<Traced, "outcome">;

export interface Trace {
  readonly candidates: Traced[];
  /** By position of the step; absent: it gave nothing. */
  readonly best: Map<number, StepBest>;
  /** Position of a step that was not looked at → position of the step that blocked it. */
  readonly blocked: Map<number, number>;
}
