/**
 * The hostile ERP as a web service: `POST /orders` makes a document, `GET /orders?key=…` searches;
 * so do `/returns` and `/accounts`. It misbehaves as `faults.ts` draws it; the worst is a document
 * that appears only some time after whoever asked for it has given up, or was killed.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pounds, keyOf, type HeldDocument, type SentTables } from "./books.ts";
import type { Draws, PlacingFault } from "./faults.ts";
import type { Draft, Ledger } from "./ledger.ts";
import type { HeldRequest, Requests, Sent } from "./requests.ts";

export interface ErpServer extends AsyncDisposable {
  readonly url: string;
  /** The next thing that it is asked to make meets this fault, whatever was drawn. */
  next(fault: PlacingFault): void;
}

export interface ErpParts {
  readonly ledger: Ledger;
  readonly draws: Draws;
  readonly returns: Requests;
  readonly accounts: Requests;
}

interface Serving extends ErpParts {
  /** Faults that are to come before those that are drawn. */
  readonly due: PlacingFault[];
}

/** After the client gave up the document is made within so many milliseconds. */
export const COMMIT_LAG_MS = 1_500;
/** Nobody waits longer for a client to give up. */
const PATIENCE_MS = 30_000;
const SLOW_MS = 700;

export async function serveErp(parts: ErpParts): Promise<ErpServer> {
  const serving: Serving = { ...parts, due: [] };
  const server = createServer((request, response) => {
    void handle(serving, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 1_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    next: (fault) => void serving.due.push(fault),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function handle(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://erp");
  const what = whatAt(serving, url.pathname);
  if (request.method === "GET") return search(serving, what, url.searchParams, response);
  return place(serving, what.sent(JSON.parse(await text(request)) as Sent), response);
}

/** What is made and searched for at an address. */
interface What {
  sent(body: Sent): ToMake;
  /** What a search shows, by our number and what else was asked with. */
  seen(key: string, asked: URLSearchParams): unknown;
}

interface ToMake {
  readonly key: string;
  /** Null: it is taken; else why not. */
  readonly refusal: string | null;
  commit(): unknown;
  draft(): unknown;
}

function whatAt(serving: Serving, path: string): What {
  if (path === "/returns") return whatOf(serving.returns);
  if (path === "/accounts") return whatOf(serving.accounts);
  const { ledger, draws } = serving;
  return {
    sent: (body) => {
      const { tables } = body as unknown as { readonly tables: SentTables };
      const key = keyOf(tables);
      const refused = draws.refuses(key) || tables.every(({ rows }) => rows.length === 0);
      return {
        key,
        refusal: refused ? "the goods are not delivered to this account" : null,
        commit: () => shown(ledger.commit(tables)),
        draft: () => shown(ledger.draft(tables)),
      };
    },
    seen: (key) => ({ documents: ledger.seen(key).map(shown) }),
  };
}

function whatOf(requests: Requests): What {
  return {
    sent: (body) => {
      const commit = () => told(requests.commit(body));
      // These have no drafts.
      const key = String(body[requests.keyField]);
      return { key, refusal: requests.refusal(body), commit, draft: commit };
    },
    seen: (key, asked) => ({
      held: requests.seen(key).map(told),
      alike: requests.alike(key, asked.get("name") ?? "").map(told),
    }),
  };
}

function told({ number, key, sent }: HeldRequest): unknown {
  return { number, key, name: sent["name"] ?? "" };
}

async function place(serving: Serving, what: ToMake, response: ServerResponse): Promise<void> {
  const { ledger, draws, due } = serving;
  const { key, refusal } = what;
  const call = ledger.call("place", key);
  if (refusal !== null) {
    ledger.refuse(key);
    return answer(response, 422, { error: refusal });
  }
  const fault = due.shift() ?? draws.placing(key, call);
  if (fault !== null) ledger.count(fault);
  switch (fault) {
    case "429":
      return answer(response, 429, { error: "too many requests" });
    case "429 with Retry-After":
      return answer(response, 429, { error: "too many requests" }, { "retry-after": "1" });
    case "500 before commit":
      return answer(response, 500, { error: "the posting run stopped" });
    case "reset before commit":
      return void response.destroy();
    case "500 after commit":
      what.commit();
      return answer(response, 500, { error: "printing it failed" });
    case "reset after commit":
      what.commit();
      return void response.destroy();
    case "cut answer":
      return cut(response, what.commit());
    case "slow":
      await sleep(draws.of("slow", key, call) * SLOW_MS);
      return answer(response, 201, what.commit());
    case "commit after the client gave up":
      await Promise.race([once(response, "close"), sleep(PATIENCE_MS)]);
      await sleep(draws.of("commit lag", key, call) * COMMIT_LAG_MS);
      what.commit();
      return void response.destroy();
    case "draft":
      return answer(response, 201, what.draft());
    case null:
      return answer(response, 201, what.commit());
    default:
      return fault satisfies never;
  }
}

async function search(
  { ledger, draws }: Serving,
  what: What,
  asked: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const key = asked.get("key") ?? "";
  const call = ledger.call("find", key);
  const fault = draws.finding(key, call);
  if (fault !== null) ledger.count(`search: ${fault}`);
  const found = () => what.seen(key, asked);
  switch (fault) {
    case "429":
      return answer(response, 429, { error: "too many requests" });
    case "500":
      return answer(response, 500, { error: "the index is being rebuilt" });
    case "reset":
      return void response.destroy();
    case "cut answer":
      return cut(response, found());
    case "slow":
      await sleep(draws.of("slow search", key, call) * SLOW_MS);
      return answer(response, 200, found());
    case null:
      return answer(response, 200, found());
    default:
      return fault satisfies never;
  }
}

function shown(held: HeldDocument | Draft): unknown {
  if (held.number === "TBA") return { number: "TBA", key: held.key, state: "draft" };
  const { number, key, account, lines, net, vat } = held as HeldDocument;
  return {
    number,
    key,
    account,
    state: "open",
    net: pounds(net),
    vat: pounds(vat),
    lines: lines.map((line) => ({ ...line, net: pounds(line.net), vat: pounds(line.vat) })),
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** The length of the whole, and half of it. */
function cut(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(201, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
  });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}
