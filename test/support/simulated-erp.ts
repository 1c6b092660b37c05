/** Reads what the simulated ERP wrote, and drops orders as the csv connector does. */
import { createHash } from "node:crypto";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Rows = readonly Readonly<Record<string, string>>[];

export function erpFolder(): string {
  return mkdtempSync(join(tmpdir(), "tradepost-erp-"));
}

/** Export files of a stream, or of all, oldest first. */
export function exportsOf(folder: string, stream = "[a-z-]+"): readonly string[] {
  const name = new RegExp(`^${stream}-\\d{8}-\\d{4}\\.csv$`);
  return readdirSync(join(folder, "out"))
    .filter((file) => name.test(file))
    .sort();
}

/** Strict about quotes and columns. */
export function rowsOf(folder: string, file: string): Rows {
  return parse(readFileSync(join(folder, "out", file)), { columns: true });
}

export function streamOf(folder: string, stream: string): Rows {
  return exportsOf(folder, stream).flatMap((file) => rowsOf(folder, file));
}

export function lastOf(folder: string, stream: string): Rows {
  return rowsOf(folder, exportsOf(folder, stream).at(-1) ?? "");
}

export const pence = (text: string | undefined) => Math.round(Number(text) * 100);

export const sumOf = (rows: Rows, field: string) =>
  rows.reduce((all, row) => all + pence(row[field]), 0);

export const documentOf = (row: Rows[number]) => `${row["documentType"]} ${row["document"]}`;

export interface DroppedLine {
  readonly kind?: "product" | "charge";
  readonly code: string;
  readonly quantity?: string;
  readonly unitPrice?: string;
  readonly net?: string;
  readonly vatCode?: string;
}

export interface DroppedOrder {
  readonly webOrder: string;
  readonly account: string;
  readonly orderedOn?: string;
  readonly requestedOn?: string;
  readonly paymentAmount?: string;
  readonly lines: readonly DroppedLine[];
}

/** The three files of an order, by name. */
export function orderFiles(order: DroppedOrder): Readonly<Record<string, string>> {
  const {
    webOrder,
    account,
    orderedOn = "2026-06-30",
    requestedOn = "",
    paymentAmount = "",
  } = order;
  const header = {
    webOrder,
    account,
    orderedOn,
    customerReference: "PO 1",
    site: "",
    branch: "",
    requestedOn,
    currency: "GBP",
    placedBy: "customer",
    net: "0.00",
    vat: "0.00",
    gross: "0.00",
    paymentProvider: "",
    paymentReference: "",
    paymentAmount,
    delivery: "",
    conditions: "",
    deliveryName: "",
    deliveryAddress1: "",
    deliveryAddress2: "",
    deliveryAddress3: "",
    deliveryTown: "",
    deliveryCounty: "",
    deliveryPostcode: "",
    deliveryCountry: "",
    deliveryContact: "",
    deliveryTelephone: "",
    deliveryEmail: "",
    guestName: "",
    guestEmail: "",
    guestTelephone: "",
  };
  const lines = order.lines.map((line, i) => ({
    webOrder,
    line: String(i + 1),
    kind: line.kind ?? "product",
    code: line.code,
    quantity: line.quantity ?? "1",
    unitPrice: line.unitPrice ?? "1.00",
    net: line.net ?? "0.00",
    vatCode: line.vatCode ?? "STANDARD",
    vat: "0.00",
    description: "",
    discount: "",
  }));
  const contents = [
    [`${webOrder}-lines.csv`, stringify(lines, { header: true, record_delimiter: "windows" })],
    [`${webOrder}.csv`, stringify([header], { header: true, record_delimiter: "windows" })],
  ] as const;
  const files = contents.map(([name, content]) => ({
    name,
    rows: name.endsWith("-lines.csv") ? lines.length : 1,
    bytes: Buffer.byteLength(content),
    sha256: createHash("sha256").update(content).digest("hex"),
  }));
  const manifest = JSON.stringify({ key: webOrder, files });
  return { ...Object.fromEntries(contents), [`${webOrder}.manifest.json`]: manifest };
}

export function drop(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, "orders"), { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, "orders", name), content);
}
