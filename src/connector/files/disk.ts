/**
 * The few things the kit does to disks, each durable or refused, and what their errors mean for the
 * reader.
 */
import { lstat, mkdir, open, rename } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { ConnectorFault } from "../contract.ts";
import type { FaultKind } from "../contract.ts";

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

/** True also for a symbolic link that leads nowhere: its name is taken. */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The path itself, or with `-2`, `-3` … before its ending: the first that is not taken. */
export async function freePath(path: string): Promise<string> {
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${stem}-${number}${ending}`;
    if (!(await isTaken(candidate))) return candidate;
  }
}

/** Moves a file to a name that nobody has; rename alone would overwrite it. */
export async function moveFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (await isTaken(to)) {
    throw new ConnectorFault(
      "defect",
      `Moving ${from} failed: ${to} is there already.`,
      "Nothing was overwritten. Look what that file is and move it away; the next run goes on.",
    );
  }
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Writes the file and its name so that they survive a power cut. */
export async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  await using handle = await open(path, "w");
  await handle.writeFile(content);
  await handle.sync();
}

/**
 * Makes the names in a folder durable. Windows cannot, and needs it less: its names are journalled.
 */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await using handle = await open(path, "r");
  await handle.sync();
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
