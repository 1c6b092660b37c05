/**
 * Prices: what the ERP would charge this customer, with the reason. Promises that an answer comes
 * from
 * one published book, is exact, and can be followed to the ERP's rows. Never guesses: a price that
 * the policy cannot know is `unknown`. Never changes a canonical record.
 *
 *     const pricing = await openPricing({ store, company: "BUILD", settings, policy: "generic",
 * now, log });
 *     await pricing.publish();
 *     pricing.price({ account: "BUILD01", lines: [{ product: "BRK001", quantity: "250" }] });
 */
import type { Policy } from "./engine/index.ts";

export { openPricing } from "./live.ts";
export type { BookInfo, Pricing, PricingOptions, Published } from "./live.ts";
export {
  knownPolicies,
  loadPolicy,
  policySwitches,
  readPolicy,
  shippedPolicies,
} from "./policy.ts";
/** What a policy leaves to the site: `pricing.switches` of the settings. */
export { choiceProblems, policyFileSchema as policySchema } from "./switches.ts";
export type { Choices, PolicySwitch } from "./switches.ts";
export { checkPolicyExamples, tryExamples } from "./examples.ts";
export { policyExamplesSchema } from "./examples-schema.ts";
/** What is wrong, useless or not meant in the price rules. */
export { LINT_KINDS, LINT_SEVERITIES, lintPrices, summarise } from "./lint/index.ts";
export type {
  LintFinding,
  LintKind,
  LintOptions,
  LintSeverity,
  LintSummary,
} from "./lint/index.ts";
/** Queued in the transaction of a run that changed what prices depend on: `publish`. */
export const PUBLISH_JOB = "pricing.publish";
/** What rows that are compared and not yet merged would do to prices. */
export { priceEffect } from "./effect.ts";
export type { PriceEffect } from "./effect.ts";
export { PastNotKept, PricesNotReady } from "./error.ts";
export type { PricingSettings } from "./load.ts";
export type {
  ExplainedLine,
  PriceAnswer,
  PriceColumns,
  PriceColumnsRequest,
  PriceExplanation,
  PriceLine,
  PriceProblem,
  PriceProblemCode,
  PriceRequest,
} from "./answer.ts";
/** For proving prices against what was charged. */
export { TRIAL_PLACES, trialOf, trialUnder } from "./trial.ts";
export type {
  Trial,
  TrialAnswer,
  TrialCandidate,
  TrialLine,
  TrialPrice,
  TrialRows,
} from "./trial.ts";
export { policyVariants, switchVariants } from "./variants.ts";
export type { PolicyVariant } from "./variants.ts";
/** What a round, or a change that waits, would make of prices. */
export { compareBooks } from "./compare.ts";
export type { BookComparison, ChangedPlace, EffectiveChange } from "./compare.ts";
export type { Proposed, ProposedEffect } from "./candidate.ts";
/** Prices that are loaded before their moment, and what pulls say of them. */
export { openRounds } from "./rounds.ts";
export type { NewRound, Rounds } from "./rounds.ts";
export type { DecidedBy, Round, RoundCheck, RoundDifference } from "./round-store.ts";
export { orderSays, wordsText } from "./round-words.ts";
export { HoldRefused, LockNeeded, RoundRefused } from "./error.ts";
/** A pull's change past the operator's limits waits for a person. */
export { holdBack } from "./hold-merge.ts";
export type { HeldMerge, HoldLimits } from "./hold-merge.ts";
export { openHolds } from "./holds.ts";
export type { HeldRule, Hold, Holds } from "./holds.ts";
/** What each state of an answer means, and what a shop shows and may do. */
export { PRICE_STATES, stateTable } from "./states.ts";
/** Baskets, and what orders hold of promotions with a limit. */
export type { Agreement } from "./agreement.ts";
export type { BasketLocks, PricedBasket, StandingLine } from "./basket.ts";
/** VAT rates that hold on a day. */
export { vatRatesOn } from "./vat-rates.ts";
export type { BasketAnswer, BasketLineAnswer, BasketRequest } from "./basket-answer.ts";
export {
  reclaimPromotions,
  releasePromotions,
  replacePromotions,
  reservePromotions,
} from "./promotion-uses.ts";
export type { PromotionHeld } from "./promotion-uses.ts";
export { CursorRefused } from "./changes.ts";
export type { PriceChangeEntry, PriceChanges, PriceScope } from "./changes.ts";
/** The arithmetic of documents, for prices that are agreed already. */
export { addUp } from "./add-up.ts";
export type DocumentArithmetic = Policy["arithmetic"];
/** Prices in threads of their own. */
export { openBulkDesk } from "./bulk.ts";
export type { BulkDesk, BulkNews, BulkPart, BulkPricing } from "./bulk.ts";
export type { SharedPrices } from "./shared-prices.ts";
export { joinColumns } from "./columns-json.ts";
/** Signed prices. */
export type { TokenSettings } from "./price-token.ts";
export type { Presented, TokenClaims, TokenProblemCode, TokenVerdict } from "./token.ts";
export type { PriceList, PriceListRequest, PriceListRow } from "./price-list.ts";
