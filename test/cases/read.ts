/** A file of cases: read as text, so that every number keeps its digits, then word by word. */
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { caseSchema, fileSchema } from "./format.ts";
import type { CaseFile, PricingCase } from "./format.ts";

/** The file cannot be used; the message says why and what is expected. */
export class BadCaseFile extends Error {
  override readonly name = "BadCaseFile";
}

export function readCases(file: string): CaseFile {
  const value = parsed(file, textOf(file));
  const read = fileSchema.safeParse(value);
  if (read.success) return read.data;
  throw new BadCaseFile(`${file} is no file of pricing cases: ${problemsOf(read.error)}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new BadCaseFile(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text, keepDigits as (name: string, value: unknown) => unknown);
  } catch (error) {
    throw new BadCaseFile(`${file} is not JSON: ${(error as Error).message}`);
  }
}

/** A number as it is written: 94.34 stays "94.34", whatever a float makes of it. */
function keepDigits(name: string, value: unknown, { source }: { readonly source: string }) {
  if (typeof value !== "number") return value;
  if (/[eE]/.test(source))
    throw new SyntaxError(`${name}: ${source} has an exponent; write its digits`);
  return source;
}

/** The case, or a sentence on each thing in it that is not understood. */
export function readCase(given: unknown): PricingCase | string {
  const read = caseSchema.safeParse(given);
  return read.success ? read.data : problemsOf(read.error);
}

function problemsOf({ issues }: z.ZodError): string {
  return issues.map(problemOf).join("; ");
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys
      .map((key) => `field ${[...path, key].join(".")} is not understood`)
      .join("; ");
  return `field ${path.join(".") || "(the whole)"}: ${issue.message}`;
}
