/**
 * A folder of files wherever it is: on a disk or behind SFTP. The rules of files (inbox, shelf,
 * drop) are written once, over this. Paths are relative to the folder, with `/`; nothing reaches
 * one without passing `names.ts`. A folder never follows a link, never overwrites a file that is
 * not our own, and throws errors whose `code` says what a disk's would (`ENOENT`).
 */
import { extname } from "node:path/posix";
import { ConnectorFault } from "../contract.ts";
import type { Finding } from "../contract.ts";
import type { FoundFile } from "./table.ts";

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** A file that can be read here, until it is let go. */
export interface Fetched extends AsyncDisposable {
  readonly file: FoundFile;
  /**
   * True: as long as size and time stay what they were, its content does too. A time of whole
   * seconds does not tell a file from another one that took its place within its second.
   */
  readonly certain: boolean;
}

export interface Folder extends AsyncDisposable {
  /** The path as a person finds it. */
  show(path: string): string;
  /** What an error means for the reader; a fault of ours passes through. */
  fault(doing: string, error: unknown): ConnectorFault;
  list(path: string): Promise<readonly Entry[]>;
  /** Null when there is nothing of that name. A link is a link. */
  look(path: string): Promise<Entry | null>;
  /** A small file whole; null when there is none. `NotReadable` when it is longer, or no file. */
  content(path: string, mostBytes: number): Promise<Buffer | null>;
  /** Throws `FileChanged` when it is not what it was when it was found. */
  fetch(path: string, found: Entry): Promise<Fetched>;
  /** Writes a file of our own and flushes it; one that a kill left half written is replaced. */
  write(path: string, content: string | Buffer): Promise<void>;
  /** To a name that nobody has; the caller has looked. */
  rename(from: string, to: string): Promise<void>;
  /** With the folders above it, where they are missing. */
  makeFolder(path: string): Promise<void>;
  /** Only of what is our own. */
  remove(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** Makes the names in a folder durable, where the far side lets us. */
  settle(path: string): Promise<void>;
  /** Whether it can be used as it must be. */
  check(): Promise<readonly Finding[]>;
}

/** What is there is not what could be read. */
export class NotReadable extends Error {
  override readonly name = "NotReadable";
}

/** The path itself, or with `-2`, `-3` … before its ending: the first that is not taken. */
export async function freePath(folder: Folder, path: string): Promise<string> {
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${stem}-${number}${ending}`;
    if (!(await isTaken(folder, candidate))) return candidate;
  }
}

/** True also for a symbolic link that leads nowhere: its name is taken. */
export async function isTaken(folder: Folder, path: string): Promise<boolean> {
  return (await folder.look(path)) !== null;
}

/** Moves a file to a name that nobody has; some far sides would overwrite it. */
export async function moveFile(folder: Folder, from: string, to: string): Promise<void> {
  const above = to.slice(0, to.lastIndexOf("/"));
  await folder.makeFolder(above);
  if (await isTaken(folder, to)) {
    throw new ConnectorFault(
      "defect",
      `Moving ${folder.show(from)} failed: ${folder.show(to)} is there already.`,
      "Nothing was overwritten. Look what that file is and move it away; the next run goes on.",
    );
  }
  await folder.rename(from, to);
  await folder.settle(above);
}
