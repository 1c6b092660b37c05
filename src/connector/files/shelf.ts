/**
 * Where files go when they are done with: `archive/<stream>/<day>/` after they were applied, and
 * `refused/<stream>/` with the reason beside them. Never deletes and never overwrites; a file that
 * was replaced since it was read stays where it is.
 */
import { mkdir, readdir } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import type { Host, Origin } from "../contract.ts";
import { diskFault, freePath, isTaken, moveFile, writeDurably } from "./disk.ts";
import { companionNames, findFile } from "./inbox.ts";
import { fileNameProblem } from "./names.ts";
import { FileChanged, digestOf } from "./table.ts";
import type { FoundFile } from "./table.ts";

export interface Shelf {
  /** Where a file of the stream will be kept, relative to the folder, with `/`. */
  placeFor(stream: string, name: string): Promise<string>;
  /** Moves `out/<name>` to its place if its content is still the one named. Safe to call again. */
  archive(content: Content, keptAt: string): Promise<void>;
  refuse(stream: string, content: Content, reason: string): Promise<void>;
  /**
   * The file with the origin's content, in the archive or still in `out/`; null when it is nowhere.
   */
  locate(origin: Origin): Promise<FoundFile | null>;
}

export interface Content {
  readonly name: string;
  readonly sha256: string;
}

export function openShelf(folder: string, host: Host): Shelf {
  const out = join(folder, "out");
  return {
    async placeFor(stream, name) {
      const day = host.now().toZonedDateTimeISO(host.timeZone).toPlainDate().toString();
      const path = await freePath(join(folder, "archive", stream, day, name));
      return relative(folder, path).split(sep).join("/");
    },
    async archive(content, keptAt) {
      const file = await unchanged(out, content, host);
      const to = resolve(folder, keptAt);
      if (file === null || !isInside(folder, to)) return;
      await move(file, (await isTaken(to)) ? await freePath(to) : to);
    },
    async refuse(stream, content, reason) {
      const file = await unchanged(out, content, host);
      if (file === null) return;
      const to = await freePath(join(folder, "refused", stream, content.name));
      // The reason first: a refused file without one would be a riddle.
      await mkdir(dirname(to), { recursive: true });
      await writeDurably(`${to}.reason.txt`, `${host.now().toString()}\n${reason}\n`);
      await move(file, to);
    },
    locate: (origin) => locate(folder, origin, host),
  };
}

/** The file in `out/`, when its content is still the one named. */
async function unchanged(out: string, content: Content, host: Host): Promise<FoundFile | null> {
  if (fileNameProblem(content.name) !== null) return null;
  const file = await findFile(out, content.name);
  if (file === null) return null;
  if ((await sha256Of(file, host)) === content.sha256) return file;
  host.log(
    "warn",
    `${content.name} was replaced by another file of the same name after it was read; the new one is read next, and the old one cannot be kept.`,
    { file: content.name },
  );
  return null;
}

/** Null when the file changes under our eyes. */
async function sha256Of(file: FoundFile, host: Host): Promise<string | null> {
  try {
    return (await digestOf(file, host.signal)).sha256;
  } catch (error) {
    if (error instanceof FileChanged) return null;
    throw error;
  }
}

async function move(file: FoundFile, to: string): Promise<void> {
  try {
    await moveFile(file.path, to);
    const from = companionNames(file.path);
    const beside = companionNames(to);
    for (const kind of ["done-marker", "manifest"] as const) {
      if (await isTaken(from[kind])) await moveFile(from[kind], await freePath(beside[kind]));
    }
  } catch (error) {
    throw diskFault(`Moving ${file.path} to ${to}`, error);
  }
}

async function locate(folder: string, origin: Origin, host: Host): Promise<FoundFile | null> {
  for (const path of await candidates(folder, origin)) {
    if (!isInside(folder, path)) continue;
    const file = await findFile(dirname(path), basename(path));
    if (file === null) continue;
    if (origin.sha256 === undefined) return file;
    if ((await sha256Of(file, host)) === origin.sha256) return file;
  }
  return null;
}

/** After a kill between commit and archive a file may lie under another day than was foreseen. */
async function candidates(folder: string, origin: Origin): Promise<readonly string[]> {
  const foreseen = origin.keptAt === undefined ? [] : [resolve(folder, origin.keptAt)];
  const waiting = fileNameProblem(origin.name) === null ? [join(folder, "out", origin.name)] : [];
  const stream = origin.keptAt?.split("/")[1];
  if (stream === undefined || fileNameProblem(stream) !== null) return [...foreseen, ...waiting];
  const root = join(folder, "archive", stream);
  const kept = await readdir(root, { recursive: true }).catch(() => []);
  const stem = origin.name.slice(0, -extname(origin.name).length || undefined);
  const alike = kept.filter((path) => basename(path).startsWith(stem));
  return [...foreseen, ...waiting, ...alike.map((path) => join(root, path))];
}

function isInside(folder: string, path: string): boolean {
  const way = relative(resolve(folder), path);
  return way !== "" && !way.startsWith("..") && resolve(folder, way) === path;
}
