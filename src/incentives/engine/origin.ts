/** The invoice line that a credit note takes back: class, split and rate come from there. */
import { CREDIT, REVERSAL } from "./ledger.ts";
import type { Columns, Ledger } from "./ledger.ts";

/** How a line came to the line that decides it. */
export type Link =
  /** An invoice line: it stands for itself. */
  | { readonly kind: "own" }
  /** A credit note for this very line. */
  | {
      readonly kind: "line";
      readonly document: string;
      readonly line: number;
      readonly documentOn: string;
    }
  /**
   * The invoice is known and the line is not: the invoice decides, with the credit's product group.
   */
  | { readonly kind: "document"; readonly document: string; readonly documentOn: string }
  /**
   * Names no invoice, or one (`document`) that the ledger does not hold: treated by its own date.
   */
  | { readonly kind: "unlinked"; readonly document: string | null };

export interface Origins {
  /** The line that decides line i: i itself, or the invoice line that it takes back. */
  readonly ratedBy: Int32Array;
  /**
   * The line whose product group counts: that one too, unless a credit note names no line of it.
   */
  readonly groupedBy: Int32Array;
  readonly linkAt: (index: number) => Link;
}

export function compileOrigins(ledger: Ledger): Origins {
  const { columns, count } = ledger;
  const { flags, creditsDocument } = columns;
  const spans = invoiceSpans(ledger);
  const ratedBy = new Int32Array(count);
  const groupedBy = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    ratedBy[i] = groupedBy[i] = i;
    if ((flags[i]! & CREDIT) === 0 || creditsDocument[i]! < 0) continue;
    const { exact, first } = creditedBy(columns, spans, i);
    if (first >= 0) ratedBy[i] = exact < 0 ? first : exact;
    if (exact >= 0) groupedBy[i] = exact;
  }
  return { ratedBy, groupedBy, linkAt: (index) => linkOf(ledger, index, ratedBy[index]!) };
}

/**
 * From the first to the last line of every invoice, by the document's number; -1 when there is
 * none.
 */
interface Spans {
  readonly first: Int32Array;
  readonly last: Int32Array;
}

function invoiceSpans({ columns: { flags, document }, count, pools }: Ledger): Spans {
  const first = new Int32Array(pools.documents.texts.length).fill(-1);
  const last = first.slice();
  for (let i = 0; i < count; i += 1) {
    if ((flags[i]! & CREDIT) !== 0) continue;
    if (first[document[i]!]! < 0) first[document[i]!] = i;
    last[document[i]!] = i;
  }
  return { first, last };
}

/**
 * The credited line and the invoice's first line, -1 where there is none. The newest version of a
 * line counts; a posting that takes one back says nothing new.
 */
function creditedBy(
  { flags, document, line, version, creditsDocument, creditsLine }: Columns,
  spans: Spans,
  credit: number,
): { exact: number; first: number } {
  const wanted = creditsDocument[credit]!;
  let exact = -1;
  let first = -1;
  // A ledger's order keeps a document together, unless it was dated anew: hence the check inside.
  for (let i = spans.first[wanted]!; i >= 0 && i <= spans.last[wanted]!; i += 1) {
    if (document[i] !== wanted || (flags[i]! & (CREDIT | REVERSAL)) !== 0) continue;
    const isNewer = (than: number): boolean =>
      line[i] === line[than] && version[i]! > version[than]!;
    if (first < 0 || line[i]! < line[first]! || isNewer(first)) first = i;
    if (line[i] === creditsLine[credit] && (exact < 0 || isNewer(exact))) exact = i;
  }
  return { exact, first };
}

function linkOf({ columns, lineAt }: Ledger, index: number, rated: number): Link {
  if ((columns.flags[index]! & CREDIT) === 0) return { kind: "own" };
  const credit = lineAt(index);
  if (rated === index) return { kind: "unlinked", document: credit.creditsDocument };
  const { document, line, documentOn } = lineAt(rated);
  return line === credit.creditsLine
    ? { kind: "line", document, line, documentOn }
    : { kind: "document", document, documentOn };
}
