/** How values travel between PostgreSQL and us, the same on every connection. */
import { types } from "pg";
import type { CustomTypesConfig } from "pg";
import { StoreError } from "./error.ts";

type Parse = (text: string) => unknown;

const instant: Parse = (text) => Temporal.Instant.from(text);
const same: Parse = (text) => text;

/** int8 is a count or a sum of counts; past 2^53 a number would lie. */
const safeInteger: Parse = (text) => {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new StoreError(
    "value-unsafe",
    `Reading a bigint from the database: ${text} is outside the whole numbers that are exact here ` +
      "(±9,007,199,254,740,991). Select it as text.",
  );
};

/**
 * numeric and date stay text: a float would lose pennies, a Date would have a time zone. By the
 * type's id, with that of its array.
 */
const PARSERS: readonly (readonly [type: number, array: number, parse: Parse])[] = [
  [20, 1016, safeInteger],
  [1700, 1231, same],
  [1082, 1182, same],
  [1114, 1115, same],
  [1184, 1185, instant],
];

// @types/pg says that this is a function; it is an object with one.
const arrays = types.arrayParser as unknown as {
  create(text: string, parse: Parse): { parse(): unknown };
};

const parsers = new Map<number, Parse>(
  PARSERS.flatMap(([type, array, parse]) => [
    [type, parse] as const,
    [array, (text: string) => arrays.create(text, parse).parse()] as const,
  ]),
);

export const typeParsers: CustomTypesConfig = {
  // The signature of pg-types is a set of overloads by type id, which a table of ours cannot
  // repeat.
  getTypeParser: ((type: number, format: "text" | "binary"): unknown =>
    (format === "binary" ? undefined : parsers.get(type)) ??
    types.getTypeParser(type, format)) as CustomTypesConfig["getTypeParser"],
};

/** Temporal values travel as their ISO text; everything else as `pg` sends it. */
export function parameters(values: readonly unknown[]): unknown[] {
  return values.map(parameter);
}

function parameter(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(parameter);
  if (
    value instanceof Temporal.Instant ||
    value instanceof Temporal.PlainDate ||
    value instanceof Temporal.PlainYearMonth
  )
    return value.toString();
  return value;
}
