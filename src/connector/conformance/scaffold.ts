/** The beginning of a connector: a folder that is typed, loads, and says what is still to do. */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { ConnectorFault } from "../contract.ts";

const CONNECTORS = fileURLToPath(new URL("../../../connectors/", import.meta.url));
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const LONGEST_NAME = 40;

/** Writes the folder and tells its files. Throws a `config` fault for a bad name or one taken. */
export async function newConnector(
  name: string,
  folder: string = CONNECTORS,
): Promise<readonly string[]> {
  if (!NAME.test(name) || name.length > LONGEST_NAME)
    throw new ConnectorFault(
      "config",
      `"${name}" is no name of a connector.`,
      `Use small letters, digits and dashes, at most ${LONGEST_NAME}, such as your-system.`,
    );
  const own = join(folder, name);
  try {
    // Made here and nowhere else: a folder that is there already is somebody's work.
    await mkdir(own);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new ConnectorFault(
      "config",
      `connectors/${name} is there already, and nothing of it was touched.`,
      `Choose another name, or go on with what is there: \`tradepost connector check ${name}\` tells how far it is.`,
    );
  }
  await mkdir(join(own, "simulator"));
  const files = Object.entries(FILES);
  for (const [path, text] of files)
    await writeFile(join(own, path), text.replaceAll("NAME", name), { flag: "wx" });
  return files.map(([path]) => `connectors/${name}/${path}`);
}

const INDEX = `/**
 * The NAME system.
 * Say here what it is, and how its rows are reached.
 *
 *     erp:
 *       connector: NAME
 *       settings: { baseUrl: https://erp.example.com/api, apiKey: erp_key }
 */
import { z } from "zod";
import { ConnectorFault, defineConnector } from "#connector";
import type { Connector, Json, ReadEvent, StreamDefinition } from "#connector";
import { openHttp, type HttpClient } from "#connector/http";

const settings = z.strictObject({
  baseUrl: z.url().describe("Address of the system's API."),
  apiKey: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .describe("Name of the secret that holds the key of the API."),
});
type Settings = z.infer<typeof settings>;

const CUSTOMERS: StreamDefinition = {
  name: "customers",
  about: "Customer accounts",
  reading: "snapshot",
  key: ["account"],
};

export const connector: Connector<Settings> = defineConnector({
  name: "NAME",
  about: "The NAME system, by its JSON API.",
  settings,
  streams: () => [CUSTOMERS],
  open: async (given, host) => {
    const auth = { kind: "bearer", token: host.secret(given.apiKey) } as const;
    const http = openHttp({ baseUrl: given.baseUrl, auth, perSecond: 4 }, host);
    return {
      read: (stream, cursor) => read(http, stream, cursor),
      async [Symbol.asyncDispose]() {},
    };
  },
});

async function* read(
  http: HttpClient,
  stream: string,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  if (stream !== CUSTOMERS.name)
    throw new ConnectorFault(
      "config",
      \`NAME has no stream "\${stream}".\`,
      \`Its only stream is \${CUSTOMERS.name}.\`,
    );
  if (cursor !== null && JSON.stringify(cursor) !== JSON.stringify({ whole: true }))
    throw new ConnectorFault(
      "config",
      \`Reading customers: the stored cursor is none of NAME's: \${JSON.stringify(cursor)}.\`,
      "The connection was of another kind before. Give it a new name, so that it starts afresh.",
    );
  yield { kind: "origin", origin: { name: "customers" } };
  // One page, in which each row is given as it came. More pages, marks and totals:
  // connectors/README.md.
  const { body } = await http.get("customers", { shape: page });
  const rows = body.rows.map((values, index) => ({
    line: index + 1,
    raw: JSON.stringify(values),
    values,
  }));
  if (rows.length > 0) yield { kind: "rows", rows };
  yield { kind: "checkpoint", cursor: { whole: true }, more: false };
}

const page = z.object({ rows: z.array(z.record(z.string(), z.unknown())) });
`;

/** What `npm run generate` makes of these settings, so that the folder is whole at once. */
const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    baseUrl: { type: "string", format: "uri", description: "Address of the system's API." },
    apiKey: {
      type: "string",
      pattern: "^[a-z][a-z0-9_]*$",
      description: "Name of the secret that holds the key of the API.",
    },
  },
  required: ["baseUrl", "apiKey"],
  additionalProperties: false,
};

const README = `# The NAME connector

Say which system this is, which versions of it are known to work, and what its administrator must do.

    connections:
      erp:
        connector: NAME
        mode: read-only
        mappings: NAME
        settings:
          baseUrl: https://erp.example.com/api
          apiKey: erp_key          # the secret is TRADEPOST_SECRET_ERP_KEY

| stream | reading | what it is |
|---|---|---|
| customers | snapshot | Customer accounts |

How far it is: \`npm run -s tradepost -- connector check NAME\`.
`;

const SIMULATOR = `/**
 * The NAME system itself, for tests.
 * Real HTTP on this machine, with books in memory. Imports nothing of Tradepost's, so that
 * agreement proves something.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Simulator {
  readonly baseUrl: string;
  readonly customers: Record<string, unknown>[];
  close(): Promise<void>;
}

const KEY = "a-key-that-nobody-must-see";

export async function start(): Promise<Simulator> {
  const customers: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    const allowed = request.headers.authorization === \`Bearer \${KEY}\`;
    response.writeHead(allowed ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(allowed ? { rows: customers } : { error: "who are you?" }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: \`http://127.0.0.1:\${port}\`,
    customers,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

export const secrets = { erp_key: KEY };
`;

const RIG = `/**
 * The NAME system as the conformance suite plays it.
 * connectors/README.md lists every part.
 */
import { secrets, start } from "./index.ts";

export const rig = {
  // A check that this system cannot meet, with the reason:
  // waivers: { "page-twice": "it has no pages" },
  waivers: {},
  async start() {
    const far = await start();
    for (let n = 1; n <= 5; n += 1) far.customers.push({ account: \`C\${n}\`, name: \`Customer \${n}\` });
    return {
      settings: { baseUrl: far.baseUrl, apiKey: "erp_key" },
      secrets,
      rows: (_stream: string) => far.customers,
      close: () => far.close(),
    };
  },
};
`;

const FILES: Readonly<Record<string, string>> = {
  "index.ts": INDEX,
  "README.md": README,
  "settings.schema.json": `${JSON.stringify(SCHEMA, null, 2)}\n`,
  "simulator/index.ts": SIMULATOR,
  "simulator/conformance.ts": RIG,
};
