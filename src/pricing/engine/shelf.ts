/** What an enquiry stands on: who asks, and the regions of the book that hold something. */
import type { Stated } from "./conditions.ts";
import type { LiveTable } from "./program.ts";
import type { VatAsked } from "./vat.ts";

export interface Asking {
  /** Numbers of the book; -1: none given. */
  readonly account: number;
  readonly site: number;
  readonly branch: number;
  /** Moment that the price is asked for, in milliseconds since 1970. */
  readonly moment: number;
  /** Number of the label of the quotation that the buyer names; -1: none. */
  readonly quotation: number;
  /** Number of the currency; -1: the account's. */
  readonly currency: number;
  /** What is so besides: delivery, channel, campaign …; null: nothing is stated. */
  readonly conditions: Stated | null;
}

/** A region that holds something for this account. */
export interface Shelf {
  readonly start: number;
  readonly size: number;
  readonly of: LiveTable;
  /** Number of whom it is for: the account, the group, the list … */
  readonly subject: number;
  /** Place of the list among the account's; -1: it is no list's. */
  readonly list: number;
}

/** A price list of the account's, in the order in which they count. */
export interface ListPlace {
  readonly list: number;
  readonly closes: boolean;
  /** The list of those that have none. */
  readonly standard: boolean;
}

/** What an enquiry is to its account, whatever the lines. */
export interface Standpoint {
  readonly account: number;
  /** As they were asked for; -1: the account's. */
  readonly site: number;
  readonly branch: number;
  /** VAT code that overrides the product's, rates and evidence, as they are now. */
  readonly vat: VatAsked;
  /** Numbers of whom each customer scope means, in their order; -1: nobody. */
  readonly subjects: readonly number[];
  readonly lists: readonly ListPlace[];
  /** By step of the policy. */
  readonly shelves: readonly (readonly Shelf[])[];
  /** Positions of the steps that can find something. */
  readonly active: readonly number[];
  readonly base: readonly Shelf[];
  /** The steps and shelves in numbers, for lines that need no more; null: this policy's do. */
  readonly plan: Int32Array | null;
}

/** Accounts are numbered from 0: of fewer than this many, each has a place. */
export const STANDPOINTS = 4096;
