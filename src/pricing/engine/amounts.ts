/** Line net and VAT from the unit price, each rounded once as the policy says. */
import { doubt } from "./enquiry.ts";
import type { Enquiry } from "./enquiry.ts";
import { multiplyDivide, power } from "./scaled.ts";

/** Fills in net, VAT and what doubts remain once the unit price is found. */
export function workOutAmounts(enquiry: Enquiry, product: number, quantity: number): void {
  const { found, book } = enquiry;
  found.vatCode = enquiry.vatCode >= 0 ? enquiry.vatCode : book.products.vatCode[product]!;
  found.net = 0;
  found.vat = 0;
  if (found.price < 0) {
    doubt(found, "no-price", -1);
    return;
  }
  const perPricingUnit = book.products.perPricingUnit[product]!;
  if (Number.isNaN(perPricingUnit)) {
    doubt(found, "pricing-unit-unknown", -1);
    return;
  }
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  const extra = Math.max(0, lineNet.scale - unitPrice.scale);
  const divisor = perPricingUnit * power(Math.max(0, unitPrice.scale - lineNet.scale));
  found.net = multiplyDivide(found.price * power(extra), quantity, divisor, lineNet.mode);
  const rate = found.vatCode < 0 ? -1 : book.vatRates[found.vatCode]!;
  const vatDivisor = power(lineNet.scale + 6 - vat.scale);
  found.vat = rate < 0 ? -1 : multiplyDivide(found.net, rate, vatDivisor, vat.mode);
  if (!Number.isSafeInteger(found.net)) doubt(found, "too-large", -1);
  if (found.threshold <= found.net) doubt(found, "order-value", found.thresholdLabel);
}
