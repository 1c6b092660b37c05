/** What lines ask of their products, side by side: one place in memory for each. */
import type { PriceBook } from "./book.ts";

/** Numbers of a product; a line of the processor's memory holds two products. */
export const FACTS = 8;
export const GROUP = 0;
export const VAT_CODE = 1;
export const SELLING_UNIT = 2;
export const PRICING_UNIT = 3;
/** -1: it is no whole number of 32 bits. */
export const PER_PRICING_UNIT = 4;

export function factsOf({ products }: Pick<PriceBook, "products">): Int32Array {
  const count = products.codes.length;
  const facts = new Int32Array(count * FACTS);
  for (let product = 0; product < count; product += 1) {
    const at = product * FACTS;
    const per = products.perPricingUnit[product]!;
    facts[at + GROUP] = products.group[product]!;
    facts[at + VAT_CODE] = products.vatCode[product]!;
    facts[at + SELLING_UNIT] = products.sellingUnit[product]!;
    facts[at + PRICING_UNIT] = products.pricingUnit[product]!;
    facts[at + PER_PRICING_UNIT] = per >= 0 && per <= MOST ? per : -1;
  }
  return facts;
}

const MOST = 2 ** 31 - 1;
