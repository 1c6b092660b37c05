/**
 * Credit notes on orders that were paid beforehand: the customer owes nothing that they could be
 * set against, so that what they take off is given back. Pure.
 */
import { decimal, type Money } from "../model/index.ts";
import type { OrderInvoice } from "./documents.ts";
import type { Standing } from "./owed.ts";

/** Credit notes of an order: what they take off, and their numbers. */
export interface Credits {
  readonly gross: Money;
  readonly documents: readonly string[];
}

/** What was invoiced anew instead is left out. */
export function creditsOf(
  { credited, charges, chargeCodes }: Pick<Standing, "credited" | "charges" | "chargeCodes">,
  documents: readonly OrderInvoice[],
): Credits {
  const credits = documents.filter(({ kind }) => kind === "credit");
  const byLine = new Map(credited.map((line) => [line.line, line]));
  // Of one of several lines with its product, nobody knows which.
  const byProduct = Map.groupBy(credited, ({ product }) => product);
  const isCharge = ({ line, product }: Line): boolean =>
    line === null && (product === null || chargeCodes.includes(product));
  const ofLines = credits
    .flatMap(({ lines }) => lines)
    .reduce((sum, line) => {
      if (isCharge(line)) return sum;
      const own = line.line === null ? undefined : byLine.get(line.line);
      const known = own === undefined ? (byProduct.get(line.product ?? "") ?? []) : [own];
      const all = known.reduce((of, each) => of + units(each.credited), 0n);
      const back = known.reduce((of, each) => of + units(each.back), 0n);
      if (all === 0n) return sum + grossOf(line);
      return sum + decimal.divideRounded(grossOf(line) * back, all, "half-away");
    }, 0n);
  const digits = ofLines + chargesBack(penceOf(charges), documents, isCharge);
  return { gross: { digits, scale: 2 }, documents: credits.map(({ document }) => document) };
}

type Line = OrderInvoice["lines"][number];

/** Of its charges what was credited, as far as the order's own are not invoiced anew. */
function chargesBack(
  charges: bigint,
  documents: readonly OrderInvoice[],
  isCharge: (line: Line) => boolean,
): bigint {
  const of = (wanted: OrderInvoice["kind"]): bigint =>
    documents
      .filter(({ kind }) => kind === wanted)
      .flatMap(({ lines }) => lines.filter(isCharge))
      .reduce((sum, line) => sum + grossOf(line), 0n);
  const credited = of("credit");
  const missing = charges - (of("invoice") - credited);
  if (missing <= 0n) return 0n;
  return missing < credited ? missing : credited;
}

function grossOf({ net, vat }: Pick<Line, "net" | "vat">): bigint {
  return penceOf(net) + penceOf(vat);
}

function penceOf(money: string): bigint {
  return decimal.digitsAt(decimal.parse(money), 2);
}

function units(quantity: string): bigint {
  return decimal.digitsAt(decimal.parse(quantity), 5);
}
