/** A folder on an SFTP server, with the kit's rules of files over it. */
import { posix } from "node:path";
import type { FileEntryWithStats, SFTPWrapper, Stats } from "ssh2";
import type { Finding, Host } from "../contract.ts";
import { NotReadable } from "../files/folder.ts";
import type { Entry, Folder } from "../files/folder.ts";
import { OUT } from "../files/inbox.ts";
import { openSpool } from "../files/spool.ts";
import { PATIENCE, ask, openConnection } from "./connection.ts";
import type { Connection, Patience } from "./connection.ts";
import { serverName, sftpFault } from "./fault.ts";
import { fetchFile } from "./fetch.ts";
import type { SftpSettings } from "./settings.ts";

export interface SftpOptions extends Partial<Patience> {
  /**
   * A file seen so long with one size and time shows any other content by another time. SFTP tells
   * whole seconds.
   */
  readonly pastMs?: number;
}

interface Sight {
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly at: number;
}

interface Remote {
  readonly settings: SftpSettings;
  readonly connection: Connection;
  readonly pastMs: number;
  readonly at: (path: string) => string;
  /** When each file was first seen as it is, in milliseconds of this process. */
  readonly sights: Map<string, Sight>;
}

export function openSftpFolder(
  settings: SftpSettings,
  host: Host,
  options: SftpOptions = {},
): Folder {
  const connection = openConnection(settings, host, { ...PATIENCE, ...options });
  const spool = openSpool();
  const at = (path: string) => posix.join(settings.folder, path);
  const pastMs = options.pastMs ?? 2_500;
  const remote: Remote = { settings, connection, pastMs, at, sights: new Map() };
  const server = JSON.stringify([settings.host, settings.port, settings.user]);
  const fetching = {
    connection,
    spool,
    signal: host.signal,
    server,
    busy: new Set<string>(),
    isPast: (path: string, entry: Entry) => isPast(remote, path, entry),
  };
  return {
    show: (path) => `${serverName(settings)}:${at(path)}`,
    fault: (doing, error) => sftpFault(settings, doing, error),
    list: (path) => list(remote, at(path)),
    look: (path) => connection.repeat((sftp) => look(remote, sftp, at(path))),
    content: (path, mostBytes) =>
      connection.repeat((sftp) => content(remote, sftp, at(path), mostBytes)),
    fetch: (path, found) => fetchFile(fetching, at(path), found),
    write: (path, text) => connection.repeat((sftp) => write(sftp, at(path), Buffer.from(text))),
    rename: (from, to) =>
      connection.once((sftp) => ask<void>(sftp, (done) => sftp.rename(at(from), at(to), done))),
    makeFolder: (path) => connection.repeat((sftp) => makeFolder(remote, sftp, path)),
    remove: (path) =>
      connection.once((sftp) => ask<void>(sftp, (done) => sftp.unlink(at(path), done))),
    removeFolder: (path) => connection.repeat((sftp) => removeFolder(remote, sftp, at(path))),
    // The protocol has no way to ask for it; the server's file system sees to it.
    settle: async () => {},
    check: () => check(remote),
    async [Symbol.asyncDispose]() {
      await spool[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

async function list(remote: Remote, path: string): Promise<readonly Entry[]> {
  const found = await remote.connection.repeat((sftp) =>
    ask<FileEntryWithStats[]>(sftp, (done) => sftp.readdir(path, done)),
  );
  const entries = found
    .filter(({ filename }) => filename !== "." && filename !== "..")
    .map(({ filename, attrs, longname }) => entryOf(filename, attrs, longname));
  for (const entry of entries) see(remote, `${path}/${entry.name}`, entry);
  return entries;
}

async function look(remote: Remote, sftp: SFTPWrapper, path: string): Promise<Entry | null> {
  try {
    const attrs = await ask<Stats>(sftp, (done) => sftp.lstat(path, done));
    const entry = entryOf(posix.basename(path), attrs, "");
    see(remote, path, entry);
    return entry;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** A server that does not say what something is shows it in the line it would print. */
function entryOf(name: string, attrs: Stats, longname: string): Entry {
  const { size, mtime } = attrs;
  return { name, kind: kindOf(attrs, longname), bytes: size, mtimeMs: mtime * 1_000 };
}

function kindOf(attrs: Stats, longname: string): Entry["kind"] {
  const said: number | undefined = attrs.mode;
  if (said === undefined) return longname.startsWith("-") ? "file" : "other";
  if (attrs.isFile()) return "file";
  if (attrs.isDirectory()) return "folder";
  return attrs.isSymbolicLink() ? "link" : "other";
}

function see({ sights }: Remote, path: string, { bytes, mtimeMs }: Entry): void {
  const before = sights.get(path);
  if (before?.bytes === bytes && before.mtimeMs === mtimeMs) return;
  sights.set(path, { bytes, mtimeMs, at: performance.now() });
}

function isPast({ sights, pastMs }: Remote, path: string, { bytes, mtimeMs }: Entry): boolean {
  const sight = sights.get(path);
  if (sight?.bytes !== bytes || sight.mtimeMs !== mtimeMs) return false;
  return performance.now() - sight.at >= pastMs;
}

async function content(
  remote: Remote,
  sftp: SFTPWrapper,
  path: string,
  mostBytes: number,
): Promise<Buffer | null> {
  const entry = await look(remote, sftp, path);
  if (entry === null) return null;
  const { bytes, kind } = entry;
  if (kind !== "file") throw new NotReadable(`${path} is no file`);
  if (bytes > mostBytes) throw new NotReadable(`${path} has more than ${mostBytes} bytes`);
  return ask<Buffer>(sftp, (done) => sftp.readFile(path, done));
}

async function write(sftp: SFTPWrapper, path: string, bytes: Buffer): Promise<void> {
  const handle = await ask<Buffer>(sftp, (done) => sftp.open(path, "w", done));
  try {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      const part = bytes.subarray(at, at + WRITE_BYTES);
      await ask<void>(sftp, (done) => sftp.write(handle, part, 0, part.length, at, done));
    }
    await flush(sftp, handle);
  } finally {
    await ask<void>(sftp, (done) => sftp.close(handle, done));
  }
}

const WRITE_BYTES = 32_768;

/** OpenSSH can; a server that cannot has not said that it failed. */
async function flush(sftp: SFTPWrapper, handle: Buffer): Promise<void> {
  try {
    await ask<unknown>(sftp, (done) => sftp.ext_openssh_fsync(handle, done));
  } catch (error) {
    if (codeOf(error) !== "ENOTSUP" && !/does not support/.test(String(error))) throw error;
  }
}

async function makeFolder(remote: Remote, sftp: SFTPWrapper, path: string): Promise<void> {
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = remote.at(parts.slice(0, depth).join("/"));
    if ((await look(remote, sftp, folder)) !== null) continue;
    await ask<void>(sftp, (done) => sftp.mkdir(folder, done)).catch(async (error: unknown) => {
      // Another session may have been first.
      if ((await look(remote, sftp, folder)) === null) throw error;
    });
  }
}

async function removeFolder(remote: Remote, sftp: SFTPWrapper, path: string): Promise<void> {
  if ((await look(remote, sftp, path)) === null) return;
  const found = await ask<FileEntryWithStats[]>(sftp, (done) => sftp.readdir(path, done));
  for (const { filename } of found) {
    if (filename === "." || filename === "..") continue;
    const file = `${path}/${filename}`;
    await ask<void>(sftp, (done) => sftp.unlink(file, done));
  }
  await ask<void>(sftp, (done) => sftp.rmdir(path, done));
}

/** Lists `out/`, and writes and takes away a file of our own. */
async function check(remote: Remote): Promise<readonly Finding[]> {
  const { settings, connection, at } = remote;
  const findings: Finding[] = [];
  const attempt = async (doing: string, work: () => Promise<unknown>) => {
    await work().catch((error: unknown) => {
      const { message, instruction } = sftpFault(settings, doing, error);
      findings.push({ level: "error", what: message, instruction });
    });
  };
  const name = `.tradepost-check-${crypto.randomUUID()}.tmp`;
  await attempt(`Listing ${at(OUT)}`, () => list(remote, at(OUT)));
  await attempt(`Writing ${at(name)}`, () =>
    connection.once(async (sftp) => {
      await write(sftp, at(name), Buffer.from("Tradepost may write here.\n"));
      await ask<void>(sftp, (done) => sftp.unlink(at(name), done));
    }),
  );
  return findings;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
