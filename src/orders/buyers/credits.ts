/**
 * Of which invoice lines goods were credited. A credit note says so by the invoice, or only by the
 * order that both are of. Pure.
 */
import { decimal, type Quantity } from "../../model/index.ts";

/** Of a line of an invoice or credit note. */
interface Paper {
  readonly document: string;
  readonly line: number;
  readonly product: string | null;
  /** Selling units, positive on both types. */
  readonly quantity: string;
  /** The order that it is of; null: none is stated. */
  readonly erpOrder: string | null;
  readonly erpOrderLine: number | null;
  readonly webOrder: string | null;
}

export type InvoicedPaper = Paper;

export interface CreditPaper extends Paper {
  /** Null: the order alone says what it credits. */
  readonly creditsDocument: string | null;
  readonly creditsLine: number | null;
}

/** A part of a credit note. */
export interface Credited {
  readonly document: string;
  readonly quantity: Quantity;
}

/**
 * What credits each invoice line, in the order of `credits`. One that names only the invoice counts
 * on each line of its product there, since nobody knows which; one that names only the order counts
 * once: on the lines of its order line, else of its product, the first of `invoiced` first, and on
 * none beyond what it has left.
 */
export function creditsOfLines(
  invoiced: readonly InvoicedPaper[],
  credits: readonly CreditPaper[],
): ReadonlyMap<InvoicedPaper, readonly Credited[]> {
  const found = new Map(invoiced.map((line) => [line, new Map<CreditPaper, Quantity>()]));
  for (const credit of credits)
    for (const line of invoiced)
      if (isNamedBy(line, credit)) found.get(line)?.set(credit, quantityOf(credit));
  for (const credit of credits.filter(({ creditsDocument }) => creditsDocument === null)) {
    let rest = quantityOf(credit);
    for (const line of likely(invoiced, credit)) {
      const taken = decimal.sum([...(found.get(line)?.values() ?? [])]);
      const part = smaller(rest, decimal.subtract(quantityOf(line), taken));
      if (part.digits <= 0n) continue;
      found.get(line)?.set(credit, part);
      rest = decimal.subtract(rest, part);
    }
  }
  const inOrder = (own: ReadonlyMap<CreditPaper, Quantity>): Credited[] =>
    credits.flatMap((credit) => {
      const quantity = own.get(credit);
      return quantity === undefined ? [] : [{ document: credit.document, quantity }];
    });
  return new Map([...found].map(([line, own]) => [line, inOrder(own)]));
}

function isNamedBy(line: InvoicedPaper, credit: CreditPaper): boolean {
  const { creditsDocument, creditsLine } = credit;
  if (creditsDocument !== line.document) return false;
  return creditsLine === null ? isOfOneProduct(line, credit) : creditsLine === line.line;
}

function likely(invoiced: readonly InvoicedPaper[], credit: CreditPaper): InvoicedPaper[] {
  const alike = invoiced.filter(
    (line) => isOfOneProduct(line, credit) && isOfOneOrder(line, credit),
  );
  const isSame = ({ erpOrderLine }: InvoicedPaper): boolean =>
    erpOrderLine !== null && erpOrderLine === credit.erpOrderLine;
  return [...alike.filter(isSame), ...alike.filter((line) => !isSame(line))];
}

function isOfOneProduct(one: Paper, other: Paper): boolean {
  return one.product !== null && one.product === other.product;
}

function isOfOneOrder(one: Paper, other: Paper): boolean {
  if (one.erpOrder !== null && other.erpOrder !== null) return one.erpOrder === other.erpOrder;
  return one.webOrder !== null && one.webOrder === other.webOrder;
}

function quantityOf({ quantity }: Paper): Quantity {
  return decimal.parse<"quantity">(quantity);
}

function smaller(one: Quantity, other: Quantity): Quantity {
  return decimal.compare(one, other) < 0 ? one : other;
}
