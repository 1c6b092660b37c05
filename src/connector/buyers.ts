/** What of the contract is for buyers whom the far side does not know, and what they give back. */
import type { Found, OrderCall, Outcome } from "./contract.ts";

/**
 * A trade account to be opened, in our words: it has too few fields for a mapping file, so the
 * connector writes them as the far side has them.
 */
export interface NewAccount {
  /** Our number of the request. The far side keeps it where `find` can search it. */
  readonly request: string;
  readonly name: string;
  readonly legalName: string | null;
  readonly companyNumber: string | null;
  readonly vatNumber: string | null;
  readonly contact: string;
  readonly email: string;
  readonly telephone: string | null;
  readonly address: AccountAddress;
  readonly deliverTo: readonly (AccountAddress & { readonly name: string })[];
  /** Decimal text; null: none, orders are paid beforehand. */
  readonly creditLimit: string | null;
}

export interface AccountAddress {
  readonly address1: string;
  readonly address2: string | null;
  readonly address3: string | null;
  readonly town: string | null;
  readonly county: string | null;
  readonly postcode: string | null;
  /** ISO. */
  readonly country: string;
}

export interface FoundAccount {
  readonly account: string;
  readonly name: string;
  /** Number of our request that it bears; null: none. */
  readonly request: string | null;
  /** What is the same, in words; absent: the account bears our request's number. */
  readonly because?: string;
}

export type AccountOutcome =
  | { readonly kind: "opened"; readonly account: string; readonly evidence: string }
  /** Nothing was created, and the same account would be refused again. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It may or may not be there; only `find` decides. */
  | { readonly kind: "inDoubt"; readonly evidence: string };

export interface AccountsCapability {
  /** The account that bears the request's number, and those that may be the same customer. */
  find(account: NewAccount, call?: OrderCall): Promise<readonly FoundAccount[]>;
  /** Called only after `find` showed none of our number; never again after a doubt. */
  create(account: NewAccount, call?: OrderCall): Promise<AccountOutcome>;
}

/** Goods that a customer gives back, agreed by a person, in our words. */
export interface NewReturn {
  /** Our number of the return. The far side keeps it where `find` can search it. */
  readonly key: string;
  readonly account: string;
  /** Invoice that the goods were on. */
  readonly invoice: string;
  /** Web order that the invoice belongs to; null: none. */
  readonly webOrder: string | null;
  /** The money back, or the same goods again. */
  readonly wanted: "credit" | "replace";
  readonly reason: string;
  readonly lines: readonly {
    /** Line of the invoice. */
    readonly line: number;
    readonly product: string | null;
    /** Selling units, decimal text. */
    readonly quantity: string;
  }[];
}

/** Outcomes as for orders; the `erpOrder` of what is accepted is the return's number there. */
export interface ReturnsCapability {
  find(key: string, call?: OrderCall): Promise<Found>;
  /** Called only after `find` said absent; never again after a doubt. */
  place(goods: NewReturn, call?: OrderCall): Promise<Outcome>;
}
