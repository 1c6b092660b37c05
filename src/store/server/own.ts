/**
 * The own server of a data folder: started by the first process that comes, shared with the others,
 * stopped by the last that leaves, found again when nobody stopped it.
 */
import { randomBytes } from "node:crypto";
import { readFile, realpath, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { StoreError, codeOf, reasonOf } from "../error.ts";
import { SERVER_MAJOR, binFolder } from "./binaries.ts";
import {
  OWN_NAME,
  commandOf,
  forgetPostmaster,
  makeCluster,
  readPostmaster,
  startCluster,
  stopCluster,
} from "./cluster.ts";
import type { Cluster, RunningServer } from "./cluster.ts";
import { alone, tryExclusive, tryShared } from "./lock.ts";
import type { FileLock } from "./lock.ts";
import { reachableHome, serverUser } from "./user.ts";

export interface OwnServer {
  readonly url: string;
  /** Starts the server again, on the same port, when it is gone; does nothing while it runs. */
  revive(): Promise<void>;
  /** Gives the lease back; the last one to do so stops the server. */
  leave(): Promise<void>;
}

export interface OwnServerOptions {
  readonly dataFolder: string;
  /** True: the one service of the folder. False: a command that comes and goes beside it. */
  readonly service: boolean;
  readonly log: (line: string) => void;
}

export async function enterOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const home = await realpath(await reachableHome(resolve(options.dataFolder), options.log));
  const serviceLock = options.service ? await takeService(home) : undefined;
  try {
    const entered = await alone(join(home, "start.lock"), () => enter(home, options.log));
    return server(entered, serviceLock, options.log);
  } catch (error) {
    serviceLock?.release();
    throw error;
  }
}

interface Entered {
  readonly cluster: Cluster;
  readonly password: string;
  readonly port: number;
  readonly lease: FileLock;
}

async function takeService(home: string): Promise<FileLock> {
  const note = join(home, "service.pid");
  const lock = tryExclusive(join(home, "service.lock"));
  if (lock !== undefined) {
    await writeFile(note, `${process.pid}\n`);
    return lock;
  }
  const holder = (await readFile(note, "utf8").catch(() => "")).trim();
  throw new StoreError(
    "folder-in-use",
    `Opening the database in ${home}: another Tradepost service${holder === "" ? "" : ` (process ${holder})`} ` +
      "runs on this folder. Stop it first, name another folder, or give both one PostgreSQL server " +
      "with DATABASE_URL. Commands may run beside a service.",
  );
}

/** Under the folder's lock: nobody else starts, joins or stops the server meanwhile. */
async function enter(home: string, log: (line: string) => void): Promise<Entered> {
  const files = join(home, "postgres");
  const user = await serverUser(files);
  const cluster: Cluster = { home, files, user, bin: await binFolder(home, user) };
  const password = await ownPassword(home);
  const version = await readFile(join(files, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version === undefined) {
    log(`Preparing the database in ${files} (the first start takes a few seconds) …`);
    await makeCluster(cluster, password);
  } else if (version.trim() !== SERVER_MAJOR) throw otherVersion(files, version.trim());
  const port = await ensureRunning(cluster, password);
  await ensureDatabase(password, port);
  const lease = tryShared(join(home, "lease.lock"));
  if (lease === undefined) throw new Error(`lease.lock in ${home} is held outside start.lock`);
  return { cluster, password, port, lease };
}

function server(entered: Entered, serviceLock: FileLock | undefined, log: (line: string) => void) {
  const { cluster, password, port, lease } = entered;
  const underLock = <T>(work: () => Promise<T>) => alone(join(cluster.home, "start.lock"), work);
  let reviving: Promise<void> | undefined;
  const revive = () =>
    underLock(async () => {
      if ((await attachable(cluster, password)) !== undefined) return;
      log("The database server is gone; starting it again.");
      const now = await startCluster(cluster, port);
      if (now !== port) log(`The database server had to move from port ${port} to ${now}.`);
    });
  return {
    url: urlOf(password, port, OWN_NAME),
    revive: () => (reviving ??= revive().finally(() => (reviving = undefined))),
    leave: () =>
      underLock(async () => {
        lease.release();
        const last = tryExclusive(join(cluster.home, "lease.lock"));
        if (last !== undefined && (await readPostmaster(cluster)) !== undefined)
          await stopCluster(cluster);
        last?.release();
        serviceLock?.release();
      }),
  };
}

async function ensureRunning(cluster: Cluster, password: string): Promise<number> {
  const running = await attachable(cluster, password);
  const last = join(cluster.home, "port");
  if (running !== undefined) return running.port;
  const before = Number(await readFile(last, "utf8").catch(() => ""));
  const port = await startCluster(cluster, before > 0 ? before : undefined);
  await writeFile(last, `${port}\n`);
  return port;
}

/**
 * The server that already runs on these files, once it answers: left by a killed process, still
 * recovering, or shared. undefined: none runs, and a `postmaster.pid` that names somebody else is
 * gone.
 */
async function attachable(cluster: Cluster, password: string): Promise<RunningServer | undefined> {
  for (let waited = 0; ; waited += 1) {
    const noted = await readPostmaster(cluster);
    if (noted === undefined) return undefined;
    const answer = noted.port > 0 ? await ask(cluster, password, noted.port) : "nobody";
    if (answer === "ours") return noted;
    const command = await commandOf(noted.pid);
    if (answer === "nobody" && command !== undefined && !command.includes(cluster.files)) {
      await forgetPostmaster(cluster);
      return undefined;
    }
    // Recovery after a crash may take minutes; it says so. Silence is given one minute.
    if (waited >= (answer === "waking" ? 6000 : 600)) throw silent(cluster, noted);
    await sleep(100);
  }
}

async function ask(
  cluster: Cluster,
  password: string,
  port: number,
): Promise<"ours" | "waking" | "nobody"> {
  const client = new Client({ connectionString: urlOf(password, port, "postgres") });
  try {
    await client.connect();
    const found = await client.query<{ data_directory: string }>("SHOW data_directory");
    return found.rows[0]?.data_directory === cluster.files ? "ours" : "nobody";
  } catch (error) {
    // 57P03: starting up, recovering or shutting down. Anything else: not a server of ours.
    return codeOf(error) === "57P03" ? "waking" : "nobody";
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(password: string, port: number): Promise<void> {
  const client = new Client({ connectionString: urlOf(password, port, "postgres") });
  await client.connect();
  try {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [OWN_NAME]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${OWN_NAME}`);
  } finally {
    await client.end();
  }
}

async function ownPassword(home: string): Promise<string> {
  const path = join(home, "password");
  const kept = await readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new StoreError(
      "folder-owner",
      `Reading the database's password from ${path}: ${reasonOf(error)}. Run as the user that made it.`,
      { cause: error },
    );
  });
  if (kept !== undefined) return kept.trim();
  const password = randomBytes(24).toString("hex");
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

function urlOf(password: string, port: number, database: string): string {
  return `postgresql://${OWN_NAME}:${password}@127.0.0.1:${port}/${database}`;
}

function otherVersion(files: string, found: string): StoreError {
  return new StoreError(
    "folder-version",
    `Opening the database in ${files}: it was made by PostgreSQL ${found}, and this Tradepost brings ` +
      `PostgreSQL ${SERVER_MAJOR}. Dump it with the Tradepost that made it and load it into a new folder.`,
  );
}

function silent(cluster: Cluster, noted: RunningServer): StoreError {
  return new StoreError(
    "server-start",
    `Opening the database in ${cluster.files}: process ${noted.pid} holds these files and does not ` +
      `answer on port ${noted.port} for a minute. See the log in ${join(cluster.files, "log")}; ` +
      "if it hangs, stop that process and start again.",
  );
}
