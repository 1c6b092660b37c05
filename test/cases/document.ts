/**
 * Documents of a case by the product's document arithmetic. The policy says how: VAT of each line,
 * of each rate in the document or on each unit. Amounts come out as texts.
 */
import { document, scaled } from "../../src/pricing/engine/index.ts";
import type { Charge, OrderLine, OrderPromotion } from "./format.ts";
import type { Policy } from "./strategy.ts";

type DocumentInput = Parameters<typeof document.computeDocument>[0];
type DocumentTotals = ReturnType<typeof document.computeDocument>;
type DocumentLine = DocumentInput["lines"][number];
type DocumentDiscount = NonNullable<DocumentInput["discounts"]>[number];

export interface Paper {
  readonly lines: readonly DocumentLine[];
  readonly charges?: readonly Charge[];
  /** What sending it costs, and the promotions that lower that. */
  readonly carriage?: readonly Charge[];
  readonly promotions?: readonly OrderPromotion[];
  readonly prices: "exclusive" | "inclusive";
}

/** A document's totals, with its amounts as texts. */
export function documentOf(policy: Policy, paper: Paper) {
  const arithmetic = { ...policy.arithmetic, prices: paper.prices };
  const places = document.placesOf(arithmetic);
  const totals: DocumentTotals = document.computeDocument({
    arithmetic,
    lines: paper.lines,
    discounts: (paper.promotions ?? []).map((promotion) => discountOf(promotion, places)),
    charges: [
      ...(paper.charges ?? []).map((charge) => chargeOf(charge, places)),
      ...(paper.carriage ?? []).map((charge) => ({ ...chargeOf(charge, places), carriage: true })),
    ],
  });
  const text = (amount: number) => scaled.shortTextOf(amount, places);
  return {
    net: text(totals.net),
    vat: text(totals.vat),
    gross: text(totals.gross),
    discounts: totals.discounts.map(text),
    lines: totals.lines.map((line) => ({
      unitPrice: scaled.shortTextOf(line.price, 6),
      net: text(line.net),
      vat: text(line.vat),
      gross: text(line.gross),
    })),
    charges: totals.charges.map(({ net, vat, gross }) => ({
      net: text(net),
      vat: text(vat),
      gross: text(gross),
    })),
    rates: totals.rates.map(({ vatRate, net, vat, gross }) => ({
      rate: scaled.shortTextOf(vatRate, 4),
      net: text(net),
      vat: text(vat),
      gross: text(gross),
    })),
  };
}
export type Worked = ReturnType<typeof documentOf>;

/** `includes`: VAT in percent that the price has in it, where that is not the document's way. */
export function documentLine(line: OrderLine, includes?: string): DocumentLine {
  const { unit_price, net_unit, gross_unit, qty, tax_percent, discount_percent } = line;
  const price = unit_price ?? net_unit ?? gross_unit;
  if (price === undefined) throw new Error("a line has no price");
  return {
    price: at(price, 6),
    quantity: at(qty, 5),
    perPricingUnit: at("1", 5),
    vatRate: at(tax_percent ?? "0", 4),
    ...(discount_percent === undefined ? {} : { discountPercent: at(discount_percent, 4) }),
    ...(includes === undefined ? {} : { priceIncludes: at(includes, 4) }),
  };
}

function chargeOf({ price, tax_percent, includes_tax }: Charge, places: number) {
  return {
    amount: at(price, places),
    vatRate: at(tax_percent ?? "0", 4),
    ...(includes_tax === undefined ? {} : { includesVat: includes_tax }),
  };
}

/** A promotion on the carriage. */
function discountOf(promotion: OrderPromotion, places: number): DocumentDiscount {
  const { kind, min_order, value = "0" } = promotion;
  const from = {
    off: "carriage" as const,
    ...(min_order === undefined ? {} : { from: at(min_order, places) }),
  };
  switch (kind) {
    case "percent_off":
      return { ...from, kind: "percent", percent: at(value, 4) };
    case "amount_off":
      return { ...from, kind: "amount", amount: at(value, places) };
    case "free_shipping":
    case "free":
      return { ...from, kind: "total", amount: 0 };
    case "fixed_total":
    case "fixed_price":
      return { ...from, kind: "total", amount: at(value, places) };
    default:
      throw new Error(`promotion kind ${kind} is not understood`);
  }
}

/** The integer that a text is at so many places. */
export function at(text: string, places: number): number {
  const found = scaled.scaledOf(text, places);
  if (found === undefined) throw new Error(`${text} has more than ${places} places`);
  return found;
}

/** Percent saved, as a shop shows it. */
export function savedPercent(base: string, price: string): string {
  return String(document.savedPercent(at(base, 6), at(price, 6)));
}
