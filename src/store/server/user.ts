/**
 * As whom the server's processes run. PostgreSQL refuses to run as root, so root starts them as an
 * unprivileged user; then that user must reach the binaries and the folder.
 */
import { spawn } from "node:child_process";
import { chown, chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { StoreError } from "../error.ts";

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** `nobody` on Linux; on any other Unix simply a user that owns nothing else. */
const NOBODY: ServerUser = { uid: 65534, gid: 65534 };

/** undefined: as ourselves. On Windows `pg_ctl` drops an administrator's rights by itself. */
export async function serverUser(cluster: string): Promise<ServerUser | undefined> {
  const ourselves = process.getuid?.();
  if (ourselves === undefined) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (ourselves !== 0) {
    if (owner !== undefined && owner.uid !== ourselves) throw otherOwner(cluster, owner.uid);
    return undefined;
  }
  if (owner === undefined || owner.uid === 0) return NOBODY;
  return { uid: owner.uid, gid: owner.gid };
}

function otherOwner(cluster: string, uid: number): StoreError {
  return new StoreError(
    "folder-owner",
    `Opening the database in ${cluster}: the folder belongs to user ${uid} and this process runs as ` +
      `user ${process.getuid?.()}. Start Tradepost as the user that made the folder (or as root), ` +
      "or name another folder.",
  );
}

/**
 * The folder that holds the server's files: the one asked for, or, where the unprivileged user
 * cannot reach that, one under /var/lib. The choice is written down beside, so that it stays when
 * rights change.
 */
export async function reachableHome(folder: string, log: (line: string) => void): Promise<string> {
  await mkdir(folder, { recursive: true });
  if (process.getuid?.() !== 0) return folder;
  const note = join(folder, "location.txt");
  const noted = await readFile(note, "utf8").catch(() => undefined);
  if (noted !== undefined) return noted.trim();
  await chmod(folder, 0o711);
  if (await runs("/bin/sh", ["-c", 'cd "$0"', folder], NOBODY)) return folder;
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const home = join("/var/lib/tradepost", name);
  await mkdir(home, { recursive: true, mode: 0o711 });
  await writeFile(note, `${home}\n`);
  log(
    `The database keeps its files in ${home}: its server cannot run as root, and the unprivileged ` +
      `user ${NOBODY.uid} cannot reach ${folder}.`,
  );
  return home;
}

/** A folder of the server's own. */
export async function ownFolder(path: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Whether a program can be run as that user and ends well. */
export function runs(program: string, args: readonly string[], user: ServerUser): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...user, stdio: "ignore", cwd: "/" });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}
