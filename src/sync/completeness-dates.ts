/** Documents by their dates: what those of late ones and of ones dated ahead share. */
import { dayOf } from "./completeness-numbers.ts";
import type { At } from "./journal.ts";

/** A record of documents with a date and money, by its columns. */
export interface DatedRecord {
  readonly record: string;
  readonly table: string;
  readonly number: string;
  /** The column that tells kinds of documents apart; the money of credits is taken off. */
  readonly kind: { readonly column: string } | null;
  readonly on: string;
  readonly money: string;
  /** The ERP states control totals of them by month. */
  readonly totalled: boolean;
}

/** Tomorrow, where the company is: a branch far east may have it already. ISO 8601. */
export function latestDay({ now }: At, timeZone: string): string {
  return now.toZonedDateTimeISO(timeZone).toPlainDate().add({ days: 1 }).toString();
}

/** SQL of a document's money, net of credit notes, which are kept without a sign. */
export function signed({ kind, money }: DatedRecord, alias: string): string {
  return kind === null
    ? `${alias}.${money}`
    : `(case when ${alias}.${kind.column} = 'credit' then -1 else 1 end * ${alias}.${money})`;
}

interface Dated {
  readonly document: string;
  /** ISO 8601. */
  readonly on: string;
}

/** By date, then number: INV9 before INV10. */
export function byDay(left: Dated, right: Dated): number {
  return (
    left.on.localeCompare(right.on) ||
    left.document.localeCompare(right.document, "en", { numeric: true })
  );
}

const MOST_SAID = 10;

/** INV1001 of 02/03/2026, …, and how many more. */
export function named(documents: readonly Dated[]): string {
  const said = documents.slice(0, MOST_SAID).map((each) => `${each.document} of ${dayOf(each.on)}`);
  const more = documents.length - said.length;
  return said.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
