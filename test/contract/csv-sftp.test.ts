import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openDropBox } from "../../src/connector/files/index.ts";
import type { DropStep } from "../../src/connector/files/index.ts";
import { ConnectorFault, loadConnector } from "../../src/connector/index.ts";
import type { RenderedOrder, Session } from "../../src/connector/index.ts";
import { openSftpFolder, sftpSettings } from "../../src/connector/sftp/index.ts";
import { pull, readAll, testHost, told } from "../support/csv-folder.ts";
import type { State, TestHost } from "../support/csv-folder.ts";
import { hostKey, startCutter, startSftpServer } from "../support/sftp-server.ts";
import type { SftpServer } from "../support/sftp-server.ts";
import { hasSshd, startSshd } from "../support/sshd.ts";

const A = "account,name\nA1,Abbot\n";
const B = "account,name\nA1,Abbot\nA2,Baker\n";
const PASSWORD = "right horse";
const connector = await loadConnector("csv");

/** What is fetched goes to the folder for temporary files: here one that is cleared away. */
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-sftp-"));
  // Servers of other users run in it too.
  await chmod(folder, 0o755);
  vi.stubEnv("TMPDIR", folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });
});

async function server(options: Parameters<typeof startSftpServer>[0] = {}): Promise<SftpServer> {
  const started = await startSftpServer(options);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

function hostWith(
  secrets: Readonly<Record<string, string>> = { erp_password: PASSWORD },
): TestHost {
  return { ...testHost(), secret: (name) => secrets[name] ?? "" };
}

function settingsFor(at: { readonly port: number; readonly fingerprint: string }) {
  return {
    host: "127.0.0.1",
    port: at.port,
    user: "erp",
    hostKeys: [at.fingerprint],
    passwordSecret: "erp_password",
    folder: "/",
  };
}

/** The csv connector on the server's folder. */
async function openOn(
  at: { readonly port: number; readonly fingerprint: string },
  host: TestHost = hostWith(),
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Session> {
  const given = { sftp: settingsFor(at), stableForMs: 0, ...settings };
  const session = await connector.open(connector.settings.parse(given), host);
  onTestFinished(() => session[Symbol.asyncDispose]());
  return session;
}

async function faultOf(work: Promise<unknown>): Promise<ConnectorFault> {
  const error: unknown = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (error instanceof ConnectorFault) return error;
  throw new Error(`no fault, but ${String(error)}`);
}

test("a snapshot on an SFTP server is read in name order and archived by renaming, with its companions", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host);
  at.put("out/customers-2.csv", B);
  at.put("out/customers-1.csv", A);
  at.put("out/customers-1.csv.manifest.json", JSON.stringify({ rows: 1, bytes: A.length }));
  const state: State = { cursor: null };
  expect(await pull(session, "customers", state)).toMatchInlineSnapshot(`
    "origin customers-1.csv, kept at archive/customers/2026-03-31/customers-1.csv
    2: {"account":"A1","name":"Abbot"}
    totals 1
    checkpoint, more waits"
  `);
  expect(await pull(session, "customers", state)).toContain("Baker");
  expect(await pull(session, "customers", state)).toBe("");
  expect(at.names()).toMatchInlineSnapshot(`
    [
      "archive/customers/2026-03-31/customers-1.csv",
      "archive/customers/2026-03-31/customers-1.csv.manifest.json",
      "archive/customers/2026-03-31/customers-2.csv",
    ]
  `);
  expect(at.asked.filter((one) => one.startsWith("remove"))).toEqual([]);
});

test("A, B, A applies three times over SFTP too; A after A is unchanged; and a delta's content counts once ever", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host);
  const state: State = { cursor: null };
  const kinds = [];
  for (const content of [A, B, A, A]) {
    at.put("out/customers.csv", content);
    kinds.push((await pull(session, "customers", state)).split("\n").at(-1));
  }
  expect(kinds).toEqual(["checkpoint", "checkpoint", "checkpoint", "unchanged customers.csv"]);
  expect(at.names()).toHaveLength(4);
  at.put("out/receipts-1.csv", "receipt\nR1\n");
  at.put("out/receipts-2.csv", "receipt\nR1\n");
  const receipts = await pull(session, "receipts", { cursor: null, host });
  expect(receipts.match(/R1/g)).toHaveLength(1);
  expect(at.names().filter((name) => name.startsWith("out/"))).toEqual([]);
});

test("a file cut off at any byte is fetched on from there, and its rows come once", async () => {
  const at = await server();
  const rows = Array.from({ length: 20_000 }, (_, i) => `A${i},Abbot & Sons ${i}`);
  const text = `account,name\n${rows.join("\n")}\n`;
  at.put("out/customers.csv", text);
  await using cutter = await startCutter(at.port, [3_000, 60_000, 200_000, 90_001]);
  const settings = sftpSettings.parse(settingsFor({ ...at, port: cutter.port }));
  const host = hostWith();
  await using folder = openSftpFolder(settings, host, { pastMs: 0 });
  const [entry] = await folder.list("out");
  if (entry === undefined) throw new Error("no file");
  await using fetched = await folder.fetch("out/customers.csv", entry);
  expect(await readFile(fetched.file.path, "utf8")).toBe(text);
  expect(cutter.left()).toBe(0);
  // Its bytes came once, but for those under way at a cut.
  const reads = at.asked.filter((one) => one.startsWith("read")).length;
  expect(reads).toBeLessThan(text.length / 31_744 + 4 * 32);
});

test("what one session fetched in part the next one goes on with, as long as size and time stand", async () => {
  const at = await server();
  const text = `account,name\n${"A1,Abbot & Sons\n".repeat(120_000)}`;
  at.put("out/customers.csv", text);
  const settings = sftpSettings.parse(settingsFor(at));
  const attempt = async (gives: (offset: number) => boolean) => {
    await using folder = openSftpFolder(settings, hostWith(), { pastMs: 0, retries: 0 });
    at.before = ({ does, offset }) => (does === "read" && !gives(offset) ? "cut" : undefined);
    at.asked.length = 0;
    const [entry] = await folder.list("out");
    if (entry === undefined) throw new Error("no file");
    await using fetched = await folder.fetch("out/customers.csv", entry);
    return await readFile(fetched.file.path, "utf8");
  };
  const reads = () => at.asked.filter((one) => one.startsWith("read")).length;
  await expect(attempt((offset) => offset < 1_500_000)).rejects.toThrow("connection was lost");
  expect(await attempt(() => true)).toBe(text);
  expect(reads()).toBeLessThan(text.length / 31_744 - 10);
  // Another content by then: nothing of the beginning is used.
  await expect(attempt((offset) => offset < 1_500_000)).rejects.toThrow("connection was lost");
  const other = text.replaceAll("Abbot", "Baker");
  at.put("out/customers.csv", other);
  expect(await attempt(() => true)).toBe(other);
});

test("a file that grows, or is written anew, while it is fetched waits for the next run", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host);
  at.put("out/customers.csv", `account,name\n${"A1,Abbot\n".repeat(20_000)}`);
  let written = false;
  at.before = ({ does, offset }) => {
    if (does === "read" && offset > 100_000 && !written) {
      written = true;
      at.put("out/customers.csv", B);
    }
    return undefined;
  };
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged).toMatchInlineSnapshot(`
    [
      "warn: customers.csv waits for the next run: customers.csv had 180013 bytes when it was found and has 31 now.",
    ]
  `);
  expect(told(await readAll(session, "customers"))).toContain("Baker");
});

test("a file replaced within the second of its time, in the same size, is not archived in its place", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host);
  at.put("out/customers.csv", A);
  const last = (await readAll(session, "customers")).at(-1);
  at.put("out/customers.csv", A.replace("Abbot", "Abbey"), 0);
  if (last?.kind === "checkpoint") await session.applied?.("customers", last.cursor);
  expect(at.names()).toEqual(["out/customers.csv"]);
  expect(host.logged.join()).toContain("was replaced by another file of the same name");
});

test("a marker that was written before its file proves nothing: then two looks must find the same", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host, { complete: "done-marker", stableForMs: 40 });
  at.put("out/customers.csv.done", "");
  at.put("out/customers.csv", A);
  let looks = 0;
  at.after = ({ does }) => {
    // It grows between the two looks.
    if (does === "list" && ++looks === 1) at.put("out/customers.csv", B);
    return undefined;
  };
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged.join()).toContain("customers.csv is still being written");
  host.pass(1_000);
  expect(told(await readAll(session, "customers"))).toContain("Baker");
  at.put("out/receipts.csv", "receipt\nR1\n");
  at.put("out/receipts.csv.done", "");
  const before = looks;
  expect(told(await readAll(session, "receipts"))).toContain("R1");
  expect(looks - before).toBe(1);
});

test("a server with another host key than the pinned ones is told nothing and read nothing", async () => {
  const at = await server();
  at.put("out/customers.csv", A);
  const other = await server({ hostKey: hostKey() });
  const fault = await faultOf(openOn({ port: at.port, fingerprint: other.fingerprint }));
  expect(fault.kind).toBe("auth");
  const shown = `${fault.message}\n${fault.instruction}`
    .replaceAll(at.fingerprint, "SHA256:SHOWN")
    .replaceAll(other.fingerprint, "SHA256:PINNED")
    .replaceAll(String(at.port), "22022");
  expect(shown).toMatchInlineSnapshot(`
    "127.0.0.1:22022 shows the host key SHA256:SHOWN (ecdsa-sha2-nistp256), and the settings pin SHA256:PINNED. It may be another server: we did not sign in, and nothing was read or sent.
    Ask whoever runs the server for its fingerprint, over another way than this connection (on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub). Only if it is the one shown, put it under \`sftp.hostKeys\` in the connection's settings."
  `);
  expect(at.asked).toEqual([]);
});

test("a wrong password is a fault that names the secret and never shows it", async () => {
  const at = await server();
  const fault = await faultOf(openOn(at, hostWith({ erp_password: "wrong horse" })));
  expect(fault.kind).toBe("auth");
  expect(`${fault.message}\n${fault.instruction}`.replaceAll(String(at.port), "22022"))
    .toMatchInlineSnapshot(`
      "erp@127.0.0.1:22022 refused to let us in with the password in the secret erp_password.
      Correct the user or the secret, or let the server's administrator add the public key to the user's authorized_keys."
    `);
  const told = JSON.stringify([fault.message, fault.instruction, String(fault.cause), fault.stack]);
  expect(told).not.toContain("wrong horse");
  const sftp = { ...settingsFor(at), passwordSecret: undefined, keySecret: "erp_key" };
  const badKey = await faultOf(openOn(at, hostWith({ erp_key: "no key, but a secret" }), { sftp }));
  expect(badKey.kind).toBe("config");
  expect(`${badKey.message}\n${badKey.instruction}`).toMatchInlineSnapshot(`
    "The secret erp_key holds no private key that can be read: Unsupported key format.
    Store the whole private key file (ssh-keygen -t ed25519), from BEGIN to END; if it is locked, name its passphrase with \`passphraseSecret\`."
  `);
});

test("a server that is gone is waited for, and then the run ends with what to do", async () => {
  const at = await server();
  const gone = { port: at.port, fingerprint: at.fingerprint };
  await at[Symbol.asyncDispose]();
  const host = hostWith();
  const fault = await faultOf(openOn(gone, host));
  expect(fault.kind).toBe("transient");
  expect(`${fault.message}\n${fault.instruction}`.replaceAll(String(at.port), "22022"))
    .toMatchInlineSnapshot(`
      "Opening the folder erp@127.0.0.1:22022:/: looking for its out/ failed: no connection to erp@127.0.0.1:22022 (connect ECONNREFUSED 127.0.0.1:22022).
      See that erp@127.0.0.1:22022 runs and can be reached from here; the next run goes on."
    `);
  expect(host.logged).toHaveLength(4);
});

test("a line that goes dead between two runs is made anew without a word", async () => {
  const at = await server();
  const session = await openOn(at);
  at.put("out/customers.csv", A);
  at.dropAll();
  expect(told(await readAll(session, "customers"))).toContain("Abbot");
});

test("names that lead elsewhere, links and control characters are never asked for", async () => {
  const at = await server();
  const host = hostWith();
  const session = await openOn(at, host, { streams: { customers: { files: "*" } } });
  at.put("out/a\nb.csv", A);
  at.put("out/a:b.csv", A);
  at.put("out/..\\c.csv", A);
  at.files.set("/out/link.csv", { content: Buffer.from("/etc/passwd"), mtime: 1, link: true });
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged.map((line) => line.replaceAll(String(at.port), "22022")))
    .toMatchInlineSnapshot(`
    [
      "warn: "a\\nb.csv" in erp@127.0.0.1:22022:/out is not read: it has a control character.",
      "warn: a:b.csv in erp@127.0.0.1:22022:/out is not read: it has one of the characters < > : " | ? *.",
      "warn: link.csv in erp@127.0.0.1:22022:/out is not read: it is a symbolic link.",
    ]
  `);
  expect(at.asked.filter((one) => one.startsWith("open"))).toEqual([]);
  const origin = { name: "x.csv", keptAt: "archive/../../etc/passwd" };
  expect(await session.original?.(origin, 1)).toBeNull();
  expect(at.asked.join()).not.toContain("passwd");
  for (const folder of ["../other", "a/../b", "a\0b", "a//b"])
    expect(sftpSettings.safeParse({ ...settingsFor(at), folder }).success).toBe(false);
});

test("an applied file is read once more from the server's archive, whole or one row of it", async () => {
  const at = await server();
  const session = await openOn(at);
  at.put("out/customers.csv", B);
  const [origin, , checkpoint] = await readAll(session, "customers");
  if (origin?.kind !== "origin" || checkpoint?.kind !== "checkpoint") throw new Error("no origin");
  await session.applied?.("customers", checkpoint.cursor);
  expect(await session.original?.(origin.origin, 3)).toBe("A2,Baker");
  const events = [];
  for await (const event of (await session.again?.("customers", origin.origin)) ?? [])
    events.push(event);
  expect(told(events)).toMatchInlineSnapshot(`
    "origin customers.csv, kept at archive/customers/2026-03-31/customers.csv
    2: {"account":"A1","name":"Abbot"}
    3: {"account":"A2","name":"Baker"}"
  `);
  at.files.clear();
  expect(await session.again?.("customers", origin.origin)).toBeNull();
});

test("the check says when the folder cannot be listed or written", async () => {
  const at = await server();
  const session = await openOn(at);
  expect(await session.check?.()).toEqual([]);
  expect(at.names()).toEqual([]);
  at.folders.delete("/out");
  at.folders.delete("/");
  const findings = (await session.check?.()) ?? [];
  expect(findings.map(({ level, what }) => `${level}: ${what.replace(/check-.*tmp/, "check.tmp")}`))
    .toMatchInlineSnapshot(`
    [
      "error: Listing /out failed: No such file or directory.",
      "error: Writing /.tradepost-check.tmp failed: No such file or directory.",
    ]
  `);
});

const ORDER: RenderedOrder = {
  key: "WEB-1001",
  tables: [
    { name: "lines", columns: ["webOrder", "line"], rows: [["WEB-1001", "1"]] },
    { name: "header", columns: ["webOrder", "account"], rows: [["WEB-1001", "A1"]] },
  ],
};

/** The other system takes an order when its header is there. */
function take(at: SftpServer): readonly string[] {
  const headers = at.names().filter((name) => /^orders\/WEB-\d+\.csv$/.test(name));
  for (const header of headers) {
    const key = header.slice(0, -4);
    for (const name of [header, `${key}-lines.csv`, `${key}.manifest.json`])
      expect(at.files.delete(`/${name}`), name).toBe(true);
  }
  return headers;
}

test("an order is dropped over SFTP under another name, then renamed: lines, manifest, the header last", async () => {
  const at = await server();
  const steps: string[] = [];
  await using folder = openSftpFolder(sftpSettings.parse(settingsFor(at)), hostWith());
  const probe = (step: DropStep) => steps.push(Object.values(step).join(" "));
  const orders = openDropBox({ folder, delimiter: ",", probe }, hostWith());
  expect(await orders.find("WEB-1001")).toEqual({ kind: "absent" });
  const outcome = await orders.place(ORDER);
  expect(outcome.kind).toBe("handedOver");
  expect(steps).toMatchInlineSnapshot(`
    [
      "staged WEB-1001-lines.csv",
      "staged WEB-1001.manifest.json",
      "staged WEB-1001.csv",
      "journalled",
      "moved WEB-1001-lines.csv",
      "moved WEB-1001.manifest.json",
      "moved WEB-1001.csv",
    ]
  `);
  expect(at.names()).toMatchInlineSnapshot(`
    [
      "orders/.journal/WEB-1001.json",
      "orders/WEB-1001-lines.csv",
      "orders/WEB-1001.csv",
      "orders/WEB-1001.manifest.json",
    ]
  `);
  expect(await orders.find("WEB-1001")).toEqual({ kind: "present", outcome });
  expect(take(at)).toEqual(["orders/WEB-1001.csv"]);
  await orders.place(ORDER);
  expect(take(at)).toEqual([]);
});

test("cut before or after any request of a drop over SFTP, the order is dropped exactly once", async () => {
  const dry = await server();
  await using folder = openSftpFolder(sftpSettings.parse(settingsFor(dry)), hostWith());
  await openDropBox({ folder, delimiter: "," }, hostWith()).place(ORDER);
  const requests = dry.asked.length;
  expect(requests).toBeGreaterThan(20);
  for (const moment of ["before", "after"] as const) {
    for (let cutAt = 1; cutAt <= requests; cutAt++) {
      await using at = await startSftpServer();
      const settings = sftpSettings.parse(settingsFor(at));
      let count = 0;
      at[moment] = () => (++count === cutAt ? "cut" : undefined);
      await using first = openSftpFolder(settings, hostWith(), { retries: 0 });
      const taken: string[] = [];
      await openDropBox({ folder: first, delimiter: "," }, hostWith())
        .place(ORDER)
        .catch(() => null);
      taken.push(...take(at));
      await using second = openSftpFolder(settings, hostWith());
      const orders = openDropBox({ folder: second, delimiter: "," }, hostWith());
      if ((await orders.find("WEB-1001")).kind === "absent") await orders.place(ORDER);
      taken.push(...take(at));
      expect(taken, `${moment} request ${cutAt}`).toEqual(["orders/WEB-1001.csv"]);
      expect(at.names()).toEqual(["orders/.journal/WEB-1001.json"]);
    }
  }
});

test("a file in orders/ that is not ours is never overwritten over SFTP", async () => {
  const at = await server();
  at.put("orders/WEB-1001.csv", "theirs");
  await using folder = openSftpFolder(sftpSettings.parse(settingsFor(at)), hostWith());
  const orders = openDropBox({ folder, delimiter: "," }, hostWith());
  expect(await orders.place(ORDER)).toMatchObject({
    kind: "notNow",
    reason: expect.stringContaining("is there already and is not ours"),
  });
  expect(at.text("orders/WEB-1001.csv")).toBe("theirs");
  await at[Symbol.asyncDispose]();
  expect((await orders.find("WEB-1001")).kind).toBe("cannotTell");
});

if (!hasSshd)
  console.warn(
    "LEFT OUT: the tests against OpenSSH, since /usr/sbin/sshd is not there (apt-get install openssh-server).",
  );

test.skipIf(!hasSshd)(
  "against OpenSSH: pinned host key, sign-in by key, pull, archive, read again, drop, never overwrite",
  async () => {
    await using sshd = await startSshd();
    const sftp = {
      host: "127.0.0.1",
      port: sshd.port,
      user: sshd.user,
      hostKeys: [sshd.fingerprint],
      keySecret: "erp_key",
      folder: sshd.root,
    };
    const secrets = { erp_key: sshd.privateKey.replaceAll("\n", String.raw`\n`) };
    const host = hostWith(secrets);
    const session = await openOn(sshd, host, { sftp });
    expect(await session.check?.()).toEqual([]);
    const text = `account,name\n${Array.from({ length: 40_000 }, (_, i) => `A${i},Abbot ${i}`).join("\n")}\n`;
    await writeFile(join(sshd.root, "out/customers-1.csv"), text);
    await writeFile(join(sshd.root, "out/customers-2.csv.gz"), "not gzip");
    await writeFile(join(sshd.root, "out/elsewhere"), A);
    await symlink(join(sshd.root, "out/elsewhere"), join(sshd.root, "out/customers-0.csv"));
    const state: State = { cursor: null };
    const said = await pull(session, "customers", state);
    expect(said.split("\n")).toHaveLength(40_002);
    expect(await pull(session, "customers", state)).toContain("it is none");
    expect(await readdir(join(sshd.root, "out"))).toEqual(["customers-0.csv", "elsewhere"]);
    expect(await readdir(join(sshd.root, "refused/customers"))).toEqual([
      "customers-2.csv.gz",
      "customers-2.csv.gz.reason.txt",
    ]);
    const kept = join(sshd.root, "archive/customers/2026-03-31/customers-1.csv");
    expect(await readFile(kept, "utf8")).toBe(text);
    const origin = {
      name: "customers-1.csv",
      keptAt: "archive/customers/2026-03-31/customers-1.csv",
    };
    expect(await session.original?.(origin, 40_001)).toBe("A39999,Abbot 39999");
    // OpenSSH's own rename refuses a name that is taken, whatever we looked at before.
    await using folder = openSftpFolder(sftpSettings.parse(sftp), host);
    await writeFile(join(sshd.root, "out/x.csv"), "x");
    await writeFile(join(sshd.root, "orders/x.csv"), "theirs");
    await expect(folder.rename("out/x.csv", "orders/x.csv")).rejects.toThrow("failed");
    expect(await readFile(join(sshd.root, "orders/x.csv"), "utf8")).toBe("theirs");
    expect((await session.orders?.place(ORDER))?.kind).toBe("handedOver");
    expect(await readFile(join(sshd.root, "orders/WEB-1001.csv"), "utf8")).toContain("A1");
    const wrong = { ...sftp, hostKeys: [`SHA256:${"A".repeat(43)}`] };
    expect((await faultOf(openOn(sshd, host, { sftp: wrong }))).kind).toBe("auth");
    const stranger = await promisify(execFile)("sh", [
      "-c",
      `k=$(mktemp -u); ssh-keygen -q -t ed25519 -N '' -f $k; cat $k; rm -f $k $k.pub`,
    ]);
    const refused = await faultOf(openOn(sshd, hostWith({ erp_key: stranger.stdout }), { sftp }));
    expect(refused.kind).toBe("auth");
  },
);
