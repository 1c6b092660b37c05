/**
 * A PostgreSQL server that a test may kill and start again on the same port, on a folder of its own
 * or on a small disk of its own that can be filled.
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { binFolder } from "../../src/store/server/binaries.ts";
import {
  alive,
  makeCluster,
  readPostmaster,
  startCluster,
  stopCluster,
  type Cluster,
} from "../../src/store/server/cluster.ts";
import { serverUser } from "../../src/store/server/user.ts";

const run = promisify(execFile);

export interface KillablePostgres extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** `kill -9` of the server; its sessions see their connections end. */
  kill(): Promise<void>;
  /** Starts what was killed, ended by itself or is stuck; does nothing while it answers. */
  start(): Promise<void>;
  /**
   * Takes all room that its disk has left, the server's own reserve included. Only where `diskMb`
   * was given. True: the server was seen to fail for want of room.
   */
  fillDisk(): Promise<boolean>;
  freeDisk(): Promise<void>;
}

/** Null: this machine gives no such disk; the reason was said. */
export async function startKillablePostgres(
  given: { readonly diskMb?: number; readonly say?: (line: string) => void } = {},
): Promise<KillablePostgres | null> {
  const home = await mkdtemp(join(tmpdir(), "tradepost-killable-"));
  await chmod(home, 0o755);
  const disk = given.diskMb === undefined ? null : await mountDisk(home, given.diskMb);
  if (disk?.mounted === false) {
    given.say?.(`NOT TRIED: no disk to fill could be made here (${disk.reason}); run it as root`);
    await rm(home, { recursive: true });
    return null;
  }
  const files = join(home, "postgres");
  const user = await serverUser(files);
  const cluster: Cluster = { home, files, user, bin: await binFolder(BINARIES, user) };
  await makeCluster(cluster, PASSWORD);
  const port = await startCluster(cluster, undefined);
  const ballast = join(home, "ballast");
  return {
    url: urlOf(port),
    port,
    kill: () => killServer(cluster),
    start: () => startServer(cluster, port),
    fillDisk: async () => {
      const { bavail, bsize } = await statfs(home);
      // The server writes meanwhile: what no longer fits is full.
      await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch((error: unknown) => {
        if (!String(error).includes("ENOSPC")) throw error;
      });
      return hasNoRoom(urlOf(port));
    },
    freeDisk: () => rm(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      await rm(ballast, { force: true });
      if ((await readPostmaster(cluster)) !== undefined) await stopCluster(cluster);
      if (disk?.mounted === true) await run("umount", ["--lazy", home]);
      await rm(home, { recursive: true, force: true });
    },
  };
}

const PASSWORD = "killable";
/** Where the tests' own server keeps a copy of its programs, when its user needs one. */
const BINARIES = join(tmpdir(), `tradepost-test-${process.getuid?.() ?? "user"}`);

function urlOf(port: number): string {
  return `postgres://tradepost:${PASSWORD}@127.0.0.1:${port}/postgres`;
}

/** More of them than a server of this size keeps ready. */
const SEGMENTS = 64;

/** Segments of its log are made ahead: until those are used up a full disk stops no commit. */
async function hasNoRoom(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    for (let at = 0; at < SEGMENTS; at += 1)
      await client.query("select pg_logical_emit_message(false, 'room', 'x'), pg_switch_wal()");
    return false;
  } catch {
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const PATIENCE_MS = 20_000;

/**
 * PostgreSQL 18 can be left without the process that recovers it, when that found no room: it takes
 * no connection then, until whoever made room starts it anew.
 */
async function answersSoon(url: string): Promise<boolean> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (performance.now() < giveUpAt) {
    const client = new Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      await sleep(100);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

async function mountDisk(
  folder: string,
  megabytes: number,
): Promise<{ readonly mounted: true } | { readonly mounted: false; readonly reason: string }> {
  try {
    const size = `size=${megabytes}m,mode=755`;
    await run("mount", ["-t", "tmpfs", "-o", size, "tmpfs", folder]);
    return { mounted: true };
  } catch (error) {
    return {
      mounted: false,
      reason: error instanceof Error ? error.message.trim() : String(error),
    };
  }
}

async function killServer(cluster: Cluster): Promise<void> {
  const running = await readPostmaster(cluster);
  if (running === undefined) return;
  process.kill(running.pid, "SIGKILL");
  while (alive(running.pid)) await sleep(10);
  // Its sessions notice within a moment; a new server does not start before.
  await sleep(200);
}

async function startServer(cluster: Cluster, port: number): Promise<void> {
  if ((await readPostmaster(cluster)) !== undefined) {
    if (await answersSoon(urlOf(port))) return;
    await killServer(cluster);
  }
  await rm(join(cluster.files, "postmaster.pid"), { force: true });
  for (let tries = 1; ; tries += 1) {
    try {
      const got = await startCluster(cluster, port);
      if (got === port) return;
      await stopCluster(cluster);
    } catch (error) {
      if (tries === 20) throw error;
    }
    await sleep(250);
  }
}
