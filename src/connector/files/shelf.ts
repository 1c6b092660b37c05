/**
 * Where files go when they are done with: `archive/<stream>/<day>/` after they were applied, and
 * `refused/<stream>/` with the reason beside them. Never deletes and never overwrites; a file that
 * was replaced since it was read stays where it is.
 */
import { extname } from "node:path/posix";
import type { Host, Origin } from "../contract.ts";
import { freePath, isTaken, moveFile } from "./folder.ts";
import type { Entry, Folder } from "./folder.ts";
import { OUT, companionNames, findFile } from "./inbox.ts";
import { fileNameProblem, isInside, partOf } from "./names.ts";
import type { Spool } from "./spool.ts";
import { FileChanged, digestOf } from "./table.ts";
import type { TableFormat } from "./table.ts";
import { unpack } from "./unpack.ts";
import type { Part } from "./unpack.ts";

export interface Shelf {
  /** Where a file of the stream will be kept, relative to the folder, with `/`. */
  placeFor(stream: string, name: string): Promise<string>;
  /** Moves `out/<name>` to its place if its content is still the one named. Safe to call again. */
  archive(content: Content, keptAt: string): Promise<void>;
  refuse(stream: string, content: Content, reason: string): Promise<void>;
  /** Where the refused file lies, as a person finds it; null: not there any more. */
  refusedAt(stream: string, content: Sought): Promise<string | null>;
  /** The file was read with this content, and shows by its size and time that it still has it. */
  remember(file: Entry, sha256: string): void;
  /**
   * The text of the origin, from the archive or from `out/`; null when it is nowhere. It can be
   * read until `held` is disposed of.
   */
  locate(origin: Origin, held: AsyncDisposableStack): Promise<Part | null>;
}

export interface ShelfOptions {
  readonly folder: Folder;
  readonly format: TableFormat;
  readonly spool: Spool;
}

export interface Content {
  readonly name: string;
  readonly sha256: string;
}

/** Content whose digest may not be known: then the name tells. */
interface Sought {
  readonly name: string;
  readonly sha256: string | undefined;
}

interface Keeping extends ShelfOptions {
  readonly host: Host;
  readonly remembered: Map<string, Entry & { readonly sha256: string }>;
}

export function openShelf(options: ShelfOptions, host: Host): Shelf {
  const { folder } = options;
  const keeping: Keeping = { ...options, host, remembered: new Map() };
  return {
    async placeFor(stream, name) {
      const day = host.now().toZonedDateTimeISO(host.timeZone).toPlainDate().toString();
      return freePath(folder, `archive/${stream}/${day}/${name}`);
    },
    async archive(content, keptAt) {
      const file = await unchanged(keeping, content);
      if (file === null || !isInside(keptAt)) return;
      const to = (await isTaken(folder, keptAt)) ? await freePath(folder, keptAt) : keptAt;
      await move(folder, file, to);
    },
    async refuse(stream, content, reason) {
      const file = await unchanged(keeping, content);
      if (file === null) return;
      const to = await freePath(folder, `refused/${stream}/${content.name}`);
      // The reason first: a refused file without one would be a riddle.
      await folder.makeFolder(`refused/${stream}`);
      await folder.write(`${to}.reason.txt`, `${host.now().toString()}\n${reason}\n`);
      await move(folder, file, to);
    },
    refusedAt: (stream, content) => refusedAt(keeping, stream, content),
    remember: (file, sha256) => {
      keeping.remembered.set(file.name, { ...file, sha256 });
    },
    locate: (origin, held) => locate(keeping, origin, held),
  };
}

/** Under another name too, where one of its name was refused before; then the digest tells. */
async function refusedAt(
  keeping: Keeping,
  stream: string,
  { name, sha256 }: Sought,
): Promise<string | null> {
  const { folder } = keeping;
  const [root, { path }] = [`refused/${stream}`, partOf(name)];
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  const there = await folder.list(root).catch(() => []);
  for (const each of there.toReversed()) {
    const isNamed = each.name === path;
    const isLike = each.name.startsWith(`${stem}-`) && each.name.endsWith(ending);
    const at = `${root}/${each.name}`;
    const entry = isNamed || (isLike && sha256 !== undefined) ? await findFile(folder, at) : null;
    if (entry === null) continue;
    await using held = new AsyncDisposableStack();
    if (sha256 === undefined || (await digestAt(keeping, at, entry, held))?.sha256 === sha256)
      return folder.show(at);
  }
  return null;
}

/** The file in `out/`, when its content is still the one named. */
async function unchanged(keeping: Keeping, content: Content): Promise<Entry | null> {
  if (fileNameProblem(content.name) !== null) return null;
  const file = await findFile(keeping.folder, `${OUT}/${content.name}`);
  if (file === null) return null;
  if (await hasContent(keeping, file, content.sha256)) return file;
  keeping.host.log(
    "warn",
    `${content.name} was replaced by another file of the same name after it was read; the new one is read next, and the old one cannot be kept.`,
    { file: content.name },
  );
  return null;
}

async function hasContent(keeping: Keeping, file: Entry, sha256: string): Promise<boolean> {
  const seen = keeping.remembered.get(file.name);
  if (seen?.bytes === file.bytes && seen.mtimeMs === file.mtimeMs) return seen.sha256 === sha256;
  await using held = new AsyncDisposableStack();
  return (await digestAt(keeping, `${OUT}/${file.name}`, file, held))?.sha256 === sha256;
}

/** Null when the file changes under our eyes. */
async function digestAt(
  { folder, host }: Keeping,
  path: string,
  entry: Entry,
  held: AsyncDisposableStack,
) {
  try {
    const { file } = held.use(await folder.fetch(path, entry));
    return { file, ...(await digestOf(file, host.signal)) };
  } catch (error) {
    if (error instanceof FileChanged) return null;
    throw folder.fault(`Reading ${folder.show(path)}`, error);
  }
}

async function move(folder: Folder, { name }: Entry, to: string): Promise<void> {
  const path = `${OUT}/${name}`;
  try {
    await moveFile(folder, path, to);
    const from = companionNames(path);
    const beside = companionNames(to);
    for (const kind of ["done-marker", "manifest"] as const) {
      if (await isTaken(folder, from[kind]))
        await moveFile(folder, from[kind], await freePath(folder, beside[kind]));
    }
  } catch (error) {
    throw folder.fault(`Moving ${folder.show(path)} to ${folder.show(to)}`, error);
  }
}

async function locate(
  keeping: Keeping,
  origin: Origin,
  held: AsyncDisposableStack,
): Promise<Part | null> {
  const { part } = partOf(origin.name);
  for await (const path of candidates(keeping.folder, origin)) {
    const entry = isInside(path) ? await findFile(keeping.folder, path) : null;
    const found = entry === null ? null : await digestAt(keeping, path, entry, held);
    if (found === null) continue;
    if (origin.sha256 !== undefined && found.sha256 !== origin.sha256) continue;
    const { format, spool, host } = keeping;
    const { file, ...digest } = found;
    const parts = await unpack({ file, digest, format, spool, signal: host.signal }, held);
    return "reason" in parts ? null : (parts.find(({ name }) => name === part) ?? null);
  }
  return null;
}

/** After a kill between commit and archive a file may lie under another day than was foreseen. */
async function* candidates(folder: Folder, origin: Origin): AsyncGenerator<string> {
  const { path: name } = partOf(origin.name);
  const keptAt = origin.keptAt === undefined ? undefined : partOf(origin.keptAt).path;
  if (keptAt !== undefined) yield keptAt;
  if (fileNameProblem(name) === null) yield `${OUT}/${name}`;
  const stream = keptAt?.split("/")[1];
  if (stream === undefined || fileNameProblem(stream) !== null) return;
  const root = `archive/${stream}`;
  const stem = name.slice(0, -extname(name).length || undefined);
  for (const day of await folder.list(root).catch(() => [])) {
    if (day.kind !== "folder") continue;
    for (const kept of await folder.list(`${root}/${day.name}`).catch(() => []))
      if (kept.name.startsWith(stem)) yield `${root}/${day.name}/${kept.name}`;
  }
}
