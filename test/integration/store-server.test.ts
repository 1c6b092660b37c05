import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

/** One folder for the file; each test leaves it without a running server. */
let folder = "";
const held: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tradepost-server-"));
});

afterAll(async () => {
  for (const child of held) child.kill("SIGKILL");
  await (await openHere()).close();
  await rm(folder, { recursive: true, force: true });
});

function openHere(
  options: { service?: boolean; migrate?: boolean; log?: (line: string) => void } = {},
) {
  return openStore({ dataFolder: folder, migrate: false, ...options });
}

const startedAt = async (store: Store) => {
  const [row] = await store.query<{ at: Temporal.Instant }>(
    "SELECT pg_postmaster_start_time() AS at",
  );
  return row?.at.toString();
};

const serverPid = async () =>
  Number((await readFile(join(folder, "postgres/postmaster.pid"), "utf8")).split("\n")[0]);

const isRunning = () =>
  stat(join(folder, "postgres/postmaster.pid")).then(
    () => true,
    () => false,
  );

/** Another process on the folder; answers when its server was started. */
async function hold(role: "service" | "command"): Promise<{ child: ChildProcess; at: string }> {
  const script = join(import.meta.dirname, "../support/hold-store.ts");
  const child = spawn(process.execPath, [script, folder, role], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  held.push(child);
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    child.once("exit", (code) => reject(new Error(`the other process ended with ${code}`)));
  });
  return { child, at: said.trim().replace("ready ", "") };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

test("the first start says that it prepares the database, the next one does not", async () => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  await (await openHere({ log })).close();
  expect(lines.join("\n")).toMatch(/Preparing the database in .*postgres/);
  expect(await isRunning()).toBe(false);
  lines.length = 0;
  await (await openHere({ log })).close();
  expect(lines).toEqual([]);
});

test("the server listens on loopback only, asks for the password and writes through to disk", async () => {
  await using store = await openHere();
  const settings = await store.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN
     ('listen_addresses', 'fsync', 'full_page_writes', 'unix_socket_directories') ORDER BY name`,
  );
  expect(settings.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
    "fsync=on",
    "full_page_writes=on",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
  ]);
  const withoutPassword = new URL(store.url);
  withoutPassword.password = "guess";
  await expect(openStore({ url: withoutPassword.toString() })).rejects.toThrow(
    /password authentication failed/,
  );
  expect((await stat(join(folder, "password"))).mode & 0o777).toBe(0o600);
});

test("a second service is refused and told who has the folder; a command joins", async () => {
  const service = await openHere({ service: true });
  await expect(openHere({ service: true })).rejects.toThrow(
    `another Tradepost service (process ${process.pid}) runs on this folder`,
  );
  const command = await hold("command");
  expect(command.at).toBe(await startedAt(service));
  await service.close();
  expect(await isRunning()).toBe(true);
  command.child.stdin?.end();
  await ended(command.child);
  expect(await isRunning()).toBe(false);
});

test("the server that a killed service left is found again, and the folder is not taken for in use", async () => {
  const service = await hold("service");
  service.child.kill("SIGKILL");
  await ended(service.child);
  expect(await isRunning()).toBe(true);
  const next = await openHere({ service: true });
  expect(await startedAt(next)).toBe(service.at);
  await next.close();
  expect(await isRunning()).toBe(false);
});

test("a killed command's lease does not keep the server up", async () => {
  const service = await openHere({ service: true });
  const command = await hold("command");
  command.child.kill("SIGKILL");
  await ended(command.child);
  await service.close();
  expect(await isRunning()).toBe(false);
});

test.for([
  { says: "a process that is no more", pid: 2 ** 22 - 1 },
  { says: "a process that is not a database", pid: process.pid },
])("after a crash of the machine a postmaster.pid of $says does not block", async ({ pid }) => {
  const files = join(folder, "postgres");
  const lines = [pid, files, 1_700_000_000, 5999, "", "127.0.0.1", "", "ready   "];
  await writeFile(join(files, "postmaster.pid"), `${lines.join("\n")}\n`);
  await using store = await openHere();
  expect(await startedAt(store)).toBeDefined();
});

test("when the server is killed the open store starts it again and loses nothing committed", async () => {
  const lines: string[] = [];
  await using store = await openHere({ service: true, log: (line) => void lines.push(line) });
  await store.affect("CREATE TABLE kept AS SELECT 'committed' AS value");
  process.kill(await serverPid(), "SIGKILL");
  await sleep(100);
  expect(await store.query("SELECT value FROM kept")).toEqual([{ value: "committed" }]);
  expect(lines.join("\n")).toContain("The database server is gone; starting it again.");
});

test("a folder of another PostgreSQL version is left alone", async () => {
  const version = join(folder, "postgres/PG_VERSION");
  await writeFile(version, "17\n");
  await expect(openHere()).rejects.toThrow(/made by PostgreSQL 17, .* brings PostgreSQL 18/);
  await writeFile(version, "18\n");
});

test("a start that fails leaves no server behind", async () => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  await using other = await openStore({ dataFolder: folder });
  await other.query("UPDATE _prisma_migrations SET checksum = 'of another text'");
  await other.close();
  for (let attempt = 0; attempt < 3; attempt += 1)
    await expect(openHere({ log, migrate: true })).rejects.toThrow("from another text");
  await sleep(300);
  expect(lines).toEqual([]);
  expect(await isRunning()).toBe(false);
});

test("a server whose port somebody else has got is started on another", async () => {
  await (await openHere()).close();
  const port = Number(await readFile(join(folder, "port"), "utf8"));
  const taker = createServer();
  await new Promise<void>((resolve) => taker.listen(port, "127.0.0.1", resolve));
  try {
    await using store = await openHere();
    expect(await store.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(new URL(store.url).port).not.toBe(String(port));
  } finally {
    await new Promise((resolve) => taker.close(resolve));
  }
});
