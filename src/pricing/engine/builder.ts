/**
 * Compiles a price book from batches of records, so that a million rules never are a million
 * objects at once.
 */
import type { PriceBook } from "./book.ts";
import { finishBook } from "./finish.ts";
import { openIntake } from "./intake.ts";
import type { Intake } from "./intake.ts";
import type { Masters } from "./masters.ts";
import type { Policy } from "./policy.ts";
import { addPromotion, addQuotation, addRule, emptyWork } from "./stage.ts";
import type { PromotionRow, QuotationRow, RuleRow, Staged, Work } from "./stage.ts";

export interface RowSink {
  addRules(rows: readonly RuleRow[]): void;
  addPromotions(rows: readonly PromotionRow[]): void;
  addQuotations(rows: readonly QuotationRow[]): void;
  /** For rules as bytes. */
  openIntake(): Intake;
}

export interface BookBuilder extends RowSink {
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
  return { ...sinkInto(work, work.staged), finish: () => finishBook(policy, work) };
}

/** Takes rows into one of the stagings of the same work. */
export function sinkInto(work: Work, staged: Staged): RowSink {
  const each =
    <Row>(add: (work: Work, row: Row) => void) =>
    (rows: readonly Row[]) => {
      work.staged = staged;
      for (const row of rows) add(work, row);
    };
  return {
    addRules: each(addRule),
    addPromotions: each(addPromotion),
    addQuotations: each(addQuotation),
    openIntake: () => openIntake(work, staged),
  };
}
