/**
 * A small stock program that answers JSON over HTTP, for tests: real HTTP on this machine, with
 * books in memory, which misbehaves when it is told to. Imports nothing of Tradepost's.
 *
 *     const far = await start();
 *     far.settings;      // for the connector
 *     await far.close();
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Row = Record<string, unknown>;
export type ListName = keyof typeof LISTS;

/** In what order each list is given, and how a page of it is asked for. */
const LISTS = {
  customers: { byNumber: false, order: (row: Row) => String(row["account"]) },
  products: { byNumber: true, order: (row: Row) => String(row["product"]) },
  documents: {
    byNumber: false,
    order: (row: Row) =>
      `${String(row["changedAt"])} ${String(row["type"])} ${String(row["number"]).padStart(9, "0")}`,
  },
  // By article, whenever it was changed.
  stock: { byNumber: false, order: (row: Row) => String(row["product"]) },
} as const;

export interface Simulator {
  readonly settings: { readonly pageRows: number } & Readonly<Record<string, unknown>>;
  readonly secrets: { readonly erp_client_secret: string };
  readonly books: Record<ListName, Row[]>;
  /** What to do wrong, and how often; it is counted down. */
  readonly faults: Map<string, number>;
  /** Rows of each list are made up to this number as they are asked for; null: the books count. */
  filled: number | null;
  /** Tokens given out; the last one is good. */
  signIns: number;
  close(): Promise<void>;
}

const SECRET = "open-sesame-and-quickly";

export async function start(): Promise<Simulator> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  const simulator: Simulator = {
    settings: {
      baseUrl: `${address}/api`,
      auth: {
        kind: "oauth-client",
        tokenUrl: `${address}/token`,
        clientId: "tradepost",
        clientSecret: "erp_client_secret",
      },
      perSecond: 50,
      pageRows: 3,
      flatten: true,
      members: { next: "meta.next", pages: "meta.pages", total: "meta.total" },
      streams: {
        stock: {
          path: "/stock",
          reading: "delta",
          key: ["product"],
          stamp: "changedAt",
          overlapSeconds: 600,
          ordered: false,
          removals: "keys",
        },
        customers: { path: "/customers", reading: "snapshot", key: ["account"] },
        products: {
          path: "/products",
          reading: "snapshot",
          paging: "number",
          key: ["product"],
        },
        documents: {
          path: "/documents",
          reading: "delta",
          key: ["type", "number"],
          stamp: "changedAt",
          overlapSeconds: 120,
        },
      },
    },
    secrets: { erp_client_secret: SECRET },
    books: { customers: [], products: [], documents: [], stock: [] },
    faults: new Map(),
    filled: null,
    signIns: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
  server.on("request", (request, response) => {
    answer(simulator, request, response).catch((error: unknown) => {
      response.destroy(error as Error);
    });
  });
  return simulator;
}

/** True as often as the fault was set. */
function strikes({ faults }: Simulator, fault: string): boolean {
  const left = faults.get(fault) ?? 0;
  if (left > 0) faults.set(fault, left - 1);
  return left > 0;
}

type Say = (status: number, value: unknown, headers?: Record<string, string>) => void;

async function answer(
  far: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://here");
  const body = await text(request);
  const say: Say = (status, value, headers = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
  if (url.pathname === "/token") return signIn(far, body, say);
  const { authorization = "" } = request.headers;
  if (authorization !== `Bearer ${tokenOf(far)}`)
    return say(401, { error: `${authorization} is not valid` });
  if (strikes(far, "hangs later")) return;
  if (far.faults.has("hangs")) far.faults.set("hangs later", Infinity);
  if (strikes(far, "throttles")) return say(429, { error: "wait" }, { "retry-after": "30" });
  if (strikes(far, "fails")) return say(503, { error: "out of order" });
  if (strikes(far, "garbage")) return say(200, { message: "please sign in" });
  const [, list, keys] = /^\/api\/(\w+)(\/keys)?$/.exec(url.pathname) ?? [];
  if (list === undefined || !(list in LISTS)) return say(404, { error: "there is no such list" });
  say(200, page(far, list as ListName, url.searchParams, keys !== undefined));
  // The token is refused from the next request on, though its hour is not up.
  if (strikes(far, "token expires")) far.signIns += 0.5;
}

function signIn(far: Simulator, body: string, say: Say): void {
  const { client_secret: secret } = Object.fromEntries(new URLSearchParams(body));
  if (secret !== SECRET || strikes(far, "refuses sign-in"))
    return say(401, { error: "invalid_client", error_description: `${secret} is wrong` });
  far.signIns = Math.floor(far.signIns) + 1;
  return say(200, { access_token: tokenOf(far), expires_in: 3600, token_type: "Bearer" });
}

function tokenOf({ signIns }: Simulator): string {
  return `token-number-${signIns}-of-the-program`;
}

function page(far: Simulator, list: ListName, asked: URLSearchParams, keysOnly: boolean) {
  const { order, byNumber } = LISTS[list];
  const limit = Number(asked.get("limit"));
  const all = rowsOf(far, list, asked.get("changedFrom"), keysOnly);
  const start = byNumber ? (Number(asked.get("page")) - 1) * limit : startOf(all, asked, order);
  let from = start;
  if (start > 0 && strikes(far, "page twice")) from = Math.max(0, start - limit);
  if (start > 0 && strikes(far, "page missing")) from += limit;
  if (start >= 2 * limit && strikes(far, "page earlier")) from -= 2 * limit;
  let most = limit;
  if (start > 0 && strikes(far, "page short")) most = 1;
  if (start > 0 && strikes(far, "page empty")) most = 0;
  const rows = all.slice(from, from + most);
  // A page that comes twice has the right successor all the same: what it hides is lost for good.
  const end = Math.max(start, from) + most;
  const last = all.at(end - 1);
  const next = end < all.total && last !== undefined ? tokenBehind(order(last)) : null;
  const meta = byNumber
    ? { pages: Math.ceil(all.total / limit), total: all.total }
    : { next, total: all.total };
  return { rows, meta };
}

interface Rows {
  readonly total: number;
  readonly isMade: boolean;
  at(index: number): Row | undefined;
  slice(from: number, to: number): readonly Row[];
  findIndex(test: (row: Row) => boolean): number;
}

function rowsOf(far: Simulator, list: ListName, from: string | null, keysOnly: boolean): Rows {
  if (far.filled !== null) return madeRows(list, far.filled);
  const { order } = LISTS[list];
  const rows = far.books[list]
    .filter((row) => from === null || String(row["changedAt"]) >= from)
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  if (far.faults.has("out of order")) rows.reverse();
  const given = keysOnly ? rows.map(({ product }) => ({ product })) : rows;
  return {
    total: given.length,
    isMade: false,
    at: (index) => given[index],
    slice: (start, end) => given.slice(start, end),
    findIndex: (test) => given.findIndex(test),
  };
}

/** So many rows of a long list that nobody keeps. */
function madeRows(list: ListName, total: number): Rows {
  const row = (index: number) => MADE[list](index);
  return {
    total,
    isMade: true,
    at: (index) => (index < total ? row(index) : undefined),
    slice: (from, to) =>
      Array.from({ length: Math.max(0, Math.min(to, total) - from) }, (_, n) => row(from + n)),
    findIndex: () => -1,
  };
}

/** Where a token's page begins: behind a row, whether or not it is still there. */
function startOf(all: Rows, asked: URLSearchParams, order: (row: Row) => string): number {
  const token = asked.get("after");
  if (token === null) return 0;
  const behind = Buffer.from(token, "base64url").toString();
  if (all.isMade) return Number(/\d+$/.exec(behind)?.[0]) + 1;
  const first = all.at(0);
  const second = all.at(1);
  const isReversed = first !== undefined && second !== undefined && order(first) > order(second);
  const index = all.findIndex((row) => (isReversed ? order(row) < behind : order(row) > behind));
  return index === -1 ? all.total : index;
}

function tokenBehind(order: string): string {
  return Buffer.from(order).toString("base64url");
}

const MADE: Readonly<Record<ListName, (index: number) => Row>> = {
  customers: (index) => customer(index),
  products: (index) => product(index),
  documents: (index) => document(index, "2026-03-02T09:00:00.000Z"),
  stock: (index) => stock(index, "2026-03-02T09:00:00.000Z"),
};

export function customer(index: number): Row {
  const account = `C${padded(index)}`;
  return { account, name: `Customer ${index}`, stopped: false, address: { city: "Leeds" } };
}

export function product(index: number): Row {
  return { product: `P${padded(index)}`, name: `Product ${index}`, price: "12.50" };
}

export function document(number: number, changedAt: string): Row {
  return { type: "invoice", number, account: "C000000001", net: "12.50", changedAt };
}

export function stock(index: number, changedAt: string): Row {
  return { product: `P${padded(index)}`, free: 7, changedAt };
}

function padded(index: number): string {
  return String(index).padStart(9, "0");
}
