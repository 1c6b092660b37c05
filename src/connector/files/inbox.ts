/**
 * The files that wait in `out/`, and which of them are complete. Never opens one for its rows,
 * never follows a symbolic link, and never says a file is complete on one look.
 */
import { lstat, readFile, readdir } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import { z } from "zod";
import { ConnectorFault } from "../contract.ts";
import type { Host, StreamDefinition } from "../contract.ts";
import { codeOf, diskFault } from "./disk.ts";
import type { FoundFile } from "./table.ts";

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
  readonly folder: string;
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
  complete(stream: string): Promise<readonly FoundFile[]>;
  /** Names of files that no stream reads. */
  unclaimed(): Promise<readonly string[]>;
}

/** A file as it was first seen with this size and time. */
interface Sighting {
  readonly file: FoundFile;
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
      const names = await namesIn(watch);
      const wanted = claimed(options.streams, names).get(stream) ?? [];
      switch (options.complete) {
        case "stable":
          return stableFiles(watch, names, wanted);
        case "done-marker":
        case "manifest":
          return markedFiles(watch, wanted, options.complete);
      }
    },
    async unclaimed() {
      const names = await namesIn(watch);
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
export async function findFile(folder: string, name: string): Promise<FoundFile | null> {
  const path = join(folder, name);
  try {
    const stat = await lstat(path);
    return stat.isFile() ? { path, name, bytes: stat.size, mtimeMs: stat.mtimeMs } : null;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw diskFault(`Looking at ${path}`, error);
  }
}

/** `absent`: the file has none. `unreadable`: it may be only half written. */
export async function manifestOf(file: FoundFile): Promise<Manifest | "absent" | "unreadable"> {
  try {
    const text = await readFile(companionNames(file.path).manifest, "utf8");
    return manifestShape.safeParse(JSON.parse(text)).data ?? "unreadable";
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "absent" : "unreadable";
  }
}

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

async function namesIn({ options, host, warned }: Watch): Promise<readonly string[]> {
  const entries = await readdir(options.folder, { withFileTypes: true }).catch((error: unknown) => {
    throw diskFault(`Listing ${options.folder}`, error);
  });
  for (const { name } of entries.filter(
    (entry) => entry.isSymbolicLink() && !warned.has(entry.name),
  )) {
    warned.add(name);
    host.log("warn", `${name} in ${options.folder} is a symbolic link and is not followed.`);
  }
  return entries
    .filter((entry) => entry.isFile() && !NOT_DATA.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

function claimed(
  streams: readonly FileStream[],
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(streams.map(({ name }) => [name, []]));
  for (const name of names) {
    const [first, second] = streams.filter(({ files }) => matchesGlob(name, files));
    if (first !== undefined && second !== undefined) throw claimedTwice(name, first, second);
    if (first !== undefined) found.get(first.name)?.push(name);
  }
  return found;
}

function claimedTwice(name: string, first: FileStream, second: FileStream): ConnectorFault {
  return new ConnectorFault(
    "config",
    `${name} matches the files of two streams: ${first.name} (${first.files}) and ${second.name} (${second.files}).`,
    "Change `files` of one of them in the connection's settings, so that every file belongs to one stream.",
  );
}

async function markedFiles(
  { options }: Watch,
  names: readonly string[],
  mark: "done-marker" | "manifest",
): Promise<readonly FoundFile[]> {
  const files: FoundFile[] = [];
  for (const name of names) {
    if ((await findFile(options.folder, companionNames(name)[mark])) === null) continue;
    const file = await findFile(options.folder, name);
    if (file !== null) files.push(file);
  }
  return files;
}

async function stableFiles(
  watch: Watch,
  names: readonly string[],
  wanted: readonly string[],
): Promise<readonly FoundFile[]> {
  const { options, host, sightings } = watch;
  // Every file of the folder is looked at, so that one wait serves all streams.
  await look(watch, names);
  const seen = () => wanted.flatMap((name) => sightings.get(name) ?? []);
  if (seen().some((sighting) => !isSettled(watch, sighting))) {
    await options.wait(options.stableForMs);
    watch.waitedMs += options.stableForMs;
    await look(watch, wanted);
  }
  for (const sighting of seen().filter((each) => !isSettled(watch, each))) {
    host.log("info", `${sighting.file.name} is still being written and waits for the next run.`);
  }
  return seen().flatMap((sighting) => (isSettled(watch, sighting) ? sighting.file : []));
}

async function look({ options, host, sightings, waitedMs }: Watch, names: readonly string[]) {
  for (const name of names) {
    const file = await findFile(options.folder, name);
    const before = sightings.get(name)?.file;
    if (file === null) sightings.delete(name);
    else if (file.bytes !== before?.bytes || file.mtimeMs !== before.mtimeMs) {
      sightings.set(name, { file, at: host.now(), waitedMs });
    }
  }
}

function isSettled({ options, host, waitedMs }: Watch, sighting: Sighting): boolean {
  const clockMs = host.now().since(sighting.at).total("milliseconds");
  return Math.max(clockMs, waitedMs - sighting.waitedMs) >= options.stableForMs;
}
