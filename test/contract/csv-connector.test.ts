import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { checkConnector } from "../../src/company/connectors.ts";
import { readSettings } from "../../src/config.ts";
import {
  ConnectorFault,
  connectorFile,
  listConnectors,
  loadConnector,
} from "../../src/connector/index.ts";
import { openCsv, pull, readAll, temporaryFolder, testHost, told } from "../support/csv-folder.ts";
import type { State } from "../support/csv-folder.ts";

const run = promisify(execFile);
const connector = await loadConnector("csv");
const A = "account,name\nA1,Abbot\n";
const B = "account,name\nA1,Abbot\nA2,Baker\n";

test("a connector is found by its folder, and a name that is not there brings the nearest", async () => {
  expect(await listConnectors()).toContain("csv");
  expect(connector.name).toBe("csv");
  const error: unknown = await loadConnector("cvs").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ConnectorFault);
  expect(error).toMatchObject({ kind: "config" });
  expect(String(error)).toMatchInlineSnapshot(
    `"ConnectorFault: There is no connector "cvs". Did you mean "csv"?"`,
  );
  await expect(loadConnector("../src")).rejects.toThrow("no connector");
});

const OWN = `
  import { z } from "zod";
  import { defineConnector } from "#connector";
  export const connector = defineConnector({
    name: "own", about: "A connector of one's own", settings: z.strictObject({}),
    streams: () => [], open: async () => { throw new Error("not needed"); },
  });`;

test("a connector of one's own is found in a folder outside the checkout, and imports the doors", async () => {
  const own = await temporaryFolder();
  const folder = own.path;
  await own.write("own/index.ts", OWN);
  expect(await listConnectors([folder])).toEqual([...(await listConnectors()), "own"].sort());
  expect(await connectorFile("own", [folder])).toBe(join(folder, "own", "index.ts"));
  // In a process of its own: the runner of the tests resolves imports itself.
  const file = join(import.meta.dirname, "..", "..", "src", "connector", "index.ts");
  const script = `import { loadConnector } from ${JSON.stringify(file)};
    console.log((await loadConnector("own", [${JSON.stringify(folder)}])).about);`;
  const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", script]);
  expect(stdout.trim()).toBe("A connector of one's own");
});

test("two connectors of one name, and a folder that is not there, are named with what to do", async () => {
  const own = await temporaryFolder();
  const folder = own.path;
  await own.write("csv/index.ts", OWN);
  const twice: unknown = await loadConnector("csv", [folder]).catch((caught: unknown) => caught);
  expect(twice).toMatchObject({
    kind: "config",
    message: `Two connectors are named "csv": connectors/csv and ${join(folder, "csv")}.`,
  });
  await expect(listConnectors([join(folder, "none")])).rejects.toThrow(
    `The folder of connectors ${join(folder, "none")} cannot be read`,
  );
  const text = `connectorFolders: [.]\ncompanies: { A: { name: A, connections: { erp: ${CSV} } } }\n`;
  const settings = readSettings({ file: join(folder, "tradepost.yaml"), text });
  const entry = settings.companies["A"]?.connections["erp"];
  if (entry === undefined) throw new Error("the settings have no such connection");
  await expect(checkConnector(settings, { company: "A", name: "erp", entry })).rejects.toThrow(
    `tradepost.yaml:1: connectorFolders: found Two connectors are named "csv"`,
  );
});

const CSV = "{ connector: csv, mappings: tradepost-csv, settings: { folder: /srv/erp } }";

test("each record of the canonical vocabulary has a stream by default", async () => {
  const { records } = await import("../../src/model/index.ts");
  const streams = connector.streams(connector.settings.parse({ folder: "/srv/erp" }));
  const singular = (name: string) => name.replace(/ies$/, "y").replace(/(?<!s)s$/, "");
  const found = streams.map(({ name }) => name.replace(/(tch|sh|ch)es$/, "$1"));
  expect(found.map(singular).sort()).toEqual(Object.keys(records).sort());
});

test.for([
  [{ files: "../x*.csv" }, "it has a path separator"],
  [{ files: "/etc/*.csv" }, "it has a path separator"],
  [{ files: "sub\\x.csv" }, "it has a path separator"],
  [{ files: "x\n.csv" }, "it has a control character"],
  [{ files: ".hidden*" }, "it begins with a dot"],
  [{ file: "x.csv" }, 'Unrecognized key: "file"'],
] as const)("settings refuse the pattern %j", ([stream, says]) => {
  const parsed = connector.settings.safeParse({ folder: "/srv", streams: { customers: stream } });
  expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(says);
});

test("a folder that is not there is named with what to do", async () => {
  const folder = await temporaryFolder();
  await rm(join(folder.path, "out"), { recursive: true });
  const error: unknown = await openCsv(folder, testHost()).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    kind: "config",
    instruction: "Correct `folder` in the connection's settings, or mount the share that it is on.",
  });
});

test("a snapshot is one file a read in name order, archived once it was applied", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/customers-20260331-0200.csv", A);
  await folder.write("out/customers-20260331-0300.csv", B);
  const state: State = { cursor: null };
  const first = await readAll(session, "customers");
  expect(told(first)).toMatchInlineSnapshot(`
    "origin customers-20260331-0200.csv, kept at archive/customers/2026-03-31/customers-20260331-0200.csv
    2: {"account":"A1","name":"Abbot"}
    checkpoint, more waits"
  `);
  expect(await folder.files()).toHaveLength(2);
  expect(await pull(session, "customers", state)).toBe(told(first));
  expect(await pull(session, "customers", state)).toMatchInlineSnapshot(`
    "origin customers-20260331-0300.csv, kept at archive/customers/2026-03-31/customers-20260331-0300.csv
    2: {"account":"A1","name":"Abbot"}
    3: {"account":"A2","name":"Baker"}
    checkpoint"
  `);
  expect(await folder.files()).toEqual([
    "archive/customers/2026-03-31/customers-20260331-0200.csv",
    "archive/customers/2026-03-31/customers-20260331-0300.csv",
  ]);
  expect(await pull(session, "customers", state)).toBe("");
});

test("A, B, A applies three times; A after A is unchanged", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  const state: State = { cursor: null };
  const kinds = [];
  for (const content of [A, B, A, A]) {
    await folder.write("out/customers.csv", content);
    kinds.push((await pull(session, "customers", state)).split("\n").at(-1));
  }
  expect(kinds).toEqual(["checkpoint", "checkpoint", "checkpoint", "unchanged customers.csv"]);
  expect(await folder.files()).toEqual([
    "archive/customers/2026-03-31/customers-2.csv",
    "archive/customers/2026-03-31/customers-3.csv",
    "archive/customers/2026-03-31/customers-4.csv",
    "archive/customers/2026-03-31/customers.csv",
  ]);
});

test("a snapshot that was committed and not archived when we were killed is unchanged and then archived", async () => {
  const folder = await temporaryFolder();
  await folder.write("out/customers-1.csv", A);
  const killed = await readAll(await openCsv(folder, testHost()), "customers");
  const last = killed.at(-1);
  const state: State = { cursor: last?.kind === "checkpoint" ? last.cursor : null };
  const session = await openCsv(folder, testHost());
  expect(await pull(session, "customers", state)).toBe("unchanged customers-1.csv");
  expect(await folder.files()).toEqual(["archive/customers/2026-03-31/customers-1.csv"]);
  await session.applied?.("customers", state.cursor);
});

test("a delta gives every waiting file with a checkpoint each, and content applied before but once", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host);
  await folder.write("out/receipts-1.csv", "receipt,amount\nR1,10.00\n");
  await folder.write("out/receipts-2.csv", "receipt,amount\nR2,20.00\n");
  await folder.write("out/receipts-3.csv", "receipt,amount\nR1,10.00\n");
  await folder.write("out/receipts-4.csv", "receipt,amount\n");
  const committedAtTheEnd = told(await readAll(session, "receipts"));
  host.logged.length = 0;
  expect(await pull(session, "receipts", { cursor: null, host })).toBe(committedAtTheEnd);
  expect(committedAtTheEnd).toMatchInlineSnapshot(`
    "origin receipts-1.csv, kept at archive/receipts/2026-03-31/receipts-1.csv
    2: {"receipt":"R1","amount":"10.00"}
    checkpoint, more waits
    origin receipts-2.csv, kept at archive/receipts/2026-03-31/receipts-2.csv
    2: {"receipt":"R2","amount":"20.00"}
    checkpoint, more waits
    origin receipts-3.csv, kept at archive/receipts/2026-03-31/receipts-3.csv
    checkpoint, more waits
    origin receipts-4.csv, kept at archive/receipts/2026-03-31/receipts-4.csv
    checkpoint"
  `);
  expect(host.logged).toEqual([
    "info: receipts-3.csv was applied already: its rows are not read again.",
    "info: receipts-4.csv has no rows.",
  ]);
  expect(await folder.files()).toHaveLength(4);
  expect((await folder.files()).every((name) => name.startsWith("archive/receipts/"))).toBe(true);
});

test("a delta file that was applied in an earlier run gives no rows and is archived", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host);
  await folder.write("out/receipts-1.csv", "receipt,amount\nR1,10.00\n");
  const [origin] = await readAll(session, "receipts");
  const sha256 = origin?.kind === "origin" ? origin.origin.sha256 : "";
  host.appliedDigests.add(`receipts ${sha256}`);
  const again = await openCsv(folder, host);
  expect(await pull(again, "receipts", { cursor: null })).not.toContain("R1");
  expect(await folder.files()).toEqual(["archive/receipts/2026-03-31/receipts-1.csv"]);
});

test("a reading that broke off hands nothing over: later it is read again", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/receipts-1.csv", "receipt,amount\nR1,10.00\n");
  for await (const event of session.read("receipts", null)) if (event.kind === "rows") break;
  await folder.write("out/receipts-0.csv", "receipt,amount\nR0,10.00\n");
  for await (const event of session.read("receipts", null)) {
    if (event.kind !== "checkpoint") continue;
    await session.applied?.("receipts", event.cursor);
    break;
  }
  expect(await folder.files()).toEqual([
    "archive/receipts/2026-03-31/receipts-0.csv",
    "out/receipts-1.csv",
  ]);
});

test("a file that two streams claim is an error that names both", async () => {
  const folder = await temporaryFolder();
  const streams = { customers: {}, mine: { files: "cust*.csv", reading: "delta" } };
  const session = await openCsv(folder, testHost(), { streams });
  await folder.write("out/customers-1.csv", A);
  await expect(readAll(session, "customers")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConnectorFault: customers-1.csv matches the files of two streams: customers (customers{,-*}.csv) and mine (cust*.csv).]`,
  );
});

test("a bad row is rejected by itself, with its line and its raw text", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/customers.csv", 'account,name\nA1\nA2,"Bak"er\nA3,x,y\nA4,3/4" Ltd\n');
  expect(told(await readAll(session, "customers"))).toMatchInlineSnapshot(`
    "origin customers.csv, kept at archive/customers/2026-03-31/customers.csv
    2: rejected A1: Found 1 column; the header has 2.
    3: rejected A2,"Bak"er: Column 2 goes on after its closing quote: found "e" where "," or the end of the line belongs.
    4: rejected A3,x,y: Found 3 columns; the header has 2.
    5: {"account":"A4","name":"3/4\\" Ltd"}
    checkpoint"
  `);
});

test("header names lose their mark and spaces, and any delimiter is found in the header", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  for (const [i, delimiter] of [";", "\t", "|"].entries()) {
    const rows = [
      ["\uFEFFaccount ", ' "name, legal"'.trim()],
      ["A1", `"x${delimiter}y"`],
    ];
    const text = rows.map((row) => row.join(delimiter)).join("\r\n");
    await folder.write(`out/receipts-${i}.csv`, text);
  }
  expect(told(await readAll(session, "receipts"))).toMatchInlineSnapshot(`
    "origin receipts-0.csv, kept at archive/receipts/2026-03-31/receipts-0.csv
    2: {"account":"A1","name, legal":"x;y"}
    checkpoint, more waits
    origin receipts-1.csv, kept at archive/receipts/2026-03-31/receipts-1.csv
    2: {"account":"A1","name, legal":"x\\ty"}
    checkpoint, more waits
    origin receipts-2.csv, kept at archive/receipts/2026-03-31/receipts-2.csv
    2: {"account":"A1","name, legal":"x|y"}
    checkpoint"
  `);
});

test("a file that is not UTF-8 is read as Windows-1252 and the log says so; settings can forbid it", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const bytes = Buffer.from([...Buffer.from("account,name\nA1,Caf"), 0xe9, 0x20, 0x80, 0x0a]);
  await folder.write("out/customers.csv", bytes);
  expect(told(await readAll(await openCsv(folder, host), "customers"))).toContain('"Café €"');
  expect(host.logged).toEqual(["info: customers.csv is not UTF-8 and is read as Windows-1252."]);
  const strict = await openCsv(folder, testHost(), { encoding: "utf-8" });
  expect(told(await readAll(strict, "customers"))).toContain("2: rejected A1,Caf");
});

test("a file that was replaced after it was read is not archived in its place", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host);
  await folder.write("out/customers.csv", A);
  const events = await readAll(session, "customers");
  const last = events.at(-1);
  await folder.write("out/customers.csv", B);
  if (last?.kind === "checkpoint") await session.applied?.("customers", last.cursor);
  expect(await folder.files()).toEqual(["out/customers.csv"]);
  expect(host.logged).toMatchInlineSnapshot(`
    [
      "warn: customers.csv was replaced by another file of the same name after it was read; the new one is read next, and the old one cannot be kept.",
    ]
  `);
});

test("the raw row of a physical line is found in out/, in the archive, and on another day's shelf", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host);
  await folder.write("out/customers.csv", 'account,name\nA1,"Abbot\nand Sons"\nA2,Baker\n');
  const [origin, , checkpoint] = await readAll(session, "customers");
  if (origin?.kind !== "origin" || checkpoint?.kind !== "checkpoint") throw new Error("no origin");
  const rows = async () => {
    const found = [];
    for (const line of [2, 3, 4, 9]) found.push(await session.original?.(origin.origin, line));
    return found;
  };
  const expected = ['A1,"Abbot\nand Sons"', 'A1,"Abbot\nand Sons"', "A2,Baker", null];
  expect(await rows()).toEqual(expected);
  await session.applied?.("customers", checkpoint.cursor);
  expect(await rows()).toEqual(expected);
  const elsewhere = { ...origin.origin, keptAt: "archive/customers/2026-03-30/customers.csv" };
  expect(await session.original?.(elsewhere, 4)).toBe("A2,Baker");
  expect(await session.original?.({ ...elsewhere, sha256: "0" }, 4)).toBeNull();
  const outside = { name: "x", keptAt: "../../etc/hostname" };
  expect(await session.original?.(outside, 1)).toBeNull();
});

test("the check names files that no stream reads", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost(), { streams: { customers: {} } });
  await folder.write("out/customer.csv", A);
  expect(await session.check?.()).toMatchInlineSnapshot(`
    [
      {
        "instruction": "Name it after its stream (customers{,-*}.csv), or take it away.",
        "level": "warning",
        "what": "No stream reads out/customer.csv.",
      },
    ]
  `);
});

test("a cursor of another kind of connection is refused, not guessed at", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await expect(readAll(session, "customers", "2026-03-31")).rejects.toMatchObject({
    kind: "config",
  });
});
