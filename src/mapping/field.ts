/**
 * One field of a record, compiled: a closure that takes its value from a row, another that
 * explains.
 */
import { nearest } from "../definition/index.ts";
import type { Field, RecordValue } from "../model/index.ts";
import type { Column, Scope } from "./columns.ts";
import { converterOf, nearestHint, PLAIN_LOCALE } from "./convert.ts";
import type { Converter, Expectation } from "./convert.ts";
import { dateForm } from "./dates.ts";
import type { DateForm } from "./dates.ts";
import { compileExpression } from "./expression.ts";
import type { FieldRule, Locale } from "./schema.ts";
import { textSource } from "./source.ts";
import type { TextSource } from "./source.ts";
import { quoted } from "./text.ts";
import type { Row } from "./text.ts";

/** One thing that keeps a row from being a record. */
export interface RowProblem {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  readonly instruction: string;
}

export interface FieldStep {
  readonly field: string;
  /** The canonical value; undefined when the row has none that is right. */
  readonly take: (row: Row) => RecordValue | undefined;
  /** Why `take` gave undefined. */
  readonly explain: (row: Row) => RowProblem;
  readonly columns: readonly Column[];
  /** True when its columns may be missing from the source. */
  readonly optional: boolean;
}

/** What is wrong with a rule, at a place inside it. */
export interface RuleProblem {
  readonly at: readonly (string | number)[];
  readonly found: string;
  readonly expected: string;
  readonly nearest?: string | undefined;
}

export interface FieldContext {
  readonly file: string;
  readonly locale: Locale;
  readonly forms: readonly DateForm[];
  readonly report: (problem: RuleProblem) => void;
}

/** A field that the mapping does not name: its default, else null. */
export function unnamedField(name: string, field: Field): FieldStep {
  const value = field.otherwise === undefined ? null : canonicalConstant(field);
  return constantStep(name, value);
}

function constantStep(name: string, value: RecordValue): FieldStep {
  return {
    field: name,
    take: () => value,
    explain: () => ({ field: name, found: quoted(value), expected: "a value", instruction: "" }),
    columns: [],
    optional: false,
  };
}

/** A field by its rule; problems of the rule are reported, and the step is then only a stand-in. */
export function compileField(
  name: string,
  field: Field,
  rule: FieldRule,
  scope: Scope,
  context: FieldContext,
): FieldStep {
  const report = (problem: RuleProblem) => context.report(problem);
  refuseMisfits(field, rule, scope, report);
  const forms = rule.dates === undefined ? context.forms : dateForms(rule.dates, ["dates"], report);
  const converter = converterOf(field, { ...rule, locale: context.locale, forms });
  if (rule.value !== undefined)
    return constantStep(name, constantAt(field, rule.value, ["value"], report));
  const source = textSource(rule, scope);
  if (source === undefined || !("read" in source)) {
    report({ at: ["expression"], ...(source ?? { found: "nothing", expected: "a source" }) });
    return constantStep(name, null);
  }
  return sourceStep(name, field, rule, source, converter, context);
}

function sourceStep(
  name: string,
  field: Field,
  rule: FieldRule,
  source: TextSource,
  converter: Converter,
  context: FieldContext,
): FieldStep {
  const blank = blankValue(field, rule, context.report);
  const table = valueTable(field, rule, blank, context.report);
  const whenBlank = table?.get("") ?? blank;
  const step = { field: name, columns: source.columns, optional: rule.optional === true };
  if (table !== undefined)
    return {
      ...step,
      take: (row) => {
        const text = source.read(row);
        return text === "" ? whenBlank : text === undefined ? undefined : table.get(text);
      },
      explain: explainer(name, source, tableExpectation(table), context.file),
    };
  const { read } = source;
  const { convert } = converter;
  return {
    ...step,
    take: (row) => {
      const text = read(row);
      return text === "" ? whenBlank : text === undefined ? undefined : convert(text);
    },
    explain: explainer(name, source, (text) => converter.expect(text), context.file),
  };
}

/**
 * What a blank means: the rule's default, the record's own, null where that is allowed, else a
 * refusal.
 */
function blankValue(
  field: Field,
  rule: FieldRule,
  report: (problem: RuleProblem) => void,
): RecordValue | undefined {
  if (rule.default !== undefined) return constantAt(field, rule.default, ["default"], report);
  if (field.otherwise !== undefined) return canonicalConstant(field);
  return field.optional === true ? null : undefined;
}

function canonicalConstant(field: Field): RecordValue {
  const value = constantOf(field, field.otherwise ?? "");
  if (typeof value === "object" && value !== null)
    throw new TypeError(
      `a record states the default ${String(field.otherwise)}: ${value.expected}`,
    );
  return value;
}

function valueTable(
  field: Field,
  rule: FieldRule,
  blank: RecordValue | undefined,
  report: (problem: RuleProblem) => void,
): ReadonlyMap<string, RecordValue | undefined> | undefined {
  if (rule.values === undefined) return undefined;
  return new Map(
    Object.entries(rule.values).map(([text, value]) => [
      text.trim(),
      value === null ? blank : constantAt(field, value, ["values", text], report),
    ]),
  );
}

function tableExpectation(table: ReadonlyMap<string, unknown>): (text: string) => Expectation {
  const words = [...table.keys()].map((word) => (word === "" ? "blank" : word));
  return (text) => {
    return {
      expected: `one of the value table: ${words.join(", ")}${nearestHint(text, words)}`,
      remedy: (field) => `add ${quoted(text)} to the value table of ${field}`,
    };
  };
}

function explainer(
  name: string,
  source: TextSource,
  expect: (text: string) => Expectation,
  file: string,
): (row: Row) => RowProblem {
  const problem = (found: string, expected: string, instruction: string): RowProblem => ({
    field: name,
    found,
    expected,
    instruction,
  });
  return (row) => {
    const text = source.read(row);
    if (text === undefined) {
      const { found, expected } = source.failure(row);
      return problem(
        found,
        expected,
        `Correct ${source.label} in the source, or ${name} in ${file}.`,
      );
    }
    if (text === "")
      return problem(
        isMissing(source, row) ? `no column ${source.label}` : `nothing in ${source.label}`,
        `a value (${name} is never blank)`,
        `Fill ${source.label} in the source, or give ${name} a default in ${file}.`,
      );
    const { expected, remedy } = expect(text);
    const other = remedy === undefined ? "" : `, or ${remedy(name)} in ${file}`;
    return problem(
      `${quoted(text)} in ${source.label}`,
      expected,
      `Correct ${source.label} in the source${other}.`,
    );
  };
}

function isMissing({ columns }: TextSource, row: Row): boolean {
  return columns.length > 0 && columns.every(({ get }) => get(row) === undefined);
}

/**
 * A constant of the mapping as the field's canonical value; null (after a report) when it is none.
 */
function constantAt(
  field: Field,
  literal: string | number | boolean,
  at: readonly (string | number)[],
  report: (problem: RuleProblem) => void,
): RecordValue {
  const value = constantOf(field, literal);
  if (typeof value !== "object" || value === null) return value;
  report({ at, ...value });
  return null;
}

function constantOf(
  field: Field,
  literal: string | number | boolean,
): RecordValue | { readonly found: string; readonly expected: string; readonly nearest?: string } {
  const found = typeof literal === "string" ? `the text ${quoted(literal)}` : String(literal);
  const fits = field.kind === "flag" ? "boolean" : field.kind === "integer" ? "number" : undefined;
  if (fits !== undefined)
    return typeof literal === fits && (typeof literal === "boolean" || Number.isInteger(literal))
      ? literal
      : { found, expected: fits === "boolean" ? "true or false" : "a whole number" };
  if (field.kind !== "decimal" && typeof literal !== "string")
    return { found, expected: "text (put it in quotes)" };
  // A number of 15 digits survives being a float on its way through YAML; a longer one may not.
  if (typeof literal === "number" && String(literal).length > 15)
    return { found, expected: "a number this long in quotes" };
  return convertedConstant(field, String(literal).trim(), found);
}

function convertedConstant(
  field: Field,
  text: string,
  found: string,
): RecordValue | { readonly found: string; readonly expected: string; readonly nearest?: string } {
  const forms = dateForms(PLAIN_LOCALE.dates, [], () => undefined);
  const converter = converterOf(field, { locale: PLAIN_LOCALE, forms });
  const value = text === "" ? undefined : converter.convert(text);
  if (value !== undefined) return value;
  if (field.kind !== "choice")
    return { found, expected: text === "" ? "a value" : converter.expect(text).expected };
  const near = nearest(text, field.values);
  return {
    found,
    expected: `one of ${field.values.join(", ")}`,
    ...(near === undefined ? {} : { nearest: near }),
  };
}

export function dateForms(
  forms: readonly string[],
  at: readonly (string | number)[],
  report: (problem: RuleProblem) => void,
): DateForm[] {
  return forms.flatMap((form, index) => {
    const made = dateForm(form);
    if ("read" in made) return [made];
    report({ at: [...at, index], found: quoted(form), expected: made.wrong });
    return [];
  });
}

/** Options that mean nothing for the field's kind are errors: their author meant something. */
function refuseMisfits(
  field: Field,
  rule: FieldRule,
  scope: Scope,
  report: (problem: RuleProblem) => void,
): void {
  const misfit = (option: keyof FieldRule, kinds: readonly Field["kind"][]) => {
    if (rule[option] === undefined || kinds.includes(field.kind)) return;
    report({
      at: [option],
      found: `${option} on a ${field.kind} field`,
      expected: `${option} only on ${kinds.join(" and ")} fields`,
    });
  };
  misfit("negate", ["decimal"]);
  misfit("round", ["decimal"]);
  misfit("dividedBy", ["decimal"]);
  misfit("dates", ["date", "instant"]);
  for (const option of ["negate", "round", "dividedBy", "dates"] as const)
    if (rule[option] !== undefined && (rule.values !== undefined || rule.value !== undefined))
      report({
        at: [option],
        found: `${option} beside a value table or a constant`,
        expected: "values written as they shall be",
      });
  if (
    rule.value !== undefined &&
    (rule.default !== undefined ||
      rule.values !== undefined ||
      rule.blank !== undefined ||
      rule.optional === true)
  )
    report({
      at: ["value"],
      found: "a constant with blank, default, values or optional",
      expected: "value by itself",
    });
  if (field.kind === "decimal" && rule.round !== undefined && rule.round > field.scale)
    report({
      at: ["round"],
      found: String(rule.round),
      expected: `at most the field's ${field.scale} places`,
    });
  if (field.kind !== "decimal" || rule.expression === undefined) return;
  const expression = compileExpression(rule.expression, scope);
  if ("evaluate" in expression && expression.usesFloats)
    report({
      at: ["expression"],
      found: "an expression with floats for an amount",
      expected: "text or whole numbers, which are exact",
    });
}
