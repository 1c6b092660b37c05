import { gzipSync } from "node:zlib";
import { ZipFile } from "yazl";
import { expect, onTestFinished, test } from "vitest";
import { openConnection } from "../../src/connections/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, type Pulling } from "../support/pulling.ts";
import { hostKey, startSftpServer, type SftpServer } from "../support/sftp-server.ts";

const database = useDatabase();
const HEADER = "account,name,creditLimit";

async function zip(entries: Readonly<Record<string, string>>): Promise<Buffer> {
  const file = new ZipFile();
  for (const [name, text] of Object.entries(entries)) file.addBuffer(Buffer.from(text), name);
  file.end();
  const chunks: Buffer[] = [];
  for await (const chunk of file.outputStream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `A${from + i},A${from + i} Ltd,100.00\n`).join("");

/** The same company, its folder on an SFTP server. */
async function onServer(
  pulling: Pulling,
  server: Pick<SftpServer, "port" | "fingerprint" | "password">,
) {
  const connection = await openConnection({
    ...pulling.context,
    name: "erp",
    secret: () => server.password,
    settings: {
      connector: "csv",
      mode: "read-only",
      mappings: "tradepost-csv",
      settings: {
        stableForMs: 0,
        sftp: {
          host: "127.0.0.1",
          port: server.port,
          user: "erp",
          hostKeys: [server.fingerprint],
          passwordSecret: "erp_password",
          folder: "/",
        },
      },
    },
  });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  return connection;
}

test("an archive of several texts on an SFTP server is one snapshot: published whole, each row traced to its part", async () => {
  const pulling = await openPulling(database.store, ["customer"]);
  const server = await startSftpServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const connection = await onServer(pulling, server);
  const north = `${HEADER}\n${rows(100, 20)}`;
  const south = `${HEADER}\n${rows(200, 20)}A999,no limit,much\n`;
  server.put("out/customers-1.zip", await zip({ "south.csv": south, "north.csv": north }));
  const [run] = await pulling.sync({ streams: ["customers"] }, { connection });
  expect(run?.state).toBe("published");
  expect(run?.rows).toMatchObject({ read: 41, mapped: 40, quarantined: 1 });
  expect(await pulling.rows("customer", "account")).toHaveLength(40);
  expect(await pulling.waiting()).toMatchInlineSnapshot(`
    [
      "customers-1.zip/south.csv:22 creditLimit: "much" in creditLimit",
    ]
  `);
  expect(server.names()).toHaveLength(1);
  // A set that lacks a part lacks its customers: that is what the brake is for.
  server.put("out/customers-2.zip", await zip({ "north.csv": north }));
  const failed = await pulling.sync({ streams: ["customers"] }, { connection });
  expect(failed[0]?.state).toBe("stopped");
  expect(await pulling.rows("customer", "account")).toHaveLength(40);
});

test("another host behind the address publishes nothing; a line that is cut is taken up again in the same run, and every row comes once", async () => {
  const pulling = await openPulling(database.store, ["customer"]);
  const right = await startSftpServer();
  onTestFinished(() => right[Symbol.asyncDispose]());
  const wrong = await startSftpServer({ hostKey: hostKey() });
  onTestFinished(() => wrong[Symbol.asyncDispose]());
  wrong.put("out/customers-1.csv", `${HEADER}\nX1,Wrong host,1.00\n`);
  const { port, password } = wrong;
  const other = { port, password, fingerprint: right.fingerprint };
  await expect(onServer(pulling, other)).rejects.toMatchObject({ kind: "auth" });
  expect(wrong.asked).toEqual([]);
  right.put("out/customers-1.csv.gz", gzipSync(`${HEADER}\n${rows(1_000, 300)}`));
  let reads = 0;
  right.before = ({ does }) => (does === "read" && ++reads === 1 ? "cut" : undefined);
  const connection = await onServer(pulling, right);
  const [run] = await pulling.sync({ streams: ["customers"] }, { connection });
  expect(run?.state).toBe("published");
  expect(reads).toBeGreaterThan(1);
  expect(await pulling.rows("customer", "account")).toHaveLength(300);
  expect(pulling.logged.join()).toContain("the connection was lost");
});
