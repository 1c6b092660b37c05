/**
 * The pure pricing engine: compiles records into a price book and resolves prices from it by a
 * policy.
 * Promises exact arithmetic, the same book whatever the order of the records, and an explanation
 * that
 * the pricing itself wrote down. Never reads a clock, a disk or a database, never guesses a price.
 *
 *     const book = compileBook(policy, { customers, products, rules, … });
 *     const enquiry = startEnquiry(book, asking);
 *     priceLine(enquiry, product, quantity).price; // 42500 at the policy's 4 places
 */
export { compileBook, startBook } from "./builder.ts";
export type { BookBuilder, BookInput, RowSink } from "./builder.ts";
export { INTAKE_COLUMNS, INTAKE_RARE } from "./intake.ts";
export type { Intake } from "./intake.ts";
export { isRefusal, reviseBook, startRevision } from "./revise.ts";
export type { Refusal, Revision } from "./revise.ts";
export { digestOf } from "./digest.ts";
export { memoryOf, remember, runsIn } from "./memory.ts";
export type { BookMemory } from "./memory.ts";
export { bookFromShared, openBook, shareBook } from "./shared.ts";
export type { KnownTexts, SharedBook } from "./shared.ts";
export type { PromotionRow, QuotationRow, RuleRow } from "./stage.ts";
export { LAYOUT } from "./book.ts";
export type { PriceBook } from "./book.ts";
export type { Masters } from "./masters.ts";
export { startEnquiry } from "./enquiry.ts";
export type { Enquiry, Found } from "./enquiry.ts";
export { subjectOf } from "./standpoint.ts";
export type { Asking } from "./shelf.ts";
export { priceLine } from "./resolve.ts";
export { boundsAround } from "./bounds.ts";
export { ladderOf } from "./ladder.ts";
export type { Rung } from "./ladder.ts";
export { reductionOf } from "./amounts.ts";
export type { Reduction } from "./amounts.ts";
export { sizeOfUnit } from "./candidate.ts";
export { priceKindOf } from "./kind.ts";
export type { PriceKind } from "./kind.ts";
export { explainLine, explanationAt } from "./explain.ts";
export { recordLine, startRecording } from "./recording.ts";
export type { Recording } from "./recording.ts";
export type { ExplainedCandidate, Explanation } from "./explain.ts";
export { vatReasons } from "./vat-words.ts";
export { VAT_EVIDENCE, VAT_SOURCES, rateAt, ruleOf } from "./vat.ts";
export type { VatCodeRule, VatRules } from "./vat.ts";
export { entryOf } from "./entry.ts";
export type { Entry } from "./entry.ts";
export {
  COMPARATORS,
  CUSTOMER_SCOPES,
  DISCOUNTS,
  HITS,
  PRODUCT_SCOPES,
  RULE_KINDS,
} from "./policy.ts";
export type { Place, Policy, PolicyStep } from "./policy.ts";
export * as calendar from "./calendar.ts";
export { countTaken, limitedOf } from "./limited.ts";
export * as scaled from "./scaled.ts";
export { conditionsText } from "./conditions.ts";
export { becauseOf } from "./words.ts";
export * as document from "./document/index.ts";
