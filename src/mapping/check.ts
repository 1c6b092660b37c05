/**
 * Whether a value is a record as its definition says. Slow and plain on purpose: it shares no code
 * with the mapping's converters, so that examples and tests which use it prove something.
 */
import { decimal, senseOf, yearsOf } from "../model/index.ts";
import type { AnyRecord, Field, RecordDefinition } from "../model/index.ts";

export interface RecordProblem {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/** Every way in which `value` is not a record of `definition`; empty when it is one. */
export function checkRecord(definition: RecordDefinition, value: AnyRecord): RecordProblem[] {
  const problems: RecordProblem[] = [];
  const problem = (field: string, expected: string) =>
    problems.push({ field, found: JSON.stringify(value[field]) ?? "nothing", expected });
  for (const field of Object.keys(value))
    if (!Object.hasOwn(definition.fields, field))
      problem(field, `no such field in ${definition.name}`);
  for (const [name, field] of Object.entries(definition.fields)) {
    const found = value[name];
    const mayBeNull = field.optional === true && !definition.key.includes(name);
    if (!Object.hasOwn(value, name)) problem(name, "every field, null when not known");
    else if (found === null) {
      if (!mayBeNull) problem(name, "a value; it is never null");
    } else if (!isOfKind(field, found)) problem(name, `a ${field.kind} as the record states it`);
  }
  if (problems.length > 0) return problems;
  return senseOf(definition)
    .filter(({ holds }) => !holds(value))
    .map(({ field, found, expected }) => ({ field, found: found(value), expected }));
}

function isOfKind(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case "flag":
      return typeof value === "boolean";
    case "integer":
      return (
        typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2_147_483_647
      );
    case "text":
    case "code":
      return isText(value) && value.length <= field.max;
    case "choice":
      return isText(value) && field.values.includes(value);
    case "decimal":
      return isText(value) && isDecimal(value, field.precision, field.scale);
    case "date":
      return (
        isText(value) && isOfYears(field, value) && is(() => Temporal.PlainDate.from(value), value)
      );
    case "instant":
      return (
        isText(value) && isOfYears(field, value) && is(() => Temporal.Instant.from(value), value)
      );
    default:
      return field satisfies never;
  }
}

function isText(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value !== "" &&
    value === value.trim() &&
    value.isWellFormed() &&
    !value.includes("\0")
  );
}

/** Shortest text, and within `numeric(precision, scale)`. */
function isDecimal(text: string, precision: number, scale: number): boolean {
  const value = decimal.tryParse(text);
  if (value === undefined || decimal.canonical(value) !== text || value.scale > scale) return false;
  const digits = decimal.digitsAt(value, scale);
  return (digits < 0n ? -digits : digits) < 10n ** BigInt(precision);
}

function isOfYears(field: Field, text: string): boolean {
  const { first, last } = yearsOf(field);
  const year = /^\d{4}(?=-)/.exec(text)?.[0];
  return year !== undefined && Number(year) >= first && Number(year) <= last;
}

/** True when Temporal reads it and would write it the same way. */
function is(read: () => { toString(): string }, text: string): boolean {
  try {
    return read().toString() === text;
  } catch {
    return false;
  }
}
