/**
 * A far side that answers JSON over HTTP in pages, and misbehaves: pages come twice, out of order,
 * cut or with too few rows, tokens expire in the middle, it is busy or broken, and somebody edits
 * rows while they are read. Its rows are those that the simulated ERP exports.
 *
 *     GET /faulty/price-rules?limit=500&after=…    GET /clean/sales-lines?changedFrom=…
 */
import { readFile, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { Random } from "../../deploy/demo/merchant/index.ts";

export type Row = Readonly<Record<string, string>>;

export interface FarStream {
  readonly name: string;
  readonly reading: "snapshot" | "delta";
  readonly key: readonly string[];
}

export const STREAMS: readonly FarStream[] = [
  { name: "customers", reading: "snapshot", key: ["account"] },
  { name: "products", reading: "snapshot", key: ["product"] },
  { name: "price-lists", reading: "snapshot", key: ["priceList"] },
  { name: "price-rules", reading: "snapshot", key: ["rule", "fromQuantity"] },
  { name: "sales-documents", reading: "delta", key: ["documentType", "document"] },
  { name: "sales-lines", reading: "delta", key: ["documentType", "document", "line"] },
];

/** One request in four goes wrong. */
const FAULT_SHARE = 0.24;
const KINDS = [
  "page twice",
  "other order",
  "too few rows",
  "empty page",
  "token expired",
  "429",
  "500",
  "503",
  "reset",
  "cut body",
  "slow",
] as const;
type Kind = (typeof KINDS)[number];

export interface FarSide extends AsyncDisposable {
  readonly url: string;
  /** How often each fault was played. */
  readonly played: ReadonlyMap<Kind | "edit while paging", number>;
  /** Rows of a stream now. */
  rows(stream: string): number;
  /** Takes in what the simulated ERP wrote; the files are gone then. */
  take(folder: string): Promise<void>;
  /** False: it behaves from now on, and nobody edits. */
  disturb(on: boolean): void;
}

interface Table {
  readonly stream: FarStream;
  /** By key, so that pages are in the order of the key. */
  readonly rows: Map<string, Row>;
  sorted: readonly string[] | null;
}

export async function openFarSide(random: Random, pageRows: number): Promise<FarSide> {
  const far = new Far(random, pageRows);
  const server = createServer((request, response) => {
    far.answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    played: far.played,
    rows: (stream) => far.table(stream).rows.size,
    take: (folder) => far.take(folder),
    disturb: (on) => {
      far.disturbing = on;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

class Far {
  readonly played = new Map<Kind | "edit while paging", number>();
  disturbing = false;
  readonly #random: Random;
  readonly #pageRows: number;
  readonly #tables = new Map<string, Table>();
  #tokens = 0;
  #stamps = 0;
  #asked = 0;
  /** The page given last, by stream. */
  readonly #last = new Map<string, string>();

  constructor(random: Random, pageRows: number) {
    this.#random = random;
    this.#pageRows = pageRows;
    for (const stream of STREAMS)
      this.#tables.set(stream.name, { stream, rows: new Map(), sorted: null });
  }

  table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`the far side has no stream ${name}`);
    return table;
  }

  async take(folder: string): Promise<void> {
    for (const file of (await readdir(folder)).toSorted()) {
      // What is being written has a name with a dot.
      if (file.startsWith(".")) continue;
      const stream = STREAMS.find(({ name }) => file.startsWith(`${name}-2`));
      if (stream !== undefined) this.#takeFile(stream, await readFile(join(folder, file), "utf8"));
      await rm(join(folder, file), { recursive: true });
    }
  }

  #takeFile(stream: FarStream, text: string): void {
    const table = this.table(stream.name);
    if (stream.reading === "snapshot") table.rows.clear();
    for (const row of parse(text, { columns: true, bom: true }) as Row[]) this.#put(table, row);
  }

  #put(table: Table, row: Row): void {
    const key = keyOf(table.stream, row);
    table.sorted = null;
    table.rows.set(
      key,
      table.stream.reading === "delta" ? { ...row, changedAt: this.#stamp() } : row,
    );
  }

  /** Forty rows share each stamp, so that a page ends between two of them. */
  #stamp(): string {
    this.#stamps += 1;
    return Temporal.Instant.from("2026-01-01T00:00:00Z")
      .add({ seconds: Math.floor(this.#stamps / 40) })
      .toString({ smallestUnit: "millisecond" });
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://far.side");
    if (url.pathname === "/token") return this.#giveToken(response);
    const [, how = "", stream = ""] = url.pathname.split("/");
    if (!this.#tables.has(stream)) return send(response, 404, { error: "no such list" });
    const faulty = how === "faulty" && this.disturbing;
    if (faulty) this.#edit();
    const kind = faulty && this.#random.chance(FAULT_SHARE) ? this.#random.pick(KINDS) : null;
    if (request.headers.authorization !== `Bearer ${this.#tokens}`)
      return send(response, 401, { error: "token expired" });
    if (kind !== null) this.played.set(kind, (this.played.get(kind) ?? 0) + 1);
    this.#give(stream, this.#page(this.table(stream), url.searchParams), kind, response);
  }

  #giveToken(response: ServerResponse): void {
    this.#tokens += 1;
    send(response, 200, {
      access_token: String(this.#tokens),
      token_type: "Bearer",
      expires_in: 3_600,
    });
  }

  #give(stream: string, page: Page, kind: Kind | null, response: ServerResponse): void {
    const whole = textOf(page);
    const before = this.#last.get(stream) ?? whole;
    if (kind === null) this.#last.set(stream, whole);
    switch (kind) {
      case null:
        return sendText(response, 200, whole);
      case "page twice":
        return sendText(response, 200, before);
      case "other order":
        return sendText(response, 200, textOf({ ...page, rows: page.rows.toReversed() }));
      case "too few rows":
        return sendText(response, 200, textOf(this.#shortened(page, this.#random.whole(1, 5))));
      case "empty page":
        return sendText(response, 200, textOf(this.#shortened(page, 0)));
      case "token expired":
        this.#tokens += 1;
        return send(response, 401, { error: "token expired" });
      case "429":
        response.setHeader("retry-after", "1");
        return send(response, 429, { error: "slow down" });
      case "500":
      case "503":
        return send(response, Number(kind), { error: "something went wrong" });
      case "reset":
        response.destroy();
        return;
      case "cut body":
        response.writeHead(200, {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(whole),
        });
        response.write(whole.slice(0, Math.floor(whole.length / 2)), () => response.destroy());
        return;
      case "slow":
        setTimeout(() => {
          sendText(response, 200, whole);
        }, 150);
        return;
      default:
        kind satisfies never;
    }
  }

  /** Pages go on behind the last key, so that no row that stays is skipped by an edit. */
  #page(table: Table, query: URLSearchParams): Page {
    const limit = Math.min(Number(query.get("limit") ?? this.#pageRows), this.#pageRows);
    const after = placeIn(query.get("after"));
    const from = query.get("changedFrom") ?? "";
    const sorted = (table.sorted ??= this.#sort(table));
    const rows: Row[] = [];
    const places: string[] = [];
    for (let at = firstBehind(sorted, after); at < sorted.length; at += 1) {
      const place = sorted[at] ?? "";
      if (table.stream.reading === "delta" && place < from) continue;
      if (rows.length === limit) break;
      places.push(place);
      rows.push(table.rows.get(keyOfPlace(table.stream, place)) ?? {});
    }
    return { after, places, rows, next: rows.length < limit ? null : this.#token(places) };
  }

  /** Where to go on; never the same text twice. */
  #token(places: readonly string[], after = ""): string {
    this.#asked += 1;
    return `${this.#asked}~${places.at(-1) ?? after}`;
  }

  /** A page may hold less than it was asked for, even nothing; only `next` tells the end. */
  #shortened({ after, places, rows, next }: Page, length: number): Page {
    if (length >= rows.length) return { after, places, rows, next };
    const kept = places.slice(0, length);
    return { after, places: kept, rows: rows.slice(0, length), next: this.#token(kept, after) };
  }

  #sort({ stream, rows }: Table): readonly string[] {
    if (stream.reading === "snapshot") return [...rows.keys()].toSorted();
    return [...rows].map(([key, row]) => `${row["changedAt"]}|${key}`).toSorted();
  }

  /** Somebody at the far side works on while it is read. */
  #edit(): void {
    if (!this.#random.chance(0.2)) return;
    this.played.set("edit while paging", (this.played.get("edit while paging") ?? 0) + 1);
    const rules = this.table("price-rules");
    const keys = [...rules.rows.keys()];
    const key = keys[this.#random.whole(0, keys.length - 1)] ?? "";
    const row = rules.rows.get(key);
    if (row === undefined) return;
    const what = this.#random.whole(0, 2);
    if (what === 0) this.#put(rules, { ...row, comment: `edited ${this.#random.whole(1, 999)}` });
    else if (what === 1) this.#put(rules, { ...row, rule: `Z/${key}/${keys.length}` });
    else if (key.startsWith("Z/")) rules.rows.delete(key);
    rules.sorted = null;
    const lines = this.table("sales-lines");
    const line = [...lines.rows.values()].at(-this.#random.whole(1, 40));
    if (line !== undefined) this.#put(lines, line);
  }
}

interface Page {
  /** Place behind which it begins. */
  readonly after: string;
  readonly places: readonly string[];
  readonly rows: readonly Row[];
  readonly next: string | null;
}

function textOf({ rows, next }: Page): string {
  return JSON.stringify({ rows, next });
}

function placeIn(token: string | null): string {
  return token === null ? "" : token.slice(token.indexOf("~") + 1);
}

function firstBehind(sorted: readonly string[], after: string): number {
  if (after === "") return 0;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keyOf({ key }: FarStream, row: Row): string {
  return key.map((name) => row[name] ?? "").join("|");
}

function keyOfPlace({ reading }: FarStream, place: string): string {
  return reading === "snapshot" ? place : place.slice(place.indexOf("|") + 1);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
}
