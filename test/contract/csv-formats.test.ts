import { gzipSync } from "node:zlib";
import { ZipFile } from "yazl";
import { expect, test } from "vitest";
import type { ReadEvent } from "../../src/connector/index.ts";
import { openCsv, pull, readAll, temporaryFolder, testHost, told } from "../support/csv-folder.ts";
import type { State } from "../support/csv-folder.ts";

const A = "account,name\nA1,Abbot\n";
const B = "account,name\nA2,Baker\n";

type Entries = Readonly<Record<string, string | Buffer>>;

async function zip(entries: Entries | readonly (readonly [string, string | Buffer])[]) {
  const file = new ZipFile();
  const list = Array.isArray(entries) ? entries : Object.entries(entries);
  for (const [name, content] of list as readonly (readonly [string, string | Buffer])[])
    file.addBuffer(Buffer.from(content), name, { mtime: new Date(0) });
  file.end();
  const chunks: Buffer[] = [];
  for await (const chunk of file.outputStream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

/** The same bytes with a name of the same length in place of another, wherever it stands. */
function renamed(archive: Buffer, from: string, to: string): Buffer {
  return Buffer.from(archive.toString("latin1").replaceAll(from, to), "latin1");
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, "utf16le").swap16();
}

async function readOne(name: string, content: string | Buffer, settings: object = {}) {
  const folder = await temporaryFolder();
  const host = testHost();
  await using session = await openCsv(folder, host, { ...settings });
  await folder.write(`out/${name}`, content);
  return told(await readAll(session, "customers"));
}

test.for([
  ["UTF-8", Buffer.from("account,name\nA1,Café ½ €\n")],
  ["UTF-8 with byte order mark", Buffer.from("\uFEFFaccount,name\nA1,Café ½ €\n")],
  [
    "Windows-1252",
    Buffer.concat([
      Buffer.from("account,name\nA1,Caf"),
      Buffer.from([0xe9, 0x20, 0xbd, 0x20, 0x80, 0x0a]),
    ]),
  ],
  ["UTF-16 LE with its mark", Buffer.from("\uFEFFaccount,name\nA1,Café ½ €\n", "utf16le")],
  ["UTF-16 BE with its mark", utf16be("\uFEFFaccount,name\nA1,Café ½ €\n")],
] as const)("the encoding is seen by itself: %s", async ([, content]) => {
  expect(await readOne("customers.csv", content)).toContain(
    '2: {"account":"A1","name":"Café ½ €"}',
  );
});

test("UTF-16 without a mark is read when the settings declare it, and refused when they are wrong", async () => {
  const text = 'account,name\r\nA1,"😀\r\nCafé"\r\n';
  const le = Buffer.from(text, "utf16le");
  const expected = String.raw`2: {"account":"A1","name":"😀\r\nCafé"}`;
  expect(await readOne("customers.csv", le, { encoding: "utf-16le" })).toContain(expected);
  const be = utf16be(text);
  expect(await readOne("customers.csv", be, { encoding: "utf-16be" })).toContain(expected);
  const said = [
    await readOne("customers.csv", text, { encoding: "utf-16le" }),
    await readOne("customers.csv", utf16be(`\uFEFF${text}`), { encoding: "utf-16le" }),
    await readOne("customers.csv", Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(A)])),
    await readOne("customers.csv", le.subarray(0, -1), { encoding: "utf-16le" }),
    await readOne("customers.csv", le.subarray(0, -14), { encoding: "utf-16le" }),
  ];
  expect(said.join("\n")).toMatchInlineSnapshot(`
    "refused customers.csv: It is not UTF-16LE, as the settings say: its characters are single bytes. Correct \`encoding\` in the connection's settings, or set it to auto.
    refused customers.csv: Its mark says UTF-16BE; the settings say UTF-16LE. Correct \`encoding\` in the connection's settings, or set it to auto.
    refused customers.csv: It is not UTF-16BE, as its mark says: its characters are single bytes. Export it again. Nothing of this file is applied; what was applied before still holds.
    refused customers.csv: It was cut off: it ends in the middle of a character. Export it again. Nothing of this file is applied; what was applied before still holds.
    refused customers.csv: It was cut off: it ends inside the quoted field that opens on line 2. Export it again. Nothing of this file is applied; what was applied before still holds."
  `);
});

test("half a character in UTF-16 costs its own row, wherever the chunks are cut", async () => {
  const rows = Array.from(
    { length: 30 },
    (_, i) => `B${i},${"x".repeat(i)}${"😀".repeat(2_000)}\n`,
  );
  const text = `\uFEFFaccount,name\nA1,x\uD83Dy\n${rows.join("")}`;
  const said = await readOne("customers.csv", Buffer.from(text, "utf16le"));
  expect(said).toContain("2: rejected A1,");
  expect(said.match(/"account":"B\d+","name":"x*(?:😀){2000}"/gu)).toHaveLength(30);
});

test("a gzip file is read as the text in it, and kept as it came", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  await folder.write("out/customers-1.csv.gz", gzipSync(A));
  const state: State = { cursor: null };
  expect(await pull(session, "customers", state)).toMatchInlineSnapshot(`
    "origin customers-1.csv.gz, kept at archive/customers/2026-03-31/customers-1.csv.gz
    2: {"account":"A1","name":"Abbot"}
    checkpoint"
  `);
  expect(await folder.files()).toEqual(["archive/customers/2026-03-31/customers-1.csv.gz"]);
  await folder.write("out/customers-2.csv.gz", gzipSync(A));
  expect(await pull(session, "customers", state)).toBe("unchanged customers-2.csv.gz");
});

test("a zip of several texts is one set: each part an origin, one checkpoint, the archive's own digest", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  const archive = await zip({ "south.csv": B, "north.csv": Buffer.from(`\uFEFF${A}`, "utf16le") });
  await folder.write("out/customers-1.zip", archive);
  await folder.write(
    "out/customers-1.zip.manifest.json",
    JSON.stringify({ rows: 2, bytes: archive.length }),
  );
  const events = await readAll(session, "customers");
  expect(told(events)).toMatchInlineSnapshot(`
    "origin customers-1.zip/north.csv, kept at archive/customers/2026-03-31/customers-1.zip/north.csv
    2: {"account":"A1","name":"Abbot"}
    origin customers-1.zip/south.csv, kept at archive/customers/2026-03-31/customers-1.zip/south.csv
    2: {"account":"A2","name":"Baker"}
    checkpoint"
  `);
  const origins = events.flatMap((event) => (event.kind === "origin" ? [event.origin] : []));
  expect(new Set(origins.map(({ sha256 }) => sha256)).size).toBe(1);
  expect(origins.map(({ bytes }) => bytes)).toEqual([archive.length, archive.length]);
  const last = events.at(-1);
  if (last?.kind === "checkpoint") await session.applied?.("customers", last.cursor);
  expect(await folder.files()).toEqual([
    "archive/customers/2026-03-31/customers-1.zip",
    "archive/customers/2026-03-31/customers-1.zip.manifest.json",
  ]);
  const [north, south] = origins;
  if (north === undefined || south === undefined) throw new Error("no origins");
  expect(await session.original?.(north, 2)).toBe("A1,Abbot");
  const again: ReadEvent[] = [];
  for await (const event of (await session.again?.("customers", south)) ?? []) again.push(event);
  expect(told(again)).toContain("A2");
});

test("a delta's archive counts once ever by its own content", async () => {
  const folder = await temporaryFolder();
  const host = testHost();
  const session = await openCsv(folder, host);
  const archive = await zip({ "a.csv": "receipt\nR1\n", "b.csv": "receipt\nR2\n" });
  await folder.write("out/receipts-1.zip", archive);
  await folder.write("out/receipts-2.zip", archive);
  const said = await pull(session, "receipts", { cursor: null, host });
  expect(said.match(/"R\d"/g)).toEqual(['"R1"', '"R2"']);
  expect(await folder.files()).toHaveLength(2);
});

test("a single bad part, a bomb, a nested archive or a bad name condemns the whole archive", async () => {
  const flat = await zip({ "part.csv": A });
  const two = await zip({ "pa.csv": A, "pb.csv": B });
  const big = Buffer.alloc(3_000_000, "A1,Abbot\n");
  const encrypted = Buffer.from(flat);
  // The flag of encryption, in the local header and in the directory.
  for (const at of [6, encrypted.indexOf("PK\u0001\u0002") + 8])
    encrypted.writeUInt8(encrypted.readUInt8(at) | 1, at);
  const broken = Buffer.from(await zip({ "part.csv": Buffer.from(A.repeat(20)) }));
  broken.writeUInt8(broken.readUInt8(60) ^ 0xff, 60);
  const cases: readonly (readonly [string, string, Buffer, object?])[] = [
    ["cut-off part", "c.zip", await zip({ "a.csv": A, "b.csv": "account,name\nA1" })],
    ["empty", "c.zip", await zip({})],
    ["traversal", "c.zip", renamed(flat, "part.csv", "../a.csv")],
    ["absolute", "c.zip", renamed(flat, "part.csv", "/art.csv")],
    ["backslashes", "c.zip", renamed(flat, "part.csv", "..\\a.csv")],
    ["folder", "c.zip", renamed(flat, "part.csv", "pa/t.csv")],
    ["control character", "c.zip", renamed(flat, "part.csv", "p\nrt.csv")],
    ["same name twice", "c.zip", renamed(two, "pb.csv", "pa.csv")],
    ["encrypted", "c.zip", encrypted],
    ["broken bytes", "c.zip", broken],
    ["cut off", "c.zip", flat.subarray(0, -30)],
    ["nested", "c.zip", await zip({ "in.zip": flat })],
    ["nested under another name", "c.zip", await zip({ "in.csv": flat })],
    ["ratio", "c.zip", await zip({ "part.csv": big }), { maxRatio: 20 }],
    [
      "size",
      "c.zip",
      await zip({ "part.csv": big }),
      { maxExpandedBytes: 2_000_000, maxRatio: 1_100 },
    ],
    ["entries", "c.zip", two, { maxEntries: 1 }],
    ["gzip bomb", "c.csv.gz", gzipSync(big), { maxRatio: 20 }],
    ["gzip cut off", "c.csv.gz", gzipSync(A).subarray(0, -6)],
    ["gzip in gzip", "c.csv.gz", gzipSync(gzipSync(A))],
    ["no gzip", "c.csv.gz", Buffer.from(A)],
    ["no zip", "c.zip", Buffer.from(A)],
  ];
  const folder = await temporaryFolder();
  const said: string[] = [];
  for (const [what, name, content, archives = {}] of cases) {
    const streams = { customers: { files: "c*.csv" } };
    await using session = await openCsv(folder, testHost(), { streams, archives });
    await folder.write(`out/${name}`, content);
    const line = await pull(session, "customers", { cursor: null });
    expect(line, what).toMatch(/^refused c/);
    said.push(`${what}: ${line.slice(line.indexOf(":") + 2)}`);
  }
  expect(said.join("\n")).toMatchInlineSnapshot(`
    "cut-off part: In b.csv: It was cut off: it ends in the middle of line 2. Export it again. Nothing of this file is applied; what was applied before still holds.
    empty: Its archive is empty. Export it again. Nothing of this file is applied; what was applied before still holds.
    traversal: Its archive cannot be read: invalid relative path: ../a.csv. Export it again. Nothing of this file is applied; what was applied before still holds.
    absolute: Its archive cannot be read: absolute path: /art.csv. Export it again. Nothing of this file is applied; what was applied before still holds.
    backslashes: Its archive cannot be read: invalid characters in fileName: ..\\a.csv. Export it again. Nothing of this file is applied; what was applied before still holds.
    folder: Its archive has the entry "pa/t.csv", whose name cannot be used: it has a path separator. Put the CSV files themselves into the archive, each once, without folders and without another archive.
    control character: Its archive has the entry "p\\nrt.csv", whose name cannot be used: it has a control character. Put the CSV files themselves into the archive, each once, without folders and without another archive.
    same name twice: Its archive has two entries of the name "pa.csv". Put the CSV files themselves into the archive, each once, without folders and without another archive.
    encrypted: Its archive has the encrypted entry "part.csv". Send it without a password, over SFTP.
    broken bytes: Its archive cannot be read: part.csv does not agree with its checksum. Export it again. Nothing of this file is applied; what was applied before still holds.
    cut off: Its archive cannot be read: End of central directory record signature not found. Either not a zip file, or file is truncated. Export it again. Nothing of this file is applied; what was applied before still holds.
    nested: Its archive has another archive in it: "in.zip". Put the CSV files themselves into the archive, each once, without folders and without another archive.
    nested under another name: In in.csv: It is no CSV text: it is a zip archive or an Excel workbook. Export it as plain CSV. An archive is named .zip or .gz; UTF-16 without a mark needs \`encoding\` in the connection's settings.
    ratio: Its archive is refused: it expands to more than 20 times its size. If that is meant, raise the limit under \`archives\` in the connection's settings; otherwise look who wrote it.
    size: Its archive is refused: it expands to more than 2,000,000 bytes. If that is meant, raise the limit under \`archives\` in the connection's settings; otherwise look who wrote it.
    entries: Its archive is refused: it has 2 entries; at most 1 are read. If that is meant, raise the limit under \`archives\` in the connection's settings; otherwise look who wrote it.
    gzip bomb: Its archive is refused: it expands to more than 20 times its size. If that is meant, raise the limit under \`archives\` in the connection's settings; otherwise look who wrote it.
    gzip cut off: Its archive cannot be read: unexpected end of file. Export it again. Nothing of this file is applied; what was applied before still holds.
    gzip in gzip: It is no CSV text: it is a gzip archive. Export it as plain CSV. An archive is named .zip or .gz; UTF-16 without a mark needs \`encoding\` in the connection's settings.
    no gzip: Its name says that it is a gzip archive; it is none. Export it again. Nothing of this file is applied; what was applied before still holds.
    no zip: Its name says that it is a zip archive; it is none. Export it again. Nothing of this file is applied; what was applied before still holds."
  `);
  expect((await folder.files()).filter((name) => name.startsWith("out/"))).toEqual([]);
});

test("the limits of archives hold while they expand: a bomb costs no more than its limit", async () => {
  const folder = await temporaryFolder();
  const session = await openCsv(folder, testHost());
  // 400 MB in 400 kB.
  const layer = gzipSync(Buffer.alloc(4_000_000, "a"));
  await folder.write(
    "out/customers.csv.gz",
    Buffer.concat(Array.from({ length: 100 }, () => layer)),
  );
  const began = performance.now();
  expect(told(await readAll(session, "customers"))).toContain("more than 200 times its size");
  expect(performance.now() - began).toBeLessThan(5_000);
});
