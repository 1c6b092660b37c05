import { z } from "zod";

/**
 * JSON Schema (draft 2020-12) of what a definition file may hold; editors complete and check by it.
 */
export function jsonSchemaOf(schema: z.ZodType): Readonly<Record<string, unknown>> {
  // "input": the schema of the file as it is written, before defaults are filled in.
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}
