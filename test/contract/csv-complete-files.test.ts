import { appendFile, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFileSession } from "../../src/connector/files/index.ts";
import { openCsv, pull, readAll, temporaryFolder, testHost, told } from "../support/csv-folder.ts";

const A = "account,name\nA1,Abbot\n";
const B = "account,name\nA1,Abbot\nA2,Baker\n";

test("names of files being written, links and folders are left alone", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host, { streams: { customers: { files: "*" } } });
  for (const name of ["a.csv.tmp", "a.csv.part", "a.csv~", "~a.csv", ".a.csv", "a.csv.done"]) {
    await folder.write(`out/${name}`, A);
  }
  await folder.write("elsewhere.csv", A);
  await folder.write("out/folder.csv/a.csv", A);
  await symlink(join(folder.path, "elsewhere.csv"), join(folder.path, "out/link.csv"));
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged.join()).toMatch(/link\.csv in .* is not read: it is a symbolic link/);
});

test("two looks: a file that still grows waits, and one wait serves every stream", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const customers = join(folder.path, "out/customers-1.csv");
  const waits: number[] = [];
  const session = await openFileSession(
    {
      folder: folder.path,
      streams: ["customers", "products"].map((name) => ({
        name,
        about: name,
        reading: "snapshot",
        files: `${name}*.csv`,
      })),
      format: { delimiter: "auto", encoding: "auto", maxFieldBytes: 100, maxRowBytes: 1_000 },
      complete: "stable",
      stableForMs: 3_000,
      orderDelimiter: ",",
      // What happens between the two looks.
      wait: async (ms) => {
        waits.push(ms);
        if (waits.length === 1) await appendFile(customers, "A2,Baker\n");
      },
    },
    host,
  );
  await folder.write("out/customers-1.csv", A);
  await folder.write("out/products-1.csv", "product\nP1\n");
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged).toEqual([
    "info: customers-1.csv is still being written and waits for the next run.",
  ]);
  expect(told(await readAll(session, "products"))).toContain("P1");
  expect(waits).toEqual([3_000]);
  host.pass(3_000);
  expect(told(await readAll(session, "customers"))).toContain("Baker");
  expect(waits).toEqual([3_000]);
});

test("with markers a file waits for its .done, which goes to the archive with it", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost(), { complete: "done-marker" });
  await folder.write("out/customers-1.csv", A);
  expect(await readAll(session, "customers")).toEqual([]);
  await folder.write("out/customers-1.csv.done", "");
  expect(await pull(session, "customers", { cursor: null })).toContain("Abbot");
  expect(await folder.files()).toEqual([
    "archive/customers/2026-03-31/customers-1.csv",
    "archive/customers/2026-03-31/customers-1.csv.done",
  ]);
});

test("a manifest must agree in rows, bytes and digest, and an unreadable one is waited for", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host, { complete: "manifest" });
  const manifest = (content: unknown) =>
    folder.write("out/customers-1.csv.manifest.json", JSON.stringify(content));
  await folder.write("out/customers-1.csv", B);
  expect(await readAll(session, "customers")).toEqual([]);
  await folder.write("out/customers-1.csv.manifest.json", '{ "rows": 2');
  expect(await readAll(session, "customers")).toEqual([]);
  expect(host.logged).toMatchInlineSnapshot(`
    [
      "warn: customers-1.csv waits for the next run: customers-1.csv.manifest.json is not JSON that states rows, bytes or sha256.",
    ]
  `);
  const said = [];
  for (const stated of [{ rows: 3 }, { bytes: 30 }, { sha256: "0".repeat(64) }]) {
    await manifest(stated);
    said.push(told(await readAll(session, "customers")));
  }
  expect(said.join("\n")).toMatchInlineSnapshot(`
    "refused customers-1.csv: Its manifest says 3 rows; it has 2. Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds.
    refused customers-1.csv: Its manifest says 30 bytes; it has 31. Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds.
    refused customers-1.csv: Its manifest says SHA-256 0000000000000000000000000000000000000000000000000000000000000000; it has 2a57391f81c31ac2931a51d80b07868ee61b51ac1389bbeffdf23cc43a916e75. Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds."
  `);
  await manifest({ rows: 2, bytes: B.length, note: "ours" });
  expect(told(await readAll(session, "customers"))).toContain("totals 2\ncheckpoint");
});

test.for([
  ["", "It is empty. Export it again. What was applied before still holds."],
  [
    "account,name\n",
    'It has a header and no rows, which would remove all that was applied before. If that is meant, send it with a manifest (customers-1.csv.manifest.json) that says {"rows": 0}. Otherwise export it again.',
  ],
  [
    "account,name\nA1,Abbot\nA2",
    "It was cut off: it ends in the middle of line 3. Export it again. Nothing of this file is applied; what was applied before still holds.",
  ],
  [
    'account,name\nA1,Abbot\nA2,"Bak',
    "It was cut off: it ends in the middle of line 3. Export it again. Nothing of this file is applied; what was applied before still holds.",
  ],
  [
    'account,name\nA1,Abbot\nA2,"Baker\n',
    "It was cut off: it ends inside the quoted field that opens on line 3. Export it again. Nothing of this file is applied; what was applied before still holds.",
  ],
  [
    Buffer.from(A, "utf16le"),
    "It is no CSV text: it is binary, or UTF-16 text without a mark. Export it as plain CSV. An archive is named .zip or .gz; UTF-16 without a mark needs `encoding` in the connection's settings.",
  ],
  [
    Buffer.from("PK\u0003\u0004rest"),
    "It is no CSV text: it is a zip archive or an Excel workbook. Export it as plain CSV. An archive is named .zip or .gz; UTF-16 without a mark needs `encoding` in the connection's settings.",
  ],
  [
    "account,name, account\nA1,x,y\n",
    'Its header names two columns "account". Give every column a name of its own in the first line.',
  ],
  [
    "account,name,\nA1,x,\n",
    'Column 3 of its header has no name (3 columns, split at ","). Give every column a name of its own in the first line, and end that line without a delimiter.',
  ],
  [
    'account,"name\nA1,x\n',
    'Its header cannot be read. The quote that opens column 2 is never closed. A quote that belongs to the text is written twice in a quoted field ("3/4"" BSP"), or once in a field that does not begin with it (3/4" BSP).',
  ],
] as const)(
  "the snapshot %j is refused whole, and the next one is read",
  async ([content, why]) => {
    const folder = await temporaryFolder();
    const session = await openCsv(folder, testHost());
    await folder.write("out/customers-1.csv", content);
    await folder.write("out/customers-2.csv", B);
    const said = await pull(session, "customers", { cursor: null });
    expect(said.split("\n")[0]).toBe(`refused customers-1.csv: ${why}`);
    expect(said).toContain("Baker");
    expect(said.endsWith("checkpoint")).toBe(true);
    expect(await folder.files()).toEqual([
      "archive/customers/2026-03-31/customers-2.csv",
      "refused/customers/customers-1.csv",
      "refused/customers/customers-1.csv.reason.txt",
    ]);
    expect(await folder.read("refused/customers/customers-1.csv.reason.txt")).toBe(
      `2026-03-31T01:30:00Z\n${why}\n`,
    );
  },
);

test("a delta file that was cut off is refused whole too: it will be sent again", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/receipts-1.csv", "receipt,amount\nR1,10.00\nR2");
  await folder.write("out/receipts-2.csv", "receipt,amo");
  expect(told(await readAll(session, "receipts"))).toMatchInlineSnapshot(`
    "refused receipts-1.csv: It was cut off: it ends in the middle of line 3. Export it again. Nothing of this file is applied; what was applied before still holds.
    refused receipts-2.csv: It was cut off: it ends in the middle of its header. Export it again, the manifest last. Nothing of this file is applied; what was applied before still holds."
  `);
});

test("an empty set is believed when its manifest says so", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/promotions-1.csv", "promotion,name\n");
  await folder.write("out/promotions-1.csv.manifest.json", '{"rows": 0}');
  expect(told(await readAll(session, "promotions"))).toMatchInlineSnapshot(`
    "origin promotions-1.csv, kept at archive/promotions/2026-03-31/promotions-1.csv
    totals 0
    checkpoint"
  `);
});

test("a last line without a line end is a row when its columns are all there", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/customers.csv", "account,name\nA1,Abbot\nA2,Baker");
  expect(told(await readAll(session, "customers"))).toContain("Baker");
});

test("a file that grows while it is read ends the run, and nothing of it is whole", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  const rows = Array.from({ length: 40_000 }, (_, i) => `A${i},Abbot`).join("\n");
  await folder.write("out/customers.csv", `account,name\n${rows}\n`);
  const kinds = new Set<string>();
  const reading = async () => {
    for await (const event of session.read("customers", null)) {
      if (event.kind === "rows" && !kinds.has("rows")) {
        expect(event.rows).toHaveLength(1_000);
        await appendFile(join(folder.path, "out/customers.csv"), "A9,late\n");
      }
      kinds.add(event.kind);
    }
  };
  await expect(reading()).rejects.toMatchObject({
    kind: "transient",
    message: expect.stringContaining("Reading customers.csv: it is still being written."),
  });
  expect([...kinds]).toEqual(["origin", "rows"]);
});

test("a file whose time alone changed is looked at anew and read whole", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/customers.csv", A);
  await readAll(session, "customers");
  await utimes(join(folder.path, "out/customers.csv"), 1, 1);
  expect(told(await readAll(session, "customers"))).toContain("checkpoint");
});
