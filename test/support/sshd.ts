/**
 * A real OpenSSH server on the loopback: its own host key, its own settings, one user with one key,
 * nothing but SFTP. It runs without rights, and is stopped by its process id.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const SSHD = "/usr/sbin/sshd";
/** `nobody`, where we are root. */
const UNPRIVILEGED = 65_534;

/** Without it the tests against OpenSSH are left out, which the check of a clone does not allow. */
export const hasSshd = existsSync(SSHD);

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  readonly fingerprint: string;
  readonly privateKey: string;
  /** The folder that the user sees, on this disk. */
  readonly root: string;
}

export async function startSshd(): Promise<Sshd> {
  const home = await mkdtemp(join(tmpdir(), "tradepost-sshd-"));
  const root = join(home, "data");
  await mkdir(join(root, "out"), { recursive: true });
  await mkdir(join(root, "orders"));
  for (const name of ["host", "user"])
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(home, name)]);
  const port = await freePort();
  await writeFile(join(home, "config"), configOf(home, port));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await giveAway(home);
  const server = spawn(SSHD, ["-D", "-e", "-f", join(home, "config")], {
    stdio: ["ignore", "ignore", "pipe"],
    ...(isRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}),
  });
  const said: string[] = [];
  server.stderr.on("data", (bytes: Buffer) => said.push(bytes.toString()));
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  for (let tries = 0; !said.join("").includes("Server listening"); tries++) {
    if (tries > 100 || server.exitCode !== null)
      throw new Error(`sshd did not start: ${said.join("")}`);
    await setTimeout(50);
  }
  const shown = await run("ssh-keygen", ["-lf", join(home, "host.pub")]);
  return {
    port,
    user: isRoot ? "nobody" : userInfo().username,
    fingerprint: shown.stdout.split(" ")[1] ?? "",
    privateKey: await readFile(join(home, "user"), "utf8"),
    root,
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

function configOf(home: string, port: number): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(home, "host")}`,
    `AuthorizedKeysFile ${join(home, "user.pub")}`,
    "PidFile none",
    "StrictModes no",
    // As root we start it for a user without a password, which only PAM takes for an open account.
    "UsePAM yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "Subsystem sftp internal-sftp",
    `ForceCommand internal-sftp -d ${join(home, "data")}`,
    "",
  ].join("\n");
}

/** The server runs as another user than we, and must read its keys and write its folder. */
async function giveAway(home: string): Promise<void> {
  await chmod(home, 0o755);
  for (const name of ["host", "host.pub", "user.pub", "config", "data", "data/out", "data/orders"])
    await chown(join(home, name), UNPRIVILEGED, UNPRIVILEGED);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
