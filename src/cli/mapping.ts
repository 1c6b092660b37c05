/** The command that makes a first mapping from a customer's own file. */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { createSplitter, type Delimiter, type SplitItem } from "#connector/files";
import type { Command } from "commander";
import { standing } from "../config.ts";
import { draftMapping, type Draft } from "../mapping/index.ts";
import { records } from "../model/index.ts";
import { chosen, example, EXIT, print, UsageError, type GlobalOptions } from "./command.ts";
import { unreadable, writeNamed } from "./files.ts";
import { table } from "./print.ts";

interface DraftOptions {
  readonly record?: string;
  readonly reads?: string;
  readonly out?: string;
  readonly force?: true;
}

export function addMappingCommands(program: Command): void {
  const mapping = program.command("mapping").description("Files that turn rows into records.");
  mapping
    .command("draft <file>")
    .description("A first mapping from a CSV file's columns and values, to be looked through.")
    .option("--record <record>", "what a row is; without it the record that fits best")
    .option("--reads <stream>", "the stream that it reads; without it the record's own")
    .option("--out <folder>", "where the mapping and its examples are written")
    .option("--force", "write over files that are there")
    .addHelpText("after", example("mapping draft SALES_LEDGER.csv --out mappings/harrow"))
    .action(async (file: string, options: DraftOptions, command: Command) => {
      await draft(file, options, command.optsWithGlobals<GlobalOptions>());
    });
}

async function draft(file: string, options: DraftOptions, global: GlobalOptions): Promise<void> {
  const record =
    options.record === undefined
      ? undefined
      : chosen("--record", Object.keys(records))(options.record);
  const folder = options.out ?? ".";
  const shipped = resolve(import.meta.dirname, "..", "..", "mappings");
  const given = draftMapping({
    file: basename(file).replace(GZIP, ""),
    ...(await firstRows(file)),
    ...(record === undefined ? {} : { record }),
    ...(options.reads === undefined ? {} : { reads: options.reads }),
    schemas: relative(standing(folder), shipped).replaceAll("\\", "/") || ".",
  });
  if (given === null)
    throw new UsageError(
      `The columns of ${file} fit no record: at least two must be called or look like its fields. ` +
        `Give --record with what a row is, one of ${Object.keys(records).join(", ")}; ` +
        "or see mappings/tradepost-csv/README.md for the fields of each.",
    );
  const files = options.out === undefined ? [] : await write(given, options.out, options.force);
  print({ text: textOf(given, files), data: { ...given, files }, exit: EXIT.fine }, global);
}

/** So much of a file tells what its columns hold. */
const MOST_BYTES = 2_097_152;
const MOST_ROWS = 1_000;

async function firstRows(
  file: string,
): Promise<{ columns: string[]; rows: Record<string, string>[] }> {
  const bytes = utf8Of(await beginning(file));
  const encoding = isUtf8(bytes) ? "utf-8" : "windows-1252";
  const splitter = createSplitter({
    delimiter: delimiterOf(bytes),
    encoding,
    keep: true,
    maxFieldBytes: 65_536,
    maxRowBytes: 1_048_576,
  });
  const items = [...splitter.push(bytes), ...splitter.end()];
  const [header, ...data] = items.filter(isRecord);
  if (header === undefined)
    throw new UsageError(
      `${file} has no header row. Give a CSV file whose first line names its columns.`,
    );
  const columns = header.fields.map((name) => name.trim());
  const twice = columns.find((name, index) => name !== "" && columns.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UsageError(
      `${file} names the column "${twice}" twice. Rename one of them in the export.`,
    );
  const rows = data
    .slice(0, MOST_ROWS)
    .map(({ fields }) => Object.fromEntries(columns.map((name, at) => [name, fields[at] ?? ""])));
  return { columns: columns.filter((name) => name !== ""), rows };
}

function isRecord(item: SplitItem): item is SplitItem & { readonly kind: "record" } {
  return item.kind === "record";
}

const GZIP = /\.gz$/i;

/** Up to the last whole line of the first part; of what a .gz holds. */
async function beginning(file: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const take = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of source) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= MOST_BYTES) return;
    }
  };
  try {
    const source = createReadStream(standing(file));
    await (GZIP.test(file) ? pipeline(source, createGunzip(), take) : take(source));
  } catch (error) {
    throw unreadable(file, error, { what: "The file", advice: "Give a CSV file, or a .csv.gz." });
  }
  const read = Buffer.concat(pieces);
  return bytes < MOST_BYTES ? read : read.subarray(0, read.lastIndexOf(0x0a) + 1);
}

function utf8Of(bytes: Buffer): Buffer {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (wide) return Buffer.from(new TextDecoder("utf-16le").decode(bytes));
  if (bytes.subarray(0, 64).includes(0))
    throw new UsageError("The file is no text. Save it as CSV, and give that.");
  return bytes;
}

const DELIMITERS: readonly Delimiter[] = [",", ";", "\t", "|"];

/** The one that stands most often in the first line. */
function delimiterOf(bytes: Buffer): Delimiter {
  const end = bytes.indexOf(0x0a);
  const line = bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
  const count = (delimiter: Delimiter) => line.split(delimiter).length;
  return [...DELIMITERS].sort((a, b) => count(b) - count(a))[0] ?? ",";
}

async function write(given: Draft, folder: string, force?: true): Promise<string[]> {
  const files: [string, string | null][] = [
    [join(folder, `${given.record}.yaml`), given.mapping],
    [join(folder, `${given.record}.examples.yaml`), given.examples],
  ];
  const written: string[] = [];
  for (const [file, text] of files) {
    if (text === null) continue;
    await writeNamed(file, text, { keep: force !== true });
    written.push(file);
  }
  return written;
}

function textOf(given: Draft, files: readonly string[]): string {
  const others = given.others.length === 0 ? "" : ` (or ${given.others.join(", or ")}: --record)`;
  return [
    `A row is taken for ${article(given.record)}${others}.`,
    "",
    table(given.columns, [
      { head: "column", of: ({ column }) => column },
      { head: "field", of: ({ field }) => field ?? "–" },
      { head: "confidence", of: ({ confidence }) => confidence ?? "" },
      { head: "why", of: ({ why }) => why },
      { head: "sample", of: ({ sample }) => short(sample) },
    ]),
    "",
    ...decisions(given),
    ...triedText(given),
    ...(files.length === 0 ? ["", given.mapping.trimEnd()] : files.map((file) => `wrote ${file}`)),
  ].join("\n");
}

function decisions({ missing, notes }: Draft): string[] {
  const lines = [
    ...missing.map(({ field, about }) => `DECIDE ${field}: no column was found. ${about}`),
    ...notes.map(({ field, note }) => note.replace(":", ` ${field}:`)),
  ];
  return lines.length === 0 ? [] : [...lines, ""];
}

function triedText({ tried, record }: Draft): string[] {
  if (tried === null)
    return [
      "It cannot be tried before what is marked DECIDE is filled in; then run tradepost check.",
    ];
  const rows = (count: number) => (count === 1 ? "1 row" : `${count} rows`);
  const refused =
    tried.refused === 0 ? "none is refused" : `${rows(tried.refused)} refused (${tried.why ?? ""})`;
  const good = tried.good === 1 ? `becomes ${article(record)}` : `become ${article(record)} each`;
  return [`Tried on the file: ${rows(tried.good)} ${good}, ${refused}.`];
}

function article(record: string): string {
  return `${/^[aeiou]/.test(record) ? "an" : "a"} ${record}`;
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
