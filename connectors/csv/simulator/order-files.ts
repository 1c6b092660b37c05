/**
 * Order files as they lie in the folder: which are
 * whole, what they say, and where they go once taken.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";

export interface OrderFiles {
  /** Name that the three files share. */
  readonly name: string;
  readonly header: Readonly<Record<string, string>>;
  readonly lines: readonly Readonly<Record<string, string>>[];
}

export type Found =
  | { readonly kind: "whole"; readonly files: OrderFiles }
  | { readonly kind: "waiting"; readonly name: string; readonly reason: string };

const MANIFEST = ".manifest.json";
const HEADER_COLUMNS =
  "webOrder,account,orderedOn,customerReference,site,branch,requestedOn,currency,placedBy," +
  "net,vat,gross,paymentProvider,paymentReference,paymentAmount,delivery,conditions," +
  "deliveryName,deliveryAddress1,deliveryAddress2,deliveryAddress3,deliveryTown,deliveryCounty," +
  "deliveryPostcode,deliveryCountry,deliveryContact,deliveryTelephone,deliveryEmail," +
  "guestName,guestEmail,guestTelephone";
const LINE_COLUMNS =
  "webOrder,line,kind,code,quantity,unitPrice,net,vatCode,vat,description,discount";

/**
 * Orders in the folder, by name. A header is written last: without one there is nothing to see yet.
 */
export function findOrders(folder: string): readonly Found[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort();
  const headers = files.filter(
    (file) => file.endsWith(".csv") && !file.endsWith("-lines.csv") && !file.startsWith("."),
  );
  return headers.map((file) => readOrder(folder, file.slice(0, -".csv".length)));
}

function readOrder(folder: string, name: string): Found {
  const waiting = (reason: string): Found => ({ kind: "waiting", name, reason });
  const manifest = join(folder, name + MANIFEST);
  if (!existsSync(manifest)) return waiting(`${name}${MANIFEST} is not there`);
  const promised = readManifest(manifest);
  if (promised === null) return waiting(`${name}${MANIFEST} cannot be read`);
  if (promised.key !== name) return waiting(`the manifest is of ${promised.key}, not of ${name}`);
  const difference =
    compare(folder, promised, { file: `${name}-lines.csv`, columns: LINE_COLUMNS }) ??
    compare(folder, promised, { file: `${name}.csv`, columns: HEADER_COLUMNS });
  if (difference !== null) return waiting(difference);
  const [header] = rowsOf(folder, `${name}.csv`);
  if (header === undefined) return waiting(`${name}.csv has no row`);
  return { kind: "whole", files: { name, header, lines: rowsOf(folder, `${name}-lines.csv`) } };
}

interface Manifest {
  readonly key: string;
  readonly files: readonly {
    readonly name: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

function readManifest(path: string): Manifest | null {
  try {
    const found: Partial<Manifest> = JSON.parse(readFileSync(path, "utf8"));
    const { key, files } = found;
    return typeof key === "string" && Array.isArray(files) ? { key, files } : null;
  } catch {
    return null;
  }
}

/** What of a file differs from its promise; null: nothing. */
function compare(
  folder: string,
  { files }: Manifest,
  { file, columns }: { file: string; columns: string },
): string | null {
  const promised = files.find(({ name }) => name === file);
  if (promised === undefined) return `the manifest does not name ${file}`;
  if (!existsSync(join(folder, file))) return `${file} is not there`;
  const content = readFileSync(join(folder, file));
  const differs = (what: string, found: string | number, expected: string | number) =>
    `${file} has ${what} ${found}, the manifest says ${expected}`;
  if (content.length !== promised.bytes) return differs("bytes", content.length, promised.bytes);
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (sha256 !== promised.sha256) return differs("SHA-256", sha256, promised.sha256);
  const found = content.toString("utf8").split(/\r?\n/, 1)[0];
  if (found !== columns) return `${file} has columns ${found}, expected ${columns}`;
  const rows = rowsOf(folder, file).length;
  return rows === promised.rows ? null : differs("rows", rows, promised.rows);
}

function rowsOf(folder: string, file: string): readonly Readonly<Record<string, string>>[] {
  return parse(readFileSync(join(folder, file)), { columns: true, skip_empty_lines: true });
}

/** Moves the three files away, under a number of their own when the order was taken before. */
export function putAway(folder: string, name: string): void {
  const taken = join(folder, ".taken");
  mkdirSync(taken, { recursive: true });
  const again = readdirSync(taken).filter((file) => file.replace(/~\d+$/, "") === `${name}.csv`);
  const suffix = again.length === 0 ? "" : `~${again.length + 1}`;
  for (const file of [`${name}.csv`, `${name}-lines.csv`, `${name}${MANIFEST}`]) {
    renameSync(join(folder, file), join(taken, file + suffix));
  }
}
