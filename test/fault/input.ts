/**
 * Mutated input: no crash, nothing over a second, no more than 64 MB, and every byte belongs to a
 * counted row or to a rejected span, or the whole is refused with its reason. CSV alone, CSV the
 * whole way through a folder, in archives and in UTF-16, JSON as a manifest and as an answer over
 * HTTP. XML and DBF come with the connectors that read them.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { ZipFile } from "yazl";
import { createSplitter, openFileSession } from "#connector/files";
import type { SplitItem } from "#connector/files";
import { openHttp } from "#connector/http";
import { randomOf } from "../../deploy/demo/merchant/index.ts";
import { ConnectorFault } from "../../src/connector/index.ts";
import { inOwnFolder, laneHost } from "./lane-host.ts";
import type { Lane, LaneOptions, LaneRow } from "./lane.ts";
import { mutated, soundTable } from "./mutate.ts";
import type { Random } from "./mutate.ts";

/** Of work: on a machine that does other things too, a clock on the wall proves nothing. */
const MOST_WORK_MS = 1_000;
const MOST_MS = 10_000;
const MOST_BYTES = 64 * 2 ** 20;

interface Found {
  readonly figure: "lost" | "stuck" | "unaccounted";
  readonly what: string;
}

interface Kind {
  readonly name: string;
  /** Of a hundred inputs. */
  readonly share: number;
  /** Null: all is well. */
  readonly judge: (random: Random, place: Place) => Promise<Found | null>;
}

/** What the inputs of a lane share. */
interface Place {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly server: JsonServer;
  count: number;
}

const KINDS: readonly Kind[] = [
  { name: "CSV, split in chunks", share: 70, judge: splitCsv },
  { name: "CSV, through a folder", share: 12, judge: folderCsv },
  { name: "CSV in archives and UTF-16", share: 6, judge: packedCsv },
  { name: "JSON manifests", share: 4, judge: manifests },
  { name: "JSON over HTTP", share: 8, judge: answers },
];

export const input: Lane = (options) => inOwnFolder((folder) => tryAll(options, folder));

async function tryAll({ seed, ci, say }: LaneOptions, folder: string): Promise<readonly LaneRow[]> {
  const stop = new AbortController();
  const server = await startJsonServer();
  const place: Place = { folder, signal: stop.signal, server, count: 0 };
  await mkdir(join(folder, "out"));
  try {
    const rows: LaneRow[] = [];
    for (const kind of KINDS) {
      const row = await tryKind(kind, seed, (ci ? 50 : 1_600) * kind.share, place);
      say(`${kind.name}: ${row.injected} inputs, ${row.findings.length} findings`);
      rows.push(row);
    }
    return rows;
  } finally {
    stop.abort();
    await server.close();
  }
}

const collect = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** How much more memory the process has after one more input than before it. */
async function grownBy(judge: () => Promise<unknown>): Promise<number> {
  collect();
  const before = process.memoryUsage().rss;
  await judge().catch(() => undefined);
  return process.memoryUsage().rss - before;
}

/** What is still there when all garbage is gone. */
function keptBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

async function tryKind(kind: Kind, seed: number, inputs: number, place: Place): Promise<LaneRow> {
  const account = { lost: 0, stuck: 0, unaccounted: 0 };
  const findings: string[] = [];
  const note = ({ figure, what }: Found, one: number) => {
    account[figure] += 1;
    findings.push(`seed ${one}: ${what}`);
  };
  // The first inputs fill caches and compile code: they set what is usual.
  const warm = Math.max(60, inputs / 20);
  let usual = Infinity;
  let kept = Infinity;
  for (let i = 0; i < inputs; i++) {
    const began = performance.now();
    const before = process.cpuUsage();
    const found = await kind
      .judge(randomOf(seed + i, kind.name), place)
      .catch((error: unknown): Found => ({ figure: "stuck", what: `it threw ${String(error)}` }));
    const { user, system } = process.cpuUsage(before);
    const workMs = (user + system) / 1_000;
    const tookMs = performance.now() - began;
    if (found !== null) note(found, seed + i);
    if (workMs > MOST_WORK_MS || tookMs > MOST_MS)
      note(
        { figure: "stuck", what: `${workMs.toFixed(0)} ms, ${tookMs.toFixed(0)} by the clock` },
        seed + i,
      );
    const { rss } = process.memoryUsage();
    if (i < warm) usual = Math.max(usual === Infinity ? 0 : usual, rss);
    else if (rss > usual + MOST_BYTES) {
      // Garbage of many inputs may be in it: this one's own counts, and at the end what is kept.
      const more = await grownBy(() => kind.judge(randomOf(seed + i, kind.name), place));
      if (more > MOST_BYTES) note({ figure: "stuck", what: `${megabytes(more)} more` }, seed + i);
      usual = Math.max(usual, process.memoryUsage().rss);
    }
    if (i === warm) kept = keptBytes();
    if (i % 500 === 499) await clear(place);
  }
  const more = keptBytes() - kept;
  if (more > MOST_BYTES) note({ figure: "stuck", what: `${megabytes(more)} kept` }, seed);
  return {
    row: "F3",
    experiment: kind.name,
    injected: inputs,
    duplicated: 0,
    ...account,
    findings,
  };
}

async function clear({ folder }: Place): Promise<void> {
  for (const name of ["archive", "refused"])
    await rm(join(folder, name), { recursive: true, force: true });
}

async function splitCsv(random: Random): Promise<Found | null> {
  const bytes = mutated(soundTable(random), random);
  const splitter = createSplitter({
    delimiter: random.pick([",", ";", "\t", "|"] as const),
    encoding: random.pick(["utf-8", "windows-1252"] as const),
    maxFieldBytes: random.pick([200, 65_536]),
    maxRowBytes: random.pick([1_000, 1_048_576]),
    keep: random.chance(0.8),
  });
  const items: SplitItem[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random.pick([1, 7, 60, 4_096, 262_144]);
    // In small chunks only where it is short: some thousand are enough.
    const chunk = Buffer.from(bytes.subarray(at, at + (bytes.length > 20_000 ? 65_536 : size)));
    at += chunk.length;
    items.push(...splitter.push(chunk));
    chunk.fill(0x22);
  }
  items.push(...splitter.end());
  const { account } = splitter;
  if (account.bytesRead !== bytes.length || account.bytesAccounted !== bytes.length)
    return unaccounted(`${account.bytesAccounted} of ${bytes.length} bytes accounted for`);
  let end = 0;
  for (const item of items) {
    if (item.start < end || item.end <= item.start)
      return unaccounted(`spans overlap at ${item.start}`);
    end = item.end;
  }
  const rejects = items.filter(({ kind }) => kind === "reject").length;
  return rejects === account.rejects ? null : unaccounted("rejects are not those counted");
}

async function folderCsv(random: Random, place: Place): Promise<Found | null> {
  const bytes = mutated(soundTable(random), random);
  const name = `customers-${++place.count}.csv`;
  await writeFile(join(place.folder, "out", name), bytes);
  const read = await readFolder(random, place);
  if ("figure" in read) return read;
  return read.refused !== null ? null : coverage(bytes, read);
}

async function packedCsv(random: Random, place: Place): Promise<Found | null> {
  const sound = soundTable(random);
  const kind = random.pick(["zip", "csv.gz", "csv"] as const);
  const packed = {
    zip: () => zipOf(sound),
    "csv.gz": () => gzipSync(sound),
    csv: () => utf16(sound),
  };
  const whole = await packed[kind]();
  // Half of them are spoilt inside and packed well, half the other way round.
  const inside = random.chance(0.5);
  const spoilt = mutated(inside ? sound : whole, random);
  const repacked = {
    zip: () => zipOf(spoilt),
    "csv.gz": () => gzipSync(spoilt),
    csv: () => utf16(spoilt),
  };
  const bytes = inside ? await repacked[kind]() : spoilt;
  await writeFile(join(place.folder, "out", `customers-${++place.count}.${kind}`), bytes);
  const read = await readFolder(random, place);
  return "figure" in read ? read : null;
}

async function manifests(random: Random, place: Place): Promise<Found | null> {
  const table = soundTable(random);
  const name = `customers-${++place.count}.csv`;
  const manifest = Buffer.from(JSON.stringify({ rows: 12, bytes: table.length, note: "Café" }));
  const path = join(place.folder, "out", name);
  await writeFile(path, table);
  await writeFile(`${path}.manifest.json`, mutated(manifest, random));
  const read = await readFolder(random, place);
  // One that cannot be read is waited for: the far side may still write it.
  await Promise.all([path, `${path}.manifest.json`].map((one) => rm(one, { force: true })));
  return "figure" in read && read.figure !== "lost" ? read : null;
}

interface Read {
  readonly refused: string | null;
  /** Physical line and text of each row and reject. */
  readonly spans: readonly { readonly line: number; readonly raw: string; readonly row: boolean }[];
}

/** One run over the folder; afterwards nothing waits in it. */
async function readFolder(random: Random, { folder, signal }: Place): Promise<Read | Found> {
  const reading = random.pick(["snapshot", "delta"] as const);
  await using session = await openFileSession(
    {
      folder,
      streams: [{ name: "customers", about: "mutated", reading, files: "customers-*.csv" }],
      format: {
        delimiter: "auto",
        encoding: "auto",
        maxFieldBytes: 65_536,
        maxRowBytes: 1_048_576,
      },
      complete: "stable",
      stableForMs: 0,
      orderDelimiter: ",",
    },
    laneHost({ signal }),
  );
  const spans: { line: number; raw: string; row: boolean }[] = [];
  let refused: string | null = null;
  let settled = false;
  for await (const event of session.read("customers", null)) {
    if (event.kind === "rows") for (const row of event.rows) spans.push({ ...row, row: true });
    if (event.kind === "reject") spans.push({ ...event, row: false });
    if (event.kind === "refused") {
      refused = event.reason;
      settled = true;
      await session.setAside?.("customers", event.origin, event.reason);
    }
    if (event.kind === "checkpoint") {
      settled = true;
      await session.applied?.("customers", event.cursor);
    }
  }
  return settled
    ? { refused, spans }
    : { figure: "lost", what: "it neither came in nor was refused" };
}

/** Told apart by another eye than the splitter's: each line of the text is in a row or rejected. */
function coverage(bytes: Buffer, { spans }: Read): Found | null {
  // It was read as UTF-16, where lines end by other bytes.
  if (/^(?:\xFF\xFE|\xFE\xFF)/.test(bytes.toString("latin1", 0, 2))) return null;
  const lines = bytes
    .toString("latin1")
    .replace(/^\xEF\xBB\xBF/, "")
    .split(/\r\n|\r|\n/);
  const covered = new Set<number>();
  for (const { line, raw, row } of spans) {
    const length = row ? raw.split(/\r\n|\r|\n/).length : 1;
    for (let i = 0; i < length; i++) {
      if (covered.has(line + i)) return unaccounted(`line ${line + i} belongs to two rows`);
      covered.add(line + i);
    }
  }
  const header = lines.findIndex((text) => text !== "") + 1;
  const first = Math.min(...covered, lines.length + 1);
  for (const [i, text] of lines.entries()) {
    const line = i + 1;
    // The header may stand on several lines; it ends where the first row begins.
    if (text === "" || covered.has(line) || (line >= header && line < first)) continue;
    return unaccounted(`line ${line} belongs to no row and to no reject: ${text.slice(0, 60)}`);
  }
  return null;
}

async function answers(random: Random, { server }: Place): Promise<Found | null> {
  // Closes the connections of this one client.
  const stop = new AbortController();
  const rows = Array.from({ length: random.pick([0, 3, 60]) }, (_, i) => ({
    id: i,
    price: "12.50",
    name: 'Café 3/4" BSP',
    parts: [{ deep: [[i]] }],
  }));
  const sound = Buffer.from(JSON.stringify({ rows }));
  const isSpoilt = random.chance(0.9);
  const body = isSpoilt ? mutated(sound, random) : sound;
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (random.chance(0.1)) headers["content-encoding"] = random.pick(["gzip", "br", "deflate", "x"]);
  if (random.chance(0.1)) headers["content-length"] = String(body.length + random.whole(-5, 5));
  server.next = { headers, body };
  const http = openHttp(
    { baseUrl: server.url, perSecond: 1_000, retries: 0, timeoutMs: 700, maxBodyBytes: 2_000_000 },
    laneHost({ signal: stop.signal }),
  );
  try {
    const answer = await http.get("rows");
    const isSame = JSON.stringify(answer.body) === sound.toString();
    return isSpoilt || isSame ? null : { figure: "lost", what: "a sound answer came otherwise" };
  } catch (error) {
    if (error instanceof ConnectorFault && error.instruction !== "") return null;
    throw error;
  } finally {
    stop.abort();
  }
}

interface JsonServer {
  readonly url: string;
  next: { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };
  close(): Promise<void>;
}

async function startJsonServer(): Promise<JsonServer> {
  const listener = createServer((_request, response) => {
    const { headers, body } = server.next;
    response.strictContentLength = false;
    response.writeHead(200, { ...headers, connection: "close" });
    response.end(body);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const server: JsonServer = {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    next: { headers: {}, body: Buffer.alloc(0) },
    async close() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return server;
}

async function zipOf(content: Buffer): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(content, "part.csv", { mtime: new Date(0) });
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

function utf16(content: Buffer): Buffer {
  return Buffer.from(`\uFEFF${content.toString("utf8")}`, "utf16le");
}

function unaccounted(what: string): Found {
  return { figure: "unaccounted", what };
}
