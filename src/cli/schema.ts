/** JSON Schemas of the files that people write, for their editors to complete and check by. */
import type { Command } from "commander";
import { settingsSchema } from "../config.ts";
import { listConnectors, loadConnector } from "../connector/index.ts";
import { jsonSchemaOf } from "../definition/index.ts";
import { planSchema } from "../incentives/index.ts";
import { mappingFileSchemas } from "../mapping/index.ts";
import { policyExamplesSchema, policySchema } from "../pricing/index.ts";
import { chosen, example, type GlobalOptions } from "./command.ts";
import { connectorFolders } from "./connector.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** By the name under which `schema` prints it. */
export const FILE_SCHEMAS: Readonly<
  Record<string, (connectorFolders?: readonly string[]) => JsonSchema | Promise<JsonSchema>>
> = {
  settings: settingsOfAll,
  mapping: () => mappingFile("mapping"),
  examples: () => mappingFile("examples"),
  order: () => mappingFile("order"),
  "order-examples": () => mappingFile("order-examples"),
  pricing: () => jsonSchemaOf(policySchema),
  "pricing-examples": () => jsonSchemaOf(policyExamplesSchema),
  plan: () => jsonSchemaOf(planSchema),
};

export function addSchemaCommand(program: Command): void {
  const names = Object.keys(FILE_SCHEMAS);
  program
    .command("schema <file>")
    .description(`The JSON Schema of a kind of file for editors: ${names.join(", ")}.`)
    .addHelpText(
      "after",
      "\nAn editor with a YAML language server takes it from the file's first line:\n" +
        "  # yaml-language-server: $schema=settings.schema.json\n" +
        example("schema settings > settings.schema.json"),
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      const make = FILE_SCHEMAS[chosen("The kind of file", names)(name)];
      const made = await make?.(connectorFolders(command.optsWithGlobals<GlobalOptions>()));
      process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
    });
}

function mappingFile(name: string): JsonSchema {
  return mappingFileSchemas()[name] ?? {};
}

/** The settings without what each connector says of its own: for a file that names none. */
export function settingsFileSchema(): JsonSchema {
  return jsonSchemaOf(settingsSchema);
}

/** The settings of one connection, as its connector reads them. */
export async function connectorSchema(
  name: string,
  folders: readonly string[] = [],
): Promise<JsonSchema> {
  return jsonSchemaOf((await loadConnector(name, folders)).settings);
}

/** With the settings of every connector that is here: which count is told by `connector`. */
async function settingsOfAll(folders: readonly string[] = []): Promise<JsonSchema> {
  const names = await listConnectors(folders);
  const cases = await Promise.all(
    names.map(async (name) => {
      const { $schema: _, ...settings } = await connectorSchema(name, folders);
      return {
        if: { properties: { connector: { const: name } }, required: ["connector"] },
        // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's own word
        then: { properties: { settings } },
      };
    }),
  );
  return atConnections(settingsFileSchema(), (connection) => ({
    ...connection,
    properties: {
      ...inside(connection["properties"]),
      connector: { ...inside(inside(connection["properties"])["connector"]), enum: names },
    },
    allOf: cases,
  }));
}

/** Where the schema speaks of one connection. */
const CONNECTION = [
  "properties",
  "companies",
  "additionalProperties",
  "properties",
  "connections",
  "additionalProperties",
];

function atConnections(
  schema: JsonSchema,
  change: (connection: JsonSchema) => JsonSchema,
  [step, ...rest]: readonly string[] = CONNECTION,
): JsonSchema {
  if (step === undefined) return change(schema);
  return { ...schema, [step]: atConnections(inside(schema[step]), change, rest) };
}

function inside(value: unknown): JsonSchema {
  if (typeof value === "object" && value !== null) return value as JsonSchema;
  throw new TypeError("the schema of the settings has another shape than known");
}
