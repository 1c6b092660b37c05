/**
 * The shape of a price book: typed arrays in shared memory, never an object per price. Made by
 * `startBook` or, from another book and what changed, by `reviseBook`; never changed. Arrays may be
 * longer than what is used: the room at the end is for the book after it.
 */
import type { PriceFormula } from "./masters.ts";
import type { Policy } from "./policy.ts";
import type { Program } from "./program.ts";
import type { VatBook } from "./vat.ts";
import type { PromotionRow } from "./stage.ts";

/**
 * Goes up with every change of what the arrays mean, so that books of two releases are not taken
 * for one.
 */
export const LAYOUT = 3;

/** Bits of a cell's second number, above the number of its terms. */
export const TERMS = 0x0fff_ffff;
/** The first entry of a rule in a cell; further breaks of the rule follow, highest first. */
export const RULE = 1 << 28;
/** The last entry of a cell. */
export const LAST = 1 << 29;
/** The cell has several entries: the value is their position in `entries`. */
export const SEVERAL = 1 << 30;

/** Codes of one kind in order; a code's number is its place. */
export interface Codes {
  readonly codes: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
}

/** Columns by account number; numbers are -1 where there is none. */
export interface Accounts extends Codes {
  readonly headOffice: Int32Array;
  readonly buyingGroup: Int32Array;
  readonly group: Int32Array;
  /**
   * The account's own lists, first counted first: from `listStart` of its number to that of the
   * next, with 1 in `listCloses` for one that is used only where none before has a price.
   */
  readonly listStart: Int32Array;
  readonly lists: Int32Array;
  readonly listCloses: Uint8Array;
  readonly branch: Int32Array;
  readonly currency: Int32Array;
  /** The usual delivery site. */
  readonly site: Int32Array;
  /** Percent with 4 places off every line, as an integer. */
  readonly discount: Int32Array;
  readonly vatCode: Int32Array;
  /** VAT code of the account's country by the settings; -1: the company's own, or none said. */
  readonly countryVat: Int32Array;
  /** What it proves, as bits of `VAT_EVIDENCE`; that it is abroad counts where there is no site. */
  readonly evidence: Int32Array;
}

/** Columns by product number. */
export interface Products extends Codes {
  readonly group: Int32Array;
  readonly vatCode: Int32Array;
  readonly sellingUnit: Int32Array;
  readonly pricingUnit: Int32Array;
  /** Selling units per pricing unit with 5 places; NaN when the record's figure cannot be used. */
  readonly perPricingUnit: Float64Array;
  /** Cost per pricing unit with 6 places; NaN when not known. */
  readonly cost: Float64Array;
  /**
   * Further units that it is sold in, from `unitStart` of its number to that of the next, and
   * selling units in one of each with 5 places.
   */
  readonly unitStart: Int32Array;
  readonly units: Int32Array;
  readonly unitHolds: Float64Array;
}

export interface PriceBook {
  readonly policy: Policy;
  readonly program: Program;
  /** Rules, promotions and quotation lines that can price something. */
  readonly entries: number;
  /** Bytes of its arrays; the maps from codes to numbers are not counted. */
  readonly bytes: number;
  /** Records left out because they are for or on something that the company does not have. */
  readonly unreached: Unreached;
  /** Four numbers that sum up what all its rows say: the same whatever order they came in. */
  readonly content: readonly number[];
  /** Promotions that only a basket can judge, by what they say. */
  readonly basketPromotions: readonly PromotionRow[];

  readonly accounts: Accounts;
  readonly products: Products;
  /** "ACCOUNT/SITE" → its number; VAT code that overrides, by site number. */
  readonly sites: Codes & {
    readonly vatCode: Int32Array;
    readonly countryVat: Int32Array;
    /** 1: in another country than the company's. */
    readonly abroad: Uint8Array;
  };
  readonly branches: Codes;
  readonly groups: Codes & { readonly parent: Int32Array };
  readonly buyingGroups: Codes;
  readonly customerGroups: Codes;
  readonly priceLists: Codes;
  /** Number of the list of accounts that have none; -1: there is none. */
  readonly standardList: number;
  readonly headOffices: Codes;
  readonly currencies: readonly string[];
  /** Number of the company's own currency: what costs and promotions are in. */
  readonly ownCurrency: number;
  readonly units: readonly string[];
  /** Contracts, promotions and quotations. */
  readonly labels: readonly string[];
  /** What must be so besides, as `conditionsText` writes it. */
  readonly conditions: readonly string[];
  /** Names of formulas that rules name, and what is known of each. */
  readonly formulas: readonly string[];
  readonly formulaOf: ReadonlyMap<string, PriceFormula>;
  /** IANA zone of the company's business dates. */
  readonly timeZone: string;
  /** Currency → units of it for one of the company's own, with 8 places. */
  readonly rates: ReadonlyMap<string, number>;
  readonly vatCodes: readonly string[];
  /** Rates by VAT code number, and what each needs. */
  readonly vat: VatBook;

  /** First region of each table; -1: nothing in it. Region = this + the subject's number. */
  readonly tableRegions: Int32Array;
  /**
   * Two numbers a region: where it starts in `cells`, and its size. Above 0: that many hashed cells
   * of
   * three numbers (key, value, terms); below 0: a column of cells of two (value, terms), by key; 0:
   * empty.
   */
  readonly regions: Int32Array;
  readonly cells: Int32Array;
  /** Cells with several entries: two numbers each (value, terms), the last one flagged. */
  readonly several: Int32Array;
  readonly terms: Float64Array;
  /** Values that do not fit a cell, with 6 places, each once. */
  readonly wideValues: Float64Array;
}

export interface Unreached {
  readonly count: number;
  /** A few of them in words, first by name. */
  readonly examples: readonly string[];
}

/** Where a key's search starts in a hashed region of `size` cells. */
export function homeOf(key: number, size: number): number {
  let hash = Math.imul(key + 1, 0x9e3779b1);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d) >>> 0;
  return Math.floor((hash * size) / 4_294_967_296);
}
