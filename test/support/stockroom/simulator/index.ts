/**
 * The stockroom system itself, for tests: real HTTP on this machine, with books in memory, which
 * misbehaves when it is told to. Imports nothing of Tradepost's.
 *
 *     const far = await start();
 *     far.settings;      // for the connector
 *     await far.close();
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Row = Record<string, unknown>;

/** Each is sorted by its position: customers by account, invoices by change and number. */
export interface Books {
  customers: Row[];
  invoices: Row[];
  readonly orders: Map<string, { order: string; net: string; vat: string }>;
}

export interface Stockroom {
  readonly settings: {
    baseUrl: string;
    clientId: string;
    clientSecret: string;
    pageRows: number;
  };
  readonly secrets: { readonly stockroom_secret: string };
  readonly books: Books;
  /** What to do wrong, and how often; it is counted down. */
  readonly faults: Map<string, number>;
  /** Rows of each list are made up to this number as they are asked for; null: the books count. */
  filled: number | null;
  /** Tokens given out. */
  signIns: number;
  /** Number of the token that is good now. */
  token: number;
  close(): Promise<void>;
}

const SECRET = "correct-horse-battery";

export async function start(): Promise<Stockroom> {
  const books: Books = { customers: [], invoices: [], orders: new Map() };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stockroom: Stockroom = {
    settings: {
      baseUrl: `http://127.0.0.1:${port}/api`,
      clientId: "tradepost",
      clientSecret: "stockroom_secret",
      pageRows: 3,
    },
    secrets: { stockroom_secret: SECRET },
    books,
    faults: new Map(),
    filled: null,
    signIns: 0,
    token: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(stockroom, request, response).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  return stockroom;
}

/** True as often as the fault was set. */
function strikes({ faults }: Stockroom, fault: string): boolean {
  const left = faults.get(fault) ?? 0;
  if (left > 0) faults.set(fault, left - 1);
  return left > 0;
}

async function answer(
  stockroom: Stockroom,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", stockroom.settings.baseUrl);
  const body = await text(request);
  const say = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
  if (url.pathname === "/api/token") return signIn(stockroom, body, say);
  const token = `Bearer ${tokenOf(stockroom)}`;
  if (request.headers.authorization !== token)
    return say(401, { error: `the token ${request.headers.authorization ?? ""} is not valid` });
  if (strikes(stockroom, "hangs later")) return;
  if (stockroom.faults.has("hangs")) stockroom.faults.set("hangs later", Infinity);
  if (strikes(stockroom, "throttles")) return say(429, { error: "wait" }, { "retry-after": "30" });
  if (strikes(stockroom, "fails")) return say(500, { error: "out of order" });
  if (strikes(stockroom, "garbage")) return say(200, "<html>please sign in</html>");
  const list = url.pathname.slice("/api/".length);
  if (list === "orders")
    return orders(stockroom, url, request.method === "POST" ? body : null, say);
  if (list === "customers" || list === "invoices") return pages(stockroom, list, url, say);
  return say(404, { error: `there is no ${list}` });
}

type Say = (status: number, value: unknown, headers?: Record<string, string>) => void;

function signIn(stockroom: Stockroom, body: string, say: Say): void {
  const { client_secret: secret } = Object.fromEntries(new URLSearchParams(body));
  if (secret !== SECRET || strikes(stockroom, "refuses sign-in"))
    return say(401, { error: "invalid_client", error_description: `${secret} is wrong` });
  stockroom.signIns += 1;
  stockroom.token += 1;
  return say(200, { access_token: tokenOf(stockroom), expires_in: 3600, token_type: "Bearer" });
}

function tokenOf({ token }: Stockroom): string {
  return `token-number-${token}-of-the-stockroom`;
}

function pages(stockroom: Stockroom, list: "customers" | "invoices", url: URL, say: Say): void {
  const limit = Number(url.searchParams.get("limit"));
  const all = stockroom.filled === null ? stockroom.books[list] : null;
  const total = all?.length ?? stockroom.filled ?? 0;
  // By offset too, as careless programs read: what is removed then shifts rows out of sight.
  const offset = url.searchParams.get("offset");
  const isLater = url.searchParams.has("after") || Number(offset ?? 0) > 0;
  let from = all === null ? madeFrom(url) : all.findIndex((row) => isBehind(row, list, url));
  if (offset !== null) from = Number(offset);
  if (from < 0) from = total;
  if (isLater && strikes(stockroom, "page twice")) from = Math.max(0, from - limit);
  if (isLater && strikes(stockroom, "page missing")) from += limit;
  let most = limit;
  if (isLater && strikes(stockroom, "page short")) most = 1;
  if (isLater && strikes(stockroom, "page empty")) most = 0;
  // What comes behind it is told as if it were the right one.
  const remaining = Math.max(0, total - from - most);
  if (from >= 2 * limit && strikes(stockroom, "page earlier")) from -= 2 * limit;
  let rows = all?.slice(from, from + most) ?? made(list, from, Math.min(most, total - from));
  if (stockroom.faults.has("out of order")) rows = all?.toReversed().slice(0, limit) ?? rows;
  say(200, { rows, total, remaining });
  // The token is refused from the next request on, though its hour is not up.
  if (strikes(stockroom, "token expires")) stockroom.token += 1;
}

function isBehind(row: Row, list: "customers" | "invoices", url: URL): boolean {
  const after = url.searchParams.get("after");
  if (list === "customers") return after === null || String(row["account"]) > after;
  const [changed, number] = [String(row["changed"]), String(row["number"])];
  const from = url.searchParams.get("from");
  const since = url.searchParams.get("since") ?? "";
  if (after === null) return from === null || changed >= from;
  return changed > since || (changed === since && number > after);
}

function madeFrom(url: URL): number {
  const after = url.searchParams.get("after");
  return after === null ? 0 : Number(after.slice(1)) + 1;
}

/** So many rows of a long list that nobody keeps. */
function made(list: "customers" | "invoices", from: number, count: number): Row[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const number = String(from + index).padStart(9, "0");
    return list === "customers"
      ? customer(`C${number}`)
      : invoice(`I${number}`, "2026-03-02T09:00:00Z");
  });
}

export function customer(account: string): Row {
  return { account, name: `Customer ${account}`, onStop: false };
}

export function invoice(number: string, changed: string): Row {
  return { number, account: "C000000001", net: "12.50", changed };
}

function orders(stockroom: Stockroom, url: URL, body: string | null, say: Say): void {
  const kept = stockroom.books.orders;
  if (body === null) {
    const found = kept.get(url.searchParams.get("reference") ?? "");
    return say(200, { rows: found === undefined ? [] : [found] });
  }
  const { reference, tables } = JSON.parse(body) as { reference: string; tables: unknown[] };
  if (tables.length === 0) return say(422, { error: "an order needs lines" });
  // Like most ledgers it does not mind a second order of the same number.
  const number = `SO${1000 + kept.size}`;
  kept.set(kept.has(reference) ? `${reference} again` : reference, {
    order: number,
    net: "12.50",
    vat: "2.50",
  });
  if (strikes(stockroom, "loses the answer")) return say(502, { error: "the gateway gave up" });
  return say(201, { order: number, net: "12.50", vat: "2.50" });
}
