/**
 * The files of one PostgreSQL cluster and the programs run on them: make, start, stop, recognise.
 */
import { spawn } from "node:child_process";
import { chown, readdir, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { StoreError, reasonOf } from "../error.ts";
import { ownFolder } from "./user.ts";
import type { ServerUser } from "./user.ts";

export interface Cluster {
  /** The folder of everything: locks, password, log, `postgres`. */
  readonly home: string;
  /** PostgreSQL's own folder inside it. */
  readonly files: string;
  readonly bin: string;
  readonly user: ServerUser | undefined;
}

/** Role and database name of an own server. */
export const OWN_NAME = "tradepost";

/**
 * Makes the cluster beside and renames it, so that one cut short is never taken for a whole one.
 */
export async function makeCluster(cluster: Cluster, password: string): Promise<void> {
  const making = `${cluster.files}.new`;
  const secret = join(cluster.home, "password.new");
  await rm(making, { recursive: true, force: true });
  await ownFolder(making, cluster.user);
  await writeFile(secret, password, { mode: 0o600 });
  if (cluster.user !== undefined) await chown(secret, cluster.user.uid, cluster.user.gid);
  try {
    await run(cluster, "initdb", [
      "--pgdata",
      making,
      "--username",
      OWN_NAME,
      "--pwfile",
      secret,
      "--auth",
      "scram-sha-256",
      "--encoding",
      "UTF8",
      "--locale",
      "C",
      "--locale-provider",
      "builtin",
      "--builtin-locale",
      "C.UTF-8",
      "--no-instructions",
    ]);
  } finally {
    await rm(secret, { force: true });
  }
  const settings = join(making, "postgresql.conf");
  await writeFile(settings, "\ninclude 'tradepost.conf'\n", { flag: "a" });
  await rename(making, cluster.files);
}

/** Starts the server on `port`, or on a free one where that is taken; answers the port. */
export async function startCluster(cluster: Cluster, port: number | undefined): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const chosen = attempt === 1 && port !== undefined ? port : await freePort();
    await writeSettings(cluster, chosen);
    const began = Date.now();
    try {
      await run(cluster, "pg_ctl", [
        "start",
        "--pgdata",
        cluster.files,
        "--log",
        startLog(cluster),
        "--wait",
        "--timeout",
        "600",
        "--silent",
      ]);
      return chosen;
    } catch (error) {
      const said = await logTail(cluster, began);
      if (attempt < 5 && said.includes("could not bind")) continue;
      throw new StoreError(
        "server-start",
        `Starting the database in ${cluster.files} failed: ${reasonOf(error)}\n${said}`,
        { cause: error },
      );
    }
  }
}

/** Ends every connection and writes everything down (a "fast" shutdown). */
export async function stopCluster(cluster: Cluster): Promise<void> {
  await run(cluster, "pg_ctl", [
    "stop",
    "--pgdata",
    cluster.files,
    "--mode",
    "fast",
    "--wait",
    "--timeout",
    "120",
    "--silent",
  ]);
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** What `postmaster.pid` says, when the process that it names is alive. */
export async function readPostmaster(cluster: Cluster): Promise<RunningServer | undefined> {
  const text = await readFile(join(cluster.files, "postmaster.pid"), "utf8").catch(() => undefined);
  const [pid, , , port] = (text ?? "").split("\n").map(Number);
  if (pid === undefined || !(pid > 0) || !alive(pid)) return undefined;
  return { pid, port: port ?? 0 };
}

/** After a crash of the machine the file may name a process that has nothing to do with it. */
export async function forgetPostmaster(cluster: Cluster): Promise<void> {
  await rm(join(cluster.files, "postmaster.pid"), { force: true });
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Its command line; undefined where that cannot be told. */
export async function commandOf(pid: number): Promise<string | undefined> {
  const linux = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined);
  if (linux !== undefined) return linux.replaceAll("\0", " ");
  if (process.platform === "win32") return undefined;
  return output("ps", ["-o", "command=", "-p", String(pid)]).catch(() => undefined);
}

/**
 * fsync and full-page writes stay on. Loopback only: rows of a merchant's ledger never listen on a
 * network by default.
 */
async function writeSettings(cluster: Cluster, port: number): Promise<void> {
  const settings = {
    listen_addresses: "'127.0.0.1'",
    port: String(port),
    unix_socket_directories: "''",
    fsync: "on",
    max_connections: "100",
    shared_buffers: "'192MB'",
    work_mem: "'32MB'",
    maintenance_work_mem: "'192MB'",
    max_wal_size: "'2GB'",
    checkpoint_timeout: "'15min'",
    // Nothing copies from this server, so what fills a new or emptied table is only written once.
    wal_level: "'minimal'",
    max_wal_senders: "0",
    jit: "off",
    dynamic_shared_memory_type: (await roomInShm()) ? "'posix'" : "'mmap'",
    password_encryption: "'scram-sha-256'",
    log_min_messages: "'warning'",
    logging_collector: "on",
    log_directory: "'log'",
    log_filename: "'%a.log'",
    log_rotation_age: "'1d'",
    log_truncate_on_rotation: "on",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const path = join(cluster.files, "tradepost.conf");
  await writeFile(path, `# Written at every start.\n${lines.join("\n")}\n`, { mode: 0o600 });
  if (cluster.user !== undefined) await chown(path, cluster.user.uid, cluster.user.gid);
}

/**
 * Containers often get 64 MB of /dev/shm, on which a parallel hash join fails; a file does
 * instead.
 */
async function roomInShm(): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const shm = await statfs("/dev/shm").catch(() => undefined);
  return shm !== undefined && shm.bsize * shm.blocks >= 256 * 1024 * 1024;
}

function startLog(cluster: Cluster): string {
  return join(cluster.files, "start.log");
}

/** What the server said of a start that failed, wherever it said it. */
async function logTail(cluster: Cluster, sinceMs: number): Promise<string> {
  const collected = join(cluster.files, "log");
  const names = await readdir(collected).catch(() => []);
  const logs = [startLog(cluster), ...names.map((name) => join(collected, name))];
  const texts = await Promise.all(logs.map((log) => saidSince(log, sinceMs)));
  const lines = texts.flatMap((text) => text.trimEnd().split("\n").slice(-12));
  return lines.filter((line) => line !== "" && !line.includes("logging collector")).join("\n");
}

/** A log that nobody wrote to since speaks of an earlier start. */
async function saidSince(log: string, sinceMs: number): Promise<string> {
  const written = (await stat(log).catch(() => undefined))?.mtimeMs ?? 0;
  return written < sinceMs ? "" : readFile(log, "utf8").catch(() => "");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function run(cluster: Cluster, program: string, args: readonly string[]): Promise<string> {
  // The working folder must be one that the server's user may stand in.
  return output(join(cluster.bin, program), args, { ...cluster.user, cwd: cluster.home });
}

function output(
  program: string,
  args: readonly string[],
  options: { uid?: number; gid?: number; cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.once("error", reject);
    // "exit", not "close": on Windows the server inherits the pipes and holds them open.
    child.once("exit", (code, signal) => {
      if (code === 0) resolve(said);
      else reject(new Error(`${program} ended with ${code ?? signal}: ${said.trim()}`));
    });
  });
}
