/**
 * An invoice that a credit note took back was never charged: both are left out of what is compared
 * with what was agreed. Pure, and the same in whatever order they came.
 */
import { decimal, type Money } from "../model/index.ts";
import type { Charged, ChargedLine } from "./charged.ts";

/** A line of an invoice or credit note of an order, positive on both; of its head, the rest. */
export interface PaperLine {
  readonly kind: "invoice" | "credit";
  readonly document: string;
  /** The invoice that a credit note takes back, as the ERP says; null: it does not. */
  readonly credits: string | null;
  /** Null: text, a charge, or what stands on the head. */
  readonly product: string | null;
  readonly quantity: string;
  readonly net: string;
  readonly vat: string;
}

/** What stays once invoices and what took them back are left out. */
export function withoutReversed(charged: Charged): Charged {
  const papers = charged.papers ?? [];
  if (papers.length === 0) return charged;
  const out = reversed(papers);
  const ours = new Set(charged.lines.map(({ product }) => product));
  const isOther = ({ product }: PaperLine): boolean => product === null || !ours.has(product);
  const invoiced = papers.filter((line) => out.has(line) && line.kind === "invoice");
  const credited = papers.filter((line) => out.has(line) && line.kind === "credit");
  const stay = papers.filter((line) => !out.has(line));
  const others = new Set(
    papers.filter((line) => line.kind === "invoice" && isOther(line)).map((line) => line.product),
  );
  const cameBack = stay.filter(
    (line) =>
      line.kind === "credit" && isOther(line) && line.product !== null && others.has(line.product),
  );
  const isGone = (document: string): boolean =>
    !stay.some((line) => line.kind === "invoice" && line.document === document);
  return {
    ...charged,
    invoices: charged.invoices - new Set(invoiced.map(documentOf).filter(isGone)).size,
    net: less(charged.net, sumOf(invoiced, "net")),
    vat: less(charged.vat, sumOf(invoiced, "vat")),
    creditedNet: less(charged.creditedNet, sumOf(credited, "net")),
    other: less(charged.other, sumOf(invoiced.filter(isOther), "net")),
    otherCredited: decimal.format(sumOf(cameBack, "net")),
    lines: withoutGoods(withoutGoods(charged.lines, "invoiced", invoiced), "credited", credited),
    papers: null,
  };
}

const documentOf = ({ document }: PaperLine): string => document;

/** All of an invoice that is named and taken back as a whole; else line by line, what is equal. */
function reversed(papers: readonly PaperLine[]): ReadonlySet<PaperLine> {
  const out = new Set<PaperLine>();
  const invoices = papers.filter(({ kind }) => kind === "invoice");
  const credits = papers.filter(({ kind }) => kind === "credit");
  for (const [document, lines] of Map.groupBy(invoices, documentOf)) {
    const named = credits.filter((line) => line.credits === document);
    const isAll = (["net", "vat"] as const).every(
      (sum) => decimal.compare(sumOf(lines, sum), sumOf(named, sum)) === 0,
    );
    if (named.length > 0 && isAll) for (const line of [...lines, ...named]) out.add(line);
  }
  const left = Map.groupBy(
    invoices.filter((line) => !out.has(line)),
    likeness,
  );
  for (const credit of credits.filter((line) => !out.has(line))) {
    const invoice = left.get(likeness(credit))?.pop();
    if (invoice === undefined) continue;
    out.add(invoice);
    out.add(credit);
  }
  return out;
}

/** Of two lines that are alike it makes no difference which one was taken back. */
function likeness({ product, quantity, net, vat }: PaperLine): string {
  const sums = [quantity, net, vat].map((text) => decimal.canonical(decimal.parse(text)));
  return JSON.stringify([product, ...sums]);
}

/** What is beyond a line's quantity goes first: it came to that line because it came twice. */
function withoutGoods(
  lines: readonly ChargedLine[],
  figure: "invoiced" | "credited",
  goods: readonly PaperLine[],
): readonly ChargedLine[] {
  const left = new Map<string, Money>();
  for (const { product, quantity } of goods)
    if (product !== null)
      left.set(product, decimal.add(left.get(product) ?? NONE, decimal.parse(quantity)));
  const take = (line: ChargedLine, most: Money): ChargedLine => {
    const of = decimal.smaller(decimal.larger(NONE, most), left.get(line.product) ?? NONE);
    left.set(line.product, decimal.subtract(left.get(line.product) ?? NONE, of));
    return { ...line, [figure]: less(line[figure], of) };
  };
  return lines
    .map((line) =>
      take(line, decimal.subtract(decimal.parse(line[figure]), decimal.parse(line.quantity))),
    )
    .map((line) => take(line, decimal.parse(line[figure])));
}

const NONE: Money = decimal.zero();

function less(from: string, off: Money): string {
  return decimal.format(decimal.subtract(decimal.parse<"money">(from), off));
}

function sumOf(lines: readonly PaperLine[], what: "net" | "vat"): Money {
  return decimal.sum(lines.map((line) => decimal.parse<"money">(line[what])));
}
