/**
 * Prices proved against what the ERP charged: every invoice and credit line that stands in the
 * sales ledger is priced again. Promises that each line is counted once, as equal to the penny,
 * explained with its evidence, mismatched, or not priced with the reason, and that the counts add
 * up to the ledger. Never changes a price, a posting or a policy, and never calls a line explained
 * without saying by what.
 *
 *     const proof = openParity({ store, company, settings, pricing, now });
 *     await jobs.work(PARITY_JOB, () => proof.check());
 *     (await proof.parity({ by: "channel" })).all.percent; // "93.41"
 */
import { asKnown, lastDays, type AsKnown, type AsKnownQuestion } from "./as-known.ts";
import { certifications, certify, sign } from "./certify.ts";
import type { Certificate, CertifyOptions, SignedCertificate, Signing } from "./certify.ts";
import { check, type Checked, type CheckOptions } from "./check.ts";
import { today, type ParityContext } from "./context.ts";
import type { Proposed } from "../pricing/index.ts";
import type { Impact } from "./impact.ts";
import {
  lines,
  lowDays,
  parity,
  recheck,
  type LinesQuestion,
  type Parity,
  type ParityDifference,
  type ParityLine,
  type ParityQuestion,
  type ParityRow,
} from "./look.ts";
import { impactBetween, impactOf, impactOfErpRows, type Asked } from "./proposed.ts";

export interface PriceProof {
  /** The company's business date, ISO. */
  today(): string;
  /** Job `parity.check`: brings parity up to the sales ledger; does nothing when it is already. */
  check(options?: CheckOptions): Promise<Checked>;
  parity(question: ParityQuestion): Promise<Parity>;
  lines(question: LinesQuestion): Promise<readonly ParityLine[]>;
  /** Priced by the rules as they were known on each document's day; by itself the last 90 days. */
  asKnown(
    question: Omit<AsKnownQuestion, "from" | "to"> & {
      readonly from?: string;
      readonly to?: string;
    },
  ): Promise<AsKnown>;
  /** Adds the lines up anew; empty when the kept totals are right. */
  recheck(): Promise<readonly ParityDifference[]>;
  /** Days of late whose lines match too seldom, newest first. */
  lowDays(days: number): Promise<readonly (ParityRow & { readonly day: string })[]>;
  /** Tries the policy and each of its switches on what was charged, and keeps what came of it. */
  certify(options: CertifyOptions): Promise<Certificate>;
  certifications(): Promise<readonly SignedCertificate[]>;
  /** Null: there is no such certificate, or it is signed already. */
  sign(signing: Signing): Promise<SignedCertificate | null>;
  /**
   * What the prices that count do between two days or moments: to customers, and to sales of late.
   * Nothing is kept.
   */
  impactBetween(question: Asked & { readonly from: string; readonly to: string }): Promise<Impact>;
  /** The same of a price round, or of a change that waits, when it counts. */
  impactOf(of: Proposed, question: Asked): Promise<Impact>;
  /** The prices that answer today against those of the ERP's own rows: what waits for a person. */
  impactOfErpRows(question: Asked): Promise<Impact>;
}

export function openParity(context: ParityContext): PriceProof {
  return {
    today: () => today(context),
    check: (options) => check(context, options),
    parity: (question) => parity(context, question),
    lines: (question) => lines(context, question),
    asKnown: (question) => asKnown(context, { ...lastDays(context), ...question }),
    recheck: () => recheck(context),
    lowDays: (days) => lowDays(context, days),
    certify: (options) => certify(context, options),
    certifications: () => certifications(context),
    sign: (signing) => sign(context, signing),
    impactBetween: (question) => impactBetween(context, question),
    impactOf: (of, question) => impactOf(context, of, question),
    impactOfErpRows: (question) => impactOfErpRows(context, question),
  };
}

/** Queued when sales were posted or a price book was published. */
export const PARITY_JOB = "parity.check";
export { reasonWords, STATES } from "./context.ts";
export type { AsKnown, AsKnownLine, AsKnownQuestion } from "./as-known.ts";
export type { Checked } from "./check.ts";
export type { ParityContext, ParitySettings } from "./context.ts";
export type { Certificate, SignedCertificate, SwitchTried } from "./certify.ts";
export { certificateText } from "./certificate-text.ts";
export type { Impact, ImpactQuestion } from "./impact.ts";
export { PARITY_BY, PLACE, placeOf } from "./look.ts";
export type { Parity, ParityBy, ParityLine, ParityQuestion, ParityRow } from "./look.ts";
