/** Rows that are left out on purpose, each with its reason, so that the run can count them. */
import type { Column, Scope } from "./columns.ts";
import { compileExpression } from "./expression.ts";
import type { RowProblem } from "./field.ts";
import type { IgnoreRule } from "./schema.ts";
import { columnSource, expressionSource } from "./source.ts";
import type { TextSource } from "./source.ts";
import type { Row } from "./text.ts";

export interface IgnoreStep {
  readonly because: string;
  readonly columns: readonly Column[];
  /** Undefined when the row does not say. */
  readonly holds: (row: Row) => boolean | undefined;
  readonly explain: (row: Row) => RowProblem;
}

export function compileIgnore(
  rule: IgnoreRule,
  scope: Scope,
  file: string,
  report: (what: { readonly found: string; readonly expected: string }) => void,
): IgnoreStep {
  if (rule.expression !== undefined)
    return byExpression(rule, rule.expression, scope, file, report);
  const source = columnSource(scope(rule.when ?? ""), null);
  const among = rule.equals === undefined ? new Set([""]) : new Set(rule.equals.map(String));
  return step(rule, source, file, (text) => among.has(text));
}

function byExpression(
  rule: IgnoreRule,
  text: string,
  scope: Scope,
  file: string,
  report: (what: { readonly found: string; readonly expected: string }) => void,
): IgnoreStep {
  const expression = compileExpression(text, scope);
  if (!("evaluate" in expression)) {
    report(expression);
    return step(rule, columnSource(scope("n"), null), file, () => false);
  }
  if (expression.type !== "bool")
    report({
      found: `an expression that gives ${expression.type}`,
      expected: "one that gives true or false",
    });
  return step(rule, expressionSource(expression, null), file, (result) => result === "true");
}

function step(
  rule: IgnoreRule,
  source: TextSource,
  file: string,
  test: (text: string) => boolean,
): IgnoreStep {
  return {
    because: rule.because,
    columns: source.columns,
    holds: (row) => {
      const text = source.read(row);
      return text === undefined ? undefined : test(text);
    },
    explain: (row) => ({
      field: "ignore",
      ...source.failure(row),
      instruction: [
        `Correct ${source.label} in the source,`,
        `or the rule "${rule.because}" in ${file}.`,
      ].join(" "),
    }),
  };
}
