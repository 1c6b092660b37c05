/**
 * Promotions whose effect on the price is not worked out, and what the answer says about each:
 * one that needs a code does not hold for a buyer who gave none; free goods leave the price of what
 * is bought; an order value is weighed against the line alone; a multi-buy may change the price.
 */
import { doubt } from "./enquiry.ts";
import type { Enquiry } from "./enquiry.ts";
import * as terms from "./terms.ts";
import type { Outcome } from "./trace.ts";

/** Notes a promotion that holds but is not worked out; null: it is one with a price. */
export function unpricedOutcome({ book, found }: Enquiry, row: number): Outcome | null {
  const label = book.terms[row + terms.LABEL]!;
  if ((book.terms[row + terms.FLAGS]! & terms.CODE) !== 0) {
    found.codeLabel = label;
    return "needs-code";
  }
  const kind = book.terms[row + terms.KIND]!;
  if (kind === terms.FREE_GOODS) {
    found.freeLabel = label;
    return "free-goods";
  }
  const threshold = book.terms[row + terms.THRESHOLD]!;
  if (threshold >= 0) {
    if (threshold < found.threshold) {
      found.threshold = threshold;
      found.thresholdLabel = label;
    }
    return "from-order-value";
  }
  if (kind !== terms.MULTI_BUY) return null;
  doubt(found, "multi-buy", label);
  return "multi-buy";
}
