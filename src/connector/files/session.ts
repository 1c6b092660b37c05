/**
 * A folder of files as a connector's session: what waits in `out/` becomes rows, what was applied
 * goes to the archive, orders are dropped into `orders/`. Keeps no state beyond the process: a kill
 * at any moment leaves the files where the next session finds them.
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type { Finding, Host, Json, Origin, ReadEvent, Session } from "../contract.ts";
import { diskFault } from "./disk.ts";
import { openDropBox } from "./drop.ts";
import { examine } from "./examine.ts";
import type { Look } from "./examine.ts";
import { openInbox } from "./inbox.ts";
import type { Completeness, FileStream, Inbox } from "./inbox.ts";
import type { Delimiter } from "./scan.ts";
import { openShelf } from "./shelf.ts";
import type { Shelf } from "./shelf.ts";
import { FileChanged, readRows, rowAt } from "./table.ts";
import type { FoundFile, TableFormat } from "./table.ts";

export interface FileSessionOptions {
  /** Holds `out/`; the other folders are made in it when they are needed. */
  readonly folder: string;
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
});
type Cursor = Readonly<z.infer<typeof cursorShape>>;

export async function openFileSession(options: FileSessionOptions, host: Host): Promise<Session> {
  const out = join(options.folder, "out");
  const found = await stat(out).catch((error: unknown) => {
    throw diskFault(`Opening the folder ${options.folder}: looking for its out/`, error);
  });
  if (!found.isDirectory()) throw notFolder(out);
  const wait = options.wait ?? ((ms) => setTimeout(ms, undefined, { signal: host.signal }));
  const reading: Reading = {
    options,
    host,
    inbox: openInbox({ ...options, folder: out, wait }, host),
    shelf: openShelf(options.folder, host),
    handed: new Map(),
  };
  return {
    read: (stream, cursor) => read(reading, streamOf(options, stream), cursor),
    applied: (stream, cursor) => applied(reading, streamOf(options, stream).name, cursor),
    setAside: (stream, origin, reason) =>
      reading.shelf.refuse(streamOf(options, stream).name, contentOf(origin), reason),
    original: (origin, line) => original(reading, origin, line),
    orders: openDropBox({ folder: options.folder, delimiter: options.orderDelimiter }, host),
    check: () => check(reading),
    async [Symbol.asyncDispose]() {},
  };
}

async function* read(
  reading: Reading,
  stream: FileStream,
  stored: Json | null,
): AsyncGenerator<ReadEvent> {
  let cursor = stored === null ? null : cursorOf(stream.name, stored);
  // What an earlier, broken-off reading gave was never committed; it is found again.
  reading.handed.delete(stream.name);
  const waiting = [...(await reading.inbox.complete(stream.name))];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const given = yield* readFile(reading, stream, file, cursor, waiting.length > 0);
    if (given !== null && stream.reading === "snapshot") return;
    cursor = given ?? cursor;
  }
}

/** Gives one file; null when it is not ready or was refused, and the next one is to be read. */
async function* readFile(
  reading: Reading,
  stream: FileStream,
  file: FoundFile,
  cursor: Cursor | null,
  more: boolean,
): AsyncGenerator<ReadEvent, Cursor | null> {
  const look = await lookAt(reading, stream, file, cursor);
  if (look.kind === "notReady") {
    reading.host.log("warn", `${file.name} waits for the next run: ${look.why}.`, {
      file: file.name,
    });
    return null;
  }
  const content = { name: file.name, sha256: look.sha256, bytes: file.bytes };
  if (look.kind === "refused") {
    yield { kind: "refused", origin: content, reason: look.reason, instruction: look.instruction };
    return null;
  }
  const keptAt = await reading.shelf.placeFor(stream.name, file.name);
  const next: Cursor = { ...content, keptAt, files: (cursor?.files ?? 0) + 1 };
  const origin = { ...content, keptAt };
  if (look.kind === "known" && stream.reading === "snapshot") {
    hand(reading, stream, next);
    yield { kind: "unchanged", origin, cursor: next, more };
    return next;
  }
  if (look.kind === "known") yield* giveKnown(reading, origin);
  else yield* giveWhole(reading, file, origin, look);
  hand(reading, stream, next);
  yield { kind: "checkpoint", cursor: next, more };
  return next;
}

async function lookAt(
  { options, host, handed }: Reading,
  stream: FileStream,
  file: FoundFile,
  cursor: Cursor | null,
): Promise<Look> {
  const isKnown = async (sha256: string) =>
    stream.reading === "snapshot"
      ? cursor?.sha256 === sha256
      : handed.get(stream.name)?.some((given) => given.sha256 === sha256) === true ||
        (await host.appliedBefore(stream.name, sha256));
  try {
    return await examine({ file, stream, format: options.format, isKnown }, host);
  } catch (error) {
    if (error instanceof FileChanged) return { kind: "notReady", why: error.message };
    throw error;
  }
}

/** A delta file counts once ever: it is named, and none of its rows is given. */
function* giveKnown({ host }: Reading, origin: Origin): Generator<ReadEvent> {
  host.log("info", `${origin.name} was applied already: its rows are not read again.`, {
    file: origin.name,
  });
  yield { kind: "origin", origin };
}

async function* giveWhole(
  { host, options }: Reading,
  file: FoundFile,
  origin: Origin,
  { survey, statedRows }: Look & { kind: "whole" },
): AsyncGenerator<ReadEvent> {
  if (options.format.encoding === "auto" && survey.encoding === "windows-1252") {
    host.log("info", `${file.name} is not UTF-8 and is read as Windows-1252.`, { file: file.name });
  }
  if (survey.rows === 0) host.log("info", `${file.name} has no rows.`, { file: file.name });
  yield { kind: "origin", origin: { ...origin, columns: survey.columns } };
  try {
    yield* readRows(file, survey, options.format, host.signal);
  } catch (error) {
    if (!(error instanceof FileChanged)) throw error;
    throw new ConnectorFault(
      "transient",
      `Reading ${file.name}: it is still being written. ${error.message}`,
      "Nothing of it is applied; the next run reads it again. If this comes often, raise `stableForMs`, or let the other system write a marker or rename the file when it is whole.",
      { cause: error },
    );
  }
  if (statedRows !== null) yield { kind: "totals", rows: statedRows };
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

function contentOf({ name, sha256 }: Origin): { name: string; sha256: string } {
  return { name, sha256: sha256 ?? "" };
}

async function original({ shelf, options, host }: Reading, origin: Origin, line: number) {
  const file = await shelf.locate(origin);
  return file === null ? null : rowAt(file, line, options.format, host.signal);
}

async function check({ inbox, options }: Reading): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const rights = constants.R_OK | constants.W_OK;
  for (const folder of [options.folder, join(options.folder, "out")]) {
    await access(folder, rights).catch((error: unknown) => {
      const { message, instruction } = diskFault(`Reading and writing ${folder}`, error);
      findings.push({ level: "error", what: message, instruction });
    });
  }
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
