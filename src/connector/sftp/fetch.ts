/**
 * Fetches a remote file into the spool, many reads under way at once, and goes on after a cut from
 * the last byte that came. What is fetched is the file that was found: its size and time are
 * compared before and after, and a beginning is only ever continued when the time of the file was
 * past when that beginning was read, since then another content shows by another time.
 */
import { createHash } from "node:crypto";
import { open, rename, stat } from "node:fs/promises";
import type { SFTPWrapper, Stats } from "ssh2";
import { diskFault } from "../files/disk.ts";
import type { Entry, Fetched } from "../files/folder.ts";
import type { Spool } from "../files/spool.ts";
import { FileChanged } from "../files/table.ts";
import { ask } from "./connection.ts";
import type { Connection } from "./connection.ts";

export interface Fetching {
  readonly connection: Connection;
  readonly spool: Spool;
  readonly signal: AbortSignal;
  /** Of the server and its folder. */
  readonly server: string;
  /** What is being fetched so that it can be gone on with. */
  readonly busy: Set<string>;
  /** True: the time of the file, whole seconds, was past when it was last looked at. */
  readonly isPast: (path: string, entry: Entry) => boolean;
}

/** More than this the library splits in two for servers other than OpenSSH. */
const READ_BYTES = 31_744;
const READS_AT_ONCE = 32;

export async function fetchFile(fetching: Fetching, path: string, entry: Entry): Promise<Fetched> {
  const { spool, busy, server } = fetching;
  const certain = fetching.isPast(path, entry);
  const key = createHash("sha256")
    .update(JSON.stringify([server, path, entry.bytes, entry.mtimeMs]))
    .digest("hex");
  // What was begun before the file's time was past may be the beginning of another content.
  const goesOn = certain && !busy.has(key);
  if (goesOn) busy.add(key);
  try {
    const half = goesOn ? await spool.resume(key) : await spool.place();
    const whole = await fetchTo(fetching, { path, entry, half, goesOn });
    const { size, mtimeMs } = await stat(whole);
    return {
      file: { path: whole, name: entry.name, bytes: size, mtimeMs },
      certain,
      [Symbol.asyncDispose]: () => spool.drop(whole),
    };
  } finally {
    if (goesOn) busy.delete(key);
  }
}

interface Wanted {
  readonly path: string;
  readonly entry: Entry;
  /** Where it is fetched to. */
  readonly half: string;
  /** True: what is there already is its beginning. */
  readonly goesOn: boolean;
}

async function fetchTo(fetching: Fetching, wanted: Wanted): Promise<string> {
  const { connection, spool } = fetching;
  await connection.repeat(async (sftp) => {
    if (!wanted.goesOn) await spool.drop(wanted.half);
    await readOn(fetching, sftp, wanted);
  });
  const whole = await spool.place();
  await rename(wanted.half, whole);
  return whole;
}

async function readOn(
  { signal, spool }: Fetching,
  sftp: SFTPWrapper,
  { path, entry, half }: Wanted,
): Promise<void> {
  const handle = await ask<Buffer>(sftp, (done) => sftp.open(path, "r", done));
  try {
    await assertFound(sftp, handle, entry);
    await using local = await open(half, "a", 0o600).catch((error: unknown) => {
      throw diskFault(`Fetching ${entry.name} to ${half}`, error);
    });
    let at = (await local.stat()).size;
    if (at > entry.bytes) throw new FileChanged(`${entry.name} is shorter than what was fetched.`);
    const reads: Promise<Buffer>[] = [];
    for (let asked = at; at < entry.bytes;) {
      signal.throwIfAborted();
      for (; reads.length < READS_AT_ONCE && asked < entry.bytes; asked += READ_BYTES) {
        const read = readFull(sftp, handle, asked, Math.min(READ_BYTES, entry.bytes - asked));
        // Those behind a failed one fail too, and nobody waits for them.
        read.catch(() => null);
        reads.push(read);
      }
      const bytes = await reads.shift();
      if (bytes === undefined) break;
      if (bytes.length === 0) throw new FileChanged(`${entry.name} ends at byte ${at}.`);
      await local.appendFile(bytes).catch((error: unknown) => {
        throw diskFault(`Fetching ${entry.name} to ${half}`, error);
      });
      at += bytes.length;
    }
    await assertFound(sftp, handle, entry);
    await assertNamed(sftp, path, entry);
  } catch (error) {
    // Its beginning is that of a file which is no more.
    if (error instanceof FileChanged) await spool.drop(half);
    throw error;
  } finally {
    await ask<void>(sftp, (done) => sftp.close(handle, done)).catch(() => null);
  }
}

/** So many bytes, or none when the file ends before; a server may give fewer at a time. */
async function readFull(
  sftp: SFTPWrapper,
  handle: Buffer,
  from: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const got = await ask<number>(sftp, (done) =>
      sftp.read(handle, buffer, filled, length - filled, from + filled, (error, count) =>
        done(isEnd(error) ? null : error, isEnd(error) ? 0 : count),
      ),
    );
    if (got === 0) return Buffer.alloc(0);
    filled += got;
  }
  return buffer;
}

function isEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 1;
}

async function assertFound(sftp: SFTPWrapper, handle: Buffer, entry: Entry): Promise<void> {
  assertEqual(await ask<Stats>(sftp, (done) => sftp.fstat(handle, done)), entry);
}

/** Another file may have taken its name while it was read. */
async function assertNamed(sftp: SFTPWrapper, path: string, entry: Entry): Promise<void> {
  const now = await ask<Stats>(sftp, (done) => sftp.lstat(path, done)).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new FileChanged(`${entry.name} is gone.`);
    throw error;
  });
  assertEqual(now, entry);
}

function assertEqual(now: Stats, { name, bytes, mtimeMs }: Entry): void {
  if (now.size === bytes && now.mtime * 1_000 === mtimeMs) return;
  throw new FileChanged(
    `${name} had ${bytes} bytes when it was found and has ${now.size} now` +
      `${now.size === bytes ? ", written anew" : ""}.`,
  );
}
