/** A folder of files as the conformance suite plays it: two streams are enough for the rules. */
import { createWriteStream, existsSync, readdirSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";

const NO_PAGES = "a folder has no pages: a file is read whole, or refused whole";
const NO_SERVER = "a folder is no server: what the disk refuses is a setting to be mended";

export const rig = {
  streams: ["customers", "receipts"],
  waivers: {
    "page-twice": NO_PAGES,
    "page-missing": NO_PAGES,
    "page-short": NO_PAGES,
    "page-earlier": NO_PAGES,
    "pages-out-of-order": NO_PAGES,
    "waits-as-told": NO_SERVER,
    "tries-again": NO_SERVER,
    "fault-sign-in": "nobody signs in to a folder",
    "fault-throttled": NO_SERVER,
    "fault-failing": NO_SERVER,
    "order-refused": "a folder takes every file; the other system's answer comes as a stream",
    "order-in-doubt": "writing a file has no answer that could be lost",
  },
  start,
};

type Row = Readonly<Record<string, string>>;

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-rig-"));
  await mkdir(join(folder, "out"));
  const books = new Map<string, Row[]>([
    ["customers", Array.from({ length: 5 }, (_, n) => customer(n))],
    ["receipts", Array.from({ length: 4 }, (_, n) => receipt(n))],
  ]);
  let files = 0;
  const rows = (stream: string): Row[] => books.get(stream) ?? [];
  const path = (stream: string) => join(folder, "out", `${stream}-${numbered(files)}.csv`);
  const write = async (stream: string, given: readonly Row[]) => {
    files += 1;
    await writeFile(path(stream), csvOf(given));
  };
  await write("customers", rows("customers"));
  await write("receipts", rows("receipts").slice(0, 2));
  await write("receipts", rows("receipts").slice(2));
  const fill = async (stream: string, count: number) => {
    await rm(join(folder, "out"), { recursive: true });
    await mkdir(join(folder, "out"));
    await writeMany(path(stream), stream, count);
  };
  return {
    settings: { folder, stableForMs: 0, encoding: "utf-8" },
    rows,
    async add(stream: string, stamps: readonly unknown[]) {
      const make = stream === "customers" ? customer : receipt;
      const added = stamps.map((_, n) => make(rows(stream).length + n));
      books.set(stream, [...rows(stream), ...added]);
      // A snapshot is written whole, a delta has the new rows only.
      await write(stream, stream === "customers" ? rows(stream) : added);
    },
    async remove(stream: string, index: number) {
      if (stream !== "customers") return;
      books.set(stream, rows(stream).toSpliced(index, 1));
      await write(stream, rows(stream));
    },
    async spoil(stream: string, kind: string) {
      const bad = BAD[kind];
      if (bad === undefined) return false;
      const waiting = readdirSync(join(folder, "out")).filter((name) => name.startsWith(stream));
      await appendFile(join(folder, "out", waiting.sort().at(-1) ?? ""), bad);
      return true;
    },
    async misbehave(what: string, stream: string) {
      // What takes long is as near as a disk comes to not answering.
      if (what === "hangs") await fill(stream, 200_000);
      else if (what === "garbage") await writeFile(path(stream), Buffer.from([0x1f, 0x8b, 8, 0]));
      else return false;
      return true;
    },
    fill,
    orders: ordersOf(folder),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function ordersOf(folder: string) {
  return {
    order: (key: string) => ({
      key,
      tables: [
        { name: "lines", columns: ["webOrder", "code"], rows: [[key, "TIMCLS000002"]] },
        { name: "header", columns: ["webOrder", "account"], rows: [[key, "A1"]] },
      ],
    }),
    held: (key: string) => {
      const names = ["orders", "taken"].flatMap((at) => filesIn(join(folder, at)));
      return names.filter((name) => name.startsWith(key) && isHeader(name)).length;
    },
    async take() {
      await mkdir(join(folder, "taken"), { recursive: true });
      for (const name of filesIn(join(folder, "orders")))
        await rename(join(folder, "orders", name), join(folder, "taken", name));
    },
  };
}

/** Rows that a file can hold and that are wrong; everything is text, and no column is a key. */
const BAD: Readonly<Record<string, Buffer>> = {
  "huge field": Buffer.from(`${"x".repeat(70_000)},y\n`),
  NUL: Buffer.from("A\0B,y\n"),
  "control characters": Buffer.from("A\u001bB,y\n"),
  "wrong charset": Buffer.from([0x41, 0xff, 0xfe, 0x2c, 0x79, 0x0a]),
  "cut row": Buffer.from("A9\n"),
};

/** Without what begins with a dot: that is Tradepost's own. */
function filesIn(path: string): readonly string[] {
  const names = existsSync(path) ? readdirSync(path) : [];
  return names.filter((name) => !name.startsWith("."));
}

function isHeader(name: string): boolean {
  return name.endsWith(".csv") && !/-[a-z]+\.csv$/.test(name);
}

function customer(n: number): Row {
  return { account: `C${numbered(n)}`, name: `Customer ${n}` };
}

function receipt(n: number): Row {
  return { receipt: `R${numbered(n)}`, amount: `${n}.00` };
}

function numbered(n: number): string {
  return String(n).padStart(6, "0");
}

function csvOf(given: readonly Row[]): string {
  const [first = {}] = given;
  const lines = [Object.keys(first), ...given.map((row) => Object.values(row))];
  return lines.map((cells) => `${cells.join(",")}\n`).join("");
}

const CHUNK = 10_000;

async function writeMany(path: string, stream: string, count: number): Promise<void> {
  const make = stream === "customers" ? customer : receipt;
  const file = createWriteStream(path);
  file.write(`${Object.keys(make(0)).join(",")}\n`);
  for (let from = 0; from < count; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, count - from) }, (_, n) => make(from + n));
    const text = rows.map((row) => `${Object.values(row).join(",")}\n`).join("");
    if (!file.write(text)) await new Promise((resolve) => file.once("drain", resolve));
  }
  file.end();
  await finished(file);
}
