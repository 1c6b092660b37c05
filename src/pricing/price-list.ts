/**
 * A customer's whole price list, product by product with the breaks that the customer sees. Worked
 * out in slices with room for others between them, all of one book.
 */
import { setImmediate as othersTurn } from "node:timers/promises";
import type { PriceAnswer, PriceAsker } from "./answer.ts";
import { enquire, isProblem } from "./ask.ts";
import type { Problem } from "./ask.ts";
import { boundsAround, ladderOf, priceLine, scaled } from "./engine/index.ts";
import type { Enquiry, Rung } from "./engine/index.ts";
import { standOf, stateOf, untilText } from "./price.ts";
import type { Root } from "./root.ts";

export interface PriceListRow {
  readonly product: string;
  /** The break: from this many selling units. */
  readonly fromQuantity: string;
  readonly sellingUnit: string;
  readonly state: PriceAnswer["state"];
  /** Why it stands so, where `because` does not say it. */
  readonly stateReason: string | null;
  /** Decimal text per `pricingUnit`; null: not known. */
  readonly unitPrice: string | null;
  readonly pricingUnit: string;
  readonly currency: string;
  /** Null: neither customer, site nor product has one. */
  readonly vatCode: string | null;
  readonly validUntil: string | null;
  readonly because: string;
}

export interface PriceList {
  readonly bookVersion: string;
  readonly freshness: string | null;
  /** When the first of the prices may cease to hold; null: none does by itself. */
  readonly until: string | null;
  /** Two lists of one request with the same content have the same: version and moments. */
  readonly content: string;
  /** In the order of the product codes, a slice at a time. */
  rows(): AsyncGenerator<readonly PriceListRow[]>;
}

export interface PriceListRequest extends PriceAsker {
  /** Begins after this product; null or absent: with the first. */
  readonly after?: string | null;
}

/** How long a slice may hold up whoever else is answered by the same thread. */
const SLICE_MS = 2;
/** Rows of a slice at most. */
const SLICE_ROWS = 500;

export function priceListOf(
  root: Root,
  request: PriceListRequest,
  now: number,
): PriceList | Problem {
  const enquiry = enquire(root.book, request, now);
  if (isProblem(enquiry)) return enquiry;
  const numbers = productsAfter(root, request.after ?? null);
  const { last, next } = boundsAround(root.book, enquiry.asking.moment);
  const ageMs = root.standing?.facts.staleFrom?.ms ?? Infinity;
  return {
    bookVersion: root.version,
    freshness: root.freshness,
    until: untilText(root, Math.min(next, ageMs > now ? ageMs : Infinity)),
    content: `${root.version} ${last} ${root.standing?.revision ?? ""}`,
    rows: () => slices(root, enquiry, numbers),
  };
}

/** Numbers of the products by code: names are numbered as they came. */
function productsAfter({ book }: Root, after: string | null): number[] {
  const { codes, numbers } = book.products;
  const wanted = after === null ? codes : codes.filter((code) => code > after);
  return wanted.toSorted().flatMap((code) => numbers.get(code) ?? []);
}

async function* slices(
  root: Root,
  enquiry: Enquiry,
  numbers: readonly number[],
): AsyncGenerator<readonly PriceListRow[]> {
  let rows: PriceListRow[] = [];
  let began = performance.now();
  for (const product of numbers) {
    addRows(rows, root, enquiry, product);
    if (rows.length < SLICE_ROWS && performance.now() - began < SLICE_MS) continue;
    if (rows.length > 0) yield rows;
    rows = [];
    await othersTurn();
    began = performance.now();
  }
  if (rows.length > 0) yield rows;
}

/** A product that no rule prices for the customer is not on the list. */
function addRows(rows: PriceListRow[], root: Root, enquiry: Enquiry, product: number): void {
  for (const rung of ladderOf(enquiry, product))
    if (rung.doubt !== "no-price") rows.push(rowOf(root, enquiry, product, rung));
}

function rowOf(root: Root, enquiry: Enquiry, product: number, rung: Rung): PriceListRow {
  const { book } = enquiry;
  const known = rung.doubt === null;
  // How a rung stands is asked of the line that was priced last.
  if (known && root.standing !== undefined && root.standing.revision !== "")
    priceLine(enquiry, product, rung.quantity);
  const { state, reason, untilMs } = known ? standOf(root, enquiry, product) : stateOf(rung.doubt);
  return {
    product: book.products.codes[product] ?? "",
    fromQuantity: scaled.shortTextOf(rung.quantity, 5),
    sellingUnit: book.units[book.products.sellingUnit[product] ?? -1] ?? "",
    state,
    stateReason: reason,
    unitPrice: known ? scaled.textOf(rung.price, book.policy.arithmetic.unitPrice.scale) : null,
    pricingUnit: book.units[rung.unit] ?? "",
    currency: book.currencies[enquiry.currency] ?? "",
    vatCode: book.vatCodes[enquiry.found.vatCode] ?? null,
    validUntil: untilText(root, Math.min(rung.until, untilMs)),
    because: rung.because,
  };
}
