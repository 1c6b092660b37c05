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
  /** Prices and quantities as agreed, or lines as a priced basket has them. */
  readonly lines: readonly (AgreedLine | document.DocumentLine)[];
  /** Without VAT. */
  readonly charges: readonly { readonly net: string; readonly vatPercent: string }[];
}

export interface AgreedLine {
  /** With all the places that it was agreed in. */
  readonly unitPrice: string;
  readonly quantity: string;
  readonly perPricingUnit: string;
  readonly vatPercent: string;
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
    lines: lines.map((line) => {
      if (!("unitPrice" in line)) return line;
      const agreed = {
        price: figure(line.unitPrice, 6),
        quantity: figure(line.quantity, 5),
        perPricingUnit: figure(line.perPricingUnit, 5),
        vatRate: figure(line.vatPercent, 4),
      };
      return { ...agreed, amount: amountOf(agreed, arithmetic, places) };
    }),
    charges: charges.map((charge) => ({
      amount: figure(charge.net, places),
      vatRate: figure(charge.vatPercent, 4),
      includesVat: false,
    })),
  };
  if (!isExact || input.lines.some((line) => !(line.perPricingUnit > 0))) return null;
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

/** Quantity × price rounded once, whatever places the policy's own prices have. */
function amountOf(
  {
    price,
    quantity,
    perPricingUnit,
  }: Pick<document.DocumentLine, "price" | "quantity" | "perPricingUnit">,
  { lineNet }: document.DocumentArithmetic,
  places: number,
): number {
  if (!(perPricingUnit > 0)) return 0;
  const divisor = perPricingUnit * scaled.power(6 - lineNet.scale);
  const net = scaled.multiplyDivide(price, quantity, divisor, lineNet.mode);
  return net * scaled.power(places - lineNet.scale);
}

function exactly(input: document.DocumentInput): document.DocumentTotals | null {
  try {
    return document.computeDocument(input);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
