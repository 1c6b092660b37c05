/**
 * Which VAT code a line bears and at which rate. The code is resolved like a price: the first
 * source in the policy's order that has one, the product's own behind them all. A code that needs
 * evidence counts only for an account that has it; rates hold from a moment on.
 */
import { scaledOf } from "./scaled.ts";

/** Where a code that overrides the product's can stand. */
export const VAT_SOURCES = ["account", "site", "country"] as const;
export type VatSource = (typeof VAT_SOURCES)[number];

/**
 * What proves that a code may be charged: the account's VAT number, its certificate or other
 * evidence, that the goods go to another country than the company's.
 */
export const VAT_EVIDENCE = ["vat-number", "certificate", "abroad"] as const;
export type VatEvidence = (typeof VAT_EVIDENCE)[number];

export interface VatCodeRule {
  /** Percent, decimal text, from a business date on; null: always was. Oldest first. */
  readonly rates: readonly { readonly from: string | null; readonly percent: string }[];
  readonly needs: readonly VatEvidence[];
  /** Charged instead when the product itself has this code and the account lacks the evidence. */
  readonly instead: string | null;
}

/** What the company's settings say; a text is the rate of a code without conditions. */
export interface VatRules {
  readonly codes: Readonly<Record<string, string | VatCodeRule>>;
  /** ISO country of the company; deliveries within it are not by country. */
  readonly country: string;
  /** Country of delivery → code; * stands for every other one. */
  readonly countries: Readonly<Record<string, string>>;
}

/** Before every moment, and a number that JSON keeps. */
const ALWAYS_WAS = Number.MIN_SAFE_INTEGER;

/** The rules in numbers: by VAT code number, and by number of an account or site. */
export interface VatBook {
  /** By code: the evidence that it needs, as bits in the order of `VAT_EVIDENCE`. */
  readonly needs: Int32Array;
  /** By code: the code instead; -1: none. */
  readonly instead: Int32Array;
  /** By code: rates with 4 places from a moment on, oldest first; empty: the settings give none. */
  readonly rates: readonly (readonly VatRate[])[];
}

export interface VatRate {
  /** Milliseconds since 1970; `ALWAYS_WAS`: no first day. */
  readonly from: number;
  /** Percent with 4 places. */
  readonly percent: number;
}

export function compileVat(
  { codes }: Pick<VatRules, "codes">,
  names: readonly string[],
  startOfDay: (date: string) => number,
): VatBook {
  const rules = names.map((name) => ruleOf(codes[name]));
  return {
    needs: Int32Array.from(rules, ({ needs }) => bitsOf(needs)),
    instead: Int32Array.from(rules, ({ instead }) =>
      instead === null ? -1 : names.indexOf(instead),
    ),
    rates: rules.map(({ rates }) =>
      rates.flatMap(({ from, percent }) => {
        const value = scaledOf(percent, 4);
        const moment = from === null ? ALWAYS_WAS : startOfDay(from);
        return value === undefined ? [] : [{ from: moment, percent: value }];
      }),
    ),
  };
}

const UNKNOWN: VatCodeRule = { rates: [], needs: [], instead: null };

/** A rate as text stands for a code without conditions. */
export function ruleOf(stated: string | VatCodeRule | undefined): VatCodeRule {
  if (stated === undefined) return UNKNOWN;
  if (typeof stated !== "string") return stated;
  return { rates: [{ from: null, percent: stated }], needs: [], instead: null };
}

function bitsOf(evidence: readonly VatEvidence[]): number {
  return evidence.reduce((bits, each) => bits | (1 << VAT_EVIDENCE.indexOf(each)), 0);
}

/** What an account and the place of delivery prove, as bits. */
export function evidenceOf(
  account: { readonly vatNumber?: string | null; readonly vatEvidence?: string | null },
  isAbroad: boolean,
): number {
  return bitsOf([
    ...(account.vatNumber ? (["vat-number"] as const) : []),
    ...(account.vatEvidence ? (["certificate"] as const) : []),
    ...(isAbroad ? (["abroad"] as const) : []),
  ]);
}

/** What an account proves with a delivery to a site. */
export function atPlace(evidence: number, isAbroad: boolean): number {
  const bit = 1 << VAT_EVIDENCE.indexOf("abroad");
  return isAbroad ? evidence | bit : evidence & ~bit;
}

/** Code of a delivery to a country; null: it is the company's own, or nothing is said of it. */
export function countryCode(
  { country, countries }: Pick<VatRules, "country" | "countries">,
  to: string | null,
): string | null {
  if (to === null || to === country) return null;
  return countries[to] ?? countries["*"] ?? null;
}

export interface ResolvedVat {
  /** Number of the code; -1: none of the sources has one that counts. */
  code: number;
  /** Position in the policy's order of the source that gave it; -1: the product, or none. */
  source: number;
  /** First code that was left out for lack of evidence; -1: none. */
  refused: number;
}

/** The code that overrides the product's, by the policy's order of sources. */
export function overrideOf(
  { needs }: VatBook,
  codes: Readonly<Record<VatSource, number>>,
  evidence: number,
  order: readonly VatSource[],
): ResolvedVat {
  let refused = -1;
  for (const [source, name] of order.entries()) {
    const code = codes[name];
    if (code < 0) continue;
    if ((needs[code]! & ~evidence) === 0) return { code, source, refused };
    if (refused < 0) refused = code;
  }
  return { code: -1, source: -1, refused };
}

/** The product's code where nothing overrides it; the ordinary one when evidence lacks. */
export function productCode(
  { needs, instead }: VatBook,
  code: number,
  evidence: number,
): { readonly code: number; readonly refused: number } {
  if (code < 0 || (needs[code]! & ~evidence) === 0) return { code, refused: -1 };
  return { code: instead[code]!, refused: code };
}

/** Percent with 4 places at a moment; -1: the code has no rate then. */
export function rateAt({ rates }: VatBook, code: number, moment: number): number {
  return rates[code]?.findLast(({ from }) => from <= moment)?.percent ?? -1;
}

/** Next moment at which the code's rate changes; Infinity: none. */
export function nextRate({ rates }: VatBook, code: number, moment: number): number {
  return rates[code]?.find(({ from }) => from > moment)?.from ?? Infinity;
}

/** VAT as it is for one account, place of delivery and moment. */
export interface VatAsked extends ResolvedVat {
  readonly evidence: number;
  /** By code: what a product of it is charged; null: every code is charged as it stands. */
  readonly charged: Int32Array | null;
  /** By code: percent with 4 places at the moment; -1: none. */
  readonly percents: Int32Array;
  /** By code: when that changes; null: none ever does. */
  readonly turns: Float64Array | null;
}

export function vatFor(
  book: VatBook,
  codes: Readonly<Record<VatSource, number>>,
  {
    evidence,
    order,
    moment,
  }: {
    readonly evidence: number;
    readonly order: readonly VatSource[];
    readonly moment: number;
  },
): VatAsked {
  const isConditional = book.needs.some((needs) => needs !== 0);
  const isDated = book.rates.some((rates) => rates.length > 1 || (rates[0]?.from ?? 0) > 0);
  return {
    ...overrideOf(book, codes, evidence, order),
    evidence,
    charged: isConditional
      ? book.needs.map((_, code) => productCode(book, code, evidence).code)
      : null,
    percents: book.needs.map((_, code) => rateAt(book, code, moment)),
    turns: isDated
      ? Float64Array.from(book.needs, (_, code) => nextRate(book, code, moment))
      : null,
  };
}

/** "a VAT number and a certificate": what a code needs that the evidence lacks. */
export function lackingWords({ needs }: VatBook, code: number, evidence: number): string {
  const missing = (needs[code] ?? 0) & ~evidence;
  return VAT_EVIDENCE.filter((_, bit) => (missing & (1 << bit)) !== 0)
    .map((each) => EVIDENCE_WORDS[each])
    .join(" and ");
}

const EVIDENCE_WORDS: Readonly<Record<VatEvidence, string>> = {
  "vat-number": "a VAT number",
  certificate: "a certificate or other evidence",
  abroad: "delivery to another country",
};
