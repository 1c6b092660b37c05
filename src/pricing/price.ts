/** Prices requests from a published book: by rows as texts, by columns as integers. */
import type {
  AskedQuantity,
  PriceAnswer,
  PriceColumns,
  PriceColumnsRequest,
  PriceLine,
  PriceProblem,
  PriceRequest,
} from "./answer.ts";
import { badQuantity, enquire, isProblem, quantityOf, unknownProduct } from "./ask.ts";
import type { Problem } from "./ask.ts";
import { becauseOf, calendar, priceLine, scaled } from "./engine/index.ts";
import type { Enquiry } from "./engine/index.ts";
import type { Root } from "./root.ts";
import type { Stand } from "./standing.ts";

type Line = PriceRequest["lines"][number];

export function priceRows(root: Root, request: PriceRequest, today: number): PriceLine[] {
  const enquiry = enquire(root.book, request, today);
  if (isProblem(enquiry)) return request.lines.map((line) => problemOf(line, enquiry));
  return request.lines.map((line) => {
    const product = root.book.products.numbers.get(line.product);
    if (product === undefined) return problemOf(line, unknownProduct(line.product));
    const quantity = quantityOf(line.quantity);
    if (quantity === undefined) return problemOf(line, badQuantity(line.quantity));
    priceLine(enquiry, product, quantity);
    return answerOf(root, enquiry, line, product);
  });
}

export function problemOf(line: Line, { code, detail }: Problem): PriceProblem {
  return { state: "problem", product: line.product, quantity: textOf(line.quantity), code, detail };
}

/** The answer that the enquiry found last, in texts. */
export function answerOf(root: Root, enquiry: Enquiry, line: Line, product: number): PriceAnswer {
  const { found, book } = enquiry;
  const { unitPrice, lineNet, vat } = book.policy.arithmetic;
  const known = found.doubt === null;
  const vatPercent = root.vatPercents[found.vatCode] ?? null;
  const { state, reason } = known ? standOf(root, enquiry, product) : UNKNOWN;
  return {
    state,
    stateReason: reason,
    product: line.product,
    quantity: textOf(line.quantity),
    unitPrice: known ? scaled.textOf(found.price, unitPrice.scale) : null,
    pricingUnit: book.units[book.products.pricingUnit[product] ?? -1] ?? "",
    net: known ? scaled.textOf(found.net, lineNet.scale) : null,
    vatCode: book.vatCodes[found.vatCode] ?? null,
    vatPercent,
    vat: known && vatPercent !== null ? scaled.textOf(found.vat, vat.scale) : null,
    currency: book.currencies[enquiry.currency] ?? "",
    validUntil: validUntil(root, found.until),
    bookVersion: root.version,
    freshness: root.freshness,
    because: becauseOf(enquiry),
  };
}

const UNKNOWN = { state: "unknown", reason: null } as const;
const MODELLED: Stand = { state: "modelled", reason: null };

function standOf(root: Root, enquiry: Enquiry, product: number): Stand {
  return root.stand?.(enquiry, product) ?? MODELLED;
}

function textOf(quantity: AskedQuantity): string {
  return typeof quantity === "string" ? quantity : String(quantity);
}

function validUntil(root: Root, until: number): string | null {
  return until > calendar.LAST_DAY ? null : root.startOf(until);
}

export function priceColumns(
  root: Root,
  request: PriceColumnsRequest,
  today: number,
): PriceColumns {
  const enquiry = enquire(root.book, request, today);
  const columns = emptyColumns(root, isProblem(enquiry) ? null : enquiry);
  request.product.forEach((code, line) => {
    const quantity = request.quantity[line] ?? "";
    const problem = isProblem(enquiry)
      ? enquiry
      : priceInto(columns, root, enquiry, code, quantity);
    if (problem === null) return;
    columns.problems.push({ line, ...problem });
    addRow(columns, null, null, null, null, "problem", null);
  });
  return columns;
}

type Writable<Columns> = {
  -readonly [Name in keyof Columns]: Columns[Name] extends readonly (infer Each)[]
    ? Each[]
    : Columns[Name];
};

type MadeColumns = Writable<Omit<PriceColumns, "stateReason">> & {
  stateReason?: (string | null)[];
};

function emptyColumns(root: Root, enquiry: Enquiry | null): MadeColumns {
  const { unitPrice, lineNet, vat } = root.book.policy.arithmetic;
  return {
    bookVersion: root.version,
    freshness: root.freshness,
    currency: enquiry === null ? null : (root.book.currencies[enquiry.currency] ?? null),
    places: { unitPrice: unitPrice.scale, net: lineNet.scale, vat: vat.scale },
    unitPrice: [],
    net: [],
    vat: [],
    vatCode: [],
    state: [],
    validUntil: [],
    problems: [],
  };
}

function priceInto(
  columns: MadeColumns,
  root: Root,
  enquiry: Enquiry,
  code: string,
  asked: AskedQuantity,
): Problem | null {
  const { book } = enquiry;
  const product = book.products.numbers.get(code);
  if (product === undefined) return unknownProduct(code);
  const quantity = quantityOf(asked);
  if (quantity === undefined) return badQuantity(asked);
  const found = priceLine(enquiry, product, quantity);
  const vatCode = book.vatCodes[found.vatCode] ?? null;
  const until = validUntil(root, found.until);
  if (found.doubt !== null) addRow(columns, null, null, null, vatCode, "unknown", until);
  else {
    const vat = found.vat < 0 ? null : found.vat;
    const { state, reason } = standOf(root, enquiry, product);
    addRow(columns, found.price, found.net, vat, vatCode, state, until, reason);
  }
  return null;
}

function addRow(
  columns: MadeColumns,
  unitPrice: number | null,
  net: number | null,
  vat: number | null,
  vatCode: string | null,
  state: PriceLine["state"],
  until: string | null,
  reason: string | null = null,
): void {
  // Most lines have none to give, so that the column is there only where one has.
  if (reason !== null) columns.stateReason ??= columns.state.map(() => null);
  columns.stateReason?.push(reason);
  columns.unitPrice.push(unitPrice);
  columns.net.push(net);
  columns.vat.push(vat);
  columns.vatCode.push(vatCode);
  columns.state.push(state);
  columns.validUntil.push(until);
}
