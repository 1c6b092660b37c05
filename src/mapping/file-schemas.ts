import { jsonSchemaOf } from "../definition/index.ts";
import { orderExamplesSchema } from "./order-examples.ts";
import { examplesSchema, mappingSchema, outboundSchema } from "./schema.ts";

/** JSON Schemas of the files of a mapping set, by the name under which editors find them. */
export function mappingFileSchemas(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return {
    mapping: jsonSchemaOf(mappingSchema),
    examples: jsonSchemaOf(examplesSchema),
    order: jsonSchemaOf(outboundSchema),
    "order-examples": jsonSchemaOf(orderExamplesSchema),
  };
}
