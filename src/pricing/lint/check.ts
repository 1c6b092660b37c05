/** What one check of the lint is: the rows it finds by SQL, and how a finding is worded. */
import type { Policy } from "../engine/index.ts";

export const LINT_KINDS = [
  "orphan",
  "unreachable",
  "conditions",
  "formula",
  "non-monotonic-break",
  "dominated-break",
  "overlap",
  "zero-price",
  "below-cost",
  "promotion",
  "ended",
] as const;
export type LintKind = (typeof LINT_KINDS)[number];

/** error: it is wrong; warning: it is probably not meant; note: it does no harm. */
export type LintSeverity = "error" | "warning" | "note";
export const LINT_SEVERITIES: readonly LintSeverity[] = ["error", "warning", "note"];

export interface LintFinding {
  readonly kind: LintKind;
  readonly severity: LintSeverity;
  /** price-rule, promotion, price-formula */
  readonly record: string;
  /** Its key: "R-17", "R-17 from 100". */
  readonly row: string;
  readonly what: string;
  readonly instruction: string;
  /** Name of the file or page that the row came from; null: not kept. */
  readonly origin: string | null;
  readonly originId: string;
  readonly line: number;
}

/** A row of a check's query: where it stands, and the words that the sentence needs. */
export interface FoundRow {
  readonly row: string;
  readonly severity?: LintSeverity;
  readonly a?: string | null;
  readonly b?: string | null;
  readonly c?: string | null;
  readonly d?: string | null;
  readonly origin_id: string;
  readonly origin_line: number;
}

/** What a check needs to know besides the tables. Texts are SQL literals. */
export interface LintScope {
  readonly company: string;
  readonly currency: string;
  readonly today: string;
  readonly policy: Policy;
}

export interface Check {
  readonly kind: LintKind;
  readonly severity: LintSeverity;
  readonly record: string;
  /** A query whose rows are `FoundRow`s in a lasting order. */
  readonly sql: string;
  readonly say: (row: FoundRow) => { readonly what: string; readonly instruction: string };
}

/** COPY takes no parameters, so values stand in the text as quoted literals. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Key of a price rule as people see it. */
export const RULE_ROW =
  "r.rule || case when r.from_quantity = 0 then '' else ' from ' || trim_scale(r.from_quantity) end";
export const RULE_PLACE =
  "r.customer_scope || coalesce(' ' || r.customer_code, '') || ', ' || r.product_scope || coalesce(' ' || r.product_code, '')";
export const ORIGIN = "r.origin_id, r.origin_line";

/** Still holds on the day or will. */
export function notOver(alias: string, today: string): string {
  return `(${alias}.valid_to is null or ${alias}.valid_to >= ${today}::date)`;
}
