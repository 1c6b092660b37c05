/**
 * Compiles a price book from batches of records, so that a million rules never are a million
 * objects at once.
 */
import type { PriceBook } from "./book.ts";
import { finishBook } from "./finish.ts";
import type { Masters } from "./masters.ts";
import type { Policy } from "./policy.ts";
import { addPromotion, addQuotation, addRule, emptyWork } from "./stage.ts";
import type { PromotionRow, QuotationRow, RuleRow } from "./stage.ts";

export interface BookBuilder {
  addRules(rows: readonly RuleRow[]): void;
  addPromotions(rows: readonly PromotionRow[]): void;
  addQuotations(rows: readonly QuotationRow[]): void;
  /** The book. The builder is spent afterwards. */
  finish(): PriceBook;
}

export interface BookInput extends Masters {
  readonly rules: readonly RuleRow[];
  readonly promotions: readonly PromotionRow[];
  readonly quotations: readonly QuotationRow[];
}

/** A book from records that fit in memory as they are. */
export function compileBook(policy: Policy, input: BookInput): PriceBook {
  const builder = startBook(policy, input);
  builder.addRules(input.rules);
  builder.addPromotions(input.promotions);
  builder.addQuotations(input.quotations);
  return builder.finish();
}

/** Starts a book. Masters are known first; rules come in any order and any number of batches. */
export function startBook(policy: Policy, masters: Masters): BookBuilder {
  const work = emptyWork(masters);
  return {
    addRules: (rows) => {
      for (const row of rows) addRule(work, row);
    },
    addPromotions: (rows) => {
      for (const row of rows) addPromotion(work, row);
    },
    addQuotations: (rows) => {
      for (const row of rows) addQuotation(work, row);
    },
    finish: () => finishBook(policy, work),
  };
}
