/**
 * Locks between processes. The operating system keeps them and ends them with their process,
 * however it ends, so there is no stale lock to recognise and no process id that another process
 * got since. Node has no file lock of its own; SQLite, which it has, does nothing here but take
 * one.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

export interface FileLock {
  release(): void;
}

/**
 * Only one holder at a time; undefined when another process (or another part of this one) has it.
 */
export function tryExclusive(path: string): FileLock | undefined {
  return tryLock(path, "BEGIN EXCLUSIVE");
}

/** Any number of holders, none while another has it alone. */
export function tryShared(path: string): FileLock | undefined {
  return tryLock(path, "BEGIN; SELECT count(*) FROM sqlite_master");
}

/** Runs `work` while no other process runs its own under the same path. */
export async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  let lock = tryExclusive(path);
  while (lock === undefined) {
    await sleep(40);
    lock = tryExclusive(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

const BUSY = 5;

function tryLock(path: string, begin: string): FileLock | undefined {
  closeSync(openSync(path, "a", 0o600));
  const handle = new DatabaseSync(path, { timeout: 0 });
  try {
    handle.exec(begin);
  } catch (error) {
    handle.close();
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY) return undefined;
    throw error;
  }
  return { release: () => handle.close() };
}
