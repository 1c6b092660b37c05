/**
 * Prices by columns: numbers in typed arrays as the engine found them, with small tables for what
 * repeats, so that ten thousand lines cost no object each.
 */
import type {
  AskedQuantity,
  PriceAsker,
  PriceColumns,
  PriceColumnsRequest,
  PriceLine,
  PriceProblemCode,
} from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unitOf, unknownProduct } from "./ask.ts";
import type { Problem } from "./ask.ts";
import { priceLine } from "./engine/index.ts";
import type { Enquiry } from "./engine/index.ts";
import { standOf, stateOf, untilText } from "./price.ts";
import type { Root } from "./root.ts";

export interface ColumnSet {
  readonly root: Root;
  /** Null when the account is not known. */
  readonly currency: string | null;
  readonly lines: number;
  /** Integers with the policy's places; NaN: not known. */
  readonly unitPrice: Float64Array;
  readonly net: Float64Array;
  readonly vat: Float64Array;
  /** Number of the book's VAT code; -1: none. */
  readonly vatCode: Int32Array;
  /** Number of STATES. */
  readonly state: Uint8Array;
  /** As the engine has it; `untilText` is its moment. */
  readonly until: Float64Array;
  /** By line; null: no line has one. */
  stateReason: (string | null)[] | null;
  readonly problems: {
    readonly line: number;
    readonly code: PriceProblemCode;
    readonly detail: string;
  }[];
}

export const STATES = [
  "modelled",
  "confirmed",
  "stale",
  "unknown",
  "onRequest",
  "problem",
] as const satisfies readonly PriceLine["state"][];
const PROBLEM = STATES.indexOf("problem");

export function columnSet(root: Root, request: PriceColumnsRequest, today: number): ColumnSet {
  const enquiry = enquire(root.book, request, today);
  const { product: codes, quantity: asked, unit: units = null } = request;
  const set = emptySet(root, isProblem(enquiry) ? null : enquiry, codes.length);
  for (let line = 0; line < codes.length; line += 1) {
    const problem = isProblem(enquiry)
      ? enquiry
      : priceAt(set, line, enquiry, codes[line] ?? "", asked[line] ?? "", units?.[line]);
    if (problem !== null) addProblem(set, line, problem);
  }
  return set;
}

/** Lines of a request whose bytes were read already. */
export interface NumberedColumns {
  /** -1: there is no such product; then `codeOf` tells what was asked. */
  readonly product: Int32Array;
  /** Selling units with 5 places, above 0. */
  readonly quantity: Float64Array;
  readonly codeOf: (line: number) => string;
}

/** The same for the lines from one to below another; null: nobody is known to ask. */
export function numberedSet(
  root: Root,
  asker: PriceAsker,
  { product, quantity, codeOf }: NumberedColumns,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): ColumnSet | null {
  const enquiry = enquire(root.book, asker, now);
  if (isProblem(enquiry)) return null;
  const set = emptySet(root, enquiry, to - from);
  for (let line = from; line < to; line += 1) {
    const number = product[line] ?? -1;
    if (number >= 0) priceInto(set, line - from, enquiry, number, quantity[line] ?? 0, -1);
    else addProblem(set, line - from, unknownProduct(codeOf(line)), from);
  }
  return set;
}

function emptySet(root: Root, enquiry: Enquiry | null, lines: number): ColumnSet {
  return {
    root,
    currency: enquiry === null ? null : (root.book.currencies[enquiry.currency] ?? null),
    lines,
    unitPrice: new Float64Array(lines),
    net: new Float64Array(lines),
    vat: new Float64Array(lines),
    vatCode: new Int32Array(lines),
    state: new Uint8Array(lines),
    until: new Float64Array(lines),
    stateReason: null,
    problems: [],
  };
}

function priceAt(
  set: ColumnSet,
  line: number,
  enquiry: Enquiry,
  code: string,
  asked: AskedQuantity,
  inUnit: string | null | undefined,
): Problem | null {
  const product = enquiry.book.products.numbers.get(code);
  if (product === undefined) return unknownProduct(code);
  const quantity = quantityOf(asked);
  if (quantity === undefined) return badQuantity(asked);
  const unit = unitOf(enquiry.book, inUnit);
  if (typeof unit !== "number") return unit;
  priceInto(set, line, enquiry, product, quantity, unit);
  return null;
}

/** Prices a line in numbers of the book into its place. */
function priceInto(
  set: ColumnSet,
  line: number,
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit: number,
): void {
  const found = priceLine(enquiry, product, quantity, unit);
  const known = found.doubt === null;
  set.unitPrice[line] = known ? found.price : NaN;
  set.net[line] = known ? found.net : NaN;
  set.vat[line] = known && found.vat >= 0 ? found.vat : NaN;
  set.vatCode[line] = found.vatCode;
  set.until[line] = found.until;
  if (known && set.root.stand === undefined) return;
  const { state, reason, untilMs } = known
    ? standOf(set.root, enquiry, product)
    : stateOf(found.doubt);
  if (untilMs < found.until) set.until[line] = untilMs;
  set.state[line] = STATES.indexOf(state);
  if (reason !== null) {
    set.stateReason ??= Array.from({ length: set.lines }, () => null);
    set.stateReason[line] = reason;
  }
}

/** Told by its line of the whole request. */
function addProblem(set: ColumnSet, line: number, { code, detail }: Problem, from = 0): void {
  set.problems.push({ line: from + line, code, detail });
  set.unitPrice[line] = NaN;
  set.net[line] = NaN;
  set.vat[line] = NaN;
  set.vatCode[line] = -1;
  set.state[line] = PROBLEM;
  set.until[line] = Infinity;
}

export function placesOf({ book }: Root): PriceColumns["places"] {
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  return { unitPrice: unitPrice.scale, net: lineNet.scale, vat: vat.scale };
}

/** The same as plain arrays, null for what is not known. */
export function plainColumns(set: ColumnSet): PriceColumns {
  const { root, currency, stateReason, problems } = set;
  const plain = (column: Float64Array) =>
    Array.from(column, (value) => (Number.isNaN(value) ? null : value));
  return {
    bookVersion: root.version,
    freshness: root.freshness,
    currency,
    places: placesOf(root),
    unitPrice: plain(set.unitPrice),
    net: plain(set.net),
    vat: plain(set.vat),
    vatCode: Array.from(set.vatCode, (code) => root.book.vatCodes[code] ?? null),
    state: Array.from(set.state, (state) => STATES[state] ?? "unknown"),
    ...(stateReason === null ? {} : { stateReason }),
    validUntil: Array.from(set.until, (until) => untilText(root, until)),
    problems,
  };
}
