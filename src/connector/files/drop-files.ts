/** The files of one order as they are dropped: the same to the byte for the same order. */
import { createHash } from "node:crypto";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type { RenderedOrder, RenderedTable } from "../contract.ts";
import { fileNameProblem } from "./names.ts";
import type { Delimiter } from "./scan.ts";

export interface DropFile {
  readonly name: string;
  readonly rows: number;
  readonly content: Buffer;
}

export const fileShape = z.object({
  name: z.string(),
  rows: z.number(),
  bytes: z.number(),
  sha256: z.string(),
});
export type DescribedFile = Readonly<z.infer<typeof fileShape>>;

const MANIFEST = ".manifest.json";

/** Details first, then the manifest, the header last. */
export function filesOf(order: RenderedOrder, delimiter: Delimiter): readonly DropFile[] {
  const header = order.tables.at(-1);
  if (header === undefined) {
    throw new ConnectorFault("defect", `Order ${order.key} has no tables.`, NO_TABLES);
  }
  const details = order.tables
    .slice(0, -1)
    .map((table) => fileOf(detailName(order.key, table), table, delimiter));
  const last = fileOf(headerName(order.key), header, delimiter);
  const manifest = { key: order.key, files: [...details, last].map(described) };
  const content = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  return [...details, { name: `${order.key}${MANIFEST}`, rows: 0, content }, last];
}

function fileOf(name: string, table: RenderedTable, delimiter: Delimiter): DropFile {
  const text = stringify(
    [table.columns, ...table.rows].map((row) => [...row]),
    {
      delimiter,
      record_delimiter: "\r\n",
      // A lone line feed is no line end of ours, yet every reader takes it for one.
      quoted_match: /[\r\n]/,
    },
  );
  return { name, rows: table.rows.length, content: Buffer.from(text) };
}

export function described({ name, rows, content }: DropFile): DescribedFile {
  return { name, rows, bytes: content.length, sha256: sha256Of(content) };
}

export function sha256Of(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

export const headerName = (key: string) => `${key}.csv`;

function detailName(key: string, { name }: RenderedTable): string {
  const problem = fileNameProblem(name);
  if (problem === null) return `${key}-${name}.csv`;
  throw new ConnectorFault(
    "config",
    `The table name ${JSON.stringify(name)} cannot be part of a file name: ${problem}.`,
    "Name the table otherwise in the mapping of web orders.",
  );
}

/** For a person: what was to be in the files, without the manifest that repeats it. */
export function told(files: readonly DescribedFile[]): string {
  return files
    .filter(({ name }) => !name.endsWith(MANIFEST))
    .map(({ name, rows, sha256 }) => `${name} (rows: ${rows}, SHA-256 ${sha256})`)
    .join(", ");
}

const NO_TABLES = "Let the mapping of web orders render details and a header.";
