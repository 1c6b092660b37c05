/**
 * Where a field's text comes from: a column, the first of several, several joined, an expression.
 */
import type { Column, Scope } from "./columns.ts";
import { compileExpression, reasonOf } from "./expression.ts";
import type { Expression } from "./expression.ts";
import type { FieldRule } from "./schema.ts";
import { quoted, sentence, textOf } from "./text.ts";
import type { Row } from "./text.ts";

export interface TextSource {
  /** Trimmed text, "" when blank; undefined when the row cannot give it. */
  readonly read: (row: Row) => string | undefined;
  /** For messages: "PRICE", "A, B". */
  readonly label: string;
  readonly columns: readonly Column[];
  /** Why `read` gave undefined. */
  readonly failure: (row: Row) => { readonly found: string; readonly expected: string };
}

/** Texts that count as blank beside the empty one. */
export type Blanks = ReadonlySet<string> | null;

export function columnSource(column: Column, blanks: Blanks): TextSource {
  return {
    read: columnReader(column, blanks),
    label: column.label,
    columns: [column],
    failure: (row) => notSingle([column], row),
  };
}

function columnReader({ get }: Column, blanks: Blanks): (row: Row) => string | undefined {
  const read = (row: Row) => {
    const value = get(row);
    return typeof value === "string" ? value.trim() : textOf(value);
  };
  if (blanks === null) return read;
  return (row) => {
    const text = read(row);
    return text !== undefined && blanks.has(text) ? "" : text;
  };
}

function notSingle(columns: readonly Column[], row: Row): { found: string; expected: string } {
  const odd = columns.find((column) => textOf(column.get(row)) === undefined) ?? columns[0];
  return {
    found: `${quoted(odd?.get(row))} in ${odd?.label ?? "the row"}`,
    expected: "a single value",
  };
}

export function firstSource(columns: readonly Column[], blanks: Blanks): TextSource {
  const readers = columns.map((column) => columnReader(column, blanks));
  return {
    read: (row) => {
      for (const read of readers) {
        const text = read(row);
        if (text !== "") return text;
      }
      return "";
    },
    label: labelOf(columns, "or"),
    columns,
    failure: (row) => notSingle(columns, row),
  };
}

/**
 * Joins parts; what a blank part means is stated, for "A100/" is no site and "12 , York" no
 * address.
 */
export function joinSource(
  columns: readonly Column[],
  { with: glue = "", blanks: handling }: Pick<FieldRule, "with" | "blanks">,
  blanks: Blanks,
): TextSource {
  const readers = columns.map((column) => columnReader(column, blanks));
  return {
    read: (row) => {
      const parts: string[] = [];
      for (const read of readers) {
        const text = read(row);
        if (text === undefined) return undefined;
        parts.push(text);
      }
      const filled = parts.filter((part) => part !== "");
      if (filled.length === 0) return "";
      if (handling === undefined && filled.length < parts.length) return undefined;
      return (handling === "drop" ? filled : parts).join(glue);
    },
    label: labelOf(columns, "and"),
    columns,
    failure: (row) => {
      const blank = columns.find((_, at) => readers[at]?.(row) === "");
      if (blank === undefined) return notSingle(columns, row);
      return { found: `nothing in ${blank.label}`, expected: "a value in every part of the join" };
    },
  };
}

export function expressionSource(expression: Expression, blanks: Blanks): TextSource {
  const labels = expression.columns.map(({ label }) => label);
  return {
    read: (row) => {
      try {
        const text = String(expression.evaluate(row)).trim();
        return blanks?.has(text) === true ? "" : text;
      } catch {
        return undefined;
      }
    },
    label: labels.length === 0 ? "the expression" : sentence(labels, "and"),
    columns: expression.columns,
    failure: (row) => {
      const given = expression.columns.map(
        (column) => `${column.label} ${quoted(column.get(row))}`,
      );
      return {
        found: given.length === 0 ? "no result" : sentence(given, "and"),
        expected: `values that ${expression.text} can work with (${failureOf(expression, row)})`,
      };
    },
  };
}

function failureOf(expression: Expression, row: Row): string {
  try {
    expression.evaluate(row);
    return "it did";
  } catch (error) {
    return reasonOf(error);
  }
}

function labelOf(columns: readonly Column[], last: "and" | "or"): string {
  return sentence(
    columns.map(({ label }) => label),
    last,
  );
}

/** The source of a rule that has one; undefined for a constant, a problem for a bad expression. */
export function textSource(
  rule: FieldRule,
  scope: Scope,
): TextSource | { readonly found: string; readonly expected: string } | undefined {
  const blanks = rule.blank === undefined ? null : new Set(rule.blank.map(String));
  if (rule.from !== undefined) return columnSource(scope(rule.from), blanks);
  if (rule.first !== undefined) return firstSource(rule.first.map(scope), blanks);
  if (rule.join !== undefined) return joinSource(rule.join.map(scope), rule, blanks);
  if (rule.expression === undefined) return undefined;
  const expression = compileExpression(rule.expression, scope);
  return "evaluate" in expression ? expressionSource(expression, blanks) : expression;
}
