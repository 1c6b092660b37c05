/**
 * From the file as it was sent to the texts that the splitter reads: a gzip or zip archive is
 * expanded, UTF-16 becomes UTF-8; any other file is its own text and costs nothing. What is wrong
 * with an archive is wrong with the whole file. Limits hold while it is expanded, so that a bomb is
 * stopped before it has gone off.
 */
import { createReadStream, createWriteStream, constants } from "node:fs";
import { lstat, open, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createGunzip } from "node:zlib";
import { ConnectorFault } from "../contract.ts";
import { codeOf, diskFault } from "./disk.ts";
import type { Complaint } from "./faults.ts";
import { fileNameProblem } from "./names.ts";
import type { Spool } from "./spool.ts";
import { FileChanged, digestOf } from "./table.ts";
import type { Digest, FoundFile, TableFormat } from "./table.ts";
import { toUtf8, utf16Mark } from "./utf16.ts";

/** One text of a file. */
export interface Part {
  /** Its name in the archive; null when it is the file itself. */
  readonly name: string | null;
  /** What the splitter reads; its name is the one to show. */
  readonly file: FoundFile;
  readonly digest: Digest;
  readonly format: TableFormat;
}

export interface ArchiveLimits {
  readonly maxExpandedBytes: number;
  /** How many times larger the texts may be than the archive. */
  readonly maxRatio: number;
  readonly maxEntries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  maxExpandedBytes: 4_294_967_296,
  maxRatio: 200,
  maxEntries: 100,
};

/** Below this many bytes any ratio is harmless. */
const HARMLESS_BYTES = 1_048_576;

interface Unpacking {
  readonly file: FoundFile;
  readonly format: TableFormat;
  readonly limits: ArchiveLimits;
  readonly spool: Spool;
  readonly signal: AbortSignal;
  /** What was written to the spool. */
  readonly written: AsyncDisposableStack;
  expanded: number;
}

export interface Source {
  readonly file: FoundFile;
  readonly digest: Digest;
  readonly format: TableFormat;
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

/** The texts in the order of their names. They are gone when `written` is disposed of. */
export async function unpack(
  source: Source,
  written: AsyncDisposableStack,
): Promise<readonly Part[] | Complaint> {
  const { file, digest, format } = source;
  const limits = format.archives ?? ARCHIVE_LIMITS;
  const unpacking: Unpacking = { ...source, limits, written, expanded: 0 };
  const kind = extname(file.name).toLowerCase();
  if (kind === ".gz") return gunzip(unpacking, digest);
  if (kind === ".zip") return unzip(unpacking, digest);
  return all([await asText(unpacking, { name: null, file, digest, format })]);
}

async function gunzip(unpacking: Unpacking, digest: Digest): Promise<readonly Part[] | Complaint> {
  if (digest.head[0] !== 0x1f || digest.head[1] !== 0x8b) return notWhatItSays("gzip");
  const bytes = async () => createReadStream(unpacking.file.path);
  return damage(unpacking, async () => all([await expand(unpacking, { name: null, bytes })]));
}

async function unzip(unpacking: Unpacking, digest: Digest): Promise<readonly Part[] | Complaint> {
  if (digest.head[0] !== 0x50 || digest.head[1] !== 0x4b) return notWhatItSays("zip");
  return damage(unpacking, () => unzipEntries(unpacking));
}

async function unzipEntries(unpacking: Unpacking): Promise<readonly Part[] | Complaint> {
  const { fromFdPromise } = await import("yauzl");
  const { file, limits } = unpacking;
  await using handle = await open(file.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  const zip = await fromFdPromise(handle.fd, { autoClose: false, strictFileNames: true });
  if (zip.entryCount === 0) return { reason: "Its archive is empty.", instruction: RESEND };
  if (zip.entryCount > limits.maxEntries)
    return bomb(`it has ${zip.entryCount} entries; at most ${limits.maxEntries} are read`);
  const parts = new Map<string, Part>();
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    const problem = entryProblem(name, entry.isEncrypted(), parts);
    if (problem !== null) return problem;
    const bytes = () => zip.openReadStreamPromise(entry);
    const part = await expand(unpacking, { name, bytes, crc: entry.crc32 });
    if ("reason" in part) return { ...part, reason: `In ${name}: ${part.reason}` };
    parts.set(name, part);
  }
  return [...parts.values()].sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
}

function entryProblem(
  name: string,
  encrypted: boolean,
  before: ReadonlyMap<string, Part>,
): Complaint | null {
  const refuse = (what: string, instruction: string): Complaint => ({
    reason: `Its archive ${what}.`,
    instruction,
  });
  const shown = JSON.stringify(name);
  const problem = fileNameProblem(name);
  if (problem !== null)
    return refuse(`has the entry ${shown}, whose name cannot be used: ${problem}`, FLAT);
  if (encrypted)
    return refuse(`has the encrypted entry ${shown}`, "Send it without a password, over SFTP.");
  if (/\.(?:zip|gz|7z|rar|tar|tgz|bz2|xz)$/i.test(name))
    return refuse(`has another archive in it: ${shown}`, FLAT);
  return before.has(name) ? refuse(`has two entries of the name ${shown}`, FLAT) : null;
}

interface Packed {
  /** Null: the one text of a gzip archive. */
  readonly name: string | null;
  /** Opened last of all: a stream that fails before anyone listens ends the process. */
  readonly bytes: () => Promise<Readable>;
  /** What a zip archive says of the text; gzip checks its own. */
  readonly crc?: number;
}

/** Writes one text to the spool. */
async function expand(unpacking: Unpacking, { name, bytes, crc }: Packed) {
  const { file, format, limits, spool, signal } = unpacking;
  const path = await spool.place();
  unpacking.written.defer(() => spool.drop(path));
  let found = 0;
  const counted = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      unpacking.expanded += chunk.length;
      assertWithin(unpacking.expanded, file.bytes, limits);
      found = crc32(chunk, found);
      yield chunk;
    }
  };
  const start = await bytes();
  const end = createWriteStream(path, { mode: 0o600 });
  if (crc === undefined) await pipeline(start, createGunzip(), counted, end, { signal });
  else await pipeline(start, counted, end, { signal });
  if (crc !== undefined && found !== crc)
    throw new Error(`${name} does not agree with its checksum`);
  const text = await spooled(path, name === null ? file.name : `${file.name}/${name}`);
  const digest = await digestOf(text, signal);
  return asText(unpacking, { name, file: text, digest, format });
}

class Bomb extends Error {}

function assertWithin(expanded: number, packed: number, limits: ArchiveLimits): void {
  const { maxExpandedBytes, maxRatio } = limits;
  if (expanded > maxExpandedBytes)
    throw new Bomb(`it expands to more than ${count(maxExpandedBytes)} bytes`);
  if (expanded > HARMLESS_BYTES && expanded > packed * maxRatio)
    throw new Bomb(`it expands to more than ${count(maxRatio)} times its size`);
}

/** The part as UTF-8 when its mark or the settings say that it is UTF-16; else as it is. */
async function asText(unpacking: Unpacking, part: Part): Promise<Part | Complaint> {
  const { spool, signal, written } = unpacking;
  const { file, digest, format } = part;
  const mark = utf16Mark(digest.head);
  const said = format.encoding === "utf-16le" || format.encoding === "utf-16be";
  if (mark === null && !said) return part;
  if (mark !== null && format.encoding !== "auto" && mark !== format.encoding)
    return {
      reason: `Its mark says ${mark.toUpperCase()}; the settings say ${format.encoding.toUpperCase()}.`,
      instruction: "Correct `encoding` in the connection's settings, or set it to auto.",
    };
  const order = mark ?? (format.encoding === "utf-16be" ? "utf-16be" : "utf-16le");
  // A line end alone has a zero byte in UTF-16.
  if (file.bytes > 0 && !digest.head.includes(0))
    return {
      reason: `It is not ${order.toUpperCase()}, as ${mark === null ? "the settings say" : "its mark says"}: its characters are single bytes.`,
      instruction:
        mark === null
          ? "Correct `encoding` in the connection's settings, or set it to auto."
          : RESEND,
    };
  if (file.bytes % 2 === 1)
    return { reason: "It was cut off: it ends in the middle of a character.", instruction: RESEND };
  const path = await spool.place();
  written.defer(() => spool.drop(path));
  await pipeline(
    createReadStream(file.path),
    (source: AsyncIterable<Buffer>) => toUtf8(source, order),
    createWriteStream(path, { mode: 0o600 }),
    { signal },
  ).catch((error: unknown) => {
    throw diskFault(`Reading ${file.name}`, error);
  });
  await assertSame(unpacking.file);
  const text = await spooled(path, file.name);
  return {
    ...part,
    file: text,
    digest: await digestOf(text, signal),
    format: { ...format, encoding: "utf-8" },
  };
}

/** What the archive's own reader says of it is a complaint; what the disk says is a fault. */
async function damage(
  { file, signal }: Unpacking,
  work: () => Promise<readonly Part[] | Complaint>,
): Promise<readonly Part[] | Complaint> {
  try {
    const parts = await work();
    await assertSame(file);
    return parts;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Bomb) return bomb(error.message);
    if (error instanceof ConnectorFault || error instanceof FileChanged) throw error;
    if (/^E(?!RR_)/.test(codeOf(error))) throw diskFault(`Expanding ${file.name}`, error);
    await assertSame(file);
    const said = error instanceof Error ? error.message : String(error);
    return {
      reason: `Its archive cannot be read: ${said.replace(/\.$/, "")}.`,
      instruction: RESEND,
    };
  }
}

async function assertSame(file: FoundFile): Promise<void> {
  const now = await lstat(file.path).catch(() => null);
  if (now?.size === file.bytes && now.mtimeMs === file.mtimeMs) return;
  throw new FileChanged(
    `${file.name} had ${file.bytes} bytes when it was found and has ${now?.size ?? 0} now.`,
  );
}

async function spooled(path: string, name: string): Promise<FoundFile> {
  const { size, mtimeMs } = await stat(path);
  return { path, name, bytes: size, mtimeMs };
}

function all(parts: readonly (Part | Complaint)[]): readonly Part[] | Complaint {
  const sound: Part[] = [];
  for (const part of parts) {
    if ("reason" in part) return part;
    sound.push(part);
  }
  return sound;
}

function notWhatItSays(kind: string): Complaint {
  return { reason: `Its name says that it is a ${kind} archive; it is none.`, instruction: RESEND };
}

function bomb(what: string): Complaint {
  return {
    reason: `Its archive is refused: ${what}.`,
    instruction:
      "If that is meant, raise the limit under `archives` in the connection's settings; otherwise look who wrote it.",
  };
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}

const RESEND =
  "Export it again. Nothing of this file is applied; what was applied before still holds.";
const FLAT =
  "Put the CSV files themselves into the archive, each once, without folders and without another archive.";
