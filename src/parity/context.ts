/** What the parts of the parity module work with: one company, its prices, and who is told. */
import type { Choices, Pricing } from "../pricing/index.ts";
import type { Store } from "../store/index.ts";

export interface ParitySettings {
  /** A day whose lines match in fewer than so many of a hundred raises an alarm. */
  readonly alarmBelowPercent: number;
  /** Days with fewer priced lines than this raise none: one line would be a large part of them. */
  readonly alarmFromLines: number;
  /** From so many lines of a hundred that match, a policy is certified. */
  readonly certifyPercent: number;
}

export interface ParityContext {
  readonly store: Store;
  readonly company: string;
  readonly settings: ParitySettings;
  /** VAT code → its rate in percent on a business date. */
  readonly vatOn: (date: string) => Readonly<Record<string, string>>;
  readonly pricing: Pick<
    Pricing,
    "book" | "trial" | "trialRows" | "rootAt" | "candidate" | "effect" | "effectBetween"
  >;
  /** The shipped policy in use, whose switches can be tried; absent: it is none. */
  readonly shipped?: { readonly policy: string; readonly switches: Choices };
  /** IANA time zone of the company's business dates. */
  readonly timeZone: string;
  readonly now: () => Temporal.Instant;
}

/** The company's business date, ISO. */
export function today({ now, timeZone }: Pick<ParityContext, "now" | "timeZone">): string {
  return now().toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

/** What becomes of a line. */
export const STATES = ["match", "explained", "mismatch", "unpriced"] as const;
export type ParityStateName = (typeof STATES)[number];

/**
 * Why a line is explained, what a mismatch looks like, or why it cannot be priced; the words are
 * kept with the line and are those of the screens.
 */
export const REASONS = {
  match: {
    "": "to the penny",
    "vat-part-delivery": "to the penny; VAT is the rest of an order's line delivered in parts",
    "vat-code": "to the penny; VAT under another code",
    "vat-rounding": "to the penny; VAT a penny apart",
    "vat-unexplained": "to the penny; VAT apart without a reason",
  },
  explained: {
    discount: "discount typed on the line",
    "other-date": "price of another date",
    "other-quantity": "price of another quantity",
    "part-delivery": "rest of an order's line delivered in parts",
    contract: "price of a contract",
    quotation: "price of a quotation",
    promotion: "price of a promotion",
    "typed-price": "price typed by hand",
  },
  mismatch: {
    rounding: "same price, other pence",
    "other-rule": "price of a rule that did not win",
    unexplained: "no reason found",
  },
  unpriced: {
    charge: "carriage, charge, deposit or rebate",
    text: "free text",
    "no-quantity": "no quantity",
    "product-gone": "product not known any more",
    "account-gone": "account not known any more",
    "no-price": "no rule gives a price",
  },
} as const;

export function reasonWords(state: ParityStateName, reason: string): string {
  const words: Readonly<Record<string, string>> = REASONS[state];
  return words[reason] ?? reason;
}
