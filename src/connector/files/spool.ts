/**
 * Files that are ours for a while: what was fetched from afar, expanded or turned into UTF-8. Kept
 * apart by session in the system's folder for temporary files, closed to other users, and cleared
 * when the session ends; what a killed process left is cleared by the next. A file half fetched is
 * passed on instead, so that the next session goes on where the last one was cut off.
 */
import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, diskFault } from "./disk.ts";

export interface Spool extends AsyncDisposable {
  /** A path that nobody has. */
  place(): Promise<string>;
  /** The path of what was fetched so far under this key, taken over from an earlier session. */
  resume(key: string): Promise<string>;
  drop(path: string): Promise<void>;
}

/** Files half fetched that are kept for later; the oldest beyond these go. */
const MOST_PARTIAL = 20;
const MOST_PARTIAL_BYTES = 1_073_741_824;
const PARTIAL = "partial";
const HALF = /^[0-9a-f]{64}\.half$/;

export function openSpool(): Spool {
  let opened: Promise<{ root: string; own: string }> | null = null;
  let count = 0;
  const folders = () => {
    opened ??= openFolders().catch((error: unknown) => {
      opened = null;
      throw diskFault(`Making a folder for fetched files in ${tmpdir()}`, error);
    });
    return opened;
  };
  return {
    place: async () => join((await folders()).own, String(++count)),
    async resume(key) {
      const { root, own } = await folders();
      const path = join(own, `${key}.half`);
      // One session alone gets it, since it is moved.
      await rename(join(root, PARTIAL, `${key}.half`), path).catch(() => null);
      return path;
    },
    drop: (path) => rm(path, { force: true }),
    async [Symbol.asyncDispose]() {
      if (opened === null) return;
      const { root, own } = await opened;
      await passOn(root, own);
    },
  };
}

async function openFolders(): Promise<{ root: string; own: string }> {
  for (let tries = 1; ; tries++) {
    try {
      return await makeFolders();
    } catch (error) {
      // A session that ended just now took the empty folders away.
      if (codeOf(error) !== "ENOENT" || tries === 3) throw error;
    }
  }
}

async function makeFolders(): Promise<{ root: string; own: string }> {
  const root = await rootFolder();
  await mkdir(join(root, PARTIAL), { recursive: true });
  for (const name of await readdir(root)) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) await passOn(root, join(root, name));
  }
  return { root, own: await mkdtemp(join(root, `${process.pid}-`)) };
}

/** One folder a user, since it is shared by all sessions of that user alone. */
async function rootFolder(): Promise<string> {
  const user = process.getuid?.() ?? "user";
  const root = join(tmpdir(), `tradepost-spool-${user}`);
  await mkdir(root, { mode: 0o700 }).catch(() => null);
  const found = await lstat(root);
  const isOurs = found.isDirectory() && (process.getuid === undefined || found.uid === user);
  // Another user may have been there first, to read along.
  return isOurs && (process.platform === "win32" || (found.mode & 0o077) === 0)
    ? root
    : mkdtemp(join(tmpdir(), "tradepost-spool-"));
}

/** Keeps what was half fetched and clears the rest of a session's folder. */
async function passOn(root: string, own: string): Promise<void> {
  const names = await readdir(own).catch(() => []);
  for (const name of names.filter((one) => HALF.test(one))) {
    await rename(join(own, name), join(root, PARTIAL, name)).catch(() => null);
  }
  await rm(own, { recursive: true, force: true });
  await thinOut(join(root, PARTIAL));
  // Only what is empty goes.
  for (const folder of [join(root, PARTIAL), root]) await rmdir(folder).catch(() => null);
}

async function thinOut(folder: string): Promise<void> {
  const kept = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => null);
    if (found !== null) kept.push({ path, at: found.mtimeMs, bytes: found.size });
  }
  kept.sort((a, b) => b.at - a.at);
  let bytes = 0;
  for (const [i, file] of kept.entries()) {
    bytes += file.bytes;
    if (i >= MOST_PARTIAL || bytes > MOST_PARTIAL_BYTES) await rm(file.path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
