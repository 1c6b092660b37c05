/** Documents in decimal texts, added up: for whoever has agreed prices and asks for no others. */
import { document, scaled } from "./engine/index.ts";

export interface AddedUp {
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
  readonly lines: readonly { readonly net: string; readonly vat: string }[];
  readonly charges: readonly { readonly net: string; readonly vat: string }[];
}

export interface ToAddUp {
  readonly arithmetic: document.DocumentArithmetic;
  readonly lines: readonly {
    readonly unitPrice: string;
    readonly quantity: string;
    readonly perPricingUnit: string;
    readonly vatPercent: string;
    readonly lowered: string;
  }[];
  /** Without VAT. */
  readonly charges: readonly { readonly net: string; readonly vatPercent: string }[];
}

/** Null: a figure or a total is larger than is exact. */
export function addUp({ arithmetic, lines, charges }: ToAddUp): AddedUp | null {
  const places = document.placesOf(arithmetic);
  let isExact = true;
  const figure = (text: string, at: number): number => {
    const value = scaled.scaledOf(text, at);
    if (value === undefined) isExact = false;
    return value ?? 0;
  };
  const input: document.DocumentInput = {
    arithmetic,
    lines: lines.map((line) => ({
      price: figure(line.unitPrice, 6),
      quantity: figure(line.quantity, 5),
      perPricingUnit: figure(line.perPricingUnit, 5),
      vatRate: figure(line.vatPercent, 4),
      lowered: figure(line.lowered, places),
    })),
    charges: charges.map((charge) => ({
      amount: figure(charge.net, places),
      vatRate: figure(charge.vatPercent, 4),
      includesVat: false,
    })),
  };
  if (!isExact || input.lines.some((line) => line.perPricingUnit <= 0)) return null;
  const totals = exactly(input);
  if (totals === null) return null;
  const money = (amount: number) => scaled.textOf(amount, places);
  const both = ({ net, vat }: { net: number; vat: number }) => ({
    net: money(net),
    vat: money(vat),
  });
  return {
    ...both(totals),
    gross: money(totals.gross),
    lines: totals.lines.map(both),
    charges: totals.charges.map(both),
  };
}

function exactly(input: document.DocumentInput): document.DocumentTotals | null {
  try {
    return document.computeDocument(input);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
