/**
 * The order with all that we compute: lines, goods that promotions give, charges, totals. Amounts
 * and VAT of a line are pricing's own; only where it has none are they worked out here.
 */
import type { WebOrder, WebOrderLine } from "../model/index.ts";
import type { DocumentArithmetic } from "../pricing/index.ts";
import {
  amountsOf,
  comesToNothing,
  pricePerPricingUnit,
  toldPrice,
  type LineFigures,
  type OrderAmounts,
  type Totals,
} from "./amounts.ts";
import type { OrderFacts } from "./checks.ts";
import { chargeOf } from "./checks/money.ts";
import { sellingQuantity } from "./facts.ts";
import type { OrderRequest } from "./request.ts";
import { quantityText } from "./words.ts";

/** What cannot be computed refuses the order whatever the policies say. */
export interface Miscounted {
  readonly check: "totals" | "quantity";
  readonly policy: "refuse";
  readonly code: string;
  readonly line?: number;
  readonly found: string;
  readonly expected: string;
  readonly about: string;
  readonly instruction: string;
}

type Say = (found: Miscounted) => void;

/** How orders are written for the ERP. */
export interface Writing {
  readonly arithmetic: DocumentArithmetic;
  /** An amount off a line has a place there. */
  readonly carriesDiscount: boolean;
}

/** With what the settings say of charges. */
type WritingHere = Writing & { readonly settings: Parameters<typeof chargeOf>[1] };

/** A line before it is added up. */
interface Wanted {
  readonly product: string;
  readonly vatCode: string;
  /** Selling units. */
  readonly quantity: string;
  readonly perPricingUnit: string;
  /** Per pricing unit of the product, as agreed. */
  readonly unitPrice: string;
  readonly ordered: { readonly unit: string; readonly quantity: string } | null;
  readonly figures: LineFigures;
  /** What it comes to in the document's basis, promotions taken off; null: as its price says. */
  readonly amount: string | null;
}

/** The order's own lines, those of goods given, charges, and what it all comes to. */
export function computeOrder(
  request: OrderRequest,
  facts: OrderFacts,
  writing: WritingHere,
  note: Say,
): { lines: WebOrderLine[]; charges: WebOrder["charges"]; totals: Totals } {
  const own = request.lines.map((line, index) =>
    ownLine(line, facts, index, writing.arithmetic, note),
  );
  const wanted = [...own, ...(facts.given ?? []).map((given) => givenLine(given, facts))];
  const codes = request.charges.map(
    ({ charge, vatCode }) => vatCode ?? chargeOf(charge, writing.settings)?.vatCode ?? "STANDARD",
  );
  const charges = request.charges.map(({ net }, index) => ({
    net,
    vatPercent: rateOf(codes[index] ?? "", facts, note),
  }));
  const figures = { lines: wanted.map((line) => line.figures), charges };
  const amounts = amountsOf(figures, writing.arithmetic) ?? tooLarge(figures, note);
  return {
    lines: wanted.map((line, index) => ({
      line: index + 1,
      product: line.product,
      quantity: line.quantity,
      ...told(line, writing, (found) => {
        note({ ...found, line: index + 1 });
      }),
      net: amounts.lines[index]?.net ?? "0.00",
      vatCode: line.vatCode,
      vat: amounts.lines[index]?.vat ?? "0.00",
      orderedUnit: line.ordered?.unit ?? null,
      orderedQuantity: line.ordered?.quantity ?? null,
    })),
    charges: request.charges.map((charge, index) => ({
      ...charge,
      vatCode: codes[index] ?? "",
      net: amounts.charges[index]?.net ?? "0.00",
      vat: amounts.charges[index]?.vat ?? "0.00",
    })),
    totals: { net: amounts.net, vat: amounts.vat, gross: amounts.gross },
  };
}

function ownLine(
  line: OrderRequest["lines"][number],
  facts: OrderFacts,
  index: number,
  { lineNet }: DocumentArithmetic,
  note: Say,
): Wanted {
  const price = facts.prices[index];
  const standing = price?.standing ?? null;
  const { product, unit } = line;
  const quantity = sellingQuantity(line, price);
  const perPricingUnit = facts.products.get(product)?.sellingUnitsPerPricingUnit ?? "1";
  const isUnknown = unit !== undefined && standing === null;
  if (isUnknown) note(unitUnknown(facts, { product, unit, line: index + 1 }));
  const vatCode = price?.vatCode ?? facts.products.get(product)?.vatCode ?? "STANDARD";
  const vatPercent = price?.vatPercent ?? rateOf(vatCode, facts, note, index + 1);
  const unitPrice =
    unit === undefined || standing === null
      ? line.unitPrice
      : pricePerPricingUnit(standing, { ...line, perPricingUnit });
  if (!isUnknown && comesToNothing(unitPrice, { quantity, perPricingUnit }, lineNet))
    note(nothing(line, index + 1));
  return {
    product,
    vatCode,
    quantity,
    perPricingUnit,
    unitPrice,
    ordered: unit === undefined ? null : { unit, quantity: line.quantity },
    figures: standing?.document ?? { unitPrice, quantity, perPricingUnit, vatPercent },
    amount: standing?.amount ?? null,
  };
}

function givenLine(
  { product, quantity, unitPrice, vatCode, standing }: NonNullable<OrderFacts["given"]>[number],
  facts: OrderFacts,
): Wanted {
  const known = facts.products.get(product);
  const perPricingUnit = known?.sellingUnitsPerPricingUnit ?? "1";
  const code = vatCode ?? known?.vatCode ?? "STANDARD";
  const vatPercent = facts.vatRates[code] ?? "0";
  return {
    product,
    vatCode: code,
    quantity,
    perPricingUnit,
    unitPrice,
    ordered: null,
    figures: standing?.document ?? { unitPrice, quantity, perPricingUnit, vatPercent },
    amount: standing?.amount ?? null,
  };
}

/** What the ERP is told, so that it comes to the amount that was agreed. */
function told(
  { unitPrice, amount, ...line }: Wanted,
  { arithmetic, carriesDiscount }: Writing,
  note: Say,
): { unitPrice: string; discount: string } {
  if (amount === null) return { unitPrice, discount: "0.00" };
  const found = toldPrice({ ...line, unitPrice, amount }, arithmetic, carriesDiscount);
  if (found !== null) return found;
  note({
    check: "totals",
    policy: "refuse",
    code: "net-not-expressible",
    found: amount,
    expected: `a price of at most 6 places that comes to it for ${line.quantity}`,
    about:
      `No unit price comes to ${amount} for ${line.quantity} of ${line.product}, and the ERP's ` +
      "files have no place for an amount off the line.",
    instruction: "Order it in two lines, or add item.discount to the order's mapping.",
  });
  return { unitPrice, discount: "0.00" };
}

/** How much such a line is cannot be said, so it refuses whatever the policies say. */
function unitUnknown(
  { products, surroundings }: OrderFacts,
  {
    product,
    unit,
    line,
  }: { readonly product: string; readonly unit: string; readonly line: number },
): Miscounted {
  const own = products.get(product);
  const sold = [own?.sellingUnit, own?.pricingUnit, ...(surroundings?.units.get(product) ?? [])];
  const units = [...new Set(sold.filter((one) => one !== undefined))];
  return {
    check: "quantity",
    policy: "refuse",
    code: "unit-unknown",
    line,
    found: unit,
    expected: units.length === 0 ? `a unit of ${product} that the ERP has` : units.join(", "),
    about: `How many selling units of ${product} are in ${unit} is not known.`,
    instruction: "Order in the selling unit, or add the unit to the product in the ERP.",
  };
}

/** Goods that nobody is charged for would leave, so it refuses whatever the policies say. */
function nothing(
  { product, quantity, unit, unitPrice }: OrderRequest["lines"][number],
  line: number,
): Miscounted {
  const wanted = `${quantityText(quantity)}${unit === undefined ? "" : ` ${unit}`}`;
  return {
    check: "quantity",
    policy: "refuse",
    code: "quantity-comes-to-nothing",
    line,
    found: wanted,
    expected: "a quantity that comes to a penny or more",
    about: `${wanted} of ${product} at ${unitPrice} comes to 0.00.`,
    instruction:
      "Change the quantity. Where only whole ones are sold, give the product the multiple 1 in the ERP.",
  };
}

/** No ledger holds such an order, so it refuses whatever the policies say. */
function tooLarge(
  { lines, charges }: { readonly lines: readonly unknown[]; readonly charges: readonly unknown[] },
  note: Say,
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
function rateOf(code: string, { vatRates }: OrderFacts, note: Say, line?: number): string {
  const rate = vatRates[code];
  if (rate !== undefined) return rate;
  note({
    check: "totals",
    policy: "refuse",
    code: "vat-code-unknown",
    ...(line === undefined ? {} : { line }),
    found: code,
    expected: Object.keys(vatRates).join(", "),
    about: `VAT code ${code} has no rate.`,
    instruction: "Add its rate under vat in the settings, or mend the code in the ERP.",
  });
  return "0";
}
