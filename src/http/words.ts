/** The small vocabulary that answers are described in. */
import { z } from "./endpoint.ts";

export function text(about: string): z.ZodString {
  return z.string().describe(about);
}

/** Exact: "12.50". */
export function amount(about: string): z.ZodString {
  return z.string().describe(`${about} Decimal text.`);
}

export function instant(about: string): z.ZodISODateTime {
  return z.iso.datetime().describe(about);
}

export function orNull<Schema extends z.ZodType>(
  schema: Schema,
  about: string,
): z.ZodNullable<Schema> {
  return schema.nullable().describe(`${about} Null: none, or not known.`);
}

/** How many entries of a list, as a query gives it: text of digits. */
export function limited(
  standard: number,
  most: number,
): z.ZodDefault<z.ZodCoercedNumber<string | undefined>> {
  return z.coerce
    .number<string | undefined>({ error: `a whole number from 1 to ${most}` })
    .int(`a whole number from 1 to ${most}`)
    .min(1, `a whole number from 1 to ${most}`)
    .max(most, `a whole number from 1 to ${most}`)
    .default(standard)
    .describe(`At most so many, 1 to ${most}; ${standard} when not given.`);
}

/** Of a list that people read: live ones, unless those of test keys are asked for. */
export const tests = z
  .enum(["true", "false"])
  .default("false")
  .transform((asked) => asked === "true")
  .describe("true: those of test keys instead of live ones.");

/** Accounting period, YYYY-MM. */
export function period(about: string): z.ZodString {
  return z
    .string()
    .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, "a period such as 2026-03")
    .describe(about);
}

/** For `superRefine`: ISO dates and periods compare as text. */
export function inOrder(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (from === undefined || to === undefined || from <= to) return;
  const message = `a period not before "from", ${from}`;
  context.addIssue({ code: "custom", path: ["to"], input: to, message });
}

type Given<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without what was not asked. */
export function given<Query extends object>(query: Query): Given<Query> {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as Given<Query>;
}
