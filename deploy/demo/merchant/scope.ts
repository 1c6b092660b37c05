/** How large the merchant is, and between which days it trades. */
import { dayOf, yearsBefore } from "./calendar.ts";

export interface MerchantOptions {
  /** The same seed and sizes give the same merchant, to the byte. */
  readonly seed?: number;
  readonly customers?: number;
  /** 4 for each customer when not said. */
  readonly products?: number;
  /**
   * Rows (a rule with three breaks has three), never fewer than this; 30 for each customer, if
   * there are products enough.
   */
  readonly priceRules?: number;
  /** Lines invoiced until `today`, never fewer than this; 100 for each customer. */
  readonly invoiceLines?: number;
  readonly years?: number;
  readonly reps?: number;
  readonly branches?: number;
  /** The last day of history, ISO. */
  readonly today?: string;
}

/** The options with nothing left open, and the days that follow from them. */
export interface Scope extends Required<MerchantOptions> {
  readonly opensDay: number;
  readonly todayDay: number;
}

/** A realistic size: 2,000 customers, 8,000 products, 60,000 price rules, 200,000 invoice lines. */
function realistic(options: MerchantOptions): Required<MerchantOptions> {
  const { customers = 2000, products = customers * 4 } = options;
  return {
    seed: 1,
    customers,
    products,
    priceRules: Math.min(customers * 30, Math.floor(products * 7.5)),
    invoiceLines: customers * 100,
    years: 3,
    reps: 12,
    branches: 4,
    today: "2026-06-30",
  };
}

const LEAST: Partial<Record<keyof MerchantOptions, number>> = {
  customers: 20,
  products: 60,
  priceRules: 0,
  invoiceLines: 0,
  years: 1,
  reps: 2,
  branches: 1,
};

export function scopeOf(options: MerchantOptions): Scope {
  const complete = { ...realistic(options), ...options };
  for (const [name, least] of Object.entries(LEAST)) {
    const found = complete[name as keyof typeof LEAST];
    if (typeof found === "number" && Number.isInteger(found) && found >= least) continue;
    throw new RangeError(
      `making a merchant: ${name} is ${found}; give a whole number of at least ${least}`,
    );
  }
  const todayDay = dayOf(complete.today);
  return { ...complete, todayDay, opensDay: yearsBefore(todayDay, complete.years) + 1 };
}
