/**
 * What an order comes to, computed as the ERP will: each line rounded, VAT from the rounded net.
 * Pure.
 */
import { decimal, type Decimal, type Money, type Rounding } from "../model/index.ts";

/** `unitPrice × quantity ÷ sellingUnitsPerPricingUnit`, rounded once. */
export function lineNet(
  line: {
    readonly unitPrice: Decimal;
    readonly quantity: Decimal;
    readonly perPricingUnit: Decimal;
  },
  rounding: Rounding,
): Money {
  const { unitPrice, quantity, perPricingUnit } = line;
  const scaleUp = 10n ** BigInt(rounding.scale + perPricingUnit.scale);
  const scaleDown = 10n ** BigInt(unitPrice.scale + quantity.scale);
  const digits = decimal.divideRounded(
    unitPrice.digits * quantity.digits * scaleUp,
    perPricingUnit.digits * scaleDown,
    rounding.mode,
  );
  return { digits, scale: rounding.scale };
}

export function vatOf(net: Money, ratePercent: string, rounding: Rounding): Money {
  return decimal.round(decimal.percentOf(net, decimal.parse(ratePercent)), rounding);
}

export interface Totals {
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
}

/** Sums of amounts that are rounded already. */
export function totalsOf(parts: readonly { readonly net: string; readonly vat: string }[]): Totals {
  const net = decimal.sum(parts.map((part) => decimal.parse<"money">(part.net)));
  const vat = decimal.sum(parts.map((part) => decimal.parse<"money">(part.vat)));
  const text = (value: Money): string => decimal.format(decimal.add(value, TWO_PLACES));
  return { net: text(net), vat: text(vat), gross: text(decimal.add(net, vat)) };
}

const TWO_PLACES: Money = decimal.integer(0, 2);

export function sameAmount(left: string, right: string): boolean {
  return decimal.compare(decimal.parse(left), decimal.parse(right)) === 0;
}
