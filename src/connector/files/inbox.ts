/**
 * The files that wait in `out/`, and which of them are complete. Never opens one for its rows,
 * never follows a symbolic link, and never says a file is complete on one look.
 */
import { extname, matchesGlob } from "node:path/posix";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type { Host, StreamDefinition } from "../contract.ts";
import { isTaken, NotReadable } from "./folder.ts";
import type { Entry, Folder } from "./folder.ts";
import { fileNameProblem } from "./names.ts";

export interface FileStream extends StreamDefinition {
  /** Pattern of its file names: `customers{,-*}.csv`. */
  readonly files: string;
}

/**
 * How a file shows that it is whole. `stable`: size and time stay the same from one look to
 * another; `done-marker`: `<file>.done` is there; `manifest`: `<file>.manifest.json` is there and
 * agrees.
 */
export type Completeness = "stable" | "done-marker" | "manifest";

export interface InboxOptions {
  /** Its `out/` is looked at. */
  readonly folder: Folder;
  readonly streams: readonly FileStream[];
  readonly complete: Completeness;
  readonly stableForMs: number;
  /** Passes the time between two looks. */
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * What the far side says of a file it wrote; each part is optional, and what is there must hold.
 */
export interface Manifest {
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
}

export interface Inbox {
  /** Complete files of a stream in name order. */
  complete(stream: string): Promise<readonly Entry[]>;
  /** Names of files that no stream reads. */
  unclaimed(): Promise<readonly string[]>;
}

/** A file as it was first seen with this size and time. */
interface Sighting {
  readonly file: Entry;
  readonly at: Temporal.Instant;
  /**
   * Milliseconds that had been waited for in all by then: a simulated clock may stand still
   * meanwhile.
   */
  readonly waitedMs: number;
}

interface Watch {
  readonly options: InboxOptions;
  readonly host: Host;
  readonly sightings: Map<string, Sighting>;
  readonly warned: Set<string>;
  waitedMs: number;
}

export function openInbox(options: InboxOptions, host: Host): Inbox {
  const watch: Watch = { options, host, sightings: new Map(), warned: new Set(), waitedMs: 0 };
  return {
    async complete(stream) {
      const seen = await look(watch);
      const wanted = claimed(options.streams, dataNames(watch, seen)).get(stream) ?? [];
      switch (options.complete) {
        case "stable":
          return stableFiles(watch, wanted);
        case "done-marker":
        case "manifest":
          return markedFiles(watch, seen, wanted, options.complete);
      }
    },
    async unclaimed() {
      const names = dataNames(watch, await look(watch));
      const known = new Set([...claimed(options.streams, names).values()].flat());
      return names.filter((name) => !known.has(name));
    },
  };
}

/** Files that belong to this one and travel with it. */
export function companionNames(name: string): Readonly<Record<"done-marker" | "manifest", string>> {
  return { "done-marker": `${name}.done`, manifest: `${name}.manifest.json` };
}

/** The file as it is now; null when there is none, or when the name is a link or a folder. */
export async function findFile(folder: Folder, path: string): Promise<Entry | null> {
  const entry = await folder.look(path).catch((error: unknown) => {
    throw folder.fault(`Looking at ${folder.show(path)}`, error);
  });
  return entry?.kind === "file" ? entry : null;
}

/** `absent`: the file has none. `unreadable`: it may be only half written. */
export async function manifestOf(
  folder: Folder,
  name: string,
): Promise<Manifest | "absent" | "unreadable"> {
  const path = `${OUT}/${companionNames(name).manifest}`;
  const content = await folder.content(path, MOST_MANIFEST_BYTES).catch((error: unknown) => {
    if (error instanceof NotReadable) return undefined;
    throw folder.fault(`Reading ${folder.show(path)}`, error);
  });
  if (content === null) return "absent";
  return content === undefined ? "unreadable" : statedIn(content.toString("utf8"));
}

function statedIn(text: string): Manifest | "unreadable" {
  try {
    // Editors of some systems put a byte order mark before it.
    return manifestShape.safeParse(JSON.parse(text.replace(/^\uFEFF/, ""))).data ?? "unreadable";
  } catch {
    return "unreadable";
  }
}

/** Where the other system writes to. */
export const OUT = "out";

/** Throws ENOENT for a share that is not mounted: it looks like an empty folder, but for `out/`. */
export async function mustBeThere(folder: Folder): Promise<void> {
  if (!(await isTaken(folder, OUT)))
    throw Object.assign(new Error(`${folder.show(OUT)} is not there`), { code: "ENOENT" });
}
const MOST_MANIFEST_BYTES = 1_048_576;

const manifestShape = z.looseObject({
  rows: z.int().nonnegative().optional(),
  bytes: z.int().nonnegative().optional(),
  sha256: z
    .stringFormat("a SHA-256 in hexadecimal", /^[0-9a-fA-F]{64}$/)
    .toLowerCase()
    .optional(),
});

/**
 * What is being written: our own and other programs' ways to name it; and what belongs to another
 * file.
 */
const NOT_DATA = /^[.~]|~$|\.(tmp|part|filepart|done|manifest\.json)$/i;

/** Every file of the folder is looked at at once, so that one wait serves all streams. */
async function look({ options, host, sightings, waitedMs }: Watch) {
  const { folder } = options;
  const entries = await folder.list(OUT).catch((error: unknown) => {
    throw folder.fault(`Listing ${folder.show(OUT)}`, error);
  });
  const seen = new Map(entries.map((entry) => [entry.name, entry]));
  for (const name of sightings.keys()) if (seen.get(name)?.kind !== "file") sightings.delete(name);
  for (const file of entries.filter(({ kind }) => kind === "file")) {
    const before = sightings.get(file.name)?.file;
    if (file.bytes !== before?.bytes || file.mtimeMs !== before.mtimeMs)
      sightings.set(file.name, { file, at: host.now(), waitedMs });
  }
  return seen;
}

/** Names of files that may be data, in order; what is left out for its name is said once. */
function dataNames(watch: Watch, seen: ReadonlyMap<string, Entry>): readonly string[] {
  const names: string[] = [];
  for (const { name, kind } of seen.values()) {
    if (NOT_DATA.test(name) || (kind !== "file" && kind !== "link")) continue;
    const problem = kind === "link" ? "it is a symbolic link" : fileNameProblem(name);
    if (problem === null) names.push(name);
    else leaveOut(watch, name, problem);
  }
  return names.sort();
}

function leaveOut({ options, host, warned }: Watch, name: string, problem: string): void {
  if (warned.has(name)) return;
  warned.add(name);
  const shown = /\p{Cc}/u.test(name) ? JSON.stringify(name) : name;
  host.log("warn", `${shown} in ${options.folder.show(OUT)} is not read: ${problem}.`);
}

function claimed(
  streams: readonly FileStream[],
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(streams.map(({ name }) => [name, []]));
  for (const name of names) {
    const [first, second] = streams.filter(({ files }) => isNamed(name, files));
    if (first !== undefined && second !== undefined) throw claimedTwice(name, first, second);
    if (first !== undefined) found.get(first.name)?.push(name);
  }
  return found;
}

/** `customers-1.csv.gz` and `customers-1.zip` belong where `customers-1.csv` does. */
function isNamed(name: string, pattern: string): boolean {
  if (matchesGlob(name, pattern)) return true;
  const bare = /^(.+)\.(?:gz|zip)$/i.exec(name)?.[1];
  if (bare === undefined) return false;
  return matchesGlob(bare, pattern) || matchesGlob(`${bare}${extname(pattern)}`, pattern);
}

function claimedTwice(name: string, first: FileStream, second: FileStream): ConnectorFault {
  return new ConnectorFault(
    "config",
    `${name} matches the files of two streams: ${first.name} (${first.files}) and ${second.name} (${second.files}).`,
    "Change `files` of one of them in the connection's settings, so that every file belongs to one stream.",
  );
}

/**
 * A marker that is not newer than its file may have been written first, by a far side that still
 * writes the file: then two looks must find the same.
 */
async function markedFiles(
  watch: Watch,
  seen: ReadonlyMap<string, Entry>,
  names: readonly string[],
  mark: "done-marker" | "manifest",
): Promise<readonly Entry[]> {
  const marked: Entry[] = [];
  const doubtful: string[] = [];
  for (const name of names) {
    const marker = seen.get(companionNames(name)[mark]);
    const file = seen.get(name);
    if (marker?.kind !== "file" || file === undefined) continue;
    if (marker.mtimeMs > file.mtimeMs) marked.push(file);
    else doubtful.push(name);
  }
  const settled = doubtful.length === 0 ? [] : await stableFiles(watch, doubtful);
  return [...marked, ...settled].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function stableFiles(watch: Watch, wanted: readonly string[]): Promise<readonly Entry[]> {
  const { options, host, sightings } = watch;
  const seen = () => wanted.flatMap((name) => sightings.get(name) ?? []);
  if (seen().some((sighting) => !isSettled(watch, sighting))) {
    await options.wait(options.stableForMs);
    watch.waitedMs += options.stableForMs;
    await look(watch);
  }
  for (const sighting of seen().filter((each) => !isSettled(watch, each))) {
    host.log("info", `${sighting.file.name} is still being written and waits for the next run.`);
  }
  return seen().flatMap((sighting) => (isSettled(watch, sighting) ? sighting.file : []));
}

function isSettled({ options, host, waitedMs }: Watch, sighting: Sighting): boolean {
  const clockMs = host.now().since(sighting.at).total("milliseconds");
  return Math.max(clockMs, waitedMs - sighting.waitedMs) >= options.stableForMs;
}
