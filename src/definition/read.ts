/** Text → YAML document → checked value, with the line of every part kept at hand. */
import type { z } from "zod";
import { DefinitionError } from "./problem.ts";
import type { DefinitionProblem } from "./problem.ts";
import { expectationOf, explainAll, problemsOf } from "./explain.ts";
import type { ValueProblem } from "./explain.ts";
import { pathText } from "./path.ts";
import { parseYaml } from "./yaml.ts";

export interface DefinitionSource {
  /** Name for messages; nothing is read from it. */
  readonly file: string;
  readonly text: string;
}

/** Keys and list positions from the top: `["fields", "value", "from"]`. */
export type DefinitionPath = readonly (string | number)[];

export interface Definition<Value> {
  readonly file: string;
  readonly value: Value;
  /** Line of the entry at a path; of the closest entry above it when there is none. */
  readonly lineOf: (path: DefinitionPath) => number;
  /** A problem that only the definition's own module can see, in the same words as all others. */
  readonly problem: (
    path: DefinitionPath,
    what: {
      readonly found: string;
      readonly expected: string;
      readonly nearest?: string | undefined;
    },
  ) => DefinitionProblem;
}

export interface ReadOptions {
  /** True: every scalar is text exactly as written (007, 12.50, yes), as in a CSV file. */
  readonly asWritten?: boolean;
}

/** The value that the text states, or a `DefinitionError` with every problem. */
export function readDefinition<Schema extends z.ZodType>(
  source: DefinitionSource,
  schema: Schema,
  options: ReadOptions = {},
): z.output<Schema> {
  return openDefinition(source, schema, options).value;
}

/** Like `readDefinition`, for a module that goes on checking and wants to name lines. */
export function openDefinition<Schema extends z.ZodType>(
  source: DefinitionSource,
  schema: Schema,
  options: ReadOptions = {},
): Definition<z.output<Schema>> {
  const document = parseYaml(source, options.asWritten ?? false);
  const result = schema.safeParse(document.value, { error: expectationOf, reportInput: true });
  if (!result.success)
    throw new DefinitionError(source.file, problemsOf(result.error.issues, document.lineOf));
  return {
    file: source.file,
    value: result.data,
    lineOf: document.lineOf,
    problem: (path, { found, expected, nearest }) => ({
      line: document.lineOf(path),
      path: pathText(path),
      found,
      expected,
      ...(nearest === undefined ? {} : { nearest }),
    }),
  };
}

export type Checked<Value> =
  | { readonly fine: true; readonly value: Value }
  | { readonly fine: false; readonly problems: readonly ValueProblem[] };

/** A value that is in no file (a request's body, say), checked in the same words. */
export function checkValue<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
): Checked<z.output<Schema>> {
  const result = schema.safeParse(value, { error: expectationOf, reportInput: true });
  if (result.success) return { fine: true, value: result.data };
  return { fine: false, problems: explainAll(result.error.issues) };
}
