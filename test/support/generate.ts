/**
 * `npm run generate` writes every generated file; `npm run generate -- --check` writes nothing and
 * ends with 1 when a committed one is out of date. The database client is generated too; it is not
 * committed.
 */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { openApiDocument } from "../../src/http/index.ts";
import { canonicalSchema } from "./canonical-schema.ts";
import { connectorPage } from "./connector-page.ts";
import { orderChecksPage } from "./order-checks-page.ts";
import { orderStatesPage } from "./order-states-page.ts";
import { editorDocuments } from "./editor-documents.ts";
import { mappingDocuments } from "./mapping-documents.ts";

export interface Generator {
  /** From the repository's root. */
  readonly file: string;
  readonly content: () => Promise<string>;
}

const ROOT = join(import.meta.dirname, "../..");

/** Append yours. Order matters only where one reads what another writes. */
export const generators: readonly Generator[] = [
  {
    file: "src/store/prisma/schema/canonical.prisma",
    content: async () => canonicalSchema(),
  },
  {
    file: "src/http/openapi.json",
    content: async () => `${JSON.stringify(openApiDocument(), null, 1)}\n`,
  },
  ...mappingDocuments,
  ...editorDocuments,
  ...connectorPage,
  ...orderChecksPage,
  ...orderStatesPage,
];

/** The files that differ from what their generator gives. */
export async function outOfDate(list: readonly Generator[] = generators): Promise<string[]> {
  const stale: string[] = [];
  for (const { file, content } of list) {
    const found = await readFile(join(ROOT, file), "utf8").catch(() => undefined);
    if (found !== (await content())) stale.push(file);
  }
  return stale;
}

async function main(check: boolean): Promise<void> {
  const stale = await outOfDate();
  if (check) {
    if (stale.length === 0) return;
    console.error(`Out of date: ${stale.join(", ")}. Run \`npm run generate\`.`);
    process.exitCode = 1;
    return;
  }
  for (const { file, content } of generators.filter((one) => stale.includes(one.file))) {
    await mkdir(dirname(join(ROOT, file)), { recursive: true });
    await writeFile(join(ROOT, file), await content());
    console.log(`wrote ${relative(process.cwd(), join(ROOT, file))}`);
  }
  const client = spawnSync(process.execPath, [join(ROOT, "src/store/generate-client.js")], {
    stdio: "inherit",
  });
  process.exitCode = client.status ?? 1;
}

if (process.argv[1] === import.meta.filename) await main(process.argv.includes("--check"));
