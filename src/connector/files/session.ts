/**
 * A folder of files as a connector's session: what waits in `out/` becomes rows, what was applied
 * goes to the archive, orders are dropped into `orders/`. Keeps no state beyond the process: a kill
 * at any moment leaves the files where the next session finds them.
 */
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type { Finding, Host, Json, Origin, ReadEvent, Session } from "../contract.ts";
import { changedRows } from "./changed-rows.ts";
import { ChangeFinder } from "./changes.ts";
import type { OldContent } from "./changes.ts";
import { codeOf, openDiskFolder } from "./disk.ts";
import { openDropBox } from "./drop.ts";
import { examine } from "./examine.ts";
import type { Look, Text } from "./examine.ts";
import type { Entry, Folder } from "./folder.ts";
import { OUT, openInbox } from "./inbox.ts";
import type { Completeness, FileStream, Inbox } from "./inbox.ts";
import { partOf } from "./names.ts";
import type { Delimiter } from "./scan.ts";
import { openShelf } from "./shelf.ts";
import { SHOP, layFile } from "./shop.ts";
import type { Shelf } from "./shelf.ts";
import { openSpool } from "./spool.ts";
import type { Spool } from "./spool.ts";
import { FileChanged, chunksOf, readRows, rowAt, surveyOf } from "./table.ts";
import type { FoundFile, Splitting, TableFormat } from "./table.ts";

export interface FileSessionOptions {
  /**
   * Holds `out/`; the other folders are made in it when they are needed. A path on a disk, or a
   * folder elsewhere, which the session closes.
   */
  readonly folder: string | Folder;
  readonly streams: readonly FileStream[];
  readonly format: TableFormat;
  readonly complete: Completeness;
  readonly stableForMs: number;
  /** Delimiter of the order files that we write. */
  readonly orderDelimiter: Delimiter;
  /** Passes the time between two looks at a file; the default is real time. */
  readonly wait?: (ms: number) => Promise<void>;
}

interface Reading {
  readonly options: FileSessionOptions;
  readonly folder: Folder;
  readonly spool: Spool;
  readonly host: Host;
  readonly inbox: Inbox;
  readonly shelf: Shelf;
  /** Files given with a checkpoint and not yet known to be committed, oldest first, per stream. */
  readonly handed: Map<string, Cursor[]>;
}

const cursorShape = z.object({
  name: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  keptAt: z.string(),
  /** Files applied so far, this one included. */
  files: z.number(),
  /** How its bytes were read as rows; "": as several texts, or it is not known. */
  readAs: z.string().default(""),
});
type Cursor = Readonly<z.infer<typeof cursorShape>>;

export async function openFileSession(options: FileSessionOptions, host: Host): Promise<Session> {
  const reading = readingOf(options, host);
  const { folder, spool, shelf } = reading;
  try {
    await assertOut(folder);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return {
    read: (stream, cursor, asked) =>
      toldEach(reading, `Reading ${stream}`, () =>
        read(reading, streamOf(options, stream), cursor, asked?.changes === true),
      ),
    applied: (stream, cursor) =>
      toldOnce(reading, `Putting away files of ${stream}`, () =>
        applied(reading, streamOf(options, stream).name, cursor),
      ),
    setAside: (stream, origin, reason) =>
      toldOnce(reading, `Setting ${origin.name} aside`, () =>
        shelf.refuse(streamOf(options, stream).name, contentOf(origin), reason),
      ),
    asideAt: (stream, { name, sha256 }) =>
      toldOnce(reading, `Looking for ${name}`, () =>
        shelf.refusedAt(streamOf(options, stream).name, { name, sha256 }),
      ),
    original: (origin, line) =>
      toldOnce(reading, `Looking for ${origin.name}`, () => original(reading, origin, line)),
    again: (_stream, origin) =>
      toldOnce(reading, `Looking for ${origin.name}`, () => again(reading, origin)),
    layFile: (name, content) =>
      toldOnce(reading, `Laying ${name} into ${folder.show(SHOP)}`, () =>
        layFile(folder, name, content),
      ),
    orders: openDropBox({ folder, delimiter: options.orderDelimiter }, host),
    check: () => check(reading),
    async [Symbol.asyncDispose]() {
      await spool[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function readingOf(options: FileSessionOptions, host: Host): Reading {
  const { folder: where, format } = options;
  const folder = typeof where === "string" ? openDiskFolder(where) : where;
  const spool = openSpool();
  const wait = options.wait ?? ((ms) => setTimeout(ms, undefined, { signal: host.signal }));
  return {
    options,
    host,
    folder,
    spool,
    inbox: openInbox({ ...options, folder, wait }, host),
    shelf: openShelf({ folder, format, spool }, host),
    handed: new Map(),
  };
}

async function toldOnce<T>({ folder }: Reading, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromOutside(error) ? folder.fault(doing, error) : error;
  }
}

async function* toldEach(
  { folder }: Reading,
  doing: string,
  work: () => AsyncGenerator<ReadEvent>,
): AsyncGenerator<ReadEvent> {
  try {
    yield* work();
  } catch (error) {
    throw fromOutside(error) ? folder.fault(doing, error) : error;
  }
}

/** What a disk or a server says has such a code; a run that was stopped has not. */
function fromOutside(error: unknown): boolean {
  return /^E(?!RR_)/.test(codeOf(error));
}

async function assertOut(folder: Folder): Promise<void> {
  const doing = `Opening the folder ${folder.show("")}: looking for its out/`;
  // Listed, since a link to a folder is as good as one here.
  await folder.list(OUT).catch((error: unknown) => {
    if (codeOf(error) === "ENOTDIR") throw notFolder(folder.show(OUT));
    throw folder.fault(doing, error);
  });
}

async function* read(
  reading: Reading,
  stream: FileStream,
  stored: Json | null,
  changes: boolean,
): AsyncGenerator<ReadEvent> {
  let cursor = stored === null ? null : cursorOf(stream.name, stored);
  // What an earlier, broken-off reading gave was never committed; it is found again.
  reading.handed.delete(stream.name);
  const waiting = [...(await reading.inbox.complete(stream.name))];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const wanted = { stream, cursor, changes: changes && stream.reading === "snapshot" };
    const given = yield* readFile(reading, wanted, file, waiting.length > 0);
    if (given !== null && stream.reading === "snapshot") return;
    cursor = given ?? cursor;
  }
}

interface Wanted {
  readonly stream: FileStream;
  readonly cursor: Cursor | null;
  /** Rows that the cursor's content has as well need not be given again. */
  readonly changes: boolean;
}

/** Gives one file; null when it is not ready or was refused, and the next one is to be read. */
async function* readFile(
  reading: Reading,
  wanted: Wanted,
  file: Entry,
  more: boolean,
): AsyncGenerator<ReadEvent, Cursor | null> {
  await using held = new AsyncDisposableStack();
  const { stream, cursor } = wanted;
  const look = await lookAt(reading, wanted, file, held);
  if (look.kind === "notReady") {
    reading.host.log(
      "warn",
      `${file.name} waits for the next run: ${look.why.replace(/\.$/, "")}.`,
      {
        file: file.name,
      },
    );
    return null;
  }
  const content = { name: file.name, sha256: look.sha256, bytes: file.bytes };
  if (look.kind === "refused") {
    yield { kind: "refused", origin: content, reason: look.reason, instruction: look.instruction };
    return null;
  }
  const keptAt = await reading.shelf.placeFor(stream.name, file.name);
  const readAs = look.kind === "whole" ? readingOfTexts(look.texts) : (cursor?.readAs ?? "");
  const next: Cursor = { ...content, keptAt, files: (cursor?.files ?? 0) + 1, readAs };
  const origin = { ...content, keptAt };
  if (look.kind === "known" && stream.reading === "snapshot") {
    hand(reading, stream, next);
    yield { kind: "unchanged", origin, cursor: next, more };
    return next;
  }
  if (look.kind === "known") yield* giveKnown(reading, origin);
  else yield* giveWhole(reading, origin, look);
  hand(reading, stream, next);
  yield { kind: "checkpoint", cursor: next, more };
  return next;
}

async function lookAt(
  reading: Reading,
  { stream, cursor, changes }: Wanted,
  entry: Entry,
  held: AsyncDisposableStack,
): Promise<Look> {
  const { options, folder, spool, shelf, host, handed } = reading;
  const isKnown = async (sha256: string) =>
    stream.reading === "snapshot"
      ? cursor?.sha256 === sha256
      : handed.get(stream.name)?.some((given) => given.sha256 === sha256) === true ||
        (await host.appliedBefore(stream.name, sha256));
  try {
    const { file, certain } = held.use(await folder.fetch(`${OUT}/${entry.name}`, entry));
    const { format } = options;
    const beside =
      changes && cursor !== null
        ? (splitting: Splitting) => besideLast(reading, cursor, splitting, held)
        : undefined;
    const question = { file, stream, format, folder, spool, written: held, isKnown, beside };
    const look = await examine(question, host);
    if (certain && look.kind !== "notReady") shelf.remember(entry, look.sha256);
    return look;
  } catch (error) {
    if (error instanceof FileChanged) return { kind: "notReady", why: error.message };
    throw folder.fault(`Reading ${folder.show(`${OUT}/${entry.name}`)}`, error);
  }
}

/** The content of the cursor, to be walked beside the one that waits. */
async function besideLast(
  { options, shelf, host }: Reading,
  { name, keptAt, sha256, readAs }: Cursor,
  splitting: Splitting,
  held: AsyncDisposableStack,
): Promise<ChangeFinder | null> {
  if (readAs !== textReading(splitting)) return null;
  const last = await shelf.locate({ name, keptAt, sha256 }, held);
  if (last === null) return null;
  const format = { ...options.format, delimiter: splitting.delimiter };
  const finder = new ChangeFinder(contentOfFile(last.file, host), format);
  held.defer(() => finder.close());
  return finder;
}

/** Its digest was taken just now: whole, unless it changes while it is read. */
function contentOfFile(file: FoundFile, { signal }: Host): OldContent {
  let whole = true;
  const chunks = async function* () {
    try {
      yield* chunksOf(file, signal);
    } catch (error) {
      if (!(error instanceof FileChanged)) throw error;
      whole = false;
    }
  };
  return { chunks: chunks(), isWhole: () => whole };
}

function readingOfTexts(texts: readonly Text[]): string {
  const [text] = texts;
  return text?.name === null ? textReading(text.survey) : "";
}

function textReading({ delimiter, encoding }: Splitting): string {
  return `${delimiter} ${encoding}`;
}

/** A delta file counts once ever: it is named, and none of its rows is given. */
function* giveKnown({ host }: Reading, origin: Origin): Generator<ReadEvent> {
  host.log("info", `${origin.name} was applied already: its rows are not read again.`, {
    file: origin.name,
  });
  yield { kind: "origin", origin };
}

/** Every text of the file, each as an origin of its own. */
async function* giveWhole(
  reading: Reading,
  origin: Origin,
  { texts, statedRows }: Look & { kind: "whole" },
): AsyncGenerator<ReadEvent> {
  for (const text of texts) {
    const { name } = text;
    const inside = { name: `${origin.name}/${name}`, keptAt: `${origin.keptAt}/${name}` };
    yield* giveText(reading, name === null ? origin : { ...origin, ...inside }, text);
  }
  if (statedRows !== null) yield { kind: "totals", rows: statedRows };
}

async function* giveText(
  { host, options }: Reading,
  origin: Origin,
  { file, format, survey }: Text,
): AsyncGenerator<ReadEvent> {
  const { name } = origin;
  if (options.format.encoding === "auto" && survey.encoding === "windows-1252") {
    host.log("info", `${name} is not UTF-8 and is read as Windows-1252.`, { file: name });
  }
  if (survey.rows === 0) host.log("info", `${name} has no rows.`, { file: name });
  yield { kind: "origin", origin: { ...origin, columns: survey.columns } };
  const { changed } = survey;
  if (changed !== null) {
    yield* changedRows(name, survey, changed, format);
    return;
  }
  try {
    yield* readRows(file, survey, format, host.signal);
  } catch (error) {
    if (!(error instanceof FileChanged)) throw error;
    throw new ConnectorFault(
      "transient",
      `Reading ${name}: it is still being written. ${error.message}`,
      "Nothing of it is applied; the next run reads it again. If this comes often, raise `stableForMs`, or let the other system write a marker or rename the file when it is whole.",
      { cause: error },
    );
  }
}

/** Remembered just before the checkpoint, since the host may commit and call `applied` at once. */
function hand({ handed }: Reading, stream: FileStream, cursor: Cursor): void {
  handed.set(stream.name, [...(handed.get(stream.name) ?? []), cursor]);
}

async function applied({ handed, shelf }: Reading, stream: string, stored: Json): Promise<void> {
  const cursor = cursorOf(stream, stored);
  const given = handed.get(stream) ?? [];
  const covered = given.filter(({ files }) => files <= cursor.files);
  handed.set(
    stream,
    given.filter((one) => !covered.includes(one)),
  );
  // After a kill nothing is remembered: the cursor still names the last file that it covers.
  const named = covered.some(({ sha256 }) => sha256 === cursor.sha256) ? [] : [cursor];
  for (const content of [...covered, ...named]) await shelf.archive(content, content.keptAt);
}

/** What is put away is the file, whatever part of it the origin is. */
function contentOf({ name, sha256 }: Origin): { name: string; sha256: string } {
  return { name: partOf(name).path, sha256: sha256 ?? "" };
}

async function original(
  { shelf, host }: Reading,
  origin: Origin,
  line: number,
): Promise<string | null> {
  await using held = new AsyncDisposableStack();
  const text = await shelf.locate(origin, held);
  return text === null ? null : await rowAt(text.file, line, text.format, host.signal);
}

async function again(
  { shelf, host }: Reading,
  origin: Origin,
): Promise<AsyncIterable<ReadEvent> | null> {
  await using held = new AsyncDisposableStack();
  const text = await shelf.locate(origin, held);
  if (text === null) return null;
  const survey = await surveyOf(text.file, text.digest, text.format, host.signal);
  if ("reason" in survey) return null;
  return kept({ ...text, survey }, origin, host, held.move());
}

async function* kept(
  { file, format, survey }: Text,
  origin: Origin,
  host: Host,
  held: AsyncDisposableStack,
): AsyncGenerator<ReadEvent> {
  await using _held = held;
  yield { kind: "origin", origin: { ...origin, columns: survey.columns } };
  yield* readRows(file, survey, format, host.signal);
}

async function check({ inbox, options, folder }: Reading): Promise<readonly Finding[]> {
  const findings: Finding[] = [...(await folder.check())];
  // What cannot be listed has no names to judge.
  if (findings.length > 0) return findings;
  for (const name of await inbox.unclaimed()) {
    findings.push({
      level: "warning",
      what: `No stream reads out/${name}.`,
      instruction: `Name it after its stream (${options.streams.map((one) => one.files).join(", ")}), or take it away.`,
    });
  }
  return findings;
}

function streamOf({ streams }: FileSessionOptions, name: string): FileStream {
  const stream = streams.find((candidate) => candidate.name === name);
  if (stream !== undefined) return stream;
  throw new ConnectorFault(
    "config",
    `The folder has no stream "${name}".`,
    `Its streams are: ${streams.map((one) => one.name).join(", ")}.`,
  );
}

function cursorOf(stream: string, stored: Json): Cursor {
  const parsed = cursorShape.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new ConnectorFault(
    "config",
    `Reading ${stream}: the stored cursor is not one of a folder of files: ${JSON.stringify(stored)}.`,
    "The connection was of another kind before. Give this connection a new name, so that it starts afresh.",
  );
}

function notFolder(path: string): ConnectorFault {
  return new ConnectorFault(
    "config",
    `${path} is not a folder.`,
    "Correct `folder` in the connection's settings: it holds a folder out/ that the other system writes to.",
  );
}
