/** zod's issues in the words of a definition's author. */
import { z } from "zod";
import { nearest } from "./nearest.ts";
import { pathText } from "./path.ts";
import type { DefinitionProblem } from "./problem.ts";
import type { DefinitionPath } from "./read.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/**
 * The message of an issue is always what was expected. A schema's own message outranks this one, so
 * a refinement in a schema must say what it expects: `.refine(isWeekday, "a weekday")`.
 */
export function expectationOf(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeWords(String(issue.expected), issue.input);
    case "invalid_value":
      return listed(issue.values.map(plain));
    case "unrecognized_keys":
      return keysListed(allowedKeys(issue.inst));
    case "too_small":
      return amount(
        issue.inclusive === false ? "more than" : "at least",
        issue.minimum,
        issue.origin,
      );
    case "too_big":
      return amount(
        issue.inclusive === false ? "less than" : "at most",
        issue.maximum,
        issue.origin,
      );
    case "invalid_format":
      return FORMAT_WORDS[issue.format] ?? `text such as ${issue.pattern ?? issue.format}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_union":
      return listed(discriminatorWords(issue)) || "one of several forms";
    case "custom":
    case "invalid_key":
    case "invalid_element":
      return "an allowed value";
    default:
      return issue satisfies never;
  }
}

/** Every issue with its line; unions are narrowed to the form that was meant. */
export function problemsOf(
  issues: readonly Issue[],
  lineOf: (path: DefinitionPath) => number,
): DefinitionProblem[] {
  return explainAll(issues)
    .map(({ path, ...rest }) => ({ line: lineOf(path), path: pathText(path), ...rest }))
    .sort((left, right) => left.line - right.line);
}

/** Every issue, for a value that has no lines. */
export function explainAll(issues: readonly Issue[]): ValueProblem[] {
  return issues.flatMap((issue) => explain(issue, []));
}

/** What is wrong at a path of a value. */
export type ValueProblem = Omit<DefinitionProblem, "line" | "path"> & {
  readonly path: DefinitionPath;
};

function explain(issue: Issue, above: DefinitionPath): ValueProblem[] {
  const path = [
    ...above,
    ...issue.path.map((step) => (typeof step === "number" ? step : String(step))),
  ];
  const expected = issue.message;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        found: `the key "${key}"`,
        expected,
        // The schema that knows its keys is gone by now; they stand in the message that it left.
        ...hint(key, expected.replace(/^(?:one of|only) /, "").split(", ")),
      }));
    case "invalid_value":
      return [
        {
          path,
          found: describe(issue.input),
          expected,
          ...hint(issue.input, issue.values.map(plain)),
        },
      ];
    case "invalid_key":
      return issue.issues.flatMap((inner) =>
        explain({ ...inner, path: [] }, path).map((problem) => ({
          ...problem,
          found: `the key ${problem.found.replace(/^the text /, "")}`,
        })),
      );
    case "invalid_union":
      return explainUnion(issue, path);
    case "invalid_type":
    case "too_small":
    case "too_big":
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      return [{ path, found: describe(issue.input), expected }];
    default:
      return issue satisfies never;
  }
}

/**
 * Of a union's forms, the one whose outermost type fits what was written; its issues are the news.
 */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: DefinitionPath): ValueProblem[] {
  if (issue.discriminator !== undefined) {
    const word = isMapping(issue.input) ? issue.input[issue.discriminator] : undefined;
    return [
      {
        path,
        found: describe(word),
        expected: issue.message,
        ...hint(word, discriminatorWords(issue)),
      },
    ];
  }
  const forms = issue.errors.filter((form) => !form.some(isWrongAtRoot));
  const meant = forms.toSorted((left, right) => left.length - right.length)[0];
  if (meant !== undefined) return meant.flatMap((inner) => explain(inner, path));
  const expected = [...new Set(issue.errors.flat().map(({ message }) => message))].join(" or ");
  return [{ path, found: describe(issue.input), expected: expected || issue.message }];
}

function discriminatorWords(issue: object): string[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(plain) : [];
}

function isWrongAtRoot(issue: Issue): boolean {
  return (
    issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value")
  );
}

function typeWords(expected: string, input: unknown): string {
  const words = TYPE_WORDS[expected] ?? expected;
  const unquoted = typeof input === "number" || typeof input === "boolean";
  return expected === "string" && unquoted ? `${words} (put it in quotes)` : words;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  null: "nothing",
  never: "nothing",
};

const FORMAT_WORDS: Readonly<Record<string, string>> = {
  date: "a date such as 2026-03-31",
  datetime: "a moment such as 2026-03-31T08:15:00Z",
  time: "a time such as 08:15:00",
  email: "an e-mail address",
  url: "a URL",
  uuid: "a UUID",
};

function allowedKeys(schema: RawIssue["inst"]): string[] {
  return schema instanceof z.core.$ZodObject ? Object.keys(schema._zod.def.shape) : [];
}

function keysListed(keys: readonly string[]): string {
  return keys.length === 1 ? `only ${keys[0]}` : listed(keys);
}

function listed(words: readonly string[]): string {
  return words.length > 1 ? `one of ${words.join(", ")}` : (words[0] ?? "");
}

function amount(limit: string, value: number | bigint, origin: string): string {
  const unit = UNIT_WORDS[origin];
  return unit === undefined
    ? `${limit} ${value}`
    : `${limit} ${value} ${unit}${value === 1 ? "" : "s"}`;
}

const UNIT_WORDS: Readonly<Record<string, string>> = {
  string: "character",
  array: "list item",
  object: "key",
  record: "key",
};

function hint(word: unknown, allowed: readonly string[]): { nearest?: string } {
  const found = typeof word === "string" ? nearest(word, allowed) : undefined;
  return found === undefined ? {} : { nearest: found };
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : String(value);
}

/** What stands in the file, short enough for one line. */
function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (typeof value === "string") return `the text ${JSON.stringify(clip(value))}`;
  if (Array.isArray(value)) return value.length === 1 ? "a list of 1" : `a list of ${value.length}`;
  if (isMapping(value)) return clip(`a mapping with ${Object.keys(value).join(", ") || "no keys"}`);
  return typeof value === "number" ? `the number ${value}` : JSON.stringify(value);
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
