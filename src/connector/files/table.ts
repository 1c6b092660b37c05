/**
 * One CSV file from its bytes to rows. It is looked at twice before a row of it is given: once for
 * its digest and encoding, once for its structure, so that a file which must not be applied is
 * known before anything of it is. Both looks together cost a few hundredths of what storing the
 * rows costs.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { ConnectorFault } from "../contract.ts";
import type { ReadEvent, SourceRow } from "../contract.ts";
import { codeOf, diskFault } from "./disk.ts";
import type { ChangeFinder, Changes } from "./changes.ts";
import type { Complaint } from "./faults.ts";
import { detectDelimiter, headerProblem } from "./header.ts";
import { CR, LF } from "./scan.ts";
import type { Delimiter, Limits } from "./scan.ts";
import { createSplitter } from "./split.ts";
import type { SplitAccount, SplitItem } from "./split.ts";
import { bomBytes, notText, utf8Check } from "./text.ts";
import type { Encoding } from "./text.ts";
import type { ArchiveLimits } from "./unpack.ts";
import type { Utf16 } from "./utf16.ts";

/** A file as it was when it was found; reading it as anything else is refused. */
export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** What the settings say of a file's text; `auto` looks at the file. */
export interface TableFormat extends Limits {
  readonly delimiter: Delimiter | "auto";
  /** UTF-16 is turned into UTF-8 before it is read here. */
  readonly encoding: Encoding | Utf16 | "auto";
  /** How far archives may expand. */
  readonly archives?: ArchiveLimits;
}

export interface Digest {
  readonly sha256: string;
  readonly head: Buffer;
  readonly utf8: boolean;
  /** The last byte is a line end. */
  readonly endsLine: boolean;
}

export interface Survey {
  readonly columns: readonly string[];
  readonly delimiter: Delimiter;
  readonly encoding: Encoding;
  /** Rows and rejects below the header. */
  readonly rows: number;
  readonly rejects: number;
  /** Against the content before it; null: it was not compared, or is too unlike. */
  readonly changed: Changed | null;
}

export interface Changed extends Changes {
  readonly rejects: readonly Reject[];
}

type Reject = SplitItem & { readonly kind: "reject" };

/** How the bytes of a text are read as rows. */
export interface Splitting {
  readonly delimiter: Delimiter;
  readonly encoding: Encoding;
}

/** The walk beside the content applied last; null when that cannot be, or is read otherwise. */
export type Beside = (splitting: Splitting) => Promise<ChangeFinder | null>;

/** The file is not what it was when it was found: it is still being written, or was taken away. */
export class FileChanged extends Error {
  override readonly name = "FileChanged";
}

const CHUNK_BYTES = 262_144;
const HEAD_BYTES = 65_536;
const BATCH_ROWS = 1_000;
/** With more bad rows than this a file is not worth comparing. */
const MOST_REJECTS = 1_000;

export async function digestOf(file: FoundFile, signal: AbortSignal): Promise<Digest> {
  const hash = createHash("sha256");
  const check = utf8Check();
  let head: Buffer | null = null;
  let last = 0;
  for await (const chunk of chunksOf(file, signal)) {
    head ??= Buffer.from(chunk.subarray(0, HEAD_BYTES));
    hash.update(chunk);
    check.push(chunk);
    last = chunk.at(-1) ?? last;
  }
  return {
    sha256: hash.digest("hex"),
    head: head ?? Buffer.alloc(0),
    utf8: check.valid(),
    endsLine: last === LF || last === CR,
  };
}

/** Reads the whole structure; a `Complaint` says why the file must not be applied. */
export async function surveyOf(
  file: FoundFile,
  digest: Digest,
  format: TableFormat,
  signal: AbortSignal,
  beside?: Beside,
): Promise<Survey | Complaint> {
  const foreign = foreignText(file, digest);
  if (foreign !== null) return foreign;
  const splitting = splittingOf(digest, format);
  const finder = (await beside?.(splitting)) ?? null;
  const watch = finder === null ? {} : { watch: finder.record };
  const splitter = createSplitter({ ...format, ...splitting, keep: false, ...watch });
  let header: SplitItem | undefined;
  const found: Reject[] = [];
  for await (const items of splitOf(file, splitter, signal, finder)) {
    header ??= items[0];
    if (finder === null || found.length > MOST_REJECTS) continue;
    for (const item of items) if (item.kind === "reject") found.push(item);
  }
  if (header === undefined) return EMPTY;
  if (header.kind === "reject") {
    const { reason, instruction } = header;
    return { reason: `Its header cannot be read. ${reason}`, instruction };
  }
  const columns = header.fields.map((name) => name.trim());
  const { records, rejects } = splitter.account;
  return (
    headerProblem(columns, splitting.delimiter) ??
    brokenAccount(splitter.account, file) ?? {
      columns,
      ...splitting,
      rows: records - 1 + rejects,
      rejects,
      changed: await changedOf(finder, splitter.account, found),
    }
  );
}

/** Both counts of the rows must agree, or the file is read whole. */
async function changedOf(
  finder: ChangeFinder | null,
  { records, rejects }: Readonly<SplitAccount>,
  found: readonly Reject[],
): Promise<Changed | null> {
  const changes = (await finder?.end()) ?? null;
  if (changes === null || found.length !== rejects) return null;
  return changes.same + changes.fresh.length === records - 1
    ? { ...changes, rejects: found }
    : null;
}

/**
 * The rows below the header, in batches, and the rejects; at the end everything read must agree
 * with the survey.
 */
export async function* readRows(
  file: FoundFile,
  survey: Survey,
  limits: Limits,
  signal: AbortSignal,
): AsyncGenerator<ReadEvent> {
  const { delimiter, encoding, columns } = survey;
  const splitter = createSplitter({ ...limits, delimiter, encoding, keep: true });
  let rows: SourceRow[] = [];
  let header = true;
  for await (const items of splitOf(file, splitter, signal)) {
    for (const item of items) {
      if (item.kind === "reject") {
        const { line, raw, reason, instruction } = item;
        yield { kind: "reject", line, raw, reason, instruction };
      } else if (header) {
        header = false;
      } else if (rows.push(sourceRow(columns, item)) === BATCH_ROWS) {
        yield { kind: "rows", rows };
        rows = [];
      }
    }
  }
  if (rows.length > 0) yield { kind: "rows", rows };
  assertAgreement(file, survey, splitter.account);
}

/** The text of the row that covers the physical line; null when the file has no such row. */
export async function rowAt(
  file: FoundFile,
  line: number,
  format: TableFormat,
  signal: AbortSignal,
): Promise<string | null> {
  const splitting = splittingOf(await digestOf(file, signal), format);
  const splitter = createSplitter({ ...format, ...splitting, keep: true });
  for await (const items of splitOf(file, splitter, signal)) {
    const found = items.find((item) => item.line <= line && line < item.line + item.lines);
    if (found !== undefined) return found.raw;
  }
  return null;
}

async function* splitOf(
  file: FoundFile,
  splitter: ReturnType<typeof createSplitter>,
  signal: AbortSignal,
  finder: ChangeFinder | null = null,
): AsyncGenerator<readonly SplitItem[]> {
  for await (const chunk of chunksOf(file, signal)) {
    await finder?.ready(chunk.length);
    yield splitter.push(chunk);
  }
  await finder?.ready(0);
  yield splitter.end();
}

/** One buffer is filled again and again: a chunk is good until the next one is asked for. */
export async function* chunksOf(file: FoundFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  // A symbolic link put in the file's place after it was found is not followed.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);
  await using handle = await open(file.path, flags).catch((error: unknown) => {
    const gone = ["ENOENT", "ELOOP"].includes(codeOf(error));
    throw gone
      ? new FileChanged(`${file.name} is gone.`)
      : diskFault(`Reading ${file.path}`, error);
  });
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null);
    if (bytesRead === 0) break;
    total += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  const now = await handle.stat();
  if (total !== file.bytes || now.size !== file.bytes || now.mtimeMs !== file.mtimeMs) {
    throw new FileChanged(
      `${file.name} had ${file.bytes} bytes when it was found and has ${now.size} now.`,
    );
  }
}

function splittingOf(digest: Digest, format: TableFormat): Splitting {
  const delimiter = format.delimiter === "auto" ? detectDelimiter(digest.head) : format.delimiter;
  if (format.encoding === "utf-8" || format.encoding === "windows-1252")
    return { delimiter, encoding: format.encoding };
  // A byte order mark is a promise of UTF-8: then single rows are rejected, not the encoding.
  const utf8 = digest.utf8 || bomBytes(digest.head) > 0;
  return { delimiter, encoding: utf8 ? "utf-8" : "windows-1252" };
}

function foreignText(file: FoundFile, digest: Digest): Complaint | null {
  if (file.bytes === 0) return EMPTY;
  const kind = notText(digest.head);
  if (kind === null) return null;
  return {
    reason: `It is no CSV text: it is ${kind}.`,
    instruction:
      "Export it as plain CSV. An archive is named .zip or .gz; UTF-16 without a mark needs `encoding` in the connection's settings.",
  };
}

function brokenAccount(account: Readonly<SplitAccount>, file: FoundFile): Complaint | null {
  if (account.bytesAccounted !== file.bytes) {
    return {
      reason: `${account.bytesAccounted} of its ${file.bytes} bytes belong to a row or a rejected span.`,
      instruction: "This is a defect of Tradepost: keep the file and report it.",
    };
  }
  if (account.cutOff === null) return null;
  return {
    reason: `It was cut off: ${account.cutOff}.`,
    instruction:
      "Export it again. Nothing of this file is applied; what was applied before still holds.",
  };
}

function assertAgreement(file: FoundFile, survey: Survey, account: Readonly<SplitAccount>): void {
  const rows = account.records - 1 + account.rejects;
  if (account.bytesAccounted === file.bytes && rows === survey.rows) return;
  throw new ConnectorFault(
    "defect",
    `Reading ${file.name}: ${rows} rows and ${account.bytesAccounted} bytes were accounted for, ` +
      `and it holds ${survey.rows} rows and ${file.bytes} bytes.`,
    "Nothing of it was applied. Keep the file and report it.",
  );
}

export function sourceRow(
  columns: readonly string[],
  item: SplitItem & { kind: "record" },
): SourceRow {
  const values: Record<string, string> = {};
  // The same names in the same order give every row the same shape, which the engine makes fast.
  for (let i = 0; i < columns.length; i++) values[columns[i]!] = item.fields[i]!;
  return { line: item.line, raw: item.raw, values };
}

const EMPTY: Complaint = {
  reason: "It is empty.",
  instruction: "Export it again. What was applied before still holds.",
};
