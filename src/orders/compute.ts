/** The order with all that we compute: lines, goods that promotions give, charges, totals. */
import type { WebOrder, WebOrderLine } from "../model/index.ts";
import type { DocumentArithmetic } from "../pricing/index.ts";
import {
  amountsOf,
  effectivePrice,
  sameAmount,
  type LineFigures,
  type OrderAmounts,
  type Totals,
} from "./amounts.ts";
import type { OrderFacts } from "./checks.ts";
import type { OrderRequest } from "./request.ts";
import type { OrderSettings } from "./settings.ts";

/** What cannot be computed refuses the order whatever the policies say. */
export interface Miscounted {
  readonly check: "totals";
  readonly policy: "refuse";
  readonly code: string;
  readonly line?: number;
  readonly found: string;
  readonly expected: string;
  readonly about: string;
  readonly instruction: string;
}

/** The order's own lines, those of goods given, charges, and what it all comes to. */
export function computeOrder(
  request: OrderRequest,
  facts: OrderFacts,
  settings: OrderSettings,
  arithmetic: DocumentArithmetic,
  note: (found: Miscounted) => void,
): { lines: WebOrderLine[]; charges: WebOrder["charges"]; totals: Totals } {
  const wanted = [...request.lines, ...(facts.basket?.free ?? [])].map((line, index) => {
    const vatCode = vatCodeOf(line.product, facts);
    const figures: LineFigures = {
      unitPrice: line.unitPrice,
      quantity: line.quantity,
      perPricingUnit: facts.products.get(line.product)?.sellingUnitsPerPricingUnit ?? "1",
      vatPercent: vatRate(vatCode, settings, note, index + 1),
      lowered: facts.basket?.lines[index]?.lowered ?? "0",
    };
    return { product: line.product, vatCode, figures };
  });
  const charges = request.charges.map(({ net, vatCode }) => ({
    net,
    vatPercent: vatRate(vatCode, settings, note),
  }));
  const figures = { lines: wanted.map((line) => line.figures), charges };
  const amounts = amountsOf(figures, arithmetic) ?? tooLarge(figures, note);
  return {
    lines: wanted.map(({ product, vatCode, figures: line }, index) => ({
      line: index + 1,
      product,
      quantity: line.quantity,
      ...agreed(line, amounts.lines[index], arithmetic),
      vatCode,
      vat: amounts.lines[index]?.vat ?? "0.00",
    })),
    charges: request.charges.map((charge, index) => ({
      ...charge,
      net: amounts.charges[index]?.net ?? "0.00",
      vat: amounts.charges[index]?.vat ?? "0.00",
    })),
    totals: { net: amounts.net, vat: amounts.vat, gross: amounts.gross },
  };
}

/** What the ERP is told: where promotions lower a line, the price that comes to what is left. */
function agreed(
  line: LineFigures,
  amounts: OrderAmounts["lines"][number] | undefined,
  { lineNet }: DocumentArithmetic,
): { unitPrice: string; net: string } {
  const net = amounts?.net ?? "0.00";
  const isLowered = !sameAmount(line.lowered, "0");
  const unitPrice = isLowered ? effectivePrice(net, line, lineNet) : null;
  return { unitPrice: unitPrice ?? line.unitPrice, net };
}

function vatCodeOf(product: string, { site, customer, products }: OrderFacts): string {
  return site?.vatCode ?? customer?.vatCode ?? products.get(product)?.vatCode ?? "STANDARD";
}

/** No ledger holds such an order, so it refuses whatever the policies say. */
function tooLarge(
  { lines, charges }: { readonly lines: readonly unknown[]; readonly charges: readonly unknown[] },
  note: (found: Miscounted) => void,
): OrderAmounts {
  note({
    check: "totals",
    policy: "refuse",
    code: "amount-too-large",
    found: "a figure or a total of more than 15 digits",
    expected: "amounts that a ledger holds",
    about: "The order cannot be added up: a figure of it or its total is too large.",
    instruction: "Look at quantities and prices; they are per selling and per pricing unit.",
  });
  const nothing = { net: "0.00", vat: "0.00" };
  return {
    ...nothing,
    gross: "0.00",
    lines: lines.map(() => nothing),
    charges: charges.map(() => nothing),
  };
}

/** An unknown VAT code cannot be computed, so it refuses whatever the policies say. */
function vatRate(
  code: string,
  settings: OrderSettings,
  note: (found: Miscounted) => void,
  line?: number,
): string {
  const rate = settings.vat[code];
  if (rate !== undefined) return rate;
  note({
    check: "totals",
    policy: "refuse",
    code: "vat-code-unknown",
    ...(line === undefined ? {} : { line }),
    found: code,
    expected: Object.keys(settings.vat).join(", "),
    about: `VAT code ${code} has no rate.`,
    instruction: "Add its rate under vat in the settings, or mend the code in the ERP.",
  });
  return "0";
}
