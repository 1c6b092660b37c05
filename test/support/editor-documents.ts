/**
 * JSON Schemas that lie beside the files they are about, so that an editor finds them: one a kind
 * of file, and one a connector, so that a new connector adds its own and changes no other.
 */
import { connectorSchema, FILE_SCHEMAS, settingsFileSchema } from "../../src/cli/schema.ts";
import { listConnectors } from "../../src/connector/index.ts";

const connectors = await listConnectors();

export const editorDocuments = [
  { file: "src/config/settings.schema.json", make: settingsFileSchema },
  { file: "mappings/pricing.schema.json", make: () => FILE_SCHEMAS["pricing"]?.() },
  {
    file: "mappings/pricing-examples.schema.json",
    make: () => FILE_SCHEMAS["pricing-examples"]?.(),
  },
  { file: "src/incentives/plan.schema.json", make: () => FILE_SCHEMAS["plan"]?.() },
  ...connectors.map((name) => ({
    file: `connectors/${name}/settings.schema.json`,
    make: () => connectorSchema(name),
  })),
].map(({ file, make }) => ({
  file,
  content: async () => `${JSON.stringify(await make(), null, 2)}\n`,
}));
