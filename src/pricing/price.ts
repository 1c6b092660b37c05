/** Prices requests from a published book by rows, as texts. */
import type {
  AskedQuantity,
  PriceAnswer,
  PriceLine,
  PriceProblem,
  PriceRequest,
} from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unitOf, unknownProduct } from "./ask.ts";
import type { Problem } from "./ask.ts";
import { becauseOf, calendar, priceLine, scaled } from "./engine/index.ts";
import type { Enquiry, Found } from "./engine/index.ts";
import type { Root } from "./root.ts";
import type { Stand } from "./standing.ts";

type Line = PriceRequest["lines"][number];

export function priceRows(root: Root, request: PriceRequest, today: number): PriceLine[] {
  const enquiry = enquire(root.book, request, today);
  if (isProblem(enquiry)) return request.lines.map((line) => problemOf(line, enquiry));
  return request.lines.map((line) => {
    const asked = lineOf(root, line);
    if ("detail" in asked) return problemOf(line, asked);
    priceLine(enquiry, asked.product, asked.quantity, asked.unit);
    return answerOf(root, enquiry, line, asked.product);
  });
}

/** A line in numbers of the book, or what is wrong with it. */
export function lineOf(
  { book }: Root,
  line: Line,
): Problem | { readonly product: number; readonly quantity: number; readonly unit: number } {
  const product = book.products.numbers.get(line.product);
  if (product === undefined) return unknownProduct(line.product);
  const quantity = quantityOf(line.quantity);
  if (quantity === undefined) return badQuantity(line.quantity);
  const unit = unitOf(book, line.unit);
  return typeof unit === "number" ? { product, quantity, unit } : unit;
}

export function problemOf(line: Line, { code, detail }: Problem): PriceProblem {
  return { state: "problem", product: line.product, quantity: textOf(line.quantity), code, detail };
}

/**
 * The answer that the enquiry found last, in texts. A basket says itself which promotions hold over
 * it.
 */
export function answerOf(
  root: Root,
  enquiry: Enquiry,
  line: Line,
  product: number,
  askedIn: "line" | "basket" = "line",
): PriceAnswer {
  const { found, book } = enquiry;
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  const known = found.doubt === null;
  const vatPercent = found.vatRate < 0 ? null : scaled.shortTextOf(found.vatRate, 4);
  const { state, reason, untilMs } = known ? standOf(root, enquiry, product) : stateOf(found.doubt);
  return {
    state,
    stateReason: reason,
    product: line.product,
    quantity: textOf(line.quantity),
    unitPrice: known ? scaled.textOf(found.price, unitPrice.scale) : null,
    pricingUnit: book.units[found.unit] ?? "",
    net: known ? scaled.textOf(found.net, lineNet.scale) : null,
    vatCode: book.vatCodes[found.vatCode] ?? null,
    vatPercent,
    vat: known && vatPercent !== null ? scaled.textOf(found.vat, vat.scale) : null,
    currency: book.currencies[enquiry.currency] ?? "",
    validUntil: untilText(root, Math.min(found.until, untilMs)),
    bookVersion: root.version,
    freshness: root.freshness,
    because: becauseOf(enquiry, askedIn),
  };
}

/** How a line stands whose price is not known. */
export function stateOf(
  doubt: Found["doubt"],
): Pick<PriceAnswer, "state"> & Pick<Stand, "untilMs"> & { reason: null } {
  return doubt === "on-request" ? ON_REQUEST : UNKNOWN;
}

const UNKNOWN = { state: "unknown", reason: null, untilMs: Infinity } as const;
const ON_REQUEST = { state: "onRequest", reason: null, untilMs: Infinity } as const;
const MODELLED: Stand = { state: "modelled", reason: null, untilMs: Infinity };

export function standOf(root: Root, enquiry: Enquiry, product: number): Stand {
  return root.stand?.(enquiry, product) ?? MODELLED;
}

function textOf(quantity: AskedQuantity): string {
  return typeof quantity === "string" ? quantity : String(quantity);
}

/** The moment at which a rule that was looked at next starts or stops; null: none does. */
export function untilText(root: Root, until: number): string | null {
  return until === calendar.NEVER ? null : root.momentText(until);
}
