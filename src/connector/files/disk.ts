/**
 * A folder on a disk, and what a disk's errors mean for the reader. What is written survives a
 * power cut.
 */
import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { access, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConnectorFault } from "../contract.ts";
import type { FaultKind, Finding } from "../contract.ts";
import { NotReadable } from "./folder.ts";
import type { Entry, Folder } from "./folder.ts";

export function openDiskFolder(root: string): Folder {
  const at = (path: string) => join(root, path);
  return {
    show: at,
    fault: diskFault,
    list: (path) => list(at(path)),
    look: (path) => look(at(path)),
    content: (path, mostBytes) => content(at(path), mostBytes),
    fetch: async (path, { name, bytes, mtimeMs }) => ({
      file: { path: at(path), name, bytes, mtimeMs },
      // Reading it again costs little and leaves no doubt.
      certain: false,
      async [Symbol.asyncDispose]() {},
    }),
    write: (path, text) => writeDurably(at(path), text),
    rename: (from, to) => rename(at(from), at(to)),
    makeFolder: async (path) => {
      await mkdir(at(path), { recursive: true });
    },
    remove: (path) => rm(at(path)),
    removeFolder: (path) => rm(at(path), { recursive: true, force: true }),
    settle: (path) => syncFolder(at(path)),
    check: () => check(root),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * `doing` begins the sentence: "Moving out/x.csv to archive/x.csv". A fault of ours passes through.
 */
export function diskFault(doing: string, error: unknown): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  const code = codeOf(error);
  const { kind, instruction } = ADVICE[code] ?? OTHER;
  const said = error instanceof Error ? error.message : String(error);
  return new ConnectorFault(kind, `${doing} failed: ${said}.`, instruction, { cause: error });
}

export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

async function list(path: string): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const name of await readdir(path)) {
    const entry = await look(join(path, name));
    // Else it was taken away meanwhile.
    if (entry !== null) found.push(entry);
  }
  return found;
}

async function look(path: string): Promise<Entry | null> {
  try {
    const stat = await lstat(path);
    return { name: basename(path), kind: kindOf(stat), bytes: stat.size, mtimeMs: stat.mtimeMs };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function kindOf(stat: Stats): Entry["kind"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}

async function content(path: string, mostBytes: number): Promise<Buffer | null> {
  try {
    await using handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const found = await handle.stat();
    if (!found.isFile()) throw new NotReadable(`${path} is no file`);
    if (found.size > mostBytes) throw new NotReadable(`${path} has more than ${mostBytes} bytes`);
    return await handle.readFile();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    if (codeOf(error) === "ELOOP") throw new NotReadable(`${path} is a symbolic link`);
    throw error;
  }
}

/** Writes the file and its content so that they survive a power cut. */
async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  await using handle = await open(path, "w");
  await handle.writeFile(content);
  await handle.sync();
}

/** Windows cannot, and needs it less: its names are journalled. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await using handle = await open(path, "r");
  await handle.sync();
}

async function check(root: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const rights = constants.R_OK | constants.W_OK;
  for (const path of [root, join(root, "out")]) {
    await access(path, rights).catch((error: unknown) => {
      const { message, instruction } = diskFault(`Reading and writing ${path}`, error);
      findings.push({ level: "error", what: message, instruction });
    });
  }
  return findings;
}

const OTHER: { readonly kind: FaultKind; readonly instruction: string } = {
  kind: "transient",
  instruction: "See that the folder can be reached; the next run tries again.",
};

const RIGHTS: typeof OTHER = {
  kind: "config",
  instruction:
    "Give the user that the service runs as the right to read and write the whole folder.",
};

const ADVICE: Readonly<Record<string, typeof OTHER>> = {
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EROFS: RIGHTS,
  ENOENT: {
    kind: "config",
    instruction: "Correct `folder` in the connection's settings, or mount the share that it is on.",
  },
  ENOSPC: { kind: "transient", instruction: "Make room on the disk; the next run tries again." },
  EXDEV: {
    kind: "config",
    instruction: "Keep the whole folder on one file system: files are moved in it by renaming.",
  },
};
